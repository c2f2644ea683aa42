//! 办事进度: how far a case has come, for whoever proved to hold its slip.
//!
//! Never says how a step or a case ended: what was refused is over like what was passed, what falls away with it still comes
//! later, and of a case that is closed there are no steps. What people wrote is opened only for the token of the slip; four digits can be guessed.
use std::sync::Arc;

use domain::bundle::{DoneBy, StepKind};
use domain::case::{CaseView, StepState, StepView};
use domain::ids::EnvelopeId;
use domain::money::{Fen, RefundState, Why};
use domain::parcel::ParcelState;
use domain::wire::v1::SupplementRequest;

use super::catalogue::Volume;
use super::money::{self, BillRow};
use super::{Context, cases, citizen_cases, parcels};
use crate::error::ServiceError;
use crate::store::Tx;

/// How far a case has come.
pub struct Progress {
    /// Its steps, in the order of the plan, without the one that accepts: the mark says that. None once it is closed.
    pub steps: Vec<Stage>,
    /// What the citizen was told is missing, if it is the citizen's turn; without words for whoever has no token.
    pub request: Option<SupplementRequest>,
    /// Where its result is, for whoever has the token; none if it has none, or nothing is handed over.
    pub result: Option<parcels::Stored>,
    /// What was asked to be paid for it; only for whoever has the token.
    pub bills: Vec<Paying>,
    /// Until when it is to be decided, milliseconds since 1970; none where no time runs.
    pub due_ms: Option<i64>,
    /// The calendar does not know all the days until then (预计).
    pub expected: bool,
    /// The catalogue of the case, which has its names.
    pub volume: Option<Arc<Volume>>,
    /// The case.
    pub view: CaseView,
}

/// A bill with what goes back of it.
pub struct Paying {
    /// The bill.
    pub row: BillRow,
    /// What goes back, where each stands, and why.
    pub refunds: Vec<(Fen, RefundState, Why)>,
}

impl Paying {
    /// The bills of a case, the oldest first.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails.
    pub fn of_case(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Self>, ServiceError> {
        let mut bills = Vec::new();
        for row in money::of_case(tx, id)? {
            bills.push(Self { refunds: money::refunds_of(tx, &row.number)?, row });
        }
        Ok(bills)
    }
}

/// A step, as far as everybody may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// As in the plan.
    pub id: String,
    /// Where it stands.
    pub standing: Standing,
    /// Since when, milliseconds since 1970; none where nothing happened yet.
    pub since_ms: Option<i64>,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is over, however it ended.
    Over,
    /// An office is at it.
    Office,
    /// The post is at it.
    Post,
    /// The citizen has to add something.
    Supplement,
    /// The citizen has to pay.
    Payment,
    /// It comes later.
    Later,
}

impl Standing {
    /// The name used in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Office => "office",
            Self::Post => "post",
            Self::Supplement => "supplement",
            Self::Payment => "payment",
            Self::Later => "later",
        }
    }

    /// Whether the citizen has the next move.
    pub fn is_citizens(self) -> bool {
        matches!(self, Self::Supplement | Self::Payment)
    }
}

/// Reads how far a case has come; nothing while it has no plan. `with_words`: the caller has the token.
///
/// # Errors
/// [`ServiceError`] if the store fails, or a stored text does not open.
pub fn of(
    tx: &mut Tx<'_>,
    context: &Context,
    id: &EnvelopeId,
    with_words: bool,
) -> Result<Option<Progress>, ServiceError> {
    let (row, view) = cases::current(tx, id)?;
    if view.plan.is_empty() {
        return Ok(None);
    }
    let mut request = citizen_cases::request(tx, (&row, &view))?;
    if let Some(request) = request.as_mut().filter(|_| with_words) {
        request.words = citizen_cases::words(tx, context, (&row, &view))?;
    }
    let result = if with_words { parcels::of_case(tx, id)?.pop() } else { None };
    Ok(Some(Progress {
        result: result.filter(is_told),
        bills: if with_words { Paying::of_case(tx, id)? } else { Vec::new() },
        steps: if row.state.is_open() {
            view.steps.iter().filter_map(|step| stage(&view, step)).collect()
        } else {
            Vec::new()
        },
        request,
        due_ms: row.due_ms.filter(|_| row.state.is_open() && !row.standing),
        expected: row.due_expected,
        volume: context.shelf.get(tx, row.catalogue_version)?,
        view,
    }))
}

/// Whether anybody is told where a parcel is: not while it is called back, but what was made anew since.
fn is_told(stored: &parcels::Stored) -> bool {
    use ParcelState::{AtWindow, Packed, PickedUp, ToPack, Withdrawn};
    let anew = matches!(stored.parcel.state, ToPack | Packed | AtWindow | PickedUp);
    stored.parcel.state != Withdrawn && (anew || !stored.parcel.recalled)
}

/// A step for everybody; none of one that accepts, or that is not needed. One that fell away because another was refused
/// is told from one that waits by nobody.
fn stage(view: &CaseView, step: &StepView) -> Option<Stage> {
    let planned = view.plan.step(&step.id)?;
    if planned.kind == StepKind::Accept {
        return None;
    }
    let standing = match (step.state, planned.done_by()) {
        (StepState::Skipped, _) => return None,
        (StepState::Passed | StepState::Refused, _) => Standing::Over,
        (StepState::Waiting | StepState::Blocked, _) => Standing::Later,
        (StepState::Supplement, _) => Standing::Supplement,
        _ if view.open_bill(&step.id).is_some() => Standing::Payment,
        (StepState::Ready | StepState::Taken | StepState::Consulting, by) => match by {
            DoneBy::Applicant => Standing::Payment,
            DoneBy::Post => Standing::Post,
            DoneBy::Department | DoneBy::System => Standing::Office,
        },
    };
    let since_ms = (standing != Standing::Later && step.since_ms > 0).then_some(step.since_ms);
    Some(Stage { id: step.id.clone(), standing, since_ms })
}
