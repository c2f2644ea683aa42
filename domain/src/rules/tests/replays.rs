//! What another version would have decided.
use proptest::prelude::*;

use super::*;

fn version(limit: i64, effect: &Value, extra: &[Value]) -> RuleSet {
    let mut rules = vec![
        rule("approve", &is("a"), &json!("approve")),
        rule("limit", &json!({"is": {"gt": [{"field": "n"}, {"value": limit}]}}), effect),
    ];
    rules.extend_from_slice(extra);
    set(&[fact("a", "bool"), fact("n", "int")], &rules)
}

fn cases() -> Vec<(String, Facts)> {
    (0..10).map(|n| (format!("case-{n}"), facts(&[("a", yes(n != 9)), ("n", number(n))]))).collect()
}

fn run(old: &RuleSet, new: &RuleSet) -> ReplayReport {
    let cases = cases();
    replay(old, new, cases.iter().map(|(case, facts)| (case.clone(), facts)))
}

#[test]
fn a_changed_limit_names_the_cases_and_the_rule() {
    let (old, new) = (version(5, &manual(), &[]), version(3, &manual(), &[]));
    let report = run(&old, &new);
    assert_eq!((report.cases, report.same, report.other_reasons, report.decided_otherwise()), (10, 8, 0, 2));
    let moved = Moved { from: OutcomeKind::Approve, to: OutcomeKind::Manual, cases: 2 };
    assert_eq!(report.moved, [moved]);
    let names: Vec<&str> = report.changed.iter().map(|changed| changed.case.as_str()).collect();
    assert_eq!(names, ["case-4", "case-5"]);
    let side = |truth, did| Some(RuleSide { effect: EffectKind::Manual, truth, did });
    let first = RuleDifference {
        rule: "limit".into(),
        before: side(Truth::False, Did::Nothing),
        after: side(Truth::True, Did::Objected),
    };
    assert!(report.changed.iter().all(|changed| changed.first.as_ref() == Some(&first)));
    assert_eq!((report.old, report.new, report.unnamed), (old.reference(), new.reference(), 0));
}

#[test]
fn a_new_rule_and_a_changed_effect_are_told() {
    let old = version(5, &manual(), &[]);
    let extra = rule("extra", &json!({"is": {"eq": [{"field": "n"}, {"value": 0}]}}), &manual());
    let report = run(&old, &version(5, &manual(), std::slice::from_ref(&extra)));
    let first = report.changed[0].first.clone().expect("a rule");
    assert_eq!((report.changed.len(), first.rule.as_str(), first.before), (1, "extra", None));
    // The other way round the rule is gone.
    let report = run(&version(5, &manual(), &[extra]), &old);
    let first = report.changed[0].first.clone().expect("a rule");
    assert_eq!((first.rule.as_str(), first.after), ("extra", None));
    // The same cases go to a person, now with the proposal to refuse.
    let report = run(&old, &version(5, &refusal(), &[]));
    let moved = Moved { from: OutcomeKind::Manual, to: OutcomeKind::ManualRefusalProposed, cases: 4 };
    assert_eq!((report.moved, report.changed[0].first.is_some()), (vec![moved], true));
}

#[test]
fn a_fact_that_was_never_recorded_is_not_asked_and_decides_nothing() {
    let old = version(5, &manual(), &[]);
    let new = set(
        &[fact("a", "bool"), fact("new", "bool")],
        &[rule("approve", &is("a"), &json!("approve")), rule("new", &is("new"), &manual())],
    );
    let report = run(&old, &new);
    let to_needs =
        report.moved.iter().filter(|m| m.to == OutcomeKind::NeedsFacts).map(|m| m.cases).sum::<u64>();
    assert_eq!(to_needs, 9);
}

#[test]
fn further_cases_are_counted() {
    let (old, new) = (version(5, &manual(), &[]), version(3, &manual(), &[]));
    let facts = facts(&[("a", yes(true)), ("n", number(4))]);
    let many = (0..MAX_NAMED_CASES + 3).map(|n| (n.to_string(), &facts));
    let report = replay(&old, &new, many);
    assert_eq!((report.changed.len(), report.unnamed), (MAX_NAMED_CASES, 3));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_decided_otherwise_has_a_first_rule(
        limits in (0..10_i64, 0..10_i64), kinds in (0..4_usize, 0..4_usize), known in any::<bool>(), n in 0..10_i64,
    ) {
        let effects = [json!("approve"), manual(), refusal(), json!({"need": {"facts": ["n"]}})];
        let (old, new) = (version(limits.0, &effects[kinds.0], &[]), version(limits.1, &effects[kinds.1], &[]));
        let n = if known { number(n) } else { Finding::Unknown(Why::SourceDown) };
        let facts = facts(&[("a", yes(true)), ("n", n)]);
        let report = replay(&old, &new, [("x".to_owned(), &facts)]);
        prop_assert_eq!(report.same + report.other_reasons + report.decided_otherwise(), report.cases);
        for changed in &report.changed {
            prop_assert_ne!(changed.from.kind(), changed.to.kind());
            prop_assert!(changed.first.is_some());
        }
        let still = replay(&old, &old, [("x".to_owned(), &facts)]);
        prop_assert_eq!((still.same, still.changed.len()), (1, 0));
    }
}
