//! What people do about money: have a refund tried again, and send back what fits no bill.
use domain::money::{BillEvent, BillState, RefundState};

use super::rows::{BillRow, find, fold, has_room, record};
use crate::auth::role::Role;
use crate::error::{ProblemCode, ServiceError};
use crate::services::sessions::Caller;
use crate::store::Tx;

/// Whether somebody may go on with a bill: a leader of the unit that asked for it, and central IT.
fn may(caller: &Caller, row: &BillRow) -> Result<(), ServiceError> {
    if caller.roles.has(Role::Operator) {
        return Ok(());
    }
    if !caller.roles.has(Role::Leader) {
        return Err(ProblemCode::RoleNeeded.into());
    }
    let own = caller.unit.as_ref().is_some_and(|unit| unit.as_str() == row.unit);
    if own { Ok(()) } else { Err(ProblemCode::UnitNeeded.into()) }
}

/// Has every refund of a bill tried again that failed too often; twice is once.
///
/// # Errors
/// [`ServiceError`]: `not-found`, `role-needed`, `unit-needed`, `case-changed` if so much happened to the bill that nobody
/// tries again, or the store's.
pub fn retry(tx: &mut Tx<'_>, now_ms: i64, caller: &Caller, number: &str) -> Result<(), ServiceError> {
    let row = find(tx, number)?.ok_or(ProblemCode::NotFound)?;
    may(caller, &row)?;
    let bill = fold(tx, number)?;
    let stuck = || bill.refunds.iter().filter(|refund| refund.state == RefundState::Stuck);
    if !has_room(&bill, stuck().count()) {
        let why = format!("the refunds of bill {number} were tried too often: settle them at the gateway");
        return Err(ServiceError::refused(ProblemCode::CaseChanged, why));
    }
    for refund in stuck() {
        let event = BillEvent::RefundRetried { refund: refund.number };
        record(tx, now_ms, number, (caller.account.as_str(), &event))?;
    }
    Ok(())
}

/// Sends a payment back that fits no bill; twice is once.
///
/// # Errors
/// As [`retry`].
pub fn give_back(tx: &mut Tx<'_>, now_ms: i64, caller: &Caller, number: &str) -> Result<(), ServiceError> {
    let row = find(tx, number)?.ok_or(ProblemCode::NotFound)?;
    may(caller, &row)?;
    if row.state == BillState::Stray {
        record(tx, now_ms, number, (caller.account.as_str(), &BillEvent::GivenBack))?;
    }
    Ok(())
}
