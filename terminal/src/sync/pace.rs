//! How an engine paces itself: the spread after a start, the pauses after failures, what the centre asks for.
use rand_core::Rng as _;

use super::engine::{Engine, Step};
use super::plan::full_jitter_ms;
use super::tuning::Tuning;
use crate::model::Network;
use crate::store::StoreError;

/// Nobody spreads contacts over more than this.
const LONGEST_SPREAD_MS: u64 = 600_000;

impl Engine {
    /// Puts off the first contact after a start, so that terminals that start together do not come together.
    pub(super) fn spread_start(&mut self, now_ms: i64) -> Result<(), StoreError> {
        if self.spread_ms.is_none() {
            let spread_ms = self.store().spread_ms()?.min(LONGEST_SPREAD_MS);
            self.spread_ms = Some(spread_ms);
            let wait_ms = if spread_ms > 0 { self.rng.next_u64() % spread_ms } else { 0 };
            self.not_before_ms = now_ms.saturating_add(i64::try_from(wait_ms).unwrap_or(0));
        }
        Ok(())
    }

    /// What the centre says of the span now.
    pub(super) fn hear_spread(&mut self, spread_ms: u64) {
        self.spread_ms = Some(spread_ms.min(LONGEST_SPREAD_MS));
    }

    pub(super) fn failed(&mut self, retry_after_secs: Option<u32>, reached: bool, step: &mut Step) -> u64 {
        self.tell(if reached { Network::Weak } else { Network::Offline }, step);
        step.wait_ms = self.back_off(retry_after_secs);
        step.wait_ms
    }

    /// Goes on at the slowest pace.
    pub(super) fn slow_down(&mut self, step: &mut Step) {
        self.failures = self.failures.max(6);
        step.wait_ms = self.back_off(None);
    }

    pub(super) fn back_off(&mut self, retry_after_secs: Option<u32>) -> u64 {
        let wait = self.jittered_ms(self.failures, retry_after_secs);
        self.failures = self.failures.saturating_add(1);
        self.not_before_ms = self.clock.now_ms().saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
        wait
    }

    /// What was asked for, and a random time on top: those that were told the same do not come together.
    pub(super) fn jittered_ms(&mut self, failures: u32, retry_after_secs: Option<u32>) -> u64 {
        let Tuning { backoff_base_ms, backoff_cap_ms, .. } = self.tuning;
        let cap_ms = backoff_cap_ms.max(self.spread_ms.unwrap_or(0));
        let asked = u64::from(retry_after_secs.unwrap_or(0)).saturating_mul(1_000).min(3_600_000);
        asked + full_jitter_ms(failures, backoff_base_ms, cap_ms, &mut self.rng)
    }
}
