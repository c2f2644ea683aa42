//! Fold by any sequence of actions: no mark is taken back, a refused action changes nothing, every case is sound.
use proptest::prelude::*;

use super::*;
use crate::case::{Billed, Mark, VisitKind};

const STEPS: [&str; 6] = ["desk", "a", "b", "pay", "issue", "none"];
const PEOPLE: [&str; 3] = ["u1", "u2", "centre"];

fn any_action() -> impl Strategy<Value = Action> {
    let step = || prop::sample::select(&STEPS[..]).prop_map(str::to_owned);
    let person = || prop::sample::select(&PEOPLE[..]).prop_map(str::to_owned);
    let returned = vec![ReturnReason { field: "phone".into(), kind: "phone".into() }];
    prop_oneof![
        1 => Just(received()),
        6 => any::<bool>().prop_map(|plain| Action::Submitted { plan: if plain { bundle() } else { varied() } }),
        1 => Just(Action::Returned { reasons: returned }),
        1 => Just(Action::Quarantined { reason: QuarantineReason::SeriesFork }),
        6 => any::<bool>().prop_map(|deemed| Action::Accepted { deemed }),
        6 => (step(), person()).prop_map(|(step, holder)| Action::Taken { step, holder }),
        2 => (step(), person()).prop_map(|(step, holder)| Action::Assigned { step, holder }),
        2 => step().prop_map(|step| Action::Released { step }),
        1 => (step(), person()).prop_map(|(step, holder)| Action::Recused { step, holder }),
        2 => (step(), step()).prop_map(|(step, to)| Action::Transferred { step, unit: unit(&to), text: None }),
        4 => (step(), 1u16..9).prop_map(|(step, days)| asked(&step, days)),
        4 => (0i64..99_000).prop_map(|due_ms| Action::SupplementSent { due_ms }),
        4 => Just(empty()),
        4 => Just(supplement()),
        2 => Just(Action::SupplementLapsed),
        2 => (step(), step()).prop_map(|(step, to)| Action::ConsultAsked { step, unit: unit(&to), text: None }),
        2 => step().prop_map(|step| Action::ConsultAnswered { step, text: None }),
        12 => (step(), person()).prop_map(|(step, by)| passed(&step, &by)),
        2 => (step(), person()).prop_map(|(step, by)| refused(&step, &by)),
        1 => step().prop_map(|step| Action::Skipped { step }),
        2 => step().prop_map(|step| Action::Reopened { step, field: "f".into() }),
        4 => (step(), 0u8..4).prop_map(|(step, n)| billed(&step, &n.to_string())),
        3 => (step(), 0u8..4).prop_map(|(step, n)| Action::BillPaid { step, bill: n.to_string() }),
        1 => (step(), 0u8..4).prop_map(|(step, n)| Action::BillLapsed { step, bill: n.to_string() }),
        1 => (step(), 0u8..4).prop_map(|(step, n)| Action::BillCancelled { step, bill: n.to_string(), text: None }),
        1 => any::<bool>().prop_map(|over| Action::Escalated { over }),
        1 => person().prop_map(|clerk| Action::Answerable { clerk, visit: VisitKind::Assisted }),
        1 => prop::option::of(prop::sample::select(&Outcome::ALL[..]))
            .prop_map(|outcome| Action::Completed { outcome, text: None }),
    ]
}

/// What holds of every case, whatever happened.
fn sound(view: &CaseView) -> Result<(), TestCaseError> {
    let open: Vec<_> = view.pauses.iter().filter(|pause| pause.until_ms.is_none()).collect();
    prop_assert!(open.len() <= 1 && (open.is_empty() || view.is_standing()), "only the last pause is open");
    let ends = |pause: &Pause| pause.until_ms.unwrap_or(i64::MAX);
    prop_assert!(
        view.pauses.windows(2).all(|two| ends(&two[0]) <= two[1].from_ms),
        "pauses follow each other"
    );
    prop_assert!(view.pauses.iter().all(|pause| pause.from_ms <= ends(pause)));
    for (step, planned) in view.steps.iter().zip(view.plan.steps()) {
        let before = planned.depends.iter().filter_map(|id| view.step(id));
        if !matches!(step.state, StepState::Waiting | StepState::Blocked | StepState::Skipped) {
            prop_assert!(
                before.clone().all(|step| step.state.lets_on() || stops_nothing(view, step)),
                "{} began too early: {view:?}",
                step.id
            );
        }
        prop_assert!(step.version <= view.version);
        prop_assert!(
            step.holder.iter().all(|holder| step.may(holder)),
            "{} is held by whoever may not",
            step.id
        );
        let waits = view.asked.iter().any(|asked| asked.step == step.id);
        prop_assert_eq!(step.state == StepState::Supplement, waits, "{} waits for a supplement", step.id);
    }
    for bill in &view.bills {
        let counts = |b: &&Billed| matches!(b.state, BilledState::Open | BilledState::Paid);
        let of_step = view.bills.iter().filter(|b| b.step == bill.step);
        prop_assert!(of_step.filter(counts).count() <= 1, "one bill of a step counts");
        let step = view.step(&bill.step);
        if bill.state == BilledState::Open {
            prop_assert!(
                view.state == CaseState::Accepted && view.is_standing(),
                "the clock stands while it waits"
            );
            prop_assert!(step.is_some_and(|step| step.state.is_open()), "nobody pays for what is over");
        }
    }
    if view.state == CaseState::Completed {
        prop_assert!(view.steps.iter().all(|step| !step.state.is_open()) && !view.is_standing());
    }
    if view.outcome == Some(Outcome::Granted) {
        prop_assert!(
            view.steps.iter().all(|step| step.state.lets_on()),
            "granted, and something was not done"
        );
    }
    if let Some(action) = view.to_reopen() {
        prop_assert!(!misfits(view, action), "what is to be done again can be");
    }
    Ok(())
}

/// A refused step whose refusal is its own.
fn stops_nothing(view: &CaseView, step: &StepView) -> bool {
    step.state == StepState::Refused && view.policy(&step.id) == FailPolicy::Alone
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn no_mark_is_taken_back_and_a_refused_action_changes_nothing(
        steps in proptest::collection::vec((any_action(), 0u64..8), 0..80)
    ) {
        let mut view = CaseView::begin(&recorded(1, received())).expect("begins");
        let mut kept = vec![recorded(1, received())];
        let mut mark = Mark::Delivered;
        for (action, skip) in steps {
            let before = view.clone();
            // Mostly the version that comes next.
            let next = recorded(view.version + 1 + u64::from(skip == 7), action);
            match view.apply(&next) {
                Ok(()) => {
                    prop_assert!(before.state == view.state || before.state.allows(view.state));
                    prop_assert_eq!(view.version, before.version + 1);
                    prop_assert!(view.state.mark() >= mark);
                    mark = view.state.mark();
                    kept.push(next);
                    sound(&view)?;
                }
                Err(_) => prop_assert_eq!(&view, &before),
            }
        }
        prop_assert_eq!(fold(&kept), Ok(view));
    }
}
