//! Fold by tables: what fits where, what follows by itself, how actions are stored.
#[path = "fold_bills.rs"]
mod bills;
#[path = "fold_properties.rs"]
mod properties;
#[path = "fold_supplements.rs"]
mod supplements;

use super::*;
use crate::case::{Flaw, QuarantineReason, ReturnReason};
use crate::envelope::Digest;
use crate::ids::{CaseNo, CounterState, Issuer, UnitId};

fn number() -> CaseNo {
    let date = "2026-11-24".parse().expect("a date");
    CaseNo::issue(Issuer::new(1).expect("in range"), CounterState { date, counter: 1 })
}

fn received() -> Action {
    Action::Received { number: number(), slip_number: None }
}

fn recorded(version: u64, action: Action) -> Recorded {
    Recorded { version, at_ms: 1_000 * version as i64, action }
}

fn unit(name: &str) -> UnitId {
    name.parse().expect("a unit")
}

fn step(id: &str, kind: StepKind, depends: &[&str]) -> PlannedStep {
    PlannedStep {
        depends: depends.iter().map(|d| (*d).to_owned()).collect(),
        ..PlannedStep::new(id, unit(id), kind)
    }
}

/// Desk, then two reviews side by side, then money, then the result.
fn bundle() -> Plan {
    Plan::new(vec![
        step("desk", StepKind::Accept, &[]),
        step("a", StepKind::Review, &["desk"]),
        step("b", StepKind::Review, &["desk"]),
        step("pay", StepKind::Pay, &["a", "b"]),
        step("issue", StepKind::Issue, &["pay"]),
    ])
    .expect("a plan")
}

/// The same with two levels at one review that a change of the phone reopens, another whose refusal stops nothing, and
/// a result that is not needed at first.
fn varied() -> Plan {
    let mut steps = bundle().steps().to_vec();
    for step in &mut steps {
        match step.id.as_str() {
            "a" => (step.levels, step.reopened_by) = (2, ["phone".to_owned()].into()),
            "b" => step.fail = FailPolicy::Alone,
            "issue" => step.off = true,
            _ => {}
        }
    }
    Plan::new(steps).expect("a plan")
}

fn single() -> Plan {
    Plan::new(vec![PlannedStep { fail: FailPolicy::All, ..step("review", StepKind::Review, &[]) }])
        .expect("a plan")
}

fn taken(step: &str, holder: &str) -> Action {
    Action::Taken { step: step.into(), holder: holder.into() }
}

fn passed(step: &str, by: &str) -> Action {
    Action::Passed { step: step.into(), by: by.into(), text: None }
}

fn refused(step: &str, by: &str) -> Action {
    Action::Refused { step: step.into(), by: by.into(), basis: "0".into(), text: None }
}

fn asked(step: &str, days: u16) -> Action {
    let wants = vec![Want { key: "phone".into(), flaw: Flaw::Missing }];
    Action::SupplementAsked { step: step.into(), wants, days, text: None }
}

fn supplement() -> Action {
    supplement_of("phone")
}

fn supplement_of(key: &str) -> Action {
    Action::supplement("01930000-0000-7000-8000-000000000000".parse().expect("an id"), &[key])
}

/// One that brought nothing that was asked for.
fn empty() -> Action {
    Action::supplement("01930000-0000-7000-8000-000000000000".parse().expect("an id"), &[])
}

fn billed(step: &str, bill: &str) -> Action {
    let fen = crate::money::Fen::new(1_000).expect("an amount");
    let (step, bill, basis) = (step.to_owned(), bill.to_owned(), "law".to_owned());
    Action::Billed { step, bill, fen, basis, due_ms: 99_000, text: None }
}

fn completed(outcome: Outcome) -> Action {
    Action::Completed { outcome: Some(outcome), text: None }
}

/// A case after these actions; each must fit.
fn after(plan: Plan, actions: impl IntoIterator<Item = Action>) -> CaseView {
    let mut view = CaseView::begin(&recorded(1, received())).expect("begins");
    for action in [Action::Submitted { plan }].into_iter().chain(actions) {
        let next = recorded(view.version + 1, action);
        if let Err(error) = view.apply(&next) {
            panic!("{:?}: {error}", next.action);
        }
    }
    view
}

fn misfits(view: &CaseView, action: Action) -> bool {
    let mut view = view.clone();
    let next = recorded(view.version + 1, action);
    matches!(view.apply(&next), Err(FoldError::Misfit { .. } | FoldError::Edge { .. }))
}

fn states(view: &CaseView) -> Vec<StepState> {
    view.steps.iter().map(|step| step.state).collect()
}

#[test]
fn the_straight_way_leads_to_completion() {
    let actions: Vec<_> = [received(), Action::submitted(), Action::accepted(), Action::completed()]
        .into_iter()
        .zip(1..)
        .map(|(a, v)| recorded(v, a))
        .collect();
    let view = fold(&actions).expect("a case of before there were plans");
    assert_eq!((view.state, view.version), (CaseState::Completed, 4));
    assert_eq!((view.received_at_ms, view.changed_at_ms), (1_000, 4_000));
}

#[test]
fn broken_histories_are_refused() {
    use FoldError::{Beginning, Edge, Empty, Version};
    let r = |v, a| recorded(v, a);
    let table = [
        (vec![], Empty),
        (vec![r(1, Action::submitted())], Beginning),
        (vec![r(2, received())], Version { expected: 1, found: 2 }),
        (vec![r(1, received()), r(2, received())], Beginning),
        (vec![r(1, received()), r(3, Action::submitted())], Version { expected: 2, found: 3 }),
        (
            vec![r(1, received()), r(2, Action::completed())],
            Edge { from: CaseState::Received, to: CaseState::Completed },
        ),
        (
            vec![r(1, received()), r(2, taken("review", "u1"))],
            FoldError::Misfit { action: "taken", state: CaseState::Received, step: None },
        ),
    ];
    for (actions, error) in table {
        assert_eq!(fold(&actions), Err(error));
    }
}

#[test]
fn an_item_is_accepted_taken_and_passed_by_its_department() {
    use StepState::{Passed, Ready, Taken};
    let fresh = after(single(), []);
    assert_eq!(states(&fresh), [Ready], "it waits for acceptance in its department");
    assert!(misfits(&fresh, passed("review", "u1")), "nobody decides what is not accepted");
    let accepted = after(single(), [taken("review", "u1"), Action::accepted()]);
    assert_eq!((states(&accepted), accepted.accepted_at_ms), (vec![Taken], Some(4_000)));
    assert!(misfits(&accepted, passed("review", "u2")), "somebody else has it");
    assert!(misfits(&accepted, completed(Outcome::Granted)), "something is left to be done");
    let done = after(single(), [taken("review", "u1"), Action::accepted(), passed("review", "u1")]);
    assert_eq!((states(&done), done.outcome_of_steps()), (vec![Passed], Some(Outcome::Granted)));
    assert!(misfits(&done, completed(Outcome::Refused)), "the outcome is what the steps say");
    assert!(misfits(&done, passed("review", "u1")), "twice is once");
}

#[test]
fn departments_work_side_by_side_and_the_rest_waits_for_them() {
    use StepState::{Passed, Ready, Waiting};
    let fresh = after(bundle(), []);
    assert_eq!(states(&fresh), [Ready, Waiting, Waiting, Waiting, Waiting]);
    let accepted = after(bundle(), [Action::accepted()]);
    assert_eq!(states(&accepted), [Passed, Ready, Ready, Waiting, Waiting]);
    let one = after(bundle(), [Action::accepted(), passed("a", "u1")]);
    assert_eq!(states(&one), [Passed, Passed, Ready, Waiting, Waiting]);
    assert_eq!(one.step("b").map(|s| s.version), Some(3), "b did not move: whoever saw it may act on it");
    let both = after(bundle(), [Action::accepted(), passed("a", "u1"), passed("b", "u2")]);
    assert_eq!(states(&both), [Passed, Passed, Passed, Ready, Waiting]);
    assert!(both.is_standing(), "the citizen has to pay");
    let all = [
        Action::accepted(),
        passed("a", "u1"),
        passed("b", "u2"),
        passed("pay", "centre"),
        passed("issue", "u1"),
    ];
    let all = after(bundle(), all);
    assert_eq!(all.pauses, [Pause { from_ms: 5_000, until_ms: Some(6_000) }]);
    assert_eq!(all.outcome_of_steps(), Some(Outcome::Granted));
}

#[test]
fn a_refusal_stops_what_comes_after_it_and_no_more_unless_the_policy_says_so() {
    use StepState::{Blocked, Passed, Ready, Refused};
    let partial = after(bundle(), [Action::accepted(), refused("a", "u1")]);
    assert_eq!(states(&partial), [Passed, Refused, Ready, Blocked, Blocked]);
    assert_eq!(partial.outcome_of_steps(), None, "b goes on");
    let table = [(passed("b", "u2"), Outcome::PartlyGranted), (refused("b", "u2"), Outcome::Refused)];
    for (last, outcome) in table {
        let view = after(bundle(), [Action::accepted(), refused("a", "u1"), last]);
        assert_eq!(view.outcome_of_steps(), Some(outcome));
        let ended = after(
            bundle(),
            [
                Action::accepted(),
                passed("a", "u1"),
                Action::Completed { outcome: Some(Outcome::Withdrawn), text: None },
            ],
        );
        assert!(ended.steps.iter().all(|step| !step.state.is_open()), "nothing is left in any inbox");
    }
    let strict =
        bundle().steps().iter().cloned().map(|s| PlannedStep { fail: FailPolicy::All, ..s }).collect();
    let strict = after(Plan::new(strict).expect("a plan"), [Action::accepted(), refused("a", "u1")]);
    assert_eq!(strict.outcome_of_steps(), Some(Outcome::Refused), "while b is open");
}

#[test]
fn supplements_of_two_departments_are_one_notice_and_stop_the_clock() {
    use StepState::{Ready, Supplement, Taken};
    let both = [Action::accepted(), taken("a", "u1"), asked("a", 5), asked("b", 10)];
    let view = after(bundle(), both.clone());
    assert!(!view.is_standing(), "the citizen was not told yet");
    assert_eq!(states(&view)[1..3], [Supplement, Supplement]);
    let sent = after(bundle(), both.clone().into_iter().chain([Action::SupplementSent { due_ms: 9_000 }]));
    assert!(sent.is_standing() && sent.supplement_due_ms == Some(9_000));
    assert!(misfits(&sent, Action::SupplementSent { due_ms: 1 }), "told once");
    assert!(misfits(&sent, passed("a", "u1")), "it waits for the citizen");
    let back = [Action::SupplementSent { due_ms: 9_000 }, supplement()];
    let back = after(bundle(), both.clone().into_iter().chain(back));
    assert_eq!(states(&back)[1..3], [Taken, Ready], "whoever had it has it again");
    assert_eq!(back.pauses, [Pause { from_ms: 7_000, until_ms: Some(8_000) }]);
    assert_eq!(back.step("a").map(|s| (s.rounds, s.lapsed)), Some((1, false)));
    let lapsed = [Action::SupplementSent { due_ms: 9_000 }, Action::SupplementLapsed, supplement()];
    let lapsed = after(bundle(), both.into_iter().chain(lapsed));
    assert_eq!(lapsed.step("b").map(|s| s.lapsed), Some(true), "what comes late is noted");
    assert!(misfits(&lapsed, Action::SupplementLapsed));
}

#[test]
fn it_is_told_once_that_time_runs_out() {
    let (soon, over) = (Action::Escalated { over: false }, Action::Escalated { over: true });
    assert!(misfits(&after(single(), []), soon.clone()), "no promise runs");
    let warned = after(single(), [Action::accepted(), soon.clone()]);
    assert!((warned.warned, warned.overdue) == (true, false) && misfits(&warned, soon.clone()));
    let late = after(single(), [Action::accepted(), soon.clone(), over.clone()]);
    assert!(late.overdue && misfits(&late, over.clone()));
    let away = after(single(), [Action::accepted(), over]);
    assert!(misfits(&away, soon), "what is over comes near no more");
    let moved = after(single(), [Action::accepted(), Action::DueMoved { from_ms: 1, to_ms: 2 }]);
    assert_eq!(moved.steps, after(single(), [Action::accepted()]).steps);
}

#[test]
fn the_end_of_the_citizens_turn_is_known() {
    let sent = Action::SupplementSent { due_ms: 9_000 };
    assert_eq!(after(single(), [supplement()]).back_at_ms, None, "nothing was asked for");
    for end in [supplement(), Action::SupplementLapsed] {
        let view = after(single(), [asked("review", 5), sent.clone(), end]);
        assert_eq!(view.back_at_ms, Some(5_000));
    }
}

#[test]
fn before_acceptance_the_citizen_can_be_asked_and_nothing_counts_as_accepted_meanwhile() {
    let view = after(single(), [asked("review", 5), Action::SupplementSent { due_ms: 9_000 }]);
    assert!(!view.is_standing(), "no clock runs");
    assert!(misfits(&view, Action::Accepted { deemed: true }));
    let view = after(single(), [asked("review", 5), Action::SupplementSent { due_ms: 9_000 }, supplement()]);
    assert_eq!(states(&view), [StepState::Ready]);
    let deemed = after(single(), [Action::Accepted { deemed: true }]);
    assert_eq!((deemed.accepted_at_ms, deemed.deemed), (Some(1_000), true), "since its receipt");
    let declined = after(single(), [completed(Outcome::Declined)]);
    assert_eq!(declined.outcome, Some(Outcome::Declined));
    assert!(misfits(&deemed, completed(Outcome::Declined)), "what is accepted is refused, not declined");
}

#[test]
fn a_note_changes_nothing_but_the_version() {
    let note = Action::Noted { step: None, text: Digest::of(b"sealed"), mentions: vec![] };
    let done = [Action::accepted(), passed("review", "u1"), completed(Outcome::Granted)];
    let before = after(single(), done.clone());
    let noted = after(single(), done.into_iter().chain([note]));
    assert_eq!(noted, CaseView { version: before.version + 1, ..before }, "it is kept no longer for a note");
}

#[test]
fn each_level_is_another_person_and_whoever_recused_does_nothing() {
    let levels = vec![PlannedStep { levels: 2, ..step("review", StepKind::Review, &[]) }];
    let plan = Plan::new(levels).expect("a plan");
    let first = after(plan.clone(), [Action::accepted(), passed("review", "u1")]);
    assert_eq!(states(&first), [StepState::Ready], "the second level");
    assert!(misfits(&first, passed("review", "u1")) && misfits(&first, taken("review", "u1")));
    let second = after(plan, [Action::accepted(), passed("review", "u1"), passed("review", "u2")]);
    assert_eq!(second.outcome_of_steps(), Some(Outcome::Granted));
    let recused = Action::Recused { step: "review".into(), holder: "u1".into() };
    let view = after(single(), [Action::accepted(), taken("review", "u1"), recused.clone()]);
    assert_eq!((states(&view), &view.steps[0].holder), (vec![StepState::Ready], &None));
    for action in [taken("review", "u1"), passed("review", "u1"), refused("review", "u1"), recused] {
        assert!(misfits(&view, action));
    }
}

#[test]
fn a_step_goes_to_another_unit_or_asks_one_and_comes_back() {
    let consult = |to: &str| Action::ConsultAsked { step: "a".into(), unit: unit(to), text: None };
    let answered = Action::ConsultAnswered { step: "a".into(), text: None };
    let view = after(bundle(), [Action::accepted(), taken("a", "u1"), consult("公安"), answered.clone()]);
    assert_eq!(view.step("a").map(|s| s.state), Some(StepState::Taken));
    assert!(misfits(&view, answered) && misfits(&view, consult("a")), "nobody asks the own unit");
    let away = Action::Transferred { step: "a".into(), unit: unit("公安"), text: None };
    let view = after(bundle(), [Action::accepted(), taken("a", "u1"), away.clone()]);
    assert_eq!(view.step("a").map(|s| (s.unit.as_str(), s.state)), Some(("公安", StepState::Ready)));
    assert!(misfits(&view, away), "it is there");
}

#[test]
fn a_changed_field_opens_a_step_again_with_all_that_comes_after_it() {
    use StepState::{Passed, Ready, Skipped, Waiting};
    let reopened = Action::Reopened { step: "a".into(), field: "address".into() };
    let way = [Action::accepted(), passed("a", "u1"), passed("b", "u2"), passed("pay", "centre")];
    let view = after(bundle(), way.into_iter().chain([reopened.clone()]));
    assert_eq!(states(&view), [Passed, Ready, Passed, Waiting, Waiting]);
    let view = after(bundle(), [Action::accepted(), passed("a", "u1"), Action::Skipped { step: "b".into() }]);
    assert_eq!(
        states(&view),
        [Passed, Passed, Skipped, Ready, Waiting],
        "what is not needed holds nothing up"
    );
    let needed = Action::Reopened { step: "b".into(), field: "address".into() };
    let way = [Action::accepted(), passed("a", "u1"), Action::Skipped { step: "b".into() }, needed.clone()];
    let view = after(bundle(), way);
    assert_eq!(states(&view), [Passed, Passed, Ready, Waiting, Waiting], "needed after all");
    assert!(misfits(&view, needed), "it is open");
}

#[test]
fn the_stored_form_of_an_action_is_fixed() {
    let digest = Digest::of(b"sealed");
    let table = [
        (Action::submitted(), r#"{"kind":"submitted"}"#.to_owned()),
        (Action::accepted(), r#"{"kind":"accepted"}"#.to_owned()),
        (Action::Accepted { deemed: true }, r#"{"kind":"accepted","deemed":true}"#.to_owned()),
        (Action::completed(), r#"{"kind":"completed"}"#.to_owned()),
        (completed(Outcome::PartlyGranted), r#"{"kind":"completed","outcome":"partly_granted"}"#.to_owned()),
        (
            Action::Submitted { plan: single() },
            r#"{"kind":"submitted","plan":[{"id":"review","unit":"review","kind":"review","fail":"all"}]}"#
                .to_owned(),
        ),
        (taken("a", "u1"), r#"{"kind":"taken","step":"a","holder":"u1"}"#.to_owned()),
        (
            asked("a", 5),
            r#"{"kind":"supplement_asked","step":"a","wants":[{"key":"phone","flaw":"missing"}],"days":5}"#
                .to_owned(),
        ),
        (
            Action::Noted { step: None, text: digest, mentions: vec![] },
            format!(r#"{{"kind":"noted","text":"{digest}"}}"#),
        ),
        (Action::SupplementLapsed, r#"{"kind":"supplement_lapsed"}"#.to_owned()),
        (
            Action::Quarantined { reason: QuarantineReason::SeriesFork },
            r#"{"kind":"quarantined","reason":"series_fork"}"#.to_owned(),
        ),
        (received(), format!(r#"{{"kind":"received","number":"{}"}}"#, number())),
    ];
    for (action, json) in table {
        assert_eq!(serde_json::to_string(&action).expect("json"), json);
        assert_eq!(serde_json::from_str::<Action>(&json).expect("read back"), action);
        let tag = format!(r#""kind":"{}""#, action.name());
        assert!(json.contains(&tag), "{json} has another name in tables");
    }
}

#[test]
fn every_name_reads_back() {
    for state in CaseState::ALL {
        assert_eq!(CaseState::from_name(state.as_str()), Some(state));
        assert_eq!(serde_json::to_string(&state).expect("json"), format!("\"{}\"", state.as_str()));
    }
    for state in StepState::ALL {
        assert_eq!(StepState::from_name(state.as_str()), Some(state));
    }
    for outcome in Outcome::ALL {
        assert_eq!(Outcome::from_name(outcome.as_str()), Some(outcome));
    }
    for flaw in Flaw::ALL {
        assert_eq!(Flaw::from_name(flaw.as_str()), Some(flaw));
    }
}
