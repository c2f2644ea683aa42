//! 办件 at the centre: every action is one transaction with its projection row, its audit row and its news.
//!
//! The projection is what the domain's fold says; nothing else writes it.
use domain::case::{Action, CaseState, CaseView, FoldError, Outcome, QuarantineReason, Recorded, fold};
use domain::envelope::Digest;
use domain::ids::{CaseNo, EnvelopeId, ItemCode, StationId, TerminalId};
use domain::wire::v1::{CaseNews, ChangeNews};

use super::case_time::Time;
use super::catalogue::Shelf;
use super::statistics::facts;
use super::{approval, audit, case_time, changes, money, notifications, results, tasks};
use crate::error::{ProblemCode, ServiceError};
use crate::store::{Row, StoreError, Tx, Value};

/// Actions of one case that are read, at most: far more than a case ever has.
const MAX_ACTIONS: u64 = 1_000;
/// The actor of what the centre does by itself.
pub const CENTRE: &str = "centre";

/// A case as the projection has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// The submission.
    pub envelope_id: EnvelopeId,
    /// The centre's order.
    pub server_seq: u64,
    /// Its number.
    pub number: CaseNo,
    /// The number on the slip, if it is another one.
    pub slip_number: Option<CaseNo>,
    /// Where it stands.
    pub state: CaseState,
    /// How many actions made it.
    pub version: u64,
    /// Short reason of the present state, may be empty.
    pub reason: String,
    /// Item or bundle; none if the envelope named none.
    pub item: Option<ItemCode>,
    /// Catalogue version of the form; 0 if the envelope named none.
    pub catalogue_version: u64,
    /// Where it was handed in.
    pub station: StationId,
    /// On which terminal.
    pub terminal: TerminalId,
    /// Milliseconds since 1970.
    pub received_at_ms: i64,
    /// Milliseconds since 1970.
    pub changed_at_ms: i64,
    /// With what it was completed.
    pub outcome: Option<Outcome>,
    /// The last moment of its present time, milliseconds since 1970; none where no time runs.
    pub due_ms: Option<i64>,
    /// The calendar does not know all the days until then (预计).
    pub due_expected: bool,
    /// The clock stands: the citizen has the next move.
    pub standing: bool,
    /// When the clock has something to do for it, milliseconds since 1970; none where it waits for people only.
    pub wake_ms: Option<i64>,
    /// When its clock began, milliseconds since 1970; none before it is accepted.
    pub accepted_at_ms: Option<i64>,
}

/// Columns of [`CaseRow`], in the order in which [`read`] takes them.
pub const COLUMNS: &str = "envelope_id, server_seq, number, slip_number, state, version, reason, item, \
                           catalogue_version, station, terminal, received_at_ms, changed_at_ms, outcome, due_ms, \
                           due_expected, standing, wake_ms, accepted_at_ms";

/// Who does something to a case, and by which click.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// Id of an account or terminal, or [`CENTRE`].
    pub id: &'a str,
    /// As what.
    pub role: &'a str,
    /// For whom, if not for the own unit.
    pub on_behalf_of: Option<&'a str>,
    /// The name that the form gave the click; the same click again does nothing.
    pub click: Option<&'a str>,
}

/// What the centre does by itself.
pub const BY_CENTRE: Actor<'static> = Actor { id: CENTRE, role: CENTRE, on_behalf_of: None, click: None };

/// What a new case is made of.
#[derive(Debug, Clone)]
pub struct NewCase<'a> {
    /// The submission.
    pub envelope_id: EnvelopeId,
    /// The centre's order.
    pub server_seq: u64,
    /// Its number.
    pub number: CaseNo,
    /// The number on the slip, if that one was taken.
    pub slip_number: Option<CaseNo>,
    /// Item or bundle.
    pub item: Option<&'a ItemCode>,
    /// Catalogue version of the form.
    pub catalogue_version: Option<u64>,
    /// Where it was handed in.
    pub station: &'a StationId,
    /// On which terminal.
    pub terminal: &'a TerminalId,
}

/// Makes a case: its first action and its projection row.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn begin(tx: &mut Tx<'_>, now_ms: i64, new: &NewCase<'_>) -> Result<(), ServiceError> {
    let action = Action::Received { number: new.number.clone(), slip_number: new.slip_number.clone() };
    let first = Recorded { version: 1, at_ms: now_ms, action };
    let view = CaseView::begin(&first).map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    tx.execute(
        "INSERT INTO case_ (envelope_id, server_seq, number, slip_number, state, version, reason, item,
             catalogue_version, station, terminal, received_at_ms, changed_at_ms)
         VALUES ($1, $2, $3, $4, $5, 1, '', $6, $7, $8, $9, $10, $10)",
        &[
            new.envelope_id.to_string().into(),
            new.server_seq.into(),
            new.number.as_str().into(),
            Value::from(new.slip_number.as_ref().map(CaseNo::as_str)),
            view.state.as_str().into(),
            new.item.map_or("", ItemCode::as_str).into(),
            new.catalogue_version.unwrap_or(0).into(),
            new.station.as_str().into(),
            new.terminal.as_str().into(),
            now_ms.into(),
        ],
    )?;
    let actor = Actor { id: new.terminal.as_str(), role: "terminal", on_behalf_of: None, click: None };
    write_action(tx, &Subject { id: &new.envelope_id, station: new.station, actor }, &first, &view)
}

/// Adds an action of the centre to a case that is still at `expected_version`.
///
/// # Errors
/// [`ServiceError`]: `case-changed` if it is not, `not-found`, an action that does not fit, or the store's.
pub fn act(
    tx: &mut Tx<'_>,
    shelf: &Shelf,
    now_ms: i64,
    (id, expected_version): (&EnvelopeId, u64),
    action: Action,
) -> Result<CaseView, ServiceError> {
    let (row, view) = current(tx, id)?;
    if row.version != expected_version {
        return Err(changed(row.version));
    }
    add(tx, shelf, now_ms, (&row, view), (BY_CENTRE, action))
}

/// A case and its row, as they are now.
///
/// # Errors
/// [`ServiceError`] `not-found`, or the store's.
pub fn current(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<(CaseRow, CaseView), ServiceError> {
    let row = by_id(tx, id)?.ok_or(ProblemCode::NotFound)?;
    let history = history(tx, id)?;
    let view = fold(&history).map_err(|e| ServiceError::Inconsistent(format!("case {id}: {e}")))?;
    Ok((row, view))
}

/// That somebody else was quicker.
pub fn changed(version: u64) -> ServiceError {
    ServiceError::refused(ProblemCode::CaseChanged, format!("the case is at version {version}"))
}

/// Adds an action to a case as it is now: the action, its row, its tasks, its times, what is counted of it, its audit row
/// and its news. What it
/// takes back that was granted is revoked, and what was paid for in vain goes back.
///
/// # Errors
/// [`ServiceError`]: `case-changed` if the action does not fit where the case stands, or the store's.
pub fn add(
    tx: &mut Tx<'_>,
    shelf: &Shelf,
    now_ms: i64,
    (row, mut view): (&CaseRow, CaseView),
    (actor, action): (Actor<'_>, Action),
) -> Result<CaseView, ServiceError> {
    let id = &row.envelope_id;
    let next = Recorded { version: view.version + 1, at_ms: now_ms, action };
    let bills = view.bills.clone();
    let (decided_ms, counted) = (view.decided_at_ms(), facts::of(tx, shelf, row, &view, true)?);
    view.apply(&next).map_err(|e| match e {
        FoldError::Misfit { .. } | FoldError::Edge { .. } => {
            ServiceError::refused(ProblemCode::CaseChanged, e.to_string())
        }
        other => ServiceError::Inconsistent(format!("case {id}: {other}")),
    })?;
    refresh(tx, shelf, row, &view)?;
    let counts = facts::of(tx, shelf, row, &view, view.decided_at_ms() == decided_ms)?;
    facts::change(tx, row, (counted.as_ref(), counts.as_ref()))?;
    write_action(tx, &Subject { id, station: &row.station, actor }, &next, &view)?;
    money::follow(tx, now_ms, row, (&bills, &view), actor.id)?;
    results::take_back(tx, now_ms, row, (&next.action, &view))?;
    approval::note_opened(tx, now_ms, (id, row.item.as_ref()), &next.action)?;
    approval::follow(tx, now_ms, id, (&next.action, &view))?;
    Ok(view)
}

/// Writes the row and the tasks of a case as its fold and the newest catalogue have them; says what time runs.
///
/// # Errors
/// [`ServiceError`] if a catalogue version cannot be read, or the store fails.
pub fn refresh(tx: &mut Tx<'_>, shelf: &Shelf, row: &CaseRow, view: &CaseView) -> Result<Time, ServiceError> {
    let time = case_time::of(tx, shelf, row, view)?;
    let id = &row.envelope_id;
    let mut values = vec![Value::from(id.to_string())];
    values.extend(projection(view, &time));
    tx.execute(
        "UPDATE case_ SET state = $2, version = $3, reason = $4, changed_at_ms = $5, outcome = $6, accepted_at_ms = $7,
             due_ms = $8, due_expected = $9, standing = $10, wake_ms = $11 WHERE envelope_id = $1",
        &values,
    )?;
    fail::fail_point!("planted::task_left_behind", |_| Ok(time));
    tasks::write(tx, id, view, time.due_ms)?;
    Ok(time)
}

/// Columns that follow from the fold, in the order of [`projection`]; behind [`OF_TIME`] those that follow from the
/// catalogue as well.
pub const PROJECTED: [&str; 10] = [
    "state",
    "version",
    "reason",
    "changed_at_ms",
    "outcome",
    "accepted_at_ms",
    "due_ms",
    "due_expected",
    "standing",
    "wake_ms",
];
/// The place in [`PROJECTED`] from which on a column follows from the catalogue as well.
pub const OF_TIME: usize = 6;

/// The values that a case's row should have in the columns of [`PROJECTED`].
pub fn projection(view: &CaseView, time: &Time) -> [Value; PROJECTED.len()] {
    [
        view.state.as_str().into(),
        view.version.into(),
        view.reason.as_str().into(),
        view.changed_at_ms.into(),
        view.outcome.map_or("", Outcome::as_str).into(),
        Value::from(view.accepted_at_ms),
        Value::from(time.due_ms),
        u64::from(time.expected).into(),
        u64::from(time.standing).into(),
        Value::from(time.wake_ms),
    ]
}

/// Puts a case into 隔离 unless people work on it already; says nothing if there is no such case.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn quarantine_if_open(
    tx: &mut Tx<'_>,
    now_ms: i64,
    id: &EnvelopeId,
    reason: QuarantineReason,
) -> Result<(), ServiceError> {
    let Some(row) = by_id(tx, id)? else { return Ok(()) };
    if row.state != CaseState::Quarantined && row.state.allows(CaseState::Quarantined) {
        // No time runs for it, so that no calendar is needed.
        act(tx, &Shelf::default(), now_ms, (id, row.version), Action::Quarantined { reason })?;
    }
    Ok(())
}

/// Ids of the year keys under which data keys of cases are wrapped.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn key_ids(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let rows = tx.query("SELECT DISTINCT key_id FROM case_key ORDER BY key_id", &[])?;
    rows.iter().map(|r| r.text(0).map(str::to_owned)).collect()
}

/// The case of a submission.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn by_id(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Option<CaseRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM case_ WHERE envelope_id = $1");
    tx.query_first(&sql, &[id.to_string().into()])?.map(|r| read(&r)).transpose()
}

/// Cases that a number names: the one that bears it, then those on whose slip it stands.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn by_number(tx: &mut Tx<'_>, number: &CaseNo) -> Result<Vec<CaseRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM case_ WHERE number = $1 OR slip_number = $1 ORDER BY server_seq LIMIT 20"
    );
    let rows = tx.query(&sql, &[number.as_str().into()])?;
    let mut cases: Vec<_> = rows.iter().map(read).collect::<Result<_, _>>()?;
    cases.sort_by_key(|c| c.number != *number);
    Ok(cases)
}

/// What happened to a case, oldest first.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn history(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Recorded>, StoreError> {
    let rows = tx.query(
        "SELECT version, at_ms, body FROM action WHERE envelope_id = $1 ORDER BY version LIMIT $2",
        &[id.to_string().into(), MAX_ACTIONS.into()],
    )?;
    rows.iter()
        .map(|row| {
            let action =
                serde_json::from_str(row.text(2)?).map_err(|_| StoreError::Stored { what: "action" })?;
            Ok(Recorded { version: row.uint(0)?, at_ms: row.int(1)?, action })
        })
        .collect()
}

/// Reads a row of [`COLUMNS`].
///
/// # Errors
/// [`StoreError`] if a stored text cannot be read back.
pub fn read(row: &Row) -> Result<CaseRow, StoreError> {
    let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let item = optional(row.text(7)?).map(|t| t.parse()).transpose();
    let slip_number = row.text_or_null(3)?.map(str::parse).transpose();
    Ok(CaseRow {
        envelope_id: row.parsed(0)?,
        server_seq: row.uint(1)?,
        number: row.parsed(2)?,
        slip_number: slip_number.map_err(|_| StoreError::Stored { what: "case number" })?,
        state: CaseState::from_name(row.text(4)?).ok_or(StoreError::Stored { what: "case state" })?,
        version: row.uint(5)?,
        reason: row.text(6)?.to_owned(),
        item: item.map_err(|_| StoreError::Stored { what: "item code" })?,
        catalogue_version: row.uint(8)?,
        station: row.parsed(9)?,
        terminal: row.parsed(10)?,
        received_at_ms: row.int(11)?,
        changed_at_ms: row.int(12)?,
        outcome: Outcome::from_name(row.text(13)?),
        due_ms: row.int_or_null(14)?,
        due_expected: row.int(15)? != 0,
        standing: row.int(16)? != 0,
        wake_ms: row.int_or_null(17)?,
        accepted_at_ms: row.int_or_null(18)?,
    })
}

/// Whose action it is, and who acted.
struct Subject<'a> {
    id: &'a EnvelopeId,
    station: &'a StationId,
    actor: Actor<'a>,
}

fn write_action(
    tx: &mut Tx<'_>,
    of: &Subject<'_>,
    recorded: &Recorded,
    view: &CaseView,
) -> Result<(), ServiceError> {
    let body = serde_json::to_string(&recorded.action).map_err(|_| StoreError::Stored { what: "action" })?;
    let digest = Digest::of(body.as_bytes()).to_string();
    let subject = of.id.to_string();
    tx.execute(
        "INSERT INTO action (envelope_id, version, kind, body, actor, role, at_ms, on_behalf_of, click)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            subject.clone().into(),
            recorded.version.into(),
            recorded.action.name().into(),
            body.into(),
            of.actor.id.into(),
            of.actor.role.into(),
            recorded.at_ms.into(),
            Value::from(of.actor.on_behalf_of),
            Value::from(of.actor.click),
        ],
    )?;
    let event = format!("case.{}", recorded.action.name());
    let event = audit::Event { actor: of.actor.id, event: &event, subject: &subject, object_digest: &digest };
    audit::append(tx, recorded.at_ms, event)?;
    notifications::queue(tx, of.id, recorded)?;
    // Terminals hear where a case stands; what its departments do among themselves is nobody's news.
    if recorded.action.state().is_none() {
        return Ok(());
    }
    let news = ChangeNews::Case(CaseNews {
        envelope_id: *of.id,
        number: view.number.clone(),
        state: view.state,
        version: view.version,
        at_ms: recorded.at_ms,
    });
    changes::announce(tx, Some(of.station), &news)
}
