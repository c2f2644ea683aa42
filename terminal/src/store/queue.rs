//! The queue in the hands of an operator: one row, and sending it again.
//!
//! Refuses to release a conflict: the centre holds another content under the same id, and nothing is ever overwritten.
use rusqlite::{OptionalExtension as _, TransactionBehavior};

use super::statements::Kept as _;
use super::submit::audit;
use super::{Store, StoreError};

/// What an operator's wish came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueChange {
    /// It is sent with the next batch.
    Queued,
    /// There is no such row.
    Unknown,
    /// It is in another state than the wish is for.
    NotNow {
        /// The state it is in.
        state: String,
    },
}

impl Store {
    /// Puts a row in 隔离 back into the queue; `which` is its envelope id or its number.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn release(&mut self, which: &str, now_ms: i64) -> Result<QueueChange, StoreError> {
        self.queue_again(which, "quarantined", "release", now_ms)
    }

    /// Has a waiting row sent with the next batch, whenever it was to be tried again.
    ///
    /// # Errors
    /// As [`Store::release`].
    pub fn retry(&mut self, which: &str, now_ms: i64) -> Result<QueueChange, StoreError> {
        self.queue_again(which, "queued", "retry", now_ms)
    }

    fn queue_again(
        &mut self,
        which: &str,
        from: &str,
        action: &str,
        now_ms: i64,
    ) -> Result<QueueChange, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let row: Option<(String, String)> = tx
            .row_kept(
                "SELECT o.envelope_id, o.state FROM outbox o LEFT JOIN slip s ON s.envelope_id = o.envelope_id
                 WHERE o.envelope_id = ?1 OR s.number = ?1 OR s.corrected_from = ?1 LIMIT 1",
                [which],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .optional()?;
        let Some((id, state)) = row else { return Ok(QueueChange::Unknown) };
        if state != from {
            return Ok(QueueChange::NotNow { state });
        }
        tx.execute_kept(
            "UPDATE outbox SET state = 'queued', reason = NULL, next_try_ms = 0 WHERE envelope_id = ?1",
            [&id],
        )?;
        audit(&tx, now_ms, action, &id, None)?;
        tx.commit()?;
        Ok(QueueChange::Queued)
    }
}
