//! 开单: a bill is made with the action of the case that asks for it, and follows what becomes of the case.
use domain::case::{Action, Billed, BilledState, CaseView};
use domain::deadline::{Clock, OfficeHours};
use domain::item::{Period, PeriodUnit};
use domain::money::{BillEvent, Fee, Fen, bases};
use rand_core::CryptoRng;

use super::notices::{Notice, tell};
use super::rows::{NewBill, begin, record};
use crate::error::{ProblemCode, ServiceError};
use crate::services::Context;
use crate::services::cases::CaseRow;
use crate::store::Tx;

/// How long a citizen has to pay: fifteen days (to confirm).
const PAY_WITHIN: Period = Period { tenths: 150, unit: PeriodUnit::NaturalDay };

/// Completes the action by which a step asks for money: its number, its last moment, its ground of the law, and the amount
/// of the catalogue. Only what the catalogue says is worked out is typed, with a reason in words.
///
/// # Errors
/// [`ServiceError`] `malformed-request` if the step costs nothing, if an amount was typed where there is a fixed one, or
/// is missing, or has no reason; or the store's.
pub fn prepare(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    (row, view): (&CaseRow, &CaseView),
    action: &mut Action,
) -> Result<(), ServiceError> {
    let Action::Billed { step, bill, fen, basis, due_ms, text } = action else { return Ok(()) };
    let wrong = |why: &str| ServiceError::refused(ProblemCode::MalformedRequest, why.to_owned());
    let volume = context.shelf.get(tx, row.catalogue_version)?;
    let catalogue = volume.as_deref().map(|volume| &volume.catalogue);
    let entry = row.item.as_ref().and_then(|code| catalogue.and_then(|c| c.entry(code)));
    let planned = view.plan.step(step).ok_or(ProblemCode::NotFound)?;
    let fee = catalogue.zip(entry).and_then(|(catalogue, entry)| Fee::of(catalogue, entry, planned));
    *fen = match fee.ok_or_else(|| wrong("nothing is to be paid for this step"))? {
        Fee::Fixed(fixed) if fen.is_nothing() || *fen == fixed => fixed,
        Fee::Fixed(_) => return Err(wrong("the catalogue says how much it is")),
        Fee::Computed if fen.is_nothing() => return Err(wrong("the amount is missing")),
        Fee::Computed if text.is_none() => return Err(wrong("an amount that is worked out needs a reason")),
        Fee::Computed => *fen,
    };
    let grounds = bases(catalogue, entry, Some(planned));
    let at: usize = basis.parse().map_err(|_| wrong("the ground of the law is missing"))?;
    *basis = grounds.get(at).ok_or_else(|| wrong("the item has no such ground of the law"))?.clone();
    let newest = context.shelf.newest(tx)?.ok_or(ProblemCode::NotFound)?;
    let clock = Clock { period: PAY_WITHIN, started_ms: now_ms, pauses: &[] };
    *due_ms = clock.deadline(now_ms, &newest.catalogue.calendar, OfficeHours::default()).at_ms;
    *bill = number(rng);
    Ok(())
}

/// A number that nobody guesses and that no restored centre gives out again.
pub(super) fn number(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 10];
    rng.fill_bytes(&mut bytes);
    bytes.iter().fold("JF".to_owned(), |text, byte| text + &format!("{byte:02X}"))
}

/// Writes what an action of a case did to its bills; in its transaction.
///
/// # Errors
/// [`ServiceError`] if a bill is not where its case says, or the store fails.
pub fn follow(
    tx: &mut Tx<'_>,
    now_ms: i64,
    row: &CaseRow,
    (before, view): (&[Billed], &CaseView),
    actor: &str,
) -> Result<(), ServiceError> {
    let id = &row.envelope_id;
    for billed in &view.bills {
        let was = before.iter().find(|old| old.bill == billed.bill).map(|old| old.state);
        let bill = billed.bill.as_str();
        if was.is_none() {
            open(tx, now_ms, row, (billed, view), actor)?;
            tell(tx, now_ms, id, Notice::ToPay { bill })?;
        }
        if was == Some(billed.state) || billed.state == BilledState::Open {
            continue;
        }
        let event = match billed.state {
            BilledState::Lapsed => BillEvent::Lapsed,
            BilledState::Cancelled => BillEvent::Cancelled,
            BilledState::GivenBack => BillEvent::GivenBack,
            // The payment itself was written before.
            BilledState::Paid | BilledState::Open => continue,
        };
        let after = record(tx, now_ms, bill, (actor, &event))?;
        // What goes back because of how a step ended is told by nobody before the case says how it ended.
        if after.owed() > Fen::NOTHING && billed.state != BilledState::GivenBack {
            tell(tx, now_ms, id, Notice::GoesBack { bill })?;
        }
    }
    Ok(())
}

fn open(
    tx: &mut Tx<'_>,
    now_ms: i64,
    row: &CaseRow,
    (billed, view): (&Billed, &CaseView),
    actor: &str,
) -> Result<(), ServiceError> {
    let event = BillEvent::Opened {
        case: view.number.clone(),
        step: billed.step.clone(),
        item: row.item.clone(),
        fen: billed.fen,
        basis: billed.basis.clone(),
        due_ms: billed.due_ms,
    };
    let new = NewBill {
        number: &billed.bill,
        case: Some((&row.envelope_id, view.number.as_str())),
        step: &billed.step,
        item: row.item.as_ref().map_or("", |item| item.as_str()),
        unit: unit_of(view, &billed.step),
    };
    begin(tx, now_ms, &new, (actor, &event))
}

/// The unit whose work a bill is: whoever books the step as it is planned.
pub(super) fn unit_of<'v>(view: &'v CaseView, step: &str) -> &'v str {
    view.step(step).map_or("", |step| view.booking_unit(step).as_str())
}
