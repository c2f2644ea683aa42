//! Sealing of pages and photos: each under the data key of its form, bound to envelope and page.
//!
//! Sealed bytes are `nonce (12) || ciphertext with tag (16)` in the cipher of the suite; the associated data are
//! `"jinban/blob/1" || envelope id (16) || page (u16 big-endian)`. Sealed once: the same bytes are sent again.
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::bytes::Digest;
use super::seal::{DataKey, Nonce, OpenError};
use crate::ids::EnvelopeId;

const LABEL: &[u8] = b"jinban/blob/1";
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// Bytes by which a sealed blob is longer than what was sealed.
pub const BLOB_OVERHEAD: u64 = (NONCE_BYTES + TAG_BYTES) as u64;
/// Pages and photos of one envelope, at most; a header has no room for many more.
pub const MAX_BLOBS: usize = 100;

/// Where a blob belongs: it opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobPlace {
    /// Its envelope.
    pub envelope: EnvelopeId,
    /// Its page, from 1.
    pub page: u16,
}

impl BlobPlace {
    fn bound_to(self) -> Vec<u8> {
        [LABEL, self.envelope.as_bytes(), &self.page.to_be_bytes()].concat()
    }
}

/// A blob as it lies on disks and travels.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedBlob {
    /// Nonce and ciphertext.
    pub bytes: Vec<u8>,
    /// SHA-256 of these bytes: the name of the blob.
    pub digest: Digest,
}

impl std::fmt::Debug for SealedBlob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedBlob({}, {} B)", self.digest.short(), self.bytes.len())
    }
}

impl DataKey {
    /// Seals a page under a fresh nonce.
    ///
    /// # Errors
    /// [`OpenError::Length`] for more bytes than the cipher takes.
    pub fn seal_blob<R: CryptoRng + ?Sized>(
        &self,
        place: BlobPlace,
        plain: &[u8],
        rng: &mut R,
    ) -> Result<SealedBlob, OpenError> {
        let nonce = Nonce::new(rng);
        let sealed = self.encrypt(nonce, plain, &place.bound_to())?;
        let bytes = [&nonce.0[..], &sealed].concat();
        Ok(SealedBlob { digest: Digest::of(&bytes), bytes })
    }

    /// Opens a page that was sealed for this place.
    ///
    /// # Errors
    /// [`OpenError`] for another key, another place or altered bytes.
    pub fn open_blob(&self, place: BlobPlace, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Length)?;
        self.decrypt(Nonce(*nonce), sealed, &place.bound_to())
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn a_page_opens_with_its_key_at_its_place_only() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = DataKey::new(&mut rng);
        let envelope = EnvelopeId::new(1, &mut rng);
        let place = BlobPlace { envelope, page: 1 };
        let sealed = key.seal_blob(place, b"a page", &mut rng).expect("sealed");
        assert_eq!(sealed.bytes.len() as u64, 6 + BLOB_OVERHEAD);
        assert_eq!(sealed.digest, Digest::of(&sealed.bytes));
        assert_eq!(key.open_blob(place, &sealed.bytes).expect("open").as_slice(), b"a page");
        let elsewhere =
            [BlobPlace { page: 2, ..place }, BlobPlace { envelope: EnvelopeId::new(2, &mut rng), page: 1 }];
        for other in elsewhere {
            assert_eq!(key.open_blob(other, &sealed.bytes).err(), Some(OpenError::Tag), "{other:?}");
        }
        assert_eq!(DataKey::new(&mut rng).open_blob(place, &sealed.bytes).err(), Some(OpenError::Tag));
        for cut in 0..sealed.bytes.len() {
            assert!(key.open_blob(place, &sealed.bytes[..cut]).is_err(), "{cut}");
        }
        let again = key.seal_blob(place, b"a page", &mut rng).expect("sealed");
        assert_ne!(again.digest, sealed.digest, "a fresh nonce");
    }
}
