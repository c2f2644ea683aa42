//! The largest form that compiles: as many fields and rows as may be, long labels, many choices, a rule at each field.
use anyhow::{Context as _, Result};
use domain::form::{Answers, FormSpec, MAX_CELLS, MAX_FIELDS, MAX_LABEL_CHARS};
use serde_json::{Map, Value, json};

/// Fields outside of rows.
const PLAIN: usize = 120;
/// Fields of a row.
const IN_ROW: usize = MAX_FIELDS - PLAIN;
/// Rows, so that all fields together are as many as may be.
const ROWS: usize = (MAX_CELLS - PLAIN) / IN_ROW;
/// Choices of each field.
const CHOICES: usize = 200;

/// The form, and answers with which every field is shown and answered.
///
/// # Errors
/// If the form's JSON is no form, which its limits rule out.
pub fn largest_form() -> Result<(FormSpec, Answers)> {
    let plain: Vec<Value> = (0..PLAIN).map(|at| field("f", at)).collect();
    let in_row: Vec<Value> = (0..IN_ROW).map(|at| field("r", at)).collect();
    let repeat = json!({"key": "rows", "label": label("rows"), "row": label("{n}"), "min": 0, "max": ROWS});
    let row = json!({
        "type": "object", "additionalProperties": false, "properties": properties("r", IN_ROW),
    });
    let mut top = properties("f", PLAIN);
    top.insert("rows".to_owned(), json!({"type": "array", "maxItems": ROWS, "items": row}));
    let mut spec: FormSpec = serde_json::from_value(json!({
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object", "additionalProperties": false, "properties": top,
        },
        "pages": [
            {"title": label("page"), "groups": [{"fields": plain}, {"repeat": repeat, "fields": in_row}]},
        ],
    }))
    .context("the largest form")?;
    spec.align_schema();
    let answer = |prefix: &str, count: usize| -> Map<String, Value> {
        (0..count).map(|at| (format!("{prefix}{at}"), json!("choice 7"))).collect()
    };
    let mut answers = answer("f", PLAIN);
    let rows = vec![Value::Object(answer("r", IN_ROW)); ROWS];
    answers.insert("rows".to_owned(), Value::Array(rows));
    Ok((spec, Answers::from_map(answers)))
}

/// A choice that is shown if the one before it is answered in one of many ways.
fn field(prefix: &str, at: usize) -> Value {
    let choices: Vec<Value> =
        choices().into_iter().map(|value| json!({"label": label(&value), "value": value})).collect();
    let mut field = json!({
        "key": format!("{prefix}{at}"), "widget": "enum", "label": label(prefix), "question": label("question"),
        "hint": label("hint"), "choices": choices,
    });
    if let Some(before) = at.checked_sub(1) {
        let before = format!("{prefix}{before}");
        let way = |n: usize| json!({"eq": [{"field": before}, {"value": format!("choice {n}")}]});
        field["show_if"] = json!({"or": (0..8).map(way).collect::<Vec<_>>()});
    }
    field
}

fn properties(prefix: &str, count: usize) -> Map<String, Value> {
    (0..count).map(|at| (format!("{prefix}{at}"), json!({"type": "string", "enum": choices()}))).collect()
}

fn choices() -> Vec<String> {
    (0..CHOICES).map(|at| format!("choice {at}")).collect()
}

/// A text as long as may be.
fn label(text: &str) -> Value {
    let long: String = text.chars().chain(std::iter::repeat('x')).take(MAX_LABEL_CHARS).collect();
    json!({"zh": long, "en": long})
}
