//! `sync-server sample-data --half-year`: fills an empty store with half a year of invented cases, so that pages are seen
//! full. The same seed and last day give the same cases.
//!
//! Refuses a store in which anything came in, unless it is told twice; refuses to fill one a second time.
mod make;
mod pace;
mod run;
mod shape;

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use operator::exit::Exit;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::json;

use self::run::Course;
use self::shape::{DAYS, midnight_ms, shape};
use crate::answer::{say, say_json};
use crate::config::Config;
use crate::error::ServiceError;
use crate::services::catalogue::Shelf;
use crate::services::{Context, meta};
use crate::startup;
use crate::store::{Driver, in_transaction};

/// Things that happen in one transaction, at most.
const TOGETHER: usize = 200;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Commands about sample data.
#[derive(Debug, Subcommand)]
pub enum SampleJob {
    /// Fill an empty store with invented cases, labelled as such on every page; the server must not run.
    #[command(
        after_help = "The people are invented, of the region 639900, which there is not. What was loaded is not taken away again:
use a data folder of its own.

Examples:
  sync-server sample-data --half-year --data /tmp/demo
  sync-server sample-data --half-year --percent 10 --until 2026-11-23 --data /tmp/demo --json"
    )]
    SampleData(SampleData),
}

/// What is loaded.
#[derive(Debug, Clone, Args)]
pub struct SampleData {
    /// Half a year of cases: 2,842 of real estate, and some of everything else.
    #[arg(long, required = true)]
    half_year: bool,
    /// The last day; yesterday if it is not named.
    #[arg(long)]
    until: Option<CivilDate>,
    /// So many of a hundred of the cases.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    percent: u32,
    /// Another seed gives other cases.
    #[arg(long, default_value_t = 20_261_123)]
    seed: u64,
    /// Load also where cases came in already: they will be counted together.
    #[arg(long)]
    beside_other_cases: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// What was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Cases.
    pub cases: usize,
    /// Things that were done to them afterwards.
    pub deeds: u64,
}

/// How much of a half-year, and which.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The last day.
    pub until: CivilDate,
    /// So many of a hundred.
    pub percent: u32,
    /// The seed.
    pub seed: u64,
    /// Where cases came in already as well.
    pub beside_others: bool,
}

/// Loads and answers on standard output.
///
/// # Errors
/// If the store is not empty, the server runs, or the store fails.
pub fn run(job: &SampleJob, config: &Config) -> anyhow::Result<Exit> {
    let SampleJob::SampleData(args) = job;
    let now_ms = startup::now_ms();
    let yesterday = CivilDate::in_china(now_ms).plus_days(-1);
    let until = args.until.unwrap_or(yesterday);
    ensure!(until <= yesterday, "--until names a day that is not over: name {yesterday} or one before");
    let data = config.data_folder();
    let _lock = data.lock()?;
    let opened = startup::open(&data, &config.assets, now_ms)?;
    let context = Context {
        keys: opened.keys,
        epoch: opened.epoch,
        people_url: String::new(),
        shelf: Shelf::default(),
        durable: Default::default(),
    };
    let wanted =
        Wanted { until, percent: args.percent, seed: args.seed, beside_others: args.beside_other_cases };
    let (mut store, begun) = (opened.store, Instant::now());
    let mut bar = Bar { shown: None };
    let loaded =
        load(store.as_mut(), &context, (&opened.catalogue, wanted), &mut |permille| bar.show(permille))?;
    bar.end();
    let seconds = begun.elapsed().as_secs();
    if args.json {
        return say_json(&json!({
            "cases": loaded.cases, "deeds": loaded.deeds, "until": until, "seed": args.seed, "seconds": seconds,
        }));
    }
    say(&format!("{} invented cases up to {until}, {} deeds, {seconds} s\n", loaded.cases, loaded.deeds))
}

/// Loads into a store; `progress` hears thousandths.
///
/// # Errors
/// If the store is not empty, or fails.
pub fn load(
    store: &mut dyn Driver,
    context: &Context,
    (catalogue, wanted): (&Catalogue, Wanted),
    progress: &mut dyn FnMut(u64),
) -> anyhow::Result<Loaded> {
    let text = format!("half-year until {}, {} percent, seed {}", wanted.until, wanted.percent, wanted.seed);
    in_transaction(store, |tx| -> anyhow::Result<()> {
        let loaded = meta::sample_data(tx)?;
        ensure!(loaded.is_none(), "sample data was loaded before: {}", loaded.unwrap_or_default());
        let came = tx.query_int("SELECT COUNT(*) FROM (SELECT 1 FROM envelope LIMIT 1) AS e", &[])?;
        ensure!(
            came == 0 || wanted.beside_others,
            "something came in already, and sample data cannot be told from it afterwards: name an empty data folder, \
             or say --beside-other-cases"
        );
        Ok(meta::note_sample_data(tx, &text)?)
    })?;
    let shape = shape().context("assets/sample/half-year.toml")?;
    let mut rng = ChaCha20Rng::seed_from_u64(wanted.seed);
    let flows = shape.flows(catalogue, wanted.percent, &mut rng);
    let arrivals = shape.arrivals(&flows, (wanted.until, &catalogue.calendar), &mut rng);
    let end_ms = midnight_ms(wanted.until) + DAY_MS;
    let span = (end_ms - DAYS * DAY_MS, end_ms);
    let mut course = Course::new(&shape, (catalogue, &flows), span, rng);
    let mut waiting = arrivals.iter().copied().peekable();
    let (mut came, mut deeds) = (0_usize, 0_u64);
    loop {
        let more = in_transaction(store, |tx| -> Result<bool, ServiceError> {
            for _ in 0..TOGETHER {
                let next_ms = waiting.peek().map_or(i64::MAX, |arrival| arrival.at_ms);
                if course.has_before(next_ms) {
                    course.step(tx, context)?;
                    deeds += 1;
                } else if let Some(arrival) = waiting.next() {
                    course.arrive(tx, context, arrival)?;
                    came += 1;
                } else {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        progress((came * 1_000 / arrivals.len().max(1)) as u64);
        if !more {
            return Ok(Loaded { cases: came, deeds });
        }
    }
}

/// How far it has come, on standard error.
struct Bar {
    shown: Option<u64>,
}

impl Bar {
    fn show(&mut self, permille: u64) {
        let percent = permille / 10;
        if self.shown == Some(percent) {
            return;
        }
        self.shown = Some(percent);
        let mut err = std::io::stderr();
        if err.is_terminal() {
            let full = (percent / 4) as usize;
            let _ = write!(
                err,
                "\r[{}{}] {percent:3} %",
                "#".repeat(full),
                "-".repeat(25_usize.saturating_sub(full))
            );
            let _ = err.flush();
        } else if percent.is_multiple_of(20) {
            tracing::info!(percent, "sample data is loaded");
        }
    }

    fn end(&self) {
        let mut err = std::io::stderr();
        if self.shown.is_some() && err.is_terminal() {
            let _ = writeln!(err);
        }
    }
}
