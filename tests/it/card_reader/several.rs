//! Several readers in one pcscd: whose card counts, which one is missed, and a slot that always has a card.
use std::time::{Duration, Instant};

use hardware::card_reader::{CardData, CardReader as _, ReadError, ReaderEvent, ReaderStatus};
use hardware::simulated_card::Sample;
use hardware::{PcscConfig, PcscReader};
use tests::pcscd::Pcscd;
use virtual_reader::control::Control;
use virtual_reader::order::{Fault, Order};

use super::{Desk, SOON, image};

/// So long, and a little more, there must be two readers for one of them to be missed later.
const SETTLED: Duration = Duration::from_millis(3_300);

/// A terminal with two readers; the hand of the second, and the desk with the first.
fn two() -> (Control, Desk) {
    let pcscd = Pcscd::lock_with_readers(2).expect("a pcscd");
    let second = pcscd.control_of(1).expect("the second reader");
    let hand = pcscd.control_of(0).expect("the first reader");
    (second, Desk { reader: PcscReader::new(PcscConfig::default()), hand, pcscd })
}

impl Desk {
    /// One of several readers comes to be missed, or none, without a word of the status.
    fn comes_to_miss(&mut self, one: bool) {
        let end = Instant::now() + SOON;
        while self.reader.misses() != one {
            assert!(Instant::now() < end, "misses() stays {}", !one);
            assert_eq!(self.reader.wait_event(Duration::from_millis(50)), ReaderEvent::Nothing);
        }
    }
}

#[test]
fn of_two_readers_the_one_with_a_card_is_served() {
    let (mut second, mut desk) = two();
    desk.wait_for(ReaderStatus::Empty);
    second.insert(&image("elder")).expect("laid on the second");
    desk.wait_for(ReaderStatus::Card);
    desk.hand.insert(&image("courier")).expect("laid on the first as well");
    assert_eq!(desk.reader.wait_event(SOON), ReaderEvent::Second, "one after the other, and that is told");
    assert_eq!(desk.reader.wait_event(Duration::from_millis(200)), ReaderEvent::Nothing, "once");
    desk.reads("elder");
    second.remove().expect("lifted from the second");
    desk.wait_for(ReaderStatus::Empty);
    desk.wait_for(ReaderStatus::Card);
    desk.reads("courier");
    desk.lift();
}

#[test]
fn of_two_readers_one_that_is_unplugged_is_missed_and_the_other_serves() {
    let (mut second, mut desk) = two();
    desk.wait_for(ReaderStatus::Empty);
    // One that is listed for a moment only is no second reader.
    assert_eq!(desk.reader.wait_event(SETTLED), ReaderEvent::Nothing);
    assert!(!desk.reader.misses());
    // A cable that nobody uses tells nothing: a card is laid down.
    second.order(&Order::UnplugAt(Some(0))).expect("ordered");
    second.insert(&image("elder")).expect("laid on the second");
    desk.wait_for(ReaderStatus::Card);
    assert_eq!(desk.read().err(), Some(ReadError::ReaderGone));
    desk.wait_for(ReaderStatus::Empty);
    desk.comes_to_miss(true);
    desk.lay("courier");
    desk.reads("courier");
    assert!(desk.reader.misses(), "it serves, and the other one is missed");
    desk.lift();
    second.remove().expect("lifted");
    second.order(&Order::UnplugAt(None)).expect("plugged in");
    desk.comes_to_miss(false);
}

/// As many answers as can be ordered say that the reader is out of order.
const OUT_OF_ORDER: Order = Order::Fault(Fault::Status(0x60, None), 1000);
const IN_ORDER: Order = Order::Fault(Fault::Garbage, 0);

#[test]
fn of_two_readers_one_that_is_out_of_order_is_missed_and_the_other_serves() {
    let (mut second, mut desk) = two();
    desk.wait_for(ReaderStatus::Empty);
    desk.hand.order(&OUT_OF_ORDER).expect("ordered");
    desk.lay("courier");
    assert_eq!(desk.read().err(), Some(ReadError::OutOfOrder));
    desk.wait_for(ReaderStatus::Empty);
    assert!(desk.reader.misses());
    // Its card lies there still, and keeps nobody waiting; the card on the other one makes it no better.
    for name in ["elder", "dotted-name"] {
        second.insert(&image(name)).expect("laid on the second");
        desk.wait_for(ReaderStatus::Card);
        desk.reads(name);
        assert_eq!(
            desk.reader.wait_event(Duration::from_millis(100)),
            ReaderEvent::Nothing,
            "no second card"
        );
        assert!(desk.reader.misses());
        second.remove().expect("lifted from the second");
        desk.wait_for(ReaderStatus::Empty);
        assert!(desk.reader.misses());
    }
    // Whoever lays a card on the ill one hears so, and once it is well it is found so without a card.
    desk.hand.insert(&image("elder")).expect("laid on the first");
    desk.wait_for(ReaderStatus::Card);
    assert_eq!(desk.read().err(), Some(ReadError::OutOfOrder));
    desk.wait_for(ReaderStatus::Empty);
    desk.hand.remove().expect("lifted from the first");
    desk.hand.order(&IN_ORDER).expect("ordered");
    desk.comes_to_miss(false);
    desk.lay("courier");
    desk.reads("courier");
}

#[test]
fn when_both_readers_are_out_of_order_that_is_the_status_until_one_is_well() {
    let (mut second, mut desk) = two();
    desk.wait_for(ReaderStatus::Empty);
    let told = [ReaderStatus::Empty, ReaderStatus::OutOfOrder];
    for (hand, told) in [&mut desk.hand, &mut second].into_iter().zip(told) {
        hand.order(&OUT_OF_ORDER).expect("ordered");
        hand.insert(&image("courier")).expect("laid down");
        assert_eq!(desk.reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::Card));
        assert_eq!(desk.reader.read().err(), Some(ReadError::OutOfOrder));
        assert_eq!(desk.reader.wait_event(SOON), ReaderEvent::Status(told));
        hand.remove().expect("lifted");
    }
    assert_eq!(desk.reader.wait_event(Duration::from_millis(700)), ReaderEvent::Nothing, "asked, and ill");
    let mended = Instant::now();
    second.order(&IN_ORDER).expect("ordered");
    desk.wait_for(ReaderStatus::Empty);
    assert!(mended.elapsed() < Duration::from_secs(3), "soon: {:?}", mended.elapsed());
    assert!(desk.reader.misses(), "the first one is ill still");
    second.insert(&image("elder")).expect("laid on the second");
    desk.wait_for(ReaderStatus::Card);
    desk.reads("elder");
}

#[test]
fn a_card_that_lay_there_the_wrong_way_before_the_start_is_told_until_it_is_lifted() {
    let pcscd = Pcscd::lock().expect("a pcscd");
    let mut hand = pcscd.control().expect("the simulated reader");
    hand.order(&Order::InsertMute).expect("laid down");
    let mut desk = Desk { reader: PcscReader::new(PcscConfig::default()), hand, pcscd };
    desk.wait_for(ReaderStatus::Card);
    for _ in 0..2 {
        assert_eq!(desk.read().err(), Some(ReadError::LayAgain));
    }
    assert_eq!(desk.reader.wait_event(Duration::from_millis(200)), ReaderEvent::Nothing, "it lies there");
    desk.lift();
    desk.lay("courier");
    desk.reads("courier");
}

#[test]
fn a_card_that_lies_in_a_slot_for_ever_keeps_no_citizen_waiting() {
    let (mut slot, mut desk) = two();
    // A PSAM, of which the terminal knows nothing, before it looks for the first time.
    slot.order(&Order::InsertChip(Sample::Bank)).expect("put in");
    desk.wait_for(ReaderStatus::Card);
    assert_eq!(desk.read().err(), Some(ReadError::UnknownCard));
    desk.wait_for(ReaderStatus::Empty);
    for name in ["courier", "elder"] {
        desk.lay(name);
        desk.reads(name);
        assert_eq!(
            desk.reader.wait_event(Duration::from_millis(100)),
            ReaderEvent::Nothing,
            "no second card"
        );
        desk.lift();
    }
    // Once it was taken out the slot is one like others.
    slot.remove().expect("taken out");
    slot.order(&Order::InsertChip(Sample::Staff)).expect("put in");
    desk.wait_for(ReaderStatus::Card);
    assert!(matches!(desk.reader.read(), Ok(CardData::Staff(_))));
}
