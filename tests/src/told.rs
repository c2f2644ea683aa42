//! A clock that only the test moves, and randomness from a fixed seed.
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::centre::Surroundings;

/// The surroundings of a centre in a test; the time is milliseconds since 1970.
pub struct Told(pub Arc<AtomicI64>);

impl Surroundings for Told {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }

    fn random(&self) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(3)
    }
}
