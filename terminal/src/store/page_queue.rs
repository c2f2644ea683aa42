//! Pages on their way to the centre: after the text of their envelope, the oldest first, each where its upload has come
//! to.
use domain::envelope::Digest;
use domain::ids::EnvelopeId;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::statements::Kept as _;
use super::submit::audit;
use super::{Store, StoreError};
use crate::model::PagesSent;

/// Nothing is put off further than this, milliseconds: a later time was written while the clock was wrong.
const LONGEST_HOLD_MS: i64 = 3_600_000;

/// A page that may be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuePage {
    /// Its envelope.
    pub envelope_id: EnvelopeId,
    /// SHA-256 of its sealed bytes.
    pub digest: Digest,
    /// Sealed bytes.
    pub length: u64,
    /// Where its upload is, once it was begun.
    pub address: Option<String>,
    /// How often sending it failed.
    pub attempts: u32,
}

/// Pages that may be sent: their envelope was receipted, and its content is still here.
const SENDABLE: &str = "blob b JOIN outbox o ON o.envelope_id = b.envelope_id
    WHERE b.state = 'waiting' AND o.state = 'delivered' AND o.ciphertext IS NOT NULL";

impl Store {
    /// The next page to be sent, of the oldest envelope first.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn due_page(&self, now_ms: i64) -> Result<Option<DuePage>, StoreError> {
        let sql = format!(
            "SELECT b.envelope_id, b.digest, b.length, b.address, b.attempts FROM {SENDABLE}
             AND (b.next_try_ms <= ?1 OR b.next_try_ms > ?2) ORDER BY o.rowid, b.page LIMIT 1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let far_ms = now_ms.saturating_add(LONGEST_HOLD_MS);
        let row = statement
            .query_row((now_ms, far_ms), |r| {
                Ok((
                    r.get::<_, String>(0)?,
                    r.get::<_, String>(1)?,
                    r.get::<_, i64>(2)?,
                    r.get(3)?,
                    r.get(4)?,
                ))
            })
            .optional()?;
        let Some((id, digest, length, address, attempts)) = row else { return Ok(None) };
        let envelope_id = id.parse().map_err(|_| StoreError::Value("envelope id"))?;
        let digest = digest.parse().map_err(|_| StoreError::Value("page digest"))?;
        let length = u64::try_from(length).map_err(|_| StoreError::Value("page length"))?;
        Ok(Some(DuePage { envelope_id, digest, length, address, attempts }))
    }

    /// When the next page becomes due; `None` if none waits.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn next_page_ms(&self, now_ms: i64) -> Result<Option<i64>, StoreError> {
        let sql =
            format!("SELECT MIN(CASE WHEN b.next_try_ms > ?1 THEN 0 ELSE b.next_try_ms END) FROM {SENDABLE}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([now_ms.saturating_add(LONGEST_HOLD_MS)], |r| r.get(0))?)
    }

    /// Sealed bytes of a page from an offset on, at most `most`.
    ///
    /// # Errors
    /// [`StoreError::Io`] if its file is gone or cannot be read.
    pub fn page_bytes(&self, page: &DuePage, from: u64, most: u64) -> Result<Vec<u8>, StoreError> {
        self.sealed_page(&page.digest, from, most)
    }

    /// Whether the file of a page still holds what was sealed.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it cannot be read.
    pub fn page_is_sound(&self, page: &DuePage) -> Result<bool, StoreError> {
        let bytes = self.sealed_page(&page.digest, 0, page.length.saturating_add(1))?;
        Ok(Digest::of(&bytes) == page.digest)
    }

    /// Keeps where the upload of a page is; nowhere, if it is to begin anew.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn note_upload(&mut self, page: &DuePage, address: Option<&str>) -> Result<(), StoreError> {
        self.connection.execute_kept(
            "UPDATE blob SET address = ?2 WHERE digest = ?1 AND state = 'waiting'",
            (page.digest.to_string(), address),
        )?;
        Ok(())
    }

    /// Sending a page failed; it is tried again at `next_try_ms`.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn page_failed(&mut self, page: &DuePage, error: &str, next_try_ms: i64) -> Result<(), StoreError> {
        self.connection.execute_kept(
            "UPDATE blob SET attempts = attempts + 1, last_error = ?2, next_try_ms = ?3
             WHERE digest = ?1 AND state = 'waiting'",
            (page.digest.to_string(), error, next_try_ms),
        )?;
        Ok(())
    }

    /// All bytes of a page are at the centre. The last one of an envelope has that sent once more, for the receipt that
    /// says so; true then.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn page_sent(&mut self, page: &DuePage, now_ms: i64) -> Result<bool, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let id = page.envelope_id.to_string();
        let moved = tx.execute_kept(
            "UPDATE blob SET state = 'sent', last_error = NULL WHERE digest = ?1 AND state = 'waiting'",
            [page.digest.to_string()],
        )?;
        fail::fail_point!("terminal::page::after_sent", |_| Err(StoreError::Full));
        if moved > 0 {
            audit(&tx, now_ms, "page-sent", &id, Some(&page.digest))?;
        }
        let last = awaited(&tx, &id)? == 0;
        if last {
            ask_again(&tx, &id)?;
        }
        tx.commit()?;
        Ok(last)
    }

    /// The centre does not know the envelope of a page (it was restored): the text goes first again.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn offer_text_again(&mut self, page: &DuePage) -> Result<(), StoreError> {
        ask_again(&self.connection, &page.envelope_id.to_string())
    }

    /// What the centre still awaits of an envelope; it has all the others. One that was taken for sent and is awaited
    /// after all goes once more, a little later each time.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn take_missing(
        &mut self,
        envelope_id: EnvelopeId,
        missing: &[Digest],
        next_try_ms: i64,
    ) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let id = envelope_id.to_string();
        let digests: Vec<String> = {
            let mut statement =
                tx.prepare_cached("SELECT digest FROM blob WHERE envelope_id = ?1 AND state <> 'captured'")?;
            let rows = statement.query_map([&id], |r| r.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        for digest in digests {
            let awaited = missing.iter().any(|m| m.to_string() == digest);
            let sql = if awaited {
                "UPDATE blob SET next_try_ms = CASE WHEN state = 'sent' THEN ?2 ELSE next_try_ms END,
                        address = CASE WHEN state = 'sent' THEN NULL ELSE address END, state = 'waiting'
                 WHERE digest = ?1"
            } else {
                "UPDATE blob SET state = 'sent', next_try_ms = MIN(next_try_ms, ?2) WHERE digest = ?1"
            };
            tx.execute_kept(sql, (&digest, next_try_ms))?;
        }
        tx.commit()?;
        Ok(())
    }

    /// How many pages of an envelope the centre has.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn pages_sent(&self, envelope_id: EnvelopeId) -> Result<PagesSent, StoreError> {
        let sql = "SELECT COALESCE(SUM(state = 'sent'), 0), COUNT(*) FROM blob
                   WHERE envelope_id = ?1 AND state <> 'captured'";
        let mut statement = self.connection.prepare_cached(sql)?;
        let (sent, all) = statement.query_row([envelope_id.to_string()], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(PagesSent { sent, all })
    }
}

/// Pages of an envelope that the centre does not have.
pub(super) fn awaited(connection: &Connection, envelope_id: &str) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM blob WHERE envelope_id = ?1 AND state = 'waiting'";
    Ok(connection.prepare_cached(sql)?.query_row([envelope_id], |r| r.get(0))?)
}

fn ask_again(connection: &Connection, envelope_id: &str) -> Result<(), StoreError> {
    connection.execute_kept(
        "UPDATE outbox SET state = 'queued', next_try_ms = 0
         WHERE envelope_id = ?1 AND state = 'delivered' AND ciphertext IS NOT NULL",
        [envelope_id],
    )?;
    Ok(())
}
