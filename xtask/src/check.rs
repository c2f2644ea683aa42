//! Everything that must hold before a change is taken: formatting, lints, docs, build, all tests, fuzzing of the API,
//! and the story on the real programs. `.ci/run` calls this and nothing else.
//!
//! Refuses to run for ever: each step and the whole have a limit.
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::demo;
use crate::demo::database::Choice;
use crate::process::{Interrupt, run_bounded};
use crate::progress::Steps;
use crate::{fuzz, setup, workspace};

/// All steps together, from nothing on two cores; a healthy run takes less than 40 minutes.
const TOTAL_LIMIT: Duration = Duration::from_secs(80 * 60);
/// One step.
const STEP_LIMIT: Duration = Duration::from_secs(35 * 60);
const DENY_WARNINGS: &str = "-D warnings";
/// Tests at a time: most of them wait for another process, so that two cores have time for a third one.
const AT_A_TIME: (&str, &str) = ("RUST_TEST_THREADS", "3");
/// Packages, tools, five steps of cargo, the stories on the second database, fuzzing, the story on both.
const STEPS: usize = 11;
/// Stories in which a server runs; they are told once more on PostgreSQL.
const STORIES: &str = "intake::";
const MORE_STORIES: [&str; 4] = ["sync::", "thread::", "console::", "desk::"];

/// Runs all steps; the first failure ends it.
///
/// # Errors
/// Names the step that failed.
pub fn run(interrupt: &Interrupt) -> Result<()> {
    let clock = Instant::now();
    let mut steps = Steps::new(STEPS);
    let outcome = run_steps(&mut steps, clock, interrupt);
    steps.summary();
    outcome?;
    steps.finish("ALL CHECKS PASSED");
    Ok(())
}

fn run_steps(steps: &mut Steps, clock: Instant, interrupt: &Interrupt) -> Result<()> {
    steps.run("system packages", || setup::run(interrupt))?;
    steps.run("tools of the tests", || fuzz::prepare(interrupt))?;
    for (heading, command) in cargo_steps() {
        steps.run(heading, || run_bounded(command, time_left(clock)?, interrupt))?;
    }
    let mut stories = workspace::cargo(&["test", "--workspace", "--test", "it", "--", STORIES]);
    stories.args(MORE_STORIES).env("JINBAN_TEST_DATABASE", "postgresql").env(AT_A_TIME.0, AT_A_TIME.1);
    steps.run("stories on PostgreSQL", || run_bounded(stories, time_left(clock)?, interrupt))?;
    steps.run("fuzzing of the API by its description (schemathesis)", || {
        time_left(clock)?;
        fuzz::run(interrupt)
    })?;
    for (name, database) in [("SQLite", Choice::Sqlite), ("PostgreSQL", Choice::Temporary)] {
        steps.run(&format!("the story on the real programs, the real window and {name}"), || {
            time_left(clock)?;
            demo::run(&demo::Options { headless: true, database, ..demo::Options::default() }, interrupt)
        })?;
    }
    Ok(())
}

fn cargo_steps() -> [(&'static str, Command); 5] {
    let mut docs = workspace::cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    docs.env("RUSTDOCFLAGS", DENY_WARNINGS);
    let mut tests = workspace::cargo(&["test", "--workspace", "--no-fail-fast"]);
    tests.env(AT_A_TIME.0, AT_A_TIME.1);
    [
        ("formatting (cargo fmt)", workspace::cargo(&["fmt", "--all", "--check"])),
        (
            "lints (cargo clippy)",
            workspace::cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        ),
        ("docs (cargo doc)", docs),
        ("programs (cargo build)", workspace::cargo(&["build", "--workspace"])),
        ("tests (cargo test)", tests),
    ]
}

fn time_left(clock: Instant) -> Result<Duration> {
    let left = TOTAL_LIMIT.saturating_sub(clock.elapsed());
    if left.is_zero() {
        bail!("all steps together took longer than {} min", TOTAL_LIMIT.as_secs() / 60);
    }
    Ok(left.min(STEP_LIMIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_denies_warnings_and_all_packages_are_checked() {
        let steps = cargo_steps();
        for (heading, command) in &steps {
            let words: Vec<_> = command.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
            assert!(words.iter().any(|w| w == "--workspace" || w == "--all"), "{heading}: {words:?}");
        }
        assert!(steps[1].1.get_args().any(|a| a == "warnings"));
        assert!(steps[2].1.get_envs().any(|(key, value)| key == "RUSTDOCFLAGS" && value.is_some()));
    }

    #[test]
    fn the_whole_is_bounded() {
        assert!(time_left(Instant::now()).is_ok_and(|left| left <= STEP_LIMIT));
        if let Some(long_ago) = Instant::now().checked_sub(TOTAL_LIMIT) {
            assert!(time_left(long_ago).is_err());
        }
    }
}
