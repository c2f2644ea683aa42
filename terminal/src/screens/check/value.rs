//! An answer in words for the check page: masked, because others stand in the hall, or in clear for five seconds.
//!
//! Refuses to draw.
use domain::applicant::{mask_address, mask_bank_card, mask_id_public, mask_name, mask_phone};
use domain::form::{PlanField, Widget};
use serde_json::Value;

use crate::model::hashes;
use crate::screens::form::typed_value;
use crate::widgets::Cx;
use crate::widgets::date_picker::Month;

/// What stands beside the label; `None`: not answered.
pub fn answer_words(cx: &Cx<'_>, field: &PlanField, clear: bool) -> Option<String> {
    let value = field.value.as_ref()?;
    let text = value.as_str().unwrap_or_default();
    let said = match field.widget {
        Widget::Signature => cx.t("check.signed").to_owned(),
        Widget::Photo | Widget::Attachment => pages(cx, value),
        Widget::Enum => choice(cx, field, text),
        Widget::Region => cx.model.pinned().region_path(text),
        Widget::Address => address(cx, value, clear),
        Widget::Month => Month::read(text).map_or_else(|| text.to_owned(), |month| month.words(cx)),
        Widget::Number => typed_value(field),
        _ if clear => text.to_owned(),
        Widget::Phone => mask_phone(text),
        Widget::BankCard => tail(cx, text),
        _ => masked(cx, text, field.mask.as_deref()),
    };
    (!said.is_empty()).then_some(said)
}

/// How many pages there are.
fn pages(cx: &Cx<'_>, value: &Value) -> String {
    match hashes(Some(value)).len() {
        0 => String::new(),
        count => cx.tf("form.pages_taken", &[("n", &count.to_string())]),
    }
}

fn choice(cx: &Cx<'_>, field: &PlanField, value: &str) -> String {
    let chosen = field.choices.iter().find(|choice| choice.value == value);
    chosen.map_or_else(|| value.to_owned(), |choice| cx.say(&choice.label).to_owned())
}

/// Region and words; the region is not said twice when the words begin with its province.
fn address(cx: &Cx<'_>, value: &Value, clear: bool) -> String {
    let part = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (region, detail) = (cx.model.pinned().region_path(part("region")), part("detail"));
    let shown = if clear { detail.to_owned() } else { mask_address(detail) };
    let province = region.split(' ').next().unwrap_or_default();
    if part("region").is_empty() || (!province.is_empty() && detail.starts_with(province)) {
        shown
    } else {
        format!("{region} {shown}")
    }
}

fn tail(cx: &Cx<'_>, number: &str) -> String {
    let masked = mask_bank_card(number);
    let tail: String = masked.chars().filter(char::is_ascii_digit).collect();
    if tail.is_empty() { masked } else { cx.tf("check.bank_card_tail", &[("tail", &tail)]) }
}

/// A text masked as its field says; a rule that is not known hides more than it needs to.
fn masked(cx: &Cx<'_>, text: &str, mask: Option<&str>) -> String {
    match mask {
        None => text.to_owned(),
        Some("name") => mask_name(text),
        Some("street") => mask_address(text),
        Some("last 4") => tail(cx, text),
        Some("keep 3+4") => mask_phone(text),
        Some(_) => mask_id_public(text),
    }
}
