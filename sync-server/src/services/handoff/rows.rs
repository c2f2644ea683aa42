//! Handoffs as they are stored: a row for lists, and the steps from which everything else follows.
use domain::handoff::{Adcode, Handoff, HandoffState, Side, Step};
use domain::ids::{EnvelopeId, ItemCode};
use domain::item::Period;

use super::unit_named;
use crate::error::{ProblemCode, ServiceError};
use crate::store::{self, StoreError, Tx};

/// A step with its side, its time in milliseconds since 1970, and the message that told it.
pub type Taken = (Side, Step, i64, Option<EnvelopeId>);

/// Handoffs of one list, at most.
pub const MOST: u64 = 100;
/// Steps of one handoff that are read, at most: more than its rounds allow.
const MOST_STEPS: u64 = 500;

/// A handoff with what this centre knows beside its steps.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its id, the same at both centres.
    pub id: EnvelopeId,
    /// Which side this centre is.
    pub side: Side,
    /// The other region.
    pub partner: Adcode,
    /// Item of the home region.
    pub item: ItemCode,
    /// Its name.
    pub title: String,
    /// Who decides it; empty if that is not known.
    pub unit: String,
    /// Who took it in, if it was here.
    pub clerk: String,
    /// What the law gives.
    pub legal: Period,
    /// Catalogue version of the form that was filled in.
    pub form_version: u64,
    /// What the steps make.
    pub handoff: Handoff,
}

const COLUMNS: &str =
    "id, side, partner, item, title, unit, clerk, legal_tenths, legal_unit, form_version FROM handoff";

/// A handoff.
///
/// # Errors
/// [`ServiceError`] `not-found`, or the store's.
pub fn find(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Row, ServiceError> {
    let sql = format!("SELECT {COLUMNS} WHERE id = $1");
    let row = tx.query_first(&sql, &[id.to_string().into()])?.ok_or(ProblemCode::NotFound)?;
    read(tx, &row)
}

/// Whether this centre has a handoff.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn is_there(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<bool, StoreError> {
    Ok(tx.query_int("SELECT COUNT(*) FROM handoff WHERE id = $1", &[id.to_string().into()])? > 0)
}

/// What a clerk took in: what is not over first, each from the newest.
///
/// # Errors
/// [`ServiceError`] if the store fails; so do all below.
pub fn taken_in(tx: &mut Tx<'_>, clerk: &str) -> Result<Vec<Row>, ServiceError> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE side = 'accepting' AND clerk = $1
         ORDER BY CASE WHEN state IN ('not_ours', 'result_received', 'archived') THEN 1 ELSE 0 END,
             received_at_ms DESC, id LIMIT $2"
    );
    let rows = tx.query(&sql, &[clerk.into(), MOST.into()])?;
    rows.iter().map(|row| read(tx, row)).collect()
}

/// What came from elsewhere for a unit, or for none that the catalogue knows, the oldest that waits first.
pub fn coming(tx: &mut Tx<'_>, unit: &str) -> Result<Vec<Row>, ServiceError> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE side = 'home' AND (unit = $1 OR unit = '')
         ORDER BY CASE WHEN state IN ('sent', 'signed_for', 'decided') THEN 0 ELSE 1 END, received_at_ms, id LIMIT $2"
    );
    let rows = tx.query(&sql, &[unit.into(), MOST.into()])?;
    rows.iter().map(|row| read(tx, row)).collect()
}

/// How much of it waits for somebody of the unit.
pub fn waiting_at_home(tx: &mut Tx<'_>, unit: &str) -> Result<u64, StoreError> {
    let sql = "SELECT COUNT(*) FROM handoff WHERE side = 'home' AND (unit = $1 OR unit = '')
               AND state IN ('sent', 'signed_for', 'decided')";
    Ok(u64::try_from(tx.query_int(sql, &[unit.into()])?).unwrap_or(0))
}

/// The steps of a handoff in their order, each with its side, its time and the message that told it.
pub fn steps(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Taken>, ServiceError> {
    let sql =
        "SELECT side, step, at_ms, message FROM handoff_step WHERE handoff = $1 ORDER BY version LIMIT $2";
    let rows = tx.query(sql, &[id.to_string().into(), MOST_STEPS.into()])?;
    let wrong = |what: &str| ServiceError::Inconsistent(format!("handoff {id}: {what}"));
    let one = |row: &store::Row| {
        let side = Side::from_name(row.text(0)?).ok_or_else(|| wrong("a side"))?;
        let step = serde_json::from_str(row.text(1)?).map_err(|_| wrong("a step"))?;
        let message = row.text_or_null(3)?.map(str::parse).transpose().map_err(|_| wrong("a message"))?;
        Ok((side, step, row.int(2)?, message))
    };
    rows.iter().map(one).collect()
}

fn read(tx: &mut Tx<'_>, row: &store::Row) -> Result<Row, ServiceError> {
    let id = row.parsed(0)?;
    let steps = steps(tx, &id)?;
    let folded = Handoff::fold(steps.iter().map(|(side, step, at_ms, _)| (*side, step, *at_ms)));
    let handoff =
        folded.map_err(|_| ServiceError::Inconsistent(format!("handoff {id}: its steps do not follow")))?;
    let stored = |what| StoreError::Stored { what };
    let tenths = u32::try_from(row.int(7)?).map_err(|_| stored("a period"))?;
    Ok(Row {
        id,
        side: Side::from_name(row.text(1)?).ok_or(stored("a side"))?,
        partner: row.parsed(2)?,
        item: row.parsed(3)?,
        title: row.text(4)?.to_owned(),
        unit: row.text(5)?.to_owned(),
        clerk: row.text(6)?.to_owned(),
        legal: Period { tenths, unit: unit_named(row.text(8)?).ok_or(stored("a unit"))? },
        form_version: row.uint(9)?,
        handoff,
    })
}

impl Row {
    /// Where it stands.
    pub fn state(&self) -> HandoffState {
        self.handoff.state
    }
}
