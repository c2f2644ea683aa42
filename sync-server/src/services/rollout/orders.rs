//! What each terminal is told: the version to run, and what nobody may begin.
use domain::ids::TerminalId;
use domain::wire::v1::Order;

use super::course::Told;
use super::{rows, withdrawals};
use crate::services::meta;
use crate::store::{StoreError, Tx};

/// Number of the newest order; 0 if nothing was ordered yet.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn number(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    meta::order_number(tx)
}

/// What is ordered has changed: every terminal hears of it.
pub(super) fn raise(tx: &mut Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    meta::raise_order_number(tx, now_ms)
}

/// The order for a terminal, if there is a newer one than it has.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn order_for(
    tx: &mut Tx<'_>,
    terminal: &TerminalId,
    (known, now_ms): (u64, i64),
) -> Result<Option<Order>, StoreError> {
    let number = number(tx)?;
    if number <= known {
        return Ok(None);
    }
    let run = run(tx, terminal)?;
    let withdrawn = withdrawals::withdrawn(tx)?.into_iter().map(|w| w.item).collect();
    Ok(Some(Order { terminal: terminal.clone(), number, issued_ms: now_ms, run, withdrawn }))
}

fn run(tx: &mut Tx<'_>, terminal: &TerminalId) -> Result<Option<u64>, StoreError> {
    let Some(rollout) = rows::latest(tx)? else { return Ok(None) };
    let member = rows::member(tx, rollout.id, terminal)?;
    let told = rollout.course.tells(member.map(|m| m.ring), member.is_some_and(|m| m.adopted));
    Ok(match told {
        Told::New => Some(rollout.version),
        Told::Before => Some(rollout.before),
        Told::Back => rollout.way_back,
    })
}
