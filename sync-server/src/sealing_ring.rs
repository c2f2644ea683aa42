//! The private keys that open what terminals seal: the first one, to which the store is bound (`sealing.key`), and those
//! made since (`sealing-ID.key`). Which of them terminals are offered says the store (`services::sealing_keys`).
//!
//! A file is read when something names its key, so that a key which is made, or brought back from the key backup, opens at
//! once and without a new start. A file whose key is another one than its name says is an error, never a guess.
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::envelope::{SealingKey, Suite};
use domain::ids::KeyId;
use rand_core::CryptoRng;

use crate::keys::{KeyError, file_error, read_seed_file, write_seed_file};

/// The file of the first key.
pub const FIRST_FILE: &str = "sealing.key";

/// The keys. Never printed; wiped when dropped.
pub struct SealingRing {
    folder: Option<PathBuf>,
    first: SealingKey,
    known: Mutex<BTreeMap<KeyId, SealingKey>>,
}

impl SealingRing {
    /// The ring of a folder; without one its keys live in memory only.
    pub fn new(folder: Option<PathBuf>, first: SealingKey) -> Self {
        Self { folder, first, known: Mutex::default() }
    }

    /// The first key: of suite 1, made with the store and bound to it.
    pub fn first(&self) -> &SealingKey {
        &self.first
    }

    /// The key with this id; none if its file is not there.
    ///
    /// # Errors
    /// [`KeyError`] if its file cannot be read, or holds another key.
    pub fn find(&self, id: &KeyId) -> Result<Option<SealingKey>, KeyError> {
        if self.first.public().key_id() == *id {
            return Ok(Some(self.first.clone()));
        }
        let mut known = self.known();
        if let Some(key) = known.get(id) {
            return Ok(Some(key.clone()));
        }
        let Some(path) = self.folder.as_deref().map(|folder| path_of(folder, id)) else { return Ok(None) };
        let Some(key) = load(&path, id)? else { return Ok(None) };
        known.insert(id.clone(), key.clone());
        Ok(Some(key))
    }

    /// Whether the file of a key is there now, and holds it: what it opens after the next start, whatever is in memory.
    pub fn is_kept(&self, id: &KeyId) -> bool {
        let Some(folder) = self.folder.as_deref() else { return true };
        let is_first = self.first.public().key_id() == *id;
        let path = if is_first { folder.join(FIRST_FILE) } else { path_of(folder, id) };
        load(&path, id).is_ok_and(|found| found.is_some())
    }

    /// Makes a key of a suite and writes its file.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be written.
    pub fn make(&self, suite: Suite, rng: &mut impl CryptoRng) -> Result<SealingKey, KeyError> {
        let key = SealingKey::random(suite, rng);
        let id = key.public().key_id();
        if let Some(folder) = &self.folder {
            write_seed_file(&path_of(folder, &id), &key.to_secret(), rng)?;
        }
        self.known().insert(id, key.clone());
        Ok(key)
    }

    /// Forgets a key that was destroyed. Its file is not touched.
    pub fn forget(&self, id: &KeyId) {
        self.known().remove(id);
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<KeyId, SealingKey>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the file of a later key lies.
pub fn path_of(folder: &Path, id: &KeyId) -> PathBuf {
    folder.join(format!("sealing-{id}.key"))
}

/// Overwrites and removes the file of a key; says whether there was one.
///
/// # Errors
/// [`KeyError`] if it cannot be overwritten or removed.
pub fn destroy_file(folder: &Path, id: &KeyId) -> Result<bool, KeyError> {
    let path = path_of(folder, id);
    if !path.exists() {
        return Ok(false);
    }
    overwrite(&path).and_then(|()| fs::remove_file(&path)).map_err(|e| file_error(&path, e))?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| file_error(folder, e))?;
    Ok(true)
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0).min(4_096);
    file.write_all(&vec![b'0'; length])?;
    file.sync_all()
}

/// The key of a file, in whichever suite it bears this id.
fn load(path: &Path, id: &KeyId) -> Result<Option<SealingKey>, KeyError> {
    let secret = match read_seed_file(path) {
        Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    Suite::ALL
        .into_iter()
        .filter_map(|suite| SealingKey::from_secret(suite, *secret).ok())
        .find(|key| key.public().key_id() == *id)
        .map(Some)
        .ok_or_else(|| KeyError::OtherSealing { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::services::sealing_keys::{
        add, choose_suite, list_after, look_for_files, put_in_force, settle,
    };
    use crate::store::{Tx, fresh_in_memory};

    const NOW_MS: i64 = 1_795_500_000_000;

    fn key(suite: Suite, byte: u8) -> SealingKey {
        SealingKey::from_secret(suite, [byte; 32]).expect("a key")
    }

    fn ring(folder: &Path) -> SealingRing {
        SealingRing::new(Some(folder.to_owned()), SealingKey::from_seed([1; 32]))
    }

    #[test]
    fn a_key_is_found_by_its_file_when_it_is_asked_for() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let before = ring(dir.path());
        for suite in Suite::ALL {
            let id = ring(dir.path()).make(suite, &mut rng).expect("made").public().key_id();
            let found = before.find(&id).expect("read").expect("found");
            assert_eq!((found.suite(), found.public().key_id()), (suite, id.clone()));
            // Once it was used it stays in memory, until it is said to be destroyed.
            assert!(destroy_file(dir.path(), &id).expect("removed"));
            assert!(!destroy_file(dir.path(), &id).expect("nothing there"));
            assert!(before.find(&id).expect("in memory").is_some());
            before.forget(&id);
            assert!(before.find(&id).expect("read").is_none());
        }
        assert!(before.find(&before.first().public().key_id()).expect("read").is_some());
    }

    #[test]
    fn a_key_whose_file_is_gone_or_another_ones_is_not_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let ring = ring(dir.path());
        let id = ring.make(Suite::Two, &mut ChaCha20Rng::seed_from_u64(3)).expect("made").public().key_id();
        let first = ring.first().public().key_id();
        let (file, aside) = (path_of(dir.path(), &id), dir.path().join("aside"));
        assert!(ring.is_kept(&id) && !ring.is_kept(&first), "the first one has no file here");
        fs::rename(&file, &aside).expect("moved");
        assert!(!ring.is_kept(&id) && ring.find(&id).expect("in memory").is_some());
        fs::write(&file, "1".repeat(64)).expect("written");
        assert!(!ring.is_kept(&id), "another key");
        fs::rename(&aside, &file).expect("back");
        assert!(ring.is_kept(&id));
        fs::write(dir.path().join(FIRST_FILE), "01".repeat(32)).expect("written");
        assert!(ring.is_kept(&first));
    }

    #[test]
    fn a_file_with_another_key_opens_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let ids = [Suite::One, Suite::Two]
            .map(|suite| ring(dir.path()).make(suite, &mut rng).expect("made").public().key_id());
        fs::copy(path_of(dir.path(), &ids[0]), path_of(dir.path(), &ids[1])).expect("copied");
        assert!(matches!(ring(dir.path()).find(&ids[1]), Err(KeyError::OtherSealing { .. })));
        fs::write(path_of(dir.path(), &ids[0]), "short").expect("written");
        assert!(matches!(ring(dir.path()).find(&ids[0]), Err(KeyError::Malformed { .. })));
    }

    #[test]
    fn a_key_whose_file_is_gone_is_offered_to_nobody_until_it_is_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let ring = SealingRing::new(Some(folder.path().to_owned()), key(Suite::One, 1));
        let (first, other) = (key(Suite::One, 1), key(Suite::Two, 2));
        let (first_id, other_id) = (first.public().key_id(), other.public().key_id());
        let write = |name: PathBuf, byte: &str| std::fs::write(name, byte.repeat(32)).expect("written");
        let first_file = folder.path().join(FIRST_FILE);
        write(first_file.clone(), "01");
        write(path_of(folder.path(), &other_id), "02");
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        settle(&mut tx, NOW_MS, &first).expect("settled");
        add(&mut tx, NOW_MS, "a", &other).expect("added");
        put_in_force(&mut tx, NOW_MS, "a", &other_id).expect("in force");
        choose_suite(&mut tx, NOW_MS, "a", Suite::Two).expect("chosen");
        let offered = |tx: &mut Tx<'_>, known: u64| {
            let missing = look_for_files(tx, NOW_MS, &ring).expect("looked");
            (missing, list_after(tx, NOW_MS, known, &ring).expect("read"))
        };
        let (missing, whole) = offered(&mut tx, 0);
        let whole = whole.expect("a list");
        assert_eq!((missing, whole.suite, whole.keys.len()), (Vec::new(), Suite::Two, 2));
        assert_eq!(offered(&mut tx, whole.number).1, None, "nothing has changed");

        std::fs::remove_file(path_of(folder.path(), &other_id)).expect("lost");
        let (missing, left) = offered(&mut tx, whole.number);
        let left = left.expect("terminals hear of it");
        assert_eq!((missing, left.suite, left.is_consistent()), (vec![other_id.clone()], Suite::One, true));
        assert_eq!(
            left.keys.iter().map(|k| k.id.clone()).collect::<Vec<_>>(),
            std::slice::from_ref(&first_id)
        );
        write(first_file.clone(), "07");
        let (missing, none) = offered(&mut tx, 0);
        assert_eq!((missing.len(), none), (2, None), "terminals keep what they have");
        let alarms = "SELECT COUNT(*) FROM alarm WHERE kind = 'sealing.key-missing'";
        assert_eq!(tx.query_int(alarms, &[]).expect("counted"), 2);

        write(first_file, "01");
        write(path_of(folder.path(), &other_id), "02");
        let (missing, back) = offered(&mut tx, left.number);
        let back = back.expect("terminals hear of it");
        assert_eq!((missing, back.suite, back.keys), (Vec::new(), Suite::Two, whole.keys));
    }
}
