//! 到账: what the gateway says was paid, by a call-back, an answer or a file. Each payment counts once, by its number, however
//! often and by however many ways it is heard of; what fits no bill is kept for people.
use domain::case::Action;
use domain::money::{BillError, BillEvent, BillState, Fen, Stray};

use super::CURRENCY;
use super::notices::{Notice, tell};
use super::rows::{BillRow, NewBill, begin, find, fold, is_full, record};
use crate::error::{ProblemCode, ServiceError};
use crate::services::cases::{self, BY_CENTRE};
use crate::services::{Context, audit, review};
use crate::store::{StoreError, Tx};

/// The actor of what the gateway told.
pub(super) const GATEWAY: &str = "gateway";
/// The alarm about a payment that is told in two ways; its subject is the transaction.
const DIFFERS: &str = "payment.differs";
/// The alarm about a payment that fits no bill.
const STRAY: &str = "payment.stray";
/// Longest order number and currency that are kept.
const MAX_TEXT: usize = 64;

/// By which way a payment was heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The gateway called.
    Call,
    /// It was asked.
    Query,
    /// It stood in the file of a day.
    File,
}

impl Way {
    fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Query => "query",
            Self::File => "file",
        }
    }
}

/// A payment as the gateway tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The gateway's number of it.
    pub transaction: String,
    /// The order that it names: a number of a bill.
    pub order: String,
    /// How much.
    pub fen: Fen,
    /// In which currency.
    pub currency: String,
    /// When, milliseconds since 1970.
    pub paid_at_ms: i64,
    /// By which way it was heard of.
    pub way: Way,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was counted for its bill.
    Counted,
    /// It was counted before.
    Known,
    /// It fits no bill: people look at it.
    Stray(Stray),
    /// The same transaction was told before with another order, amount or currency: the first word stands.
    Differs,
}

/// Takes a payment.
///
/// # Errors
/// [`ServiceError`] `malformed-request` for what is no payment, or the store's: then nothing was taken.
pub fn take(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    arrival: &Arrival,
) -> Result<Taken, ServiceError> {
    let plain = |text: &str| text.len() <= MAX_TEXT && text.bytes().all(|b| b.is_ascii_graphic());
    if !plain(&arrival.order) || !plain(&arrival.currency) || arrival.fen.is_nothing() {
        return Err(ServiceError::refused(ProblemCode::MalformedRequest, "that is no payment"));
    }
    if let Some(known) = known(tx, now_ms, arrival)? {
        return Ok(known);
    }
    if arrival.currency != CURRENCY {
        return stray(tx, now_ms, arrival, Stray::Currency);
    }
    match find(tx, &arrival.order)? {
        Some(row) if row.envelope_id.is_some() => count(tx, context, now_ms, (&row, arrival)),
        _ => stray(tx, now_ms, arrival, Stray::Unknown),
    }
}

fn known(tx: &mut Tx<'_>, now_ms: i64, arrival: &Arrival) -> Result<Option<Taken>, ServiceError> {
    let sql = "SELECT order_no, fen, currency FROM payment WHERE transaction_no = $1";
    let Some(row) = tx.query_first(sql, &[arrival.transaction.as_str().into()])? else { return Ok(None) };
    let same =
        row.text(0)? == arrival.order && row.int(1)? == arrival.fen.get() && row.text(2)? == arrival.currency;
    if same {
        return Ok(Some(Taken::Known));
    }
    audit::raise_alarm(tx, now_ms, DIFFERS, &arrival.transaction, None)?;
    Ok(Some(Taken::Differs))
}

fn count(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    (row, arrival): (&BillRow, &Arrival),
) -> Result<Taken, ServiceError> {
    let Some(id) = &row.envelope_id else { return stray(tx, now_ms, arrival, Stray::Unknown) };
    let (case, view) = cases::current(tx, id)?;
    let before = fold(tx, &row.number)?;
    let event = event(arrival, before.state == BillState::Lapsed && view.still_wants(&row.number));
    match before.clone().apply(&event) {
        Ok(()) if is_full(&before) => return stray(tx, now_ms, arrival, Stray::Full),
        Ok(()) => {}
        Err(BillError::Payment) => return Err(no_payment()),
        Err(_) => return stray(tx, now_ms, arrival, Stray::Full),
    }
    let after = record(tx, now_ms, &row.number, (GATEWAY, &event))?;
    note(tx, now_ms, (&row.number, arrival))?;
    let bill = row.number.as_str();
    if after.state == BillState::Paid && before.state != BillState::Paid {
        let action = Action::BillPaid { step: row.step.clone(), bill: row.number.clone() };
        let view = cases::add(tx, &context.shelf, now_ms, (&case, view), (BY_CENTRE, action))?;
        review::follow(tx, context, now_ms, (&case, view))?;
        tell(tx, now_ms, id, Notice::Paid { bill })?;
    }
    if after.owed() > before.owed() {
        tell(tx, now_ms, id, Notice::GoesBack { bill })?;
    }
    Ok(Taken::Counted)
}

fn event(arrival: &Arrival, still_wanted: bool) -> BillEvent {
    let (transaction, fen) = (arrival.transaction.clone(), arrival.fen);
    BillEvent::Arrived { transaction, fen, paid_at_ms: arrival.paid_at_ms, still_wanted }
}

fn no_payment() -> ServiceError {
    ServiceError::refused(ProblemCode::MalformedRequest, "that is no payment")
}

/// A payment that fits no bill gets one of its own, so that its money is counted like all other.
fn stray(tx: &mut Tx<'_>, now_ms: i64, arrival: &Arrival, why: Stray) -> Result<Taken, ServiceError> {
    let number = format!("WZ{}", arrival.transaction);
    let new = NewBill { number: &number, case: None, step: "", item: "", unit: "" };
    begin(tx, now_ms, &new, (GATEWAY, &BillEvent::Strayed { why }))?;
    record(tx, now_ms, &number, (GATEWAY, &event(arrival, false))).map_err(|error| match error {
        ServiceError::Refused { .. } => no_payment(),
        error => error,
    })?;
    note(tx, now_ms, (&number, arrival))?;
    audit::raise_alarm(tx, now_ms, STRAY, &arrival.transaction, None)?;
    tracing::warn!(reason = why.as_str(), "a payment fits no bill; it waits at /payments");
    Ok(Taken::Stray(why))
}

fn note(tx: &mut Tx<'_>, now_ms: i64, (bill, arrival): (&str, &Arrival)) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO payment (transaction_no, bill, order_no, fen, currency, paid_at_ms, arrived_at_ms, way)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            arrival.transaction.as_str().into(),
            bill.into(),
            arrival.order.as_str().into(),
            arrival.fen.get().into(),
            arrival.currency.as_str().into(),
            arrival.paid_at_ms.into(),
            now_ms.into(),
            arrival.way.as_str().into(),
        ],
    )?;
    Ok(())
}
