//! 补正 that came: the sealed envelopes of a case's supplements, and what of them takes the place of the first answers.
//!
//! The case's actions say which answers were taken; this only opens them. Refuses to judge.
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use domain::case::CaseView;
use domain::envelope::Digest;
use domain::ids::EnvelopeId;
use domain::wire::v1::Supplement;
use serde_json::{Map, Value as Json};

use super::audit;
use super::blobs::{self, Blob};
use super::case_key::{self, WrappedKey};
use super::unseal::{self, Sealed};
use crate::error::ServiceError;
use crate::keys::Keys;
use crate::store::{StoreError, Tx};

/// What refers to a case waits for so long before people are told, in milliseconds: three days.
const LONG_MS: i64 = 3 * 24 * 3_600 * 1_000;
/// The alarm about one that waits; its subject is the envelope.
const WAITS: &str = "follow-up.waits";
/// Told in one transaction, at most.
const TOLD_TOGETHER: u64 = 200;

/// A supplement as it is stored.
pub struct SealedSupplement {
    /// Its envelope.
    pub id: EnvelopeId,
    /// Which supplement of the case it is, from 1; stays what it is.
    pub round: u16,
    /// When it was taken in, milliseconds since 1970.
    pub at_ms: i64,
    /// Its pages and photos.
    pub blobs: Vec<Blob>,
    taken: Vec<String>,
    key: WrappedKey,
    sealed: Sealed,
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

/// Whether a supplement of a case came in this time, and waits for its pages or for its turn.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn is_on_its_way(
    tx: &mut Tx<'_>,
    case: &EnvelopeId,
    came_ms: RangeInclusive<i64>,
) -> Result<bool, StoreError> {
    let sql =
        "SELECT COUNT(*) FROM envelope WHERE refers_to = $1 AND kind = 'supplement' AND disposition = 'held'
               AND accepted_at_ms >= $2 AND accepted_at_ms <= $3";
    let values = [case.to_string().into(), (*came_ms.start()).into(), (*came_ms.end()).into()];
    Ok(tx.query_int(sql, &values)? > 0)
}

/// What refers to a case and has waited too long, for the submission, for pages, or for a case that nobody could open; and
/// of which nobody was told.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn waiting_long(tx: &mut Tx<'_>, now_ms: i64) -> Result<Vec<EnvelopeId>, StoreError> {
    let mut late = Vec::new();
    // Each has a small index of its own, which an order would keep from being used.
    for waits in ["disposition = 'held' AND kind IN ('supplement', 'withdrawal')", "disposition = 'waiting'"]
    {
        let sql = format!(
            "SELECT e.envelope_id FROM envelope e WHERE e.{waits} AND e.accepted_at_ms < $1
             AND NOT EXISTS (SELECT 1 FROM alarm a WHERE a.kind = $2 AND a.subject = e.envelope_id) LIMIT $3"
        );
        let values = [now_ms.saturating_sub(LONG_MS).into(), WAITS.into(), TOLD_TOGETHER.into()];
        for row in tx.query(&sql, &values)? {
            late.push(row.parsed(0)?);
        }
    }
    Ok(late)
}

/// Raises the alarm for what has waited too long.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn tell_of_waiting(tx: &mut Tx<'_>, now_ms: i64, late: &[EnvelopeId]) -> Result<(), StoreError> {
    late.iter().try_for_each(|id| audit::raise_alarm(tx, now_ms, WAITS, &id.to_string(), None))
}

/// The supplements of a case, in the order in which they were taken in. One that was erased is left out.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn of_case(tx: &mut Tx<'_>, view: &CaseView) -> Result<Vec<SealedSupplement>, ServiceError> {
    let mut found = Vec::new();
    for (round, came) in (1..).zip(&view.supplements) {
        let Some(sealed) = unseal::find(tx, &came.envelope)? else { continue };
        let key = match case_key::find(tx, &came.envelope) {
            Err(ServiceError::Refused { .. }) => continue,
            key => key?,
        };
        found.push(SealedSupplement {
            id: came.envelope,
            round,
            at_ms: came.at_ms,
            blobs: blobs::of_envelope(tx, &came.envelope)?,
            taken: came.keys.clone(),
            key,
            sealed,
        });
    }
    Ok(found)
}

impl SealedSupplement {
    /// Its key as it is stored.
    pub fn wrapped_key(&self) -> &WrappedKey {
        &self.key
    }

    /// Whether an answer was taken of it, and it came to the centre behind this place: what came before it does not
    /// take that answer's place.
    pub fn is_newer(&self, server_seq: u64, key: &str) -> bool {
        self.sealed.server_seq > server_seq && self.taken.iter().any(|taken| taken == key)
    }

    /// Opens it; only what was taken of it.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if it does not open any more.
    pub fn open(&self, keys: &Keys) -> Result<Brought, ServiceError> {
        let (_, Supplement { mut answers, .. }) = self.sealed.open(&self.key.open(keys)?)?;
        answers.retain(|key, _| self.taken.contains(key));
        let (materials, answers) = answers.into_iter().partition(|(key, _)| is_material(key));
        Ok(Brought { at_ms: self.at_ms, answers, materials })
    }
}

/// Lays what supplements brought over the first answers, in the order in which they were taken in; gives when each
/// answer last changed.
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
