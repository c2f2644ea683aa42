//! The store of a running server, read beside it, on whichever database it lies.
use anyhow::{Context as _, Result, bail};
use sync_server::store::{Database, Row, TABLES, Value as DatabaseValue};

use super::{DATABASE_VARIABLE, Server};
use crate::postgres::fresh_database;

impl Server {
    /// The address of its store.
    ///
    /// # Errors
    /// If it is none.
    pub fn database(&self) -> Result<Database> {
        match &self.database {
            Some(address) => Ok(address.parse()?),
            None => Ok(Database::Sqlite(self.data().join("server.db"))),
        }
    }

    /// The address of its store as `--database` takes it.
    ///
    /// # Errors
    /// If the path is no text.
    pub fn address(&self) -> Result<String> {
        match &self.database {
            Some(address) => Ok(address.clone()),
            None => Ok(format!("sqlite:{}", self.data().join("server.db").to_str().context("a path")?)),
        }
    }

    /// Rows of its store, beside the running server.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn rows(&self, sql: &str, parameters: &[DatabaseValue]) -> Result<Vec<Row>> {
        Ok(self.database()?.open_read_only()?.query(sql, parameters)?)
    }

    /// One whole number out of its store, such as a count.
    ///
    /// # Errors
    /// If the store cannot be read, or gives anything else.
    pub fn number(&self, sql: &str) -> Result<i64> {
        Ok(self.rows(sql, &[])?.first().context("one row")?.int(0)?)
    }

    /// Every text and every byte of its store, for tests that look for what must not be there.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn stored_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = match self.database()?.file() {
            Some(file) => std::fs::read(file)?,
            None => Vec::new(),
        };
        for table in TABLES {
            for row in self.rows(&format!("SELECT {} FROM {}", table.columns.join(", "), table.name), &[])? {
                for value in row.0 {
                    match value {
                        DatabaseValue::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                        DatabaseValue::Blob(blob) => bytes.extend_from_slice(&blob),
                        DatabaseValue::Int(_) | DatabaseValue::Null => {}
                    }
                    bytes.push(0);
                }
            }
        }
        Ok(bytes)
    }
}

/// A fresh PostgreSQL database if stories are to run on one.
pub(super) fn story_database() -> Result<Option<String>> {
    match std::env::var(DATABASE_VARIABLE).as_deref() {
        Err(_) | Ok("sqlite") => Ok(None),
        Ok("postgresql") => fresh_database().map(Some),
        Ok(other) => bail!("{DATABASE_VARIABLE} is {other:?}: write sqlite or postgresql"),
    }
}
