//! Sealed envelopes as they are stored, and how they open: the data key with the sealing key that the header names, the
//! content with the data key. Refuses to judge what is inside.
use domain::case::QuarantineReason;
use domain::envelope::{DataKey, Digest};
use domain::ids::{EnvelopeId, KeyId};
use domain::wire::v1::EnvelopeHeader;
use serde::de::DeserializeOwned;

use crate::error::ServiceError;
use crate::keys::{KeyError, Keys};
use crate::store::{StoreError, Tx};

/// The alarm about a sealing key that envelopes name and that is not there: its subject is the key.
pub const UNKNOWN_KEY: &str = "sealing.unknown-key";

/// The sealed bytes of an envelope.
pub struct Sealed {
    id: EnvelopeId,
    header: Vec<u8>,
    ciphertext: Vec<u8>,
    /// Its place in the centre's order.
    pub server_seq: u64,
    /// When it was taken, milliseconds since 1970.
    pub accepted_at_ms: i64,
    /// Digest over header and content.
    pub digest: Digest,
}

/// The sealed bytes of an envelope, if the centre has it.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn find(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Option<Sealed>, StoreError> {
    let sql =
        "SELECT header, ciphertext, accepted_at_ms, digest, server_seq FROM envelope WHERE envelope_id = $1";
    let Some(row) = tx.query_first(sql, &[id.to_string().into()])? else { return Ok(None) };
    Ok(Some(Sealed {
        id: *id,
        header: row.blob(0)?.to_vec(),
        ciphertext: row.blob(1)?.to_vec(),
        accepted_at_ms: row.int(2)?,
        digest: row.parsed(3)?,
        server_seq: row.uint(4)?,
    }))
}

impl Sealed {
    /// Its header and its data key, or why it cannot be opened.
    ///
    /// # Errors
    /// [`KeyError`] if the file of the key cannot be read: then nothing is known.
    pub fn unwrap(&self, keys: &Keys) -> Result<Result<(EnvelopeHeader, DataKey), Locked>, KeyError> {
        let Ok(header) = serde_json::from_slice::<EnvelopeHeader>(&self.header) else {
            return Ok(Err(QuarantineReason::Malformed.into()));
        };
        let Some(sealing) = keys.sealing.find(&header.key_id)? else {
            let unknown_key = Some(header.key_id);
            return Ok(Err(Locked { reason: QuarantineReason::UnknownKey, unknown_key }));
        };
        if sealing.suite() != header.suite {
            return Ok(Err(QuarantineReason::CannotOpen.into()));
        }
        Ok(match sealing.unwrap_key(&header.wrapped_key, header.envelope_id) {
            Ok(key) => Ok((header, key)),
            Err(_) => Err(QuarantineReason::CannotOpen.into()),
        })
    }

    /// Its content, or why there is none. Computes only.
    ///
    /// # Errors
    /// [`QuarantineReason`]: it cannot be opened, or is malformed.
    pub fn content<T: DeserializeOwned>(
        &self,
        header: &EnvelopeHeader,
        key: &DataKey,
    ) -> Result<T, QuarantineReason> {
        let plain = key.decrypt(header.nonce, &self.ciphertext, &self.header);
        let plain = plain.map_err(|_| QuarantineReason::CannotOpen)?;
        serde_json::from_slice(&plain).map_err(|_| QuarantineReason::Malformed)
    }

    /// Opens what opened before: its header and its content. Computes only.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if it does not open any more.
    pub fn open<T: DeserializeOwned>(&self, key: &DataKey) -> Result<(EnvelopeHeader, T), ServiceError> {
        let wrong = |what: &str| ServiceError::Inconsistent(format!("envelope {}: {what}", self.id));
        let header: EnvelopeHeader =
            serde_json::from_slice(&self.header).map_err(|_| wrong("its header is none"))?;
        let content =
            self.content(&header, key).map_err(|reason| wrong(&format!("it is {}", reason.as_str())))?;
        Ok((header, content))
    }
}

/// Why an envelope cannot be opened, and the key that it needs if that is not there.
#[derive(Debug)]
pub struct Locked {
    /// Why.
    pub reason: QuarantineReason,
    /// The key that is not there.
    pub unknown_key: Option<KeyId>,
}

impl From<QuarantineReason> for Locked {
    fn from(reason: QuarantineReason) -> Self {
        Self { reason, unknown_key: None }
    }
}
