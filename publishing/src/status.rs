//! How a repository stands, for people: versions, ends, keys.
use domain::envelope::Digest;
use serde::Serialize;

use crate::key::RoleName;
use crate::metadata::{self, MetadataError};
use crate::view::{View, signed_at_ms};

/// A role's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleStatus {
    /// Which role.
    pub role: RoleName,
    /// Its version; none if there is none yet.
    pub version: Option<u64>,
    /// When it ends, milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// Whether it is signed by enough of the keys that count now.
    pub signed: bool,
    /// Signatures that it needs.
    pub threshold: usize,
    /// Ids of its keys.
    pub keys: Vec<Digest>,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Its roles, root first.
    pub roles: Vec<RoleStatus>,
    /// Catalogue versions that are listed, the lowest first.
    pub catalogues: Vec<u64>,
    /// When the centre last said so, milliseconds since 1970.
    pub confirmed_ms: Option<i64>,
}

impl Status {
    /// Of what is in force.
    ///
    /// # Errors
    /// [`MetadataError`] if a target is no catalogue.
    pub fn of(view: &View) -> Result<Self, MetadataError> {
        let role = |role: RoleName, found: Option<(u64, i64, bool)>| RoleStatus {
            role,
            version: found.map(|f| f.0),
            expires_ms: found.map(|f| f.1),
            signed: found.is_some_and(|f| f.2),
            threshold: role.threshold(),
            keys: view.root.key_ids(role),
        };
        let targets = view.targets.as_ref();
        let roles = vec![
            role(RoleName::Root, Some((view.root.version(), view.root.expires_ms(), true))),
            role(
                RoleName::Targets,
                targets.map(|t| {
                    (t.version(), metadata::expires_ms(&t.0.signed), view.root.verify(&t.0).is_ok())
                }),
            ),
            role(
                RoleName::Snapshot,
                view.snapshot.as_ref().map(|s| {
                    (s.signed.version.get(), metadata::expires_ms(&s.signed), view.root.verify(s).is_ok())
                }),
            ),
            role(
                RoleName::Timestamp,
                view.timestamp.as_ref().map(|t| {
                    (t.signed.version.get(), metadata::expires_ms(&t.signed), view.root.verify(t).is_ok())
                }),
            ),
        ];
        let listed = targets.map(|t| t.listed()).transpose()?.unwrap_or_default();
        Ok(Self {
            roles,
            catalogues: listed.into_iter().map(|l| l.version).collect(),
            confirmed_ms: view.timestamp.as_ref().map(signed_at_ms),
        })
    }
}
