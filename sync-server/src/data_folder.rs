//! The data folder of a centre: keys, lock, and by default the store; or the address of a store elsewhere.
//!
//! Refuses two servers on one folder.
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use operator::private;
use publishing::repository::Repository;

use crate::startup::{StartupError, file_error, refuse_elsewhere, store_error};
use crate::store::{Database, Driver, require_current, sqlite_files};

/// Where store and keys lie.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
    database: Database,
}

impl DataFolder {
    /// A folder, which need not be there, with its store in it or elsewhere.
    pub fn new(path: PathBuf, database: Option<Database>) -> Self {
        let database = database.unwrap_or_else(|| Database::Sqlite(path.join("server.db")));
        Self { path, database }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the store lies.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The folder of keys.
    pub fn keys_path(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// The folder of whole pages and photos, unless they lie elsewhere.
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// The folder of pages and photos on their way.
    pub fn partial(&self) -> PathBuf {
        self.path.join("uploads")
    }

    /// The signed catalogues.
    pub fn signed(&self) -> Repository {
        Repository::new(self.path.join("tuf"))
    }

    /// The folder of the keys with which the server signs catalogues by itself.
    pub fn online_keys(&self) -> PathBuf {
        self.keys_path().join("catalogue")
    }

    /// Makes the folder if it is missing, for its owner only; one that is there is closed to others.
    ///
    /// # Errors
    /// [`StartupError::File`] if it cannot be made or closed.
    pub fn make(&self) -> Result<(), StartupError> {
        private::folder(&self.path).map_err(|e| file_error(&self.path, e))
    }

    /// What is for the owner of this process only: the folder, the keys, and the files of a store that lies on the disk.
    pub fn private_places(&self) -> Vec<PathBuf> {
        let store = self.database.file().map(sqlite_files);
        [self.path.clone(), self.keys_path()].into_iter().chain(store.into_iter().flatten()).collect()
    }

    /// Takes the folder for this process; it is free again when the file is dropped, also after a kill.
    ///
    /// # Errors
    /// [`StartupError::Locked`] if another process has it.
    pub fn lock(&self) -> Result<File, StartupError> {
        self.make()?;
        let path = self.path.join("server.lock");
        let file = private::open(File::options().create(true).append(true), &path)
            .map_err(|e| file_error(&path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StartupError::Locked { path: self.path.clone() }),
            Err(TryLockError::Error(e)) => Err(file_error(&path, e)),
        }
    }

    /// Opens a store that is there and has this program's schema; for commands beside a running server.
    ///
    /// # Errors
    /// [`StartupError`] if there is none, or it has another schema.
    pub fn open_existing(&self) -> Result<Box<dyn Driver>, StartupError> {
        self.read_existing()?;
        self.database.open().map_err(|e| store_error(&self.database, e.into()))
    }

    /// As [`DataFolder::open_existing`], for commands that only read.
    ///
    /// # Errors
    /// As there.
    pub fn read_existing(&self) -> Result<Box<dyn Driver>, StartupError> {
        let wrong = |e| store_error(&self.database, e);
        if self.database.is_new().map_err(|e| wrong(e.into()))? {
            return Err(StartupError::NoStore { database: self.database.clone() });
        }
        // Looked at without writing first: a newer store must not even be switched to another journal.
        let mut look = self.database.open_read_only().map_err(|e| wrong(e.into()))?;
        require_current(look.as_mut()).map_err(wrong)?;
        refuse_elsewhere(look.as_mut())?;
        Ok(look)
    }

    /// Another connection for reading.
    ///
    /// # Errors
    /// [`StartupError`] if the store cannot be opened.
    pub fn reader(&self) -> Result<Box<dyn Driver>, StartupError> {
        self.database.open_read_only().map_err(|e| store_error(&self.database, e.into()))
    }
}
