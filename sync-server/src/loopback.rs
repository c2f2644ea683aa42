//! One call over HTTP/1.1 to an address of this machine: one POST, one answer, bounded in time and size.
//!
//! Follows no redirect, knows no proxy but the one that it is sent to, and refuses pieces (`chunked`) and everything but 200.
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest exchange; whoever asked has often given up before.
const EXCHANGE: Duration = Duration::from_secs(20);
/// The most bytes of a head.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// The most bytes of a body.
pub const MAX_BODY_BYTES: usize = 64 << 10;

/// An answer with status 200.
pub struct Answer {
    head: String,
    /// What it says.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a field of its head; empty if it has none.
    pub fn field(&self, name: &str) -> &str {
        let field = |line: &str| line.split_once(':').is_some_and(|(n, _)| n.eq_ignore_ascii_case(name));
        let line = self.head.lines().find(|line| field(line));
        line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }
}

/// Posts JSON; nothing if there is no answer with status 200, or no usable address.
pub fn post(address: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
    let address: SocketAddr = address.parse().ok()?;
    let graphic = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
    if !path.starts_with('/') || !graphic(path) || !fields.iter().all(|(n, v)| graphic(n) && graphic(v)) {
        return None;
    }
    let mut stream = TcpStream::connect_timeout(&address, EXCHANGE).ok()?;
    stream.set_read_timeout(Some(EXCHANGE)).ok()?;
    stream.set_write_timeout(Some(EXCHANGE)).ok()?;
    let more: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         {more}Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    let most = (MAX_HEAD_BYTES + MAX_BODY_BYTES) as u64 + 1;
    stream.take(most).read_to_end(&mut answer).ok()?;
    understood(&answer)
}

fn understood(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).take(MAX_HEAD_BYTES).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let (status, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut status = status.split(' ');
    let good = status.next().is_some_and(|v| v.starts_with("HTTP/1.")) && status.next() == Some("200");
    let in_pieces = fields.lines().any(|line| line.to_ascii_lowercase().starts_with("transfer-encoding:"));
    let body = || answer.get(end + 4..).unwrap_or_default().to_vec();
    (good && !in_pieces).then(|| Answer { head: fields.to_owned(), body: body() })
}
