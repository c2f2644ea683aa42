//! A citizen hands in papers at a headless terminal: the way to the page on which they are taken, and what is done there.
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use domain::ids::ItemCode;
use hardware::pages::Finding;
use hardware::pages::invented::Invented;
use serde_json::{Value, json};
use terminal::command::Command;
use terminal::headless::HeadlessTerminal;
use terminal::model::{CaptureStep, Model, Screen, Session, Shown, TextSize, Way};

use crate::visit::{self, wait};

/// An item that asks for papers, ten at most.
pub const ITEM: &str = "nhsa.reimb";
/// The field of its form that takes them.
pub const FIELD: &str = "scan";
/// The longest that a picture of the camera may take.
pub const A_PICTURE: Duration = Duration::from_secs(30);

/// Whose visit it is.
pub fn session(model: &Model) -> Option<&Session> {
    model.session.as_ref()
}

/// What happens on the page on which papers are taken.
pub fn step(model: &Model) -> Option<&CaptureStep> {
    session(model)?.capture.as_ref().map(|capture| &capture.step)
}

/// The page that is shown before it is kept.
pub fn shown(model: &Model) -> Option<&Shown> {
    match step(model)? {
        CaptureStep::Shown(shown) => Some(shown),
        _ => None,
    }
}

/// How many pages there are, once nothing is being done.
pub fn settled(model: &Model) -> Option<usize> {
    matches!(step(model)?, CaptureStep::Pages).then(|| session(model).map_or(0, |s| s.captured_pages().len()))
}

/// Why the last try gave nothing.
pub fn failed(model: &Model) -> Option<&'static str> {
    session(model)?.capture.as_ref()?.failed
}

/// A page of paper on a table, large enough to be read.
pub fn clear() -> Invented {
    Invented { width: 2_000, height: 1_500, ..Invented::default() }
}

/// From the attract page to the guide of the item.
///
/// # Errors
/// If there is no such item.
pub fn to_guide(terminal: &mut HeadlessTerminal) -> Result<()> {
    let code: ItemCode = ITEM.parse()?;
    terminal.command(Command::Start(TextSize::Normal));
    terminal.command(Command::OpenGuide(code));
    Ok(())
}

/// From the form's first page to the one that takes papers.
///
/// # Errors
/// If a page does not go on.
pub fn to_field(terminal: &mut HeadlessTerminal) -> Result<()> {
    wait(terminal, "the form's id", |m| session(m).is_some_and(|s| s.envelope_id.is_some()))?;
    fill_until(terminal, FIELD)
}

/// From the page of the form to the one on which papers are taken.
///
/// # Errors
/// If it does not open.
pub fn open(terminal: &mut HeadlessTerminal) -> Result<()> {
    terminal.command(Command::OpenCapture(FIELD.to_owned()));
    ensure!(terminal.model().screen == Screen::Capture, "{:?}", terminal.model().screen);
    Ok(())
}

/// From the attract page to the page on which papers are taken, with a card of a file reader.
///
/// # Errors
/// As its steps.
pub fn to_papers(terminal: &mut HeadlessTerminal, data: &Path) -> Result<()> {
    to_guide(terminal)?;
    visit::identify(terminal, data)?;
    to_field(terminal)?;
    open(terminal)
}

/// From the page on which papers are taken to the check page.
///
/// # Errors
/// If a page does not go on.
pub fn to_check(terminal: &mut HeadlessTerminal) -> Result<()> {
    terminal.command(Command::Continue);
    terminal.command(Command::Continue);
    fill_until(terminal, "nothing")?;
    ensure!(terminal.model().screen == Screen::Check, "no check page but {:?}", terminal.model().screen);
    Ok(())
}

/// Answers page after page up to the one with this field.
///
/// # Errors
/// If a page does not go on.
pub fn fill_until(terminal: &mut HeadlessTerminal, key: &str) -> Result<()> {
    let mut answers = visit::answers();
    answers.extend([
        ("hospital", json!("样例医院")),
        ("start_date", json!("2026-11-02")),
        ("end_date", json!("2026-11-05")),
        ("amount", json!(123_400)),
        ("bank_card", json!("6200000000000005")),
        ("bank_name", json!("建设银行")),
    ]);
    for _ in 0..20 {
        let Some(session) = session(terminal.model()) else { break };
        let on_page = |key: &str| session.plan.pages.get(session.page).is_some_and(|page| page.has(key));
        if terminal.model().screen != Screen::Form || on_page(key) {
            break;
        }
        answer(terminal, &answers);
        terminal.command(Command::Continue);
        let errors = terminal.model().session.as_ref().map(|s| s.errors.clone()).unwrap_or_default();
        ensure!(errors.is_empty(), "{errors:?}");
    }
    Ok(())
}

fn answer(terminal: &mut HeadlessTerminal, answers: &[(&str, Value)]) {
    for (key, value) in answers {
        terminal.command(Command::Answer { key: (*key).to_owned(), value: value.clone() });
    }
}

/// Takes a page and waits until it is shown; gives what is wrong with it.
///
/// # Errors
/// If it does not come.
pub fn take(terminal: &mut HeadlessTerminal, way: Way) -> Result<Vec<Finding>> {
    terminal.command(Command::TakePage(way));
    let came = terminal.wait_until(A_PICTURE, |m| shown(m).is_some());
    ensure!(came, "no page by {way:?}: {:?}", failed(terminal.model()));
    Ok(shown(terminal.model()).context("a page")?.page.findings.clone())
}

/// Tries to take a page and waits for the words of its failure.
///
/// # Errors
/// If it does not fail so.
pub fn fails(terminal: &mut HeadlessTerminal, way: Way, key: &str) -> Result<()> {
    terminal.command(Command::TakePage(way));
    wait(terminal, key, |m| settled(m).is_some() && failed(m).is_some())?;
    ensure!(failed(terminal.model()) == Some(key), "{:?} for {key}", failed(terminal.model()));
    Ok(())
}

/// Keeps the shown page and waits until there are so many.
///
/// # Errors
/// If it is not kept.
pub fn use_it(terminal: &mut HeadlessTerminal, pages: usize) -> Result<()> {
    terminal.command(Command::UsePage);
    wait(terminal, "the kept page", |m| settled(m) == Some(pages))
}
