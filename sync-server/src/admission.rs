//! How many calls the terminals' listener lets in: a rate for all of them together, the least urgent ones shed first.
//!
//! After an outage every terminal comes at once. What is refused is told when to come again, each a little later than the
//! one before, so that they come as fast as they are let in and no faster. Pure: time comes in as an argument. Refuses to
//! know who calls; that is what [budgets](crate::shell::budget) are for.
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a call is for, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Submissions, and what makes a device a terminal.
    Submission,
    /// News and whatever is only read.
    News,
    /// A terminal says how it is.
    Heartbeat,
}

impl Urgency {
    /// The share of the burst that is kept free for the more urgent ones, in percent.
    fn kept_free(self) -> u64 {
        match self {
            Self::Submission => 0,
            Self::News => 25,
            Self::Heartbeat => 50,
        }
    }
}

/// Calls that a terminal makes when it comes back: rows, news, a heartbeat.
const CALLS_EACH: u64 = 3;
/// A part of the rate may come in one burst, the rest flows; so that no second ever has more than the rate.
const BURST_PART: u64 = 5;
/// Nobody is sent away for longer, milliseconds.
const LONGEST_MS: u64 = 10 * 60_000;
/// One call, in the thousandths in which calls are counted: a rate of calls a second is one of thousandths a millisecond.
const ONE: u64 = 1_000;

/// Lets calls in, at a rate.
#[derive(Debug)]
pub struct Admission {
    per_second: u64,
    terminals: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    at_ms: u64,
    /// Thousandths of calls that may come at once.
    free: u64,
    /// When the next one that is refused may come.
    next_turn_ms: u64,
}

impl Admission {
    /// The least rate that leaves room for a burst and a flow.
    pub const LEAST: u32 = 10;

    /// So many calls a second, at least [`Admission::LEAST`].
    pub fn new(per_second: u32) -> Self {
        let per_second = u64::from(per_second.max(Self::LEAST));
        let state = State { at_ms: 0, free: per_second / BURST_PART * ONE, next_turn_ms: 0 };
        Self { per_second, terminals: AtomicU64::new(0), state: Mutex::new(state) }
    }

    /// So many terminals may come.
    pub fn expect(&self, terminals: u64) {
        self.terminals.store(terminals, Ordering::Relaxed);
    }

    /// Over what span terminals should spread their next contact after a start or an outage, milliseconds.
    pub fn spread_ms(&self) -> u64 {
        self.terminals.load(Ordering::Relaxed).saturating_mul(CALLS_EACH * 1_000) / self.per_second
    }

    /// Lets a call in at this time, milliseconds since any moment; or says after how many milliseconds to come again.
    ///
    /// # Errors
    /// The milliseconds.
    pub fn admit(&self, urgency: Urgency, now_ms: u64) -> Result<(), u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let burst = self.per_second / BURST_PART * ONE;
        let flow = self.per_second - self.per_second / BURST_PART;
        let passed = now_ms.saturating_sub(state.at_ms);
        state.at_ms = state.at_ms.max(now_ms);
        state.free = state.free.saturating_add(passed.saturating_mul(flow)).min(burst);
        if state.free >= ONE + burst * urgency.kept_free() / 100 {
            state.free -= ONE;
            return Ok(());
        }
        let turn = state.next_turn_ms.max(now_ms) + (ONE / flow).max(1);
        state.next_turn_ms = turn.min(now_ms + LONGEST_MS);
        Err(state.next_turn_ms - now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_ever_has_more_than_the_rate() {
        for rate in [10, 37, 100, 5_000] {
            let admission = Admission::new(rate);
            let mut admitted: Vec<u64> = Vec::new();
            for ms in 0..5_000 {
                for _ in 0..=rate / 100 {
                    admitted.extend(admission.admit(Urgency::Submission, ms).ok().map(|()| ms));
                }
            }
            let busiest =
                (0..4_000).map(|from| admitted.iter().filter(move |at| (from..from + 1_000).contains(*at)));
            let most = busiest.map(Iterator::count).max().unwrap_or(0);
            assert!(most <= rate as usize, "{rate}: {most}");
            assert!(admitted.len() >= rate as usize * 3, "{rate}: hardly any came in: {}", admitted.len());
        }
    }

    #[test]
    fn heartbeats_are_shed_before_news_and_news_before_submissions() {
        let admission = Admission::new(100);
        let let_in = |urgency| (0..).take_while(|_| admission.admit(urgency, 0).is_ok()).count();
        assert_eq!(let_in(Urgency::Heartbeat), 10);
        assert_eq!(let_in(Urgency::News), 5);
        assert_eq!(let_in(Urgency::Submission), 5);
    }

    #[test]
    fn whoever_is_refused_is_told_a_turn_of_its_own() {
        let admission = Admission::new(100);
        while admission.admit(Urgency::Submission, 0).is_ok() {}
        let turns: Vec<u64> =
            (0..200).filter_map(|_| admission.admit(Urgency::Submission, 0).err()).collect();
        assert!(turns.is_sorted_by(|a, b| a < b), "{turns:?}");
        assert!(turns.iter().all(|ms| *ms <= LONGEST_MS) && turns[199] >= 2_000, "{turns:?}");
    }

    #[test]
    fn the_span_grows_with_the_fleet_and_shrinks_with_the_rate() {
        let admission = Admission::new(100);
        assert_eq!(admission.spread_ms(), 0);
        admission.expect(1_000);
        assert_eq!(admission.spread_ms(), 30_000);
        let faster = Admission::new(5_000);
        faster.expect(49);
        assert_eq!(faster.spread_ms(), 29);
    }
}
