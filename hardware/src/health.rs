//! How a device fares: its state, when it is to be looked at again, and what it went through. Pure.
//!
//! Time comes in as milliseconds of any clock that does not run backwards; the watchdog is a question that whoever
//! supervises asks from time to time. Refuses to talk to a device.
use std::collections::BTreeMap;

use crate::device::{DeviceState, Trouble};

/// How often a device that is well is looked at.
pub const CHECK_EVERY_MS: i64 = 60_000;
/// When a device in trouble is looked at again for the first time; doubles with each failure.
pub const FIRST_BACKOFF_MS: i64 = 2_000;
/// The longest time between two looks at a device in trouble.
pub const MAX_BACKOFF_MS: i64 = 120_000;
/// A device that is at work for longer is taken for one that does not answer. The longest work that a device has is a
/// batch of 20 pages at 300 dpi from a slow feeder.
pub const WORK_LIMIT_MS: i64 = 300_000;

/// What a device went through since the terminal started; no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Works that were done: cards read, slips printed, pages scanned.
    pub done: u64,
    /// Works that failed.
    pub failed: u64,
    /// How often it came out of a trouble in which it did not work.
    pub recovered: u64,
    /// How often each trouble began; at most one entry for each.
    pub troubles: BTreeMap<Trouble, u64>,
}

/// A device's state and its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    state: DeviceState,
    /// When the state began.
    since_ms: i64,
    /// When the work began that it is at.
    at_work_since_ms: Option<i64>,
    /// When it is to be looked at again.
    next_check_ms: i64,
    /// Failures without a success between.
    in_a_row: u32,
    counts: Counts,
}

impl Health {
    /// A device that this terminal is meant to have, not looked at yet.
    pub fn unknown(now_ms: i64) -> Self {
        Self {
            state: DeviceState::Unknown,
            since_ms: now_ms,
            at_work_since_ms: None,
            next_check_ms: now_ms,
            in_a_row: 0,
            counts: Counts::default(),
        }
    }

    /// How it is.
    pub fn state(&self) -> DeviceState {
        self.state
    }

    /// Somebody works with it.
    pub fn is_at_work(&self) -> bool {
        self.at_work_since_ms.is_some()
    }

    /// When its state began.
    pub fn since_ms(&self) -> i64 {
        self.since_ms
    }

    /// What it went through.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// When it is to be looked at again. Whoever works is not disturbed.
    pub fn next_check_ms(&self) -> i64 {
        self.next_check_ms
    }

    /// Somebody wants to have it looked at now.
    pub fn check_soon(&mut self, now_ms: i64) {
        self.next_check_ms = now_ms;
    }

    /// Work begins. A device in trouble that is tried again is in that trouble until it has worked.
    pub fn begin(&mut self, now_ms: i64) {
        self.at_work_since_ms = Some(now_ms);
        if !matches!(self.state, DeviceState::Trouble(_)) {
            self.enter(now_ms, DeviceState::Working);
        }
        self.next_check_ms = now_ms.saturating_add(WORK_LIMIT_MS);
    }

    /// Work was done; the device may say of itself what will soon stop it.
    pub fn done(&mut self, now_ms: i64, warning: Option<Trouble>) {
        self.counts.done = self.counts.done.saturating_add(1);
        self.seen(now_ms, warning.map_or(Ok(()), Err));
    }

    /// Work failed.
    pub fn failed(&mut self, now_ms: i64, trouble: Trouble) {
        self.counts.failed = self.counts.failed.saturating_add(1);
        self.seen(now_ms, Err(trouble));
    }

    /// Work failed through no fault of the device: a card lifted too early, a page that was taken away. It says nothing
    /// of a trouble that stood before: a device that was jammed is jammed still, until it was seen well.
    pub fn spoilt(&mut self, now_ms: i64) {
        self.counts.failed = self.counts.failed.saturating_add(1);
        match self.state {
            DeviceState::Trouble(_) => {
                self.at_work_since_ms = None;
                self.next_check_ms = now_ms.saturating_add(FIRST_BACKOFF_MS);
            }
            _ => self.seen(now_ms, Ok(())),
        }
    }

    /// It was looked at, or told something by itself; whatever it was at has ended.
    pub fn seen(&mut self, now_ms: i64, result: Result<(), Trouble>) {
        self.at_work_since_ms = None;
        match result {
            Ok(()) => {
                self.in_a_row = 0;
                self.next_check_ms = now_ms.saturating_add(CHECK_EVERY_MS);
                self.enter(now_ms, DeviceState::Ready);
            }
            Err(trouble) => {
                let doubled = FIRST_BACKOFF_MS.saturating_mul(1 << self.in_a_row.min(16));
                self.next_check_ms = now_ms.saturating_add(doubled.min(MAX_BACKOFF_MS));
                self.in_a_row = self.in_a_row.saturating_add(1);
                self.enter(now_ms, DeviceState::Trouble(trouble));
            }
        }
    }

    /// The watchdog: a device that works for longer than any work takes does not answer. Says whether that is news.
    pub fn watch(&mut self, now_ms: i64) -> bool {
        let late = |since_ms| now_ms.saturating_sub(since_ms) > WORK_LIMIT_MS;
        if !self.at_work_since_ms.is_some_and(late) {
            return false;
        }
        self.failed(now_ms, Trouble::Silent);
        true
    }

    fn enter(&mut self, now_ms: i64, state: DeviceState) {
        if state == self.state {
            return;
        }
        if let DeviceState::Trouble(trouble) = state {
            let begun = self.counts.troubles.entry(trouble).or_default();
            *begun = begun.saturating_add(1);
        }
        let stood_still = matches!(self.state, DeviceState::Trouble(trouble) if !trouble.still_works());
        if stood_still && state.is_usable() {
            self.counts.recovered = self.counts.recovered.saturating_add(1);
        }
        self.state = state;
        self.since_ms = now_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_in_trouble_is_looked_at_again_later_and_later_and_at_once_when_it_is_well() {
        let mut health = Health::unknown(0);
        assert_eq!((health.state(), health.next_check_ms()), (DeviceState::Unknown, 0));
        let mut waits = Vec::new();
        for n in 0..9 {
            let now_ms = n * 1_000_000;
            health.seen(now_ms, Err(Trouble::NoPaper));
            waits.push((health.next_check_ms() - now_ms) / 1_000);
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 120, 120, 120]);
        assert_eq!(health.since_ms(), 0, "the trouble began with the first look");
        health.seen(9_000_000, Ok(()));
        assert_eq!(health.next_check_ms() - 9_000_000, CHECK_EVERY_MS);
        health.seen(9_100_000, Err(Trouble::Jammed));
        assert_eq!(health.next_check_ms() - 9_100_000, FIRST_BACKOFF_MS, "a success begins anew");
    }

    #[test]
    fn work_troubles_and_recoveries_are_counted() {
        let mut health = Health::unknown(0);
        let steps =
            [Ok(()), Err(Trouble::PaperLow), Ok(()), Err(Trouble::Jammed), Err(Trouble::Jammed), Ok(())];
        for (at, step) in (1..).zip(steps) {
            health.seen(at, step);
        }
        health.begin(10);
        assert_eq!((health.state(), health.is_at_work()), (DeviceState::Working, true));
        health.done(11, None);
        health.begin(12);
        health.failed(13, Trouble::Jammed);
        let counts = health.counts();
        assert_eq!(
            (counts.done, counts.failed, counts.recovered),
            (1, 1, 1),
            "paper that is low stops nothing"
        );
        assert_eq!(counts.troubles, BTreeMap::from([(Trouble::PaperLow, 1), (Trouble::Jammed, 2)]));
    }

    #[test]
    fn a_device_in_trouble_that_is_tried_again_and_again_has_one_trouble_until_it_works() {
        let mut health = Health::unknown(0);
        for at in 0..9 {
            health.begin(at);
            assert!(health.is_at_work());
            health.seen(at, Err(Trouble::NoPaper));
            assert_eq!(
                (health.state(), health.is_at_work()),
                (DeviceState::Trouble(Trouble::NoPaper), false)
            );
        }
        health.begin(9);
        health.done(9, Some(Trouble::PaperLow));
        health.begin(10);
        assert_eq!(health.state(), DeviceState::Trouble(Trouble::PaperLow), "it stays told while it prints");
        health.done(10, Some(Trouble::PaperLow));
        let counts = health.counts();
        assert_eq!(counts.troubles, BTreeMap::from([(Trouble::PaperLow, 1), (Trouble::NoPaper, 1)]));
        assert_eq!((counts.done, counts.failed, counts.recovered), (2, 0, 1));
    }

    #[test]
    fn work_that_was_spoilt_neither_makes_a_trouble_nor_mends_one() {
        let mut health = Health::unknown(0);
        health.begin(1);
        health.spoilt(2);
        assert_eq!((health.state(), health.is_at_work()), (DeviceState::Ready, false));
        health.seen(3, Err(Trouble::Jammed));
        health.begin(4);
        health.spoilt(5);
        assert_eq!((health.state(), health.is_at_work()), (DeviceState::Trouble(Trouble::Jammed), false));
        assert_eq!(health.next_check_ms() - 5, FIRST_BACKOFF_MS, "it is looked at soon");
        // It was seen well while somebody worked with it: the trouble is over.
        health.begin(6);
        health.seen(7, Ok(()));
        health.spoilt(8);
        assert_eq!(health.state(), DeviceState::Ready);
        assert_eq!((health.counts().failed, health.counts().recovered), (3, 1));
    }

    #[test]
    fn the_watchdog_bites_only_whoever_works_too_long() {
        let mut health = Health::unknown(0);
        health.seen(0, Ok(()));
        assert!(!health.watch(WORK_LIMIT_MS * 9), "who rests may rest");
        health.begin(1_000);
        assert!(!health.watch(1_000 + WORK_LIMIT_MS));
        assert!(health.watch(1_001 + WORK_LIMIT_MS));
        assert_eq!(health.state(), DeviceState::Trouble(Trouble::Silent));
        assert!(!health.watch(1_002 + WORK_LIMIT_MS), "told once");
        assert_eq!(health.counts().failed, 1);
        health.begin(2_000 + WORK_LIMIT_MS);
        assert!(health.watch(2_001 + 2 * WORK_LIMIT_MS), "also whoever was in trouble before");
    }

    #[test]
    fn the_ends_of_time_break_nothing() {
        let mut health = Health::unknown(i64::MAX);
        health.seen(i64::MAX, Err(Trouble::Silent));
        health.begin(i64::MIN);
        assert!(health.watch(i64::MAX));
        health.check_soon(i64::MIN);
        assert_eq!(health.next_check_ms(), i64::MIN);
    }
}
