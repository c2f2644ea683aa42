//! A backup or a restore that is killed at any of its steps: nothing is said to be durable too early, and the same command
//! once more ends it.
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use domain::ids::ServerEpoch;
use sync_server::services::{durability, meta};
use sync_server::store::{Database, Tx};
use tests::binaries::repository;
use tests::device::{Device, courier};
use tests::server::Server;
use tests::storm::points::{Action, Plan, SAFETY, When};

use super::{Safe, copy_keys, envelopes, refusal};

/// Runs a command of the server that is killed at a point; true if it was, false if it went on to its end.
fn killed(plan: Option<Plan>, data: &Path, arguments: &[&str]) -> Result<bool> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kill-storm"));
    command.arg("server");
    if let Some(plan) = plan {
        command.arg("--plan").arg(plan.to_string());
    }
    let (name, rest) = arguments.split_first().context("a command")?;
    let output = command.arg("--").arg(name).arg("--data").arg(data).args(rest).current_dir(repository());
    let output = output.env_remove("JINBAN_LOG").output()?;
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

#[test]
fn a_backup_killed_at_any_step_promises_nothing_too_early() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut server = Server::start_in(folder.path())?;
    let mut device = Device::enrol(&server, 1)?;
    let safe = Safe::of(&server)?;
    let sent = (0..3).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    device.send(&server, &sent)?;
    server.stop()?;
    let mut seen = 0;
    for plan in points(When::BackUp) {
        let before = jbk(&safe.path("backups")).map_or(0, |files| files.len());
        let point = plan.point.name;
        ensure!(
            killed(Some(plan), folder.path(), &["backup", "--to", &safe.backups])?,
            "{point} was not reached"
        );
        let upto = durable(folder.path())?.0;
        let whole = jbk(&safe.path("backups"))?.len() > before;
        // Said only where a whole file stands; a whole file may stand unsaid.
        ensure!(upto.is_none() || whole || seen > 0, "{point}: {upto:?} without a backup");
        seen += usize::from(upto.is_some());
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
    let mut server = Server::start_in(folder.path())?;
    let mut device = Device::enrol(&server, 1)?;
    let safe = Safe::of(&server)?;
    let sent = (0..3).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    device.send(&server, &sent)?;
    let (file, _) = safe.back_up(&server)?;
    let before = envelopes(&server.database()?)?;
    server.stop()?;
    let restore = ["restore", "--from", file.to_str().context("a path")?, "--key", &safe.key];
    for plan in points(When::Restore) {
        let to = tempfile::tempdir()?;
        copy_keys(folder.path(), to.path())?;
        let point = plan.point.name;
        ensure!(killed(Some(plan), to.path(), &restore)?, "{point} was not reached");
        if point == "server::restore::after_epoch" {
            // All is there: only what is said at the end is missing.
            Server::start_in(to.path())?.stop()?;
            assert_eq!(envelopes(&Database::Sqlite(to.path().join("server.db")))?, before);
            continue;
        }
        let refused = refusal(to.path(), &["migrate"])?;
        assert!(refused.contains("broken off"), "{point}: {refused}");
        ensure!(!killed(None, to.path(), &restore)?, "{point}: once more");
        Server::start_in(to.path())?.stop()?;
        assert_eq!(envelopes(&Database::Sqlite(to.path().join("server.db")))?, before, "{point}");
        assert_ne!(durable(to.path())?.1, durable(folder.path())?.1, "{point}: a new epoch");
    }
    Ok(())
}
