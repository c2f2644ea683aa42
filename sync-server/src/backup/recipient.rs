//! For whom backups are sealed: a public key in the data folder. The secret half is kept elsewhere, by whoever restores.
//!
//! A server that is stolen with its backups opens none of them. Refuses to replace a recipient by itself.
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use domain::envelope::{SealingKey, SealingPublicKey};
use domain::ids::KeyId;
use operator::private;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::keys::{KeyError, make_seed_file, read_seed_file};

/// Name of the file in the data folder.
pub const FILE: &str = "backup.pub";

/// The recipient cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipientError {
    /// There is none yet.
    #[error("nobody is named for whom backups are sealed: run `sync-server backup-key --out FILE` once")]
    Missing,
    /// There is one already.
    #[error(
        "backups are sealed for {0} already: keep that key, or remove {FILE} from the data folder to begin with another \
         one (older backups open with the older key only)"
    )]
    There(KeyId),
    /// The file holds something else.
    #[error("{path} does not hold a public key")]
    Malformed {
        /// Which file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// The secret half cannot be read or written.
    #[error(transparent)]
    Key(#[from] KeyError),
}

#[derive(Serialize, Deserialize)]
struct Written {
    key: SealingPublicKey,
}

/// The recipient of a data folder, if one is named.
///
/// # Errors
/// [`RecipientError`] if the file cannot be read or holds something else.
pub fn find(data: &Path) -> Result<Option<SealingPublicKey>, RecipientError> {
    let path = data.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RecipientError::File { path, source }),
    };
    let written: Written = serde_json::from_str(&text).map_err(|_| RecipientError::Malformed { path })?;
    Ok(Some(written.key))
}

/// Makes a key pair: the secret half goes to `out` (mode 0600, never overwritten), the public half into the data folder.
///
/// # Errors
/// [`RecipientError`]; a public half is written only after the secret one is safe.
pub fn make(data: &Path, out: &Path, rng: &mut impl CryptoRng) -> Result<KeyId, RecipientError> {
    if let Some(known) = find(data)? {
        return Err(RecipientError::There(known.key_id()));
    }
    let public = SealingKey::from_seed(*make_seed_file(out, rng)?).public();
    write(data, &public)?;
    Ok(public.key_id())
}

/// Names a recipient for a data folder that has none, as after a restore.
///
/// # Errors
/// [`RecipientError`] if the file cannot be read or written.
pub fn keep(data: &Path, public: &SealingPublicKey) -> Result<(), RecipientError> {
    if find(data)?.is_some() { Ok(()) } else { write(data, public) }
}

fn write(data: &Path, public: &SealingPublicKey) -> Result<(), RecipientError> {
    let path = data.join(FILE);
    let wrong = |source| RecipientError::File { path: path.clone(), source };
    let text = serde_json::to_string(&Written { key: public.clone() }).unwrap_or_default();
    let temporary = path.with_extension("new");
    let how = &mut fs::File::options();
    let mut file = private::open(how.write(true).create(true).truncate(true), &temporary).map_err(wrong)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(wrong)?;
    fs::rename(&temporary, &path).map_err(wrong)
}

/// The secret half, from where it is kept.
///
/// # Errors
/// [`RecipientError::Key`] if the file cannot be read or holds something else.
pub fn secret(file: &Path) -> Result<SealingKey, RecipientError> {
    Ok(SealingKey::from_seed(*read_seed_file(file)?))
}
