//! Who did what, in commit order, each row chained to the one before by its hash.
//!
//! Rows hold ids and hashes, never values: an audit row outlives the erasure of what it speaks of.
use domain::envelope::Digest;
use sha2::{Digest as _, Sha256};

use crate::store::{StoreError, Tx, Value};

/// What is written down.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// Terminal id, `centre` or `operator`.
    pub actor: &'a str,
    /// What was done, such as `envelope.stored`.
    pub event: &'a str,
    /// Id of what it was done to.
    pub subject: &'a str,
    /// Digest of its content, or empty.
    pub object_digest: &'a str,
}

/// The last row of the chain: its number and its hash.
#[derive(Clone, Copy)]
struct End {
    seq: u64,
    hash: [u8; 32],
}

/// The end of the chain as this transaction knows it.
#[derive(Default)]
struct KnownEnd(Option<End>);

/// Appends a row in the transaction of what it tells.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn append(tx: &mut Tx<'_>, now_ms: i64, event: Event<'_>) -> Result<(), StoreError> {
    let End { seq: last, hash: previous } = match tx.memory::<KnownEnd>().0 {
        Some(end) => end,
        None => end(tx)?,
    };
    let seq = last + 1;
    let hash = link(&previous, seq, now_ms, event);
    tx.execute(
        "INSERT INTO audit (seq, at_ms, actor, event, subject, object_digest, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            seq.into(),
            now_ms.into(),
            event.actor.into(),
            event.event.into(),
            event.subject.into(),
            event.object_digest.into(),
            Value::from(&hash[..]),
        ],
    )?;
    tx.memory::<KnownEnd>().0 = Some(End { seq, hash });
    Ok(())
}

fn end(tx: &mut Tx<'_>) -> Result<End, StoreError> {
    match tx.query_first("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", &[])? {
        Some(row) => {
            let hash = row.blob(1)?.try_into().map_err(|_| StoreError::Stored { what: "hash" })?;
            Ok(End { seq: row.uint(0)?, hash })
        }
        None => Ok(End { seq: 0, hash: [0; 32] }),
    }
}

/// Checks a stretch of the chain of at most `limit` rows after `after`; gives the last row checked, or the first
/// one that does not hold.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn verify(tx: &mut Tx<'_>, after: u64, limit: u64) -> Result<Result<u64, u64>, StoreError> {
    let before = tx.query_first("SELECT hash FROM audit WHERE seq = $1", &[after.into()])?;
    let mut previous = match &before {
        Some(row) => row.blob(0)?.to_vec(),
        None => vec![0; 32],
    };
    let rows = tx.query(
        "SELECT seq, at_ms, actor, event, subject, object_digest, hash
         FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
        &[after.into(), limit.into()],
    )?;
    let mut last = after;
    for row in &rows {
        let seq = row.uint(0)?;
        let event = Event {
            actor: row.text(2)?,
            event: row.text(3)?,
            subject: row.text(4)?,
            object_digest: row.text(5)?,
        };
        let hash = link(&previous, seq, row.int(1)?, event);
        if seq != last + 1 || row.blob(6)? != hash {
            return Ok(Err(seq));
        }
        (previous, last) = (hash.to_vec(), seq);
    }
    Ok(Ok(last))
}

/// Rows that are checked in one go.
const STRETCH: u64 = 5_000;

/// Checks the whole chain; gives its last row, or the first one that does not hold.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn verify_all(tx: &mut Tx<'_>) -> Result<Result<u64, u64>, StoreError> {
    let mut checked = 0;
    loop {
        match verify(tx, checked, STRETCH)? {
            Ok(last) if last == checked => return Ok(Ok(last)),
            Ok(last) => checked = last,
            Err(broken) => return Ok(Err(broken)),
        }
    }
}

/// The hash of a row of the chain, if there is that row.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn hash_at(tx: &mut Tx<'_>, seq: u64) -> Result<Option<Digest>, StoreError> {
    let row = tx.query_first("SELECT hash FROM audit WHERE seq = $1", &[seq.into()])?;
    let hash = |r: crate::store::Row| r.blob(0)?.try_into().map_err(|_| StoreError::Stored { what: "hash" });
    row.map(hash).transpose().map(|hash| hash.map(Digest::from_bytes))
}

/// The last row of the chain and its hash; none of an empty one.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn last(tx: &mut Tx<'_>) -> Result<Option<(u64, Digest)>, StoreError> {
    let End { seq, hash } = end(tx)?;
    Ok((seq > 0).then_some((seq, Digest::from_bytes(hash))))
}

/// Raises an alarm that people have to look at; the same one is raised once.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn raise_alarm(
    tx: &mut Tx<'_>,
    now_ms: i64,
    kind: &str,
    subject: &str,
    object: Option<&Digest>,
) -> Result<(), StoreError> {
    let id = tx.next_in("alarm", "id")?;
    let object = object.map(Digest::to_string).unwrap_or_default();
    let raised = tx.execute(
        "INSERT INTO alarm (id, kind, subject, object_digest, raised_at_ms) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (kind, subject, object_digest) DO NOTHING",
        &[id.into(), kind.into(), subject.into(), object.clone().into(), now_ms.into()],
    )?;
    if raised > 0 {
        tracing::warn!(alarm.kind = kind, alarm.subject = subject, "an alarm was raised");
        append(tx, now_ms, Event { actor: "centre", event: kind, subject, object_digest: &object })?;
    }
    Ok(())
}

/// Whether an alarm about a subject was raised already.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn is_raised(tx: &mut Tx<'_>, kind: &str, subject: &str) -> Result<bool, StoreError> {
    let sql = "SELECT COUNT(*) FROM alarm WHERE kind = $1 AND subject = $2";
    Ok(tx.query_int(sql, &[kind.into(), subject.into()])? > 0)
}

fn link(previous: &[u8], seq: u64, at_ms: i64, event: Event<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"jinban/audit/1");
    hash.update(previous);
    hash.update(seq.to_be_bytes());
    hash.update(at_ms.to_be_bytes());
    for field in [event.actor, event.event, event.subject, event.object_digest] {
        hash.update(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(field.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fresh_in_memory;

    fn event<'a>(subject: &'a str) -> Event<'a> {
        Event { actor: "T-01", event: "envelope.stored", subject, object_digest: "" }
    }

    #[test]
    fn the_chain_holds_and_every_change_breaks_it() {
        let changes = [
            "UPDATE audit SET subject = 'z' WHERE seq = 3",
            "UPDATE audit SET at_ms = 9 WHERE seq = 3",
            "DELETE FROM audit WHERE seq = 3",
            "UPDATE audit SET actor = 'T-0', event = '1envelope.stored' WHERE seq = 3",
        ];
        for change in changes {
            let mut db = fresh_in_memory().expect("fresh");
            let mut tx = Tx::new(&mut db);
            for n in 0..5 {
                append(&mut tx, n, event(&n.to_string())).expect("appended");
            }
            assert_eq!(verify(&mut tx, 0, 100).expect("read"), Ok(5));
            assert_eq!(verify(&mut tx, 0, 2).expect("read"), Ok(2));
            assert_eq!(verify(&mut tx, 2, 100).expect("read"), Ok(5));
            tx.execute(change, &[]).expect("changed");
            assert!(matches!(verify(&mut tx, 0, 100).expect("read"), Err(3 | 4)), "{change}");
        }
    }

    #[test]
    fn the_same_alarm_is_raised_once() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        for _ in 0..3 {
            raise_alarm(&mut tx, 1, "envelope.conflict", "id", Some(&Digest::of(b"a"))).expect("raised");
        }
        assert_eq!(tx.query_int("SELECT COUNT(*) FROM alarm", &[]).ok(), Some(1));
        assert_eq!(tx.query_int("SELECT COUNT(*) FROM audit", &[]).ok(), Some(1));
    }
}
