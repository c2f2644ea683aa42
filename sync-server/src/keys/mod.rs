//! The centre's private keys: files of mode 0600 in `keys/`, made once, never overwritten.
//!
//! | file | for |
//! |---|---|
//! | `receipt.key` | signs receipts (Ed25519 seed) |
//! | `sealing.key` | opens what terminals seal (X25519 seed); later ones are `sealing-ID.key`, see [`crate::sealing_ring`] |
//! | `authority.key` | signs the certificates of terminals and of the terminals' listener (Ed25519 seed) |
//! | `person.key` | exact search for a person (HMAC-SHA256) |
//! | `year-2026.key` | wraps the data keys of the cases of that year |
//!
//! A key that is missing beside a store that already knows it is an error with advice, never a reason to make
//! another one: content sealed to the lost key could not be opened with it.
mod seed_file;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use domain::envelope::{DataKey, DeviceKey, Digest, SealingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use operator::private;
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

pub(crate) use self::seed_file::file_error;
pub use self::seed_file::{Seed, make_seed_file, read_seed_file, readable_by_others, write_seed_file};
use self::seed_file::{random_seed, read_or_make_seed_file};
use crate::authority::{Authority, AuthorityError};
use crate::sealing_ring::{FIRST_FILE, SealingRing};

/// The files without which nothing of a store can be read or signed.
pub const MAIN_FILES: [&str; 3] = ["receipt.key", FIRST_FILE, "person.key"];

/// The file of the authority; stores that are older than it get one at the next start.
pub const AUTHORITY_FILE: &str = "authority.key";

/// A key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file or folder cannot be read or written.
    #[error("key file {path}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The file does not hold 64 hexadecimal digits.
    #[error("key file {path} does not hold 64 hexadecimal digits: restore it from the key backup")]
    Malformed {
        /// Which one.
        path: PathBuf,
    },
    /// Terminals trust a key that is gone.
    #[error(
        "key file {path} is gone or another one than terminals trust: restore it from the key backup; with another one \
         every terminal would have to be enrolled anew"
    )]
    OtherAuthority {
        /// Which one.
        path: PathBuf,
    },
    /// The key makes no authority.
    #[error("key file {path} makes no authority for certificates")]
    Authority {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: AuthorityError,
    },
    /// Cases of the store are sealed under a key that is gone.
    #[error("key file {path} is gone, and cases are sealed under it: restore it from the key backup")]
    Lost {
        /// Which one.
        path: PathBuf,
    },
    /// The key of a year is not the one under which cases are sealed.
    #[error("key file {path} is not the one under which cases are sealed: restore it from the key backup")]
    OtherYear {
        /// Which one.
        path: PathBuf,
    },
    /// A file of a sealing key holds another key than its name says.
    #[error("key file {path} holds another key than its name says: restore it from the key backup")]
    OtherSealing {
        /// Which one.
        path: PathBuf,
    },
    /// The store was written with keys that are not these.
    #[error(
        "the keys in {path} are not those of this store: restore the folder from the key backup, or share that of \
         the servers that use the store"
    )]
    NotOfThisStore {
        /// The folder.
        path: PathBuf,
    },
}

/// All private keys of a centre. Never printed; wiped when dropped.
pub struct Keys {
    /// Signs receipts.
    pub receipt: DeviceKey,
    /// Open what terminals seal.
    pub sealing: SealingRing,
    /// Issues certificates.
    pub authority: Authority,
    person: Seed,
    years: Years,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({:?})", self.receipt)
    }
}

impl Keys {
    /// Loads the keys of a folder, making those that are missing.
    ///
    /// # Errors
    /// [`KeyError`] if a file cannot be read, written or understood.
    pub fn load_or_make(folder: &Path, rng: &mut impl CryptoRng) -> Result<Self, KeyError> {
        private::folder(folder).map_err(|e| file_error(folder, e))?;
        Self::of(folder, |path| read_or_make_seed_file(path, rng))
    }

    /// Loads the keys of a folder and makes none, for those who only look.
    ///
    /// # Errors
    /// [`KeyError`] if a file is missing, cannot be read or not be understood.
    pub fn load(folder: &Path) -> Result<Self, KeyError> {
        Self::of(folder, read_seed_file)
    }

    /// Loads the authority alone, for those who only show its fingerprint or certify.
    ///
    /// # Errors
    /// [`KeyError`] if its file is missing, cannot be read or not be understood.
    pub fn load_authority(folder: &Path) -> Result<Authority, KeyError> {
        authority_of(folder, read_seed_file)
    }

    fn of(folder: &Path, mut seed_at: impl FnMut(&Path) -> Result<Seed, KeyError>) -> Result<Self, KeyError> {
        let mut seed = |name: &str| seed_at(&folder.join(name));
        Ok(Self {
            receipt: DeviceKey::from_seed(*seed("receipt.key")?),
            sealing: SealingRing::new(Some(folder.to_owned()), SealingKey::from_seed(*seed(FIRST_FILE)?)),
            person: seed("person.key")?,
            authority: authority_of(folder, seed_at)?,
            years: Years { folder: Some(folder.to_owned()), known: Mutex::default() },
        })
    }

    /// Keys that live in memory only, for tests and simulations.
    ///
    /// # Errors
    /// [`AuthorityError`] if no authority can be made of its key.
    pub fn in_memory(rng: &mut impl CryptoRng) -> Result<Self, AuthorityError> {
        Ok(Self {
            receipt: DeviceKey::from_seed(*random_seed(rng)),
            sealing: SealingRing::new(None, SealingKey::from_seed(*random_seed(rng))),
            person: random_seed(rng),
            authority: Authority::of(&DeviceKey::from_seed(*random_seed(rng)))?,
            years: Years { folder: None, known: Mutex::default() },
        })
    }

    /// A text that tells these keys from others and gives nothing away; the store keeps it.
    pub fn fingerprint(&self) -> String {
        let parts = [
            self.receipt.public().key_id().to_string(),
            self.sealing.first().public().key_id().to_string(),
            Digest::of(&self.person_hmac("fingerprint", "")).short(),
        ];
        parts.join(".")
    }

    /// HMAC of what identifies a person, for exact search.
    pub fn person_hmac(&self, kind: &str, text: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.person.as_ref())
            .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The key that wraps data keys of cases of a year; made at the first case of that year. Once it was used it
    /// stays in memory: a file that vanishes under a running server is never made anew.
    ///
    /// # Errors
    /// [`KeyError`] if its file cannot be read or written.
    pub fn of_year(&self, year: i16, rng: &mut dyn CryptoRng) -> Result<YearKey, KeyError> {
        let id = format!("year-{year}");
        let mut known = self.years.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.get(&id) {
            return Ok(YearKey::new(id, key.clone()));
        }
        let seed = match &self.years.folder {
            Some(folder) => read_or_make_seed_file(&folder.join(format!("{id}.key")), rng)?,
            None => random_seed(rng),
        };
        let key = DataKey::from_bytes(*seed);
        known.insert(id.clone(), key.clone());
        Ok(YearKey::new(id, key))
    }

    /// Reads the key of a year under which cases are sealed; gives its fingerprint.
    ///
    /// # Errors
    /// [`KeyError::Lost`] if it is gone: it is not made anew.
    pub fn load_year(&self, id: &str) -> Result<String, KeyError> {
        let path = self.year_path(id);
        if !path.exists() {
            return Err(KeyError::Lost { path });
        }
        let key = DataKey::from_bytes(*read_seed_file(&path)?);
        let fingerprint = YearKey::new(id.to_owned(), key.clone()).fingerprint();
        self.years.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), key);
        Ok(fingerprint)
    }

    /// The key of a year under which cases are sealed; never made anew.
    ///
    /// # Errors
    /// [`KeyError::Lost`] if it is gone, or what is wrong with its file.
    pub fn known_year(&self, id: &str) -> Result<DataKey, KeyError> {
        let kept = || self.years.known.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(key) = kept() {
            return Ok(key);
        }
        self.load_year(id)?;
        kept().ok_or_else(|| KeyError::Lost { path: self.year_path(id) })
    }

    /// The file of the key of a year.
    pub fn year_path(&self, id: &str) -> PathBuf {
        self.years.folder.as_deref().unwrap_or(Path::new("")).join(format!("{id}.key"))
    }
}

/// The key of a year and its id.
pub struct YearKey {
    /// Such as `year-2026`.
    pub id: String,
    /// Wraps the data keys of cases.
    pub key: DataKey,
}

impl YearKey {
    fn new(id: String, key: DataKey) -> Self {
        Self { id, key }
    }

    /// A text that tells this key from others and gives nothing away; the store keeps it.
    pub fn fingerprint(&self) -> String {
        let mut text = Zeroizing::new(b"fingerprint of a year key\0".to_vec());
        text.extend_from_slice(self.key.to_bytes().as_ref());
        Digest::of(&text).short()
    }
}

struct Years {
    folder: Option<PathBuf>,
    known: Mutex<BTreeMap<String, DataKey>>,
}

fn authority_of(
    folder: &Path,
    seed_at: impl FnOnce(&Path) -> Result<Seed, KeyError>,
) -> Result<Authority, KeyError> {
    let path = folder.join(AUTHORITY_FILE);
    let key = DeviceKey::from_seed(*seed_at(&path)?);
    Authority::of(&key).map_err(|source| KeyError::Authority { path, source })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn keys_are_made_once_and_kept() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = dir.path().join("keys");
        let first = Keys::load_or_make(&folder, &mut ChaCha20Rng::seed_from_u64(1)).expect("made");
        let again = Keys::load_or_make(&folder, &mut ChaCha20Rng::seed_from_u64(2)).expect("loaded");
        assert_eq!(first.fingerprint(), again.fingerprint());
        let year = first.of_year(2026, &mut ChaCha20Rng::seed_from_u64(3)).expect("made");
        assert_eq!(again.load_year("year-2026").expect("loaded"), year.fingerprint());
        // Loaded once, it is never made anew, whatever becomes of the file.
        fs::remove_file(again.year_path("year-2026")).expect("removed");
        let same = again.of_year(2026, &mut ChaCha20Rng::seed_from_u64(4)).expect("in memory");
        assert_eq!((year.id.as_str(), year.fingerprint()), ("year-2026", same.fingerprint()));
        assert!(matches!(again.load_year("year-2026"), Err(KeyError::Lost { .. })));
        assert!(!again.year_path("year-2026").exists());
        assert_eq!(readable_by_others(&folder).expect("readable"), Vec::<String>::new());
        let other = Keys::in_memory(&mut ChaCha20Rng::seed_from_u64(9)).expect("keys");
        assert_ne!(first.fingerprint(), other.fingerprint());
    }

    #[test]
    fn servers_that_share_a_folder_make_one_key_between_them() {
        for round in 0..20 {
            let dir = tempfile::tempdir().expect("a temporary folder");
            let all: Vec<_> = std::thread::scope(|scope| {
                let one = |n| {
                    let folder = dir.path();
                    scope.spawn(move || {
                        let mut rng = ChaCha20Rng::seed_from_u64(round * 100 + n);
                        let keys = Keys::load_or_make(folder, &mut rng).expect("keys");
                        let year = keys.of_year(2026, &mut rng).expect("a key").fingerprint();
                        format!("{} {year}", keys.fingerprint())
                    })
                };
                let threads: Vec<_> = (0..4_u64).map(one).collect();
                threads.into_iter().map(|t| t.join().expect("ends")).collect()
            });
            assert!(all.iter().all(|keys| *keys == all[0]), "{all:?}");
            let seen = Keys::load(dir.path()).expect("keys");
            let year = seen.load_year("year-2026").expect("a key");
            assert_eq!(
                format!("{} {year}", seen.fingerprint()),
                all[0],
                "and what they use is what lies there"
            );
            let names: Vec<_> = fs::read_dir(dir.path()).expect("readable").flatten().collect();
            assert_eq!(names.len(), 5, "{names:?}");
        }
        let empty = tempfile::tempdir().expect("a temporary folder");
        assert!(Keys::load(empty.path()).is_err());
        assert_eq!(fs::read_dir(empty.path()).expect("readable").count(), 0, "who only looks makes nothing");
    }

    #[test]
    fn a_damaged_key_is_an_error_and_stays_as_it_is() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("sealing.key"), "short").expect("written");
        let result = Keys::load_or_make(dir.path(), &mut ChaCha20Rng::seed_from_u64(1));
        assert!(matches!(result, Err(KeyError::Malformed { .. })));
        assert_eq!(fs::read_to_string(dir.path().join("sealing.key")).expect("there"), "short");
        assert_eq!(readable_by_others(dir.path()).expect("readable"), ["sealing.key"]);
    }

    #[test]
    fn an_hmac_tells_kinds_apart() {
        let keys = Keys::in_memory(&mut ChaCha20Rng::seed_from_u64(1)).expect("keys");
        assert_ne!(keys.person_hmac("phone", "1"), keys.person_hmac("name", "1"));
        assert_eq!(keys.person_hmac("phone", "1"), keys.person_hmac("phone", "1"));
    }
}
