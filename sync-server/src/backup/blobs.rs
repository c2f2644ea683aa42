//! Attachments in backups: copies of their files beside the backups, and up to where everything is safe with them.
//!
//! The files lie in one folder of the folder of backups, under their digests as the centre keeps them, and sealed as they
//! came: the keys that open them stand, wrapped, in the backups. Each is copied once, for all backups. Refuses to count a
//! copy whose bytes were not read back with their digest: until then it lies under another name.
use std::collections::BTreeSet;
use std::path::Path;

use domain::envelope::Digest;
use domain::ids::EnvelopeId;
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::blobs::{BlobError, BlobPlace, Blobs};
use crate::services::blobs::AWAITED;
use crate::services::{audit, uploads};
use crate::store::{StoreError, Tx};

/// Name of the folder of attachments in a folder of backups.
pub const FOLDER: &str = "attachments";

/// The alarm that says that an attachment is awaited again, because the centre has it no more: its subject is the envelope.
const LOST: &str = "blob.lost";

/// One file of an attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobFile {
    /// SHA-256 of its bytes, and its name.
    pub digest: Digest,
    /// Its bytes.
    pub length: u64,
}

/// Files of all attachments that are here in a state of the store.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn listed(tx: &mut Tx<'_>) -> Result<Vec<BlobFile>, StoreError> {
    let sql = "SELECT DISTINCT digest, length FROM blob_ WHERE arrived_at_ms IS NOT NULL ORDER BY digest";
    let file = |row: &crate::store::Row| Ok(BlobFile { digest: row.parsed(0)?, length: row.uint(1)? });
    tx.query(sql, &[])?.iter().map(file).collect()
}

/// The place in the centre's order up to which no attachment is awaited; `highest` if none is. Of a terminal that was
/// taken out of service nothing is awaited, nor is what was given up.
pub fn whole_upto(tx: &mut Tx<'_>, highest: u64) -> Result<u64, StoreError> {
    fail::fail_point!("planted::durable_without_blobs", |_| Ok(highest));
    let awaited = format!(
        "SELECT MIN(e.server_seq) FROM blob_ b JOIN envelope e ON e.envelope_id = b.envelope_id
         JOIN terminal t ON t.id = e.terminal WHERE t.status = 'active' AND {AWAITED}"
    );
    Ok(before(first_of(tx, &awaited, &[])?, highest))
}

/// The place in the centre's order before the first envelope that names one of these attachments; `highest` if none
/// does.
pub fn upto_without(tx: &mut Tx<'_>, lost: &[Digest], highest: u64) -> Result<u64, StoreError> {
    let place = "SELECT server_seq FROM envelope WHERE envelope_id = $1";
    let mut upto = highest;
    for digest in lost {
        // Not in one statement: the least of all envelopes would be looked for among all of them.
        for id in naming(tx, digest)? {
            upto = before(first_of(tx, place, &[id.to_string().into()])?, upto);
        }
    }
    Ok(upto)
}

fn first_of(tx: &mut Tx<'_>, sql: &str, values: &[crate::store::Value]) -> Result<Option<i64>, StoreError> {
    tx.query_first(sql, values)?.map_or(Ok(None), |row| row.int_or_null(0))
}

fn before(first: Option<i64>, highest: u64) -> u64 {
    let first = first.and_then(|seq| u64::try_from(seq).ok());
    first.map_or(highest, |seq| highest.min(seq.saturating_sub(1)))
}

/// Attachments that could not be copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Where they should lie is nothing, or other bytes.
    pub gone: Vec<Digest>,
    /// Their file could not be read, though their place answers.
    pub unread: Vec<Digest>,
    /// Nobody knows: their place does not answer.
    pub unasked: Vec<Digest>,
}

impl Lacking {
    /// All of them.
    pub fn digests(&self) -> Vec<Digest> {
        [self.gone.as_slice(), &self.unread, &self.unasked].concat()
    }
}

/// Files that one backup tries in vain to read, at most: each may take its time.
const MOST_UNREAD: usize = 20;
/// Attachments that one backup names in the log, at most.
const MOST_NAMED: usize = 100;

/// The order in which a backup asks for files: those last that one could not read before, beginning with another of them
/// each time. So none keeps others from being copied for ever, however many there are.
pub fn in_turn(listed: Vec<BlobFile>, unread: &BTreeSet<Digest>, rng: &mut impl Rng) -> Vec<BlobFile> {
    let (mut last, mut all): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|file| unread.contains(&file.digest));
    if !last.is_empty() {
        let first = usize::try_from(rng.next_u32()).unwrap_or(0) % last.len();
        last.rotate_left(first);
    }
    all.append(&mut last);
    all
}

/// Copies files that are not there yet, in this order ([`in_turn`]); gives those that cannot be had. What lies in the
/// target under its digest is not read again: it got that name only after its bytes had been read back and compared. A
/// place that does not answer, or at which too many cannot be read, is asked no further: rows are backed up all the same.
///
/// # Errors
/// [`BlobError`] if the target cannot be written, or gives back other bytes than it was given.
pub fn copy(listed: &[BlobFile], from: &BlobPlace, to: &BlobPlace) -> Result<Lacking, BlobError> {
    let mut lacking = Lacking::default();
    if listed.is_empty() {
        return Ok(lacking);
    }
    let (mut from, to) = (answering(Blobs::open_existing(from)), Blobs::open(to)?);
    for file in listed {
        if to.length(&file.digest)? == Some(file.length) {
            continue;
        }
        match from.as_ref().map(|from| found(from.read(&file.digest))) {
            Some(Ok(Some(bytes))) => to.keep_compared(&file.digest, bytes)?,
            Some(Ok(None)) => lacking.gone.push(file.digest),
            Some(Err(e)) => {
                let blob = file.digest.short();
                tracing::error!(error = &e as &dyn std::error::Error, %blob, "an attachment cannot be read");
                from = from.and_then(|from| answering(from.check().map(|()| from)));
                let answers = from.is_some();
                (if answers { &mut lacking.unread } else { &mut lacking.unasked }).push(file.digest);
                from = from.filter(|_| lacking.unread.len() < MOST_UNREAD);
            }
            None => lacking.unasked.push(file.digest),
        }
    }
    for blob in lacking.gone.iter().take(MOST_NAMED).map(Digest::short) {
        tracing::error!(%blob, "an attachment is gone or altered and cannot be copied");
    }
    if lacking != Lacking::default() {
        tracing::error!(
            gone = lacking.gone.len(),
            unread = lacking.unread.len(),
            unasked = lacking.unasked.len(),
            "attachments were not copied; the next backup tries again, and begins with those that were not asked for"
        );
    }
    Ok(lacking)
}

/// A place, if it answers; tells if it does not.
fn answering(place: Result<Blobs, BlobError>) -> Option<Blobs> {
    let tell = |e: &BlobError| {
        tracing::error!(error = e as &dyn std::error::Error, "the place of attachments does not answer");
    };
    place.inspect_err(tell).ok()
}

/// Brings files back to where the centre keeps them, as [`bring_one`]; gives those that nobody has.
///
/// # Errors
/// As [`bring_one`], of the first file of which nobody can say where it is.
pub fn bring_back(listed: &[BlobFile], copies: &Blobs, to: &Blobs) -> Result<Vec<Digest>, BlobError> {
    let mut lost = Vec::new();
    for file in listed {
        if !bring_one(file, || Ok(Some(copies)), to)? {
            lost.push(file.digest);
        }
    }
    for blob in lost.iter().map(Digest::short) {
        tracing::error!(%blob, "an attachment is lost");
    }
    Ok(lost)
}

/// Brings a file back to where the centre keeps it, from its copy if there are any; false if nobody has it. What lies
/// there already counts only if its bytes have their digest: a folder or a bucket that outlived its centre may have rotted.
/// Only if it does not, somebody asks for the copies.
///
/// # Errors
/// [`BlobError`] if the centre's file cannot be read and there is no copy, if the copies cannot be read, or if the centre's
/// place cannot be written or gives back other bytes than it was given: nothing is called lost because nobody answered.
pub fn bring_one<'a>(
    file: &BlobFile,
    copies: impl FnOnce() -> Result<Option<&'a Blobs>, BlobError>,
    to: &Blobs,
) -> Result<bool, BlobError> {
    let here = found(to.read(&file.digest));
    if matches!(here, Ok(Some(_))) {
        return Ok(true);
    }
    match copies()?.map_or(Ok(None), |copies| found(copies.read(&file.digest)))? {
        Some(bytes) => {
            to.keep(&file.digest, bytes)?;
            to.read(&file.digest)?;
            Ok(true)
        }
        None => here.map(|_| false),
    }
}

/// The bytes of a file; none if it is gone or holds others. All else says nothing of it, and is an error.
fn found(read: Result<Vec<u8>, BlobError>) -> Result<Option<Vec<u8>>, BlobError> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(BlobError::Gone(_) | BlobError::Altered(_)) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Where the attachments of a backup lie.
pub fn beside(backups: &Path) -> BlobPlace {
    BlobPlace::Folder(backups.join(FOLDER))
}

/// Awaits attachments again that a restored store names and nobody has: their terminals may have them still. Uploads
/// that were on their way are forgotten: their bytes were never in a backup.
pub fn await_again(tx: &mut Tx<'_>, now_ms: i64, lost: &[Digest]) -> Result<(), StoreError> {
    uploads::forget_all(tx)?;
    lost.iter().try_for_each(|digest| await_one(tx, now_ms, digest))
}

/// As [`await_again`] for one attachment of a centre that goes on, whose bytes are gone or others.
pub fn await_one(tx: &mut Tx<'_>, now_ms: i64, digest: &Digest) -> Result<(), StoreError> {
    let blob = digest.to_string();
    // An upload that was done would keep its terminal from sending it once more.
    tx.execute("DELETE FROM upload WHERE digest = $1", &[blob.as_str().into()])?;
    tx.execute("UPDATE blob_ SET arrived_at_ms = NULL WHERE digest = $1", &[blob.as_str().into()])?;
    for id in naming(tx, digest)? {
        let id = id.to_string();
        tx.execute("UPDATE envelope SET complete = 0 WHERE envelope_id = $1", &[id.as_str().into()])?;
        audit::raise_alarm(tx, now_ms, LOST, &id, Some(digest))?;
    }
    Ok(())
}

fn naming(tx: &mut Tx<'_>, digest: &Digest) -> Result<Vec<EnvelopeId>, StoreError> {
    let rows = tx.query("SELECT envelope_id FROM blob_ WHERE digest = $1", &[digest.to_string().into()])?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    /// Folders of the centre and of the backups, and three files that are kept in none of them yet.
    struct Places {
        root: tempfile::TempDir,
        files: Vec<(BlobFile, Vec<u8>)>,
    }

    impl Places {
        fn new() -> Self {
            Self::of(3)
        }

        fn of(count: u8) -> Self {
            let file = |n: u8| {
                let bytes = vec![n; 10];
                (BlobFile { digest: Digest::of(&bytes), length: 10 }, bytes)
            };
            Self { root: tempfile::tempdir().expect("a folder"), files: (1..=count).map(file).collect() }
        }

        fn place(&self, name: &str) -> BlobPlace {
            BlobPlace::Folder(self.root.path().join(name))
        }

        fn open(&self, name: &str) -> Blobs {
            Blobs::open(&self.place(name)).expect("open")
        }

        fn listed(&self) -> Vec<BlobFile> {
            self.files.iter().map(|(file, _)| file.clone()).collect()
        }

        fn digest(&self, n: usize) -> Digest {
            self.files[n].0.digest
        }

        fn keep_all(&self, name: &str) {
            for (file, bytes) in &self.files {
                self.open(name).keep(&file.digest, bytes.clone()).expect("kept");
            }
        }

        /// The folder in which a file lies.
        fn around(&self, name: &str, n: usize) -> PathBuf {
            self.root.path().join(name).join(&self.digest(n).to_string()[..2])
        }

        /// Nothing can be said of a file: where its folder was is a file.
        fn block(&self, name: &str, n: usize) {
            let folder = self.around(name, n);
            if folder.exists() {
                fs::remove_dir_all(&folder).expect("removed");
            }
            fs::create_dir_all(folder.parent().expect("a root")).expect("made");
            fs::write(folder, "in the way").expect("written");
        }
    }

    #[test]
    fn a_backup_tells_what_is_gone_from_what_could_not_be_read() {
        let at = Places::new();
        at.keep_all("centre");
        at.block("centre", 0);
        at.open("centre").remove(&at.digest(1)).expect("removed");
        let lacking = copy(&at.listed(), &at.place("centre"), &at.place("copies")).expect("copied");
        assert_eq!((&*lacking.gone, &*lacking.unread), (&[at.digest(1)][..], &[at.digest(0)][..]));
        assert!(lacking.unasked.is_empty());
        assert_eq!(
            at.open("copies").length(&at.digest(2)).expect("asked"),
            Some(10),
            "the others are copied"
        );
    }

    #[test]
    fn a_backup_asks_a_place_no_further_that_does_not_answer() {
        let at = Places::new();
        let none = copy(&at.listed(), &at.place("none"), &at.place("copies")).expect("copied");
        assert_eq!(
            (none.gone.len(), none.unread.len(), none.unasked.len()),
            (0, 0, 3),
            "a folder that is not there holds nothing"
        );
        assert!(!at.root.path().join("none").exists(), "and is not made");
        at.keep_all("centre");
        at.block("centre", 0);
        fs::write(at.root.path().join("centre").join("00"), "in the way").expect("written");
        let lacking = copy(&at.listed(), &at.place("centre"), &at.place("copies")).expect("copied");
        assert_eq!((lacking.gone.len(), lacking.unread.len(), lacking.unasked.len()), (0, 0, 3));
        assert_eq!(at.open("copies").length(&at.digest(1)).expect("asked"), None);
    }

    #[test]
    fn files_that_cannot_be_read_keep_no_other_from_being_copied_for_ever() {
        let at = Places::of(60);
        at.keep_all("centre");
        // All of some folders cannot be read: more files than one backup tries in vain.
        let mut listed = at.listed();
        listed.sort_by_key(|file| std::cmp::Reverse(file.digest.to_string()));
        let folder = |file: &BlobFile| at.root.path().join("centre").join(&file.digest.to_string()[..2]);
        for file in &listed[..2 * MOST_UNREAD + 3] {
            let n = at.files.iter().position(|(other, _)| other == file).expect("one of them");
            if folder(file).is_dir() {
                at.block("centre", n);
            }
        }
        let (bad, good): (Vec<_>, Vec<_>) = listed.iter().partition(|file| folder(file).is_file());
        assert!(bad.len() > 2 * MOST_UNREAD && good.len() > 5, "{} {}", bad.len(), good.len());
        let (mut known, mut rng) = (BTreeSet::new(), ChaCha20Rng::seed_from_u64(1));
        let mut back_up = || {
            let asked = in_turn(listed.clone(), &known, &mut rng);
            let lacking = copy(&asked, &at.place("centre"), &at.place("copies")).expect("copied");
            assert!(lacking.unread.len() <= MOST_UNREAD, "each may take its time");
            known.extend(&lacking.unread);
            lacking
        };
        for _ in 0..bad.len().div_ceil(MOST_UNREAD) {
            back_up();
        }
        let is_copied = |file: &BlobFile| at.open("copies").length(&file.digest).expect("asked").is_some();
        assert!(good.iter().all(|file| is_copied(file)), "all that can be read");
        // One is mended: those behind which it stands do not keep it away.
        let mended = bad[bad.len() - 1];
        fs::remove_file(folder(mended)).expect("removed");
        let (_, bytes) = at.files.iter().find(|(file, _)| file == mended).expect("its bytes");
        at.open("centre").keep(&mended.digest, bytes.clone()).expect("kept");
        for _ in 0..30 {
            if !is_copied(mended) {
                back_up();
            }
        }
        assert!(is_copied(mended));
    }

    #[test]
    fn nothing_is_called_lost_because_nobody_answered() {
        let at = Places::new();
        at.keep_all("copies");
        at.open("copies").remove(&at.digest(1)).expect("removed");
        let bring = || bring_back(&at.listed(), &at.open("copies"), &at.open("centre"));
        assert_eq!(bring().expect("brought"), [at.digest(1)], "nobody has it");
        assert_eq!(at.open("centre").read(&at.digest(2)).expect("read"), at.files[2].1);
        // Of what is at the centre nobody asks whether there is a copy; altered bytes are none.
        at.block("copies", 2);
        fs::write(at.around("copies", 0).join(at.digest(0).to_string()), "altered").expect("written");
        at.open("centre").remove(&at.digest(0)).expect("removed");
        assert_eq!(bring().expect("brought"), [at.digest(0), at.digest(1)]);
        let alone = |n: usize| bring_one(&at.files[n].0, || Ok(None), &at.open("centre")).expect("looked");
        assert_eq!([alone(0), alone(1), alone(2)], [false, false, true], "without copies");
        at.block("centre", 1);
        assert!(bring().is_err(), "the centre's place may have it");
        fs::remove_file(at.around("centre", 1)).expect("removed");
        at.block("copies", 1);
        assert!(bring().is_err(), "its copy may be there");
    }
}
