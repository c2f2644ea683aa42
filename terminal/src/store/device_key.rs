//! The device's private key: a file of 64 hexadecimal digits, readable by its owner only, never overwritten.
//!
//! It is made once, where the database says nothing of an enrolment yet. Refuses to make another one for a terminal that
//! is enrolled: the centre would take nothing that it signs.
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use domain::envelope::{DataKey, DeviceKey, Digest};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Identity, StoreError};

/// Name of the device key in the data folder.
pub const KEY_FILE: &str = "device.key";

/// Why there is no device key to work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyTrouble {
    /// The file is not there.
    #[error("device.key is missing")]
    Missing,
    /// The file cannot be read, or holds something else than a key.
    #[error("device.key cannot be read, or holds no key")]
    Damaged,
    /// It is another key than the one that was enrolled.
    #[error("device.key is not the key with which this terminal was enrolled")]
    Other,
}

/// A generator seeded by the system.
pub(super) fn system_random() -> Result<ChaCha20Rng, StoreError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(|e| StoreError::Io(std::io::Error::other(e.to_string())))?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

/// The key in a folder; made if there is none and the terminal is not enrolled yet.
///
/// # Errors
/// [`StoreError::Key`] if it is not what it should be, [`StoreError::Io`] if it cannot be made.
pub(super) fn load_or_create(
    directory: &Path,
    enrolled: Option<&Identity>,
    random: &mut ChaCha20Rng,
) -> Result<DeviceKey, StoreError> {
    match load(directory, enrolled) {
        Err(KeyTrouble::Missing) if enrolled.is_none() => {
            create(directory, &directory.join(KEY_FILE), random)
        }
        found => Ok(found?),
    }
}

/// The key in a folder, if it is that of this terminal.
///
/// # Errors
/// [`KeyTrouble`]; nothing is made or changed.
pub(super) fn load(directory: &Path, enrolled: Option<&Identity>) -> Result<DeviceKey, KeyTrouble> {
    let file = File::open(directory.join(KEY_FILE)).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => KeyTrouble::Missing,
        _ => KeyTrouble::Damaged,
    })?;
    let mut text = Zeroizing::new(String::new());
    file.take(200).read_to_string(&mut text).map_err(|_| KeyTrouble::Damaged)?;
    // A digest is just 32 bytes in hexadecimal digits: its parser serves here.
    let seed: Digest = text.trim().parse().map_err(|_| KeyTrouble::Damaged)?;
    let key = DeviceKey::from_seed(*seed.as_bytes());
    let fits = enrolled.is_none_or(|identity| identity.is_of(&key.public()));
    if fits { Ok(key) } else { Err(KeyTrouble::Other) }
}

fn create(directory: &Path, file: &Path, random: &mut ChaCha20Rng) -> Result<DeviceKey, StoreError> {
    let mut seed = Zeroizing::new([0; 32]);
    random.fill_bytes(seed.as_mut());
    let temporary = directory.join("device.key.new");
    let text = Zeroizing::new(Digest::from_bytes(*seed).to_string());
    let write = || -> std::io::Result<()> {
        let mut f =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        f.write_all(text.as_bytes())?;
        f.sync_all()?;
        std::fs::rename(&temporary, file)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(StoreError::Io)?;
    Ok(DeviceKey::from_seed(*seed))
}

/// Keyed hash under which a person's slips are found on this terminal only.
pub(super) fn person_hmac(key: &DeviceKey, id_number: &str) -> Result<[u8; 32], StoreError> {
    let id_number = id_number.trim().to_ascii_uppercase();
    keyed_hash(key.to_seed().as_ref(), &[b"jinban/person/1", id_number.as_bytes()])
}

/// Keyed hash under which a person's drafts are found; nothing leads from it to the slips.
pub(super) fn draft_hmac(key: &DeviceKey, id_number: &str) -> Result<[u8; 32], StoreError> {
    let id_number = Zeroizing::new(id_number.trim().to_ascii_uppercase());
    let own = Zeroizing::new(keyed_hash(key.to_seed().as_ref(), &[b"jinban/draft-person/1"])?);
    keyed_hash(own.as_ref(), &[id_number.as_bytes()])
}

/// The key under which the data keys of drafts are wrapped; it follows from the key file and from nothing else.
pub(super) fn draft_key(key: &DeviceKey) -> Result<DataKey, StoreError> {
    let own = Zeroizing::new(keyed_hash(key.to_seed().as_ref(), &[b"jinban/draft-key/1"])?);
    Ok(DataKey::from_bytes(*own))
}

fn keyed_hash(secret: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], StoreError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| StoreError::Value("person key"))?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac.finalize().into_bytes().into())
}
