//! One update of a terminal's catalogue in a process of its own: for tests that kill it, take its disk or its clock.
//!
//! Prints one JSON line: what the update did or said, the version in force, and how current it is.
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use clap::Parser;
use serde_json::json;
use terminal::store::Store;
use terminal::sync::catalogue_client::{Staging, TufClient, update};
use terminal::sync::http::HttpTransport;
use terminal::sync::tls::Trust;
use tests::device::now_ms;
use tests::storm::points::Plan;

#[derive(Debug, Parser)]
#[command(name = "catalogue-update", about = "Renews a terminal's catalogue once")]
struct Arguments {
    /// Data folder of the terminal.
    #[arg(long)]
    data: PathBuf,
    /// Where catalogues arrive.
    #[arg(long)]
    staging: PathBuf,
    /// Address of the server.
    #[arg(long)]
    server: String,
    /// File of the root that is trusted if none is trusted yet.
    #[arg(long)]
    root: PathBuf,
    /// What happens at a named point.
    #[arg(long)]
    plan: Option<Plan>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let now_ms = now_ms();
    let mut store = Store::open(&arguments.data, now_ms)?;
    store.begin_catalogue_trust(&std::fs::read_to_string(&arguments.root)?)?;
    let transport = HttpTransport::new(&arguments.server, &Trust::Nobody)?;
    let mut client = TufClient::new(Box::new(transport), arguments.data.join("look"))?;
    if let Some(plan) = arguments.plan {
        plan.arm()?;
    }
    let store = Mutex::new(store);
    let done = update(&store, &mut client, &Staging::new(arguments.staging), u64::MAX, now_ms);
    let store = store.into_inner().unwrap_or_else(PoisonError::into_inner);
    let report = json!({
        "done": done.map(|d| format!("{d:?}")).map_err(|e| format!("{e:?}")),
        "in_force": store.newest_catalogue()?.map(|c| c.version),
        "standing": store.catalogue_standing()?,
        "clock_ms": now_ms,
    });
    println_to_stdout(&report.to_string()).context("standard output")
}

fn println_to_stdout(line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout().lock(), "{line}")
}
