//! The data key of a sealed envelope: unwrapped with the sealing key that its header names. Refuses to look further.
use domain::case::QuarantineReason;
use domain::envelope::DataKey;
use domain::ids::KeyId;
use domain::wire::v1::EnvelopeHeader;

use crate::keys::{KeyError, Keys};

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

/// The header of a stored envelope and its data key.
///
/// # Errors
/// [`KeyError`] if the file of the key cannot be read: then nothing is known.
pub fn unwrap(header: &[u8], keys: &Keys) -> Result<Result<(EnvelopeHeader, DataKey), Locked>, KeyError> {
    let Ok(header) = serde_json::from_slice::<EnvelopeHeader>(header) else {
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
