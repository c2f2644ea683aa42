//! 我的办件: the cases of whoever stands at a terminal with a card just read, as they may be seen there.
//!
//! Found by the HMACs of ID number and name, both. Never says with what a case ended, and shows no answer. Each look is
//! written down before anything leaves.
use domain::applicant::IdentitySource;
use domain::case::{Action, CaseView, Recorded, Want};
use domain::envelope::Digest;
use domain::ids::{EnvelopeId, TerminalId};
use domain::wire::v1::{CitizenCase, MAX_CITIZEN_CASES, Person, SupplementRequest};

use super::cases::{self, CaseRow};
use super::{Context, audit, case_key, case_text, person_key};
use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::store::{StoreError, Tx, Value};

/// A person as cases are searched for.
#[derive(Clone, Copy)]
pub struct Wanted {
    id_number: [u8; 32],
    name: [u8; 32],
}

impl Wanted {
    /// The person on a card.
    ///
    /// # Errors
    /// [`ServiceError`] `malformed-request` for one that was typed: whoever knows a number must not see its cases.
    pub fn new(person: &Person, keys: &Keys) -> Result<Self, ServiceError> {
        if person.source != IdentitySource::Read {
            return Err(ServiceError::refused(
                ProblemCode::MalformedRequest,
                "only for a card that was read",
            ));
        }
        Ok(Self { id_number: person_key::id_number(keys, person), name: person_key::name(keys, person) })
    }
}

/// The cases of a person, newest first.
///
/// # Errors
/// [`ServiceError`] if the store fails, or a stored text does not open.
pub fn of_person(
    tx: &mut Tx<'_>,
    context: &Context,
    person: &Wanted,
) -> Result<Vec<CitizenCase>, ServiceError> {
    let rows = tx.query(
        "SELECT c.envelope_id FROM person_key p
         JOIN person_key n ON n.envelope_id = p.envelope_id AND n.kind = 'name' AND n.hmac = $2
         JOIN case_ c ON c.envelope_id = p.envelope_id
         WHERE p.kind = 'id_number' AND p.hmac = $1 ORDER BY c.server_seq DESC LIMIT $3",
        &[
            Value::from(person.id_number.as_slice()),
            Value::from(person.name.as_slice()),
            (MAX_CITIZEN_CASES as u64).into(),
        ],
    )?;
    rows.iter().map(|row| one(tx, context, &row.parsed(0)?)).collect()
}

/// Notes that a terminal is about to show somebody the own cases; the row has a digest of the search key.
///
/// # Errors
/// [`StoreError`] if the store fails: then nobody sees them.
pub fn note_looked(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (terminal, person): (&TerminalId, &Wanted),
) -> Result<(), StoreError> {
    let digest = Digest::of(&person.id_number).to_string();
    let event = audit::Event {
        actor: terminal.as_str(),
        event: "citizen.looked",
        subject: terminal.as_str(),
        object_digest: &digest,
    };
    audit::append(tx, now_ms, event)
}

fn one(tx: &mut Tx<'_>, context: &Context, id: &EnvelopeId) -> Result<CitizenCase, ServiceError> {
    let (row, view) = cases::current(tx, id)?;
    let mut request = request(tx, (&row, &view))?;
    if let Some(request) = &mut request {
        request.words = words(tx, context, (&row, &view))?;
    }
    Ok(CitizenCase {
        envelope_id: *id,
        number: row.number,
        item: row.item,
        catalogue_version: (row.catalogue_version > 0).then_some(row.catalogue_version),
        state: row.state,
        received_at_ms: row.received_at_ms,
        changed_at_ms: row.changed_at_ms,
        due_at_ms: row.due_ms.filter(|_| !row.standing),
        expected: row.due_expected,
        request,
        withdrawable: row.state.is_open(),
    })
}

/// What the citizen was told is missing, if it is the citizen's turn; without the [`words`] that were written with it.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn request(
    tx: &mut Tx<'_>,
    (row, view): (&CaseRow, &CaseView),
) -> Result<Option<SupplementRequest>, ServiceError> {
    let Some(due_at_ms) = view.supplement_due_ms.filter(|_| view.asked.iter().any(|asked| asked.sent)) else {
        return Ok(None);
    };
    let wants = wants(asked(tx, (row, view))?);
    Ok(Some(SupplementRequest { due_at_ms, wants, words: Vec::new() }))
}

/// What was written with the notices that wait for the citizen; nothing where the case was erased.
///
/// # Errors
/// [`ServiceError`] if a stored text does not open, or the store fails.
pub fn words(
    tx: &mut Tx<'_>,
    context: &Context,
    (row, view): (&CaseRow, &CaseView),
) -> Result<Vec<String>, ServiceError> {
    let id = &row.envelope_id;
    let mut texts = match case_key::find(tx, id) {
        Ok(key) => case_text::all(tx, &key.open(&context.keys)?, id)?,
        Err(ServiceError::Refused { .. }) => Default::default(),
        Err(e) => return Err(e),
    };
    let asked = asked(tx, (row, view))?;
    Ok(asked.iter().filter_map(|recorded| texts.remove(&recorded.version)).collect())
}

/// The notices that went out and wait for the citizen.
fn asked(tx: &mut Tx<'_>, (row, view): (&CaseRow, &CaseView)) -> Result<Vec<Recorded>, ServiceError> {
    let sent = |version: u64| view.asked.iter().any(|asked| asked.sent && asked.version == version);
    Ok(cases::history(tx, &row.envelope_id)?.into_iter().filter(|r| sent(r.version)).collect())
}

/// All that is asked for, each thing once.
fn wants(asked: Vec<Recorded>) -> Vec<Want> {
    let mut all: Vec<Want> = Vec::new();
    for recorded in asked {
        let Action::SupplementAsked { wants, .. } = recorded.action else { continue };
        for want in wants {
            if !all.iter().any(|other| other.key == want.key) {
                all.push(want);
            }
        }
    }
    all
}
