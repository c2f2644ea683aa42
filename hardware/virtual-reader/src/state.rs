//! The simulated reader: what lies on it, what it answers and which faults it plays. Pure: no socket, no time.
//!
//! It answers as the published tables say, and simulates neither radio nor cryptography nor photo compression.
use std::time::Duration;

use hardware::samv::{self, Answer, Command, FrameError};
use hardware::simulated_card::{self, SimulatedCard};

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
    /// The reader is gone.
    Unplugged,
}

/// What lies on the reader.
#[derive(Debug, Clone)]
enum Laid {
    /// An ID card with this image.
    IdCard(Vec<u8>),
    /// A chip card.
    Chip(Box<SimulatedCard>),
    /// A card that answers a reset with these bytes, and knows no command.
    Strange(Vec<u8>),
    /// A card that does not wake up.
    Mute,
}

/// What happens before an exchange that lies ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ahead {
    Remove,
    Unplug,
}

/// A simulated reader.
#[derive(Debug, Clone)]
pub struct State {
    card: Option<Laid>,
    /// The module has read the ID card that lies there: it is not found again before it was lifted.
    read: bool,
    /// The newest address on every card laid down; UTF-16, little endian.
    newest_address: Option<Vec<u8>>,
    /// A lifted card that pcscd's event thread has not seen yet, though the next card may lie there already.
    lift: Lift,
    /// Counts every change of presence.
    changes: u64,
    control: bool,
    image: bool,
    pass: bool,
    /// Pieces of an answer inside pseudo-APDUs that wait to be fetched.
    waiting: Vec<u8>,
    unplugged: bool,
    /// What happens, and before which exchange.
    ahead: Option<(Ahead, u64)>,
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
            read: false,
            newest_address: None,
            lift: Lift::Known,
            changes: 0,
            control: true,
            image: true,
            pass: true,
            waiting: Vec::new(),
            unplugged: false,
            ahead: None,
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
            Order::Insert(image) => self.lay(Laid::IdCard(image)),
            Order::InsertChip(sample) => self.lay(Laid::Chip(Box::new(SimulatedCard::new(sample)))),
            Order::InsertAtr(atr) => self.lay(Laid::Strange(atr)),
            Order::InsertMute => self.lay(Laid::Mute),
            Order::RemoveAt(further) => self.ahead = Some((Ahead::Remove, self.at(further))),
            Order::UnplugAt(Some(further)) => self.ahead = Some((Ahead::Unplug, self.at(further))),
            Order::UnplugAt(None) => {
                self.unplugged = false;
                self.changes += 1;
            }
            Order::Remove => self.remove(),
            Order::NewestAddress(address) => {
                self.newest_address = Some(address).filter(|address| !address.is_empty());
            }
            Order::Status => return self.to_string(),
            Order::Delay(delay) => self.delay = delay.min(MAX_DELAY),
            Order::RemoveMidRead => self.remove_mid_read = true,
            Order::Switch(Part::Module, on) => (self.control, self.image, self.pass) = (on, on, on),
            Order::Switch(Part::Control, on) => self.control = on,
            Order::Switch(Part::Image, on) => self.image = on,
            Order::Switch(Part::Pass, on) => self.pass = on,
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

    /// Whether the reader was unplugged.
    pub fn is_unplugged(&self) -> bool {
        self.unplugged
    }

    /// The card is powered up, or reset: what it answers to that; none if nothing wakes up.
    pub fn power_up(&mut self) -> Option<Vec<u8>> {
        match &mut self.card {
            Some(Laid::IdCard(_)) => Some(ATR.to_vec()),
            Some(Laid::Chip(card)) => {
                card.reset();
                Some(simulated_card::ATR.to_vec())
            }
            Some(Laid::Strange(atr)) => Some(atr.clone()),
            Some(Laid::Mute) | None => None,
        }
    }

    /// How often a chip card that lies there was asked what this project never asks.
    pub fn forbidden(&self) -> u32 {
        match &self.card {
            Some(Laid::Chip(card)) => card.forbidden(),
            _ => 0,
        }
    }

    /// Answers a SAM_V frame.
    pub fn exchange_frame(&mut self, request: &[u8]) -> Reply {
        if self.pass_by() {
            return Reply::Unplugged;
        }
        if self.control { Reply::Bytes(self.answer_frame(request)) } else { Reply::Unsupported }
    }

    /// The module's answer, spoilt if that was ordered.
    fn answer_frame(&mut self, request: &[u8]) -> Vec<u8> {
        let command = match samv::parse_request(request) {
            Ok(code) => Command::from_code(code),
            Err(FrameError::Length(_) | FrameError::Incomplete) => {
                return Answer::encode(0x11, &[]);
            }
            Err(FrameError::Checksum) => return Answer::encode(0x10, &[]),
        };
        let read = command == Some(Command::ReadTextPhoto);
        if read && self.card.is_some() && std::mem::take(&mut self.remove_mid_read) {
            self.remove();
        }
        let id_card = match &self.card {
            Some(Laid::IdCard(image)) => Some(image),
            _ => None,
        };
        let bytes = match (command, id_card) {
            (Some(Command::Reset | Command::Status), _) => Answer::encode(0x90, &[]),
            (Some(Command::SamId), _) => Answer::encode(0x90, &SAM_ID),
            (Some(Command::Find), Some(_)) if !self.read => Answer::encode(0x9F, &[0; 4]),
            (Some(Command::Find), _) => Answer::encode(0x80, &[]),
            (Some(Command::Select), Some(_)) => Answer::encode(0x90, &[0; 8]),
            (Some(Command::Select), None) => Answer::encode(0x81, &[]),
            (Some(Command::ReadTextPhoto), Some(image)) => {
                self.read = true;
                Answer::encode(0x90, image)
            }
            // Both are told of a card that was read, and of no other.
            (Some(Command::ReadNewestAddress), Some(_)) if self.read => match &self.newest_address {
                Some(address) => Answer::encode(0x90, address),
                None => Answer::encode(0x91, &[]),
            },
            (Some(Command::ReadBodyNumber), Some(_)) if self.read => Answer::encode(0x90, &BODY_NUMBER),
            (Some(Command::ReadTextPhoto | Command::ReadNewestAddress | Command::ReadBodyNumber), _) => {
                Answer::encode(0x41, &[])
            }
            (None, _) => Answer::encode(0x21, &[]),
        };
        self.spoil(command, bytes)
    }

    /// Answers an APDU: `FF B0 offHi offLo Le` reads the image, `FF 00 00 00 Lc frame` passes a frame to the module and
    /// `FF C0 00 00 Le` fetches more of its answer; the rest is for the chip card, if one lies there.
    pub fn exchange_apdu(&mut self, apdu: &[u8]) -> Reply {
        if self.pass_by() {
            return Reply::Unplugged;
        }
        match apdu {
            [0xFF, 0x00, 0, 0, length, frame @ ..] if self.pass && frame.len() == usize::from(*length) => {
                self.waiting = self.answer_frame(frame);
                return Reply::Bytes(self.fetch(256));
            }
            [0xFF, 0xC0, 0, 0, le] if self.pass => {
                return Reply::Bytes(self.fetch(if *le == 0 { 256 } else { usize::from(*le) }));
            }
            [0xFF, ..] => {}
            _ => match &mut self.card {
                Some(Laid::Chip(card)) => return Reply::Bytes(card.answer(apdu)),
                Some(_) => {}
                None => return Reply::Removed,
            },
        }
        let &[0xFF, 0xB0, high, low, le] = apdu else { return Reply::Bytes(vec![0x6D, 0x00]) };
        if !self.image {
            return Reply::Bytes(vec![0x6D, 0x00]);
        }
        let offset = usize::from(u16::from_be_bytes([high, low]));
        if offset > 0 && std::mem::take(&mut self.remove_mid_read) {
            self.remove();
        }
        let card = match &self.card {
            Some(Laid::IdCard(card)) => card,
            Some(_) => return Reply::Bytes(vec![0x6D, 0x00]),
            None => return Reply::Removed,
        };
        let wanted = if le == 0 { 256 } else { usize::from(le) };
        let Some(rest) = card.get(offset..).filter(|rest| !rest.is_empty()) else {
            return Reply::Bytes(vec![0x6B, 0x00]);
        };
        Reply::Bytes([&rest[..wanted.min(rest.len())], &[0x90, 0x00]].concat())
    }

    /// The number of the exchange that is so much further on; the next one is 1.
    fn at(&self, further: u32) -> u64 {
        self.exchanges + u64::from(further.clamp(1, MAX_FAULTS))
    }

    /// Counts an exchange, and lets happen what lies before it; whether the reader is gone.
    fn pass_by(&mut self) -> bool {
        self.exchanges += 1;
        if let Some((what, at)) = self.ahead
            && at <= self.exchanges
        {
            self.ahead = None;
            match what {
                Ahead::Remove => self.remove(),
                Ahead::Unplug => {
                    self.unplugged = true;
                    self.changes += 1;
                }
            }
        }
        self.unplugged
    }

    /// The next piece of what waits, and whether there is more.
    fn fetch(&mut self, most: usize) -> Vec<u8> {
        let mut piece: Vec<u8> = self.waiting.drain(..most.min(self.waiting.len())).collect();
        match self.waiting.len() {
            0 => piece.extend([0x90, 0x00]),
            more => piece.extend([0x61, u8::try_from(more).unwrap_or(0)]),
        }
        piece
    }

    fn lay(&mut self, card: Laid) {
        self.remove();
        self.card = Some(card);
        self.changes += 1;
    }

    fn remove(&mut self) {
        self.read = false;
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
            "card={} control={} image={} pass={} delay_ms={} faults={} exchanges={} forbidden={}",
            if self.has_card() { "present" } else { "absent" },
            on(self.control),
            on(self.image),
            on(self.pass),
            self.delay.as_millis(),
            self.fault.map_or(0, |(_, left)| left),
            self.exchanges,
            self.forbidden()
        )
    }
}

/// A contactless card without historical bytes.
pub const ATR: [u8; 5] = [0x3B, 0x80, 0x80, 0x01, 0x01];
/// The number of the body of every simulated card.
const BODY_NUMBER: [u8; 8] = [0x4A, 0x42, 0, 0, 0, 0, 0, 0x01];
/// The number of the simulated module: 05.03-20160318-1-1.
const SAM_ID: [u8; 16] = [5, 0, 3, 0, 0x3E, 0x9F, 0x33, 0x01, 1, 0, 0, 0, 1, 0, 0, 0];

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
