//! The journal of erasures: an append-only file outside of the store and of its backups, so that a restored centre erases
//! again what had been erased, and keeps what had been put on hold since.
//!
//! A line each: what, when, why; no personal data. Written and synced in the transaction that erases or holds, before its
//! COMMIT: the order of lines is the order in which things happened, and of one case the last line counts. Between the
//! lines of several journals their times decide, not which file is read first. Refuses a journal that was changed in its
//! middle, and to make a copy shorter.
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use domain::ids::EnvelopeId;
use operator::private;
use serde::{Deserialize, Serialize};

use crate::services::erasure::Erasure;

/// Name of the journal in the data folder, and of its copies beside backups.
pub const FILE: &str = "erasures.journal";
/// Bytes of a line, at most.
const MAX_LINE: u64 = 1_024;

/// The journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("the journal of erasures {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A line says nothing that this program wrote.
    #[error("line {line} of the journal of erasures {path} cannot be read: restore the file from its copy")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
}

/// A hold that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What is kept whatever its time says.
    pub envelope_id: EnvelopeId,
    /// Since when, milliseconds since 1970.
    pub held_ms: i64,
}

/// A line of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// Something was to be erased; if a kill came between, it was not yet.
    Erased(Erasure),
    /// Something was put on hold, and so was not erased before.
    Held(Hold),
}

impl Line {
    fn envelope_id(&self) -> EnvelopeId {
        match self {
            Self::Erased(erasure) => erasure.envelope_id,
            Self::Held(hold) => hold.envelope_id,
        }
    }

    fn at_ms(&self) -> i64 {
        match self {
            Self::Erased(erasure) => erasure.at_ms,
            Self::Held(hold) => hold.held_ms,
        }
    }
}

/// What a journal says in the end: of one case the last line counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// To be erased.
    pub erased: Vec<Erasure>,
    /// To be kept. That a hold was ended stands in no journal: who restores ends it once more.
    pub held: Vec<Hold>,
}

impl Standing {
    /// Of the lines of a journal.
    pub fn of(lines: &[Line]) -> Self {
        let (mut standing, mut seen) = (Self::default(), BTreeSet::new());
        for line in lines.iter().rev() {
            if seen.insert(line.envelope_id()) {
                match line {
                    Line::Erased(erasure) => standing.erased.push(*erasure),
                    Line::Held(hold) => standing.held.push(*hold),
                }
            }
        }
        standing.erased.reverse();
        standing.held.reverse();
        standing
    }
}

/// Appends lines and waits until they survive a power cut. What a broken-off append left is cut away first.
///
/// # Errors
/// [`JournalError`]; then nothing may be erased or held.
pub fn append(path: &Path, lines: &[Line]) -> Result<(), JournalError> {
    let wrong = |source| JournalError::File { path: path.to_owned(), source };
    let new = !path.exists();
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).map_err(|e| wrong(e.into()))?;
        text.push(b'\n');
    }
    let mut how = File::options();
    let how = how.read(true).write(true).create(true).truncate(false);
    let mut file = private::open(how, path).map_err(wrong)?;
    let end = whole_lines(&mut file).map_err(wrong)?;
    file.set_len(end).map_err(wrong)?;
    file.seek(SeekFrom::Start(end)).map_err(wrong)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(wrong)?;
    if new {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|f| f.sync_all()).map_err(wrong)?;
    }
    Ok(())
}

/// Where the last whole line ends.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let begin = length.saturating_sub(MAX_LINE);
    file.seek(SeekFrom::Start(begin))?;
    let mut tail = Vec::new();
    file.take(MAX_LINE).read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|b| *b == b'\n').map_or(0, |at| at as u64 + 1);
    Ok(if end == 0 && begin > 0 { length } else { begin + end })
}

/// All lines; none if there is no journal. A last line that was broken off says nothing: what it meant had not been done.
///
/// # Errors
/// [`JournalError`] if the file cannot be read, or has a line that is none.
pub fn read(path: &Path) -> Result<Vec<Line>, JournalError> {
    Ok(read_text(path)?.into_iter().map(|(line, _)| line).collect())
}

/// As [`read`], each line with its bytes.
fn read_text(path: &Path) -> Result<Vec<(Line, Vec<u8>)>, JournalError> {
    let wrong = |source| JournalError::File { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(wrong(e)),
    };
    let mut input = BufReader::new(file);
    let (mut all, mut line) = (Vec::new(), 0);
    loop {
        let mut text = Vec::new();
        line += 1;
        input.by_ref().take(MAX_LINE).read_until(b'\n', &mut text).map_err(wrong)?;
        let Some(whole) = text.strip_suffix(b"\n") else {
            let broken_off = text.len() < MAX_LINE as usize;
            return if broken_off {
                Ok(all)
            } else {
                Err(JournalError::Malformed { path: path.to_owned(), line })
            };
        };
        let read = serde_json::from_slice(whole)
            .map_err(|_| JournalError::Malformed { path: path.to_owned(), line })?;
        all.push((read, text));
    }
}

/// The lines of several journals by their times, those of a copy once. Of one case the lines of one journal stay as they
/// stand: a clock that was set back between them does not turn them round.
fn gather(journals: &[&Path]) -> Result<Vec<(Line, Vec<u8>)>, JournalError> {
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    for path in journals {
        let (lines, mut newest) = (read_text(path)?, BTreeMap::new());
        let texts: Vec<_> = lines.iter().map(|(_, text)| text.clone()).collect();
        for (line, text) in lines {
            let since_ms = newest.entry(line.envelope_id()).or_insert(i64::MIN);
            *since_ms = line.at_ms().max(*since_ms);
            if !seen.contains(&text) {
                all.push((*since_ms, (line, text)));
            }
        }
        seen.extend(texts);
    }
    all.sort_by_key(|(since_ms, _)| *since_ms);
    Ok(all.into_iter().map(|(_, line)| line).collect())
}

/// The lines of several journals, of which none need be there, in the order of their times.
///
/// # Errors
/// [`JournalError`] as [`read`].
pub fn read_all(journals: &[&Path]) -> Result<Vec<Line>, JournalError> {
    Ok(gather(journals)?.into_iter().map(|(line, _)| line).collect())
}

/// Brings the lines of several journals into one of them, in the order of [`read_all`], whole or not at all. No line that
/// stands there is lost.
///
/// # Errors
/// [`JournalError`] if one of them cannot be read, or this one not be written.
pub fn bring(journals: &[&Path], to: &Path) -> Result<(), JournalError> {
    let all = gather(&[journals, &[to]].concat())?;
    if all == read_text(to)? {
        return Ok(());
    }
    let wrong = |source| JournalError::File { path: to.to_owned(), source };
    let text: Vec<u8> = all.into_iter().flat_map(|(_, text)| text).collect();
    let temporary = to.with_extension("new");
    let how = &mut File::options();
    let how = how.write(true).create(true).truncate(true);
    let mut file = private::open(how, &temporary).map_err(wrong)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(wrong)?;
    fs::rename(&temporary, to).map_err(wrong)?;
    let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(wrong)
}

/// Puts a copy into a folder, whole or not at all, if there is a journal. A copy that has lines of its own keeps them: the
/// journal may be a new one, of a centre that was restored without it.
///
/// # Errors
/// [`JournalError`] if it cannot be copied.
pub fn copy(path: &Path, folder: &Path) -> Result<(), JournalError> {
    let to = folder.join(FILE);
    bring(&[&to, path], &to)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::services::erasure::Why;

    fn id(n: i64) -> EnvelopeId {
        EnvelopeId::new(n, &mut ChaCha20Rng::seed_from_u64(n.unsigned_abs()))
    }

    fn erasure(n: i64) -> Line {
        let why = if n % 2 == 0 { Why::Retention } else { Why::Request };
        Line::Erased(Erasure { envelope_id: id(n), at_ms: n, why })
    }

    fn hold(n: i64) -> Line {
        Line::Held(Hold { envelope_id: id(n), held_ms: n })
    }

    #[test]
    fn of_one_case_the_last_line_counts() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join(FILE);
        let lines = [erasure(1), hold(1), erasure(2), hold(3), erasure(3)];
        append(&path, &lines).expect("appended");
        assert_eq!(read(&path).expect("read"), lines);
        let Standing { erased, held } = Standing::of(&lines);
        assert_eq!(erased.iter().map(|e| Line::Erased(*e)).collect::<Vec<_>>(), [erasure(2), erasure(3)]);
        assert_eq!(held.iter().map(|h| Line::Held(*h)).collect::<Vec<_>>(), [hold(1)]);
    }

    #[test]
    fn between_journals_the_time_decides_and_within_one_the_order_of_lines() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        let held = |n, held_ms| Line::Held(Hold { envelope_id: id(n), held_ms });
        let erased = |n, at_ms| Line::Erased(Erasure { envelope_id: id(n), at_ms, why: Why::Retention });
        // 1: held, then its hold was over and it was erased, elsewhere in between. 2: the other way round. 3: a clock was
        // set back between two lines of one journal. 4: a clock ran ahead, which says nothing of 6. 5: all at one time.
        append(&one, &[held(1, 10), erased(4, 990), erased(2, 20), held(2, 40), erased(3, 90), held(3, 5)])
            .expect("appended");
        append(&one, &[erased(5, 7), held(5, 7), erased(5, 7), erased(6, 20)]).expect("appended");
        append(&other, &[held(1, 20), erased(1, 30), erased(2, 30), erased(3, 60), held(6, 30)])
            .expect("appended");
        for journals in [[&*one, &*other], [&*other, &*one]] {
            let lines = read_all(&journals).expect("read");
            let Standing { erased, held } = Standing::of(&lines);
            let erased: Vec<_> = erased.iter().map(|e| e.envelope_id).collect();
            let held: Vec<_> = held.iter().map(|h| h.envelope_id).collect();
            assert_eq!(
                (erased, held),
                (vec![id(5), id(1), id(4)], vec![id(6), id(2), id(3)]),
                "{journals:?}"
            );
            assert_eq!(lines.len(), 15);
        }
        // What was brought together says the same, and once more changes nothing.
        let all = dir.path().join("all");
        let standing = Standing::of(&read_all(&[&one, &other]).expect("read"));
        for _ in 0..2 {
            bring(&[&other, &one], &all).expect("brought");
            assert_eq!(Standing::of(&read(&all).expect("read")), standing);
        }
    }

    #[test]
    fn a_shorter_journal_never_takes_lines_from_a_copy() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (full, short) = (dir.path().join("full"), dir.path().join("short"));
        let copies = tempfile::tempdir().expect("a temporary folder");
        append(&full, &[erasure(1), erasure(2)]).expect("appended");
        copy(&full, copies.path()).expect("copied");
        append(&short, &[erasure(3), erasure(1)]).expect("appended");
        let copied = copies.path().join(FILE);
        for _ in 0..2 {
            copy(&short, copies.path()).expect("copied");
            assert_eq!(read(&copied).expect("read"), [erasure(1), erasure(2), erasure(3)]);
        }
        assert_eq!(read_all(&[&copied, &short]).expect("read").len(), 3);
        copy(&dir.path().join("none"), copies.path()).expect("nothing to copy");
        assert_eq!(read(&copied).expect("read").len(), 3);
        // As a restore does: what was copied is older than what a new journal says.
        bring(&[&copied, &short], &short).expect("brought");
        assert_eq!(read(&short).expect("read"), [erasure(1), erasure(2), erasure(3)]);
    }

    #[test]
    fn what_was_appended_is_read_and_a_broken_end_is_cut_away() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join(FILE);
        assert_eq!(read(&path).expect("none"), []);
        append(&path, &[erasure(1), erasure(2)]).expect("appended");
        let whole = fs::read(&path).expect("read");
        for cut in whole.len() / 2 + 1..whole.len() {
            fs::write(&path, &whole[..cut]).expect("cut");
            assert_eq!(read(&path).expect("read"), [erasure(1)], "{cut}");
            append(&path, &[erasure(3)]).expect("appended");
            assert_eq!(read(&path).expect("read"), [erasure(1), erasure(3)], "{cut}");
        }
        let many: Vec<_> = (4..203).map(erasure).collect();
        append(&path, &many).expect("appended");
        assert_eq!(read(&path).expect("read").len(), 201);
        let copies = tempfile::tempdir().expect("a temporary folder");
        copy(&path, copies.path()).expect("copied");
        assert_eq!(read(&copies.path().join(FILE)).expect("read"), read(&path).expect("read"));
    }

    #[test]
    fn a_journal_that_was_changed_in_its_middle_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join(FILE);
        append(&path, &[erasure(1), erasure(2), erasure(3)]).expect("appended");
        let text = fs::read_to_string(&path).expect("read").replacen("at_ms", "at", 2);
        fs::write(&path, text).expect("changed");
        assert!(matches!(read(&path), Err(JournalError::Malformed { line: 1, .. })));
        fs::write(&path, "x".repeat(5_000)).expect("changed");
        assert!(read(&path).is_err());
    }
}
