//! The terminal's store over real files: once the number is there, it survives; what is broken is left as it is.
use std::fs;
use std::path::Path;

use domain::envelope::{SignedKind, verify_document};
use domain::ids::EnvelopeId;
use domain::wire::v1::{EnvelopeHeader, SlipBody, Submission};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use terminal::store::{DATABASE_FILE, KeyTrouble, Store, StoreError, SubmitError, read_status};
use tests::centre::Centre;
use tests::submission::{COURIER_ID, SECRET_PHONE, courier, submit_as};

const NOW_MS: i64 = 1_795_500_000_000;
const DAY_MS: i64 = 86_400_000;

fn enrolled(dir: &Path) -> Store {
    let mut store = Store::open(dir, NOW_MS).expect("open");
    store.save_enrolment(&Centre::default().enrolment().expect("sample")).expect("enrol");
    store
}

#[test]
fn a_slip_survives_reopening_and_verifies() {
    let dir = tempfile::tempdir().expect("dir");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let id = EnvelopeId::new(NOW_MS, &mut rng);
    let mut store = enrolled(dir.path());
    let slip = submit_as(&mut store, courier(), id, NOW_MS, &mut rng).expect("submit");
    let ring = domain::envelope::KeyRing::new([store.device_key().public()]);
    drop(store);
    let store = Store::open(dir.path(), NOW_MS).expect("reopen");
    let due = store.due(NOW_MS, 50, 512 * 1024).expect("due");
    assert_eq!((due.len(), due[0].upload.digest), (1, slip.digest));
    let body: SlipBody =
        serde_json::from_slice(verify_document(SignedKind::Slip, &slip.slip, &ring).expect("slip"))
            .expect("body");
    assert_eq!((body.number, body.digest, body.envelope_id), (slip.number, slip.digest, id));
}

#[test]
fn what_was_sealed_opens_only_at_the_centre_and_says_what_was_typed() {
    let dir = tempfile::tempdir().expect("dir");
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut store = enrolled(dir.path());
    let id = EnvelopeId::new(NOW_MS, &mut rng);
    submit_as(&mut store, courier(), id, NOW_MS, &mut rng).expect("submit");
    let due = store.due(NOW_MS, 1, usize::MAX).expect("due");
    let header: EnvelopeHeader = serde_json::from_slice(&due[0].upload.header.0).expect("header");
    let centre = Centre::default();
    let key = centre.sealing().unwrap_key(&header.wrapped_key, id).expect("unwrap");
    let plain =
        key.decrypt(header.nonce, &due[0].upload.ciphertext.0, &due[0].upload.header.0).expect("decrypt");
    let content: Submission = serde_json::from_slice(&plain).expect("content");
    assert_eq!(content.applicant.id_number, COURIER_ID);
    assert_eq!(content.answers["phone"], SECRET_PHONE);
    assert_eq!(header.seq, 1);
}

#[test]
fn t01_nothing_of_a_person_lies_on_the_disk_in_clear() {
    let dir = tempfile::tempdir().expect("dir");
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut store = enrolled(dir.path());
    submit_as(&mut store, courier(), EnvelopeId::new(NOW_MS, &mut rng), NOW_MS, &mut rng).expect("submit");
    let mut files = 0;
    for entry in fs::read_dir(dir.path()).expect("dir") {
        let bytes = fs::read(entry.expect("entry").path()).expect("read");
        for secret in [COURIER_ID, SECRET_PHONE, "样例骑手", "样例路"] {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret}");
        }
        files += 1;
    }
    assert!(files >= 3, "database, write-ahead log and key are there");
}

#[test]
fn the_same_submission_twice_is_one_row_and_one_number() {
    let dir = tempfile::tempdir().expect("dir");
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let mut store = enrolled(dir.path());
    let id = EnvelopeId::new(NOW_MS, &mut rng);
    let first = submit_as(&mut store, courier(), id, NOW_MS, &mut rng).expect("first");
    let again = submit_as(&mut store, courier(), id, NOW_MS + 5, &mut rng).expect("again");
    assert_eq!(first, again);
    assert_eq!(store.queue_view().expect("queue").waiting, 1);
}

#[test]
fn numbers_run_through_days_and_never_go_back_with_the_clock() {
    let dir = tempfile::tempdir().expect("dir");
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let mut store = enrolled(dir.path());
    let mut numbers = Vec::new();
    for at in [NOW_MS, NOW_MS, NOW_MS + DAY_MS, NOW_MS - 30 * DAY_MS] {
        let id = EnvelopeId::new(at, &mut rng);
        numbers.push(submit_as(&mut store, courier(), id, at, &mut rng).expect("submit").number.to_string());
    }
    let heads: Vec<&str> = numbers.iter().map(|n| &n[2..15]).collect();
    assert_eq!(heads, ["2611240010001", "2611240010002", "2611250010001", "2611250010002"]);
}

#[test]
fn a_terminal_that_is_not_enrolled_takes_nothing_and_writes_nothing() {
    let dir = tempfile::tempdir().expect("dir");
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let mut store = Store::open(dir.path(), NOW_MS).expect("open");
    let id = EnvelopeId::new(NOW_MS, &mut rng);
    assert!(matches!(submit_as(&mut store, courier(), id, NOW_MS, &mut rng), Err(SubmitError::NotEnrolled)));
    assert_eq!(store.queue_view().expect("queue").waiting, 0);
    store.save_enrolment(&Centre::default().enrolment().expect("sample")).expect("enrol");
    submit_as(&mut store, courier(), id, NOW_MS, &mut rng).expect("submit");
    let due = store.due(NOW_MS, 1, usize::MAX).expect("due");
    let header: EnvelopeHeader = serde_json::from_slice(&due[0].upload.header.0).expect("header");
    assert_eq!(header.seq, 1, "the failed try took no place in the series");
}

#[test]
fn a_person_finds_only_the_own_slips() {
    let dir = tempfile::tempdir().expect("dir");
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let mut store = enrolled(dir.path());
    let mut elder = courier();
    elder.id_number = "639900194403150015".to_owned();
    let own =
        submit_as(&mut store, courier(), EnvelopeId::new(NOW_MS, &mut rng), NOW_MS, &mut rng).expect("own");
    submit_as(&mut store, elder, EnvelopeId::new(NOW_MS, &mut rng), NOW_MS, &mut rng).expect("other");
    let found = store.my_slips(COURIER_ID).expect("slips");
    assert_eq!(found.iter().map(|c| &c.number).collect::<Vec<_>>(), [&own.number]);
    assert!(store.my_slips("").expect("nobody").is_empty());
}

#[test]
fn the_queue_can_be_read_beside_a_running_terminal() {
    let dir = tempfile::tempdir().expect("dir");
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let mut store = enrolled(dir.path());
    let slip = submit_as(&mut store, courier(), EnvelopeId::new(NOW_MS, &mut rng), NOW_MS, &mut rng)
        .expect("submit");
    let rows = read_status(dir.path(), 10).expect("status");
    assert_eq!((rows.len(), rows[0].state.as_str()), (1, "queued"));
    assert_eq!(rows[0].digest, slip.digest.to_string());
    let json = serde_json::to_string(&rows[0].number).expect("json");
    assert!(json.contains(slip.number.as_str()));
}

#[test]
fn a_broken_database_is_refused_and_left_byte_for_byte() {
    let good = tempfile::tempdir().expect("dir");
    drop(enrolled(good.path()));
    let sound = fs::read(good.path().join(DATABASE_FILE)).expect("read");
    let mut scrambled = sound.clone();
    for byte in scrambled.iter_mut().skip(4_096).step_by(7) {
        *byte ^= 0x5A;
    }
    let variants: [(&str, Vec<u8>); 5] = [
        ("empty", Vec::new()),
        ("text", b"this is not a database".repeat(100)),
        ("cut", sound[..sound.len() / 3].to_vec()),
        ("scrambled", scrambled),
        ("zeros", vec![0; 8_192]),
    ];
    for (name, bytes) in variants {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join(DATABASE_FILE);
        fs::write(&file, &bytes).expect("write");
        assert!(matches!(Store::open(dir.path(), NOW_MS), Err(StoreError::Corrupt)), "{name}");
        assert_eq!(fs::read(&file).expect("read"), bytes, "{name} was changed");
    }
}

/// Seed 1 of the simulation: the quick check of SQLite passes by an empty index whose page says that it is another kind of
/// page, and whatever asks that index later fails.
#[test]
fn a_bit_that_says_what_a_page_is_turns_nowhere_unnoticed() {
    const PAGE: usize = 4_096;
    let dir = tempfile::tempdir().expect("dir");
    let mut store = enrolled(dir.path());
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    submit_as(&mut store, courier(), EnvelopeId::new(NOW_MS, &mut rng), NOW_MS, &mut rng).expect("submit");
    drop(store);
    let file = dir.path().join(DATABASE_FILE);
    let sound = fs::read(&file).expect("read");
    assert!(sound.len() > 20 * PAGE, "one file with all of it");
    for at in (PAGE..sound.len()).step_by(PAGE) {
        for bit in 0..8 {
            let mut turned = sound.clone();
            turned[at] ^= 1 << bit;
            fs::write(&file, &turned).expect("write");
            let opened = Store::open(dir.path(), NOW_MS).map(drop);
            assert!(
                matches!(opened, Err(StoreError::Corrupt)),
                "page {} bit {bit}: {opened:?}",
                at / PAGE + 1
            );
        }
    }
    fs::write(&file, &sound).expect("write");
    assert!(Store::open(dir.path(), NOW_MS).is_ok());
}

#[test]
fn a_newer_database_is_refused_and_left_byte_for_byte() {
    let dir = tempfile::tempdir().expect("dir");
    drop(enrolled(dir.path()));
    let file = dir.path().join(DATABASE_FILE);
    let connection = rusqlite::Connection::open(&file).expect("open");
    connection.pragma_update(None, "user_version", 99).expect("newer");
    connection.close().map_err(|(_, e)| e).expect("close");
    let before = fs::read(&file).expect("read");
    assert!(matches!(Store::open(dir.path(), NOW_MS), Err(StoreError::Newer { found: 99, .. })));
    assert_eq!(fs::read(&file).expect("read"), before);
}

#[test]
fn a_folder_or_a_file_in_the_way_is_an_error_not_a_panic() {
    let dir = tempfile::tempdir().expect("dir");
    fs::create_dir(dir.path().join(DATABASE_FILE)).expect("in the way");
    assert!(matches!(Store::open(dir.path(), NOW_MS), Err(StoreError::Corrupt)));
    let file = dir.path().join("a-file");
    fs::write(&file, b"x").expect("write");
    assert!(matches!(Store::open(&file, NOW_MS), Err(StoreError::Io(_))));
    let keyed = tempfile::tempdir().expect("dir");
    fs::write(keyed.path().join("device.key"), b"not a key").expect("write");
    assert!(matches!(Store::open(keyed.path(), NOW_MS), Err(StoreError::Key(KeyTrouble::Damaged))));
}

#[test]
fn the_device_key_belongs_to_its_owner_only_and_stays_the_same() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("dir");
    let first = Store::open(dir.path(), NOW_MS).expect("open").device_key().public();
    let mode = fs::metadata(dir.path().join("device.key")).expect("key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(Store::open(dir.path(), NOW_MS).expect("reopen").device_key().public(), first);
}

#[test]
fn a_log_without_its_database_is_left_for_a_person_to_look_at() {
    let dir = tempfile::tempdir().expect("dir");
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let mut store = enrolled(dir.path());
    submit_as(&mut store, courier(), EnvelopeId::new(NOW_MS, &mut rng), NOW_MS, &mut rng).expect("submit");
    let log = fs::read(dir.path().join("terminal.db-wal")).expect("log");
    drop(store);
    fs::remove_file(dir.path().join(DATABASE_FILE)).expect("lost");
    fs::write(dir.path().join("terminal.db-wal"), &log).expect("leftover");
    assert!(matches!(Store::open(dir.path(), NOW_MS), Err(StoreError::Corrupt)));
    assert!(!dir.path().join(DATABASE_FILE).exists(), "nothing new was put beside it");
    assert_eq!(fs::read(dir.path().join("terminal.db-wal")).expect("log"), log);
}

#[test]
fn the_store_belongs_to_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("dir");
    let data = dir.path().join("data");
    let _store = enrolled(&data);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join(DATABASE_FILE))), (0o700, 0o600));
    assert_eq!(mode(&data.join("terminal.db-wal")), 0o600);
}
