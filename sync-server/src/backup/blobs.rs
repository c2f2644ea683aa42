//! Attachments in backups: copies of their files beside the backups, and up to where everything is safe with them.
//!
//! The files lie in one folder of the folder of backups, under their digests as the centre keeps them, and sealed as they
//! came: the keys that open them stand, wrapped, in the backups. Each is copied once, for all backups. Refuses to count a
//! copy whose bytes were not read back with their digest.
use std::path::Path;

use domain::envelope::Digest;
use domain::ids::EnvelopeId;
use serde::{Deserialize, Serialize};

use crate::blobs::{BlobError, BlobPlace, Blobs};
use crate::services::blobs::AWAITED;
use crate::services::{audit, uploads};
use crate::store::{StoreError, Tx};

/// Name of the folder of attachments in a folder of backups.
pub const FOLDER: &str = "attachments";

/// One file of an attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobFile {
    /// SHA-256 of its bytes, and its name.
    pub digest: Digest,
    /// Its bytes.
    pub length: u64,
}

/// Files of all attachments that are here in a state of the store.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn listed(tx: &mut Tx<'_>) -> Result<Vec<BlobFile>, StoreError> {
    let sql = "SELECT DISTINCT digest, length FROM blob_ WHERE arrived_at_ms IS NOT NULL ORDER BY digest";
    let file = |row: &crate::store::Row| Ok(BlobFile { digest: row.parsed(0)?, length: row.uint(1)? });
    tx.query(sql, &[])?.iter().map(file).collect()
}

/// The place in the centre's order up to which no attachment is awaited; `highest` if none is. Of a terminal that was
/// taken out of service nothing is awaited, nor is what was given up.
pub fn whole_upto(tx: &mut Tx<'_>, highest: u64) -> Result<u64, StoreError> {
    fail::fail_point!("planted::durable_without_blobs", |_| Ok(highest));
    let awaited = format!(
        "SELECT MIN(e.server_seq) FROM blob_ b JOIN envelope e ON e.envelope_id = b.envelope_id
         JOIN terminal t ON t.id = e.terminal WHERE t.status = 'active' AND {AWAITED}"
    );
    Ok(before(first_of(tx, &awaited, &[])?, highest))
}

/// The place in the centre's order before the first envelope that names one of these attachments; `highest` if none
/// does.
pub fn upto_without(tx: &mut Tx<'_>, lost: &[Digest], highest: u64) -> Result<u64, StoreError> {
    let named = "SELECT MIN(e.server_seq) FROM blob_ b JOIN envelope e ON e.envelope_id = b.envelope_id
                 WHERE b.digest = $1";
    let mut upto = highest;
    for digest in lost {
        upto = before(first_of(tx, named, &[digest.to_string().into()])?, upto);
    }
    Ok(upto)
}

fn first_of(tx: &mut Tx<'_>, sql: &str, values: &[crate::store::Value]) -> Result<Option<i64>, StoreError> {
    tx.query_first(sql, values)?.map_or(Ok(None), |row| row.int_or_null(0))
}

fn before(first: Option<i64>, highest: u64) -> u64 {
    let first = first.and_then(|seq| u64::try_from(seq).ok());
    first.map_or(highest, |seq| highest.min(seq.saturating_sub(1)))
}

/// Copies files that are not there yet; gives those that cannot be had, as many as there are.
///
/// # Errors
/// [`BlobError`] if the target cannot be written.
pub fn copy(listed: &[BlobFile], from: &BlobPlace, to: &BlobPlace) -> Result<Vec<Digest>, BlobError> {
    if listed.is_empty() {
        return Ok(Vec::new());
    }
    let (from, to) = (Blobs::open(from)?, Blobs::open(to)?);
    let mut lost = Vec::new();
    for file in listed {
        if to.length(&file.digest)? == Some(file.length) {
            continue;
        }
        match from.read(&file.digest) {
            Ok(bytes) => {
                to.keep(&file.digest, bytes)?;
                to.read(&file.digest)?;
            }
            Err(error) => {
                let blob = file.digest.short();
                tracing::error!(error = &error as &dyn std::error::Error, %blob, "an attachment cannot be copied");
                lost.push(file.digest);
            }
        }
    }
    Ok(lost)
}

/// Where the attachments of a backup lie.
pub fn beside(backups: &Path) -> BlobPlace {
    BlobPlace::Folder(backups.join(FOLDER))
}

/// Awaits attachments again that a restored store names and nobody has: their terminals may have them still. Uploads
/// that were on their way are forgotten: their bytes were never in a backup.
pub fn await_again(tx: &mut Tx<'_>, now_ms: i64, lost: &[Digest]) -> Result<(), StoreError> {
    uploads::forget_all(tx)?;
    for digest in lost {
        let blob = digest.to_string();
        let rows = tx.query("SELECT envelope_id FROM blob_ WHERE digest = $1", &[blob.as_str().into()])?;
        tx.execute("UPDATE blob_ SET arrived_at_ms = NULL WHERE digest = $1", &[blob.as_str().into()])?;
        for row in rows {
            let id: EnvelopeId = row.parsed(0)?;
            let id = id.to_string();
            tx.execute("UPDATE envelope SET complete = 0 WHERE envelope_id = $1", &[id.as_str().into()])?;
            audit::raise_alarm(tx, now_ms, "blob.lost", &id, Some(digest))?;
        }
    }
    Ok(())
}
