//! A card reader as the terminal sees it: an event to wait for, a card to read, faults as ordinary states.
use std::time::Duration;

use domain::applicant::IdNumberKind;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::device::{DeviceState, Trouble};
use crate::samv_id::SamId;
use crate::social_security::SocialSecurityCard;
use crate::staff_card::StaffNumber;

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
    /// The reader is there, and another program has it for itself; tried again by itself.
    Busy,
    /// Ready, no card on it.
    Empty,
    /// A card lies on it.
    Card,
    /// The reader says it is out of order (self-test failed, SAM not authorised), or this user may not open its port: tell
    /// staff.
    OutOfOrder,
}

impl From<ReaderStatus> for DeviceState {
    fn from(status: ReaderStatus) -> Self {
        match status {
            ReaderStatus::Unknown => Self::Unknown,
            ReaderStatus::Empty => Self::Ready,
            ReaderStatus::Card => Self::Working,
            ReaderStatus::ServiceOff => Self::Trouble(Trouble::ServiceOff),
            ReaderStatus::NoReader => Self::Trouble(Trouble::NotFound),
            ReaderStatus::Busy => Self::Trouble(Trouble::Busy),
            ReaderStatus::OutOfOrder => Self::Trouble(Trouble::OutOfOrder),
        }
    }
}

/// What happened at the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderEvent {
    /// The status changed to this one ([`ReaderStatus::Card`] = a card was laid down: read it now;
    /// [`ReaderStatus::Empty`] after that = it was lifted).
    Status(ReaderStatus),
    /// Another card was laid down on another reader while one is being used: it waits until that one is lifted.
    Second,
    /// Nothing happened within the time.
    Nothing,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardData {
    /// An ID card, of whichever kind, read through a security module.
    IdCard(IdCard),
    /// A social-security card; who it belongs to may be missing.
    SocialSecurity(SocialSecurityCard),
    /// The number on a card of the bank's staff; it proves nothing by itself.
    Staff(StaffNumber),
}

/// Fields of an ID card as they stand on the chip; redacted in `Debug`, wiped when dropped. A field that the card's
/// kind does not have, or that is blank on the card, is empty.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct IdCard {
    /// Which of the four cards it is.
    #[zeroize(skip)]
    pub kind: IdNumberKind,
    /// Chinese name, trailing spaces cut; PUA code points and `·` kept. Foreigners may have none.
    pub name: String,
    /// English name; foreigners only.
    pub name_en: String,
    /// ISO 5218 code.
    pub sex: u8,
    /// Ethnic group code, two digits; residents only.
    pub nation: String,
    /// Birth date `YYYYMMDD`.
    pub birth: String,
    /// Address: the newest one if the card has it, otherwise the one from the day of issue. Foreigners have none.
    pub address: String,
    /// Whether the address is one that was added to the card after its issue.
    pub address_is_newest: bool,
    /// ID number.
    pub id_number: String,
    /// Issuing office; of a foreigner's card of 2017 the code of the accepting office.
    pub issuer: String,
    /// First day of validity `YYYYMMDD`.
    pub valid_from: String,
    /// Last day of validity `YYYYMMDD`, or `长期`.
    pub valid_to: String,
    /// Number of the travel pass; people from Hong Kong, Macao and Taiwan only.
    pub pass_number: String,
    /// How often the card was issued, two digits; Hong Kong, Macao, Taiwan, and foreigners of 2023.
    pub issue_count: String,
    /// Country by its three letters; foreigners only.
    pub country: String,
    /// Version of the card; foreigners of 2017 only.
    pub version: String,
    /// What links a foreigner's card of 2023 to the number of 15 signs that the person had before.
    pub former_link: String,
    /// The number of the card's body as the module gives it, hexadecimal; empty if it does not.
    pub body_number: String,
    /// The 1,024 bytes of the photo as the card holds them (WLT); kept in memory only, never in `Debug`.
    pub photo: Vec<u8>,
}

impl IdCard {
    /// A card of this kind with nothing on it.
    pub fn empty(kind: IdNumberKind) -> Self {
        Self {
            kind,
            name: String::new(),
            name_en: String::new(),
            sex: 0,
            nation: String::new(),
            birth: String::new(),
            address: String::new(),
            address_is_newest: false,
            id_number: String::new(),
            issuer: String::new(),
            valid_from: String::new(),
            valid_to: String::new(),
            pass_number: String::new(),
            issue_count: String::new(),
            country: String::new(),
            version: String::new(),
            former_link: String::new(),
            body_number: String::new(),
            photo: Vec::new(),
        }
    }

    /// The name to address the person by: the Chinese one, or the English one if there is no other.
    pub fn any_name(&self) -> &str {
        if self.name.is_empty() { &self.name_en } else { &self.name }
    }

    /// Takes over the newest address of a card that has an address at all.
    pub fn move_to(&mut self, newest: String) {
        if matches!(self.kind, IdNumberKind::Resident | IdNumberKind::HongKongMacaoTaiwan) {
            self.address.zeroize();
            self.address = newest;
            self.address_is_newest = true;
        }
    }
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
    /// A card that is no ID card of a known kind.
    #[error("this is not an identity card of a known kind")]
    UnknownCard,
    /// The reader is out of order (self-test failed, SAM not authorised).
    #[error("the card reader is out of order")]
    OutOfOrder,
    /// Another program has the reader or the card for itself.
    #[error("another program uses the card reader")]
    Busy,
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

    /// The number of the security module that read last, for logs and technicians: no personal data. `None` if
    /// there was no read yet or the module does not tell.
    fn sam_id(&self) -> Option<SamId> {
        None
    }

    /// Whether a reader is missed: one that was there, or that an operator named by its port, and that now is not, or
    /// is out of order. The status says the rest: where there are several, another one may serve meanwhile.
    fn misses(&self) -> bool {
        false
    }
}
