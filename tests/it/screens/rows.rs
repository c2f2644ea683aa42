//! Repeat groups on the form: one card a row, one more, one less, one step back, limits in words, and the check page.
use std::sync::Arc;

use domain::catalogue::Catalogue;
use domain::form::FormSpec;
use serde_json::{Value, json};
use terminal::command::Command;
use terminal::event::Event;
use terminal::model::{Look, Model, Screen, Session, TextSize};

use super::stage::{FLEX, NOW_MS, Stage, answer, answer_situation, catalogue, looks, person, usual};

fn text(zh: &str, en: &str) -> Value {
    json!({"zh": zh, "en": en})
}

/// One page about children (from `min` to `max`), with as many further questions as a row shall have.
fn spec(min: usize, max: usize, further: usize) -> FormSpec {
    let mut fields = vec![
        json!({"key": "name", "widget": "text", "label": text("姓名", "Name"), "required": true}),
        json!({"key": "kind", "widget": "enum", "label": text("在哪里上学", "School"), "choices": [
            {"value": "none", "label": text("没有上学", "None")},
            {"value": "primary", "label": text("小学", "Primary school")}]}),
    ];
    let mut properties = json!({
        "name": {"type": "string", "minLength": 1, "maxLength": 30},
        "kind": {"type": "string", "enum": ["none", "primary"]}});
    for n in 0..further {
        let key = format!("more_{n}");
        fields.push(json!({"key": key, "widget": "text", "label": text("其他情况", "Other facts")}));
        properties[key] = json!({"type": "string", "maxLength": 30});
    }
    let mut spec: FormSpec = serde_json::from_value(json!({
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
            "additionalProperties": false,
            "properties": {
                "children": {"type": "array", "minItems": min, "maxItems": max, "items": {
                    "type": "object", "additionalProperties": false, "properties": properties}},
                "note": {"type": "string", "maxLength": 50}}},
        "pages": [{"title": text("您的子女", "Your children"), "groups": [
            {"title": text("子女", "Children"), "fields": fields, "repeat": {
                "key": "children", "label": text("子女", "Children"), "row": text("第 {n} 个子女", "Child {n}"),
                "min": min, "max": max}},
            {"fields": [{"key": "note", "widget": "text", "label": text("备注", "Remarks")}]}]}]}))
    .expect("a form");
    spec.align_schema();
    spec
}

/// The form is open.
fn children(look: Look, spec: FormSpec) -> Model {
    let mut catalogue: Catalogue = catalogue().as_ref().clone();
    let item = catalogue.items.values_mut().find(|item| item.code.as_str() == FLEX).expect("the item");
    item.form = spec;
    let mut model = Model::new(Arc::new(catalogue), NOW_MS);
    model.command(Command::Start(look.size));
    model.look = look;
    model.command(Command::OpenGuide(FLEX.parse().expect("code")));
    model.command(Command::Begin);
    answer_situation(&mut model);
    model.event(Event::CardRead(Box::new(person())));
    model.command(Command::Continue);
    assert_eq!(model.screen, Screen::Form);
    model
}

fn session(stage: &Stage) -> &Session {
    stage.model().session.as_ref().expect("a session")
}

fn rows(stage: &Stage) -> Vec<Value> {
    session(stage).answers.rows("children").to_vec()
}

/// To the last part of a page.
fn to_the_end(stage: &mut Stage) {
    let more = stage.t("form.more_rows");
    while stage.has(&more) {
        stage.go_on(&more);
    }
}

fn elder() -> Look {
    Look { size: TextSize::Elder, ..usual() }
}

#[test]
fn rows_stand_in_every_look_with_few_and_many_of_them() {
    for look in looks() {
        for (min, max, further, more) in [(0, 3, 0, 0), (1, 3, 0, 1), (1, 12, 7, 5)] {
            let mut model = children(look, spec(min, max, further));
            for _ in 0..more {
                model.command(Command::AddRow("children".to_owned()));
            }
            model.session.as_mut().expect("a session").focus = None;
            let mut stage = Stage::of(model);
            let pages = session(&stage).plan.pages.len();
            for page in 0..pages {
                stage.change(|model| model.session.as_mut().expect("a session").page = page);
                let about = format!("page {page}, {more} more of {max} {look:?}");
                stage.assert_sound(&about);
                for part in 0..40 {
                    let more = stage.t("form.more_rows");
                    if !stage.has(&more) {
                        break;
                    }
                    stage.go_on(&more);
                    stage.assert_sound(&format!("part {part}, {about}"));
                }
                stage.change(|model| drop(model.command(Command::Continue)));
                stage.assert_sound(&format!("after Continue, {about}"));
            }
        }
    }
}

#[test]
fn one_more_one_less_and_one_step_back() {
    let mut stage = Stage::of(children(usual(), spec(1, 3, 0)));
    let add = stage.t("form.add_what").replace("{add}", &stage.t("form.add_row")).replace("{what}", "子女");
    stage.change(|model| answer(model, "children[0].name", json!("样小甲")));
    assert!(!stage.has("删除第 1 个子女"), "one must stay");
    for _ in 0..2 {
        to_the_end(&mut stage);
        stage.go_on(&add);
    }
    assert_eq!(rows(&stage).len(), 3);
    assert_eq!(session(&stage).focus.as_deref(), Some("children[2].name/seen"));
    to_the_end(&mut stage);
    assert!(!stage.has(&add), "full");
    assert!(stage.has(&stage.t("form.rows_full").replace("{most}", "3")));
    stage.change(|model| answer(model, "children[1].name", json!("样小乙")));
    stage.change(|model| answer(model, "children[2].name", json!("样小丙")));
    stage.change(|model| drop(model.command(Command::Focus(Some("children[1].name/seen".into())))));
    stage.go_on("删除第 2 个子女");
    let names = |stage: &Stage| -> Vec<String> {
        rows(stage).iter().map(|row| row["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(names(&stage), ["样小甲", "样小丙"]);
    assert!(stage.has(&stage.t("form.removed").replace("{n}", "2")));
    assert_eq!(session(&stage).focus.as_deref(), Some("children/seen"), "no field that is gone");
    stage.assert_sound("after a row was taken out");
    stage.go_on(&stage.t("form.undo"));
    assert_eq!(names(&stage), ["样小甲", "样小乙", "样小丙"]);
    assert!(!stage.has(&stage.t("form.undo")), "one step");
    assert_eq!(session(&stage).focus.as_deref(), Some("children[1].name/seen"));
}

#[test]
fn what_was_taken_out_does_not_come_back_over_a_new_row() {
    let mut model = children(usual(), spec(0, 2, 0));
    for command in [
        Command::AddRow("children".into()),
        Command::AddRow("children".into()),
        Command::RemoveRow { key: "children".into(), row: 0 },
        Command::AddRow("children".into()),
        Command::UndoRow,
        Command::RemoveRow { key: "children".into(), row: 7 },
        Command::RemoveRow { key: "nothing".into(), row: 0 },
        Command::AddRow("note".into()),
    ] {
        model.command(command);
    }
    let session = model.session.as_ref().expect("a session");
    assert_eq!(session.answers.rows("children").len(), 2);
    assert!(session.removed_row.is_none());
    model.command(Command::RemoveRow { key: "children".into(), row: 0 });
    assert!(model.session.as_ref().is_some_and(|session| session.removed_row.is_some()));
    model.command(Command::Home);
    assert!(model.session.as_ref().is_some_and(|session| session.removed_row.is_none()), "forgotten");
}

#[test]
fn an_error_in_a_row_says_which_row() {
    let mut stage = Stage::of(children(usual(), spec(2, 3, 0)));
    stage.change(|model| answer(model, "children[0].name", json!("样小甲")));
    stage.go_on(&stage.t("form.go_on"));
    let keys: Vec<&str> = session(&stage).errors.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(keys, ["children[1].name"]);
    let told = stage.names().into_iter().any(|name| name.contains("第 2 个子女 · 姓名"));
    assert!(told, "{:?}", stage.names());
    stage.assert_sound("an error in the second row");
}

#[test]
fn the_elder_version_asks_row_by_row_and_adds_at_the_end() {
    let mut stage = Stage::of(children(elder(), spec(1, 3, 0)));
    let add = stage.t("form.add_what").replace("{add}", &stage.t("form.add_row")).replace("{what}", "子女");
    assert!(stage.has("第 1 个子女") && !stage.has(&add));
    stage.change(|model| {
        answer(model, "children[0].name", json!("样小甲"));
        model.command(Command::Continue);
    });
    assert!(!stage.has(&stage.t("form.more_rows")), "the button stands below the last question");
    stage.go_on(&add);
    assert!(stage.has("第 2 个子女"));
    assert_eq!((rows(&stage).len(), session(&stage).page), (2, 2));
    stage.go_on("删除第 2 个子女");
    assert_eq!((rows(&stage).len(), session(&stage).page), (1, 1));
    stage.assert_sound("a page of the row before");
    stage.go_on(&stage.t("form.undo"));
    assert_eq!((rows(&stage).len(), session(&stage).page), (2, 2));
}

#[test]
fn the_check_page_shows_the_rows_and_leads_back_to_each() {
    let mut stage = Stage::of(children(usual(), spec(0, 3, 0)));
    stage.change(|model| {
        for (n, name) in ["样小甲", "样小乙"].into_iter().enumerate() {
            model.command(Command::AddRow("children".into()));
            answer(model, &format!("children[{n}].name"), json!(name));
        }
        model.command(Command::Continue);
    });
    assert_eq!(stage.model().screen, Screen::Check);
    stage.assert_sound("rows on the check page");
    for (n, name) in ["样小甲", "样小乙"].into_iter().enumerate() {
        let label = format!("第 {} 个子女 · 姓名", n + 1);
        assert!(stage.has(&label) && stage.has(name), "{:?}", stage.names());
        let change = stage.t("check.change_what").replace("{label}", &label);
        assert_eq!(stage.tap(&change), [Command::Change(format!("children[{n}].name"))]);
    }
    let mut empty = Stage::of(children(usual(), spec(0, 3, 0)));
    empty.change(|model| drop(model.command(Command::Continue)));
    let fill = empty.t("check.fill_in_what").replace("{label}", "子女");
    empty.go_on(&fill);
    assert_eq!(empty.model().screen, Screen::Form);
}
