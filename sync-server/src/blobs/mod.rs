//! Sealed pages and photos as bytes: whole ones under their SHA-256 in an object store (a folder, or S3), and those on
//! their way in files beside it.
//!
//! Plain calls that block: whoever calls is no async thread. Refuses to open anything, and to give out bytes that do not
//! have the digest under which they lie.
mod leftovers;
mod memory;
mod partial;
mod place;
mod plain_http;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use domain::envelope::Digest;
use domain::wire::v1::uploads::MAX_BLOB_BYTES;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::runtime::{Builder, Runtime};

pub use memory::Memory;
pub use partial::{PartialFiles, Piece};
pub use place::{BlobPlace, Credentials};

/// One call of the object store, tries included.
const CALL_TIME: Duration = Duration::from_secs(20);

/// What S3 says of a bucket that is not there: nothing in it is gone.
const NO_BUCKET: &str = "NoSuchBucket";

/// Bytes of a blob cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Nothing lies under this digest.
    #[error("the bytes of {0} are gone")]
    Gone(Digest),
    /// What lies there is something else.
    #[error("what lies under {0} are other bytes")]
    Altered(Digest),
    /// No room.
    #[error("the disk of attachments is full")]
    Full,
    /// The object store fails or does not answer.
    #[error("attachments cannot be kept or read")]
    Objects(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file beside it fails.
    #[error("a file of an upload failed")]
    File(#[source] std::io::Error),
    /// The store cannot be opened as it is set.
    #[error("{0}")]
    Place(String),
    /// Attachments should lie in a folder that is not there.
    #[error("there is no folder {0}")]
    NoFolder(PathBuf),
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        if is_full(&error) { Self::Full } else { Self::Objects(Box::new(error)) }
    }
}

impl From<std::io::Error> for BlobError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull { Self::Full } else { Self::File(error) }
    }
}

/// Whether an error ends in a full disk.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|e| e.kind() == std::io::ErrorKind::StorageFull) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The whole blobs of a centre.
pub struct Blobs {
    objects: Arc<dyn ObjectStore>,
    folder: Option<PathBuf>,
    runtime: Option<Runtime>,
}

impl Blobs {
    /// Opens the place, making its folder if it is one.
    ///
    /// # Errors
    /// [`BlobError`] if it cannot be made or is not set rightly. S3 is not asked yet.
    pub fn open(place: &BlobPlace) -> Result<Self, BlobError> {
        let runtime = match place {
            // Nothing is waited for there: the caller's thread does it all.
            BlobPlace::Memory(_) => Builder::new_current_thread().enable_time().build()?,
            _ => Builder::new_multi_thread().worker_threads(1).thread_name("blobs").enable_all().build()?,
        };
        let folder = if let BlobPlace::Folder(path) = place { Some(path.clone()) } else { None };
        Ok(Self { objects: place.open()?, folder, runtime: Some(runtime) })
    }

    /// As [`Blobs::open`], of a place that should hold something: a folder that is not there is no empty one.
    ///
    /// # Errors
    /// [`BlobError::NoFolder`] if it is not there, and as [`Blobs::open`].
    pub fn open_existing(place: &BlobPlace) -> Result<Self, BlobError> {
        match place {
            BlobPlace::Folder(path) if !path.try_exists()? => Err(BlobError::NoFolder(path.clone())),
            _ => Self::open(place),
        }
    }

    /// Removes what writes that a kill ended have left in the folder; says how many files.
    ///
    /// # Errors
    /// [`BlobError`] if the folder cannot be read, or a file not be removed.
    pub fn sweep(&self) -> Result<u64, BlobError> {
        Ok(self.folder.as_deref().map_or(Ok(0), |folder| leftovers::remove(folder, SystemTime::now()))?)
    }

    /// Keeps a blob under its digest; it survives a power cut then. The same again changes nothing.
    ///
    /// # Errors
    /// [`BlobError`], also if the bytes do not have this digest: then nothing is kept.
    pub fn keep(&self, digest: &Digest, bytes: Vec<u8>) -> Result<(), BlobError> {
        if Digest::of(&bytes) != *digest {
            return Err(BlobError::Altered(*digest));
        }
        self.put(&path_of(digest), bytes)
    }

    /// As [`Blobs::keep`], but under another name until the bytes were read back: what lies under its digest was compared
    /// with it once, whatever breaks this off.
    ///
    /// # Errors
    /// [`BlobError`], also if other bytes came back: then nothing lies under the digest that was not there before.
    pub fn keep_compared(&self, digest: &Digest, bytes: Vec<u8>) -> Result<(), BlobError> {
        let (staged, path) = (staged_of(digest), path_of(digest));
        self.put(&staged, bytes)?;
        fail::fail_point!("server::backup::before_read_back", |_| Err(BlobError::Full));
        self.read_from(&staged, digest)?;
        self.wait(async { self.objects.rename(&staged, &path).await })
    }

    fn put(&self, path: &Path, bytes: Vec<u8>) -> Result<(), BlobError> {
        self.wait(async { self.objects.put(path, Bytes::from(bytes).into()).await.map(|_| ()) })
    }

    /// The bytes under a digest.
    ///
    /// # Errors
    /// [`BlobError`], also if other bytes lie there.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        self.read_from(&path_of(digest), digest)
    }

    fn read_from(&self, path: &Path, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let read = self.wait(async {
            let found = self.objects.get(path).await?;
            // Never more than a blob can have, whatever lies there.
            if found.meta.size > MAX_BLOB_BYTES { Ok(None) } else { found.bytes().await.map(Some) }
        });
        match read {
            Ok(Some(bytes)) if Digest::of(&bytes) == *digest => Ok(bytes.into()),
            Ok(_) => Err(BlobError::Altered(*digest)),
            Err(e) => Err(e),
        }
    }

    /// Bytes of what lies under a digest; none if nothing does.
    ///
    /// # Errors
    /// [`BlobError`]
    pub fn length(&self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        let path = path_of(digest);
        match self.wait(async { self.objects.head(&path).await }) {
            Ok(found) => Ok(Some(found.size)),
            Err(BlobError::Gone(_)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Removes a blob; one that is not there is removed already.
    ///
    /// # Errors
    /// [`BlobError`]
    pub fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        let path = path_of(digest);
        match self.wait(async { self.objects.delete(&path).await }) {
            Err(BlobError::Gone(_)) | Ok(()) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`BlobError`] if it does not.
    pub fn check(&self) -> Result<(), BlobError> {
        // Read, not only asked for: a bucket that is not there says so in the body of its answer.
        match self.read(&Digest::from_bytes([0; 32])) {
            Ok(_) | Err(BlobError::Gone(_) | BlobError::Altered(_)) => Ok(()),
            Err(e) => Err(e),
        }
    }

    fn wait<T>(&self, call: impl Future<Output = object_store::Result<T>>) -> Result<T, BlobError> {
        let Some(runtime) = &self.runtime else { return Err(BlobError::Place("closed".to_owned())) };
        let answered = runtime.block_on(async { tokio::time::timeout(CALL_TIME, call).await });
        match answered {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(object_store::Error::NotFound { path, source }))
                if !source.to_string().contains(NO_BUCKET) =>
            {
                Err(BlobError::Gone(digest_in(&path)))
            }
            Ok(Err(e)) => Err(e.into()),
            Err(late) => Err(BlobError::Objects(Box::new(late))),
        }
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        // Perhaps on an async thread, which must not wait for a runtime to end.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// `ab/abcd…`: so that no folder has too many files.
fn path_of(digest: &Digest) -> Path {
    let name = digest.to_string();
    Path::from_iter([&name[..2], name.as_str()])
}

/// Ends the name of bytes that were not read back yet.
const STAGED: &str = ".new";

/// Where bytes lie until they were read back: beside their place, so that a folder only renames them.
fn staged_of(digest: &Digest) -> Path {
    let name = digest.to_string();
    Path::from_iter([name[..2].to_owned(), format!("{name}{STAGED}")])
}

/// The digest at the end of a path; of zeros if there is none.
fn digest_in(path: &str) -> Digest {
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = name.strip_suffix(STAGED).unwrap_or(name);
    name.parse().unwrap_or(Digest::from_bytes([0; 32]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_lies_and_damage_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = BlobPlace::Folder(folder.path().join("blobs"));
        let blobs = Blobs::open(&place).expect("open");
        blobs.check().expect("it answers");
        let bytes = b"sealed bytes".to_vec();
        let digest = Digest::of(&bytes);
        assert!(matches!(blobs.read(&digest), Err(BlobError::Gone(d)) if d == digest));
        assert_eq!(blobs.length(&digest).expect("asked"), None);
        assert!(matches!(blobs.keep(&digest, b"others".to_vec()), Err(BlobError::Altered(_))));
        for _ in 0..2 {
            blobs.keep(&digest, bytes.clone()).expect("kept");
        }
        assert_eq!(blobs.read(&digest).expect("read"), bytes);
        assert_eq!(blobs.length(&digest).expect("asked"), Some(12));
        let name = digest.to_string();
        let file = folder.path().join("blobs").join(&name[..2]).join(&name);
        std::fs::write(&file, b"other bytes").expect("altered");
        assert!(matches!(blobs.read(&digest), Err(BlobError::Altered(d)) if d == digest));
        for _ in 0..2 {
            blobs.remove(&digest).expect("removed");
        }
        assert!(!file.exists());
    }

    #[test]
    fn a_folder_that_should_be_there_is_not_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("blobs");
        let place = BlobPlace::Folder(path.clone());
        assert!(matches!(Blobs::open_existing(&place), Err(BlobError::NoFolder(p)) if p == path));
        assert!(!path.exists());
        Blobs::open(&place).expect("open");
        Blobs::open_existing(&place).expect("it is there").check().expect("and answers");
    }

    #[test]
    fn a_store_that_is_not_there_is_an_error_in_bounded_time() {
        let place = BlobPlace::S3 {
            url: "http://127.0.0.1:9".to_owned(),
            bucket: "pages".to_owned(),
            credentials: Credentials::new("id", "secret"),
        };
        let blobs = Blobs::open(&place).expect("open");
        let began = std::time::Instant::now();
        assert!(blobs.check().is_err());
        assert!(began.elapsed() < CALL_TIME + Duration::from_secs(5));
    }
}
