//! The keys to which this terminal seals, as the centre offers them. A list counts once its signature was checked with a
//! key of the enrolment; the newest number stays. What is sealed already is never sealed anew.
use domain::envelope::{SignedDocument, SignedKind, Suite, verify_document};
use domain::wire::v1::{SealingKeyEntry, SealingKeyList};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::identity::{get, put};
use super::orders::OrderError;
use super::{Identity, Store, StoreError};

const KEYS: &str = "sealing_keys";

impl Store {
    /// Verifies a list and keeps it if it is newer than the one that is kept; says whether it is.
    ///
    /// # Errors
    /// [`OrderError`]; the list that was kept is kept still.
    pub fn take_sealing_keys(&mut self, document: &SignedDocument) -> Result<bool, OrderError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let identity: Identity = get(&tx, "identity")?.ok_or(OrderError::Mismatch)?;
        let body = verify_document(SignedKind::SealingKeys, document, &identity.receipt_ring())
            .map_err(OrderError::Signature)?;
        let list: SealingKeyList = serde_json::from_slice(body).map_err(|_| OrderError::Mismatch)?;
        if !list.is_consistent() {
            return Err(OrderError::Mismatch);
        }
        if kept(&tx)?.is_some_and(|kept| kept.number >= list.number) {
            return Ok(false);
        }
        put(&tx, KEYS, &list)?;
        tx.commit()?;
        tracing::info!(
            keys.number = list.number,
            keys.suite = u8::from(list.suite),
            "new sealing keys are kept"
        );
        Ok(true)
    }

    /// Number of the list that is kept; 0 if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn sealing_keys_number(&self) -> Result<u64, StoreError> {
        Ok(kept(&self.connection)?.map_or(0, |list| list.number))
    }

    /// The suite of a form that is begun now: what the centre chose, or the first while nothing was heard.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn sealing_suite(&self) -> Result<Suite, StoreError> {
        Ok(kept(&self.connection)?.map_or(Suite::One, |list| list.suite))
    }
}

/// The key to which a form of this suite is sealed now; none if the centre offers none.
pub(super) fn key_of(
    tx: &Transaction<'_>,
    identity: &Identity,
    suite: Suite,
) -> Result<Option<SealingKeyEntry>, StoreError> {
    Ok(match kept(tx)? {
        Some(list) => list.of_suite(suite).cloned(),
        None => Some(&identity.sealing_key).filter(|key| key.suite == suite).cloned(),
    })
}

fn kept(connection: &Connection) -> Result<Option<SealingKeyList>, StoreError> {
    get(connection, KEYS)
}
