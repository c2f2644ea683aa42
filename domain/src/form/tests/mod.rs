//! The form engine by tables: each kind of error, conditions, dates, numbers, layouts, and answers of any shape.
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::date::CivilDate;

mod adjusted;
mod conditions;
mod documented;
mod frozen;
mod hostile;
mod rows;
mod sample;

fn text(zh: &str) -> Value {
    json!({"zh": zh, "en": ""})
}

/// Pages with a field of each kind that has rules.
fn pages() -> Value {
    let field = |key: &str, widget: &str, more: Value| {
        let mut field = json!({"key": key, "widget": widget, "label": text(key)});
        let map = field.as_object_mut().expect("an object");
        map.extend(more.as_object().expect("an object").clone());
        field
    };
    let required = || json!({"required": true});
    let kinds =
        [("a", "A"), ("other", "Other")].map(|(value, label)| json!({"value": value, "label": text(label)}));
    json!([
        {"title": text("first"), "groups": [{"fields": [
            field("phone", "phone", required()),
            field("name", "text", json!({"required": true, "question": text("name?")})),
            field("kind", "enum", json!({"required": true, "choices": kinds})),
            field("why", "text", json!({"required_if": {"field": "kind", "one_of": ["other"]}})),
        ]}]},
        {"title": text("second"), "groups": [{"fields": [
            field("id", "text", json!({})),
            field("card", "bank-card", json!({})),
            field("home", "region", json!({"prefill": "id_region"})),
            field("next", "region", json!({})),
            field("address", "address", json!({"prefill": "offer_card_address"})),
        ]}]},
        {"title": text("third"), "groups": [{"fields": [
            field("from", "month", json!({})),
            field("to", "month", json!({})),
            field("day", "date", json!({})),
            field("year", "number", json!({})),
            field("money", "number", json!({})),
            field("sign", "signature", required()),
        ]}]},
    ])
}

/// The schema that fits the pages.
fn schema() -> Value {
    let region = json!({"type": "string", "pattern": "^[1-9][0-9]{5}$"});
    let day = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
    let month = "^[0-9]{4}-[0-9]{2}$";
    let stroke = json!({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "phone": {"type": "string", "x-phone": "mobile"},
            "name": {"type": "string", "minLength": 2, "maxLength": 6},
            "kind": {"type": "string", "enum": ["a", "other"]},
            "why": {"type": "string", "maxLength": 10},
            "id": {"type": "string", "maxLength": 18, "x-idcard": true},
            "card": {"type": "string", "x-bank-card": true},
            "home": region.clone(),
            "next": {"type": "string", "pattern": "^[1-9][0-9]{5}$", "x-differs-from": "home"},
            "address": {
                "type": "object",
                "properties": {"region": region, "detail": {"type": "string", "minLength": 2, "maxLength": 8}},
                "required": ["region", "detail"],
                "additionalProperties": false,
            },
            "from": {"type": "string", "pattern": month, "x-date": {"max": "month"}},
            "to": {"type": "string", "pattern": month, "x-date": {"max": "month+1", "notBefore": "from"}},
            "day": {"type": "string", "pattern": day, "x-date": {"min": "today-30", "max": "today"}},
            "year": {"type": "integer", "minimum": 2000, "maximum": 2100, "x-year-max": 1},
            "money": {"type": "integer", "minimum": 1, "maximum": 150, "x-decimals": 2},
            "sign": {
                "type": "object",
                "properties": {
                    "strokes": {"type": "array", "minItems": 1, "items": stroke},
                    "width": {"type": "integer"},
                    "height": {"type": "integer"},
                },
                "required": ["strokes", "width", "height"],
                "additionalProperties": false,
                "x-signature": true,
            },
        },
        "required": ["phone", "name", "kind", "sign"],
        "additionalProperties": false,
        "allOf": [{
            "if": {"properties": {"kind": {"enum": ["other"]}}, "required": ["kind"]},
            "then": {"required": ["why"]},
        }],
    })
}

/// A form with one field of each kind that has rules.
fn spec() -> FormSpec {
    serde_json::from_value(json!({"schema": schema(), "pages": pages()})).expect("a spec")
}

fn form() -> Form {
    Form::compile(&spec()).expect("compiles")
}

fn today() -> CivilDate {
    "2026-11-24".parse().expect("a date")
}

fn signature(points: usize) -> Value {
    let stroke: Vec<Value> = (0..points).map(|i| json!([i, i, i])).collect();
    json!({"strokes": [stroke], "width": 900, "height": 300})
}

fn good() -> Answers {
    let map = json!({"phone": "13000000013", "name": "王小明", "kind": "a", "sign": signature(10)});
    Answers::from_map(map.as_object().expect("an object").clone())
}

/// Errors after one answer was changed.
fn errors_with(key: &str, value: Value) -> Vec<FieldError> {
    let mut answers = good();
    answers.set(key, value);
    form().validate(&answers, today())
}

#[test]
fn each_wrong_answer_has_its_kind() {
    use FieldErrorKind as K;
    let table = [
        ("phone", json!(""), K::Required),
        ("phone", json!("   "), K::Required),
        ("phone", Value::Null, K::Required),
        ("phone", json!("1300000001"), K::PhoneLength { have: 10 }),
        ("phone", json!("130000000133"), K::PhoneLength { have: 12 }),
        ("phone", json!("22000000013"), K::Phone),
        ("phone", json!(13_000_000_013_i64), K::Shape),
        ("name", json!("王"), K::TooShort { have: 1, need: 2 }),
        ("name", json!("一二三四五六七"), K::TooLong { have: 7, most: 6 }),
        ("name", json!("王\u{0}明"), K::Pattern),
        ("kind", json!("b"), K::NotAChoice),
        ("id", json!("639900195811020223"), K::IdNumber),
        ("id", json!("639900203001010011"), K::IdNumber),
        ("card", json!("6200000000000006"), K::BankCard),
        ("home", json!("63990"), K::Region),
        ("address", json!({"region": "639900"}), K::AddressIncomplete),
        ("address", json!({"region": "639900", "detail": "1"}), K::AddressIncomplete),
        (
            "address",
            json!({"region": "639900", "detail": "样例路样例小区一号"}),
            K::TooLong { have: 9, most: 8 },
        ),
        ("address", json!("639900"), K::Shape),
        ("from", json!("2026-13"), K::Date),
        ("from", json!("2026-12"), K::DateInFuture),
        ("to", json!("2027-01"), K::DateTooLate { latest: "2026-12".into() }),
        ("day", json!("2026-02-30"), K::Date),
        ("day", json!("yesterday"), K::Date),
        ("day", json!("2026-11-25"), K::DateInFuture),
        ("day", json!("2026-10-01"), K::DateTooEarly { earliest: "2026-10-25".into() }),
        ("year", json!(1999), K::Below { least: "2000".into() }),
        ("year", json!(2028), K::Above { most: "2027".into() }),
        ("year", json!(2026.5), K::Number),
        ("year", json!("2026"), K::Number),
        ("money", json!(0), K::Below { least: "0.01".into() }),
        ("money", json!(151), K::Above { most: "1.5".into() }),
        ("sign", json!({}), K::Required),
        ("sign", json!({"strokes": [], "width": 1, "height": 1}), K::Required),
        ("sign", signature(9), K::SignatureTooShort),
        ("sign", signature(2_000), K::SignatureTooLarge),
        ("sign", json!("x"), K::Shape),
        ("bogus", json!(1), K::UnknownField),
    ];
    for (key, value, kind) in table {
        let wanted = vec![FieldError { key: key.to_owned(), kind }];
        assert_eq!(errors_with(key, value.clone()), wanted, "{key}: {value}");
    }
}

#[test]
fn good_answers_stand_also_in_odd_clothes() {
    let table = [
        ("phone", json!(" 13000000013 ")),
        ("year", json!(2026.0)),
        ("year", json!(2.026e3)),
        ("money", json!(148.0)),
        ("from", json!("2026-11")),
        ("day", json!("2026-10-25")),
        ("id", json!("11010519491231002x")),
        ("name", json!("𠅤·𬀩")),
        ("card", json!("")),
        ("address", json!({"region": "", "detail": " "})),
        ("why", json!("not asked now, and far too long")),
    ];
    for (key, value) in table {
        assert_eq!(errors_with(key, value.clone()), [], "{key}: {value}");
    }
}

#[test]
fn what_is_sent_is_normal() {
    let mut answers = good();
    answers.set("name", json!(" 王小明 "));
    answers.set("money", json!(148.0));
    answers.set("why", json!("not asked now"));
    answers.set("card", json!(""));
    let sent = form().effective(&answers, &Facts::on(today()));
    assert_eq!(sent.text("name"), "王小明");
    assert_eq!(sent.get("money"), Some(&json!(148)));
    assert_eq!((sent.get("why"), sent.get("card")), (None, None));
    assert_eq!(form().validate(&sent, today()), []);
}

#[test]
fn errors_come_in_form_order_one_a_field() {
    let errors = form().validate(&Answers::default(), today());
    let keys: Vec<&str> = errors.iter().map(|e| e.key.as_str()).collect();
    assert_eq!(keys, ["phone", "name", "kind", "sign"]);
}

#[test]
fn two_fields_are_compared() {
    let mut answers = good();
    answers.set("from", json!("2026-10"));
    answers.set("to", json!("2026-09"));
    answers.set("home", json!("639900"));
    answers.set("next", json!("639900"));
    let errors = form().validate(&answers, today());
    let kinds: Vec<FieldErrorKind> = errors.into_iter().map(|e| e.kind).collect();
    let wanted = [
        FieldErrorKind::SameRegion { other: "home".into() },
        FieldErrorKind::DateOrder { other: "from".into() },
    ];
    assert_eq!(kinds, wanted);
}

#[test]
fn a_field_appears_with_its_condition() {
    let form = form();
    let drawn = |answers: &Answers| {
        let plan = form.plan(answers, &Facts::default(), Layout::Grouped);
        plan.pages.iter().flat_map(|p| &p.fields).any(|f| f.key == "why")
    };
    let mut answers = good();
    assert!(!drawn(&answers));
    answers.set("kind", json!("other"));
    assert!(drawn(&answers));
    let errors = form.validate(&answers, today());
    assert_eq!(errors, [FieldError { key: "why".into(), kind: FieldErrorKind::Required }]);
}

#[test]
fn layouts_and_what_the_card_gives() {
    let form = form();
    let facts = Facts {
        card_address: Some("样例路1号".into()),
        id_number: Some("639900199005201035".into()),
        ..Facts::default()
    };
    let plan = form.plan(&good(), &facts, Layout::Grouped);
    let counts: Vec<usize> = plan.pages.iter().map(|p| p.fields.len()).collect();
    assert_eq!(counts, [3, 5, 5, 1]);
    let plan = form.plan(&good(), &facts, Layout::OneQuestion);
    assert_eq!(plan.pages.len(), 14);
    assert_eq!(plan.pages[1].title.zh, "name?");
    assert_eq!(plan.pages[2].title.zh, "kind");
    let mut answers = good();
    form.prefill(&mut answers, &facts);
    assert_eq!((answers.text("home"), answers.get("address")), ("639900", None));
    assert_eq!(facts.offered_address(), Some(json!({"region": "639900", "detail": "样例路1号"})));
    answers.set("home", json!("630102"));
    form.prefill(&mut answers, &facts);
    assert_eq!(answers.text("home"), "630102");
    let plan = form.plan(&good(), &Facts::default(), Layout::Grouped);
    assert!(plan.pages.iter().flat_map(|p| &p.fields).all(|f| f.prefill.is_none()));
}

#[test]
fn every_kind_has_a_name_and_debug_shows_no_answer() {
    assert_eq!(FieldErrorKind::PhoneLength { have: 10 }.name(), "phone_too_short");
    assert_eq!(FieldErrorKind::PhoneLength { have: 12 }.name(), "phone_length");
    let values = FieldErrorKind::PhoneLength { have: 10 }.values();
    assert!(values.contains(&("missing", "1".to_owned())));
    let plan = form().plan(&good(), &Facts::default(), Layout::Grouped);
    let shown = format!("{:?} {:?} {plan:?}", good(), form());
    assert!(!shown.contains("13000000013") && !shown.contains("王小明"), "{shown}");
}

#[test]
fn a_huge_answer_is_refused_and_not_walked_through() {
    let long = "9".repeat(1_000_000);
    assert_eq!(
        errors_with("phone", json!(long))[0].kind,
        FieldErrorKind::TooLong { have: 1_000_000, most: 4_000 }
    );
    let many: Vec<Value> = (0..100_000).map(|i| json!([i, i, i])).collect();
    let errors = errors_with("sign", json!({"strokes": [many], "width": 1, "height": 1}));
    assert_eq!(errors[0].kind, FieldErrorKind::Shape);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        "[0-9X-]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("region|detail|strokes|width|[a-z]{1,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_of_any_shape_never_panic(
        answers in prop::collection::hash_map("phone|name|kind|why|id|card|home|next|address|from|to|day|year|money|sign|x", any_json(), 0..16),
    ) {
        let form = form();
        let mut answers = Answers::from_map(answers.into_iter().collect());
        let errors = form.validate(&answers, today());
        let sent = form.effective(&answers, &Facts::on(today()));
        let known: Vec<FieldError> =
            errors.into_iter().filter(|e| e.kind != FieldErrorKind::UnknownField).collect();
        prop_assert_eq!(form.validate(&sent, today()), known);
        form.prefill(&mut answers, &Facts::default());
        form.plan(&answers, &Facts::default(), Layout::OneQuestion);
    }
}
