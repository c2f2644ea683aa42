//! What staff write about a case: sealed under the case's data key beside the action that it belongs to, so that it is
//! erased with the case. The action has the digest of the sealed bytes.
use std::collections::BTreeMap;

use domain::envelope::{DataKey, Digest, Nonce};
use domain::ids::EnvelopeId;
use rand_core::CryptoRng;

use crate::error::{ProblemCode, ServiceError};
use crate::store::{StoreError, Tx};

/// Longest text, in characters.
pub const MAX_CHARS: usize = 2_000;
/// Texts of one case that are read, at most.
const MAX_TEXTS: u64 = 1_000;

/// A sealed text.
pub struct SealedText {
    nonce: Nonce,
    sealed: Vec<u8>,
}

/// What may be written: trimmed, without control characters but for line ends; nothing if nothing is left.
///
/// # Errors
/// [`ServiceError`] `too-large` if it is longer than [`MAX_CHARS`].
pub fn clean(text: &str) -> Result<Option<String>, ServiceError> {
    if text.chars().nth(MAX_CHARS).is_some() {
        return Err(ProblemCode::TooLarge.into());
    }
    let kept: String = text.replace("\r\n", "\n").chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let kept = kept.trim();
    Ok((!kept.is_empty()).then(|| kept.to_owned()))
}

impl SealedText {
    /// Seals a text for a case.
    ///
    /// # Errors
    /// [`ServiceError`] if the cipher refuses, which it does for no length that [`clean`] lets through.
    pub fn seal(
        key: &DataKey,
        id: &EnvelopeId,
        text: &str,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ServiceError> {
        let nonce = Nonce::new(rng);
        let sealed = key.encrypt(nonce, text.as_bytes(), &bound_to(id));
        let sealed = sealed.map_err(|e| ServiceError::Inconsistent(format!("case {id}: {e}")))?;
        Ok(Self { nonce, sealed })
    }

    /// The digest that the action has.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.sealed)
    }

    /// Writes it beside the action that made this version of the case.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub fn write(&self, tx: &mut Tx<'_>, id: &EnvelopeId, version: u64) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO case_text (envelope_id, version, nonce, sealed) VALUES ($1, $2, $3, $4)",
            &[
                id.to_string().into(),
                version.into(),
                self.nonce.0.as_slice().into(),
                self.sealed.as_slice().into(),
            ],
        )?;
        Ok(())
    }
}

/// All texts of a case by the version of the action that each belongs to.
///
/// # Errors
/// [`ServiceError`] if one does not open, or the store fails.
pub fn all(tx: &mut Tx<'_>, key: &DataKey, id: &EnvelopeId) -> Result<BTreeMap<u64, String>, ServiceError> {
    let rows = tx.query(
        "SELECT version, nonce, sealed FROM case_text WHERE envelope_id = $1 ORDER BY version LIMIT $2",
        &[id.to_string().into(), MAX_TEXTS.into()],
    )?;
    let mut texts = BTreeMap::new();
    for row in &rows {
        let nonce = row.blob(1)?.try_into().map_err(|_| StoreError::Stored { what: "nonce" })?;
        let text = key.decrypt(Nonce(nonce), row.blob(2)?, &bound_to(id));
        let text =
            text.map_err(|_| ServiceError::Inconsistent(format!("case {id}: a text does not open")))?;
        let text = std::str::from_utf8(&text).map_err(|_| StoreError::Stored { what: "text" })?;
        texts.insert(row.uint(0)?, text.to_owned());
    }
    Ok(texts)
}

/// A text opens for its case only, and as nothing else that its key sealed.
fn bound_to(id: &EnvelopeId) -> Vec<u8> {
    [b"jinban case text v1 ", &id.as_bytes()[..]].concat()
}
