//! What a bundle says of its steps beyond the graph: every rule broken once, by itself and where something is missing.
use serde_json::{Value, json};

use super::super::*;
use super::files;
use super::rules::{Row, UTIL, document, file, part};

/// `UTIL` as it says of its steps what there is to say.
fn authored(v: &mut Value) {
    v["steps_certainty"] = json!("sample");
    v["desk_only"] = json!(["sign"]);
    let names: Vec<Value> =
        v["materials"].as_array().expect("materials").iter().map(|m| m["name"]["zh"].clone()).collect();
    for step in v["steps"].as_array_mut().expect("steps") {
        step["by"] = json!("department");
        if step["kind"] != "accept" {
            step["fail"] = json!("all");
            step["fields"] = json!([]);
            step["materials"] = json!([]);
        }
    }
    v["steps"][1]["fields"] = json!(["uscc", "property_no", "property_addr", "utility_kind", "phone"]);
    v["steps"][7]["materials"] = json!(names);
}

/// What is wrong with it by itself, and what is missing where something is said.
const STEP_ERRORS: &[Row] = &[
    (UTIL, "steps[0].fail", "accepts the case", |v| v["steps"][0]["fail"] = json!("all")),
    (UTIL, "steps[0].when", "accepts the case", |v| {
        v["steps"][0]["when"] = json!({"answered": "phone"});
    }),
    (UTIL, "steps[0].fields", "accepts the case", |v| v["steps"][0]["fields"] = json!(["phone"])),
    (UTIL, "steps[0].materials", "accepts the case", |v| v["steps"][0]["materials"] = json!([])),
    (UTIL, "steps[0].statutory", "accepts the case", |v| {
        v["steps"][0]["statutory"] = json!({"tenths": 10, "unit": "natural_day"});
    }),
    (UTIL, "steps[1].by", "not done by `post`", |v| v["steps"][1]["by"] = json!("post")),
    (UTIL, "steps[1].by", "unknown variant", |v| v["steps"][1]["by"] = json!("nobody")),
    (UTIL, "steps[1].fail", "unknown variant", |v| v["steps"][1]["fail"] = json!("perhaps")),
    (UTIL, "steps[1].levels", "1 to 5", |v| v["steps"][1]["levels"] = json!(0)),
    (UTIL, "steps[1].levels", "1 to 5", |v| v["steps"][1]["levels"] = json!(6)),
    (UTIL, "steps[1].levels", "a department decides", |v| {
        v["steps"][1]["kind"] = json!("mail");
        v["steps"][1]["levels"] = json!(2);
    }),
    (UTIL, "steps[1].statutory", "1 to 36500", |v| {
        v["steps"][1]["statutory"] = json!({"tenths": 0, "unit": "natural_day"});
    }),
    (UTIL, "steps[1].statutory", "1 to 36500", |v| {
        v["steps"][1]["statutory"] = json!({"tenths": 36_501, "unit": "natural_day"});
    }),
    (UTIL, "steps[1].statutory", "promise is shorter", |v| {
        v["steps"][1]["statutory"] = json!({"tenths": 1_000, "unit": "working_day"});
    }),
    (UTIL, "steps[1].when", "`wish`", |v| v["steps"][1]["when"] = json!({"answered": "wish"})),
    (UTIL, "steps[1].when", "no choice `蒸汽`", |v| {
        v["steps"][1]["when"] = json!({"field": "utility_kind", "one_of": ["蒸汽"]});
    }),
    (UTIL, "steps[1].when", "bool", |v| v["steps"][1]["when"] = json!({"field": "phone"})),
    (UTIL, "steps[1].when", "no field of the form", |v| v["steps"][1]["when"] = json!({"value": true})),
    (
        UTIL,
        "steps[1].when.not.not.not.not.not.not.not.not.not.not.not.not.not.not.not.not",
        "16 levels",
        |v| {
            let deep = (0..20).fold(json!({"answered": "phone"}), |part, _| json!({"not": part}));
            v["steps"][1]["when"] = deep;
        },
    ),
    (UTIL, "steps[1].when", "at most 200 parts", |v| {
        let many = json!({"and": vec![json!({"answered": "phone"}); 30]});
        v["steps"][1]["when"] = json!({"and": vec![many; 10]});
    }),
    (UTIL, "steps", "has a condition", |v| {
        for at in 1..8 {
            v["steps"][at]["when"] = json!({"answered": "phone"});
        }
    }),
    (UTIL, "steps[1].fields[1]", "no field `wish`", |v| v["steps"][1]["fields"] = json!(["phone", "wish"])),
    (UTIL, "steps[1].fields[1]", "twice", |v| v["steps"][1]["fields"] = json!(["phone", "phone"])),
    (UTIL, "steps[1].fields", "at most 200", |v| v["steps"][1]["fields"] = json!(vec!["phone"; 201])),
    (UTIL, "steps[1].fields", "together", |v| {
        drop(v["steps"][1].as_object_mut().expect("a step").remove("materials"))
    }),
    (UTIL, "steps[1].materials[0]", "no material", |v| v["steps"][1]["materials"] = json!(["出生证"])),
    (UTIL, "steps[7].materials[3]", "twice", |v| {
        let first = v["steps"][7]["materials"][0].clone();
        v["steps"][7]["materials"].as_array_mut().expect("a list").push(first);
    }),
    (UTIL, "desk_only[1]", "no field `wish`", |v| v["desk_only"] = json!(["sign", "wish"])),
    (UTIL, "desk_only[1]", "`s2` needs `phone` as well", |v| v["desk_only"] = json!(["sign", "phone"])),
    (UTIL, "reopened_by.wish", "no field `wish`", |v| v["reopened_by"] = json!({"wish": ["s2"]})),
    (UTIL, "reopened_by.phone", "names no step", |v| v["reopened_by"] = json!({"phone": []})),
    (UTIL, "reopened_by.phone[0]", "no step `s99`", |v| v["reopened_by"] = json!({"phone": ["s99"]})),
    (UTIL, "reopened_by.phone[1]", "twice", |v| v["reopened_by"] = json!({"phone": ["s2", "s2"]})),
    (UTIL, "reopened_by.phone[0]", "decides nothing", |v| v["reopened_by"] = json!({"phone": ["s1"]})),
    (UTIL, "reopened_by.phone[0]", "`s3` does not see", |v| v["reopened_by"] = json!({"phone": ["s3"]})),
    (UTIL, "reopened_by", "s2, s3 decide on `phone`", |v| v["steps"][2]["fields"] = json!(["phone"])),
    (UTIL, "steps_certainty", "how sure", |v| {
        drop(v.as_object_mut().expect("a bundle").remove("steps_certainty"))
    }),
    (UTIL, "steps[1].by", "who does it", |v| {
        drop(v["steps"][1].as_object_mut().expect("a step").remove("by"))
    }),
    (UTIL, "steps[1].fail", "its refusal", |v| {
        drop(v["steps"][1].as_object_mut().expect("a step").remove("fail"))
    }),
    (UTIL, "steps[2].fields", "what it needs", |v| {
        let step = v["steps"][2].as_object_mut().expect("a step");
        ["fields", "materials"].iter().for_each(|name| drop(step.remove(*name)));
    }),
    (UTIL, "steps[7].fields", "sees everything", |v| {
        v["steps"][7]["fields"] =
            json!(["uscc", "property_no", "property_addr", "utility_kind", "phone", "sign"]);
    }),
    (UTIL, "steps", "no step needs `phone`", |v| {
        v["steps"][1]["fields"] = json!(["uscc", "property_no", "property_addr", "utility_kind"]);
    }),
    (UTIL, "steps", "no step needs the material", |v| {
        v["steps"][7]["materials"].as_array_mut().expect("a list").pop();
    }),
];

#[test]
fn a_bundle_says_of_each_step_what_there_is_and_of_none_what_there_is_not() {
    let mut good = document();
    authored(part(&mut good, UTIL));
    let errors = Catalogue::load(&files(&good)).err().unwrap_or_default();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut missed = Vec::new();
    for (code, field, word, change) in STEP_ERRORS {
        let mut document = good.clone();
        change(part(&mut document, code));
        let errors = Catalogue::load(&files(&document)).err().unwrap_or_default();
        if !errors.iter().any(|e| e.file == file(code) && e.field == *field && e.reason.contains(word)) {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            missed.push(format!("{field}: {word}\n  {}", lines.join("\n  ")));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_bundle_of_before_is_read_and_warned_of() {
    let review = Catalogue::review(&files(&document()), Vec::new());
    let told = review.warnings.iter().filter(|w| w.rule == Rule::StepsSeeAll).count();
    assert_eq!((review.errors.len(), told), (0, 1));
}
