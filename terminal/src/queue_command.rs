//! `terminal queue`: what waits and why, and how an operator has it sent again. No content, no person.
use anyhow::{Context as _, bail};
use clap::Subcommand;
use operator::exit::Exit;
use operator::output::{print, print_json};
use serde_json::json;

use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::store::{QueueChange, StatusRow, Store, read_status};

/// Rows that are looked through.
const ROWS: u32 = 100_000;

/// What is done with the queue.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueJob {
    /// What is not at the centre yet, with the last error and the next try; works beside a running terminal.
    #[command(after_help = "Examples:
  terminal queue list
  terminal queue list --json")]
    List {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Everything about one row but its content.
    #[command(after_help = "Examples:
  terminal queue show XN26112400100013")]
    Show {
        /// Number on the slip, or envelope id.
        which: String,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put a row that is in quarantine back into the queue, after whoever put it there was understood.
    #[command(
        after_help = "A row in conflict is never released: the centre holds another content under its id.

Examples:
  terminal queue release XN26112400100013"
    )]
    Release {
        /// Number on the slip, or envelope id.
        which: String,
    },
    /// Have a waiting row sent at once, whenever it was to be tried again.
    #[command(after_help = "Examples:
  terminal queue retry XN26112400100013")]
    Retry {
        /// Number on the slip, or envelope id.
        which: String,
    },
}

/// Does it.
///
/// # Errors
/// If the store cannot be used, or there is no such row.
pub(crate) fn run(job: &QueueJob, config: &Config) -> anyhow::Result<Exit> {
    match job {
        QueueJob::List { json } => list(config, *json),
        QueueJob::Show { which, json } => show(config, which, *json),
        QueueJob::Release { which } => change(config, which, Store::release),
        QueueJob::Retry { which } => change(config, which, Store::retry),
    }
}

fn rows(config: &Config) -> anyhow::Result<Vec<StatusRow>> {
    read_status(&config.data, ROWS).with_context(|| format!("the store in {}", config.data.display()))
}

fn list(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let mut waiting = rows(config)?;
    waiting.retain(|row| row.state != "delivered" || row.gone_ms.is_some());
    waiting.reverse();
    if as_json {
        print_json(&waiting).context("standard output")?;
        return Ok(Exit::Ok);
    }
    let mut text = format!("{} rows are not safe at the centre\n", waiting.len());
    for row in &waiting {
        let why = row.reason.as_deref().or(row.last_error.as_deref()).unwrap_or("");
        let state = if row.gone_ms.is_some() { "gone" } else { &row.state };
        let number = row.number.as_deref().unwrap_or(&row.envelope_id);
        text.push_str(&format!("{number}  seq {}  {state}  tries {}  {why}\n", row.seq, row.attempts));
    }
    print(&text).context("standard output")?;
    Ok(Exit::Ok)
}

fn show(config: &Config, which: &str, as_json: bool) -> anyhow::Result<Exit> {
    let row =
        rows(config)?.into_iter().find(|r| r.envelope_id == which || r.number.as_deref() == Some(which));
    let row = row.with_context(|| format!("there is no row {which}"))?;
    if as_json {
        print_json(&row).context("standard output")?;
        return Ok(Exit::Ok);
    }
    let value = json!(row);
    let mut text = String::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        if !value.is_null() && !value.is_object() {
            text.push_str(&format!(
                "{key:<16} {}\n",
                value.as_str().map_or(value.to_string(), str::to_owned)
            ));
        }
    }
    print(&text).context("standard output")?;
    Ok(Exit::Ok)
}

type Change = fn(&mut Store, &str, i64) -> Result<QueueChange, crate::store::StoreError>;

fn change(config: &Config, which: &str, change: Change) -> anyhow::Result<Exit> {
    // Never makes a store where there is none.
    rows(config)?;
    let now_ms = SystemClock.now_ms();
    let mut store = Store::open(&config.data, now_ms)?;
    match change(&mut store, which, now_ms)? {
        QueueChange::Queued => print(&format!("{which} is sent next\n")).context("standard output")?,
        QueueChange::Unknown => bail!("there is no row {which}"),
        QueueChange::NotNow { state } => bail!("{which} is {state}: nothing was changed"),
    }
    Ok(Exit::Ok)
}
