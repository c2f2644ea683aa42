//! One GET to a server on this machine. Refuses everything else: no other machine, no redirect, no large answer.
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of an answer.
const MOST_BYTES: u64 = 4 << 20;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// Status code.
    pub status: u16,
    /// Body.
    pub text: String,
}

/// Fetches `http://127.0.0.1:PORT/path`.
///
/// # Errors
/// If the address is not on this machine, nobody answers, or the answer is no HTTP.
pub fn get(address: &str) -> Result<Page> {
    let (host, path) = split(address).with_context(|| format!("{address} is no address of this machine"))?;
    let mut stream =
        TcpStream::connect_timeout(&host, TIMEOUT).with_context(|| format!("nobody answers at {host}"))?;
    stream.set_read_timeout(Some(TIMEOUT)).context("cannot bound the wait")?;
    stream.set_write_timeout(Some(TIMEOUT)).context("cannot bound the wait")?;
    // HTTP/1.0: the answer is not cut into chunks and ends with the connection.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").context("cannot ask")?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).context("the answer broke off")?;
    parse(&String::from_utf8_lossy(&answer))
}

fn split(address: &str) -> Option<(SocketAddr, &str)> {
    let rest = address.strip_prefix("http://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host: SocketAddr = host.parse().ok()?;
    let clean = !path.contains(|c: char| c.is_whitespace() || c.is_control());
    (host.ip().is_loopback() && clean).then_some((host, if path.is_empty() { "/" } else { path }))
}

fn parse(answer: &str) -> Result<Page> {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { bail!("the answer is no HTTP") };
    let status = head.strip_prefix("HTTP/1.").and_then(|h| h.split(' ').nth(1)).and_then(|s| s.parse().ok());
    Ok(Page { status: status.context("the answer has no status")?, text: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked() {
        assert!(split("http://127.0.0.1:80/a?b=c").is_some_and(|(_, path)| path == "/a?b=c"));
        assert!(split("http://127.0.0.1:80").is_some_and(|(_, path)| path == "/"));
        for bad in [
            "https://127.0.0.1:80/",
            "http://192.0.2.1:80/",
            "http://localhost/",
            "http://127.0.0.1:80/a b",
            "",
        ] {
            assert!(split(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn answers_are_taken_apart() {
        let page = parse("HTTP/1.0 404 Not Found\r\na: b\r\n\r\nhello").unwrap();
        assert_eq!(page, Page { status: 404, text: "hello".to_owned() });
        for bad in ["", "HTTP/1.0 200 OK", "SSH-2.0\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
