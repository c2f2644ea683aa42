//! Catalogue versions, kept for ever.
use domain::catalogue::CatalogueDocument;
use rusqlite::OptionalExtension as _;

use super::{Store, StoreError};

impl Store {
    /// Keeps a version. The same version with the same digest is kept once.
    ///
    /// # Errors
    /// [`StoreError::Value`] if the version is there with another digest: a published version never changes.
    pub fn keep_catalogue(&mut self, document: &CatalogueDocument, now_ms: i64) -> Result<(), StoreError> {
        let version = i64::try_from(document.version).map_err(|_| StoreError::Value("catalogue version"))?;
        let tx = self.connection.transaction()?;
        let known: Option<String> = tx
            .query_row("SELECT digest FROM catalogue WHERE version = ?1", [version], |r| r.get(0))
            .optional()?;
        match known {
            Some(d) if d == document.digest.to_string() => return Ok(()),
            Some(_) => return Err(StoreError::Value("catalogue version (published with another digest)")),
            None => tx.execute(
                "INSERT INTO catalogue (version, digest, json, kept_ms) VALUES (?1, ?2, ?3, ?4)",
                (version, document.digest.to_string(), &document.json, now_ms),
            )?,
        };
        tx.commit()?;
        Ok(())
    }

    /// The newest version.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses or the stored digest is unreadable.
    pub fn newest_catalogue(&self) -> Result<Option<CatalogueDocument>, StoreError> {
        let row: Option<(i64, String, String)> = self
            .connection
            .query_row("SELECT version, digest, json FROM catalogue ORDER BY version DESC LIMIT 1", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })
            .optional()?;
        let Some((version, digest, json)) = row else { return Ok(None) };
        Ok(Some(CatalogueDocument {
            version: u64::try_from(version).map_err(|_| StoreError::Value("catalogue version"))?,
            digest: digest.parse().map_err(|_| StoreError::Value("catalogue digest"))?,
            json,
        }))
    }
}
