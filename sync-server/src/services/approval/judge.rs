//! One turn of a step that is judged by rules: what is known is gathered, the engine decides, and what follows is written in
//! one transaction: the decision with its trace, the sealed facts, and, where it approves, accepting and passing.
//!
//! Refuses to write what was decided on an older version of the case, and to register a name that somebody else was
//! quicker to take: it is judged once more then.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::applicant::Applicant;
use domain::case::{Action, CaseState};
use domain::date::CivilDate;
use domain::envelope::DataKey;
use domain::form::{Answers, Widget};
use domain::ids::{CaseNo, EnvelopeId, StationId};
use domain::rules::{Decision, Evidence, FactValue, Facts, Origin, Outcome, RuleSet, Sources, Why};
use domain::wire::v1::{Person, Submission};
use rand_core::CryptoRng;

use super::facts::SealedFacts;
use super::looks::{self, Consent, Look};
use super::names::{self, Asker, NAME_FIELD, Register};
use super::{Automatic, BY_MACHINE, Progress, Turn, of_case, policy, reasons, rule_sets, turn};
use crate::error::{ProblemCode, ServiceError};
use crate::services::cases::{self, CaseRow};
use crate::services::{Context, case_key, review, supplements, unseal};
use crate::store::{StoreError, Tx};

/// The source of names, which is this centre's own.
pub const COMPANY_NAME: &str = "company_name";
/// The source of pledges: the signature below the form.
pub const PROMISE: &str = "promise";
/// Turns that may fail before a person decides; waiting for a source is none.
const MAX_FAILURES: u64 = 5;
const MINUTE_MS: i64 = 60_000;
/// The first pause before a source is asked again, and the longest.
const PAUSES_MS: (i64, i64) = (2_000, 5 * MINUTE_MS);
/// Where nothing happened, it is looked at again after this time.
const LATER_MS: i64 = MINUTE_MS;
/// No turn is further away than this, unless a clock that was ahead said so.
pub(super) const FAR_MS: i64 = PAUSES_MS.1 + 5 * MINUTE_MS;

/// A step whose turn it is, opened. Never printed.
pub struct Matter {
    /// The case.
    pub id: EnvelopeId,
    /// Its number.
    pub number: CaseNo,
    /// Who hears of it.
    pub station: StationId,
    /// Who applies.
    pub applicant: Applicant,
    /// The rule set.
    pub set: Arc<RuleSet>,
    /// With whose consent sources are asked.
    pub consent: Consent,
    automatic: Automatic,
    version: u64,
    answers: Answers,
    wait_ms: i64,
    authority: u32,
    key: DataKey,
    own: BTreeMap<String, Evidence>,
    name: Option<Name>,
}

struct Name {
    text: String,
    holder: [u8; 32],
    is_free: bool,
}

/// What a turn came to, not written yet.
pub struct Judged {
    matter: Matter,
    /// The decision.
    pub decision: Decision,
    facts: Facts,
    looks: Vec<Look>,
    until_ms: i64,
    over: bool,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// 准予.
    Approved,
    /// 转人工.
    Person,
    /// A source is asked again later.
    Waits,
}

/// Opens a step whose turn it is. None if it is not: then that is noted.
///
/// # Errors
/// [`ServiceError`] if something does not open, or the store fails.
pub fn read(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    (id, step): (&EnvelopeId, &str),
    words: Option<&domain::rules::company_name::NameWords>,
) -> Result<Option<Matter>, ServiceError> {
    let waiting = |automatic: &Automatic| automatic.step == step && automatic.progress == Progress::Waiting;
    let Some(automatic) = of_case(tx, id)?.into_iter().find(waiting) else { return Ok(None) };
    let (row, view) = cases::current(tx, id)?;
    if turn(&view, step) != Turn::Now {
        return Ok(None);
    }
    let missing = |what: &str| ServiceError::Inconsistent(format!("case {id}: its {what} is not there"));
    let item = row.item.clone().ok_or_else(|| missing("item"))?;
    let set = rule_sets::get(tx, (&item, step, automatic.set_version))?;
    let set = set.ok_or_else(|| missing("rule set"))?;
    let key = case_key::find(tx, id)?.open(&context.keys)?;
    let sealed = unseal::find(tx, id)?.ok_or(ProblemCode::NotFound)?;
    let (_, Submission { applicant, mut answers, .. }) = sealed.open::<Submission>(&key)?;
    let brought = supplements::of_case(tx, &view)?;
    let brought = brought.iter().map(|came| came.open(&context.keys)).collect::<Result<Vec<_>, _>>()?;
    supplements::overlay(&mut answers, &brought);
    let consent = consent(tx, context, &row, &answers)?;
    let policy = policy(tx, &context.shelf)?;
    let mut matter = Matter {
        id: *id,
        number: row.number.clone(),
        station: row.station.clone(),
        applicant: as_applicant(applicant),
        set,
        consent,
        automatic,
        version: row.version,
        answers: Answers::from_map(answers),
        wait_ms: i64::from(policy.wait_minutes) * MINUTE_MS,
        authority: policy.name_authority,
        key,
        own: BTreeMap::new(),
        name: None,
    };
    matter.ask_own(tx, context, now_ms, words)?;
    Ok(Some(matter))
}

/// With whose consent: the signature below the form.
fn consent(
    tx: &mut Tx<'_>,
    context: &Context,
    row: &CaseRow,
    answers: &serde_json::Map<String, serde_json::Value>,
) -> Result<Consent, ServiceError> {
    let volume = context.shelf.get(tx, row.catalogue_version)?;
    let entry = volume.as_deref().zip(row.item.as_ref());
    let entry = entry.and_then(|(volume, code)| volume.catalogue.entry(code));
    let signed = entry.is_some_and(|entry| {
        let mut signatures = entry.form().fields().filter(|field| field.widget == Widget::Signature);
        signatures.any(|field| answers.get(&field.key).is_some_and(|answer| !answer.is_null()))
    });
    Ok(if signed { Consent::Signed } else { Consent::None })
}

fn as_applicant(mut person: Person) -> Applicant {
    Applicant {
        source: person.source,
        name: std::mem::take(&mut person.name),
        id_number: std::mem::take(&mut person.id_number),
        sex: person.sex.unwrap_or(0),
        nation: String::new(),
        birth: person.birth,
        address: person.address.take().unwrap_or_default(),
        valid_to: None,
    }
}

impl Matter {
    /// Sources outside that its rule set asks.
    pub fn sources(&self) -> BTreeSet<&str> {
        let mut sources = self.all_sources();
        sources.retain(|source| *source != COMPANY_NAME && *source != PROMISE);
        sources
    }

    /// An answer of the form.
    pub fn answer(&self, key: &str) -> Option<serde_json::Value> {
        self.answers.get(key).cloned()
    }

    fn all_sources(&self) -> BTreeSet<&str> {
        let named = self.set.facts().iter().map(|fact| &fact.from);
        named
            .filter_map(|origin| match origin {
                Origin::Source { source, .. } => Some(source.as_str()),
                _ => None,
            })
            .collect()
    }

    /// What this centre knows itself.
    fn ask_own(
        &mut self,
        tx: &mut Tx<'_>,
        context: &Context,
        now_ms: i64,
        words: Option<&domain::rules::company_name::NameWords>,
    ) -> Result<(), ServiceError> {
        let on = CivilDate::in_china(now_ms);
        let sources: BTreeSet<String> = self.all_sources().into_iter().map(str::to_owned).collect();
        if sources.contains(PROMISE) {
            let given = FactValue::Bool(self.consent == Consent::Signed);
            let answer = Ok(BTreeMap::from([("given".to_owned(), given)]));
            self.own.insert(PROMISE.to_owned(), Evidence { on, answer });
        }
        let Some(words) = words.filter(|_| sources.contains(COMPANY_NAME)) else { return Ok(()) };
        let text = self.answers.text(NAME_FIELD).trim().to_owned();
        if text.is_empty() {
            let answer = Err(Why::NotAnswered);
            self.own.insert(COMPANY_NAME.to_owned(), Evidence { on, answer });
            return Ok(());
        }
        let holder = names::holder(&context.keys, &self.applicant.id_number);
        let register = Register { words, authority: self.authority };
        let asker = Asker { holder: &holder, case: Some(&self.id) };
        let judged = register.judge(tx, now_ms, &text, asker)?;
        // A name with faults is nobody's before a person finds it right.
        let is_free =
            judged.verdict != domain::rules::company_name::NameVerdict::Same && judged.faults.is_empty();
        self.own.insert(COMPANY_NAME.to_owned(), Evidence { on, answer: Ok(judged.as_evidence()) });
        self.name = Some(Name { text, holder, is_free });
        Ok(())
    }

    /// Decides on what sources said. Computes only.
    pub fn judge(self, now_ms: i64, said: BTreeMap<String, Evidence>, looks: Vec<Look>) -> Judged {
        let mut evidence = said;
        evidence.extend(self.own.clone());
        let sources = Sources { answers: &self.answers, applicant: &self.applicant, evidence: &evidence };
        let facts = Facts::gather(&self.set, &sources, CivilDate::in_china(now_ms));
        let decision = self.set.decide(&facts);
        let begun = self.automatic.until_ms;
        // Never longer than from now on, whatever a clock that was ahead wrote.
        let longest = now_ms.saturating_add(self.wait_ms);
        let until_ms = if begun > 0 { begun.min(longest) } else { longest };
        let over = match &decision.outcome {
            Outcome::NeedsFacts { facts } => now_ms >= until_ms || !facts.iter().any(|f| self.may_come(f)),
            _ => false,
        };
        Judged { matter: self, decision, facts, looks, until_ms, over }
    }

    /// Whether a fact may be known later by itself: what the citizen did not say stays unsaid.
    fn may_come(&self, needed: &domain::rules::Needed) -> bool {
        let origin = self.set.fact(&needed.fact).map(|fact| &fact.from);
        let outside =
            matches!(origin, Some(Origin::Source { source, .. }) if self.sources().contains(source.as_str()));
        outside && matches!(needed.why, Why::SourceDown | Why::TooOld | Why::Unusable)
    }
}

/// Writes a turn.
///
/// # Errors
/// [`ServiceError`] `case-changed` if the case is another one by now, or its name is somebody else's; or the store's.
pub fn write(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    judged: &Judged,
    words: Option<&domain::rules::company_name::NameWords>,
) -> Result<Done, ServiceError> {
    let Judged { matter, decision, over, .. } = judged;
    let (id, step) = (&matter.id, matter.automatic.step.as_str());
    let (row, mut view) = cases::current(tx, id)?;
    if row.version != matter.version {
        return Err(cases::changed(row.version));
    }
    looks::write(tx, id, &judged.looks)?;
    if matter.name.as_ref().is_some_and(|name| !name.is_free) {
        names::let_go(tx, id)?;
    }
    if let Some(name) = matter.name.as_ref().filter(|name| name.is_free)
        && let Some(words) = words
        && !(Register { words, authority: matter.authority }).take(
            tx,
            now_ms,
            &name.text,
            (id, &name.holder),
        )?
    {
        return Err(ServiceError::refused(ProblemCode::CaseChanged, "the name was taken in this moment"));
    }
    let waits = matches!(decision.outcome, Outcome::NeedsFacts { .. }) && !over;
    // That it waits is told once.
    if !waits || matter.automatic.tries == 0 {
        let sealed = SealedFacts::seal(&matter.key, (id, view.version + 1), &judged.facts, &mut *rng)?;
        let action = Action::Judged {
            step: step.to_owned(),
            decision: Box::new(decision.clone()),
            facts: sealed.digest(),
            over: *over,
        };
        view = cases::add(tx, &context.shelf, now_ms, (&row, view), (BY_MACHINE, action))?;
        sealed.write(tx, now_ms, (id, view.version), &matter.set)?;
    }
    if waits {
        let pause = PAUSES_MS.0.saturating_mul(1 << matter.automatic.tries.min(20)).min(PAUSES_MS.1);
        let next_ms = (now_ms + pause).min(judged.until_ms);
        note(tx, (id, step), (Progress::Waiting, "[]"), (next_ms, judged.until_ms))?;
        return Ok(Done::Waits);
    }
    if matches!(decision.outcome, Outcome::Approve { .. }) {
        note(tx, (id, step), (Progress::Approved, "[]"), (now_ms, judged.until_ms))?;
        if view.state == CaseState::Submitted {
            let accepted = Action::Accepted { deemed: false };
            view = cases::add(tx, &context.shelf, now_ms, (&row, view), (BY_MACHINE, accepted))?;
        }
        review::grant(tx, context, (now_ms, rng), (&row, view), (step, BY_MACHINE))?;
        return Ok(Done::Approved);
    }
    let reasons = serde_json::to_string(&reasons(&decision.outcome, *over))
        .map_err(|_| StoreError::Stored { what: "reasons" })?;
    note(tx, (id, step), (Progress::Person, &reasons), (now_ms, judged.until_ms))?;
    Ok(Done::Person)
}

/// A step of which [`read`] gave nothing: it is looked at later, or never again where a person has it.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn put_off(tx: &mut Tx<'_>, now_ms: i64, (id, step): (&EnvelopeId, &str)) -> Result<(), ServiceError> {
    let (_, view) = cases::current(tx, id)?;
    match turn(&view, step) {
        Turn::Now => Ok(()),
        Turn::Later => {
            tx.execute(
                "UPDATE automatic SET next_ms = $3 WHERE envelope_id = $1 AND step = $2 AND state = 'waiting'",
                &[id.to_string().into(), step.into(), (now_ms + LATER_MS).into()],
            )?;
            Ok(())
        }
        Turn::Gone => {
            tx.execute(
                "UPDATE automatic SET state = 'over' WHERE envelope_id = $1 AND step = $2 AND state = 'waiting'",
                &[id.to_string().into(), step.into()],
            )?;
            Ok(())
        }
    }
}

/// A turn failed: it has another one after a pause, and after some of them a person decides. Says whether that is so now.
/// Reads nothing of the row that may be the reason for it, and leaves alone how long sources are waited for.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn give_up(tx: &mut Tx<'_>, now_ms: i64, (id, step): (&EnvelopeId, &str)) -> Result<bool, StoreError> {
    let id = id.to_string();
    tx.execute(
        "UPDATE automatic SET failures = failures + 1, next_ms = $3
         WHERE envelope_id = $1 AND step = $2 AND state = 'waiting'",
        &[id.as_str().into(), step.into(), now_ms.saturating_add(PAUSES_MS.0).into()],
    )?;
    let over = tx.execute(
        "UPDATE automatic SET state = 'person', reasons = '[]'
         WHERE envelope_id = $1 AND step = $2 AND state = 'waiting' AND failures >= $3",
        &[id.as_str().into(), step.into(), MAX_FAILURES.into()],
    )?;
    Ok(over > 0)
}

fn note(
    tx: &mut Tx<'_>,
    (id, step): (&EnvelopeId, &str),
    (progress, reasons): (Progress, &str),
    (next_ms, until_ms): (i64, i64),
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE automatic SET state = $3, tries = tries + 1, next_ms = $4, until_ms = $5, reasons = $6
         WHERE envelope_id = $1 AND step = $2",
        &[
            id.to_string().into(),
            step.into(),
            progress.as_str().into(),
            next_ms.into(),
            until_ms.into(),
            reasons.into(),
        ],
    )?;
    Ok(())
}
