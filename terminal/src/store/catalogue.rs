//! Catalogue versions: the newest sound one is in force. Kept beside it are the one before and each that is needed to
//! go on with something that was begun; a submission on its way names its version only, the centre has them all.
use domain::catalogue::CatalogueDocument;
use domain::envelope::Digest;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::statements::Kept as _;
use super::submit::audit;
use super::{Store, StoreError, catalogue_trust};

impl Store {
    /// Keeps a version that came with the program. The same version with the same digest is kept once.
    ///
    /// # Errors
    /// [`StoreError::Value`] if the version is there with another digest: a published version never changes.
    pub fn keep_catalogue(&mut self, document: &CatalogueDocument, now_ms: i64) -> Result<(), StoreError> {
        let tx = self.connection.transaction()?;
        if insert(&tx, document, now_ms)? {
            tx.commit()?;
        }
        Ok(())
    }

    /// Puts a verified version in force, in one transaction; the one before stays, for forms begun with it.
    ///
    /// # Errors
    /// As [`Store::keep_catalogue`]; what was in force is still in force then.
    pub fn activate_catalogue(
        &mut self,
        document: &CatalogueDocument,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert(&tx, document, now_ms)?;
        catalogue_trust::clear_trouble(&tx)?;
        let version = document.version.to_string();
        audit(&tx, now_ms, "catalogue-activated", &version, Some(&document.digest))?;
        fail::fail_point!("terminal::catalogue::before_commit", |_| Err(StoreError::Full));
        tx.commit()?;
        fail::fail_point!("terminal::catalogue::after_commit");
        Ok(())
    }

    /// The newest version whose text is the one that was kept: a damaged one is passed over and told in the log.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses, or no version is sound although there are some.
    pub fn newest_catalogue(&self) -> Result<Option<CatalogueDocument>, StoreError> {
        let mut versions =
            self.connection.prepare_cached("SELECT version FROM catalogue ORDER BY version DESC")?;
        let mut damaged = false;
        for version in versions.query_map([], |r| r.get::<_, i64>(0))? {
            match self.catalogue_version(version?)? {
                Some(document) if Digest::of(document.json.as_bytes()) == document.digest => {
                    return Ok(Some(document));
                }
                found => {
                    let version = found.map_or(0, |d| d.version);
                    tracing::error!(
                        catalogue.version = version,
                        "a kept catalogue is damaged; an older one serves"
                    );
                    damaged = true;
                }
            }
        }
        if damaged { Err(StoreError::Value("catalogue")) } else { Ok(None) }
    }

    /// A kept version, if its text is the one that was kept.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn kept_catalogue(&self, version: u64) -> Result<Option<CatalogueDocument>, StoreError> {
        let Ok(version) = i64::try_from(version) else { return Ok(None) };
        let sound = |d: &CatalogueDocument| Digest::of(d.json.as_bytes()) == d.digest;
        Ok(self.catalogue_version(version)?.filter(sound))
    }

    /// Removes the versions that nobody needs any more: all but the newest two sound ones, those above them, those
    /// that a draft names, and those that are `in_use`. Says how many went.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn sweep_catalogues(&mut self, in_use: &[u64]) -> Result<usize, StoreError> {
        let (mut sound, mut removed) = (0, 0);
        let versions = self.catalogue_versions()?;
        for version in versions.iter().copied().filter(|_| versions.len() > 2) {
            let wanted = sound < 2 || in_use.contains(&version) || self.has_draft_of(version)?;
            if sound < 2 && self.kept_catalogue(version)?.is_some() {
                sound += 1;
            }
            if !wanted {
                let number = i64::try_from(version).map_err(|_| StoreError::Value("catalogue version"))?;
                removed +=
                    self.connection.execute_kept("DELETE FROM catalogue WHERE version = ?1", [number])?;
            }
        }
        Ok(removed)
    }

    /// All kept versions, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn catalogue_versions(&self) -> Result<Vec<u64>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT version FROM catalogue ORDER BY version DESC")?;
        let rows = statement.query_map([], |r| r.get::<_, i64>(0))?;
        rows.map(|row| u64::try_from(row?).map_err(|_| StoreError::Value("catalogue version"))).collect()
    }

    fn has_draft_of(&self, version: u64) -> Result<bool, StoreError> {
        let version = i64::try_from(version).map_err(|_| StoreError::Value("catalogue version"))?;
        let mut statement =
            self.connection.prepare_cached("SELECT 1 FROM draft WHERE catalogue_version = ?1 LIMIT 1")?;
        Ok(statement.exists([version])?)
    }

    fn catalogue_version(&self, version: i64) -> Result<Option<CatalogueDocument>, StoreError> {
        let row: Option<(String, String)> = self
            .connection
            .row_kept("SELECT digest, json FROM catalogue WHERE version = ?1", [version], |r| {
                Ok((r.get(0)?, r.get(1)?))
            })
            .optional()?;
        let Some((digest, json)) = row else { return Ok(None) };
        Ok(Some(CatalogueDocument {
            version: u64::try_from(version).map_err(|_| StoreError::Value("catalogue version"))?,
            digest: digest.parse().map_err(|_| StoreError::Value("catalogue digest"))?,
            json,
        }))
    }
}

/// Adds a version; false if it is there already and sound.
fn insert(tx: &Connection, document: &CatalogueDocument, now_ms: i64) -> Result<bool, StoreError> {
    let version = i64::try_from(document.version).map_err(|_| StoreError::Value("catalogue version"))?;
    let known: Option<String> =
        tx.row_kept("SELECT digest FROM catalogue WHERE version = ?1", [version], |r| r.get(0)).optional()?;
    match known {
        // A text that rotted is mended by the one that its digest names.
        Some(d) if d == document.digest.to_string() => {
            let mended = tx.execute_kept(
                "UPDATE catalogue SET json = ?2 WHERE version = ?1 AND json <> ?2",
                (version, &document.json),
            )?;
            return Ok(mended > 0);
        }
        Some(_) => return Err(StoreError::Value("catalogue version (published with another digest)")),
        None => tx.execute_kept(
            "INSERT INTO catalogue (version, digest, json, kept_ms) VALUES (?1, ?2, ?3, ?4)",
            (version, document.digest.to_string(), &document.json, now_ms),
        )?,
    };
    Ok(true)
}
