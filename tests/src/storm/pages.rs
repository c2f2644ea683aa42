//! Pages that the citizens of a storm give: made here, written down when they are handed in, and looked for afterwards at
//! the centre and on the terminal's disk.
//!
//! A record is one JSON line beside the history, written by the life that saw the commit. Refuses to guess: a file, row
//! or record that cannot be read is an error, never a pass.
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use domain::envelope::Digest;
use domain::ids::EnvelopeId;
use domain::wire::v1::ReceiptBody;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use terminal::store::{CapturedPage, Store, read_status};

use crate::device::now_ms;

/// Bytes of the first page of a submission: more than one piece of an upload.
const LARGE: usize = 300_000;
/// Bytes of the others, at most.
const SMALL: u32 = 20_000;

/// A page that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Given {
    /// Its submission.
    pub id: EnvelopeId,
    /// SHA-256 of its sealed bytes.
    pub digest: Digest,
}

/// How many pages the n-th submission of a life has, from 0: the most first, one fewer each time, after none the most.
pub fn pages_of(submission: u32, most: u32) -> u32 {
    most - submission % (most + 1)
}

/// A page as a scanner would give it; the first one of a submission is large.
pub fn scan(nth: u32, rng: &mut ChaCha20Rng) -> Vec<u8> {
    let small = usize::try_from(1 + rng.next_u32() % SMALL).unwrap_or(1);
    let mut bytes = vec![0; if nth == 0 { LARGE } else { small }];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Where a life with this history writes down its pages.
pub fn beside(history: &Path) -> PathBuf {
    history.with_extension("pages")
}

/// Writes down what was handed in with a submission, in one write, so that a kill leaves whole lines.
///
/// # Errors
/// If it cannot be written.
pub fn note(history: &Path, id: EnvelopeId, pages: &[CapturedPage]) -> Result<()> {
    let mut lines = String::new();
    for page in pages {
        lines.push_str(&serde_json::to_string(&Given { id, digest: page.digest })?);
        lines.push('\n');
    }
    let mut file = OpenOptions::new().create(true).append(true).open(beside(history))?;
    Ok(file.write_all(lines.as_bytes())?)
}

/// Everything that lives with this history wrote down.
///
/// # Errors
/// If a line cannot be read.
pub fn given(history: &Path) -> Result<BTreeSet<Given>> {
    let text = match std::fs::read_to_string(beside(history)) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        other => other?,
    };
    text.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// Checks a centre that nobody writes to, once all was delivered: every page that was handed in is there, its bytes have
/// its digest, no envelope waits for one, and nothing else lies where blobs and uploads lie. Gives how many there are.
///
/// # Errors
/// What is wrong, or what cannot be read.
pub fn check_centre(data: &Path, given: &BTreeSet<Given>) -> Result<usize> {
    let store = open(&data.join("server.db"))?;
    let named = pages(&store, "SELECT envelope_id, digest FROM blob_")?;
    let lost: Vec<_> = given.difference(&named).collect();
    ensure!(lost.is_empty(), "the centre knows nothing of {lost:?}");
    let awaited = pages(&store, "SELECT envelope_id, digest FROM blob_ WHERE arrived_at_ms IS NULL")?;
    ensure!(awaited.is_empty(), "still awaited: {awaited:?}");
    let incomplete: u32 =
        store.query_row("SELECT COUNT(*) FROM envelope WHERE complete = 0", (), |r| r.get(0))?;
    ensure!(incomplete == 0, "{incomplete} envelopes are not complete");
    lie_in(&data.join("blobs"), &named)?;
    let left = std::fs::read_dir(data.join("uploads"))?.count();
    ensure!(left == 0, "{left} files of uploads are left");
    Ok(named.len())
}

/// Checks a terminal that does not run, once all was delivered: every receipt says that nothing is missing, what was handed
/// in is marked as sent, and after a look around its folder holds these pages, whole, and none that nobody handed in.
///
/// # Errors
/// What is wrong, or what cannot be read.
pub fn check_terminal(data: &Path, given: &BTreeSet<Given>) -> Result<()> {
    Store::open(data, now_ms())?.sweep_pages(None)?;
    for row in read_status(data, u32::MAX)? {
        let receipt = row.receipt.with_context(|| format!("no receipt of {}", row.envelope_id))?;
        let body: ReceiptBody = serde_json::from_slice(&receipt.body.0)?;
        ensure!(body.complete, "the receipt of {} says that a page is missing", row.envelope_id);
    }
    let store = open(&data.join(terminal::store::DATABASE_FILE))?;
    let kept = pages(&store, "SELECT envelope_id, digest FROM blob")?;
    let sent = pages(&store, "SELECT envelope_id, digest FROM blob WHERE state = 'sent'")?;
    ensure!(kept == sent, "{} pages are kept, {} were sent", kept.len(), sent.len());
    let lost: Vec<_> = given.difference(&sent).collect();
    ensure!(lost.is_empty(), "the terminal knows nothing of {lost:?}");
    lie_in(&data.join("pages"), &kept)
}

/// How often sending a page failed on a terminal that does not run, all together.
///
/// # Errors
/// If its store cannot be read.
pub fn failures(data: &Path) -> Result<u32> {
    let store = open(&data.join(terminal::store::DATABASE_FILE))?;
    Ok(store.query_row("SELECT COALESCE(SUM(attempts), 0) FROM blob", (), |r| r.get(0))?)
}

fn open(file: &Path) -> Result<Connection> {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| file.display().to_string())
}

fn pages(store: &Connection, sql: &str) -> Result<BTreeSet<Given>> {
    let mut statement = store.prepare(sql)?;
    let mut rows = statement.query(())?;
    let mut found = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let (id, digest): (String, String) = (row.get(0)?, row.get(1)?);
        found.insert(Given { id: id.parse()?, digest: digest.parse()? });
    }
    Ok(found)
}

/// Exactly these pages lie below a folder, each once.
fn lie_in(folder: &Path, expected: &BTreeSet<Given>) -> Result<()> {
    let mut found = Vec::new();
    sound_files(folder, &mut found)?;
    found.sort();
    let mut expected: Vec<String> = expected.iter().map(|g| g.digest.to_string()).collect();
    expected.sort();
    ensure!(found == expected, "{} files for {} pages in {}", found.len(), expected.len(), folder.display());
    Ok(())
}

/// Names of all files below a folder; each must be the digest of what its file holds. What a kill left of a file that was
/// being written (`NAME#1`) takes room and is nothing else.
fn sound_files(folder: &Path, found: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sound_files(&entry.path(), found)?;
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains('#') {
            continue;
        }
        let holds = Digest::of(&std::fs::read(entry.path())?).to_string();
        ensure!(holds == name, "{} holds {holds}", entry.path().display());
        found.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submissions_have_from_none_to_the_most_pages() {
        let counts: Vec<u32> = (0..7).map(|n| pages_of(n, 2)).collect();
        assert_eq!(counts, [2, 1, 0, 2, 1, 0, 2]);
        assert_eq!((0..3).map(|n| pages_of(n, 0)).sum::<u32>(), 0);
    }
}
