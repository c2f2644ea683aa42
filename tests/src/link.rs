//! A network link that a test can cut: a TCP relay with a fixed address on this machine.
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// What the link does to a new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Closes it at once.
    Down,
    /// Carries it.
    Up,
    /// Carries the request, and cuts the connection when the answer comes.
    LosesReplies,
}

struct Shared {
    state: Mutex<(State, Option<SocketAddr>)>,
    lost: AtomicU64,
    ended: AtomicBool,
}

/// The link; dropping it closes it.
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Link {
    /// A link that is down.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn new() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::new((State::Down, None)),
            lost: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if accepting.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let shared = Arc::clone(&accepting);
                std::thread::spawn(move || carry(connection, &shared));
            }
        });
        Ok(Self { address, shared })
    }

    /// Its address as a terminal's server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads it to a server such as `http://127.0.0.1:8470`, in this state.
    ///
    /// # Errors
    /// If the address is not of that form.
    pub fn set(&self, state: State, server: &str) -> Result<()> {
        let target = server.strip_prefix("http://").context("an http address")?.parse()?;
        *self.shared.state.lock().unwrap_or_else(PoisonError::into_inner) = (state, Some(target));
        Ok(())
    }

    /// Answers lost so far.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn carry(client: TcpStream, shared: &Arc<Shared>) {
    let (state, target) = *shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(target) = target.filter(|_| state != State::Down) else { return };
    let Ok(server) = TcpStream::connect_timeout(&target, Duration::from_secs(5)) else { return };
    let (Ok(client_in), Ok(server_out)) = (client.try_clone(), server.try_clone()) else { return };
    std::thread::spawn(move || copy(client_in, server_out));
    if state == State::LosesReplies {
        let mut first = [0; 1];
        let mut server = server;
        if matches!(server.read(&mut first), Ok(1)) {
            shared.lost.fetch_add(1, Ordering::SeqCst);
        }
        let _ = server.shutdown(Shutdown::Both);
        let _ = client.shutdown(Shutdown::Both);
    } else {
        copy(server, client);
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
