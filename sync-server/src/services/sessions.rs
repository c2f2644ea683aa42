//! Who is signed in. A session ends by itself after half an hour without a call, and after twelve hours in any case
//! (the times of VotingWorks' `libs/types`: 30 minutes idle, 12 hours in all).
use domain::ids::UnitId;

use crate::auth::names::AccountId;
use crate::auth::role::Roles;
use crate::auth::token::SessionKey;
use crate::store::{Row, StoreError, Tx, Value};

/// A session ends after so long without a call, in milliseconds.
pub const IDLE_MS: i64 = 30 * 60 * 1_000;
/// A session ends after so long in any case, in milliseconds.
pub const LONGEST_MS: i64 = 12 * 60 * 60 * 1_000;
/// Calls are noted once in so long, in milliseconds: a page is no reason for a write.
pub const NOTED_EVERY_MS: i64 = 60 * 1_000;
/// Sessions of one account at the same time; one more ends the oldest.
pub const MOST: u64 = 10;

/// Whoever makes a call, as its session says.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The name by which other people know its owner.
    pub display: String,
    /// The unit.
    pub unit: Option<UnitId>,
    /// What its owner is.
    pub roles: Roles,
    /// The password must be changed before anything else.
    pub must_change: bool,
    /// Names the session.
    pub session: SessionKey,
    /// The last call that was noted, milliseconds since 1970.
    pub seen_at_ms: i64,
}

impl std::fmt::Debug for Caller {
    /// The id only: names are nobody's business in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Caller({}, {:?})", self.account, self.roles)
    }
}

/// Begins a session. Sessions that have ended by themselves, of anybody, are removed on this occasion.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn begin(tx: &mut Tx<'_>, now_ms: i64, account: &AccountId, key: &SessionKey) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM session WHERE seen_at_ms < $1 OR created_at_ms < $2",
        &[(now_ms - IDLE_MS).into(), (now_ms - LONGEST_MS).into()],
    )?;
    let oldest = tx.query(
        "SELECT token_digest FROM session WHERE account = $1 ORDER BY created_at_ms DESC, token_digest LIMIT 100",
        &[account.as_str().into()],
    )?;
    for row in oldest.iter().skip(MOST as usize - 1) {
        tx.execute("DELETE FROM session WHERE token_digest = $1", &[row.text(0)?.into()])?;
    }
    tx.execute(
        "INSERT INTO session (token_digest, account, created_at_ms, seen_at_ms) VALUES ($1, $2, $3, $3)",
        &[key.as_str().into(), account.as_str().into(), now_ms.into()],
    )?;
    Ok(())
}

/// Who a session belongs to; nothing if it has ended, or its account is locked.
pub fn find(tx: &mut Tx<'_>, now_ms: i64, key: &SessionKey) -> Result<Option<Caller>, StoreError> {
    let row = tx.query_first(
        "SELECT a.id, a.display, a.unit, a.roles, a.must_change, s.created_at_ms, s.seen_at_ms
         FROM session s JOIN account a ON a.id = s.account WHERE s.token_digest = $1 AND a.locked = 0",
        &[key.as_str().into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let (created_at_ms, seen_at_ms) = (row.int(5)?, row.int(6)?);
    // A session from the future was written by a clock that was wrong: nobody knows how old it is.
    let alive = now_ms - seen_at_ms <= IDLE_MS
        && now_ms - created_at_ms <= LONGEST_MS
        && created_at_ms <= now_ms + NOTED_EVERY_MS;
    alive.then(|| read(&row, key, seen_at_ms)).transpose()
}

/// Notes a call.
pub fn touch(tx: &mut Tx<'_>, now_ms: i64, key: &SessionKey) -> Result<(), StoreError> {
    let sql = "UPDATE session SET seen_at_ms = $2 WHERE token_digest = $1 AND seen_at_ms < $2";
    tx.execute(sql, &[key.as_str().into(), now_ms.into()]).map(|_| ())
}

/// Ends a session.
pub fn end(tx: &mut Tx<'_>, key: &SessionKey) -> Result<(), StoreError> {
    tx.execute("DELETE FROM session WHERE token_digest = $1", &[key.as_str().into()]).map(|_| ())
}

/// Ends the sessions of everybody: a restored store may know some that were ended since.
pub fn end_of_everybody(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM session", &[])
}

/// Ends all sessions of an account, or all but one; gives how many.
pub fn end_all(tx: &mut Tx<'_>, account: &AccountId, but: Option<&SessionKey>) -> Result<u64, StoreError> {
    let but = but.map_or("", SessionKey::as_str);
    let sql = "DELETE FROM session WHERE account = $1 AND token_digest <> $2";
    tx.execute(sql, &[account.as_str().into(), but.into()])
}

/// Begin and last noted call of each session of an account that has not ended, newest first.
pub fn of_account(tx: &mut Tx<'_>, now_ms: i64, account: &AccountId) -> Result<Vec<(i64, i64)>, StoreError> {
    let values: [Value; 3] =
        [account.as_str().into(), (now_ms - IDLE_MS).into(), (now_ms - LONGEST_MS).into()];
    let rows = tx.query(
        "SELECT created_at_ms, seen_at_ms FROM session
         WHERE account = $1 AND seen_at_ms >= $2 AND created_at_ms >= $3
         ORDER BY created_at_ms DESC, token_digest LIMIT 100",
        &values,
    )?;
    rows.iter().map(|r| Ok((r.int(0)?, r.int(1)?))).collect()
}

fn read(row: &Row, key: &SessionKey, seen_at_ms: i64) -> Result<Caller, StoreError> {
    let unit = row.text(2)?;
    Ok(Caller {
        account: row.parsed(0)?,
        display: row.text(1)?.to_owned(),
        unit: if unit.is_empty() { None } else { Some(row.parsed(2)?) },
        roles: Roles::from_stored(row.text(3)?).ok_or(StoreError::Stored { what: "set of roles" })?,
        must_change: row.int(4)? != 0,
        session: key.clone(),
        seen_at_ms,
    })
}
