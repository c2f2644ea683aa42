//! Signing in, and changing one's password: count first, compare outside of the store, then write what came of it.
//!
//! A try is counted before the password is looked at and forgotten if it was right, so that many tries at once are
//! worth no more than one after the other. Whether a name exists shows neither in words nor in work: nobody's password
//! costs as much as anybody's, and is locked out alike. A name that nobody has is never written down in clear.
use std::net::IpAddr;

use rand_core::Rng as _;

use super::hashing::{Hashing, SALT_BYTES};
use super::lockout;
use super::names::{SignInName, folded};
use super::password::{Password, PasswordMistake};
use super::token::{SessionKey, Token};
use crate::centre::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::services::accounts::{self, Account};
use crate::services::audit;
use crate::services::sessions::{self, Caller};
use crate::services::sign_in_failures::{self as failures, Counted};
use crate::store::{StoreError, Tx};

/// What somebody typed at the sign-in page, and from where.
pub struct Attempt {
    /// The name as it was typed.
    pub name: String,
    /// The password as it was typed.
    pub password: Password,
    /// The address, if wrong tries are counted under it.
    pub address: Option<IpAddr>,
    /// The session that the browser already had: it ends.
    pub earlier: Option<SessionKey>,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// Signed in.
    In {
        /// What the browser keeps.
        token: Token,
        /// The password must be changed first.
        must_change: bool,
    },
    /// Name or password is wrong; which one is not told.
    Wrong,
    /// Too many wrong ones: no password is looked at for so long, in milliseconds.
    Wait(i64),
    /// The password is right, and an administrator has locked the account.
    Locked,
}

/// What came of a wish for another password.
#[derive(Debug)]
pub enum Change {
    /// Changed. All sessions have ended; this is a new one.
    Done(Token),
    /// The old password is wrong.
    Wrong,
    /// Too many wrong ones, as in [`Outcome::Wait`].
    Wait(i64),
    /// The new one may not be used.
    Unfit(PasswordMistake),
}

/// Somebody whose password is to be compared.
struct Candidate {
    account: Account,
    hash: String,
}

/// Signs in.
///
/// # Errors
/// [`ServiceError`]: `busy` if too many sign in at once, or the store's.
pub fn sign_in(centre: &Centre, hashing: &Hashing, attempt: Attempt) -> Result<Outcome, ServiceError> {
    let keys = &centre.context().keys;
    let name = Counted::new(keys, "name", &folded(&attempt.name), lockout::NAME);
    let address = attempt.address.map(|a| Counted::new(keys, "address", &a.to_string(), lockout::ADDRESS));
    let now_ms = centre.now_ms();
    let typed: Option<SignInName> = attempt.name.parse().ok();
    let (counted, from) = (name.clone(), address.clone());
    let begun = centre.write(move |tx| begin(tx, now_ms, typed.as_ref(), &counted, from.as_ref()))?;
    let candidate = match begun {
        Begun::Wait(ms) => return Ok(Outcome::Wait(ms)),
        Begun::Compare(candidate) => candidate,
    };
    let stored = candidate.as_ref().map(|c| c.hash.as_str());
    let right = hashing.matches(&attempt.password, stored)?;
    let now_ms = centre.now_ms();
    let Some(candidate) = candidate.filter(|_| right) else {
        let pause_ms = centre.write(move |tx| fail(tx, now_ms, &name, address.as_ref()))?;
        return Ok(if pause_ms > 0 { Outcome::Wait(pause_ms) } else { Outcome::Wrong });
    };
    let token = Token::new(&mut centre.random());
    let (key, earlier) = (token.key(), attempt.earlier);
    let entered = centre.write(move |tx| enter(tx, now_ms, &candidate, &name, (&key, earlier.as_ref())))?;
    Ok(match entered {
        Entered::In { must_change } => Outcome::In { token, must_change },
        Entered::Locked => Outcome::Locked,
        // The password was changed while the old one was compared.
        Entered::Changed => Outcome::Wrong,
    })
}

enum Begun {
    Wait(i64),
    Compare(Option<Candidate>),
}

/// Refuses, or counts the try and finds whose password it may be.
fn begin(
    tx: &mut Tx<'_>,
    now_ms: i64,
    typed: Option<&SignInName>,
    name: &Counted,
    address: Option<&Counted>,
) -> Result<Begun, ServiceError> {
    let mut wait_ms = failures::wait_ms(tx, now_ms, name)?;
    if let Some(address) = address {
        wait_ms = wait_ms.max(failures::wait_ms(tx, now_ms, address)?);
    }
    if let Some(ms) = wait_ms {
        return Ok(Begun::Wait(ms));
    }
    failures::count(tx, now_ms, name)?;
    let account = typed.map(|name| accounts::by_name(tx, name)).transpose()?.flatten();
    let Some(account) = account else { return Ok(Begun::Compare(None)) };
    let hash = accounts::password_hash(tx, &account.id)?.ok_or(StoreError::Stored { what: "account" })?;
    Ok(Begun::Compare(Some(Candidate { account, hash })))
}

/// Writes down that it was wrong; gives the pause from now on, in milliseconds.
fn fail(
    tx: &mut Tx<'_>,
    now_ms: i64,
    name: &Counted,
    address: Option<&Counted>,
) -> Result<i64, ServiceError> {
    let pauses = [Some(name), address];
    if let Some(address) = address {
        failures::count(tx, now_ms, address)?;
    }
    let subject = name.key();
    let mut pause_ms = 0;
    for counted in pauses.into_iter().flatten() {
        pause_ms = pause_ms.max(failures::wait_ms(tx, now_ms, counted)?.unwrap_or(0));
    }
    let event = if pause_ms > 0 { "sign-in.paused" } else { "sign-in.failed" };
    audit::append(tx, now_ms, audit::Event { actor: "unknown", event, subject, object_digest: "" })?;
    Ok(pause_ms)
}

enum Entered {
    In { must_change: bool },
    Locked,
    Changed,
}

/// Begins the session, if the account is still what it was when its password was compared.
fn enter(
    tx: &mut Tx<'_>,
    now_ms: i64,
    candidate: &Candidate,
    name: &Counted,
    (key, earlier): (&SessionKey, Option<&SessionKey>),
) -> Result<Entered, ServiceError> {
    let id = &candidate.account.id;
    let now = accounts::by_id(tx, id)?;
    let hash = accounts::password_hash(tx, id)?;
    let Some(account) = now.filter(|_| hash.as_deref() == Some(candidate.hash.as_str())) else {
        return Ok(Entered::Changed);
    };
    let mut note = |event| {
        audit::append(
            tx,
            now_ms,
            audit::Event { actor: id.as_str(), event, subject: id.as_str(), object_digest: "" },
        )
    };
    if account.locked {
        note("sign-in.locked")?;
        return Ok(Entered::Locked);
    }
    note("sign-in.ok")?;
    failures::forget(tx, name)?;
    if let Some(earlier) = earlier {
        sessions::end(tx, earlier)?;
    }
    sessions::begin(tx, now_ms, id, key)?;
    accounts::note_sign_in(tx, now_ms, id)?;
    Ok(Entered::In { must_change: account.must_change })
}

/// Ends the caller's session.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn sign_out(centre: &Centre, caller: Caller) -> Result<(), ServiceError> {
    let now_ms = centre.now_ms();
    centre.write(move |tx| {
        sessions::end(tx, &caller.session)?;
        let id = caller.account.as_str();
        let event = audit::Event { actor: id, event: "sign-in.ended", subject: id, object_digest: "" };
        Ok(audit::append(tx, now_ms, event)?)
    })
}

/// Changes the caller's own password: the old one is asked for, and guessing it through a session that was left open
/// is as slow as at the sign-in page.
///
/// # Errors
/// As [`sign_in`].
pub fn change_password(
    centre: &Centre,
    hashing: &Hashing,
    caller: &Caller,
    (old, new): (&Password, &Password),
) -> Result<Change, ServiceError> {
    let id = caller.account.clone();
    let account = centre.read(|tx| accounts::by_id(tx, &id))?.ok_or(ProblemCode::NotFound)?;
    if let Err(mistake) = new.judge(&account.name) {
        return Ok(Change::Unfit(mistake));
    }
    let counted = Counted::new(&centre.context().keys, "name", account.name.as_str(), lockout::NAME);
    let (now_ms, name, tried) = (centre.now_ms(), account.name, counted.clone());
    let begun = centre.write(move |tx| begin(tx, now_ms, Some(&name), &tried, None))?;
    let candidate = match begun {
        Begun::Wait(ms) => return Ok(Change::Wait(ms)),
        Begun::Compare(candidate) => candidate.ok_or(ProblemCode::NotFound)?,
    };
    if !hashing.matches(old, Some(&candidate.hash))? {
        let pause_ms = centre.write(move |tx| fail(tx, now_ms, &counted, None))?;
        return Ok(if pause_ms > 0 { Change::Wait(pause_ms) } else { Change::Wrong });
    }
    if old == new {
        centre.write(move |tx| Ok(failures::forget(tx, &counted)?))?;
        return Ok(Change::Unfit(PasswordMistake::Same));
    }
    let hash = hashing.make(new, &salt(centre))?;
    let token = Token::new(&mut centre.random());
    let (now_ms, key) = (centre.now_ms(), token.key());
    let done = centre.write(move |tx| {
        if accounts::password_hash(tx, &id)?.as_deref() != Some(candidate.hash.as_str()) {
            return Ok(false);
        }
        failures::forget(tx, &counted)?;
        accounts::set_password(tx, now_ms, id.as_str(), &id, (&hash, false))?.ok();
        sessions::begin(tx, now_ms, &id, &key)?;
        Ok(true)
    })?;
    Ok(if done { Change::Done(token) } else { Change::Wrong })
}

/// A fresh salt.
pub fn salt(centre: &Centre) -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    centre.random().fill_bytes(&mut salt);
    salt
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
