//! What the fold of a case gives. Only data: the fold says how it comes about.
use super::plan::Plan;
use super::step::StepView;
use super::{Answerable, Billed, CaseState, Outcome};
use crate::bundle::{DoneBy, StepKind};
use crate::deadline::Pause;
use crate::ids::{CaseNo, EnvelopeId, UnitId};

/// What a case is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseView {
    /// Its number.
    pub number: CaseNo,
    /// The number on the slip, if it is another one.
    pub slip_number: Option<CaseNo>,
    /// Where it stands.
    pub state: CaseState,
    /// How many actions made it.
    pub version: u64,
    /// When it was received, milliseconds since 1970.
    pub received_at_ms: i64,
    /// When it last changed, milliseconds since 1970.
    pub changed_at_ms: i64,
    /// Short reason of the present state (`series_fork`, or `field:kind` of the first error); empty if none.
    pub reason: String,
    /// What is to be done; empty before it was opened, and in cases of before there were plans.
    pub plan: Plan,
    /// How far each step has come, in the order of the plan.
    pub steps: Vec<StepView>,
    /// Since when the clock runs, milliseconds since 1970.
    pub accepted_at_ms: Option<i64>,
    /// It counts as accepted because nobody looked at it in time.
    pub deemed: bool,
    /// When the clock stood since then; at most the last one is open.
    pub pauses: Vec<Pause>,
    /// Supplements that were asked for and did not come yet.
    pub asked: Vec<Asked>,
    /// Last moment for the supplement that the citizen was told of, milliseconds since 1970.
    pub supplement_due_ms: Option<i64>,
    /// When the citizen's last turn ended, with a supplement or without, milliseconds since 1970; none if there was none.
    pub back_at_ms: Option<i64>,
    /// All that was ever asked for, in the order of asking.
    pub wanted: Vec<Wanted>,
    /// Supplements that came, oldest first.
    pub supplements: Vec<SupplementView>,
    /// What was asked to be paid for it, in the order of asking.
    pub bills: Vec<Billed>,
    /// It was told that the last day comes near.
    pub warned: bool,
    /// It was told that the last day is over.
    pub overdue: bool,
    /// With what it was completed.
    pub outcome: Option<Outcome>,
    /// Who opened it at a window; none if it came from a terminal.
    pub answerable: Option<Answerable>,
}

impl CaseView {
    /// The unit that accepts the case: the desk of its plan, or whoever does its first step.
    pub fn accepting_unit(&self) -> Option<&UnitId> {
        let desk = self.plan.steps().iter().find(|step| step.kind == StepKind::Accept);
        let first = desk.or_else(|| self.plan.steps().first())?;
        self.step(&first.id).map(|step| &step.unit)
    }

    /// The unit in whose inbox a step stands: its own, if a department does it. What the citizen, the post or a system does
    /// is booked by the unit that accepts the case, as long as nobody else tells of it.
    pub fn booking_unit<'v>(&'v self, step: &'v StepView) -> &'v UnitId {
        let by_others =
            self.plan.step(&step.id).is_some_and(|planned| planned.done_by() != DoneBy::Department);
        self.accepting_unit().filter(|_| by_others).unwrap_or(&step.unit)
    }

    /// Whether a unit's people may book what happens at a step: the step's own, and the one in whose inbox it stands.
    pub fn books(&self, unit: &UnitId, step: &StepView) -> bool {
        step.unit == *unit || self.booking_unit(step) == unit
    }

    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<&StepView> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Whether the clock stands: the citizen has the next move.
    pub fn is_standing(&self) -> bool {
        self.pauses.last().is_some_and(|pause| pause.until_ms.is_none())
    }
}

/// A supplement that was asked for and did not come yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// For which step.
    pub step: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Version of the action that has the list.
    pub version: u64,
    /// Working days that the citizen has.
    pub days: u16,
    /// The notice went out.
    pub sent: bool,
    /// Until when the citizen has time, milliseconds since 1970; none before the notice went out.
    pub due_ms: Option<i64>,
}

/// Something that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// For which step.
    pub step: String,
    /// Key of a field or material ([`super::Want::key`]).
    pub key: String,
    /// Version of the action that asked for it.
    pub version: u64,
}

impl Wanted {
    /// Whether an answer under this key is what was asked for. A field in a row is answered with all rows of its group.
    pub fn is(&self, key: &str) -> bool {
        self.key == key || self.key.split_once('[').is_some_and(|(rows, _)| rows == key)
    }
}

/// A supplement that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplementView {
    /// The envelope that brought it.
    pub envelope: EnvelopeId,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Version of the case after it.
    pub version: u64,
    /// Keys of what it brought.
    pub keys: Vec<String>,
}
