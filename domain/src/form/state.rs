//! One pass over a form with its answers: what is visible, what is required, what is computed, what is filled in by
//! itself. Plan, validation and what is sent all read this, so that they cannot differ.
//!
//! Refuses to judge answers and to draw.
use std::borrow::Cow;

use serde_json::{Map, Value};

use super::answers::MAX_ROWS;
use super::seen::{Seen, normal, to_answer};
use super::spec::{Prefill, UiField, UiGroup};
use super::validate::is_empty;
use super::{Answers, Facts, Form};
use crate::expr::Expr;

/// Pages, groups, rows and fields in form order, also those that are not visible.
pub(super) struct State<'a> {
    pub pages: Vec<Vec<GroupState<'a>>>,
}

/// A place in the answers; ordered as the form is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// Index of the field, or of the first one of its repeat group.
    pub anchor: usize,
    /// Number of the row from 1; 0 outside of rows.
    pub row: usize,
    /// Index of the field; `None` is the group, or the row as a whole.
    pub field: Option<usize>,
}

impl Spot {
    /// A field outside of repeat groups.
    pub(super) fn field(index: usize) -> Self {
        Self { anchor: index, row: 0, field: Some(index) }
    }
}

/// One field of a state, with its place.
pub(super) struct Cell<'s, 'a> {
    /// Its place in the answers.
    pub spot: Spot,
    /// Index of the field in form order.
    pub index: usize,
    pub field: &'s UiField,
    pub state: &'s FieldState<'a>,
    /// Key of the repeat group and number of the row from 0.
    pub row: Option<(&'s str, usize)>,
}

impl<'a> State<'a> {
    /// All groups in form order.
    pub(super) fn groups(&self) -> impl Iterator<Item = &GroupState<'a>> {
        self.pages.iter().flatten()
    }
}

/// A group.
pub(super) struct GroupState<'a> {
    /// Index of its first field.
    pub first: usize,
    /// It is shown, and so is its page.
    pub visible: bool,
    /// Its rows: one for a group that does not repeat. A repeat group has as many as it must have at least.
    pub rows: Vec<Vec<FieldState<'a>>>,
    /// The array as it was sent, of a repeat group.
    pub sent: Option<&'a Value>,
    /// The fewest rows of a repeat group that is shown.
    pub min: usize,
}

/// A field, or a field in a row.
#[derive(Default)]
pub(super) struct FieldState<'a> {
    /// It is shown.
    pub visible: bool,
    /// It must be answered.
    pub required: bool,
    /// Its answer, typed or computed; `None` if it is empty or not visible.
    pub value: Option<Cow<'a, Value>>,
    /// Somebody sent another value than the computed one.
    pub forged: bool,
    /// It gets this answer by itself ([`Filling::On`] only).
    pub filled: Option<Value>,
    /// The answer is a default that cannot be made any more.
    pub stale: bool,
}

/// Whether answers that come by themselves are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Filling {
    Off,
    On,
}

impl Form {
    /// One pass.
    pub(super) fn state<'a>(&'a self, answers: &'a Answers, facts: &'a Facts, filling: Filling) -> State<'a> {
        self.pass(answers, facts, filling).0
    }

    /// Whether a rule about the whole form holds of these answers; what is unknown, or not asked, does not
    /// ([`FormSpec::check_rule`](super::FormSpec::check_rule)).
    pub fn holds(&self, rule: &Expr, answers: &Answers, facts: &Facts) -> bool {
        rule.holds(&self.pass(answers, facts, Filling::Off).1)
    }

    fn pass<'a>(&'a self, answers: &'a Answers, facts: &'a Facts, filling: Filling) -> (State<'a>, Seen<'a>) {
        let mut pass = Pass { form: self, answers, seen: Seen::new(facts), filling, next: 0 };
        let mut pages = Vec::new();
        for page in &self.spec().pages {
            let shown = page.show_if.as_ref().is_none_or(|rule| rule.holds(&pass.seen));
            let mut groups = Vec::new();
            for group in &page.groups {
                groups.push(pass.group(group, shown));
            }
            pages.push(groups);
        }
        (State { pages }, pass.seen)
    }

    /// All fields of a state in form order, row by row.
    pub(super) fn cells<'s, 'a>(&'s self, state: &'s State<'a>) -> impl Iterator<Item = Cell<'s, 'a>> {
        self.spec().groups().zip(state.groups()).flat_map(|(group, state)| {
            let rows = group.repeat.as_ref().map(|repeat| repeat.key.as_str());
            state.rows.iter().enumerate().flat_map(move |(at, fields)| {
                group.fields.iter().zip(fields).enumerate().map(move |(field_at, (field, field_state))| {
                    let index = state.first + field_at;
                    let spot = match rows {
                        Some(_) => Spot { anchor: state.first, row: at + 1, field: Some(index) },
                        None => Spot::field(index),
                    };
                    Cell { spot, index, field, state: field_state, row: rows.map(|rows| (rows, at)) }
                })
            })
        })
    }
}

struct Pass<'a> {
    form: &'a Form,
    answers: &'a Answers,
    seen: Seen<'a>,
    filling: Filling,
    /// Index of the next field.
    next: usize,
}

/// Where a field stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Its group is shown.
    shown: bool,
    /// What was sent for it.
    sent: Option<&'a Value>,
    /// A default may be filled in: nothing was typed in its row yet.
    fresh: bool,
    /// Its answer is an untouched default.
    by_default: bool,
}

impl<'a> Pass<'a> {
    fn group(&mut self, group: &'a UiGroup, page_shown: bool) -> GroupState<'a> {
        let own = group.show_if.as_ref().is_none_or(|rule| rule.holds(&self.seen));
        let first = self.next;
        self.next += group.fields.len();
        let Some(repeat) = &group.repeat else {
            let shown = page_shown && own;
            let row = self.plain(group, first, shown);
            return GroupState { first, visible: shown, rows: vec![row], sent: None, min: 0 };
        };
        let change = self.form.change_of_rows(&repeat.key);
        let shown = page_shown && (change.added || (own && !change.dropped));
        let min = self.form.fewest_rows(repeat);
        let sent = self.answers.as_map().get(&repeat.key);
        let given = self.answers.rows(&repeat.key);
        // One more than allowed, so that the schema sees that there are too many.
        let count = given.len().min(repeat.max + 1).max(if shown { min } else { 0 });
        let rows = (0..count.min(MAX_ROWS + 1))
            .map(|row| self.row(group, first, given.get(row).and_then(Value::as_object), shown))
            .collect();
        if shown {
            self.seen.add_rows(&repeat.key, given.len().min(repeat.max));
        }
        GroupState { first, visible: shown, rows, sent, min: if shown { min } else { 0 } }
    }

    fn plain(&mut self, group: &'a UiGroup, first: usize, shown: bool) -> Vec<FieldState<'a>> {
        let mut fields = Vec::with_capacity(group.fields.len());
        for (at, field) in group.fields.iter().enumerate() {
            let sent = self.answers.as_map().get(&field.key);
            let by_default = self.answers.is_default(&field.key);
            let state = self.field(field, first + at, Place { shown, sent, fresh: true, by_default });
            self.seen.add(field, &state);
            fields.push(state);
        }
        fields
    }

    fn row(
        &mut self,
        group: &'a UiGroup,
        first: usize,
        given: Option<&'a Map<String, Value>>,
        shown: bool,
    ) -> Vec<FieldState<'a>> {
        self.seen.enter_row();
        let fresh = given.is_none_or(Map::is_empty);
        let mut fields = Vec::with_capacity(group.fields.len());
        for (at, field) in group.fields.iter().enumerate() {
            let sent = given.and_then(|row| row.get(&field.key));
            let state = self.field(field, first + at, Place { shown, sent, fresh, by_default: false });
            self.seen.add(field, &state);
            fields.push(state);
        }
        self.seen.leave_row();
        fields
    }

    fn field(&self, field: &'a UiField, index: usize, place: Place<'a>) -> FieldState<'a> {
        let change = self.form.change_of(index);
        let demanded = field.required_if.as_ref().map(|rule| rule.holds(&self.seen));
        let own = match &field.show_if {
            Some(rule) => rule.holds(&self.seen),
            None => demanded.unwrap_or(true),
        };
        if !place.shown || !(change.added || (own && !change.dropped)) {
            return FieldState::default();
        }
        if let Some(expr) = &field.computed {
            let value = expr.eval(&self.seen).and_then(|value| to_answer(&value, field.widget));
            let sent = place.sent.filter(|sent| !is_empty(sent)).map(normal);
            let forged = sent.is_some_and(|sent| Some(&sent) != value.as_ref());
            return FieldState {
                visible: true,
                value: value.map(Cow::Owned),
                forged,
                ..FieldState::default()
            };
        }
        let required = change.added || field.required || demanded == Some(true);
        let sent = place.sent.filter(|sent| !is_empty(sent)).map(Cow::Borrowed);
        let mut state = FieldState { visible: true, required, value: sent, ..FieldState::default() };
        if self.filling == Filling::On {
            self.fill(field, index, place, &mut state);
        }
        state
    }

    /// An only choice is made; what is still empty gets its default, and a default that nobody touched is made anew.
    fn fill(&self, field: &UiField, index: usize, place: Place<'_>, state: &mut FieldState<'a>) {
        let only = self.form.only_answer(index, state.required);
        let untouched = place.fresh && (place.sent.is_none() || place.by_default);
        let filled = match only {
            Some(only) => Some(only),
            None if untouched => self.default_of(field).filter(|value| self.form.allows(index, value)),
            None => return,
        };
        state.stale = filled.is_none() && place.by_default;
        if state.stale {
            state.value = None;
        }
        if let Some(filled) = filled
            && state.value.as_deref() != Some(&filled)
        {
            state.value = Some(Cow::Owned(filled.clone()));
            state.filled = Some(filled);
        }
    }

    fn default_of(&self, field: &UiField) -> Option<Value> {
        if let Some(expr) = &field.default {
            return expr.eval(&self.seen).and_then(|value| to_answer(&value, field.widget));
        }
        match field.prefill {
            Some(Prefill::IdRegion) => self.seen.facts().id_region().map(Value::from),
            _ => None,
        }
    }
}
