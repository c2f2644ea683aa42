//! Who this terminal is (after enrolment), its series, and single facts that outlive a restart.
use domain::envelope::{KeyRing, PublicKey};
use domain::ids::{CounterState, Issuer, Lineage, ServerEpoch, StationId, TerminalId};
use domain::wire::v1::{Certified, EnrolResponse, SealingKeyEntry, SeriesNews};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::submit::audit;
use super::{Store, StoreError, catalogue_trust, sealing_keys};

/// What the server told this terminal at enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// This terminal.
    pub terminal: TerminalId,
    /// Where it stands.
    pub station: StationId,
    /// Issuer of its case numbers.
    pub issuer: Issuer,
    /// Keys that may sign receipts.
    pub receipt_keys: Vec<PublicKey>,
    /// Where data keys are wrapped to.
    pub sealing_key: SealingKeyEntry,
    /// Address of the people's pages, for QR codes.
    pub people_url: String,
    /// The certificate and the authority that is trusted; none if the terminal was enrolled over plain HTTP.
    #[serde(default)]
    pub certified: Option<Certified>,
    /// The public half of the device key that was enrolled; none in a store of before, until it is opened again.
    #[serde(default)]
    pub device_key: Option<PublicKey>,
}

impl Identity {
    /// The ring that verifies receipts.
    pub fn receipt_ring(&self) -> KeyRing {
        KeyRing::new(self.receipt_keys.iter().cloned())
    }

    /// Whether this is the key that was enrolled. A store of before says it by its certificate, and one that has none
    /// takes the key that lies there.
    pub(super) fn is_of(&self, key: &PublicKey) -> bool {
        match (&self.device_key, &self.certified) {
            (Some(enrolled), _) => enrolled == key,
            (None, Some(certified)) => {
                let named = key.to_spki();
                certified.certificate.0.windows(named.len()).any(|part| part == named)
            }
            (None, None) => true,
        }
    }
}

/// Notes the key of a terminal that was enrolled before its store kept it.
pub(super) fn note_key(connection: &Connection, key: &PublicKey) -> Result<(), StoreError> {
    match get::<Identity>(connection, "identity")? {
        Some(known) if known.device_key.is_none() => {
            put(connection, "identity", &Identity { device_key: Some(key.clone()), ..known })
        }
        _ => Ok(()),
    }
}

/// Starts a series in a new database.
pub(super) fn start_series(connection: &Connection, lineage: Lineage, now_ms: i64) -> Result<(), StoreError> {
    put(connection, "lineage", &lineage)?;
    put(connection, "next_seq", &1u64)?;
    put(connection, "created_ms", &now_ms)
}

/// Reads a single fact.
pub(super) fn get<T: DeserializeOwned>(
    connection: &Connection,
    key: &'static str,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    let text: Option<String> = statement.query_row([key], |r| r.get(0)).optional()?;
    text.map(|t| serde_json::from_str(&t).map_err(|_| StoreError::Value(key))).transpose()
}

/// Writes a single fact.
pub(super) fn put<T: Serialize>(
    connection: &Connection,
    key: &'static str,
    value: &T,
) -> Result<(), StoreError> {
    let text = serde_json::to_string(value).map_err(|_| StoreError::Value(key))?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )?;
    statement.execute((key, text))?;
    Ok(())
}

impl Store {
    /// Who this terminal is; `None` before enrolment.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn identity(&self) -> Result<Option<Identity>, StoreError> {
        get(&self.connection, "identity")
    }

    /// Keeps what the server answered to an enrolment: identity, number counter, epoch.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn save_enrolment(&mut self, answer: &EnrolResponse) -> Result<Identity, StoreError> {
        let identity = Identity {
            terminal: answer.terminal.clone(),
            station: answer.station.clone(),
            issuer: answer.issuer,
            receipt_keys: answer.receipt_keys.iter().map(|k| k.key.clone()).collect(),
            sealing_key: answer.sealing_key.clone(),
            people_url: answer.people_url.trim_end_matches('/').to_owned(),
            certified: answer.certified.clone(),
            device_key: Some(self.device_key.public()),
        };
        let tx = self.connection.transaction()?;
        put(&tx, "identity", &identity)?;
        put(&tx, "counter", &answer.last_counter)?;
        put(&tx, "server_epoch", &answer.contact.server_epoch)?;
        // It may be another centre, whose numbers begin anew.
        sealing_keys::forget(&tx)?;
        if answer.certified.is_some() {
            // Said over a link that was authenticated.
            catalogue_trust::note_authenticated(&tx, answer.contact.server_time_ms)?;
        }
        fail::fail_point!("terminal::enrol::before_commit", |_| Err(StoreError::Full));
        tx.commit()?;
        Ok(identity)
    }

    /// Keeps what a centre answered to a terminal that is enrolled: it had forgotten it and took it back, or has another
    /// authority now. Series, counter and rows go on. Only where the centre had to give it another issuer do its numbers
    /// begin anew, after that one's last.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses, or the terminal is not enrolled.
    pub fn save_return(&mut self, answer: &EnrolResponse) -> Result<Identity, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known: Identity = get(&tx, "identity")?.ok_or(StoreError::Value("identity"))?;
        if known.issuer != answer.issuer {
            put(&tx, "counter", &answer.last_counter)?;
        }
        let identity = Identity {
            station: answer.station.clone(),
            issuer: answer.issuer,
            certified: answer.certified.clone().or(known.certified.clone()),
            ..known
        };
        put(&tx, "identity", &identity)?;
        fail::fail_point!("terminal::return::before_commit", |_| Err(StoreError::Full));
        tx.commit()?;
        Ok(identity)
    }

    /// Keeps a renewed certificate.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses, or the terminal is not enrolled.
    pub fn keep_certificate(&mut self, certified: Certified) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let identity: Identity = get(&tx, "identity")?.ok_or(StoreError::Value("identity"))?;
        put(&tx, "identity", &Identity { certified: Some(certified), ..identity })?;
        Ok(tx.commit()?)
    }

    /// The series that this database writes.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn lineage(&self) -> Result<Lineage, StoreError> {
        get(&self.connection, "lineage")?.ok_or(StoreError::Value("lineage"))
    }

    /// Starts a new lineage if the server has more of this one than this store ever wrote: the store was restored
    /// from an older state, and the next places in the series are taken. True if it did.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn take_series_news(&mut self, news: &SeriesNews, now_ms: i64) -> Result<bool, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let own: Lineage = get(&tx, "lineage")?.ok_or(StoreError::Value("lineage"))?;
        let next_seq: u64 = get(&tx, "next_seq")?.ok_or(StoreError::Value("next_seq"))?;
        if news.lineage != own || news.highest_seq < next_seq {
            return Ok(false);
        }
        let lineage = Lineage::new(&mut self.random);
        put(&tx, "lineage", &lineage)?;
        put(&tx, "next_seq", &1u64)?;
        audit(&tx, now_ms, "new-lineage", &lineage.to_string(), None)?;
        tx.commit()?;
        Ok(true)
    }

    /// The server epoch seen last.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn server_epoch(&self) -> Result<Option<ServerEpoch>, StoreError> {
        get(&self.connection, "server_epoch")
    }

    /// Over what span the centre wanted contacts spread when it was heard last, milliseconds; 0 before.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn spread_ms(&self) -> Result<u64, StoreError> {
        Ok(get(&self.connection, "spread_ms")?.unwrap_or(0))
    }

    /// The cursor of the changes feed.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn cursor(&self) -> Result<u64, StoreError> {
        Ok(get(&self.connection, "cursor")?.unwrap_or(0))
    }

    /// The last number issued.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn counter(&self) -> Result<Option<CounterState>, StoreError> {
        get(&self.connection, "counter")
    }
}
