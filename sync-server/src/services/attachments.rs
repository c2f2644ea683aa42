//! 附件 of a case for people who may see it: found by its page, opened with the key of its envelope, and made harmless.
//!
//! Pictures are decoded within limits and written anew, so that neither a place nor a script that was hidden in one
//! leaves; a PDF is only ever handed out as a file. All pictures of an envelope can be had bound into one PDF. Whoever
//! sees one is noted. Refuses everything else.
use documents::{DocumentError, ScannedPage};
use domain::envelope::BlobPlace;
use domain::ids::EnvelopeId;
use hardware::image::{Format, Policy, clean};
use zeroize::Zeroizing;

use super::audit;
use super::blobs::Blob;
use super::case_key::WrappedKey;
use crate::auth::names::AccountId;
use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::store::{StoreError, Tx};

/// The media type of a PDF.
pub const PDF_TYPE: &str = "application/pdf";
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

/// The pages of an envelope that are here, in their order, out of all that it has.
pub fn here((id, key): (&EnvelopeId, &WrappedKey), blobs: &[Blob]) -> Vec<Found> {
    let here = blobs.iter().filter(|blob| blob.arrived_at_ms.is_some());
    here.map(|blob| Found { envelope_id: *id, blob: blob.clone(), key: key.clone() }).collect()
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
        return Ok(Harmless { bytes: plain.to_vec(), media_type: PDF_TYPE, ending: "pdf" });
    }
    let cleaned = clean(plain, &Policy::PAGE)
        .map_err(|e| ServiceError::refused(ProblemCode::UnsupportedMediaType, e.to_string()))?;
    let (media_type, ending) = match cleaned.format {
        Format::Jpeg => ("image/jpeg", "jpg"),
        Format::Png => ("image/png", "png"),
    };
    Ok(Harmless { bytes: cleaned.bytes, media_type, ending })
}

/// Bytes of the pictures of one PDF, at most.
pub const MOST_BOUND: usize = documents::scans::MAX_BYTES;

/// Binds the pictures among these files into one PDF, each on a page of its own in their order. Computes only.
///
/// # Errors
/// [`ServiceError`]: `not-found` if there is no picture among them, `too-large` if together they are too large for one
/// file.
pub fn bind(files: Vec<Harmless>) -> Result<Vec<u8>, ServiceError> {
    let pictures = files.into_iter().filter(|file| file.media_type != PDF_TYPE);
    let page = |file: Harmless| ScannedPage { bytes: Zeroizing::new(file.bytes), dpi: None };
    let mut bound = documents::pages(pictures.map(page).collect()).map_err(|error| match error {
        DocumentError::Pages(0) => ProblemCode::NotFound.into(),
        DocumentError::Pages(_) | DocumentError::TooLarge => {
            ServiceError::refused(ProblemCode::TooLarge, error.to_string())
        }
        _ => ServiceError::refused(ProblemCode::UnsupportedMediaType, error.to_string()),
    })?;
    Ok(std::mem::take(&mut *bound))
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
