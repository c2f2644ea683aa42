//! Which files and records of a social-security card are asked for: two files, each by record number, or by tag where
//! the card knows no numbers. Never hands over a PIN ([`crate::iso7816`] has no way to).
use super::{SocialSecurityCard, take_in};
use crate::card_reader::ReadError;
use crate::iso7816::{Choice, Dialogue, IsoError, RecordAddress, StatusWord};
use crate::transport::ApduChannel;

/// Name of the application: `sx1.sh.` and 社会保障 in GBK.
pub const AID: [u8; 15] =
    [0x73, 0x78, 0x31, 0x2E, 0x73, 0x68, 0x2E, 0xC9, 0xE7, 0xBB, 0xE1, 0xB1, 0xA3, 0xD5, 0xCF];

/// Data of the card.
const EF05: [u8; 2] = [0xEF, 0x05];
/// Data of its holder; may be locked.
const EF06: [u8; 2] = [0xEF, 0x06];
const EF05_TAGS: [u8; 7] = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07];
const EF06_TAGS: [u8; 7] = [0x08, 0x09, 0x4E, 0x0A, 0x0B, 0x0C, 0x0D];
/// Record numbers that are tried in a file: the seven known ones and one more.
const MAX_RECORDS: u8 = 8;

/// Reads the card whose application has been selected. A holder's file that is locked leaves those fields empty and
/// says so in the card.
///
/// # Errors
/// [`ReadError`]: `Damaged` if number or name break their rules.
pub fn read_application<C: ApduChannel>(
    dialogue: &mut Dialogue<'_, C>,
) -> Result<SocialSecurityCard, ReadError> {
    let mut card = SocialSecurityCard::default();
    read_file(dialogue, EF05, &EF05_TAGS, &mut card)?;
    card.holder_locked = !read_file(dialogue, EF06, &EF06_TAGS, &mut card)?;
    Ok(card)
}

/// Reads a file; false if the card does not give it without a PIN or another card.
fn read_file<C: ApduChannel>(
    dialogue: &mut Dialogue<'_, C>,
    file: [u8; 2],
    tags: &[u8],
    card: &mut SocialSecurityCard,
) -> Result<bool, ReadError> {
    match select_file(dialogue, file) {
        Err(IsoError::Status(StatusWord::NOT_ALLOWED_YET)) => return Ok(false),
        other => other?,
    }
    let numbers = (1..=MAX_RECORDS).map(RecordAddress::Number);
    let tags = tags.iter().copied().map(RecordAddress::Tag);
    let mut by_number = true;
    for (at, address) in numbers.enumerate() {
        match read_record(dialogue, address, card)? {
            Record::Taken => {}
            Record::Locked => return Ok(false),
            // The first record is always there: a card that says no knows no numbers.
            Record::Absent if at == 0 => {
                by_number = false;
                break;
            }
            Record::Absent => {}
        }
    }
    if by_number {
        return Ok(true);
    }
    for address in tags {
        if read_record(dialogue, address, card)? == Record::Locked {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Chooses a file below the application, in either of the two ways that cards know.
fn select_file<C: ApduChannel>(dialogue: &mut Dialogue<'_, C>, file: [u8; 2]) -> Result<(), IsoError> {
    match dialogue.select(Choice::Child(file)) {
        Err(IsoError::Status(status)) if status != StatusWord::NOT_ALLOWED_YET => {
            dialogue.select(Choice::Identifier(file)).map(drop)
        }
        other => other.map(drop),
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Record {
    Taken,
    Absent,
    Locked,
}

fn read_record<C: ApduChannel>(
    dialogue: &mut Dialogue<'_, C>,
    address: RecordAddress,
    card: &mut SocialSecurityCard,
) -> Result<Record, ReadError> {
    match dialogue.read_record(address) {
        Ok(answer) => {
            take_in(card, &answer).map_err(|_| ReadError::Damaged)?;
            Ok(Record::Taken)
        }
        Err(IsoError::Status(StatusWord::NO_RECORD | StatusWord::WRONG_P1_P2)) => Ok(Record::Absent),
        Err(IsoError::Status(StatusWord::NOT_ALLOWED_YET)) => Ok(Record::Locked),
        Err(error) => Err(error.into()),
    }
}
