//! The applicant and the answers as the left side of a case shows them: masked as the form says, each with what is wrong
//! with it if something is to be asked for.
use domain::applicant::{IdentitySource, mask_address, mask_bank_card, mask_id_staff, mask_name, mask_phone};
use domain::case::Flaw;
use domain::form::{PlanField, Widget};

use super::W;
use super::gathered::Gathered;
use super::send::Typed;
use crate::pages::form_drawing::of_answer;
use crate::pages::view;
use crate::services::content::{APPLICANT_ADDRESS, APPLICANT_ID, APPLICANT_NAME};

/// Signs that hide a value whose mask is not known here.
const HIDDEN: &str = "******";

/// A page of the form.
pub struct PageView {
    /// Its heading.
    pub title: String,
    /// Its groups.
    pub groups: Vec<GroupView>,
}

/// Fields that belong together.
pub struct GroupView {
    /// The heading, may be empty.
    pub title: String,
    /// The fields.
    pub rows: Vec<RowView>,
}

/// A label and what stands beside it.
pub struct RowView {
    /// Its key.
    pub key: String,
    /// Its label.
    pub label: String,
    /// What is shown: masked where the form says so.
    pub value: String,
    /// It is masked, and may be shown in full by a call of its own.
    pub masked: bool,
    /// That a supplement changed it, and when; may be empty.
    pub supplemented: String,
    /// What can be wrong with it; none where nothing may be asked for.
    pub flaws: Vec<FlawChoice>,
}

/// A choice of what is wrong.
pub struct FlawChoice {
    /// As it is sent; empty if nothing is wrong.
    pub value: String,
    /// Its words.
    pub word: String,
    /// It was chosen.
    pub chosen: bool,
}

/// The applicant.
pub fn applicant(of: &Gathered) -> Vec<RowView> {
    let person = &of.content.applicant;
    let row = |key: &str, label: &'static str, value: String, masked| RowView {
        key: key.to_owned(),
        label: W.t(label).to_owned(),
        value,
        masked,
        supplemented: String::new(),
        flaws: Vec::new(),
    };
    let source = match person.source {
        IdentitySource::Read => "desk.source_read",
        IdentitySource::Typed => "desk.source_typed",
    };
    let mut rows = vec![
        row(APPLICANT_NAME, "desk.name", mask_name(&person.name), true),
        row(APPLICANT_ID, "desk.id_number", mask_id_staff(&person.id_number), true),
    ];
    if let Some(address) = &person.address {
        rows.push(row(APPLICANT_ADDRESS, "desk.address", mask_address(address), true));
    }
    rows.push(row("", "desk.source", W.t(source).to_owned(), false));
    rows
}

/// The answers by page and group. With `asks`, each has a choice of what is wrong with it.
pub fn pages(of: &Gathered, asks: bool, typed: Option<&Typed>) -> Vec<PageView> {
    let rows = |fields: &[PlanField]| fields.iter().map(|field| row(of, field, asks, typed)).collect();
    of.content
        .pages
        .iter()
        .map(|page| PageView {
            title: page.title.get(W.0).to_owned(),
            groups: page
                .groups
                .iter()
                .map(|group| GroupView {
                    title: group.title.as_ref().map(|t| t.get(W.0).to_owned()).unwrap_or_default(),
                    rows: rows(&group.fields),
                })
                .collect(),
        })
        .collect()
}

/// The materials of the item or bundle that the caller may see.
pub fn materials(of: &Gathered, asks: bool, typed: Option<&Typed>) -> Vec<RowView> {
    let materials = of.entry().map(|entry| entry.materials()).unwrap_or_default();
    let one = |(n, material): (usize, &domain::item::Material)| {
        let key = format!("material.{n}");
        let source = serde_json::to_value(material.source).ok();
        let source = source.as_ref().and_then(|s| s.as_str()).unwrap_or_default();
        RowView {
            label: material.name.get(W.0).to_owned(),
            value: W.of("material_source", source),
            masked: false,
            supplemented: supplemented(of, &key),
            flaws: if asks { flaws(&key, typed) } else { Vec::new() },
            key,
        }
    };
    let rows = materials.iter().enumerate().map(one);
    rows.filter(|row| of.found.scope.has(&row.key)).collect()
}

fn row(of: &Gathered, field: &PlanField, asks: bool, typed: Option<&Typed>) -> RowView {
    let value = in_words(of, field);
    let hidden = field.value.as_ref().and_then(|_| masked(field, &value));
    RowView {
        key: field.key.clone(),
        label: field.label.get(W.0).to_owned(),
        masked: hidden.is_some(),
        supplemented: supplemented(of, &field.key),
        value: hidden.unwrap_or(value),
        flaws: if asks { flaws(&field.key, typed) } else { Vec::new() },
    }
}

/// When a supplement last changed an answer or brought a material, in words; empty if none did.
fn supplemented(of: &Gathered, key: &str) -> String {
    // The rows of a repeat group change together.
    let key = key.split('[').next().unwrap_or(key);
    let at_ms = of.content.supplemented.get(key);
    at_ms.map(|at| W.fill("desk.supplemented", &[("time", &view::time(*at, of.now_ms))])).unwrap_or_default()
}

/// An answer in words, in full.
fn in_words(of: &Gathered, field: &PlanField) -> String {
    let none = std::collections::BTreeMap::new();
    let regions = of.newest.as_deref().map_or(&none, |v| &v.catalogue.regions);
    of_answer(W.0, regions, field)
}

/// The label and the value in full of what can be revealed: only what is masked can be.
pub fn in_full(of: &Gathered, key: &str) -> Option<(String, String)> {
    let person = &of.content.applicant;
    let (label, value) = match key {
        APPLICANT_NAME => ("desk.name", Some(person.name.clone())),
        APPLICANT_ID => ("desk.id_number", Some(person.id_number.clone())),
        APPLICANT_ADDRESS => ("desk.address", person.address.clone()),
        _ => {
            let field = of.content.fields().find(|field| field.key == key)?;
            let value = in_words(of, field);
            masked(field, &value)?;
            field.value.as_ref()?;
            return Some((field.label.get(W.0).to_owned(), value));
        }
    };
    Some((W.t(label).to_owned(), value?))
}

/// The masked form of an answer; none if it is shown as it is. A rule that is not known here hides all.
fn masked(field: &PlanField, value: &str) -> Option<String> {
    Some(match (field.mask.as_deref(), field.widget) {
        (Some("keep 3+4"), _) | (None, Widget::Phone) => mask_phone(value),
        (Some("keep 6+4"), _) => mask_id_staff(value),
        (Some("last 4"), _) | (None, Widget::BankCard) => mask_bank_card(value),
        (Some("name"), _) => mask_name(value),
        (Some("street"), _) => mask_address(value),
        (Some(_), _) => HIDDEN.to_owned(),
        (None, _) => return None,
    })
}

fn flaws(key: &str, typed: Option<&Typed>) -> Vec<FlawChoice> {
    let chosen = typed.and_then(|typed| typed.wants.iter().find(|(k, _)| k == key)).map(|(_, flaw)| *flaw);
    let fits =
        FlawChoice { value: String::new(), word: W.t("desk_flaw.fits").to_owned(), chosen: chosen.is_none() };
    let each = Flaw::ALL.into_iter().map(|flaw| FlawChoice {
        value: format!("{key}:{}", flaw.as_str()),
        word: W.of("desk_flaw", flaw.as_str()),
        chosen: chosen == Some(flaw),
    });
    std::iter::once(fits).chain(each).collect()
}
