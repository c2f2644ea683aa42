//! The board on which all threads note how their devices are, and the thread that looks after them.
//!
//! Whoever works with a device says when work begins and how it ended; between works the supervisor looks at it: at
//! once when asked, once a minute while it is well, and later and later while it is not. A device that answers nothing
//! for longer than any work takes is told as silent. Refuses to know how a device is asked: that is its [`Probe`].
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::wire::v1::{DeviceReport, DeviceTrouble};
use hardware::camera::FrameSource;
use hardware::card_reader::{ReadError, ReaderStatus};
use hardware::device::{DeviceKind, DeviceState, Trouble};
use hardware::health::{Counts, Health};
use hardware::scanner::Scanner;
use hardware::trace::{Line, Trace};

use crate::clock::Clock;

/// Lines of the trace that are shown, at most: two pages of the largest screen.
const MAX_SHOWN_LINES: usize = 40;

/// Looks at one device, without doing anything that a citizen would see. Bounded in time by whoever implements it.
pub trait Probe: Send {
    /// Which device.
    fn kind(&self) -> DeviceKind;

    /// How it is.
    ///
    /// # Errors
    /// What is wrong with it.
    fn look(&mut self) -> Result<(), Trouble>;
}

/// Looks at a scanner: asks whether it is listed, and scans nothing.
pub struct ScannerProbe(pub Box<dyn Scanner>);

impl Probe for ScannerProbe {
    fn kind(&self) -> DeviceKind {
        DeviceKind::Scanner
    }
    fn look(&mut self) -> Result<(), Trouble> {
        self.0.look().map_err(|error| error.trouble().unwrap_or(Trouble::OutOfOrder))
    }
}

/// Looks whether a camera gives frames.
pub struct CameraProbe(pub Box<dyn FrameSource>);

impl Probe for CameraProbe {
    fn kind(&self) -> DeviceKind {
        DeviceKind::Camera
    }
    fn look(&mut self) -> Result<(), Trouble> {
        self.0.look().map_err(|error| error.trouble())
    }
}

/// One device as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceView {
    /// Which.
    pub kind: DeviceKind,
    /// How it is.
    pub state: DeviceState,
    /// For how long, milliseconds.
    pub for_ms: i64,
    /// What it went through.
    pub counts: Counts,
}

/// How the devices are; shared by all threads.
pub struct Board {
    clock: Arc<dyn Clock>,
    healths: Mutex<BTreeMap<DeviceKind, Health>>,
    trace: Trace,
    /// Somebody looks at the trace.
    watched: AtomicBool,
}

impl Board {
    /// A board of these devices, none of which was looked at yet.
    pub fn new(clock: Arc<dyn Clock>, kinds: impl IntoIterator<Item = DeviceKind>) -> Self {
        let now_ms = steady_ms(clock.as_ref());
        let healths = kinds.into_iter().map(|kind| (kind, Health::unknown(now_ms))).collect();
        Self { clock, healths: Mutex::new(healths), trace: Trace::default(), watched: AtomicBool::new(false) }
    }

    /// What was said to readers.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Somebody looks at the trace, or nobody does any more.
    pub fn watch_trace(&self, on: bool) {
        self.watched.store(on, Ordering::SeqCst);
    }

    /// How this device is.
    pub fn state(&self, kind: DeviceKind) -> DeviceState {
        self.healths().get(&kind).map_or(DeviceState::Off, Health::state)
    }

    /// Whether this device is to be looked at now. Whoever works is not disturbed.
    pub fn is_due(&self, kind: DeviceKind) -> bool {
        let now_ms = self.now_ms();
        self.healths().get(&kind).is_some_and(|health| is_due(health, now_ms))
    }

    fn is_at_work(&self, kind: DeviceKind) -> bool {
        self.healths().get(&kind).is_some_and(Health::is_at_work)
    }

    /// Work with this device begins.
    pub fn begin(&self, kind: DeviceKind) {
        self.change(kind, Health::begin);
    }

    /// Work with this device ended: done, perhaps with what will soon stop it, or failed.
    pub fn end(&self, kind: DeviceKind, result: Result<Option<Trouble>, Trouble>) {
        self.change(kind, |health, now_ms| match result {
            Ok(warning) => health.done(now_ms, warning),
            Err(trouble) => health.failed(now_ms, trouble),
        });
    }

    /// Work failed through no fault of the device.
    pub fn spoilt(&self, kind: DeviceKind) {
        self.change(kind, Health::spoilt);
    }

    /// The device was looked at, or told something by itself.
    pub fn seen(&self, kind: DeviceKind, result: Result<(), Trouble>) {
        self.change(kind, |health, now_ms| health.seen(now_ms, result));
    }

    /// What the card reader says by itself, and whether one of several is missed.
    pub fn reader_says(&self, status: ReaderStatus, misses: bool) {
        match DeviceState::from(status) {
            DeviceState::Off | DeviceState::Unknown => {}
            DeviceState::Trouble(trouble) => self.seen(DeviceKind::CardReader, Err(trouble)),
            // What is done with a card is said by whoever reads it.
            DeviceState::Ready | DeviceState::Working => {
                self.seen(DeviceKind::CardReader, if misses { Err(Trouble::OneLost) } else { Ok(()) });
            }
        }
    }

    /// One of several readers comes to be missed, or none any more, and nothing else changed. What else is wrong with the
    /// readers stands as it is: this says nothing of it.
    pub fn reader_misses(&self, misses: bool) {
        let kind = DeviceKind::CardReader;
        match self.state(kind) {
            DeviceState::Ready | DeviceState::Working if misses => self.seen(kind, Err(Trouble::OneLost)),
            DeviceState::Trouble(Trouble::OneLost) if !misses => self.seen(kind, Ok(())),
            _ => {}
        }
    }

    /// A card was read, or could not be read; and whether one of several readers is missed.
    pub fn card_read(&self, error: Option<ReadError>, misses: bool) {
        let kind = DeviceKind::CardReader;
        match error {
            None => self.end(kind, Ok(misses.then_some(Trouble::OneLost))),
            Some(ReadError::OutOfOrder) => self.end(kind, Err(Trouble::OutOfOrder)),
            Some(ReadError::Busy) => self.end(kind, Err(Trouble::Busy)),
            Some(ReadError::ReaderGone) => self.end(kind, Err(Trouble::NotFound)),
            Some(ReadError::NoSecurityModule) => self.end(kind, Err(Trouble::Unsupported)),
            // A card that was lifted, damaged or of another kind says nothing of the reader.
            Some(_) => self.spoilt(kind),
        }
    }

    /// Wants every device looked at now.
    pub fn check_all_soon(&self) {
        let now_ms = self.now_ms();
        self.healths().values_mut().for_each(|health| health.check_soon(now_ms));
    }

    /// How all of them are, in the order of a technician's list.
    pub fn view(&self) -> Vec<DeviceView> {
        let now_ms = self.now_ms();
        let view = |(kind, health): (&DeviceKind, &Health)| DeviceView {
            kind: *kind,
            state: health.state(),
            for_ms: now_ms.saturating_sub(health.since_ms()),
            counts: health.counts().clone(),
        };
        self.healths().iter().map(view).collect()
    }

    /// How all of them are, for the centre.
    pub fn reports(&self) -> Vec<DeviceReport> {
        self.view().into_iter().map(report).collect()
    }

    /// The devices that are to be looked at now, and those that the watchdog found silent.
    fn due(&self) -> (Vec<DeviceKind>, Vec<DeviceKind>) {
        let now_ms = self.now_ms();
        let mut healths = self.healths();
        let silent = healths.iter_mut().filter_map(|(kind, health)| health.watch(now_ms).then_some(*kind));
        let silent = silent.collect();
        let due = healths.iter().filter(|(_, health)| is_due(health, now_ms));
        (due.map(|(kind, _)| *kind).collect(), silent)
    }

    fn change(&self, kind: DeviceKind, change: impl FnOnce(&mut Health, i64)) {
        let now_ms = self.now_ms();
        let mut healths = self.healths();
        let Some(health) = healths.get_mut(&kind) else { return };
        let before = health.state();
        change(health, now_ms);
        let after = health.state();
        drop(healths);
        match after {
            _ if after == before => {}
            DeviceState::Trouble(trouble) => {
                tracing::warn!(device = kind.name(), trouble = trouble.name(), "a device has a trouble");
            }
            DeviceState::Ready if matches!(before, DeviceState::Trouble(_)) => {
                tracing::info!(device = kind.name(), "a device is well again");
            }
            _ => {}
        }
    }

    fn now_ms(&self) -> i64 {
        steady_ms(self.clock.as_ref())
    }

    fn healths(&self) -> MutexGuard<'_, BTreeMap<DeviceKind, Health>> {
        self.healths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks after the devices of a board; owned by one thread.
pub struct Supervisor {
    board: Arc<Board>,
    probes: Vec<Box<dyn Probe>>,
    shown: Vec<(DeviceKind, DeviceState)>,
    /// How many lines of the trace there were when it was shown last; none while nobody looks.
    traced: Option<u64>,
}

/// What is new after a round; none of what is not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// How the devices are, if a state changed.
    pub view: Option<Vec<DeviceView>>,
    /// The newest exchanges with the reader, if somebody looks and there are new ones.
    pub lines: Option<Vec<Line>>,
}

impl Supervisor {
    /// A supervisor with what looks at the devices. A device without a probe is only watched.
    pub fn new(board: Arc<Board>, probes: Vec<Box<dyn Probe>>) -> Self {
        Self { board, probes, shown: Vec::new(), traced: None }
    }

    /// One round: looks at whatever is due, and gives what is new since the last round.
    pub fn round(&mut self) -> News {
        let (due, silent) = self.board.due();
        for kind in silent {
            tracing::error!(device = kind.name(), "a device has been at work for too long");
        }
        for probe in self.probes.iter_mut().filter(|probe| due.contains(&probe.kind())) {
            let result = probe.look();
            // Work may have begun meanwhile: what it finds counts more.
            if !self.board.is_at_work(probe.kind()) {
                self.board.seen(probe.kind(), result);
            }
        }
        let view = self.board.view();
        let states: Vec<_> = view.iter().map(|device| (device.kind, device.state)).collect();
        let view = (states != self.shown).then(|| {
            self.shown = states;
            view
        });
        News { view, lines: self.new_lines() }
    }

    fn new_lines(&mut self) -> Option<Vec<Line>> {
        if !self.board.watched.load(Ordering::SeqCst) {
            self.traced = None;
            return None;
        }
        let count = self.board.trace.count();
        (self.traced != Some(count)).then(|| {
            self.traced = Some(count);
            self.board.trace.newest(MAX_SHOWN_LINES)
        })
    }
}

fn is_due(health: &Health, now_ms: i64) -> bool {
    !health.is_at_work() && health.next_check_ms() <= now_ms
}

fn steady_ms(clock: &dyn Clock) -> i64 {
    i64::try_from(clock.boot_ms()).unwrap_or(i64::MAX)
}

fn report(view: DeviceView) -> DeviceReport {
    let trouble = match view.state {
        DeviceState::Trouble(trouble) => Some(wire_trouble(trouble)),
        _ => None,
    };
    DeviceReport {
        device: view.kind.name().to_owned(),
        trouble,
        for_secs: u64::try_from(view.for_ms / 1_000).unwrap_or(0),
        done: view.counts.done,
        failed: view.counts.failed,
        recovered: view.counts.recovered,
    }
}

fn wire_trouble(trouble: Trouble) -> DeviceTrouble {
    match trouble {
        Trouble::NotFound => DeviceTrouble::NotFound,
        Trouble::ServiceOff => DeviceTrouble::ServiceOff,
        Trouble::Silent => DeviceTrouble::Silent,
        Trouble::Busy => DeviceTrouble::Busy,
        Trouble::CoverOpen => DeviceTrouble::CoverOpen,
        Trouble::Jammed => DeviceTrouble::Jammed,
        Trouble::NoPaper => DeviceTrouble::NoPaper,
        Trouble::PaperLow => DeviceTrouble::PaperLow,
        Trouble::Unclaimed => DeviceTrouble::Unclaimed,
        Trouble::OneLost => DeviceTrouble::OneLost,
        Trouble::Unsupported => DeviceTrouble::Unsupported,
        Trouble::OutOfOrder => DeviceTrouble::OutOfOrder,
    }
}

#[cfg(test)]
mod tests;
