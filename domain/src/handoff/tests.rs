//! The way of a handoff, its two clocks, and whatever else might come: sound at every step.
use proptest::prelude::*;

use super::*;
use crate::catalogue::Calendar;
use crate::item::{Period, PeriodUnit};

const DAY_MS: i64 = 86_400_000;
/// Monday, 2026-11-23, 10:00 in China.
const MONDAY_MS: i64 = 1_795_399_200_000;

fn number() -> CaseNo {
    "XN26112400100013".parse().expect("a number")
}

/// A way from the counter to the archive, with one return.
fn whole_way() -> Vec<(Side, Step)> {
    use Side::{Accepting, Home};
    let send = |round| (Accepting, Step::Sent { round, form_version: 7 });
    vec![
        (Accepting, Step::Received { mode: Mode::HandIn }),
        (Accepting, Step::FormChecked),
        (Accepting, Step::IdentityChecked),
        send(1),
        (Home, Step::SignedFor),
        (Home, Step::Returned),
        (Accepting, Step::FormChecked),
        (Accepting, Step::IdentityChecked),
        send(2),
        (Home, Step::SignedFor),
        (Home, Step::Accepted { number: number() }),
        (Home, Step::Decided),
        (Home, Step::ResultSent { way: ResultWay::Mail }),
        (Accepting, Step::ResultReceived),
        (Accepting, Step::Archived),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Received { mode: Mode::HandIn }),
        4 => Just(Step::FormChecked),
        4 => Just(Step::IdentityChecked),
        6 => (1u16..5).prop_map(|round| Step::Sent { round, form_version: 3 }),
        4 => Just(Step::SignedFor),
        2 => Just(Step::Accepted { number: number() }),
        3 => Just(Step::Returned),
        1 => Just(Step::NotOurs),
        4 => Just(Step::Decided),
        4 => prop::sample::select(ResultWay::ALL).prop_map(|way| Step::ResultSent { way }),
        4 => Just(Step::ResultReceived),
        4 => Just(Step::Archived),
    ]
}

#[test]
fn the_whole_way_folds_and_pauses_while_the_person_is_asked() {
    let steps = whole_way();
    let timed = steps.iter().enumerate().map(|(at, (side, step))| (*side, step, at as i64 * 1_000));
    let handoff = Handoff::fold(timed).expect("a way");
    assert_eq!((handoff.state, handoff.version, handoff.round), (HandoffState::Archived, 15, 2));
    assert_eq!(handoff.pauses, [Pause { from_ms: 5_000, until_ms: Some(8_000) }]);
    assert_eq!((handoff.accepted_at_ms, handoff.decided_at_ms), (Some(10_000), Some(11_000)));
}

#[test]
fn nobody_takes_a_step_of_the_other_side_and_nothing_is_left_out() {
    let steps = whole_way();
    let mut handoff = Handoff::begin(Mode::HandIn, 0);
    for (at, (side, step)) in steps.iter().enumerate().skip(1) {
        let before = handoff.clone();
        if *step != Step::Archived {
            assert_eq!(handoff.take(side.other(), step, 9), Err(Refused), "{step:?}");
        }
        if let Some((side, later)) = steps.get(at + 1) {
            // The second sending differs by its round, so no later step fits early.
            assert!(!handoff.may(*side, later), "{later:?} at {:?}", handoff.state);
        }
        assert_eq!(handoff, before, "what is refused changes nothing");
        handoff.take(*side, step, 9).expect("follows");
    }
    assert!(Handoff::fold([(Side::Home, &Step::Received { mode: Mode::HandIn }, 0)]).is_err());
    assert!(Handoff::fold([(Side::Accepting, &Step::FormChecked, 0)]).is_err());
    assert!(Handoff::fold(std::iter::empty()).is_err());
}

#[test]
fn what_is_not_theirs_ends_it_at_once() {
    let mut handoff = Handoff::begin(Mode::HandIn, 0);
    for step in [Step::FormChecked, Step::IdentityChecked, Step::Sent { round: 1, form_version: 1 }] {
        handoff.take(Side::Accepting, &step, 1).expect("follows");
    }
    handoff.take(Side::Home, &Step::NotOurs, 2).expect("without signing for it");
    assert!(handoff.state.is_over() && !handoff.state.needs_content());
    assert!(!handoff.may(Side::Home, &Step::Accepted { number: number() }));
    assert!(handoff.may(Side::Accepting, &Step::Archived));
}

#[test]
fn what_nobody_goes_on_with_can_be_put_away_and_nothing_else() {
    let mut handoff = Handoff::begin(Mode::HandIn, 0);
    assert_eq!(handoff.take(Side::Accepting, &Step::Archived, ABANDONED_MS - 1), Err(Refused));
    handoff.take(Side::Accepting, &Step::Archived, ABANDONED_MS).expect("nobody went on");
    assert_eq!(handoff.state, HandoffState::Archived);
    let mut decided = Handoff::begin(Mode::HandIn, 0);
    for (side, step) in whole_way().into_iter().skip(1).take(11) {
        decided.take(side, &step, 1).expect("follows");
    }
    assert_eq!(decided.take(Side::Home, &Step::Archived, 9 * ABANDONED_MS), Err(Refused));
}

#[test]
fn the_legal_time_begins_where_the_transfer_ends() {
    let calendar = Calendar::default();
    let clocks = Clocks { transfer: TRANSFER, legal: Period { tenths: 50, unit: PeriodUnit::WorkingDay } };
    let mut handoff = Handoff::begin(Mode::HandIn, MONDAY_MS);
    let times = clocks.of(&handoff, MONDAY_MS, &calendar);
    assert_eq!((times.transfer.date.to_string().as_str(), times.legal), ("2026-11-24", None));
    assert!(!times.transferred);
    for (side, step) in whole_way().into_iter().skip(1).take(5) {
        handoff.take(side, &step, MONDAY_MS).expect("follows");
    }
    // Three days with the person: the transfer stands, and moves on by them.
    let standing = clocks.of(&handoff, MONDAY_MS + 3 * DAY_MS, &calendar);
    assert!(standing.transfer.standing && standing.transfer.date.to_string().as_str() > "2026-11-24");
    for (side, step) in whole_way().into_iter().skip(6).take(5) {
        handoff.take(side, &step, MONDAY_MS + 3 * DAY_MS).expect("follows");
    }
    let accepted = clocks.of(&handoff, MONDAY_MS + 4 * DAY_MS, &calendar);
    assert!(accepted.transferred);
    let legal = accepted.legal.expect("it runs");
    assert_eq!(legal.date.to_string(), "2026-12-03", "five working days after Thursday");
    let later = clocks.of(&handoff, MONDAY_MS + 30 * DAY_MS, &calendar);
    assert_eq!(later.transfer_permille, accepted.transfer_permille, "it counts no more");
    assert!(later.legal_permille > 1_000);
}

#[test]
fn names_lead_back() {
    for state in HandoffState::ALL {
        assert_eq!(HandoffState::from_name(state.as_str()), Some(*state));
        assert_eq!(serde_json::to_value(state).expect("JSON"), state.as_str());
    }
    for mode in Mode::ALL {
        assert_eq!((Mode::from_name(mode.as_str()), mode.hands_over()), (Some(*mode), *mode != Mode::Online));
    }
    assert!(Mode::of(CrossRegion::None).is_empty());
    for odd in ["", "63010", "6301000", "63010x", "030100", "六三零一零零"] {
        assert!(odd.parse::<Adcode>().is_err(), "{odd}");
    }
    assert!("630100".parse::<Adcode>().is_ok());
}

proptest! {
    #[test]
    fn whatever_comes_the_handoff_is_sound(
        steps in prop::collection::vec((any::<bool>(), any_step(), -5i64..50), 0..60)
    ) {
        let mut handoff = Handoff::begin(Mode::HandIn, 0);
        let mut taken = vec![(Side::Accepting, Step::Received { mode: Mode::HandIn }, 0)];
        for (home, step, at_ms) in steps {
            let side = if home { Side::Home } else { Side::Accepting };
            let before = handoff.clone();
            if handoff.take(side, &step, at_ms).is_err() {
                prop_assert_eq!(&handoff, &before);
                continue;
            }
            taken.push((side, step.clone(), at_ms));
            prop_assert!(step.is_of(side));
            prop_assert!(handoff.changed_at_ms >= before.changed_at_ms);
            prop_assert_eq!(handoff.version, before.version + 1);
            // What was accepted stays accepted, with its number; a decision needs it.
            prop_assert!(before.accepted_at_ms.is_none() || handoff.accepted_at_ms == before.accepted_at_ms);
            prop_assert!(handoff.decided_at_ms.is_none() || handoff.accepted_at_ms.is_some());
            prop_assert_eq!(handoff.accepted_at_ms.is_some(), handoff.number.is_some());
            prop_assert!(handoff.refused_at_ms.is_none() || handoff.accepted_at_ms.is_none());
            let open = handoff.pauses.iter().filter(|pause| pause.until_ms.is_none()).count();
            prop_assert!(open <= 1 && handoff.pauses.len() <= usize::from(handoff.round));
        }
        let again = Handoff::fold(taken.iter().map(|(side, step, at_ms)| (*side, step, *at_ms)));
        prop_assert_eq!(again, Ok(handoff));
    }
}
