//! A terminal whose device key is lost for good is enrolled anew: in a store beside the old one, which stays untouched until
//! the centre has answered, and is then put aside whole. Nothing is deleted.
//!
//! Putting the new store in the old one's place may be broken off anywhere; the next start ends it. Refuses to do it while
//! another process has the old store open.
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use operator::private;
use rusqlite::{Connection, OpenFlags};

use super::aside::{ASIDE, move_part, move_parts, new_place, sync};
use super::open::DATABASE_FILE;
use super::submit::audit;
use super::{KEY_FILE, Store, StoreError};

/// Folder of the store that is enrolled beside the old one.
const BESIDE: &str = "enrolling";
/// In that folder: the name of the place where the old store goes. From this file on the new store is the one that counts.
const READY: &str = "ready";
/// Such a name has so many bytes at most.
const MOST_BYTES: u64 = 64;

impl Store {
    /// Opens the store in which a terminal is enrolled anew: beside the old one, with a device key of its own. Until the
    /// centre has answered it is the same one at every try.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_beside(directory: &Path, now_ms: i64) -> Result<Self, StoreError> {
        Self::open(&directory.join(BESIDE), now_ms)
    }

    /// Puts the old store aside, whole, and this one in its place; gives where the old one lies.
    ///
    /// # Errors
    /// [`StoreError`] if another process has the old store open, or the disk refuses. What was begun is ended by the next
    /// [`Store::open`].
    pub fn take_place(self, directory: &Path, now_ms: i64) -> Result<PathBuf, StoreError> {
        as_one_file(&directory.join(DATABASE_FILE))?;
        let place = new_place(directory, now_ms)?;
        let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        audit(&self.connection, now_ms, "put-aside", &name, None)?;
        self.connection.close().map_err(|(_, e)| StoreError::from(e))?;
        let ready = self.directory.join(READY);
        let note = || -> std::io::Result<()> {
            let how = &mut File::options();
            let mut file = private::open(how.write(true).create(true).truncate(true), &ready)?;
            file.write_all(name.as_bytes())?;
            file.sync_all()
        };
        note().map_err(StoreError::Io)?;
        sync(&self.directory)?;
        finish(directory)?;
        Ok(place)
    }
}

/// Ends what [`Store::take_place`] began; nothing to do if nothing was begun.
///
/// # Errors
/// [`StoreError::Io`] if the disk refuses.
pub(super) fn finish(directory: &Path) -> Result<(), StoreError> {
    let beside = directory.join(BESIDE);
    let Some(place) = noted(&beside).map(|name| directory.join(name)) else { return Ok(()) };
    if beside.join(DATABASE_FILE).exists() {
        // The old database goes last, and the new one comes last: while the old one is here its key is, or is gone.
        if directory.join(DATABASE_FILE).exists() {
            move_part(directory, &place, KEY_FILE)?;
            move_parts(directory, &place)?;
        }
        move_part(&beside, directory, KEY_FILE)?;
        move_part(&beside, directory, DATABASE_FILE)?;
        sync(directory)?;
        tracing::warn!(place = %place.display(), "the old store lies aside, and the new one is in its place");
    }
    fs::remove_dir_all(&beside).map_err(StoreError::Io)
}

/// The name that was noted, if it is whole.
fn noted(beside: &Path) -> Option<String> {
    use std::io::Read as _;
    let mut name = String::new();
    File::open(beside.join(READY)).ok()?.take(MOST_BYTES).read_to_string(&mut name).ok()?;
    let whole = name.starts_with(ASIDE) && !name.contains('/');
    let place = beside.parent()?.join(&name);
    (whole && place.is_dir()).then_some(name)
}

/// Brings the log of a database into its file, so that nothing is left behind when that is moved. A damaged one is moved
/// with its log.
fn as_one_file(database: &Path) -> Result<(), StoreError> {
    let alone = || -> Result<(), StoreError> {
        let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(Duration::from_secs(1))?;
        // Only the last one who has it open can do this.
        connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        connection.close().map_err(|(_, e)| e.into())
    };
    match alone() {
        Err(StoreError::Corrupt) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::orders::tests::enrolment;
    use super::*;
    use crate::store::{KeyTrouble, count_aside};

    const NOW_MS: i64 = 1_795_500_000_000;

    /// An enrolled terminal with a page on its disk, whose key is then lost; and what its database held.
    fn keyless() -> (tempfile::TempDir, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(folder.path(), NOW_MS).expect("open");
        store.save_enrolment(&enrolment()).expect("enrolled");
        drop(store);
        fs::create_dir(folder.path().join("pages")).expect("made");
        fs::write(folder.path().join("pages/0"), "a page").expect("written");
        fs::write(folder.path().join(KEY_FILE), "").expect("emptied");
        let database = fs::read(folder.path().join(DATABASE_FILE)).expect("read");
        (folder, database)
    }

    fn beside(folder: &Path) -> Store {
        let mut store = Store::open_beside(folder, NOW_MS).expect("beside");
        store.save_enrolment(&enrolment()).expect("enrolled");
        store
    }

    #[test]
    fn the_new_store_takes_the_place_of_the_old_one_wherever_it_is_broken_off() {
        let parts = [KEY_FILE, "pages", DATABASE_FILE];
        // So many parts of the old store, and of the new one, were moved when the power went.
        for (old, new) in [(0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 2)] {
            let (folder, _) = keyless();
            let folder = folder.path();
            let store = beside(folder);
            let (key, lineage) = (store.device_key().public(), store.lineage().expect("read"));
            drop(store);
            as_one_file(&folder.join(DATABASE_FILE)).expect("one file");
            let database = fs::read(folder.join(DATABASE_FILE)).expect("read");
            let place = new_place(folder, NOW_MS).expect("a place");
            fs::write(folder.join(BESIDE).join(READY), place.file_name().expect("a name").as_encoded_bytes())
                .expect("noted");
            for part in &parts[..old] {
                move_part(folder, &place, part).expect("moved");
            }
            for part in &[KEY_FILE, DATABASE_FILE][..new] {
                move_part(&folder.join(BESIDE), folder, part).expect("moved");
            }
            let store = Store::open(folder, NOW_MS).expect("ended");
            assert_eq!((store.device_key().public(), store.lineage().expect("read")), (key, lineage));
            assert!(store.identity().expect("read").is_some() && !folder.join(BESIDE).exists());
            let aside = |name: &str| fs::read(place.join(name)).expect("aside");
            let lies = (aside(KEY_FILE), aside("pages/0"), aside(DATABASE_FILE));
            assert_eq!(lies, (Vec::new(), b"a page".to_vec(), database), "{old} {new}");
            assert_eq!(count_aside(folder), 1);
        }
    }

    #[test]
    fn before_the_centre_answered_nothing_of_the_old_store_is_touched() {
        let (folder, database) = keyless();
        let first = Store::open_beside(folder.path(), NOW_MS).expect("beside").device_key().public();
        let again = Store::open_beside(folder.path(), NOW_MS).expect("beside").device_key().public();
        assert_eq!(first, again, "a code that was used for it is good for it");
        // A note that was torn is none.
        fs::write(folder.path().join(BESIDE).join(READY), "bro").expect("written");
        let found = Store::open(folder.path(), NOW_MS).map(|_| ());
        assert!(matches!(found, Err(StoreError::Key(KeyTrouble::Damaged))), "{found:?}");
        assert_eq!(fs::read(folder.path().join(DATABASE_FILE)).expect("read"), database);
        assert_eq!(count_aside(folder.path()), 0);
    }

    #[test]
    fn a_store_that_somebody_has_open_is_not_put_aside() {
        let (folder, _) = keyless();
        let holder = Connection::open(folder.path().join(DATABASE_FILE)).expect("open");
        let rows = |c: &Connection| c.query_row("SELECT COUNT(*) FROM outbox", [], |r| r.get::<_, i64>(0));
        assert_eq!(rows(&holder).expect("read"), 0);
        let refused = beside(folder.path()).take_place(folder.path(), NOW_MS);
        assert!(refused.is_err_and(|e| e.is_busy()), "it is in use");
        drop(holder);
        let place = beside_again(folder.path()).take_place(folder.path(), NOW_MS).expect("put aside");
        assert!(place.join(DATABASE_FILE).exists() && Store::open(folder.path(), NOW_MS).is_ok());
    }

    fn beside_again(folder: &Path) -> Store {
        let store = Store::open_beside(folder, NOW_MS).expect("beside");
        assert!(store.identity().expect("read").is_some(), "the answer of the centre is kept");
        store
    }
}
