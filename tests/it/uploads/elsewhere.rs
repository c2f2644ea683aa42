//! Copies of attachments that lie on a disk which is not there just now: what a backup had is not given up without a word.
use std::path::Path;
use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::binaries::repository;
use tests::server::{Server, command_in};

use super::Awaited;
use super::safe::{backed_up, below, number_of, rot};
use super::unread::{Hidden, with_one};
use crate::safety::Safe;

fn give_up(server: &Server, further: &[&str]) -> Result<Output> {
    let number = number_of(server)?;
    server.command(&[&["attachments", "give-up", "--number", &number, "--early"], further].concat())
}

fn answer(server: &Server, further: &[&str]) -> Result<Value> {
    let output = give_up(server, &[further, &["--json"]].concat())?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Nothing is given up, and the operator hears what to do.
fn refused(server: &Server, further: &[&str]) -> Result<()> {
    let output = give_up(server, further)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success(), "{further:?}: {}", String::from_utf8_lossy(&output.stdout));
    for word in ["nobody can say", "mount", "--backup", "--without-copy"] {
        ensure!(said.contains(word), "{further:?}: {said}");
    }
    ensure!(server.number("SELECT COUNT(*) FROM alarm WHERE kind IN ('blob.lost', 'blob.given-up')")? == 0);
    ensure!(server.number("SELECT COUNT(*) FROM blob_ WHERE arrived_at_ms IS NULL")? == 0);
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path")
}

#[test]
fn a_durable_page_is_not_given_up_while_the_disk_of_its_copy_is_not_mounted() -> Result<()> {
    let (awaited, safe) = with_one()?;
    let (server, page) = (&awaited.server, &awaited.pages[0]);
    assert_eq!(backed_up(&safe, server)?, (1, 1, 0));
    let at_centre = below(&server.data().join("blobs"), page);
    rot(&at_centre)?;
    // The next backup makes its folder where the disk should be, and looks for a copy in vain.
    let root_disk = tempfile::tempdir()?;
    let not_mounted = text(root_disk.path())?;
    let output = server.command(&["backup", "--to", not_mounted, "--json"])?;
    let made: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((&made["durable_upto"], &made["attachments_lost"]), (&json!(1), &json!(1)));
    assert_eq!(server.number("SELECT COUNT(*) FROM alarm WHERE kind = 'blob.rotten'")?, 1);
    refused(server, &["--backup", not_mounted])?;
    refused(server, &[])?;
    assert_eq!(answer(server, &["--backup", &safe.backups])?["given_up"], json!([]), "it has a copy");
    awaited.assert_complete()?;
    rot(&at_centre)?;
    let given_up = answer(server, &["--backup", not_mounted, "--without-copy"])?;
    assert_eq!(given_up["given_up"], json!([page.digest.to_string()]), "somebody said that there is none");
    Ok(())
}

#[test]
fn a_restored_centre_gives_up_nothing_that_was_in_its_backup() -> Result<()> {
    let (awaited, safe) = with_one()?;
    assert_eq!(backed_up(&safe, &awaited.server)?, (1, 1, 0));
    let (to, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    safe.restore(awaited.server.data(), to.path(), None)?;
    let awaited = Awaited { server: Server::start_in(to.path())?, ..awaited };
    let server = &awaited.server;
    let at_centre = below(&to.path().join("blobs"), &awaited.pages[0]);
    rot(&at_centre)?;
    let not_mounted = other.path().join("not-mounted");
    let not_mounted = text(&not_mounted)?;
    refused(server, &["--backup", not_mounted])?;
    refused(server, &[])?;
    // Its own first backup makes the folder, without that page.
    let output = server.command(&["backup", "--to", not_mounted, "--json"])?;
    let made: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((&made["durable_upto"], &made["attachments_lost"]), (&json!(0), &json!(1)));
    refused(server, &["--backup", not_mounted])?;
    assert_eq!(answer(server, &["--backup", &safe.backups])?["given_up"], json!([]), "it has a copy");
    awaited.assert_complete()
}

#[test]
fn pages_of_which_nobody_can_say_are_counted_and_keep_no_other_from_being_given_up() -> Result<()> {
    let awaited = Awaited::with(&[3_000, 4_000, 5_000, 6_000])?;
    let server = &awaited.server;
    for page in 0..3 {
        awaited.send_rest(page, &awaited.begin(page)?)?;
    }
    let folder = server.data().join("blobs");
    rot(&below(&folder, &awaited.pages[0]))?;
    rot(&below(&folder, &awaited.pages[2]))?;
    let hidden = Hidden::of(&below(&folder, &awaited.pages[1]))?;
    let digest = |page: usize| awaited.pages[page].digest.to_string();
    let output = give_up(server, &["--json"])?;
    let told: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    assert_eq!(told["given_up"], json!([digest(0), digest(2), digest(3)]), "two are gone, one never came");
    assert_eq!((&told["unknown"], output.status.code()), (&json!(1), Some(3)));
    let said = String::from_utf8_lossy(&give_up(server, &[])?.stdout).into_owned();
    ensure!(said.contains("3 attachments of") && said.contains("1 others stay as they are"), "{said}");
    hidden.show()?;
    let output = give_up(server, &["--json"])?;
    let told: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((&told["unknown"], output.status.code()), (&json!(0), Some(0)));
    assert_eq!(awaited.kept(1)?, awaited.pages[1].bytes);
    Ok(())
}

#[test]
fn the_log_of_the_server_says_that_attachments_are_in_no_backup() -> Result<()> {
    let data = tempfile::tempdir()?;
    let awaited = Awaited::at(Server::start_in(data.path())?, &[3_000])?;
    awaited.send_rest(0, &awaited.begin(0)?)?;
    let safe = Safe::of(&awaited.server)?;
    rot(&below(&data.path().join("blobs"), &awaited.pages[0]))?;
    drop(awaited);
    let mut server = Server::start_with_default_metrics(
        data.path(),
        &["--backup", &safe.backups, "--metrics", "127.0.0.1:0"],
    )?;
    server.wait_for_log("nothing from the first of their submissions on becomes durable")?;
    server.wait_for_log("\"backup.attachments_lost\":1")
}

#[test]
fn words_for_operators_name_each_alarm_with_its_remedy_and_all_that_an_unbelieved_clock_stops() -> Result<()>
{
    let data = tempfile::tempdir()?;
    let help = |arguments: &[&str]| -> Result<String> {
        let said = command_in(data.path(), &[arguments, &["--help"]].concat())?.stdout;
        Ok(String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let book = std::fs::read_to_string(repository().join("docs/operations/README.md"))?;
    let (chinese, english) = book.split_once("## In English").context("two parts")?;
    let give_up = help(&["attachments", "give-up"])?;
    for words in [chinese, english, &give_up] {
        for word in ["blob.rotten", "blob.unread", "--without-copy", "--backup"] {
            ensure!(words.contains(word), "{word} is missing");
        }
    }
    let clock = help(&["confirm-clock"])?;
    for word in ["erased", "old backup", "moves no case", "no time for it runs out"] {
        ensure!(clock.contains(word), "{word}: {clock}");
    }
    Ok(())
}
