//! The form: every page of every item in every look, each way of answering, errors, and what a tap asks for.
use domain::text::Language;
use serde_json::{Value, json};
use terminal::command::Command;
use terminal::model::{Look, Model, TextSize};

use super::stage::{Stage, answer, catalogue, flex, in_form, long_person, looks, person, to_field, usual};

fn focus(model: &mut Model, focus: &str) {
    model.command(Command::Focus(Some(focus.to_owned())));
}

fn elder() -> Look {
    Look { size: TextSize::Elder, ..usual() }
}

fn asked(commands: &[Command], wanted: &Command) -> bool {
    commands.iter().any(|command| command == wanted)
}

#[test]
fn every_page_of_every_form_stands_in_both_sizes_and_languages() {
    let catalogue = catalogue();
    let codes: Vec<&str> =
        catalogue.items.keys().chain(catalogue.bundles.keys()).map(|c| c.as_str()).collect();
    for look in looks().into_iter().filter(|look| !look.high_contrast) {
        let mut stage: Option<Stage> = None;
        for code in &codes {
            let Some(model) = in_form(look, code, person()) else { continue };
            let pages = model.session.as_ref().map_or(0, |s| s.plan.pages.len());
            let stage = stage.get_or_insert_with(|| Stage::of(flex(look)));
            stage.change(|old| *old = model);
            for page in 0..pages {
                stage.change(|model| model.session.as_mut().unwrap().page = page);
                stage.assert_sound(&format!("{code} page {page} {look:?}"));
            }
        }
    }
}

#[test]
fn every_page_of_every_form_stands_with_all_its_errors() {
    let catalogue = catalogue();
    for look in [usual(), elder()] {
        let mut stage = Stage::of(flex(look));
        for code in catalogue.items.keys() {
            let Some(model) = in_form(look, code.as_str(), person()) else { continue };
            let pages = model.session.as_ref().map_or(0, |s| s.plan.pages.len());
            stage.change(|old| *old = model);
            for page in 0..pages {
                stage.change(|model| {
                    model.session.as_mut().unwrap().page = page;
                    model.command(Command::Continue);
                });
                stage.assert_sound(&format!("{code} page {page} with errors {look:?}"));
                for part in 1..6 {
                    let Some(more) = stage.names().into_iter().find(|name| name.starts_with("下面还有"))
                    else {
                        break;
                    };
                    stage.go_on(&more);
                    stage.assert_sound(&format!("{code} page {page} part {part} with errors {look:?}"));
                }
            }
        }
    }
}

#[test]
fn pickers_and_pads_stand_in_every_look() {
    let open = [
        ("residence_addr", "residence_addr/region/630100/0"),
        ("residence_addr", "residence_addr/region/all/1"),
        ("residence_addr", "residence_addr/region/500000/0"),
        ("residence_addr", "residence_addr/region/469001/0"),
        ("residence_addr", "residence_addr/detail"),
        ("hukou_region", "hukou_region/region/650000/9"),
        ("start_month", "start_month/keys"),
        ("phone", "phone"),
        ("bank_card", "bank_card"),
    ];
    for look in looks() {
        let mut stage = Stage::of(flex(look));
        for (field, place) in open {
            stage.change(|model| {
                to_field(model, field);
                focus(model, place);
            });
            stage.assert_sound(&format!("{place} {look:?}"));
        }
    }
}

#[test]
fn long_names_addresses_and_rare_characters_do_not_break_a_page() {
    for look in looks() {
        let mut model = in_form(look, "hrss.flex-enroll", long_person()).unwrap();
        to_field(&mut model, "residence_addr");
        answer(&mut model, "hukou_region", json!("652829"));
        answer(&mut model, "residence_addr", json!({"region": "530827", "detail": "长".repeat(200)}));
        let mut stage = Stage::of(model);
        stage.assert_sound(&format!("long address {look:?}"));
        for part in ["residence_addr/detail", "residence_addr/region/530800/0"] {
            stage.change(|model| focus(model, part));
            stage.assert_sound(&format!("long address {part} {look:?}"));
        }
        stage.change(|model| to_field(model, "phone"));
        stage.assert_sound(&format!("long name {look:?}"));
    }
}

#[test]
fn a_digit_key_adds_to_the_number() {
    for look in [usual(), elder()] {
        let mut model = flex(look);
        answer(&mut model, "phone", json!("138"));
        let mut stage = Stage::of(model);
        let commands = stage.tap("7");
        let wanted = Command::Answer { key: "phone".to_owned(), value: json!("1387") };
        assert!(asked(&commands, &wanted), "{commands:?}");
        let commands = stage.tap(&stage.t("pad.delete"));
        let wanted = Command::Answer { key: "phone".to_owned(), value: json!("13") };
        assert!(asked(&commands, &wanted));
        assert!(asked(&stage.tap(&stage.t("pad.clear")), &Command::ClearAnswer("phone".to_owned())));
        let wanted = Command::Answer { key: "phone".to_owned(), value: json!("1385") };
        assert!(asked(&stage.type_text("5"), &wanted), "a physical keyboard types, too");
    }
}

#[test]
fn a_whole_number_is_typed_key_by_key() {
    let mut stage = Stage::of(flex(usual()));
    for key in "13000000017".chars() {
        stage.go_on(&key.to_string());
    }
    let session = stage.model().session.as_ref().unwrap();
    assert_eq!(session.answers.text("phone"), "13000000017");
    stage.assert_sound("a complete number");
    stage.go_on(&stage.t("form.go_on"));
    assert_eq!(stage.model().session.as_ref().unwrap().page, 1);
}

#[test]
fn a_computed_value_is_shown_and_cannot_be_typed() {
    for look in looks() {
        let mut stage = Stage::of(flex(look));
        stage.change(|model| {
            let field =
                &mut std::sync::Arc::make_mut(&mut model.session.as_mut().unwrap().plan).pages[0].fields[0];
            (field.computed, field.value) = (true, Some(json!("13000000017")));
        });
        stage.assert_sound(&format!("computed {look:?}"));
        let shown = [stage.t("form.computed"), "13000000017".to_owned()];
        assert!(shown.iter().all(|words| stage.has(words)) && !stage.has("7"), "{:?}", stage.names());
        stage.change(|model| {
            model.command(Command::Answer { key: "phone".to_owned(), value: json!("13800000000") });
        });
        assert_eq!(stage.model().session.as_ref().unwrap().answers.get("phone"), None);
    }
}

#[test]
fn an_error_stands_in_the_summary_and_at_the_field_and_leads_there() {
    for look in looks() {
        let mut model = flex(look);
        answer(&mut model, "phone", json!("1380000"));
        model.command(Command::Continue);
        let mut stage = Stage::of(model);
        stage.assert_sound(&format!("error {look:?}"));
        let words = stage.t("form.error.phone_too_short").replace("{missing}", "4");
        assert!(stage.has(&words), "{:?}", stage.names());
        let label = if look.language == Language::ZhCn { "手机号" } else { "Mobile phone" };
        let row = stage.t("form.summary.jump").replace("{words}", &format!("{label}：{words}"));
        assert!(asked(&stage.tap(&row), &Command::JumpTo("phone".to_owned())));
        assert!(stage.names().iter().any(|name| name.contains("F-205")), "a code for staff");
    }
}

#[test]
fn a_choice_is_an_answer_and_never_goes_on_by_itself() {
    for look in [usual(), elder()] {
        let mut model = flex(look);
        to_field(&mut model, "job_type");
        let mut stage = Stage::of(model);
        let commands = stage.tap("网约配送");
        assert_eq!(commands, [Command::Answer { key: "job_type".to_owned(), value: json!("网约配送") }]);
    }
}

#[test]
fn elders_see_four_choices_at_a_time_and_the_chosen_one_at_once() {
    let mut model = flex(elder());
    to_field(&mut model, "job_type");
    let mut stage = Stage::of(model);
    assert!(stage.has("网约车驾驶") && !stage.has("家政"));
    stage.go_on(&stage.t("pager.next"));
    assert!(stage.has("家政") && !stage.has("网约车驾驶"));
    stage.go_on(&stage.t("pager.previous"));
    assert!(stage.has("网约车驾驶"));
    stage.change(|model| {
        answer(model, "job_type", json!("其他"));
        to_field(model, "job_type");
    });
    assert!(stage.has("其他"), "the answer is on the page that opens");
}

#[test]
fn a_region_is_found_from_province_to_district() {
    for look in [usual(), elder()] {
        let mut model = flex(look);
        to_field(&mut model, "hukou_region");
        let mut stage = Stage::of(model);
        stage.go_on("户籍所在地");
        assert!(stage.has("全国"), "{:?}", stage.names());
        stage.go_on("全国");
        stage.go_on("北京市");
        stage.go_on("朝阳区");
        let session = stage.model().session.as_ref().unwrap();
        assert_eq!(session.answers.text("hukou_region"), "110105");
        assert!(!stage.has("全国"), "the picker closes");
        stage.assert_sound("a chosen region");
    }
}

#[test]
fn the_address_of_the_card_is_one_tap_and_words_can_be_typed() {
    let mut model = flex(usual());
    to_field(&mut model, "residence_addr");
    let mut stage = Stage::of(model);
    let same = stage.t("form.same_as_card");
    assert!(asked(&stage.tap(&same), &Command::UseCardAddress("residence_addr".to_owned())));
    stage.go_on(&same);
    let detail = |stage: &Stage| {
        let value = stage.model().session.as_ref().unwrap().answers.get("residence_addr").cloned();
        value.and_then(|v| v.get("detail").and_then(Value::as_str).map(str::to_owned)).unwrap_or_default()
    };
    assert!(detail(&stage).ends_with("502室"));
    stage.go_on(&stage.t("form.address_detail"));
    stage.go_on("7");
    assert!(detail(&stage).ends_with("502室7"));
    let commands = stage.type_text("号");
    assert!(commands.iter().any(|c| matches!(c, Command::Answer { value, .. } if value["detail"].as_str().is_some_and(|d| d.ends_with("7号")))));
}

#[test]
fn this_month_is_one_tap_and_another_one_is_stepped_to() {
    for look in [usual(), elder()] {
        let mut model = flex(look);
        to_field(&mut model, "start_month");
        let mut stage = Stage::of(model);
        let commands = stage.tap("本月 · 2026 年 11 月");
        assert!(asked(
            &commands,
            &Command::Answer { key: "start_month".to_owned(), value: json!("2026-11") }
        ));
        stage.go_on(&stage.t("form.other_month"));
        let more = stage.t("picker.more").replace("{what}", &stage.t("picker.month"));
        stage.go_on(&more);
        assert_eq!(stage.model().session.as_ref().unwrap().answers.text("start_month"), "2026-12");
    }
}
