//! The text block of an ID card's chip: 256 bytes of UCS-2 to the fields of an [`IdCard`], and back for samples.
//!
//! What a reader delivers is the image `0100 0400 | text 256 | photo 1024`. Four layouts of the text exist and a
//! flag at byte 248 tells them apart; where each keeps its fields stands in `places`. Pure; it decodes no photo,
//! changes no character (private-use code points stay), and its errors never contain what a card says.
mod encode;
mod fields;
mod places;
mod rules;
#[cfg(test)]
mod tests;

use domain::applicant::IdNumberKind;

pub use encode::encode;
pub use fields::newest_address;
pub use rules::number_is_valid;

use crate::card_reader::{IdCard, ReadError};

/// Bytes in the image of a card: header, text and photo.
pub const IMAGE_LEN: usize = 4 + TEXT_LEN + PHOTO_LEN;
/// Bytes in the text block.
pub const TEXT_LEN: usize = 256;
/// Bytes in the photo (WLT, no open decoder known).
pub const PHOTO_LEN: usize = 1024;
/// The two lengths, big endian, that every image begins with.
pub const IMAGE_HEADER: [u8; 4] = [0x01, 0x00, 0x04, 0x00];
/// What stands instead of the last day on a card that never expires.
pub const FOR_EVER: &str = "长期";

/// Where the flag of the layout stands in the text block.
const FLAG_AT: usize = 248;

/// Why bytes are not a card that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdCardError {
    /// Fewer or more bytes than [`IMAGE_LEN`]; the payload is how many.
    #[error("the card image has {0} bytes, not 1284")]
    Length(usize),
    /// The image does not begin with [`IMAGE_HEADER`].
    #[error("the card image does not begin with 01 00 04 00")]
    Header,
    /// The flag at byte 248 is in no table; the payload is the flag.
    #[error("the card's layout is unknown (flag {0:04X})")]
    UnknownLayout(u16),
    /// The named field breaks the rules.
    #[error("the card's field `{0}` breaks the rules")]
    Field(&'static str),
}

impl From<IdCardError> for ReadError {
    fn from(error: IdCardError) -> Self {
        match error {
            IdCardError::UnknownLayout(_) => Self::UnknownCard,
            IdCardError::Length(_) | IdCardError::Header | IdCardError::Field(_) => Self::Damaged,
        }
    }
}

/// The fields of an ID card out of the image that a reader delivers.
///
/// The ID number must keep the rules of the card's kind, check digit and birthday included; dates and characters
/// must be right. Whether the card has expired is for the caller to judge: this has no clock. Bytes behind the
/// image (fingerprints) are refused.
///
/// # Errors
/// [`IdCardError`].
pub fn decode(image: &[u8]) -> Result<IdCard, IdCardError> {
    let card = parse(image)?;
    if number_is_valid(&card) { Ok(card) } else { Err(IdCardError::Field("id_number")) }
}

/// As [`decode`], but leaves the ID number unjudged: for the eyes of a technician, who asks [`number_is_valid`].
///
/// # Errors
/// [`IdCardError`].
pub fn parse(image: &[u8]) -> Result<IdCard, IdCardError> {
    let image: &[u8; IMAGE_LEN] = image.try_into().map_err(|_| IdCardError::Length(image.len()))?;
    let (header, rest) = image.split_at(IMAGE_HEADER.len());
    if header != IMAGE_HEADER {
        return Err(IdCardError::Header);
    }
    let (text, photo) = rest.split_at(TEXT_LEN);
    let text: &[u8; TEXT_LEN] = text.try_into().map_err(|_| IdCardError::Length(text.len()))?;
    let mut card = parse_text(text)?;
    card.photo = photo.to_vec();
    Ok(card)
}

/// As [`parse`], for a bare text block; the card has no photo then.
///
/// # Errors
/// [`IdCardError`].
pub fn parse_text(text: &[u8; TEXT_LEN]) -> Result<IdCard, IdCardError> {
    let flag = u16::from_le_bytes([text[FLAG_AT], text[FLAG_AT + 1]]);
    let kind = kind_of_flag(flag).ok_or(IdCardError::UnknownLayout(flag))?;
    let card = fields::read(kind, text)?;
    rules::check(&card)?;
    Ok(card)
}

/// The flags of the layouts. A block of zeros behind the resident's fields was seen besides spaces.
const FLAGS: [(u16, IdNumberKind); 5] = [
    (0x0020, IdNumberKind::Resident),
    (0x0000, IdNumberKind::Resident),
    (0x004A, IdNumberKind::HongKongMacaoTaiwan),
    (0x0049, IdNumberKind::Foreigner2017),
    (0x0059, IdNumberKind::Foreigner2023),
];

fn kind_of_flag(flag: u16) -> Option<IdNumberKind> {
    FLAGS.iter().find(|(known, _)| *known == flag).map(|(_, kind)| *kind)
}
