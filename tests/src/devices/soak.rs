//! Hours of use of a terminal's devices in minutes: people come and go, cards are lifted too early, paper jams, papers are
//! scanned and photographed, services and cables fail, and everything is mended again. At the end no visit is lost, memory
//! is flat and no thread is left.
//!
//! The terminal is the real one without its window: model, workers, store. Refuses to judge speed.
mod measure;
mod visits;

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use hardware::card_reader::ReaderStatus;
use hardware::device::{DeviceKind, DeviceState, Trouble};
use terminal::command::Command;
use terminal::config::Config;
use terminal::headless::HeadlessTerminal;
use terminal::model::Model;
use terminal::runtime::Outside;
use virtual_reader::order::Order;

use super::Desk;
use super::deeds::Deed;
use super::scanner::Condition as Scanner;
use crate::printers::Condition;
use crate::visit::{self, wait};

pub use measure::short_folder;

/// People an hour: an ordinary day's.
const AN_HOUR: u32 = 12;
/// Hours after which all buffers have their size.
const WARM_HOURS: u32 = 2;
/// How much memory may come to what the terminal held when it was warm, in KiB: what an allocator keeps.
const GROWTH_KIB: u64 = 4 * 1024;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Soaked {
    /// Hours that were played.
    pub hours: u32,
    /// People who came.
    pub visits: u32,
    /// Submissions with a slip.
    pub slips: u32,
    /// Slips on paper.
    pub printed: u32,
    /// Those of them on A4.
    pub on_a4: u32,
    /// Pages that were scanned or photographed, and kept.
    pub pages: u32,
    /// Troubles that were made: lifted cards, jams, pulled cables, killed services, pictures that are none.
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
        ensure!(self.threads.1 == self.threads.0, "threads were left behind: {self:?}");
        let happened = [self.printed, self.on_a4, self.pages, self.troubles].iter().all(|count| *count > 0);
        ensure!(happened, "nothing happened: {self:?}");
        Ok(())
    }
}

/// A run.
struct Play<'d> {
    desk: &'d mut Desk,
    terminal: HeadlessTerminal,
    counts: Soaked,
}

/// Plays hours of use on a desk of devices with an enrolled terminal of these settings.
///
/// # Errors
/// If a visit is lost: a card that is not read, a slip that does not come, a device that does not recover.
pub fn soak(desk: &mut Desk, config: &Config, hours: u32, say: impl Fn(u32)) -> Result<Soaked> {
    let began = Instant::now();
    let before = measure::threads()?;
    let outside = Outside { scanimage: Some(desk.scanimage()), ..visit::eager() };
    let terminal = HeadlessTerminal::start_with(config, outside);
    let mut play = Play { desk, terminal, counts: Soaked { hours, ..Soaked::default() } };
    for hour in 0..hours {
        for _ in 0..AN_HOUR {
            play.visit().with_context(|| format!("{:?}", play.counts))?;
        }
        play.an_hours_trouble().with_context(|| format!("{:?}", play.counts))?;
        if hour + 1 == WARM_HOURS.min(hours) {
            play.counts.warm_kib = measure::resident_kib()?;
        }
        say(hour + 1);
    }
    wait(&mut play.terminal, "that all is at the centre", |m| m.queue.waiting == 0)?;
    let Play { mut counts, terminal, .. } = play;
    counts.end_kib = measure::resident_kib()?;
    drop(terminal);
    counts.threads = (before, measure::settled_threads(before)?);
    counts.secs = began.elapsed().as_secs();
    Ok(counts)
}

impl Play<'_> {
    /// Once an hour the service is killed, and every cable pulled.
    fn an_hours_trouble(&mut self) -> Result<()> {
        use ReaderStatus::{Empty, NoReader, ServiceOff};
        let reader = |wanted| move |m: &Model| m.reader == wanted;
        self.counts.troubles += 6;
        self.desk.act(&Deed::StopService)?;
        wait(&mut self.terminal, "that the service is off", reader(ServiceOff))?;
        self.desk.act(&Deed::StartService)?;
        wait(&mut self.terminal, "the service", reader(Empty))?;
        // It goes at the next exchange: somebody lays a card down.
        self.desk.act(&Deed::Reader(Order::UnplugAt(Some(0))))?;
        self.desk.act(&Deed::Lay("courier".into()))?;
        wait(&mut self.terminal, "that the reader is gone", reader(NoReader))?;
        self.desk.act(&Deed::Reader(Order::Remove))?;
        self.desk.act(&Deed::Reader(Order::UnplugAt(None)))?;
        wait(&mut self.terminal, "the reader", reader(Empty))?;
        self.others()
    }

    /// All other devices at once: told, and back by themselves.
    fn others(&mut self) -> Result<()> {
        let gone = [
            (DeviceKind::ReceiptPrinter, Trouble::Busy, Deed::Receipt(Condition::Offline)),
            (DeviceKind::PagePrinter, Trouble::NotFound, Deed::UnplugPage),
            (DeviceKind::Scanner, Trouble::NotFound, Deed::Scanner(Scanner::Unplugged)),
            (DeviceKind::Camera, Trouble::NotFound, Deed::CameraGone(true)),
        ];
        for (_, _, deed) in &gone {
            self.desk.act(deed)?;
        }
        self.terminal.command(Command::CheckDevices);
        for (kind, trouble, _) in gone {
            let told = |m: &Model| m.device(kind) == DeviceState::Trouble(trouble);
            wait(&mut self.terminal, &format!("the trouble of {kind:?}"), told)?;
        }
        self.desk.all_well()?;
        let well = |m: &Model| m.devices.list.iter().all(|device| device.state == DeviceState::Ready);
        wait(&mut self.terminal, "that every device is back", well)
    }
}
