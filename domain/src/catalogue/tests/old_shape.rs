//! A published version is kept for ever: the shape of version 1 is read as document and as files.
use serde_json::{Value, json};

use super::super::*;
use super::{FROZEN, files, frozen};
use crate::item::Certainty;

#[test]
fn what_version_1_did_not_say_has_its_default() {
    let catalogue = frozen();
    assert_eq!((catalogue.version, catalogue.items.len(), catalogue.bundles.len()), (1, 6, 1));
    let item = &catalogue.items[&"psb.no-crime".parse().expect("a code")];
    assert_eq!((item.revision, item.days_source, &item.withdrawn), (1, Certainty::Confirmed, &None));
    assert_eq!(item.legal_basis[0].certainty, Certainty::ToConfirm);
    assert_eq!(item.legal_basis[0].name, "公安机关办理犯罪记录查询工作规定（公通字〔2021〕19号）");
    assert_eq!(item.situations.questions[0].options[1].text.en, "For someone else");
    assert_eq!(catalogue.situations.agent.as_ref().map(|q| q.id.as_str()), Some("agent"));
    assert_eq!(
        catalogue.situations.materials["授权委托书"].en,
        "Authorisation by the person, signed on screen"
    );
    assert_eq!((&catalogue.policies, catalogue.messages.len()), (&Policies::default(), 0));
    assert_eq!(catalogue.calendar.certainty(2026), Some(YearCertainty::Published));
    assert_eq!(catalogue.calendar.certainty(2027), None);
    let station = catalogue.stations.values().next().expect("a station");
    let offer = |code: &str| station.offer(catalogue.entry(&code.parse().expect("a code")).expect("there"));
    assert_eq!((offer("psb.no-crime"), offer("util.bill-pay")), (Offer::Assisted, Offer::SelfService));
}

#[test]
fn it_stands_in_todays_shape_and_reads_back_the_same() {
    let catalogue = frozen();
    let document = catalogue.to_document();
    assert_eq!(Catalogue::from_document(&document.json).expect("today's shape"), catalogue);
    assert_eq!(Catalogue::from_document(&document.json).expect("again").to_document(), document);
    assert!(!document.json.contains("text_zh"));
}

#[test]
fn its_files_are_read_alike_and_pass_all_rules() {
    let document: Value = serde_json::from_str(FROZEN).expect("JSON");
    let catalogue = Catalogue::load(&files(&document)).expect("the files of version 1");
    assert_eq!(catalogue, frozen());
}

#[test]
fn rules_that_came_later_do_not_make_a_document_unreadable() {
    let mut document: Value = serde_json::from_str(FROZEN).expect("JSON");
    document["items"][0]["promised"] = json!({"tenths": 90_000, "unit": "working_day"});
    document["items"][0]["name"]["zh"] = json!("名\u{202e}称");
    assert!(Catalogue::from_document(&document.to_string()).is_ok());
    assert_eq!(Catalogue::load(&files(&document)).expect_err("two rules").len(), 2);
}

#[test]
fn hours_follow_the_calendar() {
    let catalogue = frozen();
    let station = catalogue.stations.values().next().expect("a station");
    let calendar = &catalogue.calendar;
    let table = [
        ("2026-11-24", 600, true),    // a Tuesday
        ("2026-11-24", 1_020, false), // from five on it is closed
        ("2026-11-28", 600, true),    // a Saturday
        ("2026-11-28", 800, false),
        ("2026-11-29", 600, false), // a Sunday
        ("2026-10-01", 600, false), // a holiday
        ("2026-10-10", 900, true),  // a Saturday that is a working day
    ];
    for (date, minute, open) in table {
        let day = date.parse().expect("a date");
        assert_eq!(station.is_open(day, minute, calendar), open, "{date} {minute}");
    }
}
