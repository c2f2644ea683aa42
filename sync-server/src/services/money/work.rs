//! What is to be done with the gateway, and what came of it: orders for new bills, the end of bills, refunds.
use domain::case::Action;
use domain::money::{BillEvent, BillState, Fen};

use super::arrivals::GATEWAY;
use super::rows::{columns, find, read, record};
use crate::error::{ProblemCode, ServiceError};
use crate::services::cases::{self, BY_CENTRE};
use crate::services::{Context, review};
use crate::store::{Row, StoreError, Tx};

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
    /// It waits to be paid; of one that was taken back only the order is to be closed.
    pub is_open: bool,
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
    /// Since when nothing happened to its bill, milliseconds since 1970.
    pub since_ms: i64,
}

/// Bills with which something is to be done, those that wait longest first: open ones, and those taken back whose order
/// is still to be closed.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn due_bills(tx: &mut Tx<'_>, now_ms: i64, limit: u64) -> Result<Vec<BillDue>, StoreError> {
    let sql = format!(
        "SELECT {} FROM bill WHERE wake_ms <= $1 AND state IN ('open', 'cancelled')
         ORDER BY wake_ms, number LIMIT $2",
        columns()
    );
    Ok(read_due(&tx.query(&sql, &[now_ms.into(), limit.into()])?))
}

/// Open bills that are over for longer than anybody waits for a gateway ([`LONGEST_WAIT_MS`]).
///
/// # Errors
/// [`StoreError`]
pub fn overdue_bills(tx: &mut Tx<'_>, now_ms: i64, limit: u64) -> Result<Vec<BillDue>, StoreError> {
    let sql = format!(
        "SELECT {} FROM bill WHERE wake_ms <= $1 AND due_ms < $2 AND state = 'open'
         ORDER BY wake_ms, number LIMIT $3",
        columns()
    );
    let over_ms = now_ms.saturating_sub(LONGEST_WAIT_MS);
    Ok(read_due(&tx.query(&sql, &[now_ms.into(), over_ms.into(), limit.into()])?))
}

/// One row that cannot be read holds up no other bill.
fn read_due(rows: &[Row]) -> Vec<BillDue> {
    let due = |row: &Row| match read(row) {
        Ok(row) => Some(BillDue {
            left: row.fen.minus(row.kept).unwrap_or_default(),
            due_ms: row.due_ms,
            is_open: row.state == BillState::Open,
            is_ordered: !row.pay_url.is_empty(),
            tries: row.tries,
            number: row.number,
        }),
        Err(error) => {
            tracing::error!("a bill is left alone: {error}; see `sync-server verify`");
            None
        }
    };
    rows.iter().filter_map(due).collect()
}

/// Refunds that are to be done now.
///
/// # Errors
/// [`StoreError`]
pub fn due_refunds(tx: &mut Tx<'_>, now_ms: i64, limit: u64) -> Result<Vec<RefundDue>, StoreError> {
    let rows = tx.query(
        "SELECT r.number, r.bill, r.place, r.transaction_no, r.fen, b.changed_at_ms FROM refund r
         JOIN bill b ON b.number = r.bill WHERE r.wake_ms <= $1 AND r.state = 'owed'
         ORDER BY r.wake_ms, r.number LIMIT $2",
        &[now_ms.into(), limit.into()],
    )?;
    let stored = |what| StoreError::Stored { what };
    let due = |row: &Row| -> Result<RefundDue, StoreError> {
        Ok(RefundDue {
            number: row.text(0)?.to_owned(),
            bill: row.text(1)?.to_owned(),
            place: u16::try_from(row.uint(2)?).map_err(|_| stored("place of a refund"))?,
            transaction: row.text(3)?.to_owned(),
            fen: Fen::new(row.int(4)?).map_err(|_| stored("amount"))?,
            since_ms: row.int(5)?,
        })
    };
    let told =
        |error: &StoreError| tracing::error!("a refund is left alone: {error}; see `sync-server verify`");
    Ok(rows.iter().filter_map(|row| due(row).inspect_err(told).ok()).collect())
}

/// The gateway has an order for a bill, and says where it is paid; or a simulator does. If the bill was taken back
/// meanwhile, the order is closed at the next turn.
///
/// # Errors
/// [`StoreError`]
pub fn ordered(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (bill, pay_url, simulated): (&BillDue, &str, bool),
) -> Result<(), StoreError> {
    let wake_ms = next_question(now_ms, bill.due_ms);
    let values = [bill.number.as_str().into(), pay_url.into(), wake_ms.into(), simulated.into()];
    tx.execute(
        "UPDATE bill SET pay_url = $2, wake_ms = $3, tries = 0, simulated = $4
         WHERE number = $1 AND state IN ('open', 'cancelled')",
        &values,
    )?;
    Ok(())
}

/// The order of a bill that was taken back is closed: nothing is to be done any more.
///
/// # Errors
/// [`StoreError`]
pub fn closed(tx: &mut Tx<'_>, number: &str) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE bill SET wake_ms = NULL, tries = 0 WHERE number = $1 AND state = 'cancelled'",
        &[number.into()],
    )?;
    Ok(())
}

/// The gateway is asked again at this moment; it did not answer so many times.
///
/// # Errors
/// [`StoreError`]
pub fn put_off(tx: &mut Tx<'_>, number: &str, (at_ms, tries): (i64, u64)) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE bill SET wake_ms = $2, tries = $3 WHERE number = $1 AND state IN ('open', 'cancelled')",
        &[number.into(), at_ms.into(), tries.into()],
    )?;
    Ok(())
}

/// The gateway is asked again about a refund at this moment. That it is under way, or that nobody answers, is no failure
/// and stands in no event.
///
/// # Errors
/// [`StoreError`]
pub fn put_off_refund(tx: &mut Tx<'_>, number: &str, at_ms: i64) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE refund SET wake_ms = $2 WHERE number = $1 AND state = 'owed'",
        &[number.into(), at_ms.into()],
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

/// The gateway refused a refund; in the end a person has to look.
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
