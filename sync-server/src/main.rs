//! `sync-server`: reads the command line and runs one command. Everything else is in the library.
use std::process::ExitCode;

fn main() -> ExitCode {
    sync_server::cli::run(operator::manual::read_command_line()).into()
}
