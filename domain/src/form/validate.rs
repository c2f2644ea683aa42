//! Validation of answers: JSON Schema first, then our own rules, told as typed errors in form order.
//!
//! Invisible fields are not looked at: an answer that was given before its question went away again is no error;
//! [`Form::effective`] leaves it out. What is required is decided by the pass over the form, not by the schema, which
//! cannot say every rule.
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answers::{in_row, wipe};
use super::error::{FieldError, FieldErrorKind};
use super::property::FieldRules;
use super::rules::{self, Texts};
use super::seen::normal;
use super::spec::{UiField, UiGroup};
use super::state::{Cell, FieldState, Filling, GroupState, Spot, State};
use super::{Answers, Facts, Form, Named};
use crate::date::CivilDate;

/// The most characters of any text that is looked at.
const MAX_TEXT_CHARS: usize = 4_000;
/// The most JSON values within one answer.
const MAX_VALUES: usize = 20_000;
/// The most answers that the form does not have which are told one by one.
const MAX_UNKNOWN: usize = 20;

type Found = BTreeMap<Spot, FieldErrorKind>;

impl Form {
    /// All that is wrong with the answers as a whole, where nothing is known but the day. A form whose rules ask for
    /// the card needs [`Form::validate_with`].
    pub fn validate(&self, answers: &Answers, today: CivilDate) -> Vec<FieldError> {
        self.validate_with(answers, &Facts::on(today))
    }

    /// All that is wrong with the answers as a whole, in the order of the form, one error a field.
    ///
    /// Answers to fields that are not visible now are ignored; answers that the form does not have come last. Without
    /// `facts.today` the rules about days are not judged.
    pub fn validate_with(&self, answers: &Answers, facts: &Facts) -> Vec<FieldError> {
        let state = self.state(answers, facts, Filling::Off);
        let mut found = Found::new();
        for cell in self.cells(&state) {
            let rules = self.compiled.rules.get(cell.index);
            if let Some(kind) = cell.state.value.as_deref().zip(rules).and_then(|(v, r)| oversized(v, r)) {
                found.insert(cell.spot, kind);
            }
        }
        let effective = self.effective_of(&state);
        if found.is_empty() {
            self.check_schema(&effective, &mut found);
        }
        self.check_fields(&state, &effective, facts, &mut found);
        self.check_counts(&state, &mut found);
        let path = |spot| self.path(spot).unwrap_or_default();
        let mut errors: Vec<FieldError> =
            found.into_iter().map(|(spot, kind)| FieldError { key: path(spot), kind }).collect();
        errors.extend(self.unknown_answers(answers));
        errors
    }

    /// What is to be sent: answers of visible fields only, computed values, texts without spaces at their ends, whole
    /// numbers as integers (`148.0` is 148), empty answers left out. The same normal form is what
    /// [`Form::validate_with`] judges.
    pub fn effective(&self, answers: &Answers, facts: &Facts) -> Answers {
        self.effective_of(&self.state(answers, facts, Filling::Off))
    }

    fn effective_of(&self, state: &State<'_>) -> Answers {
        let mut map = Map::new();
        for (group, state) in self.spec().groups().zip(state.groups()) {
            match &group.repeat {
                Some(repeat) => {
                    let rows = rows_of(group, state).filter(|_| state.visible);
                    rows.into_iter().for_each(|rows| drop(map.insert(repeat.key.clone(), rows)));
                }
                None => state.rows.iter().for_each(|row| write_row(group, row, &mut map)),
            }
        }
        Answers::from_map(map)
    }

    fn check_schema(&self, effective: &Answers, found: &mut Found) {
        let mut instance = Value::Object(effective.as_map().clone());
        let fields: Vec<(&UiField, &FieldRules)> = self.fields().collect();
        for error in self.compiled.validator.iter_errors(&instance) {
            let Some((spot, kind)) = self.translate(&error, &fields) else { continue };
            let worse = found.get(&spot).is_none_or(|old| kind.rank() < old.rank());
            if worse {
                found.insert(spot, kind);
            }
        }
        wipe(&mut instance);
    }

    /// What the schema cannot say of a field.
    fn check_fields(&self, state: &State<'_>, effective: &Answers, facts: &Facts, found: &mut Found) {
        let top = effective.as_map();
        for cell in self.cells(state) {
            let Cell { field, state, index, .. } = cell;
            if !state.visible || found.contains_key(&cell.spot) || is_told_above(cell.spot, found) {
                continue;
            }
            let row = cell.row.and_then(|(rows, row)| top.get(rows)?.get(row)?.as_object());
            let texts = Texts { row, top };
            let kind = match &state.value {
                _ if state.forged => Some(FieldErrorKind::Computed),
                None => state.required.then_some(FieldErrorKind::Required),
                Some(value) if !self.allows(index, value) => Some(FieldErrorKind::NotAChoice),
                Some(_) => self.compiled.rules.get(index).and_then(|r| rules::check(field, r, &texts, facts)),
            };
            kind.into_iter().for_each(|kind| drop(found.insert(cell.spot, kind)));
        }
    }

    /// A repeat group that lacks rows; if the rows that it shows are all wrong already, that is enough.
    fn check_counts(&self, state: &State<'_>, found: &mut Found) {
        for (group, state) in self.spec().groups().zip(state.groups()) {
            if group.repeat.is_none() {
                continue;
            }
            let (have, need) = (state.sent.and_then(Value::as_array).map_or(0, Vec::len), state.min);
            let told = found.keys().any(|spot| spot.anchor == state.first);
            if have < need && !told {
                let rows = Spot { anchor: state.first, row: 0, field: None };
                found.insert(rows, FieldErrorKind::TooFewRows { have, need });
            }
        }
    }

    /// Answers that the form does not have, also in rows.
    fn unknown_answers(&self, answers: &Answers) -> Vec<FieldError> {
        let cut = |key: &str| key.chars().take(40).collect::<String>();
        let top = answers.as_map().keys().filter(|key| !self.is_top(key)).map(|key| cut(key));
        let rows = self.spec().groups().filter_map(|group| Some((group, &group.repeat.as_ref()?.key)));
        let in_rows = rows.flat_map(|(group, rows)| {
            answers.rows(rows).iter().enumerate().flat_map(move |(at, row)| {
                let keys = row.as_object().into_iter().flat_map(Map::keys);
                let unknown = keys.filter(|key| !group.fields.iter().any(|field| field.key == **key));
                unknown.map(move |key| in_row(rows, at, &cut(key)))
            })
        });
        let kind = || FieldErrorKind::UnknownField;
        top.chain(in_rows).take(MAX_UNKNOWN).map(|key| FieldError { key, kind: kind() }).collect()
    }

    /// Whether the form's own object has this key.
    fn is_top(&self, key: &str) -> bool {
        match self.compiled.index.get(key) {
            Some(Named::Rows(_)) => true,
            Some(Named::Field(at)) => self.compiled.owners.get(*at).is_some_and(Option::is_none),
            None => false,
        }
    }

    /// The path of a place, such as `children[2].name`.
    fn path(&self, spot: Spot) -> Option<String> {
        let key = |at: usize| self.spec().fields().nth(at).map(|field| field.key.as_str());
        let rows = self.compiled.owners.get(spot.anchor)?.as_deref();
        Some(match (rows, spot.row.checked_sub(1), spot.field) {
            (Some(rows), Some(row), Some(field)) => in_row(rows, row, key(field)?),
            (Some(rows), Some(row), None) => format!("{rows}[{row}]"),
            (Some(rows), None, _) => rows.to_owned(),
            (None, _, _) => key(spot.anchor)?.to_owned(),
        })
    }
}

/// Whether the row of a field, or its repeat group, is of no use as a whole.
fn is_told_above(spot: Spot, found: &Found) -> bool {
    let row = Spot { field: None, ..spot };
    spot.row > 0
        && [row, Spot { row: 0, ..row }].iter().any(|above| found.get(above) == Some(&FieldErrorKind::Shape))
}

/// The rows of a repeat group as they are sent; what is no list, or no row, is passed on for the schema to refuse.
fn rows_of(group: &UiGroup, state: &GroupState<'_>) -> Option<Value> {
    let sent = state.sent.filter(|sent| !is_empty(sent))?;
    let Some(list) = sent.as_array() else { return Some(normal(sent)) };
    let row = |(sent, fields): (&Value, &Vec<FieldState<'_>>)| {
        if !sent.is_object() {
            return Value::Null;
        }
        let mut map = Map::new();
        write_row(group, fields, &mut map);
        Value::Object(map)
    };
    Some(list.iter().zip(&state.rows).map(row).collect())
}

fn write_row(group: &UiGroup, fields: &[FieldState<'_>], map: &mut Map<String, Value>) {
    for (field, state) in group.fields.iter().zip(fields) {
        if let Some(value) = &state.value {
            map.insert(field.key.clone(), normal(value));
        }
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
