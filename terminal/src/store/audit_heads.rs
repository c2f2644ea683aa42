//! Ends of the centre's audit chain, as it signed them day by day: kept here, where nobody at the centre reaches them.
use std::path::Path;

use domain::envelope::{SignedDocument, SignedKind, VerifyError, verify_document};
use domain::wire::v1::AuditHead;
use rusqlite::{OptionalExtension as _, TransactionBehavior};

use super::identity::{self, Identity};
use super::statements::Kept as _;
use super::submit::audit;
use super::{Store, StoreError, open};

/// Heads that are kept: more than a year of days.
const MOST: i64 = 400;

/// A head that does not count.
#[derive(Debug, thiserror::Error)]
pub enum AuditHeadError {
    /// Its signature does not hold.
    #[error("the signature of the audit head does not hold")]
    Signature(#[source] VerifyError),
    /// It is something else.
    #[error("the audit head cannot be read")]
    Malformed,
    /// The centre signed two different ends for the same place.
    #[error("the centre signed two different audit chains: show both heads to whoever audits it")]
    TwoChains,
    /// The store refused.
    #[error("the audit head could not be stored")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for AuditHeadError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Store(e.into())
    }
}

impl Store {
    /// Verifies a head and keeps it; says whether it is new.
    ///
    /// # Errors
    /// [`AuditHeadError`]; what was kept is kept still.
    pub fn take_audit_head(
        &mut self,
        document: &SignedDocument,
        now_ms: i64,
    ) -> Result<bool, AuditHeadError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let identity: Identity = identity::get(&tx, "identity")?.ok_or(AuditHeadError::Malformed)?;
        let body = verify_document(SignedKind::AuditHead, document, &identity.receipt_ring())
            .map_err(AuditHeadError::Signature)?;
        let head: AuditHead = serde_json::from_slice(body).map_err(|_| AuditHeadError::Malformed)?;
        let seq = i64::try_from(head.seq).map_err(|_| AuditHeadError::Malformed)?;
        let (epoch, hash) = (head.epoch.to_string(), head.hash.to_string());
        let known: Option<String> = tx
            .row_kept("SELECT hash FROM audit_head WHERE epoch = ?1 AND seq = ?2", (&epoch, seq), |r| {
                r.get(0)
            })
            .optional()?;
        match known {
            Some(known) if known == hash => return Ok(false),
            Some(_) => {
                audit(&tx, now_ms, "two-chains", &epoch, Some(&head.hash))?;
                tx.commit()?;
                return Err(AuditHeadError::TwoChains);
            }
            None => {}
        }
        let text = serde_json::to_string(document).map_err(|_| StoreError::Value("audit head"))?;
        tx.execute_kept(
            "INSERT INTO audit_head (epoch, seq, hash, signed_ms, document) VALUES (?1, ?2, ?3, ?4, ?5)",
            (&epoch, seq, &hash, head.signed_at_ms, text),
        )?;
        tx.execute_kept(
            "DELETE FROM audit_head WHERE rowid NOT IN
             (SELECT rowid FROM audit_head ORDER BY signed_ms DESC, seq DESC LIMIT ?1)",
            [MOST],
        )?;
        tx.commit()?;
        Ok(true)
    }
}

/// The heads that a terminal keeps, newest first. Opens the database read-only.
///
/// # Errors
/// [`StoreError`] if there is no store or it cannot be read.
pub fn read_audit_heads(directory: &Path) -> Result<Vec<SignedDocument>, StoreError> {
    let connection = open::open_read_only(directory)?;
    let sql = "SELECT document FROM audit_head ORDER BY signed_ms DESC, seq DESC LIMIT ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let texts = statement.query_map([MOST], |r| r.get::<_, String>(0))?;
    texts.map(|t| serde_json::from_str(&t?).map_err(|_| StoreError::Value("audit head"))).collect()
}
