//! `/api/v1/uploads`: tus 1.0 for pages and photos. Reads the calls, waits for a turn, answers; what an upload is lies
//! in `crate::uploads`.
//!
//! Not part of the described API: tus is a protocol of its own, and its clients know it. Every call but OPTIONS is
//! signed over method and address by the terminal whose envelope names the blob.
use std::time::{Duration, UNIX_EPOCH};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use domain::envelope::request_digest;
use domain::wire::v1::uploads::{
    CHECKSUM_ALGORITHM, MAX_BLOB_BYTES, OFFSET_OCTETS, TUS_EXTENSIONS, TUS_RESUMABLE, TUS_VERSION,
    UPLOAD_CHECKSUM, UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_OFFSET, UPLOADS,
};

use super::blocking;
use super::parameters::{Parameters, credentials};
use super::receive::{self, Expected};
use crate::error::{ProblemCode, ServiceError};
use crate::services::terminals::{self, Terminal};
use crate::services::uploads::{UploadState, Wish};
use crate::shell::App;
use crate::shell::problem::Refusal;
use crate::uploads::Standing;

/// A part of an address.
type Id = Result<Path<String>, PathRejection>;

/// `OPTIONS`: what this server can do; open to everybody.
pub async fn options() -> Response {
    let size = HeaderValue::from(MAX_BLOB_BYTES);
    let texts = [
        ("tus-version", HeaderValue::from_static(TUS_VERSION)),
        ("tus-extension", HeaderValue::from_static(TUS_EXTENSIONS)),
        ("tus-checksum-algorithm", HeaderValue::from_static(CHECKSUM_ALGORITHM)),
        ("tus-max-size", size),
    ];
    (StatusCode::NO_CONTENT, texts).into_response()
}

/// `POST /api/v1/uploads?envelope=ID&blob=SHA256`: begins an upload, or finds the one that is on its way.
///
/// # Errors
/// The problem.
pub async fn create(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let terminal = caller(&app, &Method::POST, &uri, &headers).await?;
    require_tus(&headers)?;
    let parameters = Parameters::read(&uri)?;
    let wish = Wish {
        envelope_id: parameters.parsed("envelope")?,
        digest: parameters.parsed("blob")?,
        length: number(&headers, UPLOAD_LENGTH)?,
    };
    if wish.length > MAX_BLOB_BYTES {
        return Err(ServiceError::from(ProblemCode::TooLarge).into());
    }
    let (centre, uploads) = (app.centre.clone(), app.uploads.clone());
    let standing = blocking(move || uploads.begin(&centre, terminal, wish)).await?;
    let location = HeaderValue::from_str(&format!("{UPLOADS}/{}", standing.upload.id));
    let mut response = answer(StatusCode::CREATED, &standing);
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// `HEAD /api/v1/uploads/{id}`: how far it has come. One that is whole and was not yet taken is taken now.
///
/// # Errors
/// The problem.
pub async fn look(State(app): State<App>, id: Id, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let terminal = caller(&app, &Method::HEAD, &uri, &headers).await?;
    require_tus(&headers)?;
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let (centre, uploads) = (app.centre.clone(), app.uploads.clone());
    let standing = blocking(move || {
        let standing = uploads.look(&centre, &terminal, &id)?;
        if standing.offset >= standing.upload.length
            && let Ok(hold) = uploads.hold(&id)
        {
            uploads.finish(&centre, &hold, &standing.upload)?;
        }
        Ok(standing)
    })
    .await?;
    let mut response = answer(StatusCode::OK, &standing);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `PATCH /api/v1/uploads/{id}`: adds bytes at the end. What came before a cut is kept.
///
/// # Errors
/// The problem.
pub async fn add(State(app): State<App>, id: Id, request: Request) -> Result<Response, Refusal> {
    // On a task of its own: what came is kept and taken also when the caller has gone.
    let task = tokio::spawn(take(app, id, request));
    let taken = task.await.map_err(|e| ServiceError::Inconsistent(format!("an upload broke off: {e}")))?;
    Ok(answer(StatusCode::NO_CONTENT, &taken?))
}

async fn take(app: App, id: Id, request: Request) -> Result<Standing, ServiceError> {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    let terminal = caller(&app, &Method::PATCH, &parts.uri, headers).await?;
    require_tus(headers)?;
    require_octets(headers)?;
    let offset = number(headers, UPLOAD_OFFSET)?;
    let checksum = checksum(headers)?;
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let _turn =
        app.turns.enter(&terminal.station).await.map_err(|_| ServiceError::from(ProblemCode::Busy))?;
    let (centre, uploads) = (app.centre.clone(), app.uploads.clone());
    let (standing, hold) = blocking(move || {
        // Whose it is comes first: a stranger does not hear whether somebody sends.
        uploads.look(&centre, &terminal, &id)?;
        let hold = uploads.hold(&id)?;
        Ok((uploads.look(&centre, &terminal, &id)?, hold))
    })
    .await?;
    if standing.offset != offset {
        let here = format!("{} bytes are here", standing.offset);
        return Err(ServiceError::refused(ProblemCode::UploadOffset, here));
    }
    let left = standing.upload.length.saturating_sub(offset);
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|n| n > left) {
        return Err(ProblemCode::TooLarge.into());
    }
    if standing.upload.state == UploadState::Done {
        return Ok(standing);
    }
    receive::receive(&app, hold, standing, (body, Expected { left, checksum })).await
}

/// `DELETE /api/v1/uploads/{id}`: gives it up.
///
/// # Errors
/// The problem.
pub async fn give_up(
    State(app): State<App>,
    id: Id,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let terminal = caller(&app, &Method::DELETE, &uri, &headers).await?;
    require_tus(&headers)?;
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let (centre, uploads) = (app.centre.clone(), app.uploads.clone());
    blocking(move || {
        uploads.look(&centre, &terminal, &id)?;
        uploads.give_up(&centre, &uploads.hold(&id)?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Every answer of these addresses names the version of tus, problems included.
pub async fn name_version(request: Request, next: Next) -> Response {
    let ours = request.uri().path().starts_with(UPLOADS) && request.method() != Method::OPTIONS;
    let mut response = next.run(request).await;
    if ours {
        let name = HeaderName::from_static(TUS_RESUMABLE);
        response.headers_mut().insert(name, HeaderValue::from_static(TUS_VERSION));
    }
    response
}

fn answer(status: StatusCode, standing: &Standing) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static(UPLOAD_OFFSET), standing.offset.into());
    headers.insert(HeaderName::from_static(UPLOAD_LENGTH), standing.upload.length.into());
    let expires_ms = u64::try_from(standing.upload.expires_at_ms).unwrap_or(0);
    let expires = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(expires_ms));
    if let Ok(expires) = HeaderValue::from_str(&expires) {
        headers.insert(HeaderName::from_static(UPLOAD_EXPIRES), expires);
    }
    response
}

/// The terminal that signed this call.
async fn caller(
    app: &App,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Terminal, ServiceError> {
    let (terminal, signature) = credentials(headers)?;
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    let digest = request_digest(method.as_str(), path);
    let centre = app.centre.clone();
    blocking(move || centre.read(|tx| terminals::signed_by(tx, &terminal, &digest, &signature))).await
}

fn require_tus(headers: &HeaderMap) -> Result<(), ServiceError> {
    let version = headers.get(TUS_RESUMABLE).map(HeaderValue::as_bytes);
    if version == Some(TUS_VERSION.as_bytes()) { Ok(()) } else { Err(ProblemCode::TusVersion.into()) }
}

fn require_octets(headers: &HeaderMap) -> Result<(), ServiceError> {
    let plain = headers.get(header::CONTENT_ENCODING).is_none_or(|v| v == "identity");
    if !plain {
        return Err(ProblemCode::UnsupportedEncoding.into());
    }
    let octets = headers.get(header::CONTENT_TYPE).is_some_and(|v| v == OFFSET_OCTETS);
    if octets { Ok(()) } else { Err(ProblemCode::UnsupportedMediaType.into()) }
}

/// A header with a whole number, written with digits only.
fn number(headers: &HeaderMap, name: &'static str) -> Result<u64, ServiceError> {
    let text = headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| malformed(&format!("{name} is a whole number")))
}

/// The checksum that the bytes of this call must have, if the caller names one.
fn checksum(headers: &HeaderMap) -> Result<Option<[u8; 32]>, ServiceError> {
    let Some(value) = headers.get(UPLOAD_CHECKSUM) else { return Ok(None) };
    let wrong = || malformed("upload-checksum is `sha256` and the base64 of 32 bytes");
    let text = value.to_str().map_err(|_| wrong())?;
    let digest =
        text.strip_prefix(CHECKSUM_ALGORITHM).and_then(|rest| rest.strip_prefix(' ')).ok_or_else(wrong)?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(digest).map_err(|_| wrong())?;
    bytes.try_into().map(Some).map_err(|_| wrong())
}

fn malformed(detail: &str) -> ServiceError {
    ServiceError::refused(ProblemCode::MalformedRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(text).expect("a header"));
        headers
    }

    #[test]
    fn numbers_and_checksums_are_read_strictly() {
        assert_eq!(number(&with(UPLOAD_OFFSET, "0"), UPLOAD_OFFSET).ok(), Some(0));
        for bad in ["", "-1", "+1", "1.0", "0x1", "18446744073709551616", " 1"] {
            assert!(number(&with(UPLOAD_OFFSET, bad), UPLOAD_OFFSET).is_err(), "{bad}");
        }
        let good = format!("sha256 {}", base64::engine::general_purpose::STANDARD.encode([7; 32]));
        assert_eq!(checksum(&with(UPLOAD_CHECKSUM, &good)).ok(), Some(Some([7; 32])));
        assert_eq!(checksum(&HeaderMap::new()).ok(), Some(None));
        for bad in ["", "sha256", "sha256 ", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", "sha256 AAAA", "md5 x"] {
            assert!(checksum(&with(UPLOAD_CHECKSUM, bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_plain_octets_of_this_version_are_taken() {
        assert!(require_tus(&with(TUS_RESUMABLE, "1.0.0")).is_ok());
        assert!(
            require_tus(&with(TUS_RESUMABLE, "0.2.2")).is_err() && require_tus(&HeaderMap::new()).is_err()
        );
        let mut headers = with("content-type", OFFSET_OCTETS);
        assert!(require_octets(&headers).is_ok());
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("zstd"));
        assert!(require_octets(&headers).is_err());
        assert!(require_octets(&with("content-type", "application/octet-stream")).is_err());
    }
}
