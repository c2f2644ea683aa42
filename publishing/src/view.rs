//! What is in force in a repository, and what may follow it.
use domain::wire::v1::tuf::TUF_SIGNED_AT;
use tough::schema::{Signed, Snapshot, Timestamp};

use crate::bundle::{Bundle, Listed, SignedTargets};
use crate::metadata::{self, MetadataError};
use crate::repository::{RepositoryError, SNAPSHOT_MS};
use crate::root::TrustedRoot;

/// What is in force.
#[derive(Debug, Clone)]
pub struct View {
    /// The newest root.
    pub root: TrustedRoot,
    /// The list of catalogue versions; none before the first.
    pub targets: Option<SignedTargets>,
    /// The snapshot.
    pub(crate) snapshot: Option<Signed<Snapshot>>,
    /// The timestamp.
    pub(crate) timestamp: Option<Signed<Timestamp>>,
    pub(crate) targets_bytes: Vec<u8>,
}

impl View {
    /// Whether a bundle's list is the one in force: publishing it again changes nothing.
    pub(crate) fn is_in_force(&self, bundle: &Bundle) -> Result<bool, MetadataError> {
        Ok(self.targets.is_some() && metadata::holds(&self.targets_bytes, &bundle.targets.0)?)
    }

    /// Whether the snapshot counts under the root for a third of its time yet, and names the list in force.
    pub(crate) fn snapshot_counts(&self, now_ms: i64) -> bool {
        let Some(snapshot) = &self.snapshot else { return false };
        let left = metadata::expires_ms(&snapshot.signed).saturating_sub(now_ms);
        self.root.verify(snapshot).is_ok() && (SNAPSHOT_MS / 3..=SNAPSHOT_MS).contains(&left)
    }
}

/// A list follows another one if it is newer and no version that both name has another content.
pub(crate) fn follows(
    before: Option<&SignedTargets>,
    next: &SignedTargets,
    listed: &[Listed],
) -> Result<(), RepositoryError> {
    let Some(before) = before else { return Ok(()) };
    if next.version() <= before.version() {
        return Err(MetadataError::Rule("the list is older than the one in force").into());
    }
    let known = before.listed()?;
    let highest = known.last().map_or(0, |l| l.version);
    for one in listed {
        let same = known.iter().find(|k| k.version == one.version);
        if same.map_or(one.version <= highest, |k| k != one) {
            return Err(MetadataError::Published { version: one.version }.into());
        }
    }
    if listed.last().map_or(0, |l| l.version) < highest {
        return Err(MetadataError::Rule("the newest catalogue version stays in the list").into());
    }
    Ok(())
}

/// When a timestamp was signed, milliseconds since 1970.
pub(crate) fn signed_at_ms(timestamp: &Signed<Timestamp>) -> i64 {
    timestamp.signed._extra.get(TUF_SIGNED_AT).and_then(serde_json::Value::as_i64).unwrap_or(0)
}
