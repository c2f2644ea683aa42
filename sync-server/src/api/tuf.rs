//! `GET /tuf/…`: signed catalogue metadata and packed catalogues, as files of the repository.
//!
//! Not signed by the caller: everything here is meant for everybody and verified by whoever reads it. Refuses every
//! name but those of the repository's own files, so that no address leads anywhere else.
use std::io::{self, Read as _};
use std::path::PathBuf;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::envelope::Digest;
use domain::wire::v1::tuf::{MAX_METADATA_BYTES, MAX_TARGET_BYTES, TUF_TIMESTAMP};

use super::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::shell::App;
use crate::shell::etag::is_known;
use crate::shell::problem::Refusal;

/// Media type of packed catalogues; never compressed once more.
pub const PACKED: &str = "application/zstd";
/// A file whose name carries its version or digest never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The timestamp is asked for anew each time.
const ASK_AGAIN: &str = "no-cache";

type Name = Result<Path<String>, PathRejection>;

/// `GET /tuf/metadata/{name}`
///
/// # Errors
/// 404 for every name that is no metadata file of the repository.
pub async fn metadata(State(app): State<App>, name: Name, headers: HeaderMap) -> Result<Response, Refusal> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let lasting = if name == TUF_TIMESTAMP { ASK_AGAIN } else { FOR_EVER };
    let body = file(app.signed.metadata_path(&name), MAX_METADATA_BYTES).await?;
    Ok(answer(&headers, body, "application/json", lasting))
}

/// `GET /tuf/targets/{name}`, whole or from a byte on.
///
/// # Errors
/// 404 for every name that is no packed catalogue of the repository.
pub async fn target(State(app): State<App>, name: Name, headers: HeaderMap) -> Result<Response, Refusal> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let mut body = file(app.signed.target_path(&name), MAX_TARGET_BYTES).await?;
    let length = body.len();
    let mut response = match first_byte(&headers, length) {
        None => answer(&headers, body, PACKED, FOR_EVER),
        Some(first) => {
            let mut response = answer(&HeaderMap::new(), body.split_off(first), PACKED, FOR_EVER);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            // The tag is that of the whole file, which was not read into the answer.
            response.headers_mut().remove(header::ETAG);
            let range = format!("bytes {first}-{}/{length}", length - 1);
            if let Ok(range) = HeaderValue::from_str(&range) {
                response.headers_mut().insert(header::CONTENT_RANGE, range);
            }
            response
        }
    };
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    Ok(response)
}

async fn file(path: Option<PathBuf>, most: u64) -> Result<Vec<u8>, ServiceError> {
    let missing = || ServiceError::from(ProblemCode::NotFound);
    let path = path.ok_or_else(missing)?;
    blocking(move || match read(&path, most) {
        Ok(bytes) => Ok(bytes),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(missing()),
        Err(e) => Err(ServiceError::Inconsistent(format!("a file of the signed catalogues: {e}"))),
    })
    .await
}

fn read(path: &std::path::Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

fn answer(headers: &HeaderMap, body: Vec<u8>, media_type: &'static str, lasting: &'static str) -> Response {
    let tag = format!("\"{}\"", Digest::of(&body));
    let mut response = if is_known(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, media_type)], body).into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(lasting));
    response
}

/// The byte from which on the rest is asked for (`Range: bytes=N-`); any other range is not served, and whoever asks
/// for it gets the whole file (RFC 9110, 14.2).
fn first_byte(headers: &HeaderMap, length: usize) -> Option<usize> {
    if headers.contains_key(header::IF_RANGE) {
        return None;
    }
    let range = headers.get(header::RANGE)?.to_str().ok()?;
    let digits = range.trim().strip_prefix("bytes=")?.strip_suffix('-')?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let first: usize = plain.then(|| digits.parse().ok()).flatten()?;
    (first < length).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rest_of_a_file_is_a_range() {
        let asked = |range: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_str(range).expect("a header"));
            first_byte(&headers, 10)
        };
        assert_eq!((asked("bytes=0-"), asked("bytes=9-")), (Some(0), Some(9)));
        for whole in [
            "bytes=10-",
            "bytes=-3",
            "bytes=1-2",
            "bytes=1-,3-",
            "items=1-",
            "bytes=+1-",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(asked(whole), None, "{whole}");
        }
        assert_eq!(first_byte(&HeaderMap::new(), 10), None);
    }
}
