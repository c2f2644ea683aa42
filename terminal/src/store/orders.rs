//! What the centre orders this terminal, and what this terminal says of itself in a heartbeat.
//!
//! An order counts once its signature was checked with a key of the enrolment; the newest number stays. Kept as single
//! facts; no personal data.
use domain::envelope::{SignedDocument, SignedKind, VerifyError, sign_document, verify_document};
use domain::wire::v1::{
    ActivationFailure, DeviceReport, FailureKind, Heartbeat, MAX_FAILURES, Order, WithdrawnItem,
};
use rusqlite::TransactionBehavior;

use super::identity::{get, put};
use super::{Identity, Store, StoreError, aside, catalogue_trust, space};

const ORDER: &str = "order";
const RUNNING: &str = "catalogue_running";
const FAILURES: &str = "activation_failures";
const NUMBER: &str = "heartbeat_number";
const OFFSET: &str = "server_offset_ms";

/// An order that does not count.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Its signature does not hold.
    #[error("the order's signature does not hold")]
    Signature(#[source] VerifyError),
    /// It is no order, or not for this terminal.
    #[error("the order is not for this terminal")]
    Mismatch,
    /// The store refused.
    #[error("the order could not be stored")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for OrderError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Store(e.into())
    }
}

/// What is told at once, and not only from time to time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activations {
    /// The catalogue version in force; 0 if there is none.
    pub running: u64,
    /// Versions that could not be put into force.
    pub failures: Vec<ActivationFailure>,
}

impl Store {
    /// Verifies an order and keeps it if it is newer than the one that is kept; says whether it is.
    ///
    /// # Errors
    /// [`OrderError`]; the order that was kept is kept still.
    pub fn take_order(&mut self, document: &SignedDocument) -> Result<bool, OrderError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let identity: Identity = get(&tx, "identity")?.ok_or(OrderError::Mismatch)?;
        let body = verify_document(SignedKind::Order, document, &identity.receipt_ring())
            .map_err(OrderError::Signature)?;
        let order: Order = serde_json::from_slice(body).map_err(|_| OrderError::Mismatch)?;
        if order.terminal != identity.terminal {
            return Err(OrderError::Mismatch);
        }
        if get::<Order>(&tx, ORDER)?.is_some_and(|kept| kept.number >= order.number) {
            return Ok(false);
        }
        put(&tx, ORDER, &order)?;
        catalogue_trust::note_authenticated(&tx, order.issued_ms)?;
        tx.commit()?;
        tracing::info!(order.number = order.number, order.run = order.run, "an order of the centre is kept");
        Ok(true)
    }

    /// The newest order; none before the first.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses; so do all below.
    pub fn order(&self) -> Result<Option<Order>, StoreError> {
        get(&self.connection, ORDER)
    }

    /// The highest catalogue version that this terminal may take: what was ordered, or any while nothing was.
    ///
    /// # Errors
    /// As [`Store::order`].
    pub fn catalogue_limit(&self) -> Result<u64, StoreError> {
        Ok(self.order()?.and_then(|order| order.run).unwrap_or(u64::MAX))
    }

    /// Items and bundles that nobody may begin, whatever the catalogue says.
    ///
    /// # Errors
    /// As [`Store::order`].
    pub fn withdrawn_items(&self) -> Result<Vec<WithdrawnItem>, StoreError> {
        Ok(self.order()?.map(|order| order.withdrawn).unwrap_or_default())
    }

    /// Notes the version that is in force now.
    ///
    /// # Errors
    /// As [`Store::order`].
    pub fn note_running_catalogue(&mut self, version: u64) -> Result<(), StoreError> {
        if get::<u64>(&self.connection, RUNNING)? == Some(version) {
            return Ok(());
        }
        put(&self.connection, RUNNING, &version)
    }

    /// Notes that a version could not be put into force, once more.
    ///
    /// # Errors
    /// As [`Store::order`].
    pub fn note_activation_failure(&mut self, version: u64, kind: FailureKind) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut failures: Vec<ActivationFailure> = get(&tx, FAILURES)?.unwrap_or_default();
        let before = failures.iter().position(|f| f.version == version).map(|at| failures.remove(at));
        let tries = before.map_or(0, |f| f.tries).saturating_add(1);
        failures.insert(0, ActivationFailure { version, kind, tries });
        failures.truncate(MAX_FAILURES);
        put(&tx, FAILURES, &failures)?;
        Ok(tx.commit()?)
    }

    /// What is in force, and what could not be; versions that were overtaken are left out.
    ///
    /// # Errors
    /// As [`Store::order`].
    pub fn activations(&self) -> Result<Activations, StoreError> {
        let running = get(&self.connection, RUNNING)?.unwrap_or(0);
        let mut failures: Vec<ActivationFailure> = get(&self.connection, FAILURES)?.unwrap_or_default();
        failures.retain(|f| f.version > running);
        Ok(Activations { running, failures })
    }

    /// The next heartbeat, signed; none before enrolment. Its number rises with each, and is at least the time, so that
    /// a store that was restored is heard again.
    ///
    /// # Errors
    /// As [`Store::order`].
    pub fn heartbeat(
        &mut self,
        now_ms: i64,
        devices: Vec<DeviceReport>,
    ) -> Result<Option<SignedDocument>, StoreError> {
        let Some(identity) = self.identity()? else { return Ok(None) };
        let time = u64::try_from(now_ms).unwrap_or(0);
        let number = get::<u64>(&self.connection, NUMBER)?.unwrap_or(0).saturating_add(1).max(time);
        put(&self.connection, NUMBER, &number)?;
        let Activations { running, failures } = self.activations()?;
        let queue = self.queue_view()?;
        let heartbeat = Heartbeat {
            terminal: identity.terminal,
            number,
            catalogue: running,
            failures,
            order: self.order()?.map_or(0, |order| order.number),
            sealing_keys: self.sealing_keys_number()?,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            queued: queue.waiting,
            oldest_ms: queue.oldest_ms,
            parked: queue.parked,
            disk_free: disk_free(self.directory()),
            disk_percent: space::used_percent(self.directory()),
            aside: Some(aside::count_aside(self.directory()) as u64).filter(|n| *n > 0),
            clock_offset_ms: get(&self.connection, OFFSET)?,
            devices,
        };
        let body = serde_json::to_vec(&heartbeat).map_err(|_| StoreError::Value("heartbeat"))?;
        Ok(Some(sign_document(SignedKind::Heartbeat, body, self.device_key())))
    }
}

/// Bytes that are free where the store lies, if the system says so.
fn disk_free(directory: &std::path::Path) -> Option<u64> {
    let room = rustix::fs::statvfs(directory).ok()?;
    Some(room.f_bavail.saturating_mul(room.f_frsize))
}

#[cfg(test)]
pub(super) mod tests {
    use domain::envelope::{DeviceKey, SealingKey, Suite};
    use domain::ids::{CounterState, Issuer, ServerEpoch};
    use domain::wire::v1::{Contact, EnrolResponse, ReceiptKey, SealingKeyEntry};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    const NOW_MS: i64 = 1_795_500_000_000;

    pub(in crate::store) fn centre() -> DeviceKey {
        DeviceKey::from_seed([11; 32])
    }

    pub(in crate::store) fn enrolment() -> EnrolResponse {
        let sealing = SealingKey::from_seed([12; 32]).public();
        EnrolResponse {
            terminal: "T-01".parse().expect("id"),
            station: "XN-CCB-CD-01".parse().expect("id"),
            issuer: Issuer::new(1).expect("issuer"),
            last_counter: CounterState { date: "2026-11-01".parse().expect("date"), counter: 0 },
            receipt_keys: vec![ReceiptKey { id: centre().public().key_id(), key: centre().public() }],
            sealing_key: SealingKeyEntry { id: sealing.key_id(), suite: Suite::One, key: sealing },
            people_url: "http://127.0.0.1:1".to_owned(),
            certified: None,
            order: None,
            sealing_keys: None,
            contact: Contact {
                server_epoch: ServerEpoch::new(&mut ChaCha20Rng::seed_from_u64(1)),
                server_time_ms: NOW_MS,
                durable_upto: None,
                spread_ms: 0,
                retry_after_ms: None,
            },
        }
    }

    pub(in crate::store) fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(folder.path(), NOW_MS).expect("open");
        store.save_enrolment(&enrolment()).expect("enrolled");
        (folder, store)
    }

    fn order(number: u64, run: u64) -> Order {
        let withdrawn = WithdrawnItem {
            item: "hrss.flex-enroll".parse().expect("code"),
            reason: "系统升级".to_owned(),
            since_ms: NOW_MS,
        };
        Order {
            terminal: "T-01".parse().expect("id"),
            number,
            issued_ms: NOW_MS,
            run: Some(run),
            withdrawn: vec![withdrawn],
        }
    }

    fn signed(order: &Order, key: &DeviceKey) -> SignedDocument {
        sign_document(SignedKind::Order, serde_json::to_vec(order).expect("JSON"), key)
    }

    #[test]
    fn only_a_newer_order_of_the_centre_for_this_terminal_counts() {
        let (_folder, mut store) = store();
        assert_eq!(store.catalogue_limit().ok(), Some(u64::MAX), "nothing is ordered yet");
        assert!(store.take_order(&signed(&order(5, 7), &centre())).expect("taken"));
        let stranger = DeviceKey::from_seed([13; 32]);
        let own = store.device_key().clone();
        for key in [stranger, own] {
            let refused = store.take_order(&signed(&order(6, 9), &key));
            assert!(matches!(refused, Err(OrderError::Signature(VerifyError::UnknownKey))), "{refused:?}");
        }
        let mut bent = signed(&order(6, 9), &centre());
        bent.body.0[20] ^= 1;
        assert!(matches!(store.take_order(&bent), Err(OrderError::Signature(VerifyError::Mismatch))));
        let receipt =
            sign_document(SignedKind::Receipt, serde_json::to_vec(&order(6, 9)).expect("JSON"), &centre());
        assert!(matches!(store.take_order(&receipt), Err(OrderError::Signature(_))), "another label");
        let other = Order { terminal: "T-02".parse().expect("id"), ..order(6, 9) };
        assert!(matches!(store.take_order(&signed(&other, &centre())), Err(OrderError::Mismatch)));
        for old in [5, 4, 0] {
            assert!(!store.take_order(&signed(&order(old, 9), &centre())).expect("no news"), "{old}");
        }
        assert_eq!(store.order().ok().flatten(), Some(order(5, 7)));
        assert_eq!(store.withdrawn_items().map(|w| w.len()).ok(), Some(1));
        // The centre may lead back: what it may not do is to make a terminal go below what is in force.
        assert!(store.take_order(&signed(&order(6, 3), &centre())).expect("taken"));
        assert_eq!(store.catalogue_limit().ok(), Some(3));
    }

    #[test]
    fn failures_are_counted_until_they_are_overtaken() {
        let (_folder, mut store) = store();
        for version in [3, 4, 4] {
            store.note_activation_failure(version, FailureKind::NotUnderstood).expect("noted");
        }
        store.note_running_catalogue(2).expect("noted");
        let failed = store.activations().expect("read").failures;
        let told: Vec<_> = failed.iter().map(|f| (f.version, f.tries)).collect();
        assert_eq!(told, [(4, 2), (3, 1)]);
        store.note_running_catalogue(4).expect("noted");
        assert_eq!(store.activations().expect("read"), Activations { running: 4, failures: vec![] });
        for version in 10..30 {
            store.note_activation_failure(version, FailureKind::Damaged).expect("noted");
        }
        assert_eq!(store.activations().expect("read").failures.len(), MAX_FAILURES);
    }

    #[test]
    fn numbers_of_heartbeats_rise_whatever_the_clock_says() {
        let (_folder, mut store) = store();
        let mut last = 0;
        for now_ms in [NOW_MS, NOW_MS, NOW_MS - 86_400_000, 0, NOW_MS + 1] {
            let document = store.heartbeat(now_ms, Vec::new()).expect("read").expect("enrolled");
            let heartbeat: Heartbeat = serde_json::from_slice(&document.body.0).expect("JSON");
            assert!(heartbeat.number > last, "{}", heartbeat.number);
            assert!(heartbeat.disk_free.is_some_and(|bytes| bytes > 0));
            last = heartbeat.number;
        }
    }
}
