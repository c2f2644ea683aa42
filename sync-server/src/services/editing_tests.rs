//! Drafts and candidate versions on a store in memory.
use std::sync::LazyLock;

use domain::catalogue::Catalogue;

use super::candidate::{self, Candidate};
use super::*;
use crate::services::catalogue::publish;
use crate::services::item_history;
use crate::startup::load_catalogue;
use crate::store::{Sqlite, fresh_in_memory};

static SAMPLE: LazyLock<Catalogue> = LazyLock::new(|| {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/catalogue");
    load_catalogue(&folder).expect("the sample")
});

fn store() -> Sqlite {
    let mut db = fresh_in_memory().expect("fresh");
    publish(&mut Tx::new(&mut db), 1, &SAMPLE).expect("published");
    db
}

fn who(place: u64) -> AccountId {
    AccountId::at(place)
}

fn item() -> Item {
    SAMPLE.items.values().next().expect("an item").clone()
}

fn request(place: u64, seen: u64) -> Request {
    Request { by: who(place), code: item().code, seen }
}

/// The sample item with another word in its guide.
fn changed(word: &str) -> Item {
    let mut item = item();
    item.guide.one_line.zh = word.to_owned();
    item
}

fn saved(tx: &mut Tx<'_>, by: u64, seen: u64, word: &str) -> Draft {
    save(tx, 10, &request(by, seen), (SAMPLE.version, &changed(word))).expect("store").expect("saved")
}

#[test]
fn whoever_saves_second_hears_of_the_first() {
    let mut db = store();
    let tx = &mut Tx::new(&mut db);
    let first = saved(tx, 1, 0, "甲");
    for seen in [0, first.version + 1] {
        let second = save(tx, 11, &request(2, seen), (SAMPLE.version, &changed("乙"))).expect("store");
        assert_eq!(second, Err(EditError::Changed));
    }
    assert_eq!(of_item(tx, &item().code).expect("store"), Some(first.clone()));
    let second = saved(tx, 2, first.version, "乙");
    assert_eq!((second.version, second.makers), (first.version + 1, vec![who(1), who(2)]));
    assert_eq!(discard(tx, 12, &request(1, first.version)).expect("store"), Err(EditError::Changed));
    assert_eq!(discard(tx, 12, &request(1, second.version)).expect("store"), Ok(()));
    assert_eq!(of_item(tx, &item().code).expect("store"), None);
}

#[test]
fn nobody_checks_what_he_touched() {
    let mut db = store();
    let tx = &mut Tx::new(&mut db);
    let one = saved(tx, 1, 0, "甲");
    let two = saved(tx, 2, one.version, "乙");
    let early = approve(tx, 12, &request(3, two.version)).expect("store");
    assert_eq!(early, Err(EditError::WrongState));
    for bad in ["", "  ", &"长".repeat(MAX_NOTE_CHARS + 1), "a\u{7}b"] {
        assert_eq!(mark_ready(tx, 12, &request(2, two.version), bad).expect("store"), Err(EditError::Note));
    }
    let ready = mark_ready(tx, 12, &request(2, two.version), "改错字").expect("store").expect("ready");
    for maker in [1, 2] {
        assert_eq!(approve(tx, 13, &request(maker, ready.version)).expect("store"), Err(EditError::OwnWork));
        let back = send_back(tx, 13, &request(maker, ready.version), "不行").expect("store");
        assert_eq!(back, Err(EditError::OwnWork));
    }
    let back = send_back(tx, 13, &request(3, ready.version), "还有一处").expect("store").expect("back");
    assert_eq!((back.state, back.reason.as_str()), (DraftState::Editing, "还有一处"));
    let ready = mark_ready(tx, 14, &request(1, back.version), "再改").expect("store").expect("ready");
    assert!(ready.reason.is_empty());
    let approved = approve(tx, 15, &request(3, ready.version)).expect("store").expect("approved");
    assert_eq!((approved.state, approved.checker), (DraftState::Approved, Some(who(3))));
    let again = saved(tx, 2, approved.version, "丙");
    assert_eq!((again.state, again.checker), (DraftState::Editing, None), "a change is checked anew");
    let events = tx.query("SELECT event FROM audit ORDER BY seq", &[]).expect("audit");
    let events: Vec<_> = events.iter().map(|row| row.text(0).expect("text").to_owned()).collect();
    let wanted = ["begun", "saved", "ready", "sent-back", "ready", "approved", "saved"];
    let told: Vec<_> = events.iter().filter_map(|e| e.strip_prefix("item.draft-")).collect();
    assert_eq!(told, wanted);
}

/// Brings a change of the sample item through the check.
fn approved(tx: &mut Tx<'_>, seen: u64, word: &str) -> Draft {
    let draft = saved(tx, 1, seen, word);
    let ready = mark_ready(tx, 12, &request(1, draft.version), "因为").expect("store").expect("ready");
    approve(tx, 13, &request(2, ready.version)).expect("store").expect("approved")
}

fn made(tx: &mut Tx<'_>, base: &Catalogue) -> (Candidate, Catalogue) {
    let (next, drafts) = candidate::assemble(tx, base).expect("store").expect("assembled");
    assert!(next.examine().errors.is_empty());
    candidate::keep(tx, 14, &who(2), (base.version, &next.to_document()), &drafts).expect("kept");
    (candidate::open(tx).expect("store").expect("open"), next)
}

#[test]
fn a_version_of_approved_drafts_closes_them_when_it_is_published() {
    let mut db = store();
    let tx = &mut Tx::new(&mut db);
    let nothing = candidate::assemble(tx, &SAMPLE).expect("store");
    assert_eq!(nothing.map(|_| ()), Err(EditError::NothingApproved));
    let draft = approved(tx, 0, "新的一句");
    let (first, _) = made(tx, &SAMPLE);
    let (second, next) = made(tx, &SAMPLE);
    assert_eq!((first.version, second.version), (SAMPLE.version + 1, SAMPLE.version + 3), "never twice");
    assert_eq!(candidate::document(tx, first.version).expect("store"), None, "the first one was dropped");
    let code = &item().code;
    assert_eq!(next.items[code].revision, SAMPLE.items[code].revision + 1);
    assert_eq!(next.items[code].guide.one_line.zh, "新的一句");

    publish(tx, 20, &next).expect("published");
    assert_eq!(of_item(tx, code).expect("store"), None);
    assert_eq!(candidate::open(tx).expect("store"), None);
    let history = item_history::of_item(tx, code).expect("history");
    assert_eq!(history.len(), 2);
    let credit = history[0].credit.as_ref().expect("made here");
    assert_eq!((&credit.editor, &credit.checker, credit.note.as_str()), (&who(1), &who(2), "因为"));
    assert_eq!((history[0].version, history[1].version), (next.version, SAMPLE.version));
    assert_eq!(history[1].credit, None);
    let versions = item_history::versions(tx).expect("versions");
    assert_eq!(versions[0].revisions.len(), 1, "only what changed");
    assert!(draft.version > 0);
}

#[test]
fn a_draft_that_was_changed_since_stays_and_one_of_an_older_content_is_refused() {
    let mut db = store();
    let tx = &mut Tx::new(&mut db);
    let draft = approved(tx, 0, "第一次");
    let (_, next) = made(tx, &SAMPLE);
    let later = saved(tx, 1, draft.version, "第二次");
    publish(tx, 20, &next).expect("published");
    let stays = of_item(tx, &item().code).expect("store").expect("stays");
    assert_eq!((stays.version, stays.base_version), (later.version, next.version));
    assert!(!candidate::is_outdated(tx, &stays).expect("store"));

    // Somebody publishes another content from files: the draft was made without knowing it.
    let mut elsewhere = next.clone();
    elsewhere.items.get_mut(&item().code).expect("the item").theme = "别的".into();
    let elsewhere = elsewhere.succeeding(&next);
    publish(tx, 21, &elsewhere).expect("published");
    assert!(candidate::is_outdated(tx, &stays).expect("store"));
    let ready = mark_ready(tx, 22, &request(1, stays.version), "因为").expect("store").expect("ready");
    approve(tx, 23, &request(2, ready.version)).expect("store").expect("approved");
    let refused = candidate::assemble(tx, &elsewhere).expect("store");
    assert_eq!(refused.map(|_| ()), Err(EditError::Outdated));
}

#[test]
fn a_content_that_is_too_large_is_refused() {
    let mut db = store();
    let tx = &mut Tx::new(&mut db);
    let large = changed(&"长".repeat(MAX_CONTENT_BYTES / 3 + 1));
    let refused = save(tx, 10, &request(1, 0), (SAMPLE.version, &large)).expect("store");
    assert_eq!(refused, Err(EditError::TooLarge));
    assert_eq!(counts(tx).expect("store"), (0, 0));
}

#[test]
fn a_store_of_before_gets_its_history_once() {
    let mut db = store();
    let tx = &mut Tx::new(&mut db);
    let rows = |tx: &mut Tx<'_>| tx.query_int("SELECT COUNT(*) FROM item_revision", &[]).expect("count");
    let all = rows(tx);
    assert_eq!(all, SAMPLE.entries().count() as i64);
    tx.execute("DELETE FROM item_revision", &[]).expect("emptied");
    for _ in 0..2 {
        item_history::catch_up(tx, &Default::default()).expect("caught up");
        assert_eq!(rows(tx), all);
    }
}
