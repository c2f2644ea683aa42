//! Suite 1: HPKE base mode (X25519, HKDF-SHA256, ChaCha20-Poly1305) wraps the data key; content is ChaCha20-Poly1305
//! under it.
use chacha20poly1305::aead::KeyInit as _;
use chacha20poly1305::{ChaCha20Poly1305, Key};
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::bytes::Bytes;
use super::seal::{OpenError, WrappedKey};
use crate::ids::EnvelopeId;

type HpkeKem = hpke::kem::X25519HkdfSha256;
type HpkeKdf = hpke::kdf::HkdfSha256;
type HpkeAead = hpke::aead::ChaCha20Poly1305;

const WRAP_INFO: &[u8] = b"jinban/wrap/1";

/// The cipher of content under a data key.
pub(super) fn content_cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(*key))
}

pub(super) fn wrap<R: CryptoRng>(
    key: &[u8; 32],
    to: &[u8],
    envelope: EnvelopeId,
    rng: &mut R,
) -> Result<WrappedKey, OpenError> {
    let public = <HpkeKem as hpke::Kem>::PublicKey::from_bytes(to).map_err(|_| OpenError::Length)?;
    let (enc, ct) = hpke::single_shot_seal_with_rng::<HpkeAead, HpkeKdf, HpkeKem>(
        &OpModeS::Base,
        &public,
        WRAP_INFO,
        key,
        envelope.as_bytes(),
        rng,
    )
    .map_err(|_| OpenError::Length)?;
    Ok(WrappedKey { encapsulated: Bytes(enc.to_bytes().to_vec()), ciphertext: Bytes(ct) })
}

/// The data key in a wrap, as bytes of whatever length was wrapped.
pub(super) fn unwrap(
    secret: &[u8; 32],
    wrapped: &WrappedKey,
    envelope: EnvelopeId,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (private, _) = HpkeKem::derive_keypair(secret);
    let enc = <HpkeKem as hpke::Kem>::EncappedKey::from_bytes(&wrapped.encapsulated.0)
        .map_err(|_| OpenError::Length)?;
    hpke::single_shot_open::<HpkeAead, HpkeKdf, HpkeKem>(
        &OpModeR::Base,
        &private,
        &enc,
        WRAP_INFO,
        &wrapped.ciphertext.0,
        envelope.as_bytes(),
    )
    .map(Zeroizing::new)
    .map_err(|_| OpenError::Tag)
}

/// The public half of what a seed stands for (RFC 9180 DeriveKeyPair).
pub(super) fn public_of(seed: &[u8; 32]) -> Vec<u8> {
    HpkeKem::derive_keypair(seed).1.to_bytes().to_vec()
}
