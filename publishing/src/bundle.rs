//! What the holder of the targets key signs, away from the server: the list of catalogue versions, and the packed
//! version that is new in it. It is carried to the server, which can add nothing to it.
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use domain::catalogue::CatalogueDocument;
use domain::envelope::Digest;
use domain::wire::v1::tuf::{MAX_METADATA_BYTES, MAX_TARGET_BYTES, target_file, target_name, target_version};
use serde_json::json;
use tough::schema::{Signed, Targets};

use crate::files::{FileError, make_folder, read_if_there, write_new};
use crate::key::RoleKey;
use crate::metadata::{self, MetadataError, SPEC_VERSION, instant};
use crate::root::TrustedRoot;

/// Catalogue versions that are listed, at most: the newest ones. Older ones are still in the store of the centre.
pub const MOST_LISTED: usize = 64;
/// Effort of the packing: a version is packed once and fetched by every terminal.
const PACKING: i32 = 19;
/// Bytes of an unpacked catalogue that are read; a catalogue has fewer.
const MOST_DOCUMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Name of the metadata in a carried folder.
const CARRIED_TARGETS: &str = "targets.json";

/// A bundle cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Its metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// Its files.
    #[error("bundle")]
    File(#[from] FileError),
    /// The catalogue cannot be packed, or is too large when packed.
    #[error("the catalogue cannot be packed, or has more than 8 MiB when packed")]
    Packing,
    /// A part is missing or is not what the metadata says.
    #[error("{0} is missing from the bundle, or is not what its metadata says")]
    Part(String),
}

/// A catalogue version among the targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The version.
    pub version: u64,
    /// SHA-256 of the packed file.
    pub digest: Digest,
    /// Bytes of the packed file.
    pub length: u64,
}

/// Signed targets metadata: which catalogue versions there are.
#[derive(Debug, Clone)]
pub struct SignedTargets(pub(crate) Signed<Targets>);

impl SignedTargets {
    /// Reads metadata of this role; whose signature it carries is not looked at.
    ///
    /// # Errors
    /// [`MetadataError::Form`] if it is something else.
    pub fn read(bytes: &[u8]) -> Result<Self, MetadataError> {
        metadata::read(bytes).map(Self)
    }

    /// As it stands in its file.
    ///
    /// # Errors
    /// [`MetadataError::Form`] if it cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MetadataError> {
        metadata::to_bytes(&self.0)
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.0.signed.version.get()
    }

    /// The catalogue versions, the lowest first.
    ///
    /// # Errors
    /// [`MetadataError`] if a target is no catalogue.
    pub fn listed(&self) -> Result<Vec<Listed>, MetadataError> {
        let mut listed = Vec::new();
        for (name, target) in &self.0.signed.targets {
            let version = target_version(name.raw())
                .ok_or(MetadataError::Rule("every target is a catalogue version"))?;
            let digest = crate::key::id_of(&target.hashes.sha256)?;
            listed.push(Listed { version, digest, length: target.length });
        }
        listed.sort_by_key(|l| l.version);
        Ok(listed)
    }
}

/// Signed targets metadata and the packed files that are new in it.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The list.
    pub targets: SignedTargets,
    /// Packed catalogues by their file names.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Signs a list with further catalogue versions, the lowest first; without any the same list anew, with a later
    /// end.
    ///
    /// # Errors
    /// [`BundleError`] if the key is not that of the root's targets role, or a version is not a new one.
    pub fn sign(
        root: &TrustedRoot,
        current: Option<&SignedTargets>,
        documents: &[CatalogueDocument],
        key: &RoleKey,
        expires_ms: i64,
    ) -> Result<Self, BundleError> {
        let public = key.public()?;
        if !root.has(crate::key::RoleName::Targets, &public)? {
            return Err(MetadataError::Stranger { id: public.id()? }.into());
        }
        let mut listed = current.map(SignedTargets::listed).transpose()?.unwrap_or_default();
        let mut files = BTreeMap::new();
        for document in documents {
            let packed = pack(document)?;
            if listed.last().is_some_and(|last| last.version >= document.version) {
                return Err(MetadataError::Published { version: document.version }.into());
            }
            let digest = Digest::of(&packed);
            listed.push(Listed { version: document.version, digest, length: packed.len() as u64 });
            files.insert(target_file(&digest, document.version), packed);
        }
        let skipped = listed.len().saturating_sub(MOST_LISTED);
        let version = current.map_or(1, |c| c.version().saturating_add(1));
        let targets = targets(&listed[skipped..], version, expires_ms)?;
        Ok(Self { targets: SignedTargets(metadata::signed(targets, &[key])?), files })
    }

    /// Writes it into a folder to be carried.
    ///
    /// # Errors
    /// [`BundleError`] if a file is there already or cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), BundleError> {
        make_folder(folder)?;
        for (name, bytes) in &self.files {
            write_new(&folder.join(name), bytes)?;
        }
        Ok(write_new(&folder.join(CARRIED_TARGETS), &self.targets.to_bytes()?)?)
    }

    /// Reads one that was carried here. Files that the list does not name are left where they are.
    ///
    /// # Errors
    /// [`BundleError`] if the metadata is missing, or a file is not what it says.
    pub fn read(folder: &Path) -> Result<Self, BundleError> {
        let bytes = read_if_there(&folder.join(CARRIED_TARGETS), MAX_METADATA_BYTES)?;
        let bytes = bytes.ok_or_else(|| BundleError::Part(CARRIED_TARGETS.to_owned()))?;
        let targets = SignedTargets::read(&bytes)?;
        let mut files = BTreeMap::new();
        for listed in targets.listed()? {
            let name = target_file(&listed.digest, listed.version);
            let Some(packed) = read_if_there(&folder.join(&name), MAX_TARGET_BYTES)? else { continue };
            if packed.len() as u64 != listed.length || Digest::of(&packed) != listed.digest {
                return Err(BundleError::Part(name));
            }
            files.insert(name, packed);
        }
        Ok(Self { targets, files })
    }
}

impl Bundle {
    /// The canonical text of the highest version whose packed file is in it, if its list counts under a root: what was
    /// carried away together with the list in force.
    ///
    /// # Errors
    /// [`BundleError`] if the list is not signed by the root's targets key, or the file cannot be unpacked.
    pub fn highest_held(&self, root: &TrustedRoot) -> Result<Option<String>, BundleError> {
        root.verify(&self.targets.0)?;
        let listed = self.targets.listed()?;
        let held = listed.iter().rev().find(|l| self.files.contains_key(&target_file(&l.digest, l.version)));
        held.map_or(Ok(None), |l| self.document(l.version))
    }

    /// The canonical text of a catalogue version in it; none if it only names the version.
    ///
    /// # Errors
    /// [`BundleError::Part`] if it cannot be unpacked.
    pub fn document(&self, version: u64) -> Result<Option<String>, BundleError> {
        let listed = self.targets.listed()?;
        let Some(listed) = listed.iter().find(|l| l.version == version) else { return Ok(None) };
        let name = target_file(&listed.digest, version);
        let Some(packed) = self.files.get(&name) else { return Ok(None) };
        let damaged = || BundleError::Part(name.clone());
        let mut text = String::new();
        let decoder = zstd::stream::read::Decoder::new(packed.as_slice()).map_err(|_| damaged())?;
        decoder.take(MOST_DOCUMENT_BYTES).read_to_string(&mut text).map_err(|_| damaged())?;
        Ok(Some(text))
    }
}

fn pack(document: &CatalogueDocument) -> Result<Vec<u8>, BundleError> {
    let packed = zstd::bulk::compress(document.json.as_bytes(), PACKING).map_err(|_| BundleError::Packing)?;
    if packed.len() as u64 <= MAX_TARGET_BYTES { Ok(packed) } else { Err(BundleError::Packing) }
}

fn targets(listed: &[Listed], version: u64, expires_ms: i64) -> Result<Targets, MetadataError> {
    let entries: serde_json::Map<_, _> = listed
        .iter()
        .map(|l| {
            let target = json!({ "length": l.length, "hashes": { "sha256": l.digest } });
            (target_name(l.version), target)
        })
        .collect();
    let targets = json!({
        "_type": "targets",
        "spec_version": SPEC_VERSION,
        "version": version,
        "expires": instant(expires_ms)?,
        "targets": entries,
    });
    serde_json::from_value(targets).map_err(MetadataError::form)
}
