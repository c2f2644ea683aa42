//! The terminal's store: one SQLite file with WAL and full sync, and one device key file beside it.
//!
//! The only place that knows SQL. A database that is damaged or was written by a newer program is never changed:
//! opening it is an error with its own advice, and the file stays as it is.
mod anew;
mod aside;
mod audit_heads;
mod catalogue;
mod catalogue_trust;
mod device_key;
mod drafts;
mod identity;
mod inbox;
mod offers;
mod open;
mod orders;
mod outbox;
mod page_queue;
mod pages;
mod print_queue;
mod purge;
mod queue;
mod sealing_keys;
mod slips;
mod space;
mod statements;
mod status;
mod submit;
mod time;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::envelope::DeviceKey;
use rand_chacha::ChaCha20Rng;
use rusqlite::Connection;

use crate::key_store::KeyStore;

pub use aside::count_aside;
pub use audit_heads::{AuditHeadError, read_audit_heads};
pub use catalogue_trust::{CatalogueStanding, CatalogueTrust};
pub use device_key::{KEY_FILE, KeyTrouble};
pub use drafts::{DraftError, DraftRow, MAX_DRAFTS, NewDraft, OpenedDraft};
pub use identity::Identity;
pub use inbox::{CaseNewsOutcome, EpochChange, ReceiptError};
pub use offers::{NextOffer, OfferOutcome};
pub use open::{DATABASE_FILE, files as database_files};
pub use orders::{Activations, OrderError};
pub use outbox::{DueEnvelope, ParkReason};
pub use page_queue::DuePage;
pub use pages::{CapturedPage, PageError};
pub use print_queue::{DuePrint, MAX_PRINT_ROWS, PrintEnd};
pub use queue::QueueChange;
pub use slips::SlipToPrint;
pub use space::{Fullness, RESERVE_BYTES, RESERVE_FILE, used_percent};
pub use status::{StatusRow, StoreState, read_key_trouble, read_state, read_status};
pub use submit::{NewSubmission, QueuedSlip, SubmitError};
pub use time::TrustedTime;

/// What a technician does about a device key that is lost.
pub const KEY_REMEDY: &str = "put this terminal's own device.key back and restart, and everything goes on; if it is gone for \
                              good, keep the folder, call central IT and run `terminal enrol` with a new code";

/// The terminal's store, owned by one process.
pub struct Store {
    connection: Connection,
    device_key: DeviceKey,
    directory: PathBuf,
    /// Makes keys and lineages.
    random: ChaCha20Rng,
    /// Looks at the disk before pages are taken.
    measure: space::Measure,
}

/// The store cannot be opened or used. What each means to a person stands in `out_of_service.*`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is no database of this program, or is damaged. It was not changed.
    #[error("the database is damaged; it was left as it is")]
    Corrupt,
    /// A newer program wrote it. It was not changed.
    #[error("the database has schema version {found}, this program knows {known}; it was left as it is")]
    Newer {
        /// Version in the file.
        found: i64,
        /// Newest version that this program knows.
        known: i64,
    },
    /// The key with which this terminal was enrolled is not there. Nothing was changed.
    #[error("the device key is lost ({0}); nothing was changed: {KEY_REMEDY}")]
    Key(#[from] KeyTrouble),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The folder or a file cannot be read or written.
    #[error("the store's folder cannot be used")]
    Io(#[source] std::io::Error),
    /// Any other refusal of the database.
    #[error("the database refused")]
    Database(#[source] rusqlite::Error),
    /// A stored value is not what was written; the payload names it.
    #[error("the stored value of {0} cannot be read")]
    Value(&'static str),
}

impl StoreError {
    /// Another process holds the database: try again later.
    pub fn is_busy(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        let Self::Database(e) = self else { return false };
        matches!(e.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
        // No room even for the index of the log: SQLite calls that an I/O error.
        if e.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
            return Self::Full;
        }
        match e.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Corrupt,
            Some(DiskFull) => Self::Full,
            _ => Self::Database(e),
        }
    }
}

impl Store {
    /// Opens the store in a folder, making both if there are none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Newer`] and [`StoreError::Key`] leave everything as it is; the others say
    /// what is in the way.
    pub fn open(directory: &Path, now_ms: i64) -> Result<Self, StoreError> {
        Self::open_with(directory, now_ms, device_key::system_random()?)
    }

    /// As [`Store::open`], with this source of keys and lineages instead of the system's, for a simulation that has to
    /// be the same each time.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(directory: &Path, now_ms: i64, mut random: ChaCha20Rng) -> Result<Self, StoreError> {
        let (connection, device_key) = open::open(directory, now_ms, &mut random)?;
        Ok(Self {
            connection,
            device_key,
            directory: directory.to_owned(),
            random,
            measure: space::used_percent,
        })
    }

    /// The device's private key.
    pub fn device_key(&self) -> &DeviceKey {
        &self.device_key
    }

    /// What signs with the device's private key.
    pub fn key_store(&self) -> Arc<dyn KeyStore> {
        Arc::new(self.device_key.clone())
    }

    /// Where the store lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}
