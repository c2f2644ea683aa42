//! Checks that the two schemas of a form fit each other, and reads from the JSON Schema what our own rules need.
//!
//! Strict on purpose: a keyword that is not known here is a mistake of whoever wrote the catalogue, not a wish.
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::error::FormError;
use super::rules::{DateBound, DateRules};
use super::spec::{FormSpec, Rule, UiField, Widget};

/// The most fields of one form.
pub const MAX_FIELDS: usize = 40;
/// The most choices of one field.
const MAX_CHOICES: usize = 200;
/// The draft that every form names.
const SCHEMA_ID: &str = "https://json-schema.org/draft/2020-12/schema";

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
}

/// Checks the whole; gives the rules of the fields in form order.
pub(super) fn compile(spec: &FormSpec) -> Result<Vec<FieldRules>, FormError> {
    let fields: Vec<&UiField> = fields(spec).collect();
    if fields.len() > MAX_FIELDS {
        return Err(FormError::new("-", format!("{} fields; at most {MAX_FIELDS}", fields.len())));
    }
    for page in &spec.pages {
        if page.title.zh.trim().is_empty() || page.groups.iter().all(|g| g.fields.is_empty()) {
            return Err(FormError::new("-", "a page needs a title and a field"));
        }
    }
    let root = spec.schema.as_object().ok_or_else(|| FormError::new("-", "the schema is not an object"))?;
    check_root(root, &fields)?;
    let empty = Map::new();
    let properties = root.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let mut seen = BTreeSet::new();
    let mut rules = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        if !seen.insert(field.key.as_str()) {
            return Err(FormError::new(&field.key, "the key stands twice in the pages"));
        }
        let property = properties
            .get(&field.key)
            .and_then(Value::as_object)
            .ok_or_else(|| FormError::new(&field.key, "the schema has no such property"))?;
        check_field(field, &fields[..at], property)?;
        rules.push(read_rules(field, &fields[..at], property)?);
    }
    if let Some(lost) = properties.keys().find(|key| !seen.contains(key.as_str())) {
        return Err(FormError::new(lost, "the property stands on no page"));
    }
    Ok(rules)
}

/// All fields in form order.
pub(super) fn fields(spec: &FormSpec) -> impl Iterator<Item = &UiField> {
    spec.pages.iter().flat_map(|page| &page.groups).flat_map(|group| &group.fields)
}

fn check_root(root: &Map<String, Value>, fields: &[&UiField]) -> Result<(), FormError> {
    let wrong = |reason: &str| Err(FormError::new("-", reason));
    const KNOWN: [&str; 6] = ["$schema", "type", "properties", "required", "additionalProperties", "allOf"];
    if let Some(key) = root.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return wrong(&format!("unknown keyword `{key}` in the schema"));
    }
    if root.get("$schema").and_then(Value::as_str) != Some(SCHEMA_ID) {
        return wrong(&format!("`$schema` must be {SCHEMA_ID}"));
    }
    if root.get("type").and_then(Value::as_str) != Some("object")
        || root.get("additionalProperties") != Some(&Value::Bool(false))
        || !root.get("properties").is_some_and(Value::is_object)
    {
        return wrong("the schema must be of type object, with properties and additionalProperties false");
    }
    let required: BTreeSet<&str> = root
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let wanted: BTreeSet<&str> =
        fields.iter().filter(|f| f.required && f.show_if.is_none()).map(|f| f.key.as_str()).collect();
    if let Some(key) = required.symmetric_difference(&wanted).next() {
        return Err(FormError::new(*key, "`required` of the schema and of the pages differ"));
    }
    let conditions = root.get("allOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let wanted: Vec<(&str, Value)> =
        fields.iter().filter_map(|f| condition(f).map(|c| (f.key.as_str(), c))).collect();
    for (key, condition) in &wanted {
        if !conditions.contains(condition) {
            return Err(FormError::new(*key, format!("`allOf` of the schema lacks {condition}")));
        }
    }
    if conditions.len() != wanted.len() {
        return wrong("`allOf` of the schema has conditions that no field has");
    }
    Ok(())
}

/// The JSON Schema form of `required_if` (or of `show_if` with `required`).
fn condition(field: &UiField) -> Option<Value> {
    let rule = field.required_if.as_ref().or(field.show_if.as_ref().filter(|_| field.required))?;
    let (other, key) = (&rule.field, &field.key);
    let when = json!({"properties": {other: {"enum": rule.one_of}}, "required": [other]});
    Some(json!({"if": when, "then": {"required": [key]}}))
}

fn check_field(field: &UiField, before: &[&UiField], property: &Map<String, Value>) -> Result<(), FormError> {
    let wrong = |reason: String| Err(FormError::new(&field.key, reason));
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if field.key.is_empty() || field.key.len() > 40 || !field.key.chars().all(good) {
        return wrong("a key has 1 to 40 characters of a-z, 0-9 and _".to_owned());
    }
    if field.label.zh.trim().is_empty() {
        return wrong("the label is empty".to_owned());
    }
    if field.required && field.required_if.is_some() {
        return wrong("both `required` and `required_if`".to_owned());
    }
    for rule in field.required_if.iter().chain(&field.show_if) {
        check_rule(rule, before).map_err(|reason| FormError::new(&field.key, reason))?;
    }
    if let Some(keyword) = property.keys().find(|k| !known_keywords(field.widget).contains(&k.as_str())) {
        return wrong(format!("unknown keyword `{keyword}` for a field of this kind"));
    }
    let shape = shape(field.widget);
    if property.get("type").and_then(Value::as_str) != Some(shape) {
        return wrong(format!("the type must be `{shape}`"));
    }
    let values: Vec<&str> = field.choices.iter().map(|c| c.value.as_str()).collect();
    let listed: Vec<&str> = property
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if values != listed || (field.widget == Widget::Enum) == values.is_empty() || values.len() > MAX_CHOICES {
        return wrong("the choices must be the values of `enum`, in the same order".to_owned());
    }
    if values.iter().collect::<BTreeSet<_>>().len() != values.len() {
        return wrong("a choice stands twice".to_owned());
    }
    if field.choices.iter().any(|c| c.label.zh.trim().is_empty()) {
        return wrong("a choice has no label".to_owned());
    }
    Ok(())
}

fn check_rule(rule: &Rule, before: &[&UiField]) -> Result<(), String> {
    let other = before
        .iter()
        .find(|f| f.key == rule.field)
        .ok_or_else(|| format!("its rule names `{}`, which is no field before it", rule.field))?;
    if rule.one_of.is_empty() {
        return Err("its rule names no value".to_owned());
    }
    match rule.one_of.iter().find(|value| !other.choices.iter().any(|c| c.value == **value)) {
        Some(value) if other.widget == Widget::Enum => {
            Err(format!("`{}` has no choice `{value}`", rule.field))
        }
        _ => Ok(()),
    }
}

fn shape(widget: Widget) -> &'static str {
    match widget {
        Widget::Number => "integer",
        Widget::Address | Widget::Signature => "object",
        Widget::Attachment => "array",
        _ => "string",
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
        Widget::Photo => &["type", "pattern"],
        Widget::Attachment => &["type", "items", "minItems", "maxItems"],
    }
}

fn read_rules(
    field: &UiField,
    before: &[&UiField],
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
    Ok(FieldRules {
        max_chars,
        decimals: whole("x-decimals", 6)?.and_then(|n| u8::try_from(n).ok()).unwrap_or(0),
        id_card: property.contains_key("x-idcard"),
        dates: read_dates(field, before, property.get("x-date"))?,
        year_max: whole("x-year-max", 10)?.and_then(|n| i64::try_from(n).ok()),
        differs_from,
    })
}

fn read_dates(field: &UiField, before: &[&UiField], rules: Option<&Value>) -> Result<DateRules, FormError> {
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

fn known_field(value: &Value, key: &str, before: &[&UiField]) -> Result<String, FormError> {
    let other = value.as_str().unwrap_or_default();
    match before.iter().find(|f| f.key == other) {
        Some(_) => Ok(other.to_owned()),
        None => Err(FormError::new(key, format!("its rule names `{other}`, which is no field before it"))),
    }
}
