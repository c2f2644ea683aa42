//! A card as lines or as JSON, with the same names and values.
//!
//! Names and values are stable, for programs: dates are `YYYY-MM-DD`, a card without end has `long_term`, codes stay
//! as they are on the card, and a field that the card does not have is left out.
use std::io::Write;

use anyhow::{Context, Result};
use domain::applicant::id_number_kind;
use serde_json::{Map, Value};

use crate::card_reader::IdCard;
use crate::id_card::{FOR_EVER, number_is_valid};
use crate::social_security::SocialSecurityCard;

/// What stands instead of the last day of a card that never expires.
const LONG_TERM: &str = "long_term";

/// A name and its value.
pub(super) type Row = (&'static str, Value);

/// All fields of a card that it has.
pub(super) fn rows(card: &IdCard) -> Vec<Row> {
    let text = |value: &str| Value::from(value);
    let rows = [
        ("kind", text(card.kind.name())),
        ("name", text(&card.name)),
        ("name_en", text(&card.name_en)),
        ("sex", card.sex.into()),
        ("nation", text(&card.nation)),
        ("birth", date(&card.birth)),
        ("address", text(&card.address)),
        ("id_number", text(&card.id_number)),
        ("issuer", text(&card.issuer)),
        ("valid_from", date(&card.valid_from)),
        ("valid_to", date(&card.valid_to)),
        ("pass_number", text(&card.pass_number)),
        ("issue_count", text(&card.issue_count)),
        ("country", text(&card.country)),
        ("version", text(&card.version)),
        ("former_link", text(&card.former_link)),
        ("body_number", text(&card.body_number)),
        ("number_valid", number_is_valid(card).into()),
    ];
    present(rows)
}

/// All fields of a social-security card that it has.
pub(super) fn social_security_rows(card: &SocialSecurityCard) -> Vec<Row> {
    let text = |value: &str| Value::from(value);
    let valid = id_number_kind(&card.id_number, None).is_ok();
    let mut rows = present([
        ("kind", text("social_security")),
        ("name", text(&card.name)),
        ("name_extension", text(&card.name_extension)),
        ("nation", text(&card.nation)),
        ("birth", date(&card.birth)),
        ("birthplace", text(&card.birthplace)),
        ("id_number", text(&card.id_number)),
        ("card_number", text(&card.card_number)),
        ("card_code", text(&card.card_code)),
        ("area", text(&card.area)),
        ("card_kind", text(&card.card_kind)),
        ("version", text(&card.version)),
        ("valid_from", date(&card.valid_from)),
        ("valid_to", date(&card.valid_to)),
    ]);
    if card.sex != 0 {
        rows.push(("sex", card.sex.into()));
    }
    if !card.id_number.is_empty() {
        rows.push(("number_valid", valid.into()));
    }
    rows.push(("holder_locked", card.holder_locked.into()));
    rows
}

/// What is not blank.
fn present<const N: usize>(rows: [Row; N]) -> Vec<Row> {
    rows.into_iter().filter(|(_, value)| value.as_str() != Some("")).collect()
}

/// Prints rows as lines or as one JSON object.
///
/// # Errors
/// If `out` takes them not.
pub(super) fn write(rows: &[Row], json: bool, out: &mut dyn Write) -> Result<()> {
    let text = if json {
        let object: Map<String, Value> =
            rows.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        serde_json::to_string_pretty(&object).context("cannot write JSON")? + "\n"
    } else {
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        rows.iter().map(|(name, value)| format!("{name:width$}  {}\n", plain(value))).collect()
    };
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")
}

/// A value without JSON's quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `YYYYMMDD` as `YYYY-MM-DD`; the card's rules were checked before.
fn date(compact: &str) -> Value {
    match (compact, compact.get(..4), compact.get(4..6), compact.get(6..)) {
        (FOR_EVER, ..) => LONG_TERM.into(),
        (_, Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}").into(),
        _ => compact.into(),
    }
}

#[cfg(test)]
mod tests {
    use domain::applicant::IdNumberKind;
    use serde_json::json;

    use super::*;

    fn card() -> IdCard {
        let mut card = IdCard::empty(IdNumberKind::Resident);
        card.name = "样某\u{E81E}".into();
        card.sex = 9;
        card.birth = "19491231".into();
        card.id_number = "11010519491231002X".into();
        card.valid_to = FOR_EVER.into();
        card
    }

    #[test]
    fn what_the_card_does_not_have_is_left_out() {
        let mut out = Vec::new();
        write(&rows(&card()), true, &mut out).expect("written");
        let value: Value = serde_json::from_slice(&out).expect("JSON");
        let wanted = json!({
            "kind": "resident", "name": "样某\u{E81E}", "sex": 9, "birth": "1949-12-31",
            "id_number": "11010519491231002X", "valid_to": "long_term", "number_valid": true
        });
        assert_eq!(value, wanted);
    }

    #[test]
    fn lines_have_the_same_names_and_values() {
        let mut out = Vec::new();
        write(&rows(&card()), false, &mut out).expect("written");
        let text = String::from_utf8(out).expect("text");
        assert!(text.starts_with("kind          resident\nname          样某"), "{text}");
        assert!(text.ends_with("valid_to      long_term\nnumber_valid  true\n"), "{text}");
    }
}
