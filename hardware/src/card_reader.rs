//! A card reader as the terminal sees it: an event to wait for, a card to read, faults as ordinary states.
use std::time::Duration;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// What the reader is doing. Every fault is a state with its own words on screen, never a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReaderStatus {
    /// Not looked yet.
    #[default]
    Unknown,
    /// The smart-card service (pcscd) does not run; tried again by itself.
    ServiceOff,
    /// No reader is plugged in.
    NoReader,
    /// Ready, no card on it.
    Empty,
    /// A card lies on it.
    Card,
    /// The reader says it is out of order (self-test failed, SAM not authorised): tell staff.
    OutOfOrder,
}

/// What happened at the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderEvent {
    /// The status changed to this one ([`ReaderStatus::Card`] = a card was laid down: read it now;
    /// [`ReaderStatus::Empty`] after that = it was lifted).
    Status(ReaderStatus),
    /// Nothing happened within the time.
    Nothing,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardData {
    /// A resident identity card read through a security module.
    IdCard(IdCard),
}

/// Fields of a resident ID card as they stand on the chip; redacted in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct IdCard {
    /// Name, trailing spaces cut; PUA code points and `·` kept.
    pub name: String,
    /// ISO 5218 code.
    pub sex: u8,
    /// Ethnic group code, two digits.
    pub nation: String,
    /// Birth date `YYYYMMDD`.
    pub birth: String,
    /// Address.
    pub address: String,
    /// ID number.
    pub id_number: String,
    /// Issuing office.
    pub issuer: String,
    /// First day of validity `YYYYMMDD`.
    pub valid_from: String,
    /// Last day of validity `YYYYMMDD`, or `长期`.
    pub valid_to: String,
    /// The 1,024 bytes of the photo as the card holds them (WLT); kept in memory only.
    pub photo: Vec<u8>,
}

impl std::fmt::Debug for IdCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdCard(..)")
    }
}

/// Why a card could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The card was lifted while it was read: lay it down again.
    #[error("the card was removed while it was read")]
    Removed,
    /// The card did not answer properly: lift it and lay it down again.
    #[error("the card did not answer; lift it and lay it down again")]
    LayAgain,
    /// This reader has no security module, so the chip of an ID card cannot be read.
    #[error("this reader has no security module")]
    NoSecurityModule,
    /// A card that is no resident ID card.
    #[error("this is not a resident identity card")]
    UnknownCard,
    /// The reader is out of order (self-test failed, SAM not authorised).
    #[error("the card reader is out of order")]
    OutOfOrder,
    /// What the card holds breaks its own rules (wrong check digit, impossible date, bad text).
    #[error("the data on the card are damaged")]
    Damaged,
    /// The reader or its service went away.
    #[error("the card reader was unplugged or its service stopped")]
    ReaderGone,
}

/// A reader, owned by one thread.
pub trait CardReader: Send {
    /// Waits for the next change, at most `max`. Recovers by itself from a restarted service.
    fn wait_event(&mut self, max: Duration) -> ReaderEvent;

    /// Reads the card that lies on the reader.
    ///
    /// # Errors
    /// [`ReadError`], each an ordinary state.
    fn read(&mut self) -> Result<CardData, ReadError>;
}
