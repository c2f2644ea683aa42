//! The world of a simulation: one heap of events, one thread, one source of randomness.
//!
//! Citizens, wakes of engines, messages on their way, and faults are events; each is handled to its end before the next.
//! Refuses to look at the machine's clock, to start threads, and to depend on any order but that of time and of making.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use domain::envelope::Suite;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use terminal::sync::Begun;
use terminal::sync::transport::TransportError;

use super::centre::SimulatedCentre;
use super::clock::Time;
use super::disk::Disk;
use super::faults::Fault;
use super::form::{MOST_PAGES, catalogue_with_pages};
use super::log::Log;
use super::network::{self, Answer, Call, Link, PATIENCE_MS, Way, WayBack, Weather};
use super::terminal::{Odd, SimulatedTerminal};
use super::{Options, START_MS};
use crate::history::{History, Op};

pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Citizens come between these hours of the simulated day, which begins at seven.
const OPENS_MS: i64 = HOUR_MS;
const CLOSES_MS: i64 = 10 * HOUR_MS;
/// Faults end then, on the last day for good.
pub const CALM_MS: i64 = 11 * HOUR_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// What happens.
#[derive(Debug)]
pub enum Event {
    /// A citizen comes to a terminal.
    Citizen(usize),
    /// A terminal's engine looks what to do, if this is its newest wake.
    Wake(usize, u64),
    /// A call arrives at the centre.
    Arrives(usize, u64, Arc<Call>),
    /// The link of a call breaks when so many of a hundred of its bytes are at the centre.
    Cut(Call, u8),
    /// An answer arrives at the terminal that waits for it.
    Answer(usize, u64, Answer),
    /// A terminal is switched on.
    Start(usize),
    /// The centre is started.
    StartCentre,
    /// The centre's jobs look.
    Jobs,
    /// Departments decide.
    Decide,
    /// The centre's store is copied.
    Copy,
    /// A fault comes.
    Fault(Fault),
    /// A terminal's store is set back, or its disk slow, full, its clock wrong no more.
    Heal(usize, Fault),
    /// The centre is well again.
    HealCentre(Fault),
    /// A link is in this state from now on.
    Link(usize, Link),
    /// The printer of a terminal has its turn.
    Print(usize),
    /// A terminal whose identity was lost is enrolled anew.
    Enrol(usize),
}

/// Everything that there is.
pub struct World {
    pub time: Arc<Time>,
    pub options: Options,
    pub folder: PathBuf,
    pub terminals: Vec<SimulatedTerminal>,
    pub links: Vec<Link>,
    pub centre: SimulatedCentre,
    pub weather: Weather,
    pub history: History,
    pub counts: BTreeMap<&'static str, u64>,
    pub rng: ChaCha20Rng,
    pub log: Log,
    pub events: u64,
    /// Faults have ended, and departments rest.
    pub is_calm: bool,
    heap: BTreeMap<(i64, u64), Event>,
    order: u64,
}

impl World {
    /// A centre with its enrolled terminals, before the first day.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn new(options: &Options, folder: &Path) -> Result<Self> {
        let time = Arc::new(Time::default());
        time.set(START_MS);
        let mut rng = ChaCha20Rng::seed_from_u64(options.seed);
        let disk = Disk::new(&folder.join("centre"))?;
        let copy = folder.join("copy");
        // Every third seed seals in the national suite; the seeds of earlier findings mean what they did.
        let suite = if options.seed % 3 == 2 { Suite::Two } else { Suite::One };
        let around = (time.clone(), rng.next_u64(), catalogue_with_pages()?);
        let mut centre = SimulatedCentre::new(suite, disk, copy, around);
        centre.start().context("the centre")?;
        let mut world = Self {
            time,
            options: options.clone(),
            folder: folder.to_owned(),
            terminals: Vec::new(),
            links: Vec::new(),
            centre,
            weather: Weather::default(),
            history: History::default(),
            counts: BTreeMap::new(),
            log: Log::new(options.log.as_deref())?,
            rng,
            events: 0,
            is_calm: false,
            heap: BTreeMap::new(),
            order: 0,
        };
        for place in 0..options.terminals {
            world.enrol(place)?;
        }
        Ok(world)
    }

    /// Adds a terminal that runs.
    pub fn add(&mut self, terminal: SimulatedTerminal) {
        let place = self.terminals.len();
        self.terminals.push(terminal);
        self.links.push(Link::Up);
        let first_ms = self.below(MINUTE_MS);
        self.wake(place, first_ms);
    }

    /// The time, milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.time.now_ms()
    }

    /// A number from 0 to below this one.
    pub fn below(&mut self, limit: i64) -> i64 {
        let limit = u64::try_from(limit).unwrap_or(1).max(1);
        i64::try_from(self.rng.next_u64() % limit).unwrap_or(0)
    }

    /// Counts something by its name.
    pub fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    /// Something will happen in so many milliseconds.
    pub fn after(&mut self, ms: i64, event: Event) {
        self.order += 1;
        self.heap.insert((self.now_ms() + ms.max(0), self.order), event);
    }

    fn after_ms(&mut self, ms: u64, event: Event) {
        self.after(i64::try_from(ms).unwrap_or(i64::MAX), event);
    }

    /// Adds a line to the log.
    pub fn say(&mut self, who: &str, what: &std::fmt::Arguments<'_>) {
        self.log.say(self.time.now_ms(), who, what);
    }

    /// A day's citizens, decisions and copies, from now on.
    pub fn plan_day(&mut self) {
        for place in 0..self.options.terminals {
            for _ in 0..self.options.submissions {
                let at_ms = OPENS_MS + self.below(CLOSES_MS - OPENS_MS);
                self.after(at_ms, Event::Citizen(place));
            }
        }
        for minutes in (0..24 * 60).step_by(20) {
            self.after(minutes * MINUTE_MS, Event::Decide);
        }
        for hours in (1..24).step_by(4) {
            self.after(hours * HOUR_MS, Event::Copy);
        }
    }

    /// Lets everything happen until a time.
    ///
    /// # Errors
    /// If a file of a disk cannot be used: no fault does that.
    pub fn run_until(&mut self, end_ms: i64) -> Result<()> {
        while let Some(entry) = self.heap.first_entry() {
            let (at_ms, _) = *entry.key();
            if at_ms > end_ms {
                break;
            }
            let event = entry.remove();
            self.time.set(at_ms);
            self.events += 1;
            self.handle(event)?;
        }
        self.time.set(end_ms);
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Citizen(place) => self.citizen(place),
            Event::Wake(place, turn) => self.woken(place, turn),
            Event::Arrives(place, exchange, call) => self.arrives(place, exchange, &call),
            Event::Cut(call, came) => {
                self.centre.take_cut(&call, came);
                self.after(200, Event::Jobs);
                self.look_after_centre()
            }
            Event::Answer(place, exchange, answer) => self.answered(place, exchange, answer),
            Event::Start(place) => self.start(place),
            Event::StartCentre => self.start_centre(),
            Event::Jobs => self.jobs(),
            Event::Decide => self.decide(),
            Event::Copy => self.copy_centre(),
            Event::Fault(fault) => self.fault(fault),
            Event::Heal(place, fault) => self.heal(place, fault),
            Event::HealCentre(fault) => self.heal_centre(fault),
            Event::Print(place) => self.print(place),
            Event::Enrol(place) => self.enrol_anew(place),
            Event::Link(place, link) => {
                self.links[place] = link;
                Ok(())
            }
        }
    }

    fn citizen(&mut self, place: usize) -> Result<()> {
        let strikes = |world: &mut Self, fault| {
            let strikes = world.weather.strikes(fault, &mut world.rng);
            if strikes {
                world.count(fault.name());
            }
            strikes
        };
        let odd = Odd {
            bad: strikes(self, Fault::BadContent),
            twice: strikes(self, Fault::DoublePress),
            catalogue: None,
            pages: self.pages_of_one(),
            pulled_at: self.pulls_card(),
        };
        let Some(saved) = self.terminals[place].hand_in(odd, &mut self.history)? else {
            self.count("turned away");
            return Ok(());
        };
        let name = self.terminals[place].name.clone();
        match saved {
            Ok(slip) => {
                self.say(&name, &format_args!("slip {} {}", slip.number, slip.digest.short()));
                self.may_want_paper(place, slip.envelope_id);
            }
            Err(e) => self.say(&name, &format_args!("refused: {e}")),
        }
        self.flip_at_terminal(place)?;
        self.wake(place, 1);
        self.look_after(place)
    }

    /// How many pages a citizen has.
    fn pages_of_one(&mut self) -> u8 {
        if self.below(100) >= i64::from(self.options.pages) {
            return 0;
        }
        1 + u8::try_from(self.below(i64::from(MOST_PAGES))).unwrap_or(0)
    }

    /// Wakes an engine in so many milliseconds, unless it waits for an answer.
    pub fn wake(&mut self, place: usize, ms: i64) {
        let terminal = &mut self.terminals[place];
        if terminal.waits_for.is_none() && terminal.running.is_some() {
            terminal.turn += 1;
            let turn = terminal.turn;
            self.after(ms, Event::Wake(place, turn));
        }
    }

    fn woken(&mut self, place: usize, turn: u64) -> Result<()> {
        let terminal = &mut self.terminals[place];
        let Some(running) = terminal.running.as_mut().filter(|_| terminal.turn == turn) else {
            return Ok(());
        };
        match running.engine.begin() {
            Begun::Over(step) => {
                let slow = terminal.disk.taken_ms();
                self.wake(place, i64::try_from(step.wait_ms.max(1).saturating_add(slow)).unwrap_or(i64::MAX));
            }
            Begun::Exchange(request) => self.send(place, Call::Text(request)),
            Begun::Upload(call) => self.send(place, Call::Page(call)),
        }
        self.look_after(place)
    }

    fn send(&mut self, place: usize, mut call: Call) {
        if call.may_be_newer(&self.weather, &mut self.rng) {
            self.count(Fault::RequestNewer.name());
        }
        let terminal = &mut self.terminals[place];
        terminal.exchanges += 1;
        terminal.waits_for = Some(terminal.exchanges);
        let (exchange, name) = (terminal.exchanges, terminal.name.clone());
        if terminal.disk.is_dead() {
            return;
        }
        let link = (self.links[place], &self.weather);
        let (way, faults) = network::send(link, &call, &mut self.rng);
        faults.iter().for_each(|fault| self.count(fault.name()));
        self.say(&name, &format_args!("sends {exchange} {} {faults:?}", call.method()));
        let late = call.answered(Err(TransportError::TimedOut));
        self.after_ms(PATIENCE_MS, Event::Answer(place, exchange, late));
        match way {
            Way::Lost => {}
            Way::Answered(ms, answer) => self.after_ms(ms, Event::Answer(place, exchange, answer)),
            Way::Cut(ms, came) => {
                let broken = call.answered(Err(TransportError::Unreachable));
                self.after_ms(ms, Event::Cut(call, came));
                self.after_ms(ms, Event::Answer(place, exchange, broken));
            }
            Way::Arrives(first, again) => {
                let call = Arc::new(call);
                for ms in std::iter::once(first).chain(again) {
                    self.after_ms(ms, Event::Arrives(place, exchange, call.clone()));
                }
            }
        }
    }

    fn arrives(&mut self, place: usize, exchange: u64, call: &Call) -> Result<()> {
        if exchange < self.terminals[place].arrived {
            self.count(Fault::Reorder.name());
        }
        self.terminals[place].arrived = exchange.max(self.terminals[place].arrived);
        let answer = self.centre.answer(call);
        let status = answer.as_ref().map_or(0, Answer::status);
        let slow = self.centre.disk.taken_ms();
        let link = (self.links[place], &self.weather);
        let (way, fault) = network::answer(link, (call, answer), &mut self.rng);
        fault.into_iter().for_each(|fault| self.count(fault.name()));
        let name = self.terminals[place].name.clone();
        self.say("centre", &format_args!("answers {name} {exchange} {status} {fault:?}"));
        if let WayBack::Arrives(ms, answer) = way {
            self.after_ms(ms + slow, Event::Answer(place, exchange, answer));
        }
        self.after(200, Event::Jobs);
        self.look_after_centre()
    }

    fn answered(&mut self, place: usize, exchange: u64, answer: Answer) -> Result<()> {
        let terminal = &mut self.terminals[place];
        if terminal.waits_for != Some(exchange) {
            return Ok(());
        }
        terminal.waits_for = None;
        let Some(running) = &mut terminal.running else { return Ok(()) };
        let step = match answer {
            Answer::Text(answer) => running.engine.finish(answer),
            Answer::Page(answer) => running.engine.finish_upload(answer),
        };
        let slow = terminal.disk.taken_ms();
        let heard = step.events.len();
        if !terminal.disk.is_dead() {
            terminal.hear(step.events, &mut self.history)?;
            let name = terminal.name.clone();
            self.say(&name, &format_args!("hears {exchange}, {heard} events, waits {}", step.wait_ms));
            self.wake(place, i64::try_from(step.wait_ms.saturating_add(slow)).unwrap_or(i64::MAX));
        }
        self.look_after(place)
    }

    pub(super) fn copy_centre(&mut self) -> Result<()> {
        self.say("centre", &format_args!("is copied"));
        for digest in self.centre.copy()? {
            self.history.note_at("server", self.now_ms(), Op::NotCopied { digest });
        }
        Ok(())
    }

    fn jobs(&mut self) -> Result<()> {
        let opened = self.centre.open_waiting();
        if opened > 0 {
            self.say("centre", &format_args!("opens {opened}"));
        }
        self.look_after_centre()
    }

    fn decide(&mut self) -> Result<()> {
        self.centre.look_again();
        let decided = if self.is_calm { 0 } else { self.centre.decide(&mut self.rng).unwrap_or(0) };
        self.say("centre", &format_args!("decides {decided}"));
        let by_clock = self.centre.go_by_clock().unwrap_or(0);
        self.say("centre", &format_args!("does {by_clock} by the clock"));
        self.jobs()
    }
}
