//! The simulated reader: what lies on it, what it answers and which faults it plays. Pure: no socket, no time.
//!
//! It answers as the published tables say, and simulates neither radio nor cryptography nor photo compression.
use std::time::Duration;

use hardware::samv::{self, Answer, Command, FrameError};

use crate::order::{Fault, Order, Part};

/// Most bytes that a card image may have; more than a real one, so that a wrong one can be played.
pub const MAX_IMAGE_LEN: usize = 2048;
/// Longest delay of an exchange.
pub const MAX_DELAY: Duration = Duration::from_secs(10);
/// Most answers that one fault may spoil.
pub const MAX_FAULTS: u32 = 1000;

/// What an exchange with the reader ends in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// These bytes come back.
    Bytes(Vec<u8>),
    /// The reader does not know this kind of exchange.
    Unsupported,
    /// The card is gone.
    Removed,
}

/// A simulated reader.
#[derive(Debug, Clone)]
pub struct State {
    card: Option<Vec<u8>>,
    /// The newest address on every card laid down; UTF-16, little endian.
    newest_address: Option<Vec<u8>>,
    /// A lifted card that pcscd's event thread has not seen yet, though the next card may lie there already.
    lift: Lift,
    /// Counts every change of presence.
    changes: u64,
    control: bool,
    image: bool,
    delay: Duration,
    fault: Option<(Fault, u32)>,
    remove_mid_read: bool,
    exchanges: u64,
}

/// Whether pcscd knows that a card was lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lift {
    Known,
    Untold,
    Told,
}

impl Default for State {
    fn default() -> Self {
        Self {
            card: None,
            newest_address: None,
            lift: Lift::Known,
            changes: 0,
            control: true,
            image: true,
            delay: Duration::ZERO,
            fault: None,
            remove_mid_read: false,
            exchanges: 0,
        }
    }
}

impl State {
    /// Carries out an order; gives what to answer behind `ok`.
    pub fn obey(&mut self, order: Order) -> String {
        match order {
            Order::Insert(image) => {
                self.remove();
                self.card = Some(image);
                self.changes += 1;
            }
            Order::Remove => self.remove(),
            Order::NewestAddress(address) => {
                self.newest_address = Some(address).filter(|address| !address.is_empty());
            }
            Order::Status => return self.to_string(),
            Order::Delay(delay) => self.delay = delay.min(MAX_DELAY),
            Order::RemoveMidRead => self.remove_mid_read = true,
            Order::Switch(Part::Module, on) => (self.control, self.image) = (on, on),
            Order::Switch(Part::Control, on) => self.control = on,
            Order::Switch(Part::Image, on) => self.image = on,
            Order::Fault(fault, count) => self.fault = (count > 0).then_some((fault, count.min(MAX_FAULTS))),
            Order::Reset => {
                self.remove();
                *self = Self { changes: self.changes, lift: self.lift, ..Self::default() };
            }
        }
        String::new()
    }

    /// How long an exchange takes.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Counts every change of presence: a waiting thread compares it with what it saw.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether a card is there, as pcscd asks it. After a lift the answer is no until [`State::settle`], even if
    /// another card lies there by then, because pcscd would miss the change.
    pub fn show_presence(&mut self) -> bool {
        if self.lift == Lift::Known {
            return self.has_card();
        }
        self.lift = Lift::Told;
        false
    }

    /// pcscd's event thread has looked and goes to wait: from now on it may see the next card.
    pub fn settle(&mut self) {
        if self.lift == Lift::Told {
            self.lift = Lift::Known;
            self.changes += u64::from(self.has_card());
        }
    }

    /// Whether a card lies there.
    pub fn has_card(&self) -> bool {
        self.card.is_some()
    }

    /// Answers a SAM_V frame.
    pub fn exchange_frame(&mut self, request: &[u8]) -> Reply {
        if !self.control {
            return Reply::Unsupported;
        }
        self.exchanges += 1;
        let command = match samv::parse_request(request) {
            Ok(code) => Command::from_code(code),
            Err(FrameError::Length(_) | FrameError::Incomplete) => {
                return Reply::Bytes(Answer::encode(0x11, &[]));
            }
            Err(FrameError::Checksum) => return Reply::Bytes(Answer::encode(0x10, &[])),
        };
        let read = command == Some(Command::ReadTextPhoto);
        if read && self.card.is_some() && std::mem::take(&mut self.remove_mid_read) {
            self.remove();
        }
        let bytes = match (command, &self.card) {
            (Some(Command::Reset | Command::Status), _) => Answer::encode(0x90, &[]),
            (Some(Command::SamId), _) => Answer::encode(0x90, &SAM_ID),
            (Some(Command::Find), Some(_)) => Answer::encode(0x9F, &[0; 4]),
            (Some(Command::Find), None) => Answer::encode(0x80, &[]),
            (Some(Command::Select), Some(_)) => Answer::encode(0x90, &[0; 8]),
            (Some(Command::Select), None) => Answer::encode(0x81, &[]),
            (Some(Command::ReadTextPhoto), Some(image)) => Answer::encode(0x90, image),
            (Some(Command::ReadNewestAddress), Some(_)) => match &self.newest_address {
                Some(address) => Answer::encode(0x90, address),
                None => Answer::encode(0x91, &[]),
            },
            (Some(Command::ReadTextPhoto | Command::ReadNewestAddress), None) => Answer::encode(0x41, &[]),
            (None, _) => Answer::encode(0x21, &[]),
        };
        Reply::Bytes(self.spoil(command, bytes))
    }

    /// Answers an APDU: `FF B0 offHi offLo Le` reads the image, everything else is unknown.
    pub fn exchange_apdu(&mut self, apdu: &[u8]) -> Reply {
        self.exchanges += 1;
        let &[0xFF, 0xB0, high, low, le] = apdu else { return Reply::Bytes(vec![0x6D, 0x00]) };
        if !self.image {
            return Reply::Bytes(vec![0x6D, 0x00]);
        }
        let offset = usize::from(u16::from_be_bytes([high, low]));
        if offset > 0 && std::mem::take(&mut self.remove_mid_read) {
            self.remove();
        }
        let Some(card) = &self.card else { return Reply::Removed };
        let wanted = if le == 0 { 256 } else { usize::from(le) };
        let Some(rest) = card.get(offset..).filter(|rest| !rest.is_empty()) else {
            return Reply::Bytes(vec![0x6B, 0x00]);
        };
        Reply::Bytes([&rest[..wanted.min(rest.len())], &[0x90, 0x00]].concat())
    }

    fn remove(&mut self) {
        if self.card.take().is_some() {
            self.lift = Lift::Untold;
            self.changes += 1;
        }
    }

    /// Plays the fault that was ordered, if it is meant for this command.
    fn spoil(&mut self, command: Option<Command>, good: Vec<u8>) -> Vec<u8> {
        let Some((fault, left)) = self.fault else { return good };
        if let Fault::Status(_, Some(only)) = fault
            && Some(only) != command
        {
            return good;
        }
        self.fault = (left > 1).then_some((fault, left - 1));
        match fault {
            Fault::Status(sw3, _) => Answer::encode(sw3, &[]),
            Fault::Garbage => b"\x00garbage\xAA\xAA\xAA\x96".repeat(8),
            Fault::WrongChecksum => {
                let mut bytes = good;
                if let Some(last) = bytes.last_mut() {
                    *last ^= 0xFF;
                }
                bytes
            }
            Fault::Truncate => good[..good.len() / 2].to_vec(),
            Fault::Oversize => [&samv::PREAMBLE[..], &[0xFF, 0xFF], &[0x41; 3000]].concat(),
            Fault::Noise => [&[0xAA; 7][..], &samv::PREAMBLE[..], &[0xFF, 0xFF], &good].concat(),
        }
    }
}

impl std::fmt::Display for State {
    /// One line; the card's bytes never stand in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let on = |switch| if switch { "on" } else { "off" };
        write!(
            f,
            "card={} control={} image={} delay_ms={} faults={} exchanges={}",
            if self.has_card() { "present" } else { "absent" },
            on(self.control),
            on(self.image),
            self.delay.as_millis(),
            self.fault.map_or(0, |(_, left)| left),
            self.exchanges
        )
    }
}

/// The number of the simulated module: 05.03-20160318-1-1.
const SAM_ID: [u8; 16] = [5, 0, 3, 0, 0x3E, 0x9F, 0x33, 0x01, 1, 0, 0, 0, 1, 0, 0, 0];

#[cfg(test)]
mod tests {
    use hardware::id_card::IMAGE_LEN;
    use hardware::samv::Sw3;

    use super::*;

    fn with_card() -> State {
        let mut state = State::default();
        state.obey(Order::Insert((0..IMAGE_LEN).map(|i| i as u8).collect()));
        state
    }

    fn ask(state: &mut State, command: Command) -> Result<Answer, FrameError> {
        match state.exchange_frame(&command.encode()) {
            Reply::Bytes(bytes) => Answer::parse(&bytes),
            other => panic!("no bytes: {other:?}"),
        }
    }

    fn sw(state: &mut State, command: Command) -> Sw3 {
        ask(state, command).expect("a frame").status
    }

    #[test]
    fn the_dialogue_follows_the_card() {
        let mut state = State::default();
        assert_eq!(sw(&mut state, Command::Status), Sw3::Done);
        assert_eq!(sw(&mut state, Command::Find), Sw3::NoCard);
        assert_eq!(sw(&mut state, Command::Select), Sw3::SelectFailed);
        assert_eq!(sw(&mut state, Command::ReadTextPhoto), Sw3::ReadFailed);
        let mut state = with_card();
        assert_eq!(sw(&mut state, Command::Find), Sw3::Found);
        assert_eq!(sw(&mut state, Command::Select), Sw3::Done);
        assert_eq!(ask(&mut state, Command::ReadTextPhoto).expect("a frame").data.len(), IMAGE_LEN);
        assert_eq!(sw(&mut state, Command::ReadNewestAddress), Sw3::AbsentOnCard);
        assert_eq!(ask(&mut state, Command::SamId).expect("a frame").data.len(), 16);
    }

    #[test]
    fn bad_requests_get_the_status_for_it() {
        let mut state = with_card();
        let mut wrong_sum = Command::Find.encode();
        wrong_sum[9] ^= 1;
        let table = [(vec![], 0x11), (vec![0xAA; 400], 0x11), (wrong_sum, 0x10)];
        for (request, sw3) in table {
            assert_eq!(state.exchange_frame(&request), Reply::Bytes(Answer::encode(sw3, &[])));
        }
        let unknown = [0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x60, 0, 0x63];
        assert_eq!(state.exchange_frame(&unknown), Reply::Bytes(Answer::encode(0x21, &[])));
    }

    #[test]
    fn a_card_lifted_in_mid_read_is_gone_on_both_ways() {
        let mut state = with_card();
        state.obey(Order::RemoveMidRead);
        assert_eq!(sw(&mut state, Command::Find), Sw3::Found);
        assert_eq!(sw(&mut state, Command::ReadTextPhoto), Sw3::ReadFailed);
        assert!(!state.has_card());
        let mut state = with_card();
        state.obey(Order::RemoveMidRead);
        assert!(
            matches!(state.exchange_apdu(&[0xFF, 0xB0, 0, 0, 0]), Reply::Bytes(bytes) if bytes.len() == 258)
        );
        assert_eq!(state.exchange_apdu(&[0xFF, 0xB0, 1, 0, 0]), Reply::Removed);
    }

    #[test]
    fn the_image_is_served_by_offset() {
        let mut state = with_card();
        assert_eq!(state.exchange_apdu(&[0xFF, 0xB0, 5, 0, 0]), Reply::Bytes(vec![0, 1, 2, 3, 0x90, 0]));
        assert_eq!(state.exchange_apdu(&[0xFF, 0xB0, 6, 0, 0]), Reply::Bytes(vec![0x6B, 0]));
        for unknown in [&[][..], &[0xFF], &[0xFF, 0xB0, 0, 0], &[0, 0xA4, 4, 0, 0], &[0xFF, 0xB0, 0, 0, 0, 0]]
        {
            assert_eq!(state.exchange_apdu(unknown), Reply::Bytes(vec![0x6D, 0]), "{unknown:?}");
        }
    }

    #[test]
    fn faults_are_played_as_often_as_ordered() {
        let faults = [
            (Fault::Garbage, FrameError::Incomplete),
            (Fault::WrongChecksum, FrameError::Checksum),
            (Fault::Truncate, FrameError::Incomplete),
            (Fault::Oversize, FrameError::Length(0xFFFF)),
        ];
        for (fault, error) in faults {
            let mut state = with_card();
            state.obey(Order::Fault(fault, 2));
            assert_eq!(ask(&mut state, Command::Find).err(), Some(error), "{fault:?}");
            assert_eq!(ask(&mut state, Command::Find).err(), Some(error), "{fault:?}");
            assert_eq!(sw(&mut state, Command::Find), Sw3::Found, "{fault:?}");
        }
        let mut state = with_card();
        state.obey(Order::Fault(Fault::Garbage, 5));
        state.obey(Order::Fault(Fault::Garbage, 0));
        assert_eq!(sw(&mut state, Command::Find), Sw3::Found, "none are none");
        state.obey(Order::Fault(Fault::Noise, 1));
        assert_eq!(sw(&mut state, Command::Find), Sw3::Found, "noise in front is skipped");
        state.obey(Order::Fault(Fault::Status(0x41, Some(Command::ReadTextPhoto)), 1));
        assert_eq!(sw(&mut state, Command::Select), Sw3::Done);
        assert_eq!(sw(&mut state, Command::ReadTextPhoto), Sw3::ReadFailed);
    }

    #[test]
    fn a_reader_without_a_module_knows_neither_way() {
        let mut state = with_card();
        state.obey(Order::Switch(Part::Module, false));
        assert_eq!(state.exchange_frame(&Command::Status.encode()), Reply::Unsupported);
        assert_eq!(state.exchange_apdu(&[0xFF, 0xB0, 0, 0, 0]), Reply::Bytes(vec![0x6D, 0]));
        state.obey(Order::Switch(Part::Image, true));
        assert!(
            matches!(state.exchange_apdu(&[0xFF, 0xB0, 0, 0, 0]), Reply::Bytes(bytes) if bytes.len() == 258)
        );
    }

    #[test]
    fn a_quick_change_of_cards_is_shown_as_lifted_first() {
        let mut state = with_card();
        assert!(state.show_presence());
        state.obey(Order::Insert(vec![1; IMAGE_LEN]));
        state.settle();
        let changes = state.changes();
        assert!(!state.show_presence());
        assert!(!state.show_presence(), "pcscd asks more than once before it waits");
        state.settle();
        assert!(state.changes() > changes, "whoever waits looks again");
        assert!(state.show_presence());
    }

    #[test]
    fn a_reset_forgets_everything_but_shows_the_lift() {
        let mut state = with_card();
        state.obey(Order::Delay(Duration::from_secs(99)));
        assert_eq!(state.delay(), MAX_DELAY);
        let changes = state.changes();
        state.obey(Order::Reset);
        assert!(state.changes() > changes);
        assert_eq!(
            state.obey(Order::Status),
            "card=absent control=on image=on delay_ms=0 faults=0 exchanges=0"
        );
    }
}
