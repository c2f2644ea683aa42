//! Captured pages and photos (附件) on the disk: sealed under the data key of their form before they touch it, in files
//! named by their digest.
//!
//! A file is synced before the row that names it, so that a row never names nothing; a file that no row names is removed
//! at the next look around. Refuses to keep anything in clear, and to open a page once it was handed in: the key is
//! gone then.
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use domain::envelope::{BLOB_OVERHEAD, BlobPlace, DataKey, Digest, MAX_BLOBS};
use domain::form::{Answers, MAX_FILE_BYTES};
use domain::ids::EnvelopeId;
use domain::wire::v1::{BlobEntry, BlobKind};
use rand_core::CryptoRng;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;
use zeroize::Zeroizing;

use super::statements::Kept as _;
use super::{Fullness, Store, StoreError};

/// Folder of sealed pages in the data folder.
pub(super) const FOLDER: &str = "pages";

/// What a form's answers say of a captured page: a file of the form, as `docs/forms.md` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedPage {
    /// Its page, from 1.
    pub page: u16,
    /// SHA-256 of the sealed bytes: the file's `hash`.
    pub digest: Digest,
    /// Bytes of the page itself.
    pub bytes: u64,
}

/// A page cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// It is empty, or larger than any form allows.
    #[error("the page is empty or too large")]
    Size,
    /// The form has as many as an envelope can name.
    #[error("the form has too many pages")]
    TooMany,
    /// The disk is so full that only text is taken: the form can be handed in without the page.
    #[error("the disk has room for text only")]
    NoRoom,
    /// It cannot be sealed.
    #[error("the page could not be sealed")]
    Sealing,
    /// The store refused.
    #[error("the page could not be stored")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for PageError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Store(e.into())
    }
}

impl Store {
    /// Seals a page of the open form and keeps it; it survives a power cut then.
    ///
    /// # Errors
    /// [`PageError`]; nothing that can be read is left behind.
    pub fn keep_page<R: CryptoRng>(
        &mut self,
        (envelope_id, data_key): (EnvelopeId, &DataKey),
        (kind, plain): (BlobKind, &[u8]),
        rng: &mut R,
    ) -> Result<CapturedPage, PageError> {
        let bytes = u64::try_from(plain.len()).unwrap_or(u64::MAX);
        if bytes == 0 || bytes > MAX_FILE_BYTES {
            return Err(PageError::Size);
        }
        if self.fullness() == Some(Fullness::TextOnly) {
            return Err(PageError::NoRoom);
        }
        let id = envelope_id.to_string();
        let (count, last): (u32, u16) = self.connection.row_kept(
            "SELECT COUNT(*), COALESCE(MAX(page), 0) FROM blob WHERE envelope_id = ?1",
            [&id],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
        let room = usize::try_from(count).is_ok_and(|count| count < MAX_BLOBS);
        let page = last.checked_add(1).filter(|_| room).ok_or(PageError::TooMany)?;
        let place = BlobPlace { envelope: envelope_id, page };
        let sealed = data_key.seal_blob(place, plain, rng).map_err(|_| PageError::Sealing)?;
        let length = i64::try_from(sealed.bytes.len()).map_err(|_| PageError::Size)?;
        write_synced(&self.pages_folder(), &sealed.digest, &sealed.bytes)?;
        fail::fail_point!("terminal::page::after_file", |_| Err(StoreError::Full.into()));
        self.connection.execute_kept(
            "INSERT INTO blob (envelope_id, page, digest, length, kind, state) VALUES (?1, ?2, ?3, ?4, ?5, 'captured')",
            (id, page, sealed.digest.to_string(), length, kind_text(&kind)?),
        )?;
        fail::fail_point!("terminal::page::after_row", |_| Err(StoreError::Full.into()));
        Ok(CapturedPage { page, digest: sealed.digest, bytes })
    }

    /// Opens a page of a form that is still open.
    ///
    /// # Errors
    /// [`PageError::Sealing`] if it is not there, was handed in, or is damaged.
    pub fn open_page(
        &self,
        (envelope_id, data_key): (EnvelopeId, &DataKey),
        digest: &Digest,
    ) -> Result<Zeroizing<Vec<u8>>, PageError> {
        let page: Option<u16> = self
            .connection
            .row_kept(
                "SELECT page FROM blob WHERE envelope_id = ?1 AND digest = ?2 AND state = 'captured'",
                (envelope_id.to_string(), digest.to_string()),
                |r| r.get(0),
            )
            .optional()?;
        let place = BlobPlace { envelope: envelope_id, page: page.ok_or(PageError::Sealing)? };
        let sealed = self.sealed_page(digest, 0, MAX_FILE_BYTES + BLOB_OVERHEAD)?;
        data_key.open_blob(place, &sealed).map_err(|_| PageError::Sealing)
    }

    /// Forgets a page of the open form, such as one that was taken anew.
    ///
    /// # Errors
    /// [`StoreError`] if the database or the disk refuses.
    pub fn drop_page(&mut self, envelope_id: EnvelopeId, digest: &Digest) -> Result<(), StoreError> {
        let dropped = self.connection.execute_kept(
            "DELETE FROM blob WHERE envelope_id = ?1 AND digest = ?2 AND state = 'captured'",
            (envelope_id.to_string(), digest.to_string()),
        )?;
        if dropped > 0 { remove(&self.pages_folder().join(digest.to_string())) } else { Ok(()) }
    }

    /// Removes pages of forms that are neither open nor drafts, and every file that is of no use any more; how many
    /// files were removed. Whoever captures pages calls this, so that none is captured meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if the database or the disk refuses.
    pub fn sweep_pages(&mut self, open: Option<EnvelopeId>) -> Result<usize, StoreError> {
        self.connection.execute_kept(
            "DELETE FROM blob WHERE state = 'captured' AND envelope_id IS NOT ?1
             AND envelope_id NOT IN (SELECT envelope_id FROM draft)",
            [open.map(|id| id.to_string())],
        )?;
        let mut removed = 0;
        for entry in entries(&self.pages_folder())? {
            let named: bool = self.connection.row_kept(
                "SELECT EXISTS (SELECT 1 FROM blob b LEFT JOIN outbox o ON o.envelope_id = b.envelope_id
                 WHERE b.digest = ?1 AND (b.state = 'captured' OR o.ciphertext IS NOT NULL))",
                [&entry],
                |r| r.get(0),
            )?;
            if !named {
                remove(&self.pages_folder().join(entry))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Sealed bytes of a page from an offset on, at most `most`.
    pub(super) fn sealed_page(&self, digest: &Digest, from: u64, most: u64) -> Result<Vec<u8>, StoreError> {
        use std::io::{Seek as _, SeekFrom};
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(self.pages_folder().join(digest.to_string()))?;
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(most).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(StoreError::Io)
    }

    fn pages_folder(&self) -> PathBuf {
        self.directory.join(FOLDER)
    }
}

/// The pages that the answers of a submission name, as its header names them; the others are left behind.
pub(super) fn manifest(
    tx: &Connection,
    envelope_id: EnvelopeId,
    answers: &Answers,
) -> Result<Vec<BlobEntry>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT page, digest, length, kind FROM blob WHERE envelope_id = ?1 AND state = 'captured' ORDER BY page",
    )?;
    let rows = statement.query_map([envelope_id.to_string()], |r| {
        Ok((r.get::<_, u16>(0)?, r.get::<_, String>(1)?, r.get::<_, i64>(2)?, r.get::<_, String>(3)?))
    })?;
    let mut named = Vec::new();
    answers.as_map().values().for_each(|value| hashes(value, &mut named));
    let mut blobs = Vec::new();
    for row in rows {
        let (page, digest, length, kind) = row?;
        if named.contains(&digest.as_str()) {
            let digest = digest.parse().map_err(|_| StoreError::Value("page digest"))?;
            let length = u64::try_from(length).map_err(|_| StoreError::Value("page length"))?;
            let kind = serde_json::from_value(kind.into()).map_err(|_| StoreError::Value("page kind"))?;
            blobs.push(BlobEntry { digest, length, kind, page });
        }
    }
    Ok(blobs)
}

/// Hands the pages of a manifest in, within the caller's transaction.
pub(super) fn hand_in(tx: &Connection, blobs: &[BlobEntry]) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached("UPDATE blob SET state = 'waiting' WHERE digest = ?1")?;
    for blob in blobs {
        statement.execute([blob.digest.to_string()])?;
    }
    Ok(())
}

/// Hashes of all files in an answer.
fn hashes<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("hash").and_then(Value::as_str));
            map.values().for_each(|v| hashes(v, found));
        }
        Value::Array(list) => list.iter().for_each(|v| hashes(v, found)),
        Value::String(text) if text.len() == 64 => found.push(text),
        _ => {}
    }
}

fn kind_text(kind: &BlobKind) -> Result<String, StoreError> {
    let value = serde_json::to_value(kind).map_err(|_| StoreError::Value("page kind"))?;
    value.as_str().map(str::to_owned).ok_or(StoreError::Value("page kind"))
}

/// Writes a file under its digest: temporary file, sync, rename, sync of the folder.
fn write_synced(folder: &Path, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
    let name = digest.to_string();
    let temporary = folder.join(format!("{name}.new"));
    let write = || -> std::io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, folder.join(&name))?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|e| {
        if e.kind() == std::io::ErrorKind::StorageFull { StoreError::Full } else { StoreError::Io(e) }
    })
}

/// Names of all files in a folder; none if it is not there.
fn entries(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(StoreError::Io(e)),
    };
    let names = entries.map(|entry| entry.map(|e| e.file_name().to_string_lossy().into_owned()));
    names.collect::<Result<_, _>>().map_err(StoreError::Io)
}

fn remove(file: &Path) -> Result<(), StoreError> {
    match fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::Io(e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::store::NewDraft;
    use crate::store::space::Measure;

    #[test]
    fn from_ninety_five_percent_on_no_page_is_taken_and_text_still_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(folder.path(), 0).expect("a store");
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (envelope_id, data_key) = (EnvelopeId::new(1, &mut rng), DataKey::new(&mut rng));
        let item = "hrss.flex-enroll".parse().expect("an item");
        let marks: [(Measure, bool); 8] = [
            (|_| Some(0), true),
            (|_| Some(69), true),
            (|_| Some(70), true),
            (|_| Some(94), true),
            (|_| Some(95), false),
            (|_| Some(100), false),
            // Room was made; and a system that does not say stops nobody.
            (|_| Some(94), true),
            (|_| None, true),
        ];
        let mut kept = 0;
        for (measure, taken) in marks {
            store.measure = measure;
            let percent = measure(folder.path());
            let page = store.keep_page((envelope_id, &data_key), (BlobKind::Page, b"page"), &mut rng);
            assert_eq!(page.is_ok(), taken, "{percent:?}");
            assert!(taken || matches!(page, Err(PageError::NoRoom)), "{percent:?}");
            kept += usize::from(taken);
            assert_eq!(entries(&store.pages_folder()).expect("a folder").len(), kept, "{percent:?}");
            let draft = NewDraft {
                id_number: "639900199001010015",
                item: &item,
                envelope_id,
                data_key: &data_key,
                catalogue_version: 1,
                content: b"{}",
            };
            assert!(store.keep_draft(&draft, 1, &mut rng).is_ok(), "{percent:?}: text");
        }
    }
}
