//! Uploads on their way: whose they are, of what, and until when. At most one for a blob of an envelope, so that their
//! number is bounded by what envelopes name.
//!
//! Refuses an upload of anything that no envelope of the caller names. The bytes are none of its business.
use domain::envelope::Digest;
use domain::ids::{EnvelopeId, StationId, TerminalId};
use rand_core::CryptoRng;

use super::terminals::Terminal;
use crate::error::{ProblemCode, ServiceError};
use crate::store::{Row, StoreError, Tx};

/// An upload has this long to be finished, counted from its beginning.
pub const UPLOAD_TIME_MS: i64 = 24 * 60 * 60 * 1_000;
/// An end is remembered this long, so that a caller who asks late hears what became of it.
const REMEMBERED_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// How an upload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadState {
    /// Bytes are awaited.
    Open,
    /// All bytes came and are those that were named.
    Done,
}

/// An upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its id: 32 random hexadecimal digits.
    pub id: String,
    /// The envelope that names the blob.
    pub envelope_id: EnvelopeId,
    /// SHA-256 of the whole blob.
    pub digest: Digest,
    /// Bytes of the whole blob.
    pub length: u64,
    /// Who sends it.
    pub terminal: TerminalId,
    /// Where that stands: stations take turns.
    pub station: StationId,
    /// How it stands.
    pub state: UploadState,
    /// Until when it may be finished, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// What somebody wants to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The envelope that names it.
    pub envelope_id: EnvelopeId,
    /// SHA-256 of the whole blob.
    pub digest: Digest,
    /// Bytes of the whole blob.
    pub length: u64,
}

/// Begins an upload, or finds the one that is on its way. A blob that is here already gives one that is done.
///
/// # Errors
/// [`ServiceError`]: `not-found` if no envelope of this terminal names the blob, `malformed-request` if it names
/// another length, or the store's.
pub fn begin(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (terminal, wish): (&Terminal, &Wish),
    rng: &mut dyn CryptoRng,
) -> Result<Upload, ServiceError> {
    let (envelope, digest) = (wish.envelope_id.to_string(), wish.digest.to_string());
    let row = tx.query_first(
        "SELECT b.length, b.arrived_at_ms FROM blob_ b JOIN envelope e ON e.envelope_id = b.envelope_id
         WHERE b.envelope_id = $1 AND b.digest = $2 AND e.terminal = $3",
        &[envelope.as_str().into(), digest.as_str().into(), terminal.id.as_str().into()],
    )?;
    let row = row.ok_or(ProblemCode::NotFound)?;
    if row.uint(0)? != wish.length {
        let named = format!("the envelope names {} bytes", row.uint(0)?);
        return Err(ServiceError::refused(ProblemCode::MalformedRequest, named));
    }
    let here = row.int_or_null(1)?.is_some();
    let running = tx.query_first(
        "SELECT id, envelope_id, digest, length, terminal, station, state, expires_at_ms FROM upload
         WHERE envelope_id = $1 AND digest = $2 AND terminal = $3 AND expires_at_ms > $4
         ORDER BY expires_at_ms DESC LIMIT 1",
        &[envelope.as_str().into(), digest.as_str().into(), terminal.id.as_str().into(), now_ms.into()],
    )?;
    if let Some(running) = running {
        return Ok(read(&running)?);
    }
    let mut id = [0; 16];
    rng.fill_bytes(&mut id);
    let upload = Upload {
        id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
        envelope_id: wish.envelope_id,
        digest: wish.digest,
        length: wish.length,
        terminal: terminal.id.clone(),
        station: terminal.station.clone(),
        state: if here { UploadState::Done } else { UploadState::Open },
        expires_at_ms: now_ms.saturating_add(UPLOAD_TIME_MS),
    };
    insert(tx, &upload)?;
    Ok(upload)
}

fn insert(tx: &mut Tx<'_>, upload: &Upload) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO upload (id, envelope_id, digest, length, terminal, station, state, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            upload.id.as_str().into(),
            upload.envelope_id.to_string().into(),
            upload.digest.to_string().into(),
            upload.length.into(),
            upload.terminal.as_str().into(),
            upload.station.as_str().into(),
            state_name(upload.state).into(),
            upload.expires_at_ms.into(),
        ],
    )?;
    Ok(())
}

/// The upload with an id, for the terminal that began it.
///
/// # Errors
/// [`ServiceError`]: `not-found` for everybody else, `upload-gone` after its time, or the store's.
pub fn find(tx: &mut Tx<'_>, now_ms: i64, id: &str, terminal: &TerminalId) -> Result<Upload, ServiceError> {
    let row = tx.query_first(
        "SELECT id, envelope_id, digest, length, terminal, station, state, expires_at_ms FROM upload
         WHERE id = $1 AND terminal = $2",
        &[id.into(), terminal.as_str().into()],
    )?;
    let upload = read(&row.ok_or(ProblemCode::NotFound)?)?;
    if upload.state == UploadState::Open && upload.expires_at_ms <= now_ms {
        return Err(ProblemCode::UploadGone.into());
    }
    Ok(upload)
}

/// Notes that an upload is done.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn finish(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    let done = state_name(UploadState::Done);
    tx.execute("UPDATE upload SET state = $2 WHERE id = $1", &[id.into(), done.into()])?;
    Ok(())
}

/// Forgets an upload.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn forget(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM upload WHERE id = $1", &[id.into()])?;
    Ok(())
}

/// Forgets uploads whose end is long past; how many.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn forget_old(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM upload WHERE expires_at_ms <= $1", &[now_ms.saturating_sub(REMEMBERED_MS).into()])
}

/// Forgets all uploads.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn forget_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute("DELETE FROM upload", &[])?;
    Ok(())
}

/// Whether bytes of an upload are still of use.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn is_open(tx: &mut Tx<'_>, now_ms: i64, id: &str) -> Result<bool, StoreError> {
    let open = state_name(UploadState::Open);
    let sql = "SELECT COUNT(*) FROM upload WHERE id = $1 AND state = $2 AND expires_at_ms > $3";
    Ok(tx.query_int(sql, &[id.into(), open.into(), now_ms.into()])? > 0)
}

fn state_name(state: UploadState) -> &'static str {
    match state {
        UploadState::Open => "open",
        UploadState::Done => "done",
    }
}

fn read(row: &Row) -> Result<Upload, StoreError> {
    let state = match row.text(6)? {
        "open" => UploadState::Open,
        "done" => UploadState::Done,
        _ => return Err(StoreError::Stored { what: "state of an upload" }),
    };
    Ok(Upload {
        id: row.text(0)?.to_owned(),
        envelope_id: row.parsed(1)?,
        digest: row.parsed(2)?,
        length: row.uint(3)?,
        terminal: row.parsed(4)?,
        station: row.parsed(5)?,
        state,
        expires_at_ms: row.int(7)?,
    })
}
