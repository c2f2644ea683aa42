//! 办理环节 as rows: what is to be done, by which unit, until when. A projection of the case's fold; nothing else writes it.
//!
//! Lists of tasks are read from here only. Refuses to judge.
use domain::case::{CaseView, StepState, StepView};
use domain::ids::{EnvelopeId, UnitId};

use super::tally::Tally;
use crate::store::{Row, StoreError, TASK_COLUMNS, Tx, Value};

/// The due moment where no time runs: behind every other.
pub const NO_DUE: i64 = i64::MAX;
/// Tasks on a page of an inbox.
pub const PAGE: u64 = 50;

/// A task as a list needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The case.
    pub envelope_id: EnvelopeId,
    /// Which step of it.
    pub step: String,
    /// Who books what is done there ([`CaseView::booking_unit`]).
    pub unit: UnitId,
    /// Where it stands.
    pub state: StepState,
    /// The account that has it.
    pub holder: Option<String>,
    /// What whoever acts must have seen.
    pub version: u64,
    /// Since when it stands there, milliseconds since 1970.
    pub since_ms: i64,
    /// Until when, milliseconds since 1970; [`NO_DUE`] where no time runs.
    pub due_ms: i64,
    /// The unit whose opinion is waited for.
    pub consulted: Option<UnitId>,
}

const COLUMNS: &str = "envelope_id, step, unit, state, holder, version, since_ms, due_ms, consulted";

/// Holds for a task that is over its time. A clock that stands gets no later: such a task is over only if it was
/// when the clock was stopped. `{now}` stands for the place of the present time.
const OVER: &str =
    "due_ms < {now} AND NOT EXISTS (SELECT 1 FROM case_ c WHERE c.envelope_id = task.envelope_id
                    AND c.standing = 1 AND c.changed_at_ms <= task.due_ms)";

/// Writes the tasks of a case as its fold has them after its newest action.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn write(
    tx: &mut Tx<'_>,
    id: &EnvelopeId,
    view: &CaseView,
    due_ms: Option<i64>,
) -> Result<(), StoreError> {
    for (place, step) in view.steps.iter().enumerate() {
        tx.execute(
            "INSERT INTO task (envelope_id, place, step, unit, state, open_, holder, version, since_ms, due_ms,
                 consulted)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (envelope_id, place) DO UPDATE SET step = $3, unit = $4, state = $5, open_ = $6, holder = $7,
                 version = $8, since_ms = $9, due_ms = $10, consulted = $11",
            &row(id, place, (view, step), due_ms),
        )?;
    }
    Ok(())
}

/// Whether a step stands in an inbox: somebody can do something, or waits for somebody else's answer.
fn is_open(view: &CaseView, step: &StepView) -> bool {
    let case = view.state.is_open();
    case && step.state.is_open() && step.state != StepState::Waiting
}

/// The values of a task's row, in the order of its columns.
pub fn row(
    id: &EnvelopeId,
    place: usize,
    (view, step): (&CaseView, &StepView),
    due_ms: Option<i64>,
) -> [Value; 11] {
    [
        id.to_string().into(),
        (place as u64).into(),
        step.id.as_str().into(),
        view.booking_unit(step).as_str().into(),
        step.state.as_str().into(),
        u64::from(is_open(view, step)).into(),
        Value::from(step.holder.as_deref()),
        step.version.into(),
        step.since_ms.into(),
        due_ms.unwrap_or(NO_DUE).into(),
        Value::from(step.consulted.as_ref().map(UnitId::as_str)),
    ]
}

/// Columns of a task's row, in the order of [`row`].
pub const PROJECTED: [&str; 11] = TASK_COLUMNS;

/// The rows that a case should have.
pub fn rows(id: &EnvelopeId, view: &CaseView, due_ms: Option<i64>) -> Vec<[Value; 11]> {
    let row = |(place, step)| row(id, place, (view, step), due_ms);
    view.steps.iter().enumerate().map(row).collect()
}

/// The rows that a case has.
pub fn stored(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Vec<Value>>, StoreError> {
    let columns = PROJECTED.join(", ");
    let sql = format!("SELECT {columns} FROM task WHERE envelope_id = $1 ORDER BY place");
    let rows = tx.query(&sql, &[id.to_string().into()])?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// The place of a task in an inbox: due moment and case.
pub type Place = (i64, EnvelopeId);

/// Which tasks of a unit to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only those that this account has.
    pub holder: Option<String>,
    /// Only in this state.
    pub state: Option<StepState>,
    /// Only those that are over their time at this moment, milliseconds since 1970.
    pub over_at_ms: Option<i64>,
    /// Those about which others ask for the unit's opinion, instead of its own.
    pub asked: bool,
    /// Only those due behind this place: due moment and case.
    pub after: Option<Place>,
}

/// A page of the open tasks of a unit, those that are due first at the top, and where the next one begins.
pub fn page(tx: &mut Tx<'_>, unit: &UnitId, query: &Query) -> Result<(Vec<Task>, Option<Place>), StoreError> {
    let mut values: Vec<Value> = vec![unit.as_str().into()];
    let mut wheres = String::new();
    let mut and = |text: &str, value: Value| {
        values.push(value);
        wheres.push_str(&text.replace('?', &format!("${}", values.len())));
    };
    if let Some(holder) = &query.holder {
        and(" AND holder = ?", holder.as_str().into());
    }
    if let Some(state) = query.state {
        and(" AND state = ?", state.as_str().into());
    }
    if let Some(now_ms) = query.over_at_ms {
        and(&format!(" AND {}", OVER.replace("{now}", "?")), now_ms.into());
    }
    if let Some((due_ms, id)) = &query.after {
        and(" AND (due_ms, envelope_id) > (?", (*due_ms).into());
        and(", ?)", id.to_string().into());
    }
    and(" ORDER BY due_ms, envelope_id LIMIT ?", (PAGE + 1).into());
    let whose = if query.asked { "consulted" } else { "unit" };
    let sql = format!("SELECT {COLUMNS} FROM task WHERE open_ = 1 AND {whose} = $1{wheres}");
    let mut tasks: Vec<_> = tx.query(&sql, &values)?.iter().map(read).collect::<Result<_, _>>()?;
    let more = tasks.len() as u64 > PAGE;
    tasks.truncate(PAGE as usize);
    let next = tasks.last().filter(|_| more).map(|task| (task.due_ms, task.envelope_id));
    Ok((tasks, next))
}

/// How many open tasks of a unit stand in each state, and how many of all are over their time.
pub fn counts(
    tx: &mut Tx<'_>,
    unit: &UnitId,
    now_ms: i64,
) -> Result<(Vec<(StepState, u64)>, Tally), StoreError> {
    // The index has all of it: no row is read.
    let sql = "SELECT state, COUNT(*) FROM task WHERE open_ = 1 AND unit = $1 GROUP BY state";
    let rows = tx.query(sql, &[unit.as_str().into()])?;
    let mut counts = StepState::ALL.map(|state| (state, 0)).to_vec();
    for row in &rows {
        let state = StepState::from_name(row.text(0)?).ok_or(StoreError::Stored { what: "step state" })?;
        if let Some(slot) = counts.iter_mut().find(|(s, _)| *s == state) {
            slot.1 = row.uint(1)?;
        }
    }
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM task WHERE open_ = 1 AND unit = $1 AND {} LIMIT {}) AS t",
        OVER.replace("{now}", "$2"),
        Tally::LIMIT
    );
    let over = tx.query_first(&sql, &[unit.as_str().into(), now_ms.into()])?;
    Ok((counts, Tally::new(over.map_or(Ok(0), |row| row.uint(0))?)))
}

/// How many open tasks of a unit somebody has, and about how many others ask for the unit's opinion.
pub fn own_counts(tx: &mut Tx<'_>, unit: &UnitId, holder: &str) -> Result<(u64, u64), StoreError> {
    let mut count = |sql: &str, values: &[Value]| -> Result<u64, StoreError> {
        tx.query_first(sql, values)?.map_or(Ok(0), |row| row.uint(0))
    };
    let held = count(
        "SELECT COUNT(*) FROM task WHERE open_ = 1 AND unit = $1 AND holder = $2",
        &[unit.as_str().into(), holder.into()],
    )?;
    let asked = count(
        "SELECT COUNT(*) FROM task WHERE open_ = 1 AND consulted IS NOT NULL AND consulted = $1",
        &[unit.as_str().into()],
    )?;
    Ok((held, asked))
}

/// All tasks of some cases, in the order of their plans.
pub fn of_cases(tx: &mut Tx<'_>, ids: &[EnvelopeId]) -> Result<Vec<Task>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<_> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM task WHERE envelope_id IN ({}) ORDER BY envelope_id, place",
        places.join(", ")
    );
    let values: Vec<Value> = ids.iter().map(|id| id.to_string().into()).collect();
    tx.query(&sql, &values)?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Task, StoreError> {
    Ok(Task {
        envelope_id: row.parsed(0)?,
        step: row.text(1)?.to_owned(),
        unit: row.parsed(2)?,
        state: StepState::from_name(row.text(3)?).ok_or(StoreError::Stored { what: "step state" })?,
        holder: row.text_or_null(4)?.map(str::to_owned),
        version: row.uint(5)?,
        since_ms: row.int(6)?,
        due_ms: row.int(7)?,
        consulted: row
            .text_or_null(8)?
            .map(|unit| unit.parse().map_err(|_| StoreError::Stored { what: "unit" }))
            .transpose()?,
    })
}
