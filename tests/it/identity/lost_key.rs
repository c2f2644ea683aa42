//! A terminal whose device key is lost takes nothing and changes nothing, and says so; put back, everything goes on; gone for
//! good, the old store is put aside whole and the machine is enrolled anew.
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command as Process, Output};

use anyhow::{Context as _, Result, ensure};
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rusqlite::Connection;
use serde_json::Value;
use terminal::command::Command;
use terminal::model::{Outage, Screen, TextSize};
use terminal::store::{DATABASE_FILE, KEY_FILE, KeyTrouble, Store, StoreError, read_status};
use tests::binaries::{binary, repository};
use tests::device::{STATION, now_ms};
use tests::server::Server;
use tests::submission::{courier, submit_as};
use tests::visit::{self, PATIENCE};

/// A server that nobody runs.
const NOBODY: &str = "https://127.0.0.1:9";

fn run(data: &Path, arguments: &[&str]) -> Result<Output> {
    Ok(Process::new(binary("terminal"))
        .args(arguments)
        .arg("--data")
        .arg(data)
        .arg("--assets")
        .arg(repository().join("assets"))
        .env_remove("JINBAN_LOG")
        .output()?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Somebody hands in while there is no link.
fn hand_in(data: &Path, seed: u64) -> Result<String> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut store = Store::open(data, now_ms())?;
    let id = EnvelopeId::new(now_ms(), &mut rng);
    Ok(submit_as(&mut store, courier(), id, now_ms(), &mut rng)?.number.to_string())
}

/// What lies in a folder, by name; without the card, and without what SQLite makes for whoever reads.
fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && !name.ends_with("-shm") && !name.ends_with("-wal") {
            found.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(found)
}

fn finding(output: &Output, subject: &str) -> Result<Value> {
    let all: Value = serde_json::from_slice(&output.stdout).with_context(|| text(&output.stderr))?;
    let all = all.as_array().context("findings")?;
    Ok(all.iter().find(|f| f["subject"] == subject).context("no such finding")?.clone())
}

/// The terminal, and every command that would write, leave everything as it is and say what is to be done.
fn out_of_service(data: &Path, number: &str) -> Result<()> {
    let before = contents(data)?;
    let mut terminal = visit::start(&visit::config(data, NOBODY));
    ensure!(terminal.model().outage == Some(Outage::KeyLost), "{:?}", terminal.model().outage);
    terminal.command(Command::Start(TextSize::Normal));
    ensure!(terminal.model().screen == Screen::OutOfService, "nothing is begun");
    drop(terminal);
    let doctor = run(data, &["doctor", "--json", "--reader", "none", "--server", NOBODY])?;
    let key = finding(&doctor, "key")?;
    ensure!(doctor.status.code() == Some(1) && key["level"] == "fail", "{key}");
    ensure!(key["remedy"].as_str().is_some_and(|r| r.contains("put") && r.contains("central IT")), "{key}");
    let status = run(data, &["status"])?;
    let said = text(&status.stdout);
    ensure!(
        status.status.code() == Some(1) && said.contains("FAIL device.key") && said.contains(number),
        "{said}"
    );
    let queue = run(data, &["queue", "list"])?;
    ensure!(queue.status.success() && text(&queue.stdout).contains(number), "what waits can be read");
    let retry = run(data, &["queue", "retry", number])?;
    ensure!(!retry.status.success() && text(&retry.stderr).contains("device key is lost"), "{retry:?}");
    ensure!(contents(data)? == before, "nothing was changed, and no other key was made");
    Ok(())
}

#[test]
fn a_terminal_that_lost_its_key_takes_nothing_until_the_key_is_back() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let (folder, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let data = folder.path();
    visit::enrol(&server, data)?;
    visit::enrol(&server, other.path())?;
    let number = hand_in(data, 1)?;
    let file = data.join(KEY_FILE);
    let own = fs::read(&file)?;
    fs::remove_file(&file)?;
    out_of_service(data, &number)?;
    let foreign = fs::read(other.path().join(KEY_FILE))?;
    for bytes in [&[][..], &own[..own.len() / 2], &[0xff; 64], &foreign] {
        fs::write(&file, bytes)?;
        out_of_service(data, &number).with_context(|| format!("{} bytes", bytes.len()))?;
    }
    fs::write(&file, &own)?;
    let doctor = run(data, &["doctor", "--json", "--reader", "none", "--server", &server.terminals])?;
    ensure!(finding(&doctor, "key")?["level"] == "warn", "put back by hand, so that others may read it");
    let mut terminal = visit::start(&visit::config(data, &server.terminals));
    let sent = terminal.wait_until(PATIENCE, |_| {
        read_status(data, 9).is_ok_and(|rows| rows.len() == 1 && rows[0].state == "delivered")
    });
    ensure!(sent, "{:?}", read_status(data, 9)?);
    Ok(())
}

#[test]
fn where_the_key_is_gone_for_good_the_old_store_is_put_aside_and_a_new_terminal_begins() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let folder = tempfile::tempdir()?;
    let data = folder.path();
    visit::enrol(&server, data)?;
    let number = hand_in(data, 1)?;
    let (file, found) = (data.join(KEY_FILE), data.join("found"));
    fs::rename(&file, &found)?;
    let before = contents(data)?;
    let code = server.typed_code(STATION)?;
    let enrol =
        |server: &str, code: &str| run(data, &["enrol", "--server", server, "--code", code, "--json"]);
    let away = enrol(NOBODY, &code)?;
    ensure!(away.status.code() == Some(69) && text(&away.stderr).contains("put aside"), "{away:?}");
    ensure!(contents(data)? == before, "before the centre has answered everything stays");
    let made = enrol(&server.terminals, &code)?;
    ensure!(made.status.success(), "{}", text(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout)?;
    assert_eq!((&made["terminal"], &made["station"]), (&"T-02".into(), &STATION.into()));
    let aside = made["aside"].as_str().context("where the old one lies")?;
    let queue = text(&run(Path::new(aside), &["queue", "list"])?.stdout);
    ensure!(queue.contains(&number), "{queue}");
    ensure!(read_status(data, 9)?.is_empty() && Store::open(data, now_ms())?.identity()?.is_some());
    let status = run(data, &["status"])?;
    ensure!(
        status.status.success() && text(&status.stdout).contains("an old store lies aside"),
        "{status:?}"
    );
    let mut terminal = visit::start(&visit::config(data, &server.terminals));
    visit::whole(&mut terminal, data)?;
    visit::delivered(&mut terminal)?;
    let told = terminal.wait_until(PATIENCE, |_| {
        let sql = "SELECT COUNT(*) FROM alarm WHERE kind = 'terminal.store-aside' AND subject = 'T-02'";
        server.number(sql).is_ok_and(|n| n == 1)
    });
    ensure!(told, "the heartbeat tells the centre");
    drop(terminal);
    // Found after all: it goes into the folder that lies aside, and the terminal that it was hands in what is there.
    let aside = Path::new(aside);
    fs::rename(&found, aside.join(KEY_FILE))?;
    let mut old = visit::start(&visit::config(aside, &server.terminals));
    let sent = old.wait_until(PATIENCE, |_| {
        read_status(aside, 9).is_ok_and(|rows| rows.len() == 1 && rows[0].state == "delivered")
    });
    ensure!(sent, "{:?}", read_status(aside, 9)?);
    Ok(())
}

#[test]
fn a_store_of_before_learns_its_key_from_its_certificate() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let (folder, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (data, file) = (folder.path(), folder.path().join(KEY_FILE));
    visit::enrol(&server, data)?;
    visit::enrol(&server, other.path())?;
    let database = Connection::open(data.join(DATABASE_FILE))?;
    let forget = "UPDATE meta SET value = json_remove(value, '$.device_key') WHERE key = 'identity'";
    assert_eq!(database.execute(forget, [])?, 1);
    drop(database);
    let own = fs::read(&file)?;
    fs::copy(other.path().join(KEY_FILE), &file)?;
    let found = Store::open(data, now_ms()).map(|_| ());
    ensure!(matches!(found, Err(StoreError::Key(KeyTrouble::Other))), "{found:?}");
    fs::write(&file, &own)?;
    let store = Store::open(data, now_ms())?;
    let noted = store.identity()?.context("enrolled")?.device_key;
    assert_eq!(noted, Some(store.device_key().public()));
    Ok(())
}
