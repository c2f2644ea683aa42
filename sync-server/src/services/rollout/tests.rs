//! The rules as tables, and a rollout on a store as terminals and people move it.
use domain::catalogue::{AllTerminals, Ring, RingSize};
use domain::envelope::{DeviceKey, PublicKey};
use domain::ids::TerminalId;
use domain::wire::v1::{ActivationFailure, FailureKind, Heartbeat};
use proptest::prelude::*;

use super::*;

mod judged;

use crate::store::{Sqlite, StoreError, Tx, fresh_in_memory, in_transaction};

const NOW_MS: i64 = 1_795_500_000_000;
const MINUTE_MS: i64 = 60_000;

fn ring(id: &str, size: Option<u32>, success_percent: u8, failure_percent: u8) -> Ring {
    let size = size.map_or(RingSize::All(AllTerminals::All), RingSize::Terminals);
    let id = id.to_owned();
    Ring { id, size, success_percent, failure_percent, deadline_minutes: 30, watch_minutes: 0 }
}

fn rings() -> Vec<Ring> {
    vec![ring("first", Some(1), 100, 10), ring("ten", Some(10), 80, 30), ring("all", None, 95, 10)]
}

#[test]
fn every_step_has_its_states() {
    use State::{Done, Halted, Paused, RolledBack, Running};
    let at = |state, ring| Course { state, ring, ..Course::begin(rings(), NOW_MS) };
    let table = [
        (Step::NextRing, vec![(Running, 0)]),
        (Step::Finish, vec![(Running, 2)]),
        (Step::Pause, vec![(Running, 0), (Running, 2)]),
        (Step::Halt, vec![(Running, 0), (Running, 2), (Paused, 0), (Paused, 2)]),
        (Step::GoOn, vec![(Paused, 0), (Paused, 2), (Halted, 0), (Halted, 2)]),
        (
            Step::RollBack,
            [Running, Paused, Halted, Done].iter().flat_map(|s| [(*s, 0), (*s, 2)]).collect::<Vec<_>>(),
        ),
        (Step::Begin, vec![]),
    ];
    for (step, allowed) in table {
        for state in State::ALL {
            for ring in [0, 2] {
                let may = at(*state, ring).may(step, true);
                assert_eq!(may, allowed.contains(&(*state, ring)), "{step:?} {state:?} {ring}");
            }
        }
        assert!(step != Step::RollBack || !at(Halted, 0).may(step, false), "nothing to go back to");
    }
    assert_eq!(State::ALL.len() + Step::ALL.len() + Why::ALL.len(), 14);
    assert!(State::ALL.iter().all(|s| State::from_name(s.as_str()) == Some(*s)));
    assert_eq!(at(RolledBack, 0).after(Step::GoOn, NOW_MS).state, Running);
}

#[test]
fn who_goes_first_is_not_always_the_same_and_pilots_are() {
    let all: Vec<TerminalId> = (1..=49).map(|n| format!("T-{n:02}").parse().expect("id")).collect();
    let first = |version, pilots: &[TerminalId]| {
        let assigned = super::rings::assign(&rings(), version, all.clone(), pilots);
        let sizes = [0, 1, 2].map(|ring| assigned.iter().filter(|(_, r)| *r == ring).count());
        assert_eq!(sizes, [1, 9, 39]);
        assigned.into_iter().find(|(_, ring)| *ring == 0).expect("one").0
    };
    assert_eq!(first(7, &[]), first(7, &[]), "stable");
    let leaders: std::collections::BTreeSet<_> = (1..20).map(|version| first(version, &[])).collect();
    assert!(leaders.len() > 5, "{leaders:?}");
    assert_eq!(first(7, &[all[41].clone(), all[2].clone()]), all[41]);
}

/// A store with some terminals, and what they say.
struct Rig {
    db: Sqlite,
    terminals: Vec<TerminalId>,
    beats: u64,
}

impl Rig {
    fn new(count: u8) -> Self {
        let mut db = fresh_in_memory().expect("fresh");
        let terminals: Vec<TerminalId> =
            (1..=count).map(|n| format!("T-{n:02}").parse().expect("id")).collect();
        in_transaction(&mut db, |tx| {
            tx.execute(
                "INSERT INTO station (id, number, name, district, catalogue_version) VALUES ('S', 1, 's', 'd', 1)",
                &[],
            )?;
            for (n, id) in (1u8..).zip(&terminals) {
                let PublicKey(key) = DeviceKey::from_seed([n; 32]).public();
                tx.execute(
                    "INSERT INTO terminal (id, station, public_key, issuer, status, software, enrolled_at_ms)
                     VALUES ($1, 'S', $2, $3, 'active', '', 0)",
                    &[id.as_str().into(), key.0.into(), i64::from(n).into()],
                )?;
            }
            Ok::<_, StoreError>(())
        })
        .expect("terminals");
        Self { db, terminals, beats: 0 }
    }

    /// Version 2 runs everywhere, and the rollout of 3 with its way back 4 begins.
    fn rolling(count: u8, back_by_itself: bool) -> Self {
        let mut rig = Self::new(count);
        let begin = |version, way_back| Begin {
            version,
            way_back,
            rings: rings(),
            back_by_itself,
            pilots: Vec::new(),
        };
        assert!(rig.does(|tx| begin_(tx, &begin(2, None))).expect("the first goes to all"));
        assert_eq!(rig.latest().course.state, State::Done);
        assert!(rig.does(|tx| begin_(tx, &begin(3, Some(4)))).expect("begins"));
        assert!(!rig.does(|tx| begin_(tx, &begin(3, Some(4)))).expect("once"));
        rig
    }

    fn does<T>(&mut self, work: impl FnMut(&mut Tx<'_>) -> Result<T, StepError>) -> Result<T, StepError> {
        in_transaction(&mut self.db, work)
    }

    fn latest(&mut self) -> Rollout {
        self.does(|tx| Ok(latest(tx)?)).expect("read").expect("a rollout")
    }

    /// What each terminal is told to run.
    fn told(&mut self) -> Vec<u64> {
        let terminals = self.terminals.clone();
        let orders = terminals.iter().map(|id| {
            self.does(|tx| Ok(order_for(tx, id, (0, NOW_MS))?))
                .expect("read")
                .and_then(|o| o.run)
                .unwrap_or(0)
        });
        orders.collect()
    }

    fn ring(&mut self, ring: usize) -> Vec<TerminalId> {
        let id = self.latest().id;
        let rows = self.does(|tx| Ok(board::terminals(tx, id)?)).expect("read");
        rows.into_iter().filter(|row| row.ring == Some(ring)).map(|row| row.terminal).collect()
    }

    fn says(&mut self, terminal: &TerminalId, catalogue: u64, failed: &[(u64, u32)], at_ms: i64) -> Heard {
        self.beats += 1;
        let failures = failed.iter().map(|(version, tries)| ActivationFailure {
            version: *version,
            kind: FailureKind::NotUnderstood,
            tries: *tries,
        });
        let heartbeat = Heartbeat {
            terminal: terminal.clone(),
            number: self.beats,
            catalogue,
            failures: failures.collect(),
            order: 0,
            sealing_keys: 0,
            program: "0.1".to_owned(),
            queued: 0,
            oldest_ms: None,
            parked: 0,
            disk_free: None,
            disk_percent: None,
            aside: None,
            clock_offset_ms: None,
            devices: Vec::new(),
        };
        self.does(|tx| Ok(hear(tx, at_ms, &heartbeat)?)).expect("heard")
    }

    fn step(&mut self, step: Step) -> Result<(), StepError> {
        let seen = self.latest();
        let reason = Reason::typed("试一试").expect("a reason");
        self.does(|tx| take_step(tx, NOW_MS, ("A-0001", step), (seen.id, seen.changed_ms), &reason))
    }
}

fn begin_(tx: &mut Tx<'_>, what: &Begin) -> Result<bool, StepError> {
    begin(tx, NOW_MS, "operator", what)
}

#[test]
fn a_version_goes_from_one_to_ten_to_all() {
    let mut rig = Rig::rolling(12, false);
    let number = rig.does(|tx| Ok(number(tx)?)).expect("read");
    let news = |told: &[u64]| told.iter().filter(|v| **v == 3).count();
    assert_eq!(news(&rig.told()), 1);
    let first = rig.ring(0);
    assert_eq!(rig.says(&first[0], 3, &[], NOW_MS), Heard::New { moved: true });
    assert_eq!((rig.latest().course.ring, news(&rig.told())), (1, 10));
    assert!(rig.does(|tx| Ok(self::number(tx)?)).expect("read") > number, "everybody hears of it");
    for terminal in rig.ring(1).iter().take(8) {
        rig.says(terminal, 3, &[], NOW_MS);
    }
    assert_eq!((rig.latest().course.ring, news(&rig.told())), (2, 12), "8 of 9 are enough");
    for terminal in rig.ring(2) {
        rig.says(&terminal, 3, &[], NOW_MS);
    }
    assert_eq!(rig.latest().course.state, State::Done);
    assert_eq!(rig.latest().settled(), 3);
    // A newcomer runs what all run.
    let newcomer: TerminalId = "T-99".parse().expect("id");
    let order = rig.does(|tx| Ok(order_for(tx, &newcomer, (0, NOW_MS))?)).expect("read").expect("an order");
    assert_eq!(order.run, Some(3));
}

#[test]
fn failures_halt_it_and_whoever_was_told_goes_back() {
    let mut rig = Rig::rolling(12, false);
    let first = rig.ring(0);
    rig.says(&first[0], 3, &[], NOW_MS);
    let second = rig.ring(1);
    for terminal in second.iter().take(3) {
        rig.says(terminal, 2, &[(3, 1)], NOW_MS);
    }
    assert_eq!(rig.latest().course.state, State::Halted, "3 of 9");
    let told = rig.told();
    assert_eq!(told.iter().filter(|v| **v == 3).count(), 1, "whoever has it keeps it, nobody else takes it");
    // Those that had it on their way are heard later.
    rig.says(&second[3], 3, &[], NOW_MS);
    rig.step(Step::RollBack).expect("back");
    let told = rig.told();
    let at = |version| told.iter().filter(|v| **v == version).count();
    assert_eq!((at(4), at(2), at(3)), (10, 2, 0), "{told:?}");
    assert_eq!(rig.latest().settled(), 4);
    assert!(matches!(rig.step(Step::GoOn), Err(StepError::Changed)), "it is over");
}

#[test]
fn it_goes_back_by_itself_where_the_policy_says_so() {
    let mut rig = Rig::rolling(12, true);
    let first = rig.ring(0);
    rig.says(&first[0], 2, &[(3, 1)], NOW_MS);
    let rollout = rig.latest();
    assert_eq!(rollout.course.state, State::RolledBack);
    let steps = rig.does(|tx| Ok(board::steps(tx, rollout.id)?)).expect("read");
    let told: Vec<_> = steps.iter().map(|s| (s.step, s.actor.as_str(), s.reason.as_str())).collect();
    assert_eq!(
        told,
        [
            (Step::RollBack, "centre", "failures"),
            (Step::Halt, "centre", "failures"),
            (Step::Begin, "operator", "")
        ]
    );
}

#[test]
fn silence_is_a_failure_at_the_deadline_only() {
    let mut rig = Rig::rolling(12, false);
    let late = NOW_MS + 30 * MINUTE_MS;
    assert!(!rig.does(|tx| Ok(is_due(tx, late - 1)?)).expect("read"));
    assert!(!rig.does(|tx| Ok(advance(tx, late - 1)?)).expect("advanced"));
    assert!(rig.does(|tx| Ok(is_due(tx, late)?)).expect("read"));
    assert!(rig.does(|tx| Ok(advance(tx, late)?)).expect("advanced"));
    assert_eq!(rig.latest().course.state, State::Halted);
    // Whoever was cut off has it in the end.
    let first = rig.ring(0);
    rig.says(&first[0], 3, &[], late + 1);
    rig.step(Step::GoOn).expect("goes on");
    assert_eq!((rig.latest().course.state, rig.latest().course.ring), (State::Running, 1));
}

#[test]
fn after_a_halt_only_a_new_try_counts() {
    let mut rig = Rig::rolling(12, false);
    let first = rig.ring(0);
    rig.says(&first[0], 2, &[(3, 1)], NOW_MS);
    assert_eq!(rig.latest().course.state, State::Halted);
    rig.step(Step::GoOn).expect("goes on");
    rig.says(&first[0], 2, &[(3, 1)], NOW_MS);
    assert_eq!(rig.latest().course.state, State::Running, "it says what it said before");
    rig.says(&first[0], 2, &[(3, 2)], NOW_MS);
    assert_eq!(rig.latest().course.state, State::Halted);
}

#[test]
fn an_old_heartbeat_changes_nothing() {
    let mut rig = Rig::rolling(12, false);
    let first = rig.ring(0);
    rig.says(&first[0], 2, &[], NOW_MS);
    rig.beats = 0;
    assert_eq!(rig.says(&first[0], 3, &[], NOW_MS), Heard::Old);
    assert_eq!(rig.latest().course.ring, 0);
}

#[test]
fn two_people_cannot_both_take_a_step() {
    let mut rig = Rig::rolling(12, false);
    let seen = rig.latest();
    rig.step(Step::Pause).expect("the first");
    let reason = Reason::typed("x").expect("a reason");
    let late = rig.does(|tx| take_step(tx, NOW_MS, ("A-2", Step::Halt), (seen.id, seen.changed_ms), &reason));
    assert!(matches!(late, Err(StepError::Changed)), "{late:?}");
    let next = Begin { version: 9, way_back: None, rings: rings(), back_by_itself: false, pilots: vec![] };
    let refused = rig.does(|tx| begin_(tx, &next));
    assert!(matches!(refused, Err(StepError::UnderWay { version: 3 })), "{refused:?}");
    rig.step(Step::Halt).expect("halted");
    assert!(rig.does(|tx| begin_(tx, &next)).expect("a halted one may be overtaken"));
    assert_eq!(rig.latest().before, 2, "the halted version does not spread");
    assert!(matches!(rig.step(Step::RollBack), Err(StepError::NoWayBack { version: 9 })));
}

#[test]
fn without_rings_a_version_goes_to_all_at_once() {
    let mut rig = Rig::rolling(3, false);
    rig.step(Step::Halt).expect("halted");
    let restored = Begin { version: 9, way_back: None, rings: vec![], back_by_itself: false, pilots: vec![] };
    assert!(rig.does(|tx| begin_(tx, &restored)).expect("begun"));
    assert_eq!((rig.latest().course.state, rig.told()), (State::Done, vec![9, 9, 9]));
}

#[test]
fn a_reason_is_one_line() {
    for good in ["a", " 有字 ", &"字".repeat(200)] {
        assert!(Reason::typed(good).is_some(), "{good}");
    }
    for bad in ["", "  ", "a\nb", "\u{0}", &"字".repeat(201)] {
        assert!(Reason::typed(bad).is_none(), "{bad:?}");
    }
}

#[test]
fn a_withdrawn_item_is_told_to_all_at_once_and_given_back() {
    let mut rig = Rig::rolling(3, false);
    let item = "hrss.flex-enroll".parse().expect("code");
    let reason = Reason::typed("系统升级").expect("a reason");
    let mut try_ =
        |known| in_transaction(&mut rig.db, |tx| withdraw(tx, NOW_MS, "operator", (&item, known), &reason));
    assert!(matches!(try_(false), Err(WithdrawError::Unknown(_))));
    try_(true).expect("withdrawn");
    assert!(matches!(try_(true), Err(WithdrawError::Already(_))));
    let id = rig.terminals[0].clone();
    let order = rig.does(|tx| Ok(order_for(tx, &id, (0, NOW_MS))?)).expect("read").expect("an order");
    assert_eq!(order.withdrawn.len(), 1);
    let seen = order.number;
    assert!(rig.does(|tx| Ok(order_for(tx, &id, (seen, NOW_MS))?)).expect("read").is_none(), "it has it");
    in_transaction(&mut rig.db, |tx| restore(tx, NOW_MS, "operator", &item)).expect("restored");
    let order = rig.does(|tx| Ok(order_for(tx, &id, (seen, NOW_MS))?)).expect("read").expect("an order");
    assert!(order.withdrawn.is_empty() && order.number > seen);
    let again = in_transaction(&mut rig.db, |tx| restore(tx, NOW_MS, "operator", &item));
    assert!(matches!(again, Err(WithdrawError::Not(_))));
}

proptest! {
    /// Whatever terminals say and people do: never more terminals than the rings so far are told the new version, and
    /// whoever is told anything is told something that was signed.
    #[test]
    fn never_more_than_the_rings_so_far_are_told(
        moves in prop::collection::vec((0usize..12, 0u8..8, 0i64..40), 0..60), back in any::<bool>()
    ) {
        let mut rig = Rig::rolling(12, back);
        let (mut now_ms, mut tries) = (NOW_MS, 0);
        for (who, what, minutes) in moves {
            now_ms += minutes * MINUTE_MS;
            let terminal = rig.terminals[who].clone();
            let before = rig.latest().course;
            match what {
                0..=2 => { rig.says(&terminal, 3, &[], now_ms); }
                3 => { tries += 1; rig.says(&terminal, 2, &[(3, tries)], now_ms); }
                4 => { let _ = rig.step(Step::Pause); }
                5 => { let _ = rig.step(Step::GoOn); }
                6 => { let _ = rig.step(Step::Halt); }
                _ => { rig.does(|tx| Ok(advance(tx, now_ms)?)).expect("advanced"); }
            }
            let after = rig.latest().course;
            prop_assert!(after.ring >= before.ring, "rings are never taken back");
            let told = rig.told();
            let news = told.iter().filter(|v| **v == 3).count();
            let size = [1, 10, 12][after.ring];
            prop_assert!(news <= size, "{news} in ring {}", after.ring);
            prop_assert!(told.iter().all(|v| [2, 3, 4].contains(v)));
            let settled = matches!(after.state, State::Running | State::Paused | State::Done);
            prop_assert!(!settled || news == size, "{news} of {size} in {:?}", after.state);
        }
    }
}
