//! Hashing of passwords with Argon2id, and the few places in which it may go on at the same time.
//!
//! One hash takes 19 MiB and some 20 ms on purpose. Without a bound, a crowd at the sign-in page would take all memory
//! and both cores from the terminals: so two work, a few wait, and whoever comes on top hears that the centre is busy.
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use super::password::Password;
use crate::error::{ProblemCode, ServiceError};

/// Memory of one hash in KiB, passes over it, lanes: OWASP Password Storage Cheat Sheet, Argon2id, second row.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;
/// Hashes at the same time: 38 MiB.
const WORKING: usize = 2;
/// Callers that may wait for a place.
const WAITING: usize = 16;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// A hash of nobody's password. Whoever signs in with a name that nobody has is compared with it, so that the answer
/// takes as long as with a name that somebody has.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$amluYmFuLW5vLXBlcnNvbg$4QzZfWZ1dVnW1R3m7o0gk1J3x8o2b9w5pHc6sT0uYrE";

/// Makes and compares hashes. The product has one; tests count its calls.
pub trait Hash: Send + Sync {
    /// The hash of a password, as the store keeps it.
    ///
    /// # Errors
    /// [`ServiceError`] if it cannot be made.
    fn make(&self, password: &Password, salt: &[u8; SALT_BYTES]) -> Result<String, ServiceError>;
    /// Whether a password is the one of a hash. It takes as long whether it is or not.
    ///
    /// # Errors
    /// [`ServiceError`] if what is stored is no hash.
    fn matches(&self, password: &Password, stored: &str) -> Result<bool, ServiceError>;
}

/// Argon2id with the parameters above.
#[derive(Debug, Clone, Copy)]
pub struct Argon2id;

impl Argon2id {
    fn context() -> Result<Argon2<'static>, ServiceError> {
        let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None)
            .map_err(|e| ServiceError::Inconsistent(format!("parameters of the password hash: {e}")))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
    }
}

impl Hash for Argon2id {
    fn make(&self, password: &Password, salt: &[u8; SALT_BYTES]) -> Result<String, ServiceError> {
        let bytes = password.bytes().ok_or(ProblemCode::TooLarge)?;
        let hash = Self::context()?.hash_password_with_salt(bytes, salt);
        let hash =
            hash.map_err(|e| ServiceError::Inconsistent(format!("a password could not be hashed: {e}")))?;
        Ok(hash.to_string())
    }

    fn matches(&self, password: &Password, stored: &str) -> Result<bool, ServiceError> {
        let stored = PasswordHash::new(stored)
            .map_err(|e| ServiceError::Inconsistent(format!("a stored password hash cannot be read: {e}")))?;
        // A text that is too long costs as much as any other, and is never right.
        let (bytes, possible) = password.bytes().map_or((&b""[..], false), |bytes| (bytes, true));
        let right = Self::context()?.verify_password(bytes, &stored).is_ok();
        Ok(right && possible)
    }
}

/// The hashing of one server.
pub struct Hashing {
    hash: Box<dyn Hash>,
    places: Places,
}

impl Default for Hashing {
    fn default() -> Self {
        Self::with(Box::new(Argon2id))
    }
}

impl Hashing {
    /// Hashing by another function.
    pub fn with(hash: Box<dyn Hash>) -> Self {
        Self { hash, places: Places::new(WORKING, WAITING, PATIENCE) }
    }

    /// See [`Hash::make`]; may wait for a place.
    ///
    /// # Errors
    /// [`ServiceError`]: `busy` if too many wait, or it cannot be made.
    pub fn make(&self, password: &Password, salt: &[u8; SALT_BYTES]) -> Result<String, ServiceError> {
        self.places.take(|| self.hash.make(password, salt)).ok_or(ProblemCode::Busy)?
    }

    /// Whether a password is the one of a hash; without a hash the answer is no, at the same price.
    ///
    /// # Errors
    /// [`ServiceError`]: `busy` if too many wait, or what is stored is no hash.
    pub fn matches(&self, password: &Password, stored: Option<&str>) -> Result<bool, ServiceError> {
        let work = || self.hash.matches(password, stored.unwrap_or(DECOY));
        let right = self.places.take(work).ok_or(ProblemCode::Busy)??;
        Ok(right && stored.is_some())
    }
}

/// A bounded number of callers at work, and a bounded number that wait.
struct Places {
    working: usize,
    waiting: usize,
    patience: Duration,
    taken: Mutex<Taken>,
    freed: Condvar,
}

#[derive(Default)]
struct Taken {
    working: usize,
    waiting: usize,
}

impl Places {
    fn new(working: usize, waiting: usize, patience: Duration) -> Self {
        Self { working, waiting, patience, taken: Mutex::default(), freed: Condvar::new() }
    }

    /// Does work once there is a place; nothing if too many wait already, or it takes too long.
    fn take<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let _place = self.wait()?;
        Some(work())
    }

    fn wait(&self) -> Option<Place<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.working >= self.working {
            if taken.waiting >= self.waiting {
                return None;
            }
            taken.waiting += 1;
            let full = |taken: &mut Taken| taken.working >= self.working;
            taken = self
                .freed
                .wait_timeout_while(taken, self.patience, full)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            taken.waiting -= 1;
            if taken.working >= self.working {
                return None;
            }
        }
        taken.working += 1;
        Some(Place(self))
    }
}

/// Given back when dropped, also in a panic.
struct Place<'a>(&'a Places);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner).working -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_hash_is_argon2id_with_the_parameters_of_owasp_and_knows_its_password() {
        let password = Password::typed("Blue-lake-37");
        let hash = Argon2id.make(&password, &[7; SALT_BYTES]).expect("made");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(Argon2id.matches(&password, &hash).expect("compared"));
        for wrong in ["", "blue-lake-37", "Blue-lake-37 ", &"x".repeat(100_000)] {
            assert!(!Argon2id.matches(&Password::typed(wrong), &hash).expect("compared"), "{}", wrong.len());
        }
        assert_ne!(Argon2id.make(&password, &[8; SALT_BYTES]).expect("made"), hash);
        for odd in ["", "x", "$argon2id$v=19$m=19456,t=2,p=1$", "$2b$10$abc"] {
            assert!(Argon2id.matches(&password, odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn nobodys_hash_costs_as_much_as_anybodys_and_fits_no_password() {
        let real = Argon2id.make(&Password::typed("Blue-lake-37"), &[7; SALT_BYTES]).expect("made");
        let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!((cost(DECOY), DECOY.len()), (cost(&real), real.len()));
        let hashing = Hashing::default();
        assert!(!hashing.matches(&Password::typed("Blue-lake-37"), None).expect("compared"));
        assert!(hashing.matches(&Password::typed("Blue-lake-37"), Some(&real)).expect("compared"));
    }

    #[test]
    fn a_few_work_a_few_wait_and_the_rest_is_sent_away() {
        let places = Places::new(1, 1, Duration::from_secs(60));
        let (began_in, began) = channel();
        let (go_in, go) = channel::<()>();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                places.take(move || {
                    began_in.send(()).expect("told");
                    go.recv().expect("told to go on");
                })
            });
            began.recv().expect("the first works");
            let second = scope.spawn(|| places.take(|| ()));
            while places.taken.lock().expect("taken").waiting == 0 {
                std::thread::yield_now();
            }
            assert_eq!(places.take(|| ()), None, "the third is sent away");
            go_in.send(()).expect("the first goes on");
            assert_eq!((first.join().expect("done"), second.join().expect("done")), (Some(()), Some(())));
        });
        let short = Places::new(1, 1, Duration::from_millis(1));
        assert_eq!(short.take(|| short.take(|| ())), Some(None), "nobody waits for ever");
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            short.take(|| panic!("in a hash"));
        }));
        assert!(broken.is_err() && short.take(|| ()).is_some(), "a place comes back after a panic");
    }
}
