//! A clock that comes back far ahead erases nothing and removes no backup before somebody finds it right.
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::wire::v1::Heartbeat;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::Value;
use sync_server::backup::{Made, recipient};
use sync_server::error::ServiceError;
use sync_server::jobs::clockwork;
use sync_server::jobs::upkeep::{erase_due, watch_clock};
use sync_server::services::clock_guard::{self, Verdict, Witnesses};
use sync_server::services::{cases, rollout};
use tests::device::{Device, now_ms};
use tests::server::Server;
use tests::storm::small_centre::enrol_device;

use super::erasure::{DAY_MS, Rig};

/// Further than anything is kept.
const JUMP_MS: i64 = 5_000 * DAY_MS;

fn beat(device: &Device, number: u64, offset_ms: i64) -> Heartbeat {
    Heartbeat {
        terminal: device.enrolled.terminal.clone(),
        number,
        catalogue: 1,
        failures: Vec::new(),
        order: 0,
        sealing_keys: 0,
        program: "test 0.1".to_owned(),
        queued: 0,
        oldest_ms: None,
        parked: 0,
        disk_free: None,
        disk_percent: None,
        aside: None,
        clock_offset_ms: Some(offset_ms),
        devices: Vec::new(),
    }
}

/// A closed case, a backup, and then the clock jumps.
fn jumped(folder: &std::path::Path) -> Result<(Rig, Device, Made)> {
    let rig = Rig::open(folder)?;
    let mut device = enrol_device(&rig.centre, 3)?;
    rig.returned(&mut device)?;
    recipient::make(folder, &folder.join("backup.key"), &mut ChaCha20Rng::seed_from_u64(5))?;
    assert_eq!(watch_clock(&rig.centre, &mut Witnesses::default())?, Verdict::Plausible);
    let first = back_up(&rig)?;
    rig.clock.fetch_add(JUMP_MS, Ordering::AcqRel);
    Ok((rig, device, first))
}

fn back_up(rig: &Rig) -> Result<Made> {
    rig.back_up(&rig.plan.data.path().join("backups"))
}

#[test]
fn a_clock_that_jumped_destroys_nothing_until_terminals_find_it_right() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (rig, device, first) = jumped(folder.path())?;
    let mut witnesses = Witnesses::default();
    let mut hear = |number, offset_ms| -> Result<Verdict> {
        let (beat, now_ms) = (beat(&device, number, offset_ms), rig.centre.now_ms());
        rig.centre.write(move |tx| rollout::hear(tx, now_ms, &beat))?;
        Ok(watch_clock(&rig.centre, &mut witnesses)?)
    };
    // What stands in the first heartbeat was heard before the jump.
    for (number, offset_ms) in [(1, 0), (2, JUMP_MS), (3, JUMP_MS)] {
        let verdict = hear(number, offset_ms)?;
        assert!(matches!(verdict, Verdict::Ahead { by_ms } if by_ms >= JUMP_MS), "{number}: {verdict:?}");
        assert_eq!(erase_due(&rig.centre, &rig.plan)?, 0, "{number}");
        assert!(!rig.plan.journal.exists(), "{number}");
        assert!(back_up(&rig)?.removed == 0 && first.file.exists(), "a backup is made, and none is removed");
        let alarms = "SELECT COUNT(*) FROM alarm WHERE kind = 'clock.ahead'";
        assert_eq!(rig.centre.read(|tx| tx.query_int(alarms, &[]))?, 1, "told once");
        rig.clock.fetch_add(1, Ordering::AcqRel);
    }
    assert_eq!(hear(4, 20_000)?, Verdict::Plausible);
    assert_eq!(erase_due(&rig.centre, &rig.plan)?, 1, "it is really late");
    assert!(back_up(&rig)?.removed == 1 && !first.file.exists());
    rig.centre.stop();
    Ok(())
}

#[test]
fn a_clock_that_jumped_accepts_no_case_and_ends_no_citizens_time() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rig = Rig::open(folder.path())?;
    let mut device = enrol_device(&rig.centre, 3)?;
    let case = rig.submitted(&mut device)?;
    assert_eq!(watch_clock(&rig.centre, &mut Witnesses::default())?, Verdict::Plausible);
    rig.clock.fetch_add(JUMP_MS, Ordering::AcqRel);
    let stop = AtomicBool::new(false);
    assert_eq!(clockwork::look(&rig.centre, &stop)?, 0);
    let state = || rig.centre.read(|tx| Ok::<_, ServiceError>(cases::current(tx, &case)?.0.state));
    assert_eq!(state()?, CaseState::Submitted);
    let now_ms = rig.centre.now_ms();
    rig.centre.write(move |tx| Ok(clock_guard::confirm(tx, now_ms, "operator")?))?;
    assert!(clockwork::look(&rig.centre, &stop)? > 0, "it is really late");
    assert_eq!(state()?, CaseState::Accepted, "nobody looked at it in time");
    rig.centre.stop();
    Ok(())
}

#[test]
fn an_operator_finds_the_clock_right_where_no_terminal_comes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let server = Server::start_in(&data)?;
    // A centre that was off for years, by what it remembers.
    let long_ago = now_ms() - JUMP_MS;
    let remember = format!("UPDATE meta SET value = '{long_ago}' WHERE name = 'clock_seen_ms'");
    let finding = || -> Result<Value> {
        let doctor = server.command(&["doctor", "--json"])?;
        let found: Vec<Value> = serde_json::from_slice(&doctor.stdout)?;
        found.into_iter().find(|f| f["subject"] == "clock-ahead").context("it")
    };
    let end = std::time::Instant::now() + super::PATIENCE;
    while server.number("SELECT COUNT(*) FROM meta WHERE name = 'clock_seen_ms'")? == 0 {
        anyhow::ensure!(std::time::Instant::now() < end, "the server never looked at its clock");
    }
    assert_eq!(finding()?["level"], "ok");
    server.database()?.open()?.run_script(&remember)?;
    let found = finding()?;
    assert_eq!(found["level"], "warn", "{found}");
    assert!(found["remedy"].as_str().is_some_and(|r| r.contains("confirm-clock")), "{found}");
    super::answer(&data, None, &["confirm-clock"])?;
    assert_eq!(finding()?["level"], "ok");
    assert_eq!(server.number("SELECT COUNT(*) FROM audit WHERE event = 'clock.confirmed'")?, 1);
    Ok(())
}
