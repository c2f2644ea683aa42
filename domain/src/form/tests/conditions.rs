//! What is shown, required, computed and filled in by itself; and that JSON Schema says the same where it can.
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::sample::{answers, choice, drawn, field, form, page, refusal, spec, text, told};
use super::today;
use crate::expr::Expr;

fn facts() -> Facts {
    Facts { id_number: Some("639900199005201035".into()), name: Some("样例".into()), ..Facts::on(today()) }
}

fn is(key: &str, value: &str) -> Value {
    json!({"field": key, "one_of": [value]})
}

#[test]
fn pages_groups_and_fields_come_and_go() {
    let conditional_group =
        json!({"fields": [field("b", "text", &json!({"required": true}))], "show_if": is("kind", "b")});
    let pages = [
        page(&[choice("kind", &["a", "b", "c"], &json!({"required": true}))]),
        json!({"title": text("second"), "show_if": {"ne": [{"field": "kind"}, {"value": "a"}]}, "groups": [
            conditional_group,
            {"fields": [field("c", "text", &json!({"show_if": {"answered": "b"}}))]},
        ]}),
        page(&[field(
            "d",
            "number",
            &json!({"show_if": {"gt": [{"age": {"card": "id_number"}}, {"value": 35}]}}),
        )]),
    ];
    let form = form(&pages);
    let table = [
        (json!({}), vec!["kind", "d"], vec!["kind: required"]),
        (json!({"kind": "a", "b": "not looked at"}), vec!["kind", "d"], vec![]),
        (json!({"kind": "b"}), vec!["kind", "b", "d"], vec!["b: required"]),
        (json!({"kind": "b", "b": "x"}), vec!["kind", "b", "c", "d"], vec![]),
        (json!({"kind": "c", "b": "x"}), vec!["kind", "d"], vec![]),
    ];
    for (given, fields, errors) in table {
        let given = answers(&given);
        assert_eq!(drawn(&form.plan(&given, &facts(), Layout::Grouped)), fields, "{given:?}");
        assert_eq!(told(&form.validate_with(&given, &facts())), errors, "{given:?}");
    }
    // Nobody knows the age without a card: the rule is unknown and shows nothing.
    assert_eq!(drawn(&form.plan(&Answers::default(), &Facts::on(today()), Layout::Grouped)), ["kind"]);
}

#[test]
fn required_if_hides_unless_the_field_has_a_rule_of_its_own() {
    let always = json!({"show_if": {"value": true}, "required_if": is("kind", "b")});
    let form = form(&[page(&[
        choice("kind", &["a", "b"], &json!({})),
        field("old", "text", &json!({"required_if": is("kind", "b")})),
        field("new", "text", &always),
    ])]);
    for (kind, fields, errors) in [
        ("a", vec!["kind", "new"], vec![]),
        ("b", vec!["kind", "old", "new"], vec!["old: required", "new: required"]),
    ] {
        let given = answers(&json!({"kind": kind}));
        let plan = form.plan(&given, &facts(), Layout::Grouped);
        assert_eq!(drawn(&plan), fields);
        assert_eq!(told(&form.validate_with(&given, &facts())), errors);
        let required = plan.pages[0].fields.iter().filter(|f| f.required).count();
        assert_eq!(required, errors.len());
    }
}

#[test]
fn computed_values_are_shown_sent_and_never_taken_from_outside() {
    let total = json!({"computed": {"product": [{"field": "count"}, {"field": "price"}]}});
    let level = json!({"computed": {"if": {"gt": [{"field": "total"}, {"value": 100}]},
        "then": {"value": "high"}, "else": {"value": "low"}}});
    let form = form(&[page(&[
        field("count", "number", &json!({})),
        field("price", "number", &json!({})),
        field("total", "number", &total),
        choice("level", &["low", "high"], &level),
        field("month", "month", &json!({"computed": {"today": true}})),
    ])]);
    let given = answers(&json!({"count": 3, "price": 40}));
    let plan = form.plan(&given, &facts(), Layout::Grouped);
    let shown: Vec<_> = plan.pages[0].fields.iter().filter(|f| f.computed).map(|f| f.value.clone()).collect();
    assert_eq!(shown, [Some(json!(120)), Some(json!("high")), Some(json!("2026-11"))]);
    let sent = form.effective(&given, &facts());
    assert_eq!((sent.get("total"), sent.get("level")), (Some(&json!(120)), Some(&json!("high"))));
    assert_eq!(form.validate_with(&sent, &facts()), []);
    let table = [
        (json!({"count": 3, "price": 40, "total": 121}), vec!["total: computed"]),
        (json!({"count": 3, "price": 40, "total": 120.0, "level": "low"}), vec!["level: computed"]),
        (json!({"count": 3, "total": 3}), vec!["total: computed"]),
        (json!({"count": 3, "total": ""}), vec![]),
        (json!({"count": 1_000_000, "price": 2}), vec!["total: above"]),
    ];
    for (given, errors) in table {
        assert_eq!(told(&form.validate_with(&answers(&given), &facts())), errors, "{given}");
    }
    // A number that does not fit is unknown: nothing is shown and nothing is sent.
    let given = answers(&json!({"count": i64::MAX, "price": 2}));
    assert_eq!(form.effective(&given, &facts()).get("total"), None);
}

#[test]
fn defaults_follow_until_somebody_answers() {
    let form = form(&[page(&[
        field("name", "text", &json!({"default": {"card": "name"}})),
        field("a", "text", &json!({})),
        field("b", "text", &json!({"default": {"concat": [{"field": "a"}, {"value": "!"}]}})),
        choice("c", &["x", "y"], &json!({"default": {"value": "y"}})),
        choice("only", &["z"], &json!({"required": true})),
    ])]);
    let mut given = Answers::default();
    form.prefill(&mut given, &facts());
    assert_eq!(given.as_map(), answers(&json!({"name": "样例", "c": "y", "only": "z"})).as_map());
    for word in ["1", "12"] {
        given.set("a", json!(word));
        form.prefill(&mut given, &facts());
        assert_eq!(given.text("b"), format!("{word}!"));
    }
    given.clear("a");
    form.prefill(&mut given, &facts());
    assert_eq!(given.get("b"), None);
    given.set("b", json!("own"));
    given.set("a", json!("3"));
    given.clear("c");
    form.prefill(&mut given, &facts());
    assert_eq!((given.text("b"), given.get("c")), ("own", Some(&Value::Null)));
    // A default is an answer when it is sent: the other end makes none.
    let sent = form.effective(&given, &facts());
    assert_eq!((sent.text("b"), sent.get("c")), ("own", None));
    assert_eq!(told(&form.validate_with(&Answers::default(), &facts())), ["only: required"]);
}

#[test]
fn what_cannot_work_is_refused() {
    let one = |more: Value| vec![page(&[field("n", "number", &json!({})), field("a", "text", &more)])];
    let table = [
        (one(json!({"show_if": is("a", "x")})), "a: its rule names `a`, which is no field before it"),
        (one(json!({"show_if": {"field": "n"}})), "a: `rule` wants bool and got int"),
        (one(json!({"computed": {"field": "n"}})), "a: its value is int, the field wants text"),
        (one(json!({"default": {"today": true}})), "a: its value is date, the field wants text"),
        (
            one(json!({"computed": {"value": "x"}, "required": true})),
            "a: a computed value is never asked for: no required, required_if, default, prefill",
        ),
        (one(json!({"default": {"value": "x"}, "prefill": "id_region"})), "a: both `default` and `prefill`"),
        (
            one(json!({"required": true, "required_if": {"answered": "n"}})),
            "a: both `required` and `required_if`",
        ),
        (
            vec![page(&[field("a", "signature", &json!({"computed": {"value": "x"}}))])],
            "a: a computed value is a text, choice, number, date or month",
        ),
        (
            vec![page(&[choice("a", &["x"], &json!({"default": {"value": "y"}}))])],
            "a: its value `y` is no choice of it",
        ),
        (
            // Two fields that need each other: the first names a later one.
            vec![page(&[
                field("a", "number", &json!({"computed": {"field": "b"}})),
                field("b", "number", &json!({"computed": {"field": "a"}})),
            ])],
            "a: its rule names `b`, which is no field before it",
        ),
        (
            vec![json!({"title": text("t"), "show_if": {"answered": "a"}, "groups": [
                {"fields": [field("a", "text", &json!({}))]}]})],
            "-: its rule names `a`, which is no field before it",
        ),
    ];
    for (pages, reason) in table {
        assert_eq!(refusal(&pages), reason);
    }
}

#[test]
fn the_schema_must_say_what_the_pages_demand() {
    let mut spec = spec(&[page(&[
        choice("kind", &["a", "b"], &json!({})),
        field("a", "text", &json!({"required": true, "show_if": is("kind", "a")})),
    ])]);
    let wanted = json!([{
        "if": {"properties": {"kind": {"enum": ["a"]}}, "required": ["kind"]}, "then": {"required": ["a"]},
    }]);
    assert_eq!(spec.schema["allOf"], wanted);
    let good = spec.clone();
    spec.schema["allOf"] = json!([]);
    let reason = Form::compile(&spec).expect_err("a condition is missing").to_string();
    assert!(reason.starts_with("a: `allOf` of the schema lacks {\"if\""), "{reason}");
    spec.align_schema();
    assert_eq!(spec, good);
    // Rules that no schema can say leave no trace in it.
    spec.pages[0].groups[0].fields[1].show_if = serde_json::from_value(json!({"lt": [{"today": true},
        {"date": "2030-01-01"}]}))
    .expect("a rule");
    spec.align_schema();
    assert!(spec.schema.get("allOf").is_none() && Form::compile(&spec).is_ok());
}

/// A rule that JSON Schema can say, about the fields of [`ruled`].
fn sayable() -> impl Strategy<Value = Expr> {
    let read = |json: Value| serde_json::from_value::<Expr>(json).expect("a rule");
    let words = || prop::sample::select(vec!["a", "b", "c"]);
    let compare = prop::sample::select(vec!["eq", "ne", "lt", "le", "gt", "ge"]);
    let leaf = prop_oneof![
        words().prop_map(move |w| read(json!({"field": "kind", "one_of": [w]}))),
        words().prop_map(move |w| read(json!({"in": {"field": "kind"}, "list": [w, "c"]}))),
        words().prop_map(move |w| read(json!({"ne": [{"field": "kind"}, {"value": w}]}))),
        (compare, -2..3_i64).prop_map(move |(op, n)| read(json!({op: [{"field": "n"}, {"value": n}]}))),
        prop::sample::select(vec!["kind", "n", "home"]).prop_map(move |name| read(json!({"answered": name}))),
        any::<bool>().prop_map(move |truth| read(json!({"value": truth}))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list().prop_map(|parts| Expr::Many(crate::expr::Many::And, parts)),
            list().prop_map(|parts| Expr::Many(crate::expr::Many::Or, parts)),
            inner.clone().prop_map(|part| Expr::Not(Box::new(part))),
        ]
    })
}

/// A form whose last field is demanded by a rule.
fn ruled(rule: &Expr) -> FormSpec {
    spec(&[page(&[
        choice("kind", &["a", "b", "c"], &json!({})),
        field("n", "number", &json!({})),
        field("home", "address", &json!({})),
        field("last", "text", &json!({"required_if": rule})),
    ])])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_schema_demands_exactly_what_the_engine_demands(
        rule in sayable(),
        kind in prop::option::of(prop::sample::select(vec!["a", "b", "c", " "])),
        n in prop::option::of(-3..4_i64),
        home in any::<bool>(),
    ) {
        let spec = ruled(&rule);
        prop_assert!(spec.schema.get("allOf").is_some(), "every such rule can be said");
        let form = Form::compile(&spec).expect("compiles");
        let home = home.then(|| json!({"region": "639900", "detail": "样例路1号"}));
        let given = answers(&json!({"kind": kind, "n": n, "home": home}));
        let sent = Value::Object(form.effective(&given, &facts()).as_map().clone());
        let bare = jsonschema::draft202012::new(&spec.schema).expect("a schema");
        let demanded = told(&form.validate_with(&given, &facts()));
        prop_assert_eq!(bare.is_valid(&sent), demanded.is_empty(), "{:?}: {}: {:?}", rule, sent, demanded);
    }
}
