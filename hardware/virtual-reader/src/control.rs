//! Client of the control socket: lays cards on the simulated reader and orders faults, for `xtask` and tests.
//!
//! Every call waits a bounded time. It never starts anything: no reader, no answer.
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::order::{Fault, Order, Part};

/// How long the reader may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes in an answer.
const MAX_ANSWER_LEN: u64 = 1024;

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is no simulated reader at this socket.
    #[error("cannot reach the virtual reader")]
    Connect(#[source] std::io::Error),
    /// The connection broke.
    #[error("the virtual reader does not answer")]
    Exchange(#[source] std::io::Error),
    /// The reader refused the order; the payload is what it said.
    #[error("the virtual reader refused the order: {0}")]
    Refused(String),
}

/// A connection to a simulated reader.
#[derive(Debug)]
pub struct Control {
    stream: BufReader<UnixStream>,
}

impl Control {
    /// Connects to the control socket of a simulated reader.
    ///
    /// # Errors
    /// [`ControlError::Connect`].
    pub fn connect(path: &Path) -> Result<Self, ControlError> {
        let stream = UnixStream::connect(path).map_err(ControlError::Connect)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(ControlError::Connect)?;
        stream.set_write_timeout(Some(TIMEOUT)).map_err(ControlError::Connect)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Lays down a card with this image (`hardware::card_file::load_image`), lifting the one that lies there.
    ///
    /// # Errors
    /// [`ControlError`], as all orders.
    pub fn insert(&mut self, image: &[u8]) -> Result<(), ControlError> {
        self.order(&Order::Insert(image.to_vec())).map(drop)
    }

    /// Lifts the card.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn remove(&mut self) -> Result<(), ControlError> {
        self.order(&Order::Remove).map(drop)
    }

    /// Lifts the card in the middle of the next read.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn remove_mid_read(&mut self) -> Result<(), ControlError> {
        self.order(&Order::RemoveMidRead).map(drop)
    }

    /// Spoils the next `count` answers.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn fault(&mut self, fault: Fault, count: u32) -> Result<(), ControlError> {
        self.order(&Order::Fault(fault, count)).map(drop)
    }

    /// Makes every exchange take so long.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn delay(&mut self, delay: Duration) -> Result<(), ControlError> {
        self.order(&Order::Delay(delay)).map(drop)
    }

    /// Switches a part of the reader on or off.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn switch(&mut self, part: Part, on: bool) -> Result<(), ControlError> {
        self.order(&Order::Switch(part, on)).map(drop)
    }

    /// Makes the reader as it was after the start: no card, no faults.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn reset(&mut self) -> Result<(), ControlError> {
        self.order(&Order::Reset).map(drop)
    }

    /// One line that tells what lies there and which faults are set (`card=present …`).
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn status(&mut self) -> Result<String, ControlError> {
        self.order(&Order::Status)
    }

    /// Sends an order; gives what stands behind `ok`.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn order(&mut self, order: &Order) -> Result<String, ControlError> {
        let line = format!("{order}\n");
        self.stream.get_mut().write_all(line.as_bytes()).map_err(ControlError::Exchange)?;
        let mut answer = String::new();
        (&mut self.stream).take(MAX_ANSWER_LEN).read_line(&mut answer).map_err(ControlError::Exchange)?;
        let answer = answer
            .strip_suffix('\n')
            .ok_or_else(|| ControlError::Exchange(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)))?;
        match answer.strip_prefix("ok") {
            Some(rest) => Ok(rest.trim().to_owned()),
            None => Err(ControlError::Refused(answer.trim_start_matches("error ").to_owned())),
        }
    }
}
