//! Where the terminal's private key lives: it signs, and never comes out.
//!
//! Today it is a file of mode 0600 ([`crate::store::KEY_FILE`]); a store in a security chip takes its place behind the
//! same trait. Refuses to hand the key to anybody.
use std::fmt;

use domain::envelope::{DeviceKey, PublicKey, Signature};

/// The key did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the device key does not sign: {0}")]
pub struct KeyStoreError(pub String);

/// Signs with the terminal's Ed25519 key.
pub trait KeyStore: fmt::Debug + Send + Sync {
    /// The public half.
    fn public(&self) -> PublicKey;

    /// Signs a message of a handshake or of a certificate request.
    ///
    /// # Errors
    /// [`KeyStoreError`] if the key cannot be reached.
    fn sign(&self, message: &[u8]) -> Result<Signature, KeyStoreError>;
}

/// The key that was read from its file.
impl KeyStore for DeviceKey {
    fn public(&self) -> PublicKey {
        Self::public(self)
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, KeyStoreError> {
        Ok(self.sign_message(message))
    }
}
