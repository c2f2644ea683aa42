//! What people see: every terminal with what it runs and said last, and what was done with rollouts.
use domain::ids::{StationId, TerminalId};
use domain::wire::v1::ActivationFailure;

use super::course::{Count, Step};
use super::rows::{self, Rollout};
use crate::store::{Row, StoreError, Tx};

/// Terminals on a board, at most.
const MAX_ROWS: u64 = 10_000;
/// Steps that are shown, at most: the newest ones.
const MAX_STEPS: u64 = 100;
/// Earlier rollouts that are shown, at most.
const MAX_EARLIER: u64 = 50;

/// A terminal on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardRow {
    /// The terminal.
    pub terminal: TerminalId,
    /// Where it stands.
    pub station: StationId,
    /// The station's name.
    pub station_name: String,
    /// Its ring, from 0; none if it came after the rollout began.
    pub ring: Option<usize>,
    /// When it said that it has the version, milliseconds since 1970.
    pub adopted_ms: Option<i64>,
    /// When it said that it cannot, and why.
    pub failed: Option<(i64, String)>,
    /// When it was heard last, milliseconds since 1970.
    pub heard_ms: Option<i64>,
    /// The version that it ran then.
    pub catalogue: Option<u64>,
    /// What it could not put into force then.
    pub failures: Vec<ActivationFailure>,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// An account's id, `centre` or `operator`.
    pub actor: String,
    /// The name of the account's owner, if it is one.
    pub person: Option<String>,
    /// What.
    pub step: Step,
    /// In which ring, from 0.
    pub ring: usize,
    /// Why; for what went by itself a word of [`super::Why`] or nothing.
    pub reason: String,
}

/// Every active terminal, in the order of rings and stations.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn terminals(tx: &mut Tx<'_>, rollout: u64) -> Result<Vec<BoardRow>, StoreError> {
    let rows = tx.query(
        "SELECT t.id, t.station, s.name, r.ring, r.adopted_ms, r.failed_ms, r.failure, h.at_ms, h.catalogue, h.failures
         FROM terminal t JOIN station s ON s.id = t.station
              LEFT JOIN rollout_terminal r ON r.terminal = t.id AND r.rollout = $1
              LEFT JOIN heartbeat h ON h.terminal = t.id
         WHERE t.status = 'active'
         ORDER BY COALESCE(r.ring, 1000), t.station, t.id LIMIT $2",
        &[rollout.into(), MAX_ROWS.into()],
    )?;
    rows.iter().map(read).collect()
}

/// What became of each ring.
///
/// # Errors
/// As [`terminals`].
pub fn counts(tx: &mut Tx<'_>, rollout: &Rollout) -> Result<Vec<Count>, StoreError> {
    (0..rollout.course.rings.len()).map(|ring| rows::count(tx, rollout, ring)).collect()
}

/// What was done with a rollout, the newest first.
///
/// # Errors
/// As [`terminals`].
pub fn steps(tx: &mut Tx<'_>, rollout: u64) -> Result<Vec<StepRow>, StoreError> {
    let rows = tx.query(
        "SELECT s.at_ms, s.actor, a.display, s.step, s.ring, s.reason
         FROM rollout_step s LEFT JOIN account a ON a.id = s.actor
         WHERE s.rollout = $1 ORDER BY s.id DESC LIMIT $2",
        &[rollout.into(), MAX_STEPS.into()],
    )?;
    let read = |row: &Row| {
        Ok(StepRow {
            at_ms: row.int(0)?,
            actor: row.text(1)?.to_owned(),
            person: row.text_or_null(2)?.map(str::to_owned),
            step: Step::from_name(row.text(3)?).ok_or(StoreError::Stored { what: "step" })?,
            ring: rows::place(row, 4)?,
            reason: row.text(5)?.to_owned(),
        })
    };
    rows.iter().map(read).collect()
}

/// Rollouts before one, the newest first.
///
/// # Errors
/// As [`terminals`].
pub fn earlier(tx: &mut Tx<'_>, than: u64) -> Result<Vec<Rollout>, StoreError> {
    rows::before(tx, than, MAX_EARLIER)
}

/// Who went back to a version, when and why; nothing if nobody did.
///
/// # Errors
/// As [`terminals`].
pub fn went_back_to(tx: &mut Tx<'_>, version: u64) -> Result<Option<StepRow>, StoreError> {
    let Some(rollout) = all(tx)?.into_iter().find(|r| r.back_in_force() == Some(version)) else {
        return Ok(None);
    };
    Ok(steps(tx, rollout.id)?.into_iter().find(|step| step.step == Step::RollBack))
}

/// All rollouts that are listed, the newest first.
///
/// # Errors
/// As [`terminals`].
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Rollout>, StoreError> {
    let Some(latest) = rows::latest(tx)? else { return Ok(Vec::new()) };
    let before = earlier(tx, latest.id)?;
    Ok(std::iter::once(latest).chain(before).collect())
}

fn read(row: &Row) -> Result<BoardRow, StoreError> {
    let failed_ms = row.int_or_null(5)?;
    let why = row.text_or_null(6)?.unwrap_or_default();
    let catalogue = row.int_or_null(8)?.map(|_| row.uint(8)).transpose()?;
    let failures = row.text_or_null(9)?.map_or(Ok(Vec::new()), serde_json::from_str);
    Ok(BoardRow {
        terminal: row.parsed(0)?,
        station: row.parsed(1)?,
        station_name: row.text(2)?.to_owned(),
        ring: row.int_or_null(3)?.map(|_| rows::place(row, 3)).transpose()?,
        adopted_ms: row.int_or_null(4)?,
        failed: failed_ms.map(|at| (at, why.to_owned())),
        heard_ms: row.int_or_null(7)?,
        catalogue: catalogue.filter(|version| *version > 0),
        failures: failures.map_err(|_| StoreError::Stored { what: "failures of a heartbeat" })?,
    })
}
