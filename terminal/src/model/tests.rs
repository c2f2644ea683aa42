//! Tables over the pure model: a visit from the first tap to the wipe, and everything that may cross it.
use std::sync::{Arc, OnceLock};

use domain::applicant::{Applicant, IdentitySource};
use domain::catalogue::Catalogue;
use domain::wire::v1::WithdrawnItem;
use hardware::card_reader::{ReadError, ReaderStatus};
use serde_json::{Value, json};

use super::*;
use crate::assets::load_catalogue;
use crate::command::Command;
use crate::event::{Event, Job};

pub(super) const NOW_MS: i64 = 1_795_500_000_000;

pub(super) fn catalogue() -> Arc<Catalogue> {
    static CATALOGUE: OnceLock<Arc<Catalogue>> = OnceLock::new();
    let load = || {
        let assets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets");
        Arc::new(load_catalogue(&assets).expect("sample catalogue"))
    };
    Arc::clone(CATALOGUE.get_or_init(load))
}

pub(super) fn person(id_number: &str) -> Box<Applicant> {
    Box::new(Applicant {
        source: IdentitySource::Read,
        name: "样例骑手".to_owned(),
        id_number: id_number.to_owned(),
        sex: 1,
        nation: "01".to_owned(),
        birth: "1990-05-20".parse().ok(),
        address: "青海省西宁市城东区样例路1号".to_owned(),
        valid_to: None,
    })
}

pub(super) const COURIER: &str = "639900199005201035";
pub(super) const ELDER: &str = "639900194403150015";

pub(super) fn at_home() -> Model {
    let mut model = Model::new(catalogue(), NOW_MS);
    model.command(Command::Start(TextSize::Normal));
    model
}

pub(super) fn code() -> ItemCode {
    "hrss.flex-enroll".parse().expect("code")
}

/// Through the guide and the questions, each answered with its first option.
pub(super) fn begin(model: &mut Model, code: ItemCode) {
    model.command(Command::OpenGuide(code));
    model.command(Command::Begin);
    through_questions(model);
}

/// Answers each question with its first option; gives what the last step asks of the desk.
pub(super) fn through_questions(model: &mut Model) -> Vec<Job> {
    let mut jobs = Vec::new();
    while let Some(question) = model.question().filter(|_| model.screen == Screen::Question) {
        let (question, option) = (question.id.clone(), Some(question.options[0].id.clone()));
        model.command(Command::Choose { question, option });
        jobs = model.command(Command::Continue);
    }
    if model.screen == Screen::Needs {
        jobs = model.command(Command::Continue);
    }
    jobs
}

pub(super) fn in_form() -> Model {
    let mut model = at_home();
    begin(&mut model, code());
    assert_eq!(model.screen, Screen::Card);
    model.event(Event::CardRead(person(COURIER)));
    assert!(matches!(model.command(Command::Continue).as_slice(), [Job::StartForm]));
    assert_eq!(model.screen, Screen::Form);
    model.event(Event::FormStarted { envelope_id: slip().envelope_id });
    model
}

pub(super) fn answers() -> [(&'static str, Value); 7] {
    let strokes: Vec<[i64; 3]> = (0..20).map(|n| [n * 9, n * 5, n * 12]).collect();
    [
        ("phone", json!("13000000017")),
        ("hukou_region", json!("630102")),
        ("residence_addr", json!({"region": "630102", "detail": "样例路1号2单元"})),
        ("base_level", json!("60%")),
        ("start_month", json!("2026-11")),
        ("job_type", json!("网约配送")),
        ("sign", json!({"strokes": [strokes], "width": 1200, "height": 480})),
    ]
}

/// Answers page by page and ends on the check page.
pub(super) fn at_check() -> Model {
    let mut model = in_form();
    for _ in 0..20 {
        if model.screen != Screen::Form {
            break;
        }
        for (key, value) in answers() {
            model.command(Command::Answer { key: key.to_owned(), value });
        }
        model.command(Command::Continue);
        let errors = &model.session.as_ref().expect("session").errors;
        assert!(errors.is_empty(), "{errors:?}");
    }
    assert_eq!(model.screen, Screen::Check);
    model
}

fn slip() -> Box<SlipView> {
    Box::new(SlipView {
        envelope_id: "019ab2c3-d4e5-7000-8000-000000000001".parse().expect("id"),
        number: domain::ids::CaseNo::issue(
            domain::ids::Issuer::new(1).expect("issuer"),
            domain::ids::CounterState { date: "2026-11-24".parse().expect("date"), counter: 1 },
        ),
        corrected_from: None,
        item: code(),
        masked_name: String::new(),
        qr_url: "http://127.0.0.1:8480/slips/x".to_owned(),
        marks: Marks { saved_ms: Some(NOW_MS), ..Marks::default() },
        state: None,
    })
}

#[test]
fn a_visit_from_the_first_tap_to_the_slip_and_the_wipe() {
    let mut model = at_check();
    let jobs = model.command(Command::Submit);
    let [Job::Submit(draft)] = jobs.as_slice() else { panic!("{jobs:?}") };
    assert_eq!(draft.item, code());
    assert_eq!(draft.answers.text("phone"), "13000000017");
    assert!(model.command(Command::Submit).is_empty(), "a second tap is nothing");
    model.event(Event::Queued(slip()));
    assert_eq!(model.screen, Screen::Slip);
    let session = model.session.as_ref().expect("session");
    assert!(session.answers.as_map().is_empty(), "the answers are gone");
    assert_eq!(session.slip.as_ref().expect("slip").masked_name, "样***");
    let jobs = model.command(Command::Finish);
    assert!(matches!(jobs.as_slice(), [Job::Wipe]));
    assert_eq!((model.screen.clone(), model.session.is_none()), (Screen::Attract, true));
}

#[test]
fn nothing_goes_on_with_errors_and_each_error_goes_when_mended() {
    let mut model = in_form();
    model.command(Command::Continue);
    let session = model.session.as_ref().expect("session");
    assert_eq!(session.page, 0);
    let keys: Vec<String> = session.errors.iter().map(|e| e.key.clone()).collect();
    assert!(!keys.is_empty());
    let page: Vec<&str> = session.plan.pages[0].fields.iter().map(|f| f.key.as_str()).collect();
    assert!(keys.iter().all(|k| page.contains(&k.as_str())), "only errors of this page");
    for (key, value) in answers() {
        model.command(Command::Answer { key: key.to_owned(), value });
    }
    assert!(model.session.as_ref().expect("session").errors.is_empty());
}

#[test]
fn change_goes_to_the_page_and_back_to_the_check() {
    let mut model = at_check();
    model.command(Command::Change("phone".to_owned()));
    assert_eq!(model.screen, Screen::Form);
    model.command(Command::Answer { key: "phone".to_owned(), value: json!("1300000001") });
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Form, "a wrong number does not pass");
    model.command(Command::Answer { key: "phone".to_owned(), value: json!("13000000018") });
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Check);
    model.command(Command::Back);
    model.command(Command::Back);
    model.command(Command::Back);
    assert_eq!(
        model.session.as_ref().expect("session").answers.text("phone"),
        "13000000018",
        "Back loses nothing"
    );
}

#[test]
fn switching_the_size_keeps_the_question_and_the_answers() {
    let mut model = in_form();
    model.command(Command::Answer { key: "phone".to_owned(), value: json!("13000000017") });
    model.command(Command::SetSize(TextSize::Elder));
    let session = model.session.as_ref().expect("session");
    assert!(session.plan.pages.iter().all(|p| p.fields.len() == 1));
    assert_eq!(session.answers.text("phone"), "13000000017");
}

#[test]
fn another_card_ends_the_visit_and_the_same_card_does_not() {
    let mut model = in_form();
    model.command(Command::Answer { key: "phone".to_owned(), value: json!("13000000017") });
    model.event(Event::Reader(ReaderStatus::Empty));
    model.event(Event::CardRead(person(COURIER)));
    assert_eq!(model.screen, Screen::Form);
    let jobs = model.event(Event::CardRead(person(ELDER)));
    assert!(matches!(jobs.as_slice(), [Job::Wipe, Job::FindDrafts(_)]), "{jobs:?}");
    let session = model.session.as_ref().expect("the new person's visit");
    assert!(session.answers.as_map().is_empty() && session.item.is_none());
    assert_eq!(session.applicant.as_ref().expect("person").id_number, ELDER);
}

#[test]
fn cards_that_do_not_do_say_so() {
    let mut model = at_home();
    begin(&mut model, code());
    model.event(Event::Reader(ReaderStatus::Card));
    assert_eq!(model.session.as_ref().expect("session").card, CardStep::Reading);
    model.event(Event::CardFailed(ReadError::Removed));
    assert_eq!(model.session.as_ref().expect("session").card, CardStep::Failed(ReadError::Removed));
    assert!(model.command(Command::Continue).is_empty());
    let mut expired = person(COURIER);
    expired.valid_to = "2026-11-23".parse().ok();
    model.event(Event::CardRead(expired));
    let session = model.session.as_ref().expect("session");
    assert_eq!((session.card, session.applicant.is_none()), (CardStep::Expired, true));
    let mut last_day = person(COURIER);
    last_day.valid_to = "2026-11-24".parse().ok();
    model.event(Event::CardRead(last_day));
    assert_eq!(model.session.as_ref().expect("session").card, CardStep::Done);
    let lost: ItemCode = "psb.id-loss".parse().expect("code");
    let mut model = at_home();
    begin(&mut model, lost);
    model.event(Event::CardRead(person(COURIER)));
    assert_eq!(model.session.as_ref().expect("session").card, CardStep::NotAccepted);
}

#[test]
fn idle_counts_down_and_wipes() {
    let table = [(TextSize::Normal, 60, 20), (TextSize::Elder, 180, 45)];
    for (size, limit, countdown) in table {
        let mut model = in_form();
        model.command(Command::SetSize(size));
        model.event(Event::Tick { now_ms: NOW_MS + (limit - 1) * 1_000 });
        assert_eq!(model.idle.seconds_left, None, "{size:?}");
        model.event(Event::Tick { now_ms: NOW_MS + (limit + 1) * 1_000 });
        assert_eq!(model.idle.seconds_left, Some(countdown - 1), "{size:?}");
        model.command(Command::StillHere);
        assert_eq!(model.idle.seconds_left, None);
        let later = NOW_MS + (limit + 1) * 1_000;
        model.event(Event::Tick { now_ms: later + (limit + i64::from(countdown)) * 1_000 });
        assert_eq!((model.screen.clone(), model.session.is_none()), (Screen::Attract, true), "{size:?}");
    }
}

#[test]
fn a_visit_has_an_end_however_busy() {
    let mut model = in_form();
    for minute in 1..=31 {
        model.event(Event::Tick { now_ms: NOW_MS + minute * 60_000 });
        model.command(Command::StillHere);
    }
    assert!(model.session.is_none());
}

#[test]
fn items_say_early_why_they_cannot_be_begun() {
    let mut model = at_home();
    let check = |model: &Model, code: &str| model.can_begin(&code.parse().expect("code"));
    assert_eq!(check(&model, "hrss.flex-enroll"), Ok(()));
    assert_eq!(check(&model, "hrss.insured-cert"), Err(Unavailable::OnlineOnly));
    model.event(Event::Network(Network::Online));
    assert_eq!(check(&model, "hrss.insured-cert"), Err(Unavailable::NotBuiltYet));
    assert_eq!(check(&model, "no.such-item"), Err(Unavailable::NoForm));
    model.event(Event::Outage(Some(Outage::StoreFull)));
    assert_eq!(check(&model, "hrss.flex-enroll"), Err(Unavailable::Outage));
    assert_eq!((model.screen.clone(), model.session.is_none()), (Screen::OutOfService, true));
}

#[test]
fn a_bundle_goes_with_an_item_that_was_withdrawn_in_an_emergency() {
    let mut model = at_home();
    let bundle: ItemCode = "one.flexwork".parse().expect("a code");
    let other: ItemCode = "one.newborn".parse().expect("a code");
    assert_eq!([model.can_begin(&bundle), model.can_begin(&other)], [Ok(()), Ok(())]);
    let item = WithdrawnItem { item: code(), reason: "系统检修".to_owned(), since_ms: 0 };
    model.event(Event::Withdrawn(vec![item]));
    assert_eq!(model.can_begin(&bundle), Err(Unavailable::Withdrawn));
    assert_eq!(model.withdrawal(&bundle).map(|w| w.reason.zh.as_str()), Some("系统检修"));
    assert_eq!(model.can_begin(&other), Ok(()), "it has nothing to do with it");
    model.event(Event::Withdrawn(Vec::new()));
    assert_eq!(model.can_begin(&bundle), Ok(()));
}

#[test]
fn news_moves_only_the_own_slip() {
    let mut model = at_check();
    model.command(Command::Submit);
    model.event(Event::Queued(slip()));
    let other = "019ab2c3-d4e5-7000-8000-000000000002".parse().expect("id");
    let number = slip().number;
    model.event(Event::Delivered { envelope_id: other, number: number.clone(), at_ms: 1 });
    let marks = |m: &Model| m.session.as_ref().and_then(|s| s.slip.as_ref()).expect("slip").marks;
    assert_eq!(marks(&model).delivered_ms, None);
    model.event(Event::Delivered { envelope_id: slip().envelope_id, number, at_ms: NOW_MS + 1 });
    assert_eq!((marks(&model).delivered_ms, marks(&model).accepted_ms), (Some(NOW_MS + 1), None));
}

#[test]
fn while_it_is_saved_nothing_else_happens_and_the_slip_is_the_own_one() {
    let mut model = at_check();
    model.command(Command::Submit);
    for command in [Command::Home, Command::Finish, Command::Back] {
        assert!(model.command(command).is_empty());
    }
    model.event(Event::CardRead(person(ELDER)));
    model.event(Event::Tick { now_ms: NOW_MS + 5_000 });
    let mut stranger = slip();
    stranger.envelope_id = "019ab2c3-d4e5-7000-8000-000000000009".parse().expect("id");
    model.event(Event::Queued(stranger));
    assert_eq!(model.screen, Screen::Check, "another submission's slip is never shown");
    model.event(Event::Queued(slip()));
    assert_eq!(model.screen, Screen::Slip);
    let mut dead = at_check();
    dead.command(Command::Submit);
    dead.event(Event::Tick { now_ms: NOW_MS + 21_000 });
    dead.command(Command::Finish);
    assert!(dead.session.is_none(), "a desk that never answers does not lock the screen");
}

#[test]
fn nobody_sees_the_cases_of_the_person_before() {
    let mut model = at_home();
    model.event(Event::CardRead(person(COURIER)));
    assert!(matches!(model.command(Command::MyCases).as_slice(), [Job::LoadCases(_)]));
    model.event(Event::CardRead(person(ELDER)));
    model.command(Command::MyCases);
    assert_eq!(model.screen, Screen::MyCases);
    let line = CaseLine {
        envelope_id: slip().envelope_id,
        number: slip().number,
        item: code(),
        marks: Marks::default(),
        state: None,
        print: None,
    };
    let shown = |m: &Model| m.session.as_ref().and_then(|s| s.cases.clone());
    model.event(Event::Cases { applicant: person(COURIER), cases: vec![line.clone()] });
    assert_eq!(shown(&model), None, "a list that comes late is dropped");
    model.event(Event::Cases { applicant: person(ELDER), cases: vec![line.clone()] });
    assert_eq!(shown(&model), Some(vec![line]));
}

/// Every event and command on every screen: nothing panics, and nobody sees a session that was ended.
#[test]
fn no_event_or_command_is_unexpected() {
    let events = || {
        vec![
            Event::Reader(ReaderStatus::Card),
            Event::Reader(ReaderStatus::NoReader),
            Event::CardFailed(ReadError::Damaged),
            Event::CardRead(person(ELDER)),
            Event::Queued(slip()),
            Event::SubmitFailed { key: "store" },
            Event::Cases { applicant: person(ELDER), cases: Vec::new() },
            Event::Network(Network::Weak),
            Event::Outage(None),
            Event::Tick { now_ms: NOW_MS - 86_400_000 },
            Event::Tick { now_ms: NOW_MS + 86_400_000 },
        ]
    };
    let commands = || {
        vec![
            Command::Back,
            Command::Home,
            Command::Continue,
            Command::Submit,
            Command::Begin,
            Command::Choose { question: "agent".to_owned(), option: Some("x".repeat(10_000)) },
            Command::ChangeSituation("x".repeat(10_000)),
            Command::MyCases,
            Command::OpenSearch,
            Command::SetQuery("x".repeat(10_000)),
            Command::ShowPage(usize::MAX),
            Command::OpenGuide("no.such-item".parse().expect("code")),
            Command::Change("phone".to_owned()),
            Command::JumpTo("nothing".to_owned()),
            Command::Answer { key: "nothing".to_owned(), value: json!(["x".repeat(100_000)]) },
            Command::UseCardAddress("residence_addr".to_owned()),
            Command::ClearAnswer("phone".to_owned()),
            Command::Reveal,
            Command::Touch,
            Command::Finish,
        ]
    };
    let screens: [fn() -> Model; 4] = [|| Model::new(catalogue(), NOW_MS), at_home, in_form, at_check];
    for screen in screens {
        for n in 0..events().len() {
            for command in commands() {
                let mut model = screen();
                model.event(events().remove(n));
                model.command(command);
                let later = model.now_ms + 30_000;
                model.event(Event::Tick { now_ms: later });
                model.command(Command::Finish);
                assert!(model.session.is_none());
                model.event(events().remove(n));
            }
        }
    }
}
