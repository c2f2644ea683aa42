//! **Simulator**: a card reader whose card is a file. For stories and demonstrations without a smart-card service.
//!
//! It is a stand-in to be named in a terminal's configuration by hand; it never looks for files by itself, and a
//! release's configuration does not name it.
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::card_file::{self, CardFileError};
use crate::card_reader::{CardData, CardReader, ReadError, ReaderEvent, ReaderStatus};
use crate::id_card;

/// How often the path is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Most entries of a directory that are looked at.
const MAX_ENTRIES: usize = 64;

/// Which card lies there: another file, or the same file written again, is another card.
type Lying = (PathBuf, Option<SystemTime>, u64);

/// A simulated reader over a path: if it is a file, the file is the card; if it is a directory, the first
/// `*.toml` or `*.bin` in it (by name) is the card. No file means that no card lies on the reader.
#[derive(Debug)]
pub struct FileReader {
    path: PathBuf,
    lying: Option<Lying>,
    last: ReaderStatus,
}

impl FileReader {
    /// A simulated reader over this path, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), lying: None, last: ReaderStatus::Unknown }
    }

    /// The change since the last look, if there is one.
    fn look(&mut self) -> Option<ReaderStatus> {
        let lying = card_at(&self.path);
        let status = if lying.is_some() { ReaderStatus::Card } else { ReaderStatus::Empty };
        if status == ReaderStatus::Card && self.last == status && lying != self.lying {
            // Another card without a look in between: first the old one was lifted.
            self.last = ReaderStatus::Empty;
            self.lying = None;
            return Some(self.last);
        }
        self.lying = lying;
        (status != self.last).then(|| {
            self.last = status;
            status
        })
    }
}

impl CardReader for FileReader {
    fn wait_event(&mut self, max: Duration) -> ReaderEvent {
        let deadline = Instant::now() + max;
        loop {
            if let Some(status) = self.look() {
                return ReaderEvent::Status(status);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return ReaderEvent::Nothing;
            }
            std::thread::sleep(left.min(LOOK_EVERY));
        }
    }

    fn read(&mut self) -> Result<CardData, ReadError> {
        let (path, ..) = card_at(&self.path).ok_or(ReadError::Removed)?;
        let image = card_file::load_image(&path).map_err(|error| match error {
            CardFileError::Read(error) if error.kind() == std::io::ErrorKind::NotFound => ReadError::Removed,
            _ => ReadError::Damaged,
        })?;
        Ok(CardData::IdCard(id_card::decode(&image)?))
    }
}

fn card_at(path: &Path) -> Option<Lying> {
    let meta = std::fs::metadata(path).ok()?;
    let file = if meta.is_dir() { first_card(path)? } else { path.to_path_buf() };
    let meta = std::fs::metadata(&file).ok()?;
    meta.is_file().then(|| (file, meta.modified().ok(), meta.len()))
}

fn first_card(directory: &Path) -> Option<PathBuf> {
    std::fs::read_dir(directory)
        .ok()?
        .take(MAX_ENTRIES)
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml" || ending == "bin"))
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn courier() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/cards/courier.toml")
    }

    const SOON: Duration = Duration::from_secs(5);
    const NOW: Duration = Duration::ZERO;

    #[test]
    fn a_file_laid_into_the_directory_is_read_and_lifted() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut reader = FileReader::new(directory.path());
        assert_eq!(reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::Empty));
        assert_eq!(reader.wait_event(NOW), ReaderEvent::Nothing);
        assert_eq!(reader.read(), Err(ReadError::Removed));

        let laid = directory.path().join("courier.toml");
        std::fs::copy(courier(), &laid).expect("copied");
        assert_eq!(reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::Card));
        let Ok(CardData::IdCard(card)) = reader.read() else { panic!("not read") };
        assert_eq!(card.birth, "19900520");

        std::fs::remove_file(&laid).expect("removed");
        assert_eq!(reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::Empty));
    }

    #[test]
    fn another_card_in_its_place_is_a_lift_and_a_new_card() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("card.bin");
        let mut reader = FileReader::new(&path);
        assert_eq!(reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::Empty));
        std::fs::write(&path, [0; 10]).expect("written");
        assert_eq!(reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::Card));
        assert_eq!(reader.read(), Err(ReadError::Damaged));
        std::fs::write(&path, [0; 11]).expect("written");
        assert_eq!(reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::Empty));
        assert_eq!(reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::Card));
    }
}
