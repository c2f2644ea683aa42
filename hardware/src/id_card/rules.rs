//! What the fields of a card must be like, by kind. Lenient where real cards are said to differ: blank counts,
//! unknown region codes and offices are taken as they are.
use domain::applicant::{IdNumberKind, id_number_kind};
use domain::date::CivilDate;

use super::{FOR_EVER, IdCardError};
use crate::card_reader::IdCard;

/// Whether the number on the card keeps the rules of the card's kind. A resident's number may begin as those of
/// people from Hong Kong, Macao and Taiwan do: regions are not judged.
pub fn number_is_valid(card: &IdCard) -> bool {
    match (card.kind, id_number_kind(&card.id_number, None)) {
        (IdNumberKind::Resident, Ok(IdNumberKind::HongKongMacaoTaiwan)) => true,
        (kind, Ok(number)) => kind == number,
        (_, Err(_)) => false,
    }
}

/// The first field that breaks the rules; the ID number is not judged.
pub(super) fn check(card: &IdCard) -> Result<(), IdCardError> {
    let foreign = matches!(card.kind, IdNumberKind::Foreigner2017 | IdNumberKind::Foreigner2023);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let nation = card.nation.len() == 2 && digits(&card.nation);
    let country = card.country.len() == 3 && card.country.bytes().all(|b| b.is_ascii_uppercase());
    let rules = [
        ("name", foreign || !card.name.is_empty()),
        ("name_en", !foreign || !card.name_en.is_empty()),
        ("nation", nation || (card.kind != IdNumberKind::Resident && card.nation.is_empty())),
        ("birth", compact_date(&card.birth).is_some()),
        ("id_number", !card.id_number.is_empty()),
        ("valid_from", compact_date(&card.valid_from).is_some()),
        ("valid_to", card.valid_to == FOR_EVER || compact_date(&card.valid_to).is_some()),
        ("issue_count", digits(&card.issue_count)),
        ("country", !foreign || country),
    ];
    match rules.into_iter().find(|(_, kept)| !kept) {
        Some((field, _)) => Err(IdCardError::Field(field)),
        None => Ok(()),
    }
}

/// A date of the form `YYYYMMDD`, as all dates on the chip.
pub(super) fn compact_date(text: &str) -> Option<CivilDate> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    CivilDate::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?)
}
