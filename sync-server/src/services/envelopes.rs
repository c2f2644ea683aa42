//! What is known of a stored envelope without opening it.
use domain::envelope::Digest;
use domain::ids::{EnvelopeId, Lineage};

use crate::store::{StoreError, Tx};

/// An envelope as it was stored. Its content stays sealed.
#[derive(Debug, Clone)]
pub struct StoredEnvelope {
    /// The series of the terminal.
    pub lineage: Lineage,
    /// The place in the series.
    pub seq: u64,
    /// Digest over header and content.
    pub digest: Digest,
    /// When the device says that it was sealed, milliseconds since 1970.
    pub device_time_ms: i64,
    /// When it was taken, milliseconds since 1970.
    pub accepted_at_ms: i64,
    /// Bytes of the sealed content.
    pub sealed_bytes: i64,
}

/// The envelope with an id.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn find(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Option<StoredEnvelope>, StoreError> {
    let sql = "SELECT lineage, seq, digest, device_time_ms, accepted_at_ms, LENGTH(ciphertext)
               FROM envelope WHERE envelope_id = $1";
    let Some(row) = tx.query_first(sql, &[id.to_string().into()])? else { return Ok(None) };
    Ok(Some(StoredEnvelope {
        lineage: row.parsed(0)?,
        seq: row.uint(1)?,
        digest: row.parsed(2)?,
        device_time_ms: row.int(3)?,
        accepted_at_ms: row.int(4)?,
        sealed_bytes: row.int(5)?,
    }))
}
