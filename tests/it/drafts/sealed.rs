//! What lies on the disk: sealed, bound to where it belongs, and gone when it was handed in or refused.
use std::fs;
use std::path::Path;

use domain::applicant::IdentitySource;
use domain::envelope::DataKey;
use domain::form::Answers;
use domain::ids::EnvelopeId;
use terminal::store::{DATABASE_FILE, DraftError, KEY_FILE, MAX_DRAFTS, NewSubmission, Store};
use tests::device::CATALOGUE;
use tests::submission::{COURIER_ID, SECRET_PHONE, answers, courier};

use super::{CONTENT, Desk, ELDER_ID, NOW_MS, item};

fn desk() -> (tempfile::TempDir, Desk) {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = Desk::new(folder.path());
    (folder, desk)
}

/// Whether these bytes stand in any file of the folder.
fn lies_in(folder: &Path, wanted: &[u8]) -> bool {
    let found = |path: &Path| fs::read(path).expect("read").windows(wanted.len()).any(|w| w == wanted);
    fs::read_dir(folder).expect("folder").any(|entry| found(&entry.expect("entry").path()))
}

fn beside(folder: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.join(DATABASE_FILE)).expect("the database")
}

#[test]
fn a_draft_opens_for_the_same_card_after_a_restart_and_for_nobody_else() {
    let (folder, mut desk) = desk();
    let (id, key) = desk.keep(COURIER_ID, 1_000);
    drop(desk);
    let mut store = Store::open(folder.path(), NOW_MS).expect("reopen");
    let rows = store.drafts_of(COURIER_ID).expect("drafts");
    assert_eq!((rows.len(), &rows[0].item, rows[0].written_ms), (1, &item(), 1_000));
    let opened = store.open_draft(COURIER_ID, &item()).expect("it opens");
    assert_eq!((opened.envelope_id, opened.catalogue_version), (id, CATALOGUE));
    assert_eq!((opened.content.as_slice(), opened.data_key.to_bytes()), (CONTENT, key.to_bytes()));
    assert!(store.drafts_of(ELDER_ID).expect("drafts").is_empty(), "another card sees nothing");
    assert!(matches!(store.open_draft(ELDER_ID, &item()), Err(DraftError::Gone)));
    assert!(matches!(store.open_draft(COURIER_ID, &"no.such".parse().expect("code")), Err(DraftError::Gone)));
    assert_eq!(store.drafts_of(COURIER_ID).expect("drafts").len(), 1, "opening leaves it there");
}

#[test]
fn t01_a_stolen_database_without_its_key_file_opens_nothing() {
    let (folder, mut desk) = desk();
    desk.keep(COURIER_ID, 1_000);
    drop(desk);
    fs::remove_file(folder.path().join(KEY_FILE)).expect("the thief has no key file");
    assert!(Store::open(folder.path(), NOW_MS).is_err(), "the program does not go on without it");
    // Nor does a thief come further who has it believe that it is new.
    let forget = "DELETE FROM meta WHERE key = 'identity'";
    assert_eq!(beside(folder.path()).execute(forget, []).expect("forgotten"), 1);
    let mut store = Store::open(folder.path(), NOW_MS).expect("reopen");
    assert!(store.drafts_of(COURIER_ID).expect("drafts").is_empty(), "nobody can even be found");
    assert!(store.open_draft(COURIER_ID, &item()).is_err());
}

#[test]
fn nothing_of_a_draft_lies_on_the_disk_in_clear() {
    let (folder, mut desk) = desk();
    let (_, key) = desk.keep(COURIER_ID, 1_000);
    for secret in [COURIER_ID.as_bytes(), SECRET_PHONE.as_bytes(), key.to_bytes().as_slice()] {
        assert!(!lies_in(folder.path(), secret));
    }
    assert!(lies_in(folder.path(), item().as_str().as_bytes()), "the search finds what is there");
}

#[test]
fn a_draft_that_was_moved_or_altered_is_told_and_erased() {
    for change in [
        "UPDATE draft SET item = 'hrss.other'",
        "UPDATE draft SET catalogue_version = catalogue_version + 1",
        "UPDATE draft SET written_ms = written_ms + 1",
        "UPDATE draft SET envelope_id = '019ab2c3-d4e5-7000-8000-000000000009'",
        "UPDATE draft SET envelope_id = 'nothing'",
        "UPDATE draft SET catalogue_version = -1",
        "UPDATE draft SET content = x''",
        "UPDATE draft SET content = zeroblob(length(content))",
        "UPDATE draft SET wrapped_key = substr(wrapped_key, 1, 20)",
        "UPDATE draft SET wrapped_key = content, content = wrapped_key",
    ] {
        let (folder, mut desk) = desk();
        desk.keep(COURIER_ID, 1_000);
        assert_eq!(beside(folder.path()).execute(change, []).expect(change), 1);
        let moved = if change.contains("hrss.other") { "hrss.other".parse().expect("code") } else { item() };
        assert!(matches!(desk.store.open_draft(COURIER_ID, &moved), Err(DraftError::Damaged)), "{change}");
        assert_eq!(desk.count(), 0, "{change}: it is erased");
    }
}

#[test]
fn the_draft_of_another_person_cannot_be_put_in_the_place_of_the_own() {
    let (folder, mut desk) = desk();
    desk.keep(COURIER_ID, 1_000);
    desk.keep(ELDER_ID, 1_000);
    let swap = "UPDATE draft SET (envelope_id, wrapped_key, content) =
                (SELECT envelope_id, wrapped_key, content FROM draft ORDER BY rowid LIMIT 1)";
    beside(folder.path()).execute(swap, []).expect("swapped");
    assert!(desk.store.open_draft(COURIER_ID, &item()).is_ok(), "the first one is as it was");
    assert!(matches!(desk.store.open_draft(ELDER_ID, &item()), Err(DraftError::Damaged)));
}

#[test]
fn one_draft_for_a_person_and_an_item_and_the_oldest_gives_way() {
    let (_folder, mut desk) = desk();
    desk.keep(COURIER_ID, 1);
    let (newer, _) = desk.keep(COURIER_ID, 2);
    assert_eq!(desk.count(), 1);
    assert_eq!(desk.store.open_draft(COURIER_ID, &item()).expect("opened").envelope_id, newer);
    for n in 0..MAX_DRAFTS {
        let other = format!("hrss.other-{n}").parse().expect("a code");
        desk.keep_of(ELDER_ID, &other, CATALOGUE, 10 + i64::try_from(n).expect("small"));
    }
    assert_eq!(desk.store.drafts_of(ELDER_ID).expect("drafts").len(), MAX_DRAFTS);
    assert_eq!(desk.count(), 0, "the oldest of all gave way");
}

#[test]
fn what_is_handed_in_leaves_no_draft_behind_and_no_key_to_it() {
    let (folder, mut desk) = desk();
    let (id, data_key) = desk.keep(COURIER_ID, 1_000);
    desk.keep(ELDER_ID, 1_000);
    let wrapped: Vec<u8> = beside(folder.path())
        .query_row("SELECT wrapped_key FROM draft WHERE envelope_id = ?1", [id.to_string()], |r| r.get(0))
        .expect("the row");
    assert!(lies_in(folder.path(), &wrapped));
    submit(&mut desk, (id, data_key), &answers());
    assert_eq!(desk.count(), 0);
    assert!(!lies_in(folder.path(), &wrapped), "neither in the database nor in its log");
    assert_eq!(desk.store.drafts_of(ELDER_ID).expect("drafts").len(), 1, "other people keep theirs");
}

#[test]
fn what_could_not_be_handed_in_keeps_its_draft() {
    let (_folder, mut desk) = desk();
    let (id, data_key) = desk.keep(COURIER_ID, 1_000);
    let mut large = Answers::default();
    large.set("note", "x".repeat(200_000).into());
    let new = submission(id, data_key, &large);
    assert!(desk.store.submit(new, &mut desk.rng).is_err());
    assert_eq!(desk.count(), 1);
}

fn submit(desk: &mut Desk, (id, data_key): (EnvelopeId, DataKey), answers: &Answers) {
    let new = submission(id, data_key, answers);
    desk.store.submit(new, &mut desk.rng).expect("handed in");
}

fn submission(envelope_id: EnvelopeId, data_key: DataKey, answers: &Answers) -> NewSubmission<'_> {
    let person = courier();
    assert_eq!(person.source, IdentitySource::Read);
    NewSubmission {
        envelope_id,
        data_key,
        item: item(),
        catalogue_version: CATALOGUE,
        person,
        answers,
        situation: None,
        now_ms: NOW_MS,
        boot_ms: 1,
    }
}

#[test]
fn a_refused_draft_is_gone_from_the_disk() {
    let (folder, mut desk) = desk();
    desk.keep(COURIER_ID, 1_000);
    let content: Vec<u8> =
        beside(folder.path()).query_row("SELECT content FROM draft", [], |r| r.get(0)).expect("the row");
    assert!(lies_in(folder.path(), &content));
    desk.store.erase_draft(COURIER_ID, &item()).expect("erased");
    assert!(!lies_in(folder.path(), &content));
    desk.store.erase_draft(COURIER_ID, &item()).expect("once more is nothing");
}

#[test]
fn a_draft_that_is_larger_than_a_submission_is_not_kept() {
    let (_folder, mut desk) = desk();
    let key = DataKey::new(&mut desk.rng);
    let id = EnvelopeId::new(NOW_MS, &mut desk.rng);
    let content = vec![0; domain::envelope::MAX_PAYLOAD_BYTES + 1];
    let kept = desk.try_keep((id, &key), (COURIER_ID, &item(), CATALOGUE), &content, 1);
    assert!(matches!(kept, Err(DraftError::TooLarge)));
    assert_eq!(desk.count(), 0);
}
