//! 封装密钥: which keys terminals seal to, in which suite, and what became of the keys before.
//!
//! | state | 中文 | offered to terminals | opens |
//! |---|---|---|---|
//! | next | 备用 | no | yes |
//! | in force | 在用 | yes, one a suite | yes |
//! | retired | 停用 | no | yes |
//! | destroyed | 销毁 | no | no, ever |
//!
//! Only public halves and states stand in the store; the private halves are files (`crate::sealing_ring`). A key whose file
//! is gone is offered to nobody while it is gone, though it is in force: what is sealed to it may never be opened.
use domain::envelope::{Digest, SealingKey, SealingPublicKey, Suite};
use domain::ids::KeyId;
use domain::wire::v1::{SealingKeyEntry, SealingKeyList};
use serde::{Deserialize, Serialize};

use super::{audit, meta};
use crate::sealing_ring::SealingRing;
use crate::store::{StoreError, Tx};

/// Names of keys in the store begin with this, and end before [`KEYS_END`].
const KEYS: &str = "sealing_key.";
const KEYS_END: &str = "sealing_key/";
const SUITE: &str = "sealing_suite";
const NUMBER: &str = "sealing_list_number";
/// Ids of keys in force whose files were missing when it was looked last, each with a blank behind it.
const MISSING: &str = "sealing_missing";
/// Keys that a store may know: with one a month enough for forty years.
const MAX_KEYS: u64 = 500;
/// So many days a retired key is kept at least: a terminal may bring what it sealed for thirty days, and offer it again to
/// a restored centre for ninety.
pub const KEPT_DAYS: i64 = 90;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// What becomes of a key, in this order and never back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// 备用: made, so that it can be backed up before anything is sealed to it.
    Next,
    /// 在用: terminals seal to it.
    InForce,
    /// 停用: opens what was sealed to it, and is offered no more.
    Retired,
    /// 销毁: what was sealed to it and not opened yet will never be.
    Destroyed,
}

impl KeyState {
    /// The name used in tables and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::InForce => "in-force",
            Self::Retired => "retired",
            Self::Destroyed => "destroyed",
        }
    }
}

/// A key as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Its id.
    pub id: KeyId,
    /// Its suite.
    pub suite: Suite,
    /// Its public half.
    pub key: SealingPublicKey,
    /// What became of it.
    pub state: KeyState,
    /// Since when, milliseconds since 1970.
    pub since_ms: i64,
}

/// A key as it stands in the store.
#[derive(Serialize, Deserialize)]
struct Stored {
    suite: Suite,
    key: SealingPublicKey,
    state: KeyState,
    since_ms: i64,
}

/// What cannot be done with a key; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyStepError {
    /// The store does not know it.
    #[error("no sealing key {0}: see `sync-server sealing-keys list`")]
    Unknown(KeyId),
    /// It is not in the state for this.
    #[error("the sealing key {id} is {}, and should be {wanted}", state.as_str())]
    State {
        /// Which one.
        id: KeyId,
        /// What it is.
        state: KeyState,
        /// What it should be.
        wanted: &'static str,
    },
    /// No key of the suite is in force.
    #[error("no key of suite {0} is in force: make one, back it up, and put it into force first")]
    NoneInForce(u8),
    /// It was retired a short time ago.
    #[error(
        "the sealing key {id} was retired {days} days ago: terminals may bring what was sealed to it for 90 days"
    )]
    TooEarly {
        /// Which one.
        id: KeyId,
        /// Days since.
        days: i64,
    },
    /// The store is bound to it.
    #[error("{0} is the first sealing key, to which the store is bound: it stays, retired")]
    First(KeyId),
    /// The store has as many as it may.
    #[error("the store knows too many sealing keys")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every key that the store knows, in the order of their ids.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<KnownKey>, StoreError> {
    let wrong = || StoreError::Stored { what: "sealing key" };
    let found = meta::facts_between(tx, (KEYS, KEYS_END), MAX_KEYS)?;
    let read = |(name, value): (String, String)| {
        let id = name.strip_prefix(KEYS).and_then(|id| id.parse().ok()).ok_or_else(wrong)?;
        let Stored { suite, key, state, since_ms } = serde_json::from_str(&value).map_err(|_| wrong())?;
        Ok(KnownKey { id, suite, key, state, since_ms })
    };
    found.into_iter().map(read).collect()
}

/// Enters the first key of a store that knows none yet, in force.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn settle(tx: &mut Tx<'_>, now_ms: i64, first: &SealingKey) -> Result<(), StoreError> {
    if all(tx)?.is_empty() {
        put(tx, &known(first, KeyState::InForce, now_ms))?;
        use_in(tx, now_ms, first.suite())?;
    }
    Ok(())
}

/// Enters a key that was made.
///
/// # Errors
/// [`KeyStepError::TooMany`], or the store's.
pub fn add(tx: &mut Tx<'_>, now_ms: i64, actor: &str, key: &SealingKey) -> Result<(), KeyStepError> {
    if all(tx)?.len() as u64 >= MAX_KEYS {
        return Err(KeyStepError::TooMany);
    }
    let new = known(key, KeyState::Next, now_ms);
    put(tx, &new)?;
    note(tx, now_ms, (actor, "sealing-key.made"), &new)?;
    Ok(())
}

/// Puts a key into force; the one before of its suite is retired. Every terminal hears of it with its next heartbeat.
///
/// # Errors
/// [`KeyStepError`]: unknown, not next, or the store's.
pub fn put_in_force(tx: &mut Tx<'_>, now_ms: i64, actor: &str, id: &KeyId) -> Result<(), KeyStepError> {
    let keys = all(tx)?;
    let key = one(&keys, id)?;
    if key.state != KeyState::Next {
        return Err(KeyStepError::State { id: id.clone(), state: key.state, wanted: "next" });
    }
    for before in keys.iter().filter(|k| k.suite == key.suite && k.state == KeyState::InForce) {
        move_to(tx, now_ms, (actor, "sealing-key.retired"), (before, KeyState::Retired))?;
    }
    move_to(tx, now_ms, (actor, "sealing-key.in-force"), (key, KeyState::InForce))?;
    raise_number(tx, now_ms)?;
    Ok(())
}

/// Chooses the suite of forms that are begun from now on.
///
/// # Errors
/// [`KeyStepError::NoneInForce`], or the store's.
pub fn choose_suite(tx: &mut Tx<'_>, now_ms: i64, actor: &str, suite: Suite) -> Result<(), KeyStepError> {
    let number = u8::from(suite);
    if !all(tx)?.iter().any(|key| key.suite == suite && key.state == KeyState::InForce) {
        return Err(KeyStepError::NoneInForce(number));
    }
    use_in(tx, now_ms, suite)?;
    let subject = number.to_string();
    let event = audit::Event { actor, event: "sealing-suite.chosen", subject: &subject, object_digest: "" };
    audit::append(tx, now_ms, event)?;
    Ok(())
}

/// Writes down that a key is destroyed. To be called before its file is removed: a key that is said to be destroyed and is
/// there can be removed again, one that is gone and said to be there looks like a loss.
///
/// # Errors
/// [`KeyStepError`]: unknown, not retired (or next and never used), retired too short a time ago unless `early`, the first
/// key, or the store's.
pub fn destroy(
    tx: &mut Tx<'_>,
    now_ms: i64,
    actor: &str,
    (id, first, early): (&KeyId, &KeyId, bool),
) -> Result<(), KeyStepError> {
    let keys = all(tx)?;
    let key = one(&keys, id)?;
    if id == first {
        return Err(KeyStepError::First(id.clone()));
    }
    let days = now_ms.saturating_sub(key.since_ms) / DAY_MS;
    match key.state {
        KeyState::InForce => {
            return Err(KeyStepError::State { id: id.clone(), state: key.state, wanted: "retired" });
        }
        KeyState::Retired if !early && days < KEPT_DAYS => {
            return Err(KeyStepError::TooEarly { id: id.clone(), days });
        }
        KeyState::Destroyed => return Ok(()),
        KeyState::Next | KeyState::Retired => {}
    }
    Ok(move_to(tx, now_ms, (actor, "sealing-key.destroyed"), (key, KeyState::Destroyed))?)
}

/// The suite of forms that are begun now.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn suite(tx: &mut Tx<'_>) -> Result<Suite, StoreError> {
    let text = meta::get(tx, SUITE)?;
    let number = text.map_or(Ok(1), |t| t.parse::<u8>());
    number.ok().and_then(|n| n.try_into().ok()).ok_or(StoreError::Stored { what: "sealing suite" })
}

/// The list for a terminal that has the one with number `known`; none if that is the newest. It has the keys in force whose
/// files are there. If the chosen suite has none of them, the list chooses the other one; if there is none at all, there is no
/// list, and terminals keep the one that they have.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn list_after(
    tx: &mut Tx<'_>,
    now_ms: i64,
    known: u64,
    ring: &SealingRing,
) -> Result<Option<SealingKeyList>, StoreError> {
    let number = number(tx)?;
    if number <= known {
        return Ok(None);
    }
    let offered = in_force(tx)?.into_iter().filter(|key| ring.is_kept(&key.id));
    let mut keys: Vec<_> =
        offered.map(|k| SealingKeyEntry { id: k.id, suite: k.suite, key: k.key }).collect();
    keys.sort_by_key(|key| key.suite);
    let chosen = suite(tx)?;
    let suite = keys.iter().map(|key| key.suite).find(|suite| *suite == chosen);
    let suite = suite.or_else(|| keys.first().map(|key| key.suite));
    Ok(suite.map(|suite| SealingKeyList { number, issued_ms: now_ms, suite, keys }))
}

/// Looks whether the files of the keys in force are there. If that has changed, there is a new list, and an alarm for each
/// key whose file is gone now. Gives those that are gone.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn look_for_files(tx: &mut Tx<'_>, now_ms: i64, ring: &SealingRing) -> Result<Vec<KeyId>, StoreError> {
    let known = meta::get(tx, MISSING)?.unwrap_or_default();
    let missing: Vec<_> = in_force(tx)?.into_iter().map(|k| k.id).filter(|id| !ring.is_kept(id)).collect();
    let now: String = missing.iter().map(|id| format!("{id} ")).collect();
    if now != known {
        meta::replace(tx, MISSING, &now)?;
        raise_number(tx, now_ms)?;
        // The same key may be lost once more: that is another alarm.
        let which = Digest::of(&number(tx)?.to_be_bytes());
        for id in missing.iter().filter(|id| !known.contains(id.as_str())) {
            audit::raise_alarm(tx, now_ms, "sealing.key-missing", id.as_str(), Some(&which))?;
        }
    }
    Ok(missing)
}

fn in_force(tx: &mut Tx<'_>) -> Result<Vec<KnownKey>, StoreError> {
    Ok(all(tx)?.into_iter().filter(|key| key.state == KeyState::InForce).collect())
}

/// What is offered has changed, or may have: the next number is the newest. It is at least the time, so that a centre that
/// was restored from a backup does not give out numbers that terminals have seen.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn raise_number(tx: &mut Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    let time = u64::try_from(now_ms).unwrap_or(0);
    let next = number(tx)?.saturating_add(1).max(time).to_string();
    meta::replace(tx, NUMBER, &next)
}

fn number(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let text = meta::get(tx, NUMBER)?;
    text.map_or(Ok(0), |t| t.parse().map_err(|_| StoreError::Stored { what: "sealing list number" }))
}

fn use_in(tx: &mut Tx<'_>, now_ms: i64, suite: Suite) -> Result<(), StoreError> {
    meta::replace(tx, SUITE, &u8::from(suite).to_string())?;
    raise_number(tx, now_ms)
}

fn known(key: &SealingKey, state: KeyState, since_ms: i64) -> KnownKey {
    let public = key.public();
    KnownKey { id: public.key_id(), suite: key.suite(), key: public, state, since_ms }
}

fn one<'a>(keys: &'a [KnownKey], id: &KeyId) -> Result<&'a KnownKey, KeyStepError> {
    keys.iter().find(|key| key.id == *id).ok_or_else(|| KeyStepError::Unknown(id.clone()))
}

fn move_to(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (actor, event): (&str, &'static str),
    (key, state): (&KnownKey, KeyState),
) -> Result<(), StoreError> {
    let moved = KnownKey { state, since_ms: now_ms, ..key.clone() };
    put(tx, &moved)?;
    note(tx, now_ms, (actor, event), &moved)
}

fn put(tx: &mut Tx<'_>, key: &KnownKey) -> Result<(), StoreError> {
    let stored = Stored { suite: key.suite, key: key.key.clone(), state: key.state, since_ms: key.since_ms };
    let text = serde_json::to_string(&stored).map_err(|_| StoreError::Stored { what: "sealing key" })?;
    meta::replace(tx, &format!("{KEYS}{}", key.id), &text)
}

fn note(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (actor, event): (&str, &'static str),
    key: &KnownKey,
) -> Result<(), StoreError> {
    audit::append(tx, now_ms, audit::Event { actor, event, subject: key.id.as_str(), object_digest: "" })?;
    Ok(())
}

#[cfg(test)]
mod tests;
