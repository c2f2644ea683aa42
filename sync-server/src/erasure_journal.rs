//! The journal of erasures: an append-only file outside of the store and of its backups, so that a restored centre erases
//! again what had been erased.
//!
//! A line each: what, when, why; no personal data. Written and synced before anything is erased. Refuses a journal that
//! was changed in its middle.
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use operator::private;

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

/// Appends erasures and waits until they survive a power cut. What a broken-off append left is cut away first.
///
/// # Errors
/// [`JournalError`]; then nothing may be erased.
pub fn append(path: &Path, erasures: &[Erasure]) -> Result<(), JournalError> {
    let wrong = |source| JournalError::File { path: path.to_owned(), source };
    let new = !path.exists();
    let mut text = Vec::new();
    for erasure in erasures {
        serde_json::to_writer(&mut text, erasure).map_err(|e| wrong(e.into()))?;
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

/// Everything that was ever erased; nothing if there is no journal. A last line that was broken off says nothing: what
/// it meant had not been erased.
///
/// # Errors
/// [`JournalError`] if the file cannot be read, or has a line that is none.
pub fn read(path: &Path) -> Result<Vec<Erasure>, JournalError> {
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
        let erasure = serde_json::from_slice(whole)
            .map_err(|_| JournalError::Malformed { path: path.to_owned(), line })?;
        all.push(erasure);
    }
}

/// Puts a copy into a folder, whole or not at all, if there is a journal.
///
/// # Errors
/// [`JournalError`] if it cannot be copied.
pub fn copy(path: &Path, folder: &Path) -> Result<(), JournalError> {
    let to = folder.join(FILE);
    if !path.exists() || path == to {
        return Ok(());
    }
    let wrong = |source| JournalError::File { path: to.clone(), source };
    let temporary = to.with_extension("new");
    fs::copy(path, &temporary).map_err(wrong)?;
    private::close(&temporary).map_err(wrong)?;
    File::open(&temporary).and_then(|f| f.sync_all()).map_err(wrong)?;
    fs::rename(&temporary, &to).map_err(wrong)?;
    File::open(folder).and_then(|f| f.sync_all()).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use domain::ids::EnvelopeId;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::services::erasure::Why;

    fn erasure(n: i64) -> Erasure {
        let envelope_id = EnvelopeId::new(n, &mut ChaCha20Rng::seed_from_u64(n.unsigned_abs()));
        Erasure { envelope_id, at_ms: n, why: if n % 2 == 0 { Why::Retention } else { Why::Request } }
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
        let many: Vec<_> = (1..200).map(erasure).collect();
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
