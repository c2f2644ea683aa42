//! Opens whatever waits, on a thread of its own that is woken after each intake and at the start.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use domain::ids::{EnvelopeId, KeyId, StationId};
use rand_core::CryptoRng;

use super::follow_up::take_follow_ups;
use super::open_case::{self, Unopened};
use crate::centre::Centre;
use crate::error::ServiceError;
use crate::keys::KeyError;
use crate::metrics::{self, JobOutcome};
use crate::store::Tx;

/// Submissions read in one go.
const STRETCH: u64 = 100;
/// Submissions that are opened before any of them is written, so that they share a COMMIT.
const TOGETHER: usize = 32;
/// After the first news the thread lets this much time pass: what comes meanwhile is opened in the same go, and its
/// COMMIT is not in the way of the next receipt.
const GATHER: Duration = Duration::from_millis(20);
/// How much the thread stands back for others when the machine is busy, on the scale of nice(1): receipts go first.
const NICENESS: i32 = 10;
/// Without news the job looks by itself after this time, so that a failed round is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A round of the job ended early; what it did stays done.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The store or a service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A key file failed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Wakes the thread. Never blocks.
#[derive(Clone)]
pub struct Waker(Option<SyncSender<()>>);

impl Waker {
    /// Wakes nobody, for tests and simulations.
    pub fn none() -> Self {
        Self(None)
    }

    /// Something new came in.
    pub fn wake(&self) {
        if let Some(wake) = &self.0 {
            // A full channel means that the thread will look anyway.
            let _ = wake.try_send(());
        }
    }
}

/// The thread.
pub struct Runner {
    waker: Waker,
    stopping: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Runner {
    /// Starts the thread; it opens at once what an earlier run left.
    ///
    /// # Errors
    /// The operating system's, if it cannot make a thread.
    pub fn start(centre: Arc<Centre>) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel::<()>(1);
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = stopping.clone();
        let thread = std::thread::Builder::new().name("jobs".into()).spawn(move || {
            // Refused only where the system knows no niceness; then the thread takes its share like any other.
            let _ = rustix::process::nice(NICENESS);
            let mut looked: Option<Instant> = None;
            loop {
                told(open_received(&centre, &mut centre.random(), &stop));
                told(take_follow_ups(&centre, &mut centre.random(), &stop));
                if looked.is_none_or(|at| at.elapsed() >= LOOK_AGAIN) {
                    looked = Some(Instant::now());
                    told(open_with_key(&centre, &mut centre.random(), &stop));
                }
                let woken = woken.recv_timeout(LOOK_AGAIN);
                if stop.load(Ordering::Acquire) || woken == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
                std::thread::sleep(GATHER);
            }
        })?;
        Ok(Self { waker: Waker(Some(wake)), stopping, thread: Mutex::new(Some(thread)) })
    }

    /// What wakes the thread.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Ends the thread after the submission in hand.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.waker.wake();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|t| t.join().is_err()) {
            tracing::error!("the job thread ended with a panic");
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Opens all submissions that wait; gives how many were opened.
///
/// # Errors
/// [`JobError`] if the store cannot be read at all; a single case that fails is logged and waits.
pub fn open_received(centre: &Centre, rng: &mut dyn CryptoRng, stop: &AtomicBool) -> Result<u64, JobError> {
    let (mut after, mut opened) = (0, 0);
    loop {
        let waiting: Vec<(u64, EnvelopeId)> =
            centre.read(|tx| Ok::<_, ServiceError>(open_case::waiting(tx, after, STRETCH)?))?;
        let Some((last, _)) = waiting.last() else { return Ok(opened) };
        after = *last;
        for some in waiting.chunks(TOGETHER) {
            if stop.load(Ordering::Acquire) {
                return Ok(opened);
            }
            opened += count(open_some(centre, some.iter().map(|(_, id)| *id), rng));
        }
    }
}

/// Opens the submissions that waited for a key which is there now; gives how many. The others wait on.
///
/// # Errors
/// As [`open_received`].
pub fn open_with_key(centre: &Centre, rng: &mut dyn CryptoRng, stop: &AtomicBool) -> Result<u64, JobError> {
    let (mut after, mut opened) = (0, 0);
    loop {
        let waiting =
            centre.read(|tx| Ok::<_, ServiceError>(open_case::waiting_for_key(tx, after, STRETCH)?))?;
        let Some((last, ..)) = waiting.last() else { return Ok(opened) };
        after = *last;
        let keys = &centre.context().keys.sealing;
        let is_there = |key: &KeyId| keys.find(key).is_ok_and(|key| key.is_some());
        let ready = waiting.iter().filter(|(.., key)| key.as_ref().is_some_and(is_there));
        let ids: Vec<_> = ready.map(|(_, id, _)| *id).collect();
        for some in ids.chunks(TOGETHER) {
            if stop.load(Ordering::Acquire) {
                return Ok(opened);
            }
            opened += count(open_some(centre, some.iter().copied(), rng));
        }
    }
}

/// A round that was broken off is told in the log, and is done again.
fn told(round: Result<u64, JobError>) {
    if let Err(e) = round {
        tracing::error!(error = &e as &dyn std::error::Error, "opening submissions was broken off");
    }
}

/// How many were opened. One case that cannot be opened now never holds up the others; the next round tries it again.
fn count(outcomes: Vec<Outcome>) -> u64 {
    let mut opened = 0;
    for (id, outcome) in outcomes {
        match outcome {
            Ok(done) => {
                opened += u64::from(done);
                metrics::job(if done { JobOutcome::Opened } else { JobOutcome::Overtaken });
            }
            Err(error) => {
                metrics::job(JobOutcome::Failed);
                tracing::error!(envelope.id = %id, error = ?error, "a submission could not be opened");
            }
        }
    }
    opened
}

/// What became of a submission: opened, or overtaken by somebody else.
type Outcome = (EnvelopeId, Result<bool, JobError>);

/// Opens a few submissions, each on its own, and writes them so that they share a COMMIT.
fn open_some(
    centre: &Centre,
    ids: impl Iterator<Item = EnvelopeId>,
    rng: &mut dyn CryptoRng,
) -> Vec<Outcome> {
    let (mut outcomes, mut places, mut work) = (Vec::<Outcome>::new(), Vec::new(), Vec::new());
    for id in ids {
        let outcome = match compute(centre, &id, rng) {
            Ok(Some((opened, station))) => {
                places.push((outcomes.len(), station));
                let now_ms = centre.now_ms();
                let shelf = centre.context().shelf.clone();
                work.push(move |tx: &mut Tx<'_>| open_case::write(tx, &shelf, now_ms, &opened));
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(e) => Err(e),
        };
        outcomes.push((id, outcome));
    }
    for ((place, station), written) in places.iter().zip(centre.write_all(work)) {
        outcomes[*place].1 = match written {
            Ok(()) => {
                fail::fail_point!("server::job::after_write");
                centre.ring(station);
                Ok(true)
            }
            // Quarantined by a fork while it was being opened: that stands.
            Err(ServiceError::Refused { .. }) => Ok(false),
            Err(e) => Err(e.into()),
        };
    }
    outcomes
}

/// Reads and opens a submission; none if it is no longer to be opened.
fn compute(
    centre: &Centre,
    id: &EnvelopeId,
    rng: &mut dyn CryptoRng,
) -> Result<Option<(open_case::Opened, StationId)>, JobError> {
    let read = centre.read(|tx| open_case::read(tx, centre.context(), id))?;
    let Some((unopened, volume)) = read else { return Ok(None) };
    fail::fail_point!("server::job::after_read", |_| Err(
        ServiceError::from(crate::store::StoreError::Full).into()
    ));
    let computed = catch_unwind(AssertUnwindSafe(|| {
        open_case::open(&unopened, volume.as_deref(), &centre.context().keys, rng)
    }));
    let opened = match computed {
        Ok(result) => result?,
        Err(_) => after_panic(&unopened),
    };
    if unopened.waited && opened.lacks_key() {
        // It is said already that the key is not there.
        return Ok(None);
    }
    fail::fail_point!("server::job::before_write", |_| Err(ServiceError::from(
        crate::store::StoreError::Full
    )
    .into()));
    Ok(Some((opened, unopened.station)))
}

fn after_panic(unopened: &Unopened) -> open_case::Opened {
    tracing::error!(envelope.id = %unopened.envelope_id, "opening a submission broke off; it is put into quarantine");
    open_case::broken_off(unopened)
}
