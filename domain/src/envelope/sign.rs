//! Ed25519 signatures of devices and servers; the one verifier of slip and receipt.
use std::collections::BTreeMap;
use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::bytes::{Bytes, Digest};
use crate::ids::KeyId;

pub(super) fn key_id_of(digest: &Digest) -> KeyId {
    digest.short().parse().unwrap_or_else(|_| unreachable!("16 hexadecimal digits are a key id"))
}

/// An Ed25519 signature, 64 bytes, base64 in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(pub Bytes);

/// An Ed25519 public key, 32 bytes, base64 in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(pub Bytes);

/// A signature does not hold, or cannot be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The document names a key that the ring does not hold.
    #[error("signed with an unknown key")]
    UnknownKey,
    /// The public key is not a point of the curve.
    #[error("the public key is malformed")]
    MalformedKey,
    /// Other bytes, other key, or not a signature at all.
    #[error("the signature does not match")]
    Mismatch,
}

/// What stands before the 32 bytes of an Ed25519 key in a certificate (SubjectPublicKeyInfo, RFC 8410).
const SPKI_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before the 32 bytes of an Ed25519 seed in a PKCS#8 document (RFC 8410).
const PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

impl PublicKey {
    /// The key as a certificate names it (SubjectPublicKeyInfo in DER).
    pub fn to_spki(&self) -> Vec<u8> {
        [&SPKI_HEAD[..], self.0.0.as_slice()].concat()
    }

    /// The key that a certificate names; nothing if that is no Ed25519 key.
    pub fn from_spki(der: &[u8]) -> Option<Self> {
        der.strip_prefix(&SPKI_HEAD).filter(|key| key.len() == 32).map(|key| Self(Bytes(key.to_vec())))
    }

    /// The id under which documents name this key.
    pub fn key_id(&self) -> KeyId {
        key_id_of(&Digest::of(&self.0.0))
    }

    /// Checks a signature over a digest (strict: no malleable or small-order keys).
    ///
    /// # Errors
    /// [`VerifyError`] if it does not hold.
    pub fn verify(&self, digest: &Digest, signature: &Signature) -> Result<(), VerifyError> {
        self.verifier()?.verify(digest, signature)
    }

    /// The key ready for use, for whoever checks many signatures with it.
    ///
    /// # Errors
    /// [`VerifyError::MalformedKey`] if it is not a point of the curve.
    pub fn verifier(&self) -> Result<Verifier, VerifyError> {
        let key: [u8; 32] = self.0.0.as_slice().try_into().map_err(|_| VerifyError::MalformedKey)?;
        VerifyingKey::from_bytes(&key).map(Verifier).map_err(|_| VerifyError::MalformedKey)
    }
}

/// A public key that was read once: the point of the curve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier(VerifyingKey);

impl Verifier {
    /// As [`PublicKey::verify`].
    ///
    /// # Errors
    /// [`VerifyError::Mismatch`] if the signature does not hold.
    pub fn verify(&self, digest: &Digest, signature: &Signature) -> Result<(), VerifyError> {
        let sig = ed25519_dalek::Signature::from_slice(&signature.0.0).map_err(|_| VerifyError::Mismatch)?;
        self.0.verify_strict(digest.as_bytes(), &sig).map_err(|_| VerifyError::Mismatch)
    }
}

/// A private signing key: a terminal's device key or a server's receipt key. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct DeviceKey {
    key: SigningKey,
    /// Of the public half: every signed document names it.
    id: KeyId,
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({})", self.id)
    }
}

impl DeviceKey {
    /// The key that a 32-byte seed stands for.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(&seed);
        let id = key_id_of(&Digest::of(key.verifying_key().as_bytes()));
        Self { key, id }
    }

    /// The id under which documents name the public half.
    pub fn key_id(&self) -> &KeyId {
        &self.id
    }

    /// The seed, to be written to a key file; wiped when dropped.
    pub fn to_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.key.to_bytes())
    }

    /// The private key as libraries for certificates take it (PKCS#8 in DER); wiped when dropped.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let mut der = Zeroizing::new(Vec::with_capacity(PKCS8_HEAD.len() + 32));
        der.extend_from_slice(&PKCS8_HEAD);
        der.extend_from_slice(self.to_seed().as_ref());
        der
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(Bytes(self.key.verifying_key().to_bytes().to_vec()))
    }

    /// Signs the 32 bytes of a digest.
    pub fn sign(&self, digest: &Digest) -> Signature {
        self.sign_message(digest.as_bytes())
    }

    /// Signs a message of a protocol with a frame of its own: a handshake of TLS 1.3, a certificate request. None of
    /// them is 32 bytes long, so that none can pass for a digest.
    pub fn sign_message(&self, message: &[u8]) -> Signature {
        Signature(Bytes(self.key.sign(message).to_bytes().to_vec()))
    }
}

/// What a signed document is; the label is part of what is signed, so that one can never pass for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedKind {
    /// 凭条, signed by the terminal at once.
    Slip,
    /// The text of a slip's QR code, signed by the terminal at once.
    SlipCode,
    /// 回执, signed by the server after its COMMIT.
    Receipt,
    /// How a terminal is, signed by it.
    Heartbeat,
    /// What the centre orders a terminal, signed with its receipt key.
    Order,
    /// Receipts that a terminal shows a restored centre, signed by the terminal.
    Offer,
    /// Whose cases a terminal asks for, signed by it.
    Citizen,
    /// The end of the centre's audit chain on a day, signed with its receipt key.
    AuditHead,
    /// What a backup of the centre holds, signed with its receipt key.
    Backup,
    /// The keys to which terminals seal, signed with the centre's receipt key.
    SealingKeys,
    /// Who a terminal was before a restored centre forgot it, signed by the terminal.
    Return,
    /// 证照, signed with the centre's receipt key when a step was granted.
    Certificate,
    /// Certificates that are no longer good, signed with the centre's receipt key.
    RevokedCertificates,
    /// What a centre tells another one about a handoff, signed with its receipt key.
    PartnerMessage,
    /// What became of such a message, signed by the centre that took it.
    PartnerReceipt,
    /// Items that a region takes from elsewhere, signed with its receipt key.
    PartnerItems,
    /// An item with its form, for another region, signed with the receipt key.
    PartnerForm,
}

impl SignedKind {
    fn label(self) -> &'static str {
        match self {
            Self::Slip => "jinban/slip/1",
            Self::SlipCode => "jinban/slip-code/1",
            Self::Receipt => "jinban/receipt/1",
            Self::Heartbeat => "jinban/heartbeat/1",
            Self::Order => "jinban/order/1",
            Self::Offer => "jinban/offer/1",
            Self::Citizen => "jinban/citizen/1",
            Self::AuditHead => "jinban/audit-head/1",
            Self::Backup => "jinban/backup/1",
            Self::SealingKeys => "jinban/sealing-keys/1",
            Self::Return => "jinban/return/1",
            Self::Certificate => "jinban/certificate/1",
            Self::RevokedCertificates => "jinban/revoked-certificates/1",
            Self::PartnerMessage => "jinban/partner-message/1",
            Self::PartnerReceipt => "jinban/partner-receipt/1",
            Self::PartnerItems => "jinban/partner-items/1",
            Self::PartnerForm => "jinban/partner-form/1",
        }
    }
}

/// A slip, receipt, heartbeat or order as it travels: the exact JSON bytes that were signed, the key's id, the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedDocument {
    /// UTF-8 JSON exactly as signed; never serialised again.
    pub body: Bytes,
    /// Which key signed.
    pub key_id: KeyId,
    /// Ed25519 over `SHA-256(label || u32 length || body)`.
    pub signature: Signature,
}

/// Public keys by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRing(BTreeMap<KeyId, PublicKey>);

impl KeyRing {
    /// A ring of these keys.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self(keys.into_iter().map(|k| (k.key_id(), k)).collect())
    }

    /// The key with this id.
    pub fn get(&self, id: &KeyId) -> Option<&PublicKey> {
        self.0.get(id)
    }

    /// All keys, in the order of their ids.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.values()
    }
}

/// Signs the JSON bytes of a document of this kind.
pub fn sign_document(kind: SignedKind, body: Vec<u8>, key: &DeviceKey) -> SignedDocument {
    let digest = Digest::of_parts(kind.label(), &body, &[]);
    SignedDocument { signature: key.sign(&digest), key_id: key.key_id().clone(), body: Bytes(body) }
}

/// Verifies a document of this kind and gives the bytes that were signed.
///
/// # Errors
/// [`VerifyError`] if the key is unknown or the signature does not hold for this kind of document.
pub fn verify_document<'a>(
    kind: SignedKind,
    document: &'a SignedDocument,
    ring: &KeyRing,
) -> Result<&'a [u8], VerifyError> {
    let key = ring.get(&document.key_id).ok_or(VerifyError::UnknownKey)?;
    let digest = Digest::of_parts(kind.label(), &document.body.0, &[]);
    key.verify(&digest, &document.signature)?;
    Ok(&document.body.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_never_passes_for_a_receipt() {
        let key = DeviceKey::from_seed([3; 32]);
        let ring = KeyRing::new([key.public()]);
        let doc = sign_document(SignedKind::Slip, b"{}".to_vec(), &key);
        assert_eq!(verify_document(SignedKind::Slip, &doc, &ring), Ok(&b"{}"[..]));
        assert_eq!(verify_document(SignedKind::Receipt, &doc, &ring), Err(VerifyError::Mismatch));
    }

    #[test]
    fn unknown_keys_and_altered_bytes_are_refused() {
        let key = DeviceKey::from_seed([3; 32]);
        let mut doc = sign_document(SignedKind::Receipt, b"{\"a\":1}".to_vec(), &key);
        let empty = KeyRing::default();
        assert_eq!(verify_document(SignedKind::Receipt, &doc, &empty), Err(VerifyError::UnknownKey));
        doc.body.0[1] ^= 1;
        let ring = KeyRing::new([key.public()]);
        assert_eq!(verify_document(SignedKind::Receipt, &doc, &ring), Err(VerifyError::Mismatch));
        doc.signature.0.0.truncate(10);
        assert_eq!(verify_document(SignedKind::Receipt, &doc, &ring), Err(VerifyError::Mismatch));
    }
}
