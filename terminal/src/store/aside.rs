//! A broken store is put aside, whole, and the terminal goes on with a new one under a new lineage. Nothing is deleted:
//! what was not sent yet lies there, sealed.
//!
//! Who the terminal is and its last number go along if they can still be read; otherwise it is enrolled anew. Refuses to
//! put anything aside for a terminal whose device key is lost as well.
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::ids::CounterState;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rusqlite::{Connection, OpenFlags};

use super::identity::{self, Identity};
use super::open::DATABASE_FILE;
use super::submit::audit;
use super::{Store, StoreError, device_key, pages};

/// Names of folders with broken stores begin with this.
pub(super) const ASIDE: &str = "broken-";
/// Folders that are looked for, at most.
const MOST: usize = 1_000;

/// What could still be read of a broken store.
struct Saved {
    identity: Identity,
    counter: CounterState,
}

impl Store {
    /// Opens the store; one that is damaged is put aside first, and a new one is made beside it.
    ///
    /// # Errors
    /// [`StoreError`] as [`Store::open`], but for damage; what lies aside is as it was. A damaged store whose device key is
    /// lost too is [`StoreError::Key`] and stays where it is.
    pub fn open_or_put_aside(directory: &Path, now_ms: i64) -> Result<Self, StoreError> {
        Self::open_or_put_aside_with(directory, now_ms, device_key::system_random()?)
    }

    /// As [`Store::open_or_put_aside`], with this source of keys and lineages instead of the system's, for a simulation
    /// that has to be the same each time.
    ///
    /// # Errors
    /// As [`Store::open_or_put_aside`].
    pub fn open_or_put_aside_with(
        directory: &Path,
        now_ms: i64,
        mut random: ChaCha20Rng,
    ) -> Result<Self, StoreError> {
        let again = ChaCha20Rng::from_rng(&mut random);
        match Self::open_with(directory, now_ms, random) {
            Err(StoreError::Corrupt) => {}
            other => return other,
        }
        let saved = saved(directory);
        if let Some(saved) = &saved {
            device_key::load(directory, Some(&saved.identity))?;
        }
        let aside = new_place(directory, now_ms)?;
        move_parts(directory, &aside)?;
        let mut store = Self::open_with(directory, now_ms, again)?;
        tracing::error!(
            place = %aside.display(),
            enrolled = saved.is_some(),
            "the store is damaged: it was put aside, and a new series begins; call central IT, what was not sent lies there"
        );
        store.take_over(saved, &aside, now_ms)?;
        Ok(store)
    }

    fn take_over(&mut self, saved: Option<Saved>, aside: &Path, now_ms: i64) -> Result<(), StoreError> {
        let tx = self.connection.transaction()?;
        if let Some(Saved { identity, counter }) = saved {
            identity::put(&tx, "identity", &identity)?;
            identity::put(&tx, "counter", &counter)?;
        }
        let name = aside.file_name().unwrap_or_default().to_string_lossy();
        audit(&tx, now_ms, "put-aside", &name, None)?;
        Ok(tx.commit()?)
    }
}

/// How many broken stores lie beside the one in use.
pub fn count_aside(directory: &Path) -> usize {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let aside = |e: &fs::DirEntry| e.file_name().to_string_lossy().starts_with(ASIDE);
    entries.flatten().take(MOST).filter(aside).count()
}

/// A new folder for a store that is put aside.
pub(super) fn new_place(directory: &Path, now_ms: i64) -> Result<PathBuf, StoreError> {
    let mut place = directory.join(format!("{ASIDE}{now_ms}"));
    // The clock may have said so before.
    for again in 1..MOST {
        if !place.exists() {
            break;
        }
        place = directory.join(format!("{ASIDE}{now_ms}-{again}"));
    }
    fs::DirBuilder::new().mode(0o700).create(&place).map_err(StoreError::Io)?;
    Ok(place)
}

/// Moves the sealed pages and the database to where they lie aside. The database last: until then a second try finds it
/// and begins again.
pub(super) fn move_parts(directory: &Path, place: &Path) -> Result<(), StoreError> {
    let parts = ["-journal", "-shm", "-wal", ""].map(|ending| format!("{DATABASE_FILE}{ending}"));
    for name in std::iter::once(pages::FOLDER).chain(parts.iter().map(String::as_str)) {
        move_part(directory, place, name)?;
    }
    sync(place)?;
    sync(directory)
}

/// Moves one file or folder, if it is there.
pub(super) fn move_part(from: &Path, to: &Path, name: &str) -> Result<(), StoreError> {
    match fs::rename(from.join(name), to.join(name)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::Io(e)),
        _ => Ok(()),
    }
}

/// Makes what was moved outlive a power cut.
pub(super) fn sync(folder: &Path) -> Result<(), StoreError> {
    fs::File::open(folder).and_then(|d| d.sync_all()).map_err(StoreError::Io)
}

/// What can still be read, from a copy: the broken store stays as it is.
fn saved(directory: &Path) -> Option<Saved> {
    let copy = directory.join("look");
    let read = || -> Option<Saved> {
        // Somebody may have been cut off while looking.
        let _ = fs::remove_dir_all(&copy);
        fs::DirBuilder::new().mode(0o700).create(&copy).ok()?;
        for ending in ["", "-wal"] {
            let name = format!("{DATABASE_FILE}{ending}");
            if directory.join(&name).exists() {
                fs::copy(directory.join(&name), copy.join(&name)).ok()?;
            }
        }
        let connection =
            Connection::open_with_flags(copy.join(DATABASE_FILE), OpenFlags::SQLITE_OPEN_READ_WRITE).ok()?;
        connection.busy_timeout(Duration::from_secs(1)).ok()?;
        let identity = identity::get(&connection, "identity").ok()??;
        let counter = identity::get(&connection, "counter").ok()??;
        Some(Saved { identity, counter })
    };
    let saved = read();
    let _ = fs::remove_dir_all(&copy);
    saved
}
