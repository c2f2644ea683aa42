//! A power cut at any byte: whatever is left of the write-ahead log, a store holds exactly the commits that lie whole
//! before the first damage; so everything that was synced is there, and nothing half-done. Each store that is left also
//! keeps the rules of the history that was written down until then.
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result, ensure};
use domain::ids::EnvelopeId;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use sync_server::jobs::open_received;
use sync_server::store::{Sqlite, require_current};
use terminal::store::Store;
use tests::centre::Centre;
use tests::device::{courier, header_of, now_ms};
use tests::history::{Broken, CentreView, DiskView, History, Op, check_centre, check_disk, report};
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
    /// The store after each commit; the first one is the beginning.
    states: Vec<State>,
    /// What was seen and promised.
    history: History,
    /// Other files that belong to it.
    beside: Vec<(String, Vec<u8>)>,
}

/// A store after a commit.
struct State {
    /// Length of the log.
    log: usize,
    /// Everything that it holds.
    holds: String,
    /// How many records the history had.
    records: usize,
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
        Self {
            name,
            database: Vec::new(),
            log: Vec::new(),
            states: Vec::new(),
            history: History::default(),
            beside: Vec::new(),
        }
    }

    /// Notes the state after a commit.
    fn note(&mut self, file: &Path) -> Result<()> {
        let length = std::fs::metadata(log_of(file)).map_or(0, |m| m.len());
        let length = usize::try_from(length)?;
        ensure!(self.states.last().is_none_or(|s| s.log < length), "the log does not grow with every commit");
        self.states.push(State { log: length, holds: dump(file)?, records: self.history.0.len() });
        Ok(())
    }

    /// Takes the files as they lie there; the store must still be open, so that nobody tidied up.
    fn take(&mut self, file: &Path) -> Result<()> {
        self.database = std::fs::read(file)?;
        self.log = std::fs::read(log_of(file))?;
        ensure!(self.states.last().is_some_and(|s| s.log == self.log.len()), "the log grew unseen");
        Ok(())
    }

    /// How many commits lie whole in front of this byte of the log.
    fn whole_before(&self, byte: usize) -> usize {
        self.states.iter().rposition(|s| s.log <= byte).unwrap_or(0)
    }

    /// Runs all cases; `open` opens a store as the program does, and gives what it holds and the rules that it breaks.
    fn cut(&self, open: impl Fn(&Path, &History) -> Result<(String, Vec<Broken>)>) -> Result<()> {
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
            let known = self.states.get(expected).map_or(0, |s| s.records);
            let (found, broken) = open(dir.path(), &History(self.history.0[..known].to_vec()))?;
            let which = self.states.iter().position(|s| s.holds == found);
            ensure!(
                which == Some(expected),
                "seed {SEED}, case {case} of {}: damage at byte {damaged} of {}; expected commit {expected}, found {which:?}",
                self.name,
                self.log.len()
            );
            ensure!(broken.is_empty(), "seed {SEED}, case {case} of {}: {}", self.name, report(&broken));
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
        recording.history.note("terminal", Op::Created { id });
        let slip = submit_as(&mut store, person(), id, now_ms(), &mut rng)?;
        recording.history.note("terminal", Op::Slip { id, number: slip.number, digest: slip.digest });
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
    recording.cut(|dir, history| {
        // The real way in, with all its checks; it must never call what a power cut leaves damaged.
        let store = Store::open(dir, now_ms())?;
        let found = dump(&dir.join(terminal::store::DATABASE_FILE))?;
        let broken = check_disk(history, DiskView::read("terminal", dir)?);
        drop(store);
        Ok((found, broken))
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
        let upload = device.seal(&courier())?;
        let header = header_of(&upload)?;
        let (id, number) = (header.envelope_id, header.number.context("a number")?);
        recording.history.note("device", Op::Created { id });
        let result = small_centre::hand_in(&centre, &upload)?;
        ensure!(result.receipt.is_some(), "a receipt");
        recording.history.note("device", Op::Slip { id, number, digest: upload.digest });
        recording.history.note("device", Op::Acked { id });
        recording.note(&file)?;
        ensure!(open_received(&centre, &mut rng, &AtomicBool::new(false))? == 1, "opened in one commit");
        recording.note(&file)?;
    }
    recording.take(&file)?;
    recording.cut(|dir, history| {
        let file = dir.join("server.db");
        let mut store = Sqlite::open(&file)?;
        require_current(&mut store)?;
        let found = dump(&file)?;
        let broken = check_centre(history, &CentreView::read(&mut store)?);
        drop(store);
        Ok((found, broken))
    })
}
