//! The render plan: what a screen or a page draws, decided here once for every renderer.
//!
//! Refuses to judge answers: an error stands beside its field because the caller got it from validation
//! ([`RenderPlan::mark`]).
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::answers::in_row;
use super::error::{FieldError, FieldErrorKind};
use super::files::FileLimits;
use super::spec::{Choice, Prefill, Repeat, UiField, UiGroup, UiPage, Widget};
use super::state::{FieldState, Filling, GroupState};
use super::{Answers, Facts, Form, adjust};
use crate::text::Text;

/// How much stands on one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// The pages of the UI schema.
    #[default]
    Grouped,
    /// One question a page (elder mode).
    OneQuestion,
}

/// The pages to draw.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RenderPlan {
    /// Pages in order; never empty for a form with visible fields.
    pub pages: Vec<PlanPage>,
}

/// One page. Its fields stand in one list, for those who draw them one after another; `groups` says how they belong
/// together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanPage {
    /// Heading.
    pub title: Text,
    /// Visible fields in order; empty only beside a repeat group without rows.
    pub fields: Vec<PlanField>,
    /// Visible groups in order.
    pub groups: Vec<PlanGroup>,
}

/// A group of a page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanGroup {
    /// Heading.
    pub title: Option<Text>,
    /// What a repeat group needs besides.
    pub repeat: Option<PlanRepeat>,
    /// Rows with their fields; one for a group that does not repeat.
    pub rows: Vec<PlanRow>,
}

/// A repeat group: buttons to add and to take away stand where they may be used.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRepeat {
    /// Its key, for [`Form::add_row`] and [`Form::remove_row`].
    pub key: String,
    /// What the rows are.
    pub label: Text,
    /// Rows that are shown.
    pub count: usize,
    /// A row can be added.
    pub can_add: bool,
    /// A row can be taken away.
    pub can_remove: bool,
    /// What is wrong with the group as a whole.
    pub error: Option<FieldErrorKind>,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRow {
    /// Heading of a row of a repeat group, with its number.
    pub title: Option<Text>,
    /// Its number from 0.
    pub index: usize,
    /// Its fields in [`PlanPage::fields`].
    pub fields: Range<usize>,
}

/// One visible field: what is not visible is in no plan.
#[derive(Clone, PartialEq)]
pub struct PlanField {
    /// Path of its answer: its key, or `children[2].name` in a row.
    pub key: String,
    /// How it is entered.
    pub widget: Widget,
    /// Label.
    pub label: Text,
    /// Help line.
    pub hint: Option<Text>,
    /// Choices that are left of an enum, or of a narrowed number.
    pub choices: Arc<[Choice]>,
    /// Must be answered now.
    pub required: bool,
    /// It is computed: shown, not typed.
    pub computed: bool,
    /// The current answer.
    pub value: Option<Value>,
    /// What is wrong with the answer; set by [`RenderPlan::mark`].
    pub error: Option<FieldErrorKind>,
    /// Mask rule.
    pub mask: Option<String>,
    /// What the card offers, if the facts have it.
    pub prefill: Option<Prefill>,
    /// Longest text (of an address: of its detail), in characters, if the schema says so.
    pub max_chars: Option<usize>,
    /// A number is stored as what was entered times ten to this power: 2 for yuan (stored in fen), 6 for ten
    /// thousand yuan, 0 for a plain number.
    pub decimals: u8,
    /// What a photo or attachment takes.
    pub files: Option<Arc<FileLimits>>,
}

impl std::fmt::Debug for PlanField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PlanField({}, {:?}, answered: {})", self.key, self.widget, self.value.is_some())
    }
}

impl RenderPlan {
    /// The page on which a path is answered: a field, a repeat group, or one of its rows.
    pub fn page_of(&self, path: &str) -> Option<usize> {
        self.pages.iter().position(|page| page.has(path))
    }

    /// Puts each error beside its field or repeat group; older ones go away.
    pub fn mark(&mut self, errors: &[FieldError]) {
        let kind = |key: &str| errors.iter().find(|error| error.key == key).map(|error| error.kind.clone());
        for page in &mut self.pages {
            for field in &mut page.fields {
                field.error = kind(&field.key);
            }
            for repeat in page.groups.iter_mut().filter_map(|group| group.repeat.as_mut()) {
                let of_row = || errors.iter().find(|e| is_row(&e.key, &repeat.key)).map(|e| e.kind.clone());
                repeat.error = kind(&repeat.key).or_else(of_row);
            }
        }
    }
}

impl PlanPage {
    /// Whether what an error names stands on this page.
    pub fn has(&self, path: &str) -> bool {
        let mut repeats = self.groups.iter().filter_map(|group| group.repeat.as_ref());
        self.fields.iter().any(|field| field.key == path)
            || repeats.any(|repeat| repeat.key == path || is_row(path, &repeat.key))
    }
}

/// Whether a path is a row as a whole: `children[2]`.
fn is_row(path: &str, rows: &str) -> bool {
    path.strip_prefix(rows).is_some_and(|rest| rest.starts_with('[') && rest.ends_with(']'))
}

impl Form {
    /// What to draw now: pages with the fields that are visible, and their values.
    ///
    /// In [`Layout::OneQuestion`] each field is its own page (elder mode); a signature is always its own page.
    /// Not drawn: optional photos and scans that cannot be taken here, and an only choice that is made already.
    pub fn plan(&self, answers: &Answers, facts: &Facts, layout: Layout) -> RenderPlan {
        let state = self.state(answers, facts, Filling::Off);
        let mut book =
            Book { form: self, facts, layout, plan: RenderPlan::default(), page: PlanPage::default() };
        for (page, groups) in self.spec().pages.iter().zip(state.pages) {
            book.page(page, groups);
        }
        book.plan
    }
}

/// A plan in the making.
struct Book<'f> {
    form: &'f Form,
    facts: &'f Facts,
    layout: Layout,
    plan: RenderPlan,
    /// The page that is being filled.
    page: PlanPage,
}

impl Book<'_> {
    fn page(&mut self, page: &UiPage, groups: Vec<GroupState<'_>>) {
        self.page.title = page.title.clone();
        let single = page.groups.iter().map(|group| group.fields.len()).sum::<usize>() == 1;
        for (group, state) in page.groups.iter().zip(groups) {
            if state.visible {
                self.group(page, group, state, single);
            }
        }
        self.turn();
    }

    fn group(&mut self, page: &UiPage, group: &UiGroup, state: GroupState<'_>, single: bool) {
        let count = state.rows.len();
        let repeat = group.repeat.as_ref().map(|repeat| plan_repeat(repeat, count, state.min));
        let head = PlanGroup { title: group.title.clone(), repeat, rows: Vec::new() };
        self.page.groups.push(head.clone());
        for (row, fields) in state.rows.into_iter().enumerate() {
            for (at, (field, field_state)) in group.fields.iter().zip(fields).enumerate() {
                if !field_state.visible || self.is_passed_over(field, state.first + at, &field_state) {
                    continue;
                }
                let alone = self.layout == Layout::OneQuestion || field.widget == Widget::Signature;
                if alone {
                    self.turn();
                    self.page.title = self.title(page, field, single).clone();
                    self.page.groups.push(head.clone());
                }
                self.put(group.repeat.as_ref(), row, (field, state.first + at), field_state);
                if alone {
                    self.turn();
                    self.page.title = page.title.clone();
                    self.page.groups.push(head.clone());
                }
            }
        }
    }

    fn title<'t>(&self, page: &'t UiPage, field: &'t UiField, single: bool) -> &'t Text {
        match self.layout {
            Layout::OneQuestion => field.question.as_ref().unwrap_or(&field.label),
            Layout::Grouped if single => &page.title,
            Layout::Grouped => &field.label,
        }
    }

    /// Puts a field into its row of the last group.
    fn put(
        &mut self,
        repeat: Option<&Repeat>,
        row: usize,
        (field, index): (&UiField, usize),
        state: FieldState<'_>,
    ) {
        let place = self.page.fields.len();
        let Some(group) = self.page.groups.last_mut() else { return };
        if group.rows.last().is_none_or(|last| last.index != row) {
            let title = repeat.map(|repeat| numbered(&repeat.row, row + 1));
            group.rows.push(PlanRow { title, index: row, fields: place..place });
        }
        group.rows.last_mut().into_iter().for_each(|row| row.fields.end = place + 1);
        let key = match repeat {
            Some(repeat) => in_row(&repeat.key, row, &field.key),
            None => field.key.clone(),
        };
        self.page.fields.push(self.plan_field(key, (field, index), state));
    }

    fn plan_field(&self, key: String, (field, index): (&UiField, usize), state: FieldState<'_>) -> PlanField {
        let rules = self.form.compiled.rules.get(index);
        PlanField {
            key,
            widget: field.widget,
            label: field.label.clone(),
            hint: field.hint.clone(),
            choices: self.form.choices(index).clone(),
            required: state.required,
            computed: field.computed.is_some(),
            value: state.value.map(std::borrow::Cow::into_owned),
            error: None,
            mask: field.mask.clone(),
            prefill: field.prefill.filter(|prefill| self.facts.gives(*prefill)),
            max_chars: rules.and_then(|rules| rules.max_chars),
            decimals: rules.map_or(0, |rules| rules.decimals),
            files: rules.and_then(|rules| rules.files.clone()),
        }
    }

    fn is_passed_over(&self, field: &UiField, index: usize, state: &FieldState<'_>) -> bool {
        if field.computed.is_some() {
            return false;
        }
        let made = match (self.form.choices(index).as_ref(), &state.value) {
            ([only], Some(value)) => adjust::is(only, value),
            _ => false,
        };
        made || (!state.required && !field.widget.supported() && !self.facts.captures)
    }

    /// Ends a page that has something on it.
    fn turn(&mut self) {
        let mut page = std::mem::take(&mut self.page);
        page.groups.retain(|group| {
            let empty = group.repeat.as_ref().is_some_and(|repeat| repeat.count == 0);
            !group.rows.is_empty() || empty
        });
        if !page.groups.is_empty() {
            self.plan.pages.push(page);
        }
    }
}

fn plan_repeat(repeat: &Repeat, count: usize, min: usize) -> PlanRepeat {
    PlanRepeat {
        key: repeat.key.clone(),
        label: repeat.label.clone(),
        count,
        can_add: count < repeat.max,
        can_remove: count > min,
        error: None,
    }
}

fn numbered(heading: &Text, number: usize) -> Text {
    let number = number.to_string();
    Text::new(heading.zh.replace("{n}", &number), heading.en.replace("{n}", &number))
}
