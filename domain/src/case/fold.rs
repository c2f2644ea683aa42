//! The pure fold that turns actions into what a case is now.
//!
//! Refuses to skip versions or to leave the allowed edges; on an error the case is what it was. Knows no calendar: when
//! a case is due follows from [`CaseView::accepted_at_ms`] and [`CaseView::pauses`] by `deadline`.
use std::collections::BTreeSet;

use super::action::{Action, Recorded, Want};
use super::plan::{FailPolicy, Plan, PlannedStep};
use super::step::{StepState, StepView};
use super::view::{Asked, CaseView, SupplementView, Wanted};
use super::{BilledState, CaseState, Outcome, ReturnReason};
use crate::bundle::{DoneBy, StepKind};
use crate::deadline::Pause;
use crate::ids::EnvelopeId;

/// Actions that do not make a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// There is no action at all.
    #[error("a case has at least one action")]
    Empty,
    /// The first action is not that the case was received, or a later one is.
    #[error("a case begins with being received, once")]
    Beginning,
    /// A version is missing or stands twice.
    #[error("version {found} follows where {expected} should")]
    Version {
        /// What should have come.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// The state machine has no such edge.
    #[error("a case never moves from {from:?} to {to:?}")]
    Edge {
        /// Where the case stood.
        from: CaseState,
        /// Where the action would move it.
        to: CaseState,
    },
    /// The action does not fit where the case or its step stands.
    #[error("{action} does not fit a case that is {state:?}{}", step_words(*.step))]
    Misfit {
        /// Name of the action.
        action: &'static str,
        /// Where the case stood.
        state: CaseState,
        /// Where the step stood, if there is one with that id.
        step: Option<StepState>,
    },
}

fn step_words(step: Option<StepState>) -> String {
    step.map(|state| format!(", with a step that is {state:?}")).unwrap_or_default()
}

impl CaseView {
    /// The case that a first action makes.
    ///
    /// # Errors
    /// [`FoldError`] if it is not `Received` with version 1.
    pub fn begin(first: &Recorded) -> Result<Self, FoldError> {
        let Action::Received { number, slip_number } = &first.action else {
            return Err(FoldError::Beginning);
        };
        if first.version != 1 {
            return Err(FoldError::Version { expected: 1, found: first.version });
        }
        Ok(Self {
            number: number.clone(),
            slip_number: slip_number.clone(),
            state: CaseState::Received,
            version: 1,
            received_at_ms: first.at_ms,
            changed_at_ms: first.at_ms,
            reason: String::new(),
            plan: Plan::default(),
            steps: Vec::new(),
            accepted_at_ms: None,
            deemed: false,
            pauses: Vec::new(),
            asked: Vec::new(),
            supplement_due_ms: None,
            back_at_ms: None,
            wanted: Vec::new(),
            supplements: Vec::new(),
            bills: Vec::new(),
            warned: false,
            overdue: false,
            outcome: None,
            answerable: None,
        })
    }

    /// Adds one more action; on an error the case is what it was.
    ///
    /// # Errors
    /// [`FoldError`] for a wrong version, an edge that does not exist, or an action that does not fit.
    pub fn apply(&mut self, next: &Recorded) -> Result<(), FoldError> {
        if next.version != self.version + 1 {
            return Err(FoldError::Version { expected: self.version + 1, found: next.version });
        }
        let mut after = self.clone();
        after.version = next.version;
        // A note changes nothing: neither when a case was completed nor how long it is kept.
        if !matches!(next.action, Action::Noted { .. }) {
            after.changed_at_ms = next.at_ms;
        }
        let done = match next.action.state() {
            Some(CaseState::Received) => return Err(FoldError::Beginning),
            Some(to) if !self.state.allows(to) => return Err(FoldError::Edge { from: self.state, to }),
            Some(to) => {
                after.state = to;
                after.reason = next.action.reason();
                after.move_case(next)
            }
            None => after.move_step(next),
        };
        done.ok_or_else(|| self.misfit(&next.action))?;
        after.settle(self, next.at_ms);
        *self = after;
        Ok(())
    }

    fn misfit(&self, action: &Action) -> FoldError {
        let step = action.step().and_then(|id| self.step(id)).map(|step| step.state);
        FoldError::Misfit { action: action.name(), state: self.state, step }
    }

    /// An action that moves the whole case.
    fn move_case(&mut self, next: &Recorded) -> Option<()> {
        match &next.action {
            Action::Submitted { plan } => {
                self.steps = plan.steps().iter().map(StepView::new).collect();
                self.plan = plan.clone();
                // It was opened anew: what was asked for before belongs to steps that are no more.
                self.asked.clear();
                self.back_at_ms = None;
            }
            Action::Accepted { deemed } => {
                // What counts as accepted is accepted since its receipt.
                self.accepted_at_ms = Some(if *deemed { self.received_at_ms } else { next.at_ms });
                self.deemed = *deemed;
                // Nobody may accept while the citizen is asked for what is missing.
                if !self.asked.is_empty() {
                    return None;
                }
                for (step, planned) in self.steps.iter_mut().zip(self.plan.steps()) {
                    if planned.kind == StepKind::Accept {
                        step.hold(StepState::Passed, None);
                        step.decided_version = next.version;
                    }
                }
            }
            Action::Completed { outcome, .. } => return self.complete(*outcome),
            _ => {}
        }
        Some(())
    }

    fn complete(&mut self, outcome: Option<Outcome>) -> Option<()> {
        let was_accepted = self.accepted_at_ms.is_some();
        let fits = match outcome {
            None => self.steps.is_empty() && was_accepted,
            Some(Outcome::Declined) => !was_accepted,
            Some(Outcome::Withdrawn | Outcome::Terminated) => true,
            Some(outcome) => {
                let before = Self { state: CaseState::Accepted, ..self.clone() };
                was_accepted && (self.steps.is_empty() || before.outcome_of_steps() == Some(outcome))
            }
        };
        if !fits {
            return None;
        }
        self.outcome = outcome;
        self.asked.clear();
        for step in &mut self.steps {
            if step.state.is_open() {
                step.hold(StepState::Skipped, None);
            }
        }
        Some(())
    }

    /// An action that leaves the case where it is.
    fn move_step(&mut self, next: &Recorded) -> Option<()> {
        if let Action::Answerable { clerk, visit } = &next.action {
            return self.becomes_answerable(clerk, *visit);
        }
        if !self.state.is_open() {
            // A note may be written to whatever people look at.
            return matches!(next.action, Action::Noted { step: None, .. }).then_some(());
        }
        match &next.action {
            Action::SupplementSent { due_ms } => self.send_supplement(*due_ms),
            Action::SupplementReceived { envelope, keys, unfit } => {
                self.take_supplement(next, envelope, (keys, unfit));
                Some(())
            }
            Action::SupplementLapsed if self.asked.iter().any(|asked| asked.sent) => {
                self.end_supplement(next.at_ms, true, |_| true);
                Some(())
            }
            Action::Noted { step: None, .. } | Action::DueMoved { .. } => Some(()),
            Action::Escalated { over } if self.state == CaseState::Accepted => self.escalate(*over),
            Action::Billed { .. }
            | Action::BillPaid { .. }
            | Action::BillLapsed { .. }
            | Action::BillCancelled { .. } => self.move_bill(next),
            _ => self.move_one(next),
        }
    }

    fn move_one(&mut self, next: &Recorded) -> Option<()> {
        let id = next.action.step()?;
        let accepted = self.state == CaseState::Accepted;
        // Nothing was decided yet that could be reopened; what was not needed may become so.
        let decides = matches!(
            next.action,
            Action::Passed { .. } | Action::Refused { .. } | Action::ConsultAsked { .. }
        );
        if decides && !accepted {
            return None;
        }
        // What is to be paid for is not done before: the bill is paid, lapsed or cancelled first.
        if matches!(next.action, Action::Passed { .. }) && self.open_bill(id).is_some() {
            return None;
        }
        let levels = self.plan.step(id)?.levels;
        let step = self.steps.iter_mut().find(|step| step.id == id)?;
        if !step.go_on(&next.action, levels) {
            return None;
        }
        // Neither a note nor what a machine says is a reason to look again before acting.
        if !matches!(next.action, Action::Noted { .. } | Action::Judged { .. }) {
            step.version = next.version;
        }
        if matches!(next.action, Action::Passed { .. } | Action::Refused { .. }) {
            step.decided_version = next.version;
        }
        match &next.action {
            Action::SupplementAsked { step, days, wants, .. } => {
                let version = next.version;
                let wanted = |want: &Want| Wanted { step: step.clone(), key: want.key.clone(), version };
                self.wanted.extend(wants.iter().map(wanted));
                self.asked.push(Asked {
                    step: step.clone(),
                    at_ms: next.at_ms,
                    version: next.version,
                    days: *days,
                    sent: false,
                    due_ms: None,
                });
            }
            Action::Reopened { step, .. } => self.reopen_after(step),
            Action::Skipped { step } => self.asked.retain(|asked| asked.step != *step),
            _ => {}
        }
        Some(())
    }

    /// What comes after a reopened step is done again as well; what was never needed stays so.
    fn reopen_after(&mut self, id: &str) {
        let followers = self.plan.followers(id);
        for step in self.steps.iter_mut().filter(|step| followers.contains(step.id.as_str())) {
            if step.state != StepState::Skipped {
                step.again();
            }
        }
        self.asked.retain(|asked| !followers.contains(asked.step.as_str()));
    }

    fn send_supplement(&mut self, due_ms: i64) -> Option<()> {
        if self.asked.iter().all(|asked| asked.sent) {
            return None;
        }
        for asked in self.asked.iter_mut().filter(|asked| !asked.sent) {
            (asked.sent, asked.due_ms) = (true, Some(due_ms));
        }
        Some(())
    }

    /// Each is told once; that it comes near no more once it is over.
    fn escalate(&mut self, over: bool) -> Option<()> {
        if self.overdue || (!over && self.warned) {
            return None;
        }
        *(if over { &mut self.overdue } else { &mut self.warned }) = true;
        Some(())
    }

    /// What came answers the steps that asked for some of it, fit or not; the others go on waiting for theirs. One that
    /// comes unasked, or late, is only noted.
    fn take_supplement(
        &mut self,
        next: &Recorded,
        envelope: &EnvelopeId,
        (keys, unfit): (&[String], &[ReturnReason]),
    ) {
        let (envelope, at_ms, version) = (*envelope, next.at_ms, next.version);
        self.supplements.push(SupplementView { envelope, at_ms, version, keys: keys.to_vec() });
        let came = |wanted: &Wanted| {
            keys.iter().chain(unfit.iter().map(|reason| &reason.field)).any(|key| wanted.is(key))
        };
        // What was asked for in a round of before was answered then.
        let wanted = self.wanted.iter().filter(|wanted| came(wanted));
        let answered: BTreeSet<u64> = wanted.map(|wanted| wanted.version).collect();
        self.end_supplement(at_ms, false, |asked| answered.contains(&asked.version));
        if !keys.is_empty() {
            // Nobody acts on answers that he has not seen.
            for step in self.steps.iter_mut().filter(|step| step.state.is_open()) {
                step.version = version;
            }
        }
    }

    /// The citizen's turn is over for these steps, if a notice went out.
    fn end_supplement(&mut self, at_ms: i64, lapsed: bool, ends: impl Fn(&Asked) -> bool) {
        let (over, rest): (Vec<_>, Vec<_>) =
            self.asked.drain(..).partition(|asked| asked.sent && ends(asked));
        if !over.is_empty() {
            self.back_at_ms = Some(at_ms);
        }
        self.asked = rest;
        for step in &mut self.steps {
            if step.state == StepState::Supplement && over.iter().any(|asked| asked.step == step.id) {
                step.come_back(lapsed);
            }
        }
    }

    /// What follows by itself: steps that may begin, steps that never will, the clock. Notes which steps changed.
    fn settle(&mut self, before: &Self, at_ms: i64) {
        let accepted = self.state == CaseState::Accepted;
        if accepted || self.state == CaseState::Submitted {
            self.let_begin(accepted);
        }
        for step in &mut self.steps {
            let old = before.step(&step.id);
            if old.is_none_or(|old| old.state != step.state || old.unit != step.unit) {
                step.version = self.version;
                step.since_ms = at_ms;
                if step.state == StepState::Ready {
                    step.ready_at_ms = step.ready_at_ms.or(Some(at_ms));
                }
            }
        }
        self.end_bills();
        // One notice, one last moment: the longest of those that still wait.
        self.supplement_due_ms = self.asked.iter().filter_map(|asked| asked.due_ms).max();
        self.keep_time(at_ms);
    }

    fn let_begin(&mut self, accepted: bool) {
        let desk = self.plan.has_desk();
        for index in 0..self.steps.len() {
            let (Some(step), Some(planned)) = (self.steps.get(index), self.plan.steps().get(index)) else {
                return;
            };
            if step.state != StepState::Waiting {
                continue;
            }
            let before = || planned.depends.iter().filter_map(|id| self.step(id));
            let refused = |step: &StepView| step.state == StepState::Refused;
            let alone = |step: &StepView| refused(step) && self.policy(&step.id) == FailPolicy::Alone;
            let stops = |step: &StepView| step.state == StepState::Blocked || (refused(step) && !alone(step));
            let next = if before().any(stops) {
                StepState::Blocked
            } else if before().all(|step| step.state.lets_on() || alone(step))
                && (accepted || !desk || planned.kind == StepKind::Accept)
            {
                StepState::Ready
            } else {
                continue;
            };
            let paid = next == StepState::Ready && self.is_paid_in(&planned.id);
            if let Some(step) = self.steps.get_mut(index) {
                step.state = if paid { StepState::Passed } else { next };
            }
        }
    }

    /// The clock stands while the citizen has the next move: a supplement that was told, something to be paid or done.
    fn keep_time(&mut self, at_ms: i64) {
        if self.accepted_at_ms.is_none() {
            return;
        }
        let theirs = |step: &StepView| {
            let by = self.plan.step(&step.id).map(PlannedStep::done_by);
            step.state.is_workable() && by == Some(DoneBy::Applicant)
        };
        let open = self.state == CaseState::Accepted;
        let pays = self.bills.iter().any(|bill| bill.state == BilledState::Open);
        let told = self.asked.iter().any(|asked| asked.sent);
        let stands = open && (told || pays || self.steps.iter().any(theirs));
        match (self.pauses.last_mut().filter(|pause| pause.until_ms.is_none()), stands) {
            (None, true) => self.pauses.push(Pause { from_ms: at_ms, until_ms: None }),
            (Some(pause), false) => pause.until_ms = Some(at_ms),
            _ => {}
        }
    }
}

/// Folds the actions of one case, oldest first.
///
/// # Errors
/// [`FoldError`] if they do not make a case.
pub fn fold<'a>(actions: impl IntoIterator<Item = &'a Recorded>) -> Result<CaseView, FoldError> {
    let mut actions = actions.into_iter();
    let mut view = CaseView::begin(actions.next().ok_or(FoldError::Empty)?)?;
    actions.try_for_each(|a| view.apply(a))?;
    Ok(view)
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
