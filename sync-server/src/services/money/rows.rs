//! Bills, their events and their refunds as rows. Only here a row of them is written.
use domain::envelope::Digest;
use domain::ids::EnvelopeId;
use domain::money::{Bill, BillError, BillEvent, BillState, Fen, MAX_TRIES, Refund, RefundState};

use crate::error::ServiceError;
use crate::services::audit;
use crate::store::{BILL_COLUMNS, Row, StoreError, Tx, Value};

/// Events of one bill, at most: far more than a bill ever has.
const MAX_EVENTS: u64 = 2_000;
/// So near to that nobody has refunds tried again any more: what else happens has room.
const NEAR_FULL: u64 = MAX_EVENTS - 200;
/// The longest number of a transaction that stands in the number of a refund; gateways take 64 bytes.
const LONGEST_PLAIN: usize = 57;
/// A refund is tried again after so long, four times as long each time, in milliseconds.
const AGAIN_MS: i64 = 1_000;

/// A bill as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRow {
    /// Its number, which is that of the order at the gateway.
    pub number: String,
    /// Its place in the order of bills.
    pub place: u64,
    /// Its case; none of a stray.
    pub envelope_id: Option<EnvelopeId>,
    /// The number of the case; empty of a stray.
    pub case_number: String,
    /// The step that asked for it.
    pub step: String,
    /// Item or bundle.
    pub item: String,
    /// The unit that asked for it; empty of a stray.
    pub unit: String,
    /// Where it stands.
    pub state: BillState,
    /// Nobody but a person can go on.
    pub needs: bool,
    /// How much it asks for.
    pub fen: Fen,
    /// What came.
    pub received: Fen,
    /// What of it is kept.
    pub kept: Fen,
    /// What went back.
    pub refunded: Fen,
    /// What is still to go back.
    pub owed: Fen,
    /// Last moment to pay, milliseconds since 1970.
    pub due_ms: i64,
    /// How many events made it.
    pub version: u64,
    /// Milliseconds since 1970.
    pub opened_at_ms: i64,
    /// Milliseconds since 1970.
    pub changed_at_ms: i64,
    /// Where it is paid; empty while the gateway has no order for it.
    pub pay_url: String,
    /// When something is to be done with the gateway, milliseconds since 1970.
    pub wake_ms: Option<i64>,
    /// How often that failed.
    pub tries: u64,
    /// It is paid at a simulator.
    pub simulated: bool,
}

/// What a new bill is made of.
pub(super) struct NewBill<'a> {
    pub number: &'a str,
    pub case: Option<(&'a EnvelopeId, &'a str)>,
    pub step: &'a str,
    pub item: &'a str,
    pub unit: &'a str,
}

/// The columns of a statement that [`read`] can read.
pub(super) fn columns() -> String {
    BILL_COLUMNS.join(", ")
}

/// Reads a row of [`columns`].
pub(super) fn read(row: &Row) -> Result<BillRow, StoreError> {
    let fen = |at| Fen::new(row.int(at)?).map_err(|_| StoreError::Stored { what: "amount" });
    let id = row.text_or_null(2)?.map(str::parse).transpose();
    Ok(BillRow {
        number: row.text(0)?.to_owned(),
        place: row.uint(1)?,
        envelope_id: id.map_err(|_| StoreError::Stored { what: "envelope id" })?,
        case_number: row.text(3)?.to_owned(),
        step: row.text(4)?.to_owned(),
        item: row.text(5)?.to_owned(),
        unit: row.text(6)?.to_owned(),
        state: BillState::from_name(row.text(7)?).ok_or(StoreError::Stored { what: "bill state" })?,
        needs: row.int(8)? != 0,
        fen: fen(9)?,
        received: fen(10)?,
        kept: fen(11)?,
        refunded: fen(12)?,
        owed: fen(13)?,
        due_ms: row.int(14)?,
        version: row.uint(15)?,
        opened_at_ms: row.int(16)?,
        changed_at_ms: row.int(17)?,
        pay_url: row.text(18)?.to_owned(),
        wake_ms: row.int_or_null(19)?,
        tries: row.uint(20)?,
        simulated: row.int(21)? != 0,
    })
}

/// The bill with a number.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn find(tx: &mut Tx<'_>, number: &str) -> Result<Option<BillRow>, StoreError> {
    let sql = format!("SELECT {} FROM bill WHERE number = $1", columns());
    tx.query_first(&sql, &[number.into()])?.map(|row| read(&row)).transpose()
}

/// What happened to a bill, oldest first. Never a part of it: a fold of that would be another bill.
pub(super) fn events(tx: &mut Tx<'_>, number: &str) -> Result<Vec<BillEvent>, ServiceError> {
    let rows = tx.query(
        "SELECT body FROM bill_event WHERE bill = $1 ORDER BY version LIMIT $2",
        &[number.into(), (MAX_EVENTS + 1).into()],
    )?;
    if rows.len() as u64 > MAX_EVENTS {
        return Err(ServiceError::Inconsistent(format!("bill {number} has more than {MAX_EVENTS} events")));
    }
    let event = |row: &Row| {
        serde_json::from_str(row.text(0)?).map_err(|_| StoreError::Stored { what: "event of a bill" })
    };
    Ok(rows.iter().map(event).collect::<Result<Vec<BillEvent>, StoreError>>()?)
}

/// Whether so many refunds of a bill can be tried again to the end, and there is still room for what else happens.
pub(super) fn has_room(bill: &Bill, refunds: usize) -> bool {
    let each = u64::from(MAX_TRIES) + 1;
    let more = u64::try_from(refunds).unwrap_or(u64::MAX).saturating_mul(each);
    bill.version.saturating_add(more) <= NEAR_FULL
}

/// Whether a bill takes no more events.
pub(super) fn is_full(bill: &Bill) -> bool {
    bill.version >= MAX_EVENTS
}

/// A bill as its events have it.
pub(super) fn fold(tx: &mut Tx<'_>, number: &str) -> Result<Bill, ServiceError> {
    Bill::fold(&events(tx, number)?).map_err(|e| ServiceError::Inconsistent(format!("bill {number}: {e}")))
}

/// Makes a bill of its first event.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    now_ms: i64,
    new: &NewBill<'_>,
    (actor, first): (&str, &BillEvent),
) -> Result<(), ServiceError> {
    let bill = Bill::begin(first).map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    let place = tx.query_int("SELECT COALESCE(MAX(place), 0) + 1 FROM bill", &[])?;
    // The order at the gateway is made at once.
    let wake_ms = (bill.state == BillState::Open).then_some(now_ms);
    tx.execute(
        "INSERT INTO bill (number, place, envelope_id, case_number, step, item, unit, state, needs, fen, received_fen,
             kept_fen, refunded_fen, owed_fen, due_ms, version, opened_at_ms, changed_at_ms, pay_url, wake_ms, tries,
             simulated)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, 0, $11, 1, $12, $12, '', $13, 0, 0)",
        &[
            new.number.into(),
            place.into(),
            Value::from(new.case.map(|(id, _)| id.to_string())),
            new.case.map_or("", |(_, number)| number).into(),
            new.step.into(),
            new.item.into(),
            new.unit.into(),
            bill.state.as_str().into(),
            bill.needs_somebody().into(),
            bill.fen.get().into(),
            bill.due_ms.into(),
            now_ms.into(),
            Value::from(wake_ms),
        ],
    )?;
    write_event(tx, now_ms, (new.number, 1), (actor, first))
}

/// Adds an event to a bill, with its row, the rows of its refunds and its audit row; gives what it is then.
pub(super) fn record(
    tx: &mut Tx<'_>,
    now_ms: i64,
    number: &str,
    (actor, event): (&str, &BillEvent),
) -> Result<Bill, ServiceError> {
    let mut bill = fold(tx, number)?;
    if is_full(&bill) {
        return Err(ServiceError::Inconsistent(format!("bill {number} has {MAX_EVENTS} events")));
    }
    bill.apply(event).map_err(|e| refused(number, e))?;
    // The order of a bill that is taken back is closed at the gateway, at once.
    tx.execute(
        "UPDATE bill SET state = $2, needs = $3, received_fen = $4, kept_fen = $5, refunded_fen = $6, owed_fen = $7,
             version = $8, changed_at_ms = $9,
             wake_ms = CASE WHEN $2 = 'cancelled' AND state = 'open' AND pay_url <> '' THEN $9
                 WHEN $2 = state AND $2 IN ('open', 'cancelled') THEN wake_ms ELSE NULL END
         WHERE number = $1",
        &[
            number.into(),
            bill.state.as_str().into(),
            bill.needs_somebody().into(),
            bill.received().get().into(),
            bill.kept().get().into(),
            bill.refunded().get().into(),
            bill.owed().get().into(),
            bill.version.into(),
            now_ms.into(),
        ],
    )?;
    for refund in &bill.refunds {
        write_refund(tx, now_ms, number, refund)?;
    }
    write_event(tx, now_ms, (number, bill.version), (actor, event))?;
    Ok(bill)
}

fn refused(number: &str, error: BillError) -> ServiceError {
    ServiceError::refused(crate::error::ProblemCode::CaseChanged, format!("bill {number}: {error}"))
}

/// The number of a refund at the gateway: the same each time it is tried, so that it is done once. It is made of the number
/// of its payment: whatever a restored centre has forgotten, it never gives the number to other money.
pub(super) fn refund_number(refund: &Refund) -> String {
    let Refund { transaction, turn, .. } = refund;
    if transaction.len() <= LONGEST_PLAIN {
        return format!("{transaction}R{turn}");
    }
    let digest = Digest::of(transaction.as_bytes()).to_string();
    format!("{}R{turn}", digest.get(..LONGEST_PLAIN).unwrap_or_default())
}

fn write_refund(tx: &mut Tx<'_>, now_ms: i64, bill: &str, refund: &Refund) -> Result<(), StoreError> {
    let waits = AGAIN_MS.saturating_mul(4_i64.saturating_pow(refund.tries.min(20)));
    let again_ms = if refund.tries == 0 { now_ms } else { now_ms.saturating_add(waits) };
    let (state, tries) = (refund.state.as_str(), u64::from(refund.tries));
    let done = (refund.state == RefundState::Done).then_some(now_ms);
    tx.execute(
        "INSERT INTO refund (number, bill, place, transaction_no, fen, state, tries, wake_ms, done_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (number) DO UPDATE SET state = $6, tries = $7, wake_ms = $8, done_at_ms = $9
             WHERE refund.state <> $6 OR refund.tries <> $7",
        &[
            refund_number(refund).into(),
            bill.into(),
            u64::from(refund.number).into(),
            refund.transaction.as_str().into(),
            refund.fen.get().into(),
            state.into(),
            tries.into(),
            Value::from((refund.state == RefundState::Owed).then_some(again_ms)),
            Value::from(done),
        ],
    )?;
    Ok(())
}

fn write_event(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (number, version): (&str, u64),
    (actor, event): (&str, &BillEvent),
) -> Result<(), ServiceError> {
    let body = serde_json::to_string(event).map_err(|_| StoreError::Stored { what: "event of a bill" })?;
    let digest = Digest::of(body.as_bytes()).to_string();
    let kind = match event {
        BillEvent::Opened { .. } => "bill.opened",
        BillEvent::Strayed { .. } => "bill.strayed",
        BillEvent::Arrived { .. } => "bill.arrived",
        BillEvent::Lapsed => "bill.lapsed",
        BillEvent::Cancelled => "bill.cancelled",
        BillEvent::GivenBack => "bill.given_back",
        BillEvent::RefundDone { .. } => "bill.refund_done",
        BillEvent::RefundFailed { .. } => "bill.refund_failed",
        BillEvent::RefundRetried { .. } => "bill.refund_retried",
    };
    tx.execute(
        "INSERT INTO bill_event (bill, version, at_ms, actor, body) VALUES ($1, $2, $3, $4, $5)",
        &[number.into(), version.into(), now_ms.into(), actor.into(), body.into()],
    )?;
    let event = audit::Event { actor, event: kind, subject: number, object_digest: &digest };
    Ok(audit::append(tx, now_ms, event)?)
}

#[cfg(test)]
mod tests {
    use domain::money::Why;

    use super::*;

    fn number(transaction: &str, turn: u16) -> String {
        let (transaction, fen) = (transaction.to_owned(), Fen::NOTHING);
        let (why, state) = (Why::Over, RefundState::Owed);
        refund_number(&Refund { number: 9, transaction, turn, fen, why, state, tries: 0 })
    }

    #[test]
    fn a_refund_is_numbered_by_its_payment_with_what_gateways_take() {
        assert_eq!(number("4200001", 2), "4200001R2");
        let (long, other) = (format!("{}1", "t".repeat(63)), format!("{}2", "t".repeat(63)));
        for text in [number(&long, 1), number(&long, 65_535), number(&"t".repeat(57), 65_535)] {
            assert!(text.len() <= 63 && text.bytes().all(|b| b.is_ascii_alphanumeric()), "{text}");
        }
        assert_ne!(number(&long, 1), number(&other, 1));
    }
}
