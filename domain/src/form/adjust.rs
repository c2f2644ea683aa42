//! What the answers to situation questions do to a form: fields more, fields less, fewer choices.
//!
//! Applied once, when the form is opened; plan and validation of the adjusted form then agree by themselves. Refuses
//! to know the questions.
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::error::FormError;
use super::spec::{Choice, Repeat, Widget};
use super::{Form, Named};
use crate::situation::Adjustments;
use crate::text::Text;

/// What was made of one field.
#[derive(Debug, Clone, Default)]
pub(super) struct Change {
    /// Asked for and required.
    pub added: bool,
    /// Not asked.
    pub dropped: bool,
    /// The choices that are left.
    pub narrowed: Option<Arc<[Choice]>>,
}

/// Changes by field, in form order, and by repeat group.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes {
    fields: Vec<Change>,
    rows: BTreeMap<String, Change>,
}

/// Nothing was made of it.
static NONE: Change = Change { added: false, dropped: false, narrowed: None };

impl Form {
    /// The same form, adjusted to a situation. Adjusting an adjusted form begins anew.
    ///
    /// # Errors
    /// [`FormError`] if a field does not exist, cannot be narrowed, or would have no answer left.
    pub fn adjusted(&self, adjustments: &Adjustments) -> Result<Self, FormError> {
        let count = self.compiled.rules.len();
        let mut changes = Changes { fields: vec![Change::default(); count], rows: BTreeMap::new() };
        for key in &adjustments.drops_fields {
            self.change(&mut changes, key)?.dropped = true;
        }
        for key in &adjustments.adds_fields {
            let change = self.change(&mut changes, key)?;
            (change.added, change.dropped) = (true, false);
        }
        for (key, left) in adjustments.presets.iter().chain(&adjustments.narrows_fields) {
            self.narrow(&mut changes, key, left)?;
        }
        Ok(Self { compiled: self.compiled.clone(), changes: Arc::new(changes) })
    }

    fn change<'c>(&self, changes: &'c mut Changes, key: &str) -> Result<&'c mut Change, FormError> {
        let unknown = || FormError::new(key, "the form has no such field");
        match self.compiled.index.get(key).ok_or_else(unknown)? {
            Named::Field(at) => changes.fields.get_mut(*at).ok_or_else(unknown),
            Named::Rows(_) => Ok(changes.rows.entry(key.to_owned()).or_default()),
        }
    }

    fn narrow(&self, changes: &mut Changes, key: &str, left: &[String]) -> Result<(), FormError> {
        let wrong = |reason: String| Err(FormError::new(key, reason));
        let Some(Named::Field(at)) = self.compiled.index.get(key).copied() else {
            return wrong("the form has no such field".to_owned());
        };
        let widget = self.fields().nth(at).map(|(field, _)| field.widget);
        let all = match widget {
            Some(Widget::Enum) => self.choices(at).clone(),
            Some(Widget::Number) => numbers(left),
            _ => return wrong("only a choice or a number can be narrowed".to_owned()),
        };
        if let Some(lost) = left.iter().find(|value| !all.iter().any(|choice| choice.value == **value)) {
            return wrong(format!("`{lost}` is no answer to it"));
        }
        let Some(change) = changes.fields.get_mut(at) else { return Ok(()) };
        let all = change.narrowed.take().unwrap_or(all);
        let kept: Arc<[Choice]> = all.iter().filter(|choice| left.contains(&choice.value)).cloned().collect();
        if kept.is_empty() {
            return wrong("no answer is left".to_owned());
        }
        change.narrowed = Some(kept);
        Ok(())
    }

    pub(super) fn change_of(&self, field: usize) -> &Change {
        self.changes.fields.get(field).unwrap_or(&NONE)
    }

    pub(super) fn change_of_rows(&self, key: &str) -> &Change {
        self.changes.rows.get(key).unwrap_or(&NONE)
    }

    /// The fewest rows of a repeat group that is shown; one that was added has a row.
    pub(super) fn fewest_rows(&self, repeat: &Repeat) -> usize {
        if self.change_of_rows(&repeat.key).added { repeat.min.max(1) } else { repeat.min }
    }

    /// Choices that are left of a field.
    pub(super) fn choices(&self, field: usize) -> &Arc<[Choice]> {
        static EMPTY: std::sync::LazyLock<Arc<[Choice]>> = std::sync::LazyLock::new(|| Arc::from([]));
        let all = self.compiled.rules.get(field).map_or(&*EMPTY, |rules| &rules.choices);
        self.change_of(field).narrowed.as_ref().unwrap_or(all)
    }

    /// Whether a field may have this answer as far as its choices go.
    pub(super) fn allows(&self, field: usize, answer: &Value) -> bool {
        let choices = self.choices(field);
        choices.is_empty() || choices.iter().any(|choice| is(choice, answer))
    }

    /// The answer that is left alone: to a field that must be answered or was narrowed.
    pub(super) fn only_answer(&self, field: usize, required: bool) -> Option<Value> {
        let [only] = self.choices(field).as_ref() else { return None };
        let rules = self.compiled.rules.get(field)?;
        let narrowed = self.change_of(field).narrowed.is_some();
        let value =
            || if rules.choices.is_empty() { number(&only.value) } else { Some(only.value.as_str().into()) };
        (required || narrowed).then(value).flatten()
    }
}

/// Whether an answer is this choice; numbers are compared by their digits.
pub(super) fn is(choice: &Choice, answer: &Value) -> bool {
    match answer {
        Value::String(text) => choice.value == text.trim(),
        Value::Number(_) => number(&choice.value).as_ref() == Some(&super::seen::normal(answer)),
        _ => false,
    }
}

fn number(text: &str) -> Option<Value> {
    text.parse::<i64>().ok().map(Value::from)
}

/// Choices of a number, each of which is its own label.
fn numbers(left: &[String]) -> Arc<[Choice]> {
    let good = left.iter().filter(|text| number(text).map(|n| n.to_string()).as_ref() == Some(text));
    good.map(|text| Choice { value: text.clone(), label: Text::new(text.as_str(), "") }).collect()
}
