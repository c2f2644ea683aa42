//! A network link that a test can cut: a TCP relay with a fixed address on this machine.
//!
//! A whole link is up, down or loses replies; single connections can have a [`Fault`] at a chosen byte. Nothing is
//! waited for without a limit.
use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The server of a connection that was silenced hears only after this time that the other side is gone.
const UNHEARD_END: Duration = Duration::from_secs(5);

/// What the link does to a new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Closes it at once.
    Down,
    /// Carries it.
    Up,
    /// Carries the request, and cuts the connection when the answer comes.
    LosesReplies,
    /// Accepts, keeps open, and carries nothing more either way: also what it carried before.
    Silent,
}

/// Words of a request at which the connection that says them is cut, whichever that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    /// The words, within one piece.
    pub words: &'static [u8],
    /// Whether the other side still hears them; the answer is lost in either case.
    pub heard: bool,
}

/// What goes wrong with one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Cut on both sides after so many bytes of the request.
    CutRequest(u64),
    /// Cut on both sides after so many bytes of the answer.
    CutAnswer(u64),
    /// After so many bytes of the answer nothing more comes, and the connection stays open for a while.
    HalfOpen(u64, Duration),
    /// Every piece takes this long.
    Delay(Duration),
    /// What was asked is asked once more on a connection of its own, with the same bytes, at the end.
    Repeat,
    /// What is asked is asked on two connections at once.
    Double,
}

struct Shared {
    state: Mutex<(State, Option<SocketAddr>)>,
    faults: Mutex<VecDeque<Fault>>,
    trap: Mutex<Option<Trap>>,
    swallowed: AtomicU64,
    lost: AtomicU64,
    /// Bytes of the last connection, to the server and back.
    up: AtomicU64,
    down: AtomicU64,
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
            faults: Mutex::default(),
            trap: Mutex::default(),
            swallowed: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
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

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next connection that says these words is cut.
    pub fn set_trap(&self, trap: Trap) {
        *self.shared.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some(trap);
    }

    /// Whether nobody has said the words yet.
    pub fn is_trap_set(&self) -> bool {
        self.shared.trap.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Pieces of requests that went into the silence so far.
    pub fn swallowed(&self) -> u64 {
        self.shared.swallowed.load(Ordering::SeqCst)
    }

    /// Its address as a terminal's server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its address as the server of a terminal that speaks TLS: the link carries what it cannot read.
    pub fn secure_url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Leads it to a server such as `http://127.0.0.1:8470`, in this state.
    ///
    /// # Errors
    /// If the address is not of that form.
    pub fn set(&self, state: State, server: &str) -> Result<()> {
        let (_, target) = server.split_once("://").context("an address with a scheme")?;
        let target = target.parse()?;
        *self.shared.state.lock().unwrap_or_else(PoisonError::into_inner) = (state, Some(target));
        Ok(())
    }

    /// The next connections have these faults, one each; afterwards they are carried.
    pub fn fault(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    /// Faults that no connection has met yet.
    pub fn faults_left(&self) -> usize {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Answers lost so far.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::SeqCst)
    }

    /// Bytes that the last connection carried to the server and back.
    pub fn carried(&self) -> (u64, u64) {
        (self.shared.up.load(Ordering::SeqCst), self.shared.down.load(Ordering::SeqCst))
    }
}

impl Shared {
    fn is_silent(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 == State::Silent
    }

    /// The trap, if this piece of a request goes into it.
    fn trapped(&self, piece: &[u8]) -> Option<Trap> {
        let mut set = self.trap.lock().unwrap_or_else(PoisonError::into_inner);
        let trap = set.filter(|t| piece.windows(t.words.len()).any(|words| words == t.words))?;
        *set = None;
        Some(trap)
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
    let fault = shared.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let connect = || TcpStream::connect_timeout(&target, Duration::from_secs(5)).ok();
    let Some(server) = connect() else { return };
    let twin = if fault == Some(Fault::Double) { connect() } else { None };
    let (Ok(client_in), Ok(server_out)) = (client.try_clone(), server.try_clone()) else { return };
    let counting = Arc::clone(shared);
    let upwards = std::thread::spawn(move || request(client_in, server_out, twin, (fault, &counting)));
    if state == State::LosesReplies {
        let mut first = [0; 1];
        let mut server = server;
        if matches!(server.read(&mut first), Ok(1)) {
            shared.lost.fetch_add(1, Ordering::SeqCst);
        }
        let _ = server.shutdown(Shutdown::Both);
        let _ = client.shutdown(Shutdown::Both);
    } else {
        answer(server, client, (fault, shared));
    }
    let asked = upwards.join().unwrap_or_default();
    if let (Some(Fault::Repeat), Some(mut again)) = (fault, connect()) {
        let _ = again.write_all(&asked);
        let _ = again.shutdown(Shutdown::Write);
        drain(again);
    }
}

/// Carries the request; gives its bytes.
fn request(
    from: TcpStream,
    to: TcpStream,
    mut twin: Option<TcpStream>,
    (fault, shared): (Option<Fault>, &Shared),
) -> Vec<u8> {
    let most = if let Some(Fault::CutRequest(most)) = fault { most } else { u64::MAX };
    let delay = if let Some(Fault::Delay(delay)) = fault { delay } else { Duration::ZERO };
    let mut asked = Vec::new();
    let mut silenced = false;
    let whole = copy(&from, &to, (most, delay), |piece, sum| {
        // For ever: what was lost of a connection is never made up for.
        if silenced || shared.is_silent() {
            silenced = true;
            shared.swallowed.fetch_add(1, Ordering::SeqCst);
            return Carry::Swallow;
        }
        asked.extend_from_slice(piece);
        shared.up.store(sum, Ordering::SeqCst);
        if let Some(twin) = &mut twin {
            let _ = twin.write_all(piece);
        }
        match shared.trapped(piece) {
            None => Carry::On,
            Some(trap) => {
                // Before the answer can come.
                let _ = from.shutdown(Shutdown::Both);
                if trap.heard { Carry::Last } else { Carry::Cut }
            }
        }
    });
    if silenced {
        pause(UNHEARD_END);
    }
    let _ = to.shutdown(if whole { Shutdown::Write } else { Shutdown::Both });
    let _ = from.shutdown(if whole { Shutdown::Read } else { Shutdown::Both });
    if let Some(twin) = twin {
        let _ = twin.shutdown(Shutdown::Write);
        drain(twin);
    }
    asked
}

/// Carries the answer.
fn answer(from: TcpStream, to: TcpStream, (fault, shared): (Option<Fault>, &Shared)) {
    let most = match fault {
        Some(Fault::CutAnswer(most) | Fault::HalfOpen(most, _)) => most,
        _ => u64::MAX,
    };
    let delay = if let Some(Fault::Delay(delay)) = fault { delay } else { Duration::ZERO };
    let whole = copy(&from, &to, (most, delay), |_, sum| {
        shared.down.store(sum, Ordering::SeqCst);
        if shared.is_silent() { Carry::Swallow } else { Carry::On }
    });
    if let (false, Some(Fault::HalfOpen(_, open))) = (whole, fault) {
        pause(open);
    }
    let _ = to.shutdown(if whole { Shutdown::Write } else { Shutdown::Both });
    let _ = from.shutdown(if whole { Shutdown::Read } else { Shutdown::Both });
}

/// What becomes of a piece, and of those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carry {
    /// It is carried.
    On,
    /// It is not carried.
    Swallow,
    /// It is carried, and none after it.
    Last,
    /// Neither it nor any other is carried.
    Cut,
}

/// Copies at most so many bytes, each piece after a delay; false if there was more than that.
fn copy(
    mut from: &TcpStream,
    mut to: &TcpStream,
    (most, delay): (u64, Duration),
    mut seen: impl FnMut(&[u8], u64) -> Carry,
) -> bool {
    let mut buffer = [0; 16 * 1024];
    let mut sum = 0;
    while sum < most {
        let Ok(n @ 1..) = from.read(&mut buffer) else { return true };
        let n = n.min(usize::try_from(most - sum).unwrap_or(usize::MAX));
        pause(delay);
        sum += n as u64;
        let carry = seen(&buffer[..n], sum);
        if matches!(carry, Carry::On | Carry::Last) && to.write_all(&buffer[..n]).is_err() {
            return true;
        }
        if matches!(carry, Carry::Last | Carry::Cut) {
            return false;
        }
    }
    false
}

/// Reads an answer that nobody wants, to its end or for a while.
fn drain(mut from: TcpStream) {
    let _ = from.set_read_timeout(Some(Duration::from_secs(5)));
    let mut buffer = [0; 16 * 1024];
    while matches!(from.read(&mut buffer), Ok(1..)) {}
}

fn pause(span: Duration) {
    let end = Instant::now() + span;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|l| !l.is_zero()) {
        std::thread::park_timeout(left);
    }
}
