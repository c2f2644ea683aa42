//! What is counted of one case: a projection of its fold, written in the transaction of the action that changes it.
//!
//! `docs/statistics.md` says of each number what it means; here it comes about. Refuses to know anything of a person.
use std::collections::BTreeSet;

use domain::bundle::DoneBy;
use domain::case::{CaseState, CaseView, Outcome, StepState, fold};
use domain::catalogue::Calendar;
use domain::date::{CivilDate, china_clock};
use domain::deadline::{Clock, OfficeHours};
use domain::ids::UnitId;
use domain::item::{Period, PeriodUnit};

use crate::error::ServiceError;
use crate::services::cases::{self, CaseRow};
use crate::services::catalogue::Shelf;
use crate::services::{case_time, meta};
use crate::store::{FACT_COLUMNS, Row, StoreError, Tx, Value};

/// The unit of the row that stands for the whole case.
pub const WHOLE: &str = "";
/// It is not decided yet.
pub const OPEN: &str = "open";
/// It is decided, and something is still to be posted, handed out or told.
pub const DECIDED: &str = "decided";
/// It was completed before there were outcomes.
const COMPLETED: &str = "completed";
/// The clock by which every minute counts, at night as well.
pub const EXACT: &str = "minutes";
/// The clock of office hours of working days.
pub const OFFICE: &str = "office_hours";
/// States that are in no time and no share: nobody decided on the matter itself.
pub const EXCLUDED: [&str; 5] = ["returned", "quarantined", "declined", "withdrawn", "terminated"];
/// From so many seconds on a time is kept in whole minutes.
const COARSE_S: i64 = 3_600;
/// Whether the facts of cases of before there were any are written.
const CAUGHT_UP: &str = "statistics.caught_up";
/// Cases of one transaction while they are.
const TOGETHER: u64 = 500;

/// What is counted of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Units that have a part in it.
    units: BTreeSet<UnitId>,
    day: i64,
    hour: i64,
    state: &'static str,
    used_s: Option<i64>,
    wall_s: Option<i64>,
    rounds: u64,
    overdue: bool,
    clock: &'static str,
    counted_by: u64,
}

/// A calendar and the catalogue version that has it.
#[derive(Debug, Clone, Copy)]
pub struct CountedBy<'a> {
    /// Its version.
    pub version: u64,
    /// Its calendar.
    pub calendar: &'a Calendar,
}

/// What is counted of a case that is folded so; nothing before it was opened. Without a calendar no office hour is known
/// to be worked: only what is decided needs one.
pub fn of_view(view: &CaseView, promised: Option<Period>, by: Option<CountedBy<'_>>) -> Option<Facts> {
    let decided_ms = view.decided_at_ms();
    let state = match (view.state, view.outcome) {
        (CaseState::Received, _) => return None,
        (CaseState::Returned, _) => "returned",
        (CaseState::Quarantined, _) => "quarantined",
        (CaseState::Submitted | CaseState::Accepted, _) if decided_ms.is_some() => DECIDED,
        (CaseState::Submitted | CaseState::Accepted, _) => OPEN,
        (CaseState::Completed, outcome) => outcome.map_or(COMPLETED, Outcome::as_str),
    };
    let none = Calendar::default();
    let calendar = by.map_or(&none, |by| by.calendar);
    let hours = OfficeHours::default();
    let used_ms = decided_ms.map(|until_ms| {
        let period = promised.unwrap_or(Period { tenths: 10, unit: PeriodUnit::WorkingDay });
        let clock = Clock { period, started_ms: view.received_at_ms, pauses: &view.pauses };
        clock.used_ms(until_ms, calendar, hours)
    });
    let late =
        decided_ms.zip(view.accepted_at_ms).zip(promised).is_some_and(|((at_ms, started_ms), period)| {
            let clock = Clock { period, started_ms, pauses: &view.pauses };
            at_ms > clock.deadline(at_ms, calendar, hours).at_ms
        });
    let asked: BTreeSet<u64> = view.wanted.iter().map(|wanted| wanted.version).collect();
    Some(Facts {
        units: units(view),
        day: day(CivilDate::in_china(view.received_at_ms)),
        hour: i64::from(china_clock(view.received_at_ms).0),
        state,
        used_s: used_ms.map(seconds),
        wall_s: decided_ms.map(|until_ms| seconds(until_ms - view.received_at_ms)),
        rounds: asked.len() as u64,
        // What is posted late was not decided late.
        overdue: if decided_ms.is_some() { late } else { view.overdue },
        clock: if decided_ms.is_some() { clock(promised) } else { "" },
        counted_by: by.filter(|_| decided_ms.is_some()).map_or(0, |by| by.version),
    })
}

/// The clock of what is promised; office hours where nothing is.
pub fn clock(promised: Option<Period>) -> &'static str {
    match promised.map(|period| period.unit) {
        Some(PeriodUnit::Minute | PeriodUnit::NaturalDay) => EXACT,
        Some(PeriodUnit::WorkingDay) | None => OFFICE,
    }
}

/// Days since 1970 in China.
pub fn day(date: CivilDate) -> i64 {
    CivilDate::in_china(0).days_to(date)
}

fn seconds(ms: i64) -> i64 {
    let seconds = ms.max(0) / 1_000;
    if seconds < COARSE_S { seconds } else { seconds - seconds % 60 }
}

/// The desk that accepts, and each department that has a step that is needed, or was.
fn units(view: &CaseView) -> BTreeSet<UnitId> {
    let by_department =
        |id: &str| view.plan.step(id).is_some_and(|planned| planned.done_by() == DoneBy::Department);
    let needed = view.steps.iter().filter(|step| {
        by_department(&step.id) && (step.state != StepState::Skipped || step.ready_at_ms.is_some())
    });
    needed.map(|step| &step.unit).chain(view.accepting_unit()).cloned().collect()
}

/// What is counted of a case: by the newest calendar, or, where it was `decided_before`, by the one by which it was
/// counted then. A catalogue version that cannot be read promises nothing and has no calendar: nobody's action fails for
/// a figure.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn of(
    tx: &mut Tx<'_>,
    shelf: &Shelf,
    row: &CaseRow,
    view: &CaseView,
    decided_before: bool,
) -> Result<Option<Facts>, ServiceError> {
    if view.decided_at_ms().is_none() {
        return Ok(of_view(view, None, None));
    }
    let promised = readable(row, case_time::promised(tx, shelf, row))?.flatten();
    let kept = if decided_before { counted_by(tx, &row.envelope_id.to_string())? } else { None };
    let volume = match kept {
        Some(version) => shelf.get(tx, version),
        None => shelf.newest(tx),
    };
    let volume = readable(row, volume)?.flatten();
    let by = volume
        .as_deref()
        .map(|volume| CountedBy { version: volume.catalogue.version, calendar: &volume.catalogue.calendar });
    Ok(of_view(view, promised, by))
}

/// The catalogue version by whose calendar a case was counted; none of a case that has no facts.
fn counted_by(tx: &mut Tx<'_>, id: &str) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT counted_by FROM case_fact WHERE envelope_id = $1 AND unit = $2";
    tx.query_first(sql, &[id.into(), WHOLE.into()])?.map(|row| row.uint(0)).transpose()
}

/// What was read; nothing, and a line in the log, if it is damaged.
fn readable<T>(row: &CaseRow, read: Result<T, ServiceError>) -> Result<Option<T>, ServiceError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(e) if is_damage(&e) => {
            tracing::error!(
                case = %row.envelope_id,
                error = &e as &dyn std::error::Error,
                "a catalogue cannot be read: a case is counted without it"
            );
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

/// Whether one row does not read back, and not the store failed.
fn is_damage(error: &ServiceError) -> bool {
    matches!(
        error,
        ServiceError::Inconsistent(_)
            | ServiceError::Store(StoreError::Stored { .. } | StoreError::Shape { .. })
    )
}

/// Writes what changed of a case by an action.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn change(
    tx: &mut Tx<'_>,
    row: &CaseRow,
    (before, after): (Option<&Facts>, Option<&Facts>),
) -> Result<(), StoreError> {
    let Some(after) = after.filter(|after| before != Some(*after)) else { return Ok(()) };
    let id = &row.envelope_id;
    let gone = before.into_iter().flat_map(|before| before.units.difference(&after.units));
    for unit in gone {
        tx.execute(
            "DELETE FROM case_fact WHERE unit = $1 AND day_ = $2 AND envelope_id = $3",
            &[unit.as_str().into(), after.day.into(), id.to_string().into()],
        )?;
    }
    fail::fail_point!("planted::fact_left_behind", |_| Ok(()));
    let item = row.item.as_ref().map_or("", |item| item.as_str());
    for values in rows((&id.to_string(), item, row.station.as_str()), after) {
        tx.execute(
            "INSERT INTO case_fact (unit, day_, envelope_id, item, station, hour_, state, used_s, wall_s, rounds,
                 overdue, clock, counted_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (unit, day_, envelope_id) DO UPDATE SET item = $4, station = $5, hour_ = $6, state = $7,
                 used_s = $8, wall_s = $9, rounds = $10, overdue = $11, clock = $12,
                 counted_by = $13",
            &values,
        )?;
    }
    Ok(())
}

/// The rows that a case should have, by their units; of a case that is not opened none.
pub fn rows((id, item, station): (&str, &str, &str), facts: &Facts) -> Vec<[Value; FACT_COLUMNS.len()]> {
    let row = |unit: &str| {
        [
            unit.into(),
            facts.day.into(),
            id.into(),
            item.into(),
            station.into(),
            facts.hour.into(),
            facts.state.into(),
            Value::from(facts.used_s),
            Value::from(facts.wall_s),
            facts.rounds.into(),
            u64::from(facts.overdue).into(),
            facts.clock.into(),
            facts.counted_by.into(),
        ]
    };
    std::iter::once(WHOLE).chain(facts.units.iter().map(UnitId::as_str)).map(row).collect()
}

/// The rows that a case has, by their units.
pub fn stored(tx: &mut Tx<'_>, id: &str) -> Result<Vec<Vec<Value>>, StoreError> {
    let columns = FACT_COLUMNS.join(", ");
    let sql = format!("SELECT {columns} FROM case_fact WHERE envelope_id = $1 LIMIT 200");
    let mut rows: Vec<_> = tx.query(&sql, &[id.into()])?.into_iter().map(|row| row.0).collect();
    // By their bytes: a database may sort by a language.
    rows.sort_by(|a, b| match (a.first(), b.first()) {
        (Some(Value::Text(a)), Some(Value::Text(b))) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    });
    Ok(rows)
}

/// Writes the facts of a stretch of cases of before there were any; says whether there is more to do. A damaged case has
/// none: it is told in the log and by `verify`, and keeps no centre from starting.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn catch_up(tx: &mut Tx<'_>, shelf: &Shelf) -> Result<bool, ServiceError> {
    let after = match meta::get(tx, CAUGHT_UP)?.as_deref() {
        Some("done") => return Ok(false),
        Some(place) => place.parse().unwrap_or(0_u64),
        None => 0,
    };
    let sql =
        format!("SELECT {} FROM case_ WHERE server_seq > $1 ORDER BY server_seq LIMIT $2", cases::COLUMNS);
    let found = tx.query(&sql, &[after.into(), TOGETHER.into()])?;
    let Some(last) = found.last() else {
        meta::replace(tx, CAUGHT_UP, "done")?;
        return Ok(false);
    };
    let place = last.uint(1)?;
    for row in &found {
        match catch_up_with(tx, shelf, row) {
            Err(e) if is_damage(&e) => {
                tracing::error!(
                    case = row.text(0).unwrap_or("?"),
                    error = &e as &dyn std::error::Error,
                    "a damaged case is not counted; see `sync-server verify`"
                );
            }
            done => done?,
        }
    }
    meta::replace(tx, CAUGHT_UP, &place.to_string())?;
    Ok(true)
}

fn catch_up_with(tx: &mut Tx<'_>, shelf: &Shelf, row: &Row) -> Result<(), ServiceError> {
    let row = cases::read(row)?;
    let history = cases::history(tx, &row.envelope_id)?;
    let view = fold(&history).map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    let facts = of(tx, shelf, &row, &view, false)?;
    Ok(change(tx, &row, (None, facts.as_ref()))?)
}
