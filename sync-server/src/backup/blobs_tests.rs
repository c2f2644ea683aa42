//! Copies that are made, brought back and missed, over real folders.
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
    assert_eq!(at.open("copies").length(&at.digest(2)).expect("asked"), Some(10), "the others are copied");
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
