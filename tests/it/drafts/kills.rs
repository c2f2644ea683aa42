//! Killed between any two steps of keeping, erasing and handing in: a draft is whole or not there, and never beside the
//! submission that was made of it.
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use rusqlite::Connection;
use terminal::store::{DATABASE_FILE, DraftError, Store};
use tests::device::ITEM;
use tests::storm::points::{Action, Plan, named};
use tests::storm::process::{End, Process};
use tests::submission::COURIER_ID;

use super::{Desk, NOW_MS};

const POINTS: [&str; 10] = [
    "terminal::draft::after_row",
    "terminal::draft::after_commit",
    "terminal::draft::before_erase",
    "terminal::draft::after_erase",
    "terminal::submit::after_begin",
    "terminal::submit::after_outbox",
    "terminal::submit::after_draft",
    "terminal::submit::before_commit",
    "terminal::submit::after_commit",
    "terminal::send::before_exchange",
];

/// One life of a terminal that keeps drafts and hands in, far from any centre.
fn life(folder: &Path, plan: Option<Plan>) -> Result<Option<End>> {
    let data = folder.join("t");
    let arguments = [
        "terminal".to_owned(),
        "--server=http://127.0.0.1:9".to_owned(),
        "--name=t".to_owned(),
        format!("--data={}", data.display()),
        format!("--history={}", folder.join("t.history").display()),
        "--seed=3".to_owned(),
        "--submissions=1".to_owned(),
        "--patience-ms=100".to_owned(),
    ];
    let program = Path::new(env!("CARGO_BIN_EXE_kill-storm"));
    let mut process = Process::start(program, plan, &arguments, &folder.join("t.log"))?;
    process.wait(Duration::from_secs(60))
}

/// A draft opens or is not there; no submission is there with its draft.
fn assert_sound(folder: &Path, about: &str) -> Result<()> {
    let data = folder.join("t");
    let mut store = Store::open(&data, NOW_MS)?;
    match store.open_draft(COURIER_ID, &ITEM.parse()?) {
        Ok(_) | Err(DraftError::Gone) => {}
        Err(e) => anyhow::bail!("{about}: {e}"),
    }
    let both: i64 = Connection::open(data.join(DATABASE_FILE))?.query_row(
        "SELECT COUNT(*) FROM draft d JOIN outbox o ON o.envelope_id = d.envelope_id",
        [],
        |r| r.get(0),
    )?;
    ensure!(both == 0, "{about}: a draft lies beside its submission");
    Ok(())
}

#[test]
fn a_kill_at_any_step_leaves_a_whole_draft_or_a_whole_submission() -> Result<()> {
    for name in POINTS {
        for nth in [1, 2] {
            let folder = tempfile::tempdir()?;
            drop(Desk::new(&folder.path().join("t")));
            let about = format!("{name}@{nth}");
            let plan = Plan { point: named(name)?, nth, action: Action::Kill(0) };
            let end = life(folder.path(), Some(plan))?;
            ensure!(end == Some(End::Killed) || nth > 1, "{about}: {end:?}");
            assert_sound(folder.path(), &about)?;
            ensure!(life(folder.path(), None)? == Some(End::Done), "{about}: the next life");
            assert_sound(folder.path(), &about)?;
        }
    }
    Ok(())
}

#[test]
fn a_disk_that_is_full_at_a_draft_does_not_keep_anybody_from_handing_in() -> Result<()> {
    for name in ["terminal::draft::after_row", "terminal::draft::before_erase"] {
        let folder = tempfile::tempdir()?;
        drop(Desk::new(&folder.path().join("t")));
        let plan = Plan { point: named(name)?, nth: 1, action: Action::Fail };
        ensure!(life(folder.path(), Some(plan))? == Some(End::Done), "{name}");
        let waiting = Store::open(&folder.path().join("t"), NOW_MS)?.queue_view()?.waiting;
        ensure!(waiting == 1, "{name}: {waiting} were handed in");
        assert_sound(folder.path(), name)?;
    }
    Ok(())
}
