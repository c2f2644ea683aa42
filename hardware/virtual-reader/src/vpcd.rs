//! **Simulator**: a chip card in the virtual reader `vpcd` (package vsmartcard-vpcd), over its TCP protocol.
//!
//! The reader listens on all addresses without asking who comes: it belongs into the private pcscd of a test and
//! nowhere else. The card is the client; each message is a length of two bytes and so many bytes. One byte is an
//! order (0 off, 1 on, 2 reset, 4 answer to reset), anything longer a command.
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hardware::simulated_card::{ATR, Sample, SimulatedCard};

/// How long the reader may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is tried.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Longest message that is believed: an extended command.
const MAX_MESSAGE: usize = 4096;

/// A card that lies in the reader; dropping it lifts it.
#[derive(Debug)]
pub struct VpcdCard {
    /// None if it is a hostile one.
    card: Option<Arc<Mutex<SimulatedCard>>>,
    stream: TcpStream,
    thread: Option<JoinHandle<()>>,
}

impl VpcdCard {
    /// Lays a sample into the reader that listens, or soon will, at this port.
    ///
    /// # Errors
    /// If nobody listens in time.
    pub fn insert(port: u16, sample: Sample) -> io::Result<Self> {
        let card = Arc::new(Mutex::new(SimulatedCard::new(sample)));
        let served = Arc::clone(&card);
        let mut inserted = Self::serve(port, move |message| {
            let mut card = served.lock().unwrap_or_else(PoisonError::into_inner);
            match message {
                [4] => Some(ATR.to_vec()),
                [_] => {
                    card.reset();
                    None
                }
                _ => Some(card.answer(message)),
            }
        })?;
        inserted.card = Some(card);
        Ok(inserted)
    }

    /// Lays a card into the reader that gives these bytes as its answer to a reset, and answers every command with
    /// whatever `answers` gives, status word and all.
    ///
    /// # Errors
    /// As [`VpcdCard::insert`].
    pub fn insert_hostile(
        port: u16,
        atr: &[u8],
        mut answers: impl FnMut(&[u8]) -> Vec<u8> + Send + 'static,
    ) -> io::Result<Self> {
        let atr = atr.to_vec();
        Self::serve(port, move |message| match message {
            [4] => Some(atr.clone()),
            [_] => None,
            _ => Some(answers(message)),
        })
    }

    fn serve(
        port: u16,
        mut answer: impl FnMut(&[u8]) -> Option<Vec<u8>> + Send + 'static,
    ) -> io::Result<Self> {
        let stream = connect(port)?;
        stream.set_nodelay(true)?;
        let mut line = stream.try_clone()?;
        let thread = std::thread::Builder::new().name("vpcd-card".into()).spawn(move || {
            // It ends when the line does.
            while take(&mut line, &mut answer).is_ok() {}
        })?;
        Ok(Self { card: None, stream, thread: Some(thread) })
    }

    /// How often it was asked what this project never asks.
    pub fn forbidden(&self) -> u32 {
        let count = |card: &Arc<Mutex<SimulatedCard>>| {
            card.lock().unwrap_or_else(PoisonError::into_inner).forbidden()
        };
        self.card.as_ref().map_or(0, count)
    }
}

impl Drop for VpcdCard {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let end = Instant::now() + PATIENCE;
    loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if Instant::now() > end => return Err(error),
            Err(_) => std::thread::sleep(LOOK_EVERY),
            Ok(stream) => return Ok(stream),
        }
    }
}

/// Takes one message and answers it, if it is one that wants an answer.
fn take(line: &mut TcpStream, answer: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> io::Result<()> {
    let mut length = [0; 2];
    read(line, &mut length)?;
    let length = usize::from(u16::from_be_bytes(length));
    if length > MAX_MESSAGE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    read(line, &mut message)?;
    let Some(answer) = answer(&message) else { return Ok(()) };
    let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
    line.write_all(&[&length.to_be_bytes()[..], &answer].concat())
}

/// The reader sends a message in two parts and waits in between for the first to be acknowledged.
fn read(line: &mut TcpStream, bytes: &mut [u8]) -> io::Result<()> {
    rustix::net::sockopt::set_tcp_quickack(&*line, true)?;
    line.read_exact(bytes)
}
