//! Room on the disk: a reserve that is held before anybody begins, and how full the disk is.
//!
//! The reserve is a file that takes its room for real. If the disk fills up while somebody fills in a form, the reserve is
//! let go so that the text can still be saved; then nobody begins anything new until it is held again.
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use operator::private;

use super::{Store, StoreError};

/// Name of the reserve beside the database.
pub const RESERVE_FILE: &str = "reserve";
/// Bytes of the reserve: some dozens of submissions with their drafts and the log.
pub const RESERVE_BYTES: u64 = 8 * 1024 * 1024;
/// From this share of the disk on somebody has to look, percent.
pub const WARN_PERCENT: u8 = 70;
/// From this share on only text is taken, percent.
pub const TEXT_ONLY_PERCENT: u8 = 95;

/// Says how full the disk of a folder is, percent; none if the system does not say.
pub(super) type Measure = fn(&Path) -> Option<u8>;

/// How full the disk of a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fullness {
    /// There is room.
    Roomy,
    /// Somebody has to look.
    Filling,
    /// Only text is taken: no new attachments.
    TextOnly,
}

impl Fullness {
    /// By the share that is taken, percent.
    pub fn of(percent: u8) -> Self {
        match percent {
            0..WARN_PERCENT => Self::Roomy,
            WARN_PERCENT..TEXT_ONLY_PERCENT => Self::Filling,
            _ => Self::TextOnly,
        }
    }
}

impl Store {
    /// Holds the reserve; nothing to do if it is held.
    ///
    /// # Errors
    /// [`StoreError::Full`] if there is no room for it.
    pub fn hold_reserve(&self) -> Result<(), StoreError> {
        hold(&self.directory().join(RESERVE_FILE))
    }

    /// Lets the reserve go, so that what is being saved finds room; says whether there was one.
    pub fn let_reserve_go(&self) -> bool {
        fs::remove_file(self.directory().join(RESERVE_FILE)).is_ok()
    }

    /// How full the disk is; none if the system does not say.
    pub fn fullness(&self) -> Option<Fullness> {
        (self.measure)(self.directory()).map(Fullness::of)
    }
}

/// The share of the disk that is taken, as those see it who are not root; none if the system does not say.
pub fn used_percent(directory: &Path) -> Option<u8> {
    let room = rustix::fs::statvfs(directory).ok()?;
    let used = room.f_blocks.saturating_sub(room.f_bfree);
    let all = used.saturating_add(room.f_bavail);
    // Rounded up: a disk that is nearly full is not called less full than it is.
    let percent = used.saturating_mul(100).div_ceil(all.max(1));
    u8::try_from(percent.min(100)).ok()
}

fn hold(path: &Path) -> Result<(), StoreError> {
    if fs::metadata(path).is_ok_and(|m| m.len() >= RESERVE_BYTES) {
        return Ok(());
    }
    let taken = take(path);
    if taken.is_err() {
        // Half a reserve is none, and in the way.
        let _ = fs::remove_file(path);
    }
    taken.map_err(|e| {
        let full = matches!(e.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
        if full { StoreError::Full } else { StoreError::Io(e) }
    })
}

fn take(path: &Path) -> std::io::Result<()> {
    let how = &mut File::options();
    let mut file = private::open(how.write(true).create(true).truncate(true), path)?;
    if rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, RESERVE_BYTES).is_err() {
        // A file system that cannot: written in full, and by that refused where there is no room.
        let zeros = [0; 64 * 1024];
        for _ in 0..RESERVE_BYTES / zeros.len() as u64 {
            file.write_all(&zeros)?;
        }
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_are_at_seventy_and_ninety_five() {
        let table = [
            (0, Fullness::Roomy),
            (69, Fullness::Roomy),
            (70, Fullness::Filling),
            (94, Fullness::Filling),
            (95, Fullness::TextOnly),
            (100, Fullness::TextOnly),
        ];
        for (percent, fullness) in table {
            assert_eq!(Fullness::of(percent), fullness, "{percent}");
        }
    }

    #[test]
    fn the_reserve_takes_its_room_and_gives_it_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("a store");
        store.hold_reserve().expect("room");
        store.hold_reserve().expect("held");
        let reserve = fs::metadata(folder.path().join(RESERVE_FILE)).expect("a file");
        use std::os::unix::fs::MetadataExt as _;
        assert!(reserve.len() >= RESERVE_BYTES && reserve.blocks() * 512 >= RESERVE_BYTES, "taken for real");
        assert!(store.let_reserve_go() && !store.let_reserve_go());
        fs::write(folder.path().join(RESERVE_FILE), "half").expect("written");
        store.hold_reserve().expect("made whole");
        assert!(store.fullness().is_some());
    }
}
