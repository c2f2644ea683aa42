//! Random rule sets over random facts, also such that the check would keep out: the engine is total, complete,
//! deterministic, and turns nothing round.
use proptest::prelude::*;

use super::*;

/// What is known, fact by fact.
type Found = Vec<(&'static str, Finding)>;

/// Base facts with their types; `e` is one of three texts.
const BASE: [(&str, &str); 9] = [
    ("a", "bool"),
    ("b", "bool"),
    ("c", "bool"),
    ("n", "int"),
    ("m", "int"),
    ("t", "text"),
    ("u", "text"),
    ("e", "text"),
    ("d", "date"),
];

fn declarations() -> Vec<Value> {
    let mut list: Vec<Value> = BASE.iter().map(|(id, kind)| fact(id, kind)).collect();
    for fact in list.iter_mut().filter(|fact| fact["id"] == "e") {
        fact["values"] = json!(["x", "y", "z"]);
    }
    for (id, kind, expr) in [
        ("age", "int", json!({"years": [{"field": "d"}, {"today": true}]})),
        ("sum", "int", json!({"sum": [{"field": "n"}, {"field": "m"}]})),
        ("more", "int", json!({"if": {"field": "a"}, "then": {"field": "sum"}, "else": {"field": "age"}})),
        ("flag", "bool", json!({"eq": [{"field": "t"}, {"field": "u"}]})),
    ] {
        list.push(json!({"id": id, "type": kind, "label": {"zh": "事实"}, "from": {"derived": expr}}));
    }
    list
}

fn number_name() -> impl Strategy<Value = Value> {
    prop_oneof![
        "n|m|age|sum|more".prop_map(|f| json!({"field": f})),
        (-3..3_i64).prop_map(|v| json!({"value": v}))
    ]
}

fn comparison() -> impl Strategy<Value = Value> {
    let text = || {
        prop_oneof!["t|u|e".prop_map(|f| json!({"field": f})), "[xyz]{0,2}".prop_map(|v| json!({"value": v}))]
    };
    prop_oneof![
        "a|b|c|flag".prop_map(|f| is(&f)),
        any::<bool>().prop_map(|truth| json!({"is": {"value": truth}})),
        ("eq|ne|lt|le|gt|ge", number_name(), number_name())
            .prop_map(|(op, a, b)| json!({"is": {op: [a, b]}})),
        ("eq|ne", text(), text()).prop_map(|(op, a, b)| json!({"is": {op: [a, b]}})),
        (text(), text()).prop_map(|(a, b)| json!({"contains": [a, b]})),
        Just(json!({"is": {"in": {"field": "e"}, "list": ["x", "y"]}})),
        Just(json!({"is": {"field": "n", "one_of": ["1", "2"]}})),
        Just(json!({"is": {"lt": [{"field": "d"}, {"today": true}]}})),
        (-20..20_i64).prop_map(
            |days| json!({"is": {"gt": [{"days": [{"field": "d"}, {"today": true}]}, {"value": days}]}})
        ),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    comparison().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| json!({"all": parts})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| json!({"any": parts})),
            inner.prop_map(|part| json!({"not": part})),
        ]
    })
}

fn effect() -> impl Strategy<Value = Value> {
    let facts = prop::collection::vec("a|b|n|e|d|age|sum|more|flag", 1..4);
    prop_oneof![
        3 => Just(json!("approve")),
        2 => Just(manual()),
        1 => Just(refusal()),
        1 => facts.prop_map(|facts| json!({"need": {"facts": facts}})),
    ]
}

fn rules() -> impl Strategy<Value = Vec<(Value, Value)>> {
    prop::collection::vec((condition(), effect()), 0..8)
}

fn rule_set(rules: &[(Value, Value)]) -> RuleSetFile {
    let rule = |(at, (when, then)): (usize, &(Value, Value))| rule(&format!("r{at}"), when, then);
    file(&declarations(), &rules.iter().enumerate().map(rule).collect::<Vec<_>>())
}

fn why() -> impl Strategy<Value = Why> {
    prop_oneof![Just(Why::NotAsked), Just(Why::SourceDown), Just(Why::NoConsent), Just(Why::TooOld)]
}

fn value(kind: &'static str, id: &'static str) -> BoxedStrategy<Finding> {
    let text = |pattern: &'static str| pattern.prop_map(|text| words(&text)).boxed();
    match (kind, id) {
        ("bool", _) => any::<bool>().prop_map(yes).boxed(),
        ("int", _) => prop_oneof![-3..3_i64, Just(i64::MAX), Just(i64::MIN)].prop_map(number).boxed(),
        (_, "e") => text("[xyz]"),
        ("text", _) => text("[xyz]{0,2}"),
        _ => (-30..9_000_i64)
            .prop_map(|days| Finding::Known(FactValue::Date(today().plus_days(-days))))
            .boxed(),
    }
}

/// Facts of any kind: fitting, of another type, or unknown.
fn any_finding(kind: &'static str, id: &'static str) -> BoxedStrategy<Finding> {
    prop_oneof![
        5 => value(kind, id),
        4 => why().prop_map(Finding::Unknown),
        1 => any::<bool>().prop_map(yes),
        1 => any::<i64>().prop_map(number),
        1 => "\\PC{0,8}".prop_map(|text| words(&text)),
    ]
    .boxed()
}

fn some_facts() -> impl Strategy<Value = Found> {
    BASE.map(|(id, kind)| any_finding(kind, id).prop_map(move |finding| (id, finding))).to_vec()
}

/// Facts, and more of the same: what was unknown may have become known.
fn growing_facts() -> impl Strategy<Value = (Found, Found)> {
    let one = |(id, kind): (&'static str, &'static str)| {
        (any_finding(kind, id), value(kind, id), any::<bool>()).prop_map(move |(before, later, learnt)| {
            let after = if learnt && before.why().is_some() { later } else { before.clone() };
            ((id, before), (id, after))
        })
    };
    BASE.map(one).to_vec().prop_map(|pairs| pairs.into_iter().unzip())
}

/// The truth of a trace by the tables alone, and whether it has the shape of its condition.
fn fits(condition: &Condition, trace: &ConditionTrace) -> bool {
    let parts = || trace.parts.iter().map(|part| part.truth);
    let truth = match condition.kind() {
        ConditionKind::All if parts().any(|t| t == Truth::False) => Truth::False,
        ConditionKind::Any if parts().any(|t| t == Truth::True) => Truth::True,
        ConditionKind::All | ConditionKind::Any if parts().any(|t| t == Truth::Unknown) => Truth::Unknown,
        ConditionKind::All => Truth::True,
        ConditionKind::Any => Truth::False,
        ConditionKind::Not => trace.parts[0].truth.negated(),
        ConditionKind::Is | ConditionKind::Contains => trace.truth,
    };
    trace.kind == condition.kind()
        && trace.truth == truth
        && trace.parts.len() == condition.parts().len()
        && condition.parts().iter().zip(&trace.parts).all(|(part, trace)| fits(part, trace))
}

fn reasons(outcome: &Outcome) -> Vec<Reason> {
    match outcome {
        Outcome::Manual { reasons } => reasons.clone(),
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_rule_and_every_condition_stands_in_the_trace_once(rules in rules(), list in some_facts()) {
        let set = RuleSet::unchecked(rule_set(&rules));
        let decision = set.decide(&facts(&list));
        prop_assert_eq!(decision.rules.len(), set.rules().len());
        prop_assert_eq!(decision.facts.len(), set.facts().len());
        for (rule, trace) in set.rules().iter().zip(&decision.rules) {
            prop_assert_eq!((&rule.id, rule.then.kind()), (&trace.rule, trace.effect));
            prop_assert_eq!(trace.truth, trace.condition.truth);
            prop_assert!(fits(&rule.when, &trace.condition), "{:?} {:?}", rule.when, trace.condition);
            prop_assert_eq!(rule.when.size(), trace.condition.size());
        }
    }

    #[test]
    fn the_same_gives_the_same_bytes(rules in rules(), list in some_facts()) {
        let set = RuleSet::unchecked(rule_set(&rules));
        let recorded = facts(&list);
        let decision = set.decide(&recorded);
        let read: Facts = serde_json::from_str(&serde_json::to_string(&recorded).expect("json")).expect("facts");
        let again = RuleSet::unchecked(serde_json::from_str(&set.to_json()).expect("a set"));
        let backwards: Vec<_> = list.into_iter().rev().collect();
        for other in [again.decide(&read), set.decide(&facts(&backwards))] {
            prop_assert_eq!(decision.to_json(), other.to_json());
            prop_assert_eq!(decision.digest(), other.digest());
        }
        prop_assert!(again.confirms(&decision, &read));
        prop_assert_eq!(serde_json::from_str::<Decision>(&decision.to_json()).expect("read back"), decision);
    }

    #[test]
    fn knowing_more_turns_no_decision_round(rules in rules(), (before, after) in growing_facts()) {
        let set = RuleSet::unchecked(rule_set(&rules));
        let (before, after) = (set.decide(&facts(&before)), set.decide(&facts(&after)));
        for (one, other) in before.rules.iter().zip(&after.rules) {
            prop_assert!(one.truth == Truth::Unknown || one.truth == other.truth, "{}", one.rule);
        }
        match (&before.outcome, &after.outcome) {
            (Outcome::NeedsFacts { .. }, _) | (Outcome::Approve { .. }, Outcome::Approve { .. }) => {}
            (Outcome::Manual { .. }, Outcome::Manual { .. }) => {
                let later = reasons(&after.outcome);
                for reason in reasons(&before.outcome) {
                    prop_assert!(later.contains(&reason), "{:?} is gone", reason);
                }
            }
            (before, after) => prop_assert!(false, "{:?} became {:?}", before, after),
        }
    }

    #[test]
    fn an_approval_has_a_ground_and_no_objection(rules in rules(), list in some_facts()) {
        let set = RuleSet::unchecked(rule_set(&rules));
        let decision = set.decide(&facts(&list));
        let known = |fact: &String| decision.facts.iter().any(|f| f.fact == *fact && f.state == SeenState::Known);
        match &decision.outcome {
            Outcome::Approve { by } => {
                prop_assert!(!by.is_empty());
                for (rule, trace) in set.rules().iter().zip(&decision.rules) {
                    match &rule.then {
                        Effect::Approve => prop_assert_eq!(by.contains(&rule.id), trace.truth == Truth::True),
                        Effect::Need { facts } => {
                            prop_assert!(trace.truth == Truth::False || facts.iter().all(known));
                        }
                        _ => prop_assert_eq!(trace.truth, Truth::False),
                    }
                }
            }
            Outcome::Manual { reasons } => prop_assert!(!reasons.is_empty()),
            Outcome::NeedsFacts { facts } => {
                prop_assert!(!facts.is_empty() && !facts.iter().any(|needed| known(&needed.fact)));
                prop_assert!(facts.iter().all(|needed| BASE.iter().any(|(id, _)| *id == needed.fact)));
            }
        }
    }

    #[test]
    fn a_checked_set_approves_nothing_of_which_nothing_is_known(rules in rules(), reason in why()) {
        if let Ok(set) = RuleSet::new(rule_set_of_used(&rules)) {
            let nothing: Vec<_> = BASE.iter().map(|(id, _)| (*id, Finding::Unknown(reason))).collect();
            prop_assert_ne!(set.decide(&facts(&nothing)).outcome.kind(), OutcomeKind::Approve);
            prop_assert!(RuleSet::parse(set.to_json().as_bytes()).is_ok());
        }
    }

    #[test]
    fn a_rule_that_is_told_to_never_hold_never_holds(rules in rules(), list in some_facts()) {
        let file = rule_set(&rules);
        let decision = RuleSet::unchecked(file.clone()).decide(&facts(&list));
        // Facts that no rule uses keep the reach from being looked at: they are taken away first.
        let Err(errors) = RuleSet::new(rule_set_of_used(&rules)) else { return Ok(()) };
        for error in errors {
            let truth = decision.rules.iter().find(|rule| error.at == format!("rules.{}", rule.rule));
            let Some(rule) = truth else { continue };
            match &error.flaw {
                Flaw::NeverHolds => prop_assert_ne!(rule.truth, Truth::True),
                Flaw::AlwaysHolds => prop_assert_eq!(rule.truth, Truth::True),
                Flaw::Shadowed(other) => {
                    let other = decision.rules.iter().find(|r| r.rule == *other).expect("the other rule");
                    // Perhaps nobody knows yet whether it objects: then nothing is approved either.
                    prop_assert!(rule.truth != Truth::True || other.truth != Truth::False);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn hostile_texts_are_told_and_never_panic(
        json in "\\{?(\"(all|any|not|is|contains|facts|rules)\":)?[\\[{]{0,40}(\"[a-z]{0,4}\"[:,]?|-?[0-9]{1,30}|[\\]}]){0,20}",
        cut in 0_usize..4_000,
    ) {
        prop_assert!(RuleSet::parse(json.as_bytes()).is_err());
        let good = include_bytes!("../../../../assets/rules/one.ent-open.json");
        let _ = RuleSet::parse(good.get(..cut).unwrap_or(good));
    }
}

/// The same rules, with only the facts that they use.
fn rule_set_of_used(rules: &[(Value, Value)]) -> RuleSetFile {
    let mut file = rule_set(rules);
    for _ in 0..declarations().len() {
        let used =
            serde_json::to_string(&(&file.rules, file.facts.iter().map(|f| &f.from).collect::<Vec<_>>()))
                .expect("json");
        let stands = |id: &str| {
            used.contains(&format!("{{\"field\":\"{id}\""))
                || file.rules.iter().any(|rule| match &rule.then {
                    Effect::Need { facts } => facts.iter().any(|fact| fact == id),
                    _ => false,
                })
        };
        let kept: Vec<Declaration> = file.facts.iter().filter(|fact| stands(&fact.id)).cloned().collect();
        file.facts = kept;
    }
    file
}
