//! What becomes of sealing keys, and what terminals hear of them, on a store in memory.
use super::*;
use crate::store::fresh_in_memory;

const NOW_MS: i64 = 1_795_500_000_000;

fn key(suite: Suite, byte: u8) -> SealingKey {
    SealingKey::from_secret(suite, [byte; 32]).expect("a key")
}

/// A ring whose keys are never lost.
fn memory() -> SealingRing {
    SealingRing::new(None, key(Suite::One, 1))
}

fn states(tx: &mut Tx<'_>) -> Vec<(Suite, KeyState)> {
    all(tx).expect("read").into_iter().map(|k| (k.suite, k.state)).collect()
}

#[test]
fn a_key_goes_its_way_and_terminals_hear_of_each_change() {
    let mut db = fresh_in_memory().expect("fresh");
    let mut tx = Tx::new(&mut db);
    assert_eq!(list_after(&mut tx, NOW_MS, 0, &memory()).expect("read"), None, "nothing is known yet");
    let first = key(Suite::One, 1);
    settle(&mut tx, NOW_MS, &first).expect("settled");
    settle(&mut tx, NOW_MS + 1, &key(Suite::One, 9)).expect("settled once");
    let begun = list_after(&mut tx, NOW_MS, 0, &memory()).expect("read").expect("a list");
    assert_eq!((begun.suite, begun.keys.len(), begun.is_consistent()), (Suite::One, 1, true));
    assert_eq!(list_after(&mut tx, NOW_MS, begun.number, &memory()).expect("read"), None);

    let (id, first_id) = (key(Suite::Two, 2).public().key_id(), first.public().key_id());
    assert!(matches!(choose_suite(&mut tx, NOW_MS, "a", Suite::Two), Err(KeyStepError::NoneInForce(2))));
    add(&mut tx, NOW_MS, "a", &key(Suite::Two, 2)).expect("added");
    assert_eq!(
        list_after(&mut tx, NOW_MS, begun.number, &memory()).expect("read"),
        None,
        "nothing is offered yet"
    );
    put_in_force(&mut tx, NOW_MS, "a", &id).expect("in force");
    choose_suite(&mut tx, NOW_MS, "a", Suite::Two).expect("chosen");
    let both = list_after(&mut tx, NOW_MS, begun.number, &memory()).expect("read").expect("a list");
    assert_eq!((both.suite, both.keys.len(), both.is_consistent()), (Suite::Two, 2, true));

    add(&mut tx, NOW_MS, "a", &key(Suite::Two, 3)).expect("added");
    put_in_force(&mut tx, NOW_MS, "a", &key(Suite::Two, 3).public().key_id()).expect("in force");
    let rotated = list_after(&mut tx, NOW_MS, both.number, &memory()).expect("read").expect("a list");
    let offered: Vec<_> = rotated.keys.iter().map(|k| k.id.clone()).collect();
    assert_eq!(offered, [first_id.clone(), key(Suite::Two, 3).public().key_id()]);
    assert!(matches!(put_in_force(&mut tx, NOW_MS, "a", &id), Err(KeyStepError::State { .. })), "never back");

    let day_89 = NOW_MS + 89 * DAY_MS;
    let destroyed =
        |tx: &mut Tx<'_>, at_ms, id: &KeyId, early| destroy(tx, at_ms, "a", (id, &first_id, early));
    assert!(matches!(destroyed(&mut tx, day_89, &id, false), Err(KeyStepError::TooEarly { days: 89, .. })));
    assert!(matches!(destroyed(&mut tx, NOW_MS, &first_id, true), Err(KeyStepError::First(_))));
    let in_force = key(Suite::Two, 3).public().key_id();
    assert!(matches!(destroyed(&mut tx, NOW_MS, &in_force, true), Err(KeyStepError::State { .. })));
    destroyed(&mut tx, day_89 + DAY_MS, &id, false).expect("after its time");
    destroyed(&mut tx, day_89 + DAY_MS, &id, false).expect("twice is once");
    let mut known = states(&mut tx);
    known.sort_by_key(|(suite, state)| (*suite, state.as_str()));
    let expected =
        [(Suite::One, KeyState::InForce), (Suite::Two, KeyState::Destroyed), (Suite::Two, KeyState::InForce)];
    assert_eq!(known, expected);
}
