//! 销毁: erases what a case holds of a person once its time is over: the wrapped data key, the wrap in the header, the
//! sealed content, what staff wrote, the sealed certificates, to whom parcels go with their numbers of carriers, the facts
//! and reasons of judgements, who wanted a name, the keys of the search for persons. What is left are numbers, states, hashes, and a company's registered name.
//!
//! Refuses what is on hold. The journal outside of the store was written before: see `jobs`.
use domain::case::CaseState;
use domain::ids::EnvelopeId;
use serde::{Deserialize, Serialize};

use super::audit;
use crate::error::{ProblemCode, ServiceError};
use crate::store::{StoreError, Tx};

/// The longest reason of a hold, in characters.
const MAX_REASON_CHARS: usize = 200;

/// Tables from which something is erased.
pub const TABLES: [&str; 12] = [
    "case_key",
    "person_key",
    "case_text",
    "certificate",
    "judgement",
    "automatic",
    "company_name",
    "parcel",
    "parcel_event",
    "handoff",
    "partner_message",
    "envelope",
];

/// Why something is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its time is over.
    Retention,
    /// The person asked for it.
    Request,
}

impl Why {
    /// Its name in tables and in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retention => "retention",
            Self::Request => "request",
        }
    }
}

/// One erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// What was erased.
    pub envelope_id: EnvelopeId,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Why.
    pub why: Why,
}

/// Closed cases that changed before this time, are not erased yet, and that nobody holds; oldest first.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn due(tx: &mut Tx<'_>, before_ms: i64, limit: u64) -> Result<Vec<EnvelopeId>, StoreError> {
    let closed = [CaseState::Returned, CaseState::Completed].map(CaseState::as_str);
    let rows = tx.query(
        "SELECT c.envelope_id FROM case_ c
         WHERE (c.state = $1 OR c.state = $2) AND c.changed_at_ms < $3
           AND NOT EXISTS (SELECT 1 FROM erasure e WHERE e.envelope_id = c.envelope_id)
           AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.envelope_id = c.envelope_id)
         ORDER BY c.server_seq LIMIT $4",
        &[closed[0].into(), closed[1].into(), before_ms.into(), limit.into()],
    )?;
    rows.iter().map(|r| r.parsed(0)).collect()
}

/// Erases; what was erased before is left as it is. Whoever is on hold meanwhile is left out, and so told.
pub fn erase(tx: &mut Tx<'_>, erasures: &[Erasure]) -> Result<usize, StoreError> {
    erase_noted(tx, erasures, |_| Ok(()))
}

/// As [`erase`]; what is going to be erased is noted before, if it is anything.
///
/// # Errors
/// As `note`, or the store's.
pub fn erase_noted<E: From<StoreError>>(
    tx: &mut Tx<'_>,
    erasures: &[Erasure],
    note: impl FnOnce(&[Erasure]) -> Result<(), E>,
) -> Result<usize, E> {
    let mut free = Vec::new();
    for erasure in erasures {
        if !is_held(tx, &erasure.envelope_id)? {
            free.push(*erasure);
        }
    }
    if free.is_empty() {
        return Ok(0);
    }
    note(&free)?;
    let mut erased = 0;
    for erasure in &free {
        erased += begin(tx, erasure)?;
    }
    finish(tx)?;
    Ok(erased)
}

/// Erases once more what a restored backup still held, of which the journal says nothing newer: a hold that the backup has
/// was over when it was erased.
pub fn replay(tx: &mut Tx<'_>, erasures: &[Erasure]) -> Result<usize, StoreError> {
    let mut erased = 0;
    for erasure in erasures {
        release(tx, erasure.at_ms, &erasure.envelope_id, super::cases::CENTRE)?;
        erased += begin(tx, erasure)?;
    }
    finish(tx)?;
    Ok(erased)
}

/// Writes down that something is erased; gives 1 if it was not before.
fn begin(tx: &mut Tx<'_>, erasure: &Erasure) -> Result<usize, StoreError> {
    let id = erasure.envelope_id.to_string();
    let new = tx.execute(
        "INSERT INTO erasure (envelope_id, at_ms, why, done) VALUES ($1, $2, $3, 0)
         ON CONFLICT (envelope_id) DO NOTHING",
        &[id.clone().into(), erasure.at_ms.into(), erasure.why.as_str().into()],
    )?;
    if new == 0 {
        return Ok(0);
    }
    let actor = super::cases::CENTRE;
    audit::append(
        tx,
        erasure.at_ms,
        audit::Event { actor, event: "content.erased", subject: &id, object_digest: "" },
    )?;
    Ok(1)
}

/// Erases again what came back, and what came too late: content that a terminal sent once more after the centre had been
/// restored, and what refers to an erased case.
pub fn erase_returned(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let back = tx.execute(
        "UPDATE erasure SET done = 0 WHERE done = 1 AND (EXISTS
         (SELECT 1 FROM envelope v WHERE v.envelope_id = erasure.envelope_id AND LENGTH(v.ciphertext) > 0)
         OR EXISTS (SELECT 1 FROM envelope v WHERE v.refers_to = erasure.envelope_id AND LENGTH(v.ciphertext) > 0))",
        &[],
    )?;
    if back > 0 {
        finish(tx)?;
    }
    Ok(back)
}

/// Destroys everything of the erasures that are open: one pass over each table for all of them.
fn finish(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM case_key WHERE envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &[],
    )?;
    // What refers to it, such as supplements, has keys of its own.
    tx.execute(
        "DELETE FROM case_key WHERE envelope_id IN (SELECT v.envelope_id FROM envelope v
         JOIN erasure e ON v.refers_to = e.envelope_id WHERE e.done = 0)",
        &[],
    )?;
    tx.execute(
        "DELETE FROM person_key WHERE envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &[],
    )?;
    tx.execute(
        "DELETE FROM case_text WHERE envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &[],
    )?;
    let nothing: [crate::store::Value; 1] = [Vec::new().into()];
    tx.execute(
        "UPDATE certificate SET sealed = $1, said = $1
         WHERE envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &nothing,
    )?;
    tx.execute(
        "UPDATE judgement SET sealed = $1 WHERE envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &nothing,
    )?;
    tx.execute(
        "UPDATE parcel SET tracking = '' WHERE envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &[],
    )?;
    tx.execute(
        "UPDATE parcel_event SET sealed = $1 WHERE envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &nothing,
    )?;
    // Which rule held says something of somebody; so does who wanted a name.
    tx.execute(
        "UPDATE automatic SET reasons = '[]' WHERE envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &[],
    )?;
    tx.execute(
        "DELETE FROM company_name WHERE state = 'wanted'
         AND envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &[],
    )?;
    tx.execute(
        "UPDATE company_name SET holder = $1 WHERE envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &nothing,
    )?;
    tx.execute(
        "UPDATE envelope SET header = $1, ciphertext = $1
         WHERE envelope_id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &nothing,
    )?;
    tx.execute(
        "UPDATE envelope SET header = $1, ciphertext = $1
         WHERE refers_to IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &nothing,
    )?;
    empty_handoffs(tx)?;
    tx.execute("UPDATE erasure SET done = 1 WHERE done = 0", &[]).map(|_| ())
}

/// What came from another region, or goes there, for a case that is erased; what waits for the other side is emptied once
/// that signed for it.
fn empty_handoffs(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE handoff SET key_id = NULL, key_nonce = NULL, wrapped = NULL, nonce = NULL, sealed = NULL
         WHERE id IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &[],
    )?;
    tx.execute(
        "UPDATE partner_message SET document = '' WHERE state <> 'waiting'
         AND handoff IN (SELECT envelope_id FROM erasure WHERE done = 0)",
        &[],
    )?;
    Ok(())
}

/// When the content of an envelope was erased, milliseconds since 1970, if it was.
pub fn erased_at(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT at_ms FROM erasure WHERE envelope_id = $1";
    tx.query_first(sql, &[id.to_string().into()])?.map(|r| r.int(0)).transpose()
}

/// Whether the content of an envelope is kept whatever its time says.
pub fn is_held(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<bool, StoreError> {
    let sql = "SELECT COUNT(*) FROM legal_hold WHERE envelope_id = $1";
    Ok(tx.query_int(sql, &[id.to_string().into()])? > 0)
}

/// Keeps the content of an envelope whatever its time says.
///
/// # Errors
/// [`ServiceError`]: `not-found` if there is no such envelope or its content is gone, or the store's.
pub fn hold(
    tx: &mut Tx<'_>,
    now_ms: i64,
    id: &EnvelopeId,
    (actor, reason): (&str, &str),
) -> Result<(), ServiceError> {
    if super::receipt::stored(tx, id)?.is_none() || erased_at(tx, id)?.is_some() {
        return Err(ProblemCode::NotFound.into());
    }
    Ok(begin_hold(tx, now_ms, id, (actor, reason))?)
}

/// Puts a hold back that a restored backup did not have; gives 1 if it was not there. Its envelope may come later.
pub fn hold_again(tx: &mut Tx<'_>, id: &EnvelopeId, since_ms: i64) -> Result<usize, StoreError> {
    if erased_at(tx, id)?.is_some() || is_held(tx, id)? {
        return Ok(0);
    }
    begin_hold(tx, since_ms, id, (super::cases::CENTRE, "restored"))?;
    Ok(1)
}

fn begin_hold(
    tx: &mut Tx<'_>,
    now_ms: i64,
    id: &EnvelopeId,
    (actor, reason): (&str, &str),
) -> Result<(), StoreError> {
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(MAX_REASON_CHARS).collect();
    let id = id.to_string();
    let new = tx.execute(
        "INSERT INTO legal_hold (envelope_id, reason, since_ms, actor) VALUES ($1, $2, $3, $4)
         ON CONFLICT (envelope_id) DO NOTHING",
        &[id.clone().into(), reason.into(), now_ms.into(), actor.into()],
    )?;
    if new > 0 {
        audit::append(
            tx,
            now_ms,
            audit::Event { actor, event: "hold.begun", subject: &id, object_digest: "" },
        )?;
    }
    Ok(())
}

/// Ends a hold; says whether there was one.
pub fn release(tx: &mut Tx<'_>, now_ms: i64, id: &EnvelopeId, actor: &str) -> Result<bool, StoreError> {
    let id = id.to_string();
    let ended = tx.execute("DELETE FROM legal_hold WHERE envelope_id = $1", &[id.clone().into()])? > 0;
    if ended {
        audit::append(
            tx,
            now_ms,
            audit::Event { actor, event: "hold.ended", subject: &id, object_digest: "" },
        )?;
    }
    Ok(ended)
}
