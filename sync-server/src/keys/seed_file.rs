//! Key files: 64 hexadecimal digits, mode 0600, written whole or not at all, never over another one.
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use domain::envelope::Digest;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::KeyError;

/// What a key file holds: 32 bytes, wiped when dropped.
pub type Seed = Zeroizing<[u8; 32]>;

/// Names of key files that others on this machine can read; empty when all is well.
///
/// # Errors
/// [`KeyError`] if the folder cannot be read.
pub fn readable_by_others(folder: &Path) -> Result<Vec<String>, KeyError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| file_error(folder, e))? {
        let entry = entry.map_err(|e| file_error(folder, e))?;
        let mode = entry.metadata().map_err(|e| file_error(&entry.path(), e))?.permissions().mode();
        if mode & 0o077 != 0 {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// Makes a key file of mode 0600 that was not there; for keys that are kept outside of the data folder.
///
/// # Errors
/// [`KeyError`] if there is something already, or it cannot be written.
pub fn make_seed_file(path: &Path, rng: &mut impl CryptoRng) -> Result<Seed, KeyError> {
    let seed = random_seed(rng);
    write_seed_file(path, &seed, rng)?;
    Ok(seed)
}

/// Writes a key file of mode 0600 that was not there.
///
/// # Errors
/// [`KeyError`] if there is something already, or it cannot be written.
pub fn write_seed_file(path: &Path, seed: &Seed, rng: &mut impl CryptoRng) -> Result<(), KeyError> {
    let place = Digest::from_bytes(*random_seed(rng)).short();
    write_new(path, &place, seed).map_err(|e| file_error(path, e))
}

/// A new secret.
pub(super) fn random_seed<R: CryptoRng + ?Sized>(rng: &mut R) -> Seed {
    let mut seed = Zeroizing::new([0; 32]);
    rng.fill_bytes(seed.as_mut());
    seed
}

/// Reads a key file, or makes it if it is not there.
pub(super) fn read_or_make_seed_file<R: CryptoRng + ?Sized>(
    path: &Path,
    rng: &mut R,
) -> Result<Seed, KeyError> {
    match read_seed_file(path) {
        Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            let (seed, place) = (random_seed(rng), Digest::from_bytes(*random_seed(rng)).short());
            match write_new(path, &place, &seed) {
                // Another server on the same folder was faster: its key is everybody's.
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(file_error(path, e)),
                _ => {}
            }
            read_seed_file(path)
        }
        other => other,
    }
}

/// Reads a key file.
///
/// # Errors
/// [`KeyError`] if it cannot be read or understood.
pub fn read_seed_file(path: &Path) -> Result<Seed, KeyError> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|e| file_error(path, e))?);
    parse_seed(path, &text)
}

fn parse_seed(path: &Path, text: &str) -> Result<Seed, KeyError> {
    let digest: Digest = text.trim().parse().map_err(|_| KeyError::Malformed { path: path.to_owned() })?;
    Ok(Zeroizing::new(*digest.as_bytes()))
}

/// Writes a file that was not there, whole or not at all: temporary file, fsync, link, fsync of the folder. The
/// temporary file has a name of its own, because servers may share the folder.
fn write_new(path: &Path, place: &str, seed: &Seed) -> io::Result<()> {
    let temporary = path.with_extension(format!("{place}.new"));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let text = Zeroizing::new(format!("{}\n", Digest::from_bytes(**seed)));
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    // A link, unlike a rename, never replaces a key that appeared meanwhile.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    linked?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

/// A key file or folder that failed.
pub(crate) fn file_error(path: &Path, source: io::Error) -> KeyError {
    KeyError::File { path: path.to_owned(), source }
}
