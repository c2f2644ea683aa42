//! Signed catalogues for tests: a key ceremony in memory, a repository on disk, and a mirror of it that lies as told.
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Context as _, Result};
use domain::catalogue::{Catalogue, CatalogueDocument};
use domain::envelope::Digest;
use domain::wire::v1::PROBLEM_MEDIA_TYPE;
use domain::wire::v1::tuf::{TUF_METADATA, TUF_SIGNED_AT, TUF_TARGETS, TUF_TIMESTAMP};
use publishing::bundle::Bundle;
use publishing::key::{PublicEntry, RoleKey, RoleName};
use publishing::online::OnlineKeys;
use publishing::repository::{ROOT_MS, Repository, TARGETS_MS};
use publishing::root::{RoleChange, RootDraft, TrustedRoot};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::{Value, json};
use terminal::sync::transport::{
    Head, Request, Response, Sink, Transport, TransportError, UploadAnswer, UploadCall,
};

use crate::binaries::repository;

/// A moment: 2026-11-28.
pub const NOW_MS: i64 = 1_795_822_400_000;
/// A day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// The sample catalogue under another version number.
///
/// # Errors
/// If the sample cannot be read.
pub fn catalogue(version: u64) -> Result<CatalogueDocument> {
    static SAMPLE: OnceLock<Catalogue> = OnceLock::new();
    let mut catalogue = match SAMPLE.get() {
        Some(sample) => sample.clone(),
        None => {
            let read = sync_server::startup::load_catalogue(&repository().join("assets/catalogue"))?;
            SAMPLE.get_or_init(|| read).clone()
        }
    };
    catalogue.version = version;
    Ok(catalogue.to_document())
}

/// All keys of a repository, and the repository.
pub struct Publisher {
    /// Root keys.
    pub roots: Vec<RoleKey>,
    /// The targets key.
    pub targets: RoleKey,
    /// The server's keys.
    pub online: OnlineKeys,
    /// The repository.
    pub repository: Repository,
    rng: ChaCha20Rng,
}

impl Publisher {
    /// Holds the ceremony: root 1 and an empty list are in force.
    ///
    /// # Errors
    /// If a step fails.
    pub fn new(folder: &Path, seed: u64, now_ms: i64) -> Result<Self> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let roots: Vec<RoleKey> = (0..3).map(|_| RoleKey::new(&mut rng)).collect();
        let targets = RoleKey::new(&mut rng);
        let online = OnlineKeys::new(&mut rng);
        let mut public = online.public()?;
        for key in &roots {
            public.keys.push(PublicEntry { role: RoleName::Root, key: key.public()? });
        }
        public.keys.push(PublicEntry { role: RoleName::Targets, key: targets.public()? });
        let mut draft = RootDraft::first(&public, now_ms + ROOT_MS)?;
        draft.sign(&roots[0], None)?;
        draft.sign(&roots[1], None)?;
        let repository = Repository::new(folder.to_owned());
        let first = Bundle::sign(&draft.clone().finish(None)?, None, &[], &targets, now_ms + TARGETS_MS)?;
        repository.install(draft, Some(&first), &online, now_ms)?;
        Ok(Self { roots, targets, online, repository, rng })
    }

    /// The root in force.
    ///
    /// # Errors
    /// If there is none.
    pub fn root(&self) -> Result<TrustedRoot> {
        self.repository.root()?.context("a root")
    }

    /// The text of root 1, as an enrolment gives it.
    ///
    /// # Errors
    /// If it is not there.
    pub fn first_root(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.repository.folder().join("metadata/1.root.json"))?)
    }

    /// Signs a catalogue version.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn sign(&self, version: u64, now_ms: i64) -> Result<Bundle> {
        let view = self.repository.view()?;
        let documents = [catalogue(version)?];
        let ends_ms = now_ms + TARGETS_MS;
        Ok(Bundle::sign(&view.root, view.targets.as_ref(), &documents, &self.targets, ends_ms)?)
    }

    /// Signs and publishes a catalogue version.
    ///
    /// # Errors
    /// If it cannot be published.
    pub fn publish(&self, version: u64, now_ms: i64) -> Result<()> {
        self.repository.publish(&self.sign(version, now_ms)?, &self.online, now_ms)?;
        Ok(())
    }

    /// Gives both online roles new keys, by a root signed with two root keys.
    ///
    /// # Errors
    /// If a step fails.
    pub fn rotate_online(&mut self, now_ms: i64) -> Result<()> {
        let online = OnlineKeys::new(&mut self.rng);
        let changes =
            online.public()?.keys.into_iter().map(|e| self.replacing(e)).collect::<Result<Vec<_>>>()?;
        let draft = self.draft(&changes, now_ms)?;
        self.repository.install(draft, None, &online, now_ms)?;
        self.online = online;
        Ok(())
    }

    /// Gives the targets role a new key, and signs the list anew with it.
    ///
    /// # Errors
    /// If a step fails.
    pub fn rotate_targets(&mut self, now_ms: i64) -> Result<()> {
        let targets = RoleKey::new(&mut self.rng);
        let entry = PublicEntry { role: RoleName::Targets, key: targets.public()? };
        let draft = self.draft(&[self.replacing(entry)?], now_ms)?;
        let root = draft.clone().finish(Some(&self.root()?))?;
        let view = self.repository.view()?;
        let list = Bundle::sign(&root, view.targets.as_ref(), &[], &targets, now_ms + TARGETS_MS)?;
        self.repository.install(draft, Some(&list), &self.online, now_ms)?;
        self.targets = targets;
        Ok(())
    }

    /// The next root with some changes, signed by the first two root keys.
    ///
    /// # Errors
    /// If the changes break a rule.
    pub fn draft(&self, changes: &[RoleChange], now_ms: i64) -> Result<RootDraft> {
        let current = self.root()?;
        let mut draft = RootDraft::next(&current, changes, now_ms + ROOT_MS)?;
        draft.sign(&self.roots[0], Some(&current))?;
        draft.sign(&self.roots[1], Some(&current))?;
        Ok(draft)
    }

    fn replacing(&self, entry: PublicEntry) -> Result<RoleChange> {
        let remove = self.root()?.key_ids(entry.role);
        Ok(RoleChange { role: entry.role, remove, add: vec![entry.key] })
    }

    /// All files as they are now, by their address.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn files(&self) -> Result<Files> {
        let mut files = Files::new();
        for (folder, address) in [("metadata", TUF_METADATA), ("targets", TUF_TARGETS)] {
            let folder = self.repository.folder().join(folder);
            for entry in std::fs::read_dir(&folder).into_iter().flatten() {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                files.insert(format!("{address}{name}"), std::fs::read(entry.path())?);
            }
        }
        Ok(files)
    }
}

/// Signs changed metadata anew with the keys of a publisher, so that all signatures and digests hold: list, snapshot,
/// and a timestamp of the next version.
///
/// # Errors
/// If a file is missing.
pub fn sign_anew(publisher: &Publisher, files: &mut Files, list: &str, now_ms: i64) -> Result<()> {
    let timestamp = format!("{TUF_METADATA}{TUF_TIMESTAMP}");
    let value: Value = serde_json::from_slice(files.get(&timestamp).context("a timestamp")?)?;
    let version = &value["signed"]["meta"]["snapshot.json"]["version"];
    let snapshot = format!("{TUF_METADATA}{version}.snapshot.json");
    let key = |role| publisher.online.of(role).context("an online key");
    sign_file(files, list, &publisher.targets, |_| {})?;
    let meta = described(files, list)?;
    sign_file(files, &snapshot, key(RoleName::Snapshot)?, |v| describe(v, "targets.json", &meta))?;
    let meta = described(files, &snapshot)?;
    sign_file(files, &timestamp, key(RoleName::Timestamp)?, |v| {
        describe(v, "snapshot.json", &meta);
        v["version"] = json!(v["version"].as_u64().unwrap_or(0) + 1);
        v[TUF_SIGNED_AT] = json!(now_ms);
    })
}

fn describe(signed: &mut Value, name: &str, (length, digest): &(usize, Digest)) {
    signed["meta"][name]["length"] = json!(length);
    signed["meta"][name]["hashes"]["sha256"] = json!(digest);
}

fn described(files: &Files, address: &str) -> Result<(usize, Digest)> {
    let bytes = files.get(address).context("the file")?;
    Ok((bytes.len(), Digest::of(bytes)))
}

/// Changes the signed part of a file and signs it with this key.
///
/// # Errors
/// If the file is missing.
pub fn sign_file(
    files: &mut Files,
    address: &str,
    key: &RoleKey,
    change: impl FnOnce(&mut Value),
) -> Result<()> {
    let mut value: Value = serde_json::from_slice(files.get(address).context("the file")?)?;
    change(&mut value["signed"]);
    // Canonical JSON of what tests write: sorted, without spaces, and all of it ASCII.
    value.sort_all_objects();
    let signature = key.sign(value["signed"].to_string().as_bytes());
    let hex: String = signature.iter().map(|b| format!("{b:02x}")).collect();
    value["signatures"] = json!([{ "keyid": key.public()?.id()?, "sig": hex }]);
    files.insert(address.to_owned(), serde_json::to_vec(&value)?);
    Ok(())
}

/// Files by their address.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a mirror does to the next download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The link breaks after so many bytes of this answer.
    After(usize),
    /// Bytes without end follow.
    Endless,
}

/// What a mirror holds.
#[derive(Debug, Default)]
pub struct MirrorState {
    /// Its files.
    pub files: Files,
    /// Nobody answers.
    pub down: bool,
    /// Something else answers everything: status, media type, body.
    pub stranger: Option<(u16, &'static str, Vec<u8>)>,
    /// What happens to the next downloads.
    pub cuts: std::collections::VecDeque<Cut>,
    /// Addresses asked for so far, with the first byte.
    pub asked: Vec<(String, usize)>,
    /// Bytes of targets given so far.
    pub given: usize,
}

/// A mirror of a repository in memory, behind the terminal's transport; clones share one state.
#[derive(Clone, Default)]
pub struct Mirror(Arc<Mutex<MirrorState>>);

impl Mirror {
    /// A mirror of what is published now.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub fn of(publisher: &Publisher) -> Result<Self> {
        let mirror = Self::default();
        mirror.follow(publisher)?;
        Ok(mirror)
    }

    /// Takes over what is published now.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub fn follow(&self, publisher: &Publisher) -> Result<()> {
        self.state().files = publisher.files()?;
        Ok(())
    }

    /// The state, to look at or to change.
    pub fn state(&self) -> MutexGuard<'_, MirrorState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn response(status: u16, content_type: &str, body: Vec<u8>) -> Response {
    Response { status, content_type: content_type.to_owned(), retry_after_secs: None, body }
}

impl Transport for Mirror {
    fn upload(&mut self, _: &UploadCall) -> Result<UploadAnswer, TransportError> {
        Err(TransportError::Unreachable)
    }

    fn exchange(&mut self, request: &Request) -> Result<Response, TransportError> {
        let mut state = self.state();
        state.asked.push((request.path_and_query.clone(), 0));
        if state.down {
            return Err(TransportError::Unreachable);
        }
        if let Some((status, media_type, body)) = &state.stranger {
            return Ok(response(*status, media_type, body.clone()));
        }
        Ok(match state.files.get(&request.path_and_query) {
            Some(body) => response(200, "application/json", body.clone()),
            None => response(404, PROBLEM_MEDIA_TYPE, b"{}".to_vec()),
        })
    }

    fn download(&mut self, request: &Request, sink: &mut dyn Sink) -> Result<(), TransportError> {
        let mut state = self.state();
        let range =
            request.headers.iter().find(|(name, _)| *name == "range").map(|(_, value)| value.as_str());
        let digits = range.and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-'));
        let first: usize = digits.and_then(|d| d.parse().ok()).unwrap_or(0);
        state.asked.push((request.path_and_query.clone(), first));
        if state.down {
            return Err(TransportError::Unreachable);
        }
        let Some(body) = state.files.get(&request.path_and_query).cloned() else {
            sink.head(&Head { status: 404, content_range: None });
            return Ok(());
        };
        let cut = state.cuts.pop_front();
        let status = if first > 0 { 206 } else { 200 };
        let content_range = (first > 0).then(|| format!("bytes {first}-{}/{}", body.len() - 1, body.len()));
        if !sink.head(&Head { status, content_range }) {
            return Ok(());
        }
        let most = if let Some(Cut::After(most)) = cut { most } else { usize::MAX };
        let rest = &body[first.min(body.len())..];
        for piece in rest[..rest.len().min(most)].chunks(1_000) {
            state.given += piece.len();
            if !sink.piece(piece) {
                return Ok(());
            }
        }
        match cut {
            Some(Cut::After(_)) => Err(TransportError::Unreachable),
            Some(Cut::Endless) => loop {
                state.given += 1_000;
                if !sink.piece(&[0; 1_000]) {
                    return Ok(());
                }
            },
            None => Ok(()),
        }
    }
}
