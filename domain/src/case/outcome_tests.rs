//! What follows from the steps: results under each policy, what a changed answer opens again, what a condition switches.
use serde_json::json;

use super::*;
use crate::case::{Plan, PlannedStep, Recorded};
use crate::catalogue::Catalogue;

fn step(id: &str, kind: StepKind, depends: &[&str]) -> PlannedStep {
    PlannedStep {
        depends: depends.iter().map(|d| (*d).to_owned()).collect(),
        ..PlannedStep::new(id, id.parse().expect("a unit"), kind)
    }
}

fn with_fail(fail: FailPolicy, step: PlannedStep) -> PlannedStep {
    PlannedStep { fail, ..step }
}

/// An accepted case of these steps behind a desk, after these actions.
fn case(steps: &[PlannedStep], actions: &[Action]) -> CaseView {
    let desk = [step("desk", StepKind::Accept, &[])];
    let plan = Plan::new(desk.iter().chain(steps).cloned().collect()).expect("a plan");
    let first = Action::Received { number: "XN26112400100013".parse().expect("a number"), slip_number: None };
    let mut view = CaseView::begin(&Recorded { version: 1, at_ms: 1, action: first }).expect("begins");
    for action in [Action::Submitted { plan }, Action::accepted()].iter().chain(actions) {
        apply(&mut view, action.clone());
    }
    view
}

fn apply(view: &mut CaseView, action: Action) {
    let next = Recorded { version: view.version + 1, at_ms: 1_000, action };
    if let Err(error) = view.apply(&next) {
        panic!("{:?}: {error}", next.action);
    }
}

fn passed(step: &str) -> Action {
    Action::Passed { step: step.into(), by: format!("u-{step}"), text: None }
}

fn refused(step: &str) -> Action {
    Action::Refused { step: step.into(), by: format!("u-{step}"), basis: "0".into(), text: None }
}

fn brought(keys: &[&str]) -> Action {
    let envelope = "01930000-0000-7000-8000-000000000000".parse().expect("an id");
    Action::supplement(envelope, keys)
}

fn state(view: &CaseView, id: &str) -> StepState {
    view.step(id).expect("the step").state
}

#[test]
fn a_refusal_that_stops_nothing_lets_on_and_counts_for_what_it_grants() {
    use FailPolicy::Alone;
    use StepKind::{Issue, Mail, Notify, Review, Share};
    let chain = |kind: StepKind| vec![with_fail(Alone, step("a", kind, &["desk"])), step("b", Issue, &["a"])];
    let table = [
        (Share, Outcome::Granted),
        (Mail, Outcome::Granted),
        (Notify, Outcome::Granted),
        (Review, Outcome::PartlyGranted),
        (Issue, Outcome::PartlyGranted),
    ];
    for (kind, outcome) in table {
        let mut view = case(&chain(kind), &[refused("a")]);
        assert_eq!((state(&view, "b"), view.outcome_of_steps()), (StepState::Ready, None), "{kind:?}");
        apply(&mut view, passed("b"));
        assert_eq!(view.outcome_of_steps(), Some(outcome), "{kind:?}");
    }
    let none = case(&chain(Review), &[refused("a"), refused("b")]);
    assert_eq!(none.outcome_of_steps(), Some(Outcome::Refused));
    let blocked = [
        with_fail(FailPolicy::Partial, step("a", Share, &["desk"])),
        with_fail(Alone, step("b", Share, &["a"])),
        step("c", Issue, &["b"]),
    ];
    let view = case(&blocked, &[refused("a")]);
    assert_eq!((state(&view, "b"), state(&view, "c")), (StepState::Blocked, StepState::Blocked));
    assert_eq!(view.outcome_of_steps(), Some(Outcome::Refused), "what was never done is missing");
}

#[test]
fn a_passed_check_grants_nothing_but_in_plans_of_before() {
    let steps = |by| {
        let check = PlannedStep { by, ..step("a", StepKind::Share, &["desk"]) };
        [check, step("b", StepKind::Issue, &["a"])]
    };
    let table = [(Some(crate::bundle::DoneBy::Department), Outcome::Refused), (None, Outcome::PartlyGranted)];
    for (by, outcome) in table {
        assert_eq!(
            case(&steps(by), &[passed("a"), refused("b")]).outcome_of_steps(),
            Some(outcome),
            "{by:?}"
        );
    }
}

#[test]
fn a_changed_field_reopens_who_decided_on_it_before_and_nobody_else() {
    use StepKind::{Issue, Review};
    use StepState::{Passed, Ready, Waiting};
    let by = |step: PlannedStep, key: &str| PlannedStep { reopened_by: [key.to_owned()].into(), ..step };
    let steps = [
        by(step("a", Review, &["desk"]), "price"),
        by(step("b", Review, &["desk"]), "price"),
        by(step("c", Review, &["desk"]), "plate"),
        step("d", Issue, &["a"]),
        step("e", Review, &["desk"]),
    ];
    let way = [passed("a"), passed("c"), passed("d")];
    let mut view = case(&steps, &way);
    assert_eq!(view.to_reopen(), None);
    apply(&mut view, brought(&["price"]));
    let reopened = Action::Reopened { step: "a".into(), field: "price".into() };
    assert_eq!(view.to_reopen(), Some(reopened.clone()));
    apply(&mut view, reopened);
    assert_eq!(view.to_reopen(), None, "b was open, c never saw it");
    let now: Vec<_> = ["a", "b", "c", "d"].map(|id| state(&view, id)).into();
    assert_eq!(now, [Ready, Ready, Passed, Waiting]);
    // What is decided after the change is decided on it.
    let after = [passed("a"), passed("b"), passed("d")];
    after.into_iter().for_each(|action| apply(&mut view, action));
    assert_eq!(view.to_reopen(), None);
    let refused = case(&steps, &[refused("a"), brought(&["price"])]);
    assert!(refused.to_reopen().is_some(), "a refusal is a decision too");
}

#[test]
fn a_level_that_was_passed_is_passed_again_on_the_new_answer() {
    let two = PlannedStep {
        levels: 2,
        reopened_by: ["price".to_owned()].into(),
        ..step("a", StepKind::Review, &["desk"])
    };
    let mut view = case(&[two, step("b", StepKind::Review, &["desk"])], &[passed("a")]);
    apply(&mut view, brought(&["price"]));
    let again = view.to_reopen().expect("one level decided");
    apply(&mut view, again);
    let step = view.step("a").expect("the step");
    assert!(step.passed_by.is_empty() && step.state == StepState::Ready && view.to_reopen().is_none());
}

#[test]
fn a_step_of_the_citizen_stops_the_clock_and_one_of_a_department_does_not() {
    use crate::bundle::DoneBy;
    let done = |by: DoneBy, kind: StepKind| {
        let step = PlannedStep { by: Some(by), ..step("a", kind, &["desk"]) };
        case(&[step, self::step("z", StepKind::Review, &["desk"])], &[])
    };
    let table = [
        (DoneBy::Applicant, StepKind::Pay, true, "desk"),
        (DoneBy::Post, StepKind::Mail, false, "desk"),
        (DoneBy::System, StepKind::Notify, false, "desk"),
        (DoneBy::Department, StepKind::Mail, false, "a"),
    ];
    for (by, kind, stands, inbox) in table {
        let view = done(by, kind);
        let step = view.step("a").expect("the step");
        assert_eq!((view.is_standing(), view.booking_unit(step).as_str()), (stands, inbox), "{by:?}");
    }
}

/// The bundle of the frozen catalogue, of which two steps depend on what was filled in.
fn conditional() -> Bundle {
    let json = include_str!("../../../tests/fixtures/catalogue-1.json");
    let catalogue = Catalogue::from_document(json).expect("the frozen catalogue is readable");
    let mut bundle = catalogue.bundles.into_values().next().expect("a bundle");
    let rule = |rule| serde_json::from_value(rule).expect("a rule");
    for step in &mut bundle.steps {
        step.when = match step.id.as_str() {
            "s3" => Some(rule(json!({"answered": "property_no"}))),
            "s4" => Some(rule(json!({"not": {"answered": "property_no"}}))),
            _ => None,
        };
    }
    bundle
}

#[test]
fn a_condition_that_turns_takes_an_open_step_away_and_brings_one_back() {
    use StepState::{Passed, Ready, Skipped};
    let bundle = conditional();
    let off = |step: PlannedStep| PlannedStep { off: true, ..step };
    let steps = [
        step("s3", StepKind::Review, &["desk"]),
        off(step("s4", StepKind::Review, &["desk"])),
        step("s5", StepKind::Review, &["desk"]),
    ];
    let view = case(&steps, &[]);
    assert_eq!((state(&view, "s3"), state(&view, "s4")), (Ready, Skipped));
    let changed = ["property_no".to_owned()];
    // As if nothing was filled in any more.
    let empty = |rule: &Expr| matches!(rule, Expr::Not(_));
    let actions = view.switched(&bundle, &changed, &empty);
    let expected = [
        Action::Skipped { step: "s3".into() },
        Action::Reopened { step: "s4".into(), field: "property_no".into() },
    ];
    assert_eq!(actions, expected);
    let mut turned = view.clone();
    actions.into_iter().for_each(|action| apply(&mut turned, action));
    assert_eq!((state(&turned, "s3"), state(&turned, "s4")), (Skipped, Ready));
    let back = turned.switched(&bundle, &changed, &|rule| !empty(rule));
    back.into_iter().for_each(|action| apply(&mut turned, action));
    assert_eq!((state(&turned, "s3"), state(&turned, "s4")), (Ready, Skipped), "and back again");

    assert!(view.switched(&bundle, &["phone".to_owned()], &empty).is_empty(), "it depends on something else");
    assert!(view.switched(&bundle, &[], &empty).is_empty());
    let done = case(&steps, &[passed("s3")]);
    assert_eq!(done.switched(&bundle, &changed, &empty).len(), 1, "what was decided stays");
    assert_eq!(state(&done, "s3"), Passed);
}

#[test]
fn it_is_decided_when_the_last_department_is_done_whatever_is_posted_later() {
    let steps = [
        step("a", StepKind::Review, &["desk"]),
        step("pay", StepKind::Pay, &["a"]),
        step("mail", StepKind::Mail, &["pay"]),
    ];
    let mut view = case(&steps, &[]);
    assert_eq!(view.decided_at_ms(), None, "nobody decided");
    let at = |view: &mut CaseView, at_ms, action| {
        view.apply(&Recorded { version: view.version + 1, at_ms, action }).expect("fits");
    };
    at(&mut view, 2_000, passed("a"));
    at(&mut view, 3_000, passed("pay"));
    assert_eq!(view.decided_at_ms(), Some(2_000), "paying decides nothing");
    at(&mut view, 9_000, passed("mail"));
    let granted = Action::Completed { outcome: Some(Outcome::Granted), text: None };
    at(&mut view, 9_000, granted);
    assert_eq!(view.decided_at_ms(), Some(2_000), "nor does posting");
    let mut taken_back = case(&steps, &[passed("a")]);
    apply(&mut taken_back, Action::Completed { outcome: Some(Outcome::Withdrawn), text: None });
    assert_eq!(taken_back.decided_at_ms(), None, "what is taken back was not decided on");
    let refused =
        case(&[with_fail(FailPolicy::All, step("a", StepKind::Review, &["desk"]))], &[refused("a")]);
    assert_eq!(refused.decided_at_ms(), Some(1_000));
}
