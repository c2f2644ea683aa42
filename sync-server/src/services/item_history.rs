//! 历史: which content each item and bundle had from which version on, and who made and checked it.
//!
//! Filled when a version is stored. Refuses to keep content: every version is kept whole already.
use std::collections::BTreeMap;

use domain::catalogue::Catalogue;
use domain::ids::ItemCode;

use super::editing::Credit;
use crate::error::ServiceError;
use crate::services::catalogue::Shelf;
use crate::store::{Row, StoreError, Tx};

/// The most revisions or versions that are listed.
pub const MOST: u64 = 200;

/// A content that an item or bundle had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The item or bundle.
    pub code: ItemCode,
    /// The first version with this content.
    pub version: u64,
    /// Its number in that version.
    pub revision: u64,
    /// When the version was stored, milliseconds since 1970.
    pub stored_at_ms: i64,
    /// Who made it and why, if it was made here.
    pub credit: Option<Credit>,
}

/// A version that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub version: u64,
    /// When it was stored, milliseconds since 1970.
    pub stored_at_ms: i64,
    /// SHA-256 of its document.
    pub digest: String,
    /// What became new with it.
    pub revisions: Vec<Revision>,
}

/// Notes what is new in a version that was just stored. `credits` names makers by code.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn note(
    tx: &mut Tx<'_>,
    now_ms: i64,
    catalogue: &Catalogue,
    credits: &BTreeMap<ItemCode, Credit>,
) -> Result<(), StoreError> {
    let before = newest_digests(tx, catalogue.version)?;
    for entry in catalogue.entries() {
        let digest = entry.content_digest().to_string();
        if before.get(entry.code().as_str()) == Some(&digest) {
            continue;
        }
        let credit = credits.get(entry.code());
        let by = |part: fn(&Credit) -> &str| credit.map_or("", part).to_owned();
        tx.execute(
            "INSERT INTO item_revision (code, version, revision, digest, stored_at_ms, editor, checker, note)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                entry.code().as_str().into(),
                catalogue.version.into(),
                entry.revision().into(),
                digest.into(),
                now_ms.into(),
                by(|c| c.editor.as_str()).into(),
                by(|c| c.checker.as_str()).into(),
                by(|c| &c.note).into(),
            ],
        )?;
    }
    Ok(())
}

/// Notes a version that was stored earlier and is used only now: the way back of a rollout.
///
/// # Errors
/// [`StoreError`] if the store fails or the version cannot be read.
pub fn note_stored(tx: &mut Tx<'_>, now_ms: i64, version: u64) -> Result<(), StoreError> {
    let row = tx.query_first("SELECT document FROM catalogue WHERE version = $1", &[version.into()])?;
    let Some(row) = row else { return Ok(()) };
    let catalogue =
        Catalogue::from_document(row.text(0)?).map_err(|_| StoreError::Stored { what: "catalogue" })?;
    note(tx, now_ms, &catalogue, &BTreeMap::new())
}

/// The content that each item and bundle had last before a version.
fn newest_digests(tx: &mut Tx<'_>, before: u64) -> Result<BTreeMap<String, String>, StoreError> {
    let rows = tx.query(
        "SELECT code, digest FROM item_revision WHERE version < $1 ORDER BY version, code",
        &[before.into()],
    )?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).collect()
}

/// Fills the history of a store whose versions were stored before there was one.
///
/// # Errors
/// [`ServiceError`] if the store fails or a version cannot be read.
pub fn catch_up(tx: &mut Tx<'_>, shelf: &Shelf) -> Result<(), ServiceError> {
    if tx.query_int("SELECT COUNT(*) FROM item_revision", &[])? > 0 {
        return Ok(());
    }
    let rows = tx.query("SELECT version, stored_at_ms FROM catalogue ORDER BY version", &[])?;
    for row in &rows {
        let Some(volume) = shelf.get(tx, row.uint(0)?)? else { continue };
        note(tx, row.int(1)?, &volume.catalogue, &BTreeMap::new())?;
    }
    Ok(())
}

/// The revisions of one item or bundle, the newest first.
pub fn of_item(tx: &mut Tx<'_>, code: &ItemCode) -> Result<Vec<Revision>, StoreError> {
    let rows = tx.query(
        "SELECT code, version, revision, stored_at_ms, editor, checker, note
         FROM item_revision WHERE code = $1 ORDER BY version DESC LIMIT $2",
        &[code.as_str().into(), MOST.into()],
    )?;
    rows.iter().map(read).collect()
}

/// All versions with what became new in them, the newest first.
pub fn versions(tx: &mut Tx<'_>) -> Result<Vec<Version>, StoreError> {
    let sql = "SELECT version, stored_at_ms, digest FROM catalogue ORDER BY version DESC LIMIT $1";
    let rows = tx.query(sql, &[MOST.into()])?;
    rows.iter()
        .map(|row| {
            let version = row.uint(0)?;
            let rows = tx.query(
                "SELECT code, version, revision, stored_at_ms, editor, checker, note
                 FROM item_revision WHERE version = $1 ORDER BY code LIMIT $2",
                &[version.into(), MOST.into()],
            )?;
            let revisions = rows.iter().map(read).collect::<Result<_, _>>()?;
            Ok(Version { version, stored_at_ms: row.int(1)?, digest: row.text(2)?.to_owned(), revisions })
        })
        .collect()
}

fn read(row: &Row) -> Result<Revision, StoreError> {
    let credit = if row.text(4)?.is_empty() {
        None
    } else {
        Some(Credit { editor: row.parsed(4)?, checker: row.parsed(5)?, note: row.text(6)?.to_owned() })
    };
    Ok(Revision {
        code: row.parsed(0)?,
        version: row.uint(1)?,
        revision: row.uint(2)?,
        stored_at_ms: row.int(3)?,
        credit,
    })
}
