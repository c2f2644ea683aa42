//! The program of the simulator: runs seeds side by side, each in one thread, and sums up what they came to.
//!
//! Exit codes: 0 clean, 1 a rule was broken or a run could not go on, 2 wrong usage.
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use serde::Serialize;
use tests::simulation::{Fault, Options, PAGES, PLANTED, Report, run};

/// A simulated day allocates some tens of millions of times, half of them in SQLite: for both this allocator needs a
/// twentieth less of the day.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(
    name = "simulate",
    about = "Simulates days of the whole fleet with faults, and checks that nothing is lost"
)]
struct Arguments {
    /// Seeds to run; one for each day if only days are named, otherwise 10.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Days of the fleet in all, dealt out to the seeds; at least one each.
    #[arg(long)]
    days: Option<u64>,
    /// Terminals.
    #[arg(long, default_value_t = 49)]
    terminals: usize,
    /// Submissions of each terminal a day.
    #[arg(long, default_value_t = 20)]
    submissions: u32,
    /// Of a hundred submissions so many have pages.
    #[arg(long, default_value_t = PAGES)]
    pages: u8,
    /// Without any fault.
    #[arg(long)]
    no_faults: bool,
    /// Only faults of this kind, and of others named so, instead of those that a seed chooses.
    #[arg(long, value_name = "NAME", value_parser = fault)]
    only: Vec<Fault>,
    /// Runs side by side; as many as there are processors, if it is not named.
    #[arg(long)]
    jobs: Option<usize>,
    /// Write the log of all events of the (one) seed here.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    /// Turn on a planted fault, to see that the rules find it; not there in releases.
    #[arg(long, value_name = "NAME")]
    plant: Option<String>,
}

impl Arguments {
    fn options(&self, seed: u64, days: u32) -> Options {
        Options {
            seed,
            days,
            terminals: self.terminals,
            submissions: self.submissions,
            pages: self.pages,
            faults: !self.no_faults,
            only: self.only.clone(),
            log: self.log.clone(),
        }
    }

    /// The command that repeats a seed.
    fn replay(&self, seed: u64, days: u32) -> String {
        let mut words = format!("cargo xtask simulate --from {seed} --seeds 1 --days {days}");
        for (name, differs, value) in [
            ("terminals", self.terminals != 49, self.terminals.to_string()),
            ("submissions", self.submissions != 20, self.submissions.to_string()),
            ("pages", self.pages != PAGES, self.pages.to_string()),
        ] {
            if differs {
                words.push_str(&format!(" --{name} {value}"));
            }
        }
        for fault in &self.only {
            words.push_str(&format!(" --only {}", fault.name()));
        }
        if self.no_faults { words + " --no-faults" } else { words }
    }
}

fn fault(name: &str) -> Result<Fault, String> {
    let known = || Fault::ALL.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ");
    Fault::from_name(name).ok_or_else(|| format!("there are {}", known()))
}

/// What all seeds came to.
#[derive(Debug, Serialize)]
struct Summary {
    clean: bool,
    fleet_days: u64,
    seconds: f64,
    fleet_days_a_second: f64,
    slowest_drain_minutes: Option<i64>,
    faults: BTreeMap<String, u64>,
    /// Kinds of faults that no seed had.
    missed: Vec<&'static str>,
    reports: Vec<Report>,
    failures: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match simulate(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

fn simulate(arguments: &Arguments) -> Result<bool> {
    if let Some(name) = &arguments.plant {
        plant(name)?;
    }
    let seeds = arguments.seeds.or(arguments.days).unwrap_or(10).max(1);
    let days = arguments.days.unwrap_or(seeds).div_ceil(seeds).max(1);
    let days = u32::try_from(days).context("so many days")?;
    let started = Instant::now();
    let outcomes = run_all(arguments, seeds, days);
    let summary = sum_up(arguments, outcomes, days, started.elapsed().as_secs_f64());
    let text = if arguments.json { serde_json::to_string_pretty(&summary)? } else { words(&summary) };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(summary.clean)
}

fn plant(name: &str) -> Result<()> {
    if !fail::has_failpoints() {
        return Err(anyhow!("this program was built without planted faults"));
    }
    if !PLANTED.contains(&name) {
        return Err(anyhow!("no fault {name} is planted; there are {}", PLANTED.join(", ")));
    }
    let name = format!("planted::{name}");
    fail::cfg(name, "return").map_err(|e| anyhow!(e))
}

type Outcomes = Vec<(u64, Result<Report>)>;

/// Runs all seeds; each thread takes the next one. A run never crosses threads.
fn run_all(arguments: &Arguments, seeds: u64, days: u32) -> Outcomes {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(0);
    let outcomes: Mutex<Outcomes> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.unwrap_or(processors).max(1) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= seeds {
                        return;
                    }
                    let seed = arguments.from.wrapping_add(n);
                    let report = run(&arguments.options(seed, days));
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((seed, report));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(seed, _)| *seed);
    outcomes
}

fn sum_up(arguments: &Arguments, outcomes: Outcomes, days: u32, seconds: f64) -> Summary {
    let (mut reports, mut failures) = (Vec::new(), Vec::new());
    let mut faults: BTreeMap<String, u64> = BTreeMap::new();
    let fleet_days = outcomes.len() as u64 * u64::from(days);
    for (seed, outcome) in outcomes {
        let replay = arguments.replay(seed, days);
        match outcome {
            Ok(report) => {
                if !report.is_clean() {
                    failures.push(format!("seed {seed}: {}\n  {replay}", report.complaints));
                }
                report.faults.iter().for_each(|(name, n)| *faults.entry(name.clone()).or_default() += n);
                reports.push(report);
            }
            Err(e) => failures.push(format!("{e:#}\n  {replay}")),
        }
    }
    let struck = |f: &&Fault| faults.get(f.name()).is_none_or(|n| *n == 0);
    Summary {
        clean: failures.is_empty(),
        fleet_days,
        seconds,
        fleet_days_a_second: fleet_days as f64 / seconds.max(0.001),
        slowest_drain_minutes: reports.iter().filter_map(|r| r.drained_minutes).max(),
        missed: Fault::ALL.iter().filter(struck).map(|f| f.name()).collect(),
        faults,
        reports,
        failures,
    }
}

fn words(summary: &Summary) -> String {
    let sum = |of: fn(&Report) -> usize| summary.reports.iter().map(of).sum::<usize>();
    let verdict = if summary.clean { "CLEAN" } else { "NOT CLEAN" };
    let mut text = format!(
        "{verdict}: {} fleet-days in {:.1} s ({:.2} a second); {} begun, {} slips, {} acknowledged, {} at the centres \
         with {} pages; slowest drain {} minutes\n",
        summary.fleet_days,
        summary.seconds,
        summary.fleet_days_a_second,
        sum(|r| r.begun),
        sum(|r| r.slips),
        sum(|r| r.acked),
        sum(|r| r.stored),
        sum(|r| r.pages),
        summary.slowest_drain_minutes.unwrap_or(0),
    );
    for (name, n) in &summary.faults {
        text.push_str(&format!("  {n:>8} {name}\n"));
    }
    if !summary.missed.is_empty() {
        text.push_str(&format!("faults that never struck: {}\n", summary.missed.join(", ")));
    }
    summary.failures.iter().for_each(|f| text.push_str(&format!("{f}\n")));
    text.truncate(text.trim_end().len());
    text
}
