//! Opens a submission: unwraps the data key, decrypts, validates against exactly the catalogue version that the
//! envelope names, and says what the case becomes. Bad content becomes 退回 or 隔离, never an error.
//!
//! The plain text lives in this function only. What is kept: the data key under the key of the year, HMACs for
//! exact search, and for 退回 the field keys and kinds of errors, no values.
use std::sync::Arc;

use domain::applicant::check_id_number;
use domain::case::{Action, CaseState, Plan, QuarantineReason, ReturnReason};
use domain::envelope::DataKey;
use domain::expr::Expr;
use domain::form::{Answers, FieldError, FieldErrorKind, Form, Widget};
use domain::ids::{EnvelopeId, KeyId, StationId};
use domain::situation::Misfit;
use domain::wire::v1::{EnvelopeHeader, Person, Submission};
use rand_core::CryptoRng;

use crate::error::ServiceError;
use crate::keys::{KeyError, Keys};
use crate::services::blobs::{Blob, NOTHING_AWAITED};
use crate::services::cases::CaseRow;
use crate::services::catalogue::{Shelf, Volume};
pub use crate::services::submission_form::form_of;
use crate::services::submission_form::{facts, filled_on, missing_files, plain_form};
use crate::services::unseal::{self, Locked, Sealed};
use crate::services::{Context, audit, blobs, case_key, cases, person_key, slips};
use crate::store::{StoreError, Tx, Value};

/// Field errors kept in an action, at most.
const MAX_REASONS: usize = 50;
/// Stands for what the form does not have.
const NO_FIELD: &str = "-";

/// A stored submission that waits to be opened.
pub struct Unopened {
    /// Its id.
    pub envelope_id: EnvelopeId,
    /// Version of the case at the time of reading.
    pub version: u64,
    /// The station that has news afterwards.
    pub station: StationId,
    sealed: Sealed,
    /// It was looked at before, and its key was not there.
    pub waited: bool,
}

/// What opening a submission gave. Holds no plain text.
#[derive(Debug)]
pub struct Opened {
    envelope_id: EnvelopeId,
    version: u64,
    action: Action,
    persons: Vec<(&'static str, [u8; 32])>,
    key: Option<case_key::Wrapped>,
    /// The key that is not there.
    unknown_key: Option<KeyId>,
}

impl Opened {
    /// Whether nothing is known of the content, because its key is not there.
    pub fn lacks_key(&self) -> bool {
        self.unknown_key.is_some()
    }
}

/// Submissions that nobody has opened yet and whose pages and photos are all there, oldest first, after a place in the
/// centre's order.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn waiting(tx: &mut Tx<'_>, after: u64, limit: u64) -> Result<Vec<(u64, EnvelopeId)>, StoreError> {
    let rows = tx.query(
        &format!(
            "SELECT server_seq, envelope_id FROM case_ WHERE state = $1 AND server_seq > $2 AND {NOTHING_AWAITED}
             ORDER BY server_seq LIMIT $3"
        ),
        &[CaseState::Received.as_str().into(), after.into(), limit.into()],
    )?;
    rows.iter().map(|r| Ok((r.uint(0)?, r.parsed(1)?))).collect()
}

/// Submissions that wait for a key, oldest first, after a place in the centre's order: each with the key that it names,
/// if its header can be read.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn waiting_for_key(
    tx: &mut Tx<'_>,
    after: u64,
    limit: u64,
) -> Result<Vec<(u64, EnvelopeId, Option<KeyId>)>, StoreError> {
    let rows = tx.query(
        "SELECT c.server_seq, c.envelope_id, e.header FROM case_ c JOIN envelope e ON e.envelope_id = c.envelope_id
         WHERE c.state = $1 AND c.reason = $2 AND c.server_seq > $3 ORDER BY c.server_seq LIMIT $4",
        &[
            CaseState::Quarantined.as_str().into(),
            QuarantineReason::UnknownKey.as_str().into(),
            after.into(),
            limit.into(),
        ],
    )?;
    let key = |header: &[u8]| serde_json::from_slice::<EnvelopeHeader>(header).ok().map(|h| h.key_id);
    rows.iter().map(|r| Ok((r.uint(0)?, r.parsed(1)?, key(r.blob(2)?)))).collect()
}

/// Whether a case may be opened by the job: nobody looked at it yet, or the key that it needs was not there.
fn is_to_be_opened(case: &CaseRow) -> bool {
    let waits_for_key = case.reason == QuarantineReason::UnknownKey.as_str();
    case.state == CaseState::Received || (case.state == CaseState::Quarantined && waits_for_key)
}

/// A sealed submission, and the catalogue version that it names if the centre has it.
pub type Found = (Unopened, Option<Arc<Volume>>);

/// Reads a submission and the catalogue version that it names; none if it is no longer to be opened.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn read(tx: &mut Tx<'_>, context: &Context, id: &EnvelopeId) -> Result<Option<Found>, ServiceError> {
    let Some(case) = cases::by_id(tx, id)?.filter(is_to_be_opened) else {
        return Ok(None);
    };
    if blobs::of_envelope(tx, id)?.iter().any(Blob::is_awaited) {
        return Ok(None);
    }
    let sealed = unseal::find(tx, id)?
        .ok_or_else(|| ServiceError::Inconsistent(format!("case {id} has no envelope")))?;
    let unopened = Unopened {
        envelope_id: *id,
        version: case.version,
        waited: case.state == CaseState::Quarantined,
        station: case.station,
        sealed,
    };
    Ok(Some((unopened, context.shelf.get(tx, case.catalogue_version)?)))
}

/// Opens and judges a submission. Computes only.
///
/// # Errors
/// [`KeyError`] if the key of the year cannot be read or written: then nothing is known of the content.
pub fn open(
    unopened: &Unopened,
    volume: Option<&Volume>,
    keys: &Keys,
    rng: &mut dyn CryptoRng,
) -> Result<Opened, KeyError> {
    let (id, sealed) = (&unopened.envelope_id, &unopened.sealed);
    let mut opened = broken_off(unopened);
    let (header, key) = match sealed.unwrap(keys)? {
        Ok(both) => both,
        Err(Locked { reason, unknown_key }) => {
            opened.action = Action::Quarantined { reason };
            opened.unknown_key = unknown_key;
            return Ok(opened);
        }
    };
    opened.key = case_key::wrap(&key, (id, sealed.accepted_at_ms), keys, rng)?;
    match judge(sealed, &header, &key, volume) {
        Ok((submission, form, verdict)) => {
            opened.persons = persons(&submission, &form, (id, keys));
            opened.action = match verdict {
                Ok(plan) => Action::Submitted { plan },
                Err(reasons) => Action::Returned { reasons },
            };
        }
        Err(reason) => opened.action = Action::Quarantined { reason },
    }
    Ok(opened)
}

/// What a submission becomes when opening it broke off.
pub fn broken_off(unopened: &Unopened) -> Opened {
    Opened {
        envelope_id: unopened.envelope_id,
        version: unopened.version,
        action: Action::Quarantined { reason: QuarantineReason::Internal },
        persons: Vec::new(),
        key: None,
        unknown_key: None,
    }
}

/// Writes what opening gave: action, key and HMACs in one transaction.
///
/// # Errors
/// [`ServiceError`]: `case-changed` if the case moved meanwhile, or the store's.
pub fn write(tx: &mut Tx<'_>, shelf: &Shelf, now_ms: i64, opened: &Opened) -> Result<(), ServiceError> {
    cases::act(tx, shelf, now_ms, (&opened.envelope_id, opened.version), opened.action.clone())?;
    fail::fail_point!("server::job::after_action", |_| Err(StoreError::Full.into()));
    if let Some(key) = &opened.unknown_key {
        audit::raise_alarm(tx, now_ms, unseal::UNKNOWN_KEY, key.as_str(), None)?;
    }
    let id = opened.envelope_id.to_string();
    if let Some(key) = &opened.key {
        key.keep(tx)?;
    }
    for (kind, hmac) in &opened.persons {
        tx.execute(
            "INSERT INTO person_key (kind, hmac, envelope_id) VALUES ($1, $2, $3)
             ON CONFLICT (kind, hmac, envelope_id) DO NOTHING",
            &[(*kind).into(), Value::from(hmac.as_slice()), id.clone().into()],
        )?;
    }
    Ok(())
}

/// The content, its form, and what is to be done for it, or why it is sent back.
type Judged = (Content, Arc<Form>, Result<Plan, Vec<ReturnReason>>);

fn judge(
    sealed: &Sealed,
    header: &EnvelopeHeader,
    key: &DataKey,
    volume: Option<&Volume>,
) -> Result<Judged, QuarantineReason> {
    let submission: Submission = sealed.content(header, key)?;
    let code = header.item.as_ref().ok_or(QuarantineReason::Malformed)?;
    let volume = volume.ok_or(QuarantineReason::UnknownCatalogue)?;
    let form = plain_form(volume, code)?;
    let day = filled_on(header, sealed.accepted_at_ms);
    let Submission { applicant, answers, situation } = submission;
    let opened = Content { applicant, answers: Answers::from_map(answers) };
    let mut reasons = Vec::new();
    if check_id_number(&opened.applicant.id_number, Some(day)).is_err() {
        reasons.push(reason("applicant.id_number", "id_number"));
    }
    if opened.applicant.name.trim().is_empty() {
        reasons.push(reason("applicant.name", "required"));
    }
    let card = facts(&opened.applicant, day);
    let adjusted = form_of(volume, code, situation.as_ref())?;
    match &adjusted {
        Ok(adjusted) => {
            let errors = adjusted.validate_with(&opened.answers, &card);
            reasons.extend(errors.iter().map(field_reason));
        }
        // No answer can be judged without the form that belongs to it.
        Err(misfits) => reasons.extend(misfits.iter().map(misfit_reason)),
    }
    for (key, value) in opened.answers.as_map() {
        let known = form.spec().label(key).is_some();
        missing_files(if known { key } else { NO_FIELD }, value, header, &mut reasons);
    }
    reasons.truncate(MAX_REASONS);
    if !reasons.is_empty() {
        return Ok((opened, form, Err(reasons)));
    }
    let entry = volume.catalogue.entry(code).ok_or(QuarantineReason::UnknownItem)?;
    let holds = |rule: &Expr| adjusted.as_ref().is_ok_and(|form| form.holds(rule, &opened.answers, &card));
    let plan = Plan::of(&volume.catalogue, entry, &situation.unwrap_or_default(), &holds);
    Ok((opened, form, Ok(plan.map_err(|_| QuarantineReason::Internal)?)))
}

/// The content while it is looked at.
struct Content {
    applicant: Person,
    answers: Answers,
}

fn reason(field: &str, kind: &str) -> ReturnReason {
    ReturnReason { field: field.to_owned(), kind: kind.to_owned() }
}

fn misfit_reason(misfit: &Misfit) -> ReturnReason {
    reason(misfit.path().as_deref().unwrap_or(NO_FIELD), misfit.kind.name())
}

/// A field error without values. A key that the form does not have is itself a value: anybody may have typed it.
fn field_reason(error: &FieldError) -> ReturnReason {
    let known = error.kind != FieldErrorKind::UnknownField;
    reason(if known { &error.key } else { NO_FIELD }, error.kind.name())
}

fn persons(opened: &Content, form: &Form, (id, keys): (&EnvelopeId, &Keys)) -> Vec<(&'static str, [u8; 32])> {
    let mut found = vec![
        (person_key::ID_NUMBER, person_key::id_number(keys, &opened.applicant)),
        (person_key::NAME, person_key::name(keys, &opened.applicant)),
    ];
    let fields = form.spec().pages.iter().flat_map(|p| &p.groups).flat_map(|g| &g.fields);
    for field in fields.filter(|f| f.widget == Widget::Phone) {
        let phone: String = opened.answers.text(&field.key).chars().filter(char::is_ascii_digit).collect();
        if !phone.is_empty() {
            found.push(("phone", keys.person_hmac("phone", &phone)));
            found.extend(slips::phone_end(keys, id, &phone).map(|hmac| (slips::PHONE_END, hmac)));
        }
    }
    found
}
