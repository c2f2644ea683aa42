//! A backup into an empty store: under a new epoch, with everything erased again that had been erased since.
//!
//! Nobody goes on with a store whose restore was broken off; the same command once more ends it. Refuses a store that
//! holds anything, and private keys of another centre.
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use domain::ids::{EnvelopeId, ServerEpoch};
use rand_chacha::ChaCha20Rng;
use serde::Serialize;

use super::file::{Head, Sealed};
use super::{BackupError, blobs, fill, recipient};
use crate::blobs::BlobPlace;
use crate::data_folder::DataFolder;
use crate::erasure_journal;
use crate::keys::{Keys, MAIN_FILES};
use crate::move_store::is_free;
use crate::services::audit::{self, Event};
use crate::services::series::{self, SeriesEnd};
use crate::services::{durability, enrol, erasure, meta, sealing_keys, sessions};
#[cfg(feature = "failpoints")]
use crate::store::StoreError;
use crate::store::{SCHEMA_VERSION, Tx, in_transaction, migrate, migrate_to};

/// What is to be restored, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Offered<'a> {
    /// The backup.
    pub from: &'a Path,
    /// The recipient's secret key.
    pub key: &'a Path,
    /// The journal of erasures, which need not be there.
    pub journal: &'a Path,
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
    /// The backup.
    pub backup: EnvelopeId,
    /// When its state was taken, milliseconds since 1970.
    pub made_at_ms: i64,
    /// Rows of all tables.
    pub rows: u64,
    /// Attachments that came back.
    pub attachments: usize,
    /// Attachments that are not beside the backup: their terminals are asked for them.
    pub attachments_lost: usize,
    /// The highest place in the centre's order that was inside.
    pub server_seq: u64,
    /// The new epoch.
    pub epoch: ServerEpoch,
    /// What had been erased since and was erased again.
    pub erased: usize,
    /// The private keys of the centre are in the data folder.
    pub keys_are_there: bool,
    /// What was seen of each terminal; it offers again what came later.
    pub terminals: Vec<SeriesEnd>,
}

/// Restores a backup into an empty store.
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
    let erasures = erasure_journal::read(order.journal)?;
    let database = order.data.database();
    if !is_free(database)? {
        return Err(BackupError::NotEmpty { to: database.to_string() });
    }
    let mut store = database.open()?;
    migrate_to(store.as_mut(), head.schema, order.now_ms)?;
    let from = format!("backup {}", head.id);
    in_transaction(store.as_mut(), |tx| meta::mark_moving(tx, &from))?;
    fail::fail_point!("server::restore::after_mark", |_| Err(StoreError::Full.into()));
    let rows = in_transaction(store.as_mut(), |tx| {
        fill::clear(tx)?;
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
    let beside = blobs::beside(order.from.parent().unwrap_or(Path::new("")));
    let lost = blobs::copy(&listed, &beside, order.blobs)?;
    fail::fail_point!("server::restore::after_blobs", |_| Err(StoreError::Full.into()));
    let (epoch, erased) = in_transaction(store.as_mut(), |tx| {
        let erased = erasure::replay(tx, &erasures)?;
        blobs::await_again(tx, order.now_ms, &lost)?;
        let epoch = renew(tx, order.now_ms, &head, rng)?;
        fail::fail_point!("server::restore::before_epoch", |_| Err(StoreError::Full.into()));
        Ok::<_, BackupError>((epoch, erased))
    })?;
    fail::fail_point!("server::restore::after_epoch", |_| Err(StoreError::Full.into()));
    store.forget_erased(&erasure::TABLES)?;
    fill::check_sound(store.as_mut())?;
    erasure_journal::copy(order.journal, order.data.path())?;
    recipient::keep(order.data.path(), &secret.public())?;
    let terminals = series::ends(&mut Tx::new(store.as_mut()))?;
    Ok(Restored {
        backup: head.id,
        made_at_ms: head.made_at_ms,
        rows,
        attachments: listed.len() - lost.len(),
        attachments_lost: lost.len(),
        server_seq: head.server_seq,
        epoch,
        erased,
        keys_are_there,
        terminals,
    })
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
