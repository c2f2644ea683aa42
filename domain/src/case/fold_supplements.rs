//! Supplements of several departments: whose turn each ends, until when, and what was not decided on.
use super::*;

/// The step asks for this.
fn ask(step: &str, key: &str) -> Action {
    let wants = vec![Want { key: key.into(), flaw: Flaw::Missing }];
    Action::SupplementAsked { step: step.into(), wants, days: 5, text: None }
}

#[test]
fn a_supplement_answers_those_who_asked_for_what_is_in_it() {
    use StepState::{Ready, Supplement, Taken};
    let sent = || Action::SupplementSent { due_ms: 9_000 };
    let asked =
        [Action::accepted(), taken("a", "u1"), ask("a", "phone"), sent(), ask("b", "material.1"), sent()];
    let with = |more: &[Action]| after(bundle(), asked.iter().chain(more).cloned());
    let one = with(&[supplement()]);
    assert_eq!(states(&one)[1..3], [Taken, Supplement], "the other waits for what it asked for");
    assert!(one.is_standing() && one.supplement_due_ms == Some(9_000) && one.back_at_ms.is_some());
    let both = with(&[supplement(), supplement_of("material.1")]);
    assert_eq!(states(&both)[1..3], [Taken, Ready]);
    assert!(!both.is_standing() && both.supplement_due_ms.is_none());
    let other = with(&[supplement_of("never_asked")]);
    assert_eq!((states(&other)[1..3].to_vec(), other.back_at_ms), (vec![Supplement, Supplement], None));
    let envelope = "01930000-0000-7000-8000-000000000000".parse().expect("an id");
    let unfit = vec![ReturnReason { field: "material.1".into(), kind: "missing".into() }];
    let unfit = with(&[Action::SupplementReceived { envelope, keys: vec![], unfit }]);
    assert_eq!(states(&unfit)[1..3], [Supplement, Ready], "it came, whatever it is worth");
    let lapsed = with(&[Action::SupplementLapsed]);
    assert_eq!(states(&lapsed)[1..3], [Taken, Ready]);
}

#[test]
fn a_field_in_a_row_is_answered_with_the_rows_of_its_group() {
    use StepState::{Supplement, Taken};
    let asked = [Action::accepted(), taken("a", "u1"), ask("a", "children[2].name")];
    let sent = Action::SupplementSent { due_ms: 9_000 };
    let with = |key| after(bundle(), asked.iter().cloned().chain([sent.clone(), supplement_of(key)]));
    assert_eq!(states(&with("children"))[1], Taken);
    for other in ["name", "child", "children[2]", ""] {
        assert_eq!(states(&with(other))[1], Supplement, "{other}");
    }
}

#[test]
fn a_later_round_is_answered_by_what_it_asked_for_and_has_its_own_time() {
    use StepState::{Ready, Supplement, Taken};
    let sent = |due_ms| Action::SupplementSent { due_ms };
    let first = [Action::accepted(), taken("a", "u1"), ask("a", "phone"), sent(9_000), supplement()];
    let second = [ask("a", "material.1"), sent(60_000), ask("b", "phone"), sent(20_000)];
    let with = |more: &[Action]| after(bundle(), first.iter().chain(&second).chain(more).cloned());
    assert_eq!(with(&[]).supplement_due_ms, Some(60_000), "the longest");
    let b = with(&[supplement()]);
    assert_eq!(
        states(&b)[1..3],
        [Supplement, Ready],
        "the phone was asked of the first in a round of before"
    );
    let a = with(&[supplement_of("material.1")]);
    assert_eq!(states(&a)[1..3], [Taken, Supplement]);
    assert_eq!(a.supplement_due_ms, Some(20_000), "the time of the other is its own");
}

#[test]
fn nobody_acts_on_answers_that_changed_behind_the_page() {
    let before = after(bundle(), [Action::accepted(), taken("a", "u1")]);
    let came = after(bundle(), [Action::accepted(), taken("a", "u1"), supplement()]);
    let versions = |view: &CaseView| ["desk", "a", "b"].map(|id| view.step(id).map(|step| step.version));
    let (old, new) = (versions(&before), versions(&came));
    assert_eq!(new[0], old[0], "what was decided stays");
    assert_eq!((new[1], new[2]), (Some(came.version), Some(came.version)));
    let nothing = after(bundle(), [Action::accepted(), taken("a", "u1"), empty()]);
    assert_eq!(versions(&nothing), old);
}

#[test]
fn a_level_that_decided_on_an_answer_that_changed_while_its_step_waited_decides_again() {
    let sent = || Action::SupplementSent { due_ms: 9_000 };
    // The first level passed; the second asks for something else, and the other department for the phone.
    let before =
        [Action::accepted(), passed("a", "u1"), ask("a", "material.1"), sent(), ask("b", "phone"), sent()];
    let with = |more: &[Action]| after(varied(), before.iter().chain(more).cloned());
    let waits = with(&[supplement()]);
    assert_eq!(waits.step("a").map(|step| step.state), Some(StepState::Supplement));
    assert_eq!(waits.to_reopen(), None, "it waits for the citizen");
    let back = with(&[supplement(), supplement_of("material.1")]);
    let again = Action::Reopened { step: "a".into(), field: "phone".into() };
    assert_eq!(back.to_reopen(), Some(again.clone()), "its first level saw the old phone");
    let done = with(&[supplement(), supplement_of("material.1"), again]);
    assert_eq!((done.to_reopen(), done.step("a").map(|step| step.passed_by.len())), (None, Some(0)));
    let other = with(&[supplement_of("material.1")]);
    assert_eq!(other.to_reopen(), None, "nothing changed that it decided on");
}
