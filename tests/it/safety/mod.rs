//! Nothing lost: backups that were verified, restores under a new epoch, what terminals offer again, audit, erasure.
mod audit;
mod backup;
mod clock;
mod erasure;
mod forgotten;
mod journals;
mod keeping;
mod offers;
mod private;
mod steps;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use sync_server::store::Database;
use tests::canary::{bytes_below, holds};
use tests::device::Device;
use tests::server::{Server, command_in};

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a command on a folder answers as JSON; it must go well.
fn answer(data: &Path, database: Option<&str>, arguments: &[&str]) -> Result<Value> {
    let mut arguments = arguments.to_vec();
    arguments.extend(database.iter().flat_map(|d| ["--database", d]));
    arguments.push("--json");
    let output = command_in(data, &arguments)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).with_context(|| format!("{arguments:?}: {said}"))
}

/// What a command says that must fail.
fn refusal(data: &Path, arguments: &[&str]) -> Result<String> {
    let output = command_in(data, arguments)?;
    ensure!(!output.status.success(), "{arguments:?} went well");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A folder beside the server's, with the secret key in it.
pub(crate) struct Safe {
    folder: tempfile::TempDir,
    key: String,
    pub(crate) backups: String,
}

impl Safe {
    pub(crate) fn of(server: &Server) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let text = |name: &str| {
            Ok::<_, anyhow::Error>(folder.path().join(name).to_str().context("a path")?.to_owned())
        };
        let (key, backups) = (text("backup.key")?, text("backups")?);
        answer(server.data(), None, &["backup-key", "--out", &key])?;
        Ok(Self { folder, key, backups })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A backup of a running server; gives the file and the place up to which everything is inside.
    fn back_up(&self, server: &Server) -> Result<(PathBuf, u64)> {
        let output = server.command(&["backup", "--to", &self.backups, "--json"])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{said}");
        let made: Value = serde_json::from_slice(&output.stdout)?;
        Ok((made["file"].as_str().context("a file")?.into(), made["server_seq"].as_u64().context("a place")?))
    }

    /// Restores the newest backup into a folder that gets the keys of another one.
    pub(crate) fn restore(&self, keys_of: &Path, to: &Path, database: Option<&str>) -> Result<Value> {
        copy_keys(keys_of, to)?;
        answer(to, database, &["restore", "--from", &self.backups, "--key", &self.key])
    }
}

/// Copies the private keys of a centre, as whoever keeps the key backup does.
pub(crate) fn copy_keys(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to.join("keys"))?;
    for entry in std::fs::read_dir(from.join("keys"))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join("keys").join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Waits until the centre says that everything up to a place is durable.
fn wait_until_durable(device: &Device, server: &Server, upto: u64) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let news = device.changes(server, u64::MAX >> 1, 1)?;
        if news.contact.durable_upto >= Some(upto) {
            return Ok(());
        }
    }
    anyhow::bail!("never durable up to {upto}")
}

/// Ids and digests of all envelopes of a store.
fn envelopes(database: &Database) -> Result<BTreeSet<(String, String)>> {
    let rows = database.open_read_only()?.query("SELECT envelope_id, digest FROM envelope", &[])?;
    rows.iter().map(|r| Ok((r.text(0)?.to_owned(), r.text(1)?.to_owned()))).collect()
}
