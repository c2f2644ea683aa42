//! What the doctor says of a store that is not the one to work with, and of keys that are not those of the store; on
//! both databases.
use std::path::Path;

use anyhow::{Context as _, Result};
use domain::case::CaseState;
use serde_json::Value;
use sync_server::services::meta;
use sync_server::store::{Database, in_transaction};
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::server::{Server, command_in};

use super::driver::both_empty;

/// Findings of one subject that are not well, each with what was seen and what to do.
fn complaints(folder: &Path, store: &str, subject: &str) -> Result<Vec<(String, String)>> {
    let output = command_in(folder, &["doctor", "--json", "--database", store])?;
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let found = found.as_array().context("a list")?.iter();
    let wrong = found.filter(|f| f["subject"] == subject && f["level"] != "ok");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let wrong: Vec<_> = wrong.map(|f| (text(&f["found"]), text(&f["remedy"]))).collect();
    assert_eq!(output.status.code(), Some(if wrong.is_empty() { 0 } else { 1 }), "{wrong:?}");
    assert!(wrong.iter().all(|(_, remedy)| !remedy.is_empty()), "{wrong:?}");
    Ok(wrong)
}

/// The one complaint says this.
fn says(folder: &Path, store: &str, subject: &str, words: &str) -> Result<()> {
    let wrong = complaints(folder, store, subject)?;
    assert!(wrong.len() == 1 && wrong[0].0.contains(words), "{words}: {wrong:?}");
    Ok(())
}

/// A store with a case whose key is wrapped under that of the year; gives the name of the year's file.
fn lived_in(folder: &Path, address: &str) -> Result<String> {
    let server = Server::start_on(folder, address)?;
    server.console()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    device.send(&server, std::slice::from_ref(&upload))?;
    wait_for_state(&device, &server, header_of(&upload)?.envelope_id, CaseState::Submitted)?;
    let rows = server.rows("SELECT DISTINCT key_id FROM case_key", &[])?;
    Ok(format!("{}.key", rows.first().context("a key")?.text(0)?))
}

#[test]
fn a_store_that_was_moved_or_is_half_moved_is_no_place_to_work() -> Result<()> {
    let (_other, stores) = both_empty()?;
    for store in stores {
        let folder = tempfile::tempdir()?;
        let address = address_of(&store, folder.path());
        Server::start_on(folder.path(), &address)?.console()?;
        assert_eq!(complaints(folder.path(), &address, "store")?, []);
        let store: Database = address.parse()?;
        let mut db = store.open()?;
        in_transaction(db.as_mut(), |tx| meta::mark_moving(tx, "sqlite:/old/server.db"))?;
        says(folder.path(), &address, "store", "sqlite:/old/server.db")?;
        in_transaction(db.as_mut(), |tx| {
            meta::end_moving(tx)?;
            meta::mark_moved(tx, "postgresql://jinban@db.example/new")
        })?;
        says(folder.path(), &address, "store", "moved to postgresql://jinban@db.example/new")?;
    }
    Ok(())
}

#[test]
fn keys_that_are_not_those_of_the_store_are_each_named() -> Result<()> {
    let (_other, stores) = both_empty()?;
    for store in stores {
        let folder = tempfile::tempdir()?;
        let address = address_of(&store, folder.path());
        let year = lived_in(folder.path(), &address)?;
        assert_eq!(complaints(folder.path(), &address, "keys")?, []);
        let file = |name: &str| folder.path().join("keys").join(name);
        let other = format!("{}\n", "5".repeat(64));
        for (name, words) in [
            (year.as_str(), "is not the one"),
            ("person.key", "not those of this store"),
            ("authority.key", "than terminals trust"),
        ] {
            let right = std::fs::read(file(name))?;
            std::fs::write(file(name), &other)?;
            says(folder.path(), &address, "keys", words)?;
            std::fs::write(file(name), "short")?;
            says(folder.path(), &address, "keys", "64 hexadecimal digits")?;
            std::fs::write(file(name), right)?;
        }
        let aside = folder.path().join("aside");
        std::fs::rename(file(&year), &aside)?;
        says(folder.path(), &address, "keys", "is gone")?;
        assert!(!file(&year).exists(), "the doctor makes no key");
        std::fs::rename(&aside, file(&year))?;
        assert_eq!(complaints(folder.path(), &address, "keys")?, []);
    }
    Ok(())
}

#[test]
fn a_database_of_something_else_is_not_to_be_migrated() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("server.db");
    rusqlite::Connection::open(&file)?.execute_batch("CREATE TABLE somebody_else (n INTEGER)")?;
    let wrong = complaints(folder.path(), &Database::Sqlite(file).to_string(), "schema")?;
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].0.contains("something else"), "{wrong:?}");
    assert!(wrong[0].1.contains("--database") && !wrong[0].1.contains("migrate"), "{wrong:?}");
    Ok(())
}

/// A SQLite store lies in the data folder, as it does by default.
fn address_of(store: &Database, data: &Path) -> String {
    match store.file() {
        Some(_) => Database::Sqlite(data.join("server.db")).to_string(),
        None => store.to_string(),
    }
}
