//! Who sees which answers of a case.
use domain::bundle::StepKind;
use domain::case::{Action, Flaw, Plan, PlannedStep, Recorded, Want, fold};
use domain::form::{Facts, Form};
use serde_json::json;

use super::*;
use crate::startup::load_catalogue;

const ITEM: &str = "hrss.flex-enroll";

fn catalogue() -> Catalogue {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/catalogue");
    load_catalogue(&folder).expect("the sample catalogue")
}

fn step(id: &str, unit: &str, item: Option<&str>) -> PlannedStep {
    let kind = if id == "desk" { StepKind::Accept } else { StepKind::Review };
    let item = item.map(|code| code.parse().expect("a code"));
    PlannedStep { item, ..PlannedStep::new(id, unit.parse().expect("a unit"), kind) }
}

/// Who sees what of a bundle of the sample, with all its steps.
fn of_bundle(code: &str) -> CaseView {
    let catalogue = catalogue();
    let entry = catalogue.entry(&code.parse().expect("a code")).expect("the bundle");
    of_plan(Plan::of(&catalogue, entry, &Default::default(), &|_| true).expect("a plan"))
}

fn of_plan(plan: Plan) -> CaseView {
    let number = "XN26112400100013".parse().expect("a number");
    let begin =
        [Action::Received { number, slip_number: None }, Action::Submitted { plan }, Action::accepted()];
    let actions = (1..).zip(begin).map(|(version, action)| Recorded { version, at_ms: 1, action });
    fold(&actions.collect::<Vec<_>>()).expect("a case")
}

fn view(more: &[Action]) -> CaseView {
    let plan = Plan::new(vec![
        step("desk", "大厅", None),
        step("a", "人社", Some(ITEM)),
        step("b", "医保", Some("no.such-item")),
        step("c", "税务", None),
    ]);
    let number = "XN26112400100013".parse().expect("a number");
    let begin = [
        Action::Received { number, slip_number: None },
        Action::Submitted { plan: plan.expect("a plan") },
        Action::accepted(),
    ];
    let actions: Vec<_> = begin
        .iter()
        .chain(more)
        .zip(1..)
        .map(|(action, version)| Recorded { version, at_ms: 1, action: action.clone() })
        .collect();
    fold(&actions).expect("a case")
}

fn seen_by(view: &CaseView, unit: &str) -> Option<Scope> {
    scope(view, &unit.parse().expect("a unit"), Some(&catalogue()))
}

#[test]
fn what_a_step_asked_for_is_seen_by_its_unit_and_by_no_other_for_that() {
    let asks = |step: &str, keys: &[&str]| {
        let want = |key: &&str| Want { key: (*key).to_owned(), flaw: Flaw::Missing };
        let wants = keys.iter().map(want).collect();
        Action::SupplementAsked { step: step.to_owned(), wants, days: 5, text: None }
    };
    let taken = |step: &str, holder: &str| Action::Taken { step: step.to_owned(), holder: holder.to_owned() };
    let view = view(&[taken("a", "u1"), asks("a", &["job_desc", "material.2"])]);
    let Some(Scope::Keys(keys)) = seen_by(&view, "人社") else { panic!("some keys") };
    assert!(keys.contains("job_desc") && keys.contains("material.2"), "{keys:?}");
    assert_eq!(seen_by(&view, "医保"), Some(Scope::Keys(BTreeSet::new())), "they asked for nothing");
}

#[test]
fn a_step_of_an_item_needs_what_the_form_of_the_item_asks() {
    let view = view(&[]);
    let Some(Scope::Keys(keys)) = seen_by(&view, "人社") else { panic!("some keys") };
    assert!(keys.contains("phone") && keys.contains("base_level") && !keys.contains("job_desc"), "{keys:?}");
    assert_eq!(seen_by(&view, "医保"), Some(Scope::Keys(BTreeSet::new())), "nothing is known of its item");
    assert_eq!([seen_by(&view, "大厅"), seen_by(&view, "税务")], [Some(Scope::All), Some(Scope::All)]);
    assert_eq!(seen_by(&view, "公安"), None);
}

#[test]
fn each_department_of_a_bundle_sees_the_fields_and_materials_of_its_own_steps() {
    let view = of_bundle("one.realestate");
    let keys = |unit: &str| match seen_by(&view, unit) {
        Some(Scope::Keys(keys)) => keys,
        other => panic!("{unit}: {other:?}"),
    };
    let expected = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
    // 住建 checks the deal and hears nothing of the spouse; material 3 is the contract.
    assert_eq!(keys("住建"), expected(&["property_no", "property_addr", "deal_price", "material.3"]));
    assert_eq!(keys("邮政"), expected(&["phone", "receive_way", "mail_addr"]));
    assert!(keys("税务").contains("material.2") && !keys("税务").contains("phone"), "married or not");
    assert_eq!(keys("申请人"), BTreeSet::new());
    assert_eq!(seen_by(&view, "政务服务中心(综合受理)"), Some(Scope::All), "it accepts the whole");
    assert_eq!(seen_by(&view, "公安"), None);
}

#[test]
fn a_step_that_is_not_needed_gives_its_unit_no_part() {
    let off = PlannedStep { off: true, ..step("b", "医保", None) };
    let plan = Plan::new(vec![step("desk", "大厅", None), step("a", "人社", None), off]);
    let view = of_plan(plan.expect("a plan"));
    assert_eq!((seen_by(&view, "医保"), seen_by(&view, "人社")), (None, Some(Scope::All)));
}

#[test]
fn whoever_is_asked_sees_what_the_step_sees_and_no_longer_than_it_is_asked() {
    let taken = Action::Taken { step: "a".into(), holder: "A-0001".into() };
    let unit: UnitId = "公安".parse().expect("a unit");
    let asked = Action::ConsultAsked { step: "a".into(), unit: unit.clone(), text: None };
    let view_asked = view(&[taken.clone(), asked.clone()]);
    assert_eq!(seen_by(&view_asked, "公安"), seen_by(&view_asked, "人社"));
    assert!(seen_by(&view_asked, "公安").is_some());
    let answered = view(&[taken, asked, Action::ConsultAnswered { step: "a".into(), text: None }]);
    assert_eq!(seen_by(&answered, "公安"), None);
    // Whoever gave the step away has no part any more.
    let moved = view(&[Action::Transferred { step: "a".into(), unit, text: None }]);
    assert_eq!((seen_by(&moved, "人社"), seen_by(&moved, "公安").is_some()), (None, true));
}

#[test]
fn what_lies_outside_is_counted_and_left_out() {
    let catalogue = catalogue();
    let bundle = catalogue.bundles.get(&"one.flexwork".parse().expect("a code")).expect("the bundle");
    let form = Form::compile(&bundle.form).expect("a form");
    let mut answers = Answers::default();
    answers.set("phone", json!("13000000017"));
    answers.set("bank_card", json!("6200000000000005"));
    let plan = || form.plan(&answers, &Facts::on("2026-11-24".parse().expect("a day")), Layout::Grouped);
    let (all, none) = visible(plan(), &Scope::All);
    let count = |pages: &[ContentPage]| -> usize {
        pages.iter().flat_map(|page| &page.groups).map(|group| group.fields.len()).sum()
    };
    assert_eq!(none, 0);
    let phone = Scope::Keys(BTreeSet::from(["phone".to_owned()]));
    let (some, hidden) = visible(plan(), &phone);
    assert_eq!((count(&some), count(&some) + hidden), (1, count(&all)));
    assert_eq!(some.len(), 1, "a page of which nothing is left is not shown");
}

#[test]
fn keys_of_rows_count_for_all_their_fields() {
    let rows = Scope::Keys(BTreeSet::from(["children".to_owned()]));
    let field = Scope::Keys(BTreeSet::from(["name".to_owned()]));
    assert!(rows.has("children[2].name") && field.has("children[2].name") && field.has("name"));
    assert!(!rows.has("name") && !field.has("names") && !field.has("children"));
}
