//! Forms that a clerk began and did not hand in yet: sealed under the data key that the envelope will have, which lies
//! wrapped under the key of the year, so that a sign-out, a closed window or a power cut loses nothing and no disk has it
//! in clear. A draft is its clerk's alone, and goes when it is handed in, thrown away, or older than the policy's hours.
//!
//! Refuses to judge what is in it.
use domain::envelope::{DataKey, Digest, Nonce};
use domain::ids::{EnvelopeId, ItemCode};
use domain::situation::SituationAnswers;
use domain::wire::v1::Person;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::services::case_key::{self, WrappedKey};
use crate::store::{self, Row, StoreError, Tx};

/// Drafts of one clerk at the same time, at most; those that are over do not count.
pub const MOST: u64 = 20;
/// Pages of one draft that are looked at, at most: those that were taken away again count as well.
const MOST_PAGES: u64 = 1_000;
const HOUR_MS: i64 = 3_600_000;

/// What is in a draft. Never printed: it is a person's.
#[derive(Clone, Serialize, Deserialize)]
pub struct Content {
    /// Who stands there.
    pub person: Person,
    /// What the person's situation is.
    pub situation: SituationAnswers,
    /// What is filled in, defaults aside.
    pub answers: Map<String, Value>,
    /// The page of the form, from 0.
    pub page: usize,
    /// Scans and photos that were put in.
    pub files: Vec<KeptFile>,
    /// The case for which this is a supplement; none for a form that opens a case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplements: Option<EnvelopeId>,
}

/// A scan or photo of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// Its page, from 1.
    pub page: u16,
    /// SHA-256 of the sealed bytes.
    pub digest: Digest,
    /// Sealed bytes.
    pub length: u64,
    /// It is a photo, not a page.
    pub photo: bool,
    /// SHA-256 of what was brought: the same file is not taken twice.
    pub brought: Digest,
}

/// A draft as it is stored.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The id of the envelope that it becomes.
    pub id: EnvelopeId,
    /// The visit in which it was begun.
    pub visit: String,
    /// Item or bundle.
    pub item: ItemCode,
    /// Catalogue version of the form.
    pub catalogue_version: u64,
    /// When it was begun, milliseconds since 1970.
    pub begun_at_ms: i64,
    /// When it was kept last, milliseconds since 1970.
    pub saved_at_ms: i64,
    key: WrappedKey,
    nonce: Nonce,
    sealed: Vec<u8>,
}

/// What is kept of a draft, sealed.
#[derive(Debug, Clone)]
pub struct Sealed {
    nonce: Nonce,
    bytes: Vec<u8>,
}

impl Sealed {
    /// Seals the content of a draft.
    ///
    /// # Errors
    /// [`ServiceError`] if the cipher refuses, which it does for no length that a form can have.
    pub fn seal(
        key: &DataKey,
        id: &EnvelopeId,
        content: &Content,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ServiceError> {
        let wrong = |what: String| ServiceError::Inconsistent(format!("draft {id}: {what}"));
        let plain = Zeroizing::new(serde_json::to_vec(content).map_err(|e| wrong(e.to_string()))?);
        let nonce = Nonce::new(rng);
        let bytes = key.encrypt(nonce, &plain, &bound_to(id)).map_err(|e| wrong(e.to_string()))?;
        Ok(Self { nonce, bytes })
    }
}

impl Draft {
    /// What tells this state of it from every later one: each state is sealed with a nonce of its own.
    pub fn nonce(&self) -> Nonce {
        self.nonce
    }

    /// Its key and its content.
    ///
    /// # Errors
    /// [`ServiceError::Inconsistent`] if it does not open.
    pub fn open(&self, keys: &Keys) -> Result<(DataKey, Content), ServiceError> {
        let wrong = || ServiceError::Inconsistent(format!("draft {} does not open", self.id));
        let key = self.key.open(keys)?;
        let plain = key.decrypt(self.nonce, &self.sealed, &bound_to(&self.id)).map_err(|_| wrong())?;
        let content = serde_json::from_slice(&plain).map_err(|_| wrong())?;
        Ok((key, content))
    }
}

/// A draft opens for its envelope only, and as nothing else that its key sealed.
fn bound_to(id: &EnvelopeId) -> Vec<u8> {
    [b"jinban window draft v1 ", &id.as_bytes()[..]].concat()
}

/// Drafts that were kept before this time are over.
pub fn over_before(now_ms: i64, hours: u16) -> i64 {
    now_ms.saturating_sub(i64::from(hours) * HOUR_MS)
}

/// A new draft.
#[derive(Debug)]
pub struct New<'a> {
    /// The id of the envelope that it becomes.
    pub id: EnvelopeId,
    /// The visit.
    pub visit: &'a str,
    /// Item or bundle.
    pub item: &'a ItemCode,
    /// Catalogue version of the form.
    pub catalogue_version: u64,
    /// Its data key.
    pub key: &'a case_key::Wrapped,
    /// Its content.
    pub sealed: &'a Sealed,
}

/// Begins a draft; false if the clerk has too many that were kept since `since_ms`.
///
/// # Errors
/// [`ServiceError`] if the key of the year is not the store's, or the store fails.
pub fn begin(
    tx: &mut Tx<'_>,
    (now_ms, since_ms): (i64, i64),
    clerk: &str,
    new: &New<'_>,
) -> Result<bool, ServiceError> {
    let sql = "SELECT COUNT(*) FROM window_draft WHERE clerk = $1 AND saved_at_ms >= $2";
    let had = tx.query_int(sql, &[clerk.into(), since_ms.into()])?;
    if u64::try_from(had).unwrap_or(0) >= MOST {
        return Ok(false);
    }
    let [key_id, key_nonce, wrapped] = new.key.columns(tx)?;
    tx.execute(
        "INSERT INTO window_draft (envelope_id, visit, clerk, item, catalogue_version, begun_at_ms, saved_at_ms,
             key_id, key_nonce, wrapped, nonce, sealed)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11)",
        &[
            new.id.to_string().into(),
            new.visit.into(),
            clerk.into(),
            new.item.as_str().into(),
            new.catalogue_version.into(),
            now_ms.into(),
            key_id,
            key_nonce,
            wrapped,
            new.sealed.nonce.0.as_slice().into(),
            new.sealed.bytes.as_slice().into(),
        ],
    )?;
    Ok(true)
}

const COLUMNS: &str =
    "envelope_id, visit, item, catalogue_version, begun_at_ms, saved_at_ms, key_id, key_nonce,
                       wrapped, nonce, sealed FROM window_draft";

/// Drafts of a clerk that are not over, the newest first.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn of_clerk(tx: &mut Tx<'_>, clerk: &str, since_ms: i64) -> Result<Vec<Draft>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE clerk = $1 AND saved_at_ms >= $2 ORDER BY begun_at_ms DESC, envelope_id LIMIT $3"
    );
    tx.query(&sql, &[clerk.into(), since_ms.into(), MOST.into()])?.iter().map(read).collect()
}

/// A draft of this clerk that is not over.
pub fn find(
    tx: &mut Tx<'_>,
    clerk: &str,
    id: &EnvelopeId,
    since_ms: i64,
) -> Result<Option<Draft>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE envelope_id = $1 AND clerk = $2 AND saved_at_ms >= $3");
    let row = tx.query_first(&sql, &[id.to_string().into(), clerk.into(), since_ms.into()])?;
    row.map(|row| read(&row)).transpose()
}

/// Keeps what is filled in now; false if the draft is not what was read any more: another call kept it, or it was
/// handed in or thrown away. Nothing is written then.
pub fn save(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (clerk, id, as_read): (&str, &EnvelopeId, Nonce),
    sealed: &Sealed,
) -> Result<bool, StoreError> {
    let kept = tx.execute(
        "UPDATE window_draft SET nonce = $4, sealed = $5, saved_at_ms = $6
         WHERE envelope_id = $1 AND clerk = $2 AND nonce = $3",
        &[
            id.to_string().into(),
            clerk.into(),
            as_read.0.as_slice().into(),
            sealed.nonce.0.as_slice().into(),
            sealed.bytes.as_slice().into(),
            now_ms.into(),
        ],
    )?;
    Ok(kept > 0)
}

/// Writes down a page before its bytes are kept, so that they are found when the draft goes; false if another file
/// took the number meanwhile.
///
/// # Errors
/// [`ServiceError`] `not-found` if the draft is gone, `too-large` if it has too many pages.
pub fn expect_page(
    tx: &mut Tx<'_>,
    (clerk, id): (&str, &EnvelopeId),
    (page, digest): (u16, &Digest),
) -> Result<bool, ServiceError> {
    let sql = "SELECT COUNT(*) FROM window_draft WHERE envelope_id = $1 AND clerk = $2";
    if tx.query_int(sql, &[id.to_string().into(), clerk.into()])? == 0 {
        return Err(ProblemCode::NotFound.into());
    }
    if u64::from(page) > MOST_PAGES {
        return Err(ProblemCode::TooLarge.into());
    }
    let written = tx.execute(
        "INSERT INTO window_page (envelope_id, page, digest) VALUES ($1, $2, $3)
         ON CONFLICT (envelope_id, page) DO NOTHING",
        &[id.to_string().into(), i64::from(page).into(), digest.to_string().into()],
    )?;
    Ok(written > 0)
}

/// The number of the next page of a draft.
pub fn next_page(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<u16, StoreError> {
    let sql = "SELECT COALESCE(MAX(page), 0) FROM window_page WHERE envelope_id = $1";
    let last = tx.query_int(sql, &[id.to_string().into()])?;
    u16::try_from(last + 1).map_err(|_| StoreError::Stored { what: "page" })
}

/// Whether somebody has a draft of this id.
pub fn is_taken(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<bool, StoreError> {
    let sql = "SELECT COUNT(*) FROM window_draft WHERE envelope_id = $1";
    Ok(tx.query_int(sql, &[id.to_string().into()])? > 0)
}

/// Takes a draft away with its key; gives the digests of its pages, or nothing if there is none.
pub fn take_away(tx: &mut Tx<'_>, clerk: &str, id: &EnvelopeId) -> Result<Option<Vec<Digest>>, StoreError> {
    let own: [store::Value; 2] = [id.to_string().into(), clerk.into()];
    let rows = tx.query(
        "SELECT p.digest FROM window_page p JOIN window_draft d ON d.envelope_id = p.envelope_id
         WHERE d.envelope_id = $1 AND d.clerk = $2 ORDER BY p.page LIMIT 1000",
        &own,
    )?;
    let pages = rows.iter().map(|row| row.parsed(0)).collect::<Result<Vec<Digest>, _>>()?;
    tx.execute(
        "DELETE FROM window_page WHERE envelope_id IN
         (SELECT envelope_id FROM window_draft WHERE envelope_id = $1 AND clerk = $2)",
        &own,
    )?;
    let gone = tx.execute("DELETE FROM window_draft WHERE envelope_id = $1 AND clerk = $2", &own)?;
    Ok((gone > 0).then_some(pages))
}

/// Drafts that are over, each with its clerk, some at a time.
pub fn over(tx: &mut Tx<'_>, before_ms: i64) -> Result<Vec<(EnvelopeId, String)>, StoreError> {
    let sql =
        "SELECT envelope_id, clerk FROM window_draft WHERE saved_at_ms < $1 ORDER BY envelope_id LIMIT 100";
    let rows = tx.query(sql, &[before_ms.into()])?;
    rows.iter().map(|row| Ok((row.parsed(0)?, row.text(1)?.to_owned()))).collect()
}

fn read(row: &Row) -> Result<Draft, StoreError> {
    let id = row.parsed(0)?;
    let nonce = row.blob(9)?.try_into().map_err(|_| StoreError::Stored { what: "nonce" })?;
    Ok(Draft {
        visit: row.text(1)?.to_owned(),
        item: row.parsed(2)?,
        catalogue_version: row.uint(3)?,
        begun_at_ms: row.int(4)?,
        saved_at_ms: row.int(5)?,
        key: WrappedKey::read(&id, row, 6)?,
        nonce: Nonce(nonce),
        sealed: row.blob(10)?.to_vec(),
        id,
    })
}
