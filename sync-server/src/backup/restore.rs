//! A backup into an empty store: under a new epoch, with everything erased again that had been erased since.
//!
//! Every step can be repeated, and the last one is the transaction that begins the epoch: nobody goes on with a store whose
//! restore was broken off before it, and the same command once more ends it. Refuses a store that holds anything, and
//! private keys of another centre.
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use domain::envelope::Digest;
use domain::ids::{EnvelopeId, ServerEpoch};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};

use super::blobs::BlobFile;
use super::file::{Head, Sealed};
use super::{BackupError, blobs, fill, recipient};
use crate::blobs::{BlobError, BlobPlace, Blobs};
use crate::data_folder::DataFolder;
use crate::erasure_journal::{self, Standing};
use crate::keys::{Keys, MAIN_FILES};
use crate::move_store::is_free;
use crate::services::audit::{self, Event};
use crate::services::series::{self, SeriesEnd};
use crate::services::{durability, enrol, erasure, meta, sealing_keys, sessions};
use crate::store::{
    Driver, SCHEMA_VERSION, StoreError, Tx, in_transaction, migrate, migrate_to, require_current,
};

/// What is to be restored, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Offered<'a> {
    /// The backup.
    pub from: &'a Path,
    /// The recipient's secret key.
    pub key: &'a Path,
    /// Journals of erasures and holds, of which none need be there.
    pub journals: &'a [PathBuf],
    /// The centre's own journal, to which all their lines are brought.
    pub own_journal: &'a Path,
    /// Where to; its store must be empty.
    pub data: &'a DataFolder,
    /// Where attachments go.
    pub blobs: &'a BlobPlace,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

/// A restored centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// What the store notes of it.
    #[serde(flatten)]
    pub note: Note,
    /// When the state of the backup was taken, milliseconds since 1970.
    pub made_at_ms: i64,
    /// The private keys of the centre are in the data folder.
    pub keys_are_there: bool,
    /// What was seen of each terminal; it offers again what came later.
    pub terminals: Vec<SeriesEnd>,
}

/// What the store notes of a restore in its last transaction, so that whoever asks once more hears the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The backup.
    pub backup: EnvelopeId,
    /// The highest place in the centre's order that was inside; the highest of all if an older program noted it.
    #[serde(default = "everything")]
    pub server_seq: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Attachments that came back.
    pub attachments: usize,
    /// Attachments that are not beside the backup: their terminals are asked for them.
    pub attachments_lost: usize,
    /// The new epoch.
    pub epoch: ServerEpoch,
    /// What had been erased since and was erased again.
    pub erased: usize,
    /// Holds that were begun since and were put back.
    pub held: usize,
    /// The last row of the audit chain: the restore itself.
    pub audit_seq: u64,
}

fn everything() -> u64 {
    u64::MAX
}

/// The highest place in the centre's order that was in the backup from which a store was restored; none of one that never
/// was.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn restored_upto(tx: &mut Tx<'_>) -> Result<Option<u64>, StoreError> {
    Ok(last(tx)?.map(|note| note.server_seq))
}

/// What the store notes of its last restore.
fn last(tx: &mut Tx<'_>) -> Result<Option<Note>, StoreError> {
    let text = meta::restored(tx)?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| StoreError::Stored { what: "restore" }))
        .transpose()
}

/// Restores a backup into an empty store. The same once more ends what was broken off; if that was done already and
/// nothing happened since, it says so once more.
///
/// # Errors
/// [`BackupError`]; the store is then empty, or says that bringing rows to it was broken off.
pub fn restore(order: &Offered<'_>, rng: &mut ChaCha20Rng) -> Result<Restored, BackupError> {
    let wrong = |source| BackupError::File { path: order.from.to_owned(), source };
    let input = BufReader::with_capacity(1 << 20, File::open(order.from).map_err(wrong)?);
    let sealed = Sealed::open(input)?;
    if sealed.head.schema > SCHEMA_VERSION {
        return Err(BackupError::Newer { found: sealed.head.schema, known: SCHEMA_VERSION });
    }
    let secret = recipient::secret(order.key)?;
    let (head, mut backup) = sealed.unseal_for(&secret)?;
    let keys_are_there = check_keys(order.data, &head)?;
    let journals: Vec<_> = order.journals.iter().map(PathBuf::as_path).collect();
    let standing = Standing::of(&erasure_journal::read_all(&journals)?);
    let database = order.data.database();
    if !is_free(database)? {
        let mut store = database.open_read_only()?;
        let note = if require_current(store.as_mut()).is_ok() { done(store.as_mut(), &head)? } else { None };
        let note = note.ok_or_else(|| BackupError::NotEmpty { to: database.to_string() })?;
        return say(store.as_mut(), &head, note, keys_are_there);
    }
    // What another schema left cannot be told apart from what the rows need.
    let is_older = head.schema < SCHEMA_VERSION;
    if is_older && !database.is_new()? {
        return Err(BackupError::NotEmpty { to: database.to_string() });
    }
    let mut store = database.open()?;
    migrate_to(store.as_mut(), head.schema, order.now_ms)?;
    let from = format!("backup {}", head.id);
    in_transaction(store.as_mut(), |tx| meta::mark_moving(tx, &from))?;
    fail::fail_point!("server::restore::after_mark", |_| Err(StoreError::Full.into()));
    let rows = in_transaction(store.as_mut(), |tx| {
        if !is_older {
            fill::clear(tx)?;
        }
        let summary = fill::fill(tx, &mut backup)?;
        fill::compare(tx, &head, &summary)?;
        // Not one to go on with before it has its own epoch.
        meta::mark_moving(tx, &from)?;
        fail::fail_point!("server::restore::before_commit", |_| Err(StoreError::Full.into()));
        Ok::<_, BackupError>(summary.tables.iter().map(|(_, walked)| walked.rows).sum())
    })?;
    fail::fail_point!("server::restore::after_rows", |_| Err(StoreError::Full.into()));
    migrate(store.as_mut(), order.now_ms)?;
    let listed = blobs::listed(&mut Tx::new(store.as_mut()))?;
    let lost = bring_back(&listed, order)?;
    fail::fail_point!("server::restore::after_blobs", |_| Err(StoreError::Full.into()));
    let (erased, held) = in_transaction(store.as_mut(), |tx| {
        let erased = erasure::replay(tx, &standing.erased)?;
        let mut held = 0;
        for hold in &standing.held {
            held += erasure::hold_again(tx, &hold.envelope_id, hold.held_ms)?;
        }
        blobs::await_again(tx, order.now_ms, &lost)?;
        Ok::<_, StoreError>((erased, held))
    })?;
    fail::fail_point!("server::restore::after_replay", |_| Err(StoreError::Full.into()));
    store.forget_erased(&erasure::TABLES)?;
    fill::check_sound(store.as_mut())?;
    erasure_journal::bring(&journals, order.own_journal)?;
    recipient::keep(order.data.path(), &secret.public())?;
    fail::fail_point!("server::restore::after_keep", |_| Err(StoreError::Full.into()));
    // The last step: before it nobody goes on with the store, and after it nothing is left to be done.
    let (attachments, attachments_lost) = (listed.len() - lost.len(), lost.len());
    let note = in_transaction(store.as_mut(), |tx| {
        let epoch = renew(tx, order.now_ms, &head, rng)?;
        let audit_seq = audit::last(tx)?.map_or(0, |(seq, _)| seq);
        let (backup, server_seq) = (head.id, head.server_seq);
        noted(
            tx,
            Note { backup, server_seq, rows, attachments, attachments_lost, epoch, erased, held, audit_seq },
        )
    })?;
    fail::fail_point!("server::restore::after_epoch", |_| Err(StoreError::Full.into()));
    say(store.as_mut(), &head, note, keys_are_there)
}

/// Brings attachments back from beside the backup; gives those that nobody has.
fn bring_back(listed: &[BlobFile], order: &Offered<'_>) -> Result<Vec<Digest>, BackupError> {
    if listed.is_empty() {
        return Ok(Vec::new());
    }
    let beside = blobs::beside(order.from.parent().unwrap_or(Path::new("")));
    let from = Blobs::open_existing(&beside).map_err(|e| match e {
        BlobError::NoFolder(path) => BackupError::NoAttachments { path },
        e => e.into(),
    })?;
    Ok(blobs::bring_back(listed, &from, &Blobs::open(order.blobs)?)?)
}

/// Writes down what the restore came to, so that the same command can say it once more.
fn noted(tx: &mut Tx<'_>, note: Note) -> Result<Note, BackupError> {
    let text = serde_json::to_string(&note).map_err(|_| StoreError::Stored { what: "restore" })?;
    meta::note_restored(tx, &text)?;
    fail::fail_point!("server::restore::before_epoch", |_| Err(StoreError::Full.into()));
    Ok(note)
}

/// What the store notes if this backup was restored into it and nothing happened since.
fn done(store: &mut dyn Driver, head: &Head) -> Result<Option<Note>, StoreError> {
    let mut tx = Tx::new(store);
    let Some(note) = last(&mut tx)? else { return Ok(None) };
    let note = Note { server_seq: head.server_seq, ..note };
    let is_last = audit::last(&mut tx)?.is_some_and(|(seq, _)| seq == note.audit_seq);
    let is_of_it = note.backup == head.id && meta::known_epoch(&mut tx)? == Some(note.epoch);
    Ok(Some(note).filter(|_| is_last && is_of_it))
}

fn say(
    store: &mut dyn Driver,
    head: &Head,
    note: Note,
    keys_are_there: bool,
) -> Result<Restored, BackupError> {
    let terminals = series::ends(&mut Tx::new(store))?;
    Ok(Restored { note, made_at_ms: head.made_at_ms, keys_are_there, terminals })
}

/// Whether the centre's private keys are there; those of another centre are an error.
fn check_keys(data: &DataFolder, head: &Head) -> Result<bool, BackupError> {
    let folder = data.keys_path();
    if !MAIN_FILES.iter().all(|name| folder.join(name).exists()) {
        return Ok(false);
    }
    if Keys::load(&folder)?.fingerprint() == head.keys {
        return Ok(true);
    }
    Err(BackupError::OtherCentre { path: folder })
}

/// What makes a restored store one to go on with: a new epoch, and nothing that was only good for the old one.
fn renew(
    tx: &mut Tx<'_>,
    now_ms: i64,
    head: &Head,
    rng: &mut ChaCha20Rng,
) -> Result<ServerEpoch, BackupError> {
    durability::forget(tx)?;
    sessions::end_of_everybody(tx)?;
    enrol::void_codes(tx, now_ms)?;
    // Terminals that were enrolled since keep what they have.
    enrol::leave_gap(tx, rng)?;
    let epoch = meta::begin_epoch(tx, head.audit_seq, rng)?;
    meta::raise_order_number(tx, now_ms)?;
    // Terminals may have heard of keys that this store does not know: what is in force here counts.
    sealing_keys::raise_number(tx, now_ms)?;
    let id = head.id.to_string();
    audit::append(
        tx,
        now_ms,
        Event { actor: "operator", event: "store.restored", subject: &id, object_digest: "" },
    )?;
    meta::end_moving(tx)?;
    Ok(epoch)
}
