//! 附件: which pages and photos envelopes name, and which of them are there. When the last one comes, the envelope is
//! complete in the same transaction, and its receipt says so from then on.
//!
//! Refuses to know where the bytes lie.
use domain::envelope::{Digest, MAX_BLOBS};
use domain::ids::{CaseNo, EnvelopeId, TerminalId};
use domain::wire::v1::uploads::MAX_BLOB_BYTES;
use domain::wire::v1::{BlobKind, EnvelopeHeader};
use serde::Serialize;

use super::audit;
use crate::error::{ProblemCode, ServiceError};
use crate::store::{Row, StoreError, Tx};

/// The longest name of a kind of blob.
const MAX_KIND_BYTES: usize = 40;

/// The alarm that says that nobody waits for a blob any more: its subject is the envelope, its object the blob.
pub const GIVEN_UP: &str = "blob.given-up";

/// Holds for a blob (`b`) that is awaited: it is not here, and nobody said that it never will be.
macro_rules! awaited {
    () => {
        "b.arrived_at_ms IS NULL AND NOT EXISTS (SELECT 1 FROM alarm a WHERE a.kind = 'blob.given-up'
         AND a.subject = b.envelope_id AND a.object_digest = b.digest)"
    };
}

/// Holds for a blob (`b`) that is awaited.
pub const AWAITED: &str = awaited!();

/// Holds for a case (`case_`) of which nothing is awaited any more.
pub const NOTHING_AWAITED: &str = concat!(
    "NOT EXISTS (SELECT 1 FROM blob_ b WHERE b.envelope_id = case_.envelope_id AND ",
    awaited!(),
    ")"
);

/// Envelopes that are listed as waiting for their attachments, at most.
const MOST_WAITING: u64 = 200;

/// An envelope that waits for its attachments: a submission, or what refers to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The number of its case; none if the centre has no such case.
    pub number: Option<CaseNo>,
    /// The envelope.
    pub envelope_id: EnvelopeId,
    /// What it is: `submission`, `supplement` or another kind.
    pub kind: String,
    /// The terminal that has them.
    pub terminal: TerminalId,
    /// How many are awaited.
    pub awaited: u64,
    /// When its text came, milliseconds since 1970.
    pub received_at_ms: i64,
}

/// A page or photo as its envelope names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 of the sealed bytes.
    pub digest: Digest,
    /// Sealed bytes.
    pub length: u64,
    /// What it is: `page`, `photo`, or a word of a later version.
    pub kind: String,
    /// Its page.
    pub page: u16,
    /// When it was whole here, milliseconds since 1970; none while it is awaited.
    pub arrived_at_ms: Option<i64>,
    /// Somebody said that it never will come ([`give_up`]); it may all the same.
    pub given_up: bool,
}

impl Blob {
    /// It is not here, and nobody said that it never will be.
    pub fn is_awaited(&self) -> bool {
        self.arrived_at_ms.is_none() && !self.given_up
    }
}

/// Judges a manifest by its sizes.
///
/// # Errors
/// [`ServiceError`] `envelope-too-large` for too many or too large blobs, `envelope-malformed` for one that stands
/// twice, is empty, or has a kind that is no short word.
pub fn judge(header: &EnvelopeHeader) -> Result<(), ServiceError> {
    let malformed = |why: &str| Err(ServiceError::refused(ProblemCode::EnvelopeMalformed, why));
    if header.blobs.len() > MAX_BLOBS || header.blobs.iter().any(|b| b.length > MAX_BLOB_BYTES) {
        return Err(ProblemCode::EnvelopeTooLarge.into());
    }
    for (place, blob) in header.blobs.iter().enumerate() {
        let twin =
            |other: &domain::wire::v1::BlobEntry| other.digest == blob.digest || other.page == blob.page;
        if header.blobs[..place].iter().any(twin) {
            return malformed("a blob or a page stands twice");
        }
        let kind = kind_name(&blob.kind);
        let word =
            kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        if blob.length == 0 || kind.is_empty() || kind.len() > MAX_KIND_BYTES || !word {
            return malformed("a blob is empty, or its kind is not a short word");
        }
    }
    Ok(())
}

/// Notes what an envelope names, as awaited.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn expect(tx: &mut Tx<'_>, header: &EnvelopeHeader) -> Result<(), StoreError> {
    for blob in &header.blobs {
        tx.execute(
            "INSERT INTO blob_ (envelope_id, digest, length, kind, page) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (envelope_id, digest) DO NOTHING",
            &[
                header.envelope_id.to_string().into(),
                blob.digest.to_string().into(),
                blob.length.into(),
                kind_name(&blob.kind).into(),
                i64::from(blob.page).into(),
            ],
        )?;
    }
    Ok(())
}

/// What an envelope names, by page.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn of_envelope(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Blob>, StoreError> {
    let rows = tx.query(
        "SELECT digest, length, kind, page, arrived_at_ms,
         (SELECT COUNT(*) FROM alarm a WHERE a.kind = $2 AND a.subject = envelope_id AND a.object_digest = digest)
         FROM blob_ WHERE envelope_id = $1 ORDER BY page, digest",
        &[id.to_string().into(), GIVEN_UP.into()],
    )?;
    rows.iter().map(read).collect()
}

/// What of an envelope is still awaited, by page.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn missing(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Digest>, StoreError> {
    let rows = tx.query(
        "SELECT digest FROM blob_ WHERE envelope_id = $1 AND arrived_at_ms IS NULL ORDER BY page, digest",
        &[id.to_string().into()],
    )?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

/// How many pages and photos of an envelope are here, of how many.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn count(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<(usize, usize), StoreError> {
    let blobs = of_envelope(tx, id)?;
    Ok((blobs.iter().filter(|b| b.arrived_at_ms.is_some()).count(), blobs.len()))
}

/// Notes that the bytes of a blob are safe here. The last one of an envelope makes it complete. True if it did.
///
/// To be called only once the bytes survive a power cut; harmless if repeated.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn arrived(tx: &mut Tx<'_>, now_ms: i64, id: &EnvelopeId, digest: &Digest) -> Result<bool, StoreError> {
    let (envelope, blob) = (id.to_string(), digest.to_string());
    let noted = tx.execute(
        "UPDATE blob_ SET arrived_at_ms = $3
         WHERE envelope_id = $1 AND digest = $2 AND arrived_at_ms IS NULL",
        &[envelope.as_str().into(), blob.as_str().into(), now_ms.into()],
    )?;
    if noted == 0 {
        return Ok(false);
    }
    let event =
        |event, object| audit::Event { actor: "centre", event, subject: &envelope, object_digest: object };
    audit::append(tx, now_ms, event("blob.stored", &blob))?;
    fail::fail_point!("server::blob::after_arrived", |_| Err(StoreError::Full));
    if !missing(tx, id)?.is_empty() {
        return Ok(false);
    }
    tx.execute("UPDATE envelope SET complete = 1 WHERE envelope_id = $1", &[envelope.as_str().into()])?;
    audit::append(tx, now_ms, event("envelope.complete", ""))?;
    Ok(true)
}

/// Envelopes whose text came before a time and that wait for attachments, the oldest first, 200 at most.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn waiting(tx: &mut Tx<'_>, before_ms: i64) -> Result<Vec<Waiting>, StoreError> {
    let sql = format!(
        "SELECT c.number, e.envelope_id, e.kind, e.terminal, COUNT(*), e.accepted_at_ms FROM envelope e
         JOIN blob_ b ON b.envelope_id = e.envelope_id
         LEFT JOIN case_ c ON c.envelope_id = COALESCE(e.refers_to, e.envelope_id)
         WHERE e.accepted_at_ms < $1 AND {AWAITED}
         GROUP BY c.number, e.envelope_id, e.kind, e.terminal, e.accepted_at_ms, e.server_seq
         ORDER BY e.server_seq LIMIT $2"
    );
    let row = |row: &Row| {
        Ok(Waiting {
            number: row
                .text_or_null(0)?
                .map(|number| number.parse().map_err(|_| StoreError::Stored { what: "case number" }))
                .transpose()?,
            envelope_id: row.parsed(1)?,
            kind: row.text(2)?.to_owned(),
            terminal: row.parsed(3)?,
            awaited: row.uint(4)?,
            received_at_ms: row.int(5)?,
        })
    };
    tx.query(&sql, &[before_ms.into(), MOST_WAITING.into()])?.iter().map(row).collect()
}

/// When the text came of the newest of these envelopes that waits for attachments, milliseconds since 1970; none if none
/// does.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn newest_waiting(tx: &mut Tx<'_>, envelopes: &[EnvelopeId]) -> Result<Option<i64>, StoreError> {
    let sql = format!(
        "SELECT e.accepted_at_ms FROM envelope e JOIN blob_ b ON b.envelope_id = e.envelope_id
         WHERE e.envelope_id = $1 AND {AWAITED}"
    );
    let mut newest = None;
    for id in envelopes {
        let waits = tx.query_first(&sql, &[id.to_string().into()])?;
        newest = newest.max(waits.map(|row| row.int(0)).transpose()?);
    }
    Ok(newest)
}

/// Waits no longer for what of an envelope is not here, because its terminal has it no more: the case is opened without
/// it, and envelopes behind it can become durable. What comes all the same is taken in. Gives the blobs; again, the same.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn give_up(tx: &mut Tx<'_>, now_ms: i64, id: &EnvelopeId) -> Result<Vec<Digest>, StoreError> {
    let missing = missing(tx, id)?;
    for digest in &missing {
        audit::raise_alarm(tx, now_ms, GIVEN_UP, &id.to_string(), Some(digest))?;
    }
    Ok(missing)
}

/// The word under which a kind is kept.
fn kind_name(kind: &BlobKind) -> &str {
    match kind {
        BlobKind::Page => "page",
        BlobKind::Photo => "photo",
        BlobKind::Other(name) => name,
    }
}

fn read(row: &Row) -> Result<Blob, StoreError> {
    Ok(Blob {
        digest: row.parsed(0)?,
        length: row.uint(1)?,
        kind: row.text(2)?.to_owned(),
        page: u16::try_from(row.int(3)?).map_err(|_| StoreError::Stored { what: "page" })?,
        arrived_at_ms: row.int_or_null(4)?,
        given_up: row.int(5)? > 0,
    })
}
