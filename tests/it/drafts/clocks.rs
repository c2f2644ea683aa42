//! Time: a draft lives its hours by clocks that nobody sets, and is erased where nobody can say how old it is.
use terminal::store::CatalogueTrust;
use terminal::trusted_time::Reading;
use tests::submission::COURIER_ID;

use super::{Desk, NOW_MS};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const IN_2040_MS: i64 = 2_208_988_800_000;

fn at(machine_ms: i64, boot_ms: i64, boot: u64) -> Reading {
    Reading { machine_ms, boot_ms, boot }
}

#[test]
fn a_draft_lives_its_hours_and_not_a_moment_longer() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut desk = Desk::new(folder.path());
    desk.keep(COURIER_ID, 5_000);
    assert_eq!(desk.store.erase_old_drafts(5_000 + DAY_MS - 1, DAY_MS).expect("looked"), 0);
    assert_eq!(desk.store.erase_old_drafts(5_000 + DAY_MS, DAY_MS).expect("looked"), 1);
    desk.keep(COURIER_ID, 5_000);
    assert_eq!(desk.store.erase_old_drafts(4_999, DAY_MS).expect("looked"), 1, "one from the future");
    assert_eq!(desk.count(), 0);
}

#[test]
fn a_clock_that_jumps_while_the_machine_runs_changes_no_age() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut desk = Desk::new(folder.path());
    let mut tell = |reading| desk.store.tell_time(reading).expect("told").lived_ms;
    let start = tell(at(NOW_MS, HOUR_MS, 1));
    for (machine_ms, hours) in [(0, 2), (IN_2040_MS, 3), (NOW_MS, 4)] {
        assert_eq!(tell(at(machine_ms, HOUR_MS * hours, 1)) - start, HOUR_MS * (hours - 1));
    }
}

#[test]
fn a_restart_with_a_sound_clock_keeps_drafts_and_one_with_a_wrong_clock_erases_them() {
    for (name, restart, kept) in [
        ("the next morning", at(NOW_MS + 13 * HOUR_MS, HOUR_MS, 2), 1),
        ("in 1970", at(0, HOUR_MS, 2), 0),
        ("in 2040", at(IN_2040_MS, HOUR_MS, 2), 0),
        ("a day before", at(NOW_MS - DAY_MS, HOUR_MS, 2), 0),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut desk = Desk::new(folder.path());
        let lived_ms = desk.store.tell_time(at(NOW_MS, 5 * HOUR_MS, 1)).expect("told").lived_ms;
        desk.keep(COURIER_ID, lived_ms);
        let told = desk.store.tell_time(restart).expect("told");
        desk.store.erase_old_drafts(told.lived_ms, DAY_MS).expect("looked");
        assert_eq!(desk.count(), kept, "{name}");
    }
}

#[test]
fn how_old_the_catalogue_is_follows_from_the_centres_words_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut desk = Desk::new(folder.path());
    let store = &mut desk.store;
    let told = store.tell_time(at(NOW_MS, HOUR_MS, 1)).expect("told");
    assert_eq!((told.calendar_ms, told.unconfirmed_ms), (None, None), "no root signs catalogues here");
    store.begin_catalogue_trust("{}").expect("trust");
    assert_eq!(store.tell_time(at(NOW_MS, HOUR_MS, 1)).expect("told").unconfirmed_ms, Some(0));
    store.keep_catalogue_trust(&CatalogueTrust::in_root("{}".to_owned()), NOW_MS).expect("confirmed");
    store.note_authenticated_time(NOW_MS + 1_000).expect("a word");
    let told = store.tell_time(at(0, 2 * HOUR_MS, 1)).expect("told");
    assert_eq!((told.calendar_ms, told.unconfirmed_ms), (Some(NOW_MS + 1_000), Some(1_000)));
    // Two days pass, whatever the machine's clock says.
    for machine_ms in [0, NOW_MS, IN_2040_MS] {
        let told = store.tell_time(at(machine_ms, 2 * HOUR_MS + 2 * DAY_MS, 1)).expect("told");
        assert_eq!(told.calendar_ms, Some(NOW_MS + 1_000 + 2 * DAY_MS), "{machine_ms}");
        assert_eq!(told.unconfirmed_ms, Some(1_000 + 2 * DAY_MS), "{machine_ms}");
    }
    // A restart in 2040 makes it no older than it surely is.
    let told = store.tell_time(at(IN_2040_MS, HOUR_MS, 2)).expect("told");
    assert!(told.unconfirmed_ms.is_some_and(|age| age <= 3 * DAY_MS), "{told:?}");
    // The same old confirmation, heard again beside a newer word, is as old as the two words say.
    store.note_authenticated_time(NOW_MS + 9 * DAY_MS).expect("a word");
    let told = store.tell_time(at(NOW_MS, HOUR_MS, 2)).expect("told");
    assert_eq!(told.unconfirmed_ms, Some(9 * DAY_MS));
    store.keep_catalogue_trust(&CatalogueTrust::in_root("{}".to_owned()), NOW_MS + 9 * DAY_MS).expect("kept");
    assert_eq!(store.tell_time(at(NOW_MS, HOUR_MS, 2)).expect("told").unconfirmed_ms, Some(0));
}
