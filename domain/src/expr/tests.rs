//! Expressions by tables: reading and writing, types, three values, limits; and random ones against a plain model.
use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Fields `n` and `m` (numbers), `t` and `kind` (texts; `kind` has choices), `d` (date), `s` (signature), rows `r`.
struct Form;

impl Scope for Form {
    fn find(&self, name: &str) -> Option<Named> {
        Some(match name {
            "n" | "m" => Named::Value(Type::Int),
            "t" | "kind" | "id" => Named::Value(Type::Text),
            "d" => Named::Value(Type::Date),
            "s" => Named::Opaque,
            "r" => Named::Rows,
            _ => return None,
        })
    }

    fn offers(&self, name: &str, text: &str) -> bool {
        name != "kind" || ["a", "b"].contains(&text)
    }
}

/// Answers by name.
#[derive(Default)]
struct Answers(BTreeMap<&'static str, Value>);

impl Known for Answers {
    fn value(&self, field: &str) -> Option<Val<'_>> {
        match self.0.get(field)? {
            Value::Number(number) => number.as_i64().map(Val::Int),
            Value::String(text) if field == "d" => text.parse().ok().map(Val::Date),
            Value::String(text) => Some(Val::Text(Cow::Borrowed(text))),
            _ => None,
        }
    }

    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        match self.0.get(field)? {
            Value::String(text) => Some(Cow::Borrowed(text)),
            other => Some(Cow::Owned(other.to_string())),
        }
    }

    fn answered(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn count(&self, name: &str) -> i64 {
        self.0.get(name).and_then(Value::as_i64).unwrap_or(0)
    }

    fn card(&self, fact: CardFact) -> Option<Val<'_>> {
        let birth = "1990-05-20".parse().ok()?;
        match fact {
            CardFact::Name => Some(Val::Text("样例".into())),
            CardFact::IdNumber => Some(Val::Text("639900199005201035".into())),
            CardFact::Birth => Some(Val::Date(birth)),
            CardFact::Sex => Some(Val::Int(1)),
            CardFact::Region => None,
        }
    }

    fn today(&self) -> Option<CivilDate> {
        "2026-11-28".parse().ok()
    }
}

fn read(json: &Value) -> Expr {
    serde_json::from_value(json.clone()).unwrap_or_else(|e| unreachable!("{json}: {e}"))
}

fn answers(list: &[(&'static str, Value)]) -> Answers {
    Answers(list.iter().cloned().collect())
}

/// The value as JSON; null is unknown.
fn value_of(expr: &Value, known: &Answers) -> Value {
    match read(expr).eval(known) {
        Some(Val::Bool(truth)) => json!(truth),
        Some(Val::Int(number)) => json!(number),
        Some(Val::Text(text)) => json!(text),
        Some(Val::Date(date)) => json!(date),
        None => Value::Null,
    }
}

#[test]
fn each_operator_has_a_type_and_a_value() {
    let known = answers(&[
        ("n", json!(7)),
        ("t", json!("甲")),
        ("kind", json!("a")),
        ("d", json!("2026-11-01")),
        ("id", json!("639900200101012045")),
        ("s", json!({})),
        ("r", json!(2)),
    ]);
    let table = [
        (json!({"field": "n"}), "int", json!(7)),
        (json!({"field": "m"}), "int", Value::Null),
        (json!({"field": "d"}), "date", json!("2026-11-01")),
        (json!({"field": "kind", "one_of": ["b", "a"]}), "bool", json!(true)),
        (json!({"field": "n", "one_of": ["7"]}), "bool", json!(true)),
        (json!({"field": "m", "one_of": ["7"]}), "bool", Value::Null),
        (json!({"answered": "s"}), "bool", json!(true)),
        (json!({"answered": "m"}), "bool", json!(false)),
        (json!({"answered": "r"}), "bool", json!(true)),
        (json!({"count": "r"}), "int", json!(2)),
        (json!({"card": "birth"}), "date", json!("1990-05-20")),
        (json!({"card": "sex"}), "int", json!(1)),
        (json!({"card": "region"}), "text", Value::Null),
        (json!({"today": true}), "date", json!("2026-11-28")),
        (json!({"value": -3}), "int", json!(-3)),
        (json!({"value": true}), "bool", json!(true)),
        (json!({"value": "x"}), "text", json!("x")),
        (json!({"date": "2000-02-29"}), "date", json!("2000-02-29")),
        (json!({"in": {"field": "n"}, "list": [1, 7]}), "bool", json!(true)),
        (json!({"in": {"field": "t"}, "list": ["乙"]}), "bool", json!(false)),
        (json!({"not": {"answered": "m"}}), "bool", json!(true)),
        (json!({"age": {"card": "id_number"}}), "int", json!(36)),
        (json!({"age": {"field": "id"}}), "int", json!(25)),
        (json!({"age": {"field": "t"}}), "int", Value::Null),
        (json!({"sum": [{"field": "n"}, {"value": 1}, {"value": 2}]}), "int", json!(10)),
        (json!({"product": [{"field": "n"}, {"value": -2}]}), "int", json!(-14)),
        (json!({"difference": [{"field": "n"}, {"value": 9}]}), "int", json!(-2)),
        (json!({"days": [{"field": "d"}, {"today": true}]}), "int", json!(27)),
        (json!({"years": [{"card": "birth"}, {"today": true}]}), "int", json!(36)),
        (json!({"concat": [{"field": "t"}, {"value": "-"}, {"field": "n"}]}), "text", json!("甲-7")),
        (json!({"concat": [{"field": "d"}]}), "text", json!("2026-11-01")),
        (json!({"eq": [{"field": "t"}, {"value": "甲"}]}), "bool", json!(true)),
        (json!({"ne": [{"field": "t"}, {"value": "甲"}]}), "bool", json!(false)),
        (json!({"lt": [{"field": "d"}, {"today": true}]}), "bool", json!(true)),
        (json!({"le": [{"field": "n"}, {"value": 7}]}), "bool", json!(true)),
        (json!({"gt": [{"field": "n"}, {"value": 7}]}), "bool", json!(false)),
        (json!({"ge": [{"field": "n"}, {"value": 8}]}), "bool", json!(false)),
        (json!({"if": {"answered": "m"}, "then": {"field": "m"}, "else": {"value": 0}}), "int", json!(0)),
    ];
    for (json, kind, value) in table {
        let expr = read(&json);
        assert_eq!(expr.check(&Form).map(|t| t.to_string()), Ok(kind.to_owned()), "{json}");
        assert_eq!(value_of(&json, &known), value, "{json}");
        assert_eq!(serde_json::to_value(&expr).expect("JSON"), json);
    }
}

#[test]
fn three_values_are_combined_as_the_table_says() {
    let (yes, no, unknown) =
        (json!({"value": true}), json!({"value": false}), json!({"eq": [{"field": "n"}, {"value": 1}]}));
    let known = Answers::default();
    let table = [
        (json!({"and": [yes, unknown]}), Value::Null),
        (json!({"and": [unknown, no]}), json!(false)),
        (json!({"and": [yes, yes]}), json!(true)),
        (json!({"or": [no, unknown]}), Value::Null),
        (json!({"or": [unknown, yes]}), json!(true)),
        (json!({"or": [no, no]}), json!(false)),
        (json!({"not": unknown}), Value::Null),
        (json!({"if": unknown, "then": yes, "else": yes}), Value::Null),
        (json!({"if": yes, "then": no, "else": unknown}), json!(false)),
        (json!({"in": {"field": "n"}, "list": [1]}), Value::Null),
        (json!({"sum": [{"value": 1}, {"field": "n"}]}), Value::Null),
        (json!({"concat": [{"value": "x"}, {"field": "t"}]}), Value::Null),
        (json!({"count": "r"}), json!(0)),
    ];
    for (json, value) in table {
        assert_eq!(value_of(&json, &known), value, "{json}");
        assert_eq!(read(&json).holds(&known), value == json!(true), "{json}");
    }
}

#[test]
fn what_does_not_fit_is_unknown_and_never_a_panic() {
    let most = i64::MAX;
    let known = answers(&[("n", json!(most)), ("m", json!(i64::MIN)), ("t", json!("x".repeat(1_000)))]);
    for json in [
        json!({"sum": [{"field": "n"}, {"value": 1}]}),
        json!({"product": [{"field": "n"}, {"field": "n"}]}),
        json!({"difference": [{"field": "m"}, {"value": 1}]}),
        json!({"product": [{"field": "m"}, {"value": -1}]}),
        json!({"concat": [{"field": "t"}, {"value": "y"}]}),
        json!({"age": {"value": "639900300001012045"}}),
        json!({"age": {"value": "639900202701012045"}}),
    ] {
        assert_eq!(value_of(&json, &known), Value::Null, "{json}");
    }
}

#[test]
fn what_is_no_expression_is_refused_when_it_is_read() {
    for json in [
        json!({}),
        json!([]),
        json!(null),
        json!("n"),
        json!({"eval": "1+1"}),
        json!({"field": 7}),
        json!({"field": "n", "answered": "n"}),
        json!({"field": "n", "list": ["a"]}),
        json!({"answered": "n", "one_of": ["a"]}),
        json!({"if": {"value": true}, "then": {"value": 1}}),
        json!({"one_of": ["a"]}),
        json!({"list": [1]}),
        json!({"today": false}),
        json!({"value": 1.5}),
        json!({"value": 1e300}),
        json!({"value": 18_446_744_073_709_551_615_u64}),
        json!({"value": null}),
        json!({"date": "2026-02-29"}),
        json!({"card": "photo"}),
        json!({"lt": [{"value": 1}]}),
        json!({"lt": [{"value": 1}, {"value": 1}, {"value": 1}]}),
        json!({"sum": {"value": 1}}),
        json!({"not": [{"value": true}]}),
        json!({"sum": vec![json!({"value": 1}); MAX_PARTS + 1]}),
    ] {
        assert!(serde_json::from_value::<Expr>(json.clone()).is_err(), "{json}");
    }
    assert!(serde_json::from_str::<Expr>(r#"{"field": "n", "field": "n"}"#).is_err());
}

#[test]
fn depth_is_bounded_also_for_hostile_texts_and_trees() {
    let nested = |levels: usize| {
        let mut json = json!({"value": true});
        for _ in 1..levels {
            json = json!({"not": json});
        }
        json
    };
    assert!(read(&nested(MAX_DEPTH)).check(&Form).is_ok());
    assert!(serde_json::from_value::<Expr>(nested(MAX_DEPTH + 1)).is_err());
    let text = format!("{}{}", r#"{"not":"#.repeat(10_000), "}".repeat(10_000));
    assert!(serde_json::from_str::<Expr>(&text).is_err());
    // Built without reading: the check stops it.
    let mut tree = Expr::Today;
    for _ in 0..1_000 {
        tree = Expr::Not(Box::new(tree));
    }
    assert_eq!(tree.check(&Form), Err(ExprError::TooDeep));
    let row = Expr::Many(Many::And, vec![Expr::Value(Literal::Bool(true)); MAX_PARTS]);
    let wide = Expr::Many(Many::And, vec![row; MAX_PARTS]);
    assert_eq!(wide.check(&Form), Err(ExprError::TooLarge));
}

#[test]
fn types_and_names_are_checked() {
    let table = [
        (json!({"field": "later"}), "its rule names `later`, which is no field before it"),
        (json!({"field": "s"}), "`s` cannot be used with `field`"),
        (json!({"field": "r"}), "`r` cannot be used with `field`"),
        (json!({"count": "n"}), "`n` cannot be used with `count`"),
        (json!({"field": "kind", "one_of": ["c"]}), "`kind` has no choice `c`"),
        (json!({"eq": [{"value": "c"}, {"field": "kind"}]}), "`kind` has no choice `c`"),
        (json!({"in": {"field": "kind"}, "list": ["a", "c"]}), "`kind` has no choice `c`"),
        (json!({"field": "kind", "one_of": []}), "`one_of` wants 1 to 40 parts"),
        (json!({"and": []}), "`and` wants 1 to 40 parts"),
        (json!({"not": {"field": "n"}}), "`not` wants bool and got int"),
        (json!({"age": {"field": "n"}}), "`age` wants text and got int"),
        (json!({"and": [{"value": 1}]}), "`and` wants bool and got int"),
        (json!({"sum": [{"field": "d"}]}), "`sum` wants int and got date"),
        (json!({"concat": [{"value": true}]}), "`concat` wants text, int or date and got bool"),
        (json!({"lt": [{"field": "t"}, {"value": "x"}]}), "`lt` wants int or date and got text"),
        (json!({"eq": [{"field": "n"}, {"value": "7"}]}), "`eq` got int and text"),
        (json!({"in": {"field": "n"}, "list": ["7"]}), "`in` got int and text"),
        (json!({"days": [{"value": 1}, {"value": 2}]}), "`days` wants date and got int"),
        (
            json!({"if": {"value": true}, "then": {"value": 1}, "else": {"value": "x"}}),
            "`else` got int and text",
        ),
        (
            json!({"if": {"value": 1}, "then": {"value": 1}, "else": {"value": 1}}),
            "`if` wants bool and got int",
        ),
        (json!({"value": "x".repeat(1_001)}), "a text has at most 1000 characters"),
    ];
    for (json, reason) in table {
        assert_eq!(read(&json).check(&Form).map_err(|e| e.to_string()), Err(reason.to_owned()), "{json}");
    }
    assert_eq!(
        read(&json!({"value": 1})).check_rule(&Form).map_err(|e| e.to_string()),
        Err("`rule` wants bool and got int".to_owned())
    );
}

#[test]
fn debug_shows_no_answer() {
    let known = answers(&[("t", json!("secret"))]);
    let shown = format!("{:?}", read(&json!({"field": "t"})).eval(&known));
    assert!(!shown.contains("secret"), "{shown}");
}

/// Any expression, well typed or not.
fn any_expr() -> impl Strategy<Value = Expr> {
    let names = || prop::sample::select(vec!["n", "m", "t", "kind", "d", "s", "r", "x"]);
    let leaf = prop_oneof![
        names().prop_map(|n| Expr::Field(n.to_owned())),
        names().prop_map(|n| Expr::Answered(n.to_owned())),
        names().prop_map(|n| Expr::Count(n.to_owned())),
        (names(), ".{0,2}").prop_map(|(n, v)| Expr::OneOf { field: n.to_owned(), one_of: vec![v] }),
        any::<i64>().prop_map(|n| Expr::Value(Literal::Int(n))),
        any::<bool>().prop_map(|b| Expr::Value(Literal::Bool(b))),
        ".{0,5}".prop_map(|t| Expr::Value(Literal::Text(t))),
        Just(Expr::Today),
        Just(Expr::Card(CardFact::IdNumber)),
    ];
    leaf.prop_recursive(6, 60, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            (prop::sample::select(Many::NAMES.to_vec()), list())
                .prop_map(|((_, op), parts)| Expr::Many(op, parts)),
            (prop::sample::select(Two::NAMES.to_vec()), inner.clone(), inner.clone())
                .prop_map(|((_, op), a, b)| Expr::Two(op, Box::new([a, b]))),
            inner.clone().prop_map(|part| Expr::Not(Box::new(part))),
            inner.clone().prop_map(|part| Expr::Age(Box::new(part))),
            (inner.clone(), any::<i64>())
                .prop_map(|(part, n)| Expr::In(Box::new(part), vec![Literal::Int(n)])),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| Expr::If(Box::new([a, b, c]))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_expression_is_total_and_keeps_its_type(expr in any_expr(), n in any::<i64>(), t in ".{0,4}", all in any::<bool>()) {
        let known = if all {
            answers(&[("n", json!(n)), ("m", json!(2)), ("t", json!(t)), ("kind", json!("a")), ("r", json!(1))])
        } else {
            Answers::default()
        };
        let value = expr.eval(&known);
        if let (Ok(kind), Some(value)) = (expr.check(&Form), value) {
            let got = match value {
                Val::Bool(_) => Type::Bool,
                Val::Int(_) => Type::Int,
                Val::Text(_) => Type::Text,
                Val::Date(_) => Type::Date,
            };
            prop_assert_eq!(got, kind);
        }
        let json = serde_json::to_value(&expr).expect("JSON");
        prop_assert_eq!(serde_json::from_value::<Expr>(json).expect("its own JSON"), expr);
    }
}
