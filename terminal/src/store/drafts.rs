//! Drafts (草稿): what somebody filled in and did not hand in, for the same card on this terminal, for some hours.
//!
//! Sealed before it touches the disk: the answers under the form's own data key, that key under one that follows from
//! the key file, both bound to person, item, envelope, catalogue version and time. Whoever has disk and key file can
//! open what is less than a day old; after handing in, or when a draft is erased, nobody can.
//! Refuses to know what a draft says: its content is bytes.
use domain::envelope::{DataKey, DeviceKey, MAX_PAYLOAD_BYTES, Nonce, OpenError};
use domain::ids::{EnvelopeId, ItemCode};
use rand_core::CryptoRng;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use zeroize::Zeroizing;

use super::statements::Kept as _;
use super::{Store, StoreError, device_key};

/// Drafts on a terminal at most; the oldest give way.
pub const MAX_DRAFTS: usize = 200;
/// Bytes of a nonce, which stands before what was sealed with it.
const NONCE_BYTES: usize = 12;

/// What is to be kept.
pub struct NewDraft<'a> {
    /// Made when the form started: what is handed in later carries it.
    pub envelope_id: EnvelopeId,
    /// Made when the form started.
    pub data_key: &'a DataKey,
    /// ID number on the card that was read.
    pub id_number: &'a str,
    /// Item or bundle.
    pub item: &'a ItemCode,
    /// Version that the form came from.
    pub catalogue_version: u64,
    /// What is needed to go on, as bytes.
    pub content: &'a [u8],
}

/// A draft as it stands in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    /// Item or bundle.
    pub item: ItemCode,
    /// Version that its form came from.
    pub catalogue_version: u64,
    /// When it was written last, in milliseconds that this terminal had lived.
    pub written_ms: i64,
}

/// A draft that was opened.
pub struct OpenedDraft {
    /// Of the form that was begun.
    pub envelope_id: EnvelopeId,
    /// Of the form that was begun.
    pub data_key: DataKey,
    /// Version that the form came from.
    pub catalogue_version: u64,
    /// The bytes that were kept; wiped when dropped.
    pub content: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for OpenedDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedDraft({})", self.envelope_id)
    }
}

/// A draft cannot be kept or opened.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// It is larger than a submission may be.
    #[error("the draft is too large")]
    TooLarge,
    /// There is none (any more).
    #[error("there is no such draft")]
    Gone,
    /// It is not what was written; it was erased.
    #[error("the draft is damaged and was erased")]
    Damaged,
    /// The store refused.
    #[error("the store refused the draft")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for DraftError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Store(e.into())
    }
}

impl Store {
    /// Keeps a draft in place of the one that this person has of this item, if any.
    ///
    /// # Errors
    /// [`DraftError`]; the one before is kept still.
    pub fn keep_draft<R: CryptoRng>(
        &mut self,
        new: &NewDraft<'_>,
        lived_ms: i64,
        rng: &mut R,
    ) -> Result<(), DraftError> {
        if new.content.len() > MAX_PAYLOAD_BYTES {
            return Err(DraftError::TooLarge);
        }
        let person = device_key::draft_hmac(&self.device_key, new.id_number)?;
        let place = Place {
            person: &person,
            item: new.item,
            envelope_id: new.envelope_id,
            catalogue_version: new.catalogue_version,
            written_ms: lived_ms,
        };
        let content = seal(new.data_key, rng, (new.content, &place.bound_to("content")))?;
        let key = device_key::draft_key(&self.device_key)?;
        let wrapped = seal(&key, rng, (&new.data_key.pack(), &place.bound_to("key")))?;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert(&tx, &place, (&wrapped, &content))?;
        fail::fail_point!("terminal::draft::after_row", |_| Err(StoreError::Full.into()));
        let most = i64::try_from(MAX_DRAFTS).unwrap_or(i64::MAX);
        tx.execute_kept(
            "DELETE FROM draft WHERE rowid IN
             (SELECT rowid FROM draft ORDER BY written_ms DESC, rowid DESC LIMIT -1 OFFSET ?1)",
            [most],
        )?;
        tx.commit()?;
        fail::fail_point!("terminal::draft::after_commit");
        Ok(())
    }

    /// The drafts of a person, newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn drafts_of(&self, id_number: &str) -> Result<Vec<DraftRow>, StoreError> {
        let person = device_key::draft_hmac(&self.device_key, id_number)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT item, catalogue_version, written_ms FROM draft WHERE person_hmac = ?1
             ORDER BY written_ms DESC, rowid DESC",
        )?;
        let rows = statement.query_map([&person[..]], |r| {
            Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?, r.get::<_, i64>(2)?))
        })?;
        rows.map(|row| {
            let (item, version, written_ms) = row?;
            Ok(DraftRow {
                item: item.parse().map_err(|_| StoreError::Value("draft item"))?,
                catalogue_version: u64::try_from(version).map_err(|_| StoreError::Value("draft version"))?,
                written_ms,
            })
        })
        .collect()
    }

    /// Opens the draft that a person has of an item; it stays where it is. A damaged one is erased.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn open_draft(&mut self, id_number: &str, item: &ItemCode) -> Result<OpenedDraft, DraftError> {
        let person = device_key::draft_hmac(&self.device_key, id_number)?;
        let kept = kept(&self.connection, &person, item)?.ok_or(DraftError::Gone)?;
        if let Some(opened) = kept.open(&self.device_key, &person, item)? {
            return Ok(opened);
        }
        self.erase_draft(id_number, item)?;
        Err(DraftError::Damaged)
    }

    /// Erases the draft that a person has of an item, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn erase_draft(&mut self, id_number: &str, item: &ItemCode) -> Result<(), StoreError> {
        fail::fail_point!("terminal::draft::before_erase", |_| Err(StoreError::Full));
        let erased = erase_one(&self.connection, &self.device_key, (id_number, item))?;
        fail::fail_point!("terminal::draft::after_erase");
        if erased { self.forget_erased() } else { Ok(()) }
    }

    /// Erases drafts that are older than `keep_ms`, and those from a time that is still to come; says how many.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn erase_old_drafts(&mut self, lived_ms: i64, keep_ms: i64) -> Result<usize, StoreError> {
        let erased = self.connection.execute_kept(
            "DELETE FROM draft WHERE written_ms <= ?1 OR written_ms > ?2",
            (lived_ms.saturating_sub(keep_ms), lived_ms),
        )?;
        if erased > 0 {
            self.forget_erased()?;
        }
        Ok(erased)
    }

    /// Empties the write-ahead log, in which what was erased may lie still. A reader beside may put it off: the next
    /// time does it then.
    pub(super) fn forget_erased(&self) -> Result<(), StoreError> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}

/// Where a draft belongs; sealed parts are bound to all of it.
struct Place<'a> {
    person: &'a [u8; 32],
    item: &'a ItemCode,
    envelope_id: EnvelopeId,
    catalogue_version: u64,
    written_ms: i64,
}

impl Place<'_> {
    fn bound_to(&self, part: &str) -> Vec<u8> {
        let mut bytes = format!("jinban/draft/1/{part}/{}/", self.item).into_bytes();
        bytes.extend(self.envelope_id.as_bytes());
        bytes.extend(self.catalogue_version.to_be_bytes());
        bytes.extend(self.written_ms.to_be_bytes());
        bytes.extend(self.person);
        bytes
    }
}

/// A row as it lies on the disk.
struct Kept {
    envelope_id: String,
    catalogue_version: i64,
    written_ms: i64,
    wrapped: Vec<u8>,
    content: Vec<u8>,
}

impl Kept {
    /// Nothing if any part is not what was written.
    fn open(
        &self,
        key: &DeviceKey,
        person: &[u8; 32],
        item: &ItemCode,
    ) -> Result<Option<OpenedDraft>, StoreError> {
        let (Ok(envelope_id), Ok(catalogue_version)) =
            (self.envelope_id.parse(), u64::try_from(self.catalogue_version))
        else {
            return Ok(None);
        };
        let place = Place { person, item, envelope_id, catalogue_version, written_ms: self.written_ms };
        let wrapping = device_key::draft_key(key)?;
        let Ok(data_key) = unseal(&wrapping, &self.wrapped, &place.bound_to("key")) else { return Ok(None) };
        let Ok(data_key) = DataKey::unpack(&data_key) else { return Ok(None) };
        let content = unseal(&data_key, &self.content, &place.bound_to("content")).ok();
        Ok(content.map(|content| OpenedDraft { envelope_id, data_key, catalogue_version, content }))
    }
}

fn kept(connection: &Connection, person: &[u8; 32], item: &ItemCode) -> Result<Option<Kept>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT envelope_id, catalogue_version, written_ms, wrapped_key, content FROM draft
         WHERE person_hmac = ?1 AND item = ?2",
    )?;
    let row = statement.query_row((&person[..], item.as_str()), |r| {
        Ok(Kept {
            envelope_id: r.get(0)?,
            catalogue_version: r.get(1)?,
            written_ms: r.get(2)?,
            wrapped: r.get(3)?,
            content: r.get(4)?,
        })
    });
    Ok(row.optional()?)
}

fn insert(
    connection: &Connection,
    place: &Place<'_>,
    (wrapped, content): (&[u8], &[u8]),
) -> Result<(), StoreError> {
    let version =
        i64::try_from(place.catalogue_version).map_err(|_| StoreError::Value("catalogue version"))?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO draft (person_hmac, item, envelope_id, catalogue_version, written_ms, wrapped_key, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (person_hmac, item) DO UPDATE SET envelope_id = excluded.envelope_id,
            catalogue_version = excluded.catalogue_version, written_ms = excluded.written_ms,
            wrapped_key = excluded.wrapped_key, content = excluded.content",
    )?;
    let id = place.envelope_id.to_string();
    let item = place.item.as_str();
    statement.execute((&place.person[..], item, id, version, place.written_ms, wrapped, content))?;
    Ok(())
}

/// Erases the draft of a person and an item within the caller's transaction; says whether there was one.
pub(super) fn erase_one(
    connection: &Connection,
    key: &DeviceKey,
    (id_number, item): (&str, &ItemCode),
) -> Result<bool, StoreError> {
    let person = device_key::draft_hmac(key, id_number)?;
    let mut statement =
        connection.prepare_cached("DELETE FROM draft WHERE person_hmac = ?1 AND item = ?2")?;
    Ok(statement.execute((&person[..], item.as_str()))? > 0)
}

/// Erases every draft within the caller's transaction; says how many there were.
pub(super) fn erase_all(connection: &Connection) -> Result<usize, StoreError> {
    Ok(connection.execute_kept("DELETE FROM draft", [])?)
}

/// A fresh nonce, and what was sealed with it.
fn seal<R: CryptoRng>(
    key: &DataKey,
    rng: &mut R,
    (plain, bound_to): (&[u8], &[u8]),
) -> Result<Vec<u8>, StoreError> {
    let nonce = Nonce::new(rng);
    let sealed = key.encrypt(nonce, plain, bound_to).map_err(|_| StoreError::Value("draft"))?;
    Ok([&nonce.0[..], &sealed].concat())
}

fn unseal(key: &DataKey, sealed: &[u8], bound_to: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Length)?;
    key.decrypt(Nonce(*nonce), sealed, bound_to)
}
