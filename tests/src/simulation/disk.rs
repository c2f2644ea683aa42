//! Simulated disks: a folder of real files whose writes can be lost, refused, slow, or end in the middle.
//!
//! What was written and not synced is kept beside, so that a power cut can take it back. The files themselves are
//! SQLite's; keys beside them are written once before any harm begins. Disks belong to the thread of their simulation.
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, Result};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// What a disk writes at once, in bytes.
const SECTOR: usize = 512;

thread_local! {
    static DISKS: RefCell<Vec<(String, Rc<RefCell<State>>)>> = const { RefCell::new(Vec::new()) };
    static RANDOM: RefCell<Option<ChaCha20Rng>> = const { RefCell::new(None) };
}

/// Why a disk does not do what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It has no room.
    Full,
    /// It failed, or the machine is without power.
    Broken,
}

/// How a machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The process: what it wrote is in the system's memory and stays.
    Kill,
    /// The power: what was not synced is lost, but for the first so many writes of each file and a part of the next.
    PowerCut {
        /// Writes that reached the disk nevertheless.
        survive: usize,
        /// Sectors of the next one that did.
        sectors: usize,
    },
}

/// A write that was not synced: what it covered.
struct Unsynced {
    offset: u64,
    before: Vec<u8>,
    /// How long the file was, where the write or cut may have changed that.
    size_before: Option<u64>,
    length: usize,
}

#[derive(Default)]
struct State {
    dead: bool,
    full: bool,
    /// Changes until it is dead.
    dies_after: Option<u32>,
    /// Reads until it is dead.
    dies_after_reads: Option<u32>,
    /// Syncs that will fail.
    failing_syncs: u32,
    /// What a sync takes, milliseconds.
    slow_ms: u64,
    taken_ms: u64,
    unsynced: BTreeMap<String, Vec<Unsynced>>,
}

/// One disk: everything below a folder.
pub struct Disk {
    folder: PathBuf,
    state: Rc<RefCell<State>>,
}

impl Disk {
    /// A disk for a folder, which is made.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let state = Rc::new(RefCell::new(State::default()));
        DISKS.with_borrow_mut(|disks| disks.push((format!("{}/", folder.display()), state.clone())));
        Ok(Self { folder, state })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether its machine is without power: whoever used it is gone.
    pub fn is_dead(&self) -> bool {
        self.state.borrow().dead
    }

    /// It dies after so many changes more.
    pub fn die_after(&self, changes: u32) {
        self.state.borrow_mut().dies_after = Some(changes);
    }

    /// It dies after so many reads more: while somebody finds out what an end before left.
    pub fn die_after_reads(&self, reads: u32) {
        self.state.borrow_mut().dies_after_reads = Some(reads);
    }

    /// Nothing can be written.
    pub fn set_full(&self, full: bool) {
        self.state.borrow_mut().full = full;
    }

    /// The next syncs fail.
    pub fn fail_syncs(&self, syncs: u32) {
        self.state.borrow_mut().failing_syncs = syncs;
    }

    /// Every sync takes so long, milliseconds.
    pub fn set_slow(&self, slow_ms: u64) {
        self.state.borrow_mut().slow_ms = slow_ms;
    }

    /// Nothing befalls it any more.
    pub fn set_calm(&self) {
        let mut state = self.state.borrow_mut();
        *state = State { unsynced: std::mem::take(&mut state.unsynced), ..State::default() };
    }

    /// How long its syncs took since this was asked last, milliseconds.
    pub fn taken_ms(&self) -> u64 {
        std::mem::take(&mut self.state.borrow_mut().taken_ms)
    }

    /// Ends its machine at once; nobody may use its files meanwhile.
    pub fn die(&self) {
        self.state.borrow_mut().dead = true;
    }

    /// Gives it power again after everything that used it is gone; says how many writes were lost.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn revive(&self, end: End) -> Result<usize> {
        let mut state = self.state.borrow_mut();
        let unsynced = std::mem::take(&mut state.unsynced);
        let slow_ms = state.slow_ms;
        *state = State { slow_ms, full: state.full, ..State::default() };
        let End::PowerCut { survive, sectors } = end else { return Ok(0) };
        let mut lost = 0;
        for (path, writes) in unsynced {
            lost += take_back(Path::new(&path), &writes, survive, sectors)?;
        }
        Ok(lost)
    }

    /// Copies its store, log included, as it lies there between two events.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn copy_to(&self, store: &str, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        for name in [store.to_owned(), format!("{store}-wal")] {
            let to = folder.join(&name);
            match std::fs::copy(self.folder.join(&name), &to) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => drop(std::fs::remove_file(&to)),
                other => drop(other.with_context(|| name)?),
            }
        }
        Ok(())
    }

    /// Puts a copied store in place of its own, which nobody may use meanwhile.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn restore_from(&self, store: &str, folder: &Path) -> Result<()> {
        for name in [store.to_owned(), format!("{store}-wal"), format!("{store}-shm")] {
            let own = self.folder.join(&name);
            let _ = std::fs::remove_file(&own);
            if folder.join(&name).exists() {
                std::fs::copy(folder.join(&name), own).with_context(|| name)?;
            }
        }
        self.state.borrow_mut().unsynced.clear();
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        DISKS.with_borrow_mut(|disks| disks.retain(|(_, state)| !Rc::ptr_eq(state, &self.state)));
    }
}

/// Takes back what a file got since its last sync; gives how many writes were lost.
fn take_back(path: &Path, writes: &[Unsynced], survive: usize, sectors: usize) -> Result<usize> {
    let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else { return Ok(0) };
    let kept = survive.min(writes.len());
    for (place, write) in writes.iter().enumerate().skip(kept).rev() {
        let torn = if place == kept { (sectors * SECTOR).min(write.length) } else { 0 };
        let mut survived = vec![0; torn];
        let read = file.read_at(&mut survived, write.offset)?;
        survived.truncate(read);
        if let Some(size) = write.size_before {
            file.set_len(size)?;
        }
        file.write_all_at(&write.before, write.offset)?;
        file.write_all_at(&survived, write.offset)?;
    }
    Ok(writes.len() - kept)
}

/// A file of SQLite's on a simulated disk.
pub struct DiskFile {
    path: String,
    state: Rc<RefCell<State>>,
    /// To read what a write will cover.
    file: Option<File>,
}

/// The file with this path, if it lies on a disk of this thread.
pub fn find(path: &str) -> Option<DiskFile> {
    let state = DISKS.with_borrow(|disks| {
        disks.iter().find(|(folder, _)| path.starts_with(folder.as_str())).map(|(_, s)| s.clone())
    })?;
    Some(DiskFile { path: path.to_owned(), state, file: File::open(path).ok() })
}

/// Random bytes of the simulation on this thread; false if there is none.
pub fn random(bytes: &mut [u8]) -> bool {
    RANDOM.with_borrow_mut(|random| random.as_mut().map(|rng| rng.fill_bytes(bytes)).is_some())
}

/// Where SQLite's random bytes come from on this thread; the system's if nowhere.
pub fn set_random(seed: Option<u64>) {
    RANDOM.set(seed.map(ChaCha20Rng::seed_from_u64));
}

impl DiskFile {
    /// Where it lies.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Before bytes are written.
    ///
    /// # Errors
    /// [`Refused`]; so do all below.
    pub fn before_write(&self, offset: i64, length: i64) -> Result<(), Refused> {
        self.change(true)?;
        self.remember(u64::try_from(offset).unwrap_or(0), usize::try_from(length).unwrap_or(0), false)
    }

    /// Before bytes are read.
    pub fn before_read(&self) -> Result<(), Refused> {
        let mut state = self.state.borrow_mut();
        if state.dies_after_reads == Some(0) {
            state.dead = true;
        }
        state.dies_after_reads = state.dies_after_reads.map(|left| left.saturating_sub(1));
        if state.dead { Err(Refused::Broken) } else { Ok(()) }
    }

    /// Before the file is made shorter.
    pub fn before_truncate(&self, size: i64) -> Result<(), Refused> {
        self.change(false)?;
        let size = u64::try_from(size).unwrap_or(0);
        let length = self.size()?.saturating_sub(size);
        self.remember(size, usize::try_from(length).unwrap_or(0), true)
    }

    /// Before the file is deleted.
    pub fn before_delete(&self) -> Result<(), Refused> {
        self.change(false)?;
        self.state.borrow_mut().unsynced.remove(&self.path);
        Ok(())
    }

    /// What was written stays from now on.
    pub fn sync(&self) -> Result<(), Refused> {
        self.change(false)?;
        let mut state = self.state.borrow_mut();
        state.taken_ms += state.slow_ms;
        if state.failing_syncs > 0 {
            state.failing_syncs -= 1;
            return Err(Refused::Broken);
        }
        state.unsynced.remove(&self.path);
        Ok(())
    }

    fn change(&self, needs_room: bool) -> Result<(), Refused> {
        let mut state = self.state.borrow_mut();
        if state.dies_after == Some(0) {
            state.dead = true;
        }
        if state.dead {
            return Err(Refused::Broken);
        }
        state.dies_after = state.dies_after.map(|left| left.saturating_sub(1));
        if needs_room && state.full { Err(Refused::Full) } else { Ok(()) }
    }

    fn size(&self) -> Result<u64, Refused> {
        let file = self.file.as_ref().ok_or(Refused::Broken)?;
        Ok(file.metadata().map_err(|_| Refused::Broken)?.len())
    }

    fn remember(&self, offset: u64, length: usize, resizes: bool) -> Result<(), Refused> {
        let file = self.file.as_ref().ok_or(Refused::Broken)?;
        let mut before = vec![0; length];
        let covered = file.read_at(&mut before, offset).map_err(|_| Refused::Broken)?;
        before.truncate(covered);
        // A write within the file leaves it as long as it is.
        let size_before = if resizes || covered < length { Some(self.size()?) } else { None };
        let mut state = self.state.borrow_mut();
        let writes = state.unsynced.entry(self.path.clone()).or_default();
        writes.push(Unsynced { offset, before, size_before, length });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::simulation::vfs;

    fn disk() -> (tempfile::TempDir, Disk) {
        vfs::install();
        let folder = tempfile::tempdir().expect("a folder");
        let disk = Disk::new(folder.path()).expect("a disk");
        (folder, disk)
    }

    fn open(disk: &Disk, synchronous: &str) -> Connection {
        let connection = Connection::open(disk.folder().join("t.db")).expect("open");
        connection.pragma_update(None, "journal_mode", "WAL").expect("WAL");
        connection.pragma_update(None, "synchronous", synchronous).expect("synchronous");
        connection
    }

    /// Rows that are there after one was committed and the machine ended.
    fn kept(synchronous: &str, end: End) -> i64 {
        let (_folder, disk) = disk();
        let connection = open(&disk, synchronous);
        connection.execute_batch("CREATE TABLE t (n); PRAGMA wal_checkpoint(TRUNCATE)").expect("a table");
        connection.execute("INSERT INTO t VALUES (1)", []).expect("a row");
        disk.die();
        assert!(connection.execute("INSERT INTO t VALUES (2)", []).is_err(), "nobody writes without power");
        drop(connection);
        disk.revive(end).expect("power");
        let count = "SELECT COUNT(*) FROM t";
        open(&disk, "FULL").query_row(count, [], |r| r.get(0)).expect("a sound store")
    }

    #[test]
    fn a_power_cut_takes_what_was_not_synced_and_a_kill_takes_nothing() {
        let cut = End::PowerCut { survive: 0, sectors: 0 };
        assert_eq!([kept("FULL", cut), kept("NORMAL", cut), kept("NORMAL", End::Kill)], [1, 0, 1]);
        // Eight sectors are the whole page: nothing would be torn.
        for sectors in 1..8 {
            let torn = End::PowerCut { survive: 1, sectors };
            assert_eq!([kept("FULL", torn), kept("NORMAL", torn)], [1, 0], "{sectors}");
        }
    }

    #[test]
    fn a_disk_that_is_full_or_fails_says_so_and_goes_on() {
        let (_folder, disk) = disk();
        let connection = open(&disk, "FULL");
        connection.execute_batch("CREATE TABLE t (n)").expect("a table");
        let insert = || connection.execute("INSERT INTO t VALUES (1)", []).is_ok();
        disk.set_full(true);
        assert!(!insert());
        disk.set_full(false);
        disk.fail_syncs(1);
        assert!(!insert());
        assert!(insert());
        disk.set_slow(30);
        assert!(insert());
        assert!(disk.taken_ms() >= 30 && disk.taken_ms() == 0);
        disk.die_after(1);
        assert!(!insert() && disk.is_dead());
    }
}
