//! 自动审批 at the centre: which step of which case is judged by which version of a rule set, when, and what came of it.
//!
//! What a case is judged by is noted when it is opened and stays. Refuses to decide anything by itself: `domain::rules`
//! does, and whatever it does not approve a person decides.
mod facts;
mod judge;
mod looks;
pub mod names;
mod replaying;
pub mod rule_sets;

use std::sync::Arc;

use domain::bundle::StepKind;
use domain::case::{Action, CaseState, CaseView, StepState, StepView};
use domain::ids::{EnvelopeId, ItemCode};
use domain::rules::{Outcome, Reason, RuleSet};

pub use facts::{Judgement, SealedFacts, of_action};
pub use judge::{Done, Judged, Matter, give_up, put_off, read, write};
pub use looks::{Answered, Consent, Look, of_case as looks_of_case};
pub use replaying::{Checked, any_judged, last_facts, unconfirmed};

use super::cases::Actor;
use super::catalogue::Shelf;
use crate::error::ServiceError;
use crate::store::{Row, StoreError, Tx};

/// The actor of what a machine approves.
pub const AUTOMATIC: &str = "automatic";
/// As it stands in the store.
pub const BY_MACHINE: Actor<'static> =
    Actor { id: AUTOMATIC, role: AUTOMATIC, on_behalf_of: None, click: None };
/// Steps of one case that are read, at most.
const MAX_STEPS: u64 = domain::case::MAX_STEPS as u64;

/// How far it has come with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is judged when its turn comes, or once more when a source answers.
    Waiting,
    /// 转人工: a person decides.
    Person,
    /// 准予.
    Approved,
    /// Somebody was quicker, or the case ended.
    Over,
}

impl Progress {
    /// All.
    pub const ALL: [Progress; 4] = [Self::Waiting, Self::Person, Self::Approved, Self::Over];

    /// The name in the store and in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Person => "person",
            Self::Approved => "approved",
            Self::Over => "over",
        }
    }
}

/// A step that is judged by rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Automatic {
    /// The step.
    pub step: String,
    /// The version of its rule set.
    pub set_version: u64,
    /// How far it has come.
    pub progress: Progress,
    /// How often a source was waited for.
    pub tries: u64,
    /// How often a turn failed.
    pub failures: u64,
    /// When its turn comes, milliseconds since 1970.
    pub next_ms: i64,
    /// Until when sources are waited for, milliseconds since 1970; 0 before its first turn.
    pub until_ms: i64,
    /// Why a person decides.
    pub reasons: Vec<Reason>,
}

const COLUMNS: &str = "step, set_version, state, tries, next_ms, until_ms, reasons, failures";

/// Notes by which rule sets the steps of a case that was just opened are judged: those that are in force now.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn note_opened(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (id, item): (&EnvelopeId, Option<&ItemCode>),
    action: &Action,
) -> Result<(), StoreError> {
    let (Action::Submitted { plan }, Some(item)) = (action, item) else { return Ok(()) };
    for (step, version) in rule_sets::in_force(tx, item)? {
        // Nobody could ever act there: what a desk accepts, and what no plan has.
        if plan.step(&step).is_none_or(|planned| planned.kind == StepKind::Accept) {
            continue;
        }
        tx.execute(
            "INSERT INTO automatic (envelope_id, step, set_version, state, tries, failures, next_ms, until_ms, reasons)
             VALUES ($1, $2, $3, 'waiting', 0, 0, $4, 0, '[]')
             ON CONFLICT (envelope_id, step) DO UPDATE SET set_version = $3, state = 'waiting', tries = 0,
                 failures = 0, next_ms = $4, until_ms = 0, reasons = '[]'",
            &[id.to_string().into(), step.as_str().into(), version.into(), now_ms.into()],
        )?;
    }
    Ok(())
}

/// What was decided on an answer that changed is judged again; a case that ends gives back the name that it wanted.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn follow(
    tx: &mut Tx<'_>,
    now_ms: i64,
    id: &EnvelopeId,
    (action, view): (&Action, &CaseView),
) -> Result<(), StoreError> {
    if let Action::Passed { step, .. } = action
        && view.step(step).is_some_and(|step| step.state == StepState::Passed)
        && of_case(tx, id)?.iter().any(|automatic| automatic.step == *step)
    {
        names::register(tx, id, true)?;
    }
    if let Action::Reopened { .. } = action {
        for step in view.steps.iter().filter(|step| step.state.is_open() && step.passed_by.is_empty()) {
            let again = tx.execute(
                "UPDATE automatic SET state = 'waiting', tries = 0, failures = 0, next_ms = $3, until_ms = 0,
                     reasons = '[]'
                 WHERE envelope_id = $1 AND step = $2 AND state <> 'waiting'",
                &[id.to_string().into(), step.id.as_str().into(), now_ms.into()],
            )?;
            if again > 0 {
                names::register(tx, id, false)?;
            }
        }
    }
    if matches!(view.state, CaseState::Completed | CaseState::Returned) {
        tx.execute(
            "UPDATE automatic SET state = 'over' WHERE envelope_id = $1 AND state = 'waiting'",
            &[id.to_string().into()],
        )?;
        names::give_back(tx, id, view.outcome)?;
    }
    Ok(())
}

/// Steps whose turn has come, the oldest first; also one of which a clock that was ahead said that it comes much later
/// than any pause is long.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn due(tx: &mut Tx<'_>, now_ms: i64, limit: u64) -> Result<Vec<(EnvelopeId, String)>, StoreError> {
    let rows = tx.query(
        "SELECT envelope_id, step FROM automatic WHERE state = 'waiting' AND (next_ms <= $1 OR next_ms > $2)
         ORDER BY next_ms LIMIT $3",
        &[now_ms.into(), now_ms.saturating_add(judge::FAR_MS).into(), limit.into()],
    )?;
    rows.iter().map(|row| Ok((row.parsed(0)?, row.text(1)?.to_owned()))).collect()
}

/// All steps of a case that are judged by rules.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn of_case(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Automatic>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM automatic WHERE envelope_id = $1 ORDER BY step LIMIT $2");
    let rows = tx.query(&sql, &[id.to_string().into(), MAX_STEPS.into()])?;
    rows.iter().map(automatic).collect()
}

/// As [`of_case`], each with its rule set.
///
/// # Errors
/// [`ServiceError`] if a rule set cannot be read, or the store fails.
pub fn with_sets(
    tx: &mut Tx<'_>,
    id: &EnvelopeId,
    item: Option<&ItemCode>,
) -> Result<Vec<(Automatic, Arc<RuleSet>)>, ServiceError> {
    let (all, Some(item)) = (of_case(tx, id)?, item) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for automatic in all {
        let set = rule_sets::get(tx, (item, &automatic.step, automatic.set_version))?;
        found.extend(set.map(|set| (automatic, set)));
    }
    Ok(found)
}

fn automatic(row: &Row) -> Result<Automatic, StoreError> {
    let wrong = || StoreError::Stored { what: "automatic" };
    let progress = Progress::ALL.into_iter().find(|p| Some(p.as_str()) == row.text(2).ok());
    Ok(Automatic {
        step: row.text(0)?.to_owned(),
        set_version: row.uint(1)?,
        progress: progress.ok_or_else(wrong)?,
        tries: row.uint(3)?,
        next_ms: row.int(4)?,
        until_ms: row.int(5)?,
        reasons: serde_json::from_str(row.text(6)?).map_err(|_| wrong())?,
        failures: row.uint(7)?,
    })
}

/// Whether a machine may act on a step now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Now,
    /// Something comes before it, or the citizen has the next move.
    Later,
    /// A person has it, or it is done.
    Gone,
}

fn turn(view: &CaseView, id: &str) -> Turn {
    let (Some(step), Some(planned)) = (view.step(id), view.plan.step(id)) else { return Turn::Gone };
    if !view.state.is_open() || !step.passed_by.is_empty() || planned.statutory.is_some() {
        return Turn::Gone;
    }
    // Approving accepts as well: nobody has what the desk accepts, and the citizen is asked for nothing.
    let is_accept = |id: &str| view.plan.step(id).is_some_and(|planned| planned.kind == StepKind::Accept);
    let is_free = |step: &StepView| step.state.is_workable() && step.holder.is_none();
    let submitted = view.state == CaseState::Submitted;
    let acceptable =
        view.asked.is_empty() && view.steps.iter().filter(|step| is_accept(&step.id)).all(is_free);
    // What a desk accepts by itself a machine may accept: nothing else may stand before the step.
    let only_accepting = || submitted && acceptable && planned.depends.iter().all(|on| is_accept(on));
    match step.state {
        StepState::Ready if step.holder.is_none() && submitted && !acceptable => Turn::Later,
        StepState::Ready if step.holder.is_none() => Turn::Now,
        StepState::Waiting if only_accepting() => Turn::Now,
        StepState::Waiting | StepState::Supplement => Turn::Later,
        _ => Turn::Gone,
    }
}

/// The reasons of an outcome for people; of one that approves none.
pub fn reasons(outcome: &Outcome, over: bool) -> Vec<Reason> {
    let outcome = if over { outcome.clone().without_waiting() } else { outcome.clone() };
    match outcome {
        Outcome::Manual { mut reasons } => {
            // That nothing approves says something only where nothing else was said.
            if reasons.len() > 1 {
                reasons.retain(|reason| *reason != Reason::NothingApproves);
            }
            reasons
        }
        _ => Vec::new(),
    }
}

/// The policy in force.
fn policy(tx: &mut Tx<'_>, shelf: &Shelf) -> Result<domain::catalogue::ApprovalPolicy, ServiceError> {
    Ok(shelf.newest(tx)?.map(|newest| newest.catalogue.policies.approval).unwrap_or_default())
}
