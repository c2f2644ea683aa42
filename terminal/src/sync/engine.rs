//! One step after another: plan, exchange, store what came back, report it. Owned by the sync worker.
//!
//! A step has two halves, [`Engine::begin`] and [`Engine::finish`], with the exchange between them. A terminal runs both
//! around its transport; a simulation lets other things happen in between.
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ids::EnvelopeId;
use domain::wire::v1::{
    BatchResponse, Contact, EnvelopeResult, HeartbeatResponse, MAX_BATCH, MAX_BATCH_BYTES, Outcome,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::beat::Beats;
use super::client::{Answer, batch_request, read_answer};
use super::pages::Course;
use super::plan::{Action, Situation, full_jitter_ms, plan};
use super::transport::{Request, Response, Transport, TransportError, UploadAnswer, UploadCall};
use super::tuning::{Lane, Tuning};
use crate::clock::Clock;
use crate::devices::Board;
use crate::event::Event;
use crate::model::Network;
use crate::store::{Activations, DueEnvelope, DuePage, EpochChange, ParkReason, Store, StoreError};

/// A contact slower than this makes the link weak.
const WEAK_FROM_MS: i64 = 3_000;

/// What a step did.
#[derive(Debug, Default)]
pub struct Step {
    /// News for the model.
    pub events: Vec<Event>,
    /// Do nothing for this long, milliseconds; a new row ends the wait early.
    pub wait_ms: u64,
}

/// The first half of a step.
#[derive(Debug)]
pub enum Begun {
    /// It is over: there was nothing to exchange.
    Over(Step),
    /// This is to be sent; its answer goes to [`Engine::finish`].
    Exchange(Request),
    /// A piece of a page is to be sent; its answer goes to [`Engine::finish_upload`].
    Upload(UploadCall),
}

/// What an answer is waited for, and when it was asked for.
#[derive(Debug)]
pub(super) enum Pending {
    Batch { now_ms: i64, due: Vec<DueEnvelope> },
    Changes { now_ms: i64 },
    Beat { now_ms: i64, telling: Activations },
    Offer { now_ms: i64, ids: Vec<EnvelopeId> },
    Page { now_ms: i64, page: DuePage, begins: bool },
}

/// The sync engine.
pub struct Engine {
    store: Arc<Mutex<Store>>,
    pub(super) transport: Box<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rng: ChaCha20Rng,
    pub(super) tuning: Tuning,
    pub(super) lane: Lane,
    pub(super) beats: Beats,
    pub(super) course: Course,
    pub(super) failures: u32,
    pub(super) not_before_ms: i64,
    pub(super) next_news_ms: i64,
    /// Over what span the centre wants contacts spread after a start or an outage; none before the first look.
    pub(super) spread_ms: Option<u64>,
    /// Rows in the next batch at most: 1 while a refused batch is taken apart.
    batch_most: usize,
    network: Option<Network>,
    pending: Option<Pending>,
    /// Rung when there is news of the catalogue.
    pub(super) catalogue_bell: Option<SyncSender<()>>,
    /// What heartbeats tell of the devices.
    pub(super) devices: Option<Arc<Board>>,
}

impl Engine {
    /// An engine over a store and a transport.
    pub fn new(
        store: Arc<Mutex<Store>>,
        transport: Box<dyn Transport>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Self {
        Self {
            store,
            transport,
            clock,
            rng: ChaCha20Rng::seed_from_u64(seed),
            tuning: Tuning::default(),
            lane: Lane::All,
            beats: Beats::default(),
            course: Course::default(),
            failures: 0,
            not_before_ms: 0,
            next_news_ms: 0,
            spread_ms: None,
            batch_most: MAX_BATCH,
            network: None,
            pending: None,
            catalogue_bell: None,
            devices: None,
        }
    }

    /// One step: at most one exchange with the server.
    pub fn step(&mut self) -> Step {
        match self.begin() {
            Begun::Over(step) => step,
            Begun::Exchange(request) => {
                let answer = self.transport.exchange(&request);
                self.finish(answer)
            }
            Begun::Upload(call) => {
                let answer = self.transport.upload(&call);
                self.finish_upload(answer)
            }
        }
    }

    /// The first half of a step: what is to be sent, if anything. An answer that was waited for is given up.
    pub fn begin(&mut self) -> Begun {
        self.pending = None;
        match self.try_begin() {
            Ok(Ok((begun, pending))) => {
                self.pending = Some(pending);
                begun
            }
            Ok(Err(wait_ms)) => Begun::Over(Step { wait_ms, ..Step::default() }),
            Err(error) => {
                let mut step = Step::default();
                self.without_store(&error, &mut step);
                Begun::Over(step)
            }
        }
    }

    /// The second half of a step: takes in what was answered to [`Engine::begin`].
    pub fn finish(&mut self, answer: Result<Response, TransportError>) -> Step {
        let mut step = Step::default();
        let finished = match self.pending.take() {
            // A piece of a page is not answered so.
            None | Some(Pending::Page { .. }) => Ok(()),
            Some(Pending::Batch { now_ms, due }) => {
                self.finish_batch((now_ms, &due), read_answer(answer), &mut step)
            }
            Some(Pending::Changes { now_ms }) => self.finish_changes(now_ms, read_answer(answer), &mut step),
            Some(Pending::Beat { now_ms, telling }) => {
                self.finish_beat((now_ms, telling), read_answer::<HeartbeatResponse>(answer), &mut step)
            }
            Some(Pending::Offer { now_ms, ids }) => {
                self.finish_offer((now_ms, &ids), read_answer(answer), &mut step)
            }
        };
        if let Err(error) = finished {
            self.without_store(&error, &mut step);
        }
        step
    }

    /// The second half of a step that sends a piece of a page.
    pub fn finish_upload(&mut self, answer: Result<UploadAnswer, TransportError>) -> Step {
        let mut step = Step::default();
        if let Some(Pending::Page { now_ms, page, begins }) = self.pending.take()
            && let Err(error) = self.finish_page((now_ms, &page, begins), answer, &mut step)
        {
            self.without_store(&error, &mut step);
        }
        step
    }

    fn without_store(&mut self, error: &StoreError, step: &mut Step) {
        tracing::error!(error = %error, "sync could not use the store");
        step.wait_ms = self.back_off(None);
    }

    /// What to send, or how long to wait, milliseconds.
    fn try_begin(&mut self) -> Result<Result<(Begun, Pending), u64>, StoreError> {
        let now_ms = self.clock.now_ms();
        let (sends, asks) = (self.lane != Lane::News, self.lane != Lane::Send);
        self.spread_start(now_ms)?;
        let situation = {
            let store = self.store();
            let next_news_ms = plausible(self.next_news_ms, now_ms + self.tuning.news_every_ms * 12);
            Situation {
                now_ms,
                enrolled: store.identity()?.is_some(),
                not_before_ms: plausible(self.not_before_ms, now_ms + self.longest_hold_ms()),
                offers: sends && store.has_offers()?,
                next_row_ms: if sends { store.next_due_ms(now_ms)? } else { None },
                next_page_ms: if sends { store.next_page_ms(now_ms)? } else { None },
                next_news_ms: if asks { next_news_ms } else { i64::MAX },
                next_beat_ms: if sends { self.next_beat_ms(&store, now_ms)? } else { i64::MAX },
                longest_wait_ms: self.tuning.longest_wait_ms,
            }
        };
        let begun = match plan(situation) {
            Action::Wait(ms) => return Ok(Err(ms)),
            Action::Offer => self.begin_offer(now_ms)?,
            Action::SendBatch => self.begin_batch(now_ms)?,
            Action::AskChanges => self.begin_changes(now_ms)?,
            Action::Beat => self.begin_beat(now_ms)?,
            Action::SendPage => {
                let begun = self.begin_page(now_ms)?;
                return Ok(begun.map(|(call, pending)| (Begun::Upload(call), pending)).ok_or(0));
            }
        };
        // What was to be sent is gone meanwhile: look again.
        Ok(begun.map(|(request, pending)| (Begun::Exchange(request), pending)).ok_or(0))
    }

    /// Nothing is ever put off further than this.
    fn longest_hold_ms(&self) -> i64 {
        i64::try_from(self.tuning.backoff_cap_ms.max(3_600_000)).unwrap_or(i64::MAX)
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_batch(&mut self, now_ms: i64) -> Result<Option<(Request, Pending)>, StoreError> {
        let due = self.store().due(now_ms, self.batch_most, MAX_BATCH_BYTES)?;
        if due.is_empty() {
            return Ok(None);
        }
        fail::fail_point!("terminal::send::before_exchange", |_| Err(StoreError::Full));
        let request = batch_request(due.iter().map(|d| d.upload.clone()).collect());
        Ok(Some((request, Pending::Batch { now_ms, due })))
    }

    fn finish_batch(
        &mut self,
        (now_ms, due): (i64, &[DueEnvelope]),
        answer: Answer<BatchResponse>,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        fail::fail_point!("terminal::send::after_exchange", |_| Err(StoreError::Full));
        match answer {
            Answer::Good(batch) => {
                fail::fail_point!("terminal::send::before_receipt", |_| Err(StoreError::Full));
                self.reached(now_ms, &batch.contact, step)?;
                self.batch_most = MAX_BATCH;
                for row in due {
                    let result = batch.results.iter().find(|r| r.digest == row.upload.digest);
                    self.take_result(row, result, now_ms, step)?;
                }
                fail::fail_point!("terminal::send::after_receipts", |_| Err(StoreError::Full));
                self.take_series(batch.series.as_ref(), now_ms)?;
            }
            Answer::Malformed(_) if due.len() > 1 => self.batch_most = 1,
            Answer::Malformed(why) => {
                self.park(&due[0], ParkReason::Quarantined, &why, now_ms)?;
                self.batch_most = 1;
            }
            Answer::NotLetIn(why) => self.not_let_in(due, &why, step)?,
            Answer::Later { why, retry_after_secs, reached } => {
                let wait = self.failed(retry_after_secs, reached, step);
                let next = now_ms.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
                for row in due {
                    self.store().send_failed(&row.upload.digest, &why, next)?;
                }
            }
        }
        step.events.push(Event::Queue(self.store().queue_view()?));
        Ok(())
    }

    /// 401 and 403 keep rows queued and alarm; it is tried again at the slowest pace.
    fn not_let_in(&mut self, due: &[DueEnvelope], why: &str, step: &mut Step) -> Result<(), StoreError> {
        tracing::error!(
            reason = why,
            rows = due.len(),
            "the centre does not let this terminal in; rows stay queued"
        );
        self.slow_down(step);
        for row in due {
            self.store().send_failed(&row.upload.digest, why, self.not_before_ms)?;
        }
        Ok(())
    }

    fn take_result(
        &mut self,
        row: &DueEnvelope,
        result: Option<&EnvelopeResult>,
        now_ms: i64,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        let problem = |r: &EnvelopeResult| {
            r.problem
                .as_ref()
                .map_or_else(|| "no reason given".to_owned(), |p| format!("{} {}", p.status, p.code))
        };
        let why = match result {
            Some(r) if matches!(r.outcome, Outcome::Accepted | Outcome::Duplicate) => match &r.receipt {
                Some(receipt) => {
                    let taken = self.store().take_receipt(&row.upload.digest, receipt, now_ms);
                    match taken {
                        Ok(body) => return self.receipted(row, (body, &r.missing_blobs), now_ms, step),
                        Err(e) => e.to_string(),
                    }
                }
                None => "the answer carries no receipt".to_owned(),
            },
            Some(r) if r.outcome == Outcome::Conflict => {
                return self.park(row, ParkReason::Conflict, &problem(r), now_ms);
            }
            Some(r)
                if r.problem
                    .as_ref()
                    .is_none_or(|p| !matches!(p.status, 401 | 403 | 408 | 425 | 429 | 500..)) =>
            {
                return self.park(row, ParkReason::Quarantined, &problem(r), now_ms);
            }
            Some(r) => problem(r),
            None => "the answer says nothing of this envelope".to_owned(),
        };
        // The row waits on its own, so that it never holds up the others.
        let wait = full_jitter_ms(6, self.tuning.backoff_base_ms, self.tuning.backoff_cap_ms, &mut self.rng);
        let next = now_ms.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
        tracing::warn!(envelope.id = %row.envelope_id, reason = %why, "an envelope stays queued");
        self.store().send_failed(&row.upload.digest, &why, next)
    }

    fn park(
        &mut self,
        row: &DueEnvelope,
        why: ParkReason,
        reason: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        tracing::error!(envelope.id = %row.envelope_id, reason, "an envelope is parked");
        self.store().park(&row.upload.digest, why, reason, now_ms)
    }

    /// Has the catalogue looked after. A full bell rings already.
    pub(super) fn ring_catalogue(&self) {
        if let Some(bell) = &self.catalogue_bell {
            let _ = bell.try_send(());
        }
    }

    pub(super) fn reached(
        &mut self,
        asked_ms: i64,
        contact: &Contact,
        step: &mut Step,
    ) -> Result<EpochChange, StoreError> {
        self.failures = 0;
        self.hear_spread(contact.spread_ms);
        let now_ms = self.clock.now_ms();
        let wait = i64::try_from(contact.retry_after_ms.unwrap_or(0)).unwrap_or(i64::MAX);
        self.not_before_ms = now_ms.saturating_add(wait);
        let change = self.store().take_contact(contact, now_ms)?;
        let slow = now_ms.saturating_sub(asked_ms) > WEAK_FROM_MS;
        self.tell(if slow { Network::Weak } else { Network::Online }, step);
        Ok(change)
    }

    pub(super) fn tell(&mut self, network: Network, step: &mut Step) {
        if self.network != Some(network) {
            self.network = Some(network);
            step.events.push(Event::Network(network));
        }
    }
}

/// A time further off than `furthest_ms` was written while the clock was wrong: it is now.
fn plausible(at_ms: i64, furthest_ms: i64) -> i64 {
    if at_ms > furthest_ms { 0 } else { at_ms }
}
