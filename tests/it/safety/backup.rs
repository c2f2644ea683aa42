//! A backup beside the running centre: verified, sealed, and restored under a new epoch.
use std::fs;

use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::wire::v1::Outcome;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::postgres::fresh_database;
use tests::server::{CANARIES, Server};

use super::{Safe, answer, copy_keys, envelopes, holds, refusal, wait_until_durable};

/// Hands in and waits until all is opened.
fn hand_in(device: &mut Device, server: &Server, count: usize) -> Result<()> {
    let sent = (0..count).map(|_| device.seal(&courier())).collect::<Result<Vec<_>>>()?;
    device.send(server, &sent)?;
    for upload in &sent {
        wait_for_state(device, server, header_of(upload)?.envelope_id, CaseState::Submitted)?;
    }
    Ok(())
}

#[test]
fn t40_a_stolen_backup_shows_nothing_and_opens_for_its_key_only() -> Result<()> {
    let server = Server::start()?;
    server.console()?;
    let mut device = Device::enrol(&server, 1)?;
    hand_in(&mut device, &server, 5)?;
    let safe = Safe::of(&server)?;
    assert!(server.page("/cases")?.text().contains("尚无已验证的备份"));
    let (file, _) = safe.back_up(&server)?;
    assert!(
        server.page("/cases")?.text().contains("已验证的备份："),
        "the foot of every page says how old it is"
    );
    let bytes = fs::read(&file)?;
    let number = device.counter.counter.to_string();
    for canary in CANARIES.iter().copied().chain(["sealed_by", "hrss.flex-enroll", "T-01", "envelope_id"]) {
        assert!(!holds(&bytes, canary), "{canary} stands in the backup; last number {number}");
    }
    let to = tempfile::tempdir()?;
    copy_keys(server.data(), to.path())?;
    let path = file.to_str().context("a path")?;
    let other = safe.path("other.key");
    fs::write(&other, "7".repeat(64))?;
    let other = other.to_str().context("a path")?;
    let said = refusal(to.path(), &["restore", "--from", path, "--key", other])?;
    assert!(said.contains("sealed for the key"), "{said}");
    // Named for that key after all: it still does not open.
    for (place, what) in
        [(bytes.len() / 2, "altered"), (bytes.len() - 1, "altered at its end"), (40, "its head")]
    {
        let mut altered = bytes.clone();
        altered[place] ^= 1;
        let file = safe.path("altered.jbk");
        fs::write(&file, altered)?;
        let file = file.to_str().context("a path")?;
        refusal(to.path(), &["restore", "--from", file, "--key", &safe.key]).context(what)?;
    }
    for cut in [0, 10, 100, bytes.len() / 2, bytes.len() - 1] {
        let file = safe.path("cut.jbk");
        fs::write(&file, &bytes[..cut])?;
        let file = file.to_str().context("a path")?;
        refusal(to.path(), &["restore", "--from", file, "--key", &safe.key])?;
    }
    // Nothing of all that is in the way of the right key.
    answer(to.path(), None, &["restore", "--from", path, "--key", &safe.key])?;
    Ok(())
}

#[test]
fn what_is_in_a_verified_backup_is_durable_and_nothing_else() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    hand_in(&mut device, &server, 3)?;
    let said = server.command(&["backup", "--to", "/nowhere"])?;
    assert!(String::from_utf8_lossy(&said.stderr).contains("backup-key"), "nobody is named yet");
    let safe = Safe::of(&server)?;
    assert_eq!(device.changes(&server, 0, 0)?.contact.durable_upto, None);
    let (first, upto) = safe.back_up(&server)?;
    assert_eq!(upto, 3);
    wait_until_durable(&device, &server, 3)?;
    hand_in(&mut device, &server, 2)?;
    assert_eq!(device.changes(&server, 0, 0)?.contact.durable_upto, Some(3), "not before the next backup");
    let (second, upto) = safe.back_up(&server)?;
    assert_eq!((upto, first.exists(), second.exists()), (5, true, true));
    wait_until_durable(&device, &server, 5)?;
    let server = server.restart()?;
    let contact = device.changes(&server, 0, 0)?.contact;
    assert_eq!(contact.durable_upto, Some(5), "known from the first answer on");
    server.console()?;
    let doctor = server.command(&["doctor", "--json"])?;
    let found: serde_json::Value = serde_json::from_slice(&doctor.stdout)?;
    let backup =
        found.as_array().context("a list")?.iter().find(|f| f["subject"] == "backup").context("it")?;
    assert_eq!(backup["level"], "ok", "{backup}");
    assert!(backup["found"].as_str().is_some_and(|f| f.contains("up to envelope 5")), "{backup}");
    Ok(())
}

#[test]
fn the_server_makes_backups_by_itself() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (data, backups) = (folder.path().join("data"), folder.path().join("backups"));
    let mut server = Server::start_in(&data)?;
    let mut device = Device::enrol(&server, 1)?;
    hand_in(&mut device, &server, 2)?;
    server.stop()?;
    drop(server);
    answer(&data, None, &["backup-key", "--out", folder.path().join("k").to_str().context("a path")?])?;
    let arguments = ["--backup", backups.to_str().context("a path")?, "--metrics", "127.0.0.1:0"];
    let server = Server::start_with_default_metrics(&data, &arguments)?;
    wait_until_durable(&device, &server, 2)?;
    let files =
        fs::read_dir(&backups)?.flatten().filter(|f| f.path().extension().is_some_and(|e| e == "jbk"));
    assert_eq!(files.count(), 1);
    Ok(())
}

#[test]
fn a_backup_of_either_database_is_restored_into_the_other() -> Result<()> {
    let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (first, second) = (fresh_database()?, fresh_database()?);
    let place = [(Some(first.as_str()), None), (None, Some(second.as_str()))];
    for (folder, (from, to)) in [&one, &other].into_iter().zip(place) {
        let server = match from {
            Some(address) => Server::start_on(folder.path(), address)?,
            None => Server::start_in(folder.path())?,
        };
        let mut device = Device::enrol(&server, 1)?;
        hand_in(&mut device, &server, 4)?;
        let upload = device.seal(&courier())?;
        let receipt = device.send(&server, std::slice::from_ref(&upload))?.results.remove(0).receipt;
        wait_for_state(&device, &server, header_of(&upload)?.envelope_id, CaseState::Submitted)?;
        let before = envelopes(&server.database()?)?;
        let safe = Safe::of(&server)?;
        safe.back_up(&server)?;
        let restored_to = tempfile::tempdir()?;
        let restored = safe.restore(server.data(), restored_to.path(), to)?;
        assert_eq!((&restored["server_seq"], &restored["keys_are_there"]), (&5.into(), &true.into()));
        assert_eq!(restored["terminals"][0]["highest_seq"], 5, "{restored}");
        drop(server);
        let again = safe.restore(folder.path(), restored_to.path(), to)?;
        assert_eq!(again, restored, "whoever asks once more hears the same");
        let server = match to {
            Some(address) => Server::start_on(restored_to.path(), address)?,
            None => Server::start_in(restored_to.path())?,
        };
        assert_eq!(envelopes(&server.database()?)?, before);
        let replay = device.send(&server, std::slice::from_ref(&upload))?;
        assert_eq!((replay.results[0].outcome, &replay.results[0].receipt), (Outcome::Duplicate, &receipt));
        assert_ne!(replay.contact.server_epoch, device.enrolled.contact.server_epoch, "a new epoch");
        assert_eq!(replay.contact.durable_upto, None, "it promises nothing before its own first backup");
        hand_in(&mut device, &server, 1)?;
        drop(server);
        let again = safe.restore(folder.path(), restored_to.path(), to);
        assert!(again.is_err_and(|e| e.to_string().contains("something at")), "it is not empty any more");
    }
    Ok(())
}

#[test]
fn a_backup_without_the_right_place_or_keys_is_not_restored() -> Result<()> {
    let server = Server::start_in(&tempfile::tempdir()?.keep())?;
    let safe = Safe::of(&server)?;
    let (file, _) = safe.back_up(&server)?;
    let file = file.to_str().context("a path")?;
    let restore = ["restore", "--from", file, "--key", &safe.key];
    let said = refusal(server.data(), &restore)?;
    assert!(said.contains("another sync-server works on"), "{said}");
    let stranger = Server::start_in(&tempfile::tempdir()?.keep())?;
    let to = tempfile::tempdir()?;
    copy_keys(stranger.data(), to.path())?;
    let said = refusal(to.path(), &restore)?;
    assert!(said.contains("not those of this backup"), "{said}");
    let said = refusal(server.data(), &["backup-key", "--out", &safe.key])?;
    assert!(said.contains("already"), "{said}");
    let bare = tempfile::tempdir()?;
    let restored = answer(bare.path(), None, &restore)?;
    assert_eq!(restored["keys_are_there"], false, "said, and the keys come afterwards");
    copy_keys(server.data(), bare.path())?;
    Server::start_in(bare.path())?.stop()?;
    let folders = [server.data().to_owned(), stranger.data().to_owned()];
    drop((server, stranger));
    folders.iter().try_for_each(|folder| Ok(fs::remove_dir_all(folder)?))
}
