//! A centre in memory behind the terminal's `Transport`: keeps envelopes by id, signs receipts, and fails as told.
//!
//! It stands in for the network and the server where a test needs a thousand faults a second; the real server is
//! tested through real processes.
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::envelope::{DeviceKey, Digest, SealingKey, SignedKind, Suite, sign_document};
use domain::ids::{CounterState, EnvelopeId, Issuer, ServerEpoch};
use domain::wire::v1::{
    BatchResponse, CaseNews, Change, ChangeNews, ChangesResponse, Contact, EnrolResponse, EnvelopeBatch,
    EnvelopeHeader, EnvelopeResult, HeartbeatResponse, Offer, OfferRequest, OfferResponse, Outcome,
    PROBLEM_MEDIA_TYPE, Problem, ReceiptBody, ReceiptKey, SealingKeyEntry, SeriesNews,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use terminal::sync::transport::{Request, Response, Transport, TransportError, UploadAnswer, UploadCall};

/// What goes wrong with the next exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The request never arrives.
    Unreachable,
    /// The centre commits, the answer is lost.
    ReplyLost,
    /// Something else answers with this status, type and body.
    Answer(u16, &'static str, Vec<u8>),
    /// Each result has this problem status instead of a receipt.
    Refuse(u16),
    /// Receipts are signed with a key that nobody knows.
    WrongKey,
    /// Receipts name another digest.
    WrongDigest,
}

/// What the centre holds.
pub struct State {
    /// Stored envelopes: digest, server sequence, how often they were stored (must stay 1).
    pub stored: BTreeMap<EnvelopeId, (Digest, u64, u32)>,
    /// Faults for the next exchanges; afterwards none.
    pub faults: VecDeque<Fault>,
    /// Exchanges so far.
    pub exchanges: u64,
    /// Most envelopes in one batch so far.
    pub largest_batch: usize,
    /// Durable up to this server sequence.
    pub durable_upto: Option<u64>,
    /// Over what span contacts shall be spread, milliseconds.
    pub spread_ms: u64,
    /// Epoch.
    pub epoch: ServerEpoch,
    /// News to give.
    pub news: Vec<CaseNews>,
    /// What it says of the terminal's series.
    pub series: Option<SeriesNews>,
    /// Envelopes that are refused as malformed, by id.
    pub poison: Vec<EnvelopeId>,
}

/// The centre; clones share one state.
#[derive(Clone)]
pub struct Centre {
    state: Arc<Mutex<State>>,
    receipt_key: DeviceKey,
    sealing: SealingKey,
}

impl Default for Centre {
    fn default() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(42);
        let state = State {
            stored: BTreeMap::new(),
            faults: VecDeque::new(),
            exchanges: 0,
            largest_batch: 0,
            durable_upto: None,
            spread_ms: 0,
            epoch: ServerEpoch::new(&mut rng),
            news: Vec::new(),
            series: None,
            poison: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            receipt_key: DeviceKey::from_seed([11; 32]),
            sealing: SealingKey::from_seed([12; 32]),
        }
    }
}

impl Centre {
    /// The state, to look at or to change.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens what a terminal sealed.
    pub fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    /// What an enrolment would answer.
    pub fn enrolment(&self) -> anyhow::Result<EnrolResponse> {
        Ok(EnrolResponse {
            terminal: "T-sample-1".parse()?,
            station: "XN-CCB-CD-01".parse()?,
            issuer: Issuer::new(1).ok_or_else(|| anyhow::anyhow!("issuer"))?,
            last_counter: CounterState { date: "2026-11-01".parse()?, counter: 0 },
            receipt_keys: vec![ReceiptKey {
                id: self.receipt_key.public().key_id(),
                key: self.receipt_key.public(),
            }],
            sealing_key: SealingKeyEntry {
                id: self.sealing.public().key_id(),
                suite: Suite::One,
                key: self.sealing.public(),
            },
            people_url: "http://127.0.0.1:8480".to_owned(),
            certified: None,
            order: None,
            sealing_keys: None,
            contact: self.contact(&self.state()),
        })
    }

    fn contact(&self, state: &State) -> Contact {
        Contact {
            server_epoch: state.epoch,
            server_time_ms: 1_795_500_000_000,
            durable_upto: state.durable_upto,
            spread_ms: state.spread_ms,
            retry_after_ms: None,
        }
    }

    fn answer(&self, request: &Request, fault: &Fault) -> anyhow::Result<Vec<u8>> {
        let mut state = self.state();
        if request.path_and_query.starts_with("/api/v1/changes") {
            return Ok(serde_json::to_vec(&self.changes(&state))?);
        }
        if request.path_and_query == "/api/v1/heartbeat" {
            return Ok(serde_json::to_vec(&HeartbeatResponse {
                order: None,
                sealing_keys: None,
                audit_head: None,
                contact: self.contact(&state),
            })?);
        }
        if request.path_and_query == "/api/v1/offers" {
            return Ok(serde_json::to_vec(&self.offers(&state, request)?)?);
        }
        let batch: EnvelopeBatch = serde_json::from_slice(request.body.as_deref().unwrap_or_default())?;
        state.largest_batch = state.largest_batch.max(batch.envelopes.len());
        let mut results = Vec::new();
        for upload in batch.envelopes {
            let header: EnvelopeHeader = serde_json::from_slice(&upload.header.0)?;
            results.push(self.result(&mut state, &header, upload.digest, fault)?);
        }
        let series = state.series.clone();
        Ok(serde_json::to_vec(&BatchResponse { results, series, contact: self.contact(&state) })?)
    }

    fn result(
        &self,
        state: &mut State,
        header: &EnvelopeHeader,
        digest: Digest,
        fault: &Fault,
    ) -> anyhow::Result<EnvelopeResult> {
        let refused = |status: u16, outcome| EnvelopeResult {
            digest,
            outcome,
            receipt: None,
            missing_blobs: Vec::new(),
            problem: Some(problem(status)),
        };
        if let Fault::Refuse(status) = fault {
            return Ok(refused(*status, Outcome::Refused));
        }
        let next = u64::try_from(state.stored.len())? + 1;
        let known = state.stored.get(&header.envelope_id).copied();
        let outcome = match known {
            Some((d, _, _)) if d != digest => return Ok(refused(409, Outcome::Conflict)),
            Some(_) => Outcome::Duplicate,
            None => Outcome::Accepted,
        };
        let row = state.stored.entry(header.envelope_id).or_insert((digest, next, 0));
        row.2 += u32::from(outcome == Outcome::Accepted);
        let named = if *fault == Fault::WrongDigest { Digest::of(b"another") } else { digest };
        let body = ReceiptBody {
            envelope_id: header.envelope_id,
            digest: named,
            server_seq: row.1,
            accepted_at_ms: 1_795_500_000_000,
            number: header.number.clone(),
            complete: true,
        };
        let stranger = DeviceKey::from_seed([13; 32]);
        let key = if *fault == Fault::WrongKey { &stranger } else { &self.receipt_key };
        let receipt = Some(sign_document(SignedKind::Receipt, serde_json::to_vec(&body)?, key));
        Ok(EnvelopeResult { digest, outcome, receipt, missing_blobs: Vec::new(), problem: None })
    }

    fn changes(&self, state: &State) -> ChangesResponse {
        let changes: Vec<Change> = state
            .news
            .iter()
            .zip(1..)
            .map(|(news, cursor)| Change { cursor, news: ChangeNews::Case(news.clone()) })
            .collect();
        let cursor = changes.last().map_or(0, |c| c.cursor);
        let series = state.series.clone();
        ChangesResponse { changes, cursor, more: false, series, order: None, contact: self.contact(state) }
    }

    fn offers(&self, state: &State, request: &Request) -> anyhow::Result<OfferResponse> {
        let request: OfferRequest = serde_json::from_slice(request.body.as_deref().unwrap_or_default())?;
        let offer: Offer = serde_json::from_slice(&request.offer.body.0)?;
        let ids = offer.receipts.iter().map(|o| {
            let receipt: ReceiptBody = serde_json::from_slice(&o.receipt.body.0)?;
            Ok(receipt.envelope_id)
        });
        let ids: Vec<EnvelopeId> = ids.collect::<anyhow::Result<_>>()?;
        let lacking = ids.into_iter().filter(|id| !state.stored.contains_key(id)).collect();
        Ok(OfferResponse { lacking, contact: self.contact(state) })
    }

    fn is_poisoned(&self, request: &Request) -> bool {
        let Ok(batch) = serde_json::from_slice::<EnvelopeBatch>(request.body.as_deref().unwrap_or_default())
        else {
            return false;
        };
        let state = self.state();
        batch.envelopes.iter().any(|u| {
            serde_json::from_slice::<EnvelopeHeader>(&u.header.0)
                .is_ok_and(|h| state.poison.contains(&h.envelope_id))
        })
    }
}

fn problem(status: u16) -> Problem {
    Problem {
        type_uri: "/problems/sample".to_owned(),
        title: "sample".to_owned(),
        status,
        detail: None,
        code: "sample".to_owned(),
        instance: None,
    }
}

fn response(status: u16, content_type: &str, body: Vec<u8>) -> Response {
    Response { status, content_type: content_type.to_owned(), retry_after_secs: None, body }
}

impl Transport for Centre {
    fn upload(&mut self, _: &UploadCall) -> Result<UploadAnswer, TransportError> {
        Err(TransportError::Unreachable)
    }

    fn exchange(&mut self, request: &Request) -> Result<Response, TransportError> {
        let fault = {
            let mut state = self.state();
            state.exchanges += 1;
            state.faults.pop_front().unwrap_or(Fault::None)
        };
        match &fault {
            Fault::Unreachable => return Err(TransportError::Unreachable),
            Fault::Answer(status, content_type, body) => {
                return Ok(response(*status, content_type, body.clone()));
            }
            _ => {}
        }
        if self.is_poisoned(request) {
            let body = serde_json::to_vec(&problem(400)).unwrap_or_default();
            return Ok(response(400, PROBLEM_MEDIA_TYPE, body));
        }
        let body = self.answer(request, &fault).map_err(|_| TransportError::Unreachable)?;
        match fault {
            Fault::ReplyLost => Err(TransportError::TimedOut),
            _ => Ok(response(200, "application/json", body)),
        }
    }
}
