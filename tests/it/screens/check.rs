//! Check the answers: masked, Change beside each, in clear on a tap, submit.
use serde_json::json;
use terminal::command::Command;
use terminal::model::{Look, Model, Screen, SubmitStep, TextSize};

use super::stage::{NOW_MS, Stage, answer, answer_all, flex, in_form, long_person, looks, usual};

fn at_check(look: Look) -> Model {
    let mut model = flex(look);
    answer_all(&mut model);
    model.screen = Screen::Check;
    model
}

fn session_of(model: &mut Model) -> &mut terminal::model::Session {
    model.session.as_mut().expect("a session")
}

#[test]
fn it_stands_in_every_look_and_step() {
    for look in looks() {
        let mut stage = Stage::of(at_check(look));
        stage.assert_sound(&format!("check {look:?}"));
        for step in [
            SubmitStep::Saving { since_ms: 0 },
            SubmitStep::Failed { key: "store" },
            SubmitStep::Failed { key: "no such words" },
        ] {
            stage.change(|model| session_of(model).submit = step);
            stage.assert_sound(&format!("{step:?} {look:?}"));
        }
        for page in 1..4 {
            stage.change(|model| model.list_page = page);
            stage.assert_sound(&format!("page {page} {look:?}"));
        }
    }
}

#[test]
fn long_answers_do_not_break_it() {
    for look in looks() {
        let mut model = in_form(look, "hrss.flex-enroll", long_person()).unwrap();
        answer_all(&mut model);
        answer(&mut model, "residence_addr", json!({"region": "530827", "detail": "长".repeat(200)}));
        model.screen = Screen::Check;
        session_of(&mut model).revealed_until_ms = Some(NOW_MS + 5_000);
        let mut stage = Stage::of(model);
        stage.assert_sound(&format!("long {look:?}"));
        for page in 1..4 {
            stage.change(|model| model.list_page = page);
            stage.assert_sound(&format!("long, page {page} {look:?}"));
        }
    }
}

#[test]
fn what_others_might_read_is_masked_until_it_is_asked_for() {
    let mut model = at_check(usual());
    answer(&mut model, "bank_card", json!("6200000000000005"));
    let private = ["样小川", "639900199005201035", "13000000017", "样例路1号2单元"];
    let mut stage = Stage::of(model);
    let all = stage.names().join("\n");
    for words in private {
        assert!(!all.contains(words), "{words} in\n{all}");
    }
    assert!(all.contains("样*川") && all.contains("130****0017"), "{all}");
    assert_eq!(stage.tap(&stage.t("check.reveal")), [Command::Reveal]);
    stage.change(|model| session_of(model).revealed_until_ms = Some(NOW_MS + 5_000));
    let all = stage.names().join("\n");
    for words in private {
        assert!(all.contains(words), "{words} not in\n{all}");
    }
}

/// Shows the page on which something has this name.
fn turn_to(stage: &mut Stage, name: &str) {
    let found = (0..6).any(|page| {
        stage.change(|model| model.list_page = page);
        stage.has(name)
    });
    assert!(found, "{name} is on no page");
}

#[test]
fn each_answer_can_be_changed_and_a_skipped_one_answered() {
    for look in [usual(), Look { size: TextSize::Elder, ..usual() }] {
        let mut stage = Stage::of(at_check(look));
        turn_to(&mut stage, "改手机号");
        assert_eq!(stage.tap("改手机号"), [Command::Change("phone".to_owned())]);
        assert!(!stage.names().iter().any(|name| name == "改姓名"), "the card's data cannot be changed");
        turn_to(&mut stage, "填本人银行卡号（选填）");
        assert!(stage.has(&stage.t("check.empty")));
        assert_eq!(stage.tap("填本人银行卡号（选填）"), [Command::Change("bank_card".to_owned())]);
        assert_eq!(stage.tap(&stage.t("check.submit")), [Command::Submit]);
    }
}

#[test]
fn the_card_of_the_person_says_only_what_the_identity_card_says() {
    let stage = Stage::of(at_check(usual()));
    let [person, materials] = ["check.person", "check.materials"].map(|key| stage.place(&stage.t(key)));
    // Each card has its heading, and what belongs to it stands below.
    let id = stage.place(&stage.t("check.id_number"));
    assert!(person.bottom() < id.top() && id.bottom() < materials.top(), "{person:?} {id:?} {materials:?}");
    let free = stage.place(&stage.t("materials.free_label"));
    assert!(free.top() > materials.bottom() && (free.left() - id.left()).abs() < 1.0, "{free:?}");
    let changes: Vec<String> = stage.names().into_iter().filter(|name| name.starts_with("改")).collect();
    assert!(changes.len() > 2, "{changes:?}");
    for change in changes {
        let place = stage.place(&change);
        assert!(place.left() > 960.0 || place.top() > free.bottom(), "{change} {place:?}");
    }
}
