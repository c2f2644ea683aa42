//! Rules: helpers of the tests, and the tests of single parts in folders beside.
mod engine;
mod flaws;
mod gathering;
mod laws;
mod random;
mod replays;
mod samples;

use serde_json::{Value, json};

use super::*;
use crate::applicant::{Applicant, IdentitySource};
use crate::date::CivilDate;

pub(super) fn today() -> CivilDate {
    "2026-11-30".parse().expect("a date")
}

/// Somebody, read from a card or typed.
pub(super) fn person(source: IdentitySource) -> Applicant {
    Applicant {
        source,
        name: "样例".into(),
        id_number: "639900199005201035".into(),
        sex: 1,
        nation: "01".into(),
        birth: None,
        address: String::new(),
        valid_to: None,
    }
}

/// A fact of this type that the form answers.
pub(super) fn fact(id: &str, kind: &str) -> Value {
    json!({"id": id, "type": kind, "label": {"zh": "事实"}, "from": {"form": {"field": "x"}}})
}

pub(super) fn rule(id: &str, when: &Value, then: &Value) -> Value {
    json!({
        "id": id, "name": {"zh": "规则"}, "when": when, "then": then,
        "basis": {"name": "示例", "certainty": "sample"},
    })
}

pub(super) fn manual() -> Value {
    json!({"manual": {"reason": {"zh": "请人工审核"}}})
}

pub(super) fn refusal() -> Value {
    json!({"propose_refusal": {"reason": {"zh": "拟不予"}}})
}

/// `{"is": {"field": NAME}}`.
pub(super) fn is(name: &str) -> Value {
    json!({"is": {"field": name}})
}

pub(super) fn document(facts: &[Value], rules: &[Value]) -> Value {
    json!({
        "entry": "one.ent-open", "step": "s2", "version": 1, "data_label": "sample",
        "notice": {"zh": "示例规则"}, "name": {"zh": "示例"}, "facts": facts, "rules": rules,
    })
}

pub(super) fn file(facts: &[Value], rules: &[Value]) -> RuleSetFile {
    serde_json::from_value(document(facts, rules)).expect("a rule set")
}

/// A rule set that passes the check.
pub(super) fn set(facts: &[Value], rules: &[Value]) -> RuleSet {
    RuleSet::parse(document(facts, rules).to_string().as_bytes()).expect("a rule set that can stand")
}

pub(super) fn yes(truth: bool) -> Finding {
    Finding::Known(FactValue::Bool(truth))
}

pub(super) fn number(number: i64) -> Finding {
    Finding::Known(FactValue::Int(number))
}

pub(super) fn words(text: &str) -> Finding {
    Finding::Known(FactValue::Text(text.to_owned()))
}

pub(super) fn facts(list: &[(&str, Finding)]) -> Facts {
    let mut facts = Facts::on(today());
    for (name, finding) in list {
        facts.note(name, finding.clone()).expect("few facts");
    }
    facts
}
