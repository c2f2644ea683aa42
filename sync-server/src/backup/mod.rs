//! Backups of a centre: made while it runs, sealed for a key that is kept elsewhere, and verified by restoring them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`recipient`] | for whom backups are sealed |
//! | `seal`, `file` | the sealed stream, and the file around it |
//! | `make` | all rows of one state of the store into a file, verified, named, noted |
//! | `restore` | a file into an empty store, under a new epoch |
//! | `fill` | rows of a file into an empty store, counted and compared |
//! | `folder` | names, lock, and which backups are old |
//! | [`blobs`] | copies of attachments beside the backups |
//! | [`alarms`] | what is told of those that cannot be copied |
//! | [`came`] | attachments of a case, and which of them a backup has |
//!
//! One way for both databases: the rows of every table in one reading transaction, in the order of a move to another
//! database. Why stands in `docs/decisions`. Refuses to say that anything is durable before a backup was restored and
//! compared row by row.
pub mod alarms;
pub mod blobs;
pub mod came;
mod file;
mod fill;
pub mod folder;
mod make;
pub mod recipient;
mod restore;
mod seal;

use std::path::PathBuf;

use domain::ids::KeyId;

use crate::error::ServiceError;
use crate::keys::KeyError;
use crate::startup::StartupError;
use crate::store::{MigrateError, StoreError};

pub use file::{Head, TableHead};
pub use make::{Made, Order, make};
pub use recipient::RecipientError;
pub use restore::{Note, Offered, Restored, restore};

/// A backup could not be made, or not be restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder cannot be read or written.
    #[error("{path}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Another backup is being made there.
    #[error("another backup is being made in {path}: wait for its end")]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("the file is no backup")]
    None,
    /// The file is not whole.
    #[error("the backup is damaged")]
    Damaged(#[source] std::io::Error),
    /// Whoever made it did not have the centre's receipt key.
    #[error("the backup is not signed by the centre that it names")]
    NotSigned,
    /// Sealed for another key.
    #[error("the backup is sealed for the key {wanted}, and this is another one")]
    OtherKey {
        /// The key that opens it.
        wanted: KeyId,
    },
    /// Its schema is newer.
    #[error("the backup has schema {found}, this program knows {known}: restore it with the newer program")]
    Newer {
        /// Schema of the backup.
        found: u64,
        /// The program's.
        known: u64,
    },
    /// What came out is not what went in.
    #[error("the backup was restored for a check and came out differently: {what}; it does not count")]
    Differs {
        /// What differs.
        what: String,
    },
    /// There is something already.
    #[error("there is something at {to} already: restore into an empty folder or database")]
    NotEmpty {
        /// The target.
        to: String,
    },
    /// The private keys in the data folder belong to another centre.
    #[error("the keys in {path} are not those of this backup: put the key backup of its centre there first")]
    OtherCentre {
        /// The folder of the keys.
        path: PathBuf,
    },
    /// Attachments that a backup lists lie nowhere beside it.
    #[error(
        "the backup lists attachments, and there is no folder {path}: put it there; if it is lost, make an empty one, and \
         terminals are asked for what they still have"
    )]
    NoAttachments {
        /// The folder.
        path: PathBuf,
    },
    /// Attachments cannot be read, or not be kept where they are copied to.
    #[error(transparent)]
    Blobs(#[from] crate::blobs::BlobError),
    /// The erasure journal cannot be read.
    #[error(transparent)]
    Journal(#[from] crate::erasure_journal::JournalError),
    /// The recipient.
    #[error(transparent)]
    Recipient(#[from] RecipientError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The data folder.
    #[error(transparent)]
    Startup(Box<StartupError>),
    /// The schema.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// A service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StartupError> for BackupError {
    fn from(error: StartupError) -> Self {
        Self::Startup(Box::new(error))
    }
}
