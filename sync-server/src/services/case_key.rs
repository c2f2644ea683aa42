//! The data key of a case, wrapped under the key of a year: with it the content, the attachments and the texts of staff
//! open. Erasing a case destroys its row here.
use domain::envelope::{DataKey, Nonce};
use domain::ids::EnvelopeId;

use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::store::{StoreError, Tx};

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
    let nonce = row.blob(1)?.try_into().map_err(|_| StoreError::Stored { what: "nonce" })?;
    Ok(WrappedKey {
        id: *id,
        key_id: row.text(0)?.to_owned(),
        nonce: Nonce(nonce),
        wrapped: row.blob(2)?.to_vec(),
    })
}

impl WrappedKey {
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
