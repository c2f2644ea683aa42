//! One step after another: plan, exchange, store what came back, report it. Owned by the sync worker.
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::wire::v1::{
    BatchResponse, ChangeNews, ChangesQuery, ChangesResponse, Contact, EnvelopeResult, MAX_BATCH,
    MAX_BATCH_BYTES, Outcome, SeriesNews,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::beat::Beats;
use super::client::{Answer, batch_request, changes_request, read_answer};
use super::pages::Course;
use super::plan::{Action, Situation, full_jitter_ms, plan};
use super::transport::{HangUp, Transport};
use super::tuning::{Lane, Tuning};
use crate::clock::Clock;
use crate::event::Event;
use crate::model::Network;
use crate::store::{CaseNewsOutcome, DueEnvelope, EpochChange, ParkReason, Store, StoreError};

/// A contact slower than this makes the link weak.
const WEAK_FROM_MS: i64 = 3_000;
/// How long the centre may let a terminal wait for news, seconds.
const WAIT_SECS: u32 = 25;
/// An answer without news that came sooner is no waiting: the next question comes at the usual pace.
const SOON_MS: i64 = 1_000;

/// What a step did.
#[derive(Debug, Default)]
pub struct Step {
    /// News for the model.
    pub events: Vec<Event>,
    /// Do nothing for this long, milliseconds; a new row ends the wait early.
    pub wait_ms: u64,
}

/// The sync engine.
pub struct Engine {
    store: Arc<Mutex<Store>>,
    pub(super) transport: Box<dyn Transport>,
    clock: Arc<dyn Clock>,
    pub(super) rng: ChaCha20Rng,
    pub(super) tuning: Tuning,
    lane: Lane,
    pub(super) beats: Beats,
    pub(super) course: Course,
    failures: u32,
    not_before_ms: i64,
    next_news_ms: i64,
    /// Rows in the next batch at most: 1 while a refused batch is taken apart.
    batch_most: usize,
    network: Option<Network>,
    /// Rung when there is news of the catalogue.
    catalogue_bell: Option<SyncSender<()>>,
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
            batch_most: MAX_BATCH,
            network: None,
            catalogue_bell: None,
        }
    }

    /// The same engine, which rings this bell at news of the catalogue.
    #[must_use]
    pub fn with_catalogue_bell(mut self, bell: SyncSender<()>) -> Self {
        self.catalogue_bell = Some(bell);
        self
    }

    /// The same engine for one lane only.
    #[must_use]
    pub fn on_lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// What breaks off its waiting at the centre, if it waits there.
    pub fn hang_up(&self) -> Option<HangUp> {
        self.transport.hang_up().filter(|_| self.lane == Lane::News)
    }

    /// The same engine, more or less eager.
    #[must_use]
    pub fn with_tuning(mut self, tuning: Tuning) -> Self {
        self.tuning = tuning;
        self
    }

    /// One step: at most one exchange with the server.
    pub fn step(&mut self) -> Step {
        let mut step = Step::default();
        if let Err(error) = self.try_step(&mut step) {
            tracing::error!(error = %error, "sync could not use the store");
            step.wait_ms = self.back_off(None);
        }
        step
    }

    fn try_step(&mut self, step: &mut Step) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let (sends, asks) = (self.lane != Lane::News, self.lane != Lane::Send);
        let situation = {
            let store = self.store();
            let next_news_ms = plausible(self.next_news_ms, now_ms + self.tuning.news_every_ms * 12);
            Situation {
                now_ms,
                enrolled: store.identity()?.is_some(),
                not_before_ms: plausible(self.not_before_ms, now_ms + self.longest_hold_ms()),
                next_row_ms: if sends { store.next_due_ms(now_ms)? } else { None },
                next_page_ms: if sends { store.next_page_ms(now_ms)? } else { None },
                next_news_ms: if asks { next_news_ms } else { i64::MAX },
                next_beat_ms: if sends { self.next_beat_ms(&store, now_ms)? } else { i64::MAX },
            }
        };
        match plan(situation) {
            Action::Wait(ms) => {
                step.wait_ms = ms;
                Ok(())
            }
            Action::SendBatch => self.send_batch(now_ms, step),
            Action::AskChanges => self.ask_changes(now_ms, step),
            Action::Beat => self.beat(now_ms, step),
            Action::SendPage => self.send_page(now_ms, step),
        }
    }

    /// Nothing is ever put off further than this.
    fn longest_hold_ms(&self) -> i64 {
        i64::try_from(self.tuning.backoff_cap_ms.max(3_600_000)).unwrap_or(i64::MAX)
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send_batch(&mut self, now_ms: i64, step: &mut Step) -> Result<(), StoreError> {
        let due = self.store().due(now_ms, self.batch_most, MAX_BATCH_BYTES)?;
        if due.is_empty() {
            return Ok(());
        }
        fail::fail_point!("terminal::send::before_exchange", |_| Err(StoreError::Full));
        let request = batch_request(due.iter().map(|d| d.upload.clone()).collect());
        let answer = read_answer::<BatchResponse>(self.transport.exchange(&request));
        fail::fail_point!("terminal::send::after_exchange", |_| Err(StoreError::Full));
        match answer {
            Answer::Good(batch) => {
                fail::fail_point!("terminal::send::before_receipt", |_| Err(StoreError::Full));
                self.reached(now_ms, &batch.contact, step)?;
                self.batch_most = MAX_BATCH;
                for row in &due {
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
            Answer::NotLetIn(why) => self.not_let_in(&due, &why, step)?,
            Answer::Later { why, retry_after_secs, reached } => {
                let wait = self.failed(retry_after_secs, reached, step);
                let next = now_ms.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
                for row in &due {
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
        self.failures = self.failures.max(6);
        step.wait_ms = self.back_off(None);
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

    fn ask_changes(&mut self, now_ms: i64, step: &mut Step) -> Result<(), StoreError> {
        let request = {
            let store = self.store();
            let Some(identity) = store.identity()? else { return Ok(()) };
            let order = Some(store.order()?.map_or(0, |order| order.number));
            let wait = if self.lane == Lane::News { WAIT_SECS } else { 0 };
            let query = ChangesQuery { after: store.cursor()?, wait, order };
            changes_request(query, &identity.terminal, store.device_key())
        };
        fail::fail_point!("terminal::changes::before_exchange", |_| Err(StoreError::Full));
        match read_answer::<ChangesResponse>(self.transport.exchange(&request)) {
            Answer::Good(news) => {
                fail::fail_point!("terminal::changes::after_exchange", |_| Err(StoreError::Full));
                self.take_series(news.series.as_ref(), now_ms)?;
                let answered_ms = self.clock.now_ms();
                // Waiting says nothing of the link.
                let asked_ms = if self.lane == Lane::News { answered_ms } else { now_ms };
                if !self.reached(asked_ms, &news.contact, step)?.0 {
                    self.take_order(news.order.as_ref(), step);
                    self.take_news(&news, step)?;
                }
                let something = !news.changes.is_empty() || news.order.is_some();
                let waited = something || answered_ms.saturating_sub(now_ms) >= SOON_MS;
                let again = news.more || (self.lane == Lane::News && waited);
                self.next_news_ms = if again { now_ms } else { now_ms + self.tuning.news_every_ms };
            }
            Answer::Later { retry_after_secs, reached, .. } => {
                self.failed(retry_after_secs, reached, step);
            }
            Answer::NotLetIn(why) | Answer::Malformed(why) => {
                tracing::warn!(reason = %why, "the centre gives no news to this terminal");
                self.next_news_ms = now_ms + self.tuning.news_every_ms.saturating_mul(12);
            }
        }
        Ok(())
    }

    fn take_series(&mut self, news: Option<&SeriesNews>, now_ms: i64) -> Result<(), StoreError> {
        if let Some(news) = news
            && self.store().take_series_news(news, now_ms)?
        {
            tracing::error!("this store was restored from an older state; a new series begins");
        }
        Ok(())
    }

    fn take_news(&mut self, news: &ChangesResponse, step: &mut Step) -> Result<(), StoreError> {
        let mut store = self.store();
        for change in &news.changes {
            // Who fetches a version is not this thread; unknown news is skipped.
            if matches!(change.news, ChangeNews::Catalogue { .. }) {
                self.ring_catalogue();
            }
            if let ChangeNews::Case(case) = &change.news
                && store.take_case_news(case)? == CaseNewsOutcome::Moved
            {
                step.events.push(Event::CaseChanged {
                    envelope_id: case.envelope_id,
                    state: case.state,
                    at_ms: case.at_ms,
                });
            }
        }
        fail::fail_point!("terminal::cursor::before_move", |_| Err(StoreError::Full));
        store.move_cursor(news.cursor)
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
        let now_ms = self.clock.now_ms();
        let wait = i64::try_from(contact.retry_after_ms.unwrap_or(0)).unwrap_or(i64::MAX);
        self.not_before_ms = now_ms.saturating_add(wait);
        let change = self.store().take_contact(contact, now_ms)?;
        let slow = now_ms.saturating_sub(asked_ms) > WEAK_FROM_MS;
        self.tell(if slow { Network::Weak } else { Network::Online }, step);
        Ok(change)
    }

    pub(super) fn failed(&mut self, retry_after_secs: Option<u32>, reached: bool, step: &mut Step) -> u64 {
        self.tell(if reached { Network::Weak } else { Network::Offline }, step);
        step.wait_ms = self.back_off(retry_after_secs);
        step.wait_ms
    }

    /// The centre answered: the next failure is the first one again.
    pub(super) fn link_works(&mut self) {
        self.failures = 0;
    }

    fn back_off(&mut self, retry_after_secs: Option<u32>) -> u64 {
        let Tuning { backoff_base_ms, backoff_cap_ms, .. } = self.tuning;
        let jitter = full_jitter_ms(self.failures, backoff_base_ms, backoff_cap_ms, &mut self.rng);
        self.failures = self.failures.saturating_add(1);
        let asked = u64::from(retry_after_secs.unwrap_or(0)).saturating_mul(1_000).min(3_600_000);
        let wait = jitter.max(asked);
        self.not_before_ms = self.clock.now_ms().saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
        wait
    }

    fn tell(&mut self, network: Network, step: &mut Step) {
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
