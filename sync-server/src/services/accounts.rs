//! 账号: who may sign in, as what, and for which unit.
//!
//! Rows are never removed, since audit rows name their ids. Refuses to leave the centre without anybody who could give
//! out accounts, and to let one person make and check changes of the catalogue. Never holds a password in clear.
use domain::envelope::Digest;
use domain::ids::UnitId;

use super::profile::{Mistake, Profile};
use super::{audit, sessions};
use crate::auth::names::{AccountId, SignInName};
use crate::auth::role::{Role, Roles};
use crate::store::{Row, StoreError, Tx, Value};

/// Accounts on a page.
pub const PAGE: u64 = 50;

/// An account without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its place in the order of making, from 1.
    pub place: u64,
    /// What is typed to sign in.
    pub name: SignInName,
    /// The name by which other people know its owner.
    pub display: String,
    /// The unit that its owner works for.
    pub unit: Option<UnitId>,
    /// What its owner is.
    pub roles: Roles,
    /// An administrator has locked it.
    pub locked: bool,
    /// The password was given by somebody else and must be changed first.
    pub must_change: bool,
    /// When the password was set, milliseconds since 1970.
    pub password_at_ms: i64,
    /// When it was made, milliseconds since 1970.
    pub created_at_ms: i64,
    /// When its owner signed in last, milliseconds since 1970.
    pub signed_in_at_ms: Option<i64>,
    /// Raised by each change; a change names the one it was made from.
    pub version: u64,
}

impl std::fmt::Debug for Account {
    /// The id only: names are nobody's business in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({}, {:?})", self.id, self.roles)
    }
}

/// What came of a request: done, or why not; beside it, whether the store failed.
pub type Outcome<T> = Result<Result<T, Mistake>, StoreError>;

const COLUMNS: &str = "id, place, name, display, unit, roles, locked, must_change, password_at_ms, created_at_ms, \
                       signed_in_at_ms, version";

/// Makes an account with a password that must be changed at the first sign-in. `by` is who asked: an account's id, or
/// `operator`.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn add(
    tx: &mut Tx<'_>,
    now_ms: i64,
    by: &str,
    (name, profile): (&SignInName, &Profile),
    password_hash: &str,
) -> Outcome<Account> {
    if by_name(tx, name)?.is_some() {
        return Ok(Err(Mistake::NameTaken));
    }
    let place = tx.next_in("account", "place")?;
    let id = AccountId::at(place);
    tx.execute(
        "INSERT INTO account (id, place, name, display, unit, roles, locked, password, must_change, password_at_ms,
             created_at_ms, version)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 1, $8, $8, 1)",
        &[
            id.as_str().into(),
            place.into(),
            name.as_str().into(),
            profile.display.as_str().into(),
            profile.stored_unit().into(),
            profile.roles.to_stored().into(),
            password_hash.into(),
            now_ms.into(),
        ],
    )?;
    note(tx, now_ms, (by, "account.added"), &id, Some(profile.roles))?;
    known(by_id(tx, &id)?)
}

/// The account with this id.
pub fn by_id(tx: &mut Tx<'_>, id: &AccountId) -> Result<Option<Account>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account WHERE id = $1");
    tx.query_first(&sql, &[id.as_str().into()])?.map(|row| read(&row)).transpose()
}

/// The account with this sign-in name.
pub fn by_name(tx: &mut Tx<'_>, name: &SignInName) -> Result<Option<Account>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM account WHERE name = $1");
    tx.query_first(&sql, &[name.as_str().into()])?.map(|row| read(&row)).transpose()
}

/// Accounts of a unit that are not locked, in the order of making; at most so many as a list of choices can have.
pub fn of_unit(tx: &mut Tx<'_>, unit: &UnitId) -> Result<Vec<Account>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM account WHERE unit = $1 AND locked = 0 ORDER BY place LIMIT 200");
    tx.query(&sql, &[unit.as_str().into()])?.iter().map(read).collect()
}

/// The hash of an account's password.
pub fn password_hash(tx: &mut Tx<'_>, id: &AccountId) -> Result<Option<String>, StoreError> {
    let row = tx.query_first("SELECT password FROM account WHERE id = $1", &[id.as_str().into()])?;
    row.map(|r| r.text(0).map(str::to_owned)).transpose()
}

/// Changes what an account's owner is called, works for and is. New roles end its sessions, so that nothing that was
/// open stays open.
pub fn change(
    tx: &mut Tx<'_>,
    now_ms: i64,
    by: &str,
    (id, version): (&AccountId, u64),
    profile: &Profile,
) -> Outcome<Account> {
    let Some(before) = by_id(tx, id)? else { return Ok(Err(Mistake::Unknown)) };
    if before.version != version {
        return Ok(Err(Mistake::Changed));
    }
    if !profile.roles.has(Role::Admin) && is_last_admin(tx, &before)? {
        return Ok(Err(Mistake::LastAdmin));
    }
    tx.execute(
        "UPDATE account SET display = $2, unit = $3, roles = $4, version = version + 1 WHERE id = $1",
        &[
            id.as_str().into(),
            profile.display.as_str().into(),
            profile.stored_unit().into(),
            profile.roles.to_stored().into(),
        ],
    )?;
    if profile.roles == before.roles {
        note(tx, now_ms, (by, "account.changed"), id, None)?;
    } else {
        sessions::end_all(tx, id, None)?;
        note(tx, now_ms, (by, "account.roles"), id, Some(profile.roles))?;
    }
    known(by_id(tx, id)?)
}

/// Locks an account and ends its sessions, or unlocks it. Done again it changes nothing.
pub fn set_locked(tx: &mut Tx<'_>, now_ms: i64, by: &str, id: &AccountId, locked: bool) -> Outcome<Account> {
    let Some(before) = by_id(tx, id)? else { return Ok(Err(Mistake::Unknown)) };
    if before.locked == locked {
        return Ok(Ok(before));
    }
    if locked && is_last_admin(tx, &before)? {
        return Ok(Err(Mistake::LastAdmin));
    }
    tx.execute(
        "UPDATE account SET locked = $2, version = version + 1 WHERE id = $1",
        &[id.as_str().into(), locked.into()],
    )?;
    let event = if locked { "account.locked" } else { "account.unlocked" };
    if locked {
        sessions::end_all(tx, id, None)?;
    }
    note(tx, now_ms, (by, event), id, None)?;
    known(by_id(tx, id)?)
}

/// Sets a password and ends all sessions of the account. One that somebody else gave must be changed first.
pub fn set_password(
    tx: &mut Tx<'_>,
    now_ms: i64,
    by: &str,
    id: &AccountId,
    (password_hash, must_change): (&str, bool),
) -> Outcome<()> {
    let changed = tx.execute(
        "UPDATE account SET password = $2, must_change = $3, password_at_ms = $4, version = version + 1
         WHERE id = $1",
        &[id.as_str().into(), password_hash.into(), must_change.into(), now_ms.into()],
    )?;
    if changed == 0 {
        return Ok(Err(Mistake::Unknown));
    }
    sessions::end_all(tx, id, None)?;
    let event = if must_change { "account.password-reset" } else { "account.password-changed" };
    note(tx, now_ms, (by, event), id, None)?;
    Ok(Ok(()))
}

/// Notes that the owner signed in.
pub fn note_sign_in(tx: &mut Tx<'_>, now_ms: i64, id: &AccountId) -> Result<(), StoreError> {
    let sql = "UPDATE account SET signed_in_at_ms = $2 WHERE id = $1";
    tx.execute(sql, &[id.as_str().into(), now_ms.into()]).map(|_| ())
}

/// How many accounts there are, and how many of them are administrators who are not locked.
pub fn count(tx: &mut Tx<'_>) -> Result<(u64, u64), StoreError> {
    let row = tx.query_first(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN locked = 0 AND roles LIKE $1 THEN 1 ELSE 0 END), 0) FROM account",
        &[having(Role::Admin)],
    )?;
    row.map_or(Ok((0, 0)), |r| Ok((r.uint(0)?, r.uint(1)?)))
}

/// Which accounts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of a sign-in name, of a person's name or of a unit.
    pub text: Option<String>,
    /// Only with this role.
    pub role: Option<Role>,
    /// Only locked ones, or only others.
    pub locked: Option<bool>,
    /// Only what was made after this place.
    pub after: u64,
}

/// Accounts in the order of their making, at most [`PAGE`], and where the next page begins, if there is one.
pub fn list(tx: &mut Tx<'_>, filter: &Filter) -> Result<(Vec<Account>, Option<u64>), StoreError> {
    let mut values: Vec<Value> = vec![filter.after.into()];
    let mut wheres = String::from("place > $1");
    let mut with = |condition: fn(usize) -> String, value: Value| {
        values.push(value);
        wheres.push_str(" AND ");
        wheres.push_str(&condition(values.len()));
    };
    if let Some(text) = &filter.text {
        let like = |n| {
            format!(
                "(LOWER(name) LIKE ${n} ESCAPE '!' OR LOWER(display) LIKE ${n} ESCAPE '!' OR LOWER(unit) LIKE ${n} ESCAPE '!')"
            )
        };
        with(like, containing(text).into());
    }
    if let Some(role) = filter.role {
        with(|n| format!("roles LIKE ${n}"), having(role));
    }
    if let Some(locked) = filter.locked {
        with(|n| format!("locked = ${n}"), locked.into());
    }
    values.push((PAGE + 1).into());
    let limit = values.len();
    let sql = format!("SELECT {COLUMNS} FROM account WHERE {wheres} ORDER BY place LIMIT ${limit}");
    let mut found: Vec<_> = tx.query(&sql, &values)?.iter().map(read).collect::<Result<_, _>>()?;
    let more = found.len() as u64 > PAGE;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more).map(|a| a.place);
    Ok((found, next))
}

/// A pattern that finds a text anywhere, whatever its own signs are; `!` escapes.
pub(super) fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if "!%_".contains(c) {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern + "%"
}

fn having(role: Role) -> Value {
    format!("% {} %", role.as_str()).into()
}

fn is_last_admin(tx: &mut Tx<'_>, account: &Account) -> Result<bool, StoreError> {
    let one = account.roles.has(Role::Admin) && !account.locked;
    Ok(one && count(tx)?.1 <= 1)
}

fn known(account: Option<Account>) -> Outcome<Account> {
    account.map(Ok).ok_or(StoreError::Stored { what: "account" })
}

/// An audit row about an account. Of roles the digest is kept, which tells whether a row fits.
fn note(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (by, event): (&str, &str),
    id: &AccountId,
    roles: Option<Roles>,
) -> Result<(), StoreError> {
    let digest = roles.map(|r| Digest::of(r.to_stored().as_bytes()).to_string()).unwrap_or_default();
    let event = audit::Event { actor: by, event, subject: id.as_str(), object_digest: &digest };
    audit::append(tx, now_ms, event)
}

fn read(row: &Row) -> Result<Account, StoreError> {
    let unit = row.text(4)?;
    Ok(Account {
        id: row.parsed(0)?,
        place: row.uint(1)?,
        name: row.parsed(2)?,
        display: row.text(3)?.to_owned(),
        unit: if unit.is_empty() { None } else { Some(row.parsed(4)?) },
        roles: Roles::from_stored(row.text(5)?).ok_or(StoreError::Stored { what: "set of roles" })?,
        locked: row.int(6)? != 0,
        must_change: row.int(7)? != 0,
        password_at_ms: row.int(8)?,
        created_at_ms: row.int(9)?,
        signed_in_at_ms: row.int_or_null(10)?,
        version: row.uint(11)?,
    })
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
