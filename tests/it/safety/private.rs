//! What the programs keep is for their owner only, whatever the umask of whoever starts them; what was open before is
//! closed, and the doctor tells what is open.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rustix::fs::Mode;
use sync_server::store::Database;
use tests::device::{Device, courier, header_of, now_ms, wait_for_state};
use tests::server::Server;
use tests::{submission, visit};

use super::{Safe, answer, copy_keys};

/// The usual umask of a shell, also for the programs that this process starts.
fn usual_umask() {
    rustix::process::umask(Mode::from_raw_mode(0o022));
}

fn set(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

/// What others may do something with, in a folder and below it.
fn open_below(folder: &Path) -> Result<Vec<String>> {
    let mut open = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        let about = fs::symlink_metadata(&path)?;
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            open.push(format!("{} {mode:o}", path.display()));
        }
        if about.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        }
    }
    Ok(open)
}

#[test]
fn a_centres_store_keys_and_backups_are_for_their_owner_only() -> Result<()> {
    usual_umask();
    let folder = tempfile::tempdir()?;
    let (data, restored) = (folder.path().join("data"), folder.path().join("restored"));
    fs::create_dir(&data)?;
    set(&data, 0o755)?;
    let server = Server::start_in(&data)?;
    server.console()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    device.send(&server, std::slice::from_ref(&upload))?;
    wait_for_state(&device, &server, header_of(&upload)?.envelope_id, CaseState::Submitted)?;
    let safe = Safe::of(&server)?;
    let (backup, _) = safe.back_up(&server)?;
    ensure!(data.join("server.db-wal").exists() && data.join("server.db-shm").exists(), "it runs");
    assert_eq!(open_below(&data)?, Vec::<String>::new());
    assert_eq!(open_below(Path::new(&safe.backups))?, Vec::<String>::new());
    // A centre of before: its files are open.
    for name in ["", "keys", "server.db", "server.db-wal", "server.db-shm"] {
        set(&data.join(name), if name.is_empty() || name == "keys" { 0o755 } else { 0o644 })?;
    }
    let told = answer_anyway(&data)?;
    let files = told.iter().find(|f| f["subject"] == "files").context("a finding")?;
    let remedy = files["remedy"].as_str().unwrap_or_default();
    assert_eq!(files["level"], "warn");
    ensure!(remedy.starts_with("chmod go-rwx") && remedy.contains("server.db-wal"), "{remedy}");
    let server = server.restart()?;
    assert_eq!(open_below(&data)?, Vec::<String>::new());
    drop(server);
    // A folder for a restore, made as people make one.
    fs::create_dir(&restored)?;
    set(&restored, 0o755)?;
    copy_keys(&data, &restored)?;
    set(&restored.join("keys"), 0o755)?;
    answer(&restored, None, &["restore", "--from", backup.to_str().context("a path")?, "--key", &safe.key])?;
    assert_eq!(open_below(&restored)?, [format!("{} 755", restored.join("keys").display())]);
    drop(Server::start_in(&restored)?);
    assert_eq!(open_below(&restored)?, Vec::<String>::new());
    Ok(())
}

fn answer_anyway(data: &Path) -> Result<Vec<serde_json::Value>> {
    let output = tests::server::command_in(data, &["doctor", "--json"])?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[test]
fn a_store_is_for_its_owner_only_whoever_opens_it() -> Result<()> {
    usual_umask();
    let folder = tempfile::tempdir()?;
    set(folder.path(), 0o700)?;
    let file = folder.path().join("server.db");
    let database = Database::Sqlite(file.clone());
    let mut store = database.open()?;
    store.run_script("CREATE TABLE t (n BIGINT)")?;
    assert_eq!(open_below(folder.path())?, Vec::<String>::new());
    for name in ["server.db", "server.db-wal", "server.db-shm"] {
        set(&folder.path().join(name), 0o644)?;
    }
    drop(database.open()?);
    assert_eq!(open_below(folder.path())?, Vec::<String>::new());
    // Whoever opens it beside takes no lock away from the one who writes.
    store.begin()?;
    drop(database.open()?);
    ensure!(database.open()?.begin().is_err(), "the lock is held");
    store.rollback();
    Ok(())
}

#[test]
fn a_terminals_store_and_key_are_for_their_owner_only() -> Result<()> {
    usual_umask();
    let server = Server::start()?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    fs::create_dir(&data)?;
    set(&data, 0o755)?;
    visit::enrol(&server, &data)?;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut store = terminal::store::Store::open(&data, now_ms())?;
    let id = EnvelopeId::new(now_ms(), &mut rng);
    submission::submit_as(&mut store, submission::courier(), id, now_ms(), &mut rng)?;
    store.hold_reserve()?;
    ensure!(data.join("terminal.db-wal").exists());
    assert_eq!(open_below(&data)?, Vec::<String>::new());
    drop(store);
    set(&data.join("terminal.db"), 0o644)?;
    set(&data, 0o755)?;
    drop(terminal::store::Store::open(&data, now_ms())?);
    assert_eq!(open_below(&data)?, Vec::<String>::new());
    Ok(())
}
