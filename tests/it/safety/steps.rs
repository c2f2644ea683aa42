//! A backup, a restore, an offer or an erasure that is killed at any of its steps: nothing is said to be durable too early,
//! and the same once more ends it.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use domain::ids::{EnvelopeId, ServerEpoch};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::erasure_journal::{self, Line};
use sync_server::services::erasure::{Erasure, Why};
use sync_server::services::{durability, meta};
use sync_server::store::{Database, Tx};
use tests::device::{Device, STATION, courier, header_of, wait_for_state};
use tests::server::Server;
use tests::storm::points::{Action, Plan, SAFETY, When};
use tests::storm::process::{End, Process, ServerFolder};

use super::{PATIENCE, Safe, copy_keys, envelopes, refusal, wait_until_durable};

/// Runs a command of the server that is killed at a point; true if it was, false if it went on to its end.
fn killed(plan: Option<Plan>, data: &Path, arguments: &[&str]) -> Result<bool> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_kill-storm"));
    let (name, rest) = arguments.split_first().context("a command")?;
    let output = ServerFolder { program, data: data.to_owned() }.command(plan, name, rest)?;
    use std::os::unix::process::ExitStatusExt as _;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success() || output.status.signal() == Some(9), "{arguments:?}: {said}");
    Ok(!output.status.success())
}

fn points(when: When) -> impl Iterator<Item = Plan> {
    let at =
        move |point: &tests::storm::points::Point| Plan { point: *point, nth: 1, action: Action::Kill(0) };
    SAFETY.iter().filter(move |p| p.when == when).map(at)
}

fn durable(data: &Path) -> Result<(Option<u64>, Option<ServerEpoch>)> {
    let mut store = Database::Sqlite(data.join("server.db")).open_read_only()?;
    let mut tx = Tx::new(store.as_mut());
    Ok((durability::durable_upto(&mut tx)?, meta::known_epoch(&mut tx)?))
}

fn jbk(folder: &Path) -> Result<Vec<PathBuf>> {
    let files = std::fs::read_dir(folder)?.flatten().map(|f| f.path());
    Ok(files.filter(|f| f.extension().is_some_and(|e| e == "jbk")).collect())
}

/// A centre with a case that is closed, stopped.
fn with_returned(data: &Path) -> Result<(Server, Device)> {
    let mut server = Server::start_in(data)?;
    let mut device = Device::enrol(&server, 1)?;
    let mut wrong = courier();
    wrong.answers.insert("phone".into(), serde_json::json!("1"));
    let upload = device.seal(&wrong)?;
    device.send(&server, std::slice::from_ref(&upload))?;
    wait_for_state(&device, &server, header_of(&upload)?.envelope_id, CaseState::Returned)?;
    server.stop()?;
    Ok((server, device))
}

/// Waits until no content is left.
fn wait_until_erased(device: &Device, server: &Server) -> Result<()> {
    let end = std::time::Instant::now() + PATIENCE;
    while server.number("SELECT COUNT(*) FROM envelope WHERE LENGTH(ciphertext) > 0")? > 0 {
        ensure!(std::time::Instant::now() < end, "never erased");
        device.changes(server, u64::MAX >> 1, 1)?;
    }
    Ok(())
}

/// A centre with three submissions, and what backs it up.
fn with_three(data: &Path) -> Result<(Server, Safe)> {
    let server = Server::start_in(data)?;
    let mut device = Device::enrol(&server, 1)?;
    let safe = Safe::of(&server)?;
    let sent = (0..3).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    device.send(&server, &sent)?;
    Ok((server, safe))
}

#[test]
fn a_backup_killed_at_any_step_promises_nothing_too_early() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut server, safe) = with_three(folder.path())?;
    server.stop()?;
    for plan in points(When::BackUp) {
        let before = jbk(&safe.path("backups")).map_or(0, |files| files.len());
        let point = plan.point.name;
        ensure!(
            killed(Some(plan), folder.path(), &["backup", "--to", &safe.backups])?,
            "{point} was not reached"
        );
        // Said at the last step only; a whole file may stand unsaid.
        let expected = match point {
            "server::backup::after_name" => (before + 1, None),
            "server::backup::after_note" => (before + 1, Some(3)),
            _ => (before, None),
        };
        assert_eq!((jbk(&safe.path("backups"))?.len(), durable(folder.path())?.0), expected, "{point}");
    }
    ensure!(!killed(None, folder.path(), &["backup", "--to", &safe.backups])?, "and at last it is made");
    assert_eq!(durable(folder.path())?.0, Some(3));
    let left: Vec<_> = std::fs::read_dir(folder.path())?.flatten().map(|f| f.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("check-")), "{left:?}");
    let partial = std::fs::read_dir(safe.path("backups"))?.flatten();
    assert!(partial.into_iter().all(|f| !f.path().to_string_lossy().ends_with(".partial")));
    Ok(())
}

#[test]
fn a_restore_killed_at_any_step_is_ended_by_the_same_command() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut server, safe) = with_three(folder.path())?;
    // Of something that no backup holds any more.
    let erased = Erasure {
        envelope_id: EnvelopeId::new(1, &mut ChaCha20Rng::seed_from_u64(1)),
        at_ms: 1,
        why: Why::Request,
    };
    erasure_journal::append(&folder.path().join(erasure_journal::FILE), &[Line::Erased(erased)])?;
    let (file, _) = safe.back_up(&server)?;
    let before = envelopes(&server.database()?)?;
    server.stop()?;
    let restore = ["restore", "--from", file.to_str().context("a path")?, "--key", &safe.key];
    for plan in points(When::Restore) {
        let to = tempfile::tempdir()?;
        copy_keys(folder.path(), to.path())?;
        let point = plan.point.name;
        // Not where it would lie by itself: it is to be brought there.
        let elsewhere = tempfile::tempdir()?;
        let journal = elsewhere.path().join("journal");
        let own = ["--erasure-journal", journal.to_str().context("a path")?];
        let restore = [&restore[..], &own].concat();
        ensure!(killed(Some(plan), to.path(), &restore)?, "{point} was not reached");
        let epoch = if point == "server::restore::after_epoch" {
            Some(durable(to.path())?.1)
        } else {
            let refused = refusal(to.path(), &["migrate"])?;
            assert!(refused.contains("broken off"), "{point}: {refused}");
            None
        };
        ensure!(!killed(None, to.path(), &restore)?, "{point}: once more");
        ensure!(!killed(None, to.path(), &restore)?, "{point}: and whoever asks again hears the same");
        assert_eq!(erasure_journal::read(&journal)?, [Line::Erased(erased)], "{point}");
        Server::start_in(to.path())?.stop()?;
        assert_eq!(envelopes(&Database::Sqlite(to.path().join("server.db")))?, before, "{point}");
        let (upto, now) = durable(to.path())?;
        assert_ne!(now, durable(folder.path())?.1, "{point}: a new epoch");
        assert_eq!((upto, epoch.unwrap_or(now)), (None, now), "{point}: begun once");
        // It goes on by itself: somebody is named for whom backups are sealed, and its journal is not the shorter one.
        let backup = [&["backup", "--to", &safe.backups][..], &own].concat();
        ensure!(!killed(None, to.path(), &backup)?, "{point}: backed up");
        assert_eq!(durable(to.path())?.0, Some(3), "{point}");
        let copied = erasure_journal::read(&safe.path("backups").join(erasure_journal::FILE))?;
        assert_eq!(copied, [Line::Erased(erased)], "{point}");
    }
    Ok(())
}

#[test]
fn an_offer_killed_at_any_step_is_made_once_more() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (data, terminal) = (folder.path().join("data"), folder.path().join("t"));
    let mut server = Server::start_in(&data)?;
    let code = server.enrol_code(STATION)?;
    let life = |server: &Server, plan: Option<Plan>| -> Result<Option<End>> {
        let mut arguments: Vec<String> =
            ["terminal", "--name=t", "--seed=5", "--submissions=1", "--patience-ms=60000", "--must-settle"]
                .map(str::to_owned)
                .into();
        arguments.push(format!("--server={}", server.terminals));
        arguments.push(format!("--data={}", terminal.display()));
        arguments.push(format!("--history={}", terminal.with_extension("history").display()));
        arguments.push(format!("--code={code}"));
        let program = Path::new(env!("CARGO_BIN_EXE_kill-storm"));
        Process::start(program, plan, &arguments, &terminal.with_extension("log"))?.wait(PATIENCE)
    };
    assert_eq!(life(&server, None)?, Some(End::Done));
    let safe = Safe::of(&server)?;
    let (file, _) = safe.back_up(&server)?;
    for _ in 0..2 {
        assert_eq!(life(&server, None)?, Some(End::Done));
    }
    let keys = tempfile::tempdir()?;
    copy_keys(&data, keys.path())?;
    server.kill()?;
    std::fs::remove_dir_all(&data)?;
    copy_keys(keys.path(), &data)?;
    let file = file.to_str().context("a path")?;
    super::answer(&data, None, &["restore", "--from", file, "--key", &safe.key])?;
    let server = Server::start_in(&data)?;
    for plan in points(When::Offer) {
        assert_eq!(life(&server, Some(plan))?, Some(End::Killed), "{}", plan.point.name);
    }
    assert_eq!(life(&server, None)?, Some(End::Done));
    let rows = terminal::store::read_status(&terminal, 100)?;
    let made: BTreeSet<_> = rows.into_iter().map(|r| (r.envelope_id, r.digest)).collect();
    assert_eq!((made.len(), envelopes(&server.database()?)?), (6, made), "nothing lost, nothing twice");
    Ok(())
}

#[test]
fn an_erasure_killed_after_its_journal_is_done_by_the_next_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (server, device) = with_returned(&data)?;
    drop(server);
    Database::Sqlite(data.join("server.db")).open()?.run_script("UPDATE case_ SET changed_at_ms = 1")?;
    let program = PathBuf::from(env!("CARGO_BIN_EXE_kill-storm"));
    let storm = ServerFolder { program, data: data.clone() };
    let plan = points(When::Erase).next().context("a point")?;
    let (mut process, _) = storm.start(Some(plan))?;
    assert_eq!(process.wait(PATIENCE)?, Some(End::Killed));
    let journal = data.join(erasure_journal::FILE);
    assert_eq!(erasure_journal::read(&journal)?.len(), 1, "written before");
    let server = Server::start_in(&data)?;
    wait_until_erased(&device, &server)?;
    assert_eq!(server.number("SELECT COUNT(*) FROM case_key")?, 0);
    let audited = "SELECT COUNT(*) FROM audit WHERE event = 'content.erased'";
    assert_eq!(server.number(audited)?, 1, "once, although the journal says it twice");
    Ok(())
}

#[test]
fn a_hold_that_comes_after_a_broken_off_erasure_outlives_restores() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (server, device) = with_returned(&data)?;
    let safe = Safe::of(&server)?;
    drop(server);
    let store = Database::Sqlite(data.join("server.db"));
    store.open()?.run_script("UPDATE case_ SET changed_at_ms = 1")?;
    ensure!(!killed(None, &data, &["backup", "--to", &safe.backups])?, "before the hold");
    let older = jbk(&safe.path("backups"))?;
    let program = PathBuf::from(env!("CARGO_BIN_EXE_kill-storm"));
    let plan = points(When::Erase).next().context("a point")?;
    let (mut process, _) = ServerFolder { program, data: data.clone() }.start(Some(plan))?;
    assert_eq!(process.wait(PATIENCE)?, Some(End::Killed));
    assert_eq!(erasure_journal::read(&data.join(erasure_journal::FILE))?.len(), 1, "written before");
    let rows = store.open_read_only()?.query("SELECT number FROM case_", &[])?;
    let number = rows.first().context("a case")?.text(0)?.to_owned();
    ensure!(!killed(None, &data, &["hold", "--number", &number, "--reason", "dispute"])?, "held");
    ensure!(!killed(None, &data, &["backup", "--to", &safe.backups])?, "after the hold");
    let newer = jbk(&safe.path("backups"))?.into_iter().find(|file| !older.contains(file));
    for (file, held) in [(newer.context("a second backup")?, 0), (older[0].clone(), 1)] {
        let to = tempfile::tempdir()?;
        copy_keys(&data, to.path())?;
        let file = file.to_str().context("a path")?;
        let told = super::answer(to.path(), None, &["restore", "--from", file, "--key", &safe.key])?;
        assert_eq!((&told["erased"], &told["held"]), (&0.into(), &held.into()), "{told}");
        // The hour at which it would be erased comes and goes: in a turn of upkeep the backup is behind it.
        let own = tempfile::tempdir()?;
        let arguments = ["--backup", own.path().to_str().context("a path")?, "--metrics", "127.0.0.1:0"];
        let mut server = Server::start_with_default_metrics(to.path(), &arguments)?;
        wait_until_durable(&device, &server, 1)?;
        let left = "SELECT COUNT(*) FROM envelope WHERE LENGTH(ciphertext) > 0";
        assert_eq!((server.number(left)?, server.number("SELECT COUNT(*) FROM legal_hold")?), (1, 1));
        assert_eq!(server.number("SELECT COUNT(*) FROM case_key")?, 1);
        // Nothing but the hold keeps it.
        server.stop()?;
        ensure!(!killed(None, to.path(), &["hold", "--number", &number, "--end"])?, "ended");
        let server = Server::start_in(to.path())?;
        wait_until_erased(&device, &server)?;
    }
    Ok(())
}
