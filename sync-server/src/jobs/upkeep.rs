//! What a centre does by the clock, after looking whether that is plausible: backups, the daily head of the audit chain,
//! erasing what is over its time, looking whether the sealing keys are there; and telling terminals what is durable, also
//! when a command beside the server made the backup.
//!
//! Each part is tried again later if it fails, and never keeps another part from its turn.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use operator::findings::{span, with_causes};

use super::ticker::Ticker;
use crate::backup::{self, BackupError};
use crate::blobs::{BlobPlace, Blobs};
use crate::centre::Centre;
use crate::data_folder::DataFolder;
use crate::erasure_journal::{self, Line};
use crate::error::ServiceError;
use crate::services::clock_guard::{self, Verdict, Witnesses};
use crate::services::erasure::{self, Erasure, Why};
use crate::services::sealing_keys::{self, KeyState};
use crate::services::window::drafts;
use crate::services::{audit_heads, cases, durability, supplements};
#[cfg(feature = "failpoints")]
use crate::store::StoreError;
use crate::store::Tx;

/// Between two looks at what is durable.
const GLANCE: Duration = Duration::from_secs(1);
/// Looks between two turns of everything else: ten minutes.
const TURN: u32 = 600;
/// Cases erased in one transaction, at most.
const TOGETHER: u64 = 500;
const HOUR_MS: i64 = 3_600 * 1_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What is done, and where.
#[derive(Debug, Clone)]
pub struct UpkeepPlan {
    /// Store, keys and recipient.
    pub data: DataFolder,
    /// Where attachments lie.
    pub blobs: BlobPlace,
    /// The folder of backups; none for no backups.
    pub backups: Option<PathBuf>,
    /// Hours between two backups.
    pub every_hours: u32,
    /// The journal of erasures.
    pub journal: PathBuf,
}

/// A part of the work ended early; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// A backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A service or the store.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Starts the thread; it looks at once.
///
/// # Errors
/// The operating system's, if it cannot make a thread.
pub fn start(centre: Arc<Centre>, plan: UpkeepPlan) -> std::io::Result<Ticker> {
    let (mut looks, mut witnesses) = (0_u32, Witnesses::default());
    Ticker::start("upkeep", move |_| {
        if looks.is_multiple_of(TURN) {
            turn(&centre, &plan, &mut witnesses);
        }
        // Told by whoever fails at more than looking.
        let _ = look(&centre);
        looks = looks.wrapping_add(1);
        GLANCE
    })
}

/// Reads what is durable, for every answer to terminals from now on.
///
/// # Errors
/// [`ServiceError`] if the store fails; what was known stays.
pub fn look(centre: &Centre) -> Result<(), ServiceError> {
    let upto = centre.read(|tx| Ok::<_, ServiceError>(durability::durable_upto(tx)?))?;
    centre.context().durable.set(upto);
    Ok(())
}

fn turn(centre: &Arc<Centre>, plan: &UpkeepPlan, witnesses: &mut Witnesses) {
    // Before anything is written by this clock.
    let seen = watch_clock(centre, witnesses);
    let plausible = matches!(seen, Ok(Verdict::Plausible));
    match seen {
        Ok(Verdict::Plausible) => {
            if let Err(e) = tell_of_waiting(centre) {
                tracing::error!(
                    error = &e as &dyn std::error::Error,
                    "nobody is told of follow-ups that wait"
                );
            }
        }
        Ok(Verdict::Ahead { by_ms }) => tracing::error!(
            "the clock is {} ahead of what the store saw last: nothing is erased, no old backup is removed and no \
             time of a case runs out until terminals find it right, or until somebody runs `sync-server confirm-clock`",
            span(by_ms)
        ),
        Err(e) => {
            tracing::error!(error = &e as &dyn std::error::Error, "nobody knows whether the clock is right");
        }
    }
    if let Err(e) = forget_destroyed(centre) {
        tracing::error!(
            error = &e as &dyn std::error::Error,
            "destroyed sealing keys may be in memory still"
        );
    }
    if let Err(e) = look_for_sealing_files(centre) {
        tracing::error!(
            error = &e as &dyn std::error::Error,
            "nobody knows whether the sealing keys are there"
        );
    }
    if let Err(e) = sign_head(centre) {
        tracing::error!(error = &e as &dyn std::error::Error, "the audit chain got no head today yet");
    }
    if plausible {
        match drop_old_drafts(centre, plan) {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(drafts = dropped, "forms that nobody handed in were taken away"),
            Err(e) => {
                tracing::error!(
                    error = &e as &dyn std::error::Error,
                    "old forms of windows were not taken away"
                )
            }
        }
    }
    match erase_due(centre, plan) {
        Ok(0) => {}
        Ok(erased) => tracing::info!(cases = erased, "content over its time was erased"),
        Err(e) => {
            tracing::error!(error = &e as &dyn std::error::Error, "content over its time could not be erased")
        }
    }
    match back_up_if_due(centre, plan) {
        Ok(None) => {}
        Ok(Some(made)) => tell_of_backup(&made),
        Err(e) => tracing::error!(
            error = &e as &dyn std::error::Error,
            "no backup was made: terminals keep what they sent; see `sync-server doctor`"
        ),
    }
}

/// Takes away forms that nobody handed in at a window within the policy's hours, and the bytes of their pages.
fn drop_old_drafts(centre: &Centre, plan: &UpkeepPlan) -> Result<u64, ServiceError> {
    let now_ms = centre.now_ms();
    let over = centre.read(|tx| {
        let Some(newest) = centre.context().shelf.newest(tx)? else { return Ok(Vec::new()) };
        let before_ms = drafts::over_before(now_ms, newest.catalogue.policies.draft_hours);
        Ok::<_, ServiceError>(drafts::over(tx, before_ms)?)
    })?;
    let mut dropped = 0;
    for (id, clerk) in over {
        let pages = centre.write(move |tx| Ok(drafts::take_away(tx, &clerk, &id)?))?;
        dropped += u64::from(pages.is_some());
        let pages = pages.unwrap_or_default();
        if !pages.is_empty() {
            let blobs = Blobs::open(&plan.blobs)?;
            pages.iter().try_for_each(|digest| blobs.remove(digest))?;
        }
    }
    Ok(dropped)
}

fn tell_of_backup(made: &backup::Made) {
    tracing::info!(
        backup.id = %made.backup.id, backup.bytes = made.bytes, backup.rows = made.rows,
        backup.attachments = made.attachments, backup.attachments_lost = made.attachments_lost,
        durable_upto = made.durable_upto, "a backup was made and verified"
    );
    if made.attachments_lost > 0 {
        tracing::warn!(
            backup.attachments_lost = made.attachments_lost,
            "attachments could not be copied: nothing from the first of their submissions on becomes durable"
        );
    }
}

fn tell_of_waiting(centre: &Centre) -> Result<(), ServiceError> {
    let now_ms = centre.now_ms();
    let late = centre.read(|tx| Ok::<_, ServiceError>(supplements::waiting_long(tx, now_ms)?))?;
    if late.is_empty() {
        return Ok(());
    }
    centre.write(move |tx| Ok(supplements::tell_of_waiting(tx, now_ms, &late)?))
}

/// Forgets the sealing keys that were destroyed by a command beside this server.
fn forget_destroyed(centre: &Centre) -> Result<(), ServiceError> {
    let known = centre.read(|tx| Ok::<_, ServiceError>(sealing_keys::all(tx)?))?;
    for key in known.iter().filter(|key| key.state == KeyState::Destroyed) {
        centre.context().keys.sealing.forget(&key.id);
    }
    Ok(())
}

/// Says which keys that terminals should seal to have no file: they are offered to nobody until it is back.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn look_for_sealing_files(centre: &Arc<Centre>) -> Result<(), ServiceError> {
    let (now_ms, own) = (centre.now_ms(), centre.clone());
    let missing =
        centre.write(move |tx| Ok(sealing_keys::look_for_files(tx, now_ms, &own.context().keys.sealing)?))?;
    for id in missing {
        tracing::error!(
            key.id = %id,
            "the private half of a sealing key in force is gone, or is another one: it is offered to no terminal; \
             restore its file from the key backup at once, or put another key into force"
        );
    }
    Ok(())
}

/// Judges the machine's clock, and asks terminals about one that is far ahead.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn watch_clock(centre: &Centre, witnesses: &mut Witnesses) -> Result<Verdict, ServiceError> {
    let now_ms = centre.now_ms();
    let verdict = centre.write(move |tx| Ok(clock_guard::follow(tx, now_ms)?))?;
    if verdict == Verdict::Plausible {
        *witnesses = Witnesses::default();
        return Ok(verdict);
    }
    let since_ms = witnesses.since(now_ms);
    let heard = centre.read(|tx| Ok::<_, ServiceError>(clock_guard::heard(tx, since_ms)?))?;
    if !witnesses.agree(&heard) {
        return Ok(verdict);
    }
    centre.write(move |tx| Ok(clock_guard::confirm(tx, now_ms, cases::CENTRE)?))?;
    tracing::info!("terminals find the clock right");
    *witnesses = Witnesses::default();
    Ok(Verdict::Plausible)
}

/// Signs the end of the audit chain if that was not done today; says whether it was done now.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn sign_head(centre: &Arc<Centre>) -> Result<bool, ServiceError> {
    let (now_ms, own) = (centre.now_ms(), centre.clone());
    centre.write(move |tx| audit_heads::sign_today(tx, now_ms, &own.context().keys))
}

/// Erases the content of closed cases that are older than the catalogue's policy says; gives how many. None by a clock that
/// is not believed.
///
/// # Errors
/// [`UpkeepError`]; what was erased stays erased.
pub fn erase_due(centre: &Centre, plan: &UpkeepPlan) -> Result<usize, UpkeepError> {
    let newest = centre.read(|tx| centre.context().shelf.newest(tx))?;
    let Some(newest) = newest else { return Ok(0) };
    let days = i64::from(newest.catalogue.policies.retention.closed_case_days);
    let now_ms = centre.now_ms();
    let before_ms = now_ms.saturating_sub(days * DAY_MS);
    let mut erased = 0;
    while centre.read(|tx| Ok::<_, ServiceError>(clock_guard::judge(tx, now_ms)?))? == Verdict::Plausible {
        let due = centre.read(|tx| Ok::<_, ServiceError>(erasure::due(tx, before_ms, TOGETHER)?))?;
        if due.is_empty() {
            break;
        }
        let erasures: Vec<_> = due
            .into_iter()
            .map(|envelope_id| Erasure { envelope_id, at_ms: now_ms, why: Why::Retention })
            .collect();
        let journal = plan.journal.clone();
        let done = centre.write(move |tx| erase_noted(tx, &journal, &erasures))?;
        if done == 0 {
            break;
        }
        erased += done;
    }
    let back = centre.write(|tx| Ok(erasure::erase_returned(tx)?))?;
    if erased > 0 || back > 0 {
        let mut store = plan.data.open_existing().map_err(BackupError::from)?;
        store.forget_erased(&erasure::TABLES).map_err(ServiceError::from)?;
    }
    Ok(erased)
}

/// Erases what nobody holds, and writes that down first where no restore takes it back. Both in one transaction: a hold
/// comes before it, and nothing is noted, or after it, and then its own line stands behind.
///
/// # Errors
/// [`ServiceError`] if the journal or the store fails; then nothing is erased, and a line too much says so only after a
/// restore.
pub fn erase_noted(tx: &mut Tx<'_>, journal: &Path, due: &[Erasure]) -> Result<usize, ServiceError> {
    erasure::erase_noted(tx, due, |free| {
        let lines: Vec<_> = free.iter().map(|erasure| Line::Erased(*erasure)).collect();
        erasure_journal::append(journal, &lines).map_err(|e| ServiceError::Inconsistent(with_causes(&e)))?;
        fail::fail_point!("server::erasure::after_journal", |_| Err(StoreError::Full.into()));
        Ok(())
    })
}

fn back_up_if_due(centre: &Centre, plan: &UpkeepPlan) -> Result<Option<backup::Made>, UpkeepError> {
    let Some(folder) = &plan.backups else { return Ok(None) };
    let now_ms = centre.now_ms();
    let last = centre.read(|tx| Ok::<_, ServiceError>(durability::last(tx)?))?;
    let every_ms = i64::from(plan.every_hours) * HOUR_MS;
    if last.is_some_and(|last| (0..every_ms).contains(&now_ms.saturating_sub(last.made_at_ms))) {
        return Ok(None);
    }
    let (data, blobs) = (&plan.data, &plan.blobs);
    let (keys, journal) = (&centre.context().keys, plan.journal.as_path());
    let order = backup::Order { data, keys, blobs, to: folder, journal, now_ms };
    Ok(Some(backup::make(&order, &mut centre.random())?))
}
