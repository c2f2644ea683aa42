//! What the gateway hears: signed calls of the server, and a browser at its pages.
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sync_server::gateway::sign::{NONCE, SIGNATURE, TIMESTAMP, believe, sign};
use sync_server::gateway::{Order, RefundOrder};

use super::{KEY, MERCHANT, Manner, Ordered, Shared, State, pages};
use crate::device::now_ms;

/// The most bytes of a body.
const MAX_BODY: usize = 64 << 10;

pub(super) struct Request {
    pub method: String,
    pub path: String,
    fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Result<Self> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut reader = BufReader::new(stream).take(128 << 10);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (method, path) = words.next().zip(words.next()).context("a request")?;
        let (method, path) = (method.to_owned(), path.to_owned());
        let mut fields = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = fields.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value.parse());
        let length: usize = length.transpose()?.unwrap_or(0);
        if length > MAX_BODY {
            bail!("too long");
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Self { method, path, fields, body })
    }

    fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
}

/// Answers one connection.
pub(super) fn serve(shared: &Shared, stream: TcpStream) -> Result<()> {
    let request = Request::read(&stream)?;
    if let Some(page) = pages::answer(shared, &request) {
        return send(&stream, "200 OK", "text/html; charset=utf-8", &[], page.as_bytes());
    }
    let manner = shared.state().manner;
    match manner {
        Manner::Away => return Ok(()),
        Manner::Nonsense => return send(&stream, "200 OK", "text/html", &[], b"<html>502 Bad Gateway"),
        _ => {}
    }
    let what = format!("POST {}", request.path);
    let believed = believe(&KEY, &what, |name| request.field(name), (now_ms(), &request.body));
    let Ok(nonce) = believed else { return send(&stream, "401 Unauthorized", "text/plain", &[], b"who?") };
    let Ok(answer) = answer(&mut shared.state(), &request) else {
        return send(&stream, "400 Bad Request", "text/plain", &[], b"what?");
    };
    shared.changed.notify_all();
    let body = serde_json::to_vec(&answer)?;
    let key = if manner == Manner::OtherKey { [1; 32] } else { KEY };
    let signed = sign(&key, &format!("ANSWER {nonce}"), (now_ms(), "answer0123"), &body);
    let stamp = signed.at_ms.to_string();
    let fields = [(TIMESTAMP, stamp.as_str()), (NONCE, &signed.nonce), (SIGNATURE, &signed.signature)];
    send(&stream, "200 OK", "application/json", &fields, &body)
}

fn send(
    mut stream: &TcpStream,
    status: &str,
    kind: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<()> {
    let more: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    Ok(stream.write_all(body)?)
}

#[derive(Deserialize)]
struct Asked<T> {
    merchant: String,
    what: T,
}

#[derive(Deserialize)]
struct Named {
    order: String,
}

fn asked<T: DeserializeOwned>(request: &Request) -> Result<T> {
    let asked: Asked<T> = serde_json::from_slice(&request.body)?;
    if asked.merchant == MERCHANT { Ok(asked.what) } else { bail!("another merchant") }
}

fn answer(state: &mut State, request: &Request) -> Result<Value> {
    match request.path.as_str() {
        "/v1/orders" => {
            let order: Order = asked(request)?;
            let host = request.field("host");
            let pay_url = format!("http://{host}/pay/{}", order.order);
            let new = Ordered { order: order.clone(), closed: false, paid: Vec::new() };
            // Ordered twice is ordered once.
            state.orders.entry(order.order).or_insert(new);
            Ok(json!({ "pay_url": pay_url }))
        }
        "/v1/orders/query" => {
            let Named { order } = asked(request)?;
            let paid = state.orders.get(&order).map(|ordered| ordered.paid.clone()).unwrap_or_default();
            Ok(json!({ "payments": paid }))
        }
        "/v1/orders/close" => {
            let Named { order } = asked(request)?;
            if let Some(ordered) = state.orders.get_mut(&order) {
                ordered.closed = true;
            }
            Ok(json!({ "closed": true }))
        }
        "/v1/refunds" => {
            let refund: RefundOrder = asked(request)?;
            if state.manner == Manner::NoRefunds {
                let RefundOrder { transaction, fen, .. } = refund;
                return Ok(json!({ "transaction": transaction, "state": "refused", "fen": fen }));
            }
            // Asked twice is done once, and the answer tells what was done then, whatever is asked now.
            let done = state.refunds.entry(refund.refund.clone()).or_insert((refund, now_ms()));
            let RefundOrder { transaction, fen, .. } = &done.0;
            Ok(json!({ "transaction": transaction, "state": "done", "fen": fen }))
        }
        _ => bail!("no such call"),
    }
}
