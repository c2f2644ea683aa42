//! What all metadata has in common: signing, reading, times, and what can be wrong with it.
use std::num::NonZeroU64;

use domain::envelope::Digest;
use jiff::Timestamp as Instant;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tough::schema::{Role, Signature, Signed};

use crate::key::RoleKey;

/// Version of the TUF specification that the metadata names.
pub(crate) const SPEC_VERSION: &str = "1.0.0";

/// Metadata cannot be made, read or trusted.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// It is not of its form.
    #[error("metadata is not of its form")]
    Form(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It breaks a rule of this repository; the payload is the rule.
    #[error("{0}")]
    Rule(&'static str),
    /// It is not signed by enough of the keys that count.
    #[error("{role} metadata is not signed by enough of its keys")]
    Unsigned {
        /// Of which role.
        role: &'static str,
        /// What `tough` says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A key that has no say here.
    #[error("key {} has no say here", id.short())]
    Stranger {
        /// Its id.
        id: Digest,
    },
    /// A published catalogue version never changes.
    #[error("catalogue version {version} is published already with another content, or a higher one is")]
    Published {
        /// The version.
        version: u64,
    },
}

impl MetadataError {
    pub(crate) fn form(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Form(Box::new(source))
    }
}

/// Signs a role with some keys.
pub(crate) fn signed<T: Role>(role: T, keys: &[&RoleKey]) -> Result<Signed<T>, MetadataError> {
    let mut signed = Signed { signed: role, signatures: Vec::new() };
    for key in keys {
        add_signature(&mut signed, key)?;
    }
    Ok(signed)
}

/// Adds a key's signature; replaces the one that this key made before.
pub(crate) fn add_signature<T: Role>(signed: &mut Signed<T>, key: &RoleKey) -> Result<(), MetadataError> {
    let bytes = signed.signed.canonical_form().map_err(MetadataError::form)?;
    let keyid = key.public()?.0.key_id().map_err(MetadataError::form)?;
    signed.signatures.retain(|s| s.keyid != keyid);
    signed.signatures.push(Signature { keyid, sig: key.sign(&bytes).into() });
    Ok(())
}

/// Metadata as it stands in its file.
pub(crate) fn to_bytes<T: Serialize>(signed: &T) -> Result<Vec<u8>, MetadataError> {
    // By way of a value, so that the form of a role is written by one serialiser everywhere.
    let value = serde_json::to_value(signed).map_err(MetadataError::form)?;
    serde_json::to_vec(&value).map_err(MetadataError::form)
}

/// Whether a file holds this metadata, signatures included. The order of names in it does not count: `tough` keeps
/// targets in a table that has another order each time.
pub(crate) fn holds<T: Serialize>(bytes: &[u8], signed: &T) -> Result<bool, MetadataError> {
    let stands: serde_json::Value = read(bytes)?;
    Ok(stands == serde_json::to_value(signed).map_err(MetadataError::form)?)
}

/// Metadata out of its file; nothing is verified.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, MetadataError> {
    serde_json::from_slice(bytes).map_err(MetadataError::form)
}

/// An instant as metadata has it: to the second, UTC.
pub(crate) fn instant(ms: i64) -> Result<String, MetadataError> {
    let second = Instant::from_second(ms.div_euclid(1_000)).map_err(MetadataError::form)?;
    Ok(second.to_string())
}

/// When metadata ends, milliseconds since 1970.
pub(crate) fn expires_ms<T: Role>(role: &T) -> i64 {
    role.expires().as_millisecond()
}

/// A version number.
pub(crate) fn version(number: u64) -> Result<NonZeroU64, MetadataError> {
    NonZeroU64::new(number).ok_or(MetadataError::Rule("versions begin with 1"))
}
