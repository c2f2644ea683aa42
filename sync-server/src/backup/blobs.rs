//! Attachments in backups: copies of their files beside the backups, and up to where everything is safe with them.
//!
//! The files lie in one folder of the folder of backups, under their digests as the centre keeps them, and sealed as they
//! came: the keys that open them stand, wrapped, in the backups. Each is copied once, for all backups. Refuses to count a
//! copy whose bytes were not read back with their digest: until then it lies under another name.
use std::path::Path;

use domain::envelope::Digest;
use domain::ids::{CaseNo, EnvelopeId};
use serde::{Deserialize, Serialize};

use crate::blobs::{BlobError, BlobPlace, Blobs};
use crate::services::blobs::{AWAITED, of_envelope};
use crate::services::{audit, uploads};
use crate::store::{StoreError, Tx};

/// Name of the folder of attachments in a folder of backups.
pub const FOLDER: &str = "attachments";

/// The alarm that says that an attachment is awaited again, because the centre has it no more: its subject is the envelope.
const LOST: &str = "blob.lost";
/// The alarm that says that a backup found an attachment gone or altered: its subject is the envelope.
const ROTTEN: &str = "blob.rotten";

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

/// Copies files that are not there yet; gives those that cannot be had, as many as there are. What lies in the target
/// under its digest is not read again: it got that name only after its bytes had been read back and compared.
///
/// # Errors
/// [`BlobError`] if the target cannot be written, or gives back other bytes than it was given.
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
            Ok(bytes) => to.keep_compared(&file.digest, bytes)?,
            Err(error) => lost.push(told(file.digest, &error)),
        }
    }
    Ok(lost)
}

/// Brings the files of a backup back to where the centre keeps them; gives those that nobody has. What lies there already
/// counts only if its bytes have their digest: a folder or a bucket that outlived its centre may have rotted.
///
/// # Errors
/// [`BlobError`] if the target does not answer, cannot be written, or gives back other bytes than it was given.
pub fn bring_back(listed: &[BlobFile], from: &BlobPlace, to: &BlobPlace) -> Result<Vec<Digest>, BlobError> {
    if listed.is_empty() {
        return Ok(Vec::new());
    }
    let (from, to) = (Blobs::open(from)?, Blobs::open(to)?);
    let mut lost = Vec::new();
    for file in listed {
        if to.read(&file.digest).is_ok() {
            continue;
        }
        match from.read(&file.digest) {
            Ok(bytes) => {
                to.keep(&file.digest, bytes)?;
                to.read(&file.digest)?;
            }
            Err(error) => {
                // Nothing is called lost because nobody answered.
                to.check()?;
                lost.push(told(file.digest, &error));
            }
        }
    }
    Ok(lost)
}

/// Which of these lie at the centre no more, or as other bytes. Whoever asks has heard that they cannot be read; that the
/// place does not answer says nothing of them.
///
/// # Errors
/// [`BlobError`] if the place does not answer.
pub fn gone(digests: &[Digest], at: &BlobPlace) -> Result<Vec<Digest>, BlobError> {
    if digests.is_empty() {
        return Ok(Vec::new());
    }
    let at = Blobs::open(at)?;
    at.check()?;
    let is_gone =
        |digest: &&Digest| matches!(at.read(digest), Err(BlobError::Gone(_) | BlobError::Altered(_)));
    Ok(digests.iter().filter(is_gone).copied().collect())
}

fn told(digest: Digest, error: &BlobError) -> Digest {
    let blob = digest.short();
    tracing::error!(error = error as &dyn std::error::Error, %blob, "an attachment cannot be copied");
    digest
}

/// Where the attachments of a backup lie.
pub fn beside(backups: &Path) -> BlobPlace {
    BlobPlace::Folder(backups.join(FOLDER))
}

/// Awaits attachments again that a restored store names and nobody has: their terminals may have them still. Uploads
/// that were on their way are forgotten: their bytes were never in a backup.
pub fn await_again(tx: &mut Tx<'_>, now_ms: i64, lost: &[Digest]) -> Result<(), StoreError> {
    uploads::forget_all(tx)?;
    lost.iter().try_for_each(|digest| await_one(tx, now_ms, digest))
}

/// As [`await_again`] for one attachment of a centre that goes on, whose bytes are gone or others.
pub fn await_one(tx: &mut Tx<'_>, now_ms: i64, digest: &Digest) -> Result<(), StoreError> {
    let blob = digest.to_string();
    // An upload that was done would keep its terminal from sending it once more.
    tx.execute("DELETE FROM upload WHERE digest = $1", &[blob.as_str().into()])?;
    tx.execute("UPDATE blob_ SET arrived_at_ms = NULL WHERE digest = $1", &[blob.as_str().into()])?;
    for id in naming(tx, digest)? {
        let id = id.to_string();
        tx.execute("UPDATE envelope SET complete = 0 WHERE envelope_id = $1", &[id.as_str().into()])?;
        audit::raise_alarm(tx, now_ms, LOST, &id, Some(digest))?;
    }
    Ok(())
}

/// Raises the alarm for attachments that a backup found gone or altered. They stay what they are: somebody may bring the
/// file back, or give them up.
pub fn alarm(tx: &mut Tx<'_>, now_ms: i64, rotten: &[Digest]) -> Result<(), StoreError> {
    for digest in rotten {
        for id in naming(tx, digest)? {
            audit::raise_alarm(tx, now_ms, ROTTEN, &id.to_string(), Some(digest))?;
        }
    }
    Ok(())
}

/// Files of attachments that came, of the envelope of a case and of those that refer to it, such as supplements.
pub fn came_of_case(
    tx: &mut Tx<'_>,
    number: &CaseNo,
) -> Result<Vec<(EnvelopeId, Vec<BlobFile>)>, StoreError> {
    let sql = "SELECT e.envelope_id FROM envelope e JOIN case_ c ON c.envelope_id = COALESCE(e.refers_to, e.envelope_id)
               WHERE c.number = $1 ORDER BY e.server_seq";
    let ids: Result<Vec<_>, _> =
        tx.query(sql, &[number.as_str().into()])?.iter().map(|row| row.parsed(0)).collect();
    came_of(tx, &ids?)
}

/// Files of attachments that came, by envelope.
pub fn came_of(
    tx: &mut Tx<'_>,
    envelopes: &[EnvelopeId],
) -> Result<Vec<(EnvelopeId, Vec<BlobFile>)>, StoreError> {
    let mut all = Vec::new();
    for id in envelopes {
        let came = of_envelope(tx, id)?.into_iter().filter(|blob| blob.arrived_at_ms.is_some());
        let files = came.map(|blob| BlobFile { digest: blob.digest, length: blob.length }).collect();
        all.push((*id, files));
    }
    Ok(all)
}

fn naming(tx: &mut Tx<'_>, digest: &Digest) -> Result<Vec<EnvelopeId>, StoreError> {
    let rows = tx.query("SELECT envelope_id FROM blob_ WHERE digest = $1", &[digest.to_string().into()])?;
    rows.iter().map(|row| row.parsed(0)).collect()
}
