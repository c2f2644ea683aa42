//! The parcel of a case that gave something: made when its post step can begin, or when it ends; called back with what is
//! revoked.
use domain::bundle::StepKind;
use domain::case::{CaseState, CaseView, Outcome};
use domain::ids::EnvelopeId;
use domain::parcel::{Event, ParcelNo, ParcelState, Way};

use super::inside::{self, Sealed};
use super::{By, Stored, add, begin, of_case, recipient};
use crate::error::ServiceError;
use crate::services::cases::{CENTRE, CaseRow};
use crate::services::{Context, results};
use crate::store::Tx;

/// Makes the parcel of a case that has something to hand over and none on its way; does nothing otherwise.
///
/// # Errors
/// [`ServiceError`] if the content of the case does not open, or the store fails.
pub fn prepare(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    (row, view): (&CaseRow, &CaseView),
) -> Result<(), ServiceError> {
    let ended = view.state == CaseState::Completed
        && matches!(view.outcome, Some(Outcome::Granted | Outcome::PartlyGranted));
    if !ended && post_step(view).is_none() {
        return Ok(());
    }
    let issued = results::of_case(tx, &row.envelope_id)?;
    let good: Vec<_> = issued.iter().map(|s| &s.issued).filter(|issued| issued.revoked.is_none()).collect();
    let Some(newest_ms) = good.iter().map(|issued| issued.issued_at_ms).max() else { return Ok(()) };
    let before = of_case(tx, &row.envelope_id)?;
    if before.last().is_some_and(|last| is_open(last) || last.parcel.made_at_ms >= newest_ms) {
        return Ok(());
    }
    let place = u8::try_from(before.len() + 1).ok().and_then(|place| ParcelNo::of(&row.number, place));
    let (Some(number), Some(unit)) = (place, view.accepting_unit()) else { return Ok(()) };
    let Some((_, has_address)) = recipient(tx, context, (row, view))? else { return Ok(()) };
    let way = if has_address { Way::Post } else { Way::PickUp };
    begin(tx, now_ms, (&number, &row.envelope_id, unit), Event::Made { way })
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

/// A certificate of a case is no longer good: what is packed is opened, and where nothing good is left nothing is handed
/// over any more; what is on its way is called back.
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
        ParcelState::ToPack | ParcelState::AtWindow | ParcelState::Returned if left => return Ok(()),
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
