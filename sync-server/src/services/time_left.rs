//! 剩余时间 of a case at a moment: how urgent it is and how long there still is, from its fold and the newest calendar.
//! The rows of `case_` say until when; this says it in the words of a list.
use domain::case::CaseView;
use domain::deadline::{Deadline, OfficeHours, TimeLeft, Urgency};

use super::case_time;
use super::cases::CaseRow;
use super::catalogue::Shelf;
use crate::error::ServiceError;
use crate::store::Tx;

/// The time that runs for a case, as it looks now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// How it is marked.
    pub urgency: Urgency,
    /// How long there still is.
    pub left: TimeLeft,
    /// When it ends.
    pub end: Deadline,
    /// The citizen has until then for a supplement, milliseconds since 1970.
    pub supplement_due_ms: Option<i64>,
}

/// The time of a case; none where none runs, or nothing is known of it.
///
/// # Errors
/// [`ServiceError`] if a catalogue version cannot be read.
pub fn of(
    tx: &mut Tx<'_>,
    shelf: &Shelf,
    (row, view): (&CaseRow, &CaseView),
    now_ms: i64,
) -> Result<Option<Running>, ServiceError> {
    if !case_time::runs(view) {
        return Ok(None);
    }
    let Some(newest) = shelf.newest(tx)? else { return Ok(None) };
    let (calendar, hours) = (&newest.catalogue.calendar, OfficeHours::default());
    let told = case_time::is_told(view);
    let period = case_time::promised(tx, shelf, row)?;
    let Some(clock) = case_time::clock(period, view) else { return Ok(None) };
    let end = clock.deadline(now_ms, calendar, hours);
    let standing = end.standing || (view.accepted_at_ms.is_none() && told);
    let used = clock.used_permille(now_ms, calendar, hours);
    let urgency = match view.accepted_at_ms {
        // A notice that was given is in time, however long the citizen takes.
        None if told => Urgency::Standing,
        _ => Urgency::of(used, standing),
    };
    let left = clock.left(now_ms, calendar, hours);
    let supplement_due_ms = view.supplement_due_ms.filter(|_| told);
    Ok(Some(Running { urgency, left, end: Deadline { standing, ..end }, supplement_due_ms }))
}
