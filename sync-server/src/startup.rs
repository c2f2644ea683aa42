//! Opens a data folder: lock, store, schema, keys, epoch, catalogue. Used by `serve` and `migrate` alike.
//!
//! Refuses a store of a newer program, keys that are not the store's, and a catalogue that changed under its version.
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::catalogue::Catalogue;
use domain::ids::ServerEpoch;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use crate::error::ServiceError;
use crate::keys::{KeyError, Keys};
use crate::services::catalogue::{PublishError, publish};
use crate::services::{cases, meta};
use crate::store::{Driver, MigrateError, Sqlite, StoreError, in_transaction, migrate, require_current};

/// Bytes of one catalogue file, at most.
const MAX_CATALOGUE_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Files of a catalogue, at most.
const MAX_CATALOGUE_FILES: usize = 2_000;

/// The data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// A file or folder cannot be read or written.
    #[error("{path}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Another server works on the folder.
    #[error("another sync-server works on {path}: stop it, or name another folder with --data")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// There is no store yet.
    #[error("there is no store in {path}: start `sync-server serve`, or run `sync-server migrate`, first")]
    NoStore {
        /// The folder.
        path: PathBuf,
    },
    /// The store is damaged or of another program.
    #[error(
        "store {path} cannot be opened; it was not changed: restore a backup, or see `sync-server doctor`"
    )]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: MigrateError,
    },
    /// The store's pages do not fit together.
    #[error("store {path} is damaged; it was not changed: restore a backup, or see `sync-server doctor`")]
    StoreDamaged {
        /// The file.
        path: PathBuf,
    },
    /// There are keys, and no store beside them.
    #[error(
        "the store {path} is gone, but its keys are there: restore a backup, or move the keys away to begin anew"
    )]
    StoreLost {
        /// The file.
        path: PathBuf,
    },
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The catalogue's files have mistakes.
    #[error("the catalogue in {path} has {count} mistakes; the first ones:\n{first}")]
    Catalogue {
        /// The folder.
        path: PathBuf,
        /// How many.
        count: usize,
        /// Some of them, a line each.
        first: String,
    },
    /// The catalogue cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(String),
    /// The store failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The store failed.
    #[error(transparent)]
    Driver(#[from] StoreError),
}

/// Where store and keys lie.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

/// An opened folder.
pub struct OpenedFolder {
    /// The connection for the writer.
    pub store: Sqlite,
    /// The private keys.
    pub keys: Keys,
    /// The centre's epoch.
    pub epoch: ServerEpoch,
    /// The catalogue that was read from its files.
    pub catalogue: Catalogue,
    /// Its version.
    pub catalogue_version: u64,
}

impl DataFolder {
    /// A folder, which need not be there.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The store's file.
    pub fn store_path(&self) -> PathBuf {
        self.0.join("server.db")
    }

    /// The folder of keys.
    pub fn keys_path(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Makes the folder if it is missing, for its owner only.
    fn make(&self) -> Result<(), StartupError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&self.0).map_err(|e| file_error(&self.0, e))
    }

    /// Takes the folder for this process; it is free again when the file is dropped, also after a kill.
    ///
    /// # Errors
    /// [`StartupError::Locked`] if another process has it.
    pub fn lock(&self) -> Result<File, StartupError> {
        self.make()?;
        let path = self.0.join("server.lock");
        let file = File::options().create(true).append(true).open(&path).map_err(|e| file_error(&path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StartupError::Locked { path: self.0.clone() }),
            Err(TryLockError::Error(e)) => Err(file_error(&path, e)),
        }
    }

    /// Opens a store that is there and has this program's schema; for commands beside a running server.
    ///
    /// # Errors
    /// [`StartupError`] if there is none, or it has another schema.
    pub fn open_existing(&self) -> Result<Sqlite, StartupError> {
        let path = self.store_path();
        if !path.exists() {
            return Err(StartupError::NoStore { path: self.0.clone() });
        }
        // Looked at without writing first: a newer store must not even be switched to another journal.
        let mut look = Sqlite::open_read_only(&path).map_err(|e| store_error(&path, e.into()))?;
        require_current(&mut look).map_err(|e| store_error(&path, e))?;
        Sqlite::open(&path).map_err(|e| store_error(&path, e.into()))
    }

    /// Another connection for reading.
    ///
    /// # Errors
    /// [`StartupError`] if the store cannot be opened.
    pub fn reader(&self) -> Result<Box<dyn Driver>, StartupError> {
        let path = self.store_path();
        Ok(Box::new(Sqlite::open_read_only(&path).map_err(|e| store_error(&path, e.into()))?))
    }
}

/// Opens a folder for serving: makes what is missing, upgrades the schema, takes in the catalogue.
///
/// # Errors
/// [`StartupError`] with advice.
pub fn open(data: &DataFolder, assets: &Path, now_ms: i64) -> Result<OpenedFolder, StartupError> {
    data.make()?;
    // First, because most mistakes are made here and nothing has been written yet.
    let catalogue = load_catalogue(&assets.join("catalogue"))?;
    let path = data.store_path();
    if fs::metadata(&path).is_ok_and(|m| m.len() > 0) {
        refuse_unusable(&path)?;
    } else if data.keys_path().join("receipt.key").exists() {
        return Err(StartupError::StoreLost { path });
    }
    let mut store = Sqlite::open(&path).map_err(|e| store_error(&path, e.into()))?;
    let before = migrate(&mut store, now_ms).map_err(|e| store_error(&path, e))?;
    if before > 0 {
        tracing::info!(schema.before = before, "the store was opened");
    }
    fail::fail_point!("server::start::after_migrate", |_| Err(StoreError::Full.into()));
    let mut rng = random()?;
    let keys = open_keys(data, &mut store, &mut rng)?;
    fail::fail_point!("server::start::after_keys", |_| Err(StoreError::Full.into()));
    let epoch = in_transaction(&mut store, |tx| meta::epoch(tx, &mut rng))?;
    let new = in_transaction(&mut store, |tx| publish(tx, now_ms, &catalogue))?;
    fail::fail_point!("server::start::after_publish", |_| Err(StoreError::Full.into()));
    tracing::info!(
        catalogue.version = catalogue.version,
        catalogue.new = new,
        catalogue.items = catalogue.items.len(),
        "the catalogue is in the store"
    );
    Ok(OpenedFolder { store, keys, epoch, catalogue_version: catalogue.version, catalogue })
}

/// Reads and checks the catalogue's files.
///
/// # Errors
/// [`StartupError`] with the first mistakes, each naming file, item and field.
pub fn load_catalogue(folder: &Path) -> Result<Catalogue, StartupError> {
    let mut files = BTreeMap::new();
    collect(folder, folder, &mut files)?;
    Catalogue::load(&files).map_err(|errors| StartupError::Catalogue {
        path: folder.to_owned(),
        count: errors.len(),
        first: errors.iter().take(10).map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    })
}

/// Milliseconds since 1970 by the machine's clock.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A generator seeded by the operating system.
///
/// # Errors
/// [`StartupError::Random`] if it has no random bytes.
pub fn random() -> Result<ChaCha20Rng, StartupError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| StartupError::Random(e.to_string()))?;
    Ok(ChaCha20Rng::from_seed(seed))
}

/// Looks at a store without writing: is it of this program, not newer, and sound?
fn refuse_unusable(path: &Path) -> Result<(), StartupError> {
    let mut look = Sqlite::open_read_only(path).map_err(|e| store_error(path, e.into()))?;
    match require_current(&mut look) {
        Err(e @ (MigrateError::Newer { .. } | MigrateError::Foreign)) => Err(store_error(path, e)),
        Err(MigrateError::Store(e)) => Err(store_error(path, e.into())),
        _ => match look.check() {
            Ok(said) if said.is_empty() => Ok(()),
            Ok(_) => Err(StartupError::StoreDamaged { path: path.to_owned() }),
            Err(e) => Err(store_error(path, e.into())),
        },
    }
}

fn open_keys(data: &DataFolder, store: &mut Sqlite, rng: &mut ChaCha20Rng) -> Result<Keys, StartupError> {
    let folder = data.keys_path();
    let bound = in_transaction(store, meta::has_keys)?;
    if bound && !["receipt.key", "sealing.key", "person.key"].iter().all(|f| folder.join(f).exists()) {
        return Err(KeyError::NotOfThisStore { path: folder }.into());
    }
    for id in in_transaction(store, cases::key_ids)? {
        let path = folder.join(format!("{id}.key"));
        if !path.exists() {
            return Err(KeyError::Lost { path }.into());
        }
    }
    let keys = Keys::load_or_make(&folder, rng)?;
    fail::fail_point!("server::start::before_bind", |_| Err(StoreError::Full.into()));
    let fingerprint = keys.fingerprint();
    in_transaction(store, |tx| meta::bind_keys(tx, &fingerprint))?
        .map_err(|_| KeyError::NotOfThisStore { path: folder })?;
    Ok(keys)
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), StartupError> {
    for entry in fs::read_dir(folder).map_err(|e| file_error(folder, e))? {
        let path = entry.map_err(|e| file_error(folder, e))?.path();
        let about = fs::metadata(&path).map_err(|e| file_error(&path, e))?;
        if about.is_dir() {
            collect(root, &path, files)?;
        } else if about.len() > MAX_CATALOGUE_FILE_BYTES || files.len() >= MAX_CATALOGUE_FILES {
            return Err(file_error(&path, io::Error::other("the catalogue is too large")));
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.insert(name, fs::read(&path).map_err(|e| file_error(&path, e))?);
        }
    }
    Ok(())
}

fn file_error(path: &Path, source: io::Error) -> StartupError {
    StartupError::File { path: path.to_owned(), source }
}

fn store_error(path: &Path, source: MigrateError) -> StartupError {
    StartupError::Store { path: path.to_owned(), source }
}
