//! Makes small forms: fields by a few words, and a schema that fits them.
use serde_json::{Map, Value, json};

use super::super::*;

/// A text in one language.
pub fn text(zh: &str) -> Value {
    json!({"zh": zh, "en": ""})
}

/// A field; `more` are further members.
pub fn field(key: &str, widget: &str, more: &Value) -> Value {
    let mut field = json!({"key": key, "widget": widget, "label": text(key)});
    merge(&mut field, more);
    field
}

/// A choice between these.
pub fn choice(key: &str, values: &[&str], more: &Value) -> Value {
    let choices: Vec<Value> = values.iter().map(|v| json!({"value": v, "label": text(v)})).collect();
    let mut field = field(key, "enum", &json!({"choices": choices}));
    merge(&mut field, more);
    field
}

/// A page with one group.
pub fn page(fields: &[Value]) -> Value {
    json!({"title": text("page"), "groups": [{"fields": fields}]})
}

/// A repeat group.
pub fn rows(key: &str, (min, max): (usize, usize), fields: &[Value], more: &Value) -> Value {
    let repeat = json!({"key": key, "label": text(key), "row": text("{n}."), "min": min, "max": max});
    let mut group = json!({"repeat": repeat, "fields": fields});
    merge(&mut group, more);
    group
}

fn merge(into: &mut Value, more: &Value) {
    let more = more.as_object().cloned().unwrap_or_default();
    into.as_object_mut().into_iter().for_each(|map| map.extend(more.clone()));
}

/// The usual property of a field of this kind.
fn property(field: &UiField) -> Value {
    let values: Vec<&str> = field.choices.iter().map(|c| c.value.as_str()).collect();
    match field.widget {
        Widget::Text => json!({"type": "string", "maxLength": 30}),
        Widget::Enum => json!({"type": "string", "enum": values}),
        Widget::Date => json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
        Widget::Month => json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"}),
        Widget::Number => json!({"type": "integer", "minimum": -1_000_000, "maximum": 1_000_000}),
        Widget::Phone => json!({"type": "string", "x-phone": "mobile"}),
        Widget::BankCard => json!({"type": "string", "x-bank-card": true}),
        Widget::Region => json!({"type": "string", "pattern": "^[1-9][0-9]{5}$"}),
        Widget::Address => json!({
            "type": "object",
            "properties": {"region": {"type": "string"}, "detail": {"type": "string", "maxLength": 80}},
            "required": ["region", "detail"], "additionalProperties": false,
        }),
        Widget::Signature => json!({
            "type": "object",
            "properties": {"strokes": {"type": "array"}, "width": {"type": "integer"}, "height": {"type": "integer"}},
            "required": ["strokes", "width", "height"], "additionalProperties": false, "x-signature": true,
        }),
        Widget::Photo => file(&["image/jpeg"], 1 << 20),
        Widget::Attachment => {
            json!({"type": "array", "items": file(&["image/jpeg", "application/pdf"], 2 << 20), "maxItems": 3})
        }
    }
}

/// The schema of a file.
pub fn file(kinds: &[&str], max_bytes: u64) -> Value {
    json!({
        "type": "object",
        "properties": {
            "hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "bytes": {"type": "integer", "minimum": 1, "maximum": max_bytes},
            "kind": {"type": "string", "enum": kinds},
        },
        "required": ["hash", "bytes", "kind"],
        "additionalProperties": false,
    })
}

fn object(fields: &[UiField]) -> Map<String, Value> {
    fields.iter().map(|field| (field.key.clone(), property(field))).collect()
}

/// A form of these pages, with a schema that fits.
pub fn spec(pages: &[Value]) -> FormSpec {
    let mut spec: FormSpec = serde_json::from_value(json!({"schema": null, "pages": pages})).expect("a spec");
    let mut properties = Map::new();
    for group in spec.groups() {
        match &group.repeat {
            Some(repeat) => {
                let row = json!({
                    "type": "object", "properties": object(&group.fields), "additionalProperties": false,
                });
                let mut array = json!({"type": "array", "maxItems": repeat.max, "items": row});
                if repeat.min > 0 {
                    array["minItems"] = json!(repeat.min);
                }
                properties.insert(repeat.key.clone(), array);
            }
            None => properties.extend(object(&group.fields)),
        }
    }
    spec.schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    spec.align_schema();
    spec
}

/// The same, compiled.
pub fn form(pages: &[Value]) -> Form {
    Form::compile(&spec(pages)).unwrap_or_else(|error| unreachable!("{error}"))
}

/// Why a form of these pages is refused.
pub fn refusal(pages: &[Value]) -> String {
    Form::compile(&spec(pages)).map_or_else(|error| error.to_string(), |_| String::new())
}

/// Answers from a JSON object.
pub fn answers(json: &Value) -> Answers {
    Answers::from_map(json.as_object().cloned().unwrap_or_default())
}

/// Errors as `path: kind`.
pub fn told(errors: &[FieldError]) -> Vec<String> {
    errors.iter().map(|error| format!("{}: {}", error.key, error.kind.name())).collect()
}

/// Paths of the fields that are drawn.
pub fn drawn(plan: &RenderPlan) -> Vec<&str> {
    plan.pages.iter().flat_map(|page| &page.fields).map(|field| field.key.as_str()).collect()
}
