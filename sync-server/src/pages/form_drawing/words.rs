//! Answers and mistakes in words.
use std::collections::BTreeMap;

use domain::catalogue::{Region, regions};
use domain::form::{FieldErrorKind, PlanField, RenderPlan, Widget, number_written};
use domain::text::Language;
use serde_json::Value;

use super::Sheet;
use crate::words::Words;

/// An answer as the check lists it.
pub struct AnswerView {
    /// The field's label; in a row with the row's heading.
    pub label: String,
    /// The answer.
    pub value: String,
    /// The page on which it stands, from 0.
    pub page: usize,
}

/// What is wrong, in the words of the terminal.
pub fn of_error(w: Words, kind: &FieldErrorKind) -> String {
    let values = kind.values();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    w.fill(&format!("form.error.{}", kind.name()), &values)
}

/// A label and what is said of it.
pub fn joined(w: Words, label: &str, said: &str) -> String {
    w.fill("drawing.label_said", &[("label", label), ("said", said)])
}

/// All answers that are asked for, in the order of the form.
pub fn answers(sheet: &Sheet<'_>, plan: &RenderPlan) -> Vec<AnswerView> {
    let mut list = Vec::new();
    for (at, page) in plan.pages.iter().enumerate() {
        for row in page.groups.iter().flat_map(|group| &group.rows) {
            for field in page.fields.get(row.fields.clone()).unwrap_or_default() {
                let label = field.label.get(sheet.language);
                let label = match &row.title {
                    Some(title) => format!("{} · {label}", title.get(sheet.language)),
                    None => label.to_owned(),
                };
                list.push(AnswerView {
                    label,
                    value: of_answer(sheet.language, sheet.regions, field),
                    page: at,
                });
            }
        }
    }
    list
}

/// An answer in words.
pub fn of_answer(language: Language, regions: &BTreeMap<String, Region>, field: &PlanField) -> String {
    let w = Words(language);
    let Some(value) = &field.value else { return w.t("drawing.not_answered").to_owned() };
    let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    match field.widget {
        Widget::Enum => choice(language, field, value.as_str().unwrap_or_default()),
        Widget::Number => written(field, value),
        Widget::Region => regions::named(regions, value.as_str().unwrap_or_default()),
        Widget::Address => format!("{} {}", regions::named(regions, part("region")), part("detail")),
        Widget::Signature => w.t("drawing.signed").to_owned(),
        Widget::Photo => w.fill("drawing.files", &[("n", "1")]),
        Widget::Attachment => {
            let count = value.as_array().map_or(0, Vec::len);
            w.fill("drawing.files", &[("n", &count.to_string())])
        }
        _ => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    }
}

/// A number as it is written in its field; what is no number stays as it was typed.
pub fn written(field: &PlanField, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => match (other.as_i64(), field.choices.is_empty()) {
            (Some(number), true) => number_written(number, field.decimals),
            _ => other.to_string(),
        },
    }
}

fn choice(language: Language, field: &PlanField, value: &str) -> String {
    let chosen = field.choices.iter().find(|choice| choice.value == value);
    chosen.map_or_else(|| value.to_owned(), |choice| choice.label.get(language).to_owned())
}
