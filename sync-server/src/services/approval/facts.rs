//! What a judgement rests on: recorded whole, sealed under the key of the case beside the action that has its digest.
//!
//! Opens for its case and its action only; emptied when the case is erased.
use domain::envelope::{DataKey, Digest, Nonce};
use domain::ids::{EnvelopeId, ItemCode};
use domain::rules::{Facts, RuleSet};
use rand_core::CryptoRng;

use crate::error::ServiceError;
use crate::store::{Row, StoreError, Tx};

/// Facts that were just sealed.
pub struct SealedFacts {
    nonce: Nonce,
    sealed: Vec<u8>,
}

/// The facts of one judgement, as they are stored.
pub struct Judgement {
    /// The case.
    pub envelope_id: EnvelopeId,
    /// The action.
    pub version: u64,
    /// Item or bundle.
    pub entry: ItemCode,
    /// The step.
    pub step: String,
    /// The version of the rule set.
    pub set_version: u64,
    nonce: Vec<u8>,
    sealed: Vec<u8>,
}

/// In the order in which a row is read.
pub(super) const COLUMNS: &str = "envelope_id, version, entry, step, set_version, nonce, sealed";

impl SealedFacts {
    /// Seals facts for a case and a version of it.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if the cipher refuses, which it does for no length that facts can have.
    pub fn seal(
        key: &DataKey,
        (id, version): (&EnvelopeId, u64),
        facts: &Facts,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ServiceError> {
        let wrong = |why: String| ServiceError::Inconsistent(format!("case {id}: {why}"));
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(facts).map_err(|e| wrong(e.to_string()))?);
        let nonce = Nonce::new(rng);
        let sealed = key.encrypt(nonce, &plain, &bound_to(id, version)).map_err(|e| wrong(e.to_string()))?;
        Ok(Self { nonce, sealed })
    }

    /// The digest that the action has.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.sealed)
    }

    /// Writes them beside their action.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub fn write(
        &self,
        tx: &mut Tx<'_>,
        now_ms: i64,
        (id, version): (&EnvelopeId, u64),
        set: &RuleSet,
    ) -> Result<(), StoreError> {
        let named = set.reference();
        tx.execute(
            "INSERT INTO judgement (envelope_id, version, entry, step, set_version, at_ms, nonce, sealed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                id.to_string().into(),
                version.into(),
                named.entry.as_str().into(),
                named.step.as_str().into(),
                named.version.into(),
                now_ms.into(),
                self.nonce.0.as_slice().into(),
                self.sealed.as_slice().into(),
            ],
        )?;
        Ok(())
    }
}

impl Judgement {
    /// The facts; none once the case is erased.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if they do not open any more.
    pub fn open(&self, key: &DataKey) -> Result<Option<Facts>, ServiceError> {
        if self.is_erased() {
            return Ok(None);
        }
        let wrong = || {
            ServiceError::Inconsistent(format!(
                "case {}: the facts of action {} do not open",
                self.envelope_id, self.version
            ))
        };
        let nonce = self.nonce.as_slice().try_into().map_err(|_| wrong())?;
        let plain = key
            .decrypt(Nonce(nonce), &self.sealed, &bound_to(&self.envelope_id, self.version))
            .map_err(|_| wrong())?;
        serde_json::from_slice(&plain).map(Some).map_err(|_| wrong())
    }

    /// Whether nothing is left of them.
    pub fn is_erased(&self) -> bool {
        self.sealed.is_empty()
    }

    /// The digest of what is stored.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.sealed)
    }
}

/// The facts beside an action.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn of_action(tx: &mut Tx<'_>, id: &EnvelopeId, version: u64) -> Result<Option<Judgement>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM judgement WHERE envelope_id = $1 AND version = $2");
    tx.query_first(&sql, &[id.to_string().into(), version.into()])?.map(|row| read(&row)).transpose()
}

pub(super) fn read(row: &Row) -> Result<Judgement, StoreError> {
    Ok(Judgement {
        envelope_id: row.parsed(0)?,
        version: row.uint(1)?,
        entry: row.parsed(2)?,
        step: row.text(3)?.to_owned(),
        set_version: row.uint(4)?,
        nonce: row.blob(5)?.to_vec(),
        sealed: row.blob(6)?.to_vec(),
    })
}

fn bound_to(id: &EnvelopeId, version: u64) -> Vec<u8> {
    [b"jinban facts v1 ", &id.as_bytes()[..], &version.to_be_bytes()[..]].concat()
}
