//! Suite 2, the national one: SM2 wraps a fresh SM4 key, under which the data key is sealed by SM4-GCM; content is
//! SM4-GCM under a key that follows from the data key by the KDF of SM2 over SM3.
//!
//! Two steps, because SM2 binds no associated data and SM4-GCM does: so the wrap is bound to the envelope id as in
//! suite 1. The ciphertext of SM2 is C1C3C2 (GB/T 32918.4-2016), C1 uncompressed.
use aes_gcm::AesGcm;
use aes_gcm::aead::KeyInit as _;
use aes_gcm::aead::consts::U12;
use rand_core::CryptoRng;
use sm2::pke::{DecryptingKey, EncryptingKey};
use sm2::{PublicKey, SecretKey};
use sm3::{Digest as _, Sm3};
use sm4::Sm4;
use zeroize::Zeroizing;

use super::aead;
use super::bytes::Bytes;
use super::seal::{Nonce, OpenError, WrappedKey};
use crate::ids::EnvelopeId;

/// SM4-GCM with a nonce of 12 bytes and a tag of 16.
pub(super) type Sm4Gcm = AesGcm<Sm4, U12>;

const WRAP_INFO: &[u8] = b"jinban/wrap/2";
const CONTENT_INFO: &[u8] = b"jinban/data-key/2";
/// Of an SM4 key, in bytes.
const SM4_KEY_BYTES: usize = 16;
/// What stands before the coordinates of a point that is written out whole.
const UNCOMPRESSED: u8 = 4;
/// Of an SM2 public key: [`UNCOMPRESSED`] and two coordinates of 32 bytes.
pub(super) const PUBLIC_BYTES: usize = 65;
/// A wrapped SM4 key: C1 (65), C3 (32), C2 (16).
const WRAPPED_SM4_BYTES: usize = PUBLIC_BYTES + 32 + SM4_KEY_BYTES;

type Sm4Key = Zeroizing<[u8; SM4_KEY_BYTES]>;

/// The cipher of content under a data key.
pub(super) fn content_cipher(key: &[u8; 32]) -> Sm4Gcm {
    cipher(&content_key(key))
}

pub(super) fn wrap<R: CryptoRng>(
    key: &[u8; 32],
    to: &[u8],
    envelope: EnvelopeId,
    rng: &mut R,
) -> Result<WrappedKey, OpenError> {
    if !is_whole_point(to, PUBLIC_BYTES) {
        return Err(OpenError::Length);
    }
    let public = PublicKey::from_sec1_bytes(to).map_err(|_| OpenError::Length)?;
    let mut fresh: Sm4Key = Zeroizing::new([0; SM4_KEY_BYTES]);
    rng.fill_bytes(fresh.as_mut());
    let encapsulated =
        EncryptingKey::new(public).encrypt(rng, fresh.as_ref()).map_err(|_| OpenError::Length)?;
    let ciphertext = aead::seal(&cipher(&fresh), ONLY_NONCE, key, &bound(envelope))?;
    Ok(WrappedKey { encapsulated: Bytes(encapsulated), ciphertext: Bytes(ciphertext) })
}

/// The data key in a wrap, as bytes of whatever length was wrapped.
pub(super) fn unwrap(
    secret: &[u8; 32],
    wrapped: &WrappedKey,
    envelope: EnvelopeId,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let encapsulated = &wrapped.encapsulated.0;
    if !is_whole_point(encapsulated, WRAPPED_SM4_BYTES) {
        return Err(OpenError::Length);
    }
    let private = DecryptingKey::from_slice(secret).map_err(|_| OpenError::Length)?;
    let fresh = Zeroizing::new(private.decrypt(encapsulated).map_err(|_| OpenError::Tag)?);
    let fresh: Sm4Key = Zeroizing::new(fresh.as_slice().try_into().map_err(|_| OpenError::Length)?);
    aead::open(&cipher(&fresh), ONLY_NONCE, &wrapped.ciphertext.0, &bound(envelope)).map(Zeroizing::new)
}

/// The public half, uncompressed.
///
/// # Errors
/// [`OpenError::Length`] if the bytes are no private key: zero, or not below the order of the curve.
pub(super) fn public_of(secret: &[u8; 32]) -> Result<Vec<u8>, OpenError> {
    let secret = SecretKey::from_slice(secret).map_err(|_| OpenError::Length)?;
    Ok(secret.public_key().to_sec1_bytes().into_vec())
}

/// A fresh SM4 key seals once, so that its nonce need not differ from anything.
const ONLY_NONCE: Nonce = Nonce([0; 12]);

fn bound(envelope: EnvelopeId) -> Vec<u8> {
    [WRAP_INFO, envelope.as_bytes()].concat()
}

fn is_whole_point(bytes: &[u8], length: usize) -> bool {
    bytes.len() == length && bytes.first() == Some(&UNCOMPRESSED)
}

/// KDF of GB/T 32918.4 (5.4.3) over the data key and a label; its first block is enough for an SM4 key.
fn content_key(key: &[u8; 32]) -> Sm4Key {
    let mut hash = Sm3::new();
    hash.update(key);
    hash.update(CONTENT_INFO);
    hash.update(1_u32.to_be_bytes());
    let block = Zeroizing::new(<[u8; 32]>::from(hash.finalize()));
    let mut out: Sm4Key = Zeroizing::new([0; SM4_KEY_BYTES]);
    out.copy_from_slice(&block[..SM4_KEY_BYTES]);
    out
}

fn cipher(key: &Sm4Key) -> Sm4Gcm {
    Sm4Gcm::new(&(**key).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let byte =
            |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).expect("text"), 16).expect("digits");
        digits.chunks(2).map(byte).collect()
    }

    fn key(text: &str) -> Sm4Key {
        Zeroizing::new(hex(text).try_into().expect("16 bytes"))
    }

    #[test]
    fn sm3_gives_the_digest_of_the_standard() {
        // GB/T 32905-2016, A.1 and A.2.
        let one = "66c7f0f4 62eeedd9 d1f2d46b dc10e4e2 4167c487 5cf2f7a2 297da02b 8f4ba8e0";
        let two = "debe9ff9 2275b8a1 38604889 c18e5a4d 6fdb70e5 387e5765 293dcba3 9c0c5732";
        assert_eq!(Sm3::digest(b"abc").as_slice(), hex(one));
        assert_eq!(Sm3::digest(b"abcd".repeat(16)).as_slice(), hex(two));
    }

    #[test]
    fn sm4_gives_the_block_of_the_standard() {
        use sm4::cipher::BlockCipherEncrypt as _;
        // GB/T 32907-2016, A.1: key and plain text are the same.
        let text = "01234567 89abcdef fedcba98 76543210";
        let mut block = <[u8; 16]>::try_from(hex(text)).expect("a block").into();
        Sm4::new(&(*key(text)).into()).encrypt_block(&mut block);
        assert_eq!(block.as_slice(), hex("681edf34 d206965e 86b3e94f 536e4246"));
    }

    #[test]
    fn sm4_gcm_gives_the_ciphertext_of_rfc_8998() {
        // RFC 8998, A.2.
        let nonce = Nonce(hex("00001234567800000000abcd").try_into().expect("12 bytes"));
        let key = key("0123456789abcdeffedcba9876543210");
        let bound_to = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain = hex("aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd
             eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa");
        let expected = hex("17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735
             d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d
             83de3541e4c2b58177e065a9bf7b62ec");
        assert_eq!(aead::seal(&cipher(&key), nonce, &plain, &bound_to).expect("sealed"), expected);
        assert_eq!(aead::open(&cipher(&key), nonce, &expected, &bound_to).expect("opened"), plain);
    }

    #[test]
    fn bytes_that_are_no_private_key_are_refused() {
        // The order of the curve, and what lies above it.
        let order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
        for bad in [[0; 32], [0xff; 32], hex(order).try_into().expect("32 bytes")] {
            assert_eq!(public_of(&bad).err(), Some(OpenError::Length));
        }
        assert_eq!(public_of(&[7; 32]).expect("a key").len(), PUBLIC_BYTES);
    }
}
