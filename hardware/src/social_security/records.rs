//! Records of a social-security card to fields: each is `tag, length, value`, and the returned tag decides. Pure.
//!
//! Which record number holds what differs from card to card, so numbers are never trusted. A number or name that
//! breaks its rules is an error; any other field that does is left empty, because a card reads all the same.
use encoding_rs::GBK;
use zeroize::{Zeroize, Zeroizing};

use super::SocialSecurityCard;

/// Longest name in GBK; one of 30 bytes and an extension as long.
const MAX_TEXT: usize = 64;

/// Why bytes are no record that can be used. Never says what stands in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record ends before its length says, or has no length.
    #[error("the record with tag {0:02X} ends early")]
    Length(u8),
    /// The named field breaks the rules.
    #[error("the card's field `{0}` breaks the rules")]
    Field(&'static str),
}

/// Takes the records in one answer of the card over into `card`; tags that are in no table are passed over.
///
/// # Errors
/// [`RecordError`]; what came before the fault has been taken over.
pub fn take_in(card: &mut SocialSecurityCard, mut answer: &[u8]) -> Result<(), RecordError> {
    // Each turn takes at least the two bytes of tag and length.
    while let [tag, rest @ ..] = answer {
        if is_padding(answer) {
            break;
        }
        let (length, rest) = rest.split_first().ok_or(RecordError::Length(*tag))?;
        let (value, rest) = rest.split_at_checked(usize::from(*length)).ok_or(RecordError::Length(*tag))?;
        put(card, *tag, value)?;
        answer = rest;
    }
    Ok(())
}

fn put(card: &mut SocialSecurityCard, tag: u8, value: &[u8]) -> Result<(), RecordError> {
    let blank = is_padding(value);
    match tag {
        _ if blank => {}
        0x01 => {
            card.card_code = hex(value);
            card.area = value.get(..3).and_then(digits).unwrap_or_default();
        }
        0x02 => card.card_kind = ascii(value).unwrap_or_default(),
        0x03 => card.version = ascii(value).unwrap_or_default(),
        0x05 => card.valid_from = date(value).unwrap_or_default(),
        0x06 => card.valid_to = date(value).unwrap_or_default(),
        0x07 => card.card_number = ascii(value).unwrap_or_default(),
        0x08 => card.id_number = ascii(value).ok_or(RecordError::Field("id_number"))?,
        0x09 => card.name = gbk(value).ok_or(RecordError::Field("name"))?,
        0x4E => card.name_extension = gbk(value).ok_or(RecordError::Field("name_extension"))?,
        0x0A => card.sex = sex(value),
        0x0B => card.nation = digits(value).filter(|nation| nation.len() == 2).unwrap_or_default(),
        0x0C => card.birthplace = digits(value).unwrap_or_default(),
        0x0D => card.birth = date(value).unwrap_or_default(),
        _ => {}
    }
    Ok(())
}

/// Erased or filled memory: zeros, FF or spaces.
fn is_padding(bytes: &[u8]) -> bool {
    [0x00, 0xFF, b' '].iter().any(|fill| bytes.iter().all(|byte| byte == fill))
}

/// Text without its padding.
fn unpadded(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !matches!(byte, 0x00 | 0xFF | b' ')).map_or(0, |at| at + 1);
    &bytes[..end]
}

/// Visible ASCII.
fn ascii(value: &[u8]) -> Option<String> {
    let value = unpadded(value);
    if value.len() > MAX_TEXT || !value.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    std::str::from_utf8(value).ok().map(str::to_owned)
}

/// GBK; a byte pair that is no character is a fault, private-use code points stay as they are.
fn gbk(value: &[u8]) -> Option<String> {
    // The second byte of a pair may be a fill byte only by mistake: FF is no second byte, 00 and 20 neither.
    let value = unpadded(value);
    if value.len() > MAX_TEXT {
        return None;
    }
    // Three bytes of UTF-8 for each byte are always enough, so that nothing grows and leaves copies behind.
    let mut room = Zeroizing::new([0_u8; 3 * MAX_TEXT + 16]);
    let mut decoder = GBK.new_decoder_without_bom_handling();
    let (result, _, written) = decoder.decode_to_utf8_without_replacement(value, &mut room[..], true);
    if result != encoding_rs::DecoderResult::InputEmpty {
        return None;
    }
    let mut text = std::str::from_utf8(&room[..written]).ok()?.to_owned();
    if text.chars().any(char::is_control) {
        text.zeroize();
        return None;
    }
    Some(text)
}

/// BCD to digits.
fn digits(value: &[u8]) -> Option<String> {
    if value.len() > MAX_TEXT {
        return None;
    }
    let nibbles = value.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    nibbles.map(|digit| char::from_digit(digit.into(), 10)).collect()
}

/// BCD to a date that exists.
fn date(value: &[u8]) -> Option<String> {
    let text = digits(value).filter(|text| text.len() == 8)?;
    let (year, month, day) =
        (text.get(..4)?.parse().ok()?, text.get(4..6)?.parse().ok()?, text.get(6..)?.parse().ok()?);
    domain::date::CivilDate::new(year, month, day).map(|_| text)
}

fn hex(value: &[u8]) -> String {
    value.iter().take(MAX_TEXT).map(|byte| format!("{byte:02X}")).collect()
}

/// One ASCII digit, or one as a bare number.
fn sex(value: &[u8]) -> u8 {
    match value {
        [code @ (b'1' | b'2' | b'9')] => code - b'0',
        [code @ (1 | 2 | 9)] => *code,
        _ => 0,
    }
}
