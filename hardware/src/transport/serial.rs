//! A security module at the end of a serial line: 8 bits, no parity, one stop bit. The only file that names the
//! `serialport` crate.
//!
//! A line has no frames of its own: answers are gathered until a whole one is there, whatever noise lies around it.
//! Refuses to wait for ever: an answer is whole within the time that its command may take (text and photo at 9,600 baud
//! are 1.35 s of three), and a silence in its middle ends it sooner.
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use serialport::{ClearBuffer, DataBits, FlowControl, Parity, SerialPort, StopBits, TTYPort};
use zeroize::Zeroizing;

use super::{Transport, TransportError};
use crate::samv::{MAX_FRAME, Parser};

/// Speeds that modules know (command 60 changes them; this program does not).
pub const BAUD_RATES: [u32; 5] = [9_600, 19_200, 38_400, 57_600, 115_200];
/// The speed that modules begin with.
pub const BAUD_RATE: u32 = 115_200;
/// Most bytes that are gathered for one answer: two of the longest frames.
const MAX_GATHERED: usize = 2 * MAX_FRAME;
/// So long a silence in the middle of an answer means that the rest does not come.
const SILENCE: Duration = Duration::from_millis(200);

/// What a line must offer besides bytes; for stand-ins in tests.
pub trait Line: Read + Write + Send {
    /// Sets how long the next read may wait for a first byte.
    ///
    /// # Errors
    /// If the line is gone.
    fn wait_at_most(&mut self, time: Duration) -> std::io::Result<()>;

    /// Forgets bytes that came in and were not read.
    ///
    /// # Errors
    /// If the line is gone.
    fn forget_input(&mut self) -> std::io::Result<()>;
}

impl Line for TTYPort {
    fn wait_at_most(&mut self, time: Duration) -> std::io::Result<()> {
        Ok(self.set_timeout(time)?)
    }

    fn forget_input(&mut self) -> std::io::Result<()> {
        Ok(self.clear(ClearBuffer::Input)?)
    }
}

/// A module on a line.
#[derive(Debug)]
pub struct Serial<L> {
    line: L,
}

/// Why a port could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// There is no such port, or it is none.
    #[error("there is no such port")]
    Gone,
    /// Another program has it for itself.
    #[error("another program has the port")]
    Held,
    /// This user may not open it.
    #[error("this user may not open the port")]
    Refused,
}

impl NotOpened {
    fn error(self) -> TransportError {
        match self {
            Self::Gone => TransportError::ReaderGone,
            Self::Held => TransportError::Busy,
            Self::Refused => TransportError::Refused,
        }
    }
}

/// Whether the port at this path could be opened now. It is closed again at once, and nothing is sent.
///
/// # Errors
/// [`NotOpened`].
pub fn look_at_port(port: &str) -> Result<(), NotOpened> {
    open_line(port, BAUD_RATE).map(drop)
}

/// Opens a port for this program alone: no other one opens it meanwhile (`TIOCEXCL`), not even the superuser's if it
/// asks as this one does (`flock`).
fn open_line(port: &str, baud: u32) -> Result<TTYPort, NotOpened> {
    let builder = serialport::new(port, baud)
        .data_bits(DataBits::Eight)
        .parity(Parity::None)
        .stop_bits(StopBits::One)
        .flow_control(FlowControl::None)
        .timeout(SILENCE);
    builder.open_native().map_err(|error| match error.kind() {
        serialport::ErrorKind::Io(ErrorKind::PermissionDenied) => NotOpened::Refused,
        _ if !std::path::Path::new(port).exists() => NotOpened::Gone,
        // Said of EBUSY and of a lock that another program has, and of nothing else.
        serialport::ErrorKind::NoDevice => NotOpened::Held,
        _ => NotOpened::Gone,
    })
}

impl Serial<TTYPort> {
    /// Opens the port at this path, for this program alone.
    ///
    /// # Errors
    /// [`TransportError::ReaderGone`] if there is no such port, [`TransportError::Busy`] if another program has it,
    /// [`TransportError::Refused`] if this user may not open it.
    pub fn open(port: &str, baud: u32) -> Result<Self, TransportError> {
        let line = open_line(port, baud).map_err(NotOpened::error)?;
        Ok(Self { line })
    }
}

impl<L: Line> Serial<L> {
    /// A module on this line.
    pub fn on(line: L) -> Self {
        Self { line }
    }

    /// Gathers bytes until there is a whole frame, the line is silent or the time is over.
    fn gather(&mut self, time: Duration) -> std::io::Result<Zeroizing<Vec<u8>>> {
        let mut parser = Parser::default();
        let mut gathered = Zeroizing::new(Vec::with_capacity(MAX_GATHERED));
        let mut buffer = Zeroizing::new([0; 512]);
        let end = Instant::now() + time;
        let mut wait = time;
        loop {
            self.line.wait_at_most(wait)?;
            let count = match self.line.read(&mut buffer[..]) {
                Ok(0) => return Err(ErrorKind::BrokenPipe.into()),
                Ok(count) => count,
                Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
                    return Ok(gathered);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Err(error) => return Err(error),
            };
            let room = MAX_GATHERED - gathered.len();
            let piece = &buffer[..count.min(room)];
            gathered.extend_from_slice(piece);
            let whole = parser.feed(piece).iter().any(Result::is_ok);
            let left = end.saturating_duration_since(Instant::now());
            if whole || gathered.len() >= MAX_GATHERED || left.is_zero() {
                return Ok(gathered);
            }
            wait = if gathered.is_empty() { left } else { left.min(SILENCE) };
        }
    }
}

impl<L: Line> Transport for Serial<L> {
    fn exchange(&mut self, frame: &[u8], timeout: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let result = self
            .line
            .forget_input()
            .and_then(|()| self.line.wait_at_most(timeout))
            .and_then(|()| self.line.write_all(frame))
            .and_then(|()| self.gather(timeout));
        match result {
            Ok(answer) if answer.is_empty() => Err(TransportError::Failed),
            Ok(answer) => Ok(answer),
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(TransportError::Failed),
            Err(_) => Err(TransportError::ReaderGone),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::samv::{Answer, Command, FrameError, PREAMBLE, Sw3};

    /// Gives pieces as a line would; afterwards silence.
    struct Pieces(VecDeque<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some(piece) = self.0.pop_front() else { return Err(ErrorKind::TimedOut.into()) };
            let count = piece.len().min(buffer.len());
            buffer[..count].copy_from_slice(&piece[..count]);
            if count < piece.len() {
                self.0.push_front(piece[count..].to_vec());
            }
            Ok(count)
        }
    }

    impl Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Line for Pieces {
        fn wait_at_most(&mut self, _: Duration) -> std::io::Result<()> {
            Ok(())
        }

        fn forget_input(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn heard(bytes: &[u8], piece: usize) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        let pieces = bytes.chunks(piece).map(<[u8]>::to_vec).collect();
        Serial::on(Pieces(pieces)).exchange(&Command::Find.encode(), Duration::from_secs(1))
    }

    #[test]
    fn an_answer_in_pieces_behind_noise_is_found() {
        let good = Answer::encode(0x90, &[5; 1284]);
        let noisy = [b"\xAA\xAA\x96noise".as_slice(), &PREAMBLE, &[0xFF, 0xFF], &good, b"tail"].concat();
        for piece in [1, 7, 512, 5000] {
            for bytes in [&good, &noisy] {
                let answer = heard(bytes, piece).expect("an answer");
                let answer = Answer::parse(&answer).expect("a frame");
                assert_eq!((answer.status, answer.data.len()), (Sw3::Done, 1284), "{piece}");
            }
        }
    }

    #[test]
    fn what_is_no_answer_ends() {
        assert_eq!(heard(&[], 1), Err(TransportError::Failed));
        let good = Answer::encode(0x90, &[5; 100]);
        let half = heard(&good[..50], 10).expect("bytes");
        assert_eq!(Answer::parse(&half), Err(FrameError::Incomplete));
        let flood = heard(&vec![0xAA; 100_000], 512).expect("bytes");
        assert_eq!(flood.len(), MAX_GATHERED);
        assert_eq!(heard(&[vec![]].concat(), 1), Err(TransportError::Failed));
    }

    #[test]
    fn an_answer_that_drips_is_left_when_its_time_is_over() {
        let drips = || Serial::on(Pieces(vec![vec![0xAA]; 100].into()));
        let all = drips().exchange(&Command::Find.encode(), Duration::from_secs(1)).expect("bytes");
        let one = drips().exchange(&Command::Find.encode(), Duration::ZERO).expect("bytes");
        assert_eq!((all.len(), one.len()), (100, 1));
        let longest = Command::ALL.map(Command::timeout).into_iter().max();
        assert_eq!(longest, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_line_that_is_gone_is_said_to_be_gone() {
        let mut gone = Serial::on(Pieces(VecDeque::from([vec![]])));
        assert_eq!(gone.exchange(&[1], Duration::from_secs(1)), Err(TransportError::ReaderGone));
        assert_eq!(Serial::open("/dev/no-such-port", BAUD_RATE).err(), Some(TransportError::ReaderGone));
    }

    #[test]
    fn a_port_that_is_held_is_told_from_one_that_is_gone() {
        assert_eq!(look_at_port("/dev/no-such-port"), Err(NotOpened::Gone));
        assert_eq!(look_at_port("/dev/null"), Err(NotOpened::Gone), "it is no port");
        let (_end, other) = TTYPort::pair().expect("a pseudo-terminal");
        let port = other.name().expect("a name");
        drop(other);
        assert_eq!(look_at_port(&port), Ok(()));
        let holder = Serial::open(&port, BAUD_RATE).expect("free");
        assert_eq!(
            NotOpened::Refused.error(),
            TransportError::Refused,
            "no port is closed to a superuser's test"
        );
        assert_eq!(look_at_port(&port), Err(NotOpened::Held));
        assert_eq!(Serial::open(&port, BAUD_RATE).err(), Some(TransportError::Busy));
        drop(holder);
        assert_eq!(look_at_port(&port), Ok(()), "it was only looked at, and let go");
    }
}
