//! Pages and photos at the centre of a simulation: the real uploads, over places that outlive its program, and copies of
//! whole blobs beside those of the store.
//!
//! What a call brings is written and synced before anything else happens, so a power cut takes nothing of it back.
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Result;
use domain::envelope::{Digest, request_digest};
use domain::wire::v1::uploads::{MAX_BLOB_BYTES, TUS_VERSION, UPLOADS};
use domain::wire::v1::{PROBLEM_MEDIA_TYPE, TERMINAL_HEADER};
use sync_server::backup::blobs::{self, BlobFile};
use sync_server::blobs::{BlobError, BlobPlace, Blobs, Memory, PartialFiles};
use sync_server::centre::Centre;
use sync_server::error::{ProblemCode, ServiceError};
use sync_server::services::terminals::{self, Terminal};
use sync_server::services::uploads::{UploadState, Wish};
use sync_server::store::{Driver, Sqlite, Tx, in_transaction};
use sync_server::uploads::{Standing, Uploads};
use terminal::sync::transport::{UploadAnswer, UploadCall, UploadStep};

use super::centre::{RETRY_AFTER_SECS, header, signature};

/// Where the bytes of a centre's pages lie.
pub struct Places {
    whole: Memory,
    copied: Memory,
    partial: PathBuf,
}

impl Places {
    /// Places of a centre whose uploads on their way lie in this folder.
    pub fn new(partial: PathBuf) -> Self {
        Self { whole: Memory::default(), copied: Memory::default(), partial }
    }

    /// Opens them for a centre that starts; files of uploads that are no more are removed, as a start does.
    ///
    /// # Errors
    /// If they cannot be opened.
    pub fn open(&self, centre: &Centre) -> Result<Arc<Uploads>> {
        let partial = PartialFiles::open(self.partial.clone()).map_err(BlobError::from)?;
        let uploads = Arc::new(Uploads::new(self.whole()?, partial));
        // What stays behind takes room and nothing else.
        let _ = uploads.sweep(centre);
        Ok(uploads)
    }

    /// Copies whole blobs that are not copied yet; gives those that cannot be had, as a backup tells its operator.
    ///
    /// # Errors
    /// If they cannot be copied.
    pub fn copy(&self, listed: &[BlobFile]) -> Result<Vec<Digest>> {
        Ok(self.bring(listed, &self.whole, &self.copied)?)
    }

    fn bring(&self, listed: &[BlobFile], from: &Memory, to: &Memory) -> Result<Vec<Digest>, BlobError> {
        let copied = blobs::copy(listed, &BlobPlace::Memory(from.clone()), &BlobPlace::Memory(to.clone()))?;
        Ok(copied.digests())
    }

    /// All that was not copied is lost.
    ///
    /// # Errors
    /// If the folder cannot be removed.
    pub fn set_back(&mut self) -> Result<()> {
        self.whole = Memory::default();
        match std::fs::remove_dir_all(&self.partial) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// What a restore does with pages and epoch: what was copied comes back, the rest is awaited again, and no epoch is
    /// known.
    ///
    /// # Errors
    /// If the store refuses.
    pub fn bring_back(&self, store: &mut Sqlite, now_ms: i64) -> Result<()> {
        let driver: &mut dyn Driver = store;
        let listed = blobs::listed(&mut Tx::new(driver))?;
        let lost = self.bring(&listed, &self.copied, &self.whole)?;
        in_transaction(driver, |tx| {
            tx.execute("DELETE FROM meta WHERE name = 'server_epoch'", &[])?;
            blobs::await_again(tx, now_ms, &lost)
        })?;
        Ok(())
    }

    /// Turns a bit of one of these blobs that is in no copy; gives which, if there is one.
    ///
    /// # Errors
    /// If they cannot be opened.
    pub fn flip_uncopied(&self, listed: &[BlobFile], which: usize, bit: usize) -> Result<Option<Digest>> {
        let copies = Blobs::open(&BlobPlace::Memory(self.copied.clone()))?;
        let mut uncopied = Vec::new();
        for file in listed {
            if copies.length(&file.digest)?.is_none() {
                uncopied.push(file.digest);
            }
        }
        let digest = uncopied.get(which % uncopied.len().max(1)).copied();
        if let Some(digest) = &digest {
            self.whole.flip_bit(digest, bit)?;
        }
        Ok(digest)
    }

    /// The whole blobs, whether or not a program runs over them.
    ///
    /// # Errors
    /// If they cannot be opened.
    pub fn whole(&self) -> Result<Blobs, BlobError> {
        Blobs::open(&BlobPlace::Memory(self.whole.clone()))
    }
}

/// Answers a call of an upload, as the addresses of tus do.
pub fn answer(centre: &Centre, uploads: &Arc<Uploads>, call: &UploadCall) -> UploadAnswer {
    let answered = take(centre, uploads, call, 100);
    let plain = UploadAnswer {
        status: 204,
        content_type: String::new(),
        version: Some(TUS_VERSION.to_owned()),
        retry_after_secs: None,
        location: None,
        offset: answered.as_ref().ok().map(|standing| standing.offset),
    };
    match (answered, &call.step) {
        (Ok(standing), UploadStep::Begin { .. }) => {
            UploadAnswer { status: 201, location: Some(format!("{UPLOADS}/{}", standing.upload.id)), ..plain }
        }
        (Ok(_), UploadStep::Ask) => UploadAnswer { status: 200, ..plain },
        (Ok(_), UploadStep::Add { .. }) => plain,
        (Err(error), _) => {
            let status = error.to_problem(None).status;
            let retry_after_secs = (status == 503).then_some(RETRY_AFTER_SECS);
            UploadAnswer { status, content_type: PROBLEM_MEDIA_TYPE.to_owned(), retry_after_secs, ..plain }
        }
    }
}

/// Takes in a call of which so many of a hundred bytes of its body arrive.
///
/// # Errors
/// The problem. Nobody hears it if not all arrived.
pub fn take(
    centre: &Centre,
    uploads: &Arc<Uploads>,
    call: &UploadCall,
    percent: u8,
) -> Result<Standing, ServiceError> {
    let terminal = caller(centre, call)?;
    let (path, query) = call.path_and_query.split_once('?').unwrap_or((&call.path_and_query, ""));
    let id = path.strip_prefix(UPLOADS).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    match &call.step {
        UploadStep::Begin { length } if *length > MAX_BLOB_BYTES => Err(ProblemCode::TooLarge.into()),
        UploadStep::Begin { length } => {
            let (envelope_id, digest) = (parameter(query, "envelope")?, parameter(query, "blob")?);
            uploads.begin(centre, terminal, Wish { envelope_id, digest, length: *length })
        }
        UploadStep::Ask => {
            let standing = uploads.look(centre, &terminal, id)?;
            if standing.offset >= standing.upload.length
                && let Ok(hold) = uploads.hold(id)
            {
                uploads.finish(centre, &hold, &standing.upload)?;
            }
            Ok(standing)
        }
        UploadStep::Add { offset, bytes } => {
            let came = bytes.len() * usize::from(percent) / 100;
            add((centre, uploads), (&terminal, id), *offset, (bytes, came))
        }
    }
}

fn add(
    (centre, uploads): (&Centre, &Arc<Uploads>),
    (terminal, id): (&Terminal, &str),
    offset: u64,
    (bytes, came): (&[u8], usize),
) -> Result<Standing, ServiceError> {
    uploads.look(centre, terminal, id)?;
    let hold = uploads.hold(id)?;
    let standing = uploads.look(centre, terminal, id)?;
    if standing.offset != offset {
        return Err(ProblemCode::UploadOffset.into());
    }
    if bytes.len() as u64 > standing.upload.length.saturating_sub(offset) {
        return Err(ProblemCode::TooLarge.into());
    }
    if standing.upload.state == UploadState::Done {
        return Ok(standing);
    }
    let mut piece = uploads.add_to(&hold)?;
    piece.add(bytes.get(..came).unwrap_or(bytes)).map_err(BlobError::from)?;
    piece.sync().map_err(BlobError::from)?;
    if came < bytes.len() {
        return Err(ProblemCode::MalformedRequest.into());
    }
    uploads.finish(centre, &hold, &standing.upload)?;
    Ok(Standing { offset: piece.end(), ..standing })
}

/// The terminal that signed a call.
fn caller(centre: &Centre, call: &UploadCall) -> Result<Terminal, ServiceError> {
    let terminal = header(&call.headers, TERMINAL_HEADER)?.parse();
    let terminal = terminal.map_err(|_| ProblemCode::TerminalUnknown)?;
    let signature = signature(&call.headers)?;
    let digest = request_digest(call.step.method(), &call.path_and_query);
    centre.read(|tx| terminals::signed_by(tx, &terminal, &digest, &signature))
}

fn parameter<T: FromStr>(query: &str, name: &str) -> Result<T, ServiceError> {
    let mut values = query.split('&').filter_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let value = values.next().and_then(|text| text.parse().ok());
    value.ok_or_else(|| ProblemCode::MalformedRequest.into())
}
