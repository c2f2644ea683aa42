//! The queue: what is due, what failed and when it is tried again, what is parked and why.
use domain::envelope::{Bytes, Digest, Signature};
use domain::ids::EnvelopeId;
use domain::wire::v1::EnvelopeUpload;

use super::statements::Kept as _;
use super::submit::audit;
use super::{Store, StoreError};

/// Nothing is put off further than this, milliseconds: a later time was written while the clock was wrong.
const LONGEST_HOLD_MS: i64 = 3_600_000;

/// An envelope that may be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEnvelope {
    /// Its id.
    pub envelope_id: EnvelopeId,
    /// Its bytes.
    pub upload: EnvelopeUpload,
}

/// Why a row is not sent again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParkReason {
    /// 冲突: the server holds another content under the same id.
    Conflict,
    /// 隔离: the server cannot take it.
    Quarantined,
}

impl ParkReason {
    fn state(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Quarantined => "quarantined",
        }
    }
}

impl Store {
    /// Envelopes due at `now_ms` in the order in which they were made, at most `most` and `most_bytes` in all
    /// (at least one, however large).
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn due(&self, now_ms: i64, most: usize, most_bytes: usize) -> Result<Vec<DueEnvelope>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT envelope_id, header, ciphertext, digest, signature FROM outbox
             WHERE state = 'queued' AND ciphertext IS NOT NULL AND (next_try_ms <= ?1 OR next_try_ms > ?3)
             ORDER BY rowid LIMIT ?2",
        )?;
        let far_ms = now_ms.saturating_add(LONGEST_HOLD_MS);
        let mut rows = statement.query((now_ms, i64::try_from(most).unwrap_or(i64::MAX), far_ms))?;
        let (mut due, mut bytes) = (Vec::new(), 0usize);
        while let Some(row) = rows.next()? {
            let (id, header, ciphertext): (String, Vec<u8>, Vec<u8>) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            // Base64 makes four of three; the rest of the row is small.
            bytes = bytes.saturating_add((header.len() + ciphertext.len()) * 4 / 3 + 400);
            if bytes > most_bytes && !due.is_empty() {
                break;
            }
            due.push(DueEnvelope {
                envelope_id: id.parse().map_err(|_| StoreError::Value("envelope id"))?,
                upload: EnvelopeUpload {
                    header: Bytes(header),
                    ciphertext: Bytes(ciphertext),
                    digest: row.get::<_, String>(3)?.parse().map_err(|_| StoreError::Value("digest"))?,
                    signature: Signature(Bytes(row.get(4)?)),
                },
            });
        }
        Ok(due)
    }

    /// When the next queued row becomes due; `None` if nothing is queued.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn next_due_ms(&self, now_ms: i64) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT MIN(CASE WHEN next_try_ms > ?1 THEN 0 ELSE next_try_ms END)
                   FROM outbox WHERE state = 'queued' AND ciphertext IS NOT NULL";
        Ok(self.connection.row_kept(sql, [now_ms.saturating_add(LONGEST_HOLD_MS)], |r| r.get(0))?)
    }

    /// A send failed: the row stays queued and is tried again at `next_try_ms`.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn send_failed(&mut self, digest: &Digest, error: &str, next_try_ms: i64) -> Result<(), StoreError> {
        fail::fail_point!("terminal::outbox::before_send_failed", |_| Err(StoreError::Full));
        self.connection.execute_kept(
            "UPDATE outbox SET attempts = attempts + 1, last_error = ?2, next_try_ms = ?3
             WHERE digest = ?1 AND state = 'queued'",
            (digest.to_string(), error, next_try_ms),
        )?;
        Ok(())
    }

    /// Parks a row with its reason; its content stays.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn park(
        &mut self,
        digest: &Digest,
        why: ParkReason,
        reason: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let tx = self.connection.transaction()?;
        let changed = tx.execute_kept(
            "UPDATE outbox SET state = ?2, reason = ?3, attempts = attempts + 1 WHERE digest = ?1 AND state = 'queued'",
            (digest.to_string(), why.state(), reason),
        )?;
        if changed > 0 {
            audit(&tx, now_ms, "park", why.state(), Some(digest))?;
        }
        tx.commit()?;
        Ok(())
    }
}
