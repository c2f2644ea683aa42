//! 候选版本: the version that is made from approved drafts, waits for its signature, and closes its drafts when it is
//! published.
//!
//! Its number is never given out twice, even if the version is dropped: a file of it may be on its way to the signer.
use std::collections::BTreeMap;

use domain::catalogue::{Catalogue, CatalogueDocument};
use domain::ids::ItemCode;
use serde::{Deserialize, Serialize};

use super::{Credit, Draft, DraftState, EditError, Outcome, all, audit};
use crate::auth::names::AccountId;
use crate::store::{Row, StoreError, Tx};

const OPEN: &str = "open";
const DROPPED: &str = "dropped";
const PUBLISHED: &str = "published";

/// A version that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its number.
    pub version: u64,
    /// The version that it was made from.
    pub base_version: u64,
    /// SHA-256 of its document.
    pub digest: String,
    /// Who made it.
    pub made_by: AccountId,
    /// When, milliseconds since 1970.
    pub made_at_ms: i64,
    /// Its drafts.
    pub drafts: Vec<Included>,
}

/// A draft as it went into a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Included {
    /// The item.
    pub code: ItemCode,
    /// The draft's own version.
    pub version: u64,
    /// Who made it.
    pub editor: String,
    /// Who checked it.
    pub checker: String,
    /// Why it was made.
    pub note: String,
}

impl Included {
    fn of(draft: &Draft) -> Self {
        Self {
            code: draft.code.clone(),
            version: draft.version,
            editor: draft.editor.to_string(),
            checker: draft.checker.as_ref().map(ToString::to_string).unwrap_or_default(),
            note: draft.note.clone(),
        }
    }

    fn credit(&self) -> Option<Credit> {
        let (editor, checker) = (self.editor.parse().ok()?, self.checker.parse().ok()?);
        Some(Credit { editor, checker, note: self.note.clone() })
    }
}

const COLUMNS: &str = "version, base_version, digest, made_by, made_at_ms, drafts";

/// The version that waits for its signature, if there is one.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn open(tx: &mut Tx<'_>) -> Result<Option<Candidate>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM catalogue_candidate WHERE state = $1 ORDER BY version DESC LIMIT 1");
    tx.query_first(&sql, &[OPEN.into()])?.map(|row| read(&row)).transpose()
}

/// The document of the version that waits for its signature.
pub fn document(tx: &mut Tx<'_>, version: u64) -> Result<Option<String>, StoreError> {
    let sql = "SELECT document FROM catalogue_candidate WHERE version = $1 AND state = $2";
    let row = tx.query_first(sql, &[version.into(), OPEN.into()])?;
    row.map(|r| r.text(0).map(str::to_owned)).transpose()
}

/// A catalogue with the approved drafts in it, under the number that the next version gets. Nothing is stored.
pub fn assemble(tx: &mut Tx<'_>, base: &Catalogue) -> Outcome<(Catalogue, Vec<Draft>)> {
    let mut drafts = all(tx)?;
    drafts.retain(|draft| draft.state == DraftState::Approved);
    if drafts.is_empty() {
        return Ok(Err(EditError::NothingApproved));
    }
    let mut next = base.clone();
    for draft in &drafts {
        if is_outdated(tx, draft)? {
            return Ok(Err(EditError::Outdated));
        }
        let Some(item) = draft.item().filter(|item| item.code == draft.code) else {
            return Ok(Err(EditError::Unfit));
        };
        next.items.insert(draft.code.clone(), item);
    }
    let mut next = next.succeeding(base);
    next.version = next_number(tx)?;
    Ok(Ok((next, drafts)))
}

/// Whether the item became another one after the draft was begun.
pub fn is_outdated(tx: &mut Tx<'_>, draft: &Draft) -> Result<bool, StoreError> {
    let since = tx.query_int(
        "SELECT COUNT(*) FROM item_revision WHERE code = $1 AND version > $2",
        &[draft.code.as_str().into(), draft.base_version.into()],
    )?;
    Ok(since > 0)
}

/// The number of the next version: above what is stored, and above all that were given out and the way back that is
/// signed with each of them under the number after it.
fn next_number(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let given = tx.query_int("SELECT COALESCE(MAX(version), -1) FROM catalogue_candidate", &[])? + 1;
    let stored = tx.query_int("SELECT COALESCE(MAX(version), 0) FROM catalogue", &[])?;
    Ok(u64::try_from(given.max(stored)).unwrap_or(0) + 1)
}

/// Whether a number is the next one that would be given out.
pub fn is_free(tx: &mut Tx<'_>, version: u64) -> Result<bool, StoreError> {
    Ok(next_number(tx)? == version)
}

/// Keeps a version that was assembled and checked; one that waited before is dropped.
pub fn keep(
    tx: &mut Tx<'_>,
    now_ms: i64,
    by: &AccountId,
    (base_version, document): (u64, &CatalogueDocument),
    drafts: &[Draft],
) -> Result<(), StoreError> {
    drop_open(tx, now_ms, by)?;
    let included: Vec<_> = drafts.iter().map(Included::of).collect();
    tx.execute(
        "INSERT INTO catalogue_candidate (version, base_version, digest, document, drafts, state, made_by, made_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            document.version.into(),
            base_version.into(),
            document.digest.to_string().into(),
            document.json.as_str().into(),
            serde_json::to_string(&included).unwrap_or_default().into(),
            OPEN.into(),
            by.as_str().into(),
            now_ms.into(),
        ],
    )?;
    note(tx, now_ms, by.as_str(), "candidate.made", (document.version, &document.digest.to_string()))
}

/// Drops the version that waits; its drafts stay approved. Says whether there was one.
pub fn drop_open(tx: &mut Tx<'_>, now_ms: i64, by: &AccountId) -> Result<bool, StoreError> {
    let Some(candidate) = open(tx)? else { return Ok(false) };
    set_state(tx, candidate.version, DROPPED)?;
    note(tx, now_ms, by.as_str(), "candidate.dropped", (candidate.version, &candidate.digest))?;
    Ok(true)
}

/// A version is being stored: gives who made what, if it is the one that waits, and closes its drafts. A draft that
/// was changed since stays, as a change of the new version.
pub fn published(
    tx: &mut Tx<'_>,
    now_ms: i64,
    document: &CatalogueDocument,
) -> Result<BTreeMap<ItemCode, Credit>, StoreError> {
    let waits =
        open(tx)?.filter(|c| c.version == document.version && c.digest == document.digest.to_string());
    let Some(candidate) = waits else { return Ok(BTreeMap::new()) };
    set_state(tx, candidate.version, PUBLISHED)?;
    for included in &candidate.drafts {
        let code = included.code.as_str();
        tx.execute(
            "DELETE FROM catalogue_draft WHERE code = $1 AND version = $2",
            &[code.into(), included.version.into()],
        )?;
        tx.execute(
            "UPDATE catalogue_draft SET base_version = $2 WHERE code = $1",
            &[code.into(), candidate.version.into()],
        )?;
    }
    note(tx, now_ms, "centre", "candidate.published", (candidate.version, &candidate.digest))?;
    let credits = candidate.drafts.iter().filter_map(|d| Some((d.code.clone(), d.credit()?)));
    Ok(credits.collect())
}

fn set_state(tx: &mut Tx<'_>, version: u64, state: &str) -> Result<(), StoreError> {
    let sql = "UPDATE catalogue_candidate SET state = $2 WHERE version = $1";
    tx.execute(sql, &[version.into(), state.into()]).map(|_| ())
}

fn note(
    tx: &mut Tx<'_>,
    now_ms: i64,
    actor: &str,
    event: &str,
    (version, digest): (u64, &str),
) -> Result<(), StoreError> {
    let subject = version.to_string();
    audit::append(tx, now_ms, audit::Event { actor, event, subject: &subject, object_digest: digest })
}

fn read(row: &Row) -> Result<Candidate, StoreError> {
    Ok(Candidate {
        version: row.uint(0)?,
        base_version: row.uint(1)?,
        digest: row.text(2)?.to_owned(),
        made_by: row.parsed(3)?,
        made_at_ms: row.int(4)?,
        drafts: serde_json::from_str(row.text(5)?).map_err(|_| StoreError::Stored { what: "drafts" })?,
    })
}
