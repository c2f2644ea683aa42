//! What this terminal knows of the centre's signed catalogues: the metadata that it verified last, when the centre
//! last confirmed it, and what went wrong since.
//!
//! Kept as single facts, so that they change in one transaction with what depends on them. Times are the centre's own
//! signed words, never this machine's clock.
use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

use super::identity::{get, put};
use super::{Store, StoreError};

const TRUST: &str = "catalogue_trust";
const STANDING: &str = "catalogue_standing";
/// Name of the fact that holds the centre's last word on the time.
pub(super) const AUTHENTICATED: &str = "authenticated_ms";
/// Characters of a trouble that are kept.
const TROUBLE_CHARS: usize = 200;

/// Verified metadata, JSON texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueTrust {
    /// The newest root; the first one came with the enrolment or a technician.
    pub root: String,
    /// The newest timestamp; it and the following are missing before the first look.
    #[serde(default)]
    pub timestamp: Option<String>,
    /// The newest snapshot.
    #[serde(default)]
    pub snapshot: Option<String>,
    /// The newest list of catalogue versions.
    #[serde(default)]
    pub targets: Option<String>,
}

impl CatalogueTrust {
    /// Trust in a root, before the first look.
    pub fn in_root(root: String) -> Self {
        Self { root, timestamp: None, snapshot: None, targets: None }
    }
}

/// How current the catalogue is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CatalogueStanding {
    /// When the centre signed, as far as is known here, that the catalogue is the newest; milliseconds since 1970.
    #[serde(default)]
    pub confirmed_ms: Option<i64>,
    /// Why it could not be confirmed since.
    #[serde(default)]
    pub trouble: Option<String>,
    /// The first time that this went wrong, by this machine's clock; milliseconds since 1970.
    #[serde(default)]
    pub trouble_since_ms: Option<i64>,
}

impl Store {
    /// What was verified last; none while no root is known.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn catalogue_trust(&self) -> Result<Option<CatalogueTrust>, StoreError> {
        get(&self.connection, TRUST)
    }

    /// Trusts a root from now on, unless one is trusted already; says whether it does.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn begin_catalogue_trust(&mut self, root: &str) -> Result<bool, StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if get::<CatalogueTrust>(&tx, TRUST)?.is_some() {
            return Ok(false);
        }
        put(&tx, TRUST, &CatalogueTrust::in_root(root.to_owned()))?;
        tx.commit()?;
        Ok(true)
    }

    /// Keeps what a look verified: older metadata is refused from now on.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn keep_catalogue_trust(
        &mut self,
        trust: &CatalogueTrust,
        confirmed_ms: i64,
    ) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        put(&tx, TRUST, trust)?;
        let mut standing: CatalogueStanding = get(&tx, STANDING)?.unwrap_or_default();
        standing.confirmed_ms = Some(confirmed_ms);
        put(&tx, STANDING, &standing)?;
        tx.commit()?;
        Ok(())
    }

    /// The last time that the centre put its name to; milliseconds since 1970.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn authenticated_ms(&self) -> Result<Option<i64>, StoreError> {
        get(&self.connection, AUTHENTICATED)
    }

    /// Notes a time of the centre that is known to be its own; receipts note theirs by themselves.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn note_authenticated_time(&mut self, at_ms: i64) -> Result<(), StoreError> {
        note_authenticated(&self.connection, at_ms)
    }

    /// How current the catalogue is.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn catalogue_standing(&self) -> Result<CatalogueStanding, StoreError> {
        standing(&self.connection)
    }

    /// Notes why the catalogue could not be confirmed or renewed; the first time of the same trouble stays.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn note_catalogue_trouble(&mut self, trouble: &str, now_ms: i64) -> Result<(), StoreError> {
        let trouble: String = trouble.chars().filter(|c| !c.is_control()).take(TROUBLE_CHARS).collect();
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut standing: CatalogueStanding = get(&tx, STANDING)?.unwrap_or_default();
        if standing.trouble.as_deref() != Some(trouble.as_str()) {
            standing.trouble = Some(trouble);
            standing.trouble_since_ms = Some(now_ms);
            put(&tx, STANDING, &standing)?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Forgets a trouble that is over.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn end_catalogue_trouble(&mut self) -> Result<(), StoreError> {
        clear_trouble(&self.connection)
    }
}

/// Whether a root is trusted.
pub(super) fn is_there(connection: &Connection) -> Result<bool, StoreError> {
    Ok(get::<CatalogueTrust>(connection, TRUST)?.is_some())
}

/// How current the catalogue is.
pub(super) fn standing(connection: &Connection) -> Result<CatalogueStanding, StoreError> {
    Ok(get(connection, STANDING)?.unwrap_or_default())
}

/// Forgets a trouble, within the transaction that ended it.
pub(super) fn clear_trouble(connection: &Connection) -> Result<(), StoreError> {
    match get::<CatalogueStanding>(connection, STANDING)? {
        Some(CatalogueStanding { confirmed_ms, trouble: Some(_), .. }) => {
            put(connection, STANDING, &CatalogueStanding { confirmed_ms, ..CatalogueStanding::default() })
        }
        _ => Ok(()),
    }
}

/// Notes the time of a statement of the centre whose signature was checked. The last word counts, not the latest: a
/// centre whose clock was mended contradicts itself, and is right.
pub(super) fn note_authenticated(connection: &Connection, at_ms: i64) -> Result<(), StoreError> {
    put(connection, AUTHENTICATED, &at_ms)
}
