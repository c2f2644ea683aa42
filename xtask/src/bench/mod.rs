//! Benches: release builds without failpoints, each figure beside a floor that ran in the same call.
//!
//! The work is done by programs of the crate `tests`, because this one links no system library. Refuses to be part of
//! the tests: a figure depends on the machine, and nothing is red because a machine is slow.
mod row;
mod table;
mod targets;

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::process::{Interrupt, Running, run_bounded, tied, wait_until};
use crate::progress::Steps;
use crate::workspace;
use row::Row;

/// From nothing on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(35 * 60);
/// One part; two stores of a million cases each are filled in one.
const PART_LIMIT: Duration = Duration::from_secs(40 * 60);

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// A query over the catalogue.
    Search,
    /// A check of a form; compiling all forms.
    Validate,
    /// Handing in at the terminal until the slip.
    Submit,
    /// Submissions that the server acknowledges.
    Ingest,
    /// From publishing a catalogue to the terminals that run it; activation.
    Publish,
    /// From exec to the first pixel; memory of the terminal.
    Start,
    /// From a press to the pixel; idle processor time.
    Frame,
    /// From a card on the reader to its event, and to what it says.
    Card,
    /// A photo of twelve megapixels becomes a page.
    Pages,
    /// A slip becomes the dots of a receipt, or an A4 page.
    Paper,
    /// Lists, cases, actions and figures of a centre with a million cases.
    Desk,
}

/// What somebody asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// All parts if empty.
    pub parts: Vec<Part>,
    /// One JSON array on standard output instead of a table.
    pub json: bool,
    /// Fewer rounds: to see that it works, not to quote.
    pub quick: bool,
}

/// Builds, measures and tells.
///
/// # Errors
/// Names the step that failed and the log to read.
pub fn run(options: &Options, interrupt: &Interrupt) -> Result<()> {
    let parts = if options.parts.is_empty() { Part::value_variants() } else { options.parts.as_slice() };
    let mut steps = Steps::new(parts.len() + 1);
    steps.run("release build without failpoints", || build(interrupt))?;
    let mut rows = Vec::new();
    for part in parts {
        rows.extend(steps.run(&part.name(), || measure(*part, options.quick, interrupt))?);
    }
    let text = if options.json { serde_json::to_string(&rows)? + "\n" } else { table::draw(&rows) };
    std::io::stdout().write_all(text.as_bytes()).context("standard output")
}

impl Part {
    fn name(self) -> String {
        self.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
    }
}

fn build(interrupt: &Interrupt) -> Result<()> {
    // The default features of `tests` are the failpoints.
    let arguments = ["build", "--release", "--no-default-features", "--bins"];
    let mut command = workspace::cargo(&arguments);
    command.args(["-p", "sync-server", "-p", "terminal", "-p", "tests"]);
    run_bounded(command, BUILD_LIMIT, interrupt)
}

fn measure(part: Part, quick: bool, interrupt: &Interrupt) -> Result<Vec<Row>> {
    let scratch = tempfile::tempdir().context("cannot make a folder")?;
    let answers = scratch.path().join("rows");
    let program = format!("bench-{}", part.name());
    let mut command = tied(workspace::target().join("release").join(&program));
    command.current_dir(workspace::root());
    if quick {
        command.arg("--quick");
    }
    let file = File::create(&answers).context("cannot make a file")?;
    let mut running = Running::start_with(&program, command, file, &scratch.path().join("log"))?;
    match wait_until(PART_LIMIT, interrupt, || running.exited())? {
        Some(status) if status.success() => row::read(&std::fs::read_to_string(&answers)?),
        Some(status) => bail!("{program}: {status}{}", running.log_tail()),
        None => bail!("{program} did not end within {} min", PART_LIMIT.as_secs() / 60),
    }
}
