//! One exchange of HTTP/1.1 with an address of this machine, bounded in time and size: a proxy there speaks TLS to whoever
//! is meant.
//!
//! Follows no redirect, knows no proxy but the one that it is sent to, and refuses pieces (`chunked`).
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest wait for a connection, and for each part of the exchange.
const EXCHANGE: Duration = Duration::from_secs(20);
/// The most bytes of a head.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// Path, which begins with `/`.
    pub path: &'a str,
    /// JSON; empty for none.
    pub body: &'a [u8],
    /// The most bytes of the answer's body.
    pub most: usize,
}

/// The address, if it is IP and port of this machine.
pub fn local(address: &str) -> Option<SocketAddr> {
    address.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())
}

/// Status and body of the answer; nothing if there is none that can be read.
pub fn exchange(address: SocketAddr, ask: Ask<'_>) -> Option<(u16, Vec<u8>)> {
    let plain = ask.path.starts_with('/') && ask.path.bytes().all(|b| b.is_ascii_graphic());
    if !plain {
        return None;
    }
    let mut stream = TcpStream::connect_timeout(&address, EXCHANGE).ok()?;
    stream.set_read_timeout(Some(EXCHANGE)).ok()?;
    stream.set_write_timeout(Some(EXCHANGE)).ok()?;
    let head = format!(
        "{} {} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        ask.method,
        ask.path,
        ask.body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(ask.body).ok()?;
    let mut answer = Vec::new();
    let most = (MAX_HEAD_BYTES + ask.most) as u64 + 1;
    stream.take(most).read_to_end(&mut answer).ok()?;
    read(&answer).filter(|(_, body)| body.len() <= ask.most)
}

/// Status and body of an answer.
fn read(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).take(MAX_HEAD_BYTES).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let (status, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut words = status.split(' ');
    let version = words.next().filter(|v| v.starts_with("HTTP/1."));
    let status = version.and(words.next()).and_then(|status| status.parse().ok())?;
    let in_pieces = fields.lines().any(|line| line.to_ascii_lowercase().starts_with("transfer-encoding:"));
    if in_pieces { None } else { Some((status, answer.get(end + 4..).unwrap_or_default().to_vec())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_answers_are_none() {
        assert_eq!(read(b"HTTP/1.1 200 OK\r\na: b\r\n\r\n{}"), Some((200, b"{}".to_vec())));
        assert_eq!(read(b"HTTP/1.1 409\r\n\r\n"), Some((409, Vec::new())));
        for odd in ["", "HTTP/1.1 200 OK", "HTTP/2 200\r\n\r\n", "HTTP/1.1 x\r\n\r\n", "SSH-2.0\r\n\r\n"] {
            assert_eq!(read(odd.as_bytes()), None, "{odd}");
        }
        assert_eq!(read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0"), None);
        assert_eq!(read(b"HTTP/1.1 200 \xff\r\n\r\n"), None);
    }

    #[test]
    fn only_this_machine_is_asked() {
        for far in ["", "192.0.2.1:80", "localhost:80", "127.0.0.1"] {
            assert_eq!(local(far), None, "{far}");
        }
        assert!(local("127.0.0.1:80").is_some() && local("[::1]:80").is_some());
    }
}
