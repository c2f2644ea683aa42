//! The client over `tough`.
//!
//! `tough` reads the machine's clock, and remembers it: after one boot in 2040 every look would fail. So it runs on a
//! fresh copy of its state, without its memory of the time and without judging expiry; that is judged here, by the
//! last time that the centre put its name to and by when the centre signed the timestamp. `tough` also forgets
//! a newer root that it has verified: it is handed back to it the next time.
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use domain::envelope::Digest;
use domain::wire::v1::tuf::{
    MAX_METADATA_BYTES, MAX_TARGET_BYTES, TUF_SIGNED_AT, TUF_TIMESTAMP, target_version,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};
use tough::schema::{Role, RoleType, Root, Signed, Snapshot, Targets, Timestamp};
use tough::{ExpirationEnforcement, Limits, Repository, RepositoryLoader};
use url::Url;

use super::bridge::Bridge;
use super::{CatalogueClient, FetchError, LookError, Offer, Published, Staging, fetch};
use crate::store::CatalogueTrust;
use crate::sync::transport::Transport;

/// A server that the bridge never asks by this name: only the paths count.
const METADATA_URL: &str = "http://centre.invalid/tuf/metadata/";
const TARGETS_URL: &str = "http://centre.invalid/tuf/targets/";
/// Bytes of a root, timestamp or snapshot, at most.
const SMALL: u64 = 64 * 1024;
/// Roots in a row that one look follows, at most.
const MOST_ROOTS: u64 = 64;
/// Catalogue versions in a list, at most.
const MOST_OFFERS: usize = 256;
/// Characters of an error of `tough` that are passed on.
const ERROR_CHARS: usize = 200;

/// A client on one link.
pub struct TufClient {
    bridge: Bridge,
    work: PathBuf,
    runtime: Runtime,
}

impl TufClient {
    /// A client that asks by this transport and verifies in this folder, which it makes and empties.
    ///
    /// # Errors
    /// The operating system's, if no runtime can be made.
    pub fn new(transport: Box<dyn Transport>, work: PathBuf) -> io::Result<Self> {
        // It has threads of its own for blocking calls, and drives them only within a look.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { bridge: Bridge::new(transport), work, runtime })
    }

    /// Whether the centre still says what it said last: one small file instead of four.
    fn is_same(&self, trust: &CatalogueTrust) -> Result<bool, LookError> {
        let Some(known) = &trust.timestamp else { return Ok(false) };
        let bytes = self.bridge.metadata(TUF_TIMESTAMP).map_err(LookError::Link)?;
        let bytes = bytes.filter(|b| b.len() as u64 <= SMALL);
        let said = bytes.and_then(|b| serde_json::from_slice::<Signed<Timestamp>>(&b).ok());
        Ok(said.is_some() && said == read::<Timestamp>(known).ok())
    }

    /// Runs `tough` on a fresh copy of what was trusted before.
    fn load(&self, trust: &CatalogueTrust) -> Result<CatalogueTrust, LookError> {
        lay_out(&self.work, trust).map_err(LookError::Folder)?;
        let limits = Limits {
            max_root_size: SMALL,
            max_timestamp_size: SMALL,
            max_snapshot_size: SMALL,
            max_targets_size: MAX_METADATA_BYTES,
            max_root_updates: MOST_ROOTS,
        };
        let address = |text| Url::parse(text).map_err(|e| LookError::Link(e.to_string()));
        let loader = RepositoryLoader::new(&trust.root, address(METADATA_URL)?, address(TARGETS_URL)?)
            .transport(self.bridge.clone())
            .limits(limits)
            .datastore(&self.work)
            .expiration_enforcement(ExpirationEnforcement::Unsafe);
        let loaded = self.runtime.block_on(loader.load());
        let _ = fs::remove_dir_all(&self.work);
        match (loaded, self.bridge.take_trouble()) {
            (_, Some(trouble)) => Err(LookError::Link(trouble)),
            (Ok(repository), None) => texts(&repository),
            (Err(e), None) => Err(refused(&e)),
        }
    }
}

impl CatalogueClient for TufClient {
    fn look(
        &mut self,
        trust: &CatalogueTrust,
        authenticated_ms: Option<i64>,
    ) -> Result<Published, LookError> {
        let same = self.is_same(trust)?;
        let trust = if same { trust.clone() } else { self.load(trust)? };
        let parts = Parts::read(&trust)?;
        let confirmed_ms = parts.confirmed_ms();
        if let Some(role) = parts.expired(authenticated_ms.unwrap_or(i64::MIN)) {
            return Err(LookError::Expired(role));
        }
        Ok(Published { offers: parts.offers()?, confirmed_ms, trust })
    }

    fn fetch(&mut self, offer: &Offer, staging: &Staging) -> Result<(), FetchError> {
        self.bridge.with(|transport| fetch::fetch(transport, offer, staging))
    }
}

/// Ids of the root keys of a root that is signed by enough of them, for people to compare.
///
/// # Errors
/// [`LookError::Refused`] if it is no root, or is not signed so.
pub fn root_keys(text: &str) -> Result<Vec<String>, LookError> {
    let root: Signed<Root> = read(text)?;
    root.signed.verify_role(&root).map_err(|e| LookError::Refused(e.to_string()))?;
    let keys = root.signed.roles.get(&RoleType::Root).map(|r| r.keyids.as_slice()).unwrap_or_default();
    let hex = |id: &[u8]| id.iter().map(|b| format!("{b:02x}")).collect();
    Ok(keys.iter().map(|id| hex(id)).collect())
}

/// Verified metadata.
struct Parts {
    root: Signed<Root>,
    timestamp: Signed<Timestamp>,
    snapshot: Signed<Snapshot>,
    targets: Signed<Targets>,
}

impl Parts {
    fn read(trust: &CatalogueTrust) -> Result<Self, LookError> {
        Ok(Self {
            root: read(&trust.root)?,
            timestamp: read(trust.timestamp.as_deref().unwrap_or_default())?,
            snapshot: read(trust.snapshot.as_deref().unwrap_or_default())?,
            targets: read(trust.targets.as_deref().unwrap_or_default())?,
        })
    }

    /// When the centre signed the timestamp, milliseconds since 1970.
    fn confirmed_ms(&self) -> i64 {
        self.timestamp.signed._extra.get(TUF_SIGNED_AT).and_then(serde_json::Value::as_i64).unwrap_or(0)
    }

    /// The first role that is past its end. The centre's own timestamp is the least that the time can be.
    fn expired(&self, authenticated_ms: i64) -> Option<&'static str> {
        let now_ms = authenticated_ms.max(self.confirmed_ms());
        let ends = [
            ("root", ends_ms(&self.root.signed)),
            ("timestamp", ends_ms(&self.timestamp.signed)),
            ("snapshot", ends_ms(&self.snapshot.signed)),
            ("targets", ends_ms(&self.targets.signed)),
        ];
        ends.into_iter().find(|(_, end)| *end < now_ms).map(|(role, _)| role)
    }

    fn offers(&self) -> Result<Vec<Offer>, LookError> {
        let refused = |why: &str| LookError::Refused(why.to_owned());
        if self.targets.signed.delegations.is_some() {
            return Err(refused("the list delegates to others"));
        }
        if self.targets.signed.targets.len() > MOST_OFFERS {
            return Err(refused("the list is too long"));
        }
        let mut offers = Vec::new();
        for (name, target) in &self.targets.signed.targets {
            let version = target_version(name.raw()).ok_or_else(|| refused("a target is no catalogue"))?;
            let digest: [u8; 32] =
                target.hashes.sha256.as_ref().try_into().map_err(|_| refused("a digest has 32 bytes"))?;
            if target.length > MAX_TARGET_BYTES {
                return Err(refused("a catalogue is too large"));
            }
            offers.push(Offer { version, digest: Digest::from_bytes(digest), length: target.length });
        }
        offers.sort_by_key(|o| o.version);
        Ok(offers)
    }
}

fn ends_ms<T: Role>(role: &T) -> i64 {
    role.expires().as_millisecond()
}

fn read<T: DeserializeOwned>(text: &str) -> Result<Signed<T>, LookError> {
    serde_json::from_str(text).map_err(|e| LookError::Refused(e.to_string()))
}

fn texts(repository: &Repository) -> Result<CatalogueTrust, LookError> {
    Ok(CatalogueTrust {
        root: text(repository.root())?,
        timestamp: Some(text(repository.timestamp())?),
        snapshot: Some(text(repository.snapshot())?),
        targets: Some(text(repository.targets())?),
    })
}

fn text<T: Serialize>(signed: &Signed<T>) -> Result<String, LookError> {
    serde_json::to_string(signed).map_err(|e| LookError::Refused(e.to_string()))
}

/// What `tough` says, with its causes, without control characters: parts of it may be somebody else's words.
fn refused(error: &tough::error::Error) -> LookError {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(e) = cause {
        let said = e.to_string();
        if !words.contains(&said) {
            words = format!("{words}: {said}");
        }
        cause = e.source();
    }
    LookError::Refused(words.chars().filter(|c| !c.is_control()).take(ERROR_CHARS).collect())
}

/// Lays out what was trusted before, and nothing else.
fn lay_out(folder: &Path, trust: &CatalogueTrust) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let files = [("timestamp", &trust.timestamp), ("snapshot", &trust.snapshot), ("targets", &trust.targets)];
    for (role, text) in files {
        if let Some(text) = text {
            fs::write(folder.join(format!("{role}.json")), text)?;
        }
    }
    Ok(())
}
