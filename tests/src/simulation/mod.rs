//! A whole fleet in one thread: the real store, sync engine and centre of 49 terminals over a simulated network, simulated
//! clocks and simulated disks, with faults that a seed chooses; and the rules of the history over every run.
//!
//! The same program with the same seed does the same, to the byte. Refuses to know HTTP, TLS, PostgreSQL, windows and card
//! readers: those are proved by real processes.
mod centre;
mod chosen;
mod citizen;
mod clock;
pub mod crowd;
mod desk;
mod disk;
mod enrolment;
mod faults;
mod flips;
mod form;
mod locks;
mod log;
mod network;
mod skew;
mod terminal;
mod trouble;
mod uploads;
mod versions;
mod vfs;
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sync_server::store::Sqlite;

pub use faults::Fault;

use crate::history::{
    Broken, CentreView, DiskView, Op, PagesAtCentre, PagesOnDisk, Rule, check, check_pages, check_told,
    report,
};
use world::{CALM_MS, DAY_MS, MINUTE_MS, World};

/// Seven in the morning of 2026-11-30 in China, a Monday.
const START_MS: i64 = 1_795_993_200_000;
/// After the faults end everything has drained within this time, simulated minutes: rows whose next try was put off by a
/// wrong clock wait an hour at most.
pub const DRAINS_WITHIN_MINUTES: i64 = 90;
/// After the drain every terminal has asked for news once more within this time.
const NEWS_MS: i64 = 25 * MINUTE_MS;

/// Of a hundred submissions so many have pages, if nothing else is said.
pub const PAGES: u8 = 10;

/// Faults that are planted in the program, to see that the rules find them: named failpoints behind `planted::`.
pub const PLANTED: [&str; 9] = [
    "delete_before_durable",
    "drop_seq",
    "order_by_clock",
    "seal_twice",
    "durable_too_far",
    "durable_without_blobs",
    "commit_without_sync",
    "print_again",
    "task_left_behind",
];

/// What a simulation is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Makes all choices.
    pub seed: u64,
    /// Days.
    pub days: u32,
    /// Terminals.
    pub terminals: usize,
    /// Submissions of each terminal a day.
    pub submissions: u32,
    /// Of a hundred submissions so many have pages.
    pub pages: u8,
    /// Whether there are faults.
    pub faults: bool,
    /// The kinds of faults there are; if empty, those that the seed chooses.
    pub only: Vec<Fault>,
    /// Where the log of all events is written, if anywhere.
    pub log: Option<PathBuf>,
}

impl Options {
    /// The fleet of the city for one day of this seed.
    pub fn of_seed(seed: u64) -> Self {
        Self {
            seed,
            days: 1,
            terminals: 49,
            submissions: 20,
            pages: PAGES,
            faults: true,
            only: Vec::new(),
            log: None,
        }
    }
}

/// What a simulation came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The seed that repeats it.
    pub seed: u64,
    /// Days.
    pub days: u32,
    /// Events.
    pub events: u64,
    /// Submissions begun.
    pub begun: usize,
    /// Numbers shown to citizens.
    pub slips: usize,
    /// Receipts that terminals took in.
    pub acked: usize,
    /// Envelopes at the centre.
    pub stored: usize,
    /// Pages at the centre.
    pub pages: usize,
    /// How long the drain took after the faults ended, simulated minutes; none if it never did.
    pub drained_minutes: Option<i64>,
    /// Faults that struck, by name.
    pub faults: BTreeMap<String, u64>,
    /// Rules that were broken.
    pub broken: usize,
    /// The first of them.
    pub complaints: String,
    /// Digest of the log of all events.
    pub digest: String,
    /// Lines of that log.
    pub lines: u64,
}

impl Report {
    /// Whether all rules held, and everything drained in time.
    pub fn is_clean(&self) -> bool {
        self.broken == 0 && self.drained_minutes.is_some()
    }
}

/// Memory is as good as a disk here: what a power cut leaves is decided by the simulation.
///
/// # Errors
/// If no folder can be made.
fn folder() -> Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    let builder = tempfile::Builder::new().prefix("jinban-simulation-").to_owned();
    Ok(if memory.is_dir() { builder.tempdir_in(memory)? } else { builder.tempdir()? })
}

/// Runs a seed to its end and checks it.
///
/// # Errors
/// If the simulation itself cannot go on; a broken rule is no error but stands in the report.
pub fn run(options: &Options) -> Result<Report> {
    vfs::install();
    disk::set_random(Some(options.seed));
    let folder = folder()?;
    let run = run_in(options, folder.path());
    disk::set_random(None);
    run.with_context(|| format!("seed {}", options.seed))
}

fn run_in(options: &Options, folder: &Path) -> Result<Report> {
    let mut world = World::new(options, folder)?;
    let chosen = if options.faults { world.choose_faults() } else { Vec::new() };
    let mut end_ms = START_MS;
    for day in 0..options.days.max(1) {
        world.plan_day();
        world.plan_faults(&chosen);
        let last = day + 1 >= options.days;
        end_ms += if last { CALM_MS } else { DAY_MS };
        world.run_until(end_ms)?;
    }
    world.calm()?;
    let drained_minutes = drain(&mut world, end_ms)?;
    // Whatever a copy would tell people, they have been told.
    world.copy_centre()?;
    judge(world, options, drained_minutes)
}

/// Waits until nothing waits any more, and all news were heard.
fn drain(world: &mut World, from_ms: i64) -> Result<Option<i64>> {
    for minutes in 1..=DRAINS_WITHIN_MINUTES {
        world.run_until(from_ms + minutes * MINUTE_MS)?;
        let mut sent = true;
        for terminal in &world.terminals {
            sent = sent && terminal.waiting() == Some(0) && terminal.pages_waiting()? == Some(0);
        }
        if sent && world.centre.unopened() == Some(0) {
            world.run_until(world.now_ms() + NEWS_MS)?;
            return Ok(Some(minutes));
        }
    }
    Ok(None)
}

fn judge(mut world: World, options: &Options, drained_minutes: Option<i64>) -> Result<Report> {
    let (mut disks, mut pages) = (Vec::new(), Vec::new());
    let mut unprinted = Vec::new();
    for terminal in &mut world.terminals {
        if terminal.paper_waits() != Some(false) {
            unprinted.push(terminal.name.clone());
        }
        terminal.stop();
        disks.push(DiskView::read(&terminal.name, terminal.disk.folder())?);
        pages.push(PagesOnDisk::read(&terminal.name, terminal.disk.folder())?);
    }
    // What a newer catalogue moved last is followed before it is looked at.
    let _ = world.centre.go_by_clock();
    world.centre.stop();
    let mut store = Sqlite::open_read_only(&world.centre.disk.folder().join(centre::STORE))?;
    let centre = CentreView::read(&mut store)?;
    let mut broken = check(&world.history, &centre, &disks);
    broken.extend(check_told(&centre, &disks));
    let whole = world.centre.pages()?;
    let at_centre = PagesAtCentre::read(&mut store, |digest| whole.read(digest).is_ok())?;
    broken.extend(check_pages(&world.history, (&centre, &at_centre), &pages));
    let waits =
        |name| Broken { rule: Rule::Paper, what: format!("{name}: a slip still waits for its printer") };
    broken.extend(unprinted.into_iter().map(waits));
    if drained_minutes.is_none() {
        let what = format!("something still waits {DRAINS_WITHIN_MINUTES} minutes after the faults ended");
        broken.push(Broken { rule: Rule::Drained, what });
    }
    let count = |of: fn(&Op) -> bool| world.history.count(of);
    let (digest, lines) = world.log.end()?;
    Ok(Report {
        seed: options.seed,
        days: options.days,
        events: world.events,
        begun: count(|op| matches!(op, Op::Created { .. })),
        slips: count(|op| matches!(op, Op::Slip { .. })),
        acked: count(|op| matches!(op, Op::Acked { .. })),
        stored: centre.envelopes.len(),
        pages: at_centre.0.iter().filter(|page| page.arrived).count(),
        drained_minutes,
        faults: world.counts.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
        broken: broken.len(),
        complaints: if broken.is_empty() { String::new() } else { report(&broken) },
        digest: digest.to_string(),
        lines,
    })
}
