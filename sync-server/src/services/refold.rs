//! Holds what lists read against what happened: the row and the tasks of each case against the fold of its actions, and
//! the rows of its parcels against theirs.
//!
//! Only reads. Refuses to mend: what differs is a mistake of a program, a hand or a disk, and somebody has to know which.
use domain::case::{CaseView, fold};
use domain::ids::ItemCode;
use serde::Serialize;

use super::case_time::{self, Time};
use super::cases::{self, OF_TIME, PROJECTED};
use super::catalogue::Shelf;
use super::statistics::facts::{self, CountedBy};
use super::{clockwork, money, parcels, supplements, tasks, window};
use crate::error::ServiceError;
use crate::store::{FACT_COLUMNS, Row, StoreError, Tx, Value};

/// Cases of one stretch.
pub const STRETCH: u64 = 500;

/// One thing that is not as the actions say. Has no word of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The submission, as it is stored.
    pub envelope_id: String,
    /// The number, as it is stored.
    pub number: String,
    /// Table and column, with the place of the task in the plan; `action` if the actions make no case.
    pub place: String,
    /// What is stored.
    pub stored: String,
    /// What the actions say.
    pub folded: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { envelope_id, number, place, stored, folded } = self;
        write!(f, "{number} {envelope_id} {place}: {stored} is stored, {folded} follows from the actions")
    }
}

/// What a stretch came to.
#[derive(Debug, Default)]
pub struct Checked {
    /// Cases looked at.
    pub cases: u64,
    /// The last of them in the centre's order; none if there was none.
    pub last: Option<i64>,
    /// Another calendar is on its way to the cases: their times were not compared.
    pub without_times: bool,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// Looks at a stretch of cases after a place in the centre's order; -1 to begin.
///
/// # Errors
/// [`ServiceError`] if the store fails, or a catalogue version cannot be read.
pub fn stretch(tx: &mut Tx<'_>, shelf: &Shelf, after: i64, limit: u64) -> Result<Checked, ServiceError> {
    let columns = PROJECTED.join(", ");
    let rows = tx.query(
        &format!(
            "SELECT server_seq, envelope_id, number, slip_number, received_at_ms, item, catalogue_version, station,
                 {columns}
             FROM case_ WHERE server_seq > $1 ORDER BY server_seq LIMIT $2"
        ),
        &[after.into(), limit.into()],
    )?;
    let mut checked = Checked { without_times: clockwork::is_behind(tx)?, ..Checked::default() };
    for row in &rows {
        checked.cases += 1;
        checked.last = Some(row.int(0)?);
        let mut notes = Notes { row, found: Vec::new() };
        look(tx, shelf, !checked.without_times, &mut notes)?;
        checked.differences.append(&mut notes.found);
    }
    Ok(checked)
}

/// What was found of one case.
struct Notes<'a> {
    row: &'a Row,
    found: Vec<Difference>,
}

/// Columns before those that follow from the fold.
const BEFORE: usize = 8;

impl Notes<'_> {
    fn note(&mut self, place: String, stored: String, folded: String) {
        let text = |n: usize| self.row.text(n).unwrap_or_default().to_owned();
        self.found.push(Difference { envelope_id: text(1), number: text(2), place, stored, folded });
    }

    fn compare(&mut self, place: &str, stored: Option<&Value>, folded: &Value) {
        if stored != Some(folded) {
            self.note(place.to_owned(), stored.map_or_else(|| "nothing".into(), words), words(folded));
        }
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Int(n) => n.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

fn look(tx: &mut Tx<'_>, shelf: &Shelf, with_times: bool, notes: &mut Notes<'_>) -> Result<(), ServiceError> {
    let row = notes.row;
    let id = row.parsed(1)?;
    let view = match cases::history(tx, &id) {
        Ok(history) => fold(&history).map_err(|e| e.to_string()),
        Err(e @ StoreError::Stored { .. }) => Err(e.to_string()),
        Err(e) => return Err(e.into()),
    };
    let view = match view {
        Ok(view) => view,
        Err(why) => {
            notes.note("action".into(), why, "a case".into());
            return Ok(());
        }
    };
    let firm: [(usize, &str, Value); 3] = [
        (2, "case_.number", view.number.as_str().into()),
        (3, "case_.slip_number", Value::from(view.slip_number.as_ref().map(|n| n.as_str()))),
        (4, "case_.received_at_ms", view.received_at_ms.into()),
    ];
    for (column, place, folded) in firm {
        notes.compare(place, row.0.get(column), &folded);
    }
    let time = if with_times { time(tx, shelf, row, &view)? } else { Time::default() };
    let folded = cases::projection(&view, &time);
    let compared = if with_times { PROJECTED.len() } else { OF_TIME };
    for (n, folded) in folded.iter().enumerate().take(compared) {
        notes.compare(&format!("case_.{}", PROJECTED[n]), row.0.get(BEFORE + n), folded);
    }
    let stored = tasks::stored(tx, &id)?;
    let folded = tasks::rows(&id, &view, time.due_ms);
    for (place, folded) in folded.iter().enumerate() {
        let Some(stored) = stored.get(place) else {
            notes.note(format!("task {place}"), "nothing".into(), "a task".into());
            continue;
        };
        for (n, folded) in folded.iter().enumerate() {
            if with_times || tasks::PROJECTED[n] != "due_ms" {
                notes.compare(&format!("task {place}.{}", tasks::PROJECTED[n]), stored.get(n), folded);
            }
        }
    }
    for place in folded.len()..stored.len() {
        notes.note(format!("task {place}"), "a task".into(), "nothing".into());
    }
    // Clerks find their cases by this row.
    let clerk = Value::from(view.answerable.as_ref().map(|answerable| answerable.clerk.as_str()));
    let listed = Value::from(window::listed_clerk(tx, &id)?.as_deref());
    notes.compare("visit_case.clerk", Some(&listed), &clerk);
    for (place, stored, folded) in parcels::differences(tx, &id)? {
        notes.compare(&place, stored.as_ref(), &folded);
    }
    for (place, stored, folded) in money::check_case(tx, &id, &view)? {
        notes.note(place, stored, folded);
    }
    look_at_facts(tx, shelf, &view, notes)
}

/// What is counted of the case, by the calendar by which it was counted.
fn look_at_facts(
    tx: &mut Tx<'_>,
    shelf: &Shelf,
    view: &CaseView,
    notes: &mut Notes<'_>,
) -> Result<(), ServiceError> {
    let row = notes.row;
    let stored = facts::stored(tx, row.text(1)?)?;
    let version = match stored.first().and_then(|row| row.last()) {
        Some(Value::Int(version)) => u64::try_from(*version).unwrap_or(0),
        _ => 0,
    };
    let item: Option<ItemCode> = row.text(5)?.parse().ok();
    let period = case_time::promised_by(tx, shelf, row.uint(6)?, item.as_ref())?;
    let volume = shelf.get(tx, version)?;
    let by = volume.as_deref().map(|v| CountedBy { version, calendar: &v.catalogue.calendar });
    let facts = facts::of_view(view, period, by);
    let of = (row.text(1)?, row.text(5)?, row.text(7)?);
    let folded = facts.map_or_else(Vec::new, |facts| facts::rows(of, &facts));
    if stored.len() != folded.len() {
        notes.note("case_fact".into(), format!("{} rows", stored.len()), format!("{} rows", folded.len()));
    }
    for (stored, folded) in stored.iter().zip(&folded) {
        for (n, folded) in folded.iter().enumerate() {
            notes.compare(&format!("case_fact.{}", FACT_COLUMNS[n]), stored.get(n), folded);
        }
    }
    Ok(())
}

fn time(tx: &mut Tx<'_>, shelf: &Shelf, row: &Row, view: &CaseView) -> Result<Time, ServiceError> {
    if !case_time::runs(view) {
        return Ok(Time::default());
    }
    let Some(newest) = shelf.newest(tx)? else { return Ok(Time::default()) };
    let item: Option<ItemCode> = row.text(5)?.parse().ok();
    let period = case_time::promised_by(tx, shelf, row.uint(6)?, item.as_ref())?;
    let mut time = case_time::by(&newest.catalogue, period, view);
    // The clock looks at it again later: a supplement is on its way.
    let wake = PROJECTED.iter().position(|name| *name == "wake_ms").map(|n| row.int_or_null(BEFORE + n));
    if let Some(later_ms) = wake.transpose()?.flatten().filter(|stored| Some(*stored) > time.wake_ms)
        && supplements::is_on_its_way(tx, &row.parsed(1)?, clockwork::waited_for_since(later_ms)..=i64::MAX)?
    {
        time.wake_ms = Some(later_ms);
    }
    Ok(time)
}
