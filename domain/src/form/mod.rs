//! 表单: a form is JSON Schema 2020-12 plus a small UI schema. This module validates answers and yields a render
//! plan; a screen or page only draws the plan. The terminal and the server run the same code.
//!
//! One pass over the form (`state`) decides what is visible, required, computed and filled in by itself; the plan,
//! validation and what is sent all read it. The format is described in `docs/forms.md`.
//!
//! Refuses to hold words of its own, and to reach for the clock: today comes in with the [`Facts`].
mod adjust;
mod answers;
mod compile;
mod demands;
mod entered;
mod error;
mod facts;
mod files;
mod fill;
mod keywords;
mod names;
mod only;
mod plan;
mod property;
mod rules;
mod seen;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod texts;
mod translate;
mod validate;
pub mod validators;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use crate::situation::Adjustments;
pub use answers::{Answers, MAX_ROWS};
pub use compile::{MAX_CELLS, MAX_FIELDS};
pub use entered::{number_entered, number_written};
pub use error::{FieldError, FieldErrorKind, FormError};
pub use facts::Facts;
pub use files::{FILE_KINDS, FileLimits, MAX_FILE_BYTES, MAX_FILES};
pub use keywords::{MAX_SIGNATURE_BYTES, MIN_SIGNATURE_POINTS};
pub use plan::{Layout, PlanField, PlanGroup, PlanPage, PlanRepeat, PlanRow, RenderPlan};
pub use spec::{Choice, FormSpec, Prefill, Repeat, UiField, UiGroup, UiPage, Widget};
pub use texts::MAX_LABEL_CHARS;

use adjust::Changes;
use property::FieldRules;

/// A form that was compiled once and validates many times. Cloning it costs nothing.
#[derive(Clone)]
pub struct Form {
    compiled: Arc<Compiled>,
    changes: Arc<Changes>,
}

struct Compiled {
    spec: FormSpec,
    /// In form order, one for each field.
    rules: Vec<FieldRules>,
    validator: jsonschema::Validator,
    index: BTreeMap<String, Named>,
    /// Keys of the repeat groups in which the fields stand, in form order.
    owners: Vec<Option<Arc<str>>>,
}

/// What a key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// The field of this index, in form order.
    Field(usize),
    /// The repeat group whose first field has this index.
    Rows(usize),
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Form({} fields)", self.compiled.rules.len())
    }
}

impl Form {
    /// Compiles a form.
    ///
    /// # Errors
    /// [`FormError`] if schema and UI schema do not fit each other, a rule is not well typed or names what does not
    /// stand before it, a text cannot be shown, or the form is too large.
    pub fn compile(spec: &FormSpec) -> Result<Self, FormError> {
        let rules = compile::compile(spec)?;
        let validator = keywords::validator(&spec.schema)?;
        let (index, owners) = (index(spec), owners(spec));
        let compiled = Compiled { spec: spec.clone(), rules, validator, index, owners };
        Ok(Self { compiled: Arc::new(compiled), changes: Arc::default() })
    }

    /// The specification it was compiled from.
    pub fn spec(&self) -> &FormSpec {
        &self.compiled.spec
    }

    /// Kinds of fields that must be answered and that this version cannot fill in (photo, attachment): the item
    /// then says so. Optional ones are just not asked.
    pub fn unsupported(&self) -> Vec<Widget> {
        let mut widgets: Vec<Widget> = self.unsupported_fields().map(|field| field.widget).collect();
        widgets.sort_unstable();
        widgets.dedup();
        widgets
    }

    /// The stored number of a written one, for the number field of this path. One that has choices takes them as they
    /// are stored. `None` if it is no number, or there is no such field.
    pub fn number(&self, path: &str, typed: &str) -> Option<i64> {
        let key = path.rsplit('.').next()?;
        let Named::Field(at) = *self.compiled.index.get(key)? else { return None };
        match self.choices(at).is_empty() {
            true => number_entered(typed, self.compiled.rules.get(at)?.decimals),
            false => typed.trim().parse().ok(),
        }
    }

    /// The fields of [`Form::unsupported`], in form order.
    pub fn unsupported_fields(&self) -> impl Iterator<Item = &UiField> {
        let needed = |(at, (field, _)): &(usize, (&UiField, _))| {
            let change = self.change_of(*at);
            change.added || (!change.dropped && (field.required || field.required_if.is_some()))
        };
        let fields = self.fields().enumerate().filter(needed).map(|(_, (field, _))| field);
        fields.filter(|field| !field.widget.supported())
    }

    /// Fields in form order with what is known of them.
    fn fields(&self) -> impl Iterator<Item = (&UiField, &FieldRules)> {
        self.spec().fields().zip(&self.compiled.rules)
    }
}

fn index(spec: &FormSpec) -> BTreeMap<String, Named> {
    let mut index = BTreeMap::new();
    let mut next = 0;
    for group in spec.groups() {
        if let Some(repeat) = &group.repeat {
            index.insert(repeat.key.clone(), Named::Rows(next));
        }
        for field in &group.fields {
            index.insert(field.key.clone(), Named::Field(next));
            next += 1;
        }
    }
    index
}

fn owners(spec: &FormSpec) -> Vec<Option<Arc<str>>> {
    let mut owners = Vec::new();
    for group in spec.groups() {
        let key = group.repeat.as_ref().map(|repeat| Arc::from(repeat.key.as_str()));
        owners.extend(group.fields.iter().map(|_| key.clone()));
    }
    owners
}
