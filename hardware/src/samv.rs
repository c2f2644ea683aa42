//! SAM_V, the protocol of the security module in every reader for resident ID cards: bytes to commands and back.
//!
//! A frame is `AA AA AA 96 69 | length (2, big endian) | body | checksum`; the length counts body and checksum,
//! the checksum is the XOR of length and body. A request's body is command and parameter, an answer's is
//! SW1 SW2 SW3 and data. Pure: it moves no bytes, waits for nothing and knows no reader.
use std::time::Duration;

use zeroize::Zeroizing;

/// What every frame begins with.
pub const PREAMBLE: [u8; 5] = [0xAA, 0xAA, 0xAA, 0x96, 0x69];
/// Greatest value of the length field that is believed; the longest known answer has 0x090A.
pub const MAX_LENGTH: usize = 2400;
/// Greatest number of bytes in a frame.
pub const MAX_FRAME: usize = HEADER + MAX_LENGTH;

/// Preamble and length field.
const HEADER: usize = 7;

/// What the terminal asks a security module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Restarts the module.
    Reset,
    /// Is the module well?
    Status,
    /// The module's own number, 16 bytes.
    SamId,
    /// Looks for a card in the field.
    Find,
    /// Selects the card that was found.
    Select,
    /// Text and photo: the 1,284-byte image that [`crate::id_card`] decodes.
    ReadTextPhoto,
    /// The newest address, also the test whether a card that was read still lies there.
    ReadNewestAddress,
    /// The number of the card's body, which is another one after each reissue.
    ReadBodyNumber,
}

impl Command {
    /// Command and parameter byte.
    pub const fn code(self) -> [u8; 2] {
        match self {
            Self::Reset => [0x10, 0xFF],
            Self::Status => [0x11, 0xFF],
            Self::SamId => [0x12, 0xFF],
            Self::Find => [0x20, 0x01],
            Self::Select => [0x20, 0x02],
            Self::ReadTextPhoto => [0x30, 0x01],
            Self::ReadNewestAddress => [0x30, 0x03],
            Self::ReadBodyNumber => [0x30, 0x05],
        }
    }

    /// All of them.
    pub const ALL: [Command; 8] = [
        Command::Reset,
        Command::Status,
        Command::SamId,
        Command::Find,
        Command::Select,
        Command::ReadTextPhoto,
        Command::ReadNewestAddress,
        Command::ReadBodyNumber,
    ];

    /// The command with this code, if it is one of ours.
    pub fn from_code(code: [u8; 2]) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.code() == code)
    }

    /// How long the module may take; values seen in use with real readers.
    pub const fn timeout(self) -> Duration {
        match self {
            Self::ReadTextPhoto | Self::ReadNewestAddress | Self::ReadBodyNumber | Self::Reset => {
                Duration::from_secs(3)
            }
            _ => Duration::from_secs(1),
        }
    }

    /// The frame that asks this.
    pub fn encode(self) -> Vec<u8> {
        frame(&self.code())
    }
}

/// An answer of the module.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the module says of the command.
    pub status: Sw3,
    /// What follows SW1 SW2 SW3.
    pub data: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// Reads an answer out of the bytes of one exchange; bytes before the first good frame are skipped.
    ///
    /// # Errors
    /// [`FrameError`]: the first fault met, if no good frame follows it.
    pub fn parse(bytes: &[u8]) -> Result<Self, FrameError> {
        let body = first_body(bytes)?;
        match body.split_at_checked(3) {
            Some((sw, data)) => Ok(Self { status: Sw3::from(sw[2]), data: Zeroizing::new(data.to_vec()) }),
            None => Err(FrameError::Length(body.len() + 1)),
        }
    }

    /// The frame of an answer; for simulators and tests.
    pub fn encode(sw3: u8, data: &[u8]) -> Vec<u8> {
        let mut body = vec![0, 0, sw3];
        body.extend_from_slice(data);
        frame(&body)
    }
}

impl std::fmt::Debug for Answer {
    /// Says how much data there is, never which: they are a person's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({:?}, {} bytes)", self.status, self.data.len())
    }
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// There is no whole frame in the bytes of this exchange.
    #[error("the frame ends early or does not begin")]
    Incomplete,
    /// The length field is impossible; the payload is its value.
    #[error("impossible length {0}")]
    Length(usize),
    /// The XOR over length, body and checksum is not zero.
    #[error("wrong checksum")]
    Checksum,
}

/// What stands in a frame between length and checksum; wiped when dropped.
pub type Body = Zeroizing<Vec<u8>>;

/// Finds frames in a stream of bytes, whatever lies between them; never holds more than one frame's bytes.
#[derive(Default)]
pub struct Parser {
    pending: Zeroizing<Vec<u8>>,
}

impl Parser {
    /// Takes in more bytes and gives the bodies of the frames now complete, and the faults met, in order.
    ///
    /// After a fault it searches for the next preamble right behind the one that began the faulty frame, so a
    /// good frame that begins inside a broken one is still found.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Result<Body, FrameError>> {
        let mut found = Vec::new();
        for chunk in bytes.chunks(MAX_FRAME) {
            self.pending.extend_from_slice(chunk);
            while let Some(result) = self.next_frame() {
                found.push(result);
            }
        }
        found
    }

    fn next_frame(&mut self) -> Option<Result<Body, FrameError>> {
        self.skip_to_preamble();
        let length = usize::from(u16::from_be_bytes([*self.pending.get(5)?, *self.pending.get(6)?]));
        if !(2..=MAX_LENGTH).contains(&length) {
            self.pending.drain(..PREAMBLE.len());
            return Some(Err(FrameError::Length(length)));
        }
        let end = HEADER + length;
        if self.pending.len() < end {
            return None;
        }
        if checksum(&self.pending[PREAMBLE.len()..end]) != 0 {
            self.pending.drain(..PREAMBLE.len());
            return Some(Err(FrameError::Checksum));
        }
        let body = Zeroizing::new(self.pending[HEADER..end - 1].to_vec());
        self.pending.drain(..end);
        Some(Ok(body))
    }

    /// Drops what cannot be the beginning of a frame.
    fn skip_to_preamble(&mut self) {
        let start = self.pending.windows(PREAMBLE.len()).position(|window| window == PREAMBLE);
        let start = start.unwrap_or_else(|| {
            let tail = self.pending.len().saturating_sub(PREAMBLE.len() - 1);
            (tail..self.pending.len())
                .find(|&at| PREAMBLE.starts_with(&self.pending[at..]))
                .unwrap_or(self.pending.len())
        });
        self.pending.drain(..start);
    }
}

/// A request's command and parameter, read out of the bytes of one exchange; for simulators.
///
/// # Errors
/// [`FrameError`], as [`Answer::parse`].
pub fn parse_request(bytes: &[u8]) -> Result<[u8; 2], FrameError> {
    let body = first_body(bytes)?;
    match body[..] {
        [command, parameter, ..] => Ok([command, parameter]),
        _ => Err(FrameError::Length(body.len() + 1)),
    }
}

/// What the module says of a command: the third status byte, and the codes that a vendor's host library adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sw3 {
    /// 90: done.
    Done,
    /// 91: the card has no such item.
    AbsentOnCard,
    /// 9F: a card was found.
    Found,
    /// 10: the module received a wrong checksum.
    ReceivedChecksum,
    /// 11: the module received a wrong length.
    ReceivedLength,
    /// 21: bad command or parameter.
    BadCommand,
    /// 23: the command is not permitted.
    NotPermitted,
    /// 24: the module does not know the command.
    UnknownCommand,
    /// 31: the card did not accept the module.
    CardRefusedModule,
    /// 32: the module did not accept the card.
    ModuleRefusedCard,
    /// 33: the card's data failed verification.
    DataVerification,
    /// 37: the fingerprint failed verification.
    FingerprintVerification,
    /// 3F: wrong length of information.
    InformationLength,
    /// 40: a kind of card that the module does not know.
    UnknownCardKind,
    /// 41: reading failed.
    ReadFailed,
    /// 47: the module got no random number.
    NoRandomNumber,
    /// 60: self-test failed.
    SelfTestFailed,
    /// 66: the module has not been authorised.
    NotAuthorised,
    /// 80: no card found.
    NoCard,
    /// 81: the card could not be selected.
    SelectFailed,
    /// 01: the host library could not open its port.
    HostPort,
    /// 02: the host library got no answer in time.
    HostTimeout,
    /// 03: the host library met a transfer error.
    HostTransfer,
    /// 05: the host library found no module on the serial port.
    HostNoModule,
    /// 09: the host library could not open a file.
    HostFile,
    /// A value in no table.
    Other(u8),
}

/// What a terminal does about an [`Sw3`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Goes on.
    GoOn,
    /// Looks for a card again, in silence.
    KeepLooking,
    /// Sends the command again, a few times.
    Repeat,
    /// Asks to lift the card and to lay it down again.
    LayAgain,
    /// Tells staff that the reader is out of order.
    OutOfOrder,
}

/// Every value of the table, once.
const SW3_TABLE: [(u8, Sw3, Reaction); 25] = {
    use Reaction::{GoOn, KeepLooking, LayAgain, OutOfOrder, Repeat};
    [
        (0x90, Sw3::Done, GoOn),
        (0x91, Sw3::AbsentOnCard, GoOn),
        (0x9F, Sw3::Found, GoOn),
        (0x10, Sw3::ReceivedChecksum, Repeat),
        (0x11, Sw3::ReceivedLength, Repeat),
        (0x21, Sw3::BadCommand, OutOfOrder),
        (0x23, Sw3::NotPermitted, LayAgain),
        (0x24, Sw3::UnknownCommand, OutOfOrder),
        (0x31, Sw3::CardRefusedModule, LayAgain),
        (0x32, Sw3::ModuleRefusedCard, LayAgain),
        (0x33, Sw3::DataVerification, LayAgain),
        (0x37, Sw3::FingerprintVerification, LayAgain),
        (0x3F, Sw3::InformationLength, LayAgain),
        (0x40, Sw3::UnknownCardKind, LayAgain),
        (0x41, Sw3::ReadFailed, LayAgain),
        (0x47, Sw3::NoRandomNumber, LayAgain),
        (0x60, Sw3::SelfTestFailed, OutOfOrder),
        (0x66, Sw3::NotAuthorised, OutOfOrder),
        (0x80, Sw3::NoCard, KeepLooking),
        (0x81, Sw3::SelectFailed, LayAgain),
        (0x01, Sw3::HostPort, OutOfOrder),
        (0x02, Sw3::HostTimeout, Repeat),
        (0x03, Sw3::HostTransfer, Repeat),
        (0x05, Sw3::HostNoModule, OutOfOrder),
        (0x09, Sw3::HostFile, OutOfOrder),
    ]
};

impl From<u8> for Sw3 {
    fn from(byte: u8) -> Self {
        SW3_TABLE.iter().find(|(code, ..)| *code == byte).map_or(Self::Other(byte), |(_, sw3, _)| *sw3)
    }
}

impl Sw3 {
    /// Every value that has a meaning.
    pub fn all() -> impl Iterator<Item = Self> {
        SW3_TABLE.iter().map(|(_, sw3, _)| *sw3)
    }

    /// The byte on the wire.
    pub fn byte(self) -> u8 {
        match self {
            Self::Other(byte) => byte,
            known => SW3_TABLE.iter().find(|(_, sw3, _)| *sw3 == known).map_or(0, |(code, ..)| *code),
        }
    }

    /// What to do about it; an unknown value is treated as a card that did not answer properly.
    pub fn reaction(self) -> Reaction {
        SW3_TABLE
            .iter()
            .find(|(_, sw3, _)| *sw3 == self)
            .map_or(Reaction::LayAgain, |(_, _, reaction)| *reaction)
    }
}

/// A frame around a body. Bodies come from this program and are far below [`MAX_LENGTH`], except in simulators
/// that want a wrong one: a longer body is cut.
fn frame(body: &[u8]) -> Vec<u8> {
    let body = &body[..body.len().min(MAX_LENGTH - 1)];
    let length = u16::try_from(body.len() + 1).unwrap_or(u16::MAX);
    let mut bytes = PREAMBLE.to_vec();
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(body);
    let sum = checksum(&bytes[PREAMBLE.len()..]);
    bytes.push(sum);
    bytes
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

fn first_body(bytes: &[u8]) -> Result<Body, FrameError> {
    let mut fault = FrameError::Incomplete;
    for result in Parser::default().feed(bytes) {
        match result {
            Ok(body) => return Ok(body),
            Err(error) if fault == FrameError::Incomplete => fault = error,
            Err(_) => {}
        }
    }
    Err(fault)
}

#[cfg(test)]
#[path = "samv_tests.rs"]
mod tests;
