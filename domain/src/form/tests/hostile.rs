//! Forms that somebody wrote badly or with bad intent: size, texts, nesting. Each is refused with its field.
use serde_json::{Value, json};

use super::super::*;
use super::sample::{field, page, refusal, rows, spec, text};

fn many(count: usize) -> Vec<Value> {
    (0..count).map(|i| field(&format!("f{i}"), "text", &json!({}))).collect()
}

#[test]
fn two_hundred_fields_work_and_one_more_is_told() {
    assert_eq!(refusal(&[page(&many(MAX_FIELDS))]), "");
    assert_eq!(refusal(&[page(&many(MAX_FIELDS + 1))]), "-: 201 fields; at most 200");
    let wide =
        |max: usize| json!({"title": text("t"), "groups": [rows("r", (0, max), &many(100), &json!({}))]});
    assert_eq!(refusal(&[wide(10)]), "");
    assert_eq!(refusal(&[wide(11)]), "-: 1100 fields with all rows; at most 1000");
    assert_eq!(refusal(&[wide(usize::MAX)]), "-: 5000 fields with all rows; at most 1000");
    assert_eq!(refusal(&[]), "");
    assert_eq!(refusal(&[page(&[])]), "-: a page needs a title and a field");
}

#[test]
fn texts_are_bounded_and_hold_nothing_hidden() {
    let labelled = |label: &str| vec![page(&[field("a", "text", &json!({"label": text(label)}))])];
    assert_eq!(refusal(&labelled(&"字".repeat(200))), "");
    assert_eq!(refusal(&labelled(&"字".repeat(201))), "a: the label has more than 200 characters");
    assert_eq!(refusal(&labelled(&"字".repeat(10_000))), "a: the label has more than 200 characters");
    assert_eq!(refusal(&labelled(" ")), "a: the label is empty");
    let long = json!({"label": {"zh": "x", "en": "x".repeat(201)}});
    assert_eq!(refusal(&[page(&[field("a", "text", &long)])]), "a: the label has more than 200 characters");
    let hidden = "a\u{202e}b";
    let choices = json!({"choices": [{"value": "x", "label": text(hidden)}]});
    let rule = json!({"default": {"concat": [{"value": hidden}]}});
    let group = json!({"title": text("t"), "groups": [{"title": text("a\nb"), "fields": many(1)}]});
    let row = json!({"title": text("t"), "groups": [{"fields": many(1), "repeat":
        {"key": "r", "label": text("r"), "row": text(hidden), "min": 0, "max": 1}}]});
    let bad = "holds the invisible character U+202E";
    let table = [
        (page(&[field("a", "text", &json!({"label": text(hidden)}))]), format!("a: the label {bad}")),
        (page(&[field("a", "text", &json!({"hint": text(hidden)}))]), format!("a: the hint {bad}")),
        (page(&[field("a", "text", &json!({"question": text(hidden)}))]), format!("a: the question {bad}")),
        (page(&[field("a", "text", &json!({"mask": hidden}))]), format!("a: the mask {bad}")),
        (page(&[field("a", "enum", &choices)]), format!("a: the label of a choice {bad}")),
        (page(&[field("a", "text", &rule)]), format!("a: a text of a rule {bad}")),
        (row, format!("r: the heading of a row {bad}")),
        (group, "-: the title of a group holds the invisible character U+000A".to_owned()),
    ];
    for (page, reason) in table {
        assert_eq!(refusal(&[page]), reason);
    }
}

#[test]
fn nesting_and_wrong_shapes_are_refused_when_the_form_is_read() {
    let nested = format!("{}{}", r#"{"not":"#.repeat(10_000), "}".repeat(10_000));
    let form = format!(
        r#"{{"schema":{{}},"pages":[{{"title":{{"zh":"t"}},"groups":[{{"fields":[
        {{"key":"a","widget":"text","label":{{"zh":"a"}},"show_if":{nested}}}]}}]}}]}}"#
    );
    assert!(serde_json::from_str::<FormSpec>(&form).is_err());
    for more in [
        json!({"show_if": true}),
        json!({"show_if": {"field": "a", "one_of": ["x"], "and": []}}),
        json!({"computed": "1 + 1"}),
        json!({"computed": {"value": 1e300}}),
        json!({"default": 7}),
        json!({"colour": "red"}),
    ] {
        let pages = json!([page(&[field("a", "text", &more)])]);
        let read = serde_json::from_value::<FormSpec>(json!({"schema": {}, "pages": pages}));
        assert!(read.is_err(), "{more}");
    }
}

#[test]
fn keys_that_would_break_a_path_are_refused() {
    for key in ["", "A", "a.b", "a[0]", "a/b", "名", &"k".repeat(41)] {
        let told = refusal(&[page(&[field(key, "text", &json!({}))])]);
        assert!(told.ends_with("a key has 1 to 40 characters of a-z, 0-9 and _"), "{key}: {told}");
    }
    let mut spec = spec(&[page(&many(1))]);
    spec.schema["properties"]["x"] = json!({"type": "string"});
    assert_eq!(
        Form::compile(&spec).expect_err("a lost property").to_string(),
        "x: the property stands on no page"
    );
}
