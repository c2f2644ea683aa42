//! Checks of what a bundle says of its steps beyond the graph: who does one, what its refusal means, what it needs, when
//! it is needed, and what is done again.
//!
//! Nothing has to be said for a version to be read; what is said must name what there is.
use std::collections::BTreeSet;

use super::parse::Report;
use crate::bundle::{Bundle, DoneBy, Step, StepKind};
use crate::case::plan::MAX_LEVELS;

/// The most keys or names of one list.
const MAX_NAMES: usize = 200;
/// The longest period of the law, in tenths of its unit: ten years of days.
const MAX_STATUTORY: u32 = 36_500;

pub(super) fn check(bundle: &Bundle, report: &mut Report) {
    let keys: BTreeSet<&str> = bundle.form.keys().collect();
    for (at, step) in bundle.steps.iter().enumerate() {
        let field = format!("steps[{at}]");
        if step.kind == StepKind::Accept {
            accepting(step, &field, report);
        }
        duty(step, &field, report);
        condition(bundle, step, &field, report);
        let fields = step.fields.as_deref().unwrap_or_default();
        names(fields, &format!("{field}.fields"), report, |key| {
            (!keys.contains(key)).then(|| format!("the form has no field `{key}`"))
        });
        let materials = step.materials.as_deref().unwrap_or_default();
        names(materials, &format!("{field}.materials"), report, |name| {
            bundle.material(name).is_none().then(|| format!("`{name}` is no material of the list"))
        });
        let both = step.fields.is_some() == step.materials.is_some();
        report.expect(both, &format!("{field}.fields"), "fields and materials are given together");
    }
    names(&bundle.desk_only, "desk_only", report, |key| {
        let seen = || bundle.steps.iter().find(|step| sees(step, key));
        match keys.contains(key) {
            false => Some(format!("the form has no field `{key}`")),
            true => seen().map(|step| format!("`{}` needs `{key}` as well", step.id)),
        }
    });
    reopened(bundle, &keys, report);
}

/// Whether a step says that it needs a field.
pub(super) fn sees(step: &Step, key: &str) -> bool {
    step.fields.iter().flatten().any(|field| field == key)
}

/// The accepting step is never refused, sees all, and is over at once.
fn accepting(step: &Step, field: &str, report: &mut Report) {
    let said = [
        ("fail", step.fail.is_some()),
        ("when", step.when.is_some()),
        ("statutory", step.statutory.is_some()),
        ("fields", step.fields.is_some()),
        ("materials", step.materials.is_some()),
    ];
    for (name, _) in said.iter().filter(|(_, said)| *said) {
        report.wrong(&format!("{field}.{name}"), "is not said of the step that accepts the case");
    }
}

fn duty(step: &Step, field: &str, report: &mut Report) {
    if let Some(by) = step.by.filter(|by| !step.kind.may_be_done_by(*by)) {
        let (by, kind) = (in_json(&by), in_json(&step.kind));
        report.wrong(&format!("{field}.by"), format!("a step of kind `{kind}` is not done by `{by}`"));
    }
    let at_desk = step.kind.needs_department() && step.by.is_none_or(|by| by == DoneBy::Department);
    let levels = format!("{field}.levels");
    report.expect((1..=MAX_LEVELS).contains(&step.levels), &levels, "1 to 5");
    report.expect(step.levels < 2 || at_desk, &levels, "only what a department decides has levels");
    if let Some(period) = step.statutory {
        let good = (1..=MAX_STATUTORY).contains(&period.tenths);
        report.expect(good, &format!("{field}.statutory"), "1 to 36500 tenths of its unit");
    }
}

fn condition(bundle: &Bundle, step: &Step, field: &str, report: &mut Report) {
    let Some(rule) = &step.when else { return };
    let field = format!("{field}.when");
    let keys: Vec<String> = bundle.form.keys().map(str::to_owned).collect();
    match bundle.form.check_rule(rule) {
        Err(error) => report.wrong(&field, error.to_string()),
        Ok(()) if !rule.names_any(&keys) => report.wrong(&field, "depends on no field of the form"),
        Ok(()) => {}
    }
}

/// A field that reopens steps is one of the form, and each of the steps decides and needs it.
fn reopened(bundle: &Bundle, keys: &BTreeSet<&str>, report: &mut Report) {
    report.expect(bundle.reopened_by.len() <= MAX_NAMES, "reopened_by", "at most 200 fields");
    for (key, steps) in bundle.reopened_by.iter().take(MAX_NAMES) {
        let field = format!("reopened_by.{key}");
        if !keys.contains(key.as_str()) {
            report.wrong(&field, format!("the form has no field `{key}`"));
            continue;
        }
        report.expect(!steps.is_empty(), &field, "names no step");
        names(steps, &field, report, |id| match bundle.steps.iter().find(|step| step.id == id) {
            None => Some(format!("there is no step `{id}`")),
            Some(step) if !step.kind.needs_department() => Some(format!("`{id}` decides nothing")),
            Some(step) if !sees(step, key) => Some(format!("`{id}` does not see `{key}`")),
            Some(_) => None,
        });
    }
}

/// Each name stands once, not too many, and none is wrong.
fn names(list: &[String], field: &str, report: &mut Report, wrong: impl Fn(&str) -> Option<String>) {
    report.expect(list.len() <= MAX_NAMES, field, "at most 200 names");
    let mut seen = BTreeSet::new();
    for (at, name) in list.iter().enumerate().take(MAX_NAMES) {
        let reason =
            if seen.insert(name) { wrong(name) } else { Some(format!("`{}` stands twice", cut(name))) };
        if let Some(reason) = reason {
            report.wrong(&format!("{field}[{at}]"), cut(&reason));
        }
    }
}

/// A reason with a name from outside, short enough for an error.
fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}

fn in_json(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).ok();
    value.as_ref().and_then(|value| value.as_str()).unwrap_or_default().to_owned()
}
