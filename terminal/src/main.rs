//! The terminal program: reads settings, then supervises the window process, or does one of the small jobs.
use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// Whatever is freed is wiped first: names, numbers and answers of a visit stand in many texts on their way, and none
/// of these copies outlives it.
#[global_allocator]
static WIPED: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    terminal::cli::run(operator::manual::read_command_line()).into()
}
