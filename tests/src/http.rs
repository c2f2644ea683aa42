//! An HTTP/1.1 client that can also send what no proper client would, plain or over TLS. One connection a call, no
//! redirects, no compression unless asked for.
use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

use crate::tls::{Caller, Secure};

/// Longest silence of the server that a test accepts.
const SILENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header lines, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// If it is not JSON of this shape.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).with_context(|| format!("{}: {}", self.status, self.text()))
    }

    /// The code of a problem answer; fails unless it is problem+json with the status of the answer.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn problem(&self) -> Result<String> {
        let media_type = self.header("content-type").unwrap_or_default();
        if media_type != "application/problem+json" {
            return Err(anyhow!("{} {media_type}: {}", self.status, self.text()));
        }
        let problem: domain::wire::v1::Problem = self.json()?;
        if problem.status != self.status || problem.instance.is_none() {
            return Err(anyhow!("{problem:?} came with status {}", self.status));
        }
        Ok(problem.code)
    }
}

/// `GET`
///
/// # Errors
/// If the server cannot be reached or breaks off.
pub fn get(base: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    call(base, "GET", path, headers, None)
}

/// `POST` with a body of some media type.
///
/// # Errors
/// If the server cannot be reached or breaks off.
pub fn post(base: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
    call(base, "POST", path, headers, Some(body))
}

/// Any method.
///
/// # Errors
/// If the server cannot be reached or breaks off.
pub fn call(
    base: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Result<Answer> {
    let host = base.strip_prefix("http://").context("an http address")?;
    let headers = [&[("connection", "close")], headers].concat();
    raw(host, &request(host, (method, path), &headers, body))
}

/// The bytes of a request.
fn request(
    host: &str,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body.unwrap_or_default()].concat()
}

/// Any method over TLS, as a caller with a certificate or without one.
///
/// # Errors
/// If the server cannot be reached, takes no such certificate, or breaks off.
pub fn call_as(
    caller: &Caller,
    base: &str,
    target: (&str, &str),
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Result<Answer> {
    let host = base.strip_prefix("https://").context("an https address")?;
    let mut stream = caller.connect(host)?;
    call_on(&mut stream, host, target, (headers, body))
}

/// Any method on a connection over TLS, which stays open.
///
/// # Errors
/// As [`call_as`].
pub fn call_on(
    stream: &mut Secure,
    host: &str,
    target: (&str, &str),
    (headers, body): (&[(&str, &str)], Option<&[u8]>),
) -> Result<Answer> {
    stream.write_all(&request(host, target, headers, body))?;
    read_answer(stream, is_whole)
}

/// Whether an answer is there as far as its length or its last chunk says.
fn is_whole(bytes: &[u8]) -> bool {
    let Ok(answer) = parse(bytes) else { return false };
    match answer.header("content-length").map(str::parse) {
        Some(length) => length == Ok(answer.body.len()),
        None => answer.status == 304 || answer.header("transfer-encoding").is_some(),
    }
}

/// Sends bytes and reads the answer to the end of the connection.
///
/// # Errors
/// If the server cannot be reached or answers nothing that is HTTP.
pub fn raw(host: &str, request: &[u8]) -> Result<Answer> {
    exchange(host, request, |_| false)
}

/// As [`call`], for a server that may leave the connection open: reads as much as the answer's `content-length` says.
///
/// # Errors
/// As [`call`].
pub fn call_by_length(base: &str, method: &str, path: &str, body: Option<&[u8]>) -> Result<Answer> {
    let host = base.strip_prefix("http://").context("an http address")?;
    let length = body.map_or_else(String::new, |b| format!("content-length: {}\r\n", b.len()));
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{length}\r\n");
    exchange(host, &[head.as_bytes(), body.unwrap_or_default()].concat(), is_whole)
}

fn exchange(host: &str, request: &[u8], whole: impl Fn(&[u8]) -> bool) -> Result<Answer> {
    let mut stream = TcpStream::connect(host).with_context(|| host.to_owned())?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    // A server that refuses early closes while we still write: what counts is its answer.
    let _ = stream.write_all(request);
    let answer = read_answer(&mut stream, whole);
    let _ = stream.shutdown(Shutdown::Both);
    answer
}

fn read_answer(stream: &mut impl Read, whole: impl Fn(&[u8]) -> bool) -> Result<Answer> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    while !whole(&bytes) {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(e) if bytes.is_empty() => return Err(e.into()),
            Err(_) => break,
        }
    }
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Answer> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").context("no end of the head")?;
    let head = std::str::from_utf8(&bytes[..end])?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|l| l.split(' ').nth(1)).context("no status")?.parse()?;
    let headers: Vec<_> = lines
        .filter_map(|l| l.split_once(':'))
        .map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()))
        .collect();
    let rest = &bytes[end + 4..];
    let chunked = headers.iter().any(|(n, v)| n == "transfer-encoding" && v == "chunked");
    let body = if chunked { unchunk(rest)? } else { rest.to_vec() };
    Ok(Answer { status, headers, body })
}

fn unchunk(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n").context("no chunk length")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end])?.trim(), 16)?;
        if length == 0 {
            return Ok(body);
        }
        rest = rest.get(end + 2..).context("no chunk")?;
        body.extend_from_slice(rest.get(..length).context("a cut chunk")?);
        rest = rest.get(length + 2..).context("no end of chunk")?;
    }
}
