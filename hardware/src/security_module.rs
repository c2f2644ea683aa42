//! The dialogue with a security module: status, find, select, read, with the repeats that the table asks for.
//!
//! Works over any [`Transport`]; does no I/O of its own apart from the pause between two looks for a card.
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::card_reader::ReadError;
use crate::id_card::IMAGE_LEN;
use crate::samv::{Answer, Command, FrameError, Reaction, Sw3};
use crate::samv_id::SamId;
use crate::transport::{Transport, TransportError};

/// How often one command is repeated unless somebody says otherwise.
pub const RETRIES: u8 = 2;
/// A command that took longer is not repeated: whoever waits at the screen would wait for several times that.
const REPEAT_WITHIN: Duration = Duration::from_millis(1500);
/// Most repeats that may be set.
pub const MAX_RETRIES: u8 = 5;
/// Most bytes of a body number that are believed.
const MAX_BODY_NUMBER: usize = 32;
/// How often a card is looked for before the citizen is asked to lay it again.
const MAX_LOOKS: u8 = 3;
/// How long one whole read may take, whatever is asked in it: module, card image, chip card, whether it was lifted. At
/// 9,600 baud the line alone needs a second and a half. PC/SC cannot break an exchange off: there it is looked at between
/// two.
pub const READ_WITHIN: Duration = Duration::from_secs(5);
/// Pause between two looks; modules want at least this.
const LOOK_PAUSE: Duration = Duration::from_millis(300);

/// Why the module gave no card image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// The bytes did not come through.
    #[error("the exchange with the security module failed")]
    Transport(#[source] TransportError),
    /// The answers were no SAM_V frames, time and again.
    #[error("the security module answered badly")]
    Frame(#[source] FrameError),
    /// The module refused the command.
    #[error("the security module answered {0:?}")]
    Status(Sw3),
    /// The module gave fewer bytes than it should (or, of its number, more); the payload is how many.
    #[error("the security module gave {0} bytes")]
    Short(usize),
}

impl From<ModuleError> for ReadError {
    fn from(error: ModuleError) -> Self {
        match error {
            ModuleError::Transport(error) => Self::from(error),
            ModuleError::Status(sw3) if sw3.reaction() == Reaction::OutOfOrder => Self::OutOfOrder,
            ModuleError::Frame(_) | ModuleError::Status(_) | ModuleError::Short(_) => Self::LayAgain,
        }
    }
}

impl From<TransportError> for ReadError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::CardRemoved => Self::Removed,
            TransportError::CardMute | TransportError::Failed => Self::LayAgain,
            TransportError::Busy => Self::Busy,
            TransportError::Unsupported => Self::NoSecurityModule,
            TransportError::Refused => Self::OutOfOrder,
            TransportError::ReaderGone | TransportError::ServiceGone => Self::ReaderGone,
        }
    }
}

/// A security module at the other end of a transport.
#[derive(Debug)]
pub struct SecurityModule<T> {
    transport: T,
    look_pause: Duration,
    looks: u8,
    retries: u8,
    /// Nothing is sent behind this, and no answer is waited for; none: each command has its own time and no more.
    end: Option<Instant>,
}

impl<T: Transport> SecurityModule<T> {
    /// A module behind this transport.
    pub fn new(transport: T) -> Self {
        Self { transport, look_pause: LOOK_PAUSE, looks: MAX_LOOKS, retries: RETRIES, end: None }
    }

    /// The same module, with so many repeats of a command that went wrong; at most [`MAX_RETRIES`].
    pub fn with_retries(self, retries: u8) -> Self {
        Self { retries: retries.min(MAX_RETRIES), ..self }
    }

    /// The same module, looking for a card once: for readers on which a card of another kind may lie.
    pub fn with_one_look(self) -> Self {
        Self { looks: 1, ..self }
    }

    /// Everything that is asked from now on is over then; none: each command has its own time.
    pub fn until(&mut self, end: Option<Instant>) {
        self.end = end;
    }

    /// Whether that time is over: what was not answered may have been cut off.
    pub fn is_late(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// Gives the transport back, to close it.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// Asks whether the module is well.
    ///
    /// # Errors
    /// [`ModuleError`]; `Transport(Unsupported)` and `Frame` also mean that there may be no module at all.
    pub fn check(&mut self) -> Result<(), ModuleError> {
        self.expect(Command::Status, Sw3::Done).map(drop)
    }

    /// Finds, selects and reads the card; gives the image that [`crate::id_card::decode`] takes.
    ///
    /// # Errors
    /// [`ModuleError`].
    pub fn read_image(&mut self) -> Result<Zeroizing<Vec<u8>>, ModuleError> {
        self.find()?;
        self.expect(Command::Select, Sw3::Done)?;
        let mut data = self.expect(Command::ReadTextPhoto, Sw3::Done)?;
        if data.len() < IMAGE_LEN {
            return Err(ModuleError::Short(data.len()));
        }
        data.truncate(IMAGE_LEN);
        Ok(data)
    }

    /// The newest address of the card that was just read; `None` if there is none on it. It may be asked right
    /// behind [`Self::read_image`], without selecting the card again.
    ///
    /// # Errors
    /// [`ModuleError`].
    pub fn newest_address(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, ModuleError> {
        match self.expect(Command::ReadNewestAddress, Sw3::Done) {
            Err(ModuleError::Status(Sw3::AbsentOnCard)) => Ok(None),
            other => other.map(Some),
        }
    }

    /// The number of the card's body; `None` if the card has none or the module does not tell.
    ///
    /// # Errors
    /// [`ModuleError`].
    pub fn body_number(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, ModuleError> {
        match self.expect(Command::ReadBodyNumber, Sw3::Done) {
            Err(ModuleError::Status(_)) => Ok(None),
            other => other.map(|data| (1..=MAX_BODY_NUMBER).contains(&data.len()).then_some(data)),
        }
    }

    /// Whether a card lies in the field that was not read yet. Modules do not find a card again that they have read.
    ///
    /// # Errors
    /// [`ModuleError`].
    pub fn finds_card(&mut self) -> Result<bool, ModuleError> {
        match self.expect(Command::Find, Sw3::Found) {
            Ok(_) => Ok(true),
            Err(ModuleError::Status(sw3)) if sw3.reaction() != Reaction::OutOfOrder => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the card that was read still lies there: it is asked for its newest address, and an answer is enough.
    ///
    /// # Errors
    /// [`ModuleError`].
    pub fn still_there(&mut self) -> Result<bool, ModuleError> {
        match self.newest_address() {
            Ok(_) => Ok(true),
            Err(ModuleError::Status(sw3)) if sw3.reaction() != Reaction::OutOfOrder => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The module's own number.
    ///
    /// # Errors
    /// [`ModuleError`]; `Short` if the answer has not 16 bytes.
    pub fn sam_id(&mut self) -> Result<SamId, ModuleError> {
        let data = self.expect(Command::SamId, Sw3::Done)?;
        SamId::from_data(&data).ok_or(ModuleError::Short(data.len()))
    }

    /// Looks for the card a few times: a card just laid down may need a moment in the field.
    fn find(&mut self) -> Result<(), ModuleError> {
        for look in 1..=self.looks {
            match self.expect(Command::Find, Sw3::Found) {
                Err(ModuleError::Status(Sw3::NoCard)) if look < self.looks => {
                    std::thread::sleep(self.look_pause)
                }
                other => return other.map(drop),
            }
        }
        Err(ModuleError::Status(Sw3::NoCard))
    }

    /// Sends a command, again after a broken frame or an answer that asks for it; gives the data of the answer.
    fn expect(&mut self, command: Command, wanted: Sw3) -> Result<Zeroizing<Vec<u8>>, ModuleError> {
        let mut result = Err(ModuleError::Frame(FrameError::Incomplete));
        let begun = Instant::now();
        for _ in 0..=self.retries {
            result = self.ask(command).and_then(|answer| {
                if answer.status == wanted {
                    Ok(answer.data)
                } else {
                    Err(ModuleError::Status(answer.status))
                }
            });
            let again = match &result {
                Err(ModuleError::Frame(_) | ModuleError::Transport(TransportError::Failed)) => true,
                Err(ModuleError::Status(sw3)) => sw3.reaction() == Reaction::Repeat,
                _ => false,
            };
            if !again || begun.elapsed() > REPEAT_WITHIN {
                break;
            }
        }
        result
    }

    fn ask(&mut self, command: Command) -> Result<Answer, ModuleError> {
        if self.is_late() {
            return Err(ModuleError::Transport(TransportError::Failed));
        }
        let left = self.end.map(|end| end.saturating_duration_since(Instant::now()));
        let time = left.map_or(command.timeout(), |left| left.min(command.timeout()));
        let bytes = self.transport.exchange(&command.encode(), time).map_err(ModuleError::Transport)?;
        Answer::parse(&bytes).map_err(ModuleError::Frame)
    }
}

#[cfg(test)]
#[path = "security_module_tests.rs"]
mod tests;
