//! What the centre itself sends: sealed to its own key at the next place of its own series, and taken in by the same
//! intake as what terminals send. Refuses to know what is in it.
use domain::envelope::{Bytes, DataKey, Nonce, Suite, envelope_digest};
use domain::ids::{EnvelopeId, ItemCode, Lineage};
use domain::wire::v1::{
    BlobEntry, EnvelopeHeader, EnvelopeKind, EnvelopeUpload, Outcome, ReceiptBody, SealingKeyEntry,
    SeriesNews,
};
use rand_core::CryptoRng;

use super::place;
use crate::error::{ProblemCode, ServiceError};
use crate::services::{Context, blobs, intake, sealing_keys, series};
use crate::store::Tx;

/// An envelope that the centre makes.
pub struct Outgoing<'a> {
    /// Its id.
    pub id: EnvelopeId,
    /// Its data key.
    pub key: &'a DataKey,
    /// What it is.
    pub kind: EnvelopeKind,
    /// The submission to which it refers.
    pub refers_to: Option<EnvelopeId>,
    /// Item or bundle.
    pub item: Option<&'a ItemCode>,
    /// Version that the form came from.
    pub catalogue_version: Option<u64>,
    /// Pages and photos; their bytes are kept.
    pub blobs: &'a [BlobEntry],
    /// The plain text.
    pub payload: &'a [u8],
}

/// Seals an envelope and takes it in; gives what its receipt says.
///
/// # Errors
/// [`ServiceError`]: `sealing-key-missing`, `numbers-exhausted`, or the store's; nothing was written then.
pub fn send<R: CryptoRng>(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut R),
    of: &Outgoing<'_>,
) -> Result<ReceiptBody, ServiceError> {
    let terminal = place(context)?;
    let (header, upload) = seal(tx, context, (now_ms, rng), of)?;
    let taken = intake::take_own(tx, now_ms, &terminal, (header, upload))?;
    let receipt = taken.receipt.filter(|_| taken.outcome == Outcome::Accepted);
    let wrong = || ServiceError::Inconsistent(format!("envelope {} was there before", of.id));
    for blob in of.blobs {
        blobs::arrived(tx, now_ms, &of.id, &blob.digest)?;
    }
    receipt.ok_or_else(wrong)
}

/// Seals it at the next place of the centre's series.
fn seal<R: CryptoRng>(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut R),
    of: &Outgoing<'_>,
) -> Result<(EnvelopeHeader, EnvelopeUpload), ServiceError> {
    let wrong = |what: &str| ServiceError::Inconsistent(format!("envelope {}: {what}", of.id));
    let terminal = place(context)?.id;
    let last = series::news(tx, &terminal)?;
    let SeriesNews { lineage, highest_seq } =
        last.unwrap_or_else(|| SeriesNews { lineage: Lineage::new(rng), highest_seq: 0 });
    let sealing = sealing_key(tx, context, now_ms, of.key.suite())?;
    let wrapped_key =
        of.key.wrap(&sealing.key, of.id, rng).map_err(|_| wrong("its key cannot be wrapped"))?;
    let header = EnvelopeHeader {
        envelope_id: of.id,
        kind: of.kind.clone(),
        refers_to: of.refers_to,
        terminal,
        lineage,
        seq: highest_seq + 1,
        // Intake gives a submission one of the centre's own.
        number: None,
        item: of.item.cloned(),
        catalogue_version: of.catalogue_version,
        blobs: of.blobs.to_vec(),
        suite: of.key.suite(),
        key_id: sealing.id,
        wrapped_key,
        nonce: Nonce::new(rng),
        device_time_ms: now_ms,
        boot_time_ms: 0,
        server_offset_ms: Some(0),
    };
    let bytes = serde_json::to_vec(&header).map_err(|e| wrong(&e.to_string()))?;
    let ciphertext = of.key.encrypt(header.nonce, of.payload, &bytes);
    let ciphertext = ciphertext.map_err(|_| wrong("it cannot be sealed"))?;
    let digest = envelope_digest(&bytes, &ciphertext);
    let signature = context.keys.receipt.sign(&digest);
    let upload = EnvelopeUpload { header: Bytes(bytes), ciphertext: Bytes(ciphertext), digest, signature };
    Ok((header, upload))
}

/// The key of the centre to which forms of a suite are sealed now, as a terminal would be told.
fn sealing_key(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    suite: Suite,
) -> Result<SealingKeyEntry, ServiceError> {
    let ring = &context.keys.sealing;
    let list = sealing_keys::list_after(tx, now_ms, 0, ring)?;
    if let Some(entry) = list.as_ref().and_then(|list| list.of_suite(suite)) {
        return Ok(entry.clone());
    }
    // Before there was a list there was one key, of the first suite.
    let first = ring.first().public();
    let entry = SealingKeyEntry { id: first.key_id(), suite: Suite::One, key: first };
    Some(entry)
        .filter(|e| suite == e.suite && ring.is_kept(&e.id))
        .ok_or(ProblemCode::SealingKeyMissing.into())
}
