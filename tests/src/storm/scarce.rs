//! Processes that run out of disk or memory: a real store in a child, asked again and again for one more row.
//!
//! The disk is a small tmpfs that the parent mounted and that this process fills up to so many pages; the memory is
//! SQLite's own hard heap limit. Refuses to judge the memory run: its parent looks at the store after every step.
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use domain::envelope::{DataKey, Digest};
use domain::form::Answers;
use domain::ids::{CaseNo, EnvelopeId};
use domain::wire::v1::{EnvelopeUpload, Outcome};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde::{Deserialize, Serialize};
use sync_server::centre::Centre;
use sync_server::store::Sqlite;
use terminal::store::{NewSubmission, Store, StoreError, SubmitError};

use super::dump::dump;
use super::small_centre;
use crate::centre::Centre as Enroller;
use crate::device::{self, Device, header_of, now_ms};
use crate::history::{CentreView, DiskView, History, Op, check_centre, check_disk, report};

/// Whose store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A terminal's, which submits.
    Terminal,
    /// The centre's, which takes envelopes.
    Centre,
}

impl std::str::FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "terminal" => Ok(Self::Terminal),
            "centre" => Ok(Self::Centre),
            _ => bail!("terminal or centre"),
        }
    }
}

/// What one try came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attempt {
    /// It was saved and a promise was given: its number and its digest.
    Kept(EnvelopeId, CaseNo, Digest),
    /// It was refused with this reason.
    Refused(EnvelopeId, String),
}

impl Attempt {
    /// What was refused, and why.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Kept(..) => None,
            Self::Refused(_, why) => Some(why),
        }
    }

    /// What a history says of it, but for the beginning of the form.
    pub fn ops(&self, kind: Kind) -> Vec<Op> {
        match self {
            Self::Kept(id, number, digest) => {
                let slip = Op::Slip { id: *id, number: number.clone(), digest: *digest };
                let acked = (kind == Kind::Centre).then_some(Op::Acked { id: *id });
                std::iter::once(slip).chain(acked).collect()
            }
            Self::Refused(id, why) => vec![Op::Refused { id: *id, why: why.clone() }],
        }
    }
}

/// The name of the one terminal in the histories of these runs.
pub const NAME: &str = "t";

/// Checks a store by the rules that it keeps by itself.
///
/// # Errors
/// If it cannot be read, or breaks one.
pub fn judge(kind: Kind, folder: &Path, history: &History) -> Result<()> {
    let broken = match kind {
        Kind::Terminal => check_disk(history, DiskView::read(NAME, folder)?),
        Kind::Centre => {
            let mut store = Sqlite::open_read_only(&file(kind, folder))?;
            check_centre(history, &CentreView::read(&mut store)?)
        }
    };
    ensure!(broken.is_empty(), "{}", report(&broken));
    Ok(())
}

/// A store and what it is to take next.
pub(super) enum Subject {
    Terminal { store: Box<Store>, next: Option<(EnvelopeId, DataKey)>, rng: Box<ChaCha20Rng> },
    Centre { centre: Arc<Centre>, device: Box<Device>, next: Option<EnvelopeUpload> },
}

/// The store's file in a folder.
pub fn file(kind: Kind, folder: &Path) -> PathBuf {
    folder.join(if kind == Kind::Terminal { terminal::store::DATABASE_FILE } else { "server.db" })
}

impl Subject {
    pub(super) fn open(kind: Kind, folder: &Path) -> Result<Self> {
        let rng = Box::new(ChaCha20Rng::seed_from_u64(now_ms().unsigned_abs()));
        if kind == Kind::Terminal {
            let mut store = Box::new(Store::open(folder, now_ms())?);
            if store.identity()?.is_none() {
                store.save_enrolment(&Enroller::default().enrolment()?)?;
            }
            return Ok(Self::Terminal { store, next: None, rng });
        }
        std::fs::create_dir_all(folder)?;
        let centre = small_centre::open(&file(kind, folder), true)?;
        let device = Box::new(small_centre::enrol_device(&centre, now_ms().unsigned_abs())?);
        Ok(Self::Centre { centre, device, next: None })
    }

    /// Makes what is to be saved next, if nothing waits since a refusal; gives its id.
    pub(super) fn prepare(&mut self) -> Result<EnvelopeId> {
        match self {
            Self::Terminal { next, rng, .. } => {
                let new = || (EnvelopeId::new(now_ms(), rng.as_mut()), DataKey::new(rng.as_mut()));
                Ok(next.get_or_insert_with(new).0)
            }
            Self::Centre { device, next, .. } => {
                let upload = match next.take() {
                    Some(upload) => upload,
                    None => device.seal(&device::courier())?,
                };
                Ok(header_of(next.insert(upload))?.envelope_id)
            }
        }
    }

    /// Tries to save one; what was refused is tried again with the same id.
    pub(super) fn attempt(&mut self) -> Result<Attempt> {
        let id = self.prepare()?;
        match self {
            Self::Terminal { store, next, rng } => {
                let (_, key) = next.as_ref().context("a key")?;
                let content = device::courier();
                let answers = Answers::from_map(content.answers);
                let new = NewSubmission {
                    envelope_id: id,
                    data_key: key.clone(),
                    item: device::ITEM.parse()?,
                    catalogue_version: device::CATALOGUE,
                    person: content.applicant,
                    answers: &answers,
                    situation: content.situation.as_ref(),
                    now_ms: now_ms(),
                    boot_ms: 1,
                };
                match store.submit(new, rng.as_mut()) {
                    Ok(slip) => {
                        *next = None;
                        Ok(Attempt::Kept(id, slip.number, slip.digest))
                    }
                    Err(e) => Ok(Attempt::Refused(id, terminal_reason(&e))),
                }
            }
            Self::Centre { centre, next, .. } => {
                let upload = next.as_ref().context("an envelope")?;
                let number = header_of(upload)?.number.context("a number")?;
                let reason = match small_centre::hand_in(centre, upload) {
                    Ok(r) if matches!(r.outcome, Outcome::Accepted | Outcome::Duplicate) => {
                        r.receipt.context("a receipt")?;
                        let digest = upload.digest;
                        *next = None;
                        return Ok(Attempt::Kept(id, number, digest));
                    }
                    Ok(r) => r.problem.map(|p| p.code).unwrap_or_default(),
                    Err(e) => e.to_string(),
                };
                Ok(Attempt::Refused(id, reason))
            }
        }
    }
}

/// What the screen would say (`submit.error.*`).
fn terminal_reason(error: &SubmitError) -> String {
    match error {
        SubmitError::Store(StoreError::Full) => "disk_full".to_owned(),
        SubmitError::Store(e) => format!("store: {e:?}"),
        other => format!("{other:?}"),
    }
}

/// A store that is asked for one more row at ever lower limits of SQLite's heap, given as lines on standard input;
/// a limit of 0 sets none. Answers each with a line.
///
/// # Errors
/// If the store cannot be opened at first.
pub fn memory(kind: Kind, folder: &Path) -> Result<()> {
    let mut subject = Subject::open(kind, folder)?;
    let tuner = rusqlite::Connection::open_in_memory()?;
    let mut out = std::io::stdout();
    for line in std::io::stdin().lines() {
        let limit: i64 = line?.trim().parse()?;
        if limit > 0 {
            // The limit is the process's; it can fail to be read back when there is no memory for that.
            let _ = tuner.execute_batch(&format!("PRAGMA hard_heap_limit={limit}"));
        }
        let attempt = subject.attempt()?;
        writeln!(out, "{}", serde_json::to_string(&attempt)?)?;
        out.flush()?;
    }
    Ok(())
}

/// What filling the disk came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct DiskReport {
    /// Tries that found no room, by reason.
    pub refused: std::collections::BTreeMap<String, u32>,
    /// Numbers of free pages at which a try found no room.
    pub full_at: std::collections::BTreeSet<u64>,
    /// Tries that were kept although the disk was nearly full.
    pub kept: u32,
    /// Openings of a new store that found no room, and then one that did.
    pub openings: u32,
}

/// Fills the disk up to every number of free pages and tries to save; after each refusal nothing may have changed,
/// and with room again the same submission is saved.
///
/// # Errors
/// If anything half-written is found, or something does not go on.
pub fn disk(kind: Kind, mount: &Path, rounds: u32) -> Result<DiskReport> {
    let mut report = DiskReport::default();
    opening(kind, mount, &mut report)?;
    let folder = mount.join("store");
    let mut subject = Subject::open(kind, &folder)?;
    let mut history = History::default();
    for round in 0..rounds {
        for pages in 0..24 {
            let ballast = Ballast::leave(mount, pages)?;
            let before = dump(&file(kind, &folder))?;
            let attempt = try_one(kind, &mut subject, &mut history)?;
            let Some(why) = attempt.refusal() else {
                report.kept += 1;
                continue;
            };
            let after = dump(&file(kind, &folder))?;
            ensure!(before == after, "round {round}, {pages} pages: something half-written");
            *report.refused.entry(why.to_owned()).or_default() += 1;
            report.full_at.insert(pages);
            drop(ballast);
            if let Some(why) = try_one(kind, &mut subject, &mut history)?.refusal() {
                bail!("with room again: {why} (round {round}, {pages} pages)");
            }
        }
    }
    drop(subject);
    judge(kind, &folder, &history)?;
    Ok(report)
}

/// One try, with what a history says of it.
fn try_one(kind: Kind, subject: &mut Subject, history: &mut History) -> Result<Attempt> {
    history.note(NAME, Op::Created { id: subject.prepare()? });
    let attempt = subject.attempt()?;
    attempt.ops(kind).into_iter().for_each(|op| history.note(NAME, op));
    Ok(attempt)
}

/// A new store on a disk with ever more room: an error that leaves nothing in the way, until it fits.
fn opening(kind: Kind, mount: &Path, report: &mut DiskReport) -> Result<()> {
    let folder = mount.join("new");
    let step = if kind == Kind::Terminal { 1 } else { 5 };
    for pages in (0..).step_by(step) {
        let ballast = Ballast::leave(mount, pages)?;
        let opened = Subject::open(kind, &folder);
        drop(ballast);
        report.openings += 1;
        match opened {
            Ok(mut subject) => {
                ensure!(matches!(subject.attempt()?, Attempt::Kept(..)), "the new store takes nothing");
                break;
            }
            Err(e) => {
                let said = format!("{e:#}").to_lowercase();
                ensure!(said.contains("full") || said.contains("no space"), "{pages} pages: {said}");
                ensure!(pages < 3_000, "no end: {e:?}");
            }
        }
    }
    Ok(std::fs::remove_dir_all(&folder)?)
}

/// A file that fills the disk up to some free pages; gone when dropped.
struct Ballast(PathBuf);

impl Ballast {
    fn leave(mount: &Path, pages: u64) -> Result<Self> {
        let ballast = Self(mount.join("ballast"));
        let mut file = std::fs::File::create(&ballast.0)?;
        let about = rustix::fs::statvfs(mount)?;
        let page = vec![0; usize::try_from(about.f_frsize)?];
        for _ in pages..about.f_bfree {
            file.write_all(&page)?;
        }
        Ok(ballast)
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
