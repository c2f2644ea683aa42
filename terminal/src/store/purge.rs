//! 到期清除: slips and receipts go when their days are over, counted in trusted time.
//!
//! Refuses to remove what the centre may still be asked for: content that is here, receipts that are to be shown.
use rusqlite::TransactionBehavior;

use super::statements::Kept as _;
use super::{Store, StoreError};

const DAY_MS: i64 = 86_400_000;

impl Store {
    /// Removes rows whose receipt came more than so many days ago and whose content was erased; says how many. A receipt
    /// of an older program, which did not note the trusted time, is counted from now.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn purge_receipts(&mut self, lived_ms: i64, keep_days: u16) -> Result<usize, StoreError> {
        let before_ms = lived_ms.saturating_sub(i64::from(keep_days) * DAY_MS);
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_kept(
            "UPDATE receipt SET received_lived_ms = ?1 WHERE received_lived_ms IS NULL OR received_lived_ms > ?1",
            [lived_ms],
        )?;
        tx.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS over (envelope_id TEXT PRIMARY KEY); DELETE FROM over",
        )?;
        let over = tx.execute_kept(
            "INSERT INTO over SELECT r.envelope_id FROM receipt r JOIN outbox o ON o.envelope_id = r.envelope_id
             WHERE r.received_lived_ms < ?1 AND o.state = 'delivered' AND o.ciphertext IS NULL AND o.to_offer = 0",
            [before_ms],
        )?;
        if over > 0 {
            for table in ["print_job", "receipt", "slip", "outbox"] {
                // `table` is one of four literals.
                let sql = format!("DELETE FROM {table} WHERE envelope_id IN (SELECT envelope_id FROM over)");
                tx.execute_kept(&sql, [])?;
            }
        }
        tx.commit()?;
        if over > 0 {
            self.forget_erased()?;
        }
        Ok(over)
    }
}
