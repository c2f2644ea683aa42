//! What a rule sees: answers of visible fields before it, rows, the card, the day. Also how answers become values of
//! expressions and back.
use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Facts;
use super::rules::parse_date;
use super::spec::{UiField, Widget};
use super::state::FieldState;
use crate::date::CivilDate;
use crate::expr::{CardFact, Known, Type, Val};

/// What has been seen so far; names that are missing are not visible.
pub(super) struct Seen<'a> {
    facts: &'a Facts,
    top: BTreeMap<&'a str, Answer<'a>>,
    rows: BTreeMap<&'a str, usize>,
    /// Inside a row: its fields, which no name outside can see.
    row: Option<BTreeMap<&'a str, Answer<'a>>>,
}

/// A visible field and its answer.
struct Answer<'a> {
    widget: Widget,
    value: Option<Cow<'a, Value>>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        Self { facts, top: BTreeMap::new(), rows: BTreeMap::new(), row: None }
    }

    pub(super) fn facts(&self) -> &'a Facts {
        self.facts
    }

    pub(super) fn add(&mut self, field: &'a UiField, state: &FieldState<'a>) {
        if state.visible {
            let answer = Answer { widget: field.widget, value: state.value.clone() };
            self.row.as_mut().unwrap_or(&mut self.top).insert(&field.key, answer);
        }
    }

    pub(super) fn add_rows(&mut self, key: &'a str, count: usize) {
        self.rows.insert(key, count);
    }

    pub(super) fn enter_row(&mut self) {
        self.row = Some(BTreeMap::new());
    }

    pub(super) fn leave_row(&mut self) {
        self.row = None;
    }

    fn find(&self, key: &str) -> Option<&Answer<'a>> {
        self.row.as_ref().and_then(|row| row.get(key)).or_else(|| self.top.get(key))
    }
}

impl Known for Seen<'_> {
    fn value(&self, field: &str) -> Option<Val<'_>> {
        let Answer { widget, value } = self.find(field)?;
        let value = value.as_deref()?;
        match widget.value_type()? {
            Type::Int => whole(value).map(Val::Int),
            Type::Date => parse_date(value.as_str()?.trim(), *widget == Widget::Month).map(Val::Date),
            Type::Text => value.as_str().map(|text| Val::Text(Cow::Borrowed(text.trim()))),
            Type::Bool => None,
        }
    }

    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        match self.find(field)?.value.as_deref()? {
            Value::String(text) => Some(Cow::Borrowed(text.trim())),
            Value::Array(_) | Value::Object(_) | Value::Null => None,
            other => Some(Cow::Owned(normal(other).to_string())),
        }
    }

    fn answered(&self, name: &str) -> bool {
        self.find(name).is_some_and(|answer| answer.value.is_some()) || self.count(name) > 0
    }

    fn count(&self, name: &str) -> i64 {
        self.rows.get(name).and_then(|count| i64::try_from(*count).ok()).unwrap_or(0)
    }

    fn card(&self, fact: CardFact) -> Option<Val<'_>> {
        self.facts.card(fact)
    }

    fn today(&self) -> Option<CivilDate> {
        self.facts.today
    }
}

/// A value of an expression as the answer to a field of this kind.
pub(super) fn to_answer(value: &Val<'_>, widget: Widget) -> Option<Value> {
    match (value, widget) {
        (Val::Int(number), Widget::Number) => Some(Value::from(*number)),
        (Val::Date(date), Widget::Month) => date.to_string().get(..7).map(Value::from),
        (Val::Date(date), Widget::Date) => Some(Value::from(date.to_string())),
        (Val::Text(text), _) => Some(text.trim()).filter(|text| !text.is_empty()).map(Value::from),
        _ => None,
    }
}

/// An answer in the one form in which it is sent and judged: texts without spaces at their ends, whole numbers as
/// integers (`148.0` is 148).
pub(super) fn normal(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.trim().to_owned()),
        Value::Number(_) => whole(value).map_or_else(|| value.clone(), Value::from),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), normal(v))).collect::<Map<_, _>>().into(),
        other => other.clone(),
    }
}

/// A whole number, also one that was written as `148.0`.
fn whole(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    let float = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15);
    #[allow(clippy::cast_possible_truncation)] // whole and below 2^53
    number.as_i64().or_else(|| float().map(|float| float as i64))
}
