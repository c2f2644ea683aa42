//! 信封: sealing, digest and signature of whatever leaves a terminal; slip and receipt and their one verifier.
//!
//! Works on bytes: it never sees the wire types, reads no clock and takes its randomness as an argument.
//! Format (wire v1, `docs/decisions/002`):
//! `digest = SHA-256("jinban/envelope/1" || u32 big-endian header length || header || ciphertext)`;
//! the device signs the 32 bytes of the digest with Ed25519.
mod aead;
mod blob;
mod bytes;
mod hpke_wrap;
mod national;
mod seal;
mod sign;
mod suite;

pub use blob::{BLOB_OVERHEAD, BlobPlace, MAX_BLOBS, SealedBlob};
pub use bytes::{Bytes, Digest};
pub use seal::{DataKey, Nonce, OpenError, SealingKey, SealingPublicKey, WrappedKey};
pub use sign::{
    DeviceKey, KeyRing, PublicKey, Signature, SignedDocument, SignedKind, Verifier, VerifyError,
    sign_document, verify_document,
};
pub use suite::Suite;

/// The most a header may take, in bytes.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;
/// The most a sealed payload may take, in bytes (answers and signature strokes; pages are blobs).
pub const MAX_PAYLOAD_BYTES: usize = 128 * 1024;

/// Digest of an envelope: covers the header exactly as it travels, and the ciphertext.
pub fn envelope_digest(header: &[u8], ciphertext: &[u8]) -> Digest {
    Digest::of_parts("jinban/envelope/1", header, ciphertext)
}

/// Digest that a terminal signs to make a plain request (one without an envelope) its own.
pub fn request_digest(method: &str, path_and_query: &str) -> Digest {
    Digest::of_parts("jinban/request/1", method.as_bytes(), path_and_query.as_bytes())
}
