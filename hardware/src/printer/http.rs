//! One HTTP/1.1 call to a printer: a request with its body, and the answer's body, all within one limit of time.
//!
//! Refuses redirects, TLS, compression and answers over 256 KiB: a printer needs none of them. (`ipp`'s own client would
//! bring a second HTTP stack.)
use std::time::Duration;

use super::place::PageAddress;
use super::wire::Wire;
use crate::device::Trouble;

/// Largest head of an answer.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Largest body of an answer.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// Headers of an answer.
const MAX_HEADERS: usize = 64;
/// How long the next bytes may take.
const NEXT_BYTES: Duration = Duration::from_secs(10);

/// How a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing of the body was sent.
    Before(Trouble),
    /// It was sent, at least in part.
    After(Trouble),
}

/// Sends a body of several parts with `POST` and gives the answer's body.
pub(super) fn post(wire: &Wire, place: &PageAddress, parts: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let PageAddress { address, path } = place;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/ipp\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    wire.send(head.as_bytes()).map_err(Failure::Before)?;
    for part in parts {
        wire.send(part).map_err(Failure::After)?;
    }
    answer(|buffer| wire.receive(buffer, NEXT_BYTES)).map_err(Failure::After)
}

/// Reads an answer; `receive` gives the next bytes, none if there were none in time, an error at the end.
pub(super) fn answer(
    mut receive: impl FnMut(&mut [u8]) -> Result<usize, Trouble>,
) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    loop {
        match head_of(&bytes)? {
            // `100 Continue` and its like: the answer itself follows.
            Some(head) if (100..200).contains(&head.status) => {
                bytes.drain(..head.length);
            }
            Some(head) => {
                of_status(head.status)?;
                return body(bytes.split_off(head.length), head.body, receive);
            }
            None if bytes.len() > MAX_HEAD_BYTES => return Err(Trouble::Unsupported),
            None => more(&mut bytes, &mut receive)?,
        }
    }
}

fn more(
    bytes: &mut Vec<u8>,
    receive: &mut impl FnMut(&mut [u8]) -> Result<usize, Trouble>,
) -> Result<(), Trouble> {
    let mut buffer = [0; 8 * 1024];
    match receive(&mut buffer)? {
        0 => Err(Trouble::Silent),
        count => {
            bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
            Ok(())
        }
    }
}

struct Head {
    status: u16,
    length: usize,
    body: Body,
}

#[derive(Clone, Copy)]
enum Body {
    Length(usize),
    Chunked,
    UntilTheEnd,
}

/// The head, if all of it is here.
fn head_of(bytes: &[u8]) -> Result<Option<Head>, Trouble> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => {
            let status = response.code.unwrap_or(0);
            Ok(Some(Head { status, length, body: body_of(response.headers)? }))
        }
        Ok(httparse::Status::Partial) => Ok(None),
        Err(_) => Err(Trouble::Unsupported),
    }
}

fn body_of(headers: &[httparse::Header<'_>]) -> Result<Body, Trouble> {
    let value = |name: &str| {
        let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok()).map(str::trim)
    };
    if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return Ok(Body::Chunked);
    }
    match value("content-length").map(str::parse) {
        Some(Ok(length)) if length <= MAX_BODY_BYTES => Ok(Body::Length(length)),
        Some(_) => Err(Trouble::Unsupported),
        None => Ok(Body::UntilTheEnd),
    }
}

fn of_status(status: u16) -> Result<(), Trouble> {
    match status {
        200 => Ok(()),
        404 => Err(Trouble::NotFound),
        401 | 403 | 426 => Err(Trouble::Unsupported),
        500..=599 => Err(Trouble::ServiceOff),
        _ => Err(Trouble::Unsupported),
    }
}

fn body(
    mut bytes: Vec<u8>,
    kind: Body,
    mut receive: impl FnMut(&mut [u8]) -> Result<usize, Trouble>,
) -> Result<Vec<u8>, Trouble> {
    loop {
        match kind {
            Body::Length(length) if bytes.len() >= length => {
                bytes.truncate(length);
                return Ok(bytes);
            }
            Body::Chunked => {
                if let Some(whole) = unchunked(&bytes)? {
                    return Ok(whole);
                }
            }
            Body::Length(_) | Body::UntilTheEnd => {}
        }
        // Chunks have their own signs around them.
        if bytes.len() > 2 * MAX_BODY_BYTES {
            return Err(Trouble::Unsupported);
        }
        match (more(&mut bytes, &mut receive), kind) {
            (Ok(()), _) => {}
            (Err(Trouble::NotFound), Body::UntilTheEnd) => return Ok(bytes),
            (Err(trouble), _) => return Err(trouble),
        }
    }
}

/// The chunks put together, if all of them are here.
fn unchunked(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
    let mut whole = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(bytes) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Trouble::Unsupported),
        };
        let size = usize::try_from(size).map_err(|_| Trouble::Unsupported)?;
        if size == 0 {
            return Ok(Some(whole));
        }
        if size > MAX_BODY_BYTES || whole.len() + size > MAX_BODY_BYTES {
            return Err(Trouble::Unsupported);
        }
        // The chunk and the line end behind it.
        let (Some(chunk), Some(rest)) = (bytes.get(start..start + size), bytes.get(start + size + 2..))
        else {
            return Ok(None);
        };
        whole.extend_from_slice(chunk);
        bytes = rest;
    }
}
