//! The slip and my cases: only what is true, the number in large type, a code that says nothing of a person.
use domain::case::CaseState;
use domain::ids::{CaseNo, CounterState, Issuer};
use terminal::command::Command;
use terminal::model::{CaseLine, Look, Marks, Model, Network, PagesSent, Screen, SlipView};

use super::stage::{FLEX, NOW_MS, Stage, flex, looks, usual};

fn number(counter: u16) -> CaseNo {
    let date = "2026-11-24".parse().expect("a value");
    CaseNo::issue(Issuer::new(1).expect("a value"), CounterState { date, counter })
}

pub const SAVED: Marks = Marks {
    saved_ms: Some(NOW_MS - 60_000),
    delivered_ms: None,
    accepted_ms: None,
    completed_ms: None,
    pages: None,
};
/// The text is at the centre, of its pages the first.
const AWAITING: Marks = Marks { pages: Some(PagesSent { sent: 1, all: 2 }), ..SAVED };
pub const DELIVERED: Marks = Marks { delivered_ms: Some(NOW_MS), ..SAVED };
const ACCEPTED: Marks = Marks { accepted_ms: Some(NOW_MS), ..DELIVERED };
const COMPLETED: Marks = Marks { completed_ms: Some(NOW_MS), ..ACCEPTED };

pub fn at_slip(look: Look, item: &str, marks: Marks, state: Option<CaseState>) -> Model {
    let mut model = flex(look);
    let session = model.session.as_mut().expect("a value");
    session.drop_item();
    session.slip = Some(SlipView {
        envelope_id: "0197a2b4-0000-7000-8000-000000000001".parse().expect("a value"),
        number: number(31),
        corrected_from: None,
        item: item.parse().expect("a value"),
        masked_name: "样*川".to_owned(),
        qr_url: format!("http://127.0.0.1:8480/slips/XN26112400100312?d={}", "0123456789abcdef".repeat(4)),
        marks,
        state,
    });
    model.screen = Screen::Slip;
    model
}

const TURNS: [(Marks, Option<CaseState>); 6] = [
    (SAVED, None),
    (DELIVERED, Some(CaseState::Received)),
    (DELIVERED, Some(CaseState::Quarantined)),
    (DELIVERED, Some(CaseState::Returned)),
    (ACCEPTED, Some(CaseState::Accepted)),
    (COMPLETED, Some(CaseState::Completed)),
];

#[test]
fn it_stands_in_every_look_and_turn() {
    for look in looks() {
        let mut stage = Stage::of(at_slip(look, FLEX, SAVED, None));
        for (marks, state) in TURNS {
            for network in [Network::Offline, Network::Online] {
                stage.change(|model| {
                    *model = at_slip(look, FLEX, marks, state);
                    model.network = network;
                });
                stage.assert_sound(&format!("{marks:?} {network:?} {look:?}"));
            }
        }
        stage.change(|model| {
            model.session.as_mut().unwrap().slip.as_mut().unwrap().corrected_from = Some(number(30))
        });
        stage.assert_sound(&format!("corrected {look:?}"));
        assert!(
            stage.names().iter().any(|name| name.contains(number(30).as_str())),
            "the old number is told"
        );
    }
}

#[test]
fn it_stands_for_every_item_whatever_happens_next() {
    let catalogue = super::stage::catalogue();
    for look in looks().into_iter().filter(|look| !look.high_contrast) {
        let mut stage = Stage::of(at_slip(look, FLEX, SAVED, None));
        for code in catalogue.items.keys().chain(catalogue.bundles.keys()) {
            stage.change(|model| *model = at_slip(look, code.as_str(), SAVED, None));
            stage.assert_sound(&format!("{code} {look:?}"));
        }
    }
}

#[test]
fn nothing_is_said_that_is_not_yet_true() {
    let words = ["delivered", "accepted", "completed"];
    for (marks, reached) in [(SAVED, 0), (DELIVERED, 1), (ACCEPTED, 2), (COMPLETED, 3)] {
        let stage = Stage::of(at_slip(usual(), FLEX, marks, None));
        assert!(stage.has(&stage.t("slip.mark.saved")));
        for (index, word) in words.into_iter().enumerate() {
            let done = stage.t(&format!("slip.mark.{word}"));
            let waiting = stage.t(&format!("slip.mark.wait_{word}"));
            let names = stage.names();
            let marked = names.contains(&waiting);
            assert_eq!(marked, index >= reached, "{word}: {names:?}");
            assert!(index < reached || !names.contains(&done), "{word} is not reached: {names:?}");
        }
    }
}

#[test]
fn pages_on_their_way_are_counted_and_all_is_not_called_delivered() {
    for look in looks() {
        let stage = Stage::of(at_slip(look, FLEX, AWAITING, Some(CaseState::Received)));
        stage.assert_sound(&format!("awaiting {look:?}"));
        let note = stage.t("slip.mark.wait_pages_note").replace("{sent}", "1").replace("{all}", "2");
        assert!(stage.has(&stage.t("slip.mark.wait_pages")) && stage.has(&note), "{:?}", stage.names());
        assert!(
            !stage.has(&stage.t("slip.mark.delivered")) && !stage.has(&stage.t("slip.mark.wait_delivered"))
        );
    }
}

#[test]
fn the_number_can_be_read_and_the_code_is_large() {
    for look in looks() {
        let mut stage = Stage::of(at_slip(look, FLEX, SAVED, None));
        let name = stage.t("slip.number_name").replace("{number}", number(31).as_str());
        assert!(stage.has(&name), "{:?}", stage.names());
        let code = stage.place(&stage.t("slip.qr"));
        assert!(code.width() >= 240.0 && code.height() >= 240.0);
        assert!(stage.has(&stage.t("slip.no_personal_data")));
        assert_eq!(stage.tap(&stage.t("slip.other")), [Command::Home]);
        assert_eq!(stage.tap(&stage.t("slip.finish")), [Command::Finish]);
    }
}

#[test]
fn a_code_that_cannot_be_made_is_said() {
    let mut model = at_slip(usual(), FLEX, SAVED, None);
    model.session.as_mut().unwrap().slip.as_mut().unwrap().qr_url = "x".repeat(9_000);
    let stage = Stage::of(model);
    assert!(stage.has(&stage.t("slip.no_code")) && !stage.has(&stage.t("slip.qr")));
}

pub fn at_cases(look: Look, cases: Option<Vec<CaseLine>>) -> Model {
    let mut model = flex(look);
    model.session.as_mut().expect("a session").cases = cases;
    model.screen = Screen::MyCases;
    model
}

/// Own cases in every turn, as many as are wanted.
pub fn lines(count: usize) -> Vec<CaseLine> {
    let item = |at: usize| if at.is_multiple_of(2) { FLEX } else { "one.flexwork" };
    let line = |(at, (marks, state)): (usize, (Marks, Option<CaseState>))| CaseLine {
        envelope_id: format!("0197a2b4-0000-7000-8000-{at:012}").parse().expect("an id"),
        print: None,
        number: number(u16::try_from(at).expect("a small count") + 1),
        item: item(at).parse().expect("an item"),
        marks,
        state,
    };
    TURNS.into_iter().cycle().take(count).enumerate().map(line).collect()
}

#[test]
fn my_cases_stand_in_every_look() {
    for look in looks() {
        let mut stage = Stage::of(at_cases(look, None));
        for cases in [None, Some(vec![]), Some(lines(1)), Some(lines(40))] {
            stage.change(|model| *model = at_cases(look, cases.clone()));
            stage.assert_sound(&format!("{:?} cases {look:?}", cases.map(|c| c.len())));
        }
        assert_eq!(stage.tap(&stage.t("pager.next")), [Command::ShowPage(1)]);
        stage.change(|model| model.list_page = 2);
        stage.assert_sound(&format!("third page {look:?}"));
        stage.change(|model| *model = at_cases(look, Some(vec![])));
        assert!(stage.has(&stage.t("my_cases.empty")));
        assert_eq!(stage.tap(&stage.t("my_cases.empty_action")), [Command::Home]);
    }
}
