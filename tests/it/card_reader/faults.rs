//! What goes wrong in mid-read, at each exchange, and services that come and go all day.
use std::time::{Duration, Instant};

use hardware::card_reader::{CardData, CardReader as _, ReadError, ReaderEvent, ReaderStatus};
use hardware::simulated_card::Sample;
use hardware::{PcscConfig, Route};
use virtual_reader::order::Order;

use super::{Desk, SOON, desk, desk_with, image};

/// More exchanges than any read has.
const MOST: u32 = 60;

/// The ways, and the card that each reads.
const WAYS: [(Route, Option<Sample>); 5] = [
    (Route::Control, None),
    (Route::Image, None),
    (Route::PassThrough, None),
    (Route::Contact, Some(Sample::SocialSecurity)),
    (Route::Auto, Some(Sample::SocialSecurityByTag)),
];

impl Desk {
    fn lay_either(&mut self, chip: Option<Sample>) {
        let order = chip.map_or_else(|| Order::Insert(image("courier")), Order::InsertChip);
        self.hand.order(&order).expect("laid down");
        self.wait_for(ReaderStatus::Card);
    }

    /// Waits for this event; others may come before it.
    fn comes_to(&mut self, wanted: ReaderStatus) {
        let end = Instant::now() + SOON;
        while self.reader.wait_event(SOON) != ReaderEvent::Status(wanted) {
            assert!(Instant::now() < end, "{wanted:?} did not come");
        }
    }

    fn has_card(&mut self) -> bool {
        self.hand.status().expect("a status").starts_with("card=present")
    }
}

#[test]
fn a_card_lifted_at_any_exchange_is_said_to_be_lifted_and_read_the_next_time() {
    for (route, chip) in WAYS {
        let mut desk = desk_with(PcscConfig { route, ..PcscConfig::default() });
        let mut exchanges = 0;
        for at in 1..MOST {
            desk.lay_either(chip);
            desk.hand.order(&Order::RemoveAt(at)).expect("ordered");
            let result = desk.reader.read();
            if desk.has_card() {
                // The whole read has fewer exchanges.
                assert!(result.is_ok(), "{route:?} at {at}: {result:?}");
                break;
            }
            exchanges = at;
            // What comes after text and photo is not needed for a read.
            let whole = matches!(result, Ok(CardData::IdCard(_)));
            assert!(whole || result == Err(ReadError::Removed), "{route:?} at {at}: {result:?}");
            desk.wait_for(ReaderStatus::Empty);
        }
        assert!((5..MOST - 1).contains(&exchanges), "{route:?}: {exchanges} exchanges");
        desk.hand.order(&Order::Reset).expect("ordered");
        desk.wait_for(ReaderStatus::Empty);
        desk.lay_either(chip);
        assert!(desk.reader.read().is_ok(), "{route:?}: the next time");
    }
}

#[test]
fn a_reader_unplugged_at_any_exchange_is_said_to_be_gone_and_found_again() {
    for (route, chip) in WAYS {
        let mut desk = desk_with(PcscConfig { route, ..PcscConfig::default() });
        // Each takes seconds, for the service to look at its readers again: all exchanges of one way, some of the others.
        let tried: Vec<_> = if route == Route::Control { (1..MOST).collect() } else { vec![1, 4] };
        let mut unplugged = 0;
        for at in tried {
            desk.lay_either(chip);
            desk.hand.order(&Order::UnplugAt(Some(at))).expect("ordered");
            let result = desk.reader.read();
            if result.is_ok() {
                // The whole read has fewer exchanges, or what was left of it is not needed.
                break;
            }
            unplugged += 1;
            assert_eq!(result.err(), Some(ReadError::ReaderGone), "{route:?} at {at}");
            desk.comes_to(ReaderStatus::NoReader);
            desk.hand.remove().expect("lifted");
            desk.hand.order(&Order::UnplugAt(None)).expect("plugged in");
            desk.comes_to(ReaderStatus::Empty);
        }
        assert!((2..MOST - 1).contains(&unplugged), "{route:?}: {unplugged} times");
        // It may have been unplugged behind all that a read needs: a new one.
        drop(desk);
        let mut desk = desk_with(PcscConfig { route, ..PcscConfig::default() });
        desk.lay_either(chip);
        assert!(desk.reader.read().is_ok(), "{route:?}: the next time");
    }
}

#[test]
fn a_service_restarted_fifty_times_is_found_each_time() {
    let mut desk = desk();
    let begun = Instant::now();
    for turn in 0..50 {
        desk.pcscd.restart().expect("restarted");
        desk.hand = desk.pcscd.control().expect("the new reader");
        desk.hand.insert(&image("courier")).expect("laid down");
        desk.comes_to(ReaderStatus::Card);
        if turn % 10 == 9 {
            desk.reads("courier");
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn a_service_killed_in_mid_read_is_a_reader_gone() {
    let mut desk = desk();
    desk.lay("courier");
    desk.hand.delay(Duration::from_millis(100)).expect("ordered");
    let Desk { mut reader, hand: _, mut pcscd } = desk;
    let result = std::thread::scope(|scope| {
        let reading = scope.spawn(|| reader.read());
        // It reads for half a second; whenever this comes in between, the answer is the same.
        pcscd.kill().expect("killed");
        reading.join().expect("no panic")
    });
    assert_eq!(result.err(), Some(ReadError::ReaderGone));
    assert_eq!(reader.wait_event(SOON), ReaderEvent::Status(ReaderStatus::ServiceOff));
}
