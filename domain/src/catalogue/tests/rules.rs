//! Every rule broken once: the mistake or warning names file, item and field.
use serde_json::{Value, json};

use super::super::*;
use super::{files, frozen};

pub(super) type Change = fn(&mut Value);
/// Item, field, a word of the reason, and what breaks the rule of that item (or bundle, or else the whole).
pub(super) type Row = (&'static str, &'static str, &'static str, Change);

const CRIME: &str = "psb.no-crime";
const REIMB: &str = "nhsa.reimb";
pub(super) const UTIL: &str = "one.utilities";

/// The frozen catalogue in today's shape.
pub(super) fn document() -> Value {
    serde_json::from_str(&frozen().to_document().json).expect("JSON")
}

/// The part of a document that a row is about.
pub(super) fn part<'a>(document: &'a mut Value, code: &str) -> &'a mut Value {
    let folder = if code.starts_with("one.") { "bundles" } else { "items" };
    if code.contains('.') && !code.ends_with(".json") {
        let list = document[folder].as_array_mut().expect("a list");
        return list.iter_mut().find(|entry| entry["code"] == code).expect("the entry");
    }
    document
}

pub(super) fn file(code: &str) -> String {
    match code {
        code if code.ends_with(".json") => code.to_owned(),
        code if code.starts_with("one.") => format!("bundles/{code}.json"),
        code => format!("items/{code}.json"),
    }
}

fn question(part: &mut Value, at: usize) -> &mut Value {
    &mut part["situations"]["questions"][at]
}

/// A sample case of `UTIL` that expects these steps.
fn sample(steps: &[&str]) -> Value {
    let answers = json!({"which": ["water"], "dig": ["no"]});
    json!({"id": "water", "name": {"zh": "只装水", "en": "Water only"}, "answers": answers, "steps": steps})
}

const ERRORS: &[Row] = &[
    (CRIME, "promised", "legal", |v| v["promised"]["tenths"] = json!(400)),
    (CRIME, "promised", "legal", |v| {
        v["promised"] = json!({"tenths": 40, "unit": "working_day"});
        v["legal"] = json!({"tenths": 30, "unit": "natural_day"});
    }),
    (CRIME, "name.zh", "U+202E", |v| v["name"]["zh"] = json!("无犯罪\u{202e}记录")),
    (CRIME, "guide.how[1].en", "U+200B", |v| v["guide"]["how"][1]["en"] = json!("a\u{200b}b")),
    (CRIME, "results[0]", "U+0007", |v| v["results"][0] = json!("a\u{7}")),
    (CRIME, "form.pages[0].groups[0].fields[0].label.zh", "10000 characters", |v| {
        v["form"]["pages"][0]["groups"][0]["fields"][0]["label"]["zh"] = json!("长".repeat(10_000));
    }),
    (CRIME, "synonyms[0]", "official name", |v| v["synonyms"][0] = json!("基本医疗保险参保凭证打印")),
    (CRIME, "synonyms[1]", "twice", |v| v["synonyms"][1] = v["synonyms"][0].clone()),
    (CRIME, "legal_basis[0].name", "1 to 100", |v| v["legal_basis"] = json!([""])),
    (CRIME, "revision", "1 or more", |v| v["revision"] = json!(0)),
    (CRIME, "withdrawn.instead", "no item", |v| {
        v["withdrawn"] = json!({"since": "2026-12-01", "reason": {"zh": "停办"}, "instead": "psb.gone"});
    }),
    (CRIME, "withdrawn.reason.zh", "empty", |v| {
        v["withdrawn"] = json!({"since": "2026-12-01", "reason": {"zh": ""}});
    }),
    (CRIME, "situations.presets.receive_way", "no option `邮递`", |v| {
        v["situations"]["presets"] = json!({"receive_way": ["邮递"]});
    }),
    (CRIME, "situations.presets.wish", "no field", |v| v["situations"]["presets"] = json!({"wish": ["x"]})),
    (REIMB, "situations.questions[1].id", "unique", |v| question(v, 0)["id"] = json!("paper")),
    (REIMB, "situations.questions[0].text.zh", "empty", |v| question(v, 0)["text"] = json!({"zh": ""})),
    (REIMB, "situations.questions[0].options", "2 to 12", |v| question(v, 0)["options"] = json!([])),
    (REIMB, "situations.questions[1].options[1].id", "unique", |v| {
        question(v, 1)["options"][1]["id"] = json!("paper");
    }),
    (REIMB, "situations.questions[0].options[1].adds_materials[0]", "no list", |v| {
        question(v, 0)["options"][1]["adds_materials"] = json!(["没有的材料"]);
    }),
    (REIMB, "situations.questions[0].options[0].adds_fields[0]", "no field `wish`", |v| {
        question(v, 0)["options"][0]["adds_fields"] = json!(["wish"]);
    }),
    (REIMB, "situations.questions[0].options[0].drops_fields[0]", "no field `wish`", |v| {
        question(v, 0)["options"][0]["drops_fields"] = json!(["wish"]);
    }),
    (REIMB, "situations.questions[0].replaces_fields[0]", "no field `wish`", |v| {
        question(v, 0)["replaces_fields"] = json!(["wish"]);
    }),
    (REIMB, "situations.questions[0].options[2].ends_with.go", "another", |v| {
        question(v, 0)["options"][2]["ends_with"]["go"] = json!("nhsa.reimb");
    }),
    (REIMB, "situations.questions[0].options[2]", "ends the matter and adds", |v| {
        question(v, 0)["options"][2]["adds_fields"] = json!(["hospital"]);
    }),
    (REIMB, "situations.questions[0].options[0]", "only a bundle", |v| {
        question(v, 0)["options"][0]["nodes_on"] = json!(["s1"]);
    }),
    (REIMB, "situations.questions", "added and dropped", |v| {
        question(v, 0)["options"][0]["drops_fields"] = json!(["hospital"]);
        question(v, 1)["options"][0]["adds_fields"] = json!(["hospital"]);
    }),
    (CRIME, "situations.questions", "no option left", |v| {
        v["situations"]["presets"] = json!({"receive_way": ["邮寄"]});
        question(v, 0)["options"][0]["narrows_fields"] = json!({"receive_way": ["服务大厅自取"]});
    }),
];

const GRAPH_ERRORS: &[Row] = &[
    (UTIL, "steps[2].depends", "a cycle: s3 -> s7 -> s3", |v| v["steps"][2]["depends"] = json!(["s7"])),
    (UTIL, "steps[2].depends", "must stand before", |v| v["steps"][2]["depends"] = json!(["s4"])),
    (UTIL, "steps[1].depends", "unreachable", |v| v["steps"][1]["depends"] = json!([])),
    (UTIL, "steps[2].department", "unsatisfied", |v| v["steps"][2]["department"] = json!("海关")),
    (UTIL, "steps[2].item", "unsatisfied", |v| v["steps"][2]["item"] = json!("nhsa.reimb")),
    (UTIL, "situations.questions[0].controls", "no step `s99`", |v| {
        question(v, 0)["controls"] = json!(["s3", "s4", "s5", "s6", "s99"]);
    }),
    (UTIL, "situations.questions[1].controls", "never switched", |v| {
        question(v, 1)["controls"] = json!(["s7", "s1"]);
    }),
    (UTIL, "situations.questions[1].controls", "unreachable", |v| {
        question(v, 1)["controls"] = json!(["s7", "s8"]);
    }),
    (UTIL, "situations.questions[1].controls", "another question", |v| {
        question(v, 1)["controls"] = json!(["s7", "s3"]);
    }),
    (UTIL, "situations.questions[1].options[1]", "on and off", |v| {
        question(v, 1)["options"][1]["nodes_off"] = json!(["s7"]);
    }),
    (UTIL, "situations.questions[1].options[1]", "does not control", |v| {
        question(v, 1)["options"][1]["nodes_on"] = json!(["s7", "s2"]);
    }),
    (UTIL, "situations.questions[1].options[0]", "does not decide", |v| {
        question(v, 1)["options"][0]["nodes_off"] = json!([]);
    }),
    (UTIL, "situations.if_nothing_left", "nothing is left", |v| {
        drop(v["situations"].as_object_mut().expect("an object").remove("if_nothing_left"));
        let steps = v["steps"].as_array_mut().expect("steps");
        steps.retain(|step| ["s1", "s7"].contains(&step["id"].as_str().expect("an id")));
        steps[1]["depends"] = json!(["s1"]);
        v["situations"]["questions"].as_array_mut().expect("questions").remove(0);
    }),
    (UTIL, "situations.questions", "combinations", |v| {
        let many: Vec<Value> = (0..5)
            .map(|i| {
                json!({"id": format!("q{i}"), "text": {"zh": "问"}, "options":
            (0..12).map(|o| json!({"id": format!("o{o}"), "text": {"zh": "选"}})).collect::<Vec<_>>()})
            })
            .collect();
        v["situations"]["questions"] = Value::Array(many);
    }),
];

const OTHER_ERRORS: &[Row] = &[
    ("stations.json", "offers.psb.gone", "no item", |v| {
        v["stations"][0]["offers"] = json!({"psb.gone": "assisted"});
    }),
    ("stations.json", "id", "windows send", |v| v["stations"][0]["id"] = json!("WINDOW")),
    ("stations.json", "home_items[0]", "does not offer", |v| {
        v["stations"][0]["offers"] = json!({CRIME: "none"});
        v["stations"][0]["home_items"] = json!([CRIME]);
    }),
    (UTIL, "sample_cases", "at most 12", |v| v["sample_cases"] = json!(vec![sample(&["s1"]); 13])),
    (UTIL, "sample_cases[1].id", "twice", |v| v["sample_cases"] = json!(vec![sample(&["s1"]); 2])),
    (UTIL, "sample_cases[0].steps", "are expected", |v| v["sample_cases"] = json!([sample(&["s1"])])),
    (UTIL, "sample_cases[0].answers", "no question", |v| {
        v["sample_cases"] = json!([sample(&["s1"])]);
        v["sample_cases"][0]["answers"]["weather"] = json!(["rain"]);
    }),
    (UTIL, "sample_cases[0].answers", "is not answered", |v| {
        v["sample_cases"] = json!([sample(&["s1"])]);
        v["sample_cases"][0]["answers"] = json!({});
    }),
    (UTIL, "sample_cases[0].name.zh", "must not be empty", |v| {
        v["sample_cases"] = json!([sample(&["s1"])]);
        v["sample_cases"][0]["name"]["zh"] = json!("");
    }),
    ("policies.json", "draft_hours", "from 1 to 72", |v| v["policies"]["draft_hours"] = json!(500)),
    ("policies.json", "idle.wait_seconds", "from 15", |v| v["policies"]["idle"]["wait_seconds"] = json!(1)),
    ("policies.json", "rollout", "1 to 10 rings", |v| v["policies"]["rollout"] = json!([])),
    ("policies.json", "rollout[1].size", "larger", |v| v["policies"]["rollout"][1]["size"] = json!(1)),
    ("policies.json", "rollout", "must be `all`", |v| v["policies"]["rollout"][2]["size"] = json!(60)),
    ("policies.json", "rollout[0].failure_percent", "1 to 100", |v| {
        v["policies"]["rollout"][0]["failure_percent"] = json!(101);
    }),
    ("policies.json", "rollout[2].watch_minutes", "7 days", |v| {
        v["policies"]["rollout"][2]["watch_minutes"] = json!(10_081);
    }),
    ("policies.json", "rollout[1].id", "another", |v| v["policies"]["rollout"][1]["id"] = json!("first")),
    ("policies.json", "stale.items.psb.gone", "no item", |v| {
        v["policies"]["stale"]["items"] = json!({"psb.gone": "block"});
    }),
    ("policies.json", "review.merge_minutes", "from 0 to 1440", |v| {
        v["policies"]["review"]["merge_minutes"] = json!(1_441);
    }),
    ("policies.json", "review.supplement_days", "from 1 to 60", |v| {
        v["policies"]["review"]["supplement_days"] = json!(0);
    }),
    ("policies.json", "colour", "unknown", |v| v["policies"]["colour"] = json!(1)),
    ("messages.json", "until", "before", |v| {
        v["messages"] = json!([{"id": "m", "text": {"zh": "通知", "en": "x"}, "from": "2026-12-02", "until": "2026-12-01"}]);
    }),
    ("messages.json", "stations[0]", "no station", |v| {
        v["messages"] = json!([{"id": "m", "text": {"zh": "通知", "en": "x"}, "from": "2026-12-01", "until": "2026-12-01",
            "stations": ["XN-GONE"]}]);
    }),
    ("situations.json", "agent.options[1].adds_materials[0]", "no list", |v| {
        v["situations"]["agent"]["options"][1]["adds_materials"] = json!(["没有的材料"]);
    }),
    ("regions.json", "630102.name", "U+200F", |v| v["regions"]["630102"]["name"] = json!("城\u{200f}东")),
];

#[test]
fn each_broken_rule_is_told_with_file_item_and_field() {
    let mut missed = Vec::new();
    for (code, field, word, change) in ERRORS.iter().chain(GRAPH_ERRORS).chain(OTHER_ERRORS) {
        let mut document = document();
        change(part(&mut document, code));
        let errors = Catalogue::load(&files(&document)).err().unwrap_or_default();
        let told =
            errors.iter().any(|e| e.file == file(code) && e.field == *field && e.reason.contains(word));
        if !told {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            missed.push(format!("{code}: {field}: {word}\n  {}", lines.join("\n  ")));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_question_may_name_a_repeat_group() {
    let mut document = document();
    let item = part(&mut document, REIMB);
    let text = json!({"zh": "孩子", "en": "Children"});
    item["form"]["schema"]["properties"]["children"] = json!({
        "type": "array", "minItems": 0, "maxItems": 3,
        "items": {"type": "object", "properties": {"child": {"type": "string", "maxLength": 30}},
                  "required": ["child"], "additionalProperties": false},
    });
    let group = json!({
        "repeat": {"key": "children", "label": text, "row": text, "min": 0, "max": 3},
        "fields": [{"key": "child", "widget": "text", "label": text, "required": true}],
    });
    item["form"]["pages"][0]["groups"].as_array_mut().expect("groups").push(group);
    question(item, 0)["options"][0]["adds_fields"] = json!(["children"]);
    question(item, 0)["options"][1]["drops_fields"] = json!(["children"]);
    let errors = Catalogue::load(&files(&document)).err().unwrap_or_default();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(!told.iter().any(|line| line.contains("children")), "{told:?}");
}

const WARNINGS: &[(Rule, Row)] = &[
    (
        Rule::MissingTranslation,
        (CRIME, "guide.how[1]", "English", |v| v["guide"]["how"][1]["en"] = json!(" ")),
    ),
    (
        Rule::TooLongForButton,
        (CRIME, "short_name.zh", "characters", |v| {
            v["short_name"]["zh"] = json!("无犯罪记录证明申请表打印机");
        }),
    ),
    (
        Rule::TooLongForButton,
        (CRIME, "short_name.en", "letters", |v| {
            v["short_name"]["en"] = json!("A certificate that says that nothing was recorded");
        }),
    ),
    (
        Rule::SoundsAlike,
        (CRIME, "synonyms[0]", "sounds like", |v| {
            v["synonyms"][0] = json!("小雪报名");
            v["synonym_pinyin"][0] = json!("xiao xue bao ming");
        }),
    ),
    (Rule::MemberWithoutStep, (UTIL, "members[0]", "no step", |v| v["members"][0] = json!("nhsa.reimb"))),
    (
        Rule::ChangesNothing,
        (CRIME, "situations.questions[0]", "no answer", |v| {
            let options = question(v, 0)["options"].as_array_mut().expect("options");
            options.iter_mut().for_each(|o| *o = json!({"id": o["id"], "text": o["text"]}));
        }),
    ),
    (
        Rule::StillOffered,
        ("catalogue.json", "home_items[0]", "withdrawn", |v| {
            v["items"][0]["withdrawn"] =
                json!({"since": "2026-12-01", "reason": {"zh": "停办", "en": "gone"}});
            v["home_items"] = json!([v["items"][0]["code"]]);
        }),
    ),
];

#[test]
fn each_thing_that_looks_wrong_is_a_warning() {
    let mut missed = Vec::new();
    for (rule, (code, field, word, change)) in WARNINGS {
        let mut document = document();
        change(part(&mut document, code));
        let review = Catalogue::review(&files(&document), Vec::new());
        let told = |w: &Warning| w.rule == *rule && w.file == file(code) && w.field == *field;
        let warning = review.warnings.iter().find(|w| told(w));
        if !review.errors.is_empty() || !warning.is_some_and(|w| w.reason.contains(word)) {
            let others = review.warnings.iter().filter(|w| w.rule == *rule);
            let lines: Vec<String> = review
                .errors
                .iter()
                .map(ToString::to_string)
                .chain(others.map(ToString::to_string))
                .collect();
            missed.push(format!("{code}: {field}: {word}\n  {}", lines.join("\n  ")));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_warning_may_be_allowed_with_a_reason_and_only_while_it_is_there() {
    let mut document = document();
    document["items"][0]["name"]["en"] = json!("");
    let mut files = files(&document);
    let code = document["items"][0]["code"].as_str().expect("a code").to_owned();
    let before = Catalogue::review(&files, Vec::new());
    let mine = |w: &&Warning| w.item == code && w.field == "name";
    assert_eq!(before.warnings.iter().filter(mine).count(), 1);
    let allow = json!([
        {"rule": "missing_translation", "item": code, "field": "name", "reason": "has no English name"},
        {"rule": "sounds_alike", "item": code, "reason": "stood here before"},
    ]);
    files.insert("allow.json".to_owned(), allow.to_string().into_bytes());
    let after = Catalogue::review(&files, Vec::new());
    assert_eq!(after.warnings.iter().filter(mine).count(), 0);
    assert!(after.allowed.iter().any(|a| mine(&&a.warning) && a.because == "has no English name"));
    assert!(after.warnings.iter().any(|w| w.rule == Rule::NothingToAllow && w.item == code));
    assert!(after.summary().starts_with("version 1: 6 items, 1 bundles, 2 stations; 0 errors, "));
    files.insert(
        "allow.json".to_owned(),
        br#"[{"rule": "sounds_alike", "item": "x", "reason": " "}]"#.to_vec(),
    );
    let unexplained = Catalogue::review(&files, Vec::new());
    assert_eq!(
        (unexplained.errors[0].file.as_str(), unexplained.errors[0].field.as_str()),
        ("allow.json", "reason")
    );
}
