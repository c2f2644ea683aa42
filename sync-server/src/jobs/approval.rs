//! 自动审批: judges whatever step has its turn, on a thread of its own, so that a source that is slow holds up nobody.
//!
//! Where the engine breaks off, or a source stays away, the step goes to people; what is wrong with one case holds up no
//! other. Judges nothing while the machine's clock is not believed: ages and waits would be wrong.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ids::EnvelopeId;
use domain::rules::company_name::NameWords;
use operator::findings::with_causes;
use rand_core::Rng as _;

use super::ticker::Ticker;
use crate::centre::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::services::approval::{self, Done};
use crate::services::clock_guard::{self, Verdict};
use crate::sources::{Question, Sources, SourcesFile};
use crate::store::{StoreError, Tx, WriteError};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// After a look that the store refused.
const PAUSE: Duration = Duration::from_secs(5);
/// Steps of one look.
const STRETCH: u64 = 50;
/// The file of settings, in the data folder and beside the sample rules.
const SOURCES_FILE: &str = "sources.json";

/// Where the thread finds what it needs.
#[derive(Debug, Clone)]
pub struct ApprovalPlan {
    /// The data folder.
    pub data: PathBuf,
    /// The folder `rules` of the assets.
    pub rules: PathBuf,
}

/// What judging needs beside the centre.
pub struct Judge {
    plan: ApprovalPlan,
    words: Option<Arc<NameWords>>,
    sources: Sources,
    said: String,
}

/// Starts the thread; it looks at once.
///
/// # Errors
/// The operating system's, if it cannot make a thread.
pub fn start(centre: Arc<Centre>, plan: ApprovalPlan) -> std::io::Result<Ticker> {
    let mut judge = Judge::new(plan);
    Ticker::start("approval", move |stop| {
        let looked = judge.look(&centre, stop);
        if let Err(e) = &looked {
            tracing::error!(
                error = e as &dyn std::error::Error,
                "steps that rules judge cannot be looked at; it is tried again"
            );
        }
        if looked.is_ok() { LOOK } else { PAUSE }
    })
}

/// The words by which names of companies are judged; none if the files are not there.
pub fn name_words(plan: &ApprovalPlan) -> Option<Arc<NameWords>> {
    let read = |name: &str| std::fs::read(plan.rules.join(name));
    let (words, signs) = (read("company-names.json").ok()?, read("name-signs.json").ok()?);
    let words = NameWords::parse(&words, &signs).inspect_err(|e| {
        tracing::error!(error = with_causes(e), "the words for names of companies have a mistake");
    });
    words.ok().map(Arc::new)
}

impl Judge {
    /// Reads the words; sources are read with each look.
    pub fn new(plan: ApprovalPlan) -> Self {
        let words = name_words(&plan);
        Self { plan, words, sources: Sources::default(), said: String::new() }
    }

    /// Judges whatever has its turn; gives how many steps were.
    ///
    /// # Errors
    /// [`ServiceError`] if the store is down; a single step that fails has another turn, and in the end a person.
    pub fn look(&mut self, centre: &Arc<Centre>, stop: &AtomicBool) -> Result<u64, ServiceError> {
        let now_ms = centre.now_ms();
        // `upkeep` says that the clock is not believed.
        let due = |tx: &mut Tx<'_>| {
            let believed = clock_guard::judge(tx, now_ms)? == Verdict::Plausible;
            Ok::<_, ServiceError>(if believed { approval::due(tx, now_ms, STRETCH)? } else { Vec::new() })
        };
        let due = centre.read(due)?;
        if due.is_empty() {
            return Ok(0);
        }
        self.set_up(centre)?;
        let mut judged = 0;
        for (id, step) in due {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            judged += 1;
            self.judge(centre, (&id, &step))?;
        }
        Ok(judged)
    }

    /// Sources as they are set up now. A mistake of the file is told once, and then nobody is asked.
    fn set_up(&mut self, centre: &Centre) -> Result<(), ServiceError> {
        let newest = centre.read(|tx| centre.context().shelf.newest(tx))?;
        let sample = newest.is_some_and(|newest| newest.catalogue.is_sample());
        let own = self.plan.data.join(SOURCES_FILE);
        let path = if own.exists() { own } else { self.plan.rules.join(SOURCES_FILE) };
        let (file, said) = match SourcesFile::read(&path) {
            Ok(file) => (file, String::new()),
            Err(e) => (SourcesFile::default(), format!("{}: {}", path.display(), with_causes(&e))),
        };
        if !said.is_empty() && said != self.said {
            tracing::error!("no source is asked: {said}");
        }
        self.said = said;
        self.sources.replace(file, sample);
        Ok(())
    }

    fn judge(&self, centre: &Arc<Centre>, (id, step): (&EnvelopeId, &str)) -> Result<(), ServiceError> {
        let turn = catch_unwind(AssertUnwindSafe(|| self.turn(centre, (id, step))));
        let why = match turn {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if is_down(&error) => return Err(error),
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let (now_ms, named) = (centre.now_ms(), (*id, step.to_owned()));
        let over = centre.write(move |tx| Ok(approval::give_up(tx, now_ms, (&named.0, &named.1))?))?;
        match why {
            // Somebody was quicker. That counts as well: what changes at every turn would never end.
            Some(ServiceError::Refused { code: ProblemCode::CaseChanged, detail }) => {
                let why = detail.unwrap_or_default();
                tracing::info!(envelope.id = %id, over, "a case changed while it was judged: {why}");
            }
            Some(error) => {
                let why = with_causes(&error);
                tracing::error!(envelope.id = %id, over, "a step could not be judged: {why}");
            }
            None => tracing::error!(envelope.id = %id, over, "a step could not be judged: it broke off"),
        }
        Ok(())
    }

    fn turn(&self, centre: &Arc<Centre>, (id, step): (&EnvelopeId, &str)) -> Result<(), ServiceError> {
        let now_ms = centre.now_ms();
        let words = self.words.as_deref();
        let matter = centre.read(|tx| approval::read(tx, centre.context(), now_ms, (id, step), words))?;
        let Some(matter) = matter else {
            let named = (*id, step.to_owned());
            return centre.write(move |tx| approval::put_off(tx, now_ms, (&named.0, &named.1)));
        };
        let station = matter.station.clone();
        let name = || {
            let mut bytes = [0; 16];
            centre.random().fill_bytes(&mut bytes);
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let question = Question {
            case: matter.number.to_string(),
            person: (&matter.applicant.name, &matter.applicant.id_number),
            consent: matter.consent,
            answer: &|key| matter.answer(key),
        };
        let (said, looks) = self.sources.ask(&matter.sources(), &question, (now_ms, &name));
        let now_ms = centre.now_ms();
        let judged = matter.judge(now_ms, said, looks);
        let (own, words) = (centre.clone(), self.words.clone());
        let done = centre.write(move |tx| {
            let rng = &mut own.random();
            approval::write(tx, own.context(), (now_ms, rng), &judged, words.as_deref())
        })?;
        if done != Done::Waits {
            tracing::info!(envelope.id = %id, approved = done == Done::Approved, "a step was judged");
        }
        centre.ring(&station);
        Ok(())
    }
}

/// Whether the store takes nothing now, which says nothing of a case.
fn is_down(error: &ServiceError) -> bool {
    match error {
        ServiceError::Store(error) => matches!(
            error,
            StoreError::Busy
                | StoreError::Full
                | StoreError::Open(_)
                | StoreError::Moved
                | StoreError::Unreachable(_)
        ),
        ServiceError::Write(error) => !matches!(error, WriteError::BrokeOff),
        ServiceError::Refused { code, .. } => matches!(code, ProblemCode::Busy | ProblemCode::StorageFull),
        ServiceError::Inconsistent(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_store_that_is_down_ends_a_look() {
        let down: [ServiceError; 5] = [
            StoreError::Busy.into(),
            StoreError::Full.into(),
            WriteError::Unavailable.into(),
            WriteError::NotCommitted.into(),
            WriteError::Full.into(),
        ];
        assert!(down.iter().all(is_down));
        let of_a_case: [ServiceError; 6] = [
            StoreError::Stored { what: "reasons" }.into(),
            StoreError::Shape { column: 0, wanted: "a text" }.into(),
            WriteError::BrokeOff.into(),
            ServiceError::Inconsistent("case".into()),
            ProblemCode::NotFound.into(),
            ProblemCode::CaseChanged.into(),
        ];
        assert!(!of_a_case.iter().any(is_down));
    }
}
