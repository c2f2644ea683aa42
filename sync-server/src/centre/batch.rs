//! `POST /api/v1/envelopes` in three steps, so that a caller may wait between them as it likes: check, queue, answer.
//!
//! Checking and answering compute; only the writer writes. Refuses to answer anything before the COMMIT.
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use domain::envelope::{Digest, KeyRing, SignedDocument, SignedKind, verify_document};
use domain::ids::TerminalId;
use domain::wire::v1::{
    BatchResponse, EnvelopeBatch, EnvelopeHeader, EnvelopeResult, EnvelopeUpload, MAX_BATCH, Outcome,
};

use super::{ANSWER_TIME, Centre, Gathered};
use crate::error::{ProblemCode, ServiceError};
use crate::metrics;
use crate::services::terminals::Sender;
use crate::services::{intake, receipt, terminals};
use crate::store::StoreError;

/// Envelopes that are checked where they arrive; longer batches compute too long for an async thread.
const FEW: usize = 4;

/// A batch whose envelopes were checked one by one.
pub struct CheckedBatch {
    digests: Vec<Digest>,
    checked: Vec<Result<intake::Checked, ServiceError>>,
}

impl CheckedBatch {
    /// The same batch; envelopes of terminals that do not fit are refused for the reason given.
    #[must_use]
    pub fn only_where(mut self, fits: impl Fn(&TerminalId) -> Result<(), ServiceError>) -> Self {
        for checked in &mut self.checked {
            let unfit = checked.as_ref().ok().and_then(|c| fits(c.terminal()).err());
            if let Some(reason) = unfit {
                *checked = Err(reason);
            }
        }
        self
    }
}

/// A batch that waits for its COMMIT.
pub struct QueuedBatch {
    digests: Vec<Digest>,
    checks: Vec<Result<(), ServiceError>>,
    sender: Option<TerminalId>,
    taken: Arc<Gathered<intake::Taken>>,
}

type Read = (EnvelopeUpload, Result<EnvelopeHeader, ServiceError>);
type Known = Result<Arc<Sender>, ServiceError>;

impl Centre {
    /// `POST /api/v1/envelopes`: a result for each envelope, in order. Waits for the COMMIT.
    ///
    /// # Errors
    /// [`ServiceError`] if the batch is too long, or nothing at all can be taken.
    pub fn take_batch(&self, batch: EnvelopeBatch) -> Result<BatchResponse, ServiceError> {
        let checked = self.check_batch(batch)?;
        let (done, all_done) = sync_channel(1);
        let queued = self.queue_batch(checked, move || {
            let _ = done.try_send(());
        });
        let _ = all_done.recv_timeout(ANSWER_TIME);
        self.answer_batch(queued)
    }

    /// Checks a short batch of terminals that sent something lately: computes a little and reads nothing. Any other
    /// batch comes back for [`Centre::check_batch`].
    ///
    /// # Errors
    /// [`ServiceError`] as there.
    pub fn check_quickly(
        &self,
        batch: EnvelopeBatch,
    ) -> Result<Result<CheckedBatch, EnvelopeBatch>, ServiceError> {
        if batch.envelopes.len() > FEW {
            return Ok(Err(batch));
        }
        let headers: Vec<_> = batch.envelopes.iter().map(intake::header).collect();
        let senders: Vec<_> = headers.iter().map(|h| self.senders.get(&h.as_ref().ok()?.terminal)).collect();
        if headers.iter().zip(&senders).any(|(header, sender)| header.is_ok() && sender.is_none()) {
            return Ok(Err(batch));
        }
        let known = |place: usize, _: &TerminalId| {
            senders.get(place).cloned().flatten().ok_or_else(|| ProblemCode::TerminalUnknown.into())
        };
        checked(batch.envelopes.into_iter().zip(headers).collect(), known).map(Ok)
    }

    /// Checks the envelopes of a batch one by one: sizes, header, digest, and the signature of an enrolled terminal.
    /// Reads terminals from the store that did not send anything lately.
    ///
    /// # Errors
    /// [`ServiceError`] if the batch is too long, or the store fails.
    pub fn check_batch(&self, batch: EnvelopeBatch) -> Result<CheckedBatch, ServiceError> {
        if batch.envelopes.len() > MAX_BATCH {
            let detail = format!("{} envelopes, at most {MAX_BATCH}", batch.envelopes.len());
            return Err(ServiceError::refused(ProblemCode::TooManyEnvelopes, detail));
        }
        let headers: Vec<_> = batch.envelopes.iter().map(intake::header).collect();
        let ids = headers.iter().flatten().map(|h| h.terminal.clone());
        let mut met: BTreeMap<TerminalId, Known> = ids.map(|id| (id.clone(), self.meet(&id))).collect();
        // A refusal is told to each envelope of the terminal.
        let known = |_: usize, id: &TerminalId| match met.get_mut(id) {
            Some(Ok(sender)) => Ok(sender.clone()),
            Some(Err(ServiceError::Refused { code, .. })) => Err((*code).into()),
            Some(failed) => std::mem::replace(failed, Err(StoreError::Busy.into())),
            None => Err(ProblemCode::TerminalUnknown.into()),
        };
        checked(batch.envelopes.into_iter().zip(headers).collect(), known)
    }

    /// A terminal that may send, from memory or from the store.
    pub(super) fn meet(&self, id: &TerminalId) -> Known {
        if let Some(known) = self.senders.get(id) {
            return Ok(known);
        }
        let sender = Arc::new(Sender::new(self.read(|tx| terminals::active(tx, id))?)?);
        self.senders.keep(sender.clone());
        Ok(sender)
    }

    /// The terminal that sent a document, once its key has proven it.
    ///
    /// # Errors
    /// [`ServiceError`]: why there is no such terminal, `signature-invalid`, or the store's.
    pub(super) fn sender(
        &self,
        named: &TerminalId,
        (kind, document): (SignedKind, &SignedDocument),
    ) -> Known {
        let sender = self.meet(named)?;
        verify_document(kind, document, &KeyRing::new([sender.public_key.clone()]))
            .map_err(|_| ProblemCode::SignatureInvalid)?;
        Ok(sender)
    }

    /// Queues what was checked, so that a batch shares its COMMIT. `done` is called once all of it is committed or
    /// failed, and must not block.
    pub fn queue_batch(&self, batch: CheckedBatch, done: impl FnOnce() + Send + 'static) -> QueuedBatch {
        let now_ms = self.now_ms();
        let CheckedBatch { digests, checked } = batch;
        let sender = checked.iter().flatten().next().map(|c| c.terminal().clone());
        let mut work = Vec::with_capacity(checked.len());
        let checks = checked
            .into_iter()
            .map(|checked| {
                let checked = checked?;
                work.push(move |tx: &mut crate::store::Tx<'_>| intake::take(tx, now_ms, &checked));
                Ok(())
            })
            .collect();
        let taken = self.queue(work, done);
        fail::fail_point!("server::batch::after_queue");
        QueuedBatch { digests, checks, sender, taken }
    }

    /// Answers a batch: signs receipts of what was committed. What is not done yet is told to come again.
    ///
    /// # Errors
    /// [`ServiceError`] if nothing at all could be taken because the centre is in trouble.
    pub fn answer_batch(&self, batch: QueuedBatch) -> Result<BatchResponse, ServiceError> {
        let QueuedBatch { digests, checks, sender, taken } = batch;
        let mut taken = taken.take().into_iter();
        let missing = || ServiceError::Inconsistent("batch".to_owned());
        let mut next = || taken.next().unwrap_or_else(|| Err(missing()));
        let taken: Vec<_> = checks.into_iter().map(|check| check.and_then(|()| next())).collect();
        fail::fail_point!("server::batch::after_commit", |_| Err(StoreError::Full.into()));
        if taken.iter().any(|t| matches!(t, Err(ServiceError::Refused { .. }))) {
            // Perhaps a terminal was blocked since it was kept: the next check asks the store.
            self.senders.forget();
        }
        // Trouble of the centre with one envelope is told there, as a 5xx of its item: it stays queued and comes
        // again. Only if nothing at all could be taken does the whole batch fail.
        if !taken.is_empty() && taken.iter().all(|t| matches!(t, Err(e) if e.is_trouble())) {
            return Err(taken.into_iter().find_map(Result::err).unwrap_or_else(missing));
        }
        let of_sender = |t: &&intake::Taken| sender.as_ref() == Some(&t.terminal);
        let series = taken.iter().flatten().rfind(of_sender).and_then(|t| t.series.clone());
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
        fail::fail_point!("server::batch::before_answer", |_| Err(StoreError::Full.into()));
        Ok(BatchResponse { results, series, contact: self.contact() })
    }

    fn result(&self, digest: Digest, taken: Result<intake::Taken, ServiceError>) -> EnvelopeResult {
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

fn checked(
    read: Vec<Read>,
    mut known: impl FnMut(usize, &TerminalId) -> Known,
) -> Result<CheckedBatch, ServiceError> {
    let digests = read.iter().map(|(upload, _)| upload.digest).collect();
    let checked = read
        .into_iter()
        .enumerate()
        .map(|(place, (upload, header))| intake::check(header?, upload, |id| known(place, id)))
        .collect();
    fail::fail_point!("server::batch::after_check", |_| Err(StoreError::Full.into()));
    Ok(CheckedBatch { digests, checked })
}
