//! The parcel of a case that gave something: made when its post step can begin, or when it ends; called back with what is
//! revoked.
use domain::bundle::StepKind;
use domain::case::{CaseState, CaseView, Outcome};
use domain::ids::EnvelopeId;
use domain::parcel::{Event, ParcelNo, ParcelState, Way};

use super::hear::book;
use super::inside::{self, Sealed};
use super::{By, Stored, add, begin, of_case, recipient};
use crate::error::ServiceError;
use crate::services::Context;
use crate::services::cases::{CENTRE, CaseRow};
use crate::store::Tx;

/// Makes the parcel of a case that has something to hand over and none on its way; books the post step that could not be
/// done when its parcel arrived. Says whether the case went on by that.
///
/// # Errors
/// [`ServiceError`] if the content of the case does not open, or the store fails.
pub fn prepare(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    (row, view): (&CaseRow, &CaseView),
) -> Result<bool, ServiceError> {
    let ended = view.state == CaseState::Completed
        && matches!(view.outcome, Some(Outcome::Granted | Outcome::PartlyGranted));
    let step = post_step(view);
    if !ended && step.is_none() {
        return Ok(false);
    }
    let before = of_case(tx, &row.envelope_id)?;
    if before.last().is_some_and(is_open) {
        return Ok(false);
    }
    if inside::contents(tx, &row.envelope_id)?.is_empty() {
        // What could begin before the parcel arrived was posted with it.
        let began_ms = step.and_then(|step| view.step(&step)?.ready_at_ms);
        let received = before.last().filter(|last| last.parcel.state.is_received());
        let late =
            received.zip(began_ms).is_some_and(|(last, began_ms)| began_ms < last.parcel.changed_at_ms);
        return if late { book(tx, context, now_ms, &row.envelope_id) } else { Ok(false) };
    }
    let place = u8::try_from(before.len() + 1).ok().and_then(|place| ParcelNo::of(&row.number, place));
    let (Some(number), Some(unit)) = (place, view.accepting_unit()) else { return Ok(false) };
    let Some((_, has_address)) = recipient(tx, context, (row, view))? else { return Ok(false) };
    let way = if has_address { Way::Post } else { Way::PickUp };
    begin(tx, now_ms, (&number, &row.envelope_id, unit), Event::Made { way })?;
    Ok(false)
}

/// Whether something may still become of a parcel.
fn is_open(stored: &Stored) -> bool {
    !stored.parcel.state.is_received() && stored.parcel.state != ParcelState::Withdrawn
}

/// The step of a case by which something is posted, if it can be done now.
pub(super) fn post_step(view: &CaseView) -> Option<String> {
    let posts = |id: &str| view.plan.step(id).is_some_and(|step| step.kind == StepKind::Mail);
    let open = view.state == CaseState::Accepted;
    let step = view.steps.iter().find(|step| open && step.state.is_workable() && posts(&step.id))?;
    Some(step.id.clone())
}

/// A certificate of a case is no longer good: what is packed is opened, what waits changes, so that pages of before are
/// old, and where nothing good is left nothing is handed over any more; what is on its way is called back.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn certificate_revoked(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (id, by): (&EnvelopeId, &str),
) -> Result<(), ServiceError> {
    let Some(stored) = of_case(tx, id)?.pop() else { return Ok(()) };
    let left = !inside::contents(tx, id)?.is_empty();
    let event = match stored.parcel.state {
        ParcelState::ToPack | ParcelState::AtWindow | ParcelState::Returned if left => Event::Changed,
        ParcelState::Packed if left => Event::Opened,
        _ => Event::Recalled,
    };
    let mut tried = stored.parcel.clone();
    let next = domain::parcel::Happened { version: tried.version + 1, at_ms: now_ms, event: event.clone() };
    // What was taken is beyond reach, and what was called back is so already.
    if tried.apply(&next).is_ok() {
        let by = By { id: if by.is_empty() { CENTRE } else { by }, key: None };
        add(tx, now_ms, &stored, (by, event), (&Sealed::nothing(), None))?;
    }
    Ok(())
}
