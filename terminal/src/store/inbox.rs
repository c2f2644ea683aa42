//! What the centre says: receipts, case news, its epoch and what it holds durably.
use domain::envelope::{Digest, SignedDocument, SignedKind, VerifyError, verify_document};
use domain::ids::ServerEpoch;
use domain::wire::v1::{CaseNews, Contact, ReceiptBody};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::identity::{self, Identity};
use super::slips::state_to_text;
use super::statements::Kept as _;
use super::submit::audit;
use super::{Store, StoreError, catalogue_trust, offers, page_queue, time};

/// A receipt that does not count.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Its signature does not hold.
    #[error("the receipt's signature does not hold")]
    Signature(#[source] VerifyError),
    /// It is not a receipt, or not for this envelope.
    #[error("the receipt is not for this envelope")]
    Mismatch,
    /// The store refused.
    #[error("the receipt could not be stored")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ReceiptError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Store(e.into())
    }
}

/// Whether the server was restored from a backup since the last contact: an answer to an older cursor is void then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochChange(pub bool);

/// What a piece of case news did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseNewsOutcome {
    /// The slip's marks moved.
    Moved,
    /// Older than what is known, not a case of this terminal, or one whose pages are still on their way.
    Ignored,
}

impl Store {
    /// Verifies a receipt for the envelope with this digest and moves its row to delivered.
    ///
    /// # Errors
    /// [`ReceiptError`]; the row stays as it was.
    pub fn take_receipt(
        &mut self,
        digest: &Digest,
        document: &SignedDocument,
        now_ms: i64,
    ) -> Result<ReceiptBody, ReceiptError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let identity: Identity = identity::get(&tx, "identity")?.ok_or(ReceiptError::Mismatch)?;
        let body = verify_document(SignedKind::Receipt, document, &identity.receipt_ring())
            .map_err(ReceiptError::Signature)?;
        let receipt: ReceiptBody = serde_json::from_slice(body).map_err(|_| ReceiptError::Mismatch)?;
        let known: Option<String> = tx
            .row_kept(
                "SELECT digest FROM outbox WHERE envelope_id = ?1",
                [receipt.envelope_id.to_string()],
                |r| r.get(0),
            )
            .optional()?;
        if receipt.digest != *digest || known.as_deref() != Some(digest.to_string().as_str()) {
            return Err(ReceiptError::Mismatch);
        }
        store_receipt(&tx, &receipt, document, now_ms)?;
        catalogue_trust::note_authenticated(&tx, receipt.accepted_at_ms)?;
        audit(&tx, now_ms, "receipt", &receipt.envelope_id.to_string(), Some(digest))?;
        fail::fail_point!("terminal::receipt::before_commit", |_| Err(StoreError::Full.into()));
        tx.commit()?;
        fail::fail_point!("terminal::receipt::after_commit");
        Ok(receipt)
    }

    /// Takes in case news and moves the cursor, in one transaction.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn take_case_news(&mut self, news: &CaseNews) -> Result<CaseNewsOutcome, StoreError> {
        fail::fail_point!("terminal::news::before_case", |_| Err(StoreError::Full));
        let column = match news.state.mark() {
            domain::case::Mark::Completed => "completed_ms",
            domain::case::Mark::Accepted => "accepted_ms",
            domain::case::Mark::Delivered | domain::case::Mark::Saved => "delivered_ms",
        };
        let id = news.envelope_id.to_string();
        // News of a case whose pages are on their way: it is known there, and not yet delivered.
        let early = column == "delivered_ms" && page_queue::awaited(&self.connection, &id)? > 0;
        // `column` is one of three literals above; COALESCE keeps the first time that a mark was reached.
        let reached_ms = (!early).then_some(news.at_ms);
        let sql = format!(
            "UPDATE slip SET case_state = ?2, case_version = ?3, {column} = COALESCE({column}, ?4)
             WHERE envelope_id = ?1 AND {}",
            newer()
        );
        let version = i64::try_from(news.version).map_err(|_| StoreError::Value("case version"))?;
        let changed =
            self.connection.execute_kept(&sql, (id, state_to_text(news.state), version, reached_ms))?;
        fail::fail_point!("terminal::news::after_case", |_| Err(StoreError::Full));
        Ok(if changed > 0 && !early { CaseNewsOutcome::Moved } else { CaseNewsOutcome::Ignored })
    }

    /// Moves the cursor of the changes feed; never backwards.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn move_cursor(&mut self, cursor: u64) -> Result<(), StoreError> {
        fail::fail_point!("terminal::cursor::before_store", |_| Err(StoreError::Full));
        if cursor > self.cursor()? { identity::put(&self.connection, "cursor", &cursor) } else { Ok(()) }
    }

    /// Takes in what every response carries: clock offset, epoch, durability.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn take_contact(&mut self, contact: &Contact, now_ms: i64) -> Result<EpochChange, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        identity::put(&tx, "server_offset_ms", &contact.server_time_ms.saturating_sub(now_ms))?;
        let epoch: Option<ServerEpoch> = identity::get(&tx, "server_epoch")?;
        let change = EpochChange(epoch.is_some_and(|e| e != contact.server_epoch));
        if change.0 {
            // A restored server may have lost what it receipted: all receipts are shown to it, marks of what it may
            // lack are taken back until they are true again, and the feed is read from its start.
            // What it holds durably it still has; what departments decided since it may have lost as well.
            tx.execute_kept(
                "UPDATE slip SET delivered_ms = NULL WHERE envelope_id IN
                 (SELECT envelope_id FROM outbox WHERE state = 'delivered' AND ciphertext IS NOT NULL)",
                [],
            )?;
            tx.execute_kept(
                "UPDATE slip SET accepted_ms = NULL, completed_ms = NULL, case_state = NULL, case_version = 0",
                [],
            )?;
            offers::offer_everything(&tx)?;
            identity::put(&tx, "cursor", &0u64)?;
            audit(&tx, now_ms, "server-epoch", &contact.server_epoch.to_string(), None)?;
        }
        identity::put(&tx, "server_epoch", &contact.server_epoch)?;
        if identity::get::<u64>(&tx, "spread_ms")? != Some(contact.spread_ms) {
            identity::put(&tx, "spread_ms", &contact.spread_ms)?;
        }
        if let Some(upto) = durable_upto(contact) {
            erase_durable(&tx, i64::try_from(upto).unwrap_or(i64::MAX))?;
        }
        fail::fail_point!("terminal::contact::before_commit", |_| Err(StoreError::Full));
        tx.commit()?;
        fail::fail_point!("terminal::contact::after_commit");
        Ok(change)
    }
}

/// Which news of a case count: those of a later version. A planted fault goes by the clock instead.
fn newer() -> &'static str {
    fail::fail_point!("planted::order_by_clock", |_| {
        "MAX(COALESCE(delivered_ms, 0), COALESCE(accepted_ms, 0),
         COALESCE(completed_ms, 0)) < ?4"
    });
    "case_version < ?3"
}

/// What the centre holds durably. A planted fault says that this is everything.
fn durable_upto(contact: &Contact) -> Option<u64> {
    fail::fail_point!("planted::delete_before_durable", |_| Some(u64::MAX));
    contact.durable_upto
}

fn store_receipt(
    tx: &Connection,
    receipt: &ReceiptBody,
    document: &SignedDocument,
    now_ms: i64,
) -> Result<(), ReceiptError> {
    let id = receipt.envelope_id.to_string();
    let text = serde_json::to_string(document).map_err(|_| StoreError::Value("receipt"))?;
    let seq = i64::try_from(receipt.server_seq).map_err(|_| StoreError::Value("server sequence"))?;
    tx.execute_kept(
        "INSERT INTO receipt (envelope_id, document, server_seq, accepted_at_ms, received_ms, received_lived_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (envelope_id) DO UPDATE SET document = excluded.document, server_seq = excluded.server_seq,
            accepted_at_ms = excluded.accepted_at_ms, received_ms = excluded.received_ms,
            received_lived_ms = excluded.received_lived_ms",
        (&id, text, seq, receipt.accepted_at_ms, now_ms, time::lived_ms(tx)?),
    )?;
    tx.execute_kept(
        "UPDATE outbox SET state = 'delivered', reason = NULL, last_error = NULL, attempts = attempts + 1,
             gone_ms = NULL
         WHERE envelope_id = ?1",
        [&id],
    )?;
    // Text alone is not delivered: its pages are on their way.
    if receipt.complete {
        tx.execute_kept(
            "UPDATE slip SET delivered_ms = COALESCE(delivered_ms, ?2) WHERE envelope_id = ?1",
            (&id, receipt.accepted_at_ms),
        )?;
    }
    if let Some(number) = &receipt.number {
        tx.execute_kept(
            "UPDATE slip SET corrected_from = number, number = ?2 WHERE envelope_id = ?1 AND number <> ?2",
            (&id, number.as_str()),
        )?;
    }
    Ok(())
}

/// Erases the content of rows that the server holds in a verified backup.
fn erase_durable(tx: &Connection, upto: i64) -> Result<(), StoreError> {
    tx.execute_kept(
        "UPDATE outbox SET ciphertext = NULL WHERE state = 'delivered' AND ciphertext IS NOT NULL AND to_offer = 0
         AND envelope_id IN (SELECT envelope_id FROM receipt WHERE server_seq <= ?1)
         AND envelope_id NOT IN (SELECT envelope_id FROM blob WHERE state = 'waiting')",
        [upto],
    )?;
    Ok(())
}
