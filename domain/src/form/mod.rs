//! 表单: a form is JSON Schema 2020-12 plus a small UI schema. This module validates answers and yields a render
//! plan; a screen or page only draws the plan. The terminal and the server run the same code.
//!
//! Refuses to hold words of its own, and to reach for the clock: today comes in as an argument.
mod answers;
mod compile;
mod error;
mod keywords;
mod plan;
mod rules;
mod spec;
#[cfg(test)]
mod tests;
mod validate;
pub mod validators;

pub use answers::Answers;
pub use compile::MAX_FIELDS;
pub use error::{FieldError, FieldErrorKind, FormError};
pub use keywords::{MAX_SIGNATURE_BYTES, MIN_SIGNATURE_POINTS};
pub use plan::{Facts, Layout, PlanField, PlanPage, RenderPlan};
pub use spec::{Choice, FormSpec, Prefill, Rule, UiField, UiGroup, UiPage, Widget};

use compile::FieldRules;

/// A form that was compiled once and validates many times.
pub struct Form {
    spec: FormSpec,
    /// In form order, one for each field.
    rules: Vec<FieldRules>,
    validator: jsonschema::Validator,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Form({} fields)", self.rules.len())
    }
}

impl Form {
    /// Compiles a form.
    ///
    /// # Errors
    /// [`FormError`] if schema and UI schema do not fit each other.
    pub fn compile(spec: &FormSpec) -> Result<Self, FormError> {
        let rules = compile::compile(spec)?;
        let validator = keywords::validator(&spec.schema)?;
        Ok(Self { spec: spec.clone(), rules, validator })
    }

    /// The specification it was compiled from.
    pub fn spec(&self) -> &FormSpec {
        &self.spec
    }

    /// Kinds of fields that must be answered and that this version cannot fill in (photo, attachment): the item
    /// then says so. Optional ones are just not asked.
    pub fn unsupported(&self) -> Vec<Widget> {
        let mut widgets: Vec<Widget> = self
            .fields()
            .filter(|(field, _)| field.required || field.required_if.is_some())
            .map(|(field, _)| field.widget)
            .filter(|widget| !widget.supported())
            .collect();
        widgets.sort_unstable();
        widgets.dedup();
        widgets
    }

    /// Fields in form order with what is known of them.
    fn fields(&self) -> impl Iterator<Item = (&UiField, &FieldRules)> {
        compile::fields(&self.spec).zip(&self.rules)
    }
}
