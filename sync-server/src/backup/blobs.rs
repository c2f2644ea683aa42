//! Attachments in backups: copies of their files beside the backups, and up to where everything is safe with them.
//!
//! The files lie in one folder of the folder of backups, under their digests as the centre keeps them, and sealed as they
//! came: the keys that open them stand, wrapped, in the backups. Each is copied once, for all backups. Refuses to count a
//! copy whose bytes were not read back with their digest: until then it lies under another name.
use std::collections::BTreeSet;
use std::path::Path;

use domain::envelope::Digest;
use domain::ids::EnvelopeId;
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::blobs::{BlobError, BlobPlace, Blobs};
use crate::services::blobs::AWAITED;
use crate::services::{audit, uploads};
use crate::store::{StoreError, Tx};

/// Name of the folder of attachments in a folder of backups.
pub const FOLDER: &str = "attachments";

/// The alarm that says that an attachment is awaited again, because the centre has it no more: its subject is the envelope.
const LOST: &str = "blob.lost";

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
    let place = "SELECT server_seq FROM envelope WHERE envelope_id = $1";
    let mut upto = highest;
    for digest in lost {
        // Not in one statement: the least of all envelopes would be looked for among all of them.
        for id in naming(tx, digest)? {
            upto = before(first_of(tx, place, &[id.to_string().into()])?, upto);
        }
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

/// Attachments that could not be copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Where they should lie is nothing, or other bytes.
    pub gone: Vec<Digest>,
    /// Their file could not be read, though their place answers.
    pub unread: Vec<Digest>,
    /// Nobody knows: their place does not answer.
    pub unasked: Vec<Digest>,
}

impl Lacking {
    /// All of them.
    pub fn digests(&self) -> Vec<Digest> {
        [self.gone.as_slice(), &self.unread, &self.unasked].concat()
    }
}

/// Files that one backup tries in vain to read, at most: each may take its time.
const MOST_UNREAD: usize = 20;
/// Attachments that one backup names in the log, at most.
const MOST_NAMED: usize = 100;

/// The order in which a backup asks for files: those last that one could not read before, beginning with another of them
/// each time. So none keeps others from being copied for ever, however many there are.
pub fn in_turn(listed: Vec<BlobFile>, unread: &BTreeSet<Digest>, rng: &mut impl Rng) -> Vec<BlobFile> {
    let (mut last, mut all): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|file| unread.contains(&file.digest));
    if !last.is_empty() {
        let first = usize::try_from(rng.next_u32()).unwrap_or(0) % last.len();
        last.rotate_left(first);
    }
    all.append(&mut last);
    all
}

/// Copies files that are not there yet, in this order ([`in_turn`]); gives those that cannot be had. What lies in the
/// target under its digest is not read again: it got that name only after its bytes had been read back and compared. A
/// place that does not answer, or at which too many cannot be read, is asked no further: rows are backed up all the same.
///
/// # Errors
/// [`BlobError`] if the target cannot be written, or gives back other bytes than it was given.
pub fn copy(listed: &[BlobFile], from: &BlobPlace, to: &BlobPlace) -> Result<Lacking, BlobError> {
    let mut lacking = Lacking::default();
    if listed.is_empty() {
        return Ok(lacking);
    }
    let (mut from, to) = (answering(Blobs::open_existing(from)), Blobs::open(to)?);
    for file in listed {
        if to.length(&file.digest)? == Some(file.length) {
            continue;
        }
        match from.as_ref().map(|from| found(from.read(&file.digest))) {
            Some(Ok(Some(bytes))) => to.keep_compared(&file.digest, bytes)?,
            Some(Ok(None)) => lacking.gone.push(file.digest),
            Some(Err(e)) => {
                let blob = file.digest.short();
                tracing::error!(error = &e as &dyn std::error::Error, %blob, "an attachment cannot be read");
                from = from.and_then(|from| answering(from.check().map(|()| from)));
                let answers = from.is_some();
                (if answers { &mut lacking.unread } else { &mut lacking.unasked }).push(file.digest);
                from = from.filter(|_| lacking.unread.len() < MOST_UNREAD);
            }
            None => lacking.unasked.push(file.digest),
        }
    }
    for blob in lacking.gone.iter().take(MOST_NAMED).map(Digest::short) {
        tracing::error!(%blob, "an attachment is gone or altered and cannot be copied");
    }
    if lacking != Lacking::default() {
        tracing::error!(
            gone = lacking.gone.len(),
            unread = lacking.unread.len(),
            unasked = lacking.unasked.len(),
            "attachments were not copied; the next backup tries again, and begins with those that were not asked for"
        );
    }
    Ok(lacking)
}

/// A place, if it answers; tells if it does not.
fn answering(place: Result<Blobs, BlobError>) -> Option<Blobs> {
    let tell = |e: &BlobError| {
        tracing::error!(error = e as &dyn std::error::Error, "the place of attachments does not answer");
    };
    place.inspect_err(tell).ok()
}

/// Brings files back to where the centre keeps them, as [`bring_one`]; gives those that nobody has.
///
/// # Errors
/// As [`bring_one`], of the first file of which nobody can say where it is.
pub fn bring_back(listed: &[BlobFile], copies: &Blobs, to: &Blobs) -> Result<Vec<Digest>, BlobError> {
    let mut lost = Vec::new();
    for file in listed {
        if !bring_one(file, || Ok(Some(copies)), to)? {
            lost.push(file.digest);
        }
    }
    for blob in lost.iter().map(Digest::short) {
        tracing::error!(%blob, "an attachment is lost");
    }
    Ok(lost)
}

/// Brings a file back to where the centre keeps it, from its copy if there are any; false if nobody has it. What lies
/// there already counts only if its bytes have their digest: a folder or a bucket that outlived its centre may have rotted.
/// Only if it does not, somebody asks for the copies.
///
/// # Errors
/// [`BlobError`] if the centre's file cannot be read and there is no copy, if the copies cannot be read, or if the centre's
/// place cannot be written or gives back other bytes than it was given: nothing is called lost because nobody answered.
pub fn bring_one<'a>(
    file: &BlobFile,
    copies: impl FnOnce() -> Result<Option<&'a Blobs>, BlobError>,
    to: &Blobs,
) -> Result<bool, BlobError> {
    let here = found(to.read(&file.digest));
    if matches!(here, Ok(Some(_))) {
        return Ok(true);
    }
    match copies()?.map_or(Ok(None), |copies| found(copies.read(&file.digest)))? {
        Some(bytes) => {
            to.keep(&file.digest, bytes)?;
            to.read(&file.digest)?;
            Ok(true)
        }
        None => here.map(|_| false),
    }
}

/// The bytes of a file; none if it is gone or holds others. All else says nothing of it, and is an error.
fn found(read: Result<Vec<u8>, BlobError>) -> Result<Option<Vec<u8>>, BlobError> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(BlobError::Gone(_) | BlobError::Altered(_)) => Ok(None),
        Err(e) => Err(e),
    }
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

fn naming(tx: &mut Tx<'_>, digest: &Digest) -> Result<Vec<EnvelopeId>, StoreError> {
    let rows = tx.query("SELECT envelope_id FROM blob_ WHERE digest = $1", &[digest.to_string().into()])?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

#[cfg(test)]
#[path = "blobs_tests.rs"]
mod tests;
