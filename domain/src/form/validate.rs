//! Validation of answers: JSON Schema first, then our own rules, told as typed errors in form order.
//!
//! The library's English texts never leave this file. Invisible fields are not looked at: an answer that was given
//! before its question went away again is no error; [`Form::effective`] leaves it out.
use std::collections::BTreeMap;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::{Map, Value};

use super::answers::wipe;
use super::compile::FieldRules;
use super::error::{FieldError, FieldErrorKind};
use super::keywords::SIGNATURE_LARGE;
use super::spec::{Rule, UiField, Widget};
use super::{Answers, Form, rules};
use crate::date::CivilDate;

/// The most characters of any text that is looked at.
const MAX_TEXT_CHARS: usize = 4_000;
/// The most JSON values within one answer.
const MAX_VALUES: usize = 20_000;
/// The most answers that the form does not have which are told one by one.
const MAX_UNKNOWN: usize = 20;

impl Form {
    /// All that is wrong with the answers as a whole, in the order of the form, one error a field.
    ///
    /// Answers to fields that are not visible now are ignored; answers that the form does not have come last.
    pub fn validate(&self, answers: &Answers, today: CivilDate) -> Vec<FieldError> {
        let effective = self.effective(answers);
        let mut found: BTreeMap<String, FieldErrorKind> = BTreeMap::new();
        for (field, rules) in self.fields() {
            if let Some(kind) = effective.get(&field.key).and_then(|value| oversized(value, rules)) {
                found.insert(field.key.clone(), kind);
            }
        }
        if found.is_empty() {
            self.check_schema(&effective, &mut found);
        }
        let visible = self.visible(answers);
        for ((field, rules), visible) in self.fields().zip(&visible) {
            if !visible || found.contains_key(&field.key) {
                continue;
            }
            if let Some(kind) = rules::check(field, rules, &effective, today) {
                found.insert(field.key.clone(), kind);
            }
        }
        let mut errors: Vec<FieldError> = self
            .fields()
            .filter_map(|(field, _)| {
                found.remove(&field.key).map(|kind| FieldError { key: field.key.clone(), kind })
            })
            .collect();
        errors.extend(self.unknown_answers(answers));
        errors
    }

    /// What is to be sent: answers of visible fields only, texts without spaces at their ends, whole numbers as
    /// integers (`148.0` is 148), empty answers left out. The same normal form is what [`Form::validate`] judges.
    pub fn effective(&self, answers: &Answers) -> Answers {
        let mut map = Map::new();
        for ((field, _), visible) in self.fields().zip(self.visible(answers)) {
            if let Some(value) = answers.get(&field.key).filter(|value| visible && !is_empty(value)) {
                map.insert(field.key.clone(), normal(value));
            }
        }
        Answers::from_map(map)
    }

    /// Which fields are visible now, in form order. A rule on an invisible field does not hold.
    pub(super) fn visible(&self, answers: &Answers) -> Vec<bool> {
        let mut shown: BTreeMap<&str, bool> = BTreeMap::new();
        let mut visible = Vec::new();
        for (field, _) in self.fields() {
            let holds = |rule: &Rule| {
                shown.get(rule.field.as_str()).copied().unwrap_or(false) && rule_holds(rule, answers)
            };
            let now = field.show_if.iter().chain(&field.required_if).all(holds);
            shown.insert(&field.key, now);
            visible.push(now);
        }
        visible
    }

    fn check_schema(&self, effective: &Answers, found: &mut BTreeMap<String, FieldErrorKind>) {
        let mut instance = Value::Object(effective.as_map().clone());
        let fields: BTreeMap<&str, (&UiField, &FieldRules)> =
            self.fields().map(|f| (f.0.key.as_str(), f)).collect();
        for error in self.validator.iter_errors(&instance) {
            let Some((key, kind)) = translate(&error, &fields) else { continue };
            let worse = found.get(&key).is_none_or(|old| kind.rank() < old.rank());
            if worse {
                found.insert(key, kind);
            }
        }
        wipe(&mut instance);
    }

    fn unknown_answers(&self, answers: &Answers) -> Vec<FieldError> {
        let known = |key: &str| self.fields().any(|(field, _)| field.key == key);
        let unknown = answers.as_map().keys().filter(|key| !known(key)).take(MAX_UNKNOWN);
        unknown
            .map(|key| FieldError { key: key.chars().take(40).collect(), kind: FieldErrorKind::UnknownField })
            .collect()
    }
}

/// Whether the other answer is one of those the rule names.
fn rule_holds(rule: &Rule, answers: &Answers) -> bool {
    match answers.get(&rule.field) {
        Some(Value::String(text)) => rule.one_of.iter().any(|v| v == text.trim()),
        Some(Value::Null) | None => false,
        Some(other) => rule.one_of.contains(&other.to_string()),
    }
}

/// Nothing was answered.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => match map.get("strokes") {
            Some(strokes) => is_empty(strokes),
            None => map.values().all(is_empty),
        },
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn normal(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.trim().to_owned()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if !number.is_i64() && float.fract() == 0.0 && float.abs() < 9e15 => {
                #[allow(clippy::cast_possible_truncation)] // whole and below 2^53
                Value::from(float as i64)
            }
            _ => value.clone(),
        },
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), normal(v))).collect::<Map<_, _>>().into(),
        other => other.clone(),
    }
}

/// A bound on the work, before any other rule looks at the answer.
fn oversized(value: &Value, rules: &FieldRules) -> Option<FieldErrorKind> {
    fn count(value: &Value, left: &mut usize) -> bool {
        *left = left.saturating_sub(1);
        match value {
            Value::Array(list) => list.iter().all(|v| *left > 0 && count(v, left)),
            Value::Object(map) => map.values().all(|v| *left > 0 && count(v, left)),
            Value::String(text) => text.len() <= 4 * MAX_TEXT_CHARS,
            _ => *left > 0,
        }
    }
    if let Value::String(text) = value {
        let have = text.chars().count();
        let most = rules.max_chars.unwrap_or(MAX_TEXT_CHARS);
        return (have > MAX_TEXT_CHARS).then_some(FieldErrorKind::TooLong { have, most });
    }
    (!count(value, &mut { MAX_VALUES })).then_some(FieldErrorKind::Shape)
}

/// From the library's error to the field and our kind; `None` for answers that the form does not have.
fn translate(
    error: &ValidationError<'_>,
    fields: &BTreeMap<&str, (&UiField, &FieldRules)>,
) -> Option<(String, FieldErrorKind)> {
    let mut path = error.instance_path().as_str().split('/').skip(1);
    let Some(key) = path.next() else {
        return match error.kind() {
            Kind::Required { property } => {
                property.as_str().map(|key| (key.to_owned(), FieldErrorKind::Required))
            }
            _ => None,
        };
    };
    let (field, rules) = fields.get(key)?;
    let deep = path.next().is_some();
    let kind = match field.widget {
        Widget::Address => address_kind(error, deep),
        Widget::Signature => signature_kind(error.kind()),
        _ => simple_kind(error, field.widget, rules),
    };
    Some((key.to_owned(), kind))
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
