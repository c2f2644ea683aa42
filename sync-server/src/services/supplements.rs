//! 补正 that came: the sealed envelopes of a case's supplements, and what of them takes the place of the first answers.
//!
//! The case's actions say which answers were taken; this only opens them. Refuses to judge.
use std::collections::BTreeMap;

use domain::case::CaseView;
use domain::envelope::{DataKey, Digest};
use domain::ids::EnvelopeId;
use domain::wire::v1::{EnvelopeHeader, Supplement};
use serde_json::{Map, Value as Json};

use super::blobs::{self, Blob};
use super::case_key::{self, WrappedKey};
use crate::error::ServiceError;
use crate::keys::Keys;
use crate::store::{StoreError, Tx};

/// A supplement as it is stored.
pub struct SealedSupplement {
    /// Its envelope.
    pub id: EnvelopeId,
    /// When it was taken in, milliseconds since 1970.
    pub at_ms: i64,
    /// Its pages and photos.
    pub blobs: Vec<Blob>,
    taken: Vec<String>,
    key: WrappedKey,
    header: Vec<u8>,
    ciphertext: Vec<u8>,
}

/// What a supplement brought, opened. Never printed.
pub struct Brought {
    /// When it was taken in, milliseconds since 1970.
    pub at_ms: i64,
    /// Answers of the form that take the place of older ones.
    pub answers: Map<String, Json>,
    /// Files for materials of the list, by the material's key (`material.N`).
    pub materials: Map<String, Json>,
}

/// Whether a key of a notice stands for a material of the list, and not for a field.
pub fn is_material(key: &str) -> bool {
    key.starts_with("material.")
}

/// Whether an answer names these sealed bytes.
pub fn names(value: &Json, digest: &Digest) -> bool {
    let digest = digest.to_string();
    let is = |value: &Json| value.get("hash").unwrap_or(value).as_str() == Some(digest.as_str());
    match value {
        Json::Array(list) => list.iter().any(is),
        value => is(value),
    }
}

/// The supplements of a case, oldest first. One that was erased is left out.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn of_case(tx: &mut Tx<'_>, view: &CaseView) -> Result<Vec<SealedSupplement>, ServiceError> {
    let mut found = Vec::new();
    for came in &view.supplements {
        let sql = "SELECT header, ciphertext FROM envelope WHERE envelope_id = $1 AND kind = 'supplement'";
        let Some(row) = tx.query_first(sql, &[came.envelope.to_string().into()])? else { continue };
        let key = match case_key::find(tx, &came.envelope) {
            Err(ServiceError::Refused { .. }) => continue,
            key => key?,
        };
        found.push(SealedSupplement {
            id: came.envelope,
            at_ms: came.at_ms,
            blobs: blobs::of_envelope(tx, &came.envelope)?,
            taken: came.keys.clone(),
            key,
            header: row.blob(0)?.to_vec(),
            ciphertext: row.blob(1)?.to_vec(),
        });
    }
    Ok(found)
}

impl SealedSupplement {
    /// Its data key.
    ///
    /// # Errors
    /// As [`WrappedKey::open`].
    pub fn key(&self, keys: &Keys) -> Result<DataKey, ServiceError> {
        self.key.open(keys)
    }

    /// Its key as it is stored.
    pub fn wrapped_key(&self) -> &WrappedKey {
        &self.key
    }

    /// Opens it; only what was taken of it.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if it does not open any more.
    pub fn open(&self, keys: &Keys) -> Result<Brought, ServiceError> {
        let wrong = |what: &str| ServiceError::Inconsistent(format!("supplement {}: {what}", self.id));
        let header: EnvelopeHeader =
            serde_json::from_slice(&self.header).map_err(|_| wrong("its header is none"))?;
        let plain = self.key(keys)?.decrypt(header.nonce, &self.ciphertext, &self.header);
        let plain = plain.map_err(|_| wrong("its content does not open"))?;
        let Supplement { mut answers, .. } =
            serde_json::from_slice(&plain).map_err(|_| wrong("its content is none"))?;
        answers.retain(|key, _| self.taken.contains(key));
        let (materials, answers) = answers.into_iter().partition(|(key, _)| is_material(key));
        Ok(Brought { at_ms: self.at_ms, answers, materials })
    }
}

/// Lays what supplements brought over the first answers, oldest first; gives when each answer last changed.
pub fn overlay(answers: &mut Map<String, Json>, brought: &[Brought]) -> BTreeMap<String, i64> {
    let mut changed = BTreeMap::new();
    for supplement in brought {
        for (key, value) in supplement.answers.iter().chain(&supplement.materials) {
            changed.insert(key.clone(), supplement.at_ms);
            if !is_material(key) {
                answers.insert(key.clone(), value.clone());
            }
        }
    }
    changed
}

/// Envelopes of a kind that wait to be looked at, oldest first, after a place in the centre's order.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn held(tx: &mut Tx<'_>, after: u64, limit: u64) -> Result<Vec<(u64, EnvelopeId)>, StoreError> {
    let rows = tx.query(
        "SELECT server_seq, envelope_id FROM envelope
         WHERE disposition = 'held' AND kind IN ('supplement', 'withdrawal') AND server_seq > $1
         ORDER BY server_seq LIMIT $2",
        &[after.into(), limit.into()],
    )?;
    rows.iter().map(|row| Ok((row.uint(0)?, row.parsed(1)?))).collect()
}
