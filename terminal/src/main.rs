//! The terminal program: reads settings, then supervises the window process, or does one of the small jobs.
use std::process::ExitCode;

fn main() -> ExitCode {
    terminal::cli::run(operator::manual::read_command_line()).into()
}
