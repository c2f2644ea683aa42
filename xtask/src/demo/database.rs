//! Where the demo's server keeps its store: SQLite in its folder, a PostgreSQL of somebody's, or one of the demo's own
//! that ends with it.
//!
//! Refuses to touch a PostgreSQL that it did not start: a given address is only handed on.
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{Interrupt, Running, tied, wait_until};
use crate::workspace;

/// Making a cluster and starting it on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(120);

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// SQLite in the server's data folder.
    #[default]
    Sqlite,
    /// A PostgreSQL that the demo starts and ends.
    Temporary,
    /// The database at an address.
    Given(String),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            "postgresql" => Ok(Self::Temporary),
            address if address.starts_with("postgresql://") || address.starts_with("postgres://") => {
                Ok(Self::Given(address.to_owned()))
            }
            _ => Err("write sqlite, postgresql (one of its own), or postgresql://USER@HOST/NAME".into()),
        }
    }
}

/// A store's place while the demo runs; dropping it ends a PostgreSQL of the demo's own.
pub struct Database {
    address: Option<String>,
    kind: &'static str,
    _cluster: Option<Running>,
}

impl Database {
    /// Starts what has to be started.
    ///
    /// # Errors
    /// If PostgreSQL does not get ready; the error holds its log.
    pub fn start(choice: &Choice, scratch: &Path, logs: &Path, interrupt: &Interrupt) -> Result<Self> {
        let (address, cluster) = match choice {
            Choice::Sqlite => return Ok(Self { address: None, kind: "SQLite", _cluster: None }),
            Choice::Given(address) => (address.clone(), None),
            Choice::Temporary => {
                let (address, cluster) = temporary(scratch, logs, interrupt)?;
                (address, Some(cluster))
            }
        };
        Ok(Self { address: Some(address), kind: "PostgreSQL", _cluster: cluster })
    }

    /// Its address, if it is not in the server's folder.
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// `SQLite` or `PostgreSQL`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

fn temporary(scratch: &Path, logs: &Path, interrupt: &Interrupt) -> Result<(String, Running)> {
    let answers = scratch.join("postgresql.address");
    let file = std::fs::File::create(&answers).context("cannot make a file for the address")?;
    let command = tied(workspace::built("temporary-postgres"));
    let mut running = Running::start_with("PostgreSQL", command, file, &logs.join("postgresql.log"))?;
    let address = wait_until(START_LIMIT, interrupt, || {
        running.must_run()?;
        let text = std::fs::read_to_string(&answers).unwrap_or_default();
        Ok(text.strip_suffix('\n').map(str::to_owned))
    })?;
    let Some(address) = address else { bail!("PostgreSQL did not get ready{}", running.log_tail()) };
    Ok((address, running))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_understood() {
        assert_eq!("sqlite".parse(), Ok(Choice::Sqlite));
        assert_eq!("postgresql".parse(), Ok(Choice::Temporary));
        assert_eq!("postgresql://h/x".parse(), Ok(Choice::Given("postgresql://h/x".into())));
        assert!("mysql".parse::<Choice>().is_err() && "".parse::<Choice>().is_err());
    }
}
