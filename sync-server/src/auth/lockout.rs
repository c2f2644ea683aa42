//! How long somebody waits after wrong passwords: pure arithmetic over what was counted.
//!
//! The steps are those of VotingWorks' smart-card sign-in (`libs/auth/src/lockout.ts`): five tries, then 15 seconds,
//! doubled with each further one. Refuses to lock for ever: nobody must be able to shut somebody else out for good.

/// What is counted under one key: a sign-in name, or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// Wrong tries since the last right one.
    pub count: u32,
    /// The last of them, milliseconds since 1970.
    pub last_ms: i64,
}

/// How a key is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Tries without a pause.
    pub free: u32,
    /// The longest pause, in milliseconds.
    pub longest_ms: i64,
    /// After so long without a wrong try all is forgotten, in milliseconds.
    pub forget_ms: i64,
}

/// The first pause, in milliseconds; each further one is twice as long.
const FIRST_PAUSE_MS: i64 = 15_000;
const HOUR_MS: i64 = 3_600_000;

/// One sign-in name.
pub const NAME: Rule = Rule { free: 5, longest_ms: HOUR_MS, forget_ms: 24 * HOUR_MS };
/// One case number whose slip is looked after by the end of a phone number, of which there are ten thousand.
pub const SLIP: Rule = Rule { free: 5, longest_ms: 24 * HOUR_MS, forget_ms: 7 * 24 * HOUR_MS };
/// One address: a whole office may sit behind it.
pub const ADDRESS: Rule = Rule { free: 50, longest_ms: HOUR_MS / 4, forget_ms: 2 * HOUR_MS };

impl Rule {
    /// How long to wait before another try is looked at, in milliseconds; nothing if it may come now.
    pub fn wait_ms(&self, failures: Failures, now_ms: i64) -> Option<i64> {
        let failures = self.remembered(failures, now_ms);
        // Two calls that run at the same time write in any order: without a pause nobody waits for the other.
        let pause_ms = Some(self.pause_ms(failures.count)).filter(|ms| *ms > 0)?;
        let wait = failures.last_ms + pause_ms - now_ms;
        (wait > 0).then_some(wait)
    }

    /// What is counted after a further wrong try.
    pub fn after_another(&self, failures: Failures, now_ms: i64) -> Failures {
        let count = self.remembered(failures, now_ms).count.saturating_add(1);
        Failures { count, last_ms: now_ms }
    }

    /// The pause after so many wrong tries, in milliseconds.
    pub fn pause_ms(&self, count: u32) -> i64 {
        match count.checked_sub(self.free) {
            None => 0,
            Some(beyond) => FIRST_PAUSE_MS.saturating_mul(1 << beyond.min(20)).min(self.longest_ms),
        }
    }

    /// Nothing, if it is long ago; and nothing, if a clock that was wrong wrote it in the far future.
    fn remembered(&self, failures: Failures, now_ms: i64) -> Failures {
        let age_ms = now_ms.saturating_sub(failures.last_ms);
        if age_ms > self.forget_ms || age_ms < -self.longest_ms { Failures::default() } else { failures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_541_400_000;

    #[test]
    fn pauses_begin_at_fifteen_seconds_double_and_end_at_an_hour() {
        let pauses: Vec<_> = (4..14).map(|n| NAME.pause_ms(n) / 1_000).collect();
        assert_eq!(pauses, [0, 15, 30, 60, 120, 240, 480, 960, 1_920, 3_600]);
        assert_eq!(NAME.pause_ms(u32::MAX), HOUR_MS);
        assert_eq!((ADDRESS.pause_ms(49), ADDRESS.pause_ms(50)), (0, 15_000));
    }

    #[test]
    fn a_pause_runs_from_the_last_wrong_try_and_ends() {
        let mut failures = Failures::default();
        for n in 0..5 {
            assert_eq!(NAME.wait_ms(failures, NOW + n), None, "{n}");
            failures = NAME.after_another(failures, NOW + n);
        }
        assert_eq!(failures, Failures { count: 5, last_ms: NOW + 4 });
        assert_eq!(NAME.wait_ms(failures, NOW + 4), Some(15_000));
        assert_eq!(NAME.wait_ms(failures, NOW + 15_003), Some(1));
        assert_eq!(NAME.wait_ms(failures, NOW + 15_004), None);
        assert_eq!(NAME.after_another(failures, NOW + 20_000).count, 6);
        let other_call = NAME.after_another(Failures::default(), NOW + 3);
        assert_eq!(NAME.wait_ms(other_call, NOW), None, "written by a call that began later");
    }

    #[test]
    fn it_is_forgotten_after_a_day_and_after_a_wrong_clock() {
        let many = Failures { count: 40, last_ms: NOW };
        assert_eq!(NAME.wait_ms(many, NOW + HOUR_MS - 1), Some(1));
        assert_eq!(NAME.after_another(many, NOW + NAME.forget_ms).count, 41);
        assert_eq!(NAME.after_another(many, NOW + NAME.forget_ms + 1).count, 1);
        // Written while the clock stood in 2040.
        let future = Failures { count: 40, last_ms: NOW + 400_000_000_000 };
        assert_eq!(NAME.wait_ms(future, NOW), None);
        assert_eq!(NAME.wait_ms(Failures { count: 1, last_ms: i64::MIN }, i64::MAX), None);
    }
}
