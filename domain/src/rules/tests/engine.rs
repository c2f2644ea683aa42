//! Outcomes by tables, the trace, and what is never told.
use super::*;

fn kinds(set: &RuleSet, list: &[(&str, Finding)]) -> OutcomeKind {
    set.decide(&facts(list)).outcome.kind()
}

/// `a` approves, `m` sends to a person, `r` speaks for a refusal.
fn three() -> RuleSet {
    set(
        &[fact("a", "bool"), fact("m", "bool"), fact("r", "bool")],
        &[
            rule("approve", &is("a"), &json!("approve")),
            rule("manual", &is("m"), &manual()),
            rule("refuse", &is("r"), &refusal()),
        ],
    )
}

#[test]
fn the_outcome_follows_from_approvals_and_objections() {
    use OutcomeKind::{Approve, Manual, ManualRefusalProposed, NeedsFacts};
    let down = || Finding::Unknown(Why::SourceDown);
    let table = [
        (yes(true), yes(false), yes(false), Approve),
        (yes(false), yes(false), yes(false), Manual),
        (yes(true), yes(true), yes(false), Manual),
        (yes(true), yes(false), yes(true), ManualRefusalProposed),
        (yes(true), yes(true), yes(true), ManualRefusalProposed),
        (yes(true), down(), yes(false), NeedsFacts),
        (yes(true), yes(false), down(), NeedsFacts),
        (down(), yes(false), yes(false), NeedsFacts),
        // An objection is enough; nobody waits for the rest.
        (down(), yes(true), down(), Manual),
        // Nothing can approve any more.
        (yes(false), down(), down(), Manual),
        (down(), down(), down(), NeedsFacts),
    ];
    for (row, (a, m, r, outcome)) in table.into_iter().enumerate() {
        assert_eq!(kinds(&three(), &[("a", a), ("m", m), ("r", r)]), outcome, "row {row}");
    }
}

#[test]
fn a_source_that_is_down_has_not_said_no() {
    let set = set(
        &[fact("barred", "bool")],
        &[
            rule("approve", &json!({"not": is("barred")}), &json!("approve")),
            rule("barred", &is("barred"), &manual()),
        ],
    );
    for why in [Why::NotAsked, Why::SourceDown, Why::NoConsent, Why::TooOld, Why::Unusable] {
        let decision = set.decide(&facts(&[("barred", Finding::Unknown(why))]));
        let needed = vec![Needed { fact: "barred".to_owned(), why }];
        assert_eq!(decision.outcome, Outcome::NeedsFacts { facts: needed.clone() });
        let given_up = decision.outcome.without_waiting();
        assert_eq!(given_up, Outcome::Manual { reasons: vec![Reason::FactsMissing(needed)] });
    }
    assert_eq!(kinds(&set, &[("barred", yes(false))]), OutcomeKind::Approve);
}

#[test]
fn only_what_could_still_matter_is_asked_for() {
    let set = set(
        &[fact("a", "bool"), fact("b", "bool"), fact("c", "bool"), fact("d", "bool")],
        &[
            rule("approve", &is("a"), &json!("approve")),
            rule("m", &json!({"all": [is("b"), {"any": [is("c"), is("d")]}]}), &manual()),
        ],
    );
    let asked = |list: &[(&str, Finding)]| match set.decide(&facts(list)).outcome {
        Outcome::NeedsFacts { facts } => facts.into_iter().map(|n| n.fact).collect::<Vec<_>>(),
        other => vec![format!("{other:?}")],
    };
    assert_eq!(asked(&[("a", yes(true))]), ["b", "c", "d"]);
    assert_eq!(asked(&[("a", yes(true)), ("b", yes(true)), ("c", yes(false))]), ["d"]);
    assert_eq!(asked(&[("a", yes(true)), ("b", yes(true)), ("d", yes(false))]), ["c"]);
    assert_eq!(kinds(&set, &[("a", yes(true)), ("b", yes(false))]), OutcomeKind::Approve);
    // `c` stands where it no longer matters.
    let set = super::set(
        &[fact("a", "bool"), fact("b", "bool"), fact("c", "bool"), fact("d", "bool")],
        &[
            rule("approve", &is("a"), &json!("approve")),
            rule("m", &json!({"any": [{"all": [is("b"), is("c")]}, is("d")]}), &manual()),
        ],
    );
    let Outcome::NeedsFacts { facts } = set.decide(&facts(&[("a", yes(true)), ("b", yes(false))])).outcome
    else {
        unreachable!("it is not known whether `m` holds")
    };
    assert_eq!(facts.iter().map(|needed| needed.fact.as_str()).collect::<Vec<_>>(), ["d"]);
}

#[test]
fn a_needed_fact_must_be_known_and_may_be_anything() {
    let set = set(
        &[fact("a", "bool"), fact("big", "bool"), fact("proof", "bool")],
        &[
            rule("approve", &is("a"), &json!("approve")),
            rule("need", &is("big"), &json!({"need": {"facts": ["proof"]}})),
        ],
    );
    let down = || Finding::Unknown(Why::SourceDown);
    let table = [
        (yes(false), down(), OutcomeKind::Approve),
        (yes(true), down(), OutcomeKind::NeedsFacts),
        (yes(true), yes(false), OutcomeKind::Approve),
        (down(), yes(true), OutcomeKind::Approve),
        (down(), down(), OutcomeKind::NeedsFacts),
    ];
    for (big, proof, outcome) in table {
        assert_eq!(kinds(&set, &[("a", yes(true)), ("big", big), ("proof", proof)]), outcome);
    }
}

#[test]
fn what_nobody_can_ever_know_goes_to_a_person() {
    let sum = json!({"id": "sum", "type": "int", "label": {"zh": "和"}, "from": {
        "derived": {"sum": [{"field": "n"}, {"field": "n"}]}}});
    let set = set(
        &[fact("n", "int"), fact("a", "bool"), sum],
        &[
            rule("approve", &is("a"), &json!("approve")),
            rule("large", &json!({"is": {"gt": [{"field": "sum"}, {"value": 10}]}}), &manual()),
        ],
    );
    let outcome = |n: Finding| set.decide(&facts(&[("a", yes(true)), ("n", n)])).outcome;
    assert_eq!(outcome(number(5)).kind(), OutcomeKind::Approve);
    assert_eq!(outcome(number(6)), Outcome::Manual { reasons: vec![Reason::Rule("large".into())] });
    let undecidable = vec![Reason::Undecidable("large".into())];
    assert_eq!(outcome(number(i64::MAX)), Outcome::Manual { reasons: undecidable });
    let missing = outcome(Finding::Unknown(Why::SourceDown));
    let needed = vec![Needed { fact: "n".into(), why: Why::SourceDown }];
    assert_eq!(missing, Outcome::NeedsFacts { facts: needed });
}

#[test]
fn every_reason_is_told_in_the_order_of_the_rules() {
    let decision = three().decide(&facts(&[("a", yes(false)), ("m", yes(true)), ("r", yes(true))]));
    let reasons = vec![
        Reason::Rule("manual".into()),
        Reason::ProposesRefusal("refuse".into()),
        Reason::NothingApproves,
    ];
    assert_eq!(decision.outcome, Outcome::Manual { reasons });
}

#[test]
fn values_that_do_not_fit_are_unknown_and_never_false() {
    let from = json!({"form": {"field": "x"}});
    let listed =
        json!({"id": "a", "type": "text", "label": {"zh": "项"}, "from": from, "values": ["x", "y"]});
    let set = set(
        &[listed],
        &[rule("approve", &json!({"is": {"eq": [{"field": "a"}, {"value": "x"}]}}), &json!("approve"))],
    );
    let long = "长".repeat(crate::expr::MAX_TEXT_CHARS + 1);
    for nonsense in [yes(true), number(1), words("z"), words(""), words(&long)] {
        let decision = set.decide(&facts(&[("a", nonsense)]));
        assert_eq!(decision.facts[0].state, SeenState::Unknown(Why::Unusable));
        assert_eq!(decision.outcome.kind(), OutcomeKind::NeedsFacts);
    }
    assert_eq!(kinds(&set, &[("a", words("x"))]), OutcomeKind::Approve);
    assert_eq!(kinds(&set, &[("a", words("y"))]), OutcomeKind::Manual);
}

#[test]
fn a_text_is_contained_in_another() {
    let set = set(
        &[fact("t", "text"), fact("u", "text")],
        &[rule("approve", &json!({"contains": [{"field": "t"}, {"field": "u"}]}), &json!("approve"))],
    );
    let table = [
        ("经营烟草", "烟草", Truth::True),
        ("烟草", "经营烟草", Truth::False),
        ("烟草", "", Truth::False),
        ("", "", Truth::False),
        ("a", "A", Truth::False),
    ];
    for (t, u, truth) in table {
        let decision = set.decide(&facts(&[("t", words(t)), ("u", words(u))]));
        assert_eq!(decision.rules[0].truth, truth, "{t} {u}");
    }
    assert_eq!(set.decide(&facts(&[("t", words("x"))])).rules[0].truth, Truth::Unknown);
}

#[test]
fn neither_the_decision_nor_any_debug_text_holds_a_value() {
    let secret = "机密639900199005201035";
    let set = set(
        &[fact("t", "text")],
        &[rule("approve", &json!({"is": {"eq": [{"field": "t"}, {"value": "x"}]}}), &json!("approve"))],
    );
    let facts = facts(&[("t", words(secret))]);
    let (decision, values) = (set.decide(&facts), set.values(&facts));
    assert_eq!(values[0].finding.value().map(FactValue::reveal).as_deref(), Some(secret));
    for text in [decision.to_json(), format!("{decision:?} {values:?} {facts:?} {:?}", values[0].finding)] {
        assert!(!text.contains("机密") && !text.contains("6399"), "{text}");
    }
}

#[test]
fn a_stored_decision_is_verified_by_its_version_and_its_facts() {
    let known = |a: bool| facts(&[("a", yes(a)), ("m", yes(false)), ("r", yes(false))]);
    let decision = three().decide(&known(true));
    assert!(three().confirms(&decision, &known(true)));
    assert!(!three().confirms(&decision, &known(false)));
    let mut altered = decision.clone();
    altered.rules[1].truth = Truth::Unknown;
    assert!(!three().confirms(&altered, &known(true)));
    let mut newer = three().file().clone();
    newer.version = 2;
    assert!(!RuleSet::new(newer).expect("a set").confirms(&decision, &known(true)));
}

/// The bytes of a decision are stored; their shape is fixed.
#[test]
fn the_stored_form_of_a_decision_is_fixed() {
    let set = set(&[fact("a", "bool")], &[rule("approve", &is("a"), &json!("approve"))]);
    let decision = set.decide(&facts(&[("a", yes(true))]));
    let expected = format!(
        concat!(
            r#"{{"facts":[{{"fact":"a","state":"known"}}],"outcome":{{"by":["approve"],"is":"approve"}},"#,
            r#""rules":[{{"condition":{{"facts":["a"],"kind":"is","truth":"true"}},"did":"approved","#,
            r#""effect":"approve","rule":"approve","truth":"true"}}],"#,
            r#""set":{{"digest":"{}","entry":"one.ent-open","step":"s2","version":1}},"today":"2026-11-30"}}"#
        ),
        set.reference().digest
    );
    assert_eq!(decision.to_json(), expected);
    assert_eq!(serde_json::from_str::<Decision>(&expected).expect("read back"), decision);
}
