//! One exchange of HTTP/1.1 with an address of this machine, bounded in time and size: a proxy there speaks TLS to whoever
//! is meant.
//!
//! Follows no redirect, knows no proxy but the one that it is sent to, and refuses pieces (`chunked`).
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The longest time of a whole exchange, from the connection to the last byte; whoever asked has often given up before.
const EXCHANGE: Duration = Duration::from_secs(20);
/// The most bytes of a head.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// The most bytes of a body that [`post`] takes.
pub const MAX_BODY_BYTES: usize = 64 << 10;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// Path, which begins with `/`.
    pub path: &'a str,
    /// Further fields of the head.
    pub fields: &'a [(&'a str, &'a str)],
    /// JSON; empty for none.
    pub body: &'a [u8],
    /// The most bytes of the answer's body.
    pub most: usize,
}

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
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

/// The address, if it is IP and port of this machine.
pub fn local(address: &str) -> Option<SocketAddr> {
    address.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())
}

/// Posts JSON; nothing if there is no answer with status 200, or no usable address.
pub fn post(address: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
    let ask = Ask { method: "POST", path, fields, body, most: MAX_BODY_BYTES };
    exchange(address.parse().ok()?, ask).filter(|answer| answer.status == 200)
}

/// The answer; nothing if there is none that can be read, or none in time.
pub fn exchange(address: SocketAddr, ask: Ask<'_>) -> Option<Answer> {
    exchange_within(address, ask, EXCHANGE)
}

fn exchange_within(address: SocketAddr, ask: Ask<'_>, time: Duration) -> Option<Answer> {
    let graphic = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
    if !ask.path.starts_with('/')
        || !graphic(ask.path)
        || !ask.fields.iter().all(|(name, value)| graphic(name) && graphic(value))
    {
        return None;
    }
    let until = Instant::now().checked_add(time)?;
    let mut stream = TcpStream::connect_timeout(&address, time).ok()?;
    let more: String = ask.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "{} {} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         {more}Connection: close\r\n\r\n",
        ask.method,
        ask.path,
        ask.body.len()
    );
    write_by(&mut stream, head.as_bytes(), until)?;
    write_by(&mut stream, ask.body, until)?;
    let answer = read_by(&mut stream, MAX_HEAD_BYTES + ask.most, until)?;
    read(&answer).filter(|answer| answer.body.len() <= ask.most)
}

/// What is left of the time; nothing once it is over. Whoever drips a byte now and then does not hold anybody up longer.
fn left(until: Instant) -> Option<Duration> {
    until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

fn write_by(stream: &mut TcpStream, mut bytes: &[u8], until: Instant) -> Option<()> {
    while !bytes.is_empty() {
        stream.set_write_timeout(Some(left(until)?)).ok()?;
        match stream.write(bytes) {
            Ok(0) => return None,
            Ok(written) => bytes = bytes.get(written..)?,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(())
}

/// All bytes until the other side ends; nothing if there are more than `most`.
fn read_by(stream: &mut TcpStream, most: usize, until: Instant) -> Option<Vec<u8>> {
    let (mut bytes, mut part) = (Vec::new(), [0; 8 << 10]);
    loop {
        stream.set_read_timeout(Some(left(until)?)).ok()?;
        match stream.read(&mut part) {
            Ok(0) => return Some(bytes),
            Ok(read) => bytes.extend_from_slice(part.get(..read)?),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
        if bytes.len() > most {
            return None;
        }
    }
}

fn read(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).take(MAX_HEAD_BYTES).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let (status, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut words = status.split(' ');
    let version = words.next().filter(|v| v.starts_with("HTTP/1."));
    let status = version.and(words.next()).and_then(|status| status.parse().ok())?;
    let in_pieces = fields.lines().any(|line| line.to_ascii_lowercase().starts_with("transfer-encoding:"));
    let body = answer.get(end + 4..).unwrap_or_default().to_vec();
    (!in_pieces).then(|| Answer { status, head: fields.to_owned(), body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_answers_are_none() {
        let said = |answer: &[u8]| read(answer).map(|answer| (answer.status, answer.body));
        assert_eq!(said(b"HTTP/1.1 200 OK\r\na: b\r\n\r\n{}"), Some((200, b"{}".to_vec())));
        assert_eq!(said(b"HTTP/1.1 409\r\n\r\n"), Some((409, Vec::new())));
        for odd in ["", "HTTP/1.1 200 OK", "HTTP/2 200\r\n\r\n", "HTTP/1.1 x\r\n\r\n", "SSH-2.0\r\n\r\n"] {
            assert_eq!(said(odd.as_bytes()), None, "{odd}");
        }
        assert_eq!(said(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0"), None);
        assert_eq!(said(b"HTTP/1.1 200 \xff\r\n\r\n"), None);
        let answer = read(b"HTTP/1.1 200 OK\r\nX-Sign:  a \r\n\r\n").expect("an answer");
        assert_eq!((answer.field("x-sign"), answer.field("other")), ("a", ""));
    }

    #[test]
    fn who_drips_bytes_holds_nobody_up() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let time = Duration::from_millis(200);
        let (said, ends) = std::sync::mpsc::channel::<()>();
        let dripping = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a caller");
            // A byte every 20 ms, and never the last.
            while ends.recv_timeout(Duration::from_millis(20)).is_err() {
                if stream.write_all(b"H").is_err() {
                    break;
                }
            }
        });
        let ask = Ask { method: "GET", path: "/", fields: &[], body: b"", most: 1 << 20 };
        let began = Instant::now();
        assert_eq!(exchange_within(address, ask, time), None);
        assert!(began.elapsed() < time * 20, "{:?}", began.elapsed());
        let _ = said.send(());
        dripping.join().expect("it ends");
    }

    #[test]
    fn only_this_machine_is_local() {
        for far in ["", "192.0.2.1:80", "localhost:80", "127.0.0.1"] {
            assert_eq!(local(far), None, "{far}");
        }
        assert!(local("127.0.0.1:80").is_some() && local("[::1]:80").is_some());
    }

    #[test]
    fn what_no_head_takes_is_not_asked() {
        for (path, value) in [("x", "y"), ("/a b", "y"), ("/x", "a\r\nb: c"), ("/x\n", "y")] {
            assert_eq!(post("127.0.0.1:9", path, &[("name", value)], b""), None, "{path:?} {value:?}");
        }
        assert_eq!(post("nowhere", "/", &[], b""), None);
    }
}
