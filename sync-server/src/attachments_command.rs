//! `sync-server attachments`: what waits for pages and photos, and when waiting has no sense any more.
use anyhow::Context as _;
use clap::{Args, Subcommand};
use domain::envelope::Digest;
use domain::ids::{CaseNo, EnvelopeId};
use operator::exit::Exit;
use operator::findings::span;
use serde_json::json;

use crate::answer::{say, say_json};
use crate::backup::blobs::{self as copies, BlobFile};
use crate::blobs::{BlobError, Blobs};
use crate::config::Config;
use crate::services::blobs::{self, Waiting};
use crate::services::{durability, envelopes};
use crate::startup::now_ms;
use crate::store::{StoreError, in_transaction};

/// Pages of a text that came less long ago may be on their way, in milliseconds: an hour.
const EARLY_MS: i64 = 3_600_000;

/// What can be done about attachments.
#[derive(Debug, Subcommand)]
pub enum AttachmentsJob {
    /// List what waits for attachments, the oldest first: number, envelope, kind, terminal, how many, since when.
    #[command(after_help = "Examples:
  sync-server attachments list
  sync-server attachments list --json")]
    List {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Wait no longer for what a terminal has lost, or the centre itself: the case goes on without it, and others can become
    /// durable.
    #[command(
        after_help = "For a page that `terminal status` calls damaged, and for one that a backup found gone or altered at the centre
(alarm `blob.rotten`); of that a copy beside the backups is brought back first. With the case goes what refers to it. What
comes all the same is taken in. Ask the citizen for it.

Examples:
  sync-server attachments give-up --number XN26112400100013
  sync-server attachments give-up --envelope 019ab2c3-d4e5-7000-8000-000000000001"
    )]
    GiveUp(GiveUp),
}

/// Which case or envelope.
#[derive(Debug, Args)]
pub struct GiveUp {
    /// The case: its submission, and all that refers to it.
    #[arg(long, required_unless_present = "envelope")]
    number: Option<CaseNo>,
    /// One envelope, as the list names it.
    #[arg(long, conflicts_with = "number")]
    envelope: Option<EnvelopeId>,
    /// Also if its text came less than an hour ago: pages follow their text.
    #[arg(long)]
    early: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Does the job and answers on standard output.
///
/// # Errors
/// What cannot be done, with its reason.
pub fn run(job: &AttachmentsJob, config: &Config) -> anyhow::Result<Exit> {
    match job {
        AttachmentsJob::List { json } => list(config, *json),
        AttachmentsJob::GiveUp(args) => give_up(config, args),
    }
}

fn list(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let mut store = config.data_folder().open_existing()?;
    let waiting = in_transaction(store.as_mut(), |tx| blobs::waiting(tx, i64::MAX))?;
    if as_json {
        return say_json(&waiting);
    }
    if waiting.is_empty() {
        return say("nothing waits for attachments\n");
    }
    let line = |w: &Waiting| {
        let age = span(now_ms().saturating_sub(w.received_at_ms));
        let number = w.number.as_ref().map_or("-", CaseNo::as_str);
        format!("{number}  {}  {}  {}  {} awaited for {age}\n", w.envelope_id, w.kind, w.terminal, w.awaited)
    };
    say(&waiting.iter().map(line).collect::<String>())
}

fn give_up(config: &Config, args: &GiveUp) -> anyhow::Result<Exit> {
    let mut store = config.data_folder().open_existing()?;
    // All that is meant, whether or not it waits: said again, the answer is the same.
    let (came, newest_ms, is_there, backed_up) = in_transaction(store.as_mut(), |tx| {
        let came = match &args.number {
            Some(number) => copies::came_of_case(tx, number)?,
            None => copies::came_of(tx, args.envelope.as_slice())?,
        };
        let meant: Vec<_> = came.iter().map(|(id, _)| *id).collect();
        let is_there = match meant.first() {
            Some(id) => envelopes::find(tx, id)?.is_some(),
            None => false,
        };
        let backed_up = durability::last(tx)?.is_some();
        Ok::<_, StoreError>((came, blobs::newest_waiting(tx, &meant)?, is_there, backed_up))
    })?;
    let what = args.number.as_ref().map(ToString::to_string);
    let what = what.or_else(|| args.envelope.map(|id| id.to_string())).unwrap_or_default();
    if !is_there {
        anyhow::bail!("the centre has nothing of {what}");
    }
    let youngest = newest_ms.map(|came_ms| now_ms().saturating_sub(came_ms));
    if let Some(age_ms) = youngest.filter(|age| !args.early && *age < EARLY_MS) {
        anyhow::bail!(
            "its text came {} ago and the pages may be on their way: wait an hour, or say --early",
            span(age_ms)
        );
    }
    let files: Vec<_> = came.iter().flat_map(|(_, files)| files.clone()).collect();
    let rotten = match rotten(config, &files, backed_up) {
        // What is awaited can be given up whatever became of the others.
        Err(e) if newest_ms.is_some() => {
            tracing::warn!("{e:#}");
            Vec::new()
        }
        rotten => rotten?,
    };
    let given_up = in_transaction(store.as_mut(), |tx| {
        for digest in &rotten {
            copies::await_one(tx, now_ms(), digest)?;
        }
        let each = came.iter().map(|(id, _)| blobs::give_up(tx, now_ms(), id));
        each.collect::<Result<Vec<_>, StoreError>>().map(|given| given.concat())
    })?;
    if args.json {
        return say_json(&json!({ "number": args.number, "envelope": args.envelope, "given_up": given_up }));
    }
    say(&match given_up.len() {
        0 => format!("nothing is awaited of {what}\n"),
        n => format!("{n} attachments of {what} are given up; ask the citizen for them\n"),
    })
}

/// Which of these attachments, that came, are at the centre no more, or as other bytes. What the backups have a copy of is
/// brought back instead. Only where nothing was ever backed up can there be no copies: a folder that is not there otherwise
/// may lie on a disk that is not mounted.
fn rotten(config: &Config, files: &[BlobFile], backed_up: bool) -> anyhow::Result<Vec<Digest>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let place = config.blob_place()?;
    let copied = || match &config.backup {
        None => Ok(None),
        Some(backups) => match Blobs::open_existing(&copies::beside(backups)) {
            Err(BlobError::NoFolder(_)) if !backed_up => Ok(None),
            opened => opened.map(Some),
        },
    };
    let look = || copies::bring_back(files, copied, &Blobs::open_existing(&place)?);
    look().with_context(|| {
        format!("nobody can say whether attachments that came are still in {place}, or beside the backups")
    })
}
