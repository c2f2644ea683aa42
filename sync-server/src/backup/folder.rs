//! The folder of backups: names, a lock, what is left of a backup that was broken off, and which ones are old.
//!
//! Removes only files with names that it gives itself, and never the newest backup.
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use domain::ids::EnvelopeId;
use operator::private;

use super::BackupError;

/// Backups older than this are removed, in days: what was erased is gone from all of them then.
pub const KEEP_DAYS: i64 = 35;
/// Backups that are kept at most.
pub const MAX_KEPT: usize = 1_000;
/// Ends the name of a backup.
const ENDING: &str = ".jbk";
/// Ends the name of one that is being written.
const PARTIAL: &str = ".partial";
/// Begins the name of a backup.
const BEGINNING: &str = "jinban-";
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// The folder, held by this process until it is dropped.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is missing, takes it, and removes what a broken-off backup left.
    pub(super) fn take(path: &Path) -> Result<Self, BackupError> {
        let wrong = |source| BackupError::File { path: path.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(wrong)?;
        let lock = path.join("backup.lock");
        let lock = private::open(File::options().create(true).append(true), &lock).map_err(wrong)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::Busy { path: path.to_owned() }),
            Err(TryLockError::Error(e)) => return Err(wrong(e)),
        }
        for (_, file) in named(path, PARTIAL).map_err(wrong)? {
            fs::remove_file(file).map_err(wrong)?;
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Where the backup with this id is written, and what it is called once it was verified.
    pub(super) fn names(&self, id: &EnvelopeId, made_at_ms: i64) -> (PathBuf, PathBuf) {
        let name = format!("{BEGINNING}{made_at_ms:013}-{id}{ENDING}");
        (self.path.join(format!("{name}{PARTIAL}")), self.path.join(name))
    }

    /// Gives a verified backup its name; after this it outlives a power cut.
    pub(super) fn settle(&self, partial: &Path, whole: &Path) -> io::Result<()> {
        fs::rename(partial, whole)?;
        File::open(&self.path)?.sync_all()
    }

    /// Removes backups that are too old or too many; gives how many.
    pub(super) fn prune(&self, now_ms: i64) -> io::Result<usize> {
        let mut all = named(&self.path, ENDING)?;
        all.sort();
        let newest = all.pop();
        let too_many = all.len().saturating_sub(MAX_KEPT - usize::from(newest.is_some()));
        let oldest_ms = now_ms.saturating_sub(KEEP_DAYS * DAY_MS);
        let mut removed = 0;
        for (place, (made_at_ms, file)) in all.into_iter().enumerate() {
            if made_at_ms < oldest_ms || place < too_many {
                fs::remove_file(file)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// The newest backup of a folder by its name. One that says it was made later than a day from now was made while the clock
/// was wrong, and may be older than others: it is taken only if there is no other.
///
/// # Errors
/// The operating system's, if the folder cannot be read.
pub fn newest(folder: &Path, now_ms: i64) -> io::Result<Option<PathBuf>> {
    let latest_ms = now_ms.saturating_add(DAY_MS);
    let all = named(folder, ENDING)?.into_iter();
    Ok(all
        .max_by_key(|(made_at_ms, file)| (*made_at_ms <= latest_ms, *made_at_ms, file.clone()))
        .map(|(_, file)| file))
}

/// Files with names of backups and this ending, each with its time.
fn named(folder: &Path, ending: &str) -> io::Result<Vec<(i64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let time = name.to_str().and_then(|name| {
            let rest = name.strip_prefix(BEGINNING)?.strip_suffix(ending)?;
            let (time, id) = rest.split_once('-')?;
            let id = id.strip_suffix(ENDING).unwrap_or(id);
            id.parse::<EnvelopeId>().ok()?;
            time.parse::<i64>().ok()
        });
        found.extend(time.map(|time| (time, entry.path())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn old_backups_go_and_the_newest_and_strange_files_stay() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::take(dir.path()).expect("taken");
        assert!(matches!(Folder::take(dir.path()), Err(BackupError::Busy { .. })));
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut make = |days: i64| {
            let id = EnvelopeId::new(days, &mut rng);
            let (partial, whole) = folder.names(&id, days * DAY_MS);
            fs::write(&partial, "x").expect("written");
            folder.settle(&partial, &whole).expect("named");
            whole
        };
        let all: Vec<_> = [1, 2, 40, 41].into_iter().map(&mut make).collect();
        let strange = dir.path().join("jinban-0000000000001-notes.jbk");
        fs::write(&strange, "x").expect("written");
        for (now_ms, expected) in [(41 * DAY_MS, 3), (39 * DAY_MS, 2), (2 * DAY_MS, 1), (-DAY_MS, 3)] {
            assert_eq!(newest(dir.path(), now_ms).expect("read"), Some(all[expected].clone()), "{now_ms}");
        }
        assert_eq!(folder.prune(41 * DAY_MS).expect("pruned"), 2);
        let there: Vec<bool> = all.iter().map(|file| file.exists()).collect();
        assert_eq!((there, strange.exists()), (vec![false, false, true, true], true));
        assert_eq!(folder.prune(999 * DAY_MS).expect("pruned"), 1, "the newest stays, however old");
        fs::write(all[3].with_extension("jbk.partial"), "x").expect("written");
        drop(folder);
        Folder::take(dir.path()).expect("taken again");
        assert!(!all[3].with_extension("jbk.partial").exists() && all[3].exists());
    }
}
