//! What follows from how the steps of a case stand: with what it ends, which steps are done again because an answer
//! changed, and which are needed no longer, or now.
//!
//! Refuses to change anything: it gives actions, and the fold says whether they fit.
use super::action::Action;
use super::plan::FailPolicy;
use super::step::{StepState, StepView};
use super::view::CaseView;
use super::{CaseState, Outcome};
use crate::bundle::{Bundle, StepKind};
use crate::expr::Expr;

impl CaseView {
    /// With what the case is to be completed, because nothing is left to be done; none while something is.
    ///
    /// A refused step whose policy says so refuses the whole; otherwise all steps must have ended, and what was passed
    /// is granted. The refusal of a step that stops nothing and grants nothing counts for nothing, and where only a check
    /// was passed nothing was granted.
    pub fn outcome_of_steps(&self) -> Option<Outcome> {
        if self.state != CaseState::Accepted || self.steps.is_empty() {
            return None;
        }
        let refused = |step: &StepView| step.state == StepState::Refused;
        if self.steps.iter().any(|step| refused(step) && self.policy(&step.id) == FailPolicy::All) {
            return Some(Outcome::Refused);
        }
        if self.steps.iter().any(|step| step.state.is_open()) {
            return None;
        }
        let is = |step: &StepView, what: fn(StepKind) -> bool| {
            self.plan.step(&step.id).is_some_and(|planned| what(planned.kind))
        };
        let harmless =
            |step: &StepView| self.policy(&step.id) == FailPolicy::Alone && !is(step, StepKind::grants);
        let missing =
            |step: &StepView| step.state == StepState::Blocked || (refused(step) && !harmless(step));
        // A plan of before, that says nothing of who does its steps, was completed by the rule of then: it counted checks.
        let authored = self.plan.steps().iter().any(|planned| planned.by.is_some());
        let counts = if authored { StepKind::grants } else { StepKind::needs_department };
        let passed = |step: &StepView| step.state == StepState::Passed && is(step, counts);
        Some(match (self.steps.iter().any(missing), self.steps.iter().any(passed)) {
            (false, _) => Outcome::Granted,
            (true, true) => Outcome::PartlyGranted,
            (true, false) => Outcome::Refused,
        })
    }

    /// When it was decided: the moment at which the last of the departments' steps was passed or refused. What comes after
    /// (paying in, posting, telling) is no deciding any more. None while one of them is open, and for what ended without
    /// a decision.
    pub fn decided_at_ms(&self) -> Option<i64> {
        let decided = match (self.state, self.outcome) {
            (CaseState::Accepted, _) => true,
            (CaseState::Completed, outcome) => {
                !matches!(outcome, Some(Outcome::Declined | Outcome::Withdrawn | Outcome::Terminated))
            }
            _ => false,
        };
        if !decided || self.accepted_at_ms.is_none() {
            return None;
        }
        if self.steps.is_empty() {
            return (self.state == CaseState::Completed).then_some(self.changed_at_ms);
        }
        let theirs = |step: &&StepView| {
            self.plan.step(&step.id).is_some_and(|planned| planned.kind.needs_department())
        };
        if self.steps.iter().filter(theirs).any(|step| step.state.is_open()) {
            return None;
        }
        let ended = |step: &&StepView| matches!(step.state, StepState::Passed | StepState::Refused);
        self.steps.iter().filter(theirs).filter(ended).map(|step| step.since_ms).max()
    }

    /// What the refusal of a step does to the others.
    pub(super) fn policy(&self, step: &str) -> FailPolicy {
        self.plan.step(step).map(|planned| planned.fail).unwrap_or_default()
    }

    /// The next step that is to be done again: a supplement changed a field after it, or one of its levels, had decided
    /// on it. None once all are open.
    pub fn to_reopen(&self) -> Option<Action> {
        if self.state != CaseState::Accepted {
            return None;
        }
        self.steps.iter().find_map(|step| {
            let decided = matches!(step.state, StepState::Passed | StepState::Refused)
                || (step.state.is_workable() && !step.passed_by.is_empty());
            let planned = self.plan.step(&step.id).filter(|_| decided)?;
            let later = self.supplements.iter().filter(|came| came.version > step.decided_version);
            let field = later.flat_map(|came| &came.keys).find(|key| planned.reopened_by.contains(*key))?;
            Some(Action::Reopened { step: step.id.clone(), field: field.clone() })
        })
    }

    /// What becomes of the steps with a condition now that these answers changed: one that is open and whose condition
    /// no longer holds is not needed; one that was not needed and whose condition holds now is to be done. What was
    /// decided stays.
    pub fn switched(
        &self,
        bundle: &Bundle,
        changed: &[String],
        holds: &dyn Fn(&Expr) -> bool,
    ) -> Vec<Action> {
        let action = |planned: &crate::bundle::Step| {
            let rule = planned.when.as_ref()?;
            let field = changed.iter().find(|key| rule.names_any(std::slice::from_ref(*key)))?;
            let step = self.step(&planned.id)?;
            match (step.state, holds(rule)) {
                (StepState::Skipped, true) => {
                    Some(Action::Reopened { step: step.id.clone(), field: field.clone() })
                }
                (state, false) if state.is_open() => Some(Action::Skipped { step: step.id.clone() }),
                _ => None,
            }
        };
        bundle.steps.iter().filter_map(action).collect()
    }
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
