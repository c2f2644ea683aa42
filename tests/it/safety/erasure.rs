//! Time passes: what is over its time is gone from the store, its log and its free pages, and stays gone after a restore.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use anyhow::{Context as _, Result, ensure};
use domain::envelope::SealingKey;
use domain::ids::EnvelopeId;
use domain::wire::v1::EnvelopeUpload;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::json;
use sync_server::backup::{self, Made, Offered, Order, Restored, recipient};
use sync_server::blobs::BlobPlace;
use sync_server::centre::Centre;
use sync_server::data_folder::DataFolder;
use sync_server::erasure_journal;
use sync_server::jobs::open_received;
use sync_server::jobs::upkeep::{UpkeepPlan, erase_due, erase_noted};
use sync_server::services::catalogue::Shelf;
use sync_server::services::erasure::{self, Erasure, Why};
use sync_server::services::{Context, Durable, audit, clock_guard};
use sync_server::startup::{self, OpenedFolder};
use sync_server::store::{Tx, Value};
use tests::binaries::repository;
use tests::device::{Device, courier, header_of, now_ms};
use tests::storm::small_centre::{enrol_device, hand_in};
use tests::told::Told;

use super::{bytes_below, holds};

pub(super) const DAY_MS: i64 = 86_400_000;

pub(super) struct Rig {
    pub(super) centre: Arc<Centre>,
    pub(super) clock: Arc<AtomicI64>,
    pub(super) plan: UpkeepPlan,
}

impl Rig {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let data = DataFolder::new(folder.to_owned(), None);
        let clock = Arc::new(AtomicI64::new(now_ms()));
        let opened = startup::open(&data, &repository().join("assets"), now_ms())?;
        let OpenedFolder { store, keys, epoch, .. } = opened;
        let people_url = "http://127.0.0.1:1".to_owned();
        let context =
            Context { keys, epoch, people_url, shelf: Shelf::default(), durable: Durable::default() };
        let around = Box::new(Told(clock.clone()));
        let centre = Arc::new(Centre::with_threads(store, vec![data.reader()?], context, around)?);
        let journal = folder.join(erasure_journal::FILE);
        let plan = UpkeepPlan {
            blobs: BlobPlace::Folder(data.blobs()),
            data,
            backups: None,
            every_hours: 6,
            journal,
        };
        Ok(Self { centre, clock, plan })
    }

    /// A backup of now into a folder.
    pub(super) fn back_up(&self, to: &Path) -> Result<Made> {
        let now_ms = self.centre.now_ms();
        let order = Order {
            data: &self.plan.data,
            keys: &self.centre.context().keys,
            blobs: &self.plan.blobs,
            to,
            journal: &self.plan.journal,
            now_ms,
        };
        Ok(backup::make(&order, &mut ChaCha20Rng::seed_from_u64(now_ms.unsigned_abs()))?)
    }

    /// A submission that is sent back: its case is closed at once.
    pub(super) fn returned(&self, device: &mut Device) -> Result<EnvelopeUpload> {
        let mut wrong = courier();
        wrong.answers.insert("phone".into(), json!("1"));
        self.opened(device.seal(&wrong)?)
    }

    /// A submission that waits for its department.
    pub(super) fn submitted(&self, device: &mut Device) -> Result<EnvelopeId> {
        Ok(header_of(&self.opened(device.seal(&courier())?)?)?.envelope_id)
    }

    fn opened(&self, upload: EnvelopeUpload) -> Result<EnvelopeUpload> {
        hand_in(&self.centre, &upload)?;
        open_received(&self.centre, &mut ChaCha20Rng::seed_from_u64(1), &AtomicBool::new(false))?;
        Ok(upload)
    }

    /// Days pass, and nobody doubts it.
    fn travel(&self, days: i64) -> Result<usize> {
        let now_ms = self.clock.fetch_add(days * DAY_MS, Ordering::AcqRel) + days * DAY_MS;
        self.centre.write(move |tx| Ok(clock_guard::confirm(tx, now_ms, "operator")?))?;
        Ok(erase_due(&self.centre, &self.plan)?)
    }

    fn blob(&self, sql: &str, upload: &EnvelopeUpload) -> Result<Vec<u8>> {
        let id = header_of(upload)?.envelope_id.to_string();
        let rows = self.centre.read(|tx| tx.query(sql, &[Value::from(id.as_str())]))?;
        Ok(rows.first().context("a row")?.blob(0)?.to_vec())
    }
}

/// Restores a backup with these journals into a new folder.
pub(super) fn restored(
    made: &Made,
    key: &Path,
    (journals, own_journal): (&[PathBuf], &Path),
    new: &DataFolder,
) -> Result<Restored> {
    new.make()?;
    let offered = Offered {
        from: &made.file,
        key,
        journals,
        own_journal,
        data: new,
        blobs: &BlobPlace::Folder(new.blobs()),
        now_ms: now_ms(),
    };
    Ok(backup::restore(&offered, &mut ChaCha20Rng::seed_from_u64(6))?)
}

/// What tells of a person, as it lies on the disk: the sealed content, the wrap in the header, the wrapped data key, the key
/// of the search.
fn traces(rig: &Rig, upload: &EnvelopeUpload) -> Result<Vec<Vec<u8>>> {
    let wrap = serde_json::to_value(header_of(upload)?.wrapped_key)?["ciphertext"]
        .as_str()
        .context("a text")?
        .to_owned();
    Ok(vec![
        upload.ciphertext.0[..upload.ciphertext.0.len().min(200)].to_vec(),
        wrap.into_bytes(),
        rig.blob("SELECT wrapped FROM case_key WHERE envelope_id = $1", upload)?,
        rig.blob("SELECT hmac FROM person_key WHERE envelope_id = $1 ORDER BY kind LIMIT 1", upload)?,
    ])
}

fn found(folder: &Path, traces: &[Vec<u8>]) -> Result<Vec<bool>> {
    let bytes = bytes_below(folder)?;
    Ok(traces.iter().map(|t| bytes.windows(t.len()).any(|w| w == t)).collect())
}

#[test]
fn content_over_its_time_is_gone_from_store_log_and_free_pages() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rig = Rig::open(folder.path())?;
    let mut device = enrol_device(&rig.centre, 3)?;
    let (old, held) = (rig.returned(&mut device)?, rig.returned(&mut device)?);
    // Open, and so not over its time, however old.
    let open = rig.opened(device.seal(&courier())?)?;
    let (old_traces, held_traces) = (traces(&rig, &old)?, traces(&rig, &held)?);
    assert_eq!(found(folder.path(), &old_traces)?, [true; 4], "the test would see them");
    let (id, now) = (header_of(&held)?.envelope_id, now_ms());
    rig.centre.write(move |tx| erasure::hold(tx, now, &id, ("operator", "dispute")))?;
    let days = rig.centre.read(|tx| rig.centre.context().shelf.newest(tx))?.context("a catalogue")?;
    let days = i64::from(days.catalogue.policies.retention.closed_case_days);
    assert_eq!(rig.travel(days - 1)?, 0, "not a day too early");
    assert_eq!(rig.travel(2)?, 1);
    assert_eq!(found(folder.path(), &old_traces)?[..3], [false; 3]);
    // The same person has another case, so one key of the search may be the same: its row is gone.
    let of_old = "SELECT COUNT(*) FROM person_key WHERE envelope_id = $1";
    let count = |sql: &str, upload: &EnvelopeUpload| -> Result<i64> {
        let id = header_of(upload)?.envelope_id.to_string();
        Ok(rig.centre.read(|tx| tx.query_int(sql, &[id.as_str().into()]))?)
    };
    assert_eq!((count(of_old, &old)?, count(of_old, &open)? > 0), (0, true));
    assert_eq!(found(folder.path(), &held_traces)?, [true; 4], "on hold");
    rig.centre.write(move |tx| Ok(erasure::release(tx, now, &id, "operator")?))?;
    assert_eq!(rig.travel(0)?, 1);
    assert_eq!(found(folder.path(), &held_traces)?[..3], [false; 3]);
    assert_eq!(rig.travel(days)?, 0, "never twice");
    // A terminal that sends it once more hears the same, and it is erased again.
    let again = hand_in(&rig.centre, &old)?;
    assert!(again.receipt.is_some(), "{again:?}");
    assert!(rig.centre.read(audit::verify_all)?.is_ok(), "the audit outlives what it speaks of");
    assert_eq!(erasure_journal::read(&rig.plan.journal)?.len(), 2);
    for canary in tests::server::CANARIES {
        assert!(!holds(&bytes_below(folder.path())?, canary));
    }
    rig.centre.stop();
    Ok(())
}

#[test]
fn what_was_erased_is_erased_again_by_a_restore() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (data, to) = (folder.path().join("data"), folder.path().join("new"));
    let rig = Rig::open(&data)?;
    let mut device = enrol_device(&rig.centre, 3)?;
    let upload = rig.returned(&mut device)?;
    let seen = traces(&rig, &upload)?;
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let key = folder.path().join("backup.key");
    recipient::make(&data, &key, &mut rng)?;
    let made = rig.back_up(&folder.path().join("backups"))?;
    ensure!(rig.travel(5_000)? == 1, "erased after the backup");
    rig.centre.stop();
    let new = DataFolder::new(to.clone(), None);
    let (journals, own_journal) = ([rig.plan.journal.clone()], to.join(erasure_journal::FILE));
    assert_eq!(restored(&made, &key, (&journals, &own_journal), &new)?.note.erased, 1);
    assert_eq!(found(&to, &seen)?[..3], [false; 3]);
    let mut store = new.reader()?;
    let mut tx = Tx::new(store.as_mut());
    let id = header_of(&upload)?.envelope_id;
    assert!(erasure::erased_at(&mut tx, &id)?.is_some());
    assert_eq!(tx.query_int("SELECT COUNT(*) FROM case_key", &[])?, 0);
    assert_eq!(tx.query_int("SELECT COUNT(*) FROM case_", &[])?, 1, "statistics outlive erasure");
    assert_eq!(erasure_journal::read(&to.join(erasure_journal::FILE))?.len(), 1, "the journal goes on");
    let secret: SealingKey = recipient::secret(&key)?;
    assert_eq!(Some(secret.public()), recipient::find(&data)?);
    Ok(())
}

#[test]
fn a_hold_between_the_look_and_the_erasure_leaves_nothing_in_the_journal() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rig = Rig::open(folder.path())?;
    let mut device = enrol_device(&rig.centre, 3)?;
    let (held, free) = (rig.returned(&mut device)?, rig.returned(&mut device)?);
    let due = rig.centre.read(|tx| erasure::due(tx, i64::MAX, 9))?;
    assert_eq!(due.len(), 2);
    let (id, now) = (header_of(&held)?.envelope_id, now_ms());
    rig.centre.write(move |tx| erasure::hold(tx, now, &id, ("operator", "dispute")))?;
    let erasures: Vec<_> =
        due.into_iter().map(|envelope_id| Erasure { envelope_id, at_ms: now, why: Why::Retention }).collect();
    let journal = rig.plan.journal.clone();
    assert_eq!(rig.centre.write(move |tx| erase_noted(tx, &journal, &erasures))?, 1);
    let standing = erasure_journal::Standing::of(&erasure_journal::read(&rig.plan.journal)?);
    let noted: Vec<_> = standing.erased.iter().map(|erasure| erasure.envelope_id).collect();
    assert_eq!((noted, standing.held), (vec![header_of(&free)?.envelope_id], vec![]));
    rig.centre.stop();
    Ok(())
}
