//! What an operator sees of the queue, readable beside a running terminal; no personal data.
use std::path::Path;

use domain::envelope::SignedDocument;
use rusqlite::OptionalExtension as _;
use serde::Serialize;

use super::slips::marks;
use super::statements::Kept as _;
use super::{
    CatalogueStanding, Identity, KeyTrouble, StoreError, catalogue_trust, device_key, identity, open,
};

/// One row of the queue with its documents.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusRow {
    /// Identity.
    pub envelope_id: String,
    /// Number on the slip, or the corrected one.
    pub number: Option<String>,
    /// Item or bundle.
    pub item: Option<String>,
    /// Place in the series.
    pub seq: i64,
    /// queued, delivered, quarantined, conflict.
    pub state: String,
    /// Why it is parked.
    pub reason: Option<String>,
    /// Tries so far.
    pub attempts: i64,
    /// What the last try said.
    pub last_error: Option<String>,
    /// When it is tried again, milliseconds since 1970.
    pub next_try_ms: i64,
    /// Digest of the envelope.
    pub digest: String,
    /// When it was saved, milliseconds since 1970.
    pub saved_ms: i64,
    /// When the centre committed it, milliseconds since 1970.
    pub delivered_ms: Option<i64>,
    /// When the department accepted it, milliseconds since 1970.
    pub accepted_ms: Option<i64>,
    /// When it was completed, milliseconds since 1970.
    pub completed_ms: Option<i64>,
    /// State of the case, once there is news.
    pub case_state: Option<String>,
    /// The content was erased because the centre holds it durably.
    pub content_erased: bool,
    /// When it was seen that nobody has the content any more, milliseconds since 1970: the centre lost it after it had been
    /// erased here.
    pub gone_ms: Option<i64>,
    /// Pages and photos that belong to it.
    pub pages: u32,
    /// Those of them that the centre has.
    pub pages_sent: u32,
    /// What the last try of a page that waits said: a damaged one is not sent any more by itself.
    pub page_error: Option<String>,
    /// The signed slip.
    pub slip: Option<SignedDocument>,
    /// The verified receipt.
    pub receipt: Option<SignedDocument>,
}

/// How a store is, in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreState {
    /// Version of its schema.
    pub schema: i64,
    /// Who this terminal is; none before enrolment.
    pub identity: Option<Identity>,
    /// Rows that wait to be sent.
    pub waiting: i64,
    /// When the oldest of them was saved, milliseconds since 1970.
    pub oldest_waiting_ms: Option<i64>,
    /// What the last try of that row said; a problem code, no content.
    pub last_error: Option<String>,
    /// Rows that are not sent by themselves any more.
    pub parked: i64,
    /// The newest kept catalogue: its version and since when it is here, milliseconds since 1970.
    pub catalogue: Option<(i64, i64)>,
    /// Whether it trusts a root that signs catalogues.
    pub trusts_root: bool,
    /// How current the catalogue is.
    pub standing: CatalogueStanding,
}

/// Looks at every page of a store and counts. Opens the database read-only.
///
/// # Errors
/// [`StoreError`] if there is no store, it is damaged or held by another process.
pub fn read_state(directory: &Path) -> Result<StoreState, StoreError> {
    let connection = open::open_read_only(directory)?;
    let count = |sql: &str| connection.row_kept(sql, [], |r| r.get::<_, i64>(0));
    let oldest: Option<(i64, Option<String>)> = connection
        .row_kept(
            "SELECT created_ms, last_error FROM outbox WHERE state = 'queued' ORDER BY created_ms LIMIT 1",
            [],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
        .optional()?;
    let catalogue = connection
        .row_kept("SELECT version, kept_ms FROM catalogue ORDER BY version DESC LIMIT 1", [], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .optional()?;
    Ok(StoreState {
        schema: connection.query_row("PRAGMA user_version", [], |r| r.get(0))?,
        identity: identity::get(&connection, "identity")?,
        waiting: count("SELECT COUNT(*) FROM outbox WHERE state = 'queued'")?,
        oldest_waiting_ms: oldest.as_ref().map(|(ms, _)| *ms),
        last_error: oldest.and_then(|(_, error)| error),
        parked: count("SELECT COUNT(*) FROM outbox WHERE state IN ('quarantined', 'conflict')")?,
        catalogue,
        trusts_root: catalogue_trust::is_there(&connection)?,
        standing: catalogue_trust::standing(&connection)?,
    })
}

/// What is wrong with the device key of a store that is there; nothing if it is well, or will be made at the next start.
/// Changes nothing.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn read_key_trouble(directory: &Path) -> Result<Option<KeyTrouble>, StoreError> {
    let identity: Option<Identity> = identity::get(&open::open_read_only(directory)?, "identity")?;
    match device_key::load(directory, identity.as_ref()) {
        Err(KeyTrouble::Missing) if identity.is_none() => Ok(None),
        found => Ok(found.err()),
    }
}

/// The newest rows of a store's queue, newest first. Opens the database read-only.
///
/// # Errors
/// [`StoreError`] if there is no store or it cannot be read.
pub fn read_status(directory: &Path, most: u32) -> Result<Vec<StatusRow>, StoreError> {
    let connection = open::open_read_only(directory)?;
    let mut statement = connection.prepare(
        "SELECT o.envelope_id, COALESCE(s.saved_ms, o.created_ms), s.delivered_ms, s.accepted_ms, s.completed_ms,
                s.number, s.item, o.seq, o.state, o.reason, o.attempts, o.last_error, o.next_try_ms, o.digest,
                s.case_state, o.ciphertext IS NULL, s.document, r.document, o.gone_ms,
                (SELECT COUNT(*) FROM blob b WHERE b.envelope_id = o.envelope_id),
                (SELECT COUNT(*) FROM blob b WHERE b.envelope_id = o.envelope_id AND b.state = 'sent'),
                (SELECT MAX(b.last_error) FROM blob b WHERE b.envelope_id = o.envelope_id AND b.state = 'waiting')
         FROM outbox o LEFT JOIN slip s ON s.envelope_id = o.envelope_id
                       LEFT JOIN receipt r ON r.envelope_id = o.envelope_id
         ORDER BY o.rowid DESC LIMIT ?1",
    )?;
    let document = |text: Option<String>| text.and_then(|t| serde_json::from_str(&t).ok());
    let rows = statement.query_map([most], |r| {
        let marks = marks(r, 1)?;
        Ok(StatusRow {
            envelope_id: r.get(0)?,
            number: r.get(5)?,
            item: r.get(6)?,
            seq: r.get(7)?,
            state: r.get(8)?,
            reason: r.get(9)?,
            attempts: r.get(10)?,
            last_error: r.get(11)?,
            next_try_ms: r.get(12)?,
            digest: r.get(13)?,
            saved_ms: marks.saved_ms.unwrap_or_default(),
            delivered_ms: marks.delivered_ms,
            accepted_ms: marks.accepted_ms,
            completed_ms: marks.completed_ms,
            case_state: r.get(14)?,
            content_erased: r.get(15)?,
            gone_ms: r.get(18)?,
            pages: r.get(19)?,
            pages_sent: r.get(20)?,
            page_error: r.get(21)?,
            slip: document(r.get(16)?),
            receipt: document(r.get(17)?),
        })
    })?;
    rows.map(|r| r.map_err(StoreError::from)).collect()
}
