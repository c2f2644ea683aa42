//! Sealing: a random data key for each form, wrapped to the server; the content under that key with the header bytes as
//! associated data. Two suites bind the same data: [`Suite::One`] and [`Suite::Two`].
//!
//! Sealing is randomised: do it exactly once, keep the ciphertext, send the same bytes again.
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::bytes::{Bytes, Digest};
use super::suite::Suite;
use super::{aead, hpke_wrap, national};
use crate::ids::{EnvelopeId, KeyId};

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

/// The random key of one form (数据密钥), and the suite in which it is used. Wiped when dropped; never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKey {
    bytes: [u8; 32],
    #[zeroize(skip)]
    suite: Suite,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl DataKey {
    /// A random key of suite 1.
    pub fn new<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self::random(Suite::One, rng)
    }

    /// A random key of a suite.
    pub fn random<R: CryptoRng + ?Sized>(suite: Suite, rng: &mut R) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self { bytes, suite }
    }

    /// A key of suite 1 from its bytes, for keys of the server's own.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes, suite: Suite::One }
    }

    /// The bytes of a key; wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.bytes)
    }

    /// The suite in which the key is used.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The key with its suite, to be wrapped under another key: the 32 bytes in suite 1, in others the suite's number
    /// before them. Wiped when dropped.
    pub fn pack(&self) -> Zeroizing<Vec<u8>> {
        let mut packed = Zeroizing::new(Vec::with_capacity(33));
        if self.suite != Suite::One {
            packed.push(self.suite.into());
        }
        packed.extend_from_slice(&self.bytes);
        packed
    }

    /// What [`DataKey::pack`] gave.
    ///
    /// # Errors
    /// [`OpenError::Length`] if it is something else.
    pub fn unpack(packed: &[u8]) -> Result<Self, OpenError> {
        let (suite, bytes) = match packed {
            [number, bytes @ ..] if bytes.len() == 32 => {
                (Suite::try_from(*number).map_err(|_| OpenError::Length)?, bytes)
            }
            bytes => (Suite::One, bytes),
        };
        Self::of(suite, bytes)
    }

    fn of(suite: Suite, bytes: &[u8]) -> Result<Self, OpenError> {
        bytes.try_into().map(|bytes| Self { bytes, suite }).map_err(|_| OpenError::Length)
    }

    /// Encrypts a payload; `header` is bound as associated data.
    ///
    /// # Errors
    /// [`OpenError::Length`] if the payload is larger than the cipher takes.
    pub fn encrypt(&self, nonce: Nonce, plaintext: &[u8], header: &[u8]) -> Result<Vec<u8>, OpenError> {
        match self.suite {
            Suite::One => aead::seal(&hpke_wrap::content_cipher(&self.bytes), nonce, plaintext, header),
            Suite::Two => aead::seal(&national::content_cipher(&self.bytes), nonce, plaintext, header),
        }
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
        match self.suite {
            Suite::One => aead::open(&hpke_wrap::content_cipher(&self.bytes), nonce, ciphertext, header),
            Suite::Two => aead::open(&national::content_cipher(&self.bytes), nonce, ciphertext, header),
        }
        .map(Zeroizing::new)
    }

    /// Wraps the key to a public key of the same suite, bound to the envelope's id.
    ///
    /// # Errors
    /// [`OpenError::Length`] if the public key is not a point of the suite's curve.
    pub fn wrap<R: CryptoRng>(
        &self,
        to: &SealingPublicKey,
        envelope: EnvelopeId,
        rng: &mut R,
    ) -> Result<WrappedKey, OpenError> {
        match self.suite {
            Suite::One => hpke_wrap::wrap(&self.bytes, &to.0.0, envelope, rng),
            Suite::Two => national::wrap(&self.bytes, &to.0.0, envelope, rng),
        }
    }
}

/// A data key under the server's sealing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WrappedKey {
    /// In suite 1 the HPKE encapsulated key, 32 bytes; in suite 2 an SM4 key under SM2 (C1C3C2), 113 bytes.
    pub encapsulated: Bytes,
    /// The data key and its tag, 48 bytes.
    pub ciphertext: Bytes,
}

/// The server's public sealing key: a point of X25519 (32 bytes) in suite 1, of SM2 (65 bytes, uncompressed) in suite 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealingPublicKey(pub Bytes);

impl SealingPublicKey {
    /// The id under which an envelope names this key.
    pub fn key_id(&self) -> KeyId {
        super::sign::key_id_of(&Digest::of(&self.0.0))
    }
}

/// The server's private sealing key of a suite. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct SealingKey {
    suite: Suite,
    secret: Zeroizing<[u8; 32]>,
    public: SealingPublicKey,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingKey({})", self.public.key_id())
    }
}

impl SealingKey {
    /// The key of suite 1 that a seed stands for (RFC 9180 DeriveKeyPair).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let public = SealingPublicKey(Bytes(hpke_wrap::public_of(&seed)));
        Self { suite: Suite::One, secret: Zeroizing::new(seed), public }
    }

    /// The key of a suite from what its file holds: a seed in suite 1, the private key itself (big-endian) in suite 2.
    ///
    /// # Errors
    /// [`OpenError::Length`] if that is no private key of the suite.
    pub fn from_secret(suite: Suite, secret: [u8; 32]) -> Result<Self, OpenError> {
        match suite {
            Suite::One => Ok(Self::from_seed(secret)),
            Suite::Two => {
                let public = SealingPublicKey(Bytes(national::public_of(&secret)?));
                Ok(Self { suite, secret: Zeroizing::new(secret), public })
            }
        }
    }

    /// A random key of a suite.
    pub fn random<R: CryptoRng + ?Sized>(suite: Suite, rng: &mut R) -> Self {
        loop {
            let mut secret = Zeroizing::new([0; 32]);
            rng.fill_bytes(secret.as_mut());
            // One secret in four thousand million is none of SM2.
            if let Ok(key) = Self::from_secret(suite, *secret) {
                return key;
            }
        }
    }

    /// Its suite.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// What a key file holds; wiped when dropped.
    pub fn to_secret(&self) -> Zeroizing<[u8; 32]> {
        self.secret.clone()
    }

    /// The public half.
    pub fn public(&self) -> SealingPublicKey {
        self.public.clone()
    }

    /// Opens a wrapped data key that was bound to this envelope id.
    ///
    /// # Errors
    /// [`OpenError`] for a malformed wrap, another key, another suite or another envelope.
    pub fn unwrap_key(&self, wrapped: &WrappedKey, envelope: EnvelopeId) -> Result<DataKey, OpenError> {
        let key = match self.suite {
            Suite::One => hpke_wrap::unwrap(&self.secret, wrapped, envelope)?,
            Suite::Two => national::unwrap(&self.secret, wrapped, envelope)?,
        };
        DataKey::of(self.suite, &key)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    fn server(suite: Suite, byte: u8) -> SealingKey {
        SealingKey::from_secret(suite, [byte; 32]).expect("a key")
    }

    #[test]
    fn only_the_server_key_and_the_same_envelope_open_a_wrap() {
        for suite in Suite::ALL {
            let mut rng = ChaCha20Rng::seed_from_u64(1);
            let id = EnvelopeId::new(1_795_500_000_000, &mut rng);
            let other = EnvelopeId::new(1_795_500_000_001, &mut rng);
            let key = DataKey::random(suite, &mut rng);
            let wrapped = key.wrap(&server(suite, 7).public(), id, &mut rng).expect("wrap");
            let opened = server(suite, 7).unwrap_key(&wrapped, id).expect("open");
            assert_eq!((opened.to_bytes(), opened.suite()), (key.to_bytes(), suite));
            assert_eq!(server(suite, 7).unwrap_key(&wrapped, other).err(), Some(OpenError::Tag));
            assert_eq!(server(suite, 8).unwrap_key(&wrapped, id).err(), Some(OpenError::Tag));
        }
    }

    #[test]
    fn a_payload_is_bound_to_its_header() {
        for suite in Suite::ALL {
            let mut rng = ChaCha20Rng::seed_from_u64(2);
            let key = DataKey::random(suite, &mut rng);
            let nonce = Nonce::new(&mut rng);
            let sealed = key.encrypt(nonce, b"answers", b"header").expect("encrypt");
            assert_eq!(key.decrypt(nonce, &sealed, b"header").expect("open").as_slice(), b"answers");
            assert_eq!(key.decrypt(nonce, &sealed, b"Header").err(), Some(OpenError::Tag));
            assert!(!sealed.windows(7).any(|w| w == b"answers"));
            for at in 0..sealed.len() {
                let mut bent = sealed.clone();
                bent[at] ^= 1;
                assert_eq!(
                    key.decrypt(nonce, &bent, b"header").err(),
                    Some(OpenError::Tag),
                    "{suite:?} {at}"
                );
            }
        }
    }

    #[test]
    fn nothing_of_one_suite_passes_in_the_other() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let (nonce, id) = (Nonce::new(&mut rng), EnvelopeId::new(0, &mut rng));
        for [one, other] in [[Suite::One, Suite::Two], [Suite::Two, Suite::One]] {
            let key = DataKey::random(one, &mut rng);
            let sealed = key.encrypt(nonce, b"answers", b"header").expect("encrypt");
            let same_bytes = DataKey::of(other, key.to_bytes().as_ref()).expect("a key");
            assert_eq!(same_bytes.decrypt(nonce, &sealed, b"header").err(), Some(OpenError::Tag));
            assert!(key.wrap(&server(other, 7).public(), id, &mut rng).is_err());
            let wrapped = key.wrap(&server(one, 7).public(), id, &mut rng).expect("wrap");
            assert!(server(other, 7).unwrap_key(&wrapped, id).is_err());
        }
    }

    #[test]
    fn a_packed_key_keeps_its_suite_and_the_first_one_its_old_form() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        for (suite, length) in [(Suite::One, 32), (Suite::Two, 33)] {
            let key = DataKey::random(suite, &mut rng);
            let packed = key.pack();
            assert_eq!(packed.len(), length);
            let again = DataKey::unpack(&packed).expect("unpacked");
            assert_eq!((again.to_bytes(), again.suite()), (key.to_bytes(), suite));
        }
        for bad in [0, 31, 34] {
            assert!(DataKey::unpack(&vec![2; bad]).is_err(), "{bad}");
        }
        assert!(DataKey::unpack(&[9; 33]).is_err(), "no such suite");
    }

    #[test]
    fn odd_wraps_are_errors_not_panics() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let id = EnvelopeId::new(0, &mut rng);
        for suite in Suite::ALL {
            let lengths = [
                (0, 0),
                (32, 0),
                (31, 48),
                (33, 48),
                (32, 48),
                (32, 100_000),
                (113, 48),
                (112, 48),
                (97, 0),
                (65, 48),
            ];
            for (enc, ct) in lengths {
                for first in [0, 2, 3, 4, 5, 9] {
                    let mut encapsulated = vec![9; enc];
                    encapsulated.iter_mut().take(1).for_each(|b| *b = first);
                    let w = WrappedKey { encapsulated: Bytes(encapsulated), ciphertext: Bytes(vec![9; ct]) };
                    assert!(server(suite, 7).unwrap_key(&w, id).is_err(), "{suite:?} {enc} {ct}");
                }
            }
            let odd = SealingPublicKey(Bytes(vec![4; 65]));
            assert!(
                DataKey::random(suite, &mut rng).wrap(&odd, id, &mut rng).is_err(),
                "no point of the curve"
            );
        }
    }
}
