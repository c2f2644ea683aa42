//! `card-tool`, for technicians: readers, cards, captures and numbers at the command line. See `hardware::card_tool`.
use std::process::ExitCode;

fn main() -> ExitCode {
    hardware::card_tool::main()
}
