//! Files and folders for their owner only: what a program keeps is nobody else's business on the machine.
//!
//! Refuses to change the mode of what belongs to somebody else, and of a folder that everybody shares, such as `/tmp`.
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::Mode;

/// What others may do, of a mode.
const OTHERS: u32 = 0o077;
/// The mark of a folder that everybody shares.
const SHARED: u32 = 0o1000;

/// Whatever this process makes from now on is for its owner only, also what libraries make.
pub fn from_now_on() {
    rustix::process::umask(Mode::from_raw_mode(OTHERS));
}

/// Makes a folder for its owner only; one that is there is closed to others if it is ours.
///
/// # Errors
/// The operating system's, if it cannot be made or closed.
pub fn folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    close(path).map(|_| ())
}

/// Opens a file for writing as `how` says; one that is made is for its owner only.
///
/// # Errors
/// The operating system's.
pub fn open(how: &mut OpenOptions, path: &Path) -> io::Result<File> {
    how.mode(0o600).open(path)
}

/// Takes from others what they may do with a file or folder that is there and ours; says whether there was something.
///
/// # Errors
/// The operating system's, if the mode cannot be set. Nothing is done, and no error, where there is nothing.
pub fn close(path: &Path) -> io::Result<bool> {
    let Some(about) = about(path)? else { return Ok(false) };
    let mode = about.permissions().mode();
    let ours = about.uid() == rustix::process::geteuid().as_raw();
    if mode & OTHERS == 0 || mode & SHARED != 0 || !ours {
        return Ok(false);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o777 & !OTHERS))?;
    Ok(true)
}

/// The mode of a file or folder that others may do something with; none if they may not, or if it is not there.
///
/// # Errors
/// The operating system's.
pub fn open_to_others(path: &Path) -> io::Result<Option<u32>> {
    let mode = about(path)?.map(|about| about.permissions().mode() & 0o777);
    Ok(mode.filter(|mode| mode & OTHERS != 0))
}

fn about(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o7777
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    }

    #[test]
    fn what_is_ours_is_closed_and_what_everybody_shares_is_left() {
        let dir = tempfile::tempdir().expect("a folder");
        let (made, file) = (dir.path().join("a/b"), dir.path().join("file"));
        folder(&made).expect("made");
        assert_eq!((mode(&made), mode(&dir.path().join("a"))), (0o700, 0o700));
        open(OpenOptions::new().write(true).create_new(true), &file).expect("made");
        assert_eq!((mode(&file), open_to_others(&file).expect("read")), (0o600, None));
        for (before, after) in [(0o755, 0o700), (0o770, 0o700), (0o700, 0o700), (0o1777, 0o1777)] {
            set(&made, before);
            folder(&made).expect("there");
            assert_eq!(mode(&made), after, "{before:o}");
        }
        assert_eq!(open_to_others(&made).expect("read"), Some(0o777));
        set(&file, 0o644);
        assert!(close(&file).expect("closed") && !close(&file).expect("nothing to do"));
        assert_eq!(mode(&file), 0o600);
        let nothing = dir.path().join("nothing");
        assert!(!close(&nothing).expect("nothing there") && !nothing.exists());
    }
}
