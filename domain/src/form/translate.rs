//! From the errors of the JSON Schema library to places in the form and our own kinds. The library's English texts
//! never leave this file.
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::error::FieldErrorKind;
use super::keywords::SIGNATURE_LARGE;
use super::property::FieldRules;
use super::spec::{UiField, Widget};
use super::state::Spot;
use super::{Form, Named};

impl Form {
    /// Place and kind of an error; `None` for what is told elsewhere: missing answers, and answers that the form does
    /// not have.
    pub(super) fn translate(
        &self,
        error: &ValidationError<'_>,
        fields: &[(&UiField, &FieldRules)],
    ) -> Option<(Spot, FieldErrorKind)> {
        let mut path = error.instance_path().as_str().split('/').skip(1);
        let (spot, index) = match *self.compiled.index.get(path.next()?)? {
            Named::Field(index) => (Spot::field(index), index),
            Named::Rows(anchor) => {
                let Some(row) = path.next() else {
                    return rows_kind(error.kind()).map(|kind| (Spot { anchor, row: 0, field: None }, kind));
                };
                let row = row.parse::<usize>().ok()? + 1;
                let Some(key) = path.next() else {
                    let shape = matches!(error.kind(), Kind::Type { .. }).then_some(FieldErrorKind::Shape);
                    return shape.map(|kind| (Spot { anchor, row, field: None }, kind));
                };
                match self.compiled.index.get(key)? {
                    Named::Field(index) => (Spot { anchor, row, field: Some(*index) }, *index),
                    Named::Rows(_) => return None,
                }
            }
        };
        let (field, rules) = fields.get(index)?;
        let deep = path.next();
        let kind = match field.widget {
            Widget::Address => address_kind(error, deep.is_some()),
            Widget::Signature => signature_kind(error.kind()),
            Widget::Photo => file_kind(error.kind(), deep),
            // Below the list stands the number of the file.
            Widget::Attachment => file_kind(error.kind(), path.next()),
            _ => simple_kind(error, field.widget, rules),
        };
        Some((spot, kind))
    }
}

/// Too few rows are counted by ourselves: rows that are not there yet are shown already.
fn rows_kind(kind: &Kind) -> Option<FieldErrorKind> {
    match kind {
        Kind::MaxItems { limit } => Some(FieldErrorKind::TooManyRows { most: *limit }),
        Kind::Type { .. } => Some(FieldErrorKind::Shape),
        _ => None,
    }
}

/// `part` is the member of the file that is wrong.
fn file_kind(kind: &Kind, part: Option<&str>) -> FieldErrorKind {
    match (kind, part) {
        (Kind::MinItems { limit }, _) => FieldErrorKind::TooFewFiles { need: *limit },
        (Kind::MaxItems { limit }, _) => FieldErrorKind::TooManyFiles { most: *limit },
        (Kind::Maximum { limit }, Some("bytes")) => FieldErrorKind::FileTooLarge { most: mebibytes(limit) },
        (Kind::Enum { .. }, Some("kind")) => FieldErrorKind::FileKind,
        _ => FieldErrorKind::Shape,
    }
}

/// Bytes as MiB with at most one place, rounded down so that nobody is told too much; never `0`.
fn mebibytes(limit: &Value) -> String {
    let tenths = (limit.as_u64().unwrap_or_default().saturating_mul(10) >> 20).max(1);
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}.{rest}", tenths / 10),
    }
}

fn address_kind(error: &ValidationError<'_>, deep: bool) -> FieldErrorKind {
    match error.kind() {
        Kind::MaxLength { limit } => too_long(error.instance(), *limit),
        Kind::Type { .. } | Kind::AdditionalProperties { .. } if !deep => FieldErrorKind::Shape,
        _ => FieldErrorKind::AddressIncomplete,
    }
}

fn signature_kind(kind: &Kind) -> FieldErrorKind {
    match kind {
        Kind::Custom { message, .. } if message == SIGNATURE_LARGE => FieldErrorKind::SignatureTooLarge,
        Kind::Custom { .. } => FieldErrorKind::SignatureTooShort,
        Kind::MaxItems { .. } => FieldErrorKind::SignatureTooLarge,
        _ => FieldErrorKind::Shape,
    }
}

fn simple_kind(error: &ValidationError<'_>, widget: Widget, rules: &FieldRules) -> FieldErrorKind {
    let value = error.instance();
    match error.kind() {
        Kind::Type { .. } if widget == Widget::Number => FieldErrorKind::Number,
        Kind::MinLength { limit } => FieldErrorKind::TooShort { have: chars(value), need: size(*limit) },
        Kind::MaxLength { limit } => too_long(value, *limit),
        Kind::Enum { .. } => FieldErrorKind::NotAChoice,
        Kind::Minimum { limit } => FieldErrorKind::Below { least: entered(limit, rules.decimals) },
        Kind::Maximum { limit } => FieldErrorKind::Above { most: entered(limit, rules.decimals) },
        Kind::Pattern { .. } => match widget {
            Widget::Region => FieldErrorKind::Region,
            Widget::Date | Widget::Month => FieldErrorKind::Date,
            _ => FieldErrorKind::Pattern,
        },
        Kind::Custom { keyword, .. } => keyword_kind(keyword, value),
        _ => FieldErrorKind::Shape,
    }
}

fn keyword_kind(keyword: &str, value: &Value) -> FieldErrorKind {
    match keyword {
        "x-idcard" => FieldErrorKind::IdNumber,
        "x-bank-card" => FieldErrorKind::BankCard,
        "x-uscc" => FieldErrorKind::Uscc,
        "x-vin" => FieldErrorKind::Vin,
        "x-phone" => {
            let text = value.as_str().unwrap_or_default();
            let mobile = text.starts_with('1') && text.bytes().all(|b| b.is_ascii_digit());
            if mobile && text.len() != 11 {
                FieldErrorKind::PhoneLength { have: text.len() }
            } else {
                FieldErrorKind::Phone
            }
        }
        _ => FieldErrorKind::Pattern,
    }
}

/// A stored number as it was entered: 150 with two decimals is `1.5`.
fn entered(limit: &Value, decimals: u8) -> String {
    let Some(number) = limit.as_i64() else { return limit.to_string() };
    let scale = 10_i64.pow(u32::from(decimals.min(6)));
    let fraction = (number % scale).abs();
    if fraction == 0 {
        return (number / scale).to_string();
    }
    let digits = format!("{fraction:0width$}", width = usize::from(decimals));
    format!("{}.{}", number / scale, digits.trim_end_matches('0'))
}

fn too_long(value: &Value, limit: u64) -> FieldErrorKind {
    FieldErrorKind::TooLong { have: chars(value), most: size(limit) }
}

fn chars(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

fn size(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
