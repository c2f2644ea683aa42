//! Sealing and opening with a cipher that binds associated data: one way for the ciphers of both suites.
use chacha20poly1305::aead::consts::U12;
use chacha20poly1305::aead::{Aead, Payload};

use super::seal::{Nonce, OpenError};

/// Seals a text under a cipher's key; `bound_to` is bound as associated data.
///
/// # Errors
/// [`OpenError::Length`] if the text is larger than the cipher takes.
pub(super) fn seal(
    cipher: &impl Aead<NonceSize = U12>,
    nonce: Nonce,
    plain: &[u8],
    bound_to: &[u8],
) -> Result<Vec<u8>, OpenError> {
    cipher.encrypt(&nonce.0.into(), Payload { msg: plain, aad: bound_to }).map_err(|_| OpenError::Length)
}

/// Opens what [`seal`] gave.
///
/// # Errors
/// [`OpenError::Tag`] for another key, other associated data or altered bytes.
pub(super) fn open(
    cipher: &impl Aead<NonceSize = U12>,
    nonce: Nonce,
    sealed: &[u8],
    bound_to: &[u8],
) -> Result<Vec<u8>, OpenError> {
    cipher.decrypt(&nonce.0.into(), Payload { msg: sealed, aad: bound_to }).map_err(|_| OpenError::Tag)
}
