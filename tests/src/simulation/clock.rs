//! One time for everything in a simulation, and the clocks that show it, rightly or wrongly.
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::centre::Surroundings;
use terminal::clock::Clock;

/// The time of a simulation, milliseconds since 1970. Only its world moves it.
#[derive(Debug, Default)]
pub struct Time(AtomicI64);

impl Time {
    /// The time.
    pub fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Moves it.
    pub fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }
}

/// The clock of a machine: it may be wrong or stand still; the time since its start is right.
#[derive(Debug)]
pub struct MachineClock {
    time: Arc<Time>,
    wrong_ms: AtomicI64,
    /// What it shows while it stands still.
    frozen_ms: AtomicI64,
    started_ms: AtomicI64,
    starts: AtomicU64,
}

impl MachineClock {
    /// A right one.
    pub fn new(time: Arc<Time>) -> Self {
        let started_ms = AtomicI64::new(time.now_ms());
        Self {
            time,
            wrong_ms: AtomicI64::new(0),
            frozen_ms: AtomicI64::new(i64::MIN),
            started_ms,
            starts: AtomicU64::new(1),
        }
    }

    /// It is wrong by so much more from now on.
    pub fn jump(&self, ms: i64) {
        self.wrong_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// It stands still.
    pub fn freeze(&self) {
        self.frozen_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// It is right and goes.
    pub fn set_right(&self) {
        self.wrong_ms.store(0, Ordering::Relaxed);
        self.frozen_ms.store(i64::MIN, Ordering::Relaxed);
    }

    /// The machine was started again.
    pub fn restart(&self) {
        self.started_ms.store(self.time.now_ms(), Ordering::Relaxed);
        self.starts.fetch_add(1, Ordering::Relaxed);
    }
}

impl Clock for MachineClock {
    fn now_ms(&self) -> i64 {
        match self.frozen_ms.load(Ordering::Relaxed) {
            i64::MIN => self.time.now_ms().saturating_add(self.wrong_ms.load(Ordering::Relaxed)),
            frozen_ms => frozen_ms,
        }
    }

    fn boot_ms(&self) -> u64 {
        let since = self.time.now_ms().saturating_sub(self.started_ms.load(Ordering::Relaxed));
        u64::try_from(since).unwrap_or(0)
    }

    fn boot(&self) -> u64 {
        self.starts.load(Ordering::Relaxed)
    }
}

/// What a centre is surrounded by: its machine's clock and a stream of seeds.
pub struct AroundCentre {
    /// Its clock.
    pub clock: Arc<MachineClock>,
    /// Makes every generator another one.
    pub seeds: Arc<AtomicU64>,
}

impl Surroundings for AroundCentre {
    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn random(&self) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(self.seeds.fetch_add(1, Ordering::Relaxed))
    }
}
