//! How much time has passed, by clocks that nobody sets: what is kept for hours and what grows old is measured with it.
//!
//! The machine's clock may stand in 1970 or 2040. Time since boot is exact while the machine runs; over a restart the
//! machine's clock is believed only where what it says is possible. Refuses to read a clock by itself.
use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// A machine that was off for longer than this is looked at by somebody; a clock that says so is wrong, milliseconds.
const LONGEST_OFF_MS: i64 = 30 * 24 * 3_600_000;
/// A clock that is being set right may lag this far behind the time since boot, milliseconds.
const SLEW_MS: i64 = 5 * 60_000;

/// One look at the clocks of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Device clock, milliseconds since 1970; may jump.
    pub machine_ms: i64,
    /// Since the machine started, milliseconds.
    pub boot_ms: i64,
    /// Which start of the machine that was; another number after a restart.
    pub boot: u64,
}

impl Reading {
    /// Looks at the clocks.
    pub fn of(clock: &dyn Clock) -> Self {
        let boot_ms = i64::try_from(clock.boot_ms()).unwrap_or(i64::MAX);
        Self { machine_ms: clock.now_ms(), boot_ms, boot: clock.boot() }
    }
}

/// What is known of a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// It is known.
    Known,
    /// It lasted at least as long as was counted, nobody knows how much longer.
    AtLeast,
}

/// The time that a terminal has lived since its store was made; it never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lived {
    /// Milliseconds.
    pub ms: i64,
    machine_ms: i64,
    boot_ms: i64,
    boot: u64,
}

impl Lived {
    /// It begins now.
    pub fn beginning(now: Reading) -> Self {
        Self { ms: 0, machine_ms: now.machine_ms, boot_ms: now.boot_ms, boot: now.boot }
    }

    /// Whether the machine was not started again between the two looks.
    pub fn is_of_boot(&self, now: Reading) -> bool {
        self.boot == now.boot && now.boot_ms >= self.boot_ms
    }

    /// The same at a later look, and what is known of the span between the two.
    #[must_use]
    pub fn at(self, now: Reading) -> (Self, Span) {
        let by_machine = now.machine_ms.saturating_sub(self.machine_ms);
        let (span_ms, span) = if self.is_of_boot(now) {
            (now.boot_ms.saturating_sub(self.boot_ms), Span::Known)
        } else {
            let least = now.boot_ms.max(0);
            let possible = least.saturating_sub(SLEW_MS)..=least.saturating_add(LONGEST_OFF_MS);
            let known = by_machine >= 0 && possible.contains(&by_machine);
            if known { (by_machine.max(least), Span::Known) } else { (least, Span::AtLeast) }
        };
        (Self { ms: self.ms.saturating_add(span_ms), ..Self::beginning(now) }, span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    /// 2026-11-24
    const NOW: i64 = 1_795_500_000_000;
    /// 2040
    const FAR: i64 = 2_208_988_800_000;

    fn reading(machine_ms: i64, boot_ms: i64, boot: u64) -> Reading {
        Reading { machine_ms, boot_ms, boot }
    }

    #[test]
    fn the_machines_clock_counts_only_over_a_restart_and_only_where_it_can_be_right() {
        let start = Lived::beginning(reading(NOW, 10 * HOUR, 1));
        for (name, now, ms, span) in [
            ("it runs", reading(NOW + 2 * HOUR, 12 * HOUR, 1), 2 * HOUR, Span::Known),
            ("it runs, in 1970", reading(0, 12 * HOUR, 1), 2 * HOUR, Span::Known),
            ("it runs, in 2040", reading(FAR, 12 * HOUR, 1), 2 * HOUR, Span::Known),
            ("off for a night", reading(NOW + 13 * HOUR, HOUR, 2), 13 * HOUR, Span::Known),
            ("the clock is set right meanwhile", reading(NOW + HOUR - 60_000, HOUR, 2), HOUR, Span::Known),
            ("restarted in 1970", reading(0, HOUR, 2), HOUR, Span::AtLeast),
            ("restarted in 2040", reading(FAR, HOUR, 2), HOUR, Span::AtLeast),
            ("off for a month and a day", reading(NOW + 31 * DAY, 60_000, 2), 60_000, Span::AtLeast),
            ("a day ago", reading(NOW - DAY, HOUR, 2), HOUR, Span::AtLeast),
            ("restarted under the same number", reading(NOW + HOUR, HOUR / 2, 1), HOUR, Span::Known),
        ] {
            let (lived, known) = start.at(now);
            assert_eq!((lived.ms, known), (ms, span), "{name}");
            assert_eq!(lived.at(now), (lived, Span::Known), "{name}: no time passes between two equal looks");
        }
    }

    #[test]
    fn odd_readings_never_turn_it_back() {
        let mut lived = Lived::beginning(reading(NOW, 0, 1));
        let odd = [i64::MIN, -1, 0, 1, NOW, FAR, i64::MAX];
        for machine_ms in odd {
            for boot_ms in odd {
                for boot in [1, 2] {
                    let (next, _) = lived.at(reading(machine_ms, boot_ms, boot));
                    assert!(next.ms >= lived.ms, "{machine_ms} {boot_ms} {boot}");
                    lived = next;
                }
            }
        }
    }
}
