//! Facts out of the form, the card, the sources and the clock.
use std::collections::BTreeMap;

use super::*;
use crate::applicant::IdentitySource;
use crate::form::Answers;

fn declared(id: &str, kind: &str, from: &Value) -> Value {
    json!({"id": id, "type": kind, "label": {"zh": "事实"}, "from": from})
}

/// One fact of every origin; each is used by a rule that needs it.
fn gather(answers: Value, evidence: BTreeMap<String, Evidence>) -> impl Fn(&str) -> Finding {
    let from = |field: &str| json!({"form": {"field": field}});
    let list = [
        declared("flag", "bool", &from("flag")),
        declared("money", "int", &from("money")),
        declared("word", "text", &from("word")),
        declared("day", "date", &from("day")),
        declared("region", "text", &json!({"form": {"field": "home", "part": "region"}})),
        declared("extra", "int", &json!({"form": {"field": "extra", "absent": 0}})),
        declared("rows", "int", &json!({"rows": "children"})),
        declared("name", "text", &json!({"applicant": "name"})),
        declared("number", "text", &json!({"applicant": "id_number"})),
        declared("birth", "date", &json!({"applicant": "birth"})),
        declared("sex", "int", &json!({"applicant": "sex"})),
        declared("origin", "text", &json!({"applicant": "region"})),
        declared("identity", "text", &json!({"applicant": "identity"})),
        declared("said", "bool", &json!({"source": {"source": "s", "value": "said", "max_age_days": 7}})),
    ];
    let names: Vec<&str> = list.iter().filter_map(|fact| fact["id"].as_str()).collect();
    let set = set(
        &list,
        &[
            rule("approve", &is("flag"), &json!("approve")),
            rule("need", &is("flag"), &json!({"need": {"facts": names}})),
        ],
    );
    let Value::Object(answers) = answers else { unreachable!("an object") };
    let answers = Answers::from_map(answers);
    let sources =
        Sources { answers: &answers, applicant: &person(IdentitySource::Typed), evidence: &evidence };
    let facts = Facts::gather(&set, &sources, today());
    move |name| facts.finding(name).clone()
}

#[test]
fn answers_become_typed_facts() {
    let found = gather(
        json!({
            "flag": true, "money": 12, "word": "字", "day": "2026-11", "extra": 3,
            "home": {"region": "630102", "detail": "x"}, "children": [{}, {}],
        }),
        BTreeMap::new(),
    );
    let date = |text: &str| Finding::Known(FactValue::Date(text.parse().expect("a date")));
    let table = [
        ("flag", yes(true)),
        ("money", number(12)),
        ("word", words("字")),
        ("day", date("2026-11-01")),
        ("region", words("630102")),
        ("extra", number(3)),
        ("rows", number(2)),
        ("name", words("样例")),
        ("number", words("639900199005201035")),
        ("birth", date("1990-05-20")),
        ("sex", number(1)),
        ("origin", words("639900")),
        ("identity", words("typed")),
        ("said", Finding::Unknown(Why::NotAsked)),
    ];
    for (name, finding) in table {
        // `Debug` does not tell values, so this compares and says only which one.
        assert!(found(name) == finding, "{name}: {:?}", found(name));
    }
}

#[test]
fn what_is_not_answered_or_has_another_shape_is_unknown() {
    let unanswered = gather(json!({"word": " ", "flag": null}), BTreeMap::new());
    for name in ["flag", "money", "word", "day", "region"] {
        assert_eq!(unanswered(name), Finding::Unknown(Why::NotAnswered), "{name}");
    }
    assert!(unanswered("extra") == number(0) && unanswered("rows") == number(0));
    let crooked = gather(
        json!({"flag": "true", "money": 1.5, "word": 7, "day": "2026-02-30", "home": {"region": 7}, "children": 3, "extra": "3"}),
        BTreeMap::new(),
    );
    for name in ["flag", "money", "word", "day", "region", "rows", "extra"] {
        assert_eq!(crooked(name), Finding::Unknown(Why::Unusable), "{name}");
    }
}

#[test]
fn a_source_says_something_or_why_not() {
    let said = |truth: Value| serde_json::from_value::<BTreeMap<String, FactValue>>(json!({"said": truth}));
    let good = || said(json!({"bool": false})).expect("values");
    let table = [
        ("2026-11-30", Ok(good()), yes(false)),
        ("2026-11-23", Ok(good()), yes(false)),
        ("2026-11-22", Ok(good()), Finding::Unknown(Why::TooOld)),
        ("2026-12-01", Ok(good()), Finding::Unknown(Why::Unusable)),
        ("2026-11-30", said(json!({"int": 0})).map_err(|_| Why::NotAsked), Finding::Unknown(Why::Unusable)),
        ("2026-11-30", Ok(BTreeMap::new()), Finding::Unknown(Why::Unusable)),
        ("2026-11-30", Err(Why::SourceDown), Finding::Unknown(Why::SourceDown)),
        ("2026-11-30", Err(Why::NoConsent), Finding::Unknown(Why::NoConsent)),
    ];
    for (row, (on, answer, finding)) in table.into_iter().enumerate() {
        let evidence = Evidence { on: on.parse().expect("a date"), answer };
        let found = gather(json!({}), BTreeMap::from([("s".to_owned(), evidence)]));
        assert!(found("said") == finding, "row {row}: {:?}", found("said"));
    }
}

#[test]
fn recorded_facts_are_read_back_and_bounded() {
    let facts = facts(&[("a", yes(true)), ("b", Finding::Unknown(Why::SourceDown)), ("c", words("字"))]);
    let json = serde_json::to_string(&facts).expect("json");
    let expected = concat!(
        r#"{"today":"2026-11-30","facts":{"a":{"known":{"bool":true}},"#,
        r#""b":{"unknown":"source_down"},"c":{"known":{"text":"字"}}}}"#
    );
    assert_eq!(json, expected);
    assert!(serde_json::from_str::<Facts>(&json).expect("read back") == facts);
    let many: BTreeMap<String, Finding> = (0..=MAX_RECORDED).map(|n| (n.to_string(), yes(true))).collect();
    assert!(serde_json::from_value::<Facts>(json!({"today": "2026-11-30", "facts": many})).is_err());
    let mut full = Facts::on(today());
    for n in 0..MAX_RECORDED {
        full.note(&n.to_string(), yes(true)).expect("room");
    }
    assert_eq!(full.note("x", yes(true)), Err(TooManyFacts));
    assert_eq!(full.note("0", yes(false)), Ok(()));
}
