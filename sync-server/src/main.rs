//! `sync-server`: reads the command line, starts logging, runs one command. Everything else is in the library.
use std::process::ExitCode;

use clap::Parser as _;
use sync_server::cli::{Cli, run};

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("JINBAN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    run(Cli::parse())
}
