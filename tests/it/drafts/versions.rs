//! Catalogue versions on a terminal: the one in force, the one before, and each that something begun still needs.
use domain::catalogue::{Catalogue, CatalogueDocument};
use terminal::model::Model;
use terminal::store::DATABASE_FILE;
use tests::submission::COURIER_ID;

use super::{Desk, NOW_MS, item};

fn document(version: u64) -> CatalogueDocument {
    Catalogue { version, ..Model::empty_catalogue() }.to_document()
}

#[test]
fn versions_that_nobody_needs_are_removed_and_those_that_a_draft_names_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut desk = Desk::new(folder.path());
    for version in 1..=6 {
        desk.store.activate_catalogue(&document(version), NOW_MS).expect("in force");
    }
    desk.keep_of(COURIER_ID, &item(), 2, 1_000);
    assert_eq!(desk.store.sweep_catalogues(&[3]).expect("swept"), 2);
    assert_eq!(desk.store.catalogue_versions().expect("versions"), [6, 5, 3, 2]);
    let two = desk.store.kept_catalogue(2).expect("read").expect("it is there");
    assert_eq!(two, document(2), "a draft is gone on with by its own version");
    desk.store.erase_draft(COURIER_ID, &item()).expect("erased");
    assert_eq!(desk.store.sweep_catalogues(&[]).expect("swept"), 2);
    assert_eq!(desk.store.catalogue_versions().expect("versions"), [6, 5]);
}

#[test]
fn a_damaged_version_does_not_count_as_one_of_the_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut desk = Desk::new(folder.path());
    for version in 1..=4 {
        desk.store.activate_catalogue(&document(version), NOW_MS).expect("in force");
    }
    let rot = rusqlite::Connection::open(folder.path().join(DATABASE_FILE)).expect("the database");
    rot.execute("UPDATE catalogue SET json = 'rotten' WHERE version = 4", []).expect("rot");
    assert_eq!(desk.store.newest_catalogue().expect("read").expect("one").version, 3);
    desk.store.sweep_catalogues(&[]).expect("swept");
    assert_eq!(desk.store.catalogue_versions().expect("versions"), [4, 3, 2], "3 serves and 2 is before it");
    assert_eq!(desk.store.kept_catalogue(4).expect("read"), None);
}
