//! `sync-server backup-key`, `backup`, `restore`, `hold`, `confirm-clock` and `verify-audit`: what keeps a centre from losing anything.
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use domain::envelope::{KeyRing, SignedDocument};
use domain::ids::CaseNo;
use operator::exit::Exit;
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::{say, say_json};
use crate::backup::{self, Offered, Order, recipient};
use crate::config::Config;
use crate::erasure_journal;
use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::services::audit_heads::{self, Verdict};
use crate::services::{audit, cases, clock_guard, erasure, series::SeriesEnd};
use crate::startup;
use crate::store::{StoreError, Tx, in_transaction};

/// Terminals that `restore` lists for people, at most; as JSON all of them.
const LISTED: usize = 60;
/// Bytes of a file of heads, at most.
const MAX_HEADS_BYTES: u64 = 64 * 1024 * 1024;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum SafetyJob {
    /// Make the key that opens backups: its secret half into a file to be kept elsewhere, its public half into the data folder.
    #[command(
        after_help = "Keep the file away from the server and from the backups, twice: without it no backup opens.

Examples:
  sync-server backup-key --out /media/stick/jinban-backup.key"
    )]
    BackupKey {
        /// The file of the secret half; it is never overwritten.
        #[arg(long)]
        out: PathBuf,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a backup beside the running server, restore it for a check, and say what is durable now.
    #[command(after_help = "With the setting `backup` the server does this by itself.

Examples:
  sync-server backup --to /backup/jinban
  sync-server backup --json")]
    Backup {
        /// The folder of backups; without it that of the setting `backup`.
        #[arg(long)]
        to: Option<PathBuf>,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Restore a backup into an empty data folder or database, under a new epoch; the server must not run.
    #[command(
        after_help = "Put the key backup (the folder `keys`) into the data folder first. Terminals see the new epoch and offer what
the centre lacks.

Examples:
  sync-server restore --from /backup/jinban --key jinban-backup.key --data /var/lib/jinban/new
  sync-server restore --from jinban-1795500000000-019ab2c3-d4e5-7000-8000-000000000001.jbk --key jinban-backup.key --json"
    )]
    Restore(Restore),
    /// Keep the content of a case whatever its time says, because of a dispute; or end that.
    #[command(after_help = "Examples:
  sync-server hold --number XN26112400100013 --reason dispute
  sync-server hold --number XN26112400100013 --end")]
    Hold {
        /// The case.
        #[arg(long)]
        number: CaseNo,
        /// Why; it is not shown to anybody else.
        #[arg(long, required_unless_present = "end")]
        reason: Option<String>,
        /// End the hold.
        #[arg(long, conflicts_with = "reason")]
        end: bool,
    },
    /// Say that the machine's clock is right although it is far ahead of what the store saw last.
    #[command(
        after_help = "Until then nothing is erased by its age, no old backup is removed, and the clock moves no case: no notice of what
is missing goes out, no time for it runs out, nothing counts as accepted because nobody looked at it in time, nobody is
urged, and no new calendar moves a last day. Once the clock is believed, all that is due happens. Terminals confirm a
right clock by themselves; this is for a centre that none of them reaches. Look at the clock first.

Examples:
  timedatectl
  sync-server confirm-clock"
    )]
    ConfirmClock {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check the whole chain of audit rows and its signed daily heads; also heads that terminals kept.
    #[command(after_help = "Exit code 1 if a row was changed, cut off or written anew.

Examples:
  sync-server verify-audit
  terminal status --json > heads.json
  sync-server verify-audit --heads heads.json --json")]
    VerifyAudit {
        /// Heads that a terminal kept, as `terminal status --json` gives them.
        #[arg(long)]
        heads: Option<PathBuf>,
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What is restored.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup, or a folder of backups: the newest one.
    #[arg(long)]
    from: PathBuf,
    /// The secret key, as `backup-key` made it.
    #[arg(long)]
    key: PathBuf,
    /// A further journal of erasures, besides that of the settings and the copy beside the backup.
    #[arg(long)]
    journal: Option<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs one of the commands.
///
/// # Errors
/// Whatever it runs into.
pub fn run(job: &SafetyJob, config: &Config) -> anyhow::Result<Exit> {
    match job {
        SafetyJob::BackupKey { out, json } => make_key(config, out, *json),
        SafetyJob::Backup { to, json } => back_up(config, to.as_deref(), *json),
        SafetyJob::Restore(args) => restore(config, args),
        SafetyJob::Hold { number, reason, .. } => hold(config, number, reason.as_deref()),
        SafetyJob::ConfirmClock { json } => confirm_clock(config, *json),
        SafetyJob::VerifyAudit { heads, json } => verify_audit(config, heads.as_deref(), *json),
    }
}

fn make_key(config: &Config, out: &Path, as_json: bool) -> anyhow::Result<Exit> {
    let data = config.data_folder();
    data.make()?;
    let id = recipient::make(data.path(), out, &mut startup::random()?)?;
    if as_json {
        return say_json(&json!({ "key": id, "secret": out }));
    }
    say(&format!("key {id}: keep {} away from this machine; without it no backup opens\n", out.display()))
}

fn back_up(config: &Config, to: Option<&Path>, as_json: bool) -> anyhow::Result<Exit> {
    let data = config.data_folder();
    let Some(to) = to.or(config.backup.as_deref()) else {
        bail!("name the folder of backups with --to, or with `backup` in the settings")
    };
    let keys = Keys::load(&data.keys_path())?;
    let blobs = config.blob_place()?;
    let (journal, now_ms) = (config.erasure_journal(), startup::now_ms());
    let order = Order { data: &data, keys: &keys, blobs: &blobs, to, journal: &journal, now_ms };
    let made = backup::make(&order, &mut startup::random()?)?;
    if as_json {
        return say_json(&made);
    }
    say(&format!(
        "{}\n{} rows, {} bytes, restored for a check and the same; {} attachments, {} not to be had; durable up to envelope {}\n",
        made.file.display(),
        made.rows,
        made.bytes,
        made.attachments,
        made.attachments_lost,
        made.durable_upto
    ))
}

fn restore(config: &Config, args: &Restore) -> anyhow::Result<Exit> {
    let data = config.data_folder();
    let _lock = data.lock()?;
    let from = if args.from.is_dir() {
        let newest = backup::folder::newest(&args.from, startup::now_ms())
            .with_context(|| args.from.display().to_string())?;
        newest.with_context(|| format!("there is no backup in {}", args.from.display()))?
    } else {
        args.from.clone()
    };
    let own = config.erasure_journal();
    let beside = from.parent().unwrap_or(Path::new("")).join(erasure_journal::FILE);
    let given = args.journal.clone().into_iter();
    let journals: Vec<_> = given.chain([beside, own.clone()]).collect();
    let now_ms = startup::now_ms();
    let blobs = config.blob_place()?;
    let order = Offered {
        from: &from,
        key: &args.key,
        journals: &journals,
        own_journal: &own,
        data: &data,
        blobs: &blobs,
        now_ms,
    };
    let restored = backup::restore(&order, &mut startup::random()?)?;
    if args.json {
        return say_json(&restored);
    }
    let age = operator::findings::span(now_ms.saturating_sub(restored.made_at_ms));
    let mut text = format!(
        "{} rows and {} attachments restored from {}, {age} old, up to envelope {}; epoch {}\n{} attachments are lost and asked for again\n{} erasures done again, {} holds put back ({})\n",
        restored.note.rows,
        restored.note.attachments,
        from.display(),
        restored.note.server_seq,
        restored.note.epoch,
        restored.note.attachments_lost,
        restored.note.erased,
        restored.note.held,
        own.display(),
    );
    if !restored.keys_are_there {
        text.push_str(&format!("put the key backup into {} before `serve`\n", data.keys_path().display()));
    }
    text.push_str("terminals offer again what they sent after this:\n");
    for SeriesEnd { terminal, station, highest_seq } in restored.terminals.iter().take(LISTED) {
        text.push_str(&format!("  {terminal}  {station}  after {highest_seq}\n"));
    }
    if restored.terminals.len() > LISTED {
        text.push_str(&format!("  and {} more (--json)\n", restored.terminals.len() - LISTED));
    }
    say(&text)
}

fn hold(config: &Config, number: &CaseNo, reason: Option<&str>) -> anyhow::Result<Exit> {
    let mut store = config.data_folder().open_existing()?;
    let (journal, now_ms) = (config.erasure_journal(), startup::now_ms());
    let done = in_transaction(store.as_mut(), |tx| {
        let found = cases::by_number(tx, number)?.into_iter().find(|case| case.number == *number);
        let case = found.ok_or(ServiceError::from(ProblemCode::NotFound))?;
        match reason {
            Some(reason) => {
                erasure::hold(tx, now_ms, &case.envelope_id, ("operator", reason))?;
                // Before the COMMIT: a restore finds it behind an erasure that a kill broke off.
                let hold = erasure_journal::Hold { envelope_id: case.envelope_id, held_ms: now_ms };
                erasure_journal::append(&journal, &[erasure_journal::Line::Held(hold)])?;
                Ok(true)
            }
            None => Ok::<_, anyhow::Error>(erasure::release(tx, now_ms, &case.envelope_id, "operator")?),
        }
    });
    match done.with_context(|| format!("case {number}"))? {
        true if reason.is_some() => say(&format!("{number} is kept until the hold is ended\n")),
        true => say(&format!("{number} is erased after its time again\n")),
        false => bail!("{number} was not on hold"),
    }
}

fn confirm_clock(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let mut store = config.data_folder().open_existing()?;
    let now_ms = startup::now_ms();
    in_transaction(store.as_mut(), |tx| clock_guard::confirm(tx, now_ms, "operator"))?;
    if as_json {
        return say_json(&json!({ "confirmed_ms": now_ms }));
    }
    say(&format!("{} is taken to be right\n", domain::date::CivilDate::in_china(now_ms)))
}

/// What was found of the audit chain.
#[derive(Debug, Default, Serialize)]
struct Found {
    rows: u64,
    heads: usize,
    lost_by_restore: usize,
    problems: Vec<String>,
}

fn verify_audit(config: &Config, heads: Option<&Path>, as_json: bool) -> anyhow::Result<Exit> {
    let data = config.data_folder();
    let keys = KeyRing::new([Keys::load(&data.keys_path())?.receipt.public()]);
    let given = heads.map(read_heads).transpose()?.unwrap_or_default();
    let mut store = data.reader()?;
    store.begin_read()?;
    let found = examine(&mut Tx::new(store.as_mut()), &keys, &given);
    store.rollback();
    let found = found?;
    let exit = if found.problems.is_empty() { Exit::Ok } else { Exit::Failure };
    if as_json {
        say_json(&found)?;
        return Ok(exit);
    }
    let mut text = format!("{} rows, {} heads\n", found.rows, found.heads);
    if found.lost_by_restore > 0 {
        text.push_str(&format!("{} heads are of rows that a restore lost\n", found.lost_by_restore));
    }
    text.extend(found.problems.iter().map(|p| format!("BROKEN {p}\n")));
    say(&text)?;
    Ok(exit)
}

fn examine(tx: &mut Tx<'_>, keys: &KeyRing, given: &[SignedDocument]) -> Result<Found, StoreError> {
    let mut found = Found::default();
    match audit::verify_all(tx)? {
        Ok(last) => found.rows = last,
        Err(row) => found.problems.push(format!("the chain breaks at row {row}")),
    }
    let kept = audit_heads::kept(tx)?;
    found.heads = kept.len() + given.len();
    let all = kept.iter().map(|head| ("kept here", head)).chain(given.iter().map(|head| ("given", head)));
    for (place, (whose, head)) in all.enumerate() {
        let what = match audit_heads::judge(tx, head, keys)? {
            Verdict::Holds => continue,
            Verdict::LostByRestore => {
                found.lost_by_restore += 1;
                continue;
            }
            Verdict::Rewritten => "the chain was written anew before it",
            Verdict::CutOff => "the chain was cut off before it",
            Verdict::Forged => "it is not signed by this centre",
        };
        found.problems.push(format!("head {} ({whose}): {what}", place + 1));
    }
    Ok(found)
}

fn read_heads(file: &Path) -> anyhow::Result<Vec<SignedDocument>> {
    use std::io::Read as _;
    let mut text = String::new();
    let opened = std::fs::File::open(file).with_context(|| file.display().to_string())?;
    opened.take(MAX_HEADS_BYTES).read_to_string(&mut text).with_context(|| file.display().to_string())?;
    let value: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?;
    let list = value.get("audit_heads").unwrap_or(&value).clone();
    serde_json::from_value(list).with_context(|| format!("{} holds no audit heads", file.display()))
}
