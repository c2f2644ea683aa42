//! Receipts shown to a centre that was restored from a backup, and what becomes of the rows it does not have.
//!
//! A row that is still to be shown is never erased, whatever the centre says to be durable: its place belongs to the
//! order of the centre before.
use domain::envelope::{SignedDocument, SignedKind, sign_document};
use domain::ids::EnvelopeId;
use domain::wire::v1::{MAX_OFFERED, Offer, OfferedReceipt};
use rusqlite::{Connection, TransactionBehavior};

use super::statements::Kept as _;
use super::submit::audit;
use super::{Store, StoreError};

/// An offer, signed, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextOffer {
    /// What is sent.
    pub document: SignedDocument,
    /// The envelopes whose receipts it holds.
    pub ids: Vec<EnvelopeId>,
}

/// What became of offered rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OfferOutcome {
    /// Rows that the centre does not have and that are sent again.
    pub sent_again: usize,
    /// Rows that the centre does not have and that were erased here: nobody has their content any more.
    pub gone: usize,
}

/// Everything with a receipt is to be shown to the centre.
pub(super) fn offer_everything(tx: &Connection) -> Result<(), StoreError> {
    // With pages that are still here: sent again, so that the centre says which of them it lacks.
    tx.execute_kept(
        "UPDATE outbox SET state = 'queued', next_try_ms = 0 WHERE state = 'delivered' AND ciphertext IS NOT NULL
         AND envelope_id IN (SELECT envelope_id FROM blob WHERE state <> 'captured')",
        [],
    )?;
    tx.execute_kept(
        "UPDATE outbox SET to_offer = 1
         WHERE state = 'delivered' AND envelope_id IN (SELECT envelope_id FROM receipt)",
        [],
    )?;
    Ok(())
}

impl Store {
    /// Whether receipts are still to be shown to the centre.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn has_offers(&self) -> Result<bool, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox WHERE to_offer = 1)")?;
        Ok(statement.query_row([], |r| r.get(0))?)
    }

    /// The next receipts to show, oldest first; none if there are none.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn next_offer(&self) -> Result<Option<NextOffer>, StoreError> {
        let Some(identity) = self.identity()? else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(
            "SELECT o.envelope_id, r.document, o.ciphertext IS NOT NULL
             FROM outbox o JOIN receipt r ON r.envelope_id = o.envelope_id
             WHERE o.to_offer = 1 ORDER BY o.rowid LIMIT ?1",
        )?;
        let mut rows = statement.query([i64::try_from(MAX_OFFERED).unwrap_or(i64::MAX)])?;
        let (mut ids, mut receipts) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let (id, document): (String, String) = (row.get(0)?, row.get(1)?);
            ids.push(id.parse().map_err(|_| StoreError::Value("envelope id"))?);
            let receipt = serde_json::from_str(&document).map_err(|_| StoreError::Value("receipt"))?;
            receipts.push(OfferedReceipt { receipt, kept: row.get(2)? });
        }
        if ids.is_empty() {
            return Ok(None);
        }
        let offer = Offer { terminal: identity.terminal, receipts };
        let body = serde_json::to_vec(&offer).map_err(|_| StoreError::Value("offer"))?;
        Ok(Some(NextOffer { document: sign_document(SignedKind::Offer, body, &self.device_key), ids }))
    }

    /// What the centre said of an offer: rows that it has are delivered, others are sent again, or are gone.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn take_offer_answer(
        &mut self,
        offered: &[EnvelopeId],
        lacking: &[EnvelopeId],
        now_ms: i64,
    ) -> Result<OfferOutcome, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut outcome = OfferOutcome::default();
        for id in offered {
            if !lacking.contains(id) {
                is_there(&tx, id)?;
            } else if send_again(&tx, id)? {
                outcome.sent_again += 1;
            } else {
                is_gone(&tx, id, now_ms)?;
                outcome.gone += 1;
            }
        }
        fail::fail_point!("terminal::offer::before_commit", |_| Err(StoreError::Full));
        tx.commit()?;
        Ok(outcome)
    }

    /// The centre cannot be asked: whatever is still here is sent again, and the rest is left as it is.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn send_offers_again(&mut self) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_kept(
            "UPDATE outbox SET state = 'queued', next_try_ms = 0, to_offer = 0
             WHERE to_offer = 1 AND ciphertext IS NOT NULL",
            [],
        )?;
        tx.execute_kept("UPDATE outbox SET to_offer = 0 WHERE to_offer = 1", [])?;
        Ok(tx.commit()?)
    }
}

fn is_there(tx: &Connection, id: &EnvelopeId) -> Result<(), StoreError> {
    let id = id.to_string();
    tx.execute_kept("UPDATE outbox SET to_offer = 0 WHERE envelope_id = ?1", [&id])?;
    tx.execute_kept(
        "UPDATE slip SET delivered_ms = COALESCE(delivered_ms,
             (SELECT accepted_at_ms FROM receipt WHERE receipt.envelope_id = slip.envelope_id))
         WHERE envelope_id = ?1",
        [&id],
    )?;
    Ok(())
}

/// Queues a row whose content is still here; false if it is not.
fn send_again(tx: &Connection, id: &EnvelopeId) -> Result<bool, StoreError> {
    let changed = tx.execute_kept(
        "UPDATE outbox SET state = 'queued', next_try_ms = 0, to_offer = 0
         WHERE envelope_id = ?1 AND ciphertext IS NOT NULL",
        [id.to_string()],
    )?;
    Ok(changed > 0)
}

/// Nothing is claimed any more of a submission that nobody has.
fn is_gone(tx: &Connection, id: &EnvelopeId, now_ms: i64) -> Result<(), StoreError> {
    let id = id.to_string();
    tx.execute_kept("UPDATE outbox SET to_offer = 0, gone_ms = ?2 WHERE envelope_id = ?1", (&id, now_ms))?;
    tx.execute_kept(
        "UPDATE slip SET delivered_ms = NULL, accepted_ms = NULL, completed_ms = NULL, case_state = NULL
         WHERE envelope_id = ?1",
        [&id],
    )?;
    audit(tx, now_ms, "gone", &id, None)
}
