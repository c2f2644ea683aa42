//! The names that stand before a place in a form: what a rule there may use.
use std::collections::BTreeMap;

use super::spec::{FormSpec, UiField, Widget};
use crate::expr::{Expr, ExprError, Named, Scope};

impl FormSpec {
    /// Checks a rule about the whole form: it may name every field outside of rows, and every repeat group.
    ///
    /// # Errors
    /// [`ExprError`], the first thing that is wrong.
    pub fn check_rule(&self, rule: &Expr) -> Result<(), ExprError> {
        let mut all = Before::default();
        for group in self.groups() {
            match &group.repeat {
                Some(repeat) => all.add_rows(&repeat.key),
                None => group.fields.iter().for_each(|field| all.add_field(field)),
            }
        }
        rule.check_rule(&all)
    }

    /// Keys of all fields and repeat groups.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let rows = self.groups().filter_map(|group| group.repeat.as_ref()).map(|repeat| repeat.key.as_str());
        self.fields().map(|field| field.key.as_str()).chain(rows)
    }
}

/// Fields and repeat groups before a place.
#[derive(Clone, Default)]
pub(super) struct Before<'s>(BTreeMap<&'s str, Option<&'s UiField>>);

impl<'s> Before<'s> {
    /// From here on the field may be named.
    pub(super) fn add_field(&mut self, field: &'s UiField) {
        self.0.insert(&field.key, Some(field));
    }

    /// From here on the repeat group may be named.
    pub(super) fn add_rows(&mut self, key: &'s str) {
        self.0.insert(key, None);
    }

    /// The field of this name.
    pub(super) fn field(&self, key: &str) -> Option<&'s UiField> {
        self.0.get(key).copied().flatten()
    }
}

impl Scope for Before<'_> {
    fn find(&self, name: &str) -> Option<Named> {
        Some(match self.0.get(name)? {
            Some(field) => field.widget.value_type().map_or(Named::Opaque, Named::Value),
            None => Named::Rows,
        })
    }

    fn offers(&self, name: &str, text: &str) -> bool {
        match self.field(name) {
            Some(field) if field.widget == Widget::Enum => field.choices.iter().any(|c| c.value == text),
            _ => true,
        }
    }
}
