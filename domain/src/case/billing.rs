//! 缴费 in a case: which bills its steps asked for, and what becomes of them by what becomes of the case.
//!
//! A step has at most one bill that is open or paid. Refuses to know payments and refunds: the bill itself does
//! ([`crate::money`]).
use super::CaseState;
use super::action::{Action, Recorded};
use super::plan::PlannedStep;
use super::step::{StepState, StepView};
use super::view::CaseView;
use crate::bundle::StepKind;
use crate::money::{BillState, Fen};

/// Bills of one case, at most.
const MAX_BILLS: usize = 100;
/// The longest number of a bill, in bytes.
const MAX_NUMBER: usize = 40;
/// The actor of what follows by itself.
const BY_ITSELF: &str = "centre";

/// Where a bill stands for its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BilledState {
    /// It waits to be paid; the clock stands.
    Open,
    /// It was paid.
    Paid,
    /// Its time is over.
    Lapsed,
    /// It is not asked for any more: the office took it back, or the step or the case ended.
    Cancelled,
    /// It was paid, and what was paid for does not happen: all of it goes back.
    GivenBack,
}

impl BilledState {
    /// The state that the bill itself must be in.
    pub fn of_bill(self) -> BillState {
        match self {
            Self::Open => BillState::Open,
            Self::Paid => BillState::Paid,
            Self::Lapsed => BillState::Lapsed,
            Self::Cancelled => BillState::Cancelled,
            Self::GivenBack => BillState::GivenBack,
        }
    }
}

/// A bill as its case knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billed {
    /// Its number.
    pub bill: String,
    /// The step that asked for it.
    pub step: String,
    /// How much.
    pub fen: Fen,
    /// On what ground of the law.
    pub basis: String,
    /// Last moment to pay, milliseconds since 1970.
    pub due_ms: i64,
    /// Where it stands.
    pub state: BilledState,
}

impl CaseView {
    /// The bill of a step that waits to be paid.
    pub fn open_bill(&self, step: &str) -> Option<&Billed> {
        self.bills.iter().find(|bill| bill.step == step && bill.state == BilledState::Open)
    }

    /// Whether a step may ask for money: something can be done there, and nothing was asked for that still counts.
    pub fn may_bill(&self, step: &str) -> bool {
        let counts = |bill: &Billed| matches!(bill.state, BilledState::Open | BilledState::Paid);
        let asked = self.bills.iter().any(|bill| bill.step == step && counts(bill));
        let workable = self.step(step).is_some_and(|step| step.state.is_workable());
        self.state == CaseState::Accepted && workable && !asked && self.bills.len() < MAX_BILLS
    }

    /// An action about a bill.
    pub(super) fn move_bill(&mut self, next: &Recorded) -> Option<()> {
        let id = next.action.step()?;
        match &next.action {
            Action::Billed { bill, fen, basis, due_ms, .. } => {
                let new = !bill.is_empty()
                    && bill.len() <= MAX_NUMBER
                    && self.bills.iter().all(|other| other.bill != *bill);
                if !new || fen.is_nothing() || !self.may_bill(id) {
                    return None;
                }
                let (bill, step, basis) = (bill.clone(), id.to_owned(), basis.clone());
                let (fen, due_ms, state) = (*fen, *due_ms, BilledState::Open);
                self.bills.push(Billed { bill, step, fen, basis, due_ms, state });
            }
            Action::BillPaid { bill, .. } => {
                let late = self.still_wants(bill);
                self.bill_mut((bill, id), |state| state == BilledState::Open || late)?.state =
                    BilledState::Paid;
                self.pay_in(id, next.version);
            }
            Action::BillLapsed { bill, .. } => {
                self.bill_mut((bill, id), |state| state == BilledState::Open)?.state = BilledState::Lapsed;
            }
            Action::BillCancelled { bill, .. } => {
                self.bill_mut((bill, id), |state| state == BilledState::Open)?.state = BilledState::Cancelled;
            }
            _ => return None,
        }
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == id) {
            step.version = next.version;
        }
        Some(())
    }

    fn bill_mut(
        &mut self,
        (bill, step): (&str, &str),
        is: impl Fn(BilledState) -> bool,
    ) -> Option<&mut Billed> {
        self.bills.iter_mut().find(|b| b.bill == bill && b.step == step && is(b.state))
    }

    /// Whether the case still waits for the money of a bill that lapsed: only where nothing goes on without it, at a step
    /// by which the citizen pays, and nobody asked again.
    pub fn still_wants(&self, bill: &str) -> bool {
        let lapsed = self.bills.iter().find(|b| b.bill == bill && b.state == BilledState::Lapsed);
        lapsed.is_some_and(|bill| self.is_pay_step(&bill.step) && self.may_bill(&bill.step))
    }

    /// Whether a step by which the citizen pays was paid already: it is done again for another reason.
    pub(super) fn is_paid_in(&self, step: &str) -> bool {
        let paid = |bill: &Billed| bill.step == step && bill.state == BilledState::Paid;
        self.is_pay_step(step) && self.bills.iter().any(paid)
    }

    fn is_pay_step(&self, step: &str) -> bool {
        self.plan.step(step).is_some_and(|planned| planned.kind == StepKind::Pay)
    }

    /// A step by which the citizen pays is done once it is paid.
    fn pay_in(&mut self, id: &str, version: u64) {
        if !self.is_pay_step(id) {
            return;
        }
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == id && step.state.is_workable()) {
            step.passed_by.push(BY_ITSELF.to_owned());
            step.hold(StepState::Passed, None);
            step.decided_version = version;
        }
    }

    /// What becomes of bills by what became of their steps and of the case: nobody pays for a step that is over, and what
    /// was paid for something that does not happen goes back.
    pub(super) fn end_bills(&mut self) {
        for place in 0..self.bills.len() {
            let Some(bill) = self.bills.get(place) else { return };
            let state = match bill.state {
                BilledState::Open if !self.is_asking(&bill.step) => BilledState::Cancelled,
                BilledState::Paid if self.is_in_vain(&bill.step) => BilledState::GivenBack,
                state => state,
            };
            if let Some(bill) = self.bills.get_mut(place) {
                bill.state = state;
            }
        }
    }

    fn is_asking(&self, step: &str) -> bool {
        let at = |step: &StepView| step.state.is_open() && step.state != StepState::Waiting;
        self.state == CaseState::Accepted && self.step(step).is_some_and(at)
    }

    /// Whether what was paid for at a step is over without having happened: the step itself, or, where the step is the
    /// paying, what departments do behind it.
    fn is_in_vain(&self, id: &str) -> bool {
        let behind = self.plan.followers(id);
        let by_department = |planned: &&PlannedStep| planned.kind.needs_department();
        let paid_for: Vec<&StepView> = if self.is_pay_step(id) {
            let planned = self.plan.steps().iter().filter(by_department);
            let planned = planned.filter(|planned| behind.contains(planned.id.as_str()));
            planned.filter_map(|planned| self.step(&planned.id)).collect()
        } else {
            self.step(id).into_iter().collect()
        };
        let happened = |step: &&StepView| step.state == StepState::Passed;
        let over = |step: &&StepView| !step.state.is_open();
        !paid_for.is_empty() && !paid_for.iter().any(happened) && paid_for.iter().all(over)
    }
}
