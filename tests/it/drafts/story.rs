//! A citizen stops in the middle, the catalogue changes, and the same card goes on where it stopped.
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use serde_json::Value;
use terminal::clock::ManualClock;
use terminal::command::Command;
use terminal::headless::HeadlessTerminal;
use terminal::model::{CardStep, Model, Screen, Session};
use terminal::runtime::Outside;
use terminal::store::Store;
use tests::device::{CATALOGUE, ITEM, now_ms};
use tests::visit::{self, PATIENCE, wait};

use super::{Desk, item};
use crate::signed::office::Office;

const HOUR_MS: i64 = 3_600_000;

fn session(model: &Model) -> Option<&Session> {
    model.session.as_ref()
}

/// Lays a card on the attract page, and waits until the store has answered what is there.
fn come_again(terminal: &mut HeadlessTerminal, data: &Path, card: &str) -> Result<()> {
    visit::lay(data, card)?;
    wait(terminal, "the answer of the store", |m| {
        session(m).is_some_and(|s| s.card == CardStep::Done && s.drafts.lines.is_some())
    })
}

fn go_away(terminal: &mut HeadlessTerminal, data: &Path) -> Result<()> {
    terminal.command(Command::Finish);
    visit::lift(data)?;
    let lifted =
        |m: &Model| m.screen == Screen::Attract && m.reader != hardware::card_reader::ReaderStatus::Card;
    wait(terminal, "an empty reader", lifted)
}

/// Takes the choice away that the courier made.
fn without_the_lowest_level(folder: &Path) -> Result<()> {
    let file = folder.join(format!("items/{ITEM}.json"));
    let mut item: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    let levels = item["form"]["schema"]["properties"]["base_level"]["enum"].as_array_mut();
    levels.context("levels")?.retain(|level| level != "60%");
    for page in item["form"]["pages"].as_array_mut().context("pages")? {
        for group in page["groups"].as_array_mut().context("groups")? {
            for field in group["fields"].as_array_mut().context("fields")? {
                if let Some(choices) = field.get_mut("choices").and_then(Value::as_array_mut) {
                    choices.retain(|choice| choice["value"] != "60%");
                }
            }
        }
    }
    Ok(std::fs::write(file, item.to_string())?)
}

#[test]
fn a_draft_begun_before_a_change_is_handed_in_after_it_and_judged_by_its_own_version() -> Result<()> {
    let office = Office::new()?;
    office.ceremony()?;
    let data = tempfile::tempdir()?;
    visit::enrol(&office.server, data.path())?;
    let mut terminal = visit::start(&visit::config(data.path(), &office.server.terminals));
    visit::search(&mut terminal)?;
    visit::identify(&mut terminal, data.path())?;
    visit::begin_draft(&mut terminal)?;
    let before = session(terminal.model()).context("a visit")?;
    let (id, page, answers) = (before.envelope_id, before.page, before.answers.clone());
    go_away(&mut terminal, data.path())?;

    office.publish_changed(5, without_the_lowest_level)?;
    wait(&mut terminal, "version 5", |m| m.screen == Screen::Attract && m.catalogue.version == 5)?;

    come_again(&mut terminal, data.path(), "elder")?;
    assert_eq!(terminal.model().screen, Screen::Home, "another card sees nothing of it");
    assert_eq!(session(terminal.model()).and_then(|s| s.drafts.lines.clone()), Some(vec![]));
    go_away(&mut terminal, data.path())?;

    come_again(&mut terminal, data.path(), "courier")?;
    assert_eq!(terminal.model().screen, Screen::Resume(item()));
    terminal.command(Command::Resume);
    wait(&mut terminal, "the form", |m| m.screen == Screen::Form)?;
    let after = session(terminal.model()).context("a visit")?;
    assert_eq!((after.envelope_id, after.page, &after.answers), (id, page, &answers), "as it was");
    assert_eq!((terminal.model().pinned().version, terminal.model().catalogue.version), (CATALOGUE, 5));

    visit::fill(&mut terminal)?;
    let slip = visit::submit(&mut terminal)?;
    assert_eq!(Some(slip.envelope_id), id, "nothing is done twice");
    visit::delivered(&mut terminal)?;
    let state = |m: &Model| session(m).and_then(|s| s.slip.as_ref()).and_then(|slip| slip.state);
    wait(&mut terminal, "the opening", |m| state(m).is_some_and(|s| s != CaseState::Received))?;
    assert_eq!(state(terminal.model()), Some(CaseState::Submitted), "judged by the version that it names");
    drop(terminal);
    let store = Store::open(data.path(), now_ms())?;
    assert!(store.drafts_of("639900199005201035")?.is_empty());
    Ok(())
}

/// A terminal far from any centre, whose clock is the test's.
struct Offline {
    data: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Offline {
    fn new() -> Result<Self> {
        let data = tempfile::tempdir()?;
        drop(Desk::new(data.path()));
        Ok(Self { data, clock: Arc::new(ManualClock::at(now_ms())) })
    }

    fn start(&self) -> HeadlessTerminal {
        let outside = Outside { clock: self.clock.clone(), ..Outside::default() };
        HeadlessTerminal::start_with(&visit::config(self.data.path(), "http://127.0.0.1:9"), outside)
    }

    fn begun(&self) -> Result<HeadlessTerminal> {
        let mut terminal = self.start();
        visit::search(&mut terminal)?;
        visit::identify(&mut terminal, self.data.path())?;
        visit::begin_draft(&mut terminal)?;
        go_away(&mut terminal, self.data.path())?;
        Ok(terminal)
    }
}

#[test]
fn a_draft_waits_a_day_for_its_card_and_is_gone_afterwards() -> Result<()> {
    let rig = Offline::new()?;
    let mut terminal = rig.begun()?;
    rig.clock.advance(23 * HOUR_MS);
    come_again(&mut terminal, rig.data.path(), "courier")?;
    assert_eq!(terminal.model().screen, Screen::Resume(item()));
    go_away(&mut terminal, rig.data.path())?;
    drop(terminal);
    // A restart on the way changes nothing.
    let mut terminal = rig.start();
    come_again(&mut terminal, rig.data.path(), "courier")?;
    assert_eq!(terminal.model().screen, Screen::Resume(item()));
    go_away(&mut terminal, rig.data.path())?;
    rig.clock.advance(HOUR_MS);
    come_again(&mut terminal, rig.data.path(), "courier")?;
    assert_eq!(terminal.model().screen, Screen::Home);
    drop(terminal);
    assert!(Store::open(rig.data.path(), now_ms())?.drafts_of("639900199005201035")?.is_empty());
    Ok(())
}

#[test]
fn a_citizen_who_does_not_want_it_any_more_deletes_it_or_begins_anew() -> Result<()> {
    let rig = Offline::new()?;
    let mut terminal = rig.begun()?;
    come_again(&mut terminal, rig.data.path(), "courier")?;
    terminal.command(Command::StartOver);
    visit::begin(&mut terminal)?;
    wait(&mut terminal, "an empty form", |m| m.screen == Screen::Form)?;
    let typed = session(terminal.model()).context("a visit")?.answers.text("phone").to_owned();
    assert_eq!(typed, "");
    visit::begin_draft(&mut terminal)?;
    go_away(&mut terminal, rig.data.path())?;

    come_again(&mut terminal, rig.data.path(), "courier")?;
    assert_eq!(terminal.model().screen, Screen::Resume(item()));
    terminal.command(Command::DeleteDraft);
    assert_eq!(terminal.model().screen, Screen::Home);
    go_away(&mut terminal, rig.data.path())?;
    come_again(&mut terminal, rig.data.path(), "courier")?;
    assert_eq!(terminal.model().screen, Screen::Home, "it is gone");
    Ok(())
}

#[test]
fn a_damaged_draft_is_told_and_the_form_can_be_begun_anew() -> Result<()> {
    let rig = Offline::new()?;
    let mut terminal = rig.begun()?;
    let database = rusqlite::Connection::open(rig.data.path().join(terminal::store::DATABASE_FILE))?;
    database.execute("UPDATE draft SET content = zeroblob(length(content))", [])?;
    come_again(&mut terminal, rig.data.path(), "courier")?;
    terminal.command(Command::Resume);
    wait(&mut terminal, "the words", |m| session(m).is_some_and(|s| s.drafts.lost == Some(item())))?;
    terminal.command(Command::StartOver);
    visit::begin(&mut terminal)?;
    let began = terminal.wait_until(PATIENCE, |m| m.screen == Screen::Form);
    ensure!(began, "{:?}", terminal.model().screen);
    Ok(())
}
