//! 审批: what people at a desk do to a case. One click is one action, whoever clicks how often; who may is judged by
//! role, unit and what the fold says; what follows by itself follows in the same transaction.
//!
//! Refuses what somebody has not seen: each click says which version of the step, or of the case, stood on the page.
use domain::bundle::{DoneBy, StepKind};
use domain::case::{Action, CaseView, Outcome, Recorded, StepState, StepView, Want};
use domain::deadline::{Clock, Deadline, OfficeHours};
use domain::envelope::Digest;
use domain::ids::{EnvelopeId, UnitId};
use domain::money::Fen;
use rand_core::CryptoRng;

use super::case_text::{self, SealedText};
use super::cases::{self, Actor, BY_CENTRE, CaseRow};
use super::catalogue::Shelf;
use super::sessions::Caller;
use super::{Context, case_key, money, parcels, results};
use crate::auth::role::Role;
use crate::error::{ProblemCode, ServiceError};
use crate::store::Tx;

/// Things that one notice may ask for, at most.
pub const MAX_WANTS: usize = 40;
/// Working days that a citizen may be given for a supplement, at most.
pub const MAX_SUPPLEMENT_DAYS: u16 = 60;
/// Longest name of a click.
const MAX_CLICK: usize = 64;

/// What somebody does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Deed {
    /// 受理
    Accept,
    /// 不予受理
    Decline,
    /// 签收
    Take { step: String },
    /// 放回
    Release { step: String },
    /// 分派, by a leader.
    Assign { step: String, to: String },
    /// 转办
    Transfer { step: String, unit: UnitId },
    /// 回避
    Recuse { step: String },
    /// 通过
    Pass { step: String },
    /// 不予, with the place of the legal basis in the item's list.
    Refuse { step: String, basis: String },
    /// 退回补正
    AskSupplement { step: String, wants: Vec<Want>, days: u16 },
    /// 征询
    Consult { step: String, unit: UnitId },
    /// The opinion that was asked for.
    Answer { step: String },
    /// 开具缴费单, with the place of the legal basis in the item's list; the amount only where it is worked out.
    Bill { step: String, fen: Option<Fen>, basis: String },
    /// 取消缴费单: the one of the step that is open.
    CancelBill { step: String, bill: String },
    /// A note.
    Note { step: Option<String>, mentions: Vec<String> },
    /// 撤回, for the applicant who stands at the desk.
    Withdraw,
    /// 终止, by a leader.
    Terminate,
}

/// One click on a page.
#[derive(Debug, Clone, Copy)]
pub struct Click<'a> {
    /// The name that the page gave it.
    pub name: &'a str,
    /// The version of the step, or of the case where no step is meant, that stood on the page.
    pub seen: u64,
    /// What was written with it.
    pub text: &'a str,
}

impl Deed {
    /// The step that it is about.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::Take { step }
            | Self::Release { step }
            | Self::Assign { step, .. }
            | Self::Transfer { step, .. }
            | Self::Recuse { step }
            | Self::Pass { step }
            | Self::Refuse { step, .. }
            | Self::AskSupplement { step, .. }
            | Self::Consult { step, .. }
            | Self::Answer { step }
            | Self::Bill { step, .. }
            | Self::CancelBill { step, .. } => Some(step),
            Self::Note { step, .. } => step.as_deref(),
            Self::Accept | Self::Decline | Self::Withdraw | Self::Terminate => None,
        }
    }

    /// Whether nothing but words makes it understandable.
    pub fn needs_text(&self) -> bool {
        matches!(
            self,
            Self::Decline
                | Self::Refuse { .. }
                | Self::Transfer { .. }
                | Self::Consult { .. }
                | Self::Answer { .. }
                | Self::CancelBill { .. }
                | Self::Note { .. }
                | Self::Terminate
        )
    }

    /// The roles of which one is needed, before the unit is looked at.
    fn roles(&self, view: &CaseView) -> &'static [Role] {
        const DESK: &[Role] = &[Role::Clerk, Role::Reviewer, Role::Leader];
        const REVIEW: &[Role] = &[Role::Reviewer, Role::Leader];
        const LEAD: &[Role] = &[Role::Leader];
        // What is accepted, paid, posted and told is booked; nobody decides anything there.
        let at_desk = |step: &str| view.plan.step(step).is_some_and(|step| !step.kind.needs_department());
        match self {
            Self::Accept | Self::Decline | Self::Note { .. } | Self::Withdraw => DESK,
            Self::Assign { .. } | Self::Terminate => LEAD,
            // Whoever asks a second time did not ask for everything the first time.
            Self::AskSupplement { step, .. } if view.step(step).is_some_and(|step| step.rounds > 0) => LEAD,
            Self::Take { step } | Self::Release { step } | Self::AskSupplement { step, .. }
                if at_desk(step) =>
            {
                DESK
            }
            Self::Pass { step } if at_desk(step) => DESK,
            _ => REVIEW,
        }
    }
}

/// Does it; a click that was done already gives the case as it is.
///
/// # Errors
/// [`ServiceError`]: `case-changed` if the page was old or the deed does not fit any more, `role-needed`, `unit-needed`,
/// `too-early` for a period of the law, `malformed-request` without words where they are needed, or the store's.
pub fn perform(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    (caller, id): (&Caller, &EnvelopeId),
    (click, deed): (Click<'_>, &Deed),
) -> Result<CaseView, ServiceError> {
    let (row, view) = cases::current(tx, id)?;
    let name = click_name(caller, click.name)?;
    if let Some(done) = clicked(tx, &name)? {
        return if done == *id { Ok(view) } else { Err(ProblemCode::MalformedRequest.into()) };
    }
    may(caller, &view, deed)?;
    is_seen(&view, deed, click.seen)?;
    let text = case_text::clean(click.text)?;
    if text.is_none() && deed.needs_text() {
        return Err(ServiceError::refused(ProblemCode::MalformedRequest, "this needs a reason in words"));
    }
    if let Deed::Pass { step } = deed
        && let Some(end) =
            statutory_end(tx, context, &view, (step, now_ms))?.filter(|end| now_ms <= end.at_ms)
    {
        let detail = format!("the period of the law ends with {}", end.date);
        return Err(ServiceError::refused(ProblemCode::TooEarly, detail));
    }
    let sealed = match &text {
        Some(text) => {
            Some(SealedText::seal(&case_key::find(tx, id)?.open(&context.keys)?, id, text, &mut *rng)?)
        }
        None => None,
    };
    let mut action = action(deed, caller.account.as_str(), sealed.as_ref().map(SealedText::digest))?;
    money::prepare(tx, context, (now_ms, &mut *rng), (&row, &view), &mut action)?;
    let role = caller.roles.iter().find(|role| deed.roles(&view).contains(role)).map_or("", Role::as_str);
    let actor = Actor {
        id: caller.account.as_str(),
        role,
        on_behalf_of: caller.unit.as_ref().map(UnitId::as_str),
        click: Some(&name),
    };
    let carries_text = action.text().is_some();
    let view = cases::add(tx, &context.shelf, now_ms, (&row, view), (actor, action))?;
    if let Some(sealed) = sealed.filter(|_| carries_text) {
        sealed.write(tx, id, view.version)?;
    }
    if let Deed::Pass { step } = deed {
        results::issue_granted(tx, context, (now_ms, rng), (&row, &view), (step, actor.id))?;
    }
    follow(tx, context, now_ms, (&row, view))
}

/// Passes a step for a machine that approves it, with all that comes of it: its certificate, the steps behind it, the end
/// of the case. A machine has no other deed: whatever it does not pass is for people.
///
/// # Errors
/// [`ServiceError`]: `too-early` for a period of the law, `case-changed` if the step cannot be passed, or the store's.
pub fn grant(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    (row, view): (&CaseRow, CaseView),
    (step, actor): (&str, Actor<'_>),
) -> Result<CaseView, ServiceError> {
    if statutory_end(tx, context, &view, (step, now_ms))?.is_some_and(|end| now_ms <= end.at_ms) {
        return Err(ProblemCode::TooEarly.into());
    }
    let action = Action::Passed { step: step.to_owned(), by: actor.id.to_owned(), text: None };
    let view = cases::add(tx, &context.shelf, now_ms, (row, view), (actor, action))?;
    results::issue_granted(tx, context, (now_ms, rng), (row, &view), (step, actor.id))?;
    follow(tx, context, now_ms, (row, view))
}

/// What follows by itself: steps that decided on an answer that changed are done again, steps by which a system only
/// tells somebody are done, a case of which nothing is left is completed, and what it gives is to be handed over.
///
/// # Errors
/// As [`cases::add`] and [`parcels::prepare`].
pub fn follow(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    (row, view): (&CaseRow, CaseView),
) -> Result<CaseView, ServiceError> {
    let view = follow_steps(tx, &context.shelf, now_ms, (row, view))?;
    if parcels::prepare(tx, context, now_ms, (row, &view))? {
        return Ok(cases::current(tx, &row.envelope_id)?.1);
    }
    Ok(view)
}

fn follow_steps(
    tx: &mut Tx<'_>,
    shelf: &Shelf,
    now_ms: i64,
    (row, mut view): (&CaseRow, CaseView),
) -> Result<CaseView, ServiceError> {
    let tells = |view: &CaseView| {
        let open = |step: &&StepView| step.state == StepState::Ready && view.accepted_at_ms.is_some();
        let by_itself = |step: &&StepView| {
            view.plan.step(&step.id).is_some_and(|planned| {
                let told = planned.kind == StepKind::Notify && planned.done_by() == DoneBy::System;
                told && planned.statutory.is_none()
            })
        };
        view.steps.iter().filter(open).find(by_itself).map(|step| step.id.clone())
    };
    while let Some(action) = view.to_reopen() {
        view = cases::add(tx, shelf, now_ms, (row, view), (BY_CENTRE, action))?;
    }
    while let Some(step) = tells(&view) {
        let action = Action::Passed { step, by: cases::CENTRE.to_owned(), text: None };
        view = cases::add(tx, shelf, now_ms, (row, view), (BY_CENTRE, action))?;
    }
    match view.outcome_of_steps() {
        Some(outcome) => {
            let action = Action::Completed { outcome: Some(outcome), text: None };
            cases::add(tx, shelf, now_ms, (row, view), (BY_CENTRE, action))
        }
        None => Ok(view),
    }
}

/// Whether somebody may do this: the role, then the unit; and about money only whose work the step can be.
///
/// # Errors
/// `role-needed` or `unit-needed`; `case-changed` about a bill of a step that somebody else has, or that the caller must
/// not do.
pub fn may(caller: &Caller, view: &CaseView, deed: &Deed) -> Result<(), ServiceError> {
    if !caller.roles.has_any(deed.roles(view)) {
        return Err(ProblemCode::RoleNeeded.into());
    }
    let own = caller.unit.as_ref().ok_or(ProblemCode::UnitNeeded)?;
    let is_theirs = match deed {
        Deed::Answer { step } => view.step(step).and_then(|step| step.consulted.as_ref()) == Some(own),
        _ => match deed.step() {
            Some(step) => view.step(step).is_some_and(|step| view.books(own, step)),
            // A note may be written by every unit that has a part in the case.
            None if matches!(deed, Deed::Note { .. }) => view.steps.iter().any(|step| view.books(own, step)),
            None => view.accepting_unit() == Some(own),
        },
    };
    if !is_theirs {
        return Err(ProblemCode::UnitNeeded.into());
    }
    // An action about a bill names nobody: the fold cannot tell who recused himself, or whose work it is.
    let billed = match deed {
        Deed::Bill { step, .. } | Deed::CancelBill { step, .. } => view.step(step),
        _ => None,
    };
    let account = caller.account.as_str();
    let others = |step: &StepView| !step.may(account) || step.holder.as_deref().is_some_and(|h| h != account);
    if billed.is_some_and(others) { Err(ProblemCode::CaseChanged.into()) } else { Ok(()) }
}

/// Whether somebody may do this and it fits where the case stands now: what a page offers. Whether a period of the law
/// is over is not looked at, so that people hear until when they wait.
pub fn fits(caller: &Caller, view: &CaseView, deed: &Deed) -> bool {
    let Ok(action) = action(deed, caller.account.as_str(), Some(Digest::of(b""))) else { return false };
    let next = Recorded { version: view.version + 1, at_ms: view.changed_at_ms, action };
    may(caller, view, deed).is_ok() && view.clone().apply(&next).is_ok()
}

fn is_seen(view: &CaseView, deed: &Deed, seen: u64) -> Result<(), ServiceError> {
    let now = match deed {
        Deed::Note { .. } => return Ok(()),
        _ => match deed.step() {
            Some(step) => view.step(step).ok_or(ProblemCode::NotFound)?.version,
            None => view.version,
        },
    };
    if now == seen { Ok(()) } else { Err(cases::changed(view.version)) }
}

/// The end of the period of the law that must be over before a step is passed; none if it has none.
///
/// # Errors
/// [`ServiceError`]: `too-early` if there is no calendar to count it by, or the store's.
pub fn statutory_end(
    tx: &mut Tx<'_>,
    context: &Context,
    view: &CaseView,
    (step, now_ms): (&str, i64),
) -> Result<Option<Deadline>, ServiceError> {
    let Some(period) = view.plan.step(step).and_then(|step| step.statutory) else { return Ok(None) };
    let started_ms = view.step(step).and_then(|step| step.ready_at_ms).unwrap_or(now_ms);
    let newest = context.shelf.newest(tx)?.ok_or(ProblemCode::TooEarly)?;
    let clock = Clock { period, started_ms, pauses: &[] };
    Ok(Some(clock.deadline(now_ms, &newest.catalogue.calendar, OfficeHours::default())))
}

fn action(deed: &Deed, by: &str, text: Option<Digest>) -> Result<Action, ServiceError> {
    let (by, step) = (by.to_owned(), deed.step().unwrap_or_default().to_owned());
    Ok(match deed {
        Deed::Accept => Action::Accepted { deemed: false },
        Deed::Decline => Action::Completed { outcome: Some(Outcome::Declined), text },
        Deed::Withdraw => Action::Completed { outcome: Some(Outcome::Withdrawn), text },
        Deed::Terminate => Action::Completed { outcome: Some(Outcome::Terminated), text },
        Deed::Take { .. } => Action::Taken { step, holder: by },
        Deed::Release { .. } => Action::Released { step },
        Deed::Assign { to, .. } => Action::Assigned { step, holder: to.clone() },
        Deed::Transfer { unit, .. } => Action::Transferred { step, unit: unit.clone(), text },
        Deed::Recuse { .. } => Action::Recused { step, holder: by },
        Deed::Pass { .. } => Action::Passed { step, by, text },
        Deed::Refuse { basis, .. } => Action::Refused { step, by, basis: basis.clone(), text },
        Deed::AskSupplement { wants, days, .. } => {
            let sensible =
                !wants.is_empty() && wants.len() <= MAX_WANTS && (1..=MAX_SUPPLEMENT_DAYS).contains(days);
            if !sensible {
                return Err(ServiceError::refused(
                    ProblemCode::MalformedRequest,
                    format!(
                        "a notice asks for 1 to {MAX_WANTS} things within 1 to {MAX_SUPPLEMENT_DAYS} working days"
                    ),
                ));
            }
            Action::SupplementAsked { step, wants: wants.clone(), days: *days, text }
        }
        Deed::Consult { unit, .. } => Action::ConsultAsked { step, unit: unit.clone(), text },
        Deed::Answer { .. } => Action::ConsultAnswered { step, text },
        Deed::Bill { fen, basis, .. } => Action::Billed {
            step,
            // Number, amount and last moment: see `money::prepare`.
            bill: "-".to_owned(),
            fen: fen.unwrap_or_default(),
            basis: basis.clone(),
            due_ms: 0,
            text,
        },
        Deed::CancelBill { bill, .. } => Action::BillCancelled { step, bill: bill.clone(), text },
        Deed::Note { step, mentions } => Action::Noted {
            step: step.clone(),
            text: text.ok_or(ProblemCode::MalformedRequest)?,
            mentions: mentions.clone(),
        },
    })
}

/// The name of a click in the store: nobody's click is somebody else's.
fn click_name(caller: &Caller, name: &str) -> Result<String, ServiceError> {
    let plain = !name.is_empty()
        && name.len() <= MAX_CLICK
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !plain {
        return Err(ProblemCode::MalformedRequest.into());
    }
    Ok(format!("{}/{name}", caller.account))
}

/// Whether a click was done already, to this case: whoever clicks once more is told what became of the first one.
///
/// # Errors
/// [`ServiceError`] `malformed-request` for what is no name of a click, or the store's.
pub fn is_done(tx: &mut Tx<'_>, caller: &Caller, name: &str, id: &EnvelopeId) -> Result<bool, ServiceError> {
    let name = click_name(caller, name)?;
    Ok(clicked(tx, &name)? == Some(*id))
}

fn clicked(tx: &mut Tx<'_>, name: &str) -> Result<Option<EnvelopeId>, ServiceError> {
    let row = tx.query_first("SELECT envelope_id FROM action WHERE click = $1", &[name.into()])?;
    Ok(row.map(|row| row.parsed(0)).transpose()?)
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
