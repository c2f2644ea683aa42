//! The centre in one process: store, keys, clock and randomness, and the calls of terminals as plain functions.
//!
//! The HTTP shell, the jobs and a simulator all stand on it. Refuses to know HTTP: it takes wire types and gives
//! wire types. Calls may block for a write; none needs an async runtime.
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, OnceLock, PoisonError};

use domain::envelope::{Signature, request_digest};
use domain::ids::{StationId, TerminalId};
use domain::wire::v1::{
    BatchResponse, ChangesResponse, EnrolRequest, EnrolResponse, EnvelopeBatch, EnvelopeResult,
    EnvelopeUpload, MAX_BATCH, Outcome, SeriesNews,
};
use rand_chacha::ChaCha20Rng;

use crate::error::{ProblemCode, ServiceError};
use crate::metrics;
use crate::services::{Context, changes, enrol, intake, receipt, series, terminals};
use crate::store::{Driver, Readers, StoreError, Tx, WriteError, Writer, in_transaction};

/// Where time and randomness come from.
pub trait Surroundings: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;
    /// A fresh generator.
    fn random(&self) -> ChaCha20Rng;
}

/// Hears what was committed; must not block.
pub trait Bell: Send + Sync {
    /// Submissions wait to be opened.
    fn envelopes_stored(&self);
    /// A station has news.
    fn news(&self, station: &StationId);
}

/// One running centre.
pub struct Centre {
    access: Access,
    context: Context,
    surroundings: Box<dyn Surroundings>,
    bell: OnceLock<Box<dyn Bell>>,
}

enum Access {
    /// A real server: group commit on a thread, several readers.
    Threads { writer: Writer, readers: Readers },
    /// A simulation: one connection, no thread.
    Single(Mutex<Box<dyn Driver>>),
}

impl Centre {
    /// A centre with a writer thread and reading connections.
    ///
    /// # Errors
    /// The operating system's, if it cannot make a thread.
    pub fn with_threads(
        writer: Box<dyn Driver>,
        readers: Vec<Box<dyn Driver>>,
        context: Context,
        surroundings: Box<dyn Surroundings>,
    ) -> std::io::Result<Self> {
        let access = Access::Threads { writer: Writer::start(writer)?, readers: Readers::new(readers) };
        Ok(Self { access, context, surroundings, bell: OnceLock::new() })
    }

    /// A centre on one connection, without threads.
    pub fn single(driver: Box<dyn Driver>, context: Context, surroundings: Box<dyn Surroundings>) -> Self {
        Self { access: Access::Single(Mutex::new(driver)), context, surroundings, bell: OnceLock::new() }
    }

    /// Names who hears of commits; the first one stays.
    pub fn set_bell(&self, bell: Box<dyn Bell>) {
        let _ = self.bell.set(bell);
    }

    /// Keys, epoch and catalogue versions.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The time, milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.surroundings.now_ms()
    }

    /// A fresh random generator.
    pub fn random(&self) -> ChaCha20Rng {
        self.surroundings.random()
    }

    /// Tells that a station has news.
    pub fn ring(&self, station: &StationId) {
        if let Some(bell) = self.bell.get() {
            bell.news(station);
        }
    }

    /// Reads in one transaction.
    ///
    /// # Errors
    /// The error of the work, or the store's.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.access {
            Access::Threads { readers, .. } => readers.read(work),
            Access::Single(driver) => {
                in_transaction(driver.lock().unwrap_or_else(PoisonError::into_inner).as_mut(), work)
            }
        }
    }

    /// Writes, and returns after the COMMIT.
    ///
    /// # Errors
    /// The error of the work, or why it was not committed.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        match &self.access {
            Access::Threads { writer, .. } => writer.write(work)?,
            Access::Single(driver) => {
                in_transaction(driver.lock().unwrap_or_else(PoisonError::into_inner).as_mut(), work)
            }
        }
    }

    /// Takes no more calls; what was taken is committed. The writer closes its connection last, so that it leaves
    /// one whole file. Harmless if repeated.
    pub fn stop(&self) {
        if let Access::Threads { writer, readers } = &self.access {
            readers.close();
            writer.stop();
        }
    }

    /// `POST /api/v1/enrol`
    ///
    /// # Errors
    /// [`ServiceError`] with the problem.
    pub fn enrol(self: &std::sync::Arc<Self>, request: EnrolRequest) -> Result<EnrolResponse, ServiceError> {
        let now_ms = self.now_ms();
        let centre = self.clone();
        self.write(move |tx| enrol::enrol(tx, now_ms, &centre.context, &request))
    }

    /// `POST /api/v1/envelopes`: a result for each envelope, in order.
    ///
    /// # Errors
    /// [`ServiceError`] if the batch is too long, or nothing at all can be read.
    pub fn take_batch(&self, batch: EnvelopeBatch) -> Result<BatchResponse, ServiceError> {
        if batch.envelopes.len() > MAX_BATCH {
            let detail = format!("{} envelopes, at most {MAX_BATCH}", batch.envelopes.len());
            return Err(ServiceError::refused(ProblemCode::TooManyEnvelopes, detail));
        }
        let digests: Vec<_> = batch.envelopes.iter().map(|u| u.digest).collect();
        let checked: Vec<_> = self.read(|tx| {
            Ok::<_, ServiceError>(
                batch.envelopes.into_iter().map(|u: EnvelopeUpload| intake::check(tx, u)).collect(),
            )
        })?;
        fail::fail_point!("server::batch::after_check", |_| Err(StoreError::Full.into()));
        let sender = checked.iter().flatten().next().map(|c| c.terminal().clone());
        let taken = self.take_checked(checked);
        fail::fail_point!("server::batch::after_commit", |_| Err(StoreError::Full.into()));
        // Trouble of the centre with one envelope is told there, as a 5xx of its item: it stays queued and comes
        // again. Only if nothing at all could be taken does the whole batch fail.
        if !taken.is_empty() && taken.iter().all(|t| matches!(t, Err(e) if e.is_trouble())) {
            return Err(taken
                .into_iter()
                .find_map(Result::err)
                .unwrap_or_else(|| ServiceError::Inconsistent("batch".to_owned())));
        }
        let mut stored = false;
        let results = digests
            .into_iter()
            .zip(taken)
            .map(|(digest, taken)| {
                stored |= matches!(&taken, Ok(t) if t.outcome == Outcome::Accepted);
                let result = self.result(digest, taken);
                metrics::envelope(result.outcome);
                result
            })
            .collect();
        if let Some(bell) = self.bell.get().filter(|_| stored) {
            bell.envelopes_stored();
        }
        fail::fail_point!("server::batch::before_series", |_| Err(StoreError::Full.into()));
        let series = sender.map(|terminal| self.series_of(&terminal)).transpose()?.flatten();
        fail::fail_point!("server::batch::before_answer", |_| Err(StoreError::Full.into()));
        Ok(BatchResponse { results, series, contact: self.context.contact(self.now_ms()) })
    }

    /// News for the station of a terminal that signed the request.
    ///
    /// # Errors
    /// [`ServiceError`]: unknown terminal, wrong signature, or the store's.
    pub fn station_of(
        &self,
        id: &TerminalId,
        path_and_query: &str,
        signature: &Signature,
    ) -> Result<StationId, ServiceError> {
        let digest = request_digest("GET", path_and_query);
        self.read(|tx| Ok(terminals::signed_by(tx, id, &digest, signature)?.station))
    }

    /// How far the series that a terminal writes now was seen. Only for a terminal that signed what it sent.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails.
    pub fn series_of(&self, terminal: &TerminalId) -> Result<Option<SeriesNews>, ServiceError> {
        self.read(|tx| Ok::<_, ServiceError>(series::news(tx, terminal)?))
    }

    /// `GET /api/v1/changes`, answered at once.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails.
    pub fn changes(&self, station: &StationId, after: u64) -> Result<ChangesResponse, ServiceError> {
        let news = self.read(|tx| changes::after(tx, station, after))?;
        fail::fail_point!("server::changes::before_answer", |_| Err(StoreError::Full.into()));
        Ok(ChangesResponse {
            changes: news.changes,
            cursor: news.cursor,
            more: news.more,
            series: None,
            contact: self.context.contact(self.now_ms()),
        })
    }

    /// Writes what was checked: all pieces are queued before the first answer is awaited, so that a batch shares
    /// its COMMIT.
    fn take_checked(
        &self,
        checked: Vec<Result<intake::Checked, ServiceError>>,
    ) -> Vec<Result<intake::Taken, ServiceError>> {
        let now_ms = self.now_ms();
        let Access::Threads { writer, .. } = &self.access else {
            let write = |c| self.write(move |tx| intake::take(tx, now_ms, &c));
            return checked.into_iter().map(|c| c.and_then(write)).collect();
        };
        let queued: Vec<_> = checked
            .into_iter()
            .map(|c| {
                let c = c?;
                let (answer, answered) = sync_channel(1);
                writer.submit(
                    move |tx| intake::take(tx, now_ms, &c),
                    move |written| {
                        let _ = answer.try_send(written);
                    },
                );
                Ok(answered)
            })
            .collect();
        fail::fail_point!("server::batch::after_queue");
        queued
            .into_iter()
            .map(|answered: Result<_, ServiceError>| {
                answered?.recv().unwrap_or(Err(WriteError::Unavailable))?
            })
            .collect()
    }

    fn result(
        &self,
        digest: domain::envelope::Digest,
        taken: Result<intake::Taken, ServiceError>,
    ) -> EnvelopeResult {
        let refused = |outcome, error: &ServiceError| EnvelopeResult {
            digest,
            outcome,
            receipt: None,
            missing_blobs: vec![],
            problem: Some(error.to_problem(None)),
        };
        let signed = taken.and_then(|t| {
            if t.outcome == Outcome::Accepted {
                self.ring(&t.station);
            }
            let receipt = t.receipt.map(|body| receipt::sign(&body, &self.context.keys)).transpose()?;
            Ok((t.outcome, receipt, t.missing_blobs))
        });
        match signed {
            Ok((outcome, receipt @ Some(_), missing_blobs)) => {
                EnvelopeResult { digest, outcome, receipt, missing_blobs, problem: None }
            }
            Ok((_, None, _)) => refused(Outcome::Conflict, &ProblemCode::EnvelopeConflict.into()),
            Err(e) => refused(Outcome::Refused, &e),
        }
    }
}
