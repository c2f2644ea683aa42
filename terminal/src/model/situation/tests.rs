//! Going through the questions: forth, back, changes from the check page, ends.
use serde_json::json;

use super::super::tests::{COURIER, at_home, begin, person};
use super::*;
use crate::command::Command;
use crate::event::Event;

fn code(text: &str) -> ItemCode {
    text.parse().expect("a code")
}

fn choose(model: &mut Model, option: &str) {
    let question = model.question().expect("a question").id.clone();
    model.command(Command::Choose { question, option: Some(option.to_owned()) });
}

fn chosen(model: &Model) -> Vec<(&str, Vec<&str>)> {
    let answers = &model.session.as_ref().expect("a session").situation.answers;
    answers.iter().map(|(id, ids)| (id.as_str(), ids.iter().map(String::as_str).collect())).collect()
}

/// In the form of care elsewhere after a referral.
fn referred() -> Model {
    let mut model = at_home();
    model.command(Command::OpenGuide(code("nhsa.remote-temp")));
    model.command(Command::Begin);
    for option in ["self", "referral"] {
        choose(&mut model, option);
        model.command(Command::Continue);
    }
    if model.screen == Screen::Needs {
        model.command(Command::Continue);
    }
    model.event(Event::CardRead(person(COURIER)));
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Form);
    model
}

fn fill(model: &mut Model) {
    let strokes: Vec<[i64; 3]> = (0..20).map(|n| [n * 9, n * 5, n * 12]).collect();
    let today = model.today().to_string();
    for _ in 0..20 {
        if model.screen != Screen::Form {
            return;
        }
        for (key, value) in [
            ("treat_region", json!("610102")),
            ("hospital", json!("样例医院")),
            ("start_date", json!(today)),
            ("end_date", json!(model.today().plus_days(3).to_string())),
            ("phone", json!("13000000017")),
            ("sign", json!({"strokes": [strokes], "width": 1200, "height": 480})),
        ] {
            model.command(Command::Answer { key: key.to_owned(), value });
        }
        model.command(Command::Continue);
    }
}

#[test]
fn the_form_is_the_one_that_the_answers_make() {
    let model = referred();
    let plan = &model.session.as_ref().expect("a session").plan;
    let keys: Vec<&str> = plan.pages.iter().flat_map(|p| &p.fields).map(|f| f.key.as_str()).collect();
    assert!(keys.contains(&"hospital") && !keys.contains(&"remote_type"), "{keys:?}");
}

#[test]
fn going_back_and_forth_keeps_answers_and_the_form() {
    let mut model = referred();
    model.event(Event::FormStarted {
        envelope_id: "019ab2c3-d4e5-7000-8000-000000000001".parse().expect("id"),
    });
    let first = model.session.as_ref().expect("a session").plan.pages[0].fields[0].key.clone();
    model.command(Command::Answer { key: first.clone(), value: json!("610102") });
    for screen in [Screen::Needs, Screen::Question, Screen::Question] {
        model.command(Command::Back);
        assert_eq!(model.screen, screen);
    }
    model.command(Command::Back);
    assert!(matches!(model.screen, Screen::Guide(_)), "{:?}", model.screen);
    assert_eq!(chosen(&model), [("agent", vec!["self"]), ("why", vec!["referral"])]);
    model.command(Command::Begin);
    let mut jobs = Vec::new();
    while model.screen != Screen::Form {
        jobs = model.command(Command::Continue);
    }
    assert!(jobs.is_empty(), "the form is open already: {jobs:?}");
    assert_eq!(model.session.as_ref().expect("a session").answers.text(&first), "610102");
}

#[test]
fn a_change_from_the_check_page_drops_what_no_longer_applies_and_keeps_the_rest() {
    let mut model = referred();
    fill(&mut model);
    assert_eq!(model.screen, Screen::Check);
    model.command(Command::ChangeSituation("why".into()));
    choose(&mut model, "own");
    model.command(Command::Back);
    assert_eq!(model.screen, Screen::Check);
    assert_eq!(chosen(&model)[1], ("why", vec!["referral"]), "Back takes the change back");
    model.command(Command::ChangeSituation("why".into()));
    choose(&mut model, "own");
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Check);
    let answers = &model.session.as_ref().expect("a session").answers;
    assert_eq!((answers.get("hospital"), answers.text("phone")), (None, "13000000017"));
    assert_eq!(answers.text("remote_type"), "其他临时外出就医", "the only answer left is set");
    model.command(Command::ChangeSituation("why".into()));
    choose(&mut model, "referral");
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Form, "the hospital is missing now");
    let session = model.session.as_ref().expect("a session");
    assert_eq!(session.focus.as_deref(), Some("hospital"));
    model.command(Command::Answer { key: "hospital".into(), value: json!("样例医院") });
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Check);
    let jobs = model.command(Command::Submit);
    let [Job::Submit(draft)] = jobs.as_slice() else { panic!("{jobs:?}") };
    assert_eq!(draft.situation.len(), 2);
    assert!(!format!("{draft:?} {:?}", model.session).contains("referral"));
}

#[test]
fn an_answer_that_ends_the_matter_goes_no_further() {
    let mut model = at_home();
    model.command(Command::OpenGuide(code("nhsa.remote-temp")));
    model.command(Command::Begin);
    choose(&mut model, "self");
    model.command(Command::Continue);
    choose(&mut model, "long");
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Ended);
    assert!(model.ending().is_some_and(|ending| ending.go.is_some()));
    assert!(model.command(Command::Continue).is_empty());
    model.command(Command::Back);
    assert_eq!((model.screen.clone(), chosen(&model).len()), (Screen::Question, 2));
    model.command(Command::OpenGuide(code("nhsa.remote-longterm")));
    model.command(Command::Begin);
    assert_eq!((model.screen.clone(), chosen(&model).len()), (Screen::Question, 0));
    assert!(model.history.iter().all(|screen| !screen.is_of_an_item()));
}

#[test]
fn only_options_of_the_question_on_the_screen_are_taken() {
    let mut model = at_home();
    model.command(Command::OpenGuide(code("nhsa.remote-temp")));
    model.command(Command::Begin);
    for (question, option) in
        [("agent", Some("nobody")), ("why", Some("referral")), ("agent", None), ("", Some(""))]
    {
        let (question, option) = (question.to_owned(), option.map(str::to_owned));
        model.command(Command::Choose { question, option });
    }
    assert!(chosen(&model).is_empty());
    model.command(Command::Continue);
    assert!(model.session.as_ref().expect("a session").situation.missing);
    model.command(Command::ChangeSituation("agent".into()));
    assert_eq!(model.screen, Screen::Question);
}

#[test]
fn nothing_of_the_situation_stays_after_the_visit() {
    let mut model = referred();
    model.command(Command::Home);
    assert!(chosen(&model).is_empty());
    begin(&mut model, code("hrss.flex-enroll"));
    assert_eq!(model.screen, Screen::Form, "the card was read before");
    model.command(Command::Finish);
    assert!(model.session.is_none());
}
