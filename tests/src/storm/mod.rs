//! A storm of hard kills over real processes: several servers with their terminals side by side, and at the end the
//! history checker. `cargo xtask kill-storm` and the tests run the same code.
//!
//! Refuses to call a run clean that did not come to every named point, or that broke a rule.
pub mod dump;
mod lane;
pub mod pages;
pub mod points;
pub mod process;
mod progress;
pub mod scarce;
pub mod small_centre;
pub mod starved;
mod state;
pub mod terminal;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use domain::envelope::Suite;
use serde::{Deserialize, Serialize};

use crate::history::{Op, report};
use lane::{Counts, Lane, Outcome};
use points::of_storm;
use progress::Progress;
pub use state::State;

/// What a storm is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// The `kill-storm` program.
    pub program: PathBuf,
    /// Where stores, histories and state lie.
    pub folder: PathBuf,
    /// Makes all choices.
    pub seed: u64,
    /// Servers side by side.
    pub stores: u32,
    /// Terminals of each server.
    pub terminals: u32,
    /// Kills of servers, and as many of terminals.
    pub kills: u32,
    /// The longest time.
    pub most: Duration,
    /// Tell on standard error how far it is.
    pub show: bool,
}

/// What a storm came to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// The seed that repeats it.
    pub seed: u64,
    /// Kills of servers.
    pub server_kills: u32,
    /// Kills of terminals.
    pub terminal_kills: u32,
    /// Submissions begun.
    pub begun: usize,
    /// Numbers shown to citizens.
    pub submissions: usize,
    /// Acknowledged to the terminals and written down before they died.
    pub acknowledged: usize,
    /// Envelopes at the centres.
    pub stored: usize,
    /// Pages at the centres.
    pub pages: usize,
    /// Shown or acknowledged, and not there.
    pub lost: usize,
    /// There twice.
    pub doubled: usize,
    /// Rules broken in all.
    pub broken: usize,
    /// Points at which nothing was killed.
    pub missed: Vec<String>,
    /// Kills by point.
    pub hits: BTreeMap<String, u32>,
    /// Minutes, of all parts if it was resumed.
    pub minutes: f64,
    /// The first rules that were broken, for a person.
    pub complaints: String,
}

impl Report {
    /// Nothing lost, nothing doubled, no rule broken, every point hit.
    pub fn is_clean(&self) -> bool {
        self.broken == 0 && self.missed.is_empty()
    }
}

/// Runs a storm, or goes on with one whose state lies in the folder.
///
/// # Errors
/// If a process behaves as nobody planned, or the time is over; the state is kept then.
pub fn run(options: &Options) -> Result<Report> {
    std::fs::create_dir_all(&options.folder)?;
    let state = State::load_or_new(options)?;
    let lanes: Vec<Lane> = (0..state.stores).map(|n| lane(options, &state, n)).collect();
    let started = Instant::now();
    let ended = AtomicBool::new(false);
    let outcomes = std::thread::scope(|scope| {
        let running: Vec<_> = lanes.iter().map(|lane| scope.spawn(|| lane.run())).collect();
        let watching = scope.spawn(|| watch(options, &state, &lanes, started, &ended));
        let outcomes: Vec<Result<Outcome>> = running
            .into_iter()
            .map(|r| r.join().unwrap_or_else(|_| bail!("a lane of the storm panicked")))
            .collect();
        ended.store(true, Ordering::SeqCst);
        watching.thread().unpark();
        let _ = watching.join();
        outcomes
    });
    state.with(&lanes, started.elapsed()).save(&options.folder)?;
    let advice = format!("seed {}; go on with --resume {}", state.seed, options.folder.display());
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect::<Result<_>>().context(advice)?;
    let minutes = state.minutes + started.elapsed().as_secs_f64() / 60.0;
    Ok(sum_up(state.seed, &lanes, &outcomes, minutes))
}

fn lane(options: &Options, state: &State, n: u32) -> Lane {
    let share = |all: u32| all / state.stores + u32::from(n < all % state.stores);
    let old = state.lanes.get(n as usize).cloned().unwrap_or_default();
    let counts = Counts {
        server: AtomicU32::new(old.server),
        terminal: AtomicU32::new(old.terminal),
        server_tries: AtomicU32::new(old.server_tries),
        terminal_tries: AtomicU32::new(old.terminal_tries),
        hits: std::sync::Mutex::new(old.hits),
    };
    let next_seed = AtomicU64::new(u64::from(old.terminal_tries) * 7);
    Lane {
        program: options.program.clone(),
        folder: options.folder.join(format!("lane{n}")),
        seed: state.seed.wrapping_mul(31).wrapping_add(u64::from(n)),
        terminals: state.terminals,
        // Both suites are killed in.
        suite: if n.is_multiple_of(2) { Suite::One } else { Suite::Two },
        server_kills: share(state.kills),
        terminal_kills: share(state.kills),
        counts,
        stopping: AtomicBool::new(false),
        next_seed,
    }
}

/// Shows and keeps how far it is; stops all lanes when one failed or the time is over.
fn watch(options: &Options, state: &State, lanes: &[Lane], started: Instant, ended: &AtomicBool) {
    let mut progress = Progress::new(state.kills * 2, options.show);
    while !ended.load(Ordering::SeqCst) {
        std::thread::park_timeout(Duration::from_millis(250));
        let count =
            |c: fn(&Lane) -> &AtomicU32| lanes.iter().map(|l| c(l).load(Ordering::SeqCst)).sum::<u32>();
        progress.tell(count(|l| &l.counts.server), count(|l| &l.counts.terminal));
        let failed = lanes.iter().any(|l| l.stopping.load(Ordering::SeqCst));
        if failed || started.elapsed() > options.most {
            lanes.iter().for_each(|l| l.stopping.store(true, Ordering::SeqCst));
        }
        if let Err(e) = state.with(lanes, started.elapsed()).save(&options.folder) {
            eprintln!("the state of the storm cannot be kept: {e:#}");
        }
    }
    progress.end();
}

fn sum_up(seed: u64, lanes: &[Lane], outcomes: &[Outcome], minutes: f64) -> Report {
    let mut sum = Report { seed, minutes, ..Report::default() };
    for (lane, outcome) in lanes.iter().zip(outcomes) {
        sum.server_kills += lane.counts.server.load(Ordering::SeqCst);
        sum.terminal_kills += lane.counts.terminal.load(Ordering::SeqCst);
        for (point, n) in lane.counts.hits.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            *sum.hits.entry(point.clone()).or_default() += n;
        }
        sum.begun += outcome.history.count(|o| matches!(o, Op::Created { .. }));
        sum.submissions += outcome.history.count(|o| matches!(o, Op::Slip { .. }));
        sum.acknowledged += outcome.history.count(|o| matches!(o, Op::Acked { .. }));
        sum.stored += outcome.centre.envelopes.len();
        sum.pages += outcome.pages;
        sum.broken += outcome.broken.len();
        use crate::history::Rule::{Acknowledged, Once, Promise, Shown};
        sum.lost +=
            outcome.broken.iter().filter(|b| matches!(b.rule, Acknowledged | Shown | Promise)).count();
        sum.doubled += outcome.broken.iter().filter(|b| b.rule == Once).count();
        if !outcome.broken.is_empty() {
            sum.complaints.push_str(&format!("{}: {}\n", lane.folder.display(), report(&outcome.broken)));
        }
    }
    let all = of_storm("terminal::").into_iter().chain(of_storm("server::"));
    sum.missed = all.map(|p| p.name.to_owned()).filter(|name| !sum.hits.contains_key(name)).collect();
    sum
}
