//! 数据共享: data sources of other departments, asked for one case at a time after the model request, response, evidence.
//!
//! A request names purpose, legal basis, consent and case; an answer names the request that it belongs to. Whatever a
//! source does (stays away, comes late, answers twice, talks nonsense) ends within its time as an answer or as the
//! reason why there is none. Refuses to ask without consent, and to keep what was said: the facts of a judgement do.
mod answer;
mod http;
mod settings;
mod simulated;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use domain::date::CivilDate;
use domain::rules::{Evidence, Why};
use serde::Serialize;
use serde_json::Value as Json;

pub use answer::{MAX_ANSWER_BYTES, read_answer};
pub use http::Http;
pub use settings::{Kind, MAX_SETTINGS_BYTES, SettingsError, SourceSettings, SourcesFile};

use crate::services::approval::{Answered, Consent, Look};

/// Questions under way at the same time, at most: one that hangs ends by its own time.
const MAX_UNDER_WAY: usize = 32;

/// A question to a source. Never printed: it names a person.
#[derive(Serialize)]
pub struct Request {
    /// Its name, which the answer repeats.
    pub id: String,
    /// Which source.
    pub source: String,
    /// What for.
    pub purpose: String,
    /// On what ground.
    pub basis: String,
    /// With whose consent.
    pub consent: &'static str,
    /// The number of the case.
    pub case: String,
    /// The day.
    pub on: CivilDate,
    /// Who applies.
    pub person: Subject,
    /// Answers of the form that the settings say this source needs.
    pub answers: BTreeMap<String, Json>,
}

/// Of whom a source is asked.
#[derive(Serialize)]
pub struct Subject {
    /// Name.
    pub name: String,
    /// ID number.
    pub id_number: String,
}

/// A way to a source: gives the bytes of its answer, or nothing.
pub trait Adapter: Send + Sync {
    /// Asks, and may take as long as it likes: whoever asks does not wait for ever.
    fn ask(&self, request: &Request) -> Option<Vec<u8>>;
}

/// What is asked, whatever the source.
pub struct Question<'a> {
    /// The number of the case.
    pub case: String,
    /// Name and ID number of the person.
    pub person: (&'a str, &'a str),
    /// With whose consent.
    pub consent: Consent,
    /// An answer of the form.
    pub answer: &'a dyn Fn(&str) -> Option<Json>,
}

/// The sources that are set up.
#[derive(Default)]
pub struct Sources {
    sources: BTreeMap<String, SourceSettings>,
    under_way: Arc<AtomicUsize>,
}

impl Sources {
    /// Sources with these settings; of simulators only where they may be used.
    pub fn new(file: SourcesFile, with_simulators: bool) -> Self {
        let mut sources = file.sources;
        sources.retain(|_, source| with_simulators || !source.is_simulated());
        Self { sources, under_way: Arc::default() }
    }

    /// Takes other settings; what is under way goes on.
    pub fn replace(&mut self, file: SourcesFile, with_simulators: bool) {
        let under_way = self.under_way.clone();
        *self = Self { under_way, ..Self::new(file, with_simulators) };
    }

    /// Asks each of these sources, side by side. One that is not set up says nothing at all, and no look is noted.
    pub fn ask(
        &self,
        names: &BTreeSet<&str>,
        question: &Question<'_>,
        (now_ms, name): (i64, &dyn Fn() -> String),
    ) -> (BTreeMap<String, Evidence>, Vec<Look>) {
        let (mut evidence, mut looks, mut waited) = (BTreeMap::new(), Vec::new(), Vec::new());
        for source in names {
            let Some(settings) = self.sources.get(*source) else { continue };
            let look = |answered, took_ms| Look {
                source: (*source).to_owned(),
                purpose: settings.purpose.clone(),
                basis: settings.basis.clone(),
                consent: question.consent,
                simulated: settings.is_simulated(),
                asked_at_ms: now_ms,
                took_ms,
                answered,
            };
            if question.consent == Consent::None {
                let on = CivilDate::in_china(now_ms);
                evidence.insert((*source).to_owned(), Evidence { on, answer: Err(Why::NoConsent) });
                looks.push(look(Answered::NotAsked, 0));
                continue;
            }
            let request = request(source, settings, question, (now_ms, name()));
            waited.push((*source, look(Answered::Down, 0), self.send(settings, request)));
        }
        for (source, mut look, sent) in waited {
            let (said, took) = sent.answer();
            look.took_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
            look.answered = Answered::of(said.answer.as_ref().map(|_| ()).map_err(|why| *why));
            evidence.insert(source.to_owned(), said);
            looks.push(look);
        }
        (evidence, looks)
    }

    /// Sends a question on a thread of its own.
    fn send(&self, settings: &SourceSettings, request: Request) -> Sent {
        let (begun, on, limit) = (Instant::now(), request.on, Duration::from_millis(settings.limit_ms));
        let (tell, told) = sync_channel(1);
        let sent = Sent { begun, limit, on, told: Some(told) };
        let under_way = self.under_way.clone();
        if under_way.fetch_add(1, Ordering::AcqRel) >= MAX_UNDER_WAY {
            under_way.fetch_sub(1, Ordering::AcqRel);
            return Sent { told: None, ..sent };
        }
        let adapter = settings.adapter();
        let spawned = std::thread::Builder::new().name("source".into()).spawn(move || {
            let said = match adapter.ask(&request) {
                Some(bytes) => read_answer(&bytes, &request),
                None => Evidence { on: request.on, answer: Err(Why::SourceDown) },
            };
            // Too late for whoever asked: nobody hears it.
            let _ = tell.try_send(said);
            under_way.fetch_sub(1, Ordering::AcqRel);
        });
        match spawned {
            Ok(_) => sent,
            Err(_) => {
                self.under_way.fetch_sub(1, Ordering::AcqRel);
                Sent { told: None, ..sent }
            }
        }
    }
}

/// A question under way.
struct Sent {
    begun: Instant,
    limit: Duration,
    on: CivilDate,
    told: Option<std::sync::mpsc::Receiver<Evidence>>,
}

impl Sent {
    /// The answer if it comes in time, and how long it took.
    fn answer(self) -> (Evidence, Duration) {
        let left = self.limit.saturating_sub(self.begun.elapsed());
        let said = self.told.and_then(|told| told.recv_timeout(left).ok());
        let down = Evidence { on: self.on, answer: Err(Why::SourceDown) };
        (said.unwrap_or(down), self.begun.elapsed())
    }
}

fn request(
    source: &str,
    settings: &SourceSettings,
    question: &Question<'_>,
    (now_ms, id): (i64, String),
) -> Request {
    let (name, id_number) = question.person;
    let needed = settings.sends.iter();
    let answers = needed.filter_map(|key| Some((key.clone(), (question.answer)(key)?))).collect();
    Request {
        id,
        source: source.to_owned(),
        purpose: settings.purpose.clone(),
        basis: settings.basis.clone(),
        consent: question.consent.as_str(),
        case: question.case.clone(),
        on: CivilDate::in_china(now_ms),
        person: Subject { name: name.to_owned(), id_number: id_number.to_owned() },
        answers,
    }
}

#[cfg(test)]
mod tests;
