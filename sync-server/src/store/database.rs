//! Where a store lies: a SQLite file (the default) or a PostgreSQL database, named by one address.
//!
//! Refuses to show a password: what it prints is for people and logs.
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::postgres::{Postgres, without_password};
use super::{Driver, Sqlite, StoreError};

/// The address of a store.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file: `sqlite:PATH`.
    Sqlite(PathBuf),
    /// A PostgreSQL database: `postgresql://USER@HOST/NAME`.
    Postgres(PostgresAddress),
}

/// A PostgreSQL address that was understood.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresAddress {
    url: String,
    shown: String,
}

/// A text is not the address of a store.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Neither of the two.
    #[error("not the address of a store: write sqlite:PATH or postgresql://USER@HOST/NAME")]
    Unknown,
    /// It begins like one of PostgreSQL and goes on otherwise.
    #[error("not an address that PostgreSQL understands: write postgresql://USER:PASSWORD@HOST:PORT/NAME")]
    Postgres(#[source] StoreError),
}

impl FromStr for Database {
    type Err = DatabaseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|p| !p.is_empty() && !p.contains('\0')) {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgresql://") || text.starts_with("postgres://") {
            let shown = without_password(text).map_err(DatabaseError::Postgres)?;
            return Ok(Self::Postgres(PostgresAddress { url: text.to_owned(), shown }));
        }
        Err(DatabaseError::Unknown)
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(address) => f.write_str(&address.shown),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({self})")
    }
}

impl Database {
    /// Opens it for writing. A SQLite file is made if it is missing.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be opened or reached; so do all below.
    pub fn open(&self) -> Result<Box<dyn Driver>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Box::new(Sqlite::open(path)?),
            Self::Postgres(address) => Box::new(Postgres::open(&address.url)?),
        })
    }

    /// Opens an existing one for reading only.
    pub fn open_read_only(&self) -> Result<Box<dyn Driver>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Box::new(Sqlite::open_read_only(path)?),
            Self::Postgres(address) => Box::new(Postgres::open_read_only(&address.url)?),
        })
    }

    /// Whether there is nothing at all there yet: no file, an empty file, or a database without tables.
    pub fn is_new(&self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(path) => Ok(!std::fs::metadata(path).is_ok_and(|m| m.len() > 0)),
            Self::Postgres(_) => self.open_read_only()?.is_empty(),
        }
    }

    /// The file of a SQLite store.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// `SQLite` or `PostgreSQL`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood_and_shown_without_secrets() {
        let file: Database = "sqlite:/var/lib/x.db".parse().expect("a file");
        assert_eq!((file.to_string().as_str(), file.kind()), ("sqlite:/var/lib/x.db", "SQLite"));
        let big: Database = "postgres://u:geheim@h/x".parse().expect("an address");
        assert_eq!(big.kind(), "PostgreSQL");
        assert!(!format!("{big} {big:?}").contains("geheim"));
        for bad in ["", "sqlite:", "x.db", "mysql://h/x", "postgresql://", "sqlite:a\0b"] {
            assert!(bad.parse::<Database>().is_err(), "{bad:?}");
        }
        let error = "postgresql://u:geheim@h:x/y".parse::<Database>().expect_err("no port");
        assert!(!format!("{error} {error:?}").contains("geheim"), "{error:?}");
    }
}
