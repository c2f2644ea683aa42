//! Attachments in backups and after a restore: nothing is durable without them, and what a centre lost is sent again.
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use domain::envelope::SealedBlob;
use domain::wire::v1::Outcome;
use serde_json::{Value, json};
use sync_server::backup::blobs;
use sync_server::store::{Database, Tx};
use terminal::clock::Clock as _;
use terminal::store::read_status;
use tests::device::wait_for_state;
use tests::server::Server;
use tests::storm::points::{Action, Plan, named};
use tests::storm::process::ServerFolder;

use super::Awaited;
use super::terminal::Desk;
use crate::safety::Safe;

pub(super) fn backed_up(safe: &Safe, server: &Server) -> Result<(u64, u64, u64)> {
    let output = server.command(&["backup", "--to", &safe.backups, "--json"])?;
    let made: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let number = |name: &str| made[name].as_u64().with_context(|| name.to_owned());
    Ok((number("durable_upto")?, number("attachments")?, number("attachments_lost")?))
}

/// What a backup of this store would let be durable of one envelope.
fn whole_upto(database: &Database) -> Result<u64> {
    let mut store = database.open_read_only()?;
    Ok(blobs::whole_upto(&mut Tx::new(store.as_mut()), 1)?)
}

#[test]
fn nothing_is_durable_before_its_pages_are_in_a_backup() -> Result<()> {
    let awaited = Awaited::with(&[3_000, 70_000])?;
    let safe = Safe::of(&awaited.server)?;
    assert_eq!(backed_up(&safe, &awaited.server)?, (0, 0, 0), "both are awaited");
    assert_eq!(whole_upto(&awaited.server.database()?)?, 0);
    fail::cfg("planted::durable_without_blobs", "return").map_err(anyhow::Error::msg)?;
    let planted = whole_upto(&awaited.server.database()?);
    fail::remove("planted::durable_without_blobs");
    assert_eq!(planted?, 1, "a planted fault is seen by the line before it");
    awaited.send_rest(0, &awaited.begin(0)?)?;
    assert_eq!(backed_up(&safe, &awaited.server)?, (0, 1, 0), "one is awaited");
    awaited.send_rest(1, &awaited.begin(1)?)?;
    awaited.assert_complete()?;
    assert_eq!(backed_up(&safe, &awaited.server)?, (1, 2, 0));
    for page in &awaited.pages {
        let name = page.digest.to_string();
        let copy = safe.path("backups").join(blobs::FOLDER).join(&name[..2]).join(&name);
        assert_eq!(std::fs::read(copy)?, page.bytes);
    }
    Ok(())
}

/// Turns a bit of a file, so that it keeps its length.
pub(super) fn rot(file: &Path) -> Result<()> {
    let mut bytes = std::fs::read(file)?;
    *bytes.last_mut().context("a file with something in it")? ^= 1;
    Ok(std::fs::write(file, bytes)?)
}

/// All files below a folder.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files_below(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

/// Where a page lies below a folder of pages.
pub(super) fn below(folder: &Path, page: &SealedBlob) -> PathBuf {
    let name = page.digest.to_string();
    folder.join(&name[..2]).join(name)
}

#[test]
fn a_copy_that_was_broken_off_before_it_was_read_back_never_counts() -> Result<()> {
    for action in [Action::Kill(0), Action::Fail] {
        let awaited = Awaited::with(&[3_000])?;
        awaited.send_rest(0, &awaited.begin(0)?)?;
        let safe = Safe::of(&awaited.server)?;
        let point = named("server::backup::before_read_back")?;
        let program = PathBuf::from(env!("CARGO_BIN_EXE_kill-storm"));
        let storm = ServerFolder { program, data: awaited.server.data().to_owned() };
        let plan = Plan { point, nth: 1, action };
        let broken = storm.command(Some(plan), "backup", &["--to", &safe.backups])?;
        assert!(!broken.status.success(), "{action:?}");
        // What the disk made of it meanwhile.
        let copies = safe.path("backups").join(blobs::FOLDER);
        let left = files_below(&copies)?;
        assert_eq!(left.len(), 1, "{left:?}");
        rot(&left[0])?;
        assert_eq!(backed_up(&safe, &awaited.server)?, (1, 1, 0), "{action:?}");
        assert_eq!(std::fs::read(below(&copies, &awaited.pages[0]))?, awaited.pages[0].bytes, "{action:?}");
        assert_eq!(files_below(&copies)?.len(), 1, "nothing else is left");
    }
    Ok(())
}

#[test]
fn a_page_that_rotted_at_the_centre_is_told_and_brought_back_or_given_up() -> Result<()> {
    let awaited = Awaited::with(&[3_000])?;
    let server = &awaited.server;
    awaited.send_rest(0, &awaited.begin(0)?)?;
    let page = below(&server.data().join("blobs"), &awaited.pages[0]);
    rot(&page)?;
    let safe = Safe::of(server)?;
    let alarms = |kind: &str| server.number(&format!("SELECT COUNT(*) FROM alarm WHERE kind = '{kind}'"));
    for _ in 0..2 {
        assert_eq!(backed_up(&safe, server)?, (0, 0, 1), "it keeps its envelope from being durable");
        assert_eq!(alarms("blob.rotten")?, 1, "and people are told, once");
    }
    let number = number_of(server)?;
    let answer = |further: &[&str]| -> Result<Value> {
        let give_up = ["attachments", "give-up", "--number", &number, "--json"];
        let output = server.command(&[&give_up, further].concat())?;
        serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // Somebody has a copy after all.
    let copies = tempfile::tempdir()?;
    let copy = below(&copies.path().join(blobs::FOLDER), &awaited.pages[0]);
    std::fs::create_dir_all(copy.parent().context("a folder")?)?;
    std::fs::write(&copy, &awaited.pages[0].bytes)?;
    let given_up = answer(&["--early", "--backup", copies.path().to_str().context("a path")?])?;
    assert_eq!(given_up["given_up"], json!([]));
    awaited.assert_complete()?;
    // Nobody has any.
    rot(&page)?;
    assert!(answer(&["--early"]).is_err_and(|e| e.to_string().contains("no folder of backups is named")));
    // The store does not know which pages of a backed-up envelope were copied: somebody says that this one was not.
    let may_be_there = ["--early", "--backup", &safe.backups];
    assert!(answer(&may_be_there).is_err(), "a backup may have it");
    let given_up = answer(&[&may_be_there[..], &["--without-copy"]].concat())?;
    assert_eq!(given_up["given_up"], json!([awaited.pages[0].digest.to_string()]));
    assert_eq!((alarms("blob.lost")?, alarms("blob.given-up")?), (1, 1));
    assert_eq!(backed_up(&safe, server)?, (1, 0, 0), "nobody is held back any longer");
    // It comes all the same.
    let (outcome, missing, receipt) = awaited.send()?;
    assert_eq!((outcome, missing, receipt.complete), (Outcome::Duplicate, 1, false));
    awaited.send_rest(0, &awaited.begin(0)?)?;
    awaited.assert_complete()?;
    assert_eq!(backed_up(&safe, server)?, (1, 1, 0));
    Ok(())
}

/// Loses the copies beside the backups. That they are not there is no answer: a restore refuses until somebody says, with
/// an empty folder, that they are lost.
fn lose_copies(safe: &Safe, keys_of: &Path, to: &Path) -> Result<()> {
    let copies = safe.path("backups").join(blobs::FOLDER);
    std::fs::remove_dir_all(&copies)?;
    let refused = safe.restore(keys_of, to, None).map_err(|e| e.to_string());
    ensure!(refused.as_ref().is_err_and(|said| said.contains("make an empty one")), "{refused:?}");
    ensure!(!copies.exists(), "nobody makes it by the way");
    Ok(std::fs::create_dir(&copies)?)
}

/// The number of the only case.
pub(super) fn number_of(server: &Server) -> Result<String> {
    let rows = server.database()?.open_read_only()?.query("SELECT number FROM case_", &[])?;
    Ok(rows.first().context("a case")?.text(0)?.to_owned())
}

#[test]
fn a_restore_onto_pages_that_rotted_brings_them_back_or_asks_for_them_again() -> Result<()> {
    for lost in [false, true] {
        let awaited = Awaited::with(&[3_000])?;
        awaited.send_rest(0, &awaited.begin(0)?)?;
        let safe = Safe::of(&awaited.server)?;
        assert_eq!(backed_up(&safe, &awaited.server)?, (1, 1, 0));
        let to = tempfile::tempdir()?;
        // The folder of pages outlived the store.
        let there = below(&to.path().join("blobs"), &awaited.pages[0]);
        std::fs::create_dir_all(there.parent().context("a folder")?)?;
        std::fs::write(&there, &awaited.pages[0].bytes)?;
        rot(&there)?;
        if lost {
            lose_copies(&safe, awaited.server.data(), to.path())?;
        }
        let told = safe.restore(awaited.server.data(), to.path(), None)?;
        let expected = if lost { (0, 1) } else { (1, 0) };
        let told = (told["attachments"].as_u64(), told["attachments_lost"].as_u64());
        assert_eq!(told, (Some(expected.0), Some(expected.1)));
        let restored = Awaited { server: Server::start_in(to.path())?, ..awaited };
        if lost {
            assert_eq!(backed_up(&safe, &restored.server)?, (0, 0, 0), "it is awaited");
            let (_, missing, receipt) = restored.send()?;
            assert_eq!((missing, receipt.complete), (1, false));
            restored.send_rest(0, &restored.begin(0)?)?;
        }
        restored.assert_complete()?;
        assert_eq!(backed_up(&safe, &restored.server)?, (1, 1, 0));
    }
    Ok(())
}

#[test]
fn what_a_terminal_has_lost_is_given_up_and_holds_nobody_back() -> Result<()> {
    let awaited = Awaited::with(&[3_000, 70_000])?;
    let server = &awaited.server;
    server.console()?;
    let safe = Safe::of(server)?;
    awaited.send_rest(0, &awaited.begin(0)?)?;
    assert_eq!(backed_up(&safe, server)?, (0, 1, 0), "one is awaited");
    let answer = |arguments: &[&str]| -> Result<Value> {
        let output = server.command(&[&["attachments"], arguments, &["--json"]].concat())?;
        serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let listed = answer(&["list"])?;
    let number = listed[0]["number"].as_str().context("a case")?.to_owned();
    assert_eq!((listed.as_array().map(Vec::len), listed[0]["awaited"].as_u64()), (Some(1), Some(1)));
    let unknown = server.command(&["attachments", "give-up", "--number", "XN26112400100013"])?;
    assert!(!unknown.status.success(), "there is no such case");
    let early = server.command(&["attachments", "give-up", "--number", &number])?;
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(!early.status.success() && said.contains("on their way"), "it came just now: {said}");
    // Told once it waits for more than a day.
    let doctor = || -> Result<String> {
        Ok(String::from_utf8_lossy(&server.command(&["doctor"])?.stdout).into_owned())
    };
    assert!(!doctor()?.contains("wait for attachments"));
    let later = |by_ms: i64| -> Result<()> {
        let sql = format!("UPDATE envelope SET accepted_at_ms = accepted_at_ms + ({by_ms})");
        Ok(server.database()?.open()?.run_script(&sql)?)
    };
    later(-90_000_000)?;
    let told = doctor()?;
    later(90_000_000)?;
    assert!(told.contains("1 envelopes wait for attachments") && told.contains(&number), "{told}");
    for _ in 0..2 {
        let given_up = answer(&["give-up", "--number", &number, "--early"])?;
        assert_eq!(given_up["given_up"][0], awaited.pages[1].digest.to_string());
    }
    let alarms = "SELECT COUNT(*) FROM alarm WHERE kind = 'blob.given-up'";
    assert_eq!(server.number(alarms)?, 1);
    assert_eq!(answer(&["list"])?.as_array().map(Vec::len), Some(0));
    assert!(!doctor()?.contains("wait for attachments"));
    wait_for_state(&awaited.device, server, awaited.id, CaseState::Submitted)?;
    let page = server.page(&format!("/cases/{number}"))?.text();
    assert!(page.contains("等不到了，已放弃等待"), "the desk sees which page is missing");
    assert_eq!(backed_up(&safe, server)?, (1, 1, 0), "nobody is held back any longer");
    // It comes all the same.
    let (outcome, missing, receipt) = awaited.send()?;
    assert_eq!((outcome, missing, receipt.complete), (Outcome::Duplicate, 1, false));
    awaited.send_rest(1, &awaited.begin(1)?)?;
    awaited.assert_complete()?;
    assert_eq!(backed_up(&safe, server)?, (1, 2, 0));
    Ok(())
}

#[test]
fn a_page_that_is_damaged_on_its_terminal_is_told_and_tried_once_an_hour() -> Result<()> {
    let mut desk = Desk::new()?;
    let mut store = desk.store()?;
    let form = desk.form();
    let id = form.0;
    let page = desk.page(&mut store, &form, 5_000)?;
    desk.submit(&mut store, form, &[&page])?;
    drop(store);
    let file = desk.data().join("pages").join(page.digest.to_string());
    let sound = std::fs::read(&file)?;
    let mut turned = sound.clone();
    turned[100] ^= 1;
    std::fs::write(&file, turned)?;
    assert!(!desk.drain(id, 0, 30)? && !desk.at_centre(&page.digest));
    let row = read_status(desk.data(), 1)?.remove(0);
    assert_eq!((row.pages, row.pages_sent, row.page_error.as_deref()), (1, 0, Some("its file is damaged")));
    let now_ms = desk.clock.now_ms();
    let next_ms = desk.store()?.next_page_ms(now_ms)?.context("it still waits")?;
    assert!(next_ms > now_ms + 50 * 60_000, "not sent again and again: {}", next_ms - now_ms);
    // Somebody brought the file back.
    std::fs::write(&file, sound)?;
    desk.clock.advance(3_600_000);
    assert!(desk.drain(id, 0, 30)? && desk.at_centre(&page.digest));
    Ok(())
}

#[test]
fn a_restored_centre_has_its_pages_or_asks_for_them() -> Result<()> {
    for lost in [false, true] {
        let awaited = Awaited::with(&[3_000, 70_000])?;
        for page in 0..2 {
            awaited.send_rest(page, &awaited.begin(page)?)?;
        }
        let safe = Safe::of(&awaited.server)?;
        backed_up(&safe, &awaited.server)?;
        let to = tempfile::tempdir()?;
        if lost {
            lose_copies(&safe, awaited.server.data(), to.path())?;
        }
        let told = safe.restore(awaited.server.data(), to.path(), None)?;
        let expected = if lost { (0, 2) } else { (2, 0) };
        assert_eq!(
            (told["attachments"].as_u64(), told["attachments_lost"].as_u64()),
            (Some(expected.0), Some(expected.1))
        );
        let restored = Awaited { server: Server::start_in(to.path())?, ..awaited };
        if lost {
            let (outcome, missing, receipt) = restored.send()?;
            assert_eq!((outcome, missing, receipt.complete), (Outcome::Duplicate, 2, false));
            for page in 0..2 {
                restored.send_rest(page, &restored.begin(page)?)?;
            }
        }
        restored.assert_complete()?;
    }
    Ok(())
}

#[test]
fn a_terminal_sends_pages_again_that_a_restored_centre_never_had() -> Result<()> {
    let (to, mut desk) = (tempfile::tempdir()?, Desk::new()?);
    let mut store = desk.store()?;
    let form = desk.form();
    let id = form.0;
    let page = desk.page(&mut store, &form, 300_000)?;
    desk.submit(&mut store, form, &[&page])?;
    drop(store);
    let (_, mut engine) = desk.engine(0)?;
    engine.step();
    drop(engine);
    let safe = Safe::of(&desk.server)?;
    assert_eq!(backed_up(&safe, &desk.server)?, (0, 0, 0), "the text alone");
    assert!(desk.drain(id, 0, 60)?, "the page follows");
    safe.restore(desk.server.data(), to.path(), None)?;
    desk.server = Server::start_in(to.path())?;
    assert!(!desk.at_centre(&page.digest));
    let mut turns = 0;
    while !desk.at_centre(&page.digest) && turns < 10 {
        // The first answer of the new epoch takes the mark back.
        desk.clock.advance(60_000);
        desk.drain(id, 0, 20)?;
        turns += 1;
    }
    assert!(desk.at_centre(&page.digest), "sent again");
    assert!(desk.drain(id, 0, 60)?, "and delivered again");
    Ok(())
}
