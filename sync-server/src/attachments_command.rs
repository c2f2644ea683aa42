//! `sync-server attachments`: what waits for pages and photos, and when waiting has no sense any more.
use std::cell::OnceCell;
use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use domain::envelope::Digest;
use domain::ids::{CaseNo, EnvelopeId};
use operator::exit::Exit;
use operator::findings::span;
use serde_json::json;

use crate::answer::{say, say_json};
use crate::backup::blobs::{self as copies, BlobFile};
use crate::backup::came;
use crate::blobs::{BlobError, Blobs};
use crate::config::Config;
use crate::services::blobs::{self, Waiting};
use crate::services::envelopes;
use crate::startup::now_ms;
use crate::store::{StoreError, Tx, in_transaction};

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
(alarm `blob.rotten`) or could not read there, time and again (alarm `blob.unread`; delete its file first: it lies in
`blobs`, under its digest). What has a copy beside the backups is brought back instead: let their disk be mounted, and name
their folder with --backup if the settings do not. With the case goes what refers to it. What comes all the same is taken
in. Ask the citizen for it. Exit code 3 if nobody can say of some pages where they are: those stay as they are.

Examples:
  sync-server attachments give-up --number XN26112400100013
  sync-server attachments give-up --number XN26112400100013 --backup /backup/jinban
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
    /// Also what a backup had, or may have had: its copy is gone for good, as is the folder of copies if it is not there.
    #[arg(long)]
    without_copy: bool,
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

/// What was meant, as the store has it.
struct Meant {
    came: Vec<(EnvelopeId, Vec<BlobFile>)>,
    newest_ms: Option<i64>,
    is_there: bool,
    /// There is, or was, a backup.
    is_backed_up: bool,
    /// Attachments that a backup may have.
    backed_up: BTreeSet<Digest>,
}

impl Meant {
    /// All that is meant, whether or not it waits: said again, the answer is the same.
    fn find(tx: &mut Tx<'_>, args: &GiveUp) -> Result<Self, StoreError> {
        let came = match &args.number {
            Some(number) => came::of_case(tx, number)?,
            None => came::of_envelopes(tx, args.envelope.as_slice())?,
        };
        let ids: Vec<_> = came.iter().map(|(id, _)| *id).collect();
        let is_there = match ids.first() {
            Some(id) => envelopes::find(tx, id)?.is_some(),
            None => false,
        };
        let mut meant = Self {
            newest_ms: blobs::newest_waiting(tx, &ids)?,
            is_there,
            is_backed_up: came::is_backed_up(tx)?,
            backed_up: BTreeSet::new(),
            came,
        };
        meant.backed_up = came::backed_up(tx, &meant.files())?;
        Ok(meant)
    }

    fn files(&self) -> Vec<BlobFile> {
        self.came.iter().flat_map(|(_, files)| files.clone()).collect()
    }
}

fn give_up(config: &Config, args: &GiveUp) -> anyhow::Result<Exit> {
    let mut store = config.data_folder().open_existing()?;
    let meant = in_transaction(store.as_mut(), |tx| Meant::find(tx, args))?;
    let what = args.number.as_ref().map(ToString::to_string);
    let what = what.or_else(|| args.envelope.map(|id| id.to_string())).unwrap_or_default();
    if !meant.is_there {
        anyhow::bail!("the centre has nothing of {what}");
    }
    let youngest = meant.newest_ms.map(|came_ms| now_ms().saturating_sub(came_ms));
    if let Some(age_ms) = youngest.filter(|age| !args.early && *age < EARLY_MS) {
        anyhow::bail!(
            "its text came {} ago and the pages may be on their way: wait an hour, or say --early",
            span(age_ms)
        );
    }
    let Looked { gone, unknown, why } = look(config, &meant, args.without_copy);
    let given_up = in_transaction(store.as_mut(), |tx| {
        for digest in &gone {
            copies::await_one(tx, now_ms(), digest)?;
        }
        let each = meant.came.iter().map(|(id, _)| blobs::give_up(tx, now_ms(), id));
        each.collect::<Result<Vec<_>, StoreError>>().map(|given| given.concat())
    })?;
    // What is awaited, and what is gone, is given up whatever became of the others.
    if let Some(why) = why.filter(|_| given_up.is_empty()) {
        return Err(why.context(NOBODY_CAN_SAY));
    }
    if args.json {
        let (number, envelope) = (&args.number, args.envelope);
        say_json(
            &json!({ "number": number, "envelope": envelope, "given_up": given_up, "unknown": unknown }),
        )?;
    } else {
        let mut text = match given_up.len() {
            0 => format!("nothing is awaited of {what}\n"),
            n => format!("{n} attachments of {what} are given up; ask the citizen for them\n"),
        };
        if unknown > 0 {
            text.push_str(&format!("{unknown} others stay as they are: {NOBODY_CAN_SAY}\n"));
        }
        say(&text)?;
    }
    Ok(if unknown > 0 { Exit::Degraded } else { Exit::Ok })
}

/// Why pages stay as they are, and what to do.
const NOBODY_CAN_SAY: &str = "nobody can say whether attachments that came are still at the centre, or beside the backups: \
    let the place of attachments answer, mount the disk of backups, and name their folder with --backup; only if there is \
    no copy any more, say --without-copy";

/// What became of attachments that came.
#[derive(Default)]
struct Looked {
    /// Nobody has them.
    gone: Vec<Digest>,
    /// So many of which nobody can say where they are.
    unknown: usize,
    /// Why, of the first.
    why: Option<anyhow::Error>,
}

impl Looked {
    fn cannot_say(&mut self, count: usize, why: anyhow::Error) {
        if count == 0 {
            return;
        }
        tracing::warn!(attachments = count, "{why:#}");
        self.unknown += count;
        self.why.get_or_insert(why);
    }
}

/// Which attachments, that came, are at the centre no more, or as other bytes. What the backups have a copy of is brought
/// back instead. Only where nothing was ever backed up can there be no copies: a folder that is not there, or not named,
/// lies elsewhere otherwise, and one without the copy of what was backed up is another one. `without_copy` says that all
/// of this is lost. A place that does not answer is asked no further.
fn look(config: &Config, meant: &Meant, without_copy: bool) -> Looked {
    let (files, mut looked) = (meant.files(), Looked::default());
    if files.is_empty() {
        return looked;
    }
    let centre = config.blob_place().map_err(anyhow::Error::from);
    let centre = match centre.and_then(|place| Ok(Blobs::open_existing(&place)?)) {
        Ok(centre) => centre,
        Err(e) => {
            looked.cannot_say(files.len(), e);
            return looked;
        }
    };
    let none_is_fine = without_copy || !meant.is_backed_up;
    let open = || match config.backup.as_deref().map(|folder| Blobs::open_existing(&copies::beside(folder))) {
        None | Some(Err(BlobError::NoFolder(_))) if none_is_fine => Ok(None),
        None => Err(BlobError::Place("no folder of backups is named".to_owned())),
        Some(opened) => opened.map(Some),
    };
    let opened = OnceCell::new();
    let from = || match opened.get() {
        Some(copies) => Ok(Option::as_ref(copies)),
        None => open().map(|copies| opened.get_or_init(|| copies).as_ref()),
    };
    for (n, file) in files.iter().enumerate() {
        match copies::bring_one(file, from, &centre) {
            Ok(true) => {}
            Ok(false) if !without_copy && meant.backed_up.contains(&file.digest) => {
                let why = "may be in a backup, and its copy is not beside the backups that were looked at";
                looked.cannot_say(1, anyhow::anyhow!("{} {why}", file.digest));
            }
            Ok(false) => looked.gone.push(file.digest),
            Err(e) => {
                looked.cannot_say(1, e.into());
                if let Err(e) = centre.check() {
                    looked.cannot_say(files.len() - n - 1, e.into());
                    break;
                }
            }
        }
    }
    looked
}
