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
use crate::error::ServiceError;
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
    /// Take the payments that are missing here, as if the gateway had called; the server may run. What is no payment is
    /// told and left out, and a refund is never taken.
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
    let (taken, odd) = if args.take { take(config, &lines, &found)? } else { (0, Vec::new()) };
    if args.json {
        say_json(&json!({ "lines": lines.len(), "differences": found, "taken": taken, "not_taken": odd }))?;
    } else {
        let mut text: String = found.iter().map(|difference| format!("{difference}\n")).collect();
        text.extend(odd.iter().map(|told| format!("{told}\n")));
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

/// Takes the payments that are missing here, each in a transaction of its own, in the order in which they were made; what
/// fits no bill waits for people. Says how many, and what is no payment and was left out.
fn take(config: &Config, lines: &[FileLine], found: &[Difference]) -> anyhow::Result<(u64, Vec<String>)> {
    let data = config.data_folder();
    let mut store = data.open_existing()?;
    let keys = Keys::load(&data.keys_path())?;
    let mut rng = startup::random()?;
    let epoch = in_transaction(store.as_mut(), |tx| meta::epoch(tx, &mut rng))?;
    let people_url = String::new();
    let context = Context { keys, epoch, people_url, shelf: Shelf::default(), durable: Durable::default() };
    let missing = |line: &&FileLine| {
        found.iter().any(|difference| {
            difference.side == Side::MissingHere
                && difference.kind == line.kind
                && difference.number == line.number
        })
    };
    let mut arrivals: Vec<_> = lines.iter().filter(missing).filter_map(FileLine::arrival).collect();
    arrivals.sort_by(|a, b| (a.paid_at_ms, &a.transaction).cmp(&(b.paid_at_ms, &b.transaction)));
    let (mut taken, mut odd) = (0, Vec::new());
    for arrival in arrivals {
        let now_ms = startup::now_ms();
        match in_transaction(store.as_mut(), |tx| money::take(tx, &context, now_ms, &arrival)) {
            Ok(became) => taken += u64::from(became != Taken::Known),
            Err(error @ (ServiceError::Refused { .. } | ServiceError::Inconsistent(_))) => {
                odd.push(format!("payment {} was not taken: {error}", arrival.transaction));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((taken, odd))
}
