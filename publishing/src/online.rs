//! The keys with which the server signs by itself: for snapshots and timestamps.
use std::path::{Path, PathBuf};

use domain::envelope::Digest;
use rand_core::CryptoRng;

use crate::key::{PublicEntry, PublicKeys, RoleKey, RoleName};
use crate::key_file::{self, KeyFileError};
use crate::metadata::MetadataError;
use crate::repository::RepositoryError;

/// The keys of the roles that the server signs by itself.
#[derive(Debug, Clone)]
pub struct OnlineKeys {
    pub(crate) snapshot: RoleKey,
    pub(crate) timestamp: RoleKey,
}

impl OnlineKeys {
    /// Finds, among the keys of a folder, those that a root names for the two roles.
    ///
    /// # Errors
    /// [`KeyFileError`] if one is missing or not usable.
    pub fn find(folder: &Path, named: impl Fn(RoleName) -> Vec<Digest>) -> Result<Self, KeyFileError> {
        let key = |role: RoleName| {
            let mut paths = named(role).into_iter().map(|id| key_path(folder, role, &id));
            let missing = || KeyFileError::Missing { path: folder.join(format!("{role}-*.p8")) };
            key_file::read_plain(&paths.find(|p| p.exists()).ok_or_else(missing)?)
        };
        Ok(Self { snapshot: key(RoleName::Snapshot)?, timestamp: key(RoleName::Timestamp)? })
    }

    /// Makes a new pair in a folder, beside those that are there.
    ///
    /// # Errors
    /// [`RepositoryError`] if a file cannot be written.
    pub fn make<R: CryptoRng>(folder: &Path, rng: &mut R) -> Result<Self, RepositoryError> {
        let made = Self::new(rng);
        for (role, key) in [(RoleName::Snapshot, &made.snapshot), (RoleName::Timestamp, &made.timestamp)] {
            key_file::write_plain(&key_path(folder, role, &key.public()?.id()?), key)?;
        }
        Ok(made)
    }

    /// Keys in memory.
    pub fn new<R: CryptoRng>(rng: &mut R) -> Self {
        Self { snapshot: RoleKey::new(rng), timestamp: RoleKey::new(rng) }
    }

    /// The key of one of the two roles.
    pub fn of(&self, role: RoleName) -> Option<&RoleKey> {
        match role {
            RoleName::Snapshot => Some(&self.snapshot),
            RoleName::Timestamp => Some(&self.timestamp),
            RoleName::Root | RoleName::Targets => None,
        }
    }

    /// Their public halves.
    ///
    /// # Errors
    /// [`MetadataError::Form`], which their form rules out.
    pub fn public(&self) -> Result<PublicKeys, MetadataError> {
        let entry = |role, key: &RoleKey| Ok::<_, MetadataError>(PublicEntry { role, key: key.public()? });
        let keys =
            vec![entry(RoleName::Snapshot, &self.snapshot)?, entry(RoleName::Timestamp, &self.timestamp)?];
        Ok(PublicKeys { keys })
    }
}

/// Named by its id, so that old and new keys lie side by side and the root says which count.
fn key_path(folder: &Path, role: RoleName, id: &Digest) -> PathBuf {
    folder.join(format!("{role}-{}.p8", id.short()))
}
