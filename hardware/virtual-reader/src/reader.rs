//! The simulated reader shared between pcscd's threads and the control socket's: a lock, and a way to wait for
//! changes without polling. Refuses to be blocked for ever: every wait has an end, and closing ends all.
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::order::Order;
use crate::state::{Reply, State};

/// A reader, shared.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    shared: Mutex<Shared>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Shared {
    state: State,
    /// How many changes pcscd has seen.
    seen: u64,
    /// Somebody wants the waiting thread back.
    wanted: bool,
    closing: bool,
}

impl Reader {
    /// Carries out an order of the control socket; gives what to answer.
    pub(crate) fn obey(&self, order: Order) -> String {
        let answer = self.lock().state.obey(order);
        self.changed.notify_all();
        answer
    }

    /// Whether a card lies there, asked by pcscd.
    pub(crate) fn present(&self) -> bool {
        let mut shared = self.lock();
        shared.seen = shared.state.changes();
        shared.state.show_presence()
    }

    /// Whether a card lies there now; leaves what pcscd has seen as it is.
    #[cfg(test)]
    pub(crate) fn has_card(&self) -> bool {
        self.lock().state.has_card()
    }

    /// Whether the reader was unplugged.
    pub(crate) fn is_unplugged(&self) -> bool {
        self.lock().state.is_unplugged()
    }

    /// Powers the card up, or resets it; gives its answer to that.
    pub(crate) fn power_up(&self) -> Option<Vec<u8>> {
        self.lock().state.power_up()
    }

    /// Waits until presence changes against what [`Reader::present`] last said, at most `max`.
    pub(crate) fn wait_change(&self, max: Duration) {
        let waiting =
            |shared: &mut Shared| shared.state.changes() == shared.seen && !shared.wanted && !shared.closing;
        let mut shared = self.lock();
        shared.state.settle();
        let (mut shared, _) =
            self.changed.wait_timeout_while(shared, max, waiting).unwrap_or_else(PoisonError::into_inner);
        shared.wanted = false;
    }

    /// Ends the present wait for a change.
    pub(crate) fn stop_waiting(&self) {
        self.lock().wanted = true;
        self.changed.notify_all();
    }

    /// Ends all waits, for good.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    /// Answers a SAM_V frame, after the delay that was ordered.
    pub(crate) fn exchange_frame(&self, request: &[u8]) -> Reply {
        self.exchange(|state| state.exchange_frame(request))
    }

    /// Answers an APDU, after the delay that was ordered.
    pub(crate) fn exchange_apdu(&self, apdu: &[u8]) -> Reply {
        self.exchange(|state| state.exchange_apdu(apdu))
    }

    fn exchange(&self, answer: impl FnOnce(&mut State) -> Reply) -> Reply {
        let mut shared = self.lock();
        let end = Instant::now() + shared.state.delay();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || shared.closing {
                break;
            }
            shared = self.changed.wait_timeout(shared, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let reply = answer(&mut shared.state);
        drop(shared);
        self.changed.notify_all();
        reply
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    /// Runs `wait` on a thread and says whether it ends within [`LONG`] after `act`.
    fn ends(reader: &Arc<Reader>, wait: fn(&Reader), act: impl FnOnce(&Reader)) -> bool {
        let (done, told) = channel();
        let waiting = Arc::clone(reader);
        std::thread::spawn(move || {
            wait(&waiting);
            done.send(())
        });
        act(reader);
        told.recv_timeout(LONG).is_ok()
    }

    const FOR_LONG: fn(&Reader) = |reader| reader.wait_change(LONG * 10);

    #[test]
    fn a_card_a_wish_and_a_close_end_the_wait() {
        let reader = Arc::new(Reader::default());
        assert!(!reader.present());
        assert!(ends(&reader, FOR_LONG, |r| drop(r.obey(Order::Insert(vec![1])))));
        assert!(reader.present());
        assert!(ends(&reader, FOR_LONG, Reader::stop_waiting));
        assert!(ends(&reader, FOR_LONG, Reader::close));
    }

    #[test]
    fn nothing_new_lasts_the_whole_wait() {
        let reader = Reader::default();
        reader.obey(Order::Insert(vec![1]));
        assert!(reader.present());
        let start = Instant::now();
        reader.wait_change(Duration::from_millis(30));
        assert!(start.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn a_card_changed_quickly_is_shown_in_two_steps_without_a_wait() {
        let reader = Reader::default();
        reader.obey(Order::Insert(vec![1]));
        assert!(reader.present());
        reader.obey(Order::Insert(vec![2]));
        reader.wait_change(LONG);
        assert!(!reader.present());
        reader.wait_change(LONG);
        assert!(reader.present());
    }

    #[test]
    fn a_delayed_exchange_sees_the_card_lifted_meanwhile_and_ends_with_the_reader() {
        let reader = Arc::new(Reader::default());
        reader.obey(Order::Insert(vec![1]));
        reader.obey(Order::Delay(Duration::from_millis(20)));
        let start = Instant::now();
        assert!(matches!(reader.exchange_apdu(&[0xFF, 0xB0, 0, 0, 0]), Reply::Bytes(_)));
        assert!(start.elapsed() >= Duration::from_millis(20));
        reader.obey(Order::Delay(LONG));
        let exchange: fn(&Reader) = |reader| drop(reader.exchange_apdu(&[0xFF, 0xB0, 0, 0, 0]));
        let start = Instant::now();
        assert!(ends(&reader, exchange, Reader::close));
        assert!(start.elapsed() < crate::state::MAX_DELAY);
    }
}
