//! A card back into its image, for sample cards, simulators and tests; never used on a real person's card.
use zeroize::Zeroizing;

use super::places::{self, Field, Place};
use super::{FLAG_AT, FLAGS, IMAGE_HEADER, IMAGE_LEN, IdCardError, PHOTO_LEN, TEXT_LEN, fields};
use crate::card_reader::IdCard;

/// The image of an ID card. The fields' meaning is not checked, so that damaged cards can be made too; fields that
/// the card's kind has no place for are left out, and a photo shorter than [`PHOTO_LEN`] is filled with zeros.
///
/// # Errors
/// [`IdCardError::Field`] if a field does not fit its place or has characters beyond UCS-2.
pub fn encode(card: &IdCard) -> Result<Zeroizing<Vec<u8>>, IdCardError> {
    let mut text = Zeroizing::new([0x20, 0x00].repeat(TEXT_LEN / 2));
    let mut card = card.clone();
    for (field, pieces) in places::of(card.kind) {
        let value = match fields::slot(&mut card, *field) {
            Some(value) => Zeroizing::new(std::mem::take(value)),
            None => Zeroizing::new(card.sex.to_string()),
        };
        write(&mut text, *field, pieces, &value)?;
    }
    let flag = FLAGS.iter().find(|(_, kind)| *kind == card.kind).map_or(0x20, |(flag, _)| *flag);
    text[FLAG_AT..FLAG_AT + 2].copy_from_slice(&flag.to_le_bytes());
    if card.photo.len() > PHOTO_LEN {
        return Err(IdCardError::Field("photo"));
    }
    let mut image = Zeroizing::new(Vec::with_capacity(IMAGE_LEN));
    image.extend_from_slice(&IMAGE_HEADER);
    image.extend_from_slice(&text);
    image.extend_from_slice(&card.photo);
    image.resize(IMAGE_LEN, 0);
    Ok(image)
}

/// Writes a value over the pieces of a field.
fn write(text: &mut [u8], field: Field, pieces: &[Place], value: &str) -> Result<(), IdCardError> {
    let units: Zeroizing<Vec<u16>> = Zeroizing::new(value.encode_utf16().collect());
    let room = pieces.iter().flat_map(|Place(start, len)| (*start..*start + *len).step_by(2));
    if units.len() > room.clone().count() || value.chars().any(|c| c.len_utf16() != 1) {
        return Err(IdCardError::Field(field.name()));
    }
    for (unit, at) in units.iter().zip(room) {
        text[at..at + 2].copy_from_slice(&unit.to_le_bytes());
    }
    Ok(())
}
