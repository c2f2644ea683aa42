//! What follows from the clock alone: the notice of what is missing goes out, its time lapses, nobody looked in time, the
//! last day comes near or is over, another calendar moves it.
//!
//! Each is an action like any other, in a stretch of cases for one transaction; done twice it does nothing. Whichever case
//! has nothing coming is not looked at: `case_.wake_ms` says which has. Refuses to know clocks and threads.
use domain::case::{Action, CaseState, CaseView};
use domain::catalogue::Catalogue;
use domain::deadline::{Clock, OfficeHours};
use domain::ids::EnvelopeId;
use domain::item::{Period, PeriodUnit};

use super::case_time::{self, Due};
use super::cases::{self, BY_CENTRE, CaseRow};
use super::catalogue::newest_version;
use super::{Context, meta, review, supplements};
use crate::error::ServiceError;
use crate::store::{StoreError, Tx};

/// Cases of one transaction, at most.
pub const TOGETHER: u64 = 50;
/// A case that cannot be gone on with is looked at again after so long, in milliseconds.
const PUT_OFF_MS: i64 = 3_600 * 1_000;
/// A citizen's time does not lapse while a supplement waits for its pages; how often that is looked at, in milliseconds.
const FOLLOW_MS: i64 = 10 * 60 * 1_000;
/// And for so long since its text came, in milliseconds: pages that never come hold up no case for ever. Thirty days.
const LONGEST_WAY_MS: i64 = 30 * 24 * 3_600 * 1_000;
/// The catalogue version whose calendar and policies the times of all open cases follow.
const FOLLOWED: &str = "clockwork.catalogue";
/// How far the cases were looked at for a newer one: its version, the state, the centre's order.
const UNDERWAY: &str = "clockwork.underway";
/// States in which a time runs.
const OPEN: [CaseState; 2] = [CaseState::Accepted, CaseState::Submitted];

/// What one stretch came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretch {
    /// Cases to which something happened, and what.
    pub done: Vec<(EnvelopeId, Happened)>,
    /// Cases that cannot be gone on with, and why; they are looked at again later.
    pub failed: Vec<(EnvelopeId, String)>,
    /// There may be more to do at once.
    pub more: bool,
}

/// What happened to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// Its time came.
    Due(Due),
    /// Another calendar moved its last moment.
    Moved,
}

/// Whether anything is to be done, so that nobody takes the writer for nothing.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn is_due(tx: &mut Tx<'_>, now_ms: i64) -> Result<bool, ServiceError> {
    Ok(!due(tx, now_ms, 1)?.is_empty() || is_behind(tx)?)
}

/// Cases whose time has come, those that wait longest first.
fn due(tx: &mut Tx<'_>, now_ms: i64, limit: u64) -> Result<Vec<EnvelopeId>, StoreError> {
    let rows = tx.query(
        "SELECT envelope_id FROM case_ WHERE wake_ms <= $1 ORDER BY wake_ms, envelope_id LIMIT $2",
        &[now_ms.into(), limit.into()],
    )?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

/// Does what is due for a stretch of cases, one thing each.
///
/// # Errors
/// [`ServiceError`] if the store fails; a case that does not fit together is told in the answer.
pub fn turn(tx: &mut Tx<'_>, context: &Context, now_ms: i64) -> Result<Stretch, ServiceError> {
    let mut stretch = Stretch::default();
    let Some(newest) = context.shelf.newest(tx)? else { return Ok(stretch) };
    let due = due(tx, now_ms, TOGETHER)?;
    // What happened may make something else due.
    stretch.more = !due.is_empty();
    for id in due {
        match act(tx, context, (&newest.catalogue, now_ms), &id) {
            Ok(done) => stretch.done.extend(done.map(|due| (id, Happened::Due(due)))),
            Err(e) => stretch.failed.push((id, put_off(tx, &id, now_ms, e)?)),
        }
    }
    Ok(stretch)
}

/// One bad case keeps no other from its turn; what ails the store is everybody's.
fn put_off(tx: &mut Tx<'_>, id: &EnvelopeId, now_ms: i64, e: ServiceError) -> Result<String, ServiceError> {
    let own = matches!(
        e,
        ServiceError::Inconsistent(_)
            | ServiceError::Refused { .. }
            | ServiceError::Store(StoreError::Stored { .. } | StoreError::Shape { .. })
    );
    if !own {
        return Err(e);
    }
    look_again(tx, id, now_ms.saturating_add(PUT_OFF_MS))?;
    Ok(e.to_string())
}

/// The first moment at which a supplement can have come for which a case is put off to this one, milliseconds since 1970.
pub fn waited_for_since(wake_ms: i64) -> i64 {
    wake_ms.saturating_sub(FOLLOW_MS).saturating_sub(LONGEST_WAY_MS)
}

fn look_again(tx: &mut Tx<'_>, id: &EnvelopeId, at_ms: i64) -> Result<(), StoreError> {
    let sql = "UPDATE case_ SET wake_ms = $2 WHERE envelope_id = $1";
    tx.execute(sql, &[id.to_string().into(), at_ms.into()]).map(|_| ())
}

fn act(
    tx: &mut Tx<'_>,
    context: &Context,
    (catalogue, now_ms): (&Catalogue, i64),
    id: &EnvelopeId,
) -> Result<Option<Due>, ServiceError> {
    let (row, view) = cases::current(tx, id)?;
    let period = case_time::promised(tx, &context.shelf, &row)?;
    let next = case_time::next(catalogue, period, &view).filter(|(at_ms, _)| *at_ms <= now_ms);
    let Some((_, due)) = next else {
        // Another catalogue gave it more time.
        cases::refresh(tx, &context.shelf, &row, &view)?;
        return Ok(None);
    };
    let due = match due {
        Due::Soon if case_time::is_over(catalogue, period, &view, now_ms) => Due::Over,
        due => due,
    };
    let due = match due {
        Due::Lapse if is_on_its_way(tx, &view, (id, now_ms))? => {
            if case_time::notice_ms(catalogue, &view).is_none_or(|at_ms| at_ms > now_ms) {
                look_again(tx, id, now_ms.saturating_add(FOLLOW_MS))?;
                return Ok(None);
            }
            Due::Notice
        }
        due => due,
    };
    let action = match due {
        Due::Notice => Action::SupplementSent { due_ms: notice_until(catalogue, &view, now_ms) },
        Due::Lapse => Action::SupplementLapsed,
        Due::Deemed => Action::Accepted { deemed: true },
        Due::Soon => Action::Escalated { over: false },
        Due::Over => Action::Escalated { over: true },
    };
    let view = cases::add(tx, &context.shelf, now_ms, (&row, view), (BY_CENTRE, action))?;
    review::follow(tx, context, now_ms, (&row, view))?;
    Ok(Some(due))
}

/// Whether a supplement came before the citizen's time was over, and its pages follow.
fn is_on_its_way(
    tx: &mut Tx<'_>,
    view: &CaseView,
    (id, now_ms): (&EnvelopeId, i64),
) -> Result<bool, StoreError> {
    let until_ms = view.supplement_due_ms.unwrap_or(i64::MIN);
    supplements::is_on_its_way(tx, id, now_ms.saturating_sub(LONGEST_WAY_MS)..=until_ms)
}

/// The last moment of a notice that goes out now: one for all that was asked, the longest.
fn notice_until(catalogue: &Catalogue, view: &CaseView, now_ms: i64) -> i64 {
    let days = view.asked.iter().filter(|asked| !asked.sent).map(|asked| asked.days).max().unwrap_or(1);
    let period = Period { tenths: u32::from(days) * 10, unit: PeriodUnit::WorkingDay };
    let clock = Clock { period, started_ms: now_ms, pauses: &[] };
    clock.deadline(now_ms, &catalogue.calendar, OfficeHours::default()).at_ms
}

/// The catalogue version whose calendar the times of all open cases follow; none before the first look, or while cases
/// are being moved to a newer one.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn followed(tx: &mut Tx<'_>) -> Result<Option<u64>, StoreError> {
    if meta::get(tx, UNDERWAY)?.is_some() {
        return Ok(None);
    }
    let text = meta::get(tx, FOLLOWED)?;
    text.map(|t| t.parse().map_err(|_| StoreError::Stored { what: "catalogue version" })).transpose()
}

/// Whether there is a catalogue version whose calendar cases do not follow yet.
///
/// # Errors
/// As [`followed`].
pub fn is_behind(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let newest = newest_version(tx)?;
    Ok(newest.is_some() && newest != followed(tx)?)
}

/// Lets the times of a stretch of open cases follow the newest catalogue; once for each version.
///
/// # Errors
/// [`ServiceError`] if the store fails; a case that does not fit together is told in the answer.
pub fn follow_catalogue(tx: &mut Tx<'_>, context: &Context, now_ms: i64) -> Result<Stretch, ServiceError> {
    let mut stretch = Stretch::default();
    let Some(newest) = context.shelf.newest(tx)? else { return Ok(stretch) };
    let followed = followed(tx)?;
    if followed == Some(newest.catalogue.version) {
        return Ok(stretch);
    }
    if let Some(before) = followed.map(|v| context.shelf.get(tx, v)).transpose()?.flatten()
        && has_same_times(&before.catalogue, &newest.catalogue)
    {
        note_followed(tx, newest.catalogue.version)?;
        return Ok(stretch);
    }
    let (state, after) = underway(tx, newest.catalogue.version)?;
    let Some(in_state) = OPEN.get(state) else {
        note_followed(tx, newest.catalogue.version)?;
        return Ok(stretch);
    };
    let found = tx.query(
        "SELECT envelope_id, server_seq FROM case_ WHERE state = $1 AND server_seq > $2 ORDER BY server_seq LIMIT $3",
        &[in_state.as_str().into(), after.into(), TOGETHER.into()],
    )?;
    for row in &found {
        let id = row.parsed(0)?;
        match follow(tx, context, now_ms, &id) {
            Ok(true) => stretch.done.push((id, Happened::Moved)),
            Ok(false) => {}
            Err(e) => stretch.failed.push((id, put_off(tx, &id, now_ms, e)?)),
        }
    }
    let place = match found.last() {
        Some(last) => (state, last.int(1)?),
        None => (state + 1, -1),
    };
    let version = newest.catalogue.version;
    meta::replace(tx, UNDERWAY, &format!("{version} {} {}", place.0, place.1))?;
    stretch.more = true;
    Ok(stretch)
}

/// Whether two versions give every case the same times.
fn has_same_times(one: &Catalogue, other: &Catalogue) -> bool {
    one.calendar == other.calendar && one.policies.review == other.policies.review
}

fn note_followed(tx: &mut Tx<'_>, version: u64) -> Result<(), StoreError> {
    meta::remove(tx, UNDERWAY)?;
    meta::replace(tx, FOLLOWED, &version.to_string())
}

/// Which state is looked at for this version, and the place in the centre's order after which to go on.
fn underway(tx: &mut Tx<'_>, version: u64) -> Result<(usize, i64), StoreError> {
    let text = meta::get(tx, UNDERWAY)?.unwrap_or_default();
    let mut words = text.split(' ');
    let of_version = words.next() == Some(version.to_string().as_str());
    let place = words.next().and_then(|w| w.parse().ok()).zip(words.next().and_then(|w| w.parse().ok()));
    Ok(place.filter(|_| of_version).unwrap_or((0, -1)))
}

/// Lets one case follow; says whether its last moment moved.
fn follow(tx: &mut Tx<'_>, context: &Context, now_ms: i64, id: &EnvelopeId) -> Result<bool, ServiceError> {
    let (row, view) = cases::current(tx, id)?;
    let time = case_time::of(tx, &context.shelf, &row, &view)?;
    if time.due_ms != row.due_ms
        && let Some(from_ms) = row.due_ms
        && let Some(to_ms) = moved_to(tx, context, now_ms, (&row, &view))?
        && from_ms != to_ms
    {
        let action = Action::DueMoved { from_ms, to_ms };
        cases::add(tx, &context.shelf, now_ms, (&row, view), (BY_CENTRE, action))?;
        return Ok(true);
    }
    let stored = (row.due_ms, row.due_expected, row.standing, row.wake_ms);
    if stored != (time.due_ms, time.expected, time.standing, time.wake_ms) {
        cases::refresh(tx, &context.shelf, &row, &view)?;
    }
    Ok(false)
}

/// The last moment of a case as it looks now: one whose clock stands ends later the longer it stands.
fn moved_to(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    (row, view): (&CaseRow, &CaseView),
) -> Result<Option<i64>, ServiceError> {
    let now = CaseView { changed_at_ms: now_ms, ..view.clone() };
    Ok(case_time::of(tx, &context.shelf, row, &now)?.due_ms)
}
