//! 附件 of a case for people who may see it: found by its page, opened with the key of its envelope, and made harmless.
//!
//! Pictures are decoded within limits and written anew, so that neither a place nor a script that was hidden in one
//! leaves; a PDF is only ever handed out as a file. Whoever sees one is noted. Refuses everything else.
use domain::envelope::BlobPlace;
use domain::ids::EnvelopeId;
use hardware::image::{Format, Policy, clean};

use super::audit;
use super::blobs::Blob;
use super::case_key::WrappedKey;
use crate::auth::names::AccountId;
use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::store::{StoreError, Tx};

/// What a PDF begins with.
const PDF: &[u8] = b"%PDF-";

/// A page or photo that is here, and the wrapped key of its envelope.
#[derive(Debug, Clone)]
pub struct Found {
    /// The submission or supplement.
    pub envelope_id: EnvelopeId,
    /// What it is and where its bytes lie.
    pub blob: Blob,
    key: WrappedKey,
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

/// The page of an envelope, out of what it has.
///
/// # Errors
/// [`ServiceError`] `not-found` if there is none, or it is not here yet.
pub fn find((id, key): (&EnvelopeId, &WrappedKey), blobs: &[Blob], page: u16) -> Result<Found, ServiceError> {
    let blob = blobs.iter().find(|b| b.page == page && b.arrived_at_ms.is_some());
    let blob = blob.ok_or(ProblemCode::NotFound)?.clone();
    Ok(Found { envelope_id: *id, blob, key: key.clone() })
}

/// Opens the sealed bytes of an attachment and makes them harmless. Computes only.
///
/// # Errors
/// [`ServiceError`]: `unsupported-media-type` for what is neither a picture within limits nor a PDF; or what is wrong
/// with the keys.
pub fn open(found: &Found, keys: &Keys, sealed: &[u8]) -> Result<Harmless, ServiceError> {
    let key = found.key.open(keys)?;
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
