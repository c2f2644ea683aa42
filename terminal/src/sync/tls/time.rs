//! The time by which certificates are judged: the centre's last word and what passed since by a clock that nobody sets,
//! so that a machine whose clock jumps is not cut off from the centre.
//!
//! Without any word of the centre it is the machine's clock. Refuses to learn the time from whoever answers.
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use crate::clock::Clock;

/// See the module.
pub struct CentreTime {
    clock: Arc<dyn Clock>,
    /// The time by the centre, and since boot, when this was made.
    known: Option<(i64, u64)>,
}

impl CentreTime {
    /// The machine's clock.
    pub fn of_machine(clock: Arc<dyn Clock>) -> Self {
        Self { clock, known: None }
    }

    /// The time that the centre's last word comes to now, milliseconds since 1970; without one the machine's clock.
    pub fn by(clock: Arc<dyn Clock>, calendar_ms: Option<i64>) -> Self {
        let known = calendar_ms.map(|ms| (ms, clock.boot_ms()));
        Self { clock, known }
    }

    /// Now, milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        match self.known {
            None => self.clock.now_ms(),
            Some((ms, boot_ms)) => {
                let since = self.clock.boot_ms().saturating_sub(boot_ms);
                ms.saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
            }
        }
    }
}

impl fmt::Debug for CentreTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CentreTime({})", self.now_ms())
    }
}

impl TimeProvider for CentreTime {
    fn current_time(&self) -> Option<UnixTime> {
        let since = u64::try_from(self.now_ms()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(since)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    struct Clocks(AtomicI64, AtomicI64);

    impl Clock for Clocks {
        fn now_ms(&self) -> i64 {
            self.0.load(Ordering::SeqCst)
        }
        fn boot_ms(&self) -> u64 {
            self.1.load(Ordering::SeqCst).unsigned_abs()
        }
    }

    #[test]
    fn a_machine_whose_clock_jumps_keeps_the_centres_time() {
        let clocks = Arc::new(Clocks(AtomicI64::new(5_000), AtomicI64::new(100)));
        let (machine, centre) =
            (CentreTime::of_machine(clocks.clone()), CentreTime::by(clocks.clone(), Some(1_000_000)));
        clocks.0.store(-7, Ordering::SeqCst);
        clocks.1.store(350, Ordering::SeqCst);
        assert_eq!((machine.now_ms(), centre.now_ms()), (-7, 1_000_250));
        assert!(machine.current_time().is_none(), "a time that no certificate knows");
        assert_eq!(centre.current_time().map(|t| t.as_secs()), Some(1_000));
    }
}
