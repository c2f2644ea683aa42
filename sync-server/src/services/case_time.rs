//! 时限 of one case: which time runs, and when it ends by the calendar that is in force now.
//!
//! Nothing but the projection is stored: the end follows from the fold, the period that the named catalogue version
//! promises, and the calendar of the newest version, so that a holiday that is announced late moves it.
use domain::case::{CaseState, CaseView};
use domain::catalogue::Entry;
use domain::deadline::{Clock, OfficeHours, deemed_accepted_on};
use domain::item::Period;

use super::cases::CaseRow;
use super::catalogue::Shelf;
use crate::error::ServiceError;
use crate::store::Tx;

/// The time that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Time {
    /// Its last moment, milliseconds since 1970; none if no time runs, or nothing is known of it.
    pub due_ms: Option<i64>,
    /// The calendar does not know all the days until then.
    pub expected: bool,
    /// It stands still: the citizen has the next move.
    pub standing: bool,
}

/// The time of a case: until it is accepted the time for a notice of what is missing, then the promised one.
///
/// # Errors
/// [`ServiceError`] if a catalogue version cannot be read.
pub fn of(
    tx: &mut Tx<'_>,
    shelf: &Shelf,
    row: &CaseRow,
    view: &CaseView,
    now_ms: i64,
) -> Result<Time, ServiceError> {
    if !matches!(view.state, CaseState::Submitted | CaseState::Accepted) {
        return Ok(Time::default());
    }
    let Some(newest) = shelf.newest(tx)? else { return Ok(Time::default()) };
    let calendar = &newest.catalogue.calendar;
    let told = view.asked.iter().any(|asked| asked.sent);
    let Some(started_ms) = view.accepted_at_ms else {
        if told {
            return Ok(Time { due_ms: view.supplement_due_ms, expected: false, standing: true });
        }
        let end = deemed_accepted_on(view.received_at_ms, calendar);
        return Ok(Time { due_ms: Some(end.at_ms), expected: end.expected, standing: false });
    };
    let Some(period) = promised(tx, shelf, row)? else { return Ok(Time::default()) };
    let clock = Clock { period, started_ms, pauses: &view.pauses };
    let end = clock.deadline(now_ms, calendar, OfficeHours::default());
    Ok(Time { due_ms: Some(end.at_ms), expected: end.expected, standing: end.standing })
}

/// The time that the catalogue version of a case promises for it.
///
/// # Errors
/// As [`of`].
pub fn promised(tx: &mut Tx<'_>, shelf: &Shelf, row: &CaseRow) -> Result<Option<Period>, ServiceError> {
    let volume = shelf.get(tx, row.catalogue_version)?;
    let entry = volume.as_deref().zip(row.item.as_ref()).and_then(|(v, code)| v.catalogue.entry(code));
    Ok(entry.map(|entry| match entry {
        Entry::Item(item) => item.promised,
        Entry::Bundle(bundle) => bundle.promised,
    }))
}
