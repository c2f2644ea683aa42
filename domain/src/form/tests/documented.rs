//! The worked example of `docs/forms.md`, as it stands there.
use serde_json::{Value, json};

use super::super::*;
use super::sample::{answers, drawn, told};
use super::today;

/// The JSON texts of the page, in order.
fn examples() -> Vec<Value> {
    let page = include_str!("../../../../docs/forms.md");
    let texts = page.split("```json").skip(1).filter_map(|rest| rest.split("```").next());
    texts.map(|text| serde_json::from_str(text).expect("JSON in the page")).collect()
}

#[test]
fn the_worked_example_does_what_the_page_says() {
    let [form, given] = <[Value; 2]>::try_from(examples()).expect("a form and its answers");
    let spec: FormSpec = serde_json::from_value(form).expect("a form");
    let mut aligned = spec.clone();
    aligned.align_schema();
    assert_eq!(aligned, spec);
    let form = Form::compile(&spec).expect("compiles");
    let facts = Facts { id_number: Some("639900194403150015".into()), ..Facts::on(today()) };
    assert_eq!(form.validate_with(&answers(&given), &facts), []);
    assert_eq!(form.effective(&answers(&given), &facts).get("total"), Some(&json!(950_000)));

    let changed = |path: &str, value: Value| {
        let mut changed = answers(&given);
        changed.set(path, value);
        changed
    };
    let dear = changed("rent", json!(960_000));
    assert_eq!(told(&form.validate_with(&dear, &facts)), ["reason: required"]);
    assert!(drawn(&form.plan(&dear, &facts, Layout::Grouped)).contains(&"reason"));
    let ward = changed("people[0].care", json!("ward"));
    assert_eq!(told(&form.validate_with(&ward, &facts)), ["people[0].ward: required"]);
    assert_eq!(told(&form.validate_with(&changed("total", json!(1)), &facts)), ["total: computed"]);
    let young = Facts { id_number: Some("639900199005201035".into()), ..Facts::on(today()) };
    assert_eq!(told(&form.validate_with(&answers(&given), &young)), ["reason: required"]);
}
