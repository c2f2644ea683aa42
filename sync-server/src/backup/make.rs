//! A backup beside the running centre: one state of the store into a file, restored for a check, named, noted.
//!
//! The order is the promise: written and synced, restored and compared, named, and only then said to be durable.
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use domain::envelope::{DataKey, Digest};
use domain::ids::{EnvelopeId, ServerEpoch};
use operator::private;
use rand_chacha::ChaCha20Rng;
use serde::Serialize;

use super::alarms::Untold;
use super::blobs::{BlobFile, Lacking};
use super::file::{Head, Sealed, TableHead, Writer};
use super::folder::Folder;
use super::{BackupError, alarms, blobs, fill, recipient};
use crate::blobs::BlobPlace;
use crate::data_folder::DataFolder;
use crate::erasure_journal;
use crate::keys::Keys;
use crate::services::clock_guard::{self, Verdict};
use crate::services::durability::{self, Backup};
use crate::services::{audit, meta};
use crate::store::{
    Database, Driver, SCHEMA_VERSION, StoreError, TABLES, Tx, Value, in_transaction, migrate, require_current,
};
use crate::whole_tables::walk;

/// Begins the names of folders in which backups are restored for a check.
const CHECK: &str = "check-";

/// What is to be backed up, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Store and public half of the recipient.
    pub data: &'a DataFolder,
    /// The centre's keys: their public halves go along, and the receipt key signs what is inside.
    pub keys: &'a Keys,
    /// Where attachments lie.
    pub blobs: &'a BlobPlace,
    /// The folder of backups.
    pub to: &'a Path,
    /// The journal of erasures, which need not be there: a copy lies beside the backups.
    pub journal: &'a Path,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

/// A verified backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The file.
    pub file: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Attachments that are in it.
    pub attachments: usize,
    /// Attachments that the store names and that could not be had.
    pub attachments_lost: usize,
    /// The place in the centre's order up to which everything is in a verified backup.
    pub durable_upto: u64,
    /// What the store notes of it.
    #[serde(flatten)]
    pub backup: Backup,
    /// Older backups that were removed; none by a clock that is not believed.
    pub removed: usize,
}

/// Makes a backup, verifies it by restoring it, and notes in the store what is durable now.
///
/// # Errors
/// [`BackupError`]; nothing is said to be durable then, and what was written so far is removed by the next one.
pub fn make(order: &Order<'_>, rng: &mut ChaCha20Rng) -> Result<Made, BackupError> {
    let to = recipient::find(order.data.path())?.ok_or(recipient::RecipientError::Missing)?;
    let folder = Folder::take(order.to)?;
    sweep(order.data.path())?;
    let (key, id) = (DataKey::new(rng), EnvelopeId::new(order.now_ms, rng));
    let (partial, whole) = folder.names(&id, order.now_ms);
    let wrong = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::File { path, source }
    };
    let wrapped_key = key.wrap(&to, id, rng).map_err(|_| recipient::RecipientError::Malformed {
        path: order.data.path().join(recipient::FILE),
    })?;
    let seal = Seal { id, key: &key, recipient: to.key_id(), wrapped_key };
    let State { head, rows, listed, unread, whole_upto } = write(order, &partial, seal)?;
    fail::fail_point!("server::backup::after_write", |_| Err(StoreError::Full.into()));
    verify(order.data.path(), &partial, key, order.now_ms)?;
    fail::fail_point!("server::backup::after_verify", |_| Err(StoreError::Full.into()));
    let listed = blobs::in_turn(listed, &unread, rng);
    let lacking = blobs::copy(&listed, order.blobs, &blobs::beside(order.to))?;
    fail::fail_point!("server::backup::after_blobs", |_| Err(StoreError::Full.into()));
    folder.settle(&partial, &whole).map_err(wrong(&whole))?;
    fail::fail_point!("server::backup::after_name", |_| Err(StoreError::Full.into()));
    // After the state was taken, so that it has whatever that state lacks.
    erasure_journal::copy(order.journal, order.to)?;
    let backup = Backup { made_at_ms: head.made_at_ms, id, server_seq: head.server_seq, epoch: head.epoch };
    let lost = lacking.digests();
    let (upto, untold) = look(order, &lacking, whole_upto)?;
    let mut store = order.data.open_existing()?;
    let (durable_upto, clock) = in_transaction(store.as_mut(), |tx| {
        // Asked before this backup is the newest thing that the store knows.
        let clock = clock_guard::follow(tx, order.now_ms)?;
        alarms::raise(tx, order.now_ms, &untold)?;
        durability::note(tx, order.now_ms, &backup, upto)?;
        Ok::<_, StoreError>((durability::durable_upto(tx)?.unwrap_or(0), clock))
    })?;
    fail::fail_point!("server::backup::after_note", |_| Err(StoreError::Full.into()));
    if untold.more > 0 {
        tracing::error!(
            more = untold.more,
            "more attachments cannot be had than one backup raises alarms for; the next one goes on"
        );
    }
    let removed = match clock {
        Verdict::Plausible => folder.prune(order.now_ms).map_err(wrong(order.to))?,
        Verdict::Ahead { .. } => 0,
    };
    let bytes = fs::metadata(&whole).map_err(wrong(&whole))?.len();
    let (attachments, attachments_lost) = (listed.len() - lost.len(), lost.len());
    Ok(Made { file: whole, bytes, rows, attachments, attachments_lost, durable_upto, backup, removed })
}

/// Up to where all attachments are in this backup, and what is to be told of the others. Without the transaction that
/// keeps everybody else from writing, because it may be much to read: what comes meanwhile lies behind the place up to
/// which this backup goes.
fn look(order: &Order<'_>, lacking: &Lacking, whole_upto: u64) -> Result<(u64, Untold), BackupError> {
    let mut store = order.data.reader()?;
    let mut tx = Tx::new(store.as_mut());
    let upto = blobs::upto_without(&mut tx, &lacking.digests(), whole_upto)?;
    Ok((upto, alarms::untold(&mut tx, lacking)?))
}

/// What seals one file.
struct Seal<'a> {
    id: EnvelopeId,
    key: &'a DataKey,
    recipient: domain::ids::KeyId,
    wrapped_key: domain::envelope::WrappedKey,
}

/// What was written of one state of the store.
struct State {
    head: Head,
    rows: u64,
    listed: Vec<BlobFile>,
    /// Those that a backup before could not read.
    unread: BTreeSet<Digest>,
    whole_upto: u64,
}

/// Writes all rows of one state of the store.
fn write(order: &Order<'_>, path: &Path, seal: Seal<'_>) -> Result<State, BackupError> {
    let mut store = order.data.reader()?;
    require_current(store.as_mut())?;
    store.begin_read()?;
    let written = write_state(store.as_mut(), order, path, seal);
    store.rollback();
    written
}

fn write_state(
    store: &mut dyn Driver,
    order: &Order<'_>,
    path: &Path,
    seal: Seal<'_>,
) -> Result<State, BackupError> {
    let wrong = |source| BackupError::File { path: path.to_owned(), source };
    let mut tx = Tx::new(store);
    let head = head(&mut tx, order, &seal)?;
    let file = private::open(File::options().write(true).create_new(true), path).map_err(wrong)?;
    let mut out =
        Writer::begin(BufWriter::with_capacity(1 << 20, file), &head, seal.key.clone()).map_err(wrong)?;
    let (mut rows, mut tables) = (0, Vec::new());
    for table in TABLES {
        let columns = table.columns.iter().map(|c| (*c).to_owned()).collect();
        out.table(&TableHead { name: table.name.to_owned(), columns }).map_err(wrong)?;
        let mut each = |row: &[Value]| out.row(row).map_err(wrong);
        let walked = walk(&mut tx, table, &mut each)?;
        rows += walked.rows;
        tables.push((table.name.to_owned(), walked));
    }
    let (listed, unread) = (blobs::listed(&mut tx)?, alarms::unread(&mut tx)?);
    let whole_upto = blobs::whole_upto(&mut tx, head.server_seq)?;
    let file = out.finish(tables, listed.clone(), &order.keys.receipt).map_err(wrong)?;
    let synced = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|mut file| {
        file.flush()?;
        file.sync_all()
    });
    synced.map_err(wrong)?;
    Ok(State { head, rows, listed, unread, whole_upto })
}

fn head(tx: &mut Tx<'_>, order: &Order<'_>, seal: &Seal<'_>) -> Result<Head, BackupError> {
    let highest = tx.query_int("SELECT COALESCE(MAX(server_seq), 0) FROM envelope", &[])?;
    let epoch: ServerEpoch = meta::known_epoch(tx)?.ok_or(StoreError::Stored { what: "server epoch" })?;
    Ok(Head {
        id: seal.id,
        made_at_ms: order.now_ms,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema: SCHEMA_VERSION,
        epoch,
        server_seq: u64::try_from(highest).unwrap_or(0),
        audit_seq: audit::last(tx)?.map_or(0, |(seq, _)| seq),
        keys: order.keys.fingerprint(),
        receipt_key: order.keys.receipt.public(),
        sealing_key: order.keys.sealing.first().public(),
        recipient: seal.recipient.clone(),
        wrapped_key: seal.wrapped_key.clone(),
    })
}

/// Restores a file into a store of its own in the data folder and compares every row; the store is removed again.
fn verify(data: &Path, file: &Path, key: DataKey, now_ms: i64) -> Result<(), BackupError> {
    let wrong = |source| BackupError::File { path: file.to_owned(), source };
    let input = BufReader::with_capacity(1 << 20, File::open(file).map_err(wrong)?);
    let (head, mut backup) = Sealed::open(input)?.unseal(key);
    let place = data.join(format!("{CHECK}{}", head.id));
    fs::DirBuilder::new().mode(0o700).create(&place).map_err(wrong)?;
    let mut store = Database::Sqlite(place.join("check.db")).open()?;
    migrate(store.as_mut(), now_ms)?;
    let compared = in_transaction(store.as_mut(), |tx| {
        let summary = fill::fill(tx, &mut backup)?;
        fill::compare(tx, &head, &summary)
    });
    let compared = compared.and_then(|()| fill::check_sound(store.as_mut()));
    drop(store);
    fs::remove_dir_all(&place).map_err(wrong)?;
    compared
}

/// Removes what a check that was broken off left in the data folder.
fn sweep(data: &Path) -> Result<(), BackupError> {
    let wrong = |source| BackupError::File { path: data.to_owned(), source };
    for entry in fs::read_dir(data).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(CHECK));
        if id.is_some_and(|id| id.parse::<EnvelopeId>().is_ok()) {
            fs::remove_dir_all(entry.path()).map_err(wrong)?;
        }
    }
    Ok(())
}
