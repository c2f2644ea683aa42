//! Items that are taken away at once, from all terminals, without a new catalogue version.
use domain::ids::ItemCode;
use domain::wire::v1::{MAX_REASON_CHARS, MAX_WITHDRAWN, WithdrawnItem};

use super::{Reason, orders};
use crate::services::audit;
use crate::store::{Row, StoreError, Tx};

/// An item that was withdrawn, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// What terminals are told.
    pub item: WithdrawnItem,
    /// Who did it.
    pub actor: String,
}

/// An item cannot be withdrawn or restored.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// The newest catalogue has no such item or bundle.
    #[error("the catalogue has no item {0}")]
    Unknown(ItemCode),
    /// It is withdrawn already.
    #[error("{0} is withdrawn already")]
    Already(ItemCode),
    /// It is not withdrawn.
    #[error("{0} is not withdrawn")]
    Not(ItemCode),
    /// The words for citizens are too long.
    #[error("the reason has more than {MAX_REASON_CHARS} characters")]
    Long,
    /// Too many are.
    #[error("{MAX_WITHDRAWN} items are withdrawn: publish a catalogue without them")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All withdrawn items, by their codes.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn withdrawn(tx: &mut Tx<'_>) -> Result<Vec<Withdrawal>, StoreError> {
    let sql = "SELECT item, reason, since_ms, actor FROM withdrawn ORDER BY item LIMIT $1";
    tx.query(sql, &[(MAX_WITHDRAWN as u64).into()])?.iter().map(read).collect()
}

/// Withdraws an item that the catalogue has; `known` says whether it does.
///
/// # Errors
/// [`WithdrawError`]; nothing is changed then.
pub fn withdraw(
    tx: &mut Tx<'_>,
    now_ms: i64,
    actor: &str,
    (item, known): (&ItemCode, bool),
    reason: &Reason,
) -> Result<(), WithdrawError> {
    if !known {
        return Err(WithdrawError::Unknown(item.clone()));
    }
    if reason.as_str().chars().count() > MAX_REASON_CHARS {
        return Err(WithdrawError::Long);
    }
    let all = withdrawn(tx)?;
    if all.iter().any(|w| w.item.item == *item) {
        return Err(WithdrawError::Already(item.clone()));
    }
    if all.len() >= MAX_WITHDRAWN {
        return Err(WithdrawError::Full);
    }
    tx.execute(
        "INSERT INTO withdrawn (item, reason, since_ms, actor) VALUES ($1, $2, $3, $4)",
        &[item.as_str().into(), reason.as_str().into(), now_ms.into(), actor.into()],
    )?;
    done(tx, now_ms, (actor, "item.withdrawn"), item)
}

/// Gives an item back.
///
/// # Errors
/// [`WithdrawError::Not`] if it is not withdrawn, or the store's.
pub fn restore(tx: &mut Tx<'_>, now_ms: i64, actor: &str, item: &ItemCode) -> Result<(), WithdrawError> {
    if tx.execute("DELETE FROM withdrawn WHERE item = $1", &[item.as_str().into()])? == 0 {
        return Err(WithdrawError::Not(item.clone()));
    }
    done(tx, now_ms, (actor, "item.restored"), item)
}

fn done(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (actor, event): (&str, &str),
    item: &ItemCode,
) -> Result<(), WithdrawError> {
    orders::raise(tx, now_ms)?;
    Ok(audit::append(tx, now_ms, audit::Event { actor, event, subject: item.as_str(), object_digest: "" })?)
}

fn read(row: &Row) -> Result<Withdrawal, StoreError> {
    let item = WithdrawnItem { item: row.parsed(0)?, reason: row.text(1)?.to_owned(), since_ms: row.int(2)? };
    Ok(Withdrawal { item, actor: row.text(3)?.to_owned() })
}
