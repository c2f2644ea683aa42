//! Scans and photos that are put into a form: pictures are decoded within limits and written anew, a PDF is taken as it
//! is, and each is sealed before it touches a disk.
use axum::body::Bytes;
use domain::envelope::{BlobPlace, DataKey, Digest};
use domain::form::{FileLimits, PlanField, Widget};
use domain::ids::EnvelopeId;
use hardware::image::{Policy, clean};
use serde_json::{Value, json};

use super::W;
use super::sent::MAX_BROUGHT_BYTES;
use crate::error::ServiceError;
use crate::pages::form_drawing::Sheet;
use crate::services::window::drafts::{self, KeptFile};
use crate::shell::App;
use crate::words::Words;

/// What a PDF begins with, and its media type.
const PDF: &[u8] = b"%PDF-";
const PDF_TYPE: &str = "application/pdf";
/// Bytes of a file as it is kept where the form sets no limit of its own.
const MOST_KEPT: u64 = 4 * 1024 * 1024;
/// Pixels of the longer side to which a picture is made smaller until it fits, after A4 at 300, 212 and 150 dots an inch.
const SIDES: [u32; 4] = [8_000, 3_508, 2_480, 1_754];

/// How often a page asks for a number, at most: another file of the same form may have taken it.
const TRIES: usize = 20;

/// What became of the files of a call.
#[derive(Default)]
pub struct Taken {
    /// Of each that was not taken: why, in words.
    pub faults: Vec<String>,
    /// Those that were.
    pub given: Vec<Given>,
}

/// A file that was taken in. Never printed: its answer is a person's.
pub struct Given {
    path: String,
    value: Value,
    /// As it is kept.
    pub file: KeptFile,
}

impl Given {
    /// Puts it into the answer of its field, behind what is there; a photo takes the place of the one before. A field
    /// that is not asked for any more takes nothing, and one that has the same file already takes it once.
    pub fn put(&self, sheet: &mut Sheet<'_>, kept: &[KeptFile]) {
        let (plan, _) = sheet.judged();
        let mut fields = plan.pages.iter().flat_map(|page| &page.fields);
        let Some(field) = fields.find(|field| field.key == self.path && field.files.is_some()) else {
            return;
        };
        if self.file.photo {
            return sheet.filled.give(&self.path, self.value.clone());
        }
        let mut list = listed(field);
        if has(&list, kept, &self.file.brought) {
            return;
        }
        list.push(self.value.clone());
        sheet.filled.give(&self.path, Value::Array(list));
    }
}

/// For whom files are taken in.
pub struct Taking<'a> {
    /// The server.
    pub app: &'a App,
    /// The clerk's account.
    pub clerk: &'a str,
    /// The draft.
    pub id: EnvelopeId,
    /// Its key.
    pub key: &'a DataKey,
}

impl Taking<'_> {
    /// Takes files in and gives them as answers; says of each that was not taken why.
    ///
    /// # Errors
    /// [`ServiceError`] if a store fails, or the draft is gone.
    pub fn take(
        &self,
        sheet: &mut Sheet<'_>,
        kept: &mut Vec<KeptFile>,
        files: &[(String, Bytes)],
    ) -> Result<Taken, ServiceError> {
        let mut taken = Taken::default();
        for (path, bytes) in files {
            let (plan, _) = sheet.judged();
            let field = plan.pages.iter().flat_map(|page| &page.fields).find(|field| field.key == *path);
            let asked = field.and_then(|field| Some((field, field.files.as_deref()?)));
            // A field that is not asked for any more takes nothing.
            let Some((field, limits)) = asked else { continue };
            match self.one(field, limits, bytes, kept)? {
                Ok(Some((file, value))) => {
                    let given = Given { path: path.clone(), value, file: file.clone() };
                    given.put(sheet, kept);
                    kept.push(file);
                    taken.given.push(given);
                }
                Ok(None) => {}
                Err(why) => {
                    taken.faults.push(file_refused(W, field, why));
                }
            }
        }
        Ok(taken)
    }

    /// One file: as it is kept and what names it, nothing if the field has it already, or why it is not taken.
    fn one(
        &self,
        field: &PlanField,
        limits: &FileLimits,
        bytes: &[u8],
        kept: &[KeptFile],
    ) -> Result<One, ServiceError> {
        let photo = field.widget == Widget::Photo;
        let list = listed(field);
        let brought = Digest::of(bytes);
        if !photo && has(&list, kept, &brought) {
            return Ok(Ok(None));
        }
        if !photo && list.len() as u64 >= limits.max {
            return Ok(Err("many"));
        }
        let (plain, kind) = match harmless(bytes, limits, photo) {
            Ok(taken) => taken,
            Err(why) => return Ok(Err(why)),
        };
        let file = self.keep(&plain, photo, brought)?;
        let value = answer_of(&file.digest, (plain.len(), kind), limits);
        Ok(Ok(Some((file, value))))
    }

    /// Seals a file and keeps it; that it is there is written down before. A page is sealed for its number, so a file
    /// that came at the same time and was first costs sealing it once more.
    fn keep(&self, plain: &[u8], photo: bool, brought: Digest) -> Result<KeptFile, ServiceError> {
        let (centre, id) = (&self.app.centre, self.id);
        for _ in 0..TRIES {
            let page = centre.read(|tx| Ok::<_, ServiceError>(drafts::next_page(tx, &id)?))?;
            let sealed = self.key.seal_blob(BlobPlace { envelope: id, page }, plain, &mut centre.random());
            let sealed = sealed.map_err(|e| ServiceError::Inconsistent(format!("draft {id}: {e}")))?;
            let (clerk, digest) = (self.clerk.to_owned(), sealed.digest);
            if centre.write(move |tx| drafts::expect_page(tx, (&clerk, &id), (page, &digest)))? {
                let length = sealed.bytes.len() as u64;
                self.app.uploads.blobs().keep(&digest, sealed.bytes)?;
                return Ok(KeptFile { page, digest, length, photo, brought });
            }
        }
        Err(ServiceError::Inconsistent(format!("draft {id}: a page found no number")))
    }
}

/// What became of one file: as it is kept and what names it, nothing if it is there already, or why it is not taken.
type One = Result<Option<(KeptFile, Value)>, &'static str>;

/// The files that a field has.
fn listed(field: &PlanField) -> Vec<Value> {
    match &field.value {
        Some(Value::Array(list)) => list.clone(),
        _ => Vec::new(),
    }
}

/// Whether one of these answers is a file that was brought as the same bytes.
fn has(list: &[Value], kept: &[KeptFile], brought: &Digest) -> bool {
    let mut same = kept.iter().filter(|file| file.brought == *brought);
    same.any(|file| list.iter().any(|value| names(value, &file.digest)))
}

/// Whether an answer names a file.
fn names(value: &Value, digest: &Digest) -> bool {
    let hash = value.as_str().or_else(|| value.get("hash").and_then(Value::as_str));
    hash == Some(digest.to_string().as_str())
}

/// Why a file was not taken, in words.
pub(in crate::pages) fn file_refused(w: Words, field: &PlanField, why: &str) -> String {
    let mib = (MAX_BROUGHT_BYTES >> 20).to_string();
    let why = w.of("window_file", why).replace("{mib}", &mib);
    w.fill("drawing.label_said", &[("label", field.label.get(w.0)), ("said", &why)])
}

/// The answer that names a file: its hash, or where the form wants them, its size and kind as well.
pub(in crate::pages) fn answer_of(
    digest: &Digest,
    (bytes, kind): (usize, &str),
    limits: &FileLimits,
) -> Value {
    match limits.kinds.is_empty() {
        true => Value::from(digest.to_string()),
        false => json!({ "hash": digest.to_string(), "bytes": bytes, "kind": kind }),
    }
}

/// A file as it is handed in, with its media type, or why not.
pub(in crate::pages) fn harmless(
    bytes: &[u8],
    limits: &FileLimits,
    photo: bool,
) -> Result<(Vec<u8>, &'static str), &'static str> {
    if bytes.len() > MAX_BROUGHT_BYTES {
        return Err("large");
    }
    let takes = |kind: &str| limits.kinds.is_empty() || limits.kinds.iter().any(|k| k == kind);
    let fits = |bytes: &[u8]| bytes.len() as u64 <= limits.max_bytes.unwrap_or(MOST_KEPT);
    if bytes.starts_with(PDF) {
        let taken = takes(PDF_TYPE) && !limits.kinds.is_empty();
        return match (taken, fits(bytes)) {
            (false, _) => Err("kind"),
            (true, false) => Err("large"),
            (true, true) => Ok((bytes.to_vec(), PDF_TYPE)),
        };
    }
    let policy = if photo { Policy::PHOTO } else { Policy::PAGE };
    for written_side in SIDES {
        let cleaned = clean(bytes, &Policy { written_side, ..policy }).map_err(|_| "picture")?;
        let kind = cleaned.format.media_type();
        if !takes(kind) {
            return Err("kind");
        }
        if fits(&cleaned.bytes) {
            return Ok((cleaned.bytes, kind));
        }
    }
    Err("large")
}
