//! A citizen at a headless terminal: the steps of the story, each waiting for what the screen would show.
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use domain::ids::ItemCode;
use domain::situation::Alternative;
use operator::log::LogFilter;
use operator::settings::Setting as _;
use serde_json::{Value, json};
use terminal::command::Command;
use terminal::config::{
    CameraChoice, Config, PagePrinterChoice, ReaderChoice, ReceiptPrinterChoice, ScannerChoice, ServerUrl,
    WindowSize,
};
use terminal::headless::HeadlessTerminal;
use terminal::model::{CardStep, Model, Screen, SlipView, TextSize};
use terminal::runtime::Outside;
use terminal::sync::Tuning;

use crate::binaries::{binary, repository};
use crate::device::STATION;
use crate::server::Server;

/// The story's item.
pub const ITEM: &str = "hrss.flex-enroll";
/// What is typed into the phone field.
pub const PHONE: &str = "13900139000";
/// A screen may take this long on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Settings of a terminal in this folder with a file card reader.
pub fn config(data: &Path, server: &str) -> Config {
    Config {
        data: data.to_owned(),
        assets: repository().join("assets"),
        server: ServerUrl::read(server).expect("a test names a server by its address"),
        reader: ReaderChoice::File(card_file(data)),
        readers: None,
        photo_decoder: None,
        receipt_printer: ReceiptPrinterChoice::default(),
        page_printer: PagePrinterChoice::default(),
        scanner: ScannerChoice::None,
        camera: CameraChoice::None,
        mark: None,
        window: WindowSize::Pixels(1920, 1080),
        log: LogFilter::default(),
    }
}

/// Enrols the terminal of a data folder at a station with the real program.
///
/// # Errors
/// If the program does not succeed.
pub fn enrol(server: &Server, data: &Path) -> Result<()> {
    // Over plain HTTP there is no fingerprint to hold anybody against.
    let secure = server.terminals.starts_with("https://");
    let code = if secure { server.typed_code(STATION)? } else { server.enrol_code(STATION)? };
    let output = Process::new(binary("terminal"))
        .args(["enrol", "--server", &server.terminals, "--code", &code, "--data"])
        .arg(data)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Where the simulated card lies.
pub fn card_file(data: &Path) -> PathBuf {
    data.join("card.toml")
}

/// A terminal that tries again quickly, so that tests need not wait for a back-off.
pub fn start(config: &Config) -> HeadlessTerminal {
    HeadlessTerminal::start_with(config, eager())
}

/// What lies outside of a terminal that tries again quickly.
pub fn eager() -> Outside {
    let tuning = Tuning { backoff_base_ms: 50, backoff_cap_ms: 200, news_every_ms: 100, ..Tuning::default() };
    Outside { tuning, ..Outside::default() }
}

/// Lays down a sample card.
///
/// # Errors
/// If there is no such card.
pub fn lay(data: &Path, name: &str) -> Result<()> {
    let card = std::fs::read(repository().join("assets/cards").join(format!("{name}.toml")))?;
    let target = card_file(data);
    let new = target.with_extension("new");
    std::fs::write(&new, card)?;
    Ok(std::fs::rename(new, target)?)
}

/// Lifts the card.
///
/// # Errors
/// If none lies there.
pub fn lift(data: &Path) -> Result<()> {
    Ok(std::fs::remove_file(card_file(data))?)
}

/// Waits for what the screen would show.
///
/// # Errors
/// If it does not come.
pub fn wait(terminal: &mut HeadlessTerminal, what: &str, wanted: impl Fn(&Model) -> bool) -> Result<()> {
    let came = terminal.wait_until(PATIENCE, wanted);
    ensure!(came, "{what} did not come; the screen is {:?}", terminal.model().screen);
    Ok(())
}

/// From the attract page to the item's guide by searching for its initials.
///
/// # Errors
/// If the item is not among the first results.
pub fn search(terminal: &mut HeadlessTerminal) -> Result<()> {
    let code: ItemCode = ITEM.parse()?;
    terminal.command(Command::Start(TextSize::Normal));
    terminal.command(Command::OpenSearch);
    for end in 1..=6 {
        terminal.command(Command::SetQuery("lhjycb"[..end].to_owned()));
    }
    let hits = &terminal.model().search.found.hits;
    ensure!(hits.iter().take(4).any(|h| h.code == code), "not found: {hits:?}");
    terminal.command(Command::OpenGuide(code));
    Ok(())
}

/// From the guide through the situation questions, each answered with the first option that does not end the matter,
/// to the card page.
///
/// # Errors
/// If the questions do not come to an end.
pub fn begin(terminal: &mut HeadlessTerminal) -> Result<()> {
    terminal.command(Command::Begin);
    for _ in 0..20 {
        match terminal.model().screen {
            Screen::Question => choose(terminal, None)?,
            Screen::Needs => {}
            _ => return Ok(()),
        }
        terminal.command(Command::Continue);
    }
    bail!("the questions do not end, the screen is {:?}", terminal.model().screen)
}

/// Chooses an option of the question on the screen, the first that does not end the matter if none is named.
///
/// # Errors
/// If there is no question or no such option.
pub fn choose(terminal: &mut HeadlessTerminal, id: Option<&str>) -> Result<()> {
    let question = terminal.model().question().context("no question is on the screen")?;
    let wanted = |option: &&Alternative| id.map_or(option.ends_with.is_none(), |id| option.id == id);
    let option = question.options.iter().find(wanted).context("no such option")?.id.clone();
    let question = question.id.clone();
    terminal.command(Command::Choose { question, option: Some(option) });
    Ok(())
}

/// From the guide through the card page to the form.
///
/// # Errors
/// If the card is not read.
pub fn identify(terminal: &mut HeadlessTerminal, data: &Path) -> Result<()> {
    begin(terminal)?;
    laid(terminal, data)
}

/// Lays the card down on the card page and goes on to the form, a fresh one if a draft is offered.
///
/// # Errors
/// If the card is not read.
pub fn laid(terminal: &mut HeadlessTerminal, data: &Path) -> Result<()> {
    on_the_card_page(terminal);
    lay(data, "courier")?;
    wait(terminal, "the card", |m| {
        m.session.as_ref().is_some_and(|s| s.card == CardStep::Done && s.drafts.lines.is_some())
    })?;
    to_the_form(terminal)
}

/// On from what the answers ask for, if that is on the screen.
pub fn on_the_card_page(terminal: &mut HeadlessTerminal) {
    if terminal.model().screen == Screen::Needs {
        terminal.command(Command::Continue);
    }
}

/// From a card that was read to the form, a fresh one if a draft is offered.
///
/// # Errors
/// If it does not come.
pub fn to_the_form(terminal: &mut HeadlessTerminal) -> Result<()> {
    if terminal.model().screen == Screen::Card {
        terminal.command(Command::Continue);
    }
    if matches!(terminal.model().screen, Screen::Resume(_)) {
        terminal.command(Command::StartOver);
    }
    ensure!(terminal.model().screen == Screen::Form, "no form but {:?}", terminal.model().screen);
    Ok(())
}

/// The answers of the story by field.
pub fn answers() -> Vec<(&'static str, Value)> {
    let strokes: Vec<[i64; 3]> = (0..40).map(|n| [n * 9, 100 + (n % 7) * 11, n * 20]).collect();
    let today = domain::date::CivilDate::in_china(crate::device::now_ms()).to_string();
    vec![
        ("phone", json!(PHONE)),
        ("hukou_region", json!("630102")),
        ("base_level", json!("60%")),
        ("start_month", json!(today[..7])),
        ("job_type", json!("网约配送")),
        ("sign", json!({ "strokes": [strokes], "width": 800, "height": 300 })),
    ]
}

/// Fills in every page and comes to the check page; the address is the card's.
///
/// # Errors
/// If a page does not go on.
pub fn fill(terminal: &mut HeadlessTerminal) -> Result<()> {
    fill_with(terminal, &answers())
}

/// Fills in every page with these answers and comes to the check page; the address is the card's.
///
/// # Errors
/// If a page does not go on.
pub fn fill_with(terminal: &mut HeadlessTerminal, answers: &[(&str, Value)]) -> Result<()> {
    for _ in 0..20 {
        if terminal.model().screen != Screen::Form {
            break;
        }
        terminal.command(Command::UseCardAddress("residence_addr".to_owned()));
        for (key, value) in answers {
            terminal.command(Command::Answer { key: (*key).to_owned(), value: value.clone() });
        }
        terminal.command(Command::Continue);
        let errors = terminal.model().session.as_ref().map(|s| s.errors.clone()).unwrap_or_default();
        ensure!(errors.is_empty(), "{errors:?}");
    }
    ensure!(terminal.model().screen == Screen::Check, "no check page but {:?}", terminal.model().screen);
    Ok(())
}

/// Fills in the first page, goes on, and waits until the form is kept as a draft.
///
/// # Errors
/// If it is not kept.
pub fn begin_draft(terminal: &mut HeadlessTerminal) -> Result<()> {
    wait(terminal, "the look for drafts", |m| {
        m.session.as_ref().is_some_and(|s| s.drafts.lines.is_some() && s.envelope_id.is_some())
    })?;
    for (key, value) in answers() {
        terminal.command(Command::Answer { key: key.to_owned(), value });
    }
    terminal.command(Command::Continue);
    wait(terminal, "the draft", |m| m.session.as_ref().is_some_and(|s| s.drafts.kept))
}

/// Submits, with a second tap, and gives the slip.
///
/// # Errors
/// If no slip comes.
pub fn submit(terminal: &mut HeadlessTerminal) -> Result<SlipView> {
    terminal.command(Command::Submit);
    terminal.command(Command::Submit);
    wait(terminal, "the slip", |m| m.screen == Screen::Slip)?;
    terminal.model().session.as_ref().and_then(|s| s.slip.clone()).context("a slip")
}

/// The whole visit up to the slip.
///
/// # Errors
/// As its steps.
pub fn whole(terminal: &mut HeadlessTerminal, data: &Path) -> Result<SlipView> {
    search(terminal)?;
    identify(terminal, data)?;
    fill(terminal)?;
    submit(terminal)
}

/// Waits until the slip on the screen says 已送达中心.
///
/// # Errors
/// If the receipt does not come.
pub fn delivered(terminal: &mut HeadlessTerminal) -> Result<SlipView> {
    let slip = |m: &Model| m.session.as_ref().and_then(|s| s.slip.clone());
    wait(terminal, "the receipt", |m| slip(m).is_some_and(|s| s.marks.delivered_ms.is_some()))?;
    slip(terminal.model()).context("a slip")
}
