//! Simulator: files in the place of a camera's frames. One picture again and again, or those of a folder in the order of
//! their names, beginning anew after the last.
//!
//! Refuses whatever is no plain file: a pipe would keep its reader for ever.
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::{FrameError, FrameSource, MAX_FRAME_BYTES};

/// Files of a folder that are looked at, at most.
const MAX_FILES: usize = 1_000;
/// Endings of names that are pictures.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// Files as frames: no camera.
#[derive(Debug)]
pub struct FileCamera {
    path: PathBuf,
    next: usize,
}

impl FileCamera {
    /// A picture or a folder of pictures; nothing is looked at yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.into(), next: 0 }
    }

    /// The files, in the order of their names.
    fn files(&self) -> Result<Vec<PathBuf>, FrameError> {
        let about = fs::metadata(&self.path).map_err(unread)?;
        if about.is_file() {
            return Ok(vec![self.path.clone()]);
        }
        if !about.is_dir() {
            return Err(FrameError::NotFound);
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(unread)?.take(MAX_FILES) {
            let path = entry.map_err(unread)?.path();
            let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
            if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) && path.is_file() {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }
}

impl FrameSource for FileCamera {
    fn look(&mut self) -> Result<(), FrameError> {
        self.files().map(|_| ())
    }

    fn frame(&mut self, within: Duration) -> Result<Zeroizing<Vec<u8>>, FrameError> {
        let files = self.files()?;
        if files.is_empty() {
            return Err(FrameError::Silent(within));
        }
        let path = &files[self.next % files.len()];
        self.next = (self.next + 1) % files.len();
        let size = usize::try_from(fs::metadata(path).map_err(unread)?.len()).unwrap_or(usize::MAX);
        if size > MAX_FRAME_BYTES {
            return Err(FrameError::TooMuch);
        }
        // It may grow meanwhile.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FRAME_BYTES.min(size) + 1));
        let file = File::open(path).map_err(unread)?;
        file.take(MAX_FRAME_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() > MAX_FRAME_BYTES { Err(FrameError::TooMuch) } else { Ok(bytes) }
    }
}

fn unread(e: io::Error) -> FrameError {
    if e.kind() == io::ErrorKind::NotFound { FrameError::NotFound } else { FrameError::Io(e) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Policy;
    use crate::pages::Shot;
    use crate::pages::invented::Invented;

    const WITHIN: Duration = Duration::from_millis(10);

    #[test]
    fn frames_of_changing_size_and_of_garbage_follow_each_other_and_none_breaks_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut camera = FileCamera::new(folder.path());
        assert!(matches!(camera.frame(WITHIN), Err(FrameError::Silent(_))), "an empty folder");
        let sizes = [(640, 480), (64, 900), (1, 1), (1_280, 720)];
        for (at, (width, height)) in sizes.into_iter().enumerate() {
            let jpeg = Invented { width, height, ..Invented::default() }.jpeg().expect("a picture");
            fs::write(folder.path().join(format!("{at}-a.jpg")), &jpeg).expect("a file");
            fs::write(folder.path().join(format!("{at}-b.JPG")), &jpeg[..jpeg.len() / 2]).expect("a file");
        }
        fs::write(folder.path().join("notes.txt"), b"no frame").expect("a file");
        fs::create_dir(folder.path().join("4.jpg")).expect("a folder");
        for _ in 0..2 {
            for (width, height) in sizes {
                let frame = camera.frame(WITHIN).expect("a frame");
                let picture = Shot::photographed(&frame, &Policy::PHOTO).expect("a picture").preview(9_999);
                assert_eq!((picture.width(), picture.height()), (width, height));
                let half = camera.frame(WITHIN).expect("half a frame");
                assert!(Shot::photographed(&half, &Policy::PHOTO).is_err(), "half of {width}x{height}");
            }
        }
    }

    #[test]
    fn a_camera_that_is_not_there_and_a_frame_that_is_too_large_are_troubles() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing");
        let error = FileCamera::new(&missing).look().expect_err("it is missing");
        assert_eq!(error.trouble(), crate::device::Trouble::NotFound);
        assert!(FileCamera::new(Path::new("/dev/zero")).frame(WITHIN).is_err(), "no plain file");
        let huge = folder.path().join("huge.jpg");
        let file = File::create(&huge).expect("a file");
        file.set_len(MAX_FRAME_BYTES as u64 + 1).expect("room");
        assert!(matches!(FileCamera::new(&huge).frame(WITHIN), Err(FrameError::TooMuch)));
    }
}
