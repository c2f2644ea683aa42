//! Uploads of pages and photos from their first byte to their place: whose they are stands in the store, what came of
//! them in files, and whole ones go to the object store under their digest.
//!
//! A blob counts as here only after its bytes survive a power cut, were found to have the digest that the envelope
//! names, and the store has committed so. Two calls never add to one upload at once. Plain calls that block; refuses to
//! know HTTP.
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use domain::envelope::Digest;

use crate::blobs::{BlobError, Blobs, PartialFiles, Piece};
use crate::centre::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::services::terminals::Terminal;
use crate::services::uploads::{self, Upload, UploadState, Wish};
use crate::services::{audit, blobs};
use crate::store::StoreError;

/// All uploads of a centre.
pub struct Uploads {
    blobs: Blobs,
    partial: PartialFiles,
    held: Mutex<BTreeSet<String>>,
}

/// An upload that only the holder adds to; free again when dropped.
pub struct Hold {
    uploads: Arc<Uploads>,
    id: String,
}

/// How far an upload has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is and of what.
    pub upload: Upload,
    /// Bytes that are here.
    pub offset: u64,
}

impl From<BlobError> for ServiceError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full => StoreError::Full.into(),
            BlobError::Objects(source) => StoreError::Unreachable(source).into(),
            other => Self::Inconsistent(operator::findings::with_causes(&other)),
        }
    }
}

impl Uploads {
    /// Uploads over these places.
    pub fn new(blobs: Blobs, partial: PartialFiles) -> Self {
        Self { blobs, partial, held: Mutex::default() }
    }

    /// The whole blobs.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Holds an upload, so that nobody else adds to it.
    ///
    /// # Errors
    /// [`ServiceError`] `upload-locked` if somebody does.
    pub fn hold(self: &Arc<Self>, id: &str) -> Result<Hold, ServiceError> {
        let free = self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        if free {
            Ok(Hold { uploads: self.clone(), id: id.to_owned() })
        } else {
            Err(ProblemCode::UploadLocked.into())
        }
    }

    /// Begins an upload, or finds the one that is on its way.
    ///
    /// # Errors
    /// [`ServiceError`] as [`uploads::begin`].
    pub fn begin(&self, centre: &Centre, terminal: Terminal, wish: Wish) -> Result<Standing, ServiceError> {
        let (now_ms, mut rng) = (centre.now_ms(), centre.random());
        let upload = centre.write(move |tx| uploads::begin(tx, now_ms, (&terminal, &wish), &mut rng))?;
        self.standing(upload)
    }

    /// How far an upload of this terminal has come.
    ///
    /// # Errors
    /// [`ServiceError`] as [`uploads::find`].
    pub fn look(&self, centre: &Centre, terminal: &Terminal, id: &str) -> Result<Standing, ServiceError> {
        let now_ms = centre.now_ms();
        let found = centre.read(|tx| uploads::find(tx, now_ms, id, &terminal.id));
        if matches!(&found, Err(ServiceError::Refused { code: ProblemCode::UploadGone, .. })) {
            self.partial.remove(id).map_err(BlobError::from)?;
        }
        self.standing(found?)
    }

    fn standing(&self, upload: Upload) -> Result<Standing, ServiceError> {
        let offset = match upload.state {
            UploadState::Done => upload.length,
            UploadState::Open => self.partial.length(&upload.id).map_err(BlobError::from)?,
        };
        Ok(Standing { upload, offset })
    }

    /// Begins to add to an upload.
    ///
    /// # Errors
    /// [`ServiceError`] if its file cannot be written.
    pub fn add_to(&self, hold: &Hold) -> Result<Piece, ServiceError> {
        Ok(self.partial.add_to(&hold.id).map_err(BlobError::from)?)
    }

    /// Takes a whole upload: checks its digest, keeps it, and notes that it is here; the last one of an envelope makes
    /// that complete. An upload that is not whole is left alone. Harmless if repeated.
    ///
    /// # Errors
    /// [`ServiceError`]: `blob-mismatch` if the bytes are others than those that were named, and then they are thrown
    /// away; or what failed, and then it may be tried again.
    pub fn finish(&self, centre: &Centre, _hold: &Hold, upload: &Upload) -> Result<(), ServiceError> {
        let whole = self.partial.length(&upload.id).map_err(BlobError::from)? >= upload.length;
        if upload.state == UploadState::Done || !whole {
            return Ok(());
        }
        let bytes = self.partial.read(&upload.id, upload.length + 1).map_err(BlobError::from)?;
        if Digest::of(&bytes) != upload.digest {
            return Err(self.throw_away(centre, upload)?);
        }
        fail::fail_point!("server::blob::before_keep", |_| Err(StoreError::Full.into()));
        self.blobs.keep(&upload.digest, bytes)?;
        fail::fail_point!("server::blob::after_keep", |_| Err(StoreError::Full.into()));
        let (now_ms, noted) = (centre.now_ms(), upload.clone());
        let complete = centre.write(move |tx| {
            uploads::finish(tx, &noted.id)?;
            Ok(blobs::arrived(tx, now_ms, &noted.envelope_id, &noted.digest)?)
        })?;
        fail::fail_point!("server::blob::after_commit", |_| Err(StoreError::Full.into()));
        if complete {
            centre.ring_stored();
            centre.ring(&upload.station);
        }
        // What stays behind is removed at the next start.
        if let Err(e) = self.partial.remove(&upload.id) {
            tracing::warn!(error = &e as &dyn std::error::Error, "a file of a finished upload stays behind");
        }
        Ok(())
    }

    /// Forgets an upload whose bytes lie, and says so.
    fn throw_away(&self, centre: &Centre, upload: &Upload) -> Result<ServiceError, ServiceError> {
        let (now_ms, lie) = (centre.now_ms(), upload.clone());
        centre.write(move |tx| {
            uploads::forget(tx, &lie.id)?;
            let envelope = lie.envelope_id.to_string();
            Ok(audit::raise_alarm(tx, now_ms, "blob.mismatch", &envelope, Some(&lie.digest))?)
        })?;
        self.partial.remove(&upload.id).map_err(BlobError::from)?;
        Ok(ProblemCode::BlobMismatch.into())
    }

    /// Gives an upload up.
    ///
    /// # Errors
    /// [`ServiceError`] if a store fails.
    pub fn give_up(&self, centre: &Centre, hold: &Hold) -> Result<(), ServiceError> {
        let id = hold.id.clone();
        centre.write(move |tx| Ok(uploads::forget(tx, &id)?))?;
        Ok(self.partial.remove(&hold.id).map_err(BlobError::from)?)
    }

    /// Removes files of uploads that are done, forgotten or too old, and what a kill left of blobs, and forgets uploads whose
    /// end is long past. How many files were removed.
    ///
    /// # Errors
    /// [`ServiceError`] if a store fails.
    pub fn sweep(self: &Arc<Self>, centre: &Centre) -> Result<u64, ServiceError> {
        let now_ms = centre.now_ms();
        let mut removed = self.blobs.sweep()?;
        for id in self.partial.ids().map_err(BlobError::from)? {
            // Whoever adds to one now knows that it is open.
            let Ok(_hold) = self.hold(&id) else { continue };
            if !centre.read(|tx| uploads::is_open(tx, now_ms, &id))? {
                self.partial.remove(&id).map_err(BlobError::from)?;
                removed += 1;
            }
        }
        if centre.read(|tx| uploads::has_old(tx, now_ms))? {
            centre.write(move |tx| Ok(uploads::forget_old(tx, now_ms)?))?;
        }
        Ok(removed)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.uploads.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
