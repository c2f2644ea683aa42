//! A load of HTTP requests over connections that stay open, with TLS and a certificate or without, each by a thread of
//! its own: the same for both sides.
//!
//! Requests are whole before the clock starts; an answer is read to its end. Refuses answers that say no length.
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::tls::Caller;

/// Longest silence of a server.
const SILENCE: Duration = Duration::from_secs(30);

/// The bytes of a `POST` on a connection that stays open.
pub fn post(host: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// One client of a load.
pub struct Client {
    /// Who it is on a connection over TLS.
    pub caller: Option<Caller>,
    /// What it sends, one after the other.
    pub requests: Vec<Vec<u8>>,
}

/// Bytes both ways.
trait Link: Read + Write + Send {}

impl<T: Read + Write + Send> Link for T {}

/// One open connection.
pub struct Connection {
    stream: BufReader<Box<dyn Link>>,
    body: Vec<u8>,
}

impl Connection {
    /// Connects to `http://127.0.0.1:PORT`, or to `https://…` as this caller; then the handshake is over when it
    /// returns.
    ///
    /// # Errors
    /// If nobody listens, there is nobody to be over TLS, or the handshake fails.
    pub fn open(url: &str, caller: Option<&Caller>) -> Result<Self> {
        let (scheme, host) = url.split_once("://").context("an address")?;
        let stream: Box<dyn Link> = match scheme {
            "https" => {
                let caller = caller.context("a certificate to be shown")?;
                let mut stream = caller.connect(host)?;
                prepare(&stream.sock)?;
                stream.conn.complete_io(&mut stream.sock)?;
                Box::new(stream)
            }
            _ => {
                let stream = TcpStream::connect(host).with_context(|| host.to_owned())?;
                prepare(&stream)?;
                Box::new(stream)
            }
        };
        Ok(Self { stream: BufReader::with_capacity(16 * 1024, stream), body: Vec::new() })
    }

    /// Sends a request and reads its answer: the status, and the body until the next call.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn exchange(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.get_mut().write_all(request)?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).context("no HTTP answer")?;
        let mut length = None;
        loop {
            line.clear();
            ensure!(self.stream.read_line(&mut line)? > 0, "the answer was cut");
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse()?);
            }
        }
        self.body.clear();
        match length {
            Some(length) => self.read(length)?,
            None => self.read_chunks(&mut line)?,
        }
        Ok((status, &self.body))
    }

    fn read(&mut self, length: usize) -> Result<()> {
        let end = self.body.len();
        self.body.resize(end + length, 0);
        Ok(self.stream.read_exact(&mut self.body[end..])?)
    }

    fn read_chunks(&mut self, line: &mut String) -> Result<()> {
        loop {
            line.clear();
            self.stream.read_line(line)?;
            let length = usize::from_str_radix(line.trim_end(), 16).context("no length of a chunk")?;
            self.read(length + 2)?;
            self.body.truncate(self.body.len() - 2);
            if length == 0 {
                return Ok(());
            }
        }
    }
}

fn prepare(stream: &TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    Ok(stream.set_read_timeout(Some(SILENCE))?)
}

/// What a load gave.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Of each answer, in milliseconds.
    pub latencies_ms: Vec<f64>,
    /// Answers that were not as wanted.
    pub not_good: usize,
}

impl Outcome {
    /// Answers in a second.
    #[allow(clippy::cast_precision_loss)] // far below 2^52
    pub fn throughput(&self) -> f64 {
        self.latencies_ms.len() as f64 / self.seconds
    }
}

/// Sends the requests of all clients at once, each client one after the other; `good` judges an answer.
///
/// # Errors
/// If a connection cannot be made or breaks.
pub fn run(url: &str, clients: &[Client], good: fn(u16, &[u8]) -> bool) -> Result<Outcome> {
    let start = Barrier::new(clients.len() + 1);
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            clients.iter().map(|client| scope.spawn(|| one_client(url, client, good, &start))).collect();
        start.wait();
        let mut outcome = Outcome::default();
        let (mut first, mut last) = (None::<Instant>, None::<Instant>);
        for thread in threads {
            let client = thread.join().map_err(|_| anyhow::anyhow!("a client broke off"))??;
            outcome.latencies_ms.extend(client.latencies_ms);
            outcome.not_good += client.not_good;
            first = Some(first.map_or(client.from, |f| f.min(client.from)));
            last = Some(last.map_or(client.to, |l| l.max(client.to)));
        }
        let span = last.zip(first).map(|(last, first)| last.duration_since(first));
        outcome.seconds = span.unwrap_or_default().as_secs_f64();
        Ok(outcome)
    })
}

/// What one client saw. Its own clock counts: on a busy machine no other thread sees when it begins.
struct Seen {
    from: Instant,
    to: Instant,
    latencies_ms: Vec<f64>,
    not_good: usize,
}

fn one_client(url: &str, client: &Client, good: fn(u16, &[u8]) -> bool, start: &Barrier) -> Result<Seen> {
    let connection = Connection::open(url, client.caller.as_ref());
    start.wait();
    let mut connection = connection?;
    let from = Instant::now();
    let mut seen =
        Seen { from, to: from, latencies_ms: Vec::with_capacity(client.requests.len()), not_good: 0 };
    for request in &client.requests {
        let sent = Instant::now();
        let (status, body) = connection.exchange(request)?;
        seen.latencies_ms.push(sent.elapsed().as_secs_f64() * 1e3);
        seen.not_good += usize::from(!good(status, body));
    }
    seen.to = Instant::now();
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn plain(requests: Vec<Vec<u8>>) -> Client {
        Client { caller: None, requests }
    }

    /// Answers every request on every connection with the next of these statuses.
    fn serve(statuses: &'static [u16]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(stream);
                    for status in statuses {
                        let mut line = String::new();
                        while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                            line.clear();
                        }
                        let mut body = [0; 4];
                        let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 2\r\n\r\nok");
                        if reader.read_exact(&mut body).is_err()
                            || reader.get_mut().write_all(answer.as_bytes()).is_err()
                        {
                            return;
                        }
                    }
                });
            }
        });
        address
    }

    #[test]
    fn every_answer_is_timed_and_judged() {
        let host = serve(&[201, 503, 201]);
        let request = post(&host, "/", &[("content-type", "application/json")], b"body");
        let clients = [3, 3].map(|count| plain(vec![request.clone(); count]));
        let outcome = run(&host, &clients, |status, body| status == 201 && body == b"ok").expect("runs");
        assert_eq!((outcome.latencies_ms.len(), outcome.not_good), (6, 2));
        assert!(outcome.throughput() > 0.0 && outcome.latencies_ms.iter().all(|ms| *ms > 0.0));
    }

    #[test]
    fn an_answer_in_chunks_is_put_together() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = format!("http://{}", listener.local_addr().expect("an address"));
        let answer = "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            stream.write_all(answer.as_bytes()).expect("written");
        });
        let mut connection = Connection::open(&host, None).expect("connects");
        let (status, body) = connection.exchange(b"x").expect("answered");
        assert_eq!((status, body), (200, &b"abc0123456789abcdef"[..]));
        serving.join().expect("ends");
    }

    #[test]
    fn a_server_that_is_gone_is_an_error_not_a_hang() {
        let host = serve(&[201]);
        let request = post(&host, "/", &[], b"body");
        assert!(run(&host, &[plain(vec![request; 2])], |_, _| true).is_err());
        assert!(run("http://127.0.0.1:1", &[plain(vec![vec![]])], |_, _| true).is_err());
    }
}
