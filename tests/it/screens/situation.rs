//! Situation questions, the ends that answers mean, what the answers ask for, and the situation on the check page.
use std::sync::Arc;

use domain::situation::Ending;
use terminal::command::Command;
use terminal::event::Event;
use terminal::model::{Look, Model, Network, Screen, TextSize};

use super::stage::{NOW_MS, Stage, answer_all, answer_situation, catalogue, flex, looks, person, usual};

/// A bundle with a question of which several answers may be chosen.
const UTILITIES: &str = "one.utilities";

fn elder() -> Look {
    Look { size: TextSize::Elder, ..usual() }
}

/// After Begin on the guide of an entry.
fn begun(look: Look, code: &str) -> Model {
    let catalogue = catalogue();
    let mut model = Model::new(Arc::clone(&catalogue), NOW_MS);
    model.station = catalogue.stations.values().max_by_key(|s| s.name.zh.chars().count()).cloned();
    model.network = Network::Online;
    model.command(Command::Start(look.size));
    model.look = look;
    model.command(Command::OpenGuide(code.parse().expect("a code")));
    model.command(Command::Begin);
    model
}

/// Chooses an option of the question on the screen.
fn choose(model: &mut Model, option: &str) {
    let question = model.question().expect("a question").id.clone();
    model.command(Command::Choose { question, option: Some(option.to_owned()) });
}

fn codes() -> Vec<String> {
    let catalogue = catalogue();
    catalogue.items.keys().chain(catalogue.bundles.keys()).map(ToString::to_string).collect()
}

/// Ids of the options of the question on the screen, with what they end in.
fn options(model: &Model) -> Vec<(String, Option<Ending>)> {
    let question = model.question().expect("a question");
    question.options.iter().map(|option| (option.id.clone(), option.ends_with.clone())).collect()
}

#[test]
fn every_question_and_every_end_can_be_read_in_every_look() {
    let (mut asked, mut ends) = (0, 0);
    for look in looks() {
        let mut stage = Stage::of(flex(look));
        let mut common = false;
        for code in codes() {
            let mut model = begun(look, &code);
            while model.screen == Screen::Question {
                let about = format!("{code} {look:?}");
                let question = model.question().expect("a question").id.clone();
                // The common question is the same everywhere.
                let look_at = question != "agent" || !std::mem::replace(&mut common, true);
                if look_at {
                    stage.change(|shown| *shown = begun(look, &code));
                    let at = model.session.as_ref().expect("a session").situation.at;
                    stage.change(|shown| shown.session.as_mut().expect("a session").situation.at = at);
                    stage.assert_sound(&format!("question {question} of {about}"));
                    stage.change(|shown| drop(shown.command(Command::Continue)));
                    stage.assert_sound(&format!("question {question} of {about}, not answered"));
                    asked += 1;
                    for (id, ending) in options(&model) {
                        stage.change(|shown| choose(shown, &id));
                        if ending.is_some() {
                            stage.change(|shown| drop(shown.command(Command::Continue)));
                            assert_eq!(stage.model().screen, Screen::Ended);
                            stage.assert_sound(&format!("end {id} of {about}"));
                            stage.change(|shown| drop(shown.command(Command::Back)));
                            ends += 1;
                        }
                    }
                    stage.assert_sound(&format!("question {question} of {about}, answered"));
                }
                let on = options(&model).into_iter().find(|(_, ending)| ending.is_none()).expect("an option");
                choose(&mut model, &on.0);
                model.command(Command::Continue);
            }
        }
    }
    assert!(asked > 800 && ends > 300, "{asked} {ends}");
}

#[test]
fn what_is_needed_can_be_read_in_every_look_and_for_every_entry() {
    let mut seen = 0;
    for look in looks() {
        let mut stage = Stage::of(flex(look));
        for code in codes() {
            let mut model = begun(look, &code);
            while model.screen == Screen::Question {
                let on = options(&model).into_iter().rev().find(|(_, end)| end.is_none()).expect("an option");
                choose(&mut model, &on.0);
                model.command(Command::Continue);
            }
            if model.screen != Screen::Needs {
                continue;
            }
            seen += 1;
            stage.change(|shown| *shown = model);
            for page in 0..8 {
                stage.change(|shown| shown.list_page = page);
                stage.assert_sound(&format!("needs of {code}, page {page} {look:?}"));
                if !stage.has(&stage.t("pager.next")) {
                    break;
                }
            }
            // After the questions the guide lists what they ask for.
            stage.change(|shown| shown.screen = Screen::Guide(code.parse().expect("a code")));
            stage.assert_sound(&format!("guide of {code} after its questions {look:?}"));
        }
    }
    assert!(seen > 400, "{seen}");
}

#[test]
fn a_question_takes_one_answer_and_continue_says_when_it_is_missing() {
    for look in [usual(), elder()] {
        let mut stage = Stage::of(begun(look, "hrss.flex-enroll"));
        assert!(stage.has("我自己的") && stage.has("灵活就业参保 · 先问几句 · 第 1 步，共 2 步"));
        stage.go_on("继续");
        assert!(stage.has(&stage.t("situation.missing")));
        let own = Command::Choose { question: "agent".into(), option: Some("self".into()) };
        assert_eq!(stage.tap("我自己的"), [own]);
        stage.go_on("替家人或别人办");
        stage.go_on("我自己的");
        assert!(!stage.has(&stage.t("situation.missing")));
        let chosen = &stage.model().session.as_ref().expect("a session").situation.answers["agent"];
        assert_eq!(chosen.iter().collect::<Vec<_>>(), ["self"]);
        stage.go_on("继续");
        assert!(stage.has("灵活就业参保 · 先问几句 · 第 2 步，共 2 步"));
        stage.go_on("停了，或从来没有单位");
        stage.go_on("继续");
        assert_eq!(stage.model().screen, Screen::Card);
        for _ in 0..2 {
            stage.go_on("返回");
            assert_eq!(stage.model().screen, Screen::Question);
        }
        stage.go_on("返回");
        assert!(matches!(stage.model().screen, Screen::Guide(_)));
        let kept = &stage.model().session.as_ref().expect("a session").situation.answers;
        assert_eq!(kept.len(), 2, "going back keeps answers");
    }
}

#[test]
fn several_answers_are_switched_one_by_one_and_none_is_one_too() {
    let mut stage = Stage::of(begun(usual(), UTILITIES));
    let chosen = |stage: &Stage| {
        let answers = &stage.model().session.as_ref().expect("a session").situation.answers;
        answers.get("which").map(|ids| ids.iter().cloned().collect::<Vec<_>>())
    };
    assert!(stage.has(&stage.t("situation.several")));
    for (tapped, wanted) in [
        ("水", Some(vec!["water".to_owned()])),
        ("燃气", Some(vec!["gas".to_owned(), "water".to_owned()])),
        ("水", Some(vec!["gas".to_owned()])),
        ("都不要", Some(vec![])),
        ("燃气", Some(vec!["gas".to_owned()])),
        ("燃气", None),
    ] {
        stage.go_on(tapped);
        assert_eq!(chosen(&stage), wanted, "{tapped}");
    }
    stage.go_on("继续");
    assert!(stage.has(&stage.t("situation.missing_several")));
}

#[test]
fn an_end_offers_the_item_to_take_instead() {
    let mut model = begun(usual(), "hrss.resident-pension-enroll");
    while model.question().is_some_and(|question| question.id != "job") {
        answer_first(&mut model);
    }
    let mut stage = Stage::of(model);
    stage.go_on("没有，想自己按职工养老交");
    stage.go_on("继续");
    assert_eq!(stage.model().screen, Screen::Ended);
    assert!(stage.has("请办“灵活就业参保”。"));
    let go = "hrss.flex-enroll".parse().expect("a code");
    assert_eq!(stage.tap("去办：灵活就业参保"), [Command::OpenGuide(go)]);
    stage.go_on("去办：灵活就业参保");
    stage.go_on("开始办理");
    assert_eq!(stage.model().screen, Screen::Question);
    assert!(stage.model().session.as_ref().expect("a session").situation.answers.is_empty());
}

fn answer_first(model: &mut Model) {
    let on = options(model).into_iter().find(|(_, ending)| ending.is_none()).expect("an option");
    choose(model, &on.0);
    model.command(Command::Continue);
}

#[test]
fn a_bundle_shows_its_active_steps_and_what_goes_side_by_side() {
    let mut model = begun(usual(), UTILITIES);
    choose(&mut model, "water");
    choose(&mut model, "net");
    model.command(Command::Continue);
    choose(&mut model, "no");
    model.command(Command::Continue);
    let stage = Stage::of(model);
    assert_eq!(stage.model().screen, Screen::Needs);
    assert!(stage.has("供水方案、宽带方案"), "{:?}", stage.names());
    assert!(!stage.names().iter().any(|name| name.contains("燃气方案")));
    assert!(stage.names().iter().any(|name| name.contains("15 个工作日")));
}

#[test]
fn what_cannot_be_handed_in_here_still_tells_what_to_prepare_and_where() {
    for look in [usual(), elder()] {
        let mut model = begun(look, "one.restaurant");
        assert_eq!(model.screen, Screen::Question, "{look:?}");
        while model.screen == Screen::Question {
            answer_first(&mut model);
        }
        let mut stage = Stage::of(model);
        assert_eq!(stage.model().screen, Screen::Needs);
        assert!(stage.names().iter().any(|name| name.contains("政务服务大厅")), "{:?}", stage.names());
        assert!(!stage.has(&stage.t("form.go_on")));
        stage.change(|model| drop(model.command(Command::Continue)));
        assert_eq!(stage.model().screen, Screen::Needs);
    }
}

#[test]
fn the_check_page_shows_the_situation_with_change_and_the_final_materials() {
    let mut model = flex(usual());
    answer_all(&mut model);
    for _ in 0..20 {
        if model.screen == Screen::Check {
            break;
        }
        model.command(Command::Continue);
    }
    let mut stage = Stage::of(model);
    assert!(stage.has("谁的事？") && stage.has("我自己的"));
    assert!(stage.has(&stage.t("check.materials")), "{:?}", stage.names());
    assert_eq!(stage.tap("改谁的事？"), [Command::ChangeSituation("agent".into())]);
    stage.go_on("改谁的事？");
    assert_eq!(stage.model().screen, Screen::Question);
    stage.go_on("替家人或别人办");
    stage.go_on("继续");
    assert_eq!(stage.model().screen, Screen::Check);
    let names = stage.names().join("\n");
    assert!(names.contains("授权委托书") && names.contains("代办人身份证"), "{names}");
    assert_eq!(stage.model().session.as_ref().expect("a session").answers.text("phone"), "13000000017");
}

#[test]
fn questions_come_before_the_card_and_a_card_laid_early_does_not_skip_them() {
    let mut model = begun(usual(), "hrss.flex-enroll");
    model.event(Event::CardRead(Box::new(person())));
    assert_eq!(model.screen, Screen::Question);
    answer_situation(&mut model);
    assert_eq!(model.screen, Screen::Form);
}
