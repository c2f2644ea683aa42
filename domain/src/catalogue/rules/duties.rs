//! What a bundle must say of its steps before it is published: who does each, what its refusal means, and what it needs,
//! so that each department sees its part only (最小必要) and nothing of the form is for nobody.
//!
//! A bundle that says nothing of its steps is one of before: it is read and run, and warned of.
use crate::bundle::{Bundle, Step, StepKind};
use crate::catalogue::check_steps::sees;
use crate::catalogue::parse::Report;
use crate::catalogue::{Catalogue, Entry, Rule};
use crate::form::UiField;
use crate::situation::{SituationAnswers, resolve};

pub(super) fn check(bundle: &Bundle, report: &mut Report) {
    if !bundle.is_authored() {
        report.warn(Rule::StepsSeeAll, "steps", "nothing is said of what each step needs: each sees all");
        return;
    }
    report.expect(bundle.steps_certainty.is_some(), "steps_certainty", "must say how sure the steps are");
    for (at, step) in bundle.steps.iter().enumerate() {
        let field = format!("steps[{at}]");
        report.expect(step.by.is_some(), &format!("{field}.by"), "must say who does it");
        if step.kind != StepKind::Accept {
            report.expect(step.fail.is_some(), &format!("{field}.fail"), "must say what its refusal does");
            let needs = step.fields.is_some() && step.materials.is_some();
            report.expect(needs, &format!("{field}.fields"), "must say what it needs, if only nothing");
            report.expect(!sees_all(bundle, step), &format!("{field}.fields"), "a step sees everything");
        }
        if let Some(period) = step.statutory.filter(|period| period.is_longer_than(bundle.promised)) {
            let reason = format!("the promise is shorter than {} tenths by law", period.tenths);
            report.wrong(&format!("{field}.statutory"), reason);
        }
    }
    seen(bundle, report);
    decided(bundle, report);
}

/// What is answered in one place: a field outside of rows, or a repeat group with its fields.
fn places(bundle: &Bundle) -> impl Iterator<Item = (&str, &[UiField])> {
    bundle.form.groups().flat_map(|group| match &group.repeat {
        Some(repeat) => vec![(repeat.key.as_str(), group.fields.as_slice())],
        None => group.fields.iter().map(|field| (field.key.as_str(), &[][..])).collect(),
    })
}

/// Whether a list of keys has a place, or all the fields of its rows.
fn has(keys: &[String], (key, rows): (&str, &[UiField])) -> bool {
    let named = |key: &str| keys.iter().any(|own| own == key);
    named(key) || (!rows.is_empty() && rows.iter().all(|field| named(&field.key)))
}

fn sees_all(bundle: &Bundle, step: &Step) -> bool {
    let (fields, materials) = (step.fields.as_deref(), step.materials.as_deref());
    places(bundle).all(|place| has(fields.unwrap_or_default(), place))
        && materials.map_or(0, <[_]>::len) == bundle.materials.len()
}

/// Every field and material is for some step; fields may be for the accepting desk alone.
fn seen(bundle: &Bundle, report: &mut Report) {
    for place in places(bundle) {
        let needed = |step: &Step| has(step.fields.as_deref().unwrap_or_default(), place);
        if !has(&bundle.desk_only, place) && !bundle.steps.iter().any(needed) {
            report.wrong("steps", format!("no step needs `{}`, and it is none of desk_only", place.0));
        }
    }
    for (place, material) in bundle.materials.iter().enumerate() {
        let named =
            |step: &Step| step.materials.iter().flatten().any(|name| bundle.material(name) == Some(place));
        if !bundle.steps.iter().any(named) {
            report.wrong("steps", format!("no step needs the material `{}`", material.name.zh));
        }
    }
}

/// Of a field on which several steps decide it is said which of them are done again if it changes.
fn decided(bundle: &Bundle, report: &mut Report) {
    for key in bundle.form.keys().filter(|key| !bundle.reopened_by.contains_key(*key)) {
        let decides = |step: &&Step| step.kind.needs_department() && sees(step, key);
        let steps: Vec<&str> = bundle.steps.iter().filter(decides).map(|step| step.id.as_str()).collect();
        if steps.len() > 1 {
            let reason = format!("{} decide on `{key}`: must say which are done again", steps.join(", "));
            report.wrong("reopened_by", reason);
        }
    }
}

/// Whatever is answered and filled in, something is to be done behind the accepting step.
pub(super) fn condition_on_all(
    (bundle, catalogue): (&Bundle, &Catalogue),
    answers: &SituationAnswers,
    report: &mut Report,
) {
    let resolution = resolve(catalogue, Entry::Bundle(bundle), answers);
    let behind = || resolution.steps.iter().filter(|on| on.step.kind != StepKind::Accept);
    if behind().next().is_some() && behind().all(|on| on.step.when.is_some()) {
        report.wrong("steps", format!("each step that is left has a condition, with {answers:?}"));
    }
}
