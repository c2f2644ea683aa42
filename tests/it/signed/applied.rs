//! From the office to the screen: a version is published, and a running terminal takes it between two people.
use anyhow::{Context as _, Result, ensure};
use std::process::Command as Process;

use terminal::command::Command;
use terminal::model::Screen;
use terminal::store::Store;
use tests::binaries::binary;
use tests::device::now_ms;
use tests::visit::{self, PATIENCE};

use super::office::Office;

#[test]
fn a_published_version_reaches_a_running_terminal_and_waits_for_the_citizen() -> Result<()> {
    let office = Office::new()?;
    office.ceremony()?;
    let data = tempfile::tempdir()?;
    let code = office.server.enrol_code("XN-CCB-CD-01")?;
    let server = &office.server.terminals;
    let enrolled = Process::new(binary("terminal"))
        .args(["enrol", "--server", server, "--code", &code, "--data"])
        .arg(data.path())
        .output()?;
    ensure!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
    let store = Store::open(data.path(), now_ms())?;
    assert!(store.catalogue_trust()?.is_some(), "the first root came with the enrolment");
    drop(store);

    let mut terminal = visit::start(&visit::config(data.path(), server));
    visit::search(&mut terminal)?;
    visit::identify(&mut terminal, data.path())?;
    let before = terminal.model().catalogue.version;
    office.publish(5)?;
    assert!(terminal.wait_until(PATIENCE, |m| m.next_catalogue.is_some()), "the news did not come");
    assert_eq!(terminal.model().catalogue.version, before, "not under an open form");
    terminal.command(Command::Finish);
    let taken = |m: &terminal::model::Model| m.screen == Screen::Attract && m.catalogue.version == 5;
    assert!(terminal.wait_until(PATIENCE, taken), "{:?}", terminal.model().screen);
    visit::lift(data.path())?;

    // What is handed in now names the new version, and the centre understands it.
    let slip = visit::whole(&mut terminal, data.path())?;
    visit::delivered(&mut terminal)?;
    let opened = terminal.wait_until(PATIENCE, |m| {
        let slip = m.session.as_ref().and_then(|s| s.slip.as_ref());
        slip.is_some_and(|s| s.marks.delivered_ms.is_some())
    });
    ensure!(opened, "{}", slip.number);
    drop(terminal);
    let store = Store::open(data.path(), now_ms())?;
    assert_eq!(store.newest_catalogue()?.context("a catalogue")?.version, 5);
    let standing = store.catalogue_standing()?;
    assert!(standing.confirmed_ms.is_some() && standing.trouble.is_none(), "{standing:?}");
    Ok(())
}
