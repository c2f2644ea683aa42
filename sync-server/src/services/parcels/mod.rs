//! 送达: how a result reaches its holder. A parcel is a fold over its own append-only events (`domain::parcel`); each event
//! is one transaction with the parcel's row and an audit row.
//!
//! | module | what it does |
//! |---|---|
//! | this one | reads parcels, adds events |
//! | `prepare` | makes the parcel of a case that gave something, and calls back what is revoked |
//! | `inside` | what is sealed beside an event, and to whom a result goes |
//! | `deeds` | what people at the desk do |
//! | `hear` | what carriers tell |
//! | `pick_up` | handing over at a window |
//! | `list` | work lists of a unit |
//! | `refold` | holds rows against events |
//!
//! Parcels of a case belong to the unit that accepted it: who takes in hands out (一窗受理、统一出件).
mod deeds;
mod hear;
mod inside;
mod list;
mod pick_up;
mod prepare;
mod refold;

use domain::envelope::Digest;
use domain::ids::{EnvelopeId, UnitId};
use domain::parcel::{Event, Happened, MOST_EVENTS, Parcel, ParcelError, ParcelNo, ParcelState};

pub use deeds::{
    BY_HAND, Deed, MAX_CARRIER_CHARS, MAX_LINES, MAX_NOTE_CHARS, Seen, may_settle, of_unit, perform,
};
pub use hear::{Message, Outcome, hear};
pub use inside::{Inside, To, contents, is_erased, recipient};
pub use list::{LISTS, Listed, PAGE, Place, Query, counts, page};
pub use pick_up::{Found, Waits, find, hand_over};
pub use prepare::{certificate_revoked, prepare};
pub use refold::differences;

use super::audit;
use crate::error::{ProblemCode, ServiceError};
use crate::store::{Row, StoreError, Tx, Value};

/// Parcels of one case that are read, at most: as many as have a number.
const MAX_OF_CASE: u64 = 99;

/// A parcel as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub number: ParcelNo,
    /// The case whose result it is.
    pub envelope_id: EnvelopeId,
    /// The unit that packs it and hands it out.
    pub unit: UnitId,
    /// The carrier's number of this round; empty before it has one, and once the case is erased.
    pub tracking: String,
    /// What it is now.
    pub parcel: Parcel,
}

/// An event as it is stored.
pub struct StoredEvent {
    /// What happened.
    pub happened: Happened,
    /// Id of an account, `centre`, or the code of a carrier.
    pub actor: String,
    nonce: Vec<u8>,
    sealed: Vec<u8>,
}

/// Who does something, and by which click or message.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Id of an account, `centre`, or the code of a carrier.
    pub id: &'a str,
    /// The name of the click or message; the same one again does nothing.
    pub key: Option<&'a str>,
}

/// Columns of [`Stored`], in the order in which [`read`] takes them.
const COLUMNS: &str = "number, envelope_id, unit, state, version, round_, recalled, carrier, seal, made_at_ms, \
                       changed_at_ms, tracking";

/// The parcel with this number.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn by_number(tx: &mut Tx<'_>, number: &ParcelNo) -> Result<Option<Stored>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM parcel WHERE number = $1");
    tx.query_first(&sql, &[number.as_str().into()])?.map(|row| read(&row)).transpose()
}

/// The parcels of a case, the first one first.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn of_case(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Stored>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM parcel WHERE envelope_id = $1 ORDER BY number LIMIT $2");
    let rows = tx.query(&sql, &[id.to_string().into(), MAX_OF_CASE.into()])?;
    rows.iter().map(read).collect()
}

/// What happened to a parcel, oldest first.
///
/// # Errors
/// [`StoreError`] if the store fails, or an event cannot be read back.
pub fn events(tx: &mut Tx<'_>, number: &ParcelNo) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = tx.query(
        "SELECT version, at_ms, body, actor, nonce, sealed FROM parcel_event WHERE number = $1
         ORDER BY version LIMIT $2",
        &[number.as_str().into(), (MOST_EVENTS + 1).into()],
    )?;
    rows.iter()
        .map(|row| {
            let wrong = |_| StoreError::Stored { what: "parcel event" };
            let event = serde_json::from_str(row.text(2)?).map_err(wrong)?;
            Ok(StoredEvent {
                happened: Happened { version: row.uint(0)?, at_ms: row.int(1)?, event },
                actor: row.text(3)?.to_owned(),
                nonce: row.blob(4)?.to_vec(),
                sealed: row.blob(5)?.to_vec(),
            })
        })
        .collect()
}

fn read(row: &Row) -> Result<Stored, StoreError> {
    let state = ParcelState::from_name(row.text(3)?).ok_or(StoreError::Stored { what: "parcel state" })?;
    Ok(Stored {
        number: row.parsed(0)?,
        envelope_id: row.parsed(1)?,
        unit: row.parsed(2)?,
        parcel: Parcel {
            state,
            version: row.uint(4)?,
            round: u16::try_from(row.int(5)?).map_err(|_| StoreError::Stored { what: "parcel round" })?,
            recalled: row.int(6)? != 0,
            carrier: row.text(7)?.to_owned(),
            seal: row.text(8)?.to_owned(),
            made_at_ms: row.int(9)?,
            changed_at_ms: row.int(10)?,
        },
        tracking: row.text(11)?.to_owned(),
    })
}

/// The work list in which a parcel stands.
fn list_of(parcel: &Parcel) -> &'static str {
    use ParcelState::{AtWindow, Delivered, Handed, OnTheWay, Packed, PickedUp, ToPack, Withdrawn};
    match parcel.state {
        _ if parcel.needs_somebody() => "needs",
        ToPack | Packed => "pack",
        Handed | OnTheWay => "way",
        AtWindow => "window",
        Delivered | PickedUp | Withdrawn => "done",
        ParcelState::Refused | ParcelState::Lost | ParcelState::Returned => "needs",
    }
}

/// Columns that follow from the events, in the order of `projection`.
pub const PROJECTED: [&str; 9] =
    ["state", "list_", "version", "round_", "recalled", "carrier", "seal", "made_at_ms", "changed_at_ms"];

/// The values that a parcel's row should have in the columns of [`PROJECTED`].
fn projection(parcel: &Parcel) -> [Value; PROJECTED.len()] {
    [
        parcel.state.as_str().into(),
        list_of(parcel).into(),
        parcel.version.into(),
        u64::from(parcel.round).into(),
        u64::from(parcel.recalled).into(),
        parcel.carrier.as_str().into(),
        parcel.seal.as_str().into(),
        parcel.made_at_ms.into(),
        parcel.changed_at_ms.into(),
    ]
}

/// Makes a parcel by its first event.
fn begin(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (number, id, unit): (&ParcelNo, &EnvelopeId, &UnitId),
    event: Event,
) -> Result<(), ServiceError> {
    let first = Happened { version: 1, at_ms: now_ms, event };
    let parcel = Parcel::begin(&first).map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    let mut values =
        vec![Value::from(number.as_str()), id.to_string().into(), unit.as_str().into(), "".into()];
    values.extend(projection(&parcel));
    tx.execute(
        "INSERT INTO parcel (number, envelope_id, unit, tracking, state, list_, version, round_, recalled, carrier,
             seal, made_at_ms, changed_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        &values,
    )?;
    let by = By { id: super::cases::CENTRE, key: None };
    write_event(tx, (number, id), &first, (by, &inside::Sealed::nothing()))
}

/// Adds an event to a parcel as it is now. `tracking` takes the place of the carrier's number, if it is given.
fn add(
    tx: &mut Tx<'_>,
    now_ms: i64,
    stored: &Stored,
    (by, event): (By<'_>, Event),
    (sealed, tracking): (&inside::Sealed, Option<&str>),
) -> Result<Stored, ServiceError> {
    let mut next = stored.clone();
    let happened = Happened { version: stored.parcel.version + 1, at_ms: now_ms, event };
    next.parcel.apply(&happened).map_err(|e| match e {
        ParcelError::Misfit { .. } => ServiceError::refused(ProblemCode::CaseChanged, e.to_string()),
        ParcelError::Order(_) => ServiceError::Inconsistent(format!("parcel {}: {e}", stored.number)),
    })?;
    let ends = matches!(happened.event, Event::MadeAgain | Event::ToWindow);
    if let Some(tracking) = tracking.or(ends.then_some("")) {
        tracking.clone_into(&mut next.tracking);
    }
    let mut values = vec![Value::from(next.number.as_str()), next.tracking.as_str().into()];
    values.extend(projection(&next.parcel));
    tx.execute(
        "UPDATE parcel SET tracking = $2, state = $3, list_ = $4, version = $5, round_ = $6, recalled = $7,
             carrier = $8, seal = $9, made_at_ms = $10, changed_at_ms = $11 WHERE number = $1",
        &values,
    )?;
    write_event(tx, (&next.number, &next.envelope_id), &happened, (by, sealed))?;
    Ok(next)
}

fn write_event(
    tx: &mut Tx<'_>,
    (number, id): (&ParcelNo, &EnvelopeId),
    happened: &Happened,
    (by, sealed): (By<'_>, &inside::Sealed),
) -> Result<(), ServiceError> {
    let body =
        serde_json::to_string(&happened.event).map_err(|_| StoreError::Stored { what: "parcel event" })?;
    let digest = Digest::of(format!("{number} {} {body}", happened.version).as_bytes()).to_string();
    let subject = id.to_string();
    tx.execute(
        "INSERT INTO parcel_event (number, version, envelope_id, body, actor, at_ms, key_, nonce, sealed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            number.as_str().into(),
            happened.version.into(),
            subject.as_str().into(),
            body.into(),
            by.id.into(),
            happened.at_ms.into(),
            Value::from(by.key),
            sealed.nonce.as_slice().into(),
            sealed.sealed.as_slice().into(),
        ],
    )?;
    let event = format!("parcel.{}", happened.event.name());
    let event = audit::Event { actor: by.id, event: &event, subject: &subject, object_digest: &digest };
    Ok(audit::append(tx, happened.at_ms, event)?)
}

/// Notes that somebody is about to see to whom a parcel goes.
///
/// # Errors
/// [`StoreError`] if the store fails: then nobody sees it.
pub fn note_seen(tx: &mut Tx<'_>, now_ms: i64, by: &str, stored: &Stored) -> Result<(), StoreError> {
    let (subject, digest) =
        (stored.envelope_id.to_string(), Digest::of(stored.number.as_str().as_bytes()).to_string());
    let event = audit::Event { actor: by, event: "parcel.seen", subject: &subject, object_digest: &digest };
    audit::append(tx, now_ms, event)
}

/// The parcel that a click or message was about, if it was done already.
fn done(tx: &mut Tx<'_>, key: &str) -> Result<Option<ParcelNo>, StoreError> {
    let row = tx.query_first("SELECT number FROM parcel_event WHERE key_ = $1", &[key.into()])?;
    row.map(|row| row.parsed(0)).transpose()
}
