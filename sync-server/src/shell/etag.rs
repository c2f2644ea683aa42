//! Entity tags: does the caller have this version already (RFC 9110, 8.8.3 and 13.1.2)?
//!
//! A malformed `If-None-Match` is as good as none: the caller gets the whole answer. Compression makes other bytes of
//! the same meaning, so a strong tag becomes a weak one then.
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Whether `If-None-Match` names this tag, by the weak comparison.
///
/// The tag is written as in the header `ETag`, with its quotes.
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lines: Option<Vec<&[u8]>> =
        headers.get_all(header::IF_NONE_MATCH).iter().map(|v| Some(v.as_bytes())).collect();
    let field = lines.unwrap_or_default().join(&b","[..]);
    if field.trim_ascii() == b"*" {
        return true;
    }
    let opaque = tag.strip_prefix("W/").unwrap_or(tag).as_bytes();
    opaque_tags(&field).is_some_and(|tags| tags.contains(&opaque))
}

/// The tags of a list with their quotes and without `W/`; nothing if the list is malformed.
fn opaque_tags(field: &[u8]) -> Option<Vec<&[u8]>> {
    let mut tags = Vec::new();
    let mut rest = field.trim_ascii_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
            continue;
        }
        let quoted = rest.strip_prefix(b"W/").unwrap_or(rest);
        let inside = quoted.strip_prefix(b"\"")?;
        let length = inside.iter().position(|b| *b == b'"')?;
        if !inside[..length].iter().all(|b| *b == b'!' || (b'#'..=b'~').contains(b) || *b >= 0x80) {
            return None;
        }
        tags.push(&quoted[..length + 2]);
        rest = inside[length + 1..].trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
    Some(tags)
}

/// Makes the tag of a compressed answer a weak one. Stands outside the compression.
pub async fn weaken_compressed(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_ENCODING)
        && let Some(tag) = headers.get(header::ETAG).filter(|t| t.as_bytes().starts_with(b"\""))
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat())
    {
        headers.insert(header::ETAG, weak);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(lines: &[&[u8]], tag: &str) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_NONE_MATCH, HeaderValue::from_bytes(line).expect("a header"));
        }
        is_known(&headers, tag)
    }

    #[test]
    fn tags_are_compared_weakly_and_lists_are_read() {
        for (lines, tag) in [
            (&[&b"\"a\""[..]][..], "\"a\""),
            (&[b"W/\"a\""], "\"a\""),
            (&[b"\"a\""], "W/\"a\""),
            (&[b"\"x\", W/\"y\" ,,\"a\""], "\"a\""),
            (&[b"\"x\"", b"\"a\""], "\"a\""),
            (&[b" * "], "\"a\""),
            (&[b"\"a,b\""], "\"a,b\""),
        ] {
            assert!(known(lines, tag), "{lines:?} {tag}");
        }
        for line in [
            "\"b\"",
            "",
            ",",
            "w/\"a\"",
            "a",
            "\"a",
            "a\"",
            "\"a\" \"b\"",
            "*, \"a\"",
            "\"a\"x",
            "W/ \"a\"",
            "\"\"",
        ] {
            assert!(!known(&[line.as_bytes()], "\"a\""), "{line}");
        }
        assert!(!known(&[b"\"a\"", b"\"b"], "\"a\""), "one malformed line spoils the field");
        assert!(!known(&[], "\"a\""));
    }
}
