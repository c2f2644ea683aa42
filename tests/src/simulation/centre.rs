//! The centre of a simulation: the real store, services and jobs on a simulated disk, and its calls by method and path.
//!
//! HTTP, TLS and PostgreSQL stay outside: requests come as the terminal's transport has them, and go to the same functions
//! as the listeners' do. Copies of the store and of its pages stand in for verified backups.
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result, anyhow};
use domain::case::{Action, CaseState, Flaw, StepView, Want};
use domain::catalogue::Catalogue;
use domain::envelope::{Bytes, Digest, Signature, Suite};
use domain::ids::{EnvelopeId, StationId};
use domain::wire::v1::{ChangesQuery, Contact, PROBLEM_MEDIA_TYPE, SIGNATURE_HEADER, TERMINAL_HEADER};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sync_server::backup::blobs;
use sync_server::blobs::Blobs;
use sync_server::centre::{Bell, Centre};
use sync_server::error::{ProblemCode, ServiceError};
use sync_server::jobs::{clockwork, open_received};
use sync_server::keys::Keys;
use sync_server::services::blobs::NOTHING_AWAITED;
use sync_server::services::cases::{self, BY_CENTRE, CENTRE};
use sync_server::services::{Context as Services, enrol, review, sealing_keys};
use sync_server::store::{Sqlite, Tx, in_transaction};
use sync_server::uploads::Uploads;
use terminal::sync::transport::{
    Method, Request, Response, Transport, TransportError, UploadAnswer, UploadCall,
};

use super::clock::{AroundCentre, MachineClock, Time};
use super::disk::{Disk, End};
use super::network::{Answer, Call};
use super::uploads::{self, Places};
use crate::storm::small_centre::prepare;

/// The store's file.
pub const STORE: &str = "server.db";
/// Cases that the departments look at in one go, at most.
const AT_ONCE: u64 = 40;
/// One of so many cases is asked for a supplement.
const ASKS: u8 = 16;
/// What a busy centre says, seconds: as its listeners do.
pub const RETRY_AFTER_SECS: u32 = 5;

/// Hears that submissions wait.
struct Waiting(Arc<AtomicBool>);

impl Bell for Waiting {
    fn envelopes_stored(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
    fn news(&self, _: &StationId) {}
    fn news_for_all(&self) {}
}

/// The centre.
pub struct SimulatedCentre {
    /// Its disk.
    pub disk: Disk,
    /// Its machine's clock.
    pub clock: Arc<MachineClock>,
    /// Versions that it has, or takes in when it starts.
    pub catalogues: Vec<Catalogue>,
    /// Up to where its last copy goes; promised to terminals as durable.
    pub durable_upto: Option<u64>,
    places: Places,
    running: Option<(Arc<Centre>, Arc<Uploads>)>,
    waiting: Arc<AtomicBool>,
    seeds: Arc<AtomicU64>,
    copy: PathBuf,
    set_back: bool,
    suite: Suite,
}

impl SimulatedCentre {
    /// A new one on a disk, whose terminals seal in this suite; it does not run yet.
    pub fn new(
        suite: Suite,
        disk: Disk,
        copy: PathBuf,
        (time, seed, catalogue): (Arc<Time>, u64, Catalogue),
    ) -> Self {
        Self {
            places: Places::new(disk.folder().join("uploads")),
            disk,
            clock: Arc::new(MachineClock::new(time)),
            catalogues: vec![catalogue],
            durable_upto: None,
            running: None,
            waiting: Arc::default(),
            seeds: Arc::new(AtomicU64::new(seed)),
            copy,
            set_back: false,
            suite,
        }
    }

    /// Starts it.
    ///
    /// # Errors
    /// If its disk does not let it.
    pub fn start(&mut self) -> Result<()> {
        let around = AroundCentre { clock: self.clock.clone(), seeds: self.seeds.clone() };
        let now_ms = terminal::clock::Clock::now_ms(self.clock.as_ref());
        let mut rng = ChaCha20Rng::seed_from_u64(self.seeds.fetch_add(1, Ordering::Relaxed));
        let keys = Keys::load_or_make(&self.disk.folder().join("keys"), &mut rng)?;
        let mut store = Sqlite::open(&self.disk.folder().join(STORE))?;
        if self.set_back {
            self.places.bring_back(&mut store, now_ms)?;
        }
        let context = prepare(&mut store, keys, &self.catalogues, (now_ms, &mut rng))?;
        in_transaction(&mut store, |tx| seal_in(tx, self.suite, &context.keys, (now_ms, &mut rng)))?;
        let centre = Centre::single(Box::new(store), context, Box::new(around));
        let uploads = self.places.open(&centre)?;
        if self.disk.is_dead() {
            return Err(anyhow!("it ended while it started"));
        }
        self.set_back = false;
        centre.set_bell(Box::new(Waiting(self.waiting.clone())));
        self.waiting.store(true, Ordering::Relaxed);
        self.running = Some((Arc::new(centre), uploads));
        Ok(())
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// Ends it as told; says how many writes were lost.
    ///
    /// # Errors
    /// If its files cannot be read or written.
    pub fn end(&mut self, end: End) -> Result<usize> {
        self.disk.die();
        self.running = None;
        self.disk.revive(end)
    }

    /// Stops it as an operator does.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// A code for a terminal at a station.
    ///
    /// # Errors
    /// If the store refuses.
    pub fn enrol_code(&self, station: &StationId, seed: u64) -> Result<String> {
        let (centre, _) = self.running.as_ref().context("it runs")?;
        let (station, now_ms) = (station.clone(), centre.now_ms());
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        Ok(centre.write(move |tx| enrol::make_code(tx, now_ms, &station, &mut rng))?.code)
    }

    /// Copies the store and its pages: what is in them now is durable, as far as a backup would say so. Gives the pages
    /// that could not be copied, as a backup does.
    ///
    /// # Errors
    /// If they cannot be read or copied.
    pub fn copy(&mut self) -> Result<Vec<Digest>> {
        let Some((centre, _)) = &self.running else { return Ok(Vec::new()) };
        let highest = "SELECT COALESCE(MAX(server_seq), 0) FROM envelope";
        let (whole_upto, listed) = centre.read(|tx| {
            let highest = u64::try_from(tx.query_int(highest, &[])?).unwrap_or(0);
            Ok::<_, ServiceError>((blobs::whole_upto(tx, highest)?, blobs::listed(tx)?))
        })?;
        self.disk.copy_to(STORE, &self.copy)?;
        let lost = self.places.copy(&listed)?;
        let upto = centre.read(|tx| Ok::<_, ServiceError>(blobs::upto_without(tx, &lost, whole_upto)?))?;
        self.durable_upto = Some(upto);
        Ok(lost)
    }

    /// Sets store and pages back to the last copy; the next start begins a new epoch. False if there is no copy.
    ///
    /// # Errors
    /// If it cannot be copied.
    pub fn set_back(&mut self) -> Result<bool> {
        if self.durable_upto.is_none() {
            return Ok(false);
        }
        self.running = None;
        self.disk.restore_from(STORE, &self.copy)?;
        self.places.set_back()?;
        self.set_back = true;
        Ok(true)
    }

    /// Opens what waits; says how much was opened.
    pub fn open_waiting(&self) -> u64 {
        let Some((centre, _)) = &self.running else { return 0 };
        if !self.waiting.swap(false, Ordering::Relaxed) {
            return 0;
        }
        let opened = open_received(centre, &mut centre.random(), &AtomicBool::new(false));
        opened.unwrap_or_else(|_| {
            self.waiting.store(true, Ordering::Relaxed);
            0
        })
    }

    /// Lets the job look again by itself, as it does from time to time.
    pub fn look_again(&self) {
        self.waiting.store(true, Ordering::Relaxed);
    }

    /// Cases of which nothing is awaited and that nobody opened yet.
    pub fn unopened(&self) -> Option<i64> {
        let sql = format!("SELECT COUNT(*) FROM case_ WHERE state = $1 AND {NOTHING_AWAITED}");
        let received = CaseState::Received.as_str().into();
        let (centre, _) = self.running.as_ref()?;
        centre.read(|tx| Ok::<_, ServiceError>(tx.query_int(&sql, &[received])?)).ok()
    }

    /// Departments accept some of what was submitted, and complete some of what was accepted; says how many.
    ///
    /// # Errors
    /// If the store refuses.
    pub fn decide(&self, rng: &mut ChaCha20Rng) -> Result<u64> {
        let Some((centre, _)) = &self.running else { return Ok(0) };
        let mut decided = 0;
        for state in [CaseState::Accepted, CaseState::Submitted] {
            let sql = "SELECT envelope_id FROM case_ WHERE state = $1 ORDER BY server_seq LIMIT $2";
            let found = centre.read(|tx| {
                let rows = tx.query(sql, &[state.as_str().into(), AT_ONCE.into()])?;
                rows.iter().map(|r| Ok(r.parsed::<EnvelopeId>(0)?)).collect::<Result<Vec<_>, ServiceError>>()
            })?;
            for id in found {
                if rng.next_u32().is_multiple_of(3) {
                    let (now_ms, here) = (centre.now_ms(), centre.clone());
                    centre.write(move |tx| go_on(tx, here.context(), now_ms, &id))?;
                    decided += 1;
                }
            }
        }
        Ok(decided)
    }

    /// The clock does its part for cases; says how often.
    ///
    /// # Errors
    /// If the store refuses.
    pub fn go_by_clock(&self) -> Result<usize> {
        let Some((centre, _)) = &self.running else { return Ok(0) };
        Ok(clockwork::look(centre, &AtomicBool::new(false))?)
    }

    /// Answers a call; none if it does not run, or ended meanwhile.
    pub fn answer(&self, asked: &Call) -> Option<Answer> {
        let (centre, uploads) = self.running.as_ref()?;
        let answered = match asked {
            Call::Text(request) => {
                let answered = call(centre, self.durable_upto, request);
                Answer::Text(Ok(answered.unwrap_or_else(|error| problem(&error))))
            }
            Call::Page(call) => Answer::Page(Ok(uploads::answer(centre, uploads, call))),
        };
        (!self.disk.is_dead()).then_some(answered)
    }

    /// Takes in what arrives of a call before its link breaks: nothing of a text, and the first bytes of a page.
    pub fn take_cut(&self, cut: &Call, percent: u8) {
        if let (Some((centre, uploads)), Call::Page(call)) = (&self.running, cut) {
            let _ = uploads::take(centre, uploads, call, percent);
        }
    }

    /// Turns a bit of one of the pages that are here and in no copy; gives which, if there is one.
    ///
    /// # Errors
    /// If the store or the places of pages cannot be used.
    pub fn flip_page(&self, which: usize, bit: usize) -> Result<Option<Digest>> {
        let Some((centre, _)) = &self.running else { return Ok(None) };
        let listed = centre.read(|tx| Ok::<_, ServiceError>(blobs::listed(tx)?))?;
        self.places.flip_uncopied(&listed, which, bit)
    }

    /// Its whole pages and photos, whether or not it runs.
    ///
    /// # Errors
    /// If they cannot be opened.
    pub fn pages(&self) -> Result<Blobs> {
        Ok(self.places.whole()?)
    }

    /// What carries requests straight to it, before any fault begins.
    pub fn straight(&self) -> Option<Straight> {
        self.running.as_ref().map(|(centre, _)| Straight(centre.clone()))
    }
}

/// Carries requests straight to a centre.
pub struct Straight(Arc<Centre>);

impl Transport for Straight {
    fn upload(&mut self, _: &UploadCall) -> Result<UploadAnswer, TransportError> {
        Err(TransportError::Unreachable)
    }

    fn exchange(&mut self, request: &Request) -> Result<Response, TransportError> {
        Ok(call(&self.0, None, request).unwrap_or_else(|error| problem(&error)))
    }
}

/// The same functions as behind the terminals' listener.
fn call(centre: &Arc<Centre>, copied: Option<u64>, request: &Request) -> Result<Response, ServiceError> {
    let durable = |contact: &mut Contact| contact.durable_upto = promised(copied);
    let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
    match (request.method, path) {
        (Method::Post, "/api/v1/envelopes") => {
            let mut answer = centre.take_batch(body(request)?)?;
            durable(&mut answer.contact);
            Ok(json(&answer))
        }
        (Method::Get, "/api/v1/changes") => {
            let terminal = header(&request.headers, TERMINAL_HEADER)?.parse();
            let terminal = terminal.map_err(|_| ProblemCode::TerminalUnknown)?;
            let signature = signature(&request.headers)?;
            let station = centre.station_of(&terminal, &request.path_and_query, &signature)?;
            let mut answer = centre.changes((&terminal, &station), changes_query(query))?;
            durable(&mut answer.contact);
            Ok(json(&answer))
        }
        (Method::Post, "/api/v1/heartbeat") => {
            let mut answer = centre.take_heartbeat(&body(request)?)?;
            durable(&mut answer.contact);
            Ok(json(&answer))
        }
        (Method::Post, "/api/v1/enrol") => Ok(json(&centre.enrol(body(request)?)?)),
        _ => Err(ProblemCode::NotFound.into()),
    }
}

/// What is promised of a copy. A planted fault promises what no copy holds.
fn promised(durable_upto: Option<u64>) -> Option<u64> {
    fail::fail_point!("planted::durable_too_far", |_| Some(u64::MAX >> 1));
    durable_upto
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, ServiceError> {
    let bytes = request.body.as_deref().unwrap_or_default();
    serde_json::from_slice(bytes).map_err(|_| ProblemCode::MalformedRequest.into())
}

/// A header of a call.
///
/// # Errors
/// [`ServiceError`] `signature-invalid` if it is not there: only signatures and their signers are asked for.
pub fn header<'a>(headers: &'a [(&'static str, String)], name: &str) -> Result<&'a str, ServiceError> {
    let found = headers.iter().find(|(n, _)| *n == name);
    found.map(|(_, value)| value.as_str()).ok_or_else(|| ProblemCode::SignatureInvalid.into())
}

/// The signature over the address of a call.
///
/// # Errors
/// [`ServiceError`] `signature-invalid` if there is none.
pub fn signature(headers: &[(&'static str, String)]) -> Result<Signature, ServiceError> {
    use base64::Engine as _;
    let text = header(headers, SIGNATURE_HEADER)?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text);
    Ok(Signature(Bytes(bytes.map_err(|_| ProblemCode::SignatureInvalid)?)))
}

fn changes_query(query: &str) -> ChangesQuery {
    let number = |name: &str| {
        query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok())
    };
    ChangesQuery { after: number("after").unwrap_or(0), wait: 0, order: number("order") }
}

fn json(value: &impl Serialize) -> Response {
    Response {
        status: 200,
        content_type: "application/json".to_owned(),
        retry_after_secs: None,
        body: serde_json::to_vec(value).unwrap_or_default(),
    }
}

fn problem(error: &ServiceError) -> Response {
    let problem = error.to_problem(None);
    Response {
        status: problem.status,
        content_type: PROBLEM_MEDIA_TYPE.to_owned(),
        retry_after_secs: (problem.status == 503).then_some(RETRY_AFTER_SECS),
        body: serde_json::to_vec(&problem).unwrap_or_default(),
    }
}

/// Makes a key of the suite, puts it into force and chooses the suite, as an operator does; once.
fn seal_in(tx: &mut Tx<'_>, suite: Suite, keys: &Keys, (now_ms, rng): (i64, &mut ChaCha20Rng)) -> Result<()> {
    const OPERATOR: &str = "operator";
    if sealing_keys::suite(tx)? == suite {
        return Ok(());
    }
    let key = keys.sealing.make(suite, rng)?;
    sealing_keys::add(tx, now_ms, OPERATOR, &key)?;
    sealing_keys::put_in_force(tx, now_ms, OPERATOR, &key.public().key_id())?;
    Ok(sealing_keys::choose_suite(tx, now_ms, OPERATOR, suite)?)
}

/// A department's turn at a case: accepts it, or passes every step that can be passed now. Of some it asks first what no
/// citizen here brings: the clock gives that up.
fn go_on(tx: &mut Tx<'_>, context: &Services, now_ms: i64, id: &EnvelopeId) -> Result<(), ServiceError> {
    let (row, mut view) = cases::current(tx, id)?;
    let actions = if view.state == CaseState::Submitted {
        vec![Action::accepted()]
    } else {
        let workable = view.steps.iter().filter(|step| step.state.is_workable());
        let asks = id.as_bytes().last().is_some_and(|byte| byte.is_multiple_of(ASKS));
        let done = |step: &StepView| match step.rounds {
            0 if asks => Action::SupplementAsked {
                step: step.id.clone(),
                wants: vec![Want { key: "phone".to_owned(), flaw: Flaw::Unclear }],
                days: 1,
                text: None,
            },
            _ => Action::Passed { step: step.id.clone(), by: CENTRE.to_owned(), text: None },
        };
        workable.map(done).collect()
    };
    for action in actions {
        view = cases::add(tx, &context.shelf, now_ms, (&row, view), (BY_CENTRE, action))?;
    }
    review::follow(tx, context, now_ms, (&row, view)).map(|_| ())
}
