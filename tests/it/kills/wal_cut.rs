//! A power cut at any byte: whatever is left of the write-ahead log, a store holds exactly the commits that lie whole
//! before the first damage; so everything that was synced is there, and nothing half-done.
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Result, ensure};
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use sync_server::jobs::open_received;
use sync_server::store::{Driver as _, Sqlite, require_current};
use terminal::store::Store;
use tests::centre::Centre;
use tests::device::{courier, now_ms};
use tests::storm::dump::dump;
use tests::storm::small_centre;
use tests::submission::{courier as person, submit_as};

/// Cases of each store; half of them cut the log, half of them damage sectors of it.
const CASES: u64 = 1_000;
/// What a disk writes at once.
const SECTOR: usize = 512;
const SEED: u64 = 20_260_101;

/// A store after some commits: its files, and what it held after each of them.
struct Recording {
    name: &'static str,
    database: Vec<u8>,
    log: Vec<u8>,
    /// Length of the log after a commit, and what the store held then; the first one is the beginning.
    states: Vec<(usize, String)>,
    /// Other files that belong to it.
    beside: Vec<(String, Vec<u8>)>,
}

/// Memory is as good as a disk here: what a cut leaves is written by the test itself.
fn folder() -> Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    Ok(if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? })
}

fn log_of(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", file.display()))
}

impl Recording {
    fn new(name: &'static str) -> Self {
        Self { name, database: Vec::new(), log: Vec::new(), states: Vec::new(), beside: Vec::new() }
    }

    /// Notes the state after a commit.
    fn note(&mut self, file: &Path) -> Result<()> {
        let length = std::fs::metadata(log_of(file)).map_or(0, |m| m.len());
        let length = usize::try_from(length)?;
        ensure!(
            self.states.last().is_none_or(|(l, _)| *l < length),
            "the log does not grow with every commit"
        );
        self.states.push((length, dump(file)?));
        Ok(())
    }

    /// Takes the files as they lie there; the store must still be open, so that nobody tidied up.
    fn take(&mut self, file: &Path) -> Result<()> {
        self.database = std::fs::read(file)?;
        self.log = std::fs::read(log_of(file))?;
        ensure!(self.states.last().is_some_and(|(l, _)| *l == self.log.len()), "the log grew unseen");
        Ok(())
    }

    /// How many commits lie whole in front of this byte of the log.
    fn whole_before(&self, byte: usize) -> usize {
        self.states.iter().rposition(|(length, _)| *length <= byte).unwrap_or(0)
    }

    /// Runs all cases; `open` opens a store as the program does and gives what it holds.
    fn cut(&self, open: impl Fn(&Path) -> Result<String>) -> Result<()> {
        let mut rng = ChaCha20Rng::seed_from_u64(SEED);
        for case in 0..CASES {
            let mut log = self.log.clone();
            let damaged = if case % 2 == 0 { cut_off(&mut log, &mut rng) } else { spoil(&mut log, &mut rng) };
            let expected = self.whole_before(damaged);
            let dir = folder()?;
            let file = dir.path().join(self.name);
            std::fs::write(&file, &self.database)?;
            std::fs::write(log_of(&file), &log)?;
            for (name, bytes) in &self.beside {
                std::fs::write(dir.path().join(name), bytes)?;
            }
            let found = open(dir.path())?;
            let which = self.states.iter().position(|(_, state)| *state == found);
            ensure!(
                which == Some(expected),
                "seed {SEED}, case {case} of {}: damage at byte {damaged} of {}; expected commit {expected}, found {which:?}",
                self.name,
                self.log.len()
            );
        }
        Ok(())
    }
}

fn below(rng: &mut ChaCha20Rng, end: usize) -> usize {
    usize::try_from(rng.next_u64() % end as u64).unwrap_or(0)
}

/// The log ends at any byte; gives that byte.
fn cut_off(log: &mut Vec<u8>, rng: &mut ChaCha20Rng) -> usize {
    let at = below(rng, log.len() + 1);
    log.truncate(at);
    at
}

/// Sectors behind a point were not written, or written with something else; gives the first byte that is wrong.
fn spoil(log: &mut [u8], rng: &mut ChaCha20Rng) -> usize {
    let before = log.to_vec();
    let first = below(rng, log.len().div_ceil(SECTOR));
    for sector in first..log.len().div_ceil(SECTOR) {
        // The first sector always; later ones by chance, because a disk writes in any order.
        let kind = if sector == first { 1 + rng.next_u32() % 3 } else { rng.next_u32() % 8 };
        let end = log.len().min((sector + 1) * SECTOR);
        let bytes = &mut log[sector * SECTOR..end];
        match kind {
            1 => bytes.fill(0),
            2 => bytes.iter_mut().for_each(|b| *b ^= 0x55),
            3 => {
                let bit = below(rng, bytes.len());
                bytes[bit] ^= 1 << (rng.next_u32() % 8);
            }
            _ => {}
        }
    }
    // By sectors first: a whole sector is compared at once.
    let sectors = before.chunks(SECTOR).zip(log.chunks(SECTOR));
    let Some(sector) = sectors.enumerate().find_map(|(n, (a, b))| (a != b).then_some(n)) else {
        return log.len();
    };
    let bytes = before.iter().zip(log.iter()).skip(sector * SECTOR).take(SECTOR);
    sector * SECTOR + bytes.enumerate().find_map(|(n, (a, b))| (a != b).then_some(n)).unwrap_or(0)
}

fn terminal_recording(dir: &Path) -> Result<(Recording, Store)> {
    let mut recording = Recording::new(terminal::store::DATABASE_FILE);
    let file = dir.join(terminal::store::DATABASE_FILE);
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let mut store = Store::open(dir, now_ms())?;
    store.save_enrolment(&Centre::default().enrolment()?)?;
    drop(store);
    // Closed and opened, so that the log begins anew.
    let mut store = Store::open(dir, now_ms())?;
    recording.note(&file)?;
    for _ in 0..24 {
        let id = EnvelopeId::new(now_ms(), &mut rng);
        submit_as(&mut store, person(), id, now_ms(), &mut rng)?;
        recording.note(&file)?;
    }
    let due = store.due(now_ms(), 5, usize::MAX)?;
    for (n, row) in due.iter().enumerate() {
        store.send_failed(&row.upload.digest, "the link was cut", n as i64)?;
        recording.note(&file)?;
        store.move_cursor(n as u64 + 1)?;
        recording.note(&file)?;
    }
    recording.take(&file)?;
    recording.beside.push(("device.key".to_owned(), std::fs::read(dir.join("device.key"))?));
    Ok((recording, store))
}

#[test]
fn a_terminal_keeps_exactly_the_commits_before_the_cut() -> Result<()> {
    let dir = folder()?;
    let (recording, _store) = terminal_recording(dir.path())?;
    recording.cut(|dir| {
        // The real way in, with all its checks; it must never call what a power cut leaves damaged.
        let store = Store::open(dir, now_ms())?;
        let found = dump(&dir.join(terminal::store::DATABASE_FILE))?;
        drop(store);
        Ok(found)
    })
}

#[test]
fn the_centre_keeps_exactly_the_commits_before_the_cut() -> Result<()> {
    let dir = folder()?;
    let file = dir.path().join("server.db");
    let mut recording = Recording::new("server.db");
    let mut device = small_centre::enrol_device(&small_centre::open(&file, false)?, 3)?;
    // Closed and opened, so that the log begins anew.
    let centre = small_centre::open(&file, false)?;
    recording.note(&file)?;
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    for _ in 0..14 {
        let result = small_centre::hand_in(&centre, &device.seal(&courier())?)?;
        ensure!(result.receipt.is_some(), "a receipt");
        recording.note(&file)?;
        ensure!(open_received(&centre, &mut rng, &AtomicBool::new(false))? == 1, "opened in one commit");
        recording.note(&file)?;
    }
    recording.take(&file)?;
    recording.cut(|dir| {
        let file = dir.join("server.db");
        let mut store = Sqlite::open(&file)?;
        require_current(&mut store)?;
        ensure!(store.check()?.is_empty(), "not sound");
        let found = dump(&file)?;
        drop(store);
        Ok(found)
    })
}
