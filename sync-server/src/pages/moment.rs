//! When a page that tells nothing is answered: at a fixed moment after its request began, whatever was looked at
//! meanwhile, so that nobody reads from a clock what the words do not say.
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A refusal is answered at a multiple of this. Looking after a slip takes about a millisecond; a store that is slow for
/// a while puts all refusals off to the next multiple.
pub(super) const REFUSED_EVERY: Duration = Duration::from_millis(150);

/// When a request began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun(Instant);

impl Begun {
    /// Now.
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// Waits for the moment of refusals, at most [`REFUSED_EVERY`] from now; keeps no thread and no store busy.
    pub async fn until_refused(self) {
        sleep_until(self.0 + moment(self.0.elapsed())).await;
    }
}

/// The moment for what took so long: the next multiple, and never zero.
fn moment(taken: Duration) -> Duration {
    let whole = taken.as_nanos() / REFUSED_EVERY.as_nanos();
    REFUSED_EVERY.saturating_mul(u32::try_from(whole).unwrap_or(u32::MAX).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_work_takes_the_moment_is_the_same() {
        for micros in [0, 1, 900, 1_700, 20_000, 149_999] {
            assert_eq!(moment(Duration::from_micros(micros)), REFUSED_EVERY, "{micros}");
        }
        assert_eq!(moment(REFUSED_EVERY), REFUSED_EVERY * 2);
        assert_eq!(moment(Duration::from_millis(449)), REFUSED_EVERY * 3);
        assert!(moment(Duration::MAX) > Duration::from_secs(3_600), "bounded, without a panic");
    }
}
