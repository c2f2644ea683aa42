//! Bodies of requests: bounded before and after decompression, of one media type, parsed strictly with bounded depth.
//!
//! Error details name a place, never a value: a body may hold what nobody should read in a log.
use std::io::Read as _;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use domain::wire::v1::MAX_BATCH_BYTES;
use serde::de::DeserializeOwned;

use super::strict::{self, Mistake};
use crate::error::{ProblemCode, ServiceError};

/// Bytes of a body, as it travels and decompressed, at most.
pub const MAX_BODY_BYTES: usize = MAX_BATCH_BYTES;
/// Largest zstd window that is honoured, as a power of two: 8 MiB, which RFC 8878 asks every decoder to take.
const MAX_WINDOW_LOG: u32 = 23;

/// Reads a JSON body, plain or zstd.
///
/// # Errors
/// [`ServiceError`] with the problem: 400, 413 or 415.
pub async fn read_json<T: DeserializeOwned>(request: Request<Body>) -> Result<T, ServiceError> {
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let zstd = is_zstd(&parts.headers)?;
    let declared =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|n| n > MAX_BODY_BYTES as u64) {
        return Err(ProblemCode::TooLarge.into());
    }
    let bytes = axum::body::to_bytes(body, MAX_BODY_BYTES).await.map_err(|e| {
        // The limit and a cut connection come as the same type; only the limit is answered to anybody.
        let cause = std::error::Error::source(&e).map(ToString::to_string).unwrap_or_default();
        if cause.contains("limit") {
            ServiceError::from(ProblemCode::TooLarge)
        } else {
            malformed("the body was cut")
        }
    })?;
    if zstd { parse(&decompress(&bytes)?) } else { parse(&bytes) }
}

fn require_json(headers: &HeaderMap) -> Result<(), ServiceError> {
    let essence = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split(';').next())
        .map(|v| v.trim().to_ascii_lowercase());
    if essence.as_deref() == Some("application/json") {
        Ok(())
    } else {
        Err(ProblemCode::UnsupportedMediaType.into())
    }
}

fn is_zstd(headers: &HeaderMap) -> Result<bool, ServiceError> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    match (encodings.next().map(|v| v.as_bytes().to_ascii_lowercase()), encodings.next()) {
        (None, _) => Ok(false),
        (Some(e), None) if e == b"identity" => Ok(false),
        (Some(e), None) if e == b"zstd" => Ok(true),
        _ => Err(ProblemCode::UnsupportedEncoding.into()),
    }
}

fn decompress(bytes: &[u8]) -> Result<Vec<u8>, ServiceError> {
    let broken = |_| malformed("the body is not whole zstd data");
    let mut decoder = zstd::stream::read::Decoder::new(bytes).map_err(broken)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(broken)?;
    let mut out = Vec::new();
    decoder.take(MAX_BODY_BYTES as u64 + 1).read_to_end(&mut out).map_err(broken)?;
    if out.len() > MAX_BODY_BYTES { Err(ProblemCode::TooLarge.into()) } else { Ok(out) }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ServiceError> {
    strict::read(bytes).map_err(|mistake| match mistake {
        Mistake::Ambiguous { line, column } => {
            malformed(&format!("a key that stands twice, or a text with NUL, at line {line} column {column}"))
        }
        Mistake::NotJson { line, column } => {
            malformed(&format!("not valid JSON, or nested too deeply, at line {line} column {column}"))
        }
        // The path names fields of our own and places in lists, never what the caller wrote.
        Mistake::Shape { path } => malformed(&format!("not what this call takes, at {path}")),
    })
}

fn malformed(detail: &str) -> ServiceError {
    ServiceError::refused(ProblemCode::MalformedRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: Result<T, ServiceError>) -> Option<ProblemCode> {
        match result {
            Err(ServiceError::Refused { code, .. }) => Some(code),
            _ => None,
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = zstd::encode_all(std::io::repeat(b' ').take(200 << 20), 3).expect("compressed");
        assert!(bomb.len() < MAX_BODY_BYTES, "it is small on the wire");
        assert_eq!(code(decompress(&bomb)), Some(ProblemCode::TooLarge));
        let whole = zstd::encode_all(&vec![b' '; MAX_BODY_BYTES][..], 3).expect("compressed");
        assert_eq!(decompress(&whole).map(|b| b.len()).ok(), Some(MAX_BODY_BYTES));
        for cut in 0..whole.len() {
            assert!(decompress(&whole[..cut]).is_err() || cut == 0, "{cut}");
        }
    }

    #[test]
    fn odd_json_is_an_error_without_values() {
        let deep = "[".repeat(100_000);
        for bad in ["", "{", "nul", "\"\u{1}\"", deep.as_str(), "{\"a\":1e999}", "\u{feff}{}"] {
            let result = parse::<serde_json::Value>(bad.as_bytes());
            assert_eq!(code(result), Some(ProblemCode::MalformedRequest), "{}", &bad[..bad.len().min(20)]);
        }
        let wrong = parse::<u32>(b"\"\xe5\xbc\xa0\xe4\xb8\x89\"").map(|_| ());
        let Err(ServiceError::Refused { detail: Some(detail), .. }) = wrong else { panic!("refused") };
        assert!(!detail.contains('张'), "{detail}");
    }
}
