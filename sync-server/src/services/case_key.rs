//! The data key of a case, wrapped under the key of a year: with it the content, the attachments and the texts of staff
//! open. What refers to a case has a key of its own here. Erasing a case destroys the rows of both.
use domain::date::CivilDate;
use domain::envelope::{DataKey, Nonce};
use domain::ids::EnvelopeId;
use rand_core::CryptoRng;

use super::meta;
use crate::error::{ProblemCode, ServiceError};
use crate::keys::{KeyError, Keys};
use crate::store::{Row, StoreError, Tx, Value};

/// A key that was wrapped just now, and the key of the year that wrapped it.
#[derive(Debug)]
pub struct Wrapped {
    id: EnvelopeId,
    key_id: String,
    fingerprint: String,
    nonce: Nonce,
    wrapped: Vec<u8>,
}

/// Wraps the data key of an envelope under the key of the year in which it came; none if it cannot be wrapped.
///
/// # Errors
/// [`KeyError`] if the key of the year cannot be read or written.
pub fn wrap(
    key: &DataKey,
    (id, accepted_at_ms): (&EnvelopeId, i64),
    keys: &Keys,
    rng: &mut dyn CryptoRng,
) -> Result<Option<Wrapped>, KeyError> {
    let year = CivilDate::in_china(accepted_at_ms).parts().0;
    let year_key = keys.of_year(year, rng)?;
    let nonce = Nonce::new(rng);
    let wrapped = year_key.key.encrypt(nonce, &key.pack(), id.as_bytes()).ok();
    let fingerprint = year_key.fingerprint();
    Ok(wrapped.map(|wrapped| Wrapped { id: *id, key_id: year_key.id, fingerprint, nonce, wrapped }))
}

impl Wrapped {
    /// The columns of a table of its own, once the store knows the key of the year: id of that key, nonce, wrapped key.
    ///
    /// # Errors
    /// As [`Wrapped::keep`].
    pub(super) fn columns(&self, tx: &mut Tx<'_>) -> Result<[Value; 3], ServiceError> {
        self.bind(tx)?;
        Ok([self.key_id.as_str().into(), self.nonce.0.as_slice().into(), self.wrapped.as_slice().into()])
    }

    fn bind(&self, tx: &mut Tx<'_>) -> Result<(), ServiceError> {
        meta::bind_year_key(tx, &self.key_id, &self.fingerprint)?.map_err(|_| {
            ServiceError::Inconsistent(format!("{} is not the key that the store knows", self.key_id))
        })
    }

    /// Keeps it; what is kept already stays.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if the key of the year is not the one that the store knows; or the store's.
    pub fn keep(&self, tx: &mut Tx<'_>) -> Result<(), ServiceError> {
        self.bind(tx)?;
        tx.execute(
            "INSERT INTO case_key (envelope_id, key_id, nonce, wrapped) VALUES ($1, $2, $3, $4)
             ON CONFLICT (envelope_id) DO NOTHING",
            &[
                self.id.to_string().into(),
                self.key_id.as_str().into(),
                self.nonce.0.as_slice().into(),
                self.wrapped.as_slice().into(),
            ],
        )?;
        Ok(())
    }
}

/// A wrapped key as it is stored.
#[derive(Debug, Clone)]
pub struct WrappedKey {
    id: EnvelopeId,
    key_id: String,
    nonce: Nonce,
    wrapped: Vec<u8>,
}

/// The key of a case.
///
/// # Errors
/// [`ServiceError`] `not-found` if the case was not opened yet or is erased; or the store's.
pub fn find(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<WrappedKey, ServiceError> {
    let sql = "SELECT key_id, nonce, wrapped FROM case_key WHERE envelope_id = $1";
    let row = tx.query_first(sql, &[id.to_string().into()])?.ok_or(ProblemCode::NotFound)?;
    Ok(WrappedKey::read(id, &row, 0)?)
}

impl WrappedKey {
    /// A key from the columns of another table: id of the key of the year, nonce, wrapped key, from the first one on.
    pub(super) fn read(id: &EnvelopeId, row: &Row, first: usize) -> Result<Self, StoreError> {
        let nonce = row.blob(first + 1)?.try_into().map_err(|_| StoreError::Stored { what: "nonce" })?;
        let (key_id, wrapped) = (row.text(first)?.to_owned(), row.blob(first + 2)?.to_vec());
        Ok(Self { id: *id, key_id, nonce: Nonce(nonce), wrapped })
    }

    /// Unwraps it. Computes only, but for a key file that is read for the first time.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if the key of the year is not there, or does not open it.
    pub fn open(&self, keys: &Keys) -> Result<DataKey, ServiceError> {
        let wrong = |what: &str| ServiceError::Inconsistent(format!("case {}: {what}", self.id));
        let year = keys.known_year(&self.key_id);
        let year = year.map_err(|e| wrong(&operator::findings::with_causes(&e)))?;
        let key = year.decrypt(self.nonce, &self.wrapped, self.id.as_bytes());
        let key = key.map_err(|_| wrong("its key does not open"))?;
        DataKey::unpack(&key).map_err(|_| wrong("its key is none"))
    }
}
