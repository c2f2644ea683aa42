//! Answers of several pieces of work that were queued together, gathered until all are there or somebody stops waiting.
//!
//! Refuses to wait by itself: who waits, and how long, is the business of whoever queued the work.
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::ServiceError;
use crate::store::WriteError;

/// The answers to pieces of work, in the order of the pieces.
pub struct Gathered<T>(Mutex<Slots<T>>);

struct Slots<T> {
    answers: Vec<Option<Result<T, ServiceError>>>,
    missing: usize,
    done: Option<Box<dyn FnOnce() + Send>>,
}

impl<T> Gathered<T> {
    /// Room for the answers to so many pieces. `done` is called once, by whoever brings the last answer, and must not
    /// block; it is called at once if there are no pieces.
    pub fn new(pieces: usize, done: impl FnOnce() + Send + 'static) -> Arc<Self> {
        let answers = (0..pieces).map(|_| None).collect();
        let mut done: Option<Box<dyn FnOnce() + Send>> = Some(Box::new(done));
        if pieces == 0
            && let Some(done) = done.take()
        {
            done();
        }
        Arc::new(Self(Mutex::new(Slots { answers, missing: pieces, done })))
    }

    /// Brings the answer to the piece at this place.
    pub fn bring(&self, place: usize, answer: Result<T, ServiceError>) {
        let done = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(slot) = slots.answers.get_mut(place).filter(|slot| slot.is_none()) else { return };
            *slot = Some(answer);
            slots.missing -= 1;
            if slots.missing == 0 { slots.done.take() } else { None }
        };
        if let Some(done) = done {
            done();
        }
    }

    /// The answers so far, one for each piece; a piece without one is told to come again. Later answers are dropped.
    pub fn take(&self) -> Vec<Result<T, ServiceError>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = std::mem::take(&mut slots.answers).into_iter();
        answers.map(|a| a.unwrap_or_else(|| Err(WriteError::Unavailable.into()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn the_last_answer_and_only_it_ends_the_waiting() {
        let (done_in, done) = channel();
        let gathered = Gathered::new(2, move || done_in.send(()).expect("heard"));
        gathered.bring(1, Ok('b'));
        gathered.bring(1, Ok('x'));
        gathered.bring(7, Ok('x'));
        assert!(done.try_recv().is_err());
        gathered.bring(0, Ok('a'));
        assert!(done.recv().is_ok() && done.recv().is_err(), "once");
        let answers: Vec<_> = gathered.take().into_iter().map(Result::ok).collect();
        assert_eq!(answers, [Some('a'), Some('b')]);
    }

    #[test]
    fn who_stops_waiting_has_what_came_and_the_rest_comes_again() {
        let gathered = Gathered::new(2, || {});
        gathered.bring(0, Ok('a'));
        let answers = gathered.take();
        assert!(matches!(answers.as_slice(), [Ok('a'), Err(ServiceError::Write(WriteError::Unavailable))]));
        gathered.bring(1, Ok('b'));
        assert!(gathered.take().is_empty(), "later answers are dropped");
    }

    #[test]
    fn nothing_is_done_at_once() {
        let (done_in, done) = channel();
        Gathered::<()>::new(0, move || done_in.send(()).expect("heard"));
        assert!(done.try_recv().is_ok());
    }
}
