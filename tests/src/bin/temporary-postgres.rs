//! A PostgreSQL of its own for as long as this program runs, for the demo: prints the address of an empty database
//! and waits for SIGTERM or Ctrl-C.
//!
//! Refuses to keep anything: its folder is gone when it ends.
use std::io::Write as _;

use anyhow::Result;
use tests::postgres::Cluster;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut terminate, mut interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let cluster = Cluster::start()?;
    let address = cluster.create_database("jinban")?;
    let mut out = std::io::stdout();
    writeln!(out, "{address}")?;
    out.flush()?;
    runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    drop(cluster);
    Ok(())
}
