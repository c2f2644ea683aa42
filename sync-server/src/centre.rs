//! The centre in one process: store, keys, clock and randomness, and the calls of terminals as plain functions.
//!
//! The HTTP shell, the jobs and a simulator all stand on it. Refuses to know HTTP: it takes wire types and gives
//! wire types. Calls may block for a write; none needs an async runtime.
mod batch;
mod citizen;
mod gather;
mod offers;
mod orders;

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::envelope::{Signature, request_digest};
use domain::ids::{StationId, TerminalId};
use domain::wire::v1::{
    CertificateRequest, CertificateResponse, ChangesQuery, ChangesResponse, Contact, EnrolRequest,
    EnrolResponse, SeriesNews,
};
use rand_chacha::ChaCha20Rng;

pub use batch::{CheckedBatch, QueuedBatch};
pub use citizen::query_in;
pub use gather::Gathered;
pub use offers::offer_in;
pub use orders::heartbeat_in;

use crate::admission::Admission;
use crate::error::ServiceError;
use crate::services::terminals::Senders;
use crate::services::{Context, certificates, changes, enrol, meta, receipt, rollout, series, terminals};
use crate::store::{Driver, Readers, StoreError, Tx, Writer, in_transaction};

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
    /// Every station has news, such as an order.
    fn news_for_all(&self);
}

/// How long a batch waits for the COMMIT; then it comes again, and finds what was stored.
pub const ANSWER_TIME: Duration = Duration::from_secs(25);

/// One running centre.
pub struct Centre {
    access: Access,
    context: Context,
    surroundings: Box<dyn Surroundings>,
    bell: OnceLock<Box<dyn Bell>>,
    senders: Senders,
    admission: OnceLock<Admission>,
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
        let access = Access::Threads {
            writer: Writer::start_guarded(writer, meta::refuse_moved)?,
            readers: Readers::new(readers),
        };
        Ok(Self::on(access, context, surroundings))
    }

    /// A centre on one connection, without threads.
    pub fn single(driver: Box<dyn Driver>, context: Context, surroundings: Box<dyn Surroundings>) -> Self {
        Self::on(Access::Single(Mutex::new(driver)), context, surroundings)
    }

    fn on(access: Access, context: Context, surroundings: Box<dyn Surroundings>) -> Self {
        let (bell, admission) = (OnceLock::new(), OnceLock::new());
        Self { access, context, surroundings, bell, senders: Senders::default(), admission }
    }

    /// Names who hears of commits; the first one stays.
    pub fn set_bell(&self, bell: Box<dyn Bell>) {
        let _ = self.bell.set(bell);
    }

    /// Says how many calls of terminals are let in; the first one stays. Without it all are.
    ///
    /// # Errors
    /// [`ServiceError`] if the terminals cannot be counted.
    pub fn admit_by(&self, admission: Admission) -> Result<(), ServiceError> {
        let _ = self.admission.set(admission);
        self.expect_terminals()
    }

    /// How many calls of terminals are let in, if that has an end.
    pub fn admission(&self) -> Option<&Admission> {
        self.admission.get()
    }

    fn expect_terminals(&self) -> Result<(), ServiceError> {
        if let Some(admission) = self.admission() {
            admission.expect(self.read(|tx| Ok::<_, ServiceError>(terminals::active_ones(tx)?))?);
        }
        Ok(())
    }

    /// What every response carries now.
    pub fn contact(&self) -> Contact {
        let spread_ms = self.admission().map_or(0, Admission::spread_ms);
        Contact { spread_ms, ..self.context.contact(self.now_ms()) }
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

    /// Tells that submissions wait to be opened.
    pub fn ring_stored(&self) {
        if let Some(bell) = self.bell.get() {
            bell.envelopes_stored();
        }
    }

    /// Tells that every station has news.
    pub fn ring_all(&self) {
        if let Some(bell) = self.bell.get() {
            bell.news_for_all();
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

    /// Writes, and returns after the COMMIT. The work may run twice, the first time undone.
    ///
    /// # Errors
    /// The error of the work, or why it was not committed.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        match &self.access {
            Access::Threads { writer, .. } => writer.write(work)?,
            Access::Single(driver) => {
                in_transaction(driver.lock().unwrap_or_else(PoisonError::into_inner).as_mut(), work)
            }
        }
    }

    /// Queues pieces of work, so that they share a COMMIT as far as it goes; `done` is called once all of them are
    /// committed or failed. One bad piece leaves the others alone.
    pub fn queue<T: Send + 'static>(
        &self,
        work: Vec<impl FnMut(&mut Tx<'_>) -> Result<T, ServiceError> + Send + 'static>,
        done: impl FnOnce() + Send + 'static,
    ) -> Arc<Gathered<T>> {
        let gathered = Gathered::new(work.len(), done);
        for (place, work) in work.into_iter().enumerate() {
            match &self.access {
                Access::Threads { writer, .. } => {
                    let gathered = gathered.clone();
                    writer.submit(work, move |written| {
                        gathered.bring(place, written.unwrap_or_else(|e| Err(e.into())));
                    });
                }
                Access::Single(_) => gathered.bring(place, self.write(work)),
            }
        }
        gathered
    }

    /// Writes several pieces; gives for each what [`Centre::write`] would.
    pub fn write_all<T: Send + 'static>(
        &self,
        work: Vec<impl FnMut(&mut Tx<'_>) -> Result<T, ServiceError> + Send + 'static>,
    ) -> Vec<Result<T, ServiceError>> {
        let (done, all_done) = sync_channel(1);
        let gathered = self.queue(work, move || {
            let _ = done.try_send(());
        });
        let _ = all_done.recv_timeout(ANSWER_TIME);
        gathered.take()
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
        let enrolled = self.write(move |tx| enrol::enrol(tx, now_ms, &centre.context, &request));
        self.senders.forget();
        self.expect_terminals()?;
        enrolled
    }

    /// `POST /api/v1/certificate`
    ///
    /// # Errors
    /// [`ServiceError`] with the problem.
    pub fn renew_certificate(
        self: &Arc<Self>,
        request: CertificateRequest,
    ) -> Result<CertificateResponse, ServiceError> {
        let now_ms = self.now_ms();
        let centre = self.clone();
        let certified = self.write(move |tx| {
            certificates::renew(tx, now_ms, &centre.context, (&request.terminal, &request.csr.0))
        })?;
        Ok(CertificateResponse { certified, contact: self.contact() })
    }

    /// The station of a terminal that signed the address of a GET.
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

    /// `GET /api/v1/changes` of a terminal of a station, answered at once.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails.
    pub fn changes(
        &self,
        (terminal, station): (&TerminalId, &StationId),
        query: ChangesQuery,
    ) -> Result<ChangesResponse, ServiceError> {
        let now_ms = self.now_ms();
        let (news, series, order) = self.read(|tx| {
            let news = changes::after(tx, station, query.after)?;
            let order = match query.order {
                Some(known) => rollout::order_for(tx, terminal, (known, now_ms))?,
                None => None,
            };
            Ok::<_, ServiceError>((news, series::news(tx, terminal)?, order))
        })?;
        fail::fail_point!("server::changes::before_answer", |_| Err(StoreError::Full.into()));
        Ok(ChangesResponse {
            changes: news.changes,
            cursor: news.cursor,
            more: news.more,
            series,
            order: order.map(|order| receipt::sign_order(&order, &self.context.keys)).transpose()?,
            contact: self.contact(),
        })
    }
}
