//! What readers show, step by step, and what is told of it.
use super::ReaderStatus::{Card, Empty, NoReader, OutOfOrder, ServiceOff};
use super::*;

/// What the readers show: name, whether a card lies there, and how often that changed.
type Shown<'a> = &'a [(&'a str, bool, u32)];

/// What the readers show, what is told then, and whose card is served.
type Step<'a> = (Shown<'a>, &'a [ReaderStatus], Option<&'a str>);

fn slots(shown: Shown<'_>) -> Vec<Slot> {
    shown
        .iter()
        .map(|(name, card, changes)| Slot {
            name: (*name).into(),
            card: *card,
            changes: *changes,
            garbage: false,
        })
        .collect()
}

#[test]
fn what_the_readers_show_becomes_events() {
    let mut presence = Presence::default();
    let steps: &[Step] = &[
        (&[], &[NoReader], None),
        (&[], &[], None),
        (&[("a", false, 0)], &[Empty], None),
        (&[("a", true, 1)], &[Card], Some("a")),
        (&[("a", true, 1), ("b", false, 0)], &[], Some("a")),
        (&[("a", true, 1), ("b", true, 1)], &[], Some("a")),
        (&[("a", false, 2), ("b", true, 1)], &[Empty, Card], Some("b")),
        (&[("a", false, 2), ("b", true, 3)], &[Empty, Card], Some("b")),
        (&[("a", false, 2), ("b", false, 4)], &[Empty], None),
        (&[("b", true, 5)], &[Card], Some("b")),
        (&[], &[NoReader], None),
        (&[("b", true, 0)], &[Card], Some("b")),
    ];
    for (at, (shown, events, active)) in steps.iter().enumerate() {
        presence.see(&slots(shown));
        let told: Vec<_> = std::iter::from_fn(|| presence.next()).collect();
        assert_eq!((told.as_slice(), presence.active()), (*events, *active), "step {at}");
    }
}

#[test]
fn another_card_is_told_once_each_time_it_is_laid_down() {
    let mut presence = Presence::default();
    let steps: &[(Shown<'_>, bool)] = &[
        (&[("a", true, 1), ("b", true, 1)], false),
        (&[("a", true, 1), ("b", true, 1)], true),
        (&[("a", true, 1), ("b", true, 1)], false),
        (&[("a", true, 1), ("b", false, 2)], false),
        (&[("a", true, 1), ("b", true, 3)], true),
        (&[("a", false, 2), ("b", true, 3)], false),
        (&[("a", true, 3), ("b", true, 3)], true),
        (&[], false),
    ];
    for (at, (shown, told)) in steps.iter().enumerate() {
        presence.see(&slots(shown));
        assert_eq!(presence.take_second(), *told, "step {at}");
    }
}

#[test]
fn a_service_that_stops_and_comes_back_is_told_once_each() {
    let mut presence = Presence::default();
    presence.see(&slots(&[("a", true, 1)]));
    presence.service_off();
    presence.service_off();
    presence.see(&slots(&[("a", true, 0)]));
    let told: Vec<_> = std::iter::from_fn(|| presence.next()).collect();
    assert_eq!(told, [Card, ServiceOff, Card]);
}

/// What is told after the readers show this.
fn told(presence: &mut Presence, shown: Shown<'_>) -> Vec<ReaderStatus> {
    presence.see(&slots(shown));
    std::iter::from_fn(|| presence.next()).collect()
}

#[test]
fn a_card_that_lay_there_from_the_start_and_cannot_be_read_keeps_nobody_waiting() {
    let mut presence = Presence::default();
    assert_eq!(told(&mut presence, &[("a", false, 0), ("psam", true, 0)]), [Card]);
    presence.set_aside(false);
    assert_eq!(presence.next(), Some(Empty));
    let steps: &[Step] = &[
        (&[("a", false, 0), ("psam", true, 0)], &[], None),
        (&[("a", true, 1), ("psam", true, 0)], &[Card], Some("a")),
        (&[("a", false, 2), ("psam", true, 0)], &[Empty], None),
        // Once it is taken out, whatever is put in there is a card like others.
        (&[("a", false, 2), ("psam", false, 1)], &[], None),
        (&[("a", false, 2), ("psam", true, 2)], &[Card], Some("psam")),
    ];
    for (at, (shown, events, active)) in steps.iter().enumerate() {
        assert_eq!(told(&mut presence, shown), *events, "step {at}");
        assert!(!presence.take_second(), "step {at}");
        assert_eq!(presence.active(), *active, "step {at}");
    }
    presence.set_aside(false);
    assert_eq!((presence.next(), presence.active()), (None, Some("psam")), "it was laid down");
}

#[test]
fn what_lies_on_a_reader_that_is_found_anew_is_tried_once_more() {
    // The reader went and came back, was seen to count anew, or the service came back: the card there may be anybody's.
    let ways: [&dyn Fn(&mut Presence); 3] = [
        &|presence: &mut Presence| presence.see(&slots(&[("a", false, 0)])),
        &|_: &mut Presence| {},
        &|presence: &mut Presence| presence.service_off(),
    ];
    for (way, happens) in ways.into_iter().enumerate() {
        let mut presence = Presence::default();
        assert_eq!(told(&mut presence, &[("a", false, 0), ("psam", true, 3)]), [Card], "{way}");
        presence.set_aside(false);
        assert_eq!(presence.next(), Some(Empty));
        happens(&mut presence);
        while presence.next().is_some() {}
        let found: Shown<'_> = &[("a", false, 0), ("psam", true, 0)];
        assert_eq!(told(&mut presence, found), [Card], "{way}: nobody's card is swallowed");
        presence.set_aside(false);
        assert_eq!((presence.next(), presence.next()), (Some(Empty), None), "{way}");
        assert_eq!(told(&mut presence, found), [], "{way}: once");
    }
}

#[test]
fn on_the_only_reader_a_card_that_cannot_be_read_is_told_until_it_is_lifted() {
    let mut presence = Presence::default();
    assert_eq!(told(&mut presence, &[("a", true, 0)]), [Card]);
    presence.set_aside(false);
    assert_eq!((presence.next(), presence.last(), presence.active()), (None, Card, Some("a")));
    assert_eq!(told(&mut presence, &[("a", false, 1)]), [Empty]);
    // Beside readers of which nothing is known here it would keep those from serving.
    let mut presence = Presence::default();
    assert_eq!(told(&mut presence, &[("a", true, 0)]), [Card]);
    presence.set_aside(true);
    assert_eq!((presence.next(), presence.active()), (Some(Empty), None));
}

#[test]
fn the_count_that_comes_a_moment_after_the_card_makes_no_other_card_of_it() {
    for first in [0, 7, 0xFFFE, 0xFFFF] {
        let after = |steps: u32| (first + steps) & 0xFFFF;
        let mut presence = Presence::default();
        assert_eq!(told(&mut presence, &[("a", false, first), ("b", false, 0)]), [Empty], "{first}");
        assert_eq!(
            told(&mut presence, &[("a", true, first), ("b", false, 0)]),
            [Card],
            "{first}: half written"
        );
        presence.set_aside(false);
        assert_eq!(presence.active(), Some("a"), "{first}: it was laid down");
        for _ in 0..2 {
            assert_eq!(
                told(&mut presence, &[("a", true, after(1)), ("b", false, 0)]),
                [],
                "{first}: the same"
            );
            assert!(!presence.lifted(), "{first}");
        }
        // Lifted: both halves.
        assert_eq!(told(&mut presence, &[("a", false, after(1)), ("b", false, 0)]), [Empty], "{first}");
        assert_eq!(told(&mut presence, &[("a", false, after(2)), ("b", false, 0)]), [], "{first}");
    }
}

#[test]
fn a_card_changed_for_another_between_two_looks_is_seen_however_its_counts_are_written() {
    // First count seen, the counts of the looks after it, and what is told at each.
    let table: [(u32, &[(u32, bool)]); 5] = [
        (1, &[(3, true), (3, false)]),
        // The first was seen half written.
        (0, &[(3, true), (3, false)]),
        (0, &[(1, false), (2, true), (3, false)]),
        // The other one is seen half written, with one step and then with two.
        (1, &[(2, false), (3, true), (4, false), (5, true)]),
        (0xFFFF, &[(0, false), (1, true), (2, false)]),
    ];
    for (first, looks) in table {
        let mut presence = Presence::default();
        assert_eq!(told(&mut presence, &[("a", true, first)]), [Card]);
        for (changes, changed) in looks {
            let wanted: &[_] = if *changed { &[Empty, Card] } else { &[] };
            assert_eq!(told(&mut presence, &[("a", true, *changes)]), wanted, "{first}: {changes}");
        }
    }
}

#[test]
fn cards_that_lie_aside_or_wait_stay_what_they_are_while_they_are_counted() {
    let mut presence = Presence::default();
    // Found with a card that is half written: it is a part of the reader all the same.
    assert_eq!(told(&mut presence, &[("a", false, 0), ("psam", true, 4)]), [Card]);
    assert_eq!(told(&mut presence, &[("a", false, 0), ("psam", true, 5)]), []);
    presence.set_aside(false);
    assert_eq!((presence.next(), presence.active()), (Some(Empty), None));
    assert_eq!(told(&mut presence, &[("a", false, 0), ("psam", true, 5)]), []);
    // A second card is told once.
    assert_eq!(told(&mut presence, &[("a", true, 1), ("b", false, 0), ("psam", true, 5)]), [Card]);
    for (changes, told_now) in [(0, true), (1, false), (1, false), (3, true)] {
        assert_eq!(told(&mut presence, &[("a", true, 1), ("b", true, changes), ("psam", true, 5)]), []);
        assert_eq!(presence.take_second(), told_now, "{changes}");
    }
}

#[test]
fn a_reader_out_of_order_is_passed_over_while_another_serves() {
    let now = Instant::now();
    let mut presence = Presence::default();
    assert_eq!(told(&mut presence, &[("a", true, 1), ("b", false, 0)]), [Card]);
    presence.fell_ill("a", now);
    assert_eq!((presence.next(), presence.misses()), (Some(Empty), true), "b serves");
    assert_eq!(presence.next_question(), None, "its card lies there still");
    let steps: &[Step] = &[
        (&[("a", true, 1), ("b", false, 0)], &[], None),
        (&[("a", true, 1), ("b", true, 1)], &[Card], Some("b")),
        (&[("a", true, 1), ("b", false, 2)], &[Empty], None),
        // Another card on it is tried: it may be well again. One on a reader that is well goes first.
        (&[("a", true, 3), ("b", false, 2)], &[Card], Some("a")),
        (&[("a", false, 4), ("b", false, 2)], &[Empty], None),
        (&[("a", true, 5), ("b", true, 3)], &[Card], Some("b")),
        (&[("a", false, 6), ("b", false, 4)], &[Empty], None),
    ];
    for (at, (shown, events, active)) in steps.iter().enumerate() {
        assert_eq!(told(&mut presence, shown), *events, "step {at}");
        assert!(presence.misses() && presence.active() == *active, "step {at}");
    }
    assert_eq!(presence.next_question(), Some(("a", None)), "its card was lifted");
    presence.still_ill("a", now);
    assert!(presence.next_question().is_some_and(|(_, at)| at > Some(now)));
    presence.well_again("a");
    assert_eq!((presence.next(), presence.misses(), presence.next_question()), (None, false, None));
}

#[test]
fn when_all_readers_are_out_of_order_none_is_shown_as_ready() {
    let now = Instant::now();
    let mut presence = Presence::default();
    // A PSAM lies in a slot of its own, which serves nobody.
    told(&mut presence, &[("a", false, 0), ("b", false, 0), ("psam", true, 0)]);
    presence.set_aside(false);
    assert_eq!(presence.next(), Some(Empty));
    for (name, wanted) in [("a", Empty), ("b", OutOfOrder)] {
        let card = |of: &str| u32::from(of == name);
        assert_eq!(
            told(&mut presence, &[("a", card("a") == 1, 1), ("b", card("b") == 1, 1), ("psam", true, 0)]),
            [Card]
        );
        presence.fell_ill(name, now);
        assert_eq!((presence.next(), presence.next()), (Some(wanted), None), "{name}");
        assert!(presence.lifted(), "{name}");
    }
    let empty: Shown<'_> = &[("a", false, 2), ("b", false, 2), ("psam", true, 0)];
    assert_eq!(told(&mut presence, empty), []);
    presence.well_again("b");
    assert_eq!((presence.next(), presence.misses()), (Some(Empty), true));
    // One that is unplugged is ill no more, but gone.
    assert_eq!(told(&mut presence, &[("b", false, 2), ("psam", true, 0)]), []);
    assert!(!presence.misses());
}

#[test]
fn the_only_reader_is_out_of_order_until_it_is_well_and_its_card_is_then_told() {
    let now = Instant::now();
    let mut presence = Presence::default();
    assert_eq!(told(&mut presence, &[("a", true, 1)]), [Card]);
    presence.fell_ill("a", now);
    assert_eq!((presence.next(), presence.last()), (Some(OutOfOrder), OutOfOrder));
    assert_eq!(told(&mut presence, &[("a", false, 2)]), [], "never shown as ready");
    assert_eq!(told(&mut presence, &[("a", true, 3)]), [Card], "tried");
    presence.fell_ill("a", now);
    assert_eq!(presence.next(), Some(OutOfOrder), "and told again");
    assert_eq!(told(&mut presence, &[("a", true, 5)]), [Card]);
    presence.well_again("a");
    assert_eq!((presence.next(), presence.active(), presence.misses()), (None, Some("a"), false));
    assert_eq!(told(&mut presence, &[("a", false, 6)]), [Empty]);
}

#[test]
fn a_card_that_waits_for_another_and_lay_there_from_the_start_is_told_until_it_was_tried() {
    let mut presence = Presence::default();
    assert_eq!(told(&mut presence, &[("a", true, 0), ("psam", true, 0)]), [Card]);
    assert_eq!(told(&mut presence, &[("a", true, 0), ("psam", true, 0)]), []);
    assert!(presence.take_second());
    assert_eq!(told(&mut presence, &[("a", false, 1), ("psam", true, 0)]), [Empty, Card]);
    presence.set_aside(false);
    assert_eq!(told(&mut presence, &[("a", true, 2), ("psam", true, 0)]), [Empty, Card]);
    assert_eq!((presence.take_second(), presence.active()), (false, Some("a")));
}

#[test]
fn the_queue_of_events_is_bounded() {
    let mut presence = Presence::default();
    (0..100).for_each(|n| presence.see(&slots(&[("a", n % 2 == 0, n)])));
    assert_eq!(presence.waiting.len(), MAX_WAITING);
}

#[test]
fn patterns_choose_readers() {
    let name = "Jinban virtual SAM_V (simulator) 00 00";
    let table = [
        ("sam_v", true),
        ("", true),
        ("*", true),
        ("jinban*", true),
        ("*00 00", true),
        ("jinban*SAM_V*00 00", true),
        ("jinban*00 01", false),
        ("virtual*", false),
        ("*simulator", false),
        ("jinban*nothing*00", false),
        ("ACR122", false),
    ];
    for (pattern, fit) in table {
        assert_eq!(fits(pattern, name), fit, "{pattern}");
    }
}
