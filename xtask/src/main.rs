//! The project's own commands. They need nothing but Rust to build: no system library is linked here, because
//! `setup` is what installs those.
//!
//! Refuses to hold product code: whatever runs at a station lives in the other rooms.
mod bench;
mod card;
mod check;
mod demo;
mod devices;
mod fuzz;
mod kill_storm;
mod process;
mod progress;
mod setup;
mod simulate;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::demo::database::Choice;
use crate::demo::screen_size::ScreenSize;
use crate::process::Interrupt;

/// Commands of the project: prepare a machine, see the product run, test everything.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

const EXAMPLES: &str = "Examples:
  cargo xtask demo                     see it run; lay down a card from a second shell
  cargo xtask card tap courier         … like this
  cargo xtask demo --headless          the whole story by itself, with a picture of every screen
  cargo xtask test                     everything that the CI runs";

#[derive(Debug, Subcommand)]
enum Task {
    /// Install the system packages that are missing (as root; otherwise print the one command to run).
    Setup,
    /// Run the product: card reader service with the virtual reader, sync server, terminal in a window.
    #[command(after_help = "Examples:
  cargo xtask demo                     in a window if there is a display, else on a virtual screen
  cargo xtask demo --size 1280x800     on a smaller screen
  cargo xtask demo --database postgresql   with the store in a PostgreSQL that the demo starts
  cargo xtask demo --headless          play the story; pictures and story.json go to target/demo/")]
    Demo {
        /// Play the story on the real programs by itself, check its outcome, and stop.
        #[arg(long)]
        headless: bool,
        /// Size of the window, or of the virtual screen.
        #[arg(long, default_value = "1920x1080", value_name = "WIDTHxHEIGHT")]
        size: ScreenSize,
        /// Where the server keeps its store: sqlite, postgresql (one that the demo starts and ends), or an address.
        #[arg(long, default_value = "sqlite", value_name = "sqlite|postgresql|URL")]
        database: Choice,
    },
    /// Lay a card of an invented person on the virtual reader of the running demo.
    #[command(after_help = "Examples:
  cargo xtask card tap courier         lay it down, and lift it after two seconds
  cargo xtask card lay elder           lay it down and leave it there
  cargo xtask card lift                take it away
  cargo xtask card list                the cards there are")]
    Card {
        #[command(subcommand)]
        gesture: card::Gesture,
    },
    /// Kill servers and terminals a thousand times each while they work, and check that nothing is lost.
    #[command(after_help = "Examples:
  cargo xtask kill-storm               1,000 + 1,000 kills, some minutes
  cargo xtask kill-storm --kills 100 --seed 7
  cargo xtask kill-storm --resume /tmp/kill-storm-x/storm.json")]
    KillStorm(kill_storm::Options),
    /// Simulate days of the whole fleet with faults in one thread each, and check that nothing is lost.
    #[command(after_help = "Examples:
  cargo xtask simulate                 ten seeds, a day of 49 terminals each
  cargo xtask simulate --days 300      three hundred fleet-days
  cargo xtask simulate --from 17 --seeds 1 --log /tmp/17.log")]
    Simulate(simulate::Options),
    /// Measure speed in release builds, each figure beside a floor in the same run.
    #[command(after_help = "Examples:
  cargo xtask bench                    everything, as a table with targets
  cargo xtask bench ingest --json      one part, as a JSON array of rows
  cargo xtask bench search --quick     fewer rounds: to see that it works")]
    Bench {
        /// What to measure; all parts if none is named.
        part: Vec<bench::Part>,
        /// Print one JSON array of rows {name, value, unit, floor, ratio_to_floor} instead of a table.
        #[arg(long)]
        json: bool,
        /// Fewer rounds.
        #[arg(long)]
        quick: bool,
    },
    /// Put up virtual devices (readers, printers, scanner, camera) for a terminal, with a panel of buttons.
    #[command(after_help = "Examples:
  cargo xtask devices                  until Ctrl-C; the panel is at http://127.0.0.1:8495/
  cargo xtask devices --soak           eight hours of use in some minutes: inserts, jams, restarts")]
    Devices(devices::Options),
    /// Say where the panel of the virtual devices is, and open it.
    #[command(after_help = "Example:
  cargo xtask panel                    while `cargo xtask devices` runs in another shell")]
    Panel,
    /// Fuzz the server's API by its description, as the tests do; needs `cargo build --workspace` and `setup`.
    #[command(after_help = "Example:
  cargo build --workspace && cargo xtask fuzz")]
    Fuzz,
    /// Run everything: formatting, lints, docs, all tests, and the story on the real programs.
    #[command(after_help = "Example:
  cargo xtask test                     exactly what .ci/run does")]
    Test,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Interrupt::watch().and_then(|interrupt| match arguments.task {
        Task::Setup => setup::run(&interrupt).and_then(|()| fuzz::prepare(&interrupt)),
        Task::Demo { headless, size, database } => {
            demo::run(&demo::Options { headless, size, database }, &interrupt)
        }
        Task::Card { gesture } => card::run(&gesture),
        Task::Bench { part, json, quick } => {
            bench::run(&bench::Options { parts: part, json, quick }, &interrupt)
        }
        Task::KillStorm(options) => kill_storm::run(&options, &interrupt),
        Task::Simulate(options) => simulate::run(&options, &interrupt),
        Task::Devices(options) => devices::run(&options, &interrupt),
        Task::Panel => devices::panel(),
        Task::Fuzz => fuzz::run(&interrupt),
        Task::Test => check::run(&interrupt),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::failure(&error);
            ExitCode::FAILURE
        }
    }
}
