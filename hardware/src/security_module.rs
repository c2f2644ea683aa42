//! The dialogue with a security module: status, find, select, read, with the repeats that the table asks for.
//!
//! Works over any [`Transport`]; does no I/O of its own apart from the pause between two looks for a card.
use std::time::Duration;

use zeroize::Zeroizing;

use crate::card_reader::ReadError;
use crate::id_card::IMAGE_LEN;
use crate::samv::{Answer, Command, FrameError, Reaction, Sw3};
use crate::samv_id::SamId;
use crate::transport::{Transport, TransportError};

/// How often one command is sent at most: once, and two repeats.
const MAX_SENDS: usize = 3;
/// How often a card is looked for before the citizen is asked to lay it again.
const MAX_LOOKS: usize = 3;
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
            TransportError::CardMute | TransportError::Busy | TransportError::Failed => Self::LayAgain,
            TransportError::Unsupported => Self::NoSecurityModule,
            TransportError::ReaderGone | TransportError::ServiceGone => Self::ReaderGone,
        }
    }
}

/// A security module at the other end of a transport.
#[derive(Debug)]
pub struct SecurityModule<T> {
    transport: T,
    look_pause: Duration,
}

impl<T: Transport> SecurityModule<T> {
    /// A module behind this transport.
    pub fn new(transport: T) -> Self {
        Self { transport, look_pause: LOOK_PAUSE }
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
        for look in 1..=MAX_LOOKS {
            match self.expect(Command::Find, Sw3::Found) {
                Err(ModuleError::Status(Sw3::NoCard)) if look < MAX_LOOKS => {
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
        for _ in 0..MAX_SENDS {
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
            if !again {
                break;
            }
        }
        result
    }

    fn ask(&mut self, command: Command) -> Result<Answer, ModuleError> {
        let bytes =
            self.transport.exchange(&command.encode(), command.timeout()).map_err(ModuleError::Transport)?;
        Answer::parse(&bytes).map_err(ModuleError::Frame)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Answers from a list; an empty list means silence.
    #[derive(Default)]
    struct Script {
        answers: VecDeque<Result<Vec<u8>, TransportError>>,
        asked: Vec<[u8; 2]>,
    }

    impl Transport for Script {
        fn exchange(&mut self, frame: &[u8], _: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
            self.asked.push([frame[7], frame[8]]);
            self.answers.pop_front().unwrap_or(Ok(vec![])).map(Zeroizing::new)
        }
    }

    fn module(answers: Vec<Result<Vec<u8>, TransportError>>) -> SecurityModule<Script> {
        let transport = Script { answers: answers.into(), asked: vec![] };
        SecurityModule { transport, look_pause: Duration::ZERO }
    }

    fn sw(sw3: u8) -> Result<Vec<u8>, TransportError> {
        Ok(Answer::encode(sw3, &[]))
    }

    fn image() -> Result<Vec<u8>, TransportError> {
        Ok(Answer::encode(0x90, &[7; IMAGE_LEN]))
    }

    const FIND: [u8; 2] = [0x20, 1];
    const SELECT: [u8; 2] = [0x20, 2];
    const READ: [u8; 2] = [0x30, 1];

    #[test]
    fn a_card_is_found_selected_and_read() {
        let mut module = module(vec![sw(0x9F), sw(0x90), image()]);
        assert_eq!(*module.read_image().expect("read"), vec![7; IMAGE_LEN]);
        assert_eq!(module.into_transport().asked, [FIND, SELECT, READ]);
    }

    #[test]
    fn broken_frames_and_requests_for_repeats_are_repeated_twice() {
        let mut wrong_sum = Answer::encode(0x90, &[]);
        wrong_sum[10] ^= 1;
        let broken =
            [sw(0x10), sw(0x11), Ok(wrong_sum), Ok(b"garbage".to_vec()), Err(TransportError::Failed)];
        for fault in broken {
            let mut good = module(vec![sw(0x9F), fault.clone(), fault.clone(), sw(0x90), image()]);
            assert!(good.read_image().is_ok(), "{fault:?}");
            let mut bad =
                module(vec![sw(0x9F), fault.clone(), fault.clone(), fault.clone(), sw(0x90), image()]);
            assert_eq!(
                bad.read_image().map_err(ReadError::from).err(),
                Some(ReadError::LayAgain),
                "{fault:?}"
            );
            assert_eq!(bad.transport.asked.len(), 4);
        }
    }

    #[test]
    fn a_card_is_looked_for_three_times() {
        let mut late = module(vec![sw(0x80), sw(0x80), sw(0x9F), sw(0x90), image()]);
        assert!(late.read_image().is_ok());
        let mut never = module(vec![sw(0x80), sw(0x80), sw(0x80), sw(0x9F)]);
        assert_eq!(never.read_image().err(), Some(ModuleError::Status(Sw3::NoCard)));
        assert_eq!(never.transport.asked, [FIND; 3]);
    }

    #[test]
    fn refusals_become_the_citizens_or_the_staffs_business() {
        let table = [
            (vec![sw(0x60)], ReadError::OutOfOrder),
            (vec![sw(0x66)], ReadError::OutOfOrder),
            (vec![sw(0x9F), sw(0x81)], ReadError::LayAgain),
            (vec![sw(0x9F), sw(0x90), sw(0x41)], ReadError::LayAgain),
            (vec![sw(0x9F), sw(0x90), Ok(Answer::encode(0x90, &[0; 100]))], ReadError::LayAgain),
            (vec![Err(TransportError::CardRemoved)], ReadError::Removed),
            (vec![Err(TransportError::Unsupported)], ReadError::NoSecurityModule),
            (vec![Err(TransportError::ServiceGone)], ReadError::ReaderGone),
            (vec![Err(TransportError::Busy)], ReadError::LayAgain),
        ];
        for (answers, error) in table {
            let sent = answers.len();
            let mut module = module(answers);
            assert_eq!(module.read_image().map_err(ReadError::from).err(), Some(error));
            assert_eq!(module.transport.asked.len(), sent, "{error:?}: nothing is sent after it");
        }
    }

    #[test]
    fn the_newest_address_and_the_number_are_asked_for() {
        let address: Vec<u8> = "样例路1号".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut with = module(vec![Ok(Answer::encode(0x90, &address))]);
        assert_eq!(with.newest_address().expect("asked").as_deref(), Some(&address));
        assert_eq!(with.transport.asked, [[0x30, 3]]);
        assert_eq!(module(vec![sw(0x91)]).newest_address(), Ok(None));
        let refused = module(vec![sw(0x41)]).newest_address();
        assert_eq!(refused, Err(ModuleError::Status(Sw3::ReadFailed)));

        let mut good = module(vec![Ok(Answer::encode(0x90, &[1; 16]))]);
        assert!(good.sam_id().expect("asked").to_string().starts_with("01.01-"));
        assert_eq!(good.transport.asked, [[0x12, 0xFF]]);
        assert_eq!(module(vec![sw(0x90)]).sam_id(), Err(ModuleError::Short(0)));
    }

    #[test]
    fn a_well_module_says_so() {
        assert_eq!(module(vec![sw(0x90)]).check(), Ok(()));
        assert_eq!(module(vec![sw(0x60)]).check(), Err(ModuleError::Status(Sw3::SelfTestFailed)));
    }
}
