//! One lane of a storm: a server and its terminals, killed again and again while they work, then drained and checked.
//!
//! Every thread starts its own processes one after another. The seed makes all choices; the moments at which
//! processes meet are the machine's.
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use domain::envelope::Suite;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use sync_server::store::Sqlite;

use super::pages;
use super::points::{Action, Plan, Point, SERVER, TERMINAL, When, of_storm};
use super::process::{End, Process, ServerFolder};
use crate::history::{Broken, CentreView, DiskView, History, Op, Recorder, check};
use crate::link::{Link, State};

/// A server that does not come to its point is killed after this time of traffic.
const TRAFFIC: Duration = Duration::from_millis(1_200);
/// A kill at any moment comes within this time after the start.
const ANY_MOMENT_MS: u64 = 120;
/// A terminal's life in the storm, and at the end.
const LIFE: Duration = Duration::from_millis(2_500);
const DRAIN: Duration = Duration::from_secs(60);
/// Every so many kills of the server one comes at any moment instead of at a named point.
const ANY_EVERY: u32 = 4;
/// A point that was not come to in so many tries waits for its turn.
const TRIES_EACH: u32 = 4;
/// Submissions of one life, at most.
const MOST_SUBMISSIONS: u32 = 4;
/// Pages of a submission, at most: every other one has a page.
const MOST_PAGES: u32 = 1;
/// How long the thread at a point stands still before the kill, so that what it did wrong can travel, milliseconds.
const STANDING_MS: [u64; 4] = [0, 4, 25, 60];
/// An address where nobody listens (the discard port).
const NOBODY: &str = "https://127.0.0.1:9";

/// What is counted, shared with who shows it.
#[derive(Debug, Default)]
pub struct Counts {
    /// Kills of the server.
    pub server: AtomicU32,
    /// Kills of terminals.
    pub terminal: AtomicU32,
    /// Starts of the server so far; a plan follows from it.
    pub server_tries: AtomicU32,
    /// Lives of terminals so far.
    pub terminal_tries: AtomicU32,
    /// Kills by point; `any` for those at any moment.
    pub hits: Mutex<BTreeMap<String, u32>>,
}

impl Counts {
    fn hit(&self, point: &str) {
        *self.hits.lock().unwrap_or_else(PoisonError::into_inner).entry(point.to_owned()).or_default() += 1;
    }
}

/// A lane.
pub struct Lane {
    /// The `kill-storm` program.
    pub program: PathBuf,
    /// Its folder.
    pub folder: PathBuf,
    /// Makes all choices, with the lane's own number mixed in.
    pub seed: u64,
    /// Terminals.
    pub terminals: u32,
    /// In which suite its forms are sealed.
    pub suite: Suite,
    /// Kills of the server to make.
    pub server_kills: u32,
    /// Kills of terminals to make, all together.
    pub terminal_kills: u32,
    /// Counts so far; those of an earlier run if it is resumed.
    pub counts: Counts,
    /// A thread failed, or somebody asked to end.
    pub stopping: AtomicBool,
    /// Round-robin of terminal lives.
    pub next_seed: AtomicU64,
}

/// What a lane came to.
pub struct Outcome {
    /// The whole history.
    pub history: History,
    /// The centre after the drain.
    pub centre: CentreView,
    /// The rules that were broken.
    pub broken: Vec<Broken>,
    /// Pages at the centre, if no rule was broken.
    pub pages: usize,
}

impl Lane {
    fn server(&self) -> ServerFolder {
        ServerFolder { program: self.program.clone(), data: self.folder.join("server") }
    }

    fn history(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.history"))
    }

    fn names(&self) -> Vec<String> {
        (0..self.terminals).map(|n| format!("t{n}")).collect()
    }

    fn left(&self, done: &AtomicU32, all: u32) -> bool {
        done.load(Ordering::SeqCst) < all && !self.stopping.load(Ordering::SeqCst)
    }

    fn busy(&self) -> bool {
        self.left(&self.counts.server, self.server_kills)
            || self.left(&self.counts.terminal, self.terminal_kills)
    }

    /// Runs the lane to its end: kills, drain, check.
    ///
    /// # Errors
    /// If a process cannot start or ends in a way that nobody planned.
    pub fn run(&self) -> Result<Outcome> {
        std::fs::create_dir_all(&self.folder)?;
        let link = Link::new()?;
        self.begin(&link).context("the first lives")?;
        std::thread::scope(|scope| {
            let mut threads = vec![scope.spawn(|| self.guarded(|| self.kill_server(&link)))];
            for name in self.names() {
                let url = link.secure_url();
                threads.push(scope.spawn(move || self.guarded(|| self.kill_terminal(&name, &url))));
            }
            let ends: Vec<_> = threads.into_iter().map(|t| t.join()).collect();
            ends.into_iter()
                .try_for_each(|end| end.unwrap_or_else(|_| bail!("a thread of the storm panicked")))
        })?;
        ensure!(!self.stopping.load(Ordering::SeqCst), "stopped");
        let drained = self.drain(&link);
        let mut outcome = self.check()?;
        // What the checker finds says more than that something did not settle.
        if outcome.broken.is_empty() {
            drained?;
            outcome.pages = self.check_pages().context("the pages")?;
        }
        Ok(outcome)
    }

    fn guarded(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let done = work();
        if done.is_err() {
            self.stopping.store(true, Ordering::SeqCst);
        }
        done
    }

    /// First lives in empty folders, each killed at every point that only an empty folder has. Done once, also when
    /// a storm is resumed.
    fn begin(&self, link: &Link) -> Result<()> {
        let mark = self.folder.join("begun");
        if mark.exists() {
            return Ok(());
        }
        for point in SERVER.iter().filter(|p| p.when == When::Fresh) {
            let (_, address) = self.server().start(Some(kill_at(point, 1, 0)))?;
            ensure!(address.is_none(), "the server was not killed at {}", point.name);
            self.server_died(point.name)?;
        }
        let (_process, address) = self.server().start(None)?;
        if self.suite == Suite::Two {
            self.server().seal_in_suite_two().context("suite 2")?;
        }
        link.set(State::Up, &address.context("a server that lives")?)?;
        for name in self.names() {
            let code = self.server().enrol_code()?;
            for point in TERMINAL.iter().filter(|p| p.when == When::Fresh) {
                let mut life =
                    self.life((&name, &link.secure_url()), Some(kill_at(point, 1, 0)), 0, Some(&code))?;
                let end = life.wait(DRAIN)?;
                ensure!(end == Some(End::Killed), "{name} was not killed at {}: {end:?}", point.name);
                self.terminal_died(&name, point.name)?;
            }
            let end = self.life((&name, &link.secure_url()), None, 0, Some(&code))?.wait(DRAIN)?;
            ensure!(end == Some(End::Done), "{name} did not enrol: {end:?}");
        }
        Ok(std::fs::write(mark, "")?)
    }

    fn server_died(&self, point: &str) -> Result<()> {
        self.counts.server.fetch_add(1, Ordering::SeqCst);
        self.counts.hit(if point.starts_with("server::") { point } else { "server any moment" });
        let crash = Op::Crash { who: "server".into(), point: point.into() };
        Recorder::open(&self.history("server"), "server")?.note(crash)
    }

    fn terminal_died(&self, name: &str, point: &str) -> Result<()> {
        self.counts.terminal.fetch_add(1, Ordering::SeqCst);
        self.counts.hit(if point.starts_with("terminal::") { point } else { "terminal any moment" });
        let crash = Op::Crash { who: "terminal".into(), point: point.into() };
        Recorder::open(&self.history(name), name)?.note(crash)
    }

    fn kill_server(&self, link: &Link) -> Result<()> {
        let mut plans = Plans::new(of_storm("server::"), &self.counts.hits, self.seed ^ 0x5e);
        while self.busy() {
            let planned = self.left(&self.counts.server, self.server_kills).then(|| {
                let k = self.counts.server_tries.fetch_add(1, Ordering::SeqCst);
                plans.next(k)
            });
            let (plan, mut rng) = planned.map_or((None, None), |(p, r)| (p, Some(r)));
            let (mut process, address) = self.server().start(plan)?;
            let Some(address) = address else {
                self.server_died(plan.map_or("any", |p| p.point.name))?;
                continue;
            };
            link.set(State::Up, &address)?;
            let Some(rng) = &mut rng else {
                // Its kills are made: it serves until the terminals' are.
                while self.busy() {
                    ensure!(process.wait(Duration::from_millis(50))?.is_none(), "the server ended by itself");
                }
                return process.kill();
            };
            let moment = Duration::from_millis(u64::from(rng.next_u32()) % ANY_MOMENT_MS);
            let end = process.wait(if plan.is_some() { TRAFFIC } else { moment })?;
            match (end, plan) {
                (Some(End::Killed), Some(plan)) => self.server_died(plan.point.name)?,
                (None, _) => {
                    process.kill()?;
                    self.server_died("any")?;
                }
                other => bail!("the server ended by itself: {other:?}"),
            }
        }
        Ok(())
    }

    fn kill_terminal(&self, name: &str, url: &str) -> Result<()> {
        let mut plans = Plans::new(of_storm("terminal::"), &self.counts.hits, self.seed ^ 0x7e);
        while self.busy() {
            let planned = self.left(&self.counts.terminal, self.terminal_kills).then(|| {
                let k = self.counts.terminal_tries.fetch_add(1, Ordering::SeqCst);
                plans.next(k)
            });
            let (plan, mut rng) = planned.map_or((None, None), |(p, r)| (p, Some(r)));
            let submissions = rng.as_mut().map_or(1, |r| 1 + r.next_u32() % MOST_SUBMISSIONS);
            let offline = plan.is_some_and(|p| p.point.when == When::Offline);
            let mut life = self.life((name, if offline { NOBODY } else { url }), plan, submissions, None)?;
            let any = match &mut rng {
                Some(rng) if plan.is_none() => {
                    Duration::from_millis(u64::from(rng.next_u32()) % ANY_MOMENT_MS)
                }
                _ => DRAIN,
            };
            match (life.wait(any)?, plan) {
                (Some(End::Killed), Some(plan)) => self.terminal_died(name, plan.point.name)?,
                (None, None) if rng.is_some() => {
                    life.kill()?;
                    self.terminal_died(name, "any")?;
                }
                (Some(End::Done), _) => {}
                other => bail!("{name}: a life did not end as planned: {other:?}"),
            }
        }
        Ok(())
    }

    fn life(
        &self,
        (name, url): (&str, &str),
        plan: Option<Plan>,
        submissions: u32,
        code: Option<&str>,
    ) -> Result<Process> {
        let seed = self.seed.wrapping_add(self.next_seed.fetch_add(1, Ordering::SeqCst));
        let data = self.folder.join(name);
        let last = submissions == 0 && code.is_none();
        let patience = if last || code.is_some() { DRAIN } else { LIFE };
        let mut arguments: Vec<String> =
            ["terminal", "--server", url, "--name", name].map(str::to_owned).into();
        arguments.extend([
            format!("--data={}", data.display()),
            format!("--history={}", self.history(name).display()),
            format!("--seed={seed}"),
            format!("--submissions={submissions}"),
            format!("--pages={MOST_PAGES}"),
            format!("--patience-ms={}", patience.as_millis()),
        ]);
        arguments.extend(code.map(|c| format!("--code={c}")));
        arguments.extend(last.then(|| "--must-settle".to_owned()));
        let visit = plan.is_some_and(|p| p.point.when == When::Visit);
        arguments.extend(visit.then(|| "--visit".to_owned()));
        Process::start(&self.program, plan, &arguments, &data.with_extension("log"))
    }

    /// Nobody is killed any more: everything must arrive and be opened.
    fn drain(&self, link: &Link) -> Result<()> {
        let (mut server, address) = self.server().start(None)?;
        link.set(State::Up, &address.context("a server that lives")?)?;
        for name in self.names() {
            let end = self.life((&name, &link.secure_url()), None, 0, None)?.wait(DRAIN * 2)?;
            ensure!(end == Some(End::Done), "{name} did not drain: {end:?}");
        }
        server.kill()
    }

    fn check(&self) -> Result<Outcome> {
        let mut history = History::default();
        history.load(&self.history("server"))?;
        let mut disks = Vec::new();
        for name in self.names() {
            history.load(&self.history(&name))?;
            disks.push(DiskView::read(&name, &self.folder.join(&name))?);
        }
        let mut store = Sqlite::open_read_only(&self.folder.join("server/server.db"))?;
        let centre = CentreView::read(&mut store)?;
        let broken = check(&history, &centre, &disks);
        Ok(Outcome { history, centre, broken, pages: 0 })
    }

    /// Every page that was handed in is at the centre, and nothing else; how many there are.
    fn check_pages(&self) -> Result<usize> {
        let mut all = BTreeSet::new();
        for name in self.names() {
            let given = pages::given(&self.history(&name))?;
            pages::check_terminal(&self.folder.join(&name), &given).context(name)?;
            all.extend(given);
        }
        pages::check_centre(&self.server().data, &all)
    }
}

fn kill_at(point: &Point, nth: u32, standing_ms: u64) -> Plan {
    Plan { point: *point, nth, action: Action::Kill(standing_ms) }
}

/// What comes to one kind of process, one plan after another.
struct Plans<'a> {
    points: Vec<Point>,
    tries: BTreeMap<&'static str, u32>,
    hits: &'a Mutex<BTreeMap<String, u32>>,
    seed: u64,
}

impl<'a> Plans<'a> {
    fn new(points: Vec<Point>, hits: &'a Mutex<BTreeMap<String, u32>>, seed: u64) -> Self {
        Self { points, tries: BTreeMap::new(), hits, seed }
    }

    /// What is done at the k-th try: the point that was hit least (one that is hard to come to gets its time), or
    /// none for a kill at any moment.
    fn next(&mut self, k: u32) -> (Option<Plan>, ChaCha20Rng) {
        let mut rng =
            ChaCha20Rng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(k)));
        if k % ANY_EVERY == ANY_EVERY - 1 {
            return (None, rng);
        }
        let hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        let tried = |p: &Point| self.tries.get(p.name).copied().unwrap_or_default();
        let hit = |p: &Point| hits.get(p.name).copied().unwrap_or_default().max(tried(p) / TRIES_EACH);
        let turn = rng.next_u32() as usize % self.points.len();
        let order = self.points.iter().cycle().skip(turn).take(self.points.len());
        let point = order.filter(|p| p.when != When::Fresh).min_by_key(|p| (hit(p), tried(p)));
        let plan = point.map(|point| {
            *self.tries.entry(point.name).or_default() += 1;
            let deep = point.when == When::Running && hits.contains_key(point.name);
            let nth = if deep { 1 + rng.next_u32() % 3 } else { 1 };
            kill_at(point, nth, STANDING_MS[rng.next_u32() as usize % STANDING_MS.len()])
        });
        (plan, rng)
    }
}
