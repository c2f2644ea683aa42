//! A loopback proxy that signs each request as an enrolled terminal, for tools that know HTTP and not our signature.
//!
//! One request a connection. It changes three things: headers of the signature (a tool's own are dropped), the time
//! to wait for news (none, so that a tool is not held up), and the address that it calls from (so that the budget of
//! enrolments, which counts by address, is met in its own test and not here).
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use domain::envelope::{DeviceKey, request_digest};
use domain::ids::TerminalId;
use domain::wire::v1::{SIGNATURE_HEADER, TERMINAL_HEADER};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Largest head that is passed on; the server refuses much smaller ones.
const MAX_HEAD_BYTES: usize = 1 << 20;
/// Longest exchange.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whose signature it puts under requests.
#[derive(Clone)]
pub struct Signer {
    /// The terminal.
    pub terminal: TerminalId,
    /// Its key.
    pub key: DeviceKey,
}

/// Listens on a free port and passes requests on to a server for as long as the process lives.
///
/// # Errors
/// If there is no port.
pub fn start(server: SocketAddr, signer: Signer) -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || runtime.block_on(accept(listener, server, signer)));
    Ok(address)
}

async fn accept(listener: std::net::TcpListener, server: SocketAddr, signer: Signer) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut count = 0_u32;
    while let Ok((client, _)) = listener.accept().await {
        count += 1;
        let from = Ipv4Addr::new(127, 0, 1, u8::try_from(count % 250).unwrap_or(0) + 1);
        let signer = signer.clone();
        tokio::spawn(async move {
            // A caller that breaks off is its own business.
            let _ = tokio::time::timeout(PATIENCE, pass_on(client, server, from, &signer)).await;
        });
    }
}

async fn pass_on(mut client: TcpStream, server: SocketAddr, from: Ipv4Addr, signer: &Signer) -> Result<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > MAX_HEAD_BYTES || client.read_buf(&mut bytes).await? == 0 {
            bail!("no head");
        }
    };
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let mut upstream = socket.connect(server).await?;
    upstream.write_all(&signed(&bytes[..end], signer)?).await?;
    upstream.write_all(&bytes[end + 4..]).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = upstream.split();
    // The server closes after its answer; what the client still sends then is of no interest.
    tokio::select! {
        answered = tokio::io::copy(&mut from_server, &mut to_client) => { answered?; }
        () = async {
            let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
            std::future::pending::<()>().await;
        } => {}
    }
    to_client.shutdown().await?;
    Ok(())
}

/// The head with its signature.
fn signed(head: &[u8], signer: &Signer) -> Result<Vec<u8>> {
    let mut lines = head.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    let first = std::str::from_utf8(lines.next().context("a first line")?)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next().context("a method")?, words.next().context("an address")?);
    let target = without_waiting(target);
    let signature = serde_json::to_value(signer.key.sign(&request_digest(method, &target)))?;
    let signature = signature.as_str().context("a text")?;
    let mut out = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n").into_bytes();
    for line in lines {
        let name = line.split(|b| *b == b':').next().unwrap_or_default().to_ascii_lowercase();
        let ours = [TERMINAL_HEADER, SIGNATURE_HEADER, "connection"];
        if !ours.iter().any(|o| o.as_bytes() == name) {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(
        format!("{TERMINAL_HEADER}: {}\r\n{SIGNATURE_HEADER}: {signature}\r\n\r\n", signer.terminal)
            .as_bytes(),
    );
    Ok(out)
}

/// The address with every whole `wait` set to 0; malformed ones stay as they are.
fn without_waiting(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let part = |part: &str| match part.strip_prefix("wait=") {
        Some(n) if n.parse::<u32>().is_ok() => "wait=0".to_owned(),
        _ => part.to_owned(),
    };
    format!("{path}?{}", query.split('&').map(part).collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_signed_over_what_is_sent() {
        let key = DeviceKey::from_seed([1; 32]);
        let signer = Signer { terminal: "T-01".parse().expect("id"), key: key.clone() };
        let head =
            b"GET /a?wait=20&b=1 HTTP/1.1\r\nhost: x\r\nJinban-Terminal: T-99\r\nconnection: keep-alive";
        let text = String::from_utf8(signed(head, &signer).expect("signed")).expect("text");
        let signature = key.sign(&request_digest("GET", "/a?wait=0&b=1"));
        let signature = serde_json::to_value(signature).expect("JSON");
        assert!(text.starts_with("GET /a?wait=0&b=1 HTTP/1.1\r\nconnection: close\r\nhost: x\r\n"), "{text}");
        assert!(text.contains("jinban-terminal: T-01\r\n") && !text.contains("T-99"), "{text}");
        assert!(text.ends_with(&format!("{}\r\n\r\n", signature.as_str().expect("text"))), "{text}");
        assert_eq!(without_waiting("/a?wait=-1&wait=x"), "/a?wait=-1&wait=x");
    }
}
