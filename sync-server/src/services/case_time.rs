//! 时限 of one case: which time runs, and when it ends by the calendar that is in force now.
//!
//! Here is also said when the clock has something to do for a case next, so that nobody looks at the others.
//!
//! Nothing but the projection is stored: the end follows from the fold, the period that the named catalogue version
//! promises, and the calendar of the newest version, so that a holiday that is announced late moves it.
use domain::case::CaseView;
use domain::catalogue::{Catalogue, Entry};
use domain::deadline::{Clock, NOTICE, OfficeHours};
use domain::ids::ItemCode;
use domain::item::Period;

use super::cases::CaseRow;
use super::catalogue::Shelf;
use crate::error::ServiceError;
use crate::store::Tx;

const MINUTE_MS: i64 = 60 * 1_000;

/// The time that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Time {
    /// Its last moment, milliseconds since 1970; none if no time runs, or nothing is known of it.
    pub due_ms: Option<i64>,
    /// The calendar does not know all the days until then.
    pub expected: bool,
    /// It stands still: the citizen has the next move.
    pub standing: bool,
    /// When something follows from the clock alone, milliseconds since 1970; none if nothing does.
    pub wake_ms: Option<i64>,
}

/// What follows from the clock alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The notice with all that was asked for goes out.
    Notice,
    /// The time for the supplement is over.
    Lapse,
    /// Nobody said in time what is missing.
    Deemed,
    /// The last day comes near.
    Soon,
    /// The last day is over.
    Over,
}

/// The time of a case by the newest catalogue, as it looked at its newest action.
///
/// # Errors
/// [`ServiceError`] if a catalogue version cannot be read.
pub fn of(tx: &mut Tx<'_>, shelf: &Shelf, row: &CaseRow, view: &CaseView) -> Result<Time, ServiceError> {
    if !runs(view) {
        return Ok(Time::default());
    }
    let Some(newest) = shelf.newest(tx)? else { return Ok(Time::default()) };
    Ok(by(&newest.catalogue, promised(tx, shelf, row)?, view))
}

/// Whether any time can run.
pub fn runs(view: &CaseView) -> bool {
    view.state.is_open()
}

/// The time of a case by the calendar and the policies of a catalogue: until it is accepted the time for a notice of what
/// is missing, or what the citizen has for it, then the promised one.
pub fn by(catalogue: &Catalogue, period: Option<Period>, view: &CaseView) -> Time {
    if !runs(view) {
        return Time::default();
    }
    let wake_ms = next(catalogue, period, view).map(|(at_ms, _)| at_ms);
    if view.accepted_at_ms.is_none() && is_told(view) {
        return Time { due_ms: view.supplement_due_ms, expected: false, standing: true, wake_ms };
    }
    let Some(clock) = clock(period, view) else { return Time { wake_ms, ..Time::default() } };
    let end = clock.deadline(view.changed_at_ms, &catalogue.calendar, OfficeHours::default());
    Time { due_ms: Some(end.at_ms), expected: end.expected, standing: end.standing, wake_ms }
}

/// The clock of a case: until it is accepted that of the notice of what is missing, then the promised one; none if
/// nothing is known of what is promised.
pub fn clock(period: Option<Period>, view: &CaseView) -> Option<Clock<'_>> {
    match view.accepted_at_ms {
        // After the citizen's turn there is as much time once more.
        None => {
            let started_ms = view.back_at_ms.unwrap_or(view.received_at_ms);
            Some(Clock { period: NOTICE, started_ms, pauses: &[] })
        }
        Some(started_ms) => period.map(|period| Clock { period, started_ms, pauses: &view.pauses }),
    }
}

/// Whether the citizen was told what is missing, and has the next move.
pub fn is_told(view: &CaseView) -> bool {
    view.asked.iter().any(|asked| asked.sent)
}

/// When the notice of what is missing goes out; none if nothing was asked for that was not sent.
pub fn notice_ms(catalogue: &Catalogue, view: &CaseView) -> Option<i64> {
    let waits_ms = i64::from(catalogue.policies.review.merge_minutes) * MINUTE_MS;
    let unsent = view.asked.iter().filter(|asked| !asked.sent).map(|asked| asked.at_ms).min();
    unsent.map(|at_ms| at_ms.saturating_add(waits_ms))
}

/// What the clock does for a case next, and when; none if people have to do something before.
pub fn next(catalogue: &Catalogue, period: Option<Period>, view: &CaseView) -> Option<(i64, Due)> {
    if !runs(view) {
        return None;
    }
    let calendar = &catalogue.calendar;
    // Nobody can have looked at what has no plan: cases of before there were plans.
    let unseen = view.asked.is_empty() && view.back_at_ms.is_none() && !view.plan.is_empty();
    let hours = OfficeHours::default();
    let clock = clock(period, view).and_then(|clock| {
        let over_ms = || clock.deadline(view.changed_at_ms, calendar, hours).at_ms.saturating_add(1);
        match view.accepted_at_ms {
            None => unseen.then(|| (over_ms(), Due::Deemed)),
            Some(_) if view.is_standing() || view.overdue => None,
            Some(_) if view.warned => Some((over_ms(), Due::Over)),
            Some(_) => Some((clock.soon_ms(view.changed_at_ms, calendar, hours).min(over_ms()), Due::Soon)),
        }
    });
    let notice = notice_ms(catalogue, view).map(|at_ms| (at_ms, Due::Notice));
    let lapse =
        view.supplement_due_ms.filter(|_| is_told(view)).map(|at_ms| (at_ms.saturating_add(1), Due::Lapse));
    [notice, lapse, clock].into_iter().flatten().min_by_key(|(at_ms, _)| *at_ms)
}

/// Whether the promised time of a case is over.
pub fn is_over(catalogue: &Catalogue, period: Option<Period>, view: &CaseView, now_ms: i64) -> bool {
    view.accepted_at_ms.and_then(|_| clock(period, view)).is_some_and(|clock| {
        now_ms > clock.deadline(now_ms, &catalogue.calendar, OfficeHours::default()).at_ms
    })
}

/// The time that the catalogue version of a case promises for it.
///
/// # Errors
/// As [`of`].
pub fn promised(tx: &mut Tx<'_>, shelf: &Shelf, row: &CaseRow) -> Result<Option<Period>, ServiceError> {
    promised_by(tx, shelf, row.catalogue_version, row.item.as_ref())
}

/// The time that a catalogue version promises for an item or bundle.
///
/// # Errors
/// As [`of`].
pub fn promised_by(
    tx: &mut Tx<'_>,
    shelf: &Shelf,
    version: u64,
    item: Option<&ItemCode>,
) -> Result<Option<Period>, ServiceError> {
    let volume = shelf.get(tx, version)?;
    let entry = volume.as_deref().zip(item).and_then(|(v, code)| v.catalogue.entry(code));
    Ok(entry.map(|entry| match entry {
        Entry::Item(item) => item.promised,
        Entry::Bundle(bundle) => bundle.promised,
    }))
}
