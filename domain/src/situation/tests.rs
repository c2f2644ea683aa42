//! Answers and what they make of an item or bundle, over a small catalogue in the shape of version 1.
use std::collections::BTreeSet;

use super::*;
use crate::catalogue::{Catalogue, Entry};
use crate::form::Form;
use crate::text::Text;

fn catalogue() -> Catalogue {
    let json = include_str!("../../../tests/fixtures/catalogue-1.json");
    Catalogue::from_document(json).expect("the frozen catalogue is readable")
}

fn entry<'a>(catalogue: &'a Catalogue, code: &str) -> Entry<'a> {
    catalogue.entry(&code.parse().expect("a code")).expect("it is there")
}

/// Ids of options by question.
type Given<'a> = &'a [(&'a str, &'a [&'a str])];

fn answers(given: Given<'_>) -> SituationAnswers {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    given.iter().map(|(question, options)| ((*question).to_owned(), ids(options))).collect()
}

fn names(resolution: &Resolution<'_>) -> Vec<String> {
    resolution.materials.iter().map(|material| material.name.zh.clone()).collect()
}

#[test]
fn whose_matter_it_is_comes_first_unless_the_item_asks_itself() {
    let catalogue = catalogue();
    let ids = |code: &str| -> Vec<String> {
        questions(&catalogue, entry(&catalogue, code)).iter().map(|q| q.id.clone()).collect()
    };
    assert_eq!(ids("nhsa.reimb"), ["agent", "cause", "paper"]);
    assert_eq!(ids("psb.no-crime"), ["agent"]);
    assert_eq!(questions(&catalogue, entry(&catalogue, "psb.no-crime"))[0].options.len(), 3);
    assert_eq!(ids("one.utilities"), ["which", "dig"]);
}

#[test]
fn a_material_that_an_option_names_is_needed_only_then() {
    let catalogue = catalogue();
    let item = entry(&catalogue, "samr.soletrader-cancel");
    let none = resolve(&catalogue, item, &SituationAnswers::new());
    assert_eq!(names(&none), ["居民身份证", "清税信息", "注销申请书"]);
    assert_eq!(none.next.map(|q| q.id.as_str()), Some("agent"));
    let table: [(&str, &[&str]); 3] = [
        ("yes", &["居民身份证", "清税信息", "营业执照（纸质）", "注销申请书"]),
        ("lost", &["居民身份证", "清税信息", "注销申请书", "执照遗失声明"]),
        ("never", &["居民身份证", "清税信息", "注销申请书"]),
    ];
    for (option, wanted) in table {
        let given = answers(&[("agent", &["self"]), ("tax", &["yes"]), ("paper", &[option])]);
        let resolution = resolve(&catalogue, item, &given);
        assert_eq!(names(&resolution), wanted, "{option}");
        assert!(resolution.next.is_none() && resolution.refused.is_empty() && resolution.ended.is_none());
    }
    let agent = resolve(&catalogue, item, &answers(&[("agent", &["agent"])]));
    assert_eq!(names(&agent)[3..], ["代办人身份证", "授权委托书"]);
    assert_eq!(agent.materials[3].source, MaterialSource::Card);
    assert_eq!(agent.materials[4].name.en, "Authorisation by the person, signed on screen");
}

#[test]
fn an_ending_stops_the_questions() {
    let catalogue = catalogue();
    let item = entry(&catalogue, "nhsa.reimb");
    let resolution = resolve(&catalogue, item, &answers(&[("agent", &["self"]), ("cause", &["work"])]));
    assert_eq!(resolution.ended.map(|e| e.message.zh.as_str()), Some("上班受伤走工伤，不走医保报销。"));
    assert!(resolution.next.is_none());
}

#[test]
fn answers_that_name_nothing_are_told_and_choose_nothing() {
    let catalogue = catalogue();
    let item = entry(&catalogue, "nhsa.reimb");
    let table: [(SituationAnswers, &[&str]); 4] = [
        (answers(&[("cause", &["flu"])]), &["cause"]),
        (answers(&[("cause", &["ill", "work"])]), &["cause"]),
        (answers(&[("colour", &["red"])]), &["colour"]),
        (answers(&[("cause", &[])]), &[]),
    ];
    for (given, refused) in table {
        let resolution = resolve(&catalogue, item, &given);
        assert_eq!(resolution.refused, refused, "{given:?}");
        assert!(resolution.ended.is_none());
    }
}

#[test]
fn steps_that_are_off_pass_their_dependencies_on() {
    let catalogue = catalogue();
    let bundle = entry(&catalogue, "one.utilities");
    let graph = |given: &[(&str, &[&str])]| -> Vec<String> {
        let resolution = resolve(&catalogue, bundle, &answers(given));
        let line = |on: &ActiveStep<'_>| format!("{}<{}", on.step.id, on.depends.join(","));
        resolution.steps.iter().map(line).collect()
    };
    let all = ["s1<", "s2<s1", "s3<s2", "s4<s2", "s5<s2", "s6<s2", "s7<s3,s4,s5", "s8<s7,s6"];
    assert_eq!(graph(&[]), all);
    assert_eq!(graph(&[("which", &["water"]), ("dig", &["no"])]), ["s1<", "s2<s1", "s3<s2", "s8<s3,s2"]);
    let net = graph(&[("which", &["net"]), ("dig", &["yes"])]);
    assert_eq!(net, ["s1<", "s2<s1", "s6<s2", "s7<s2", "s8<s7,s6"]);
    let two = graph(&[("which", &["water", "gas"]), ("dig", &["unknown"])]);
    assert_eq!(two, ["s1<", "s2<s1", "s3<s2", "s5<s2", "s7<s3,s2,s5", "s8<s7,s2"]);
}

#[test]
fn a_question_stands_for_its_field() {
    let catalogue = catalogue();
    let bundle = entry(&catalogue, "one.utilities");
    assert!(resolve(&catalogue, bundle, &SituationAnswers::new()).adjustments.is_empty());
    let resolution = resolve(&catalogue, bundle, &answers(&[("which", &["water"])]));
    let dropped: Vec<&String> = resolution.adjustments.drops_fields.iter().collect();
    assert_eq!(dropped, ["utility_kind"]);
}

#[test]
fn none_of_several_is_an_answer_and_none_of_one_is_not() {
    let catalogue = catalogue();
    let bundle = entry(&catalogue, "one.utilities");
    let given = answers(&[("which", &[]), ("dig", &["no"])]);
    let none = resolve(&catalogue, bundle, &given);
    assert!(none.next.is_none() && none.refused.is_empty());
    let on: Vec<&str> = none.steps.iter().map(|active| active.step.id.as_str()).collect();
    assert_eq!(on, ["s1", "s2", "s8"]);
    assert!(misfits(&catalogue, bundle, &given).is_empty());
    let given = answers(&[("which", &["gas"]), ("dig", &[])]);
    assert_eq!(resolve(&catalogue, bundle, &given).next.map(|q| q.id.as_str()), Some("dig"));
}

#[test]
fn stages_are_steps_that_can_go_side_by_side() {
    let catalogue = catalogue();
    let bundle = entry(&catalogue, "one.utilities");
    let stages = |given: &[(&str, &[&str])]| -> Vec<String> {
        let resolution = resolve(&catalogue, bundle, &answers(given));
        let ids = |stage: Vec<&ActiveStep<'_>>| {
            stage.iter().map(|active| active.step.id.as_str()).collect::<Vec<_>>().join(" ")
        };
        resolution.stages().into_iter().map(ids).collect()
    };
    assert_eq!(stages(&[]), ["s1", "s2", "s3 s4 s5 s6", "s7", "s8"]);
    assert_eq!(stages(&[("which", &["water", "net"]), ("dig", &["no"])]), ["s1", "s2", "s3 s6", "s8"]);
    assert!(Resolution::default().stages().is_empty());
}

/// An item whose form has a repeat group, and questions that name it and its fields.
fn with_rows() -> Catalogue {
    let mut catalogue = catalogue();
    let code = "nhsa.insured-cert".parse().expect("a code");
    let item = catalogue.items.get_mut(&code).expect("it is there");
    item.proxy_allowed = false;
    let text = |zh: &str| serde_json::json!({"zh": zh, "en": zh});
    let mut form = serde_json::to_value(&item.form).expect("a form");
    form["schema"]["properties"]["children"] = serde_json::json!({
        "type": "array", "minItems": 0, "maxItems": 3,
        "items": {"type": "object", "properties": {"child": {"type": "string", "maxLength": 30}},
                  "required": ["child"], "additionalProperties": false},
    });
    let group = serde_json::json!({
        "repeat": {"key": "children", "label": text("孩子"), "row": text("{n}"), "min": 0, "max": 3},
        "fields": [{"key": "child", "widget": "text", "label": text("姓名"), "required": true}],
    });
    form["pages"][0]["groups"].as_array_mut().expect("groups").push(group);
    item.form = serde_json::from_value(form).expect("a form");
    item.situations = serde_json::from_value(serde_json::json!({"questions": [
        {"id": "family", "text": text("?"), "options": [
            {"id": "yes", "text": text("y"), "adds_fields": ["children"]},
            {"id": "no", "text": text("n")},
            {"id": "out", "text": text("o"), "ends_with": {"message": text("m"), "way": text("w")}},
        ]},
        {"id": "told", "text": text("?"), "options": [
            {"id": "a", "text": text("a"), "adds_materials": ["居民身份证"]}, {"id": "b", "text": text("b")},
        ]},
    ]}))
    .expect("situations");
    catalogue
}

#[test]
fn questions_may_name_repeat_groups() {
    let catalogue = with_rows();
    let item = entry(&catalogue, "nhsa.insured-cert");
    let form = Form::compile(item.form()).expect("compiles");
    let plan = |option: &str| {
        let given = answers(&[("family", &[option]), ("told", &["b"])]);
        let form = form_for(&catalogue, item, &form, Some(&given)).expect("it fits");
        let facts = crate::form::Facts::on("2026-11-24".parse().expect("a day"));
        let mut filled = crate::form::Answers::default();
        form.prefill(&mut filled, &facts);
        let plan = form.plan(&filled, &facts, crate::form::Layout::Grouped);
        let fields = plan.pages.iter().flat_map(|page| &page.fields).map(|field| field.key.clone());
        fields.filter(|key| key.starts_with("child")).collect::<Vec<_>>()
    };
    assert_eq!(plan("yes"), ["children[0].child"], "one row is asked for");
    assert!(plan("no").is_empty());
}

#[test]
fn answers_that_do_not_fit_are_told_question_by_question() {
    let catalogue = with_rows();
    let item = entry(&catalogue, "nhsa.insured-cert");
    let form = Form::compile(item.form()).expect("compiles");
    let told = |given: &[(&str, &[&str])]| -> Vec<String> {
        match form_for(&catalogue, item, &form, Some(&answers(given))) {
            Ok(_) => Vec::new(),
            Err(NoForm::Misfits(misfits)) => misfits
                .iter()
                .map(|misfit| format!("{} {}", misfit.path().unwrap_or_default(), misfit.kind.name()))
                .collect(),
            Err(NoForm::Form(error)) => vec![error.to_string()],
        }
    };
    let table: [(Given<'_>, &[&str]); 8] = [
        (&[("family", &["yes"]), ("told", &["a"])], &[]),
        // A question that decides about no field may stay unanswered.
        (&[("family", &["no"])], &[]),
        (&[("told", &["a"])], &["situation.family required"]),
        (&[("family", &[])], &["situation.family required"]),
        (&[("family", &["perhaps"])], &["situation.family not_a_choice"]),
        (&[("family", &["yes", "no"])], &["situation.family not_a_choice"]),
        (&[("family", &["out"]), ("told", &["x"])], &["situation.family ends"]),
        (&[("family", &["no"]), ("13900139000", &["x"])], &[" unknown_field"]),
    ];
    for (given, wanted) in table {
        assert_eq!(told(given), wanted, "{given:?}");
    }
    let plain = form_for(&catalogue, item, &form, None).expect("a program that asks nothing");
    let facts = crate::form::Facts::on("2026-11-24".parse().expect("a day"));
    let none = crate::form::Answers::default();
    assert_eq!(plain.validate_with(&none, &facts), form.validate_with(&none, &facts));
}

#[test]
fn a_bundle_of_which_nothing_is_left_has_no_form() {
    let mut catalogue = catalogue();
    let code = "one.utilities".parse().expect("a code");
    let bundle = catalogue.bundles.get_mut(&code).expect("it is there");
    bundle.situations.if_nothing_left = Some(Text::new("没有", "nothing"));
    bundle.situations.questions[0].controls =
        ["s2", "s3", "s4", "s5", "s6", "s7", "s8"].map(str::to_owned).into();
    let given = answers(&[("which", &[]), ("dig", &["no"])]);
    let told = misfits(&catalogue, entry(&catalogue, "one.utilities"), &given);
    assert_eq!(told, [Misfit { question: None, kind: MisfitKind::NothingLeft }]);
}

#[test]
fn fields_are_added_dropped_and_narrowed() {
    let mut catalogue = catalogue();
    let code = "nhsa.insured-cert".parse().expect("a code");
    let item = catalogue.items.get_mut(&code).expect("it is there");
    item.proxy_allowed = false;
    item.situations = serde_json::from_value(serde_json::json!({
        "presets": {"purpose": ["a", "b", "c"]},
        "questions": [
            {"id": "one", "text": {"zh": "?"}, "options": [
                {"id": "x", "text": {"zh": "x"}, "adds_fields": ["period_to"], "narrows_fields": {"purpose": ["b", "c"]}},
                {"id": "y", "text": {"zh": "y"}, "drops_fields": ["period_from"]},
            ]},
            {"id": "two", "text": {"zh": "?"}, "options": [
                {"id": "x", "text": {"zh": "x"}, "narrows_fields": {"purpose": ["c", "d"]}},
                {"id": "y", "text": {"zh": "y"}, "narrows_fields": {"purpose": ["z"]}, "adds_fields": ["nowhere"]},
            ]},
        ],
    }))
    .expect("situations");
    let adjusted = |one: &str, two: &str| {
        let given = answers(&[("one", &[one]), ("two", &[two])]);
        resolve(&catalogue, entry(&catalogue, "nhsa.insured-cert"), &given).adjustments
    };
    let xx = adjusted("x", "x");
    assert_eq!(xx.presets["purpose"], ["a", "b", "c"]);
    assert_eq!(xx.narrows_fields["purpose"], ["c"]);
    assert!(xx.adds_fields.contains("period_to") && xx.drops_fields.is_empty());
    let yy = adjusted("y", "y");
    assert_eq!(yy.narrows_fields["purpose"], ["z"], "an unknown field is not added");
    assert!(yy.adds_fields.is_empty());
    let dropped: Vec<&String> = yy.drops_fields.iter().collect();
    assert_eq!(dropped, ["period_from", "period_to"], "one that no chosen option adds is not asked");
}

#[test]
fn todays_shape_and_the_old_one_are_the_same_and_mistakes_are_told() {
    let old = r#"[{"id": "q", "text_zh": "问", "text_en": "ask", "options": [
        {"id": "a", "text_zh": "甲", "text_en": "A", "adds_materials": [], "adds_fields": [],
         "ends_with": {"message_zh": "停", "message_en": "stop", "way_zh": "走", "way_en": "go"}}]}]"#;
    let new = r#"{"questions": [{"id": "q", "text": {"zh": "问", "en": "ask"}, "options": [
        {"id": "a", "text": {"zh": "甲", "en": "A"},
         "ends_with": {"message": {"zh": "停", "en": "stop"}, "way": {"zh": "走", "en": "go"}}}]}]}"#;
    let old: Situations = serde_json::from_str(old).expect("the old shape");
    let new: Situations = serde_json::from_str(new).expect("today's shape");
    assert_eq!(old, new);
    let again = serde_json::to_string(&new).expect("JSON");
    assert_eq!(serde_json::from_str::<Situations>(&again).expect("again"), new);
    assert!(serde_json::from_str::<Situations>("null").expect("nothing").is_empty());
    for bad in ["7", "\"x\"", "{\"colour\": 1}", "[{\"id\": \"q\"}]", "[{\"id\": \"q\", \"options\": [7]}]"] {
        assert!(serde_json::from_str::<Situations>(bad).is_err(), "{bad}");
    }
}
