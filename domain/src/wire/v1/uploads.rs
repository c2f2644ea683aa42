//! `/api/v1/uploads`: pages and photos by tus 1.0 (<https://tus.io/protocols/resumable-upload>), with the extensions
//! creation, termination, checksum and expiration. What both ends must name alike.
//!
//! An upload is made by `POST /api/v1/uploads?envelope=ID&blob=SHA256`, so that the signed address says whose it is;
//! every call is signed over its method and address like a GET.
use crate::envelope::BLOB_OVERHEAD;
use crate::form::MAX_FILE_BYTES;

/// Address of the collection; an upload lies below it.
pub const UPLOADS: &str = "/api/v1/uploads";
/// The version of tus that both ends speak.
pub const TUS_VERSION: &str = "1.0.0";
/// What the server can do beside the core.
pub const TUS_EXTENSIONS: &str = "creation,termination,checksum,expiration";
/// The one algorithm of `Upload-Checksum`.
pub const CHECKSUM_ALGORITHM: &str = "sha256";
/// Media type of the bytes of a PATCH.
pub const OFFSET_OCTETS: &str = "application/offset+octet-stream";
/// Bytes of one sealed blob, at most: the largest file of a form and what sealing adds.
pub const MAX_BLOB_BYTES: u64 = MAX_FILE_BYTES + BLOB_OVERHEAD;

/// Header with the version of tus.
pub const TUS_RESUMABLE: &str = "tus-resumable";
/// Header with the bytes that are there.
pub const UPLOAD_OFFSET: &str = "upload-offset";
/// Header with the bytes of the whole blob.
pub const UPLOAD_LENGTH: &str = "upload-length";
/// Header with the instant after which an unfinished upload is forgotten.
pub const UPLOAD_EXPIRES: &str = "upload-expires";
/// Header with algorithm and base64 digest of the bytes of a PATCH.
pub const UPLOAD_CHECKSUM: &str = "upload-checksum";
