//! Terminals that come back at once after an outage: real stores and engines against the real admission.
//!
//! The centre behind it is the small one in memory, because a real one has numbers for fewer terminals than come here (a
//! number's issuer has three digits). Refuses to look at what is stored: other runs do.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use domain::ids::EnvelopeId;
use domain::wire::v1::PROBLEM_MEDIA_TYPE;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use sync_server::admission::{Admission, Urgency};
use terminal::clock::Clock as _;
use terminal::store::Store;
use terminal::sync::transport::{Method, Request, Response, Transport as _, TransportError};
use terminal::sync::{Begun, Engine, Tuning};

use super::clock::{MachineClock, Time};
use super::terminal::Nowhere;
use super::{START_MS, folder};
use crate::centre::Centre;
use crate::submission::{courier, submit_as};

/// Submissions that wait on each terminal.
const WAITING: u64 = 2;
/// Terminals ask for news and say how they are as in the field; nobody is woken by a jump here.
const TUNING: Tuning = Tuning {
    backoff_base_ms: 1_000,
    backoff_cap_ms: 60_000,
    news_every_ms: 30_000,
    beat_every_ms: 60_000,
    longest_wait_ms: 5_000,
};

/// A crowd.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Terminals.
    pub terminals: usize,
    /// Calls that are let in a second.
    pub per_second: u32,
    /// The outage lasts so long, milliseconds; 0 means that all terminals start at one moment.
    pub outage_ms: i64,
    /// Makes all choices.
    pub seed: u64,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Report {
    /// When the centre could be reached again, milliseconds of the simulation.
    pub back_ms: i64,
    /// How long after that nothing waited any more, milliseconds.
    pub drained_ms: Option<i64>,
    /// When a call was let in, in order, milliseconds of the simulation.
    pub admitted: Vec<i64>,
    /// Calls that were let in and sent away before the end of the drain: submissions, news, heartbeats.
    pub let_in: [usize; 3],
    /// The same, sent away.
    pub sent_away: [usize; 3],
    /// Envelopes at the centre, and the one that was stored most often.
    pub stored: (usize, u32),
}

impl Report {
    /// The most calls that were let in within any second.
    pub fn busiest_second(&self) -> usize {
        let mut from = 0;
        let mut most = 0;
        for (to, at) in self.admitted.iter().enumerate() {
            while self.admitted[from] <= at - 1_000 {
                from += 1;
            }
            most = most.max(to + 1 - from);
        }
        most
    }
}

struct Member {
    store: Arc<Mutex<Store>>,
    engine: Engine,
    exchange: u64,
}

#[derive(Debug)]
enum Event {
    Wake(usize),
    Answer(usize, u64, Result<Response, TransportError>),
}

struct Crowd {
    time: Arc<Time>,
    members: Vec<Member>,
    centre: Centre,
    admission: Admission,
    report: Report,
    rng: ChaCha20Rng,
    heap: BTreeMap<(i64, u64), Event>,
    order: u64,
}

/// Lets a crowd come back, and waits for at most so long, milliseconds, until all have drained.
///
/// # Errors
/// If a store cannot be used.
pub fn reconnect(options: &Options, most_ms: i64) -> Result<Report> {
    let folder = folder()?;
    let time = Arc::new(Time::default());
    time.set(START_MS);
    let mut crowd = Crowd {
        time: time.clone(),
        members: Vec::new(),
        centre: Centre::default(),
        admission: Admission::new(options.per_second),
        report: Report { back_ms: START_MS + options.outage_ms, ..Report::default() },
        rng: ChaCha20Rng::seed_from_u64(options.seed),
        heap: BTreeMap::new(),
        order: 0,
    };
    crowd.admission.expect(options.terminals as u64);
    crowd.centre.state().spread_ms = crowd.admission.spread_ms();
    for place in 0..options.terminals {
        let member = crowd.member(&folder.path().join(place.to_string()))?;
        crowd.members.push(member);
        crowd.after(0, Event::Wake(place));
    }
    crowd.run(most_ms)?;
    let state = crowd.centre.state();
    let most = state.stored.values().map(|(.., times)| *times).max().unwrap_or(0);
    crowd.report.stored = (state.stored.len(), most);
    drop(state);
    Ok(crowd.report)
}

impl Crowd {
    fn member(&mut self, folder: &std::path::Path) -> Result<Member> {
        let random = ChaCha20Rng::seed_from_u64(self.rng.next_u64());
        let mut store = Store::open_with(folder, START_MS, random)?;
        store.save_enrolment(&self.centre.enrolment()?)?;
        // What it heard of the span before the outage.
        store.take_contact(&self.centre.enrolment()?.contact, START_MS)?;
        for _ in 0..WAITING {
            let id = EnvelopeId::new(START_MS, &mut self.rng);
            submit_as(&mut store, courier(), id, START_MS, &mut self.rng)?;
        }
        let store = Arc::new(Mutex::new(store));
        let clock = Arc::new(MachineClock::new(self.time.clone()));
        ensure!(clock.now_ms() == START_MS, "the clock is right");
        let engine = Engine::new(store.clone(), Box::new(Nowhere), clock, self.rng.next_u64());
        Ok(Member { store, engine: engine.with_tuning(TUNING), exchange: 0 })
    }

    fn after(&mut self, ms: i64, event: Event) {
        self.order += 1;
        self.heap.insert((self.time.now_ms() + ms.max(0), self.order), event);
    }

    fn after_ms(&mut self, ms: u64, event: Event) {
        self.after(i64::try_from(ms).unwrap_or(i64::MAX), event);
    }

    fn run(&mut self, most_ms: i64) -> Result<()> {
        let end_ms = self.report.back_ms + most_ms;
        let all = self.members.len() * usize::try_from(WAITING)?;
        let mut next_look_ms = self.report.back_ms;
        while let Some(((at_ms, _), event)) = self.heap.pop_first() {
            if at_ms > end_ms {
                break;
            }
            self.time.set(at_ms);
            match event {
                Event::Wake(place) => self.woken(place),
                Event::Answer(place, exchange, answer) => self.answered(place, exchange, answer),
            }
            if at_ms >= next_look_ms {
                next_look_ms = at_ms + 1_000;
                if self.centre.state().stored.len() == all && self.is_drained()? {
                    self.report.drained_ms = Some(at_ms - self.report.back_ms);
                    break;
                }
            }
        }
        Ok(())
    }

    fn is_drained(&self) -> Result<bool> {
        for member in &self.members {
            let store = member.store.lock().unwrap_or_else(PoisonError::into_inner);
            if store.queue_view().context("a queue")?.waiting > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn woken(&mut self, place: usize) {
        match self.members[place].engine.begin() {
            Begun::Over(step) => self.after_ms(step.wait_ms.max(1), Event::Wake(place)),
            Begun::Exchange(request) => {
                self.members[place].exchange += 1;
                let exchange = self.members[place].exchange;
                let answer = self.arrives(&request);
                let latency_ms = 5 + self.rng.next_u64() % 60;
                self.after_ms(latency_ms, Event::Answer(place, exchange, answer));
            }
            // Nobody of the crowd has pages.
            Begun::Upload(_) => {
                let step = self.members[place].engine.finish_upload(Err(TransportError::Unreachable));
                self.after_ms(step.wait_ms.max(1), Event::Wake(place));
            }
        }
    }

    fn answered(&mut self, place: usize, exchange: u64, answer: Result<Response, TransportError>) {
        if self.members[place].exchange == exchange {
            let step = self.members[place].engine.finish(answer);
            self.after_ms(step.wait_ms.max(1), Event::Wake(place));
        }
    }

    fn arrives(&mut self, request: &Request) -> Result<Response, TransportError> {
        let now_ms = self.time.now_ms();
        if now_ms < self.report.back_ms {
            return Err(TransportError::Unreachable);
        }
        let (urgency, kind) = match (request.method, request.path_and_query.as_str()) {
            (Method::Get, _) => (Urgency::News, 1),
            (_, "/api/v1/heartbeat") => (Urgency::Heartbeat, 2),
            _ => (Urgency::Submission, 0),
        };
        match self.admission.admit(urgency, u64::try_from(now_ms).unwrap_or(0)) {
            Ok(()) => {
                self.report.admitted.push(now_ms);
                self.report.let_in[kind] += 1;
                self.centre.exchange(request)
            }
            Err(ms) => {
                self.report.sent_away[kind] += 1;
                Ok(busy(ms))
            }
        }
    }
}

/// The answer of the listener to who is sent away.
fn busy(ms: u64) -> Response {
    let code = sync_server::error::ProblemCode::Busy;
    Response {
        status: code.status(),
        content_type: PROBLEM_MEDIA_TYPE.to_owned(),
        retry_after_secs: u32::try_from(ms.div_ceil(1_000)).ok(),
        body: serde_json::to_vec(&code.problem(None, None)).unwrap_or_default(),
    }
}
