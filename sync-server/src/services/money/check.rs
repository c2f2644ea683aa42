//! Holds rows of money against their events and their case, for `sync-server verify`. Only reads.
use domain::case::CaseView;
use domain::ids::EnvelopeId;

use super::list::of_case as bills_of;
use super::rows::{BillRow, columns, fold, read, refund_number};
use crate::error::ServiceError;
use crate::store::Tx;

/// One thing that differs: where, what is stored, what follows.
pub type Odd = (String, String, String);

/// Everything that is wrong with the bills of a case.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn of_case(tx: &mut Tx<'_>, id: &EnvelopeId, view: &CaseView) -> Result<Vec<Odd>, ServiceError> {
    let rows = bills_of(tx, id)?;
    let mut odd = Vec::new();
    for row in &rows {
        let place = format!("bill {}", row.number);
        match view.bills.iter().find(|billed| billed.bill == row.number) {
            None => odd.push((place, "a bill".to_owned(), "nothing".to_owned())),
            Some(billed) => {
                let stored = (row.state, row.fen, row.step.as_str(), row.due_ms, row.case_number.as_str());
                let folded = (
                    billed.state.of_bill(),
                    billed.fen,
                    billed.step.as_str(),
                    billed.due_ms,
                    view.number.as_str(),
                );
                differ(&mut odd, &place, format!("{stored:?}"), format!("{folded:?}"));
            }
        }
        of_bill(tx, row, &mut odd)?;
    }
    for billed in view.bills.iter().filter(|billed| rows.iter().all(|row| row.number != billed.bill)) {
        odd.push((format!("bill {}", billed.bill), "nothing".to_owned(), "a bill".to_owned()));
    }
    Ok(odd)
}

/// Everything that is wrong with a stretch of the payments that fit no bill, after a place; gives the last place.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn strays(tx: &mut Tx<'_>, after: u64, limit: u64) -> Result<(Option<u64>, Vec<Odd>), ServiceError> {
    let sql = format!(
        "SELECT {} FROM bill WHERE envelope_id IS NULL AND place > $1 ORDER BY place LIMIT $2",
        columns()
    );
    let (mut last, mut odd) = (None, Vec::new());
    for row in tx.query(&sql, &[after.into(), limit.into()])? {
        let row = read(&row)?;
        last = Some(row.place);
        of_bill(tx, &row, &mut odd)?;
    }
    Ok((last, odd))
}

fn differ(odd: &mut Vec<Odd>, place: &str, stored: String, folded: String) {
    if stored != folded {
        odd.push((place.to_owned(), stored, folded));
    }
}

/// A row, its refunds and its payments against its events.
fn of_bill(tx: &mut Tx<'_>, row: &BillRow, odd: &mut Vec<Odd>) -> Result<(), ServiceError> {
    let place = format!("bill {}", row.number);
    let bill = match fold(tx, &row.number) {
        Ok(bill) => bill,
        Err(error @ ServiceError::Inconsistent(_)) => {
            odd.push((place, error.to_string(), "a bill".to_owned()));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let sums = [bill.received(), bill.kept(), bill.refunded(), bill.owed()].map(|fen| fen.get());
    let folded = (bill.state, bill.needs_somebody(), bill.fen, bill.due_ms, bill.version, sums);
    let sums = [row.received, row.kept, row.refunded, row.owed].map(|fen| fen.get());
    let stored = (row.state, row.needs, row.fen, row.due_ms, row.version, sums);
    differ(odd, &place, format!("{stored:?}"), format!("{folded:?}"));
    let rows = tx.query(
        "SELECT number, transaction_no, fen, state, tries FROM refund WHERE bill = $1 ORDER BY place",
        &[row.number.as_str().into()],
    )?;
    let mut stored = Vec::new();
    for refund in &rows {
        stored.push((
            refund.text(0)?.to_owned(),
            refund.text(1)?.to_owned(),
            refund.int(2)?,
            refund.text(3)?.to_owned(),
            refund.uint(4)?,
        ));
    }
    let folded: Vec<_> = bill
        .refunds
        .iter()
        .map(|r| {
            let number = refund_number(r);
            let state = r.state.as_str().to_owned();
            (number, r.transaction.clone(), r.fen.get(), state, u64::from(r.tries))
        })
        .collect();
    differ(odd, &format!("refunds of {place}"), format!("{stored:?}"), format!("{folded:?}"));
    let sql = "SELECT transaction_no, fen FROM payment WHERE bill = $1 ORDER BY transaction_no";
    let mut stored = Vec::new();
    for payment in tx.query(sql, &[row.number.as_str().into()])? {
        stored.push((payment.text(0)?.to_owned(), payment.int(1)?));
    }
    let mut folded: Vec<_> = bill.payments.iter().map(|p| (p.transaction.clone(), p.fen.get())).collect();
    folded.sort();
    differ(odd, &format!("payments of {place}"), format!("{stored:?}"), format!("{folded:?}"));
    Ok(())
}
