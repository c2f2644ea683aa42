//! Checks that the two schemas of a form fit each other, that every rule is well typed, and names only what stands
//! before it.
//!
//! Strict on purpose: what is not known here is a mistake of whoever wrote the catalogue, not a wish.
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::answers::MAX_ROWS;
use super::demands::{self, Demands};
use super::error::FormError;
use super::names::Before;
use super::property::{self, FieldRules};
use super::spec::{FormSpec, Repeat, UiField, UiGroup, Widget};
use super::texts;
use crate::expr::{Expr, ExprError, Type};

/// The most fields of one form.
pub const MAX_FIELDS: usize = 200;
/// The most fields of one form with all the rows that its repeat groups may have.
pub const MAX_CELLS: usize = 1_000;
/// The draft that every form names.
const SCHEMA_ID: &str = "https://json-schema.org/draft/2020-12/schema";

/// Checks the whole; gives the rules of the fields in form order.
pub(super) fn compile(spec: &FormSpec) -> Result<Vec<FieldRules>, FormError> {
    check_size(spec)?;
    let root = spec.schema.as_object().ok_or_else(|| FormError::new("-", "the schema is not an object"))?;
    if root.get("$schema").and_then(Value::as_str) != Some(SCHEMA_ID) {
        return Err(FormError::new("-", format!("`$schema` must be {SCHEMA_ID}")));
    }
    check_keys(spec)?;
    check_object(root, &demands::of_form(spec), &top_keys(spec), "-")?;
    let mut rules = Vec::new();
    let mut before = Before::default();
    for page in &spec.pages {
        check_rule(page.show_if.as_ref(), &before, "-")?;
        for group in &page.groups {
            check_rule(group.show_if.as_ref(), &before, "-")?;
            compile_group(group, root, &mut before, &mut rules)?;
        }
    }
    texts::check(spec)?;
    Ok(rules)
}

fn check_size(spec: &FormSpec) -> Result<(), FormError> {
    let wrong = |reason: String| Err(FormError::new("-", reason));
    let count = spec.fields().count();
    if count > MAX_FIELDS {
        return wrong(format!("{count} fields; at most {MAX_FIELDS}"));
    }
    let rows = |group: &UiGroup| group.repeat.as_ref().map_or(1, |repeat| repeat.max.min(MAX_ROWS));
    let cells: usize = spec.groups().map(|group| group.fields.len() * rows(group)).sum();
    if cells > MAX_CELLS {
        return wrong(format!("{cells} fields with all rows; at most {MAX_CELLS}"));
    }
    for page in &spec.pages {
        if page.title.zh.trim().is_empty() || page.groups.iter().all(|g| g.fields.is_empty()) {
            return wrong("a page needs a title and a field".to_owned());
        }
    }
    Ok(())
}

/// Keys of the form's own object: fields, and repeat groups in place of theirs.
fn top_keys(spec: &FormSpec) -> BTreeSet<&str> {
    let mut keys = BTreeSet::new();
    for group in spec.groups() {
        match &group.repeat {
            Some(repeat) => drop(keys.insert(repeat.key.as_str())),
            None => keys.extend(group.fields.iter().map(|field| field.key.as_str())),
        }
    }
    keys
}

fn check_keys(spec: &FormSpec) -> Result<(), FormError> {
    let mut seen = BTreeSet::new();
    let repeats = spec.groups().filter_map(|group| group.repeat.as_ref()).map(|repeat| repeat.key.as_str());
    for key in spec.fields().map(|field| field.key.as_str()).chain(repeats) {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if key.is_empty() || key.len() > 40 || !key.chars().all(good) {
            let shown: String = key.chars().take(40).collect();
            return Err(FormError::new(shown, "a key has 1 to 40 characters of a-z, 0-9 and _"));
        }
        if !seen.insert(key) {
            return Err(FormError::new(key, "the key stands twice in the pages"));
        }
    }
    Ok(())
}

/// An object of the schema: the form itself (`-`), or a row of a repeat group.
fn check_object(
    map: &Map<String, Value>,
    demands: &Demands<'_>,
    keys: &BTreeSet<&str>,
    owner: &str,
) -> Result<(), FormError> {
    let wrong = |reason: &str| Err(FormError::new(owner, reason));
    const KNOWN: [&str; 6] = ["$schema", "type", "properties", "required", "additionalProperties", "allOf"];
    if let Some(key) = map.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return wrong(&format!("unknown keyword `{key}` in the schema"));
    }
    let closed = map.get("additionalProperties") == Some(&Value::Bool(false));
    let properties = map.get("properties").and_then(Value::as_object);
    let (Some("object"), true, Some(properties)) =
        (map.get("type").and_then(Value::as_str), closed, properties)
    else {
        return wrong("the schema must be of type object, with properties and additionalProperties false");
    };
    let required = map.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let required: BTreeSet<&str> = required.iter().filter_map(Value::as_str).collect();
    let wanted: BTreeSet<&str> = demands.required.iter().copied().collect();
    if let Some(key) = required.symmetric_difference(&wanted).next() {
        return Err(FormError::new(*key, "`required` of the schema and of the pages differ"));
    }
    let conditions = map.get("allOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (key, condition) in &demands.conditions {
        if !conditions.contains(condition) {
            return Err(FormError::new(*key, format!("`allOf` of the schema lacks {condition}")));
        }
    }
    if conditions.len() != demands.conditions.len() {
        return wrong("`allOf` of the schema has conditions that no field has");
    }
    if let Some(lost) = properties.keys().find(|key| !keys.contains(key.as_str())) {
        return Err(FormError::new(lost, "the property stands on no page"));
    }
    match keys.iter().find(|key| !properties.contains_key(**key)) {
        Some(key) => Err(FormError::new(*key, "the schema has no such property")),
        None => Ok(()),
    }
}

fn compile_group<'s>(
    group: &'s UiGroup,
    object: &Map<String, Value>,
    before: &mut Before<'s>,
    rules: &mut Vec<FieldRules>,
) -> Result<(), FormError> {
    let Some(repeat) = &group.repeat else {
        for field in &group.fields {
            rules.push(compile_field(field, before, object)?);
            before.add_field(field);
        }
        return Ok(());
    };
    let row = check_repeat(repeat, group, object)?;
    let mut inside = before.clone();
    for field in &group.fields {
        rules.push(compile_field(field, &inside, row)?);
        inside.add_field(field);
    }
    before.add_rows(&repeat.key);
    Ok(())
}

/// A repeat group beside its array; gives the schema of a row.
fn check_repeat<'v>(
    repeat: &Repeat,
    group: &UiGroup,
    object: &'v Map<String, Value>,
) -> Result<&'v Map<String, Value>, FormError> {
    let wrong = |reason: String| FormError::new(&repeat.key, reason);
    if !(1..=MAX_ROWS).contains(&repeat.max) || repeat.min > repeat.max || group.fields.is_empty() {
        return Err(wrong(format!(
            "a repeat group has a field, `max` 1 to {MAX_ROWS}, and `min` up to `max`"
        )));
    }
    let array = object.get("properties").and_then(|p| p.get(&repeat.key)).and_then(Value::as_object);
    let array = array.ok_or_else(|| wrong("the schema has no such property".to_owned()))?;
    const KNOWN: [&str; 4] = ["type", "items", "minItems", "maxItems"];
    if let Some(keyword) = array.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(wrong(format!("unknown keyword `{keyword}` for a repeat group")));
    }
    let count = |name: &str| array.get(name).map_or(Some(0), Value::as_u64);
    let fits = count("minItems") == u64::try_from(repeat.min).ok()
        && count("maxItems") == u64::try_from(repeat.max).ok();
    let row = array.get("items").and_then(Value::as_object);
    let (Some("array"), true, Some(row)) = (array.get("type").and_then(Value::as_str), fits, row) else {
        return Err(wrong(
            "the type must be `array`, with `items`, and `minItems`, `maxItems` as min and max".into(),
        ));
    };
    let keys = group.fields.iter().map(|field| field.key.as_str()).collect();
    check_object(row, &demands::of_row(group), &keys, &repeat.key)?;
    Ok(row)
}

fn compile_field(
    field: &UiField,
    before: &Before<'_>,
    object: &Map<String, Value>,
) -> Result<FieldRules, FormError> {
    let wrong = |reason: &str| Err(FormError::new(&field.key, reason));
    if field.required && field.required_if.is_some() {
        return wrong("both `required` and `required_if`");
    }
    for rule in [&field.show_if, &field.required_if] {
        check_rule(rule.as_ref(), before, &field.key)?;
    }
    if field.computed.is_some() {
        if field.required || field.required_if.is_some() || field.default.is_some() || field.prefill.is_some()
        {
            return wrong("a computed value is never asked for: no required, required_if, default, prefill");
        }
        if !matches!(
            field.widget,
            Widget::Text | Widget::Enum | Widget::Number | Widget::Date | Widget::Month
        ) {
            return wrong("a computed value is a text, choice, number, date or month");
        }
    }
    if field.default.is_some() && field.prefill.is_some() {
        return wrong("both `default` and `prefill`");
    }
    for value in [&field.computed, &field.default].into_iter().flatten() {
        check_value(value, field, before)?;
    }
    let property = object.get("properties").and_then(|p| p.get(&field.key)).and_then(Value::as_object);
    let property = property.ok_or_else(|| FormError::new(&field.key, "the schema has no such property"))?;
    property::read(field, before, property)
}

fn check_rule(rule: Option<&Expr>, before: &Before<'_>, key: &str) -> Result<(), FormError> {
    rule.map_or(Ok(()), |rule| rule.check_rule(before)).map_err(|error| wrong_rule(key, &error))
}

/// A computed value or default has the type of its field, and a fixed one is a choice of it.
fn check_value(value: &Expr, field: &UiField, before: &Before<'_>) -> Result<(), FormError> {
    let got = value.check(before).map_err(|error| wrong_rule(&field.key, &error))?;
    let wanted = field.widget.value_type();
    if wanted != Some(got) {
        let wanted = wanted.as_ref().map_or_else(|| "nothing".to_owned(), Type::to_string);
        return Err(FormError::new(&field.key, format!("its value is {got}, the field wants {wanted}")));
    }
    match value {
        Expr::Value(crate::expr::Literal::Text(text))
            if field.widget == Widget::Enum && !field.choices.iter().any(|choice| choice.value == *text) =>
        {
            Err(FormError::new(&field.key, format!("its value `{text}` is no choice of it")))
        }
        _ => Ok(()),
    }
}

fn wrong_rule(key: &str, error: &ExprError) -> FormError {
    FormError::new(key, error.to_string())
}
