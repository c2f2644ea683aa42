//! Bills of a case: the clock stands for them, and each ends with what it was for.
use super::*;
use crate::case::Billed;

fn paid(step: &str, bill: &str) -> Action {
    Action::BillPaid { step: step.into(), bill: bill.into() }
}

fn lapsed(step: &str, bill: &str) -> Action {
    Action::BillLapsed { step: step.into(), bill: bill.into() }
}

fn state(view: &CaseView, bill: &str) -> Option<BilledState> {
    view.bills.iter().find(|b| b.bill == bill).map(|Billed { state, .. }| *state)
}

fn fits(view: &CaseView, action: Action) -> bool {
    view.clone().apply(&recorded(view.version + 1, action)).is_ok()
}

#[test]
fn the_clock_stands_from_the_bill_to_its_payment() {
    let view = after(single(), [Action::accepted(), billed("review", "b1")]);
    assert!(view.is_standing() && view.open_bill("review").is_some());
    assert!(!fits(&view, passed("review", "u1")), "what is to be paid for is not done before");
    assert!(!fits(&view, billed("review", "b2")) && !fits(&view, billed("none", "b2")));
    let view = after(single(), [Action::accepted(), billed("review", "b1"), paid("review", "b1")]);
    assert!(!view.is_standing() && view.pauses.len() == 1);
    assert_eq!(state(&view, "b1"), Some(BilledState::Paid));
    assert!(!fits(&view, paid("review", "b1")) && !fits(&view, billed("review", "b2")), "it is paid once");
    assert!(fits(&view, passed("review", "u1")));
}

#[test]
fn nothing_is_asked_for_before_acceptance() {
    assert!(!fits(&after(single(), []), billed("review", "b1")));
}

#[test]
fn a_bill_that_lapsed_lets_the_clock_go_on_and_another_one_be_made() {
    let view = after(single(), [Action::accepted(), billed("review", "b1"), lapsed("review", "b1")]);
    assert!(!view.is_standing() && !view.still_wants("b1"));
    assert!(!fits(&view, paid("review", "b1")), "late money goes back");
    assert!(fits(&view, billed("review", "b2")) && !fits(&view, billed("review", "b1")));
}

#[test]
fn a_step_by_which_the_citizen_pays_is_done_by_the_payment_also_a_late_one() {
    let before = || [Action::accepted(), passed("a", "u1"), passed("b", "u2"), billed("pay", "b1")];
    let view = after(bundle(), before().into_iter().chain([paid("pay", "b1")]));
    assert_eq!(view.step("pay").map(|step| step.state), Some(StepState::Passed));
    assert_eq!(view.step("issue").map(|step| step.state), Some(StepState::Ready));
    let late = after(bundle(), before().into_iter().chain([lapsed("pay", "b1")]));
    assert!(late.is_standing() && late.still_wants("b1"), "nothing goes on without the money");
    assert!(fits(&late, paid("pay", "b1")));
    let again = after(bundle(), before().into_iter().chain([lapsed("pay", "b1"), billed("pay", "b2")]));
    assert!(!again.still_wants("b1") && !fits(&again, paid("pay", "b1")), "another bill was made");
}

#[test]
fn what_does_not_happen_is_not_paid_for() {
    let open = || [Action::accepted(), billed("review", "b1")];
    let was_paid = || open().into_iter().chain([paid("review", "b1")]);
    for end in [refused("review", "u1"), completed(Outcome::Withdrawn), completed(Outcome::Terminated)] {
        let view = after(single(), open().into_iter().chain([end.clone()]));
        assert_eq!(state(&view, "b1"), Some(BilledState::Cancelled), "{end:?}");
        let view = after(single(), was_paid().chain([end.clone()]));
        assert_eq!(state(&view, "b1"), Some(BilledState::GivenBack), "{end:?}");
    }
    let view = after(single(), was_paid().chain([passed("review", "u1"), completed(Outcome::Granted)]));
    assert_eq!(state(&view, "b1"), Some(BilledState::Paid), "what happened is paid for");
    let before =
        [Action::accepted(), passed("a", "u1"), passed("b", "u2"), billed("pay", "b1"), paid("pay", "b1")];
    let view = after(bundle(), before.clone().into_iter().chain([refused("issue", "u1")]));
    assert_eq!(state(&view, "b1"), Some(BilledState::GivenBack));
    let view = after(bundle(), before.into_iter().chain([passed("issue", "u1")]));
    assert_eq!(state(&view, "b1"), Some(BilledState::Paid));
}

#[test]
fn a_step_that_is_done_again_is_paid_once() {
    let before =
        [Action::accepted(), passed("a", "u1"), passed("b", "u2"), billed("pay", "b1"), paid("pay", "b1")];
    let reopened = Action::Reopened { step: "b".into(), field: "f".into() };
    let view = after(bundle(), before.into_iter().chain([reopened]));
    assert_eq!(view.step("pay").map(|step| step.state), Some(StepState::Waiting));
    assert_eq!(state(&view, "b1"), Some(BilledState::Paid));
    let mut view = view;
    view.apply(&recorded(view.version + 1, passed("b", "u2"))).expect("passed again");
    assert_eq!(view.step("pay").map(|step| step.state), Some(StepState::Passed));
    assert_eq!(view.step("issue").map(|step| step.state), Some(StepState::Ready));
}
