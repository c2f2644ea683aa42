//! What a kill leaves in a folder of blobs.
//!
//! `object_store` writes the bytes of a blob into a file of their own, named as the blob with `#` and a number behind, and
//! renames it once they are synced. Nobody but that write knows the file. It counts as left a day after it was written to:
//! another server on the same folder may be writing.
use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{fs, io};

/// Time after which nobody is writing any more.
const OLD: Duration = Duration::from_secs(24 * 3_600);

/// Removes the files; says how many. A folder that is not there has none.
///
/// # Errors
/// The operating system's, if the folder cannot be read or a file not be removed.
pub(super) fn remove(folder: &Path, now: SystemTime) -> io::Result<u64> {
    let mut removed = 0;
    for part in entries(folder)? {
        if !part.file_type()?.is_dir() {
            continue;
        }
        for file in entries(&part.path())? {
            if is_staged(&file.file_name().to_string_lossy()) && is_old(&file, now)? {
                fs::remove_file(file.path())?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

fn is_staged(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn is_old(file: &fs::DirEntry, now: SystemTime) -> io::Result<bool> {
    let written = file.metadata()?.modified()?;
    Ok(now.duration_since(written).is_ok_and(|age| age > OLD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_writes_any_more_is_removed() {
        let dir = tempfile::tempdir().expect("a folder");
        let part = dir.path().join("ab");
        fs::create_dir(&part).expect("made");
        let names = ["abcd", "abcd#1", "abef#20", "abef#x", "ab#"];
        for name in names {
            fs::write(part.join(name), b"bytes").expect("written");
        }
        fs::write(dir.path().join("stray#1"), b"bytes").expect("written");
        let now = SystemTime::now();
        assert_eq!(remove(dir.path(), now).expect("read"), 0, "somebody may be writing");
        assert_eq!(remove(dir.path(), now + OLD * 2).expect("read"), 2);
        let mut left: Vec<_> = entries(&part).expect("read").iter().map(fs::DirEntry::file_name).collect();
        left.sort();
        assert_eq!(left, ["ab#", "abcd", "abef#x"]);
        assert!(dir.path().join("stray#1").exists(), "that is nobody's blob");
        assert_eq!(remove(&dir.path().join("none"), now).expect("nothing there"), 0);
    }
}
