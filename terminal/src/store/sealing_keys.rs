//! The keys to which this terminal seals, as the centre offers them. A list counts once its signature was checked with a
//! key of the enrolment; the newest number stays. What is sealed already is never sealed anew.
use domain::envelope::{SignedDocument, SignedKind, Suite, verify_document};
use domain::wire::v1::{SealingKeyEntry, SealingKeyList};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::identity::{get, put};
use super::orders::OrderError;
use super::statements::Kept as _;
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

/// Forgets the list: the terminal is enrolled anew, and the first list of that centre counts whatever its number is.
pub(super) fn forget(tx: &Transaction<'_>) -> Result<(), StoreError> {
    tx.execute_kept("DELETE FROM meta WHERE key = ?1", [KEYS])?;
    Ok(())
}

fn kept(connection: &Connection) -> Result<Option<SealingKeyList>, StoreError> {
    get(connection, KEYS)
}

#[cfg(test)]
mod tests {
    use domain::envelope::{DeviceKey, SealingKey, VerifyError, sign_document};

    use super::super::orders::tests::{centre, enrolment, store};
    use super::*;

    fn list(number: u64, suite: Suite, bytes: &[(Suite, u8)]) -> SealingKeyList {
        let keys = bytes.iter().map(|(suite, byte)| {
            let key = SealingKey::from_secret(*suite, [*byte; 32]).expect("a key").public();
            SealingKeyEntry { id: key.key_id(), suite: *suite, key }
        });
        SealingKeyList { number, issued_ms: 0, suite, keys: keys.collect() }
    }

    fn signed(kind: SignedKind, list: &SealingKeyList, key: &DeviceKey) -> SignedDocument {
        sign_document(kind, serde_json::to_vec(list).expect("JSON"), key)
    }

    fn offered(store: &mut Store, suite: Suite) -> Option<SealingKeyEntry> {
        let tx = store.connection.transaction().expect("begun");
        let identity: Identity = get(&tx, "identity").expect("read").expect("enrolled");
        key_of(&tx, &identity, suite).expect("read")
    }

    #[test]
    fn only_a_newer_list_of_the_centre_that_agrees_with_itself_counts() {
        let (_folder, mut store) = store();
        let first = offered(&mut store, Suite::One).expect("that of the enrolment");
        assert_eq!((offered(&mut store, Suite::Two), store.sealing_suite().ok()), (None, Some(Suite::One)));
        let newest = list(5, Suite::Two, &[(Suite::One, 3), (Suite::Two, 4)]);
        assert!(
            store.take_sealing_keys(&signed(SignedKind::SealingKeys, &newest, &centre())).expect("taken")
        );
        assert_eq!(offered(&mut store, Suite::Two), newest.of_suite(Suite::Two).cloned());
        assert_eq!(offered(&mut store, Suite::One), newest.of_suite(Suite::One).cloned());

        let other = list(6, Suite::One, &[(Suite::One, 9)]);
        let stranger = DeviceKey::from_seed([13; 32]);
        let refused = store.take_sealing_keys(&signed(SignedKind::SealingKeys, &other, &stranger));
        assert!(matches!(refused, Err(OrderError::Signature(VerifyError::UnknownKey))), "{refused:?}");
        let refused = store.take_sealing_keys(&signed(SignedKind::Order, &other, &centre()));
        assert!(matches!(refused, Err(OrderError::Signature(VerifyError::Mismatch))), "{refused:?}");
        let keyless = list(6, Suite::Two, &[(Suite::One, 9)]);
        let refused = store.take_sealing_keys(&signed(SignedKind::SealingKeys, &keyless, &centre()));
        assert!(matches!(refused, Err(OrderError::Mismatch)), "{refused:?}");
        for number in [5, 4, 0] {
            let old = SealingKeyList { number, ..other.clone() };
            let taken = store.take_sealing_keys(&signed(SignedKind::SealingKeys, &old, &centre()));
            assert!(!taken.expect("no news"), "{number}");
        }
        assert_eq!(
            (store.sealing_keys_number().ok(), store.sealing_suite().ok()),
            (Some(5), Some(Suite::Two))
        );

        store.save_enrolment(&enrolment()).expect("enrolled anew");
        assert_eq!(
            (store.sealing_keys_number().ok(), offered(&mut store, Suite::One)),
            (Some(0), Some(first))
        );
    }
}
