//! Forms adjusted to a situation: plan and validation agree; and photos and attachments with their limits.
use serde_json::{Value, json};

use super::super::*;
use super::sample::{answers, choice, drawn, field, file, form, page, rows, spec, text, told};
use super::today;

fn facts() -> Facts {
    Facts::on(today())
}

fn base() -> Form {
    form(&[
        page(&[
            choice("way", &["post", "here", "hall"], &json!({"required": true})),
            field("address", "address", &json!({"required_if": {"field": "way", "one_of": ["post"]}})),
            field("count", "number", &json!({"required": true})),
            field("scan", "attachment", &json!({})),
        ]),
        json!({"title": text("r"), "groups": [rows("people", (0, 3), &[field("who", "text", &json!({}))], &json!({}))]}),
    ])
}

fn adjusted(json: Value) -> Form {
    let adjustments: Adjustments = serde_json::from_value(json).expect("adjustments");
    base().adjusted(&adjustments).unwrap_or_else(|error| unreachable!("{error}"))
}

#[test]
fn fields_are_added_and_dropped_alike_in_plan_and_validation() {
    let table = [
        (json!({}), vec!["way", "count"], vec!["way: required", "count: required"], vec![]),
        (
            json!({"adds_fields": ["scan"]}),
            vec!["way", "count", "scan"],
            vec!["way: required", "count: required", "scan: required"],
            vec![Widget::Attachment],
        ),
        (json!({"drops_fields": ["way"]}), vec!["count"], vec!["count: required"], vec![]),
        (
            json!({"adds_fields": ["address"], "drops_fields": ["way", "address"]}),
            vec!["address", "count"],
            vec!["address: required", "count: required"],
            vec![],
        ),
        (
            json!({"adds_fields": ["people"], "drops_fields": ["way", "count"]}),
            vec!["people[0].who"],
            vec!["people: too_few_rows"],
            vec![],
        ),
        (json!({"drops_fields": ["way", "count", "people"]}), vec![], vec![], vec![]),
    ];
    for (adjustments, fields, errors, unsupported) in table {
        let form = adjusted(adjustments.clone());
        assert_eq!(
            drawn(&form.plan(&Answers::default(), &facts(), Layout::Grouped)),
            fields,
            "{adjustments}"
        );
        assert_eq!(told(&form.validate_with(&Answers::default(), &facts())), errors, "{adjustments}");
        assert_eq!(form.unsupported(), unsupported, "{adjustments}");
    }
}

#[test]
fn an_answer_to_a_dropped_field_is_not_looked_at() {
    let form = adjusted(json!({"drops_fields": ["way", "count", "people"]}));
    let given = answers(&json!({"way": "nonsense", "count": "x", "people": [{"who": 7}]}));
    assert_eq!(form.validate_with(&given, &facts()), []);
    assert!(form.effective(&given, &facts()).as_map().is_empty());
}

#[test]
fn a_repeat_group_that_was_added_keeps_a_row() {
    let form = adjusted(json!({"adds_fields": ["people"]}));
    let mut given = Answers::default();
    form.prefill(&mut given, &facts());
    assert_eq!(given.rows("people").len(), 1);
    assert!(!form.remove_row(&mut given, "people", 0));
    assert!(form.add_row(&mut given, &facts(), "people") && form.remove_row(&mut given, "people", 0));
}

#[test]
fn what_is_left_of_the_choices_is_all_that_may_be_answered() {
    let form = adjusted(
        json!({"narrows_fields": {"way": ["here", "post"]}, "presets": {"way": ["hall", "here", "post"]}}),
    );
    let plan = form.plan(&Answers::default(), &facts(), Layout::Grouped);
    let left: Vec<&str> = plan.pages[0].fields[0].choices.iter().map(|c| c.value.as_str()).collect();
    assert_eq!(left, ["post", "here"]);
    let given = answers(&json!({"way": "hall", "count": 1}));
    assert_eq!(told(&form.validate_with(&given, &facts())), ["way: not_a_choice"]);
    assert_eq!(base().validate_with(&given, &facts()), []);
}

#[test]
fn one_answer_left_is_set_and_not_asked() {
    let form = adjusted(json!({"narrows_fields": {"way": ["here"]}, "presets": {"count": ["1"]}}));
    // An answer from before the question was answered gives way.
    let mut given = answers(&json!({"way": "post"}));
    assert_eq!(
        told(&form.validate_with(&given, &facts())),
        ["way: not_a_choice", "address: required", "count: required"]
    );
    form.prefill(&mut given, &facts());
    assert_eq!((given.text("way"), given.get("count")), ("here", Some(&json!(1))));
    assert_eq!(drawn(&form.plan(&given, &facts(), Layout::Grouped)), [] as [&str; 0]);
    assert_eq!(form.validate_with(&given, &facts()), []);
    given.set("count", json!(2));
    assert_eq!(told(&form.validate_with(&given, &facts())), ["count: not_a_choice"]);
}

#[test]
fn adjustments_that_do_not_fit_are_refused() {
    let table = [
        (json!({"adds_fields": ["x"]}), "x: the form has no such field"),
        (json!({"drops_fields": ["x"]}), "x: the form has no such field"),
        (json!({"narrows_fields": {"x": ["a"]}}), "x: the form has no such field"),
        (json!({"narrows_fields": {"people": ["a"]}}), "people: the form has no such field"),
        (json!({"narrows_fields": {"way": ["by air"]}}), "way: `by air` is no answer to it"),
        (json!({"narrows_fields": {"way": []}}), "way: no answer is left"),
        (
            json!({"narrows_fields": {"way": ["post"]}, "presets": {"way": ["here"]}}),
            "way: no answer is left",
        ),
        (json!({"narrows_fields": {"count": ["one"]}}), "count: `one` is no answer to it"),
        (json!({"narrows_fields": {"count": ["01"]}}), "count: `01` is no answer to it"),
        (json!({"narrows_fields": {"address": ["x"]}}), "address: only a choice or a number can be narrowed"),
    ];
    for (json, reason) in table {
        let adjustments: Adjustments = serde_json::from_value(json).expect("adjustments");
        assert_eq!(base().adjusted(&adjustments).expect_err("does not fit").to_string(), reason);
    }
    assert!(serde_json::from_value::<Adjustments>(json!({"adds": []})).is_err());
}

#[test]
fn files_are_judged_by_count_size_and_kind() {
    let form = form(&[page(&[field("photo", "photo", &json!({})), field("scan", "attachment", &json!({}))])]);
    let one = |bytes: u64, kind: &str| json!({"hash": "ab".repeat(32), "bytes": bytes, "kind": kind});
    let good = one(7, "image/jpeg");
    let table = [
        (json!({"photo": good, "scan": [good, one(2 << 20, "application/pdf")]}), vec![]),
        (
            json!({"photo": one((1 << 20) + 1, "image/jpeg")}),
            vec![("photo", FieldErrorKind::FileTooLarge { most: "1".into() })],
        ),
        (json!({"photo": one(7, "image/png")}), vec![("photo", FieldErrorKind::FileKind)]),
        (json!({"photo": one(0, "image/jpeg")}), vec![("photo", FieldErrorKind::Shape)]),
        (
            json!({"photo": {"hash": "AB", "bytes": 7, "kind": "image/jpeg"}}),
            vec![("photo", FieldErrorKind::Shape)],
        ),
        (json!({"photo": "ab".repeat(32)}), vec![("photo", FieldErrorKind::Shape)]),
        (json!({"photo": {"name": "/etc/passwd"}}), vec![("photo", FieldErrorKind::Shape)]),
        (
            json!({"scan": [one((2 << 20) + 1, "image/jpeg")]}),
            vec![("scan", FieldErrorKind::FileTooLarge { most: "2".into() })],
        ),
        (json!({"scan": [good, one(7, "text/html")]}), vec![("scan", FieldErrorKind::FileKind)]),
        (json!({"scan": [good, good, good, good]}), vec![("scan", FieldErrorKind::TooManyFiles { most: 3 })]),
        (json!({"scan": {"0": good}}), vec![("scan", FieldErrorKind::Shape)]),
    ];
    for (given, errors) in table {
        let wanted: Vec<FieldError> =
            errors.into_iter().map(|(key, kind)| FieldError { key: key.into(), kind }).collect();
        assert_eq!(form.validate_with(&answers(&given), &facts()), wanted, "{given}");
    }
    let plan = form.plan(&Answers::default(), &facts(), Layout::Grouped);
    assert!(plan.pages.is_empty(), "optional files are not asked for where none can be taken");
    let plan = form.plan(&Answers::default(), &Facts { captures: true, ..facts() }, Layout::Grouped);
    assert_eq!(drawn(&plan), ["photo", "scan"]);
    let limits = plan.pages[0].fields[1].files.as_deref().expect("limits");
    assert_eq!((limits.min, limits.max, limits.max_bytes, limits.kinds.len()), (1, 3, Some(2 << 20), 2));
}

#[test]
fn files_without_limits_are_refused() {
    let pages = [page(&[field("scan", "attachment", &json!({}))])];
    type Change = fn(&mut Value);
    let table: [(Change, &str); 7] = [
        (
            |v| drop(v.as_object_mut().map(|map| map.remove("maxItems"))),
            "scan: an attachment needs `maxItems`, 1 to 50",
        ),
        (|v| v["maxItems"] = json!(51), "scan: an attachment needs `maxItems`, 1 to 50"),
        (|v| v["minItems"] = json!(4), "scan: `minItems` is no number up to `maxItems`"),
        (
            |v| v["items"] = file(&["image/jpeg"], 21 << 20),
            "scan: `bytes` is an integer with `minimum` 1 and a `maximum` of at most 20 MiB",
        ),
        (
            |v| v["items"] = file(&["text/html"], 7),
            "scan: `kind` is an `enum` of image/jpeg, image/png, application/pdf",
        ),
        (
            |v| v["items"] = file(&[], 7),
            "scan: `kind` is an `enum` of image/jpeg, image/png, application/pdf",
        ),
        (
            |v| v["items"] = json!({"type": "string"}),
            "scan: a file is a SHA-256 in small letters, or an object with `hash`, `bytes` and `kind`",
        ),
    ];
    for (change, reason) in table {
        let mut spec = spec(&pages);
        change(&mut spec.schema["properties"]["scan"]);
        assert_eq!(Form::compile(&spec).expect_err("no limits").to_string(), reason);
    }
}
