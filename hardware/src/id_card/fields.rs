//! The text of a block's fields: pieces joined, padding cut, nothing else changed.
use domain::applicant::IdNumberKind;

use super::places::{self, Field, Place};
use super::{IdCardError, TEXT_LEN};
use crate::card_reader::IdCard;

/// Most bytes of a newest address that are believed; 70 were seen described.
const MAX_ADDRESS_LEN: usize = 140;

/// All fields of a card of this kind, not judged.
pub(super) fn read(kind: IdNumberKind, text: &[u8; TEXT_LEN]) -> Result<IdCard, IdCardError> {
    let mut card = IdCard::empty(kind);
    for (field, pieces) in places::of(kind) {
        let pieces = pieces.iter().map(|Place(start, len)| &text[*start..*start + *len]);
        let value = joined(pieces).ok_or(IdCardError::Field(field.name()))?;
        if *field == Field::Sex {
            card.sex = sex(&value).ok_or(IdCardError::Field(field.name()))?;
        } else if let Some(place) = slot(&mut card, *field) {
            *place = value;
        }
    }
    Ok(card)
}

/// The newest address out of the module's answer; `None` if it is blank or no text.
pub fn newest_address(data: &[u8]) -> Option<String> {
    if data.len() > MAX_ADDRESS_LEN || !data.len().is_multiple_of(2) {
        return None;
    }
    joined([data].into_iter()).filter(|address| !address.is_empty())
}

/// Where a card keeps a field; the sex is no text.
pub(super) fn slot(card: &mut IdCard, field: Field) -> Option<&mut String> {
    Some(match field {
        Field::Name => &mut card.name,
        Field::NameEn => &mut card.name_en,
        Field::Sex => return None,
        Field::Nation => &mut card.nation,
        Field::Birth => &mut card.birth,
        Field::Address => &mut card.address,
        Field::IdNumber => &mut card.id_number,
        Field::Issuer => &mut card.issuer,
        Field::ValidFrom => &mut card.valid_from,
        Field::ValidTo => &mut card.valid_to,
        Field::PassNumber => &mut card.pass_number,
        Field::IssueCount => &mut card.issue_count,
        Field::Country => &mut card.country,
        Field::Version => &mut card.version,
        Field::FormerLink => &mut card.former_link,
    })
}

fn sex(text: &str) -> Option<u8> {
    match text {
        "0" => Some(0),
        "1" => Some(1),
        "2" => Some(2),
        "9" => Some(9),
        _ => None,
    }
}

/// The text of joined pieces without its padding; PUA code points stay. Lone surrogates, control characters and
/// code points that are no characters are a fault.
fn joined<'a>(pieces: impl Iterator<Item = &'a [u8]> + Clone) -> Option<String> {
    // Room for the longest text from the start: growing would leave copies behind that nobody wipes.
    let units: usize = pieces.clone().map(|piece| piece.len() / 2).sum();
    let mut value = String::with_capacity(units * 3);
    let units = pieces.flat_map(|piece| piece.chunks_exact(2)).map(|b| u16::from_le_bytes([b[0], b[1]]));
    for character in char::decode_utf16(units) {
        value.push(character.ok()?);
    }
    value.truncate(value.trim_end_matches([' ', '\0']).len());
    (!value.chars().any(|c| c.is_control() || is_no_character(c))).then_some(value)
}

/// The code points that Unicode keeps free for ever, such as erased memory's U+FFFF.
fn is_no_character(c: char) -> bool {
    let code = u32::from(c);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}
