//! 领取: whoever sits at a window finds what waits for the person standing there, by a number and the ID number, and hands
//! it over, once.
//!
//! Refuses to tell an unknown number from somebody else's.
use domain::certificate::CertificateNo;
use domain::ids::{CaseNo, EnvelopeId};
use domain::parcel::{Event, ParcelNo, ParcelState};

use super::deeds::{Seen, click_name, nothing_left};
use super::hear::book;
use super::inside::{self, Sealed};
use super::{By, Stored, StoredEvent, add, by_number, done, events, of_case, recipient};
use crate::error::{ProblemCode, ServiceError};
use crate::keys::Keys;
use crate::services::sessions::Caller;
use crate::services::{Context, cases, person_key};
use crate::store::{StoreError, Tx, Value};

/// What was found for somebody.
pub struct Found {
    /// The newest parcel of the case.
    pub stored: Stored,
    /// The number of the case.
    pub case: CaseNo,
    /// Name of whoever applied; none once the case is erased.
    pub name: Option<String>,
    /// What is handed over, a line each.
    pub contents: Vec<String>,
    /// Whether it waits, or why not.
    pub waits: Waits,
}

/// Whether something waits at the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    /// It can be handed over.
    Yes,
    /// It was handed over: when (milliseconds since 1970), and by which account.
    Before(i64, String),
    /// It is elsewhere.
    Elsewhere(ParcelState),
}

/// Finds what waits for whoever has this ID number, by the number of the case, a certificate of it or the parcel.
///
/// # Errors
/// [`ServiceError`] if the store fails, or the content does not open.
pub fn find(
    tx: &mut Tx<'_>,
    context: &Context,
    (number, id_number): (&str, &str),
) -> Result<Option<Found>, ServiceError> {
    let mut found = None;
    for id in named(tx, number)? {
        if is_theirs(tx, &context.keys, (&id, id_number))? {
            found = of_case(tx, &id)?.pop();
            break;
        }
    }
    let Some(stored) = found else { return Ok(None) };
    let (row, view) = cases::current(tx, &stored.envelope_id)?;
    let waits = match stored.parcel.state {
        ParcelState::AtWindow => Waits::Yes,
        ParcelState::PickedUp => {
            let happened = events(tx, &stored.number)?;
            let picked_up = |event: &&StoredEvent| matches!(event.happened.event, Event::PickedUp { .. });
            match happened.iter().rfind(picked_up) {
                Some(event) => Waits::Before(event.happened.at_ms, event.actor.clone()),
                None => Waits::Before(stored.parcel.changed_at_ms, String::new()),
            }
        }
        other => Waits::Elsewhere(other),
    };
    Ok(Some(Found {
        name: recipient(tx, context, (&row, &view))?.map(|(to, _)| to.name),
        contents: inside::contents(tx, &stored.envelope_id)?,
        case: row.number,
        stored,
        waits,
    }))
}

/// The cases that a number may mean.
fn named(tx: &mut Tx<'_>, number: &str) -> Result<Vec<EnvelopeId>, StoreError> {
    if let Ok(number) = number.parse::<CaseNo>() {
        return Ok(cases::by_number(tx, &number)?.into_iter().map(|case| case.envelope_id).collect());
    }
    if let Ok(number) = number.parse::<ParcelNo>() {
        return Ok(by_number(tx, &number)?.into_iter().map(|stored| stored.envelope_id).collect());
    }
    let Ok(number) = number.parse::<CertificateNo>() else { return Ok(Vec::new()) };
    let sql = "SELECT envelope_id FROM certificate WHERE number = $1";
    let rows = tx.query(sql, &[number.as_str().into()])?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

fn is_theirs(tx: &mut Tx<'_>, keys: &Keys, (id, id_number): (&EnvelopeId, &str)) -> Result<bool, StoreError> {
    let hmac = keys.person_hmac(person_key::ID_NUMBER, &id_number.trim().to_ascii_uppercase());
    let sql = "SELECT COUNT(*) FROM person_key WHERE kind = $1 AND hmac = $2 AND envelope_id = $3";
    let values = [person_key::ID_NUMBER.into(), Value::from(hmac.as_slice()), id.to_string().into()];
    Ok(tx.query_int(sql, &values)? > 0)
}

/// Hands over what waits; the same click again gives what became of it.
///
/// # Errors
/// [`ServiceError`]: `not-found` for a wrong number or another person, `case-changed` if it was handed over before or does
/// not wait, or the store's.
pub fn hand_over(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    (caller, number, id_number): (&Caller, &str, &str),
    seen: Seen<'_>,
) -> Result<Stored, ServiceError> {
    let found = find(tx, context, (number, id_number))?.ok_or(ProblemCode::NotFound)?;
    let key = click_name(caller, seen.click)?;
    if done(tx, &key)?.is_some_and(|before| before == found.stored.number) {
        return Ok(found.stored);
    }
    let left = inside::left(tx, &found.stored.envelope_id)?;
    if left.is_empty() {
        return Err(nothing_left());
    }
    if found.stored.parcel.version != seen.version {
        return Err(ServiceError::refused(ProblemCode::CaseChanged, "it was handed over or moved meanwhile"));
    }
    let by = By { id: caller.account.as_str(), key: Some(&key) };
    let event = Event::PickedUp { certificates: left.into_iter().map(|(number, _)| number).collect() };
    let next = add(tx, now_ms, &found.stored, (by, event), (&Sealed::nothing(), None))?;
    book(tx, context, now_ms, &next.envelope_id)?;
    Ok(next)
}
