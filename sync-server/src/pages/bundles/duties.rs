//! What a bundle says of each step beyond the graph: who does it, what its refusal does, what it waits for, and what whoever
//! does it sees. Refuses to judge it: `step_faults` and the rules of the catalogue do.
use domain::bundle::{Bundle, DoneBy, Step};
use domain::case::FailPolicy;

use super::W;
use crate::pages::view;

/// One step.
pub struct DutyView {
    /// Its name.
    pub name: String,
    /// The department.
    pub department: String,
    /// Who does it, and how many one after another.
    pub by: Vec<String>,
    /// What its refusal does to the others.
    pub fail: String,
    /// When it is to be done, and what brings it back.
    pub waits: Vec<String>,
    /// The answers that are seen for it.
    pub fields: String,
    /// The materials that are seen for it.
    pub materials: String,
}

/// All steps; none if the bundle is of before any of it could be said.
pub fn duties(bundle: &Bundle) -> Vec<DutyView> {
    if !bundle.is_authored() {
        return Vec::new();
    }
    bundle.steps.iter().map(|step| duty(bundle, step)).collect()
}

fn duty(bundle: &Bundle, step: &Step) -> DutyView {
    let by = match step.by.unwrap_or_else(|| step.kind.usually_done_by()) {
        DoneBy::Department => "department",
        DoneBy::Applicant => "applicant",
        DoneBy::Post => "post",
        DoneBy::System => "system",
    };
    let levels = (step.levels > 1).then(|| W.number("bundles.levels", u64::from(step.levels)));
    let fail = match step.fail {
        None => "never",
        Some(FailPolicy::All) => "all",
        Some(FailPolicy::Partial) => "partial",
        Some(FailPolicy::Alone) => "alone",
    };
    let when = step.when.as_ref().map(|rule| {
        let named = bundle.form.keys().filter(|key| rule.names_any(&[(*key).to_owned()]));
        let named: Vec<_> = named.map(|key| label(bundle, key)).collect();
        W.fill("bundles.when", &[("fields", &named.join("、"))])
    });
    let period =
        step.statutory.map(|period| W.fill("bundles.statutory", &[("time", &view::period(W, period))]));
    let back: Vec<_> = bundle.reopens(&step.id).iter().map(|key| label(bundle, key)).collect();
    let back = (!back.is_empty()).then(|| W.fill("bundles.reopened", &[("fields", &back.join("、"))]));
    DutyView {
        name: step.name.get(W.0).to_owned(),
        department: step.department.to_string(),
        by: std::iter::once(W.of("bundles_by", by)).chain(levels).collect(),
        fail: W.of("bundles_fail", fail),
        waits: [when, period, back].into_iter().flatten().collect(),
        fields: seen(step.fields.as_ref(), |key| label(bundle, key)),
        materials: seen(step.materials.as_ref(), str::to_owned),
    }
}

/// All, some by their names, or none.
fn seen(keys: Option<&Vec<String>>, name: impl Fn(&str) -> String) -> String {
    match keys.map(Vec::as_slice) {
        None => W.t("bundles.sees_all").to_owned(),
        Some([]) => W.t("bundles.sees_none").to_owned(),
        Some(keys) => keys.iter().map(|key| name(key)).collect::<Vec<_>>().join("、"),
    }
}

/// The label of a field, or its key.
fn label(bundle: &Bundle, key: &str) -> String {
    bundle.form.label(key).map_or_else(|| key.to_owned(), |label| label.get(W.0).to_owned())
}
