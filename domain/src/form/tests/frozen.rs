//! A form as it was published before pages had rules: it loads, writes itself back, and judges as it did then.
use serde_json::Value;

use super::super::*;
use super::sample::{answers, drawn, told};
use super::today;

const PUBLISHED: &str = include_str!("frozen.json");

#[test]
fn a_published_form_loads_and_writes_itself_back() {
    let published: Value = serde_json::from_str(PUBLISHED).expect("JSON");
    let spec: FormSpec = serde_json::from_value(published.clone()).expect("an old form");
    assert_eq!(serde_json::to_value(&spec).expect("JSON"), published);
    let mut aligned = spec.clone();
    aligned.align_schema();
    assert_eq!(aligned, spec, "the schema said already what the pages demand");
}

#[test]
fn a_published_form_judges_as_it_did() {
    let spec: FormSpec = serde_json::from_str(PUBLISHED).expect("an old form");
    let form = Form::compile(&spec).expect("compiles");
    let table =
        [("不再参加", vec![]), ("家人去世", vec!["decease_name", "decease_id", "decease_date", "relation"])];
    for (reason, wanted) in table {
        let given = answers(&serde_json::json!({"stop_reason": reason}));
        let plan = form.plan(&given, &Facts::on(today()), Layout::Grouped);
        let shown: Vec<&str> = drawn(&plan).into_iter().filter(|key| spec_rule(&spec, key)).collect();
        assert_eq!(shown, wanted, "{reason}");
        let errors = told(&form.validate(&given, today()));
        let wanted: Vec<String> = wanted.iter().map(|key| format!("{key}: required")).collect();
        let missing: Vec<String> = errors
            .into_iter()
            .filter(|e| spec_rule(&spec, e.split(':').next().unwrap_or_default()))
            .collect();
        assert_eq!(missing, wanted, "{reason}");
    }
}

/// Whether a field has a rule.
fn spec_rule(spec: &FormSpec, key: &str) -> bool {
    spec.fields().any(|field| field.key == key && field.required_if.is_some())
}
