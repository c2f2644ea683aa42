//! One call to a server on this machine. Refuses everything else: no other machine, no redirect, no large answer.
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of an answer.
const MOST_BYTES: u64 = 4 << 20;

/// An answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Status code.
    pub status: u16,
    /// Where it leads.
    pub location: Option<String>,
    /// The cookie that it gives, as it is sent back.
    pub cookie: Option<String>,
    /// Body.
    pub text: String,
}

/// Fetches `http://127.0.0.1:PORT/path`.
///
/// # Errors
/// If the address is not on this machine, nobody answers, or the answer is no HTTP.
pub fn get(address: &str, cookie: Option<&str>) -> Result<Page> {
    exchange("GET", address, cookie, "", "")
}

/// Sends a form as a browser does from a page of the same site.
///
/// # Errors
/// As [`get`].
pub fn submit(address: &str, cookie: Option<&str>, fields: &[(&str, &str)]) -> Result<Page> {
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let body = pairs.join("&");
    let head = format!(
        "Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
        body.len()
    );
    exchange("POST", address, cookie, &head, &body)
}

fn exchange(method: &str, address: &str, cookie: Option<&str>, head: &str, body: &str) -> Result<Page> {
    let (host, path) = split(address).with_context(|| format!("{address} is no address of this machine"))?;
    let cookie = cookie.map(|c| format!("Cookie: {c}\r\n")).unwrap_or_default();
    let mut stream =
        TcpStream::connect_timeout(&host, TIMEOUT).with_context(|| format!("nobody answers at {host}"))?;
    stream.set_read_timeout(Some(TIMEOUT)).context("cannot bound the wait")?;
    stream.set_write_timeout(Some(TIMEOUT)).context("cannot bound the wait")?;
    // HTTP/1.0: the answer is not cut into chunks and ends with the connection.
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {host}\r\n{cookie}{head}\r\n{body}")
        .context("cannot ask")?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).context("the answer broke off")?;
    parse(&String::from_utf8_lossy(&answer))
}

/// A value as a form sends it.
fn encoded(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let each = value.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") });
    each.collect()
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
    let lines: Vec<_> = head.lines().filter_map(|line| line.split_once(": ")).collect();
    let value =
        |name: &str| lines.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    Ok(Page {
        status: status.context("the answer has no status")?,
        location: value("location").map(str::to_owned),
        cookie: value("set-cookie").and_then(|c| c.split(';').next()).map(str::to_owned),
        text: body.to_owned(),
    })
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
        assert_eq!(page, Page { status: 404, text: "hello".to_owned(), ..Page::default() });
        let led = parse("HTTP/1.0 303 See Other\r\nlocation: /a\r\nSet-Cookie: b=c; Path=/\r\n\r\n").unwrap();
        assert_eq!((led.location.as_deref(), led.cookie.as_deref()), (Some("/a"), Some("b=c")));
        assert_eq!(encoded("A b&c=办"), "A%20b%26c%3D%E5%8A%9E");
        for bad in ["", "HTTP/1.0 200 OK", "SSH-2.0\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
