//! The laws of three truths.
use super::*;

const ALL: [Truth; 3] = Truth::ALL;

/// The tables, written out.
#[test]
fn the_tables_are_those_of_strong_logic() {
    use Truth::{False as F, True as T, Unknown as U};
    let and = [[F, F, F], [F, U, U], [F, U, T]];
    let or = [[F, U, T], [U, U, T], [T, T, T]];
    for (a, one) in ALL.into_iter().enumerate() {
        assert_eq!(one.negated(), [T, U, F][a]);
        for (b, other) in ALL.into_iter().enumerate() {
            assert_eq!((one.and(other), one.or(other)), (and[a][b], or[a][b]), "{one:?} {other:?}");
        }
    }
}

#[test]
fn and_and_or_commute_associate_absorb_distribute_and_follow_de_morgan() {
    for a in ALL {
        assert_eq!((a.negated().negated(), a.and(a), a.or(a)), (a, a, a));
        assert_eq!((a.and(Truth::True), a.or(Truth::False)), (a, a));
        for b in ALL {
            assert_eq!((a.and(b), a.or(b)), (b.and(a), b.or(a)));
            assert_eq!((a.and(a.or(b)), a.or(a.and(b))), (a, a));
            assert_eq!(a.and(b).negated(), a.negated().or(b.negated()));
            assert_eq!(a.or(b).negated(), a.negated().and(b.negated()));
            for c in ALL {
                assert_eq!(a.and(b).and(c), a.and(b.and(c)));
                assert_eq!(a.or(b).or(c), a.or(b.or(c)));
                assert_eq!(a.and(b.or(c)), a.and(b).or(a.and(c)));
                assert_eq!(a.or(b.and(c)), a.or(b).and(a.or(c)));
            }
        }
    }
}

/// What two-valued logic has and this one must not have: otherwise something unknown would decide.
#[test]
fn what_is_unknown_is_not_settled_by_its_contrary() {
    let unknown = Truth::Unknown;
    assert_eq!(unknown.or(unknown.negated()), Truth::Unknown);
    assert_eq!(unknown.and(unknown.negated()), Truth::Unknown);
}

/// The one law that the engine rests on: knowing more turns nothing round.
#[test]
fn knowing_more_turns_no_truth_round() {
    let refines = |from: Truth, to: Truth| from == Truth::Unknown || from == to;
    for a in ALL {
        for b in ALL {
            for c in ALL.into_iter().filter(|c| refines(a, *c)) {
                assert!(refines(a.and(b), c.and(b)) && refines(a.or(b), c.or(b)));
                assert!(refines(a.negated(), c.negated()));
            }
        }
    }
}

#[test]
fn the_truths_of_expressions_are_three() {
    assert_eq!([Some(true), Some(false), None].map(Truth::of), [Truth::True, Truth::False, Truth::Unknown]);
}
