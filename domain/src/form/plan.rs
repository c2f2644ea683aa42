//! The render plan: what a screen or a page draws, decided here once for every renderer.
//!
//! Refuses to judge answers: an error stands beside its field because the caller got it from validation.
use serde_json::{Value, json};

use super::compile::FieldRules;
use super::spec::{Choice, Prefill, UiField, Widget};
use super::validate::is_empty;
use super::{Answers, Form};
use crate::applicant::region_of_id_number;
use crate::text::Text;

/// What is known besides the answers.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Address on the card.
    pub card_address: Option<String>,
    /// ID number on the card.
    pub id_number: Option<String>,
}

impl Facts {
    /// The answer that 同身份证地址 gives: the card's address, in the region that the ID number names.
    pub fn offered_address(&self) -> Option<Value> {
        let detail = self.card_address.as_ref().map(|a| a.trim()).filter(|a| !a.is_empty())?;
        Some(json!({"region": self.id_region()?, "detail": detail}))
    }

    /// The region that a resident's ID number names, perhaps a retired one.
    pub fn id_region(&self) -> Option<&str> {
        region_of_id_number(self.id_number.as_deref()?)
    }

    fn gives(&self, prefill: Prefill) -> bool {
        match prefill {
            Prefill::OfferCardAddress => self.offered_address().is_some(),
            Prefill::IdRegion => self.id_region().is_some(),
        }
    }
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Facts(..)")
    }
}

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
    /// Pages in order; never empty for a form with fields.
    pub pages: Vec<PlanPage>,
}

/// One page.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanPage {
    /// Heading.
    pub title: Text,
    /// Visible fields in order.
    pub fields: Vec<PlanField>,
}

/// One visible field.
#[derive(Clone, PartialEq)]
pub struct PlanField {
    /// Key.
    pub key: String,
    /// How it is entered.
    pub widget: Widget,
    /// Label.
    pub label: Text,
    /// Help line.
    pub hint: Option<Text>,
    /// Choices of an enum.
    pub choices: Vec<Choice>,
    /// Must be answered now.
    pub required: bool,
    /// The current answer.
    pub value: Option<Value>,
    /// Mask rule.
    pub mask: Option<String>,
    /// What the card offers, if the facts have it.
    pub prefill: Option<Prefill>,
    /// Longest text (of an address: of its detail), in characters, if the schema says so.
    pub max_chars: Option<usize>,
    /// A number is stored as what was entered times ten to this power: 2 for yuan (stored in fen), 6 for ten
    /// thousand yuan, 0 for a plain number.
    pub decimals: u8,
}

impl std::fmt::Debug for PlanField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PlanField({}, {:?}, answered: {})", self.key, self.widget, self.value.is_some())
    }
}

impl Form {
    /// What to draw now: pages with the fields that are visible, and their values.
    ///
    /// In [`Layout::OneQuestion`] each field is its own page (elder mode); a signature is always its own page.
    /// Not drawn: optional fields that this version cannot fill in, and a choice of one that is made already.
    pub fn plan(&self, answers: &Answers, facts: &Facts, layout: Layout) -> RenderPlan {
        let visible = self.visible(answers);
        let mut fields = self.fields().zip(visible);
        let mut plan = RenderPlan::default();
        for page in &self.spec.pages {
            let count: usize = page.groups.iter().map(|group| group.fields.len()).sum();
            let mut together = PlanPage { title: page.title.clone(), fields: Vec::new() };
            for ((field, rules), visible) in fields.by_ref().take(count) {
                if !visible || is_passed_over(field, answers) {
                    continue;
                }
                let drawn = plan_field(field, rules, answers, facts);
                if layout == Layout::OneQuestion || field.widget == Widget::Signature {
                    flush(&mut plan, &mut together);
                    let title = match layout {
                        Layout::OneQuestion => field.question.as_ref().unwrap_or(&field.label),
                        Layout::Grouped if count == 1 => &page.title,
                        Layout::Grouped => &field.label,
                    };
                    plan.pages.push(PlanPage { title: title.clone(), fields: vec![drawn] });
                } else {
                    together.fields.push(drawn);
                }
            }
            flush(&mut plan, &mut together);
        }
        plan
    }

    /// Fills answers that are still empty: the region that the ID number names, and choices of which there is only
    /// one. The card's address is offered ([`Facts::offered_address`]), never filled in unasked.
    pub fn prefill(&self, answers: &mut Answers, facts: &Facts) {
        for (field, _) in self.fields() {
            if answers.get(&field.key).is_some_and(|value| !is_empty(value)) {
                continue;
            }
            if let (Some(Prefill::IdRegion), Some(code)) = (field.prefill, facts.id_region()) {
                answers.set(&field.key, Value::from(code));
            }
            if let ([only], true) = (field.choices.as_slice(), field.required) {
                answers.set(&field.key, Value::from(only.value.as_str()));
            }
        }
    }
}

fn flush(plan: &mut RenderPlan, page: &mut PlanPage) {
    if !page.fields.is_empty() {
        let fields = std::mem::take(&mut page.fields);
        plan.pages.push(PlanPage { title: page.title.clone(), fields });
    }
}

fn is_passed_over(field: &UiField, answers: &Answers) -> bool {
    let optional = !field.required && field.required_if.is_none();
    let made = matches!(field.choices.as_slice(), [only] if answers.text(&field.key) == only.value);
    (optional && !field.widget.supported()) || made
}

fn plan_field(field: &UiField, rules: &FieldRules, answers: &Answers, facts: &Facts) -> PlanField {
    PlanField {
        key: field.key.clone(),
        widget: field.widget,
        label: field.label.clone(),
        hint: field.hint.clone(),
        choices: field.choices.clone(),
        required: field.required || field.required_if.is_some(),
        value: answers.get(&field.key).filter(|value| !is_empty(value)).cloned(),
        mask: field.mask.clone(),
        prefill: field.prefill.filter(|prefill| facts.gives(*prefill)),
        max_chars: rules.max_chars,
        decimals: rules.decimals,
    }
}
