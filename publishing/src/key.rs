//! A role's key: Ed25519, named by the SHA-256 of its canonical public half as TUF has it.
use std::fmt;

use domain::envelope::Digest;
use ed25519_dalek::{Signer as _, SigningKey};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tough::schema::key::Key;
use zeroize::Zeroizing;

use crate::metadata::MetadataError;

/// The roles of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleName {
    /// Says which keys count.
    Root,
    /// Says which catalogue versions there are.
    Targets,
    /// Says which targets metadata is in force.
    Snapshot,
    /// Says that it was so a moment ago.
    Timestamp,
}

impl RoleName {
    /// All roles, the most powerful first.
    pub const ALL: [Self; 4] = [Self::Root, Self::Targets, Self::Snapshot, Self::Timestamp];

    /// Its name in metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Targets => "targets",
            Self::Snapshot => "snapshot",
            Self::Timestamp => "timestamp",
        }
    }

    /// Signatures that its metadata needs.
    pub fn threshold(self) -> usize {
        if self == Self::Root { 2 } else { 1 }
    }

    /// Whether its key never touches a machine with a network.
    pub fn is_offline(self) -> bool {
        matches!(self, Self::Root | Self::Targets)
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A private key of a role. Wiped when dropped; never printed.
#[derive(Clone)]
pub struct RoleKey(pub(crate) SigningKey);

impl fmt::Debug for RoleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoleKey(..)")
    }
}

impl RoleKey {
    /// A fresh key.
    pub fn new<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self(SigningKey::from_bytes(&seed))
    }

    /// The public half.
    ///
    /// # Errors
    /// [`MetadataError::Form`] if `tough` does not take it for a key, which its form rules out.
    pub fn public(&self) -> Result<RolePublic, MetadataError> {
        RolePublic::from_bytes(self.0.verifying_key().as_bytes())
    }

    /// Its signature over some bytes: for metadata, its canonical JSON.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).to_bytes().to_vec()
    }
}

/// A public key of a role, as it stands in metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RolePublic(pub(crate) Key);

impl RolePublic {
    fn from_bytes(bytes: &[u8; 32]) -> Result<Self, MetadataError> {
        let hex = Digest::from_bytes(*bytes).to_string();
        let key = json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": hex } });
        serde_json::from_value(key).map(Self).map_err(MetadataError::form)
    }

    /// Its id: the SHA-256 of its canonical JSON.
    ///
    /// # Errors
    /// [`MetadataError::Form`] if it cannot be written, which its form rules out.
    pub fn id(&self) -> Result<Digest, MetadataError> {
        let id = self.0.key_id().map_err(MetadataError::form)?;
        id_of(&id)
    }

    /// Whether it is an Ed25519 key: the only kind that is used here.
    pub fn is_ed25519(&self) -> bool {
        matches!(self.0, Key::Ed25519 { .. })
    }
}

/// A key's id out of metadata.
pub(crate) fn id_of(bytes: &[u8]) -> Result<Digest, MetadataError> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| MetadataError::Rule("a key id has 64 digits"))?;
    Ok(Digest::from_bytes(bytes))
}

/// Public halves of keys with their roles: what is carried from the server to the ceremony, and the other way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeys {
    /// The keys.
    pub keys: Vec<PublicEntry>,
}

/// One of [`PublicKeys`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicEntry {
    /// For which role.
    pub role: RoleName,
    /// The key.
    pub key: RolePublic,
}

impl PublicKeys {
    /// The keys of a role.
    pub fn of(&self, role: RoleName) -> Vec<RolePublic> {
        self.keys.iter().filter(|e| e.role == role).map(|e| e.key.clone()).collect()
    }
}
