//! Days of the whole fleet in one thread each, with everything that can go wrong: nothing is lost, nothing is there twice,
//! and a planted fault is found.
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::simulation::{Fault, PLANTED};

/// Fleet-days of the tests; `cargo xtask simulate --days 300` runs more.
const DAYS: u64 = 60;

fn simulate(arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulate"));
    Ok(command.args(arguments).env("RUST_BACKTRACE", "0").output()?)
}

fn summary(arguments: &[&str]) -> Result<(bool, Value)> {
    let output = simulate(&[arguments, &["--json"]].concat())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = serde_json::from_slice(&output.stdout).context(said)?;
    Ok((output.status.success(), summary))
}

#[test]
fn sixty_days_of_the_fleet_lose_nothing_whatever_fails() -> Result<()> {
    let (clean, summary) = summary(&["--days", &DAYS.to_string()])?;
    ensure!(clean, "{:#}", summary["failures"]);
    ensure!(summary["fleet_days"].as_u64() >= Some(DAYS), "{summary}");
    ensure!(summary["missed"] == serde_json::json!([]), "never struck: {}", summary["missed"]);
    let faults = summary["faults"].as_object().context("counts")?;
    ensure!(Fault::ALL.len() >= 25 && faults.len() >= Fault::ALL.len(), "{faults:?}");
    let slips = summary["reports"].as_array().context("reports")?.iter().map(|r| r["slips"].as_u64());
    ensure!(slips.flatten().sum::<u64>() > DAYS * 49 * 15, "hardly anything was handed in");
    Ok(())
}

#[test]
fn a_seed_does_the_same_each_time_to_the_byte() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let log = |name: &str, seed: &str| -> Result<Vec<u8>> {
        let file = folder.path().join(name);
        let path = file.to_str().context("a path")?;
        let output = simulate(&["--from", seed, "--seeds", "1", "--terminals", "12", "--log", path])?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        Ok(std::fs::read(Path::new(path))?)
    };
    let (first, again, other) = (log("a", "3")?, log("b", "3")?, log("c", "4")?);
    assert!(first.len() > 10_000 && first == again, "the same seed does not do the same");
    assert_ne!(first, other, "another seed does something else");
    Ok(())
}

#[test]
fn every_planted_fault_turns_the_rules_red_and_says_how_to_see_it_again() -> Result<()> {
    for name in PLANTED {
        let fleet = ["--seeds", "8", "--terminals", "8", "--submissions", "10"];
        let (clean, summary) = summary(&[&fleet[..], &["--plant", name]].concat())?;
        ensure!(!clean, "{name} was not found");
        let failures = summary["failures"].to_string();
        ensure!(failures.contains("cargo xtask simulate --from "), "{name}: {failures}");
    }
    Ok(())
}

#[test]
fn a_fault_that_is_not_planted_anywhere_is_refused() -> Result<()> {
    let output = simulate(&["--seeds", "1", "--terminals", "1", "--plant", "no_such"])?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("drop_seq"), "{said}");
    Ok(())
}
