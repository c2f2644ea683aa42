//! A source over HTTP/1.1 with JSON, at an address of this machine: one POST, one answer, bounded in time and size.
//!
//! Follows no redirect, knows no proxy but the one that it is sent to, and refuses pieces (`chunked`) and everything but 200.
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::Deserialize;

use super::{Adapter, MAX_ANSWER_BYTES, Request};

/// The longest exchange; whoever asked has often given up before.
const EXCHANGE: Duration = Duration::from_secs(20);
/// The most bytes of a head.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// Where it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// IP and port.
    pub address: String,
    /// Path, which begins with `/`.
    pub path: String,
}

impl Adapter for Http {
    fn ask(&self, request: &Request) -> Option<Vec<u8>> {
        self.post(&zeroize::Zeroizing::new(serde_json::to_vec(request).ok()?))
    }
}

impl Http {
    /// Sends a body of JSON and gives the body of the answer; nothing if there is none with status 200 in time.
    pub fn post(&self, body: &[u8]) -> Option<Vec<u8>> {
        let address: SocketAddr = self.address.parse().ok()?;
        let plain = self.path.starts_with('/') && self.path.bytes().all(|b| b.is_ascii_graphic());
        if !plain {
            return None;
        }
        let mut stream = TcpStream::connect_timeout(&address, EXCHANGE).ok()?;
        stream.set_read_timeout(Some(EXCHANGE)).ok()?;
        stream.set_write_timeout(Some(EXCHANGE)).ok()?;
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            self.path,
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        let mut answer = Vec::new();
        let most = (MAX_HEAD_BYTES + MAX_ANSWER_BYTES) as u64 + 1;
        stream.take(most).read_to_end(&mut answer).ok()?;
        body_of(&answer)
    }
}

/// The body of an answer with status 200; of another one nothing.
fn body_of(answer: &[u8]) -> Option<Vec<u8>> {
    let end = answer.windows(4).take(MAX_HEAD_BYTES).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let (status, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut status = status.split(' ');
    let good = status.next().is_some_and(|v| v.starts_with("HTTP/1.")) && status.next() == Some("200");
    let in_pieces = fields.lines().any(|line| line.to_ascii_lowercase().starts_with("transfer-encoding:"));
    (good && !in_pieces).then(|| answer.get(end + 4..).unwrap_or_default().to_vec())
}
