//! 目录 at the centre: every version is kept for ever; forms are validated against exactly the version named.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::catalogue::{Catalogue, CatalogueDocument};
use domain::form::Form;
use domain::ids::{ItemCode, StationId};
use domain::wire::v1::ChangeNews;

use super::editing::candidate;
use super::{audit, changes, item_history};
use crate::error::ServiceError;
use crate::store::{StoreError, Tx};

/// Versions kept in memory, at most; older ones are read again when they are needed.
const VERSIONS_IN_MEMORY: usize = 4;

/// A catalogue could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The same version is stored with another content.
    #[error(
        "catalogue version {version} is stored already with another content: a published version never changes; \
         raise `version` in the catalogue's files"
    )]
    Changed {
        /// The version.
        version: u64,
    },
    /// Two stations share a number, or one took the number of a station that has left.
    #[error("station {station} has the number of another station that is or was there: give it a new one")]
    StationNumber {
        /// The station.
        station: StationId,
    },
    /// The store failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores a version if it is new, brings the stations up to date and announces it; says whether it was new.
///
/// # Errors
/// [`PublishError`]; nothing is changed then.
pub fn publish(tx: &mut Tx<'_>, now_ms: i64, catalogue: &Catalogue) -> Result<bool, PublishError> {
    let document = catalogue.to_document();
    let newest = newest_version(tx)?.is_none_or(|v| document.version > v);
    if !store(tx, now_ms, &document)? {
        return Ok(false);
    }
    let credits = candidate::published(tx, now_ms, &document)?;
    item_history::note(tx, now_ms, catalogue, &credits)?;
    if newest {
        for station in catalogue.stations.values() {
            tx.execute(
                "INSERT INTO station (id, number, name, district, catalogue_version) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (id) DO UPDATE SET number = $2, name = $3, district = $4, catalogue_version = $5",
                &[
                    station.id.as_str().into(),
                    i64::from(station.number).into(),
                    station.name.zh.as_str().into(),
                    station.district.zh.as_str().into(),
                    document.version.into(),
                ],
            )
            .map_err(|e| match e {
                StoreError::Constraint(_) => PublishError::StationNumber { station: station.id.clone() },
                other => other.into(),
            })?;
        }
        let news = ChangeNews::Catalogue { version: document.version, digest: document.digest };
        changes::announce(tx, None, &news)?;
    }
    Ok(true)
}

/// Stores a version that nobody runs yet: it changes no station and is no news. Says whether it was new.
///
/// # Errors
/// [`PublishError::Changed`] if it is stored with another content, or the store's.
pub fn store(tx: &mut Tx<'_>, now_ms: i64, document: &CatalogueDocument) -> Result<bool, PublishError> {
    let (version, digest) = (document.version, document.digest.to_string());
    let known = tx.query_first("SELECT digest FROM catalogue WHERE version = $1", &[version.into()])?;
    if let Some(row) = known {
        let same = row.text(0)? == digest;
        return if same { Ok(false) } else { Err(PublishError::Changed { version }) };
    }
    tx.execute(
        "INSERT INTO catalogue (version, digest, document, stored_at_ms) VALUES ($1, $2, $3, $4)",
        &[version.into(), digest.clone().into(), document.json.as_str().into(), now_ms.into()],
    )?;
    let event = audit::Event {
        actor: "centre",
        event: "catalogue.stored",
        subject: &version.to_string(),
        object_digest: &digest,
    };
    audit::append(tx, now_ms, event)?;
    Ok(true)
}

/// The highest version that is stored. A way back counts once it is used: until then its content is the older one.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn newest_version(tx: &mut Tx<'_>) -> Result<Option<u64>, StoreError> {
    let row = tx.query_first(
        "SELECT version FROM catalogue WHERE version NOT IN
             (SELECT way_back FROM rollout WHERE way_back IS NOT NULL AND state <> 'rolled_back')
         ORDER BY version DESC LIMIT 1",
        &[],
    )?;
    row.map(|r| r.uint(0)).transpose()
}

/// A version in memory, with the forms that were compiled so far.
pub struct Volume {
    /// The catalogue.
    pub catalogue: Catalogue,
    forms: Mutex<BTreeMap<ItemCode, Arc<Form>>>,
}

impl Volume {
    /// A catalogue whose forms are compiled when they are asked for.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        Self { catalogue, forms: Mutex::default() }
    }

    /// The compiled form of an item or bundle.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if a stored form does not compile, which the loader rules out.
    pub fn form(&self, code: &ItemCode) -> Result<Option<Arc<Form>>, ServiceError> {
        if let Some(form) = self.forms.lock().unwrap_or_else(PoisonError::into_inner).get(code) {
            return Ok(Some(form.clone()));
        }
        let Some(entry) = self.catalogue.entry(code) else { return Ok(None) };
        let form = Form::compile(entry.form()).map_err(|e| {
            ServiceError::Inconsistent(format!("the stored form of {code} does not compile: {e}"))
        })?;
        let form = Arc::new(form);
        self.forms.lock().unwrap_or_else(PoisonError::into_inner).insert(code.clone(), form.clone());
        Ok(Some(form))
    }
}

/// Catalogue versions in memory.
#[derive(Default, Clone)]
pub struct Shelf(Arc<Mutex<BTreeMap<u64, Arc<Volume>>>>);

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf(..)")
    }
}

impl Shelf {
    /// A version, from memory or from the store.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails or its document cannot be read.
    pub fn get(&self, tx: &mut Tx<'_>, version: u64) -> Result<Option<Arc<Volume>>, ServiceError> {
        if let Some(volume) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&version) {
            return Ok(Some(volume.clone()));
        }
        let sql = "SELECT document FROM catalogue WHERE version = $1";
        let Some(row) = tx.query_first(sql, &[version.into()])? else { return Ok(None) };
        let catalogue = Catalogue::from_document(row.text(0)?).map_err(|errors| {
            let first = errors.first().map(ToString::to_string).unwrap_or_default();
            ServiceError::Inconsistent(format!("stored catalogue {version} cannot be read: {first}"))
        })?;
        Ok(Some(self.put(catalogue)))
    }

    /// The newest version.
    ///
    /// # Errors
    /// As [`Shelf::get`].
    pub fn newest(&self, tx: &mut Tx<'_>) -> Result<Option<Arc<Volume>>, ServiceError> {
        match newest_version(tx)? {
            Some(version) => self.get(tx, version),
            None => Ok(None),
        }
    }

    /// Puts a version that was just read from its files onto the shelf.
    pub fn put(&self, catalogue: Catalogue) -> Arc<Volume> {
        let version = catalogue.version;
        let volume = Arc::new(Volume::new(catalogue));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(version, volume.clone());
        while kept.len() > VERSIONS_IN_MEMORY {
            // The lowest goes; if that is the one just read, it is handed out and not kept.
            kept.pop_first();
        }
        volume
    }
}
