//! The folder that the server serves: metadata under `metadata/`, packed catalogues under `targets/`.
//!
//! Everything but the timestamp carries its version or digest in its name and is written once; the timestamp is
//! replaced last, so that a terminal sees either the old state or the new one, also after a power cut. Refuses
//! whatever the root in force does not allow, and a published version with another content.
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use domain::envelope::Digest;
use domain::wire::v1::tuf::{
    MAX_METADATA_BYTES, TUF_SIGNED_AT, TUF_TIMESTAMP, is_target_file, metadata_version, target_file,
};
use serde_json::json;
use tough::schema::{Signed, Snapshot, Timestamp};

use crate::bundle::{Bundle, Listed, SignedTargets};
use crate::files::{FileError, at, make_folder, read_if_there, replace};
use crate::key_file::KeyFileError;
use crate::metadata::{self, MetadataError, SPEC_VERSION, instant};
use crate::online::OnlineKeys;
use crate::root::{RootDraft, TrustedRoot};
use crate::view::{View, follows, signed_at_ms};

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// How long root metadata counts: the ceremony comes back every year.
pub const ROOT_MS: i64 = 365 * DAY_MS;
/// How long the list of catalogue versions counts: it is signed anew at least every year.
pub const TARGETS_MS: i64 = 365 * DAY_MS;
/// How long snapshots count.
pub const SNAPSHOT_MS: i64 = 30 * DAY_MS;
/// How long a timestamp counts: a terminal notices within a week that it is kept from news.
pub const TIMESTAMP_MS: i64 = 7 * DAY_MS;
/// A timestamp older than this is signed anew.
const REFRESH_MS: i64 = DAY_MS;
/// Superseded snapshots and lists that stay for terminals in the middle of a look.
const SUPERSEDED: u64 = 16;
/// Roots in a row, at most.
const MOST_ROOTS: u64 = 1_024;

/// The repository cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// Metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A file or folder.
    #[error("repository of signed catalogues")]
    File(#[from] FileError),
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// There is no root yet.
    #[error("there is no root in {path}: the key ceremony comes first")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Another process changes the repository.
    #[error("another process changes the repository {path}")]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The list of catalogue versions does not count under the root; its holder signs it anew.
    #[error("the list of catalogue versions is missing, or must be signed anew with the targets key")]
    TargetsNeeded,
    /// A packed catalogue is neither in the bundle nor here.
    #[error("the packed catalogue {0} is neither in the bundle nor in the repository")]
    Part(String),
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// A repository in a folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Path of a metadata file; none if there is no file of such a name.
    pub fn metadata_path(&self, name: &str) -> Option<PathBuf> {
        metadata_version(name).map(|_| self.folder.join("metadata").join(name))
    }

    /// Path of a packed catalogue; none if there is no file of such a name.
    pub fn target_path(&self, name: &str) -> Option<PathBuf> {
        is_target_file(name).then(|| self.folder.join("targets").join(name))
    }

    /// The newest root, each verified by the one before.
    ///
    /// # Errors
    /// [`RepositoryError`] if a file is not what it should be.
    pub fn root(&self) -> Result<Option<TrustedRoot>, RepositoryError> {
        let mut newest: Option<TrustedRoot> = None;
        for version in 1..=MOST_ROOTS {
            let Some(bytes) = self.metadata(&format!("{version}.root.json"))? else { break };
            newest = Some(RootDraft::read(&bytes)?.finish(newest.as_ref())?);
        }
        Ok(newest)
    }

    /// What is in force.
    ///
    /// # Errors
    /// [`RepositoryError::Empty`] before the ceremony, others if a file is not what it should be.
    pub fn view(&self) -> Result<View, RepositoryError> {
        let root = self.root()?.ok_or_else(|| RepositoryError::Empty { path: self.folder.clone() })?;
        let mut view =
            View { root, targets: None, snapshot: None, timestamp: None, targets_bytes: Vec::new() };
        let Some(bytes) = self.metadata(TUF_TIMESTAMP)? else { return Ok(view) };
        let timestamp: Signed<Timestamp> = metadata::read(&bytes)?;
        let named =
            |meta: Option<&tough::schema::Metafile>, role| meta.map(|m| format!("{}.{role}.json", m.version));
        let name = named(timestamp.signed.meta.get("snapshot.json"), "snapshot");
        view.timestamp = Some(timestamp);
        let Some(bytes) = name.map(|n| self.metadata(&n)).transpose()?.flatten() else { return Ok(view) };
        let snapshot: Signed<Snapshot> = metadata::read(&bytes)?;
        let name = named(snapshot.signed.meta.get("targets.json"), "targets");
        view.snapshot = Some(snapshot);
        let Some(bytes) = name.map(|n| self.metadata(&n)).transpose()?.flatten() else { return Ok(view) };
        view.targets = Some(SignedTargets::read(&bytes)?);
        view.targets_bytes = bytes;
        Ok(view)
    }

    /// Installs a root that has enough signatures, and says under it what is in force. The first root needs a bundle,
    /// and so does one with another targets key.
    ///
    /// # Errors
    /// [`RepositoryError`]; unless a file cannot be written, nothing is changed then.
    pub fn install(
        &self,
        draft: RootDraft,
        bundle: Option<&Bundle>,
        online: &OnlineKeys,
        now_ms: i64,
    ) -> Result<TrustedRoot, RepositoryError> {
        let _lock = self.lock()?;
        let before = self.root()?;
        let root = draft.finish(before.as_ref())?;
        for entry in online.public()?.keys {
            if !root.has(entry.role, &entry.key)? {
                return Err(MetadataError::Stranger { id: entry.key.id()? }.into());
            }
        }
        let current = before.map(|_| self.view()).transpose()?;
        let (targets, bytes) = self.next_targets(&root, current.as_ref(), bundle)?;
        let name = format!("{}.root.json", root.version());
        replace(&self.folder.join("metadata").join(name), &root.to_bytes()?)?;
        self.sign_online((&root, &targets, &bytes), None, online, now_ms)?;
        Ok(root)
    }

    /// Publishes a signed list with the packed catalogues that are new in it; gives the versions that are new.
    ///
    /// # Errors
    /// [`RepositoryError`]; unless a file cannot be written, nothing is changed then.
    pub fn publish(
        &self,
        bundle: &Bundle,
        online: &OnlineKeys,
        now_ms: i64,
    ) -> Result<Vec<u64>, RepositoryError> {
        let _lock = self.lock()?;
        let view = self.view()?;
        if view.is_in_force(bundle)? {
            return Ok(Vec::new());
        }
        let known = view.targets.as_ref().map(SignedTargets::listed).transpose()?.unwrap_or_default();
        let (targets, bytes) = self.next_targets(&view.root, Some(&view), Some(bundle))?;
        self.sign_online((&view.root, &targets, &bytes), None, online, now_ms)?;
        let new = targets.listed()?.into_iter().filter(|l| !known.contains(l)).map(|l| l.version);
        Ok(new.collect())
    }

    /// Whether a bundle could be published now; changes nothing.
    ///
    /// # Errors
    /// [`RepositoryError`] if it could not.
    pub fn check(&self, bundle: &Bundle) -> Result<(), RepositoryError> {
        let view = self.view()?;
        view.root.verify(&bundle.targets.0)?;
        if view.is_in_force(bundle)? {
            return Ok(());
        }
        follows(view.targets.as_ref(), &bundle.targets, &bundle.targets.listed()?)
    }

    /// Whether the timestamp is due to be signed anew.
    ///
    /// # Errors
    /// [`RepositoryError`] if the repository cannot be read.
    pub fn is_due(&self, now_ms: i64) -> Result<bool, RepositoryError> {
        let view = self.view()?;
        let Some(timestamp) = &view.timestamp else { return Ok(true) };
        let counts = view.root.verify(timestamp).is_ok() && view.snapshot_counts(now_ms);
        let age = now_ms.saturating_sub(signed_at_ms(timestamp));
        Ok(!counts || !(0..REFRESH_MS).contains(&age))
    }

    /// Signs the timestamp anew, and the snapshot if it ends soon or does not count under the root.
    ///
    /// # Errors
    /// [`RepositoryError::TargetsNeeded`] if the list does not count under the root, others if a file fails.
    pub fn refresh(&self, online: &OnlineKeys, now_ms: i64) -> Result<(), RepositoryError> {
        let _lock = self.lock()?;
        let view = self.view()?;
        let (targets, bytes) = self.next_targets(&view.root, Some(&view), None)?;
        let snapshot = view.snapshot.clone().filter(|_| view.snapshot_counts(now_ms));
        self.sign_online((&view.root, &targets, &bytes), snapshot, online, now_ms)
    }

    /// The list that shall be in force, its files in place.
    fn next_targets(
        &self,
        root: &TrustedRoot,
        current: Option<&View>,
        bundle: Option<&Bundle>,
    ) -> Result<(SignedTargets, Vec<u8>), RepositoryError> {
        let before = current.and_then(|c| c.targets.as_ref());
        let Some(bundle) = bundle else {
            let (Some(targets), Some(view)) = (before, current) else {
                return Err(RepositoryError::TargetsNeeded);
            };
            root.verify(&targets.0).map_err(|_| RepositoryError::TargetsNeeded)?;
            return Ok((targets.clone(), view.targets_bytes.clone()));
        };
        root.verify(&bundle.targets.0)?;
        let listed = bundle.targets.listed()?;
        follows(before, &bundle.targets, &listed)?;
        for folder in ["metadata", "targets"] {
            make_folder(&self.folder.join(folder))?;
        }
        for one in &listed {
            self.place(one, bundle)?;
        }
        let bytes = bundle.targets.to_bytes()?;
        let name = format!("{}.targets.json", bundle.targets.version());
        replace(&self.folder.join("metadata").join(name), &bytes)?;
        Ok((bundle.targets.clone(), bytes))
    }

    /// Puts a packed catalogue in its place, or finds it there.
    fn place(&self, listed: &Listed, bundle: &Bundle) -> Result<(), RepositoryError> {
        let name = target_file(&listed.digest, listed.version);
        let path = self.folder.join("targets").join(&name);
        match bundle.files.get(&name) {
            Some(packed) if Digest::of(packed) == listed.digest && packed.len() as u64 == listed.length => {
                Ok(replace(&path, packed)?)
            }
            None if fs::metadata(&path).is_ok_and(|m| m.len() == listed.length) => Ok(()),
            _ => Err(RepositoryError::Part(name)),
        }
    }

    /// Writes snapshot (unless the one in force stays) and timestamp.
    fn sign_online(
        &self,
        (root, targets, targets_bytes): (&TrustedRoot, &SignedTargets, &[u8]),
        kept: Option<Signed<Snapshot>>,
        online: &OnlineKeys,
        now_ms: i64,
    ) -> Result<(), RepositoryError> {
        let folder = self.folder.join("metadata");
        let snapshot = match kept {
            Some(snapshot) => snapshot,
            None => {
                let version = self.highest("snapshot.json")?.saturating_add(1);
                let meta = json!({ "targets.json": metafile(targets.version(), targets_bytes) });
                let snapshot: Snapshot = role("snapshot", version, now_ms + SNAPSHOT_MS, meta)?;
                let snapshot = metadata::signed(snapshot, &[&online.snapshot])?;
                root.verify(&snapshot)?;
                replace(&folder.join(format!("{version}.snapshot.json")), &metadata::to_bytes(&snapshot)?)?;
                snapshot
            }
        };
        let version = snapshot.signed.version.get();
        let bytes = self.metadata(&format!("{version}.snapshot.json"))?.unwrap_or_default();
        let meta = json!({ "snapshot.json": metafile(version, &bytes) });
        let before =
            self.metadata(TUF_TIMESTAMP)?.map(|b| metadata::read::<Signed<Timestamp>>(&b)).transpose()?;
        let next = before.map_or(1, |t| t.signed.version.get().saturating_add(1));
        let mut timestamp: Timestamp = role("timestamp", next, now_ms + TIMESTAMP_MS, meta)?;
        timestamp._extra.insert(TUF_SIGNED_AT.to_owned(), json!(now_ms));
        let timestamp = metadata::signed(timestamp, &[&online.timestamp])?;
        root.verify(&timestamp)?;
        replace(&folder.join(TUF_TIMESTAMP), &metadata::to_bytes(&timestamp)?)?;
        self.sweep(version, targets)
    }

    /// Removes snapshots and lists that were superseded long ago, and packed catalogues that are no longer listed.
    fn sweep(&self, snapshot: u64, targets: &SignedTargets) -> Result<(), RepositoryError> {
        for name in names(&self.folder.join("metadata"))? {
            let newest = match name.split_once('.') {
                Some((_, "snapshot.json")) => snapshot,
                Some((_, "targets.json")) => targets.version(),
                _ => continue,
            };
            if metadata_version(&name).is_some_and(|v| v.saturating_add(SUPERSEDED) < newest) {
                remove(&self.folder.join("metadata").join(name))?;
            }
        }
        let listed: Vec<String> =
            targets.listed()?.iter().map(|l| target_file(&l.digest, l.version)).collect();
        for name in names(&self.folder.join("targets"))? {
            if is_target_file(&name) && !listed.contains(&name) {
                remove(&self.folder.join("targets").join(name))?;
            }
        }
        Ok(())
    }

    fn metadata(&self, name: &str) -> Result<Option<Vec<u8>>, FileError> {
        read_if_there(&self.folder.join("metadata").join(name), MAX_METADATA_BYTES)
    }

    /// The highest version of a kind of metadata that was ever written here.
    fn highest(&self, kind: &str) -> Result<u64, FileError> {
        let names = names(&self.folder.join("metadata"))?;
        let of_kind = names.iter().filter(|n| n.split_once('.').is_some_and(|(_, rest)| rest == kind));
        Ok(of_kind.filter_map(|n| metadata_version(n)).max().unwrap_or(0))
    }

    /// Keeps other processes away until it is dropped.
    fn lock(&self) -> Result<File, RepositoryError> {
        make_folder(&self.folder)?;
        make_folder(&self.folder.join("metadata"))?;
        let path = self.folder.join("lock");
        let file = File::options().create(true).append(true).open(&path).map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(RepositoryError::Busy { path: self.folder.clone() }),
            Err(TryLockError::Error(e)) => Err(at(&path)(e).into()),
        }
    }
}

fn metafile(version: u64, bytes: &[u8]) -> serde_json::Value {
    json!({ "version": version, "length": bytes.len(), "hashes": { "sha256": Digest::of(bytes) } })
}

fn role<T: serde::de::DeserializeOwned>(
    kind: &str,
    version: u64,
    expires_ms: i64,
    meta: serde_json::Value,
) -> Result<T, MetadataError> {
    let role = json!({
        "_type": kind,
        "spec_version": SPEC_VERSION,
        "version": version,
        "expires": instant(expires_ms)?,
        "meta": meta,
    });
    serde_json::from_value(role).map_err(MetadataError::form)
}

fn names(folder: &Path) -> Result<Vec<String>, FileError> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        other => other.map_err(at(folder))?,
    };
    for entry in entries {
        found.push(entry.map_err(at(folder))?.file_name().to_string_lossy().into_owned());
    }
    Ok(found)
}

fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(at(path)(e)),
        _ => Ok(()),
    }
}
