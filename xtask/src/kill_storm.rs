//! The storm of hard kills: builds the `kill-storm` program of the tests crate and runs it to its end.
//!
//! Refuses to judge: the program's own checker does, and its exit code is the answer.
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::process::{Interrupt, run_bounded};
use crate::progress::Steps;
use crate::workspace;

/// A build from nothing on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The drain and the check come after the storm's own time.
const AFTERWARDS: Duration = Duration::from_secs(10 * 60);

/// How hard a storm.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Terminals of each server.
    #[arg(long, default_value_t = 2)]
    terminals: u32,
    /// Servers side by side, each with its own store.
    #[arg(long, default_value_t = 2)]
    stores: u32,
    /// Kills of servers, and as many of terminals.
    #[arg(long, default_value_t = 1_000)]
    kills: u32,
    /// Makes all choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Go on with an interrupted storm: its folder, or the file storm.json in it.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// The longest time.
    #[arg(long, default_value_t = 25)]
    minutes: u64,
    /// Give the figures as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl Options {
    fn words(&self) -> Vec<String> {
        let mut words = vec!["storm".to_owned()];
        let number = |name: &str, value: u64| format!("--{name}={value}");
        words.extend([
            number("terminals", self.terminals.into()),
            number("stores", self.stores.into()),
            number("kills", self.kills.into()),
            number("seed", self.seed),
            number("minutes", self.minutes),
        ]);
        words.extend(self.resume.iter().map(|p| format!("--resume={}", p.display())));
        words.extend(self.json.then(|| "--json".to_owned()));
        words
    }
}

/// Runs a storm.
///
/// # Errors
/// If it cannot be built or run, or is not clean.
pub fn run(options: &Options, interrupt: &Interrupt) -> Result<()> {
    let mut steps = Steps::new(2);
    steps.run("the program (cargo build)", || {
        let build = workspace::cargo(&["build", "--quiet", "--package", "tests", "--bin", "kill-storm"]);
        run_bounded(build, BUILD_LIMIT, interrupt)
    })?;
    steps.run("kills, drain and check", || {
        let mut storm = std::process::Command::new(workspace::built("kill-storm"));
        storm.args(options.words()).current_dir(workspace::root());
        run_bounded(storm, Duration::from_secs(options.minutes * 60) + AFTERWARDS, interrupt)
    })?;
    steps.finish("NOTHING LOST, NOTHING TWICE");
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn what_is_asked_is_handed_on() {
        let line =
            Line::parse_from(["x", "--kills", "7", "--seed", "9", "--resume", "a/storm.json", "--json"]);
        let words = line.options.words();
        for word in
            ["--kills=7", "--seed=9", "--terminals=2", "--minutes=25", "--resume=a/storm.json", "--json"]
        {
            assert!(words.iter().any(|w| w == word), "{word} in {words:?}");
        }
    }
}
