//! `sync-server reconcile`: the gateway's file of a day against what is here.
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use domain::date::CivilDate;
use operator::exit::Exit;
use serde_json::json;

use crate::answer::{say, say_json};
use crate::config::Config;
use crate::keys::Keys;
use crate::services::catalogue::Shelf;
use crate::services::money::{self, Difference, FileLine, MAX_FILE_BYTES, Side, Taken};
use crate::services::{Context, Durable, meta};
use crate::startup;
use crate::store::{Tx, in_transaction};

/// What is compared.
#[derive(Debug, Args)]
pub struct Reconcile {
    /// The gateway's file of the day (CSV: kind, number, order, fen, currency, paid_at_ms).
    file: PathBuf,
    /// The day in China, such as 2026-11-30.
    #[arg(long)]
    day: CivilDate,
    /// Take the payments that are missing here, as if the gateway had called; the server may run.
    #[arg(long)]
    take: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Compares, and says what does not agree.
///
/// # Errors
/// If the file or the store cannot be read; that something does not agree is no error but the exit code.
pub fn run(args: &Reconcile, config: &Config) -> anyhow::Result<Exit> {
    let lines = read(args)?;
    let mut store = config.data_folder().read_existing()?;
    store.begin_read()?;
    let found = money::compare(&mut Tx::new(store.as_mut()), args.day, &lines);
    store.rollback();
    let found = found?;
    let taken = if args.take { take(config, &lines, &found)? } else { 0 };
    if args.json {
        say_json(&json!({ "lines": lines.len(), "differences": found, "taken": taken }))?;
    } else {
        let mut text: String = found.iter().map(|difference| format!("{difference}\n")).collect();
        text.push_str(&format!("{} lines: {} differences", lines.len(), found.len()));
        text.push_str(&if args.take { format!(", {taken} payments taken\n") } else { "\n".to_owned() });
        say(&text)?;
    }
    Ok(if found.is_empty() { Exit::Ok } else { Exit::Failure })
}

fn read(args: &Reconcile) -> anyhow::Result<Vec<FileLine>> {
    let shown = args.file.display();
    let file = std::fs::File::open(&args.file).with_context(|| format!("{shown} cannot be read"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("{shown}"))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        bail!("{shown} has more than {MAX_FILE_BYTES} bytes");
    }
    money::read_file(&bytes).map_err(|why| anyhow::anyhow!("{shown} is no file of a day: {why}"))
}

/// Takes the payments that are missing here, each in a transaction of its own; what fits no bill waits for people.
fn take(config: &Config, lines: &[FileLine], found: &[Difference]) -> anyhow::Result<u64> {
    let data = config.data_folder();
    let mut store = data.open_existing()?;
    let keys = Keys::load(&data.keys_path())?;
    let mut rng = startup::random()?;
    let epoch = in_transaction(store.as_mut(), |tx| meta::epoch(tx, &mut rng))?;
    let people_url = String::new();
    let context = Context { keys, epoch, people_url, shelf: Shelf::default(), durable: Durable::default() };
    let missing = |line: &&FileLine| {
        found
            .iter()
            .any(|difference| difference.side == Side::MissingHere && difference.number == line.number)
    };
    let mut taken = 0;
    for arrival in lines.iter().filter(missing).filter_map(FileLine::arrival) {
        let now_ms = startup::now_ms();
        let became = in_transaction(store.as_mut(), |tx| money::take(tx, &context, now_ms, &arrival))?;
        taken += u64::from(became != Taken::Known);
    }
    Ok(taken)
}
