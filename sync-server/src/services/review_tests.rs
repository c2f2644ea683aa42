//! Who may do what: every deed by every role of every unit. What a deed does to a stored case, on both databases, is told
//! in the stories of `tests/it/database/review`.
use domain::bundle::StepKind;
use domain::case::{Action, Plan, PlannedStep, Recorded, fold};
use domain::ids::{CaseNo, CounterState, Issuer};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::auth::names::AccountId;
use crate::auth::role::Roles;
use crate::auth::token::Token;

fn step(id: &str, kind: StepKind) -> PlannedStep {
    PlannedStep::new(id, format!("unit-{id}").parse().expect("a unit"), kind)
}

/// A desk, a step a that asks unit-z, a step b that asked for a supplement before, a step c without history.
fn view() -> CaseView {
    let date = "2026-11-24".parse().expect("a date");
    let number = CaseNo::issue(Issuer::new(1).expect("in range"), CounterState { date, counter: 1 });
    let plan = Plan::new(vec![
        step("desk", StepKind::Accept),
        step("a", StepKind::Review),
        step("b", StepKind::Review),
        step("c", StepKind::Review),
        step("pay", StepKind::Pay),
    ])
    .expect("a plan");
    let wants = vec![Want { key: "phone".into(), flaw: domain::case::Flaw::Missing }];
    let text = None;
    let actions = [
        Action::Received { number, slip_number: None },
        Action::Submitted { plan },
        Action::Accepted { deemed: false },
        Action::Taken { step: "a".into(), holder: "A-0009".into() },
        Action::ConsultAsked { step: "a".into(), unit: "unit-z".parse().expect("a unit"), text },
        Action::SupplementAsked { step: "b".into(), wants, days: 5, text },
    ];
    let recorded = (1..).zip(actions).map(|(version, action)| Recorded { version, at_ms: 0, action });
    fold(&recorded.collect::<Vec<_>>()).expect("a case")
}

fn caller(unit: Option<&str>, roles: &[Role]) -> Caller {
    Caller {
        account: AccountId::at(1),
        display: String::new(),
        unit: unit.map(|unit| unit.parse().expect("a unit")),
        roles: Roles::of(roles),
        must_change: false,
        session: Token::new(&mut ChaCha20Rng::seed_from_u64(1)).key(),
        seen_at_ms: 0,
    }
}

const DESK: &[Role] = &[Role::Clerk, Role::Reviewer, Role::Leader];
const REVIEW: &[Role] = &[Role::Reviewer, Role::Leader];
const LEAD: &[Role] = &[Role::Leader];

/// Each deed with the roles of which one is needed, and the units that may do it.
fn deeds() -> Vec<(Deed, &'static [Role], &'static [&'static str])> {
    let on = |step: &str| step.to_owned();
    let unit: UnitId = "unit-c".parse().expect("a unit");
    let ask = |step: &str| Deed::AskSupplement { step: step.into(), wants: Vec::new(), days: 5 };
    let all: &[&str] = &["unit-desk", "unit-a", "unit-b", "unit-c", "unit-pay"];
    let note = |step: Option<&str>| Deed::Note { step: step.map(on), mentions: Vec::new() };
    vec![
        (Deed::Accept, DESK, &["unit-desk"]),
        (Deed::Decline, DESK, &["unit-desk"]),
        (Deed::Withdraw, DESK, &["unit-desk"]),
        (Deed::Terminate, LEAD, &["unit-desk"]),
        (Deed::Take { step: on("desk") }, DESK, &["unit-desk"]),
        (Deed::Release { step: on("desk") }, DESK, &["unit-desk"]),
        (ask("desk"), DESK, &["unit-desk"]),
        (Deed::Take { step: on("a") }, REVIEW, &["unit-a"]),
        (Deed::Release { step: on("a") }, REVIEW, &["unit-a"]),
        (Deed::Assign { step: on("a"), to: "A-0002".into() }, LEAD, &["unit-a"]),
        (Deed::Transfer { step: on("a"), unit: unit.clone() }, REVIEW, &["unit-a"]),
        (Deed::Recuse { step: on("a") }, REVIEW, &["unit-a"]),
        (Deed::Pass { step: on("a") }, REVIEW, &["unit-a"]),
        (Deed::Refuse { step: on("a"), basis: "0".into() }, REVIEW, &["unit-a"]),
        (Deed::Consult { step: on("a"), unit }, REVIEW, &["unit-a"]),
        // Whose opinion is asked answers, and not whoever asked.
        (Deed::Answer { step: on("a") }, REVIEW, &["unit-z"]),
        (Deed::Answer { step: on("c") }, REVIEW, &[]),
        // The first time a reviewer asks; the second time a leader does.
        (ask("c"), REVIEW, &["unit-c"]),
        (ask("b"), LEAD, &["unit-b"]),
        (note(None), DESK, all),
        (note(Some("b")), DESK, &["unit-b"]),
        (Deed::Pass { step: on("no such step") }, REVIEW, &[]),
        // What the citizen does is booked at the desk, or by whoever has accounts for it.
        (Deed::Take { step: on("pay") }, DESK, &["unit-desk", "unit-pay"]),
        (Deed::Pass { step: on("pay") }, DESK, &["unit-desk", "unit-pay"]),
        (
            Deed::Transfer { step: on("pay"), unit: "unit-a".parse().expect("a unit") },
            REVIEW,
            &["unit-desk", "unit-pay"],
        ),
    ]
}

#[test]
fn every_deed_has_its_roles_and_its_unit() {
    let view = view();
    let units = ["unit-desk", "unit-a", "unit-b", "unit-c", "unit-pay", "unit-z"].map(Some);
    let units: Vec<_> = units.into_iter().chain([None]).collect();
    let mut looked_at = 0;
    for (deed, roles, own) in deeds() {
        for role in Role::ALL {
            for unit in units.iter().copied() {
                let expected = match (roles.contains(role), unit.is_some_and(|unit| own.contains(&unit))) {
                    (false, _) => Some(ProblemCode::RoleNeeded),
                    (true, false) => Some(ProblemCode::UnitNeeded),
                    (true, true) => None,
                };
                let found = match may(&caller(unit, &[*role]), &view, &deed) {
                    Ok(()) => None,
                    Err(ServiceError::Refused { code, .. }) => Some(code),
                    Err(other) => panic!("{other}"),
                };
                assert_eq!(found, expected, "{deed:?} by {role:?} of {unit:?}");
                looked_at += 1;
            }
        }
        let nobody = may(&caller(Some("unit-a"), &[]), &view, &deed);
        assert!(matches!(nobody, Err(ServiceError::Refused { code: ProblemCode::RoleNeeded, .. })));
    }
    assert_eq!(looked_at, 25 * 9 * 7);
}

#[test]
fn a_case_without_a_desk_is_accepted_by_whoever_does_its_first_step() {
    let mut plan = view();
    plan.plan = Plan::new(vec![step("b", StepKind::Review), step("c", StepKind::Review)]).expect("a plan");
    assert_eq!(plan.accepting_unit().map(UnitId::as_str), Some("unit-b"));
    plan.plan = Plan::default();
    assert_eq!(plan.accepting_unit(), None, "nobody, where nothing is planned");
    let refused = may(&caller(Some("unit-b"), &[Role::Leader]), &plan, &Deed::Accept);
    assert!(matches!(refused, Err(ServiceError::Refused { code: ProblemCode::UnitNeeded, .. })));
}

#[test]
fn a_transferred_step_belongs_to_its_new_unit() {
    let mut view = view();
    let unit: UnitId = "unit-y".parse().expect("a unit");
    let action = Action::Transferred { step: "c".into(), unit, text: None };
    view.apply(&Recorded { version: view.version + 1, at_ms: 1, action }).expect("fits");
    let deed = Deed::Pass { step: "c".into() };
    assert!(may(&caller(Some("unit-y"), &[Role::Reviewer]), &view, &deed).is_ok());
    assert!(may(&caller(Some("unit-c"), &[Role::Leader]), &view, &deed).is_err());
}
