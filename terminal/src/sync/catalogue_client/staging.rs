//! The folder where packed catalogues arrive: parts that grow and survive a restart, and whole files that were
//! verified and synced. A file is read again, and verified again, when it is put into force.
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use domain::catalogue::{Catalogue, CatalogueDocument};
use domain::envelope::Digest;
use domain::wire::v1::tuf::MAX_TARGET_BYTES;

use super::Offer;

/// Bytes of an unpacked catalogue, at most.
const MAX_DOCUMENT_BYTES: u64 = 32 * 1024 * 1024;

/// A catalogue cannot be staged or read from there.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// No room on the disk.
    #[error("the disk is full")]
    Full,
    /// The folder or a file cannot be used.
    #[error("the staging folder cannot be used")]
    Io(#[source] io::Error),
    /// The bytes are not those that the metadata names; they were thrown away.
    #[error("the staged catalogue is not what the metadata says")]
    Damaged,
    /// This program does not understand it: it is of a newer form, or of another version than it says.
    #[error("the catalogue is not understood by this program: {0}")]
    NotUnderstood(String),
}

impl From<io::Error> for StageError {
    fn from(e: io::Error) -> Self {
        if matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            Self::Full
        } else {
            Self::Io(e)
        }
    }
}

/// The folder; it is made when something arrives.
#[derive(Debug, Clone)]
pub struct Staging {
    folder: PathBuf,
}

impl Staging {
    /// A folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn part(&self, offer: &Offer) -> PathBuf {
        self.folder.join(format!("{}.part", offer.digest))
    }

    fn whole(&self, offer: &Offer) -> PathBuf {
        self.folder.join(format!("{}.zst", offer.digest))
    }

    /// Whether a version lies here whole.
    pub fn is_whole(&self, offer: &Offer) -> bool {
        fs::metadata(self.whole(offer)).is_ok_and(|m| m.len() == offer.length)
    }

    /// Opens the part of a version to go on with, and says how much of it is there. A part that is longer than the
    /// version is thrown away.
    pub(super) fn open_part(&self, offer: &Offer) -> Result<(File, u64), StageError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let path = self.part(offer);
        let file = File::options().create(true).append(true).mode(0o600).open(&path)?;
        let length = file.metadata()?.len();
        if length <= offer.length {
            return Ok((file, length));
        }
        file.set_len(0)?;
        Ok((file, 0))
    }

    /// Throws a part away.
    pub(super) fn discard(&self, offer: &Offer) -> Result<(), StageError> {
        remove(&self.part(offer))
    }

    /// Verifies a part that came to its end, syncs it and gives it its name. A wrong one is thrown away.
    pub(super) fn seal(&self, offer: &Offer) -> Result<(), StageError> {
        let path = self.part(offer);
        if read_verified(&path, offer)?.is_none() {
            self.discard(offer)?;
            return Err(StageError::Damaged);
        }
        File::open(&path)?.sync_all()?;
        fs::rename(&path, self.whole(offer))?;
        File::open(&self.folder)?.sync_all()?;
        fail::fail_point!("terminal::catalogue::after_stage", |_| Err(StageError::Full));
        Ok(())
    }

    /// Reads a whole version: verified once more, unpacked, and checked as every catalogue is; with the text that it
    /// came as.
    ///
    /// # Errors
    /// [`StageError`]; a file that is not what the metadata says is thrown away.
    pub fn read(&self, offer: &Offer) -> Result<(Catalogue, CatalogueDocument), StageError> {
        let path = self.whole(offer);
        let Some(packed) = read_verified(&path, offer)? else {
            remove(&path)?;
            return Err(StageError::Damaged);
        };
        let json = unpack(&packed)?;
        let catalogue = Catalogue::from_document(&json).map_err(|errors| {
            StageError::NotUnderstood(errors.first().map(ToString::to_string).unwrap_or_default())
        })?;
        if catalogue.version != offer.version {
            let said = format!("version {} in the file of version {}", catalogue.version, offer.version);
            return Err(StageError::NotUnderstood(said));
        }
        let digest = Digest::of(json.as_bytes());
        Ok((catalogue, CatalogueDocument { version: offer.version, digest, json }))
    }

    /// The text of a whole version, as [`Staging::read`] reads it.
    ///
    /// # Errors
    /// As there.
    pub fn open(&self, offer: &Offer) -> Result<CatalogueDocument, StageError> {
        self.read(offer).map(|(_, document)| document)
    }

    /// Removes everything but what belongs to this version.
    ///
    /// # Errors
    /// [`StageError`] if the folder cannot be read or a file not be removed.
    pub fn sweep(&self, keep: Option<&Offer>) -> Result<(), StageError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        let kept: Vec<PathBuf> = keep.iter().flat_map(|o| [self.part(o), self.whole(o)]).collect();
        for entry in entries {
            let path = entry?.path();
            if path.is_file() && !kept.contains(&path) {
                remove(&path)?;
            }
        }
        Ok(())
    }
}

/// The bytes of a file, if they are the ones that were offered.
fn read_verified(path: &Path, offer: &Offer) -> Result<Option<Vec<u8>>, StageError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_TARGET_BYTES.saturating_add(1)).read_to_end(&mut bytes)?;
    let sound = bytes.len() as u64 == offer.length && Digest::of(&bytes) == offer.digest;
    Ok(sound.then_some(bytes))
}

fn unpack(packed: &[u8]) -> Result<String, StageError> {
    let unreadable = |e: io::Error| StageError::NotUnderstood(e.to_string());
    let mut json = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(packed).map_err(unreadable)?;
    decoder.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut json).map_err(unreadable)?;
    if json.len() as u64 > MAX_DOCUMENT_BYTES {
        return Err(StageError::NotUnderstood("more than 32 MiB when unpacked".to_owned()));
    }
    String::from_utf8(json).map_err(|_| StageError::NotUnderstood("not UTF-8".to_owned()))
}

fn remove(path: &Path) -> Result<(), StageError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

/// Writes a piece to the end of a part.
pub(super) fn append(mut file: &File, piece: &[u8]) -> Result<(), StageError> {
    Ok(file.write_all(piece)?)
}
