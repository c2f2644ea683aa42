//! 统一窗口: what a clerk opens for the person who stands there. The centre writes a series of its own for it, and its
//! envelopes go the way of all others, so that behind the counter nothing is done in another manner than at a terminal.
//!
//! Refuses to show a clerk anything but what that clerk opened. Knows no HTTP.
mod availability;
pub mod drafts;
mod envelope;
mod submit;
mod sums;
mod supplement;
pub mod visits;

use domain::case::CaseState;
use domain::ids::{CaseNo, EnvelopeId, Issuer, ItemCode, StationId, TerminalId};

pub use availability::{Unavailable, can_begin, can_finish};
pub use envelope::{Outgoing, send};
pub use submit::{Filled, HandedIn, hand_in, suite, take_in};
pub use supplement::{LookedUp, Lookup, hand_in_supplement, look_up};

use super::Context;
use super::enrol::FIRST_CENTRE_ISSUER;
use super::terminals::Terminal;
use crate::error::{ProblemCode, ServiceError};
use crate::store::{Row, StoreError, Tx};

/// The id under which windows send, as terminal and as station. Enrolment gives it to nobody.
pub const PLACE: &str = "WINDOW";
/// Cases of a clerk on one page.
pub const MINE: u64 = 50;

/// Windows as a sender: the centre signs with the key of its receipts.
///
/// # Errors
/// [`ServiceError::Inconsistent`] if the id is none, which it is not.
pub fn place(context: &Context) -> Result<Terminal, ServiceError> {
    let wrong = || ServiceError::Inconsistent("the window has no id".into());
    Ok(Terminal {
        id: PLACE.parse::<TerminalId>().map_err(|_| wrong())?,
        station: PLACE.parse::<StationId>().map_err(|_| wrong())?,
        public_key: context.keys.receipt.public(),
        issuer: Issuer::new(FIRST_CENTRE_ISSUER).ok_or_else(wrong)?,
        active: true,
    })
}

/// A case that a clerk opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mine {
    /// The submission.
    pub envelope_id: EnvelopeId,
    /// The centre's order.
    pub server_seq: u64,
    /// Its number.
    pub number: CaseNo,
    /// Item or bundle.
    pub item: Option<ItemCode>,
    /// Catalogue version of its form.
    pub catalogue_version: u64,
    /// Where it stands.
    pub state: CaseState,
    /// When it was opened, milliseconds since 1970.
    pub received_at_ms: i64,
    /// When it last changed, milliseconds since 1970.
    pub changed_at_ms: i64,
    /// The visit in which it was opened.
    pub visit: String,
}

const MINE_COLUMNS: &str = "c.envelope_id, c.server_seq, c.number, c.item, c.catalogue_version, c.state,
                            c.received_at_ms, c.changed_at_ms, v.visit FROM visit_case v
                            JOIN case_ c ON c.envelope_id = v.envelope_id";

/// Cases that a clerk opened, the newest first, before a place in the centre's order.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn mine(tx: &mut Tx<'_>, clerk: &str, before: u64) -> Result<Vec<Mine>, StoreError> {
    let sql = format!(
        "SELECT {MINE_COLUMNS} WHERE v.clerk = $1 AND v.server_seq < $2 ORDER BY v.server_seq DESC LIMIT $3"
    );
    tx.query(&sql, &[clerk.into(), before.into(), (MINE + 1).into()])?.iter().map(read).collect()
}

/// The case of this clerk that has this number.
///
/// # Errors
/// [`ServiceError`] `not-found`, also for the case of anybody else.
pub fn mine_numbered(tx: &mut Tx<'_>, clerk: &str, number: &CaseNo) -> Result<Mine, ServiceError> {
    let sql = format!("SELECT {MINE_COLUMNS} WHERE v.clerk = $1 AND c.number = $2");
    let row = tx.query_first(&sql, &[clerk.into(), number.as_str().into()])?.ok_or(ProblemCode::NotFound)?;
    Ok(read(&row)?)
}

/// The number of the case that this clerk made of a form; none if it was not handed in.
pub fn made_of(tx: &mut Tx<'_>, clerk: &str, id: &EnvelopeId) -> Result<Option<CaseNo>, StoreError> {
    let sql = format!("SELECT {MINE_COLUMNS} WHERE v.clerk = $1 AND v.envelope_id = $2");
    let row = tx.query_first(&sql, &[clerk.into(), id.to_string().into()])?;
    row.map(|row| Ok(read(&row)?.number)).transpose()
}

/// Who opened a case at a window, as the list has it.
pub fn listed_clerk(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Option<String>, StoreError> {
    let sql = "SELECT clerk FROM visit_case WHERE envelope_id = $1";
    tx.query_first(sql, &[id.to_string().into()])?.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

fn read(row: &Row) -> Result<Mine, StoreError> {
    let item = Some(row.text(3)?).filter(|code| !code.is_empty()).map(str::parse).transpose();
    Ok(Mine {
        envelope_id: row.parsed(0)?,
        server_seq: row.uint(1)?,
        number: row.parsed(2)?,
        item: item.map_err(|_| StoreError::Stored { what: "item code" })?,
        catalogue_version: row.uint(4)?,
        state: CaseState::from_name(row.text(5)?).ok_or(StoreError::Stored { what: "case state" })?,
        received_at_ms: row.int(6)?,
        changed_at_ms: row.int(7)?,
        visit: row.text(8)?.to_owned(),
    })
}
