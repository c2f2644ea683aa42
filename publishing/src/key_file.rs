//! Key files: PKCS#8 DER of mode 0600, made once and never overwritten.
//!
//! Online keys lie plain beside the server's other keys. Offline keys are encrypted under a passphrase as PKCS#5 has
//! it (PBES2: scrypt and AES-256-CBC), so that OpenSSL reads them too. Refuses short passphrases.
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, PrivateKeyInfoRef};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

pub use crate::files::FileError;
use crate::files::{make_folder, read_if_there, write_new};
use crate::key::RoleKey;

/// Bytes of a key file, at most; a real one has under 300.
const MOST_BYTES: u64 = 4_096;
/// Characters of a passphrase, at least and at most.
const PASSPHRASE_CHARS: std::ops::RangeInclusive<usize> = 12..=1_024;

/// A key file cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("key file")]
    File(#[from] FileError),
    /// There is none.
    #[error("there is no key file {path}")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It holds no Ed25519 key in PKCS#8.
    #[error("key file {path} holds no Ed25519 key in PKCS#8")]
    Malformed {
        /// Which one.
        path: PathBuf,
    },
    /// The passphrase does not open it, or it is damaged.
    #[error("key file {path} cannot be opened: another passphrase, or a damaged file")]
    Passphrase {
        /// Which one.
        path: PathBuf,
    },
    /// A key of this machine's owner only may be plain; this one others can read.
    #[error("others may read key file {path}: chmod 600")]
    Readable {
        /// Which one.
        path: PathBuf,
    },
    /// The passphrase is too short or too long.
    #[error("a passphrase has 12 to 1024 characters")]
    Weak,
    /// The key cannot be encoded.
    #[error("the key cannot be encoded")]
    Encoding,
}

/// A passphrase; wiped when dropped, never printed.
pub struct Passphrase(Zeroizing<String>);

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl Passphrase {
    /// A passphrase of sufficient length.
    ///
    /// # Errors
    /// [`KeyFileError::Weak`] otherwise.
    pub fn new(text: Zeroizing<String>) -> Result<Self, KeyFileError> {
        if PASSPHRASE_CHARS.contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(KeyFileError::Weak)
        }
    }
}

/// Writes an online key, plain.
///
/// # Errors
/// [`KeyFileError`]; a file that is there stays as it is.
pub fn write_plain(path: &Path, key: &RoleKey) -> Result<(), KeyFileError> {
    let der = key.0.to_pkcs8_der().map_err(|_| KeyFileError::Encoding)?;
    write(path, der.as_bytes())
}

/// Reads an online key.
///
/// # Errors
/// [`KeyFileError`] if there is none, others may read it, or it is no key.
pub fn read_plain(path: &Path) -> Result<RoleKey, KeyFileError> {
    let bytes = read(path)?;
    refuse_readable(path)?;
    let key = SigningKey::from_pkcs8_der(&bytes);
    key.map(RoleKey).map_err(|_| KeyFileError::Malformed { path: path.to_owned() })
}

/// Writes an offline key under a passphrase.
///
/// # Errors
/// [`KeyFileError`]; a file that is there stays as it is.
pub fn write_sealed<R: CryptoRng>(
    path: &Path,
    key: &RoleKey,
    passphrase: &Passphrase,
    rng: &mut R,
) -> Result<(), KeyFileError> {
    let plain = key.0.to_pkcs8_der().map_err(|_| KeyFileError::Encoding)?;
    let info = PrivateKeyInfoRef::try_from(plain.as_bytes()).map_err(|_| KeyFileError::Encoding)?;
    let sealed = info.encrypt_with_rng(rng, passphrase.0.as_bytes()).map_err(|_| KeyFileError::Encoding)?;
    write(path, sealed.as_bytes())
}

/// Opens an offline key.
///
/// # Errors
/// [`KeyFileError`] if there is none or the passphrase does not open it.
pub fn read_sealed(path: &Path, passphrase: &Passphrase) -> Result<RoleKey, KeyFileError> {
    let bytes = read(path)?;
    let key = SigningKey::from_pkcs8_encrypted_der(&bytes, passphrase.0.as_bytes());
    key.map(RoleKey).map_err(|_| KeyFileError::Passphrase { path: path.to_owned() })
}

fn write(path: &Path, der: &[u8]) -> Result<(), KeyFileError> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    Ok(write_new(path, der)?)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let bytes = read_if_there(path, MOST_BYTES)?;
    bytes.map(Zeroizing::new).ok_or_else(|| KeyFileError::Missing { path: path.to_owned() })
}

fn refuse_readable(path: &Path) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let about = std::fs::metadata(path).map_err(crate::files::at(path))?;
    if about.permissions().mode() & 0o077 == 0 {
        Ok(())
    } else {
        Err(KeyFileError::Readable { path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned())).expect("long enough")
    }

    #[test]
    fn a_sealed_key_opens_with_its_passphrase_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys/root-1.p8");
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = RoleKey::new(&mut rng);
        let words = passphrase("correct horse battery staple");
        write_sealed(&path, &key, &words, &mut rng).expect("written");
        let again = read_sealed(&path, &words).expect("opened");
        assert_eq!(again.public().expect("public"), key.public().expect("public"));
        let wrong = read_sealed(&path, &passphrase("correct horse battery stable"));
        assert!(matches!(wrong, Err(KeyFileError::Passphrase { .. })), "{wrong:?}");
        assert!(matches!(read_plain(&path), Err(KeyFileError::Malformed { .. })), "it is not plain");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let before = std::fs::read(&path).expect("there");
        assert!(!before.windows(32).any(|w| w == key.0.to_bytes()), "the seed is not in the file");
        assert!(write_sealed(&path, &RoleKey::new(&mut rng), &words, &mut rng).is_err());
        assert_eq!(std::fs::read(&path).expect("there"), before, "a key is never overwritten");
    }

    #[test]
    fn a_plain_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("timestamp.p8");
        assert!(matches!(read_plain(&path), Err(KeyFileError::Missing { .. })));
        write_plain(&path, &RoleKey::new(&mut ChaCha20Rng::seed_from_u64(2))).expect("written");
        assert!(read_plain(&path).is_ok());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("changed");
        assert!(matches!(read_plain(&path), Err(KeyFileError::Readable { .. })));
    }

    #[test]
    fn short_passphrases_are_refused() {
        assert!(matches!(Passphrase::new(Zeroizing::new("elevenchars".into())), Err(KeyFileError::Weak)));
        assert!(Passphrase::new(Zeroizing::new("十二个汉字也可以作为口令".into())).is_ok());
    }
}
