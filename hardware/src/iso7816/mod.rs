//! ISO 7816-4 as far as cards here need it: SELECT, READ RECORD, and the two ways in which a card says "later".
//!
//! Pure apart from the clock that bounds a dialogue. It follows `61xx` (GET RESPONSE) and `6Cxx` (the command again
//! with the right length), at most [`MAX_CHAINED`] times a command, [`MAX_KEPT`] bytes and [`TIME`] in all. It has no
//! way to say VERIFY: a PIN is never sent, because a wrong one brings a card nearer to being locked.
pub mod status;

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::card_reader::ReadError;
use crate::transport::{ApduChannel, TransportError};
pub use status::StatusWord;

/// Most answers of a card that belong to one command.
pub const MAX_CHAINED: usize = 16;
/// Most bytes that one card may give in a dialogue.
pub const MAX_KEPT: usize = 64 * 1024;
/// How long a dialogue with one card may take. PC/SC cannot interrupt an exchange: it is looked at between two.
pub const TIME: Duration = Duration::from_secs(5);
/// Bytes that an answer has room for from the start; a record has 257 at most.
const ROOM: usize = 4096;
/// Most bytes of data in a short command.
const MAX_DATA: usize = 255;

/// The instruction that hands a PIN to a card.
const VERIFY: u8 = 0x20;
const SELECT: u8 = 0xA4;
const READ_RECORD: u8 = 0xB2;
const GET_RESPONSE: u8 = 0xC0;

/// Why a card gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IsoError {
    /// The bytes did not come through.
    #[error("the exchange with the card failed")]
    Transport(#[source] TransportError),
    /// The card refused; the payload is its status word.
    #[error("the card answered {0}")]
    Status(StatusWord),
    /// An answer without a status word.
    #[error("the card's answer has no status word")]
    Short,
    /// More than [`MAX_CHAINED`] answers to one command.
    #[error("the card's answer has no end")]
    Endless,
    /// More than [`MAX_KEPT`] bytes in all.
    #[error("the card gave too many bytes")]
    TooLong,
    /// The dialogue took longer than [`TIME`].
    #[error("the card took too long")]
    TooSlow,
    /// A command that this program never sends: one that hands over a PIN, or one with more than 255 bytes.
    #[error("this command is never sent")]
    Forbidden,
}

impl From<IsoError> for ReadError {
    fn from(error: IsoError) -> Self {
        match error {
            // A card that no reader can wake up lies or stands the wrong way round.
            IsoError::Transport(TransportError::Unsupported) => Self::LayAgain,
            IsoError::Transport(error) => error.into(),
            _ => Self::LayAgain,
        }
    }
}

/// A file by the ways a card lets it be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice<'a> {
    /// An application by its name (`00 A4 04 00`).
    Application(&'a [u8]),
    /// A file below the present application (`00 A4 02 00`).
    Child([u8; 2]),
    /// A file by its identifier (`00 A4 00 00`), for cards that do not know the former.
    Identifier([u8; 2]),
}

/// How a record is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordAddress {
    /// By its number (P2 = 04).
    Number(u8),
    /// By its tag (P1 = tag, P2 = 00).
    Tag(u8),
}

/// A dialogue with one card, bounded in bytes and time.
pub struct Dialogue<'a, C> {
    channel: &'a mut C,
    end: Instant,
    kept: usize,
}

impl<'a, C: ApduChannel> Dialogue<'a, C> {
    /// A dialogue that begins now.
    pub fn new(channel: &'a mut C) -> Self {
        Self::within(channel, TIME)
    }

    /// A dialogue that begins now and is over when this time is, or [`TIME`] if that is sooner.
    pub fn within(channel: &'a mut C, time: Duration) -> Self {
        Self { channel, end: Instant::now() + time.min(TIME), kept: 0 }
    }

    /// Chooses an application or a file; gives what the card says of it.
    ///
    /// # Errors
    /// [`IsoError`]; `Status(6A82)` if there is none.
    pub fn select(&mut self, choice: Choice<'_>) -> Result<Zeroizing<Vec<u8>>, IsoError> {
        let (p1, name) = match &choice {
            Choice::Application(name) => (0x04, *name),
            Choice::Child(file) => (0x02, &file[..]),
            Choice::Identifier(file) => (0x00, &file[..]),
        };
        self.send([0x00, SELECT, p1, 0x00], name, None)
    }

    /// Reads one record of the chosen file.
    ///
    /// # Errors
    /// [`IsoError`]; `Status(6A83)` if there is none.
    pub fn read_record(&mut self, address: RecordAddress) -> Result<Zeroizing<Vec<u8>>, IsoError> {
        let (p1, p2) = match address {
            RecordAddress::Number(number) => (number, 0x04),
            RecordAddress::Tag(tag) => (tag, 0x00),
        };
        self.send([0x00, READ_RECORD, p1, p2], &[], Some(0))
    }

    /// Sends a command of the four header bytes, with data and Le as they are given, and follows the card until it
    /// has said everything.
    ///
    /// # Errors
    /// [`IsoError`]; a final status other than 9000, 6282 and 9100 is `Status`.
    pub(crate) fn send(
        &mut self,
        header: [u8; 4],
        data: &[u8],
        le: Option<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, IsoError> {
        if header[1] == VERIFY || data.len() > MAX_DATA {
            return Err(IsoError::Forbidden);
        }
        let mut command = Zeroizing::new(header.to_vec());
        if let Some(length) = u8::try_from(data.len()).ok().filter(|length| *length > 0) {
            command.push(length);
            command.extend_from_slice(data);
        }
        command.extend(le);
        // Room from the start: growing would leave copies behind that nobody wipes.
        let mut answer = Zeroizing::new(Vec::with_capacity(ROOM));
        for _ in 0..MAX_CHAINED {
            let (piece, status) = self.exchange(&command)?;
            answer.extend_from_slice(&piece);
            match status.bytes() {
                [0x61, more] => *command = vec![header[0], GET_RESPONSE, 0, 0, more],
                // It gave nothing yet: the same once more with the length it wants.
                [0x6C, exact] => match le {
                    Some(_) | None if command[1] == GET_RESPONSE => command[4] = exact,
                    Some(_) => {
                        let last = command.len() - 1;
                        command[last] = exact;
                    }
                    None => command.push(exact),
                },
                _ if status.is_good() => return Ok(answer),
                _ => return Err(IsoError::Status(status)),
            }
        }
        Err(IsoError::Endless)
    }

    /// One exchange: the data and the status word.
    fn exchange(&mut self, command: &[u8]) -> Result<(Zeroizing<Vec<u8>>, StatusWord), IsoError> {
        if Instant::now() > self.end {
            return Err(IsoError::TooSlow);
        }
        let mut answer = self.channel.transmit(command).map_err(IsoError::Transport)?;
        self.kept += answer.len();
        if self.kept > MAX_KEPT {
            return Err(IsoError::TooLong);
        }
        let (rest, status) = answer.split_last_chunk::<2>().ok_or(IsoError::Short)?;
        let (length, status) = (rest.len(), StatusWord::from(*status));
        answer.truncate(length);
        Ok((answer, status))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
