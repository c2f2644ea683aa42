//! Repeat groups: paths, counts, rules within a row, rows of any shape; and the plan's pages, groups and rows.
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::sample::{answers, choice, drawn, field, form, refusal, rows, spec, text, told};
use super::{any_json, today};

/// Up to three children, at least one; the school of a child depends on its own kind and on the family.
fn pages() -> Vec<Value> {
    let school = json!({"required_if": {"and": [
        {"field": "kind", "one_of": ["pupil"]}, {"field": "family", "one_of": ["yes"]}]}});
    let children = [
        field("name", "text", &json!({"required": true})),
        choice("kind", &["baby", "pupil"], &json!({"default": {"value": "baby"}})),
        field("school", "text", &school),
        field(
            "told",
            "text",
            &json!({"computed": {"concat": [{"field": "name"}, {"value": "/"}, {"field": "kind"}]}}),
        ),
    ];
    let pets = [field("pet", "text", &json!({}))];
    vec![
        json!({"title": text("family"), "groups": [{"fields": [choice("family", &["yes", "no"], &json!({}))]}]}),
        json!({"title": text("children"), "groups": [
            rows("children", (1, 3), &children, &json!({"title": text("Children")})),
            {"fields": [field("more", "text", &json!({"show_if": {"ge": [{"count": "children"}, {"value": 2}]}}))]},
        ]}),
        json!({"title": text("pets"), "groups": [
            rows("pets", (0, 2), &pets, &json!({"show_if": {"field": "family", "one_of": ["yes"]}}))]}),
    ]
}

fn facts() -> Facts {
    Facts::on(today())
}

#[test]
fn rows_are_validated_one_by_one() {
    let form = form(&pages());
    let row = |name: &str| json!({"name": name, "kind": "pupil"});
    let table = [
        (json!({}), vec!["children[0].name: required"]),
        (json!({"children": []}), vec!["children[0].name: required"]),
        (json!({"children": [{}]}), vec!["children[0].name: required"]),
        (json!({"children": [{"name": "甲"}]}), vec![]),
        (
            json!({"family": "yes", "children": [row("甲"), row("")]}),
            vec![
                "children[0].school: required",
                "children[1].name: required",
                "children[1].school: required",
            ],
        ),
        (json!({"family": "no", "children": [row("甲")]}), vec![]),
        (json!({"children": [{"name": "甲", "told": "forged"}]}), vec!["children[0].told: computed"]),
        (json!({"children": [{"name": "甲", "kind": "cat"}]}), vec!["children[0].kind: not_a_choice"]),
        (json!({"children": [{"name": "x".repeat(31)}]}), vec!["children[0].name: too_long"]),
        (json!({"children": [row("1"), row("2"), row("3"), row("4")]}), vec!["children: too_many_rows"]),
        (json!({"children": "x"}), vec!["children: shape"]),
        (json!({"children": [7]}), vec!["children[0]: shape"]),
        (
            json!({"children": [{"name": "甲", "x": 1}], "name": "y"}),
            vec!["name: unknown_field", "children[0].x: unknown_field"],
        ),
    ];
    for (given, errors) in table {
        assert_eq!(told(&form.validate_with(&answers(&given), &facts())), errors, "{given}");
    }
    let many: Vec<Value> = (0..100_000).map(|_| row("x")).collect();
    let errors = form.validate_with(&answers(&json!({"children": many})), &facts());
    assert_eq!(told(&errors), ["children: too_many_rows"]);
}

#[test]
fn what_is_sent_holds_rows_as_the_schema_wants_them() {
    let form = form(&pages());
    let given = json!({"children": [{"name": " 甲 ", "kind": "pupil", "school": "hidden"}], "pets": [{"pet": "hidden"}]});
    let sent = form.effective(&answers(&given), &facts());
    assert_eq!(
        Value::Object(sent.as_map().clone()),
        json!({"children": [{"name": "甲", "kind": "pupil", "told": "甲/pupil"}]})
    );
    assert_eq!(form.validate_with(&sent, &facts()), []);
}

#[test]
fn rows_come_and_go_within_their_limits() {
    let form = form(&pages());
    let mut given = Answers::default();
    form.prefill(&mut given, &facts());
    assert_eq!(Value::Object(given.as_map().clone()), json!({"children": [{"kind": "baby"}]}));
    given.clear("children[0].kind");
    given.set("children[0].name", json!("甲"));
    assert!(form.add_row(&mut given, &facts(), "children") && form.add_row(&mut given, &facts(), "children"));
    assert_eq!((given.get("children[0].kind"), given.text("children[2].kind")), (Some(&Value::Null), "baby"));
    assert!(!form.add_row(&mut given, &facts(), "children") && !form.add_row(&mut given, &facts(), "nobody"));
    assert!(form.remove_row(&mut given, "children", 0));
    assert_eq!(given.get("children[0].name"), None);
    assert!(!form.remove_row(&mut given, "children", 2) && form.remove_row(&mut given, "children", 1));
    assert!(!form.remove_row(&mut given, "children", 0), "one must stay");
}

#[test]
fn the_plan_has_pages_groups_rows_and_fields() {
    let form = form(&pages());
    let mut given = answers(&json!({"family": "yes", "children": [{"name": "甲"}, {"kind": "pupil"}]}));
    let mut plan = form.plan(&given, &facts(), Layout::Grouped);
    assert_eq!(plan.pages.len(), 3);
    let page = &plan.pages[1];
    let repeat = page.groups[0].repeat.as_ref().expect("a repeat group");
    assert_eq!((repeat.count, repeat.can_add, repeat.can_remove), (2, true, true));
    let headings: Vec<&str> =
        page.groups[0].rows.iter().filter_map(|row| row.title.as_ref()).map(|t| t.zh.as_str()).collect();
    assert_eq!(headings, ["1.", "2."]);
    let keys = |row: usize| -> Vec<&str> {
        page.fields[page.groups[0].rows[row].fields.clone()].iter().map(|f| f.key.as_str()).collect()
    };
    assert_eq!(keys(0), ["children[0].name", "children[0].kind", "children[0].told"]);
    assert_eq!(keys(1), ["children[1].name", "children[1].kind", "children[1].school", "children[1].told"]);
    assert_eq!(page.groups[1].rows[0].fields, 7..8);
    // A group without rows still stands on its page: there is a button to add one.
    assert_eq!((plan.pages[2].fields.len(), plan.pages[2].groups.len()), (0, 1));
    assert_eq!(
        (plan.page_of("pets"), plan.page_of("children[1].school"), plan.page_of("x")),
        (Some(2), Some(1), None)
    );
    let errors = form.validate_with(&given, &facts());
    plan.mark(&errors);
    let marked: Vec<&str> =
        plan.pages[1].fields.iter().filter(|f| f.error.is_some()).map(|f| f.key.as_str()).collect();
    assert_eq!(marked, ["children[1].name", "children[1].school"]);
    plan.mark(&[]);
    assert!(plan.pages.iter().flat_map(|p| &p.fields).all(|f| f.error.is_none()));
    given.set("children", json!([7]));
    plan.mark(&form.validate_with(&given, &facts()));
    let repeat = plan.pages[1].groups[0].repeat.as_ref().expect("a repeat group");
    assert_eq!(repeat.error, Some(FieldErrorKind::Shape));
    // One question a page: the row's heading goes along.
    let plan = form.plan(&answers(&json!({})), &facts(), Layout::OneQuestion);
    assert_eq!(drawn(&plan), ["family", "children[0].name", "children[0].kind", "children[0].told"]);
    assert!(plan.pages.iter().all(|page| page.fields.len() == 1 && page.groups.len() == 1));
    assert_eq!(plan.pages[1].groups[0].rows[0].title.as_ref().map(|t| t.zh.as_str()), Some("1."));
}

#[test]
fn a_path_has_the_label_of_its_field_or_group() {
    let spec = spec(&pages());
    let table = [
        ("family", Some("family")),
        ("children[1].school", Some("school")),
        ("children[1]", Some("children")),
        ("children", Some("children")),
        ("nobody", None),
        ("", None),
    ];
    for (path, label) in table {
        assert_eq!(spec.label(path).map(|text| text.zh.as_str()), label, "{path}");
    }
}

#[test]
fn repeat_groups_that_cannot_work_are_refused() {
    let one = |limits: (usize, usize), more: &Value, after: Option<Value>| {
        let fields = [field("a", "text", &json!({})), field("b", "text", more)];
        let mut groups = vec![rows("r", limits, &fields, &json!({}))];
        groups.extend(after.map(|field| json!({"fields": [field]})));
        refusal(&[json!({"title": text("t"), "groups": groups})])
    };
    let limits = "r: a repeat group has a field, `max` 1 to 50, and `min` up to `max`";
    assert_eq!(one((0, 2), &json!({}), None), "");
    assert_eq!(one((0, 0), &json!({}), None), limits);
    assert_eq!(one((0, 51), &json!({}), None), limits);
    assert_eq!(one((3, 2), &json!({}), None), limits);
    let outside = |rule: Value| one((0, 2), &json!({}), Some(field("z", "text", &json!({"show_if": rule}))));
    assert_eq!(outside(json!({"answered": "a"})), "z: its rule names `a`, which is no field before it");
    assert_eq!(outside(json!({"field": "r", "one_of": ["x"]})), "z: `r` cannot be used with `one_of`");
    assert_eq!(outside(json!({"answered": "r"})), "");
    let own = json!({"show_if": {"answered": "r"}});
    assert_eq!(one((0, 2), &own, None), "b: its rule names `r`, which is no field before it");
    assert_eq!(
        one((0, 2), &json!({}), Some(field("a", "text", &json!({})))),
        "a: the key stands twice in the pages"
    );
    let mut spec = spec(&[json!({"title": text("t"), "groups": [
        rows("r", (1, 2), &[field("a", "text", &json!({}))], &json!({}))]})]);
    assert!(Form::compile(&spec).is_ok());
    spec.schema["properties"]["r"]["maxItems"] = json!(9);
    let reason = Form::compile(&spec).expect_err("limits differ").to_string();
    assert!(reason.starts_with("r: the type must be `array`"), "{reason}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_of_any_shape_never_panic_and_stay_the_same_when_sent(
        children in prop_oneof![
            any_json(),
            prop::collection::vec(prop::collection::hash_map("name|kind|school|told|x", any_json(), 0..4), 0..5)
                .prop_map(|rows| rows.into_iter().map(|row| Value::Object(row.into_iter().collect())).collect()),
        ],
        family in prop::option::of("yes|no"),
    ) {
        let form = form(&pages());
        let mut given = answers(&json!({"children": children, "family": family}));
        let known = |errors: Vec<FieldError>| -> Vec<FieldError> {
            let own = |e: &FieldError| !matches!(e.kind, FieldErrorKind::UnknownField | FieldErrorKind::Computed);
            errors.into_iter().filter(own).collect()
        };
        let errors = form.validate_with(&given, &facts());
        let sent = form.effective(&given, &facts());
        prop_assert_eq!(form.effective(&sent, &facts()), sent.clone());
        if !errors.iter().any(|e| e.kind == FieldErrorKind::Computed) {
            prop_assert_eq!(known(form.validate_with(&sent, &facts())), known(errors));
        }
        form.prefill(&mut given, &facts());
        for layout in [Layout::Grouped, Layout::OneQuestion] {
            let plan = form.plan(&given, &facts(), layout);
            for page in &plan.pages {
                let ranged: usize = page.groups.iter().flat_map(|g| &g.rows).map(|row| row.fields.len()).sum();
                prop_assert_eq!(ranged, page.fields.len());
            }
        }
    }
}
