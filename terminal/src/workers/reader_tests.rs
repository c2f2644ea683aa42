//! The reader's thread with a reader that plays what it is told.
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use hardware::device::{DeviceState, Trouble};
use hardware::photo::NoDecoder;

use super::*;
use crate::clock::ManualClock;

/// Plays one event after the other, and what is missed since each; every read ends in the same error. At the end it
/// wants the thread to stop.
struct Played {
    events: VecDeque<(ReaderEvent, bool)>,
    misses: bool,
    error: ReadError,
    stop: Arc<AtomicBool>,
}

impl CardReader for Played {
    fn wait_event(&mut self, _: Duration) -> ReaderEvent {
        let Some((event, misses)) = self.events.pop_front() else {
            self.stop.store(true, Ordering::SeqCst);
            return ReaderEvent::Nothing;
        };
        self.misses = misses;
        event
    }

    fn read(&mut self) -> Result<CardData, ReadError> {
        Err(self.error)
    }

    fn misses(&self) -> bool {
        self.misses
    }
}

/// How the reader stands on the board after these events.
fn board_after(error: ReadError, events: &[(ReaderEvent, bool)]) -> DeviceState {
    let stop = Arc::new(AtomicBool::new(false));
    let board = Board::new(Arc::new(ManualClock::at(0)), [DeviceKind::CardReader]);
    let (sender, _events) = sync_channel(64);
    let sender = EventSender { sender, waker: Arc::new(|| {}) };
    let events = events.iter().cloned().collect();
    let reader = Played { events, misses: false, error, stop: Arc::clone(&stop) };
    run(Box::new(reader), &NoDecoder, (&sender, &board), &stop);
    board.state(DeviceKind::CardReader)
}

const CARD: ReaderEvent = ReaderEvent::Status(ReaderStatus::Card);
const EMPTY: ReaderEvent = ReaderEvent::Status(ReaderStatus::Empty);
const NOTHING: ReaderEvent = ReaderEvent::Nothing;

#[test]
fn a_reader_that_comes_to_be_missed_hides_no_other_trouble_and_its_return_mends_none() {
    let unsupported = DeviceState::Trouble(Trouble::Unsupported);
    let read = (CARD, false);
    for then in [&[(NOTHING, true)][..], &[(NOTHING, true), (NOTHING, false)], &[(ReaderEvent::Second, true)]]
    {
        let events = [&[(EMPTY, false), read.clone()], then].concat();
        assert_eq!(board_after(ReadError::NoSecurityModule, &events), unsupported, "{then:?}");
    }
}

#[test]
fn a_reader_that_is_missed_beside_one_that_is_well_is_told_until_it_is_back() {
    let lost = DeviceState::Trouble(Trouble::OneLost);
    assert_eq!(board_after(ReadError::Removed, &[(EMPTY, false), (NOTHING, true)]), lost);
    assert_eq!(board_after(ReadError::Removed, &[(EMPTY, false), (NOTHING, true), (CARD, true)]), lost);
    let back = [(EMPTY, false), (NOTHING, true), (NOTHING, false)];
    assert_eq!(board_after(ReadError::Removed, &back), DeviceState::Ready);
    // One of two says that it is out of order, and the other one serves.
    let ill = [(EMPTY, false), (CARD, true), (EMPTY, true)];
    assert_eq!(board_after(ReadError::OutOfOrder, &ill), lost);
}
