//! Rollouts as they are stored.
use domain::catalogue::Ring;
use domain::ids::TerminalId;

use super::course::{Count, Course, State};
use crate::store::{Row, StoreError, Tx, Value};

/// One rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// Its number.
    pub id: u64,
    /// The version that is rolled out.
    pub version: u64,
    /// The version with the content before, if one was signed.
    pub way_back: Option<u64>,
    /// What terminals ran before; 0 if nothing that was signed.
    pub before: u64,
    /// It goes back by itself when it halts by itself.
    pub back_by_itself: bool,
    /// Where it is.
    pub course: Course,
    /// When it began, milliseconds since 1970.
    pub began_ms: i64,
    /// When it changed last, milliseconds since 1970.
    pub changed_ms: i64,
}

impl Rollout {
    /// What all terminals may run when a next rollout begins: a version that is still on its way is not among it.
    pub fn settled(&self) -> u64 {
        match (self.course.state, self.way_back) {
            (State::Done, _) => self.version,
            (State::RolledBack, Some(back)) => back,
            (State::RolledBack | State::Running | State::Paused | State::Halted, _) => self.before,
        }
    }

    /// The version that was signed as the way back, if it is what terminals run now.
    pub fn back_in_force(&self) -> Option<u64> {
        self.way_back.filter(|_| self.course.state == State::RolledBack)
    }

    /// Whether a next rollout must wait for this one.
    pub fn is_under_way(&self) -> bool {
        matches!(self.course.state, State::Running | State::Paused)
    }
}

/// A terminal of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) ring: usize,
    pub(super) adopted: bool,
    pub(super) tries: u64,
}

const COLUMNS: &str = "id, version, way_back, before_, rings, back_by_itself, state, ring, ring_began_ms, began_ms, \
                       changed_ms";

/// The newest rollout: it says what every terminal runs.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn latest(tx: &mut Tx<'_>) -> Result<Option<Rollout>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM rollout ORDER BY id DESC LIMIT 1");
    tx.query_first(&sql, &[])?.map(|row| read(&row)).transpose()
}

/// One rollout.
///
/// # Errors
/// As [`latest`].
pub fn by_id(tx: &mut Tx<'_>, id: u64) -> Result<Option<Rollout>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM rollout WHERE id = $1");
    tx.query_first(&sql, &[id.into()])?.map(|row| read(&row)).transpose()
}

/// The rollout of a version.
pub(super) fn of_version(tx: &mut Tx<'_>, version: u64) -> Result<Option<Rollout>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM rollout WHERE version = $1");
    tx.query_first(&sql, &[version.into()])?.map(|row| read(&row)).transpose()
}

/// Rollouts before a number, the newest first.
pub(super) fn before(tx: &mut Tx<'_>, id: u64, most: u64) -> Result<Vec<Rollout>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM rollout WHERE id < $1 ORDER BY id DESC LIMIT $2");
    tx.query(&sql, &[id.into(), most.into()])?.iter().map(read).collect()
}

pub(super) fn insert(tx: &mut Tx<'_>, rollout: &Rollout) -> Result<(), StoreError> {
    let Rollout { course, .. } = rollout;
    let rings = serde_json::to_string(&course.rings).map_err(|_| StoreError::Stored { what: "rings" })?;
    tx.execute(
        "INSERT INTO rollout (id, version, way_back, before_, rings, back_by_itself, state, ring, ring_began_ms, \
         began_ms, changed_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            rollout.id.into(),
            rollout.version.into(),
            rollout.way_back.into(),
            rollout.before.into(),
            rings.into(),
            rollout.back_by_itself.into(),
            course.state.as_str().into(),
            (course.ring as u64).into(),
            course.ring_began_ms.into(),
            rollout.began_ms.into(),
            rollout.changed_ms.into(),
        ],
    )?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, rollout: &Rollout) -> Result<(), StoreError> {
    let Course { state, ring, ring_began_ms, .. } = &rollout.course;
    tx.execute(
        "UPDATE rollout SET state = $2, ring = $3, ring_began_ms = $4, changed_ms = $5 WHERE id = $1",
        &[
            rollout.id.into(),
            state.as_str().into(),
            (*ring as u64).into(),
            (*ring_began_ms).into(),
            rollout.changed_ms.into(),
        ],
    )?;
    Ok(())
}

/// Counts the terminals of a ring that may still send, and finds when enough of them had the version.
pub(super) fn count(tx: &mut Tx<'_>, rollout: &Rollout, ring: usize) -> Result<Count, StoreError> {
    let percent = rollout.course.rings.get(ring).map_or(100, |ring| ring.success_percent);
    let key: [Value; 2] = [rollout.id.into(), (ring as u64).into()];
    let row = tx.query_first(
        "SELECT COUNT(*), COUNT(r.adopted_ms), COUNT(CASE WHEN r.adopted_ms IS NULL THEN r.failed_ms END)
         FROM rollout_terminal r JOIN terminal t ON t.id = r.terminal
         WHERE r.rollout = $1 AND r.ring = $2 AND t.status = 'active'",
        &key,
    )?;
    let Some(row) = row else { return Ok(Count::default()) };
    let (all, adopted) = (row.uint(0)?, row.uint(1)?);
    let enough = (all * u64::from(percent)).div_ceil(100);
    let reached_ms = if (1..=adopted).contains(&enough) {
        let [id, ring] = key;
        let row = tx.query_first(
            "SELECT r.adopted_ms FROM rollout_terminal r JOIN terminal t ON t.id = r.terminal
             WHERE r.rollout = $1 AND r.ring = $2 AND t.status = 'active' AND r.adopted_ms IS NOT NULL
             ORDER BY r.adopted_ms LIMIT 1 OFFSET $3",
            &[id, ring, (enough - 1).into()],
        )?;
        row.map(|row| row.int(0)).transpose()?
    } else {
        None
    };
    Ok(Count { all, adopted, failed: row.uint(2)?, reached_ms })
}

pub(super) fn member(
    tx: &mut Tx<'_>,
    rollout: u64,
    terminal: &TerminalId,
) -> Result<Option<Member>, StoreError> {
    let row = tx.query_first(
        "SELECT ring, adopted_ms, tries FROM rollout_terminal WHERE rollout = $1 AND terminal = $2",
        &[rollout.into(), terminal.as_str().into()],
    )?;
    row.map(|r| Ok(Member { ring: place(&r, 0)?, adopted: r.int_or_null(1)?.is_some(), tries: r.uint(2)? }))
        .transpose()
}

/// A ring's place as the store has it.
pub(super) fn place(row: &Row, column: usize) -> Result<usize, StoreError> {
    usize::try_from(row.uint(column)?).map_err(|_| StoreError::Stored { what: "ring" })
}

fn read(row: &Row) -> Result<Rollout, StoreError> {
    let rings: Vec<Ring> =
        serde_json::from_str(row.text(4)?).map_err(|_| StoreError::Stored { what: "rings" })?;
    let state = State::from_name(row.text(6)?).ok_or(StoreError::Stored { what: "state of a rollout" })?;
    Ok(Rollout {
        id: row.uint(0)?,
        version: row.uint(1)?,
        way_back: row.int_or_null(2)?.map(|_| row.uint(2)).transpose()?,
        before: row.uint(3)?,
        back_by_itself: row.int(5)? != 0,
        course: Course { rings, state, ring: place(row, 7)?, ring_began_ms: row.int(8)? },
        began_ms: row.int(9)?,
        changed_ms: row.int(10)?,
    })
}
