//! Days of the whole fleet in one thread each, with everything that can go wrong: nothing is lost, nothing is there twice,
//! and a planted fault is found.
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tests::simulation::{Fault, PLANTED, crowd};

/// Fleet-days of the tests; `cargo xtask simulate --days 300` runs more.
const DAYS: u64 = 60;
/// Seeds in which a planted fault is looked for, at most.
const MOST_PLANTED_SEEDS: u64 = 60;

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
    let pages = summary["reports"].as_array().context("reports")?.iter().map(|r| r["pages"].as_u64());
    ensure!(pages.flatten().sum::<u64>() > DAYS * 49 * 2, "hardly any page came");
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

/// What fails with a planted fault: four seeds after four others, until one finds it. Some faults show only if the centre is
/// set back at the right time.
fn found(name: &str) -> Result<Value> {
    let mut fleet = vec!["--submissions", "10"];
    if name == "durable_without_blobs" {
        // A copy has to be made while pages are on their way, and the centre set back to it.
        fleet =
            vec!["--submissions", "40", "--pages", "100", "--only", "centre-restored", "--only", "one-way"];
    }
    for from in (1..MOST_PLANTED_SEEDS).step_by(4) {
        let from = from.to_string();
        let seeds = ["--from", &from, "--seeds", "4", "--terminals", "8", "--plant", name];
        let (clean, summary) = summary(&[&seeds[..], &fleet].concat())?;
        if !clean {
            return Ok(summary);
        }
    }
    bail!("{name} was not found")
}

#[test]
fn every_planted_fault_turns_the_rules_red_and_says_how_to_see_it_again() -> Result<()> {
    for name in PLANTED {
        let failures = found(name)?["failures"].to_string();
        ensure!(failures.contains("cargo xtask simulate --from "), "{name}: {failures}");
        // Whose pages are gone, nothing else notices.
        let (wants_pages, says_so) = (name == "durable_without_blobs", failures.contains("Pages: page "));
        ensure!(!wants_pages || says_so, "{failures}");
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

/// The admission rate of the crowd, and how long it may take to drain: 1,000 terminals that make three calls each at half
/// of the rate, and the longest pause of a terminal that noticed the end of the outage late.
const PER_SECOND: u32 = 50;
const DRAINS_WITHIN_MS: i64 = 5 * 60_000;

#[test]
fn a_thousand_terminals_that_come_back_at_once_come_in_one_after_the_other_and_all_drain() -> Result<()> {
    for outage_ms in [0, 600_000] {
        let options = crowd::Options { terminals: 1_000, per_second: PER_SECOND, outage_ms, seed: 7 };
        let report = crowd::reconnect(&options, DRAINS_WITHIN_MS)?;
        let said = format!(
            "outage {outage_ms} ms: drained {:?}, busiest second {}, let in {:?}, sent away {:?}",
            report.drained_ms,
            report.busiest_second(),
            report.let_in,
            report.sent_away
        );
        ensure!(report.busiest_second() <= PER_SECOND as usize, "{said}");
        ensure!(report.drained_ms.is_some() && report.stored == (2_000, 1), "{said}: {:?}", report.stored);
        let share = |kind: usize| {
            report.sent_away[kind] as f64 / (report.sent_away[kind] + report.let_in[kind]).max(1) as f64
        };
        ensure!(share(2) >= share(1) && share(1) >= share(0), "heartbeats are shed first: {said}");
    }
    Ok(())
}
