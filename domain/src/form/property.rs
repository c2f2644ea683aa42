//! One property of the schema beside the field that asks for it: known keywords, fitting types, and what our own
//! rules need to know of it.
//!
//! Strict on purpose: a keyword that is not known here is a mistake of whoever wrote the catalogue, not a wish.
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::FormError;
use super::files::{self, FileLimits};
use super::names::Before;
use super::rules::{DateBound, DateRules};
use super::spec::{Choice, UiField, Widget};

/// The most choices of one field.
const MAX_CHOICES: usize = 200;

/// What is known of a field besides its UI schema.
#[derive(Debug, Clone, Default)]
pub(super) struct FieldRules {
    /// Longest text in characters.
    pub max_chars: Option<usize>,
    /// A number is stored as what was entered times ten to this power (2: yuan to fen).
    pub decimals: u8,
    /// An ID number.
    pub id_card: bool,
    /// Limits of a date.
    pub dates: DateRules,
    /// The greatest year, counted from this year.
    pub year_max: Option<i64>,
    /// Key of a field whose answer must be another one.
    pub differs_from: Option<String>,
    /// What a photo or attachment takes.
    pub files: Option<Arc<FileLimits>>,
    /// Choices of an enum, shared with every plan.
    pub choices: Arc<[Choice]>,
}

/// Checks a property against its field, and reads its rules.
pub(super) fn read(
    field: &UiField,
    before: &Before<'_>,
    property: &Map<String, Value>,
) -> Result<FieldRules, FormError> {
    let wrong = |reason: String| Err(FormError::new(&field.key, reason));
    if let Some(keyword) = property.keys().find(|k| !known_keywords(field.widget).contains(&k.as_str())) {
        return wrong(format!("unknown keyword `{keyword}` for a field of this kind"));
    }
    let shapes = shapes(field.widget);
    if !property.get("type").and_then(Value::as_str).is_some_and(|shape| shapes.contains(&shape)) {
        return wrong(format!("the type must be `{}`", shapes.join("` or `")));
    }
    check_choices(field, property)?;
    read_rules(field, before, property)
}

fn check_choices(field: &UiField, property: &Map<String, Value>) -> Result<(), FormError> {
    let wrong = |reason: &str| Err(FormError::new(&field.key, reason));
    let values: Vec<&str> = field.choices.iter().map(|c| c.value.as_str()).collect();
    let listed = property.get("enum").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let listed: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
    if values != listed || (field.widget == Widget::Enum) == values.is_empty() || values.len() > MAX_CHOICES {
        return wrong("the choices must be the values of `enum`, in the same order");
    }
    if values.iter().collect::<BTreeSet<_>>().len() != values.len() {
        return wrong("a choice stands twice");
    }
    Ok(())
}

fn shapes(widget: Widget) -> &'static [&'static str] {
    match widget {
        Widget::Number => &["integer"],
        Widget::Address | Widget::Signature => &["object"],
        Widget::Attachment => &["array"],
        Widget::Photo => &["string", "object"],
        _ => &["string"],
    }
}

fn known_keywords(widget: Widget) -> &'static [&'static str] {
    match widget {
        Widget::Text => {
            &["type", "minLength", "maxLength", "pattern", "x-idcard", "x-uscc", "x-vin", "x-plate"]
        }
        Widget::Enum => &["type", "enum"],
        Widget::Date | Widget::Month => &["type", "pattern", "x-date"],
        Widget::Number => &["type", "minimum", "maximum", "x-decimals", "x-year-max"],
        Widget::Phone => &["type", "x-phone"],
        Widget::BankCard => &["type", "x-bank-card"],
        Widget::Region => &["type", "pattern", "x-differs-from"],
        Widget::Address => &["type", "properties", "required", "additionalProperties"],
        Widget::Signature => &["type", "properties", "required", "additionalProperties", "x-signature"],
        Widget::Photo => &["type", "pattern", "properties", "required", "additionalProperties"],
        Widget::Attachment => &["type", "items", "minItems", "maxItems"],
    }
}

fn read_rules(
    field: &UiField,
    before: &Before<'_>,
    property: &Map<String, Value>,
) -> Result<FieldRules, FormError> {
    let number = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_u64);
    let text_of = match field.widget {
        Widget::Address => {
            property.get("properties").and_then(|p| p.get("detail")).and_then(Value::as_object)
        }
        _ => Some(property),
    };
    let max_chars = text_of.and_then(|map| number(map, "maxLength")).and_then(|n| usize::try_from(n).ok());
    if matches!(field.widget, Widget::Text | Widget::Address) && max_chars.is_none_or(|most| most > 1_000) {
        return Err(FormError::new(&field.key, "a text needs `maxLength`, at most 1000"));
    }
    let whole = |key: &str, most: u64| match property.get(key) {
        None => Ok(None),
        Some(value) => value
            .as_u64()
            .filter(|n| *n <= most)
            .map(Some)
            .ok_or_else(|| FormError::new(&field.key, format!("`{key}` must be a number up to {most}"))),
    };
    let differs_from = match property.get("x-differs-from") {
        None => None,
        Some(value) => Some(known_field(value, &field.key, before)?),
    };
    let files = match field.widget {
        Widget::Photo => Some(Arc::new(files::photo(&field.key, property)?)),
        Widget::Attachment => Some(Arc::new(files::attachment(&field.key, property)?)),
        _ => None,
    };
    Ok(FieldRules {
        max_chars,
        decimals: whole("x-decimals", 6)?.and_then(|n| u8::try_from(n).ok()).unwrap_or(0),
        id_card: property.contains_key("x-idcard"),
        dates: read_dates(field, before, property.get("x-date"))?,
        year_max: whole("x-year-max", 10)?.and_then(|n| i64::try_from(n).ok()),
        differs_from,
        files,
        choices: field.choices.iter().cloned().collect(),
    })
}

fn read_dates(field: &UiField, before: &Before<'_>, rules: Option<&Value>) -> Result<DateRules, FormError> {
    let Some(rules) = rules else { return Ok(DateRules::default()) };
    let wrong = |reason: String| FormError::new(&field.key, reason);
    let rules = rules.as_object().ok_or_else(|| wrong("`x-date` must be an object".to_owned()))?;
    let mut read = DateRules::default();
    for (name, value) in rules {
        let bound = || {
            let text = value.as_str().unwrap_or_default();
            DateBound::parse(text, field.widget == Widget::Month)
                .ok_or_else(|| wrong(format!("`x-date`: `{name}` is no limit: {text}")))
        };
        match name.as_str() {
            "min" => read.min = Some(bound()?),
            "max" => read.max = Some(bound()?),
            "notBefore" => read.not_before = Some(known_field(value, &field.key, before)?),
            "after" => read.after = Some(known_field(value, &field.key, before)?),
            _ => return Err(wrong(format!("`x-date` has no rule `{name}`"))),
        }
    }
    Ok(read)
}

fn known_field(value: &Value, key: &str, before: &Before<'_>) -> Result<String, FormError> {
    let other = value.as_str().unwrap_or_default();
    match before.field(other) {
        Some(_) => Ok(other.to_owned()),
        None => Err(FormError::new(key, format!("its rule names `{other}`, which is no field before it"))),
    }
}
