//! What is to be done with the gateway, and what came of it: orders for new bills, the end of bills, refunds.
use domain::case::Action;
use domain::money::{BillEvent, BillState, Fen};

use super::arrivals::GATEWAY;
use super::rows::{columns, find, read, record};
use crate::error::{ProblemCode, ServiceError};
use crate::services::cases::{self, BY_CENTRE};
use crate::services::{Context, review};
use crate::store::{StoreError, Tx};

/// After its last moment a bill waits so long for news of a payment that was made in time, in milliseconds.
pub const GRACE_MS: i64 = 60_000;
/// For a gateway that is away a bill waits no longer than this behind its last moment, in milliseconds.
pub const LONGEST_WAIT_MS: i64 = 24 * 3_600_000;

/// An order that was not paid so far is asked about so often, because a call-back can be lost; in milliseconds.
const ASK_EVERY_MS: i64 = 10 * 60_000;

/// When the gateway is asked about an order next.
pub fn next_question(now_ms: i64, due_ms: i64) -> i64 {
    now_ms.saturating_add(ASK_EVERY_MS).min(due_ms.saturating_add(GRACE_MS))
}

/// A bill with which something is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillDue {
    /// Its number.
    pub number: String,
    /// What is still to be paid.
    pub left: Fen,
    /// Last moment to pay, milliseconds since 1970.
    pub due_ms: i64,
    /// The gateway has an order for it.
    pub is_ordered: bool,
    /// How often the gateway did not answer.
    pub tries: u64,
}

/// A refund that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundDue {
    /// Its number, the same each time it is tried.
    pub number: String,
    /// Its bill.
    pub bill: String,
    /// Which one of the bill.
    pub place: u16,
    /// Of which payment.
    pub transaction: String,
    /// How much.
    pub fen: Fen,
}

/// Open bills with which something is to be done, those that wait longest first.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn due_bills(tx: &mut Tx<'_>, now_ms: i64, limit: u64) -> Result<Vec<BillDue>, StoreError> {
    let sql = format!(
        "SELECT {} FROM bill WHERE wake_ms <= $1 AND state = 'open' ORDER BY wake_ms, number LIMIT $2",
        columns()
    );
    let rows = tx.query(&sql, &[now_ms.into(), limit.into()])?;
    let due = |row: &_| {
        let row = read(row)?;
        Ok(BillDue {
            left: row.fen.minus(row.kept).unwrap_or_default(),
            due_ms: row.due_ms,
            is_ordered: !row.pay_url.is_empty(),
            tries: row.tries,
            number: row.number,
        })
    };
    rows.iter().map(due).collect()
}

/// Refunds that are to be done now.
///
/// # Errors
/// [`StoreError`]
pub fn due_refunds(tx: &mut Tx<'_>, now_ms: i64, limit: u64) -> Result<Vec<RefundDue>, StoreError> {
    let rows = tx.query(
        "SELECT number, bill, place, transaction_no, fen FROM refund WHERE wake_ms <= $1 AND state = 'owed'
         ORDER BY wake_ms, number LIMIT $2",
        &[now_ms.into(), limit.into()],
    )?;
    let stored = |what| StoreError::Stored { what };
    let due = |row: &crate::store::Row| {
        Ok(RefundDue {
            number: row.text(0)?.to_owned(),
            bill: row.text(1)?.to_owned(),
            place: u16::try_from(row.uint(2)?).map_err(|_| stored("place of a refund"))?,
            transaction: row.text(3)?.to_owned(),
            fen: Fen::new(row.int(4)?).map_err(|_| stored("amount"))?,
        })
    };
    rows.iter().map(due).collect()
}

/// The gateway has an order for a bill, and says where it is paid.
///
/// # Errors
/// [`StoreError`]
pub fn ordered(tx: &mut Tx<'_>, now_ms: i64, (bill, pay_url): (&BillDue, &str)) -> Result<(), StoreError> {
    let wake_ms = next_question(now_ms, bill.due_ms);
    let values = [bill.number.as_str().into(), pay_url.into(), wake_ms.into()];
    tx.execute(
        "UPDATE bill SET pay_url = $2, wake_ms = $3, tries = 0 WHERE number = $1 AND state = 'open'",
        &values,
    )?;
    Ok(())
}

/// The gateway is asked again at this moment; it did not answer so many times.
///
/// # Errors
/// [`StoreError`]
pub fn put_off(tx: &mut Tx<'_>, number: &str, (at_ms, tries): (i64, u64)) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE bill SET wake_ms = $2, tries = $3 WHERE number = $1 AND state = 'open'",
        &[number.into(), at_ms.into(), tries.into()],
    )?;
    Ok(())
}

/// Nobody paid in time; does nothing if the bill is not open any more, or not over.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn lapse(tx: &mut Tx<'_>, context: &Context, now_ms: i64, number: &str) -> Result<bool, ServiceError> {
    let Some(row) = find(tx, number)? else { return Ok(false) };
    let Some(id) = row.envelope_id.filter(|_| row.state == BillState::Open && row.due_ms < now_ms) else {
        return Ok(false);
    };
    let (case, view) = cases::current(tx, &id)?;
    let action = Action::BillLapsed { step: row.step, bill: row.number };
    let view = cases::add(tx, &context.shelf, now_ms, (&case, view), (BY_CENTRE, action))?;
    review::follow(tx, context, now_ms, (&case, view))?;
    Ok(true)
}

/// The gateway did a refund. Told twice, it was done once.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn refund_done(tx: &mut Tx<'_>, now_ms: i64, due: &RefundDue) -> Result<(), ServiceError> {
    once(record(tx, now_ms, &due.bill, (GATEWAY, &BillEvent::RefundDone { refund: due.place })))
}

/// A try of a refund failed, or nobody answered; in the end a person has to look.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn refund_failed(tx: &mut Tx<'_>, now_ms: i64, due: &RefundDue) -> Result<(), ServiceError> {
    once(record(tx, now_ms, &due.bill, (GATEWAY, &BillEvent::RefundFailed { refund: due.place })))
}

fn once<T>(written: Result<T, ServiceError>) -> Result<(), ServiceError> {
    match written {
        Ok(_) | Err(ServiceError::Refused { code: ProblemCode::CaseChanged, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
