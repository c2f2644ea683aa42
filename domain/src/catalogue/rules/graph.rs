//! Step graphs of bundles: who does a step, and what is left of the graph under every combination of answers.
use std::collections::BTreeSet;

use super::duties;
use crate::bundle::Bundle;
use crate::catalogue::parse::Report;
use crate::catalogue::{Catalogue, Entry, Rule};
use crate::situation::{Question, SituationAnswers, resolve};

/// The most combinations of answers of one bundle.
const MAX_COMBINATIONS: usize = 4_096;

pub(super) fn check(bundle: &Bundle, catalogue: &Catalogue, report: &mut Report) {
    steps(bundle, report);
    members(bundle, catalogue, report);
    switches(bundle, report);
    combinations(bundle, catalogue, report);
}

/// A step is done by one of the bundle's departments, and for an item that is a member.
fn steps(bundle: &Bundle, report: &mut Report) {
    for (at, step) in bundle.steps.iter().enumerate() {
        if step.kind.needs_department() && !bundle.departments.contains(&step.department) {
            let reason = format!("unsatisfied: `{}` is none of the bundle's departments", step.department);
            report.wrong(&format!("steps[{at}].department"), reason);
        }
        if let Some(item) = step.item.as_ref().filter(|item| !bundle.members.contains(item)) {
            let reason = format!("unsatisfied: `{item}` is no member of the bundle");
            report.wrong(&format!("steps[{at}].item"), reason);
        }
    }
}

/// Some step is for each member: it names it, or the member's department does it.
fn members(bundle: &Bundle, catalogue: &Catalogue, report: &mut Report) {
    for (at, code) in bundle.members.iter().enumerate() {
        let Some(item) = catalogue.items.get(code) else { continue };
        let field = format!("members[{at}]");
        let served = bundle
            .steps
            .iter()
            .any(|step| step.item.as_ref().map_or(step.department == item.department, |i| i == code));
        if !served {
            let reason = format!("no step is for `{code}` or done by `{}`", item.department);
            report.warn(Rule::MemberWithoutStep, &field, reason);
        }
        if item.withdrawn.is_some() {
            report.warn(Rule::StillOffered, &field, format!("`{code}` is withdrawn"));
        }
    }
}

/// Each switched step is known, is switched by one question, and can be on; the accepting step is never switched.
fn switches(bundle: &Bundle, report: &mut Report) {
    let first = bundle.steps.first().map(|step| step.id.as_str());
    let mut owners: BTreeSet<&str> = BTreeSet::new();
    for (at, question) in bundle.situations.questions.iter().enumerate() {
        let field = format!("situations.questions[{at}]");
        for id in &question.controls {
            let wrong =
                |report: &mut Report, reason: String| report.wrong(&format!("{field}.controls"), reason);
            if !bundle.steps.iter().any(|step| step.id == *id) {
                wrong(report, format!("there is no step `{id}`"));
            } else if Some(id.as_str()) == first {
                wrong(report, format!("`{id}` accepts the case and is never switched"));
            } else if !question.options.iter().any(|option| option.nodes_on.contains(id)) {
                wrong(report, format!("unreachable: no option switches `{id}` on"));
            }
            if !owners.insert(id) {
                wrong(report, format!("another question switches `{id}` already"));
            }
        }
        options(question, &field, report);
    }
}

/// An option switches only what its question controls, and decides all of it.
fn options(question: &Question, field: &str, report: &mut Report) {
    let controls: BTreeSet<&String> = question.controls.iter().collect();
    for (at, option) in question.options.iter().enumerate() {
        let field = format!("{field}.options[{at}]");
        let on: BTreeSet<&String> = option.nodes_on.iter().collect();
        let off: BTreeSet<&String> = option.nodes_off.iter().collect();
        if let Some(id) = on.intersection(&off).next() {
            report.wrong(&field, format!("switches `{id}` on and off"));
        }
        let decided: BTreeSet<&String> = on.union(&off).copied().collect();
        if let Some(id) = decided.difference(&controls).next() {
            report.wrong(&field, format!("switches `{id}`, which its question does not control"));
        }
        let decides = question.multi || option.ends_with.is_some();
        if let Some(id) = controls.difference(&decided).next().filter(|_| !decides) {
            report.wrong(&field, format!("does not decide `{id}`"));
        }
    }
}

/// Whatever is answered, the case is accepted first, every other step waits for something, and if nothing is left
/// to do there are words for it.
fn combinations(bundle: &Bundle, catalogue: &Catalogue, report: &mut Report) {
    let field = "situations.questions";
    let Some(all) = answers(&bundle.situations.questions) else {
        report.wrong(field, format!("more than {MAX_COMBINATIONS} combinations of answers"));
        return;
    };
    for answers in all {
        duties::condition_on_all((bundle, catalogue), &answers, report);
        let said = || format!("with {answers:?}");
        let resolution = resolve(catalogue, Entry::Bundle(bundle), &answers);
        let ids: Vec<&str> = resolution.steps.iter().map(|on| on.step.id.as_str()).collect();
        if ids.first().copied() != bundle.steps.first().map(|step| step.id.as_str()) {
            report.wrong(field, format!("the accepting step is off {}", said()));
        }
        if ids.len() < 2 && bundle.situations.if_nothing_left.is_none() {
            let reason = format!("must say what is so if nothing is left {}", said());
            report.wrong("situations.if_nothing_left", reason);
        }
        let loose = |on: &&crate::situation::ActiveStep<'_>| {
            on.depends.is_empty() || on.depends.iter().any(|id| !ids.contains(id))
        };
        if let Some(on) = resolution.steps.iter().skip(1).find(loose) {
            report.wrong(field, format!("unreachable: `{}` hangs loose {}", on.step.id, said()));
        }
    }
}

/// Every combination of answers that does not end the matter: one option of each question, or any of a question
/// with several. `None` if there are too many.
pub fn answers(questions: &[Question]) -> Option<Vec<SituationAnswers>> {
    let mut all = vec![SituationAnswers::new()];
    for question in questions {
        let ids: Vec<&String> =
            question.options.iter().filter(|option| option.ends_with.is_none()).map(|o| &o.id).collect();
        if ids.is_empty() {
            continue;
        }
        let choices: Vec<BTreeSet<String>> = if question.multi {
            let bits = u32::try_from(ids.len()).ok().filter(|bits| *bits <= 12)?;
            let chosen = |set: u32| ids.iter().enumerate().filter(move |(at, _)| set & (1 << at) != 0);
            // None of them is an answer too.
            (0..1_u32 << bits).map(|set| chosen(set).map(|(_, id)| (*id).clone()).collect()).collect()
        } else {
            ids.iter().map(|id| BTreeSet::from([(*id).clone()])).collect()
        };
        if all.len().checked_mul(choices.len()).is_none_or(|count| count > MAX_COMBINATIONS) {
            return None;
        }
        let with = |answers: &SituationAnswers, choice: &BTreeSet<String>| {
            let mut answers = answers.clone();
            answers.insert(question.id.clone(), choice.clone());
            answers
        };
        all = all.iter().flat_map(|answers| choices.iter().map(|choice| with(answers, choice))).collect();
    }
    Some(all)
}
