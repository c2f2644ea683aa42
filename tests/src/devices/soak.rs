//! Hours of use of a terminal's devices in minutes: people come and go, cards are lifted too early, paper jams, services
//! and cables fail, and everything is mended again. At the end no visit is lost, memory is flat and no thread is left.
//!
//! The terminal is the real one without its window: model, workers, store. Refuses to judge speed.
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use hardware::device::DeviceKind;
use terminal::command::Command;
use terminal::config::Config;
use terminal::headless::HeadlessTerminal;
use terminal::model::{CardStep, Model, PrintStep, Screen, TextSize};
use virtual_reader::order::Order;

use super::Desk;
use super::deeds::Deed;
use crate::printers::Condition;
use crate::visit;

/// People an hour: an ordinary day's.
const AN_HOUR: u32 = 12;
/// Hours after which all buffers have their size.
const WARM_HOURS: u32 = 2;
/// How much memory may come to what the terminal held when it was warm, in KiB: what an allocator keeps.
const GROWTH_KIB: u64 = 4 * 1024;
/// Every so many visits end with a slip on paper.
const SLIP_EVERY: u32 = 4;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Soaked {
    /// Hours that were played.
    pub hours: u32,
    /// People who came.
    pub visits: u32,
    /// Submissions with a slip.
    pub slips: u32,
    /// Slips on paper.
    pub printed: u32,
    /// Troubles that were made: lifted cards, jams, pulled cables, killed services.
    pub troubles: u32,
    /// Resident memory when the terminal was warm, KiB.
    pub warm_kib: u64,
    /// At the end.
    pub end_kib: u64,
    /// Threads before the terminal started, and after it had ended.
    pub threads: (usize, usize),
    /// Seconds that it took.
    pub secs: u64,
}

impl Soaked {
    /// Says what is wrong, if anything is.
    ///
    /// # Errors
    /// What is wrong.
    pub fn judge(&self) -> Result<()> {
        let grown = self.end_kib.saturating_sub(self.warm_kib);
        ensure!(grown <= GROWTH_KIB, "memory grew by {grown} KiB: {self:?}");
        ensure!(self.threads.1 <= self.threads.0, "threads were left behind: {self:?}");
        ensure!(self.printed > 0 && self.troubles > 0, "nothing happened: {self:?}");
        Ok(())
    }
}

/// Plays hours of use on a desk of devices with an enrolled terminal of these settings.
///
/// # Errors
/// If a visit is lost: a card that is not read, a slip that does not come, a device that does not recover.
pub fn soak(desk: &mut Desk, config: &Config, hours: u32, say: impl Fn(u32)) -> Result<Soaked> {
    let began = Instant::now();
    let threads_before = threads()?;
    let mut counts = Soaked {
        hours,
        visits: 0,
        slips: 0,
        printed: 0,
        troubles: 0,
        warm_kib: 0,
        end_kib: 0,
        threads: (threads_before, 0),
        secs: 0,
    };
    let mut terminal = visit::start(config);
    for hour in 0..hours {
        for _ in 0..AN_HOUR {
            one_visit(desk, &mut terminal, &mut counts).with_context(|| format!("{counts:?}"))?;
        }
        an_hours_trouble(desk, &mut terminal, &mut counts).with_context(|| format!("{counts:?}"))?;
        if hour + 1 == WARM_HOURS.min(hours) {
            counts.warm_kib = resident_kib()?;
        }
        say(hour + 1);
    }
    counts.end_kib = resident_kib()?;
    drop(terminal);
    counts.threads.1 = settled_threads(threads_before)?;
    counts.secs = began.elapsed().as_secs();
    Ok(counts)
}

/// Somebody comes, lays the card down, perhaps hands something in and takes the slip along, and goes.
fn one_visit(desk: &mut Desk, terminal: &mut HeadlessTerminal, counts: &mut Soaked) -> Result<()> {
    counts.visits += 1;
    let hands_in = counts.visits.is_multiple_of(SLIP_EVERY);
    if hands_in {
        visit::search(terminal)?;
        visit::begin(terminal)?;
        visit::on_the_card_page(terminal);
    } else {
        terminal.command(Command::Start(TextSize::Normal));
        terminal.command(Command::MyCases);
    }
    if counts.visits.is_multiple_of(5) {
        // Lifted too early, and laid down again.
        counts.troubles += 1;
        desk.act(&Deed::Reader(Order::RemoveMidRead))?;
        desk.act(&Deed::Lay("courier".into()))?;
        visit::wait(terminal, "that the card was lifted", |m| {
            m.session.as_ref().is_some_and(|s| matches!(s.card, CardStep::Failed(_)))
        })?;
    }
    desk.act(&Deed::Lay("courier".into()))?;
    visit::wait(terminal, "the card", |m| {
        m.session.as_ref().is_some_and(|s| s.card == CardStep::Done && s.drafts.lines.is_some())
    })?;
    if hands_in {
        visit::to_the_form(terminal)?;
        visit::fill(terminal)?;
        visit::submit(terminal)?;
        counts.slips += 1;
        print(desk, terminal, counts)?;
    }
    terminal.command(Command::Finish);
    visit::wait(terminal, "the attract page", |m| m.screen == Screen::Attract && m.session.is_none())?;
    desk.act(&Deed::Reader(Order::Remove))?;
    visit::wait(terminal, "that the card is gone", |m| m.reader == hardware::card_reader::ReaderStatus::Empty)
}

/// The slip on paper; every third time the printer is in trouble first, and the citizen presses again.
fn print(desk: &mut Desk, terminal: &mut HeadlessTerminal, counts: &mut Soaked) -> Result<()> {
    const TROUBLES: [Condition; 3] = [Condition::Jammed, Condition::NoPaper, Condition::CoverOpen];
    let before = desk.receipt().strips().len();
    if counts.slips.is_multiple_of(3) {
        counts.troubles += 1;
        let trouble = TROUBLES[(counts.slips as usize / 3) % TROUBLES.len()];
        desk.act(&Deed::Receipt(trouble))?;
        terminal.command(Command::Print);
        visit::wait(terminal, "the words of a trouble", |m| step(m).is_some_and(|s| s.trouble().is_some()))?;
        desk.act(&Deed::Receipt(Condition::Well))?;
    }
    // What waits for the printer comes by itself; whatever ended is asked for once more.
    if !step(terminal.model()).is_some_and(PrintStep::is_open) {
        terminal.command(Command::Print);
    }
    visit::wait(terminal, "the slip on paper", |m| step(m) == Some(PrintStep::Printed))?;
    let after = desk.receipt().strips().len();
    ensure!(after == before + 1, "{} strips came out for one slip", after - before);
    counts.printed += 1;
    Ok(())
}

/// Where the paper of the slip on the screen is.
fn step(model: &Model) -> Option<PrintStep> {
    let slip = model.session.as_ref().and_then(|s| s.slip.as_ref())?;
    model.print_of(slip.envelope_id)
}

/// Once an hour the service is killed, and the cable pulled.
fn an_hours_trouble(desk: &mut Desk, terminal: &mut HeadlessTerminal, counts: &mut Soaked) -> Result<()> {
    use hardware::card_reader::ReaderStatus::{Empty, NoReader, ServiceOff};
    counts.troubles += 2;
    desk.act(&Deed::StopService)?;
    visit::wait(terminal, "that the service is off", |m| m.reader == ServiceOff)?;
    desk.act(&Deed::StartService)?;
    visit::wait(terminal, "the service", |m| m.reader == Empty)?;
    // It goes at the next exchange: somebody lays a card down.
    desk.act(&Deed::Reader(Order::UnplugAt(Some(0))))?;
    desk.act(&Deed::Lay("courier".into()))?;
    visit::wait(terminal, "that the reader is gone", |m| m.reader == NoReader)?;
    desk.act(&Deed::Reader(Order::Remove))?;
    desk.act(&Deed::Reader(Order::UnplugAt(None)))?;
    visit::wait(terminal, "the reader", |m| m.reader == Empty)?;
    visit::wait(terminal, "that the board says so", |m| m.device(DeviceKind::CardReader).is_usable())
}

/// Resident memory of this process, KiB.
fn resident_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    line.trim().trim_end_matches("kB").trim().parse().context("VmRSS")
}

fn threads() -> Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

/// Threads, once those that were told to end have ended.
fn settled_threads(wanted: usize) -> Result<usize> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let now = threads()?;
        if now <= wanted || Instant::now() >= end {
            return Ok(now);
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A folder short enough for a socket's path.
///
/// # Errors
/// If it cannot be made.
pub fn short_folder() -> Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new().prefix("jd").tempdir_in(Path::new("/tmp"))?)
}
