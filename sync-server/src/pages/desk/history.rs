//! 经过: what happened to a case in words, the newest first.
use domain::case::{Action, StepState};
use domain::rules::OutcomeKind;

use super::gathered::Gathered;
use super::{W, state_badge};
use crate::pages::{called, view};
use crate::services::approval::AUTOMATIC;
use crate::services::case_story::{Story, Told};
use crate::services::cases::CENTRE;

/// One thing that happened.
pub struct Entry {
    /// Name of its glyph.
    pub glyph: &'static str,
    /// What happened.
    pub word: String,
    /// What exactly.
    pub notes: Vec<String>,
    /// What was written with it.
    pub said: Option<String>,
    /// Who did it, and when.
    pub by: String,
}

/// All of a case.
pub fn all(of: &Gathered) -> Vec<Entry> {
    of.story.told.iter().rev().map(|told| entry(of, told)).collect()
}

/// What happened since a version, in words, for whoever saw that one; a step's own and what is about the whole case.
pub fn since(of: &Gathered, seen: u64, step: Option<&str>) -> Vec<String> {
    let told = of.story.told.iter().filter(|told| told.recorded.version > seen);
    let told = told.filter(|told| match (told.recorded.action.step(), step) {
        (Some(about), Some(step)) => about == step,
        _ => true,
    });
    told.map(|told| {
        let entry = entry(of, told);
        format!("{} · {}", entry.word, entry.by)
    })
    .collect()
}

fn entry(of: &Gathered, told: &Told) -> Entry {
    let action = &told.recorded.action;
    let word = W.of("action", action.name());
    let word = match action.step() {
        Some(step) => W.fill("desk.of_step", &[("what", &word), ("step", &of.step_name(step))]),
        None => word,
    };
    let who = who(&of.story, told);
    Entry {
        glyph: glyph(action),
        word,
        notes: notes(of, action),
        said: told.text.clone(),
        by: format!("{who} · {}", view::time(told.recorded.at_ms, of.now_ms)),
    }
}

/// Who did it, and as what.
pub fn who(story: &Story, told: &Told) -> String {
    let who = person(story, &told.actor);
    let staff =
        told.role != CENTRE && told.role != AUTOMATIC && told.role != "terminal" && !told.role.is_empty();
    if staff {
        W.fill("desk.who_as", &[("who", who), ("role", &W.of("role", &told.role))])
    } else {
        who.to_owned()
    }
}

/// The name of whoever did something: an account, a terminal, or the centre by itself.
pub fn person<'a>(story: &'a Story, id: &'a str) -> &'a str {
    match id {
        CENTRE => W.t("case.centre"),
        AUTOMATIC => W.t("approval.machine"),
        id => story.name(id),
    }
}

/// The glyph of what happened.
pub fn glyph(action: &Action) -> &'static str {
    match action {
        Action::Taken { .. } | Action::Assigned { .. } => state_badge(StepState::Taken).glyph,
        Action::SupplementAsked { .. } | Action::SupplementSent { .. } => "undo",
        Action::Returned { .. } | Action::Escalated { .. } | Action::SupplementLapsed => "warn",
        Action::BillLapsed { .. } => "warn",
        Action::BillPaid { .. } => "ok",
        Action::Refused { .. } | Action::Quarantined { .. } => "bad",
        Action::Noted { .. } | Action::Billed { .. } | Action::BillCancelled { .. } => "doc",
        Action::Passed { .. } | Action::Accepted { .. } | Action::Completed { .. } => "ok",
        Action::Received { .. } | Action::Submitted { .. } | Action::SupplementReceived { .. } => "ok",
        Action::Answerable { .. } => "user",
        _ => "run",
    }
}

fn notes(of: &Gathered, action: &Action) -> Vec<String> {
    let name = |id: &str| of.story.name(id).to_owned();
    match action {
        Action::Answerable { visit, .. } => vec![W.of("visit_kind", visit.as_str())],
        Action::Assigned { holder, .. } | Action::Recused { holder, .. } => vec![name(holder)],
        Action::Transferred { unit, .. } | Action::ConsultAsked { unit, .. } => {
            vec![W.fill("desk.to_unit", &[("unit", unit.as_str())])]
        }
        Action::SupplementAsked { wants, days, .. } => {
            let wants = wants.iter().map(|want| {
                let flaw = W.of("desk_flaw", want.flaw.as_str());
                W.fill("action.field", &[("field", &wanted(of, &want.key)), ("kind", &flaw)])
            });
            wants.chain([W.number("desk.within", days)]).collect()
        }
        Action::SupplementSent { due_ms } => {
            vec![W.fill("desk.until", &[("time", &super::time::moment(*due_ms, of.now_ms))])]
        }
        Action::SupplementReceived { keys, unfit, .. } => {
            let came = keys.iter().map(|key| wanted(of, key));
            let unfit = unfit.iter().map(|reason| {
                let kind = W.of("field_error", &reason.kind);
                W.fill("desk.unfit", &[("field", &wanted(of, &reason.field)), ("kind", &kind)])
            });
            came.chain(unfit).collect()
        }
        Action::Refused { step, basis, .. } => {
            let bases = of.bases(step);
            let basis = basis.parse::<usize>().ok().and_then(|at| bases.get(at).cloned());
            basis.map(|basis| W.fill("desk.by_basis", &[("basis", &basis)])).into_iter().collect()
        }
        Action::Billed { fen, basis, due_ms, .. } => {
            let until = super::time::moment(*due_ms, of.now_ms);
            let yuan = fen.to_string();
            vec![
                W.fill("desk.billed", &[("yuan", &yuan), ("time", &until)]),
                W.fill("desk.by_basis", &[("basis", basis)]),
            ]
        }
        Action::Reopened { field, .. } => vec![wanted(of, field)],
        Action::Noted { mentions, .. } => {
            mentions.iter().map(|id| W.fill("desk.mentions", &[("who", of.story.name(id))])).collect()
        }
        Action::Judged { decision, over, .. } => {
            let kind = match decision.outcome.kind() {
                OutcomeKind::Approve => "approve",
                OutcomeKind::NeedsFacts if !over => "needs_facts",
                OutcomeKind::ManualRefusalProposed => "refusal_proposed",
                OutcomeKind::NeedsFacts | OutcomeKind::Manual => "manual",
            };
            let version = decision.set.version.to_string();
            vec![W.fill(
                "approval.came",
                &[("outcome", &W.of("approval_outcome", kind)), ("version", &version)],
            )]
        }
        Action::DueMoved { from_ms, to_ms } => {
            let moment = |ms: i64| super::time::moment(ms, of.now_ms);
            vec![W.fill("desk.moved", &[("from", &moment(*from_ms)), ("to", &moment(*to_ms))])]
        }
        Action::Escalated { over } => {
            vec![W.t(if *over { "desk.escalated_over" } else { "desk.escalated_soon" }).to_owned()]
        }
        Action::Accepted { deemed: true } => vec![W.t("desk.deemed").to_owned()],
        Action::Completed { outcome: Some(outcome), .. } => vec![W.of("desk_outcome", outcome.as_str())],
        _ => Vec::new(),
    }
}

/// What a key of a notice stands for: a material or a field.
pub fn wanted(of: &Gathered, key: &str) -> String {
    called::want(W, of.entry(), key)
}
