//! Pictures from files that somebody laid down by hand: read bounded, then cleaned like any other.
//!
//! Refuses whatever is no plain file: a pipe would keep its reader for ever.
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{Cleaned, ImageError, Policy, clean};

/// What an operator does about a file that is not taken by [`Policy::MARK`].
pub const MARK_REMEDY: &str = "save the picture as a plain PNG or JPEG of at most 1 MiB and 4 million pixels and name \
                               it with --mark; until then none is shown";

/// A file cannot be taken as a picture.
#[derive(Debug, thiserror::Error)]
pub enum ImageFileError {
    /// It is missing, no plain file, or cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// What it holds is not taken.
    #[error("{} is not taken", path.display())]
    Image {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: ImageError,
    },
}

/// Reads a file, at most as many bytes as the policy takes, and cleans what it holds.
///
/// # Errors
/// [`ImageFileError`], naming the file.
pub fn clean_file(path: &Path, policy: &Policy) -> Result<Cleaned, ImageFileError> {
    let unread = |source| ImageFileError::Read { path: path.into(), source };
    let refused = |source| ImageFileError::Image { path: path.into(), source };
    let about = std::fs::metadata(path).map_err(unread)?;
    if !about.is_file() {
        return Err(unread(io::Error::other("it is no plain file")));
    }
    let (size, most) = (usize::try_from(about.len()).unwrap_or(usize::MAX), policy.max_bytes);
    if size > most {
        return Err(refused(ImageError::TooManyBytes { bytes: size, most }));
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    let file = File::open(path).map_err(unread)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(unread)?;
    clean(&bytes, policy).map_err(refused)
}
