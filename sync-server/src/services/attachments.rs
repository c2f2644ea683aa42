//! 附件 of a case for people who may see it: found by its page, opened with the key of its case, and made harmless.
//!
//! Pictures are decoded within limits and written anew, so that neither a place nor a script that was hidden in one
//! leaves; a PDF is only ever handed out as a file. Whoever sees one is noted. Refuses everything else.
use domain::envelope::{BlobPlace, DataKey, Nonce};
use domain::ids::{CaseNo, EnvelopeId};
use hardware::image::{Format, Policy, clean};

use super::blobs::{self, Blob};
use super::{audit, cases};
use crate::auth::names::AccountId;
use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::store::{StoreError, Tx};

/// What a PDF begins with.
const PDF: &[u8] = b"%PDF-";

/// A page or photo that is here, and the wrapped key of its case.
#[derive(Debug, Clone)]
pub struct Found {
    /// The submission.
    pub envelope_id: EnvelopeId,
    /// What it is and where its bytes lie.
    pub blob: Blob,
    key_id: String,
    nonce: Nonce,
    wrapped: Vec<u8>,
}

/// A file that can be handed out.
pub struct Harmless {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
    /// How its name ends.
    pub ending: &'static str,
}

/// The attachment of a case at a page.
///
/// # Errors
/// [`ServiceError`] `not-found` if there is none, it is not here yet, or the case was not opened yet; or the store's.
pub fn find(tx: &mut Tx<'_>, number: &CaseNo, page: u16) -> Result<Found, ServiceError> {
    let case = cases::by_number(tx, number)?.into_iter().next().ok_or(ProblemCode::NotFound)?;
    let blobs = blobs::of_envelope(tx, &case.envelope_id)?;
    let blob = blobs.into_iter().find(|b| b.page == page && b.arrived_at_ms.is_some());
    let blob = blob.ok_or(ProblemCode::NotFound)?;
    let sql = "SELECT key_id, nonce, wrapped FROM case_key WHERE envelope_id = $1";
    let row = tx.query_first(sql, &[case.envelope_id.to_string().into()])?.ok_or(ProblemCode::NotFound)?;
    let nonce = row.blob(1)?.try_into().map_err(|_| StoreError::Stored { what: "nonce" })?;
    Ok(Found {
        envelope_id: case.envelope_id,
        blob,
        key_id: row.text(0)?.to_owned(),
        nonce: Nonce(nonce),
        wrapped: row.blob(2)?.to_vec(),
    })
}

/// Opens the sealed bytes of an attachment and makes them harmless. Computes only.
///
/// # Errors
/// [`ServiceError`]: `unsupported-media-type` for what is neither a picture within limits nor a PDF; or what is wrong
/// with the keys.
pub fn open(found: &Found, keys: &Keys, sealed: &[u8]) -> Result<Harmless, ServiceError> {
    let wrong = |what: &str| ServiceError::Inconsistent(format!("case {}: {what}", found.envelope_id));
    let year = keys.known_year(&found.key_id).map_err(|e| wrong(&operator::findings::with_causes(&e)))?;
    let key = year.decrypt(found.nonce, &found.wrapped, found.envelope_id.as_bytes());
    let key = key.map_err(|_| wrong("its key does not open"))?;
    let key = DataKey::unpack(&key).map_err(|_| wrong("its key is none"))?;
    let place = BlobPlace { envelope: found.envelope_id, page: found.blob.page };
    let plain = key.open_blob(place, sealed);
    let plain = plain.map_err(|_| ProblemCode::UnsupportedMediaType)?;
    harmless(&plain)
}

fn harmless(plain: &[u8]) -> Result<Harmless, ServiceError> {
    if plain.starts_with(PDF) {
        return Ok(Harmless { bytes: plain.to_vec(), media_type: "application/pdf", ending: "pdf" });
    }
    let cleaned = clean(plain, &Policy::PAGE)
        .map_err(|e| ServiceError::refused(ProblemCode::UnsupportedMediaType, e.to_string()))?;
    let (media_type, ending) = match cleaned.format {
        Format::Jpeg => ("image/jpeg", "jpg"),
        Format::Png => ("image/png", "png"),
    };
    Ok(Harmless { bytes: cleaned.bytes, media_type, ending })
}

/// Notes who is about to see an attachment.
///
/// # Errors
/// [`StoreError`] if the store fails: then nobody sees it.
pub fn note_seen(tx: &mut Tx<'_>, now_ms: i64, by: &AccountId, found: &Found) -> Result<(), StoreError> {
    let (subject, digest) = (found.envelope_id.to_string(), found.blob.digest.to_string());
    let event = audit::Event {
        actor: by.as_str(),
        event: "attachment.seen",
        subject: &subject,
        object_digest: &digest,
    };
    audit::append(tx, now_ms, event)
}
