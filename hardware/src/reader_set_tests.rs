//! Readers played by channels: what is sent into one is what the reader tells.
use std::sync::Mutex;

use super::*;
use crate::staff_card::StaffNumber;

const SOON: Duration = Duration::from_secs(10);

/// A reader that tells what it is told, and reads a staff number that names it.
struct Played {
    news: Mutex<Receiver<ReaderStatus>>,
    name: &'static str,
    was_there: bool,
    last: ReaderStatus,
}

impl CardReader for Played {
    fn wait_event(&mut self, max: Duration) -> ReaderEvent {
        let Ok(status) = self.news.lock().expect("a lock").recv_timeout(max) else {
            return ReaderEvent::Nothing;
        };
        self.last = status;
        self.was_there |= matches!(status, Empty | Card | OutOfOrder);
        ReaderEvent::Status(status)
    }

    fn misses(&self) -> bool {
        self.was_there && matches!(self.last, NoReader | ServiceOff | OutOfOrder)
    }

    fn read(&mut self) -> Result<CardData, ReadError> {
        StaffNumber::from_record(self.name.as_bytes()).map(CardData::Staff).ok_or(ReadError::Damaged)
    }
}

fn set() -> (ReaderSet, Sender<ReaderStatus>, Sender<ReaderStatus>) {
    let (first, first_news) = channel();
    let (second, second_news) = channel();
    let played = |news, name| {
        let news = Mutex::new(news);
        Box::new(Played { news, name, was_there: false, last: Unknown }) as Box<dyn CardReader>
    };
    (ReaderSet::new(vec![played(first_news, "first"), played(second_news, "second")]), first, second)
}

fn next(set: &mut ReaderSet) -> ReaderStatus {
    match set.wait_event(SOON) {
        ReaderEvent::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

fn reads(set: &mut ReaderSet) -> String {
    match set.read() {
        Ok(CardData::Staff(number)) => number.as_str().to_owned(),
        other => format!("{other:?}"),
    }
}

use ReaderStatus::{Card, Empty, NoReader, OutOfOrder, ServiceOff, Unknown};

#[test]
fn the_card_laid_first_counts_and_the_other_after_it() {
    let (mut set, first, second) = set();
    second.send(Empty).expect("told");
    assert_eq!(next(&mut set), Empty);
    second.send(Card).expect("told");
    assert_eq!(next(&mut set), Card);
    first.send(Card).expect("told");
    assert_eq!(set.wait_event(SOON), ReaderEvent::Second, "one after the other, and that is told");
    assert_eq!(set.wait_event(2 * SLICE), ReaderEvent::Nothing, "once");
    assert_eq!(reads(&mut set), "second");
    second.send(Empty).expect("told");
    assert_eq!((next(&mut set), next(&mut set)), (Empty, Card));
    assert_eq!(reads(&mut set), "first");
    assert_eq!(reads(&mut set), "first", "and once more");
    first.send(Empty).expect("told");
    assert_eq!(next(&mut set), Empty);
    assert_eq!(set.read().err(), Some(ReadError::Removed));
}

#[test]
fn one_reader_lost_of_two_leaves_the_other_ready() {
    let (mut set, first, second) = set();
    first.send(OutOfOrder).expect("told");
    assert_eq!(next(&mut set), OutOfOrder);
    second.send(Empty).expect("told");
    assert_eq!(next(&mut set), Empty);
    second.send(ServiceOff).expect("told");
    assert_eq!(next(&mut set), OutOfOrder);
    first.send(NoReader).expect("told");
    assert_eq!(next(&mut set), ServiceOff);
    first.send(Empty).expect("told");
    assert_eq!(next(&mut set), Empty);
    second.send(NoReader).expect("told");
    assert_eq!(set.wait_event(2 * SLICE), ReaderEvent::Nothing);
    first.send(NoReader).expect("told");
    assert_eq!(next(&mut set), NoReader);
}

#[test]
fn a_reader_that_was_there_is_missed_while_the_other_serves_and_one_that_never_came_is_not() {
    let (mut set, first, second) = set();
    first.send(Empty).expect("told");
    assert_eq!(next(&mut set), Empty);
    second.send(NoReader).expect("told");
    assert_eq!(set.wait_event(2 * SLICE), ReaderEvent::Nothing);
    assert!(!set.misses(), "it never came");
    second.send(Empty).expect("told");
    second.send(NoReader).expect("told");
    assert_eq!(set.wait_event(2 * SLICE), ReaderEvent::Nothing, "the status is that of the other one");
    assert!(set.misses());
    first.send(Card).expect("told");
    assert_eq!(next(&mut set), Card);
    assert_eq!(reads(&mut set), "first", "which serves");
    assert!(set.misses());
    second.send(Empty).expect("told");
    assert_eq!(set.wait_event(2 * SLICE), ReaderEvent::Nothing);
    assert!(!set.misses(), "it came back");
}

#[test]
fn a_card_on_the_reader_that_is_unplugged_is_gone() {
    let (mut set, first, second) = set();
    first.send(Empty).expect("told");
    second.send(Empty).expect("told");
    assert_eq!(next(&mut set), Empty);
    first.send(Card).expect("told");
    assert_eq!(next(&mut set), Card);
    first.send(NoReader).expect("told");
    assert_eq!(next(&mut set), Empty);
    assert_eq!(set.read().err(), Some(ReadError::Removed));
}

#[test]
fn a_set_without_readers_says_so_and_one_that_is_dropped_leaves_no_thread() {
    let mut none = ReaderSet::new(vec![]);
    assert_eq!(next(&mut none), NoReader);
    assert_eq!(none.wait_event(Duration::from_millis(1)), ReaderEvent::Nothing);
    let (set, first, _second) = set();
    assert_eq!(set.together(), Unknown);
    drop(set);
    assert!(first.send(Empty).is_err(), "its thread has ended");
}

#[test]
fn a_reader_in_use_elsewhere_is_told_until_one_serves_and_is_more_than_none() {
    let (mut set, first, second) = set();
    first.send(NoReader).expect("told");
    second.send(ReaderStatus::Busy).expect("told");
    // Which of the two is heard first is chance; nothing is told of a reader while another was not looked at.
    let mut last = next(&mut set);
    while last != ReaderStatus::Busy {
        last = next(&mut set);
    }
    first.send(Empty).expect("told");
    assert_eq!(next(&mut set), Empty);
}
