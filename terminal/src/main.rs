//! The terminal program: reads settings, then supervises the window process, or does one of the small jobs.
use std::process::ExitCode;

use clap::Parser as _;
use terminal::cli::Cli;

fn main() -> ExitCode {
    terminal::cli::start_logging();
    match terminal::cli::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
