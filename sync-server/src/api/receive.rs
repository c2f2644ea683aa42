//! The bytes of one PATCH on their way into the file of their upload.
//!
//! Whatever came is written and kept when the connection breaks or the time is over; with a checksum only what has it.
//! Holds little in memory. Refuses bytes beyond the length of the upload.
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout_at};

use super::blocking;
use crate::blobs::{BlobError, Piece};
use crate::error::{ProblemCode, ServiceError};
use crate::shell::App;
use crate::uploads::{Hold, Standing};

/// Time for the bytes of one call; the guard around every call waits a little longer.
const RECEIVE_TIME: Duration = Duration::from_secs(25);
/// Bytes that are gathered before they are written.
const GATHERED_BYTES: usize = 256 * 1024;

/// What a call may bring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// Bytes that the upload still awaits.
    pub(super) left: u64,
    /// SHA-256 of the bytes of this call.
    pub(super) checksum: Option<[u8; 32]>,
}

/// Why no more bytes come.
enum End {
    /// The body is whole.
    Whole,
    /// The connection broke.
    Cut,
    /// The time is over.
    Late,
    /// More than was left.
    TooMuch,
}

/// Takes the bytes of a call, and the whole upload if they are its last.
pub(super) async fn receive(
    app: &App,
    hold: Hold,
    standing: Standing,
    (body, expected): (Body, Expected),
) -> Result<Standing, ServiceError> {
    let uploads = app.uploads.clone();
    let (hold, piece) = blocking(move || uploads.add_to(&hold).map(|piece| (hold, piece))).await?;
    let mut came =
        Came { piece: Some(piece), gathered: Vec::new(), hash: Sha256::new(), left: expected.left };
    let end = came.drain(body).await?;
    came.write().await?;
    let Came { piece, hash, .. } = came;
    let mut piece = piece.ok_or_else(lost)?;
    let unproven = expected.checksum.is_some_and(|sum| sum != <[u8; 32]>::from(hash.finalize()));
    let taken_back = unproven || matches!(end, End::TooMuch);
    let offset = blocking(move || {
        if taken_back {
            piece.undo().map_err(BlobError::from)?
        } else {
            piece.sync().map_err(BlobError::from)?
        };
        Ok(piece.end())
    })
    .await?;
    match end {
        End::TooMuch => return Err(ProblemCode::TooLarge.into()),
        End::Whole if unproven => return Err(ProblemCode::ChecksumMismatch.into()),
        End::Late => return Err(ProblemCode::RequestTimeout.into()),
        // Nobody hears this.
        End::Cut => return Err(ServiceError::refused(ProblemCode::MalformedRequest, "the body was cut")),
        End::Whole => {}
    }
    let (centre, uploads, upload) = (app.centre.clone(), app.uploads.clone(), standing.upload.clone());
    blocking(move || uploads.finish(&centre, &hold, &upload)).await?;
    Ok(Standing { offset, ..standing })
}

/// What came of a call so far.
struct Came {
    piece: Option<Piece>,
    gathered: Vec<u8>,
    hash: Sha256,
    left: u64,
}

impl Came {
    async fn drain(&mut self, mut body: Body) -> Result<End, ServiceError> {
        let until = Instant::now() + RECEIVE_TIME;
        loop {
            let bytes = match timeout_at(until, body.frame()).await {
                Err(_) => return Ok(End::Late),
                Ok(None) => return Ok(End::Whole),
                Ok(Some(Err(_))) => return Ok(End::Cut),
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            if bytes.len() as u64 > self.left {
                return Ok(End::TooMuch);
            }
            self.gather(&bytes);
            if self.gathered.len() >= GATHERED_BYTES {
                self.write().await?;
            }
        }
    }

    fn gather(&mut self, bytes: &Bytes) {
        self.left -= bytes.len() as u64;
        self.hash.update(bytes);
        self.gathered.extend_from_slice(bytes);
    }

    async fn write(&mut self) -> Result<(), ServiceError> {
        let bytes = std::mem::take(&mut self.gathered);
        let mut piece = self.piece.take().ok_or_else(lost)?;
        let piece = blocking(move || {
            piece.add(&bytes).map_err(BlobError::from)?;
            Ok(piece)
        })
        .await?;
        self.piece = Some(piece);
        Ok(())
    }
}

fn lost() -> ServiceError {
    ServiceError::Inconsistent("the file of an upload was lost".to_owned())
}
