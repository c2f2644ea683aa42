//! Opens a data folder: lock, store, schema, keys, epoch, catalogue. Used by `serve` and `migrate` alike.
//!
//! Refuses a store of a newer program, keys that are not the store's, and a catalogue that changed under its version.
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::catalogue::{Catalogue, CatalogueError};
use domain::ids::ServerEpoch;
use publishing::repository::{Repository, RepositoryError};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use crate::blobs::BlobError;
use crate::catalogue_tool;
use crate::data_folder::DataFolder;
use crate::error::ServiceError;
use crate::keys::{AUTHORITY_FILE, KeyError, Keys, MAIN_FILES};
use crate::services::catalogue::{PublishError, Shelf, publish};
use crate::services::statistics::facts;
use crate::services::{cases, item_history, meta, rollout, sealing_keys};
use crate::store::{
    Database, Driver, MigrateError, StoreError, Tx, in_transaction, migrate, require_current,
};

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
    #[error(
        "there is no store at {database}: start `sync-server serve`, or run `sync-server migrate`, first"
    )]
    NoStore {
        /// Where it was looked for.
        database: Database,
    },
    /// The store is damaged or of another program.
    #[error(
        "store {database} cannot be opened; it was not changed: restore a backup, or see `sync-server doctor`"
    )]
    Store {
        /// Where it lies.
        database: Database,
        /// Why.
        #[source]
        source: MigrateError,
    },
    /// Nobody answers at the store's address.
    #[error("the database {database} does not answer: start it, or correct --database")]
    Unreachable {
        /// Its address.
        database: Database,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The database does not let this server in, or cannot be trusted.
    #[error(
        "the database {database} cannot be used: correct user, password, name, sslmode or sslrootcert in its address"
    )]
    NotLetIn {
        /// Its address.
        database: Database,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The store finds mistakes in itself or in its settings.
    #[error("store {database} is not sound and was not changed ({said}): see `sync-server doctor`")]
    StoreDamaged {
        /// Where it lies.
        database: Database,
        /// The first thing that it says.
        said: String,
    },
    /// There are keys, and no store that belongs to them.
    #[error(
        "there is no store at {database}, but its keys are there: restore a backup, bring the store here with \
         `sync-server move-store`, or move the keys away to begin anew"
    )]
    StoreLost {
        /// Where it was looked for.
        database: Database,
    },
    /// The store was moved; what is here is only what it was then.
    #[error("this store was moved to {to}: name that one with --database")]
    Moved {
        /// Its new address, without a password.
        to: String,
    },
    /// A move to this store, or a restore of a backup, was broken off.
    #[error(
        "bringing rows from {from} to this store was broken off: run `sync-server move-store` or `restore` once more"
    )]
    Moving {
        /// Where the rows are, without a password.
        from: String,
    },
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The catalogue's files have mistakes.
    #[error("the catalogue {path} has {count} mistakes; the first ones:\n{first}")]
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
    /// Pages and photos cannot be kept as it is set.
    #[error("pages and photos have no place: correct the settings s3_url, s3_bucket and s3_credentials")]
    Blobs(#[from] BlobError),
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

/// An opened folder.
pub struct OpenedFolder {
    /// The connection for the writer.
    pub store: Box<dyn Driver>,
    /// The private keys.
    pub keys: Keys,
    /// The centre's epoch.
    pub epoch: ServerEpoch,
    /// The catalogue that was read from its files.
    pub catalogue: Catalogue,
    /// Its version.
    pub catalogue_version: u64,
}

/// Opens a folder for serving: makes what is missing, upgrades the schema, takes in the catalogue.
///
/// # Errors
/// [`StartupError`] with advice.
pub fn open(data: &DataFolder, assets: &Path, now_ms: i64) -> Result<OpenedFolder, StartupError> {
    data.make()?;
    // First, because most mistakes are made here and nothing has been written yet.
    let catalogue = load_catalogue(&assets.join("catalogue"))?;
    let database = data.database();
    let wrong = |e| store_error(database, e);
    if !database.is_new().map_err(|e| wrong(e.into()))? {
        refuse_unusable(database)?;
    } else if data.keys_path().join("receipt.key").exists() {
        return Err(StartupError::StoreLost { database: database.clone() });
    } else if database.file().is_none() {
        // An empty database on a server that would lose what it is given.
        refuse_unsound(database, database.open_read_only().map_err(|e| wrong(e.into()))?.as_mut())?;
    }
    let mut store = database.open().map_err(|e| wrong(e.into()))?;
    let before = migrate(store.as_mut(), now_ms).map_err(wrong)?;
    for advice in store.advice()? {
        tracing::warn!(remedy = advice.remedy, "{}", advice.found);
    }
    fail::fail_point!("server::start::after_migrate", |_| Err(StoreError::Full.into()));
    let mut rng = random()?;
    let keys = open_keys(data, store.as_mut(), now_ms, &mut rng)?;
    fail::fail_point!("server::start::after_keys", |_| Err(StoreError::Full.into()));
    let epoch = in_transaction(store.as_mut(), |tx| meta::epoch(tx, &mut rng))?;
    in_transaction(store.as_mut(), |tx| item_history::catch_up(tx, &Shelf::default()))?;
    let new = in_transaction(store.as_mut(), |tx| publish(tx, now_ms, &catalogue))?;
    settle_listed(store.as_mut(), &data.signed(), now_ms)?;
    let shelf = Shelf::default();
    while in_transaction(store.as_mut(), |tx| facts::catch_up(tx, &shelf))? {}
    fail::fail_point!("server::start::after_publish", |_| Err(StoreError::Full.into()));
    tracing::info!(
        store.kind = database.kind(),
        store.schema_before = before,
        catalogue.version = catalogue.version,
        catalogue.new = new,
        catalogue.items = catalogue.items.len(),
        "the store is open and has the catalogue"
    );
    Ok(OpenedFolder { store, keys, epoch, catalogue_version: catalogue.version, catalogue })
}

/// Says that terminals run the newest listed version, where versions were listed before there were rollouts.
///
/// # Errors
/// [`StoreError`] if the store fails. A list that cannot be read is told in the log and settles nothing.
pub fn settle_listed(store: &mut dyn Driver, repository: &Repository, now_ms: i64) -> Result<(), StoreError> {
    let listed = match repository.view() {
        Ok(view) => view.targets.map_or(Ok(Vec::new()), |t| t.listed()),
        Err(RepositoryError::Empty { .. }) => return Ok(()),
        Err(e) => {
            tracing::warn!(error = &e as &dyn std::error::Error, "the signed catalogues cannot be read");
            return Ok(());
        }
    };
    let Some(newest) = listed.ok().and_then(|l| l.last().map(|l| l.version)) else { return Ok(()) };
    in_transaction(store, |tx| rollout::settle(tx, now_ms, newest))?;
    Ok(())
}

/// Reads and checks the catalogue's files.
///
/// # Errors
/// [`StartupError`] with the first mistakes, each naming file, item and field.
pub fn load_catalogue(folder: &Path) -> Result<Catalogue, StartupError> {
    let contents = catalogue_tool::folder::read(folder).map_err(|e| file_error(folder, e))?;
    contents.catalogue().map_err(|errors| refused(folder, &errors))
}

/// As [`load_catalogue`]; a file is a document as the console makes it, checked by the same rules.
///
/// # Errors
/// As [`load_catalogue`].
pub fn load_folder_or_document(path: &Path) -> Result<Catalogue, StartupError> {
    if path.is_dir() {
        return load_catalogue(path);
    }
    let text = std::fs::read_to_string(path).map_err(|e| file_error(path, e))?;
    let checked = Catalogue::from_document(&text).and_then(|catalogue| {
        let errors = catalogue.examine().errors;
        if errors.is_empty() { Ok(catalogue) } else { Err(errors) }
    });
    checked.map_err(|errors| refused(path, &errors))
}

/// A catalogue that has mistakes, with the first of them.
pub(crate) fn refused(path: &Path, errors: &[CatalogueError]) -> StartupError {
    StartupError::Catalogue {
        path: path.to_owned(),
        count: errors.len(),
        first: errors.iter().take(10).map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
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

/// Looks at a store without writing: is it of this program, not newer, still in use here, and sound?
fn refuse_unusable(database: &Database) -> Result<(), StartupError> {
    let wrong = |e| store_error(database, e);
    let mut look = database.open_read_only().map_err(|e| wrong(e.into()))?;
    match require_current(look.as_mut()) {
        Err(e @ (MigrateError::Newer { .. } | MigrateError::Foreign)) => return Err(wrong(e)),
        Err(MigrateError::Store(e)) => return Err(wrong(e.into())),
        // A store without any schema says nothing of itself; an older one knows whether it was moved.
        Err(MigrateError::Older { found: 0, .. } | MigrateError::Altered { .. } | MigrateError::Missing) => {}
        Err(MigrateError::Older { .. }) | Ok(()) => refuse_elsewhere(look.as_mut())?,
    }
    refuse_unsound(database, look.as_mut())
}

fn refuse_unsound(database: &Database, store: &mut dyn Driver) -> Result<(), StartupError> {
    match store.check().map_err(|e| store_error(database, e.into()))?.into_iter().next() {
        None => Ok(()),
        Some(said) => Err(StartupError::StoreDamaged { database: database.clone(), said }),
    }
}

/// Refuses a store whose rows were moved away, or are still on their way here.
///
/// # Errors
/// [`StartupError::Moved`], [`StartupError::Moving`], or the store's.
pub(crate) fn refuse_elsewhere(store: &mut dyn Driver) -> Result<(), StartupError> {
    let mut tx = Tx::new(store);
    if let Some(to) = meta::moved_to(&mut tx)? {
        return Err(StartupError::Moved { to });
    }
    match meta::moving_from(&mut tx)? {
        Some(from) => Err(StartupError::Moving { from }),
        None => Ok(()),
    }
}

fn open_keys(
    data: &DataFolder,
    store: &mut dyn Driver,
    now_ms: i64,
    rng: &mut ChaCha20Rng,
) -> Result<Keys, StartupError> {
    let folder = data.keys_path();
    let bound = in_transaction(store, meta::has_keys)?;
    if bound && !MAIN_FILES.iter().all(|f| folder.join(f).exists()) {
        return Err(KeyError::NotOfThisStore { path: folder }.into());
    }
    if in_transaction(store, meta::authority)?.is_some() && !folder.join(AUTHORITY_FILE).exists() {
        return Err(KeyError::OtherAuthority { path: folder.join(AUTHORITY_FILE) }.into());
    }
    let keys = Keys::load_or_make(&folder, rng)?;
    fail::fail_point!("server::start::before_bind", |_| Err(StoreError::Full.into()));
    let fingerprint = keys.fingerprint();
    in_transaction(store, |tx| meta::bind_keys(tx, &fingerprint))?
        .map_err(|_| KeyError::NotOfThisStore { path: folder.clone() })?;
    let authority = keys.authority.fingerprint().to_string();
    in_transaction(store, |tx| meta::bind_authority(tx, &authority))?
        .map_err(|_| KeyError::OtherAuthority { path: folder.join(AUTHORITY_FILE) })?;
    in_transaction(store, |tx| sealing_keys::settle(tx, now_ms, keys.sealing.first()))?;
    for id in in_transaction(store, cases::key_ids)? {
        let found = keys.load_year(&id)?;
        in_transaction(store, |tx| meta::bind_year_key(tx, &id, &found))?
            .map_err(|_| KeyError::OtherYear { path: keys.year_path(&id) })?;
    }
    Ok(keys)
}

/// A file or folder that failed.
pub(crate) fn file_error(path: &Path, source: io::Error) -> StartupError {
    StartupError::File { path: path.to_owned(), source }
}

/// A store that failed: unreachable, or not what it should be.
pub(crate) fn store_error(database: &Database, source: MigrateError) -> StartupError {
    let database = database.clone();
    match source {
        MigrateError::Store(source @ StoreError::Unreachable(_)) => {
            StartupError::Unreachable { database, source }
        }
        MigrateError::Store(source @ StoreError::Open(_)) if database.file().is_none() => {
            StartupError::NotLetIn { database, source }
        }
        source => StartupError::Store { database, source },
    }
}
