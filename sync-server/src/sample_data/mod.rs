//! `sync-server sample-data --half-year`: fills an empty store with half a year of invented cases, so that pages are seen
//! full. The same seed and last day give the same cases.
//!
//! Refuses a store that anybody used, before anything in it is changed; refuses to fill one a second time.
mod make;
mod pace;
mod run;
mod shape;

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
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
use crate::data_folder::DataFolder;
use crate::error::ServiceError;
use crate::services::catalogue::Shelf;
use crate::services::{Context, meta};
use crate::startup;
use crate::store::{Driver, MigrateError, StoreError, Tx, in_transaction, require_current};

/// Things that happen in one transaction, at most.
const TOGETHER: usize = 200;
const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// Tables that have rows once anybody used a store.
const USED: [&str; 4] = ["envelope", "visit", "window_draft", "terminal"];
/// What stands before the note of sample data until all of it is there.
const BEGUN: &str = "begun: ";

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
    refuse_used(&data)?;
    let opened = startup::open(&data, &config.assets, now_ms)?;
    let context = Context {
        keys: opened.keys,
        epoch: opened.epoch,
        people_url: String::new(),
        shelf: Shelf::default(),
        durable: Default::default(),
    };
    let wanted = Wanted { until, percent: args.percent, seed: args.seed };
    let (mut store, begun) = (opened.store, Instant::now());
    let mut bar = Bar { shown: None };
    let loaded =
        load(store.as_mut(), &context, (&opened.catalogue, wanted), &mut |permille| bar.show(permille))?;
    bar.end();
    // What came in last is of the past: without this the clock of today would pass for one that runs far ahead.
    in_transaction(store.as_mut(), |tx| meta::note_clock(tx, now_ms))?;
    let seconds = begun.elapsed().as_secs();
    if args.json {
        return say_json(&json!({
            "cases": loaded.cases, "deeds": loaded.deeds, "until": until, "seed": args.seed, "seconds": seconds,
        }));
    }
    say(&format!("{} invented cases up to {until}, {} deeds, {seconds} s\n", loaded.cases, loaded.deeds))
}

/// Looks, without writing, whether anybody used this store: sample data cannot be told from the rest afterwards.
fn refuse_used(data: &DataFolder) -> anyhow::Result<()> {
    let database = data.database();
    if database.is_new()? {
        return Ok(());
    }
    let mut look = data.reader()?;
    match require_current(look.as_mut()) {
        Ok(()) => {}
        Err(MigrateError::Older { found: 0, .. }) => return Ok(()),
        Err(e) => return Err(e).context("sample data needs a new data folder"),
    }
    let mut tx = Tx::new(look.as_mut());
    refuse_loaded(&mut tx)?;
    if let Some(table) = used_table(&mut tx)? {
        bail!(
            "this store was used already (`{table}` has rows), and sample data cannot be told from the rest \
             afterwards; nothing was changed: name an empty data folder"
        );
    }
    Ok(())
}

/// A table that has rows once somebody used the store.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn used_table(tx: &mut Tx<'_>) -> Result<Option<&'static str>, StoreError> {
    for table in USED {
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT 1) AS e");
        if tx.query_int(&sql, &[])? > 0 {
            return Ok(Some(table));
        }
    }
    Ok(None)
}

/// Refuses a store that has sample data, or a part of it.
fn refuse_loaded(tx: &mut Tx<'_>) -> anyhow::Result<()> {
    let Some(loaded) = meta::sample_data(tx)? else { return Ok(()) };
    if let Some(what) = loaded.strip_prefix(BEGUN) {
        bail!(
            "loading sample data ({what}) was broken off, and a part of it is here: delete this data folder (with \
             PostgreSQL its database as well), or name another one, and load anew"
        );
    }
    bail!("sample data was loaded before: {loaded}")
}

/// Loads into a store that nobody used, which whoever calls looks at; `progress` hears thousandths.
///
/// # Errors
/// If sample data was loaded before, or the store fails.
pub fn load(
    store: &mut dyn Driver,
    context: &Context,
    (catalogue, wanted): (&Catalogue, Wanted),
    progress: &mut dyn FnMut(u64),
) -> anyhow::Result<Loaded> {
    let text = format!("half-year until {}, {} percent, seed {}", wanted.until, wanted.percent, wanted.seed);
    in_transaction(store, |tx| -> anyhow::Result<()> {
        refuse_loaded(tx)?;
        Ok(meta::note_sample_data(tx, &format!("{BEGUN}{text}"))?)
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
            in_transaction(store, |tx| meta::note_sample_data(tx, &text))?;
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
