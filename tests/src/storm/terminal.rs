//! One life of a terminal in a storm: the real store, sync engine and HTTP, or a whole visit with all workers.
//!
//! It writes down what a citizen would have been told the moment after it happened. Refuses to run for ever.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use domain::case::CaseState;
use domain::enrolment::take_apart;
use domain::envelope::{DataKey, Digest};
use domain::form::Answers;
use domain::ids::EnvelopeId;
use domain::wire::v1::BlobKind;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::json;
use terminal::clock::{Clock, SystemClock};
use terminal::event::Event;
use terminal::model::CaseLine;
use terminal::store::{CapturedPage, NewDraft, NewSubmission, Store, read_status};
use terminal::sync::http::HttpTransport;
use terminal::sync::tls::Trust;
use terminal::sync::{Engine, EnrolError, Tuning, enrol};
use terminal::trusted_time::Reading;

use super::pages;
use crate::device::{self, now_ms};
use crate::history::{Op, Recorder};
use crate::visit;

/// An eager engine, so that a storm does not wait.
const EAGER: Tuning = Tuning {
    backoff_base_ms: 4,
    backoff_cap_ms: 40,
    news_every_ms: 15,
    beat_every_ms: 60_000,
    longest_wait_ms: 5_000,
};
/// Every so many submissions the answers do not fit the form, so that cases are returned as well.
const BAD_EVERY: u32 = 5;

/// What a life is told.
#[derive(Debug, Clone)]
pub struct Life {
    /// The store's folder.
    pub data: PathBuf,
    /// Address of the centre, or of a link to it.
    pub server: String,
    /// Name in the history.
    pub name: String,
    /// The history's file.
    pub history: PathBuf,
    /// Makes all randomness.
    pub seed: u64,
    /// One-time code, for the first life.
    pub code: Option<String>,
    /// The centre was restored and has forgotten the terminal, which enrols again with the code.
    pub again: bool,
    /// Submissions to make.
    pub submissions: u32,
    /// Pages of a submission, at most.
    pub pages: u32,
    /// As whole visits.
    pub visit: bool,
    /// How long to wait until everything is delivered and opened.
    pub patience: Duration,
    /// Whether it is an error if it is not by then.
    pub must_settle: bool,
}

/// Lives it; a kill at an armed point ends it anywhere.
///
/// # Errors
/// If the store cannot be used, or something did not settle that had to.
pub fn live(life: &Life) -> Result<()> {
    let end = Instant::now() + life.patience;
    let mut recorder = Recorder::open(&life.history, &life.name)?;
    let mut store = Store::open(&life.data, now_ms()).context("the store")?;
    if life.again || store.identity()?.is_none() {
        first_contact(&mut store, life, end)?;
    }
    if life.visit && life.submissions > 0 {
        drop(store);
        return whole_visit(life, &mut recorder);
    }
    // As the desk does at its start: no form is open.
    store.sweep_pages(None).context("pages of forms that nobody goes on with")?;
    let mut citizen = Citizen {
        rng: randomness(life),
        history: life.history.clone(),
        store: Arc::new(Mutex::new(store)),
        recorder,
        seen: BTreeMap::new(),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let trust = Trust::of(&mut citizen.store(), &clock)?;
    let transport = Box::new(HttpTransport::new(&life.server, &trust)?);
    let mut engine = Engine::new(Arc::clone(&citizen.store), transport, clock, life.seed).with_tuning(EAGER);
    for n in 0..life.submissions {
        citizen.hand_in(n % BAD_EVERY == BAD_EVERY - 1, pages::pages_of(n, life.pages))?;
        citizen.take_events(engine.step().events)?;
    }
    while !citizen.is_settled()? {
        if Instant::now() >= end {
            let waiting = citizen.store().queue_view()?;
            return if life.must_settle { bail!("did not settle: {waiting:?}") } else { Ok(()) };
        }
        let step = engine.step();
        citizen.take_events(step.events)?;
        std::thread::park_timeout(Duration::from_millis(step.wait_ms.min(40)));
    }
    Ok(())
}

/// No two lives have the same: ids must differ between terminals, processes and moments.
fn randomness(life: &Life) -> ChaCha20Rng {
    let own = format!("{} {} {} {}", life.seed, life.data.display(), std::process::id(), now_ms());
    ChaCha20Rng::from_seed(*Digest::of(own.as_bytes()).as_bytes())
}

fn first_contact(store: &mut Store, life: &Life, end: Instant) -> Result<()> {
    let code = life.code.as_deref().context("a code for the first life")?;
    let (plain, centre) = take_apart(code).context("a code")?;
    // A centre of this machine without TLS has nobody to be known by.
    let (code, trust) = match centre {
        Some(centre) => (code, Trust::Centre(centre)),
        None => (plain.as_str(), Trust::Nobody),
    };
    let mut transport = HttpTransport::new(&life.server, &trust)?;
    loop {
        match enrol(store, &mut transport, code) {
            Err(EnrolError::Unreachable(_)) if Instant::now() < end => {
                std::thread::park_timeout(Duration::from_millis(10));
            }
            other => return Ok(other.map(|_| ())?),
        }
    }
}

struct Citizen {
    rng: ChaCha20Rng,
    history: PathBuf,
    store: Arc<Mutex<Store>>,
    recorder: Recorder,
    seen: BTreeMap<String, (Option<CaseState>, u8)>,
}

impl Citizen {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands in one submission with so many pages; if it cannot be saved, the citizen reads why and presses once more.
    fn hand_in(&mut self, bad: bool, pages: u32) -> Result<()> {
        let id = EnvelopeId::new(now_ms(), &mut self.rng);
        self.recorder.note(Op::Created { id })?;
        let content = device::courier();
        let mut answers = Answers::from_map(content.answers);
        if bad {
            answers = Answers::default();
        }
        let suite = self.store().sealing_suite()?;
        let data_key = DataKey::random(suite, &mut self.rng);
        self.keep_drafts(&(id, &data_key, &content.applicant.id_number))?;
        let kept = (0..pages).map(|nth| self.keep_page((id, &data_key), nth)).collect::<Result<Vec<_>>>()?;
        if !kept.is_empty() {
            let file = |p: &CapturedPage| json!({ "hash": p.digest, "bytes": p.bytes, "kind": "image/jpeg" });
            answers.set("scan", kept.iter().map(file).collect());
        }
        for attempt in 0..2 {
            let new = NewSubmission {
                envelope_id: id,
                data_key: data_key.clone(),
                item: device::ITEM.parse()?,
                catalogue_version: device::CATALOGUE,
                person: content.applicant.clone(),
                answers: &answers,
                situation: content.situation.as_ref(),
                now_ms: now_ms(),
                boot_ms: 1,
            };
            let saved = {
                let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
                store.submit(new, &mut self.rng)
            };
            match saved {
                Ok(slip) => {
                    // Before the number is noted: handed in is handed in, whoever sees the slip.
                    pages::note(&self.history, id, &kept)?;
                    return self.recorder.note(Op::Slip { id, number: slip.number, digest: slip.digest });
                }
                Err(e) if attempt == 0 => self.recorder.note(Op::Refused { id, why: e.to_string() })?,
                Err(e) => return Err(e).context("a second press"),
            }
        }
        Ok(())
    }

    /// Scans a page; if it cannot be kept, the citizen reads why and scans it once more.
    fn keep_page(&mut self, form: (EnvelopeId, &DataKey), nth: u32) -> Result<CapturedPage> {
        let plain = pages::scan(nth, &mut self.rng);
        let keep = |citizen: &mut Self| {
            let mut store = citizen.store.lock().unwrap_or_else(PoisonError::into_inner);
            store.keep_page(form, (BlobKind::Page, &plain), &mut citizen.rng)
        };
        match keep(self) {
            Ok(page) => Ok(page),
            Err(e) => {
                self.recorder.note(Op::Refused { id: form.0, why: e.to_string() })?;
                keep(self).context("a second scan")
            }
        }
    }

    /// Continue, the draft refused, Continue again: whatever becomes of it, the form goes on.
    fn keep_drafts(&mut self, (id, data_key, person): &(EnvelopeId, &DataKey, &str)) -> Result<()> {
        let item = device::ITEM.parse()?;
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let lived_ms = store.tell_time(Reading::of(&SystemClock))?.lived_ms;
        let new = NewDraft {
            envelope_id: *id,
            data_key,
            id_number: person,
            item: &item,
            catalogue_version: device::CATALOGUE,
            content: b"what was filled in",
        };
        let _ = store.keep_draft(&new, lived_ms, &mut self.rng);
        let _ = store.erase_draft(person, &item);
        let _ = store.keep_draft(&new, lived_ms, &mut self.rng);
        Ok(())
    }

    fn take_events(&mut self, events: Vec<Event>) -> Result<()> {
        let mut look = false;
        for event in events {
            if let Event::Delivered { envelope_id, .. } = event {
                self.recorder.note(Op::Acked { id: envelope_id })?;
                look = true;
            }
            look |= matches!(event, Event::CaseChanged { .. });
        }
        if look {
            let lines = self.lines()?;
            look_at(&lines, &mut self.seen, &mut self.recorder)?;
        }
        Ok(())
    }

    fn lines(&self) -> Result<Vec<CaseLine>> {
        Ok(self.store().my_slips(&device::courier().applicant.id_number)?)
    }

    /// Everything is delivered, and every case was opened as far as this terminal can see.
    fn is_settled(&self) -> Result<bool> {
        let opened = |l: &CaseLine| l.state.is_some_and(|s| s != CaseState::Received);
        Ok(self.store().queue_view()?.waiting == 0
            && self.lines()?.iter().all(|l| l.marks.delivered_ms.is_some() && opened(l)))
    }
}

fn look_at(
    lines: &[CaseLine],
    seen: &mut BTreeMap<String, (Option<CaseState>, u8)>,
    recorder: &mut Recorder,
) -> Result<()> {
    for line in lines {
        let m = &line.marks;
        let marks = [m.saved_ms, m.delivered_ms, m.accepted_ms, m.completed_ms];
        let now = (line.state, u8::try_from(marks.iter().flatten().count())?);
        if seen.insert(line.number.to_string(), now) != Some(now) {
            recorder.note(Op::Seen { number: line.number.clone(), state: now.0, marks: now.1 })?;
        }
    }
    Ok(())
}

/// A visit at the headless terminal, with its desk and sync worker on their threads.
fn whole_visit(life: &Life, recorder: &mut Recorder) -> Result<()> {
    let config = visit::config(&life.data, &life.server);
    let _ = std::fs::remove_file(visit::card_file(&life.data));
    let mut terminal = visit::start(&config);
    visit::search(&mut terminal)?;
    visit::identify(&mut terminal, &life.data)?;
    let made = |m: &terminal::model::Model| m.session.as_ref().and_then(|s| s.envelope_id);
    if !terminal.wait_until(visit::PATIENCE, |m| made(m).is_some()) {
        bail!("the form has no id");
    }
    let id = made(terminal.model()).context("an id")?;
    recorder.note(Op::Created { id })?;
    visit::fill(&mut terminal)?;
    let slip = visit::submit(&mut terminal)?;
    let digest = digest_on_disk(&life.data, id)?;
    recorder.note(Op::Slip { id, number: slip.number, digest })?;
    let delivered = terminal.wait_until(life.patience, |m| {
        let slip = m.session.as_ref().and_then(|s| s.slip.as_ref());
        slip.is_some_and(|s| s.marks.delivered_ms.is_some())
    });
    if delivered {
        recorder.note(Op::Acked { id })?;
    }
    visit::lift(&life.data)
}

fn digest_on_disk(data: &Path, id: EnvelopeId) -> Result<Digest> {
    let rows = read_status(data, u32::MAX)?;
    let row = rows.iter().find(|r| r.envelope_id == id.to_string()).context("the row of the slip")?;
    Ok(row.digest.parse()?)
}
