//! Attachments in backups: the files that belong to a state of the store, and whether all of them are safe.
//!
//! Attachments are not kept in tables. As long as there are none, every row is safe with its table.
use domain::envelope::Digest;
use serde::{Deserialize, Serialize};

/// One file of an attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobFile {
    /// SHA-256 of its bytes, and its name.
    pub digest: Digest,
    /// Its bytes.
    pub length: u64,
}

/// Files that belong to the rows up to this place in the centre's order.
pub fn listed(_server_seq: u64) -> Vec<BlobFile> {
    Vec::new()
}

/// Whether the files of all rows up to this place in the centre's order are safe elsewhere: nothing is said to be
/// durable before.
pub fn all_durable(server_seq: u64) -> bool {
    listed(server_seq).is_empty()
}
