//! What somebody brought for another region, kept sealed until that region accepted it: it is sent again after a return.
use domain::envelope::{DataKey, MAX_PAYLOAD_BYTES, Nonce, SignedDocument};
use domain::ids::EnvelopeId;
use domain::wire::v1::{PartnerMessage, Submission};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::services::case_key::{self, WrappedKey};
use crate::store::{StoreError, Tx};

/// A person's application for another region. Never printed.
pub type Content = Submission;

/// It, sealed.
#[derive(Debug)]
pub struct NewContent {
    id: EnvelopeId,
    key: case_key::Wrapped,
    nonce: Nonce,
    sealed: Vec<u8>,
}

impl NewContent {
    /// Seals it under a key of its own.
    ///
    /// # Errors
    /// [`ServiceError`] `envelope-too-large` if no case could take it, or if there is no key of the year.
    pub fn seal<R: CryptoRng>(
        (id, now_ms): (&EnvelopeId, i64),
        content: &Content,
        keys: &Keys,
        rng: &mut R,
    ) -> Result<Self, ServiceError> {
        let wrong = |what: String| ServiceError::Inconsistent(format!("handoff {id}: {what}"));
        let plain = Zeroizing::new(serde_json::to_vec(content).map_err(|e| wrong(e.to_string()))?);
        if plain.len() > MAX_PAYLOAD_BYTES {
            return Err(ProblemCode::EnvelopeTooLarge.into());
        }
        let key = DataKey::new(rng);
        let nonce = Nonce::new(rng);
        let sealed = key.encrypt(nonce, &plain, &bound_to(id)).map_err(|e| wrong(e.to_string()))?;
        let wrapped = case_key::wrap(&key, (id, now_ms), keys, rng);
        let wrapped = wrapped.map_err(|e| wrong(operator::findings::with_causes(&e)))?;
        let key = wrapped.ok_or_else(|| wrong("its key cannot be wrapped".to_owned()))?;
        Ok(Self { id: *id, key, nonce, sealed })
    }
}

fn bound_to(id: &EnvelopeId) -> Vec<u8> {
    [b"jinban handoff v1 ", &id.as_bytes()[..]].concat()
}

/// Keeps what was filled in, in the place of what was kept before; only while it lies here and nowhere else.
///
/// # Errors
/// [`ServiceError`] `case-changed` if it was handed over meanwhile, or if the key of the year is not the store's, or the
/// store fails.
pub fn keep_content(tx: &mut Tx<'_>, content: &NewContent, form_version: u64) -> Result<(), ServiceError> {
    let [key_id, key_nonce, wrapped] = content.key.columns(tx)?;
    let kept = tx.execute(
        "UPDATE handoff SET key_id = $2, key_nonce = $3, wrapped = $4, nonce = $5, sealed = $6, form_version = $7
         WHERE id = $1 AND side = 'accepting' AND state IN ('received', 'returned')",
        &[
            content.id.to_string().into(),
            key_id,
            key_nonce,
            wrapped,
            content.nonce.0.as_slice().into(),
            content.sealed.as_slice().into(),
            form_version.into(),
        ],
    )?;
    if kept == 0 { Err(ProblemCode::CaseChanged.into()) } else { Ok(()) }
}

/// What was filled in.
///
/// # Errors
/// [`ServiceError`] `not-found` if it is kept no more, or does not open.
pub fn open_content(tx: &mut Tx<'_>, id: &EnvelopeId, keys: &Keys) -> Result<Content, ServiceError> {
    let sql =
        "SELECT key_id, key_nonce, wrapped, nonce, sealed FROM handoff WHERE id = $1 AND sealed IS NOT NULL";
    let row = tx.query_first(sql, &[id.to_string().into()])?.ok_or(ProblemCode::NotFound)?;
    let wrong = || ServiceError::Inconsistent(format!("handoff {id}: its content does not open"));
    let key = WrappedKey::read(id, &row, 0)?.open(keys)?;
    let nonce = Nonce(row.blob(3)?.try_into().map_err(|_| wrong())?);
    let plain = Zeroizing::new(key.decrypt(nonce, row.blob(4)?, &bound_to(id)).map_err(|_| wrong())?);
    serde_json::from_slice(&plain).map_err(|_| wrong())
}

/// Takes what was brought away, with its key.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn wipe_brought(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE handoff SET key_id = NULL, key_nonce = NULL, wrapped = NULL, nonce = NULL, sealed = NULL WHERE id = $1",
        &[id.to_string().into()],
    )?;
    Ok(())
}

/// Takes what was brought away, and all that lies sealed in messages of this handoff which wait for nobody.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn wipe(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<(), StoreError> {
    wipe_brought(tx, id)?;
    let sql = "SELECT id, document FROM partner_message WHERE handoff = $1 AND state <> 'waiting' AND document <> ''";
    for row in tx.query(sql, &[id.to_string().into()])? {
        // What names nobody stays: it is sent again to a side that was restored from a backup.
        if !is_open(row.text(1)?) {
            let sql = "UPDATE partner_message SET document = '' WHERE id = $1";
            tx.execute(sql, &[row.text(0)?.into()])?;
        }
    }
    Ok(())
}

/// Whether a message has no sealed part.
fn is_open(document: &str) -> bool {
    let document: Option<SignedDocument> = serde_json::from_str(document).ok();
    let message = document.and_then(|document| PartnerMessage::read(&document.body.0).ok());
    message.is_some_and(|message| message.said.sealed().is_none())
}
