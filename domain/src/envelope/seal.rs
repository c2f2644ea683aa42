//! Sealing with suite 1: HPKE base mode (X25519, HKDF-SHA256, ChaCha20-Poly1305) wraps a 32-byte data key;
//! the payload is ChaCha20-Poly1305 under that key with the header bytes as associated data.
//!
//! Sealing is randomised: do it exactly once, keep the ciphertext, send the same bytes again.
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key};
use hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::bytes::{Bytes, Digest};
use crate::ids::{EnvelopeId, KeyId};

type HpkeKem = hpke::kem::X25519HkdfSha256;
type HpkeKdf = hpke::kdf::HkdfSha256;
type HpkeAead = hpke::aead::ChaCha20Poly1305;

const WRAP_INFO: &[u8] = b"jinban/wrap/1";

/// Which cipher suite an envelope uses. Suite 2 (SM2, SM4-GCM, SM3) binds the same data and comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Suite {
    /// HPKE X25519 + HKDF-SHA256 + ChaCha20-Poly1305.
    One,
}

impl TryFrom<u8> for Suite {
    type Error = String;
    fn try_from(n: u8) -> Result<Self, String> {
        if n == 1 { Ok(Self::One) } else { Err(format!("unknown suite {n}")) }
    }
}

impl From<Suite> for u8 {
    fn from(_: Suite) -> u8 {
        1
    }
}

/// An envelope or a wrapped key cannot be opened. Says no more, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Key, nonce or wrapped key has the wrong length.
    #[error("a key or nonce has the wrong length")]
    Length,
    /// The authentication tag does not match: other key, or altered bytes.
    #[error("the content cannot be opened with this key")]
    Tag,
}

/// A nonce of 12 bytes, fresh for each payload and each page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; 12]);

impl Nonce {
    /// A random nonce.
    pub fn new<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut n = [0; 12];
        rng.fill_bytes(&mut n);
        Self(n)
    }
}

impl Serialize for Nonce {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Bytes(self.0.to_vec()).serialize(s)
    }
}

impl<'de> Deserialize<'de> for Nonce {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let b = Bytes::deserialize(d)?;
        b.0.try_into().map(Self).map_err(|_| serde::de::Error::custom("a nonce has 12 bytes"))
    }
}

/// The random key of one form (数据密钥). Wiped when dropped; never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKey([u8; 32]);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl DataKey {
    /// A random key.
    pub fn new<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut k = [0; 32];
        rng.fill_bytes(&mut k);
        Self(k)
    }

    /// A key from its bytes, for a server that keeps it wrapped under its own key.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be wrapped under another key; wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0)
    }

    /// Encrypts a payload; `header` is bound as associated data.
    pub fn encrypt(&self, nonce: Nonce, plaintext: &[u8], header: &[u8]) -> Result<Vec<u8>, OpenError> {
        ChaCha20Poly1305::new(&Key::from(self.0))
            .encrypt(&nonce.0.into(), Payload { msg: plaintext, aad: header })
            .map_err(|_| OpenError::Length)
    }

    /// Opens a payload that was bound to `header`.
    ///
    /// # Errors
    /// [`OpenError::Tag`] for another key, other header or altered bytes.
    pub fn decrypt(
        &self,
        nonce: Nonce,
        ciphertext: &[u8],
        header: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        ChaCha20Poly1305::new(&Key::from(self.0))
            .decrypt(&nonce.0.into(), Payload { msg: ciphertext, aad: header })
            .map(Zeroizing::new)
            .map_err(|_| OpenError::Tag)
    }

    /// Wraps the key to the server's public key, bound to the envelope's id.
    ///
    /// # Errors
    /// [`OpenError::Length`] if the public key is not a point of X25519.
    pub fn wrap<R: CryptoRng>(
        &self,
        to: &SealingPublicKey,
        envelope: EnvelopeId,
        rng: &mut R,
    ) -> Result<WrappedKey, OpenError> {
        let public = <HpkeKem as hpke::Kem>::PublicKey::from_bytes(&to.0.0).map_err(|_| OpenError::Length)?;
        let (enc, ct) = hpke::single_shot_seal_with_rng::<HpkeAead, HpkeKdf, HpkeKem>(
            &OpModeS::Base,
            &public,
            WRAP_INFO,
            &self.0,
            envelope.as_bytes(),
            rng,
        )
        .map_err(|_| OpenError::Length)?;
        Ok(WrappedKey { encapsulated: Bytes(enc.to_bytes().to_vec()), ciphertext: Bytes(ct) })
    }
}

/// A data key under the server's sealing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WrappedKey {
    /// HPKE encapsulated key, 32 bytes in suite 1.
    pub encapsulated: Bytes,
    /// The data key and its tag, 48 bytes in suite 1.
    pub ciphertext: Bytes,
}

/// The server's public sealing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealingPublicKey(pub Bytes);

impl SealingPublicKey {
    /// The id under which an envelope names this key.
    pub fn key_id(&self) -> KeyId {
        super::sign::key_id_of(&Digest::of(&self.0.0))
    }
}

/// The server's private sealing key, made from a 32-byte seed. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct SealingKey {
    seed: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingKey({})", self.public().key_id())
    }
}

impl SealingKey {
    /// The key pair that a seed stands for (RFC 9180 DeriveKeyPair).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { seed: Zeroizing::new(seed) }
    }

    /// The public half.
    pub fn public(&self) -> SealingPublicKey {
        let (_, public) = HpkeKem::derive_keypair(self.seed.as_ref());
        SealingPublicKey(Bytes(public.to_bytes().to_vec()))
    }

    /// Opens a wrapped data key that was bound to this envelope id.
    ///
    /// # Errors
    /// [`OpenError`] for a malformed wrap, another key or another envelope.
    pub fn unwrap_key(&self, wrapped: &WrappedKey, envelope: EnvelopeId) -> Result<DataKey, OpenError> {
        let (private, _) = HpkeKem::derive_keypair(self.seed.as_ref());
        let enc = <HpkeKem as hpke::Kem>::EncappedKey::from_bytes(&wrapped.encapsulated.0)
            .map_err(|_| OpenError::Length)?;
        let key = hpke::single_shot_open::<HpkeAead, HpkeKdf, HpkeKem>(
            &OpModeR::Base,
            &private,
            &enc,
            WRAP_INFO,
            &wrapped.ciphertext.0,
            envelope.as_bytes(),
        )
        .map_err(|_| OpenError::Tag)?;
        let key = Zeroizing::new(key);
        <[u8; 32]>::try_from(key.as_slice()).map(DataKey).map_err(|_| OpenError::Length)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn only_the_server_key_and_the_same_envelope_open_a_wrap() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let server = SealingKey::from_seed([7; 32]);
        let id = EnvelopeId::new(1_795_500_000_000, &mut rng);
        let other = EnvelopeId::new(1_795_500_000_001, &mut rng);
        let key = DataKey::new(&mut rng);
        let wrapped = key.wrap(&server.public(), id, &mut rng).expect("wrap");
        assert_eq!(server.unwrap_key(&wrapped, id).expect("open").to_bytes(), key.to_bytes());
        assert_eq!(server.unwrap_key(&wrapped, other).err(), Some(OpenError::Tag));
        assert_eq!(SealingKey::from_seed([8; 32]).unwrap_key(&wrapped, id).err(), Some(OpenError::Tag));
    }

    #[test]
    fn a_payload_is_bound_to_its_header() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let key = DataKey::new(&mut rng);
        let nonce = Nonce::new(&mut rng);
        let sealed = key.encrypt(nonce, b"answers", b"header").expect("encrypt");
        assert_eq!(key.decrypt(nonce, &sealed, b"header").expect("open").as_slice(), b"answers");
        assert_eq!(key.decrypt(nonce, &sealed, b"Header").err(), Some(OpenError::Tag));
        assert!(!sealed.windows(7).any(|w| w == b"answers"));
    }

    #[test]
    fn odd_wraps_are_errors_not_panics() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let server = SealingKey::from_seed([7; 32]);
        let id = EnvelopeId::new(0, &mut rng);
        for (enc, ct) in [(0, 0), (32, 0), (31, 48), (33, 48), (32, 48), (32, 100_000)] {
            let w = WrappedKey { encapsulated: Bytes(vec![9; enc]), ciphertext: Bytes(vec![9; ct]) };
            assert!(server.unwrap_key(&w, id).is_err(), "{enc} {ct}");
        }
    }
}
