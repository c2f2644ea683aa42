//! What a carrier tells: taken once by its own id, in any order; what arrived books the post step of its case.
//!
//! A call-back is checked by the caller (`carriers::signature`). Refuses to tell an unknown order from one of another carrier.
use domain::case::{Action, Recorded};
use domain::ids::EnvelopeId;
use domain::parcel::{Event, Heard, News, Parcel, ParcelNo};
use rand_core::CryptoRng;
use serde::Deserialize;

use super::inside::{self, Inside, Sealed};
use super::prepare::post_step;
use super::{By, Stored, StoredEvent, add, by_number, done, events};
use crate::error::{ProblemCode, ServiceError};
use crate::services::cases::{self, BY_CENTRE, CENTRE};
use crate::services::{Context, review};
use crate::store::Tx;

/// The longest id of a message, in bytes.
const MAX_ID: usize = 64;
/// Signs of a carrier's words that are kept.
const MAX_WORDS: usize = 200;
/// The longest number of a carrier, in bytes.
pub(super) const MAX_TRACKING: usize = 40;

/// A message of a carrier. Never printed: its words may name somebody.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The carrier's own id of it: the same one again is the same message.
    pub id: String,
    /// The order, as the centre named it.
    pub order: String,
    /// What happened.
    pub news: News,
    /// When, by the carrier's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// In the carrier's words.
    #[serde(default)]
    pub words: String,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The parcel went on.
    Taken,
    /// It came before.
    Known,
    /// It is of a parcel that was made again since; it is noted.
    OfBefore,
    /// It says nothing new.
    Late,
}

impl Outcome {
    /// The name in the answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Known => "known",
            Self::OfBefore => "of_before",
            Self::Late => "late",
        }
    }
}

/// Words of a carrier as they are kept: one line, without control characters, cut.
pub(super) fn one_line(words: &str) -> String {
    let kept: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_WORDS).collect();
    kept.trim().to_owned()
}

/// Takes what a carrier tells.
///
/// # Errors
/// [`ServiceError`] `not-found` for an order that this carrier does not have, `malformed-request` for an id that is none,
/// or the store's.
pub fn hear(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    (carrier, message): (&str, &Message),
) -> Result<Outcome, ServiceError> {
    let plain = !message.id.is_empty()
        && message.id.len() <= MAX_ID
        && message.id.bytes().all(|b| b.is_ascii_graphic());
    if !plain {
        return Err(ServiceError::refused(ProblemCode::MalformedRequest, "the id of the message is none"));
    }
    let (number, round) = ParcelNo::of_order(&message.order).ok_or(ProblemCode::NotFound)?;
    let stored = by_number(tx, &number)?.ok_or(ProblemCode::NotFound)?;
    if carrier_of(&events(tx, &number)?, round).as_deref() != Some(carrier) {
        return Err(ProblemCode::NotFound.into());
    }
    let key = format!("{carrier}:{}", message.id);
    if done(tx, &key)?.is_some() {
        return Ok(Outcome::Known);
    }
    let outcome = match stored.parcel.hear(round, message.news) {
        Heard::Late => return Ok(Outcome::Late),
        Heard::OfBefore => Outcome::OfBefore,
        Heard::News => Outcome::Taken,
    };
    let event = Event::Told { round, news: message.news, at_ms: message.at_ms };
    let words = one_line(&message.words);
    tell(tx, context, (now_ms, rng), &stored, (By { id: carrier, key: Some(&key) }, event, words))?;
    Ok(outcome)
}

/// Who had the order of a round.
fn carrier_of(events: &[StoredEvent], round: u16) -> Option<String> {
    let (first, rest) = events.split_first()?;
    let (mut parcel, mut found) = (Parcel::begin(&first.happened).ok()?, None);
    for event in rest {
        parcel.apply(&event.happened).ok()?;
        if let Event::Handed { carrier } = &event.happened.event
            && parcel.round == round
        {
            found = Some(carrier.clone());
        }
    }
    found
}

/// Adds what was told, and books the post step of the case once the parcel arrived.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    stored: &Stored,
    (by, event, words): (By<'_>, Event, String),
) -> Result<Stored, ServiceError> {
    let key = inside::key_of(tx, context, &stored.envelope_id)?.filter(|_| !words.is_empty());
    let sealed = match key {
        Some(key) => Sealed::of((&key, rng), &stored.number, &Inside { words, ..Inside::default() })?,
        None => Sealed::nothing(),
    };
    let next = add(tx, now_ms, stored, (by, event), (&sealed, None))?;
    if next.parcel.state.is_received() && next.parcel.state != stored.parcel.state {
        book(tx, context, now_ms, &next.envelope_id)?;
    }
    Ok(next)
}

/// What arrived needs no posting any more: the post step of the case is done, and the case may end. Whoever has the step
/// has it no longer. Where it cannot be done now nothing happens, and the parcel goes on: `review::follow` books it later.
pub(super) fn book(
    tx: &mut Tx<'_>,
    context: &Context,
    now_ms: i64,
    id: &EnvelopeId,
) -> Result<bool, ServiceError> {
    let (row, mut view) = cases::current(tx, id)?;
    let Some(step) = post_step(&view) else { return Ok(false) };
    let end = match review::statutory_end(tx, context, &view, (&step, now_ms)) {
        Err(ServiceError::Refused { code: ProblemCode::TooEarly, .. }) => return Ok(false),
        end => end?,
    };
    if end.is_some_and(|end| now_ms <= end.at_ms) {
        return Ok(false);
    }
    let held = view.step(&step).is_some_and(|step| step.holder.is_some());
    let released = held.then(|| Action::Released { step: step.clone() });
    let passed = Action::Passed { step, by: CENTRE.to_owned(), text: None };
    let actions: Vec<_> = released.into_iter().chain([passed]).collect();
    let mut tried = view.clone();
    for action in &actions {
        let next = Recorded { version: tried.version + 1, at_ms: now_ms, action: action.clone() };
        if tried.apply(&next).is_err() {
            return Ok(false);
        }
    }
    for action in actions {
        view = cases::add(tx, &context.shelf, now_ms, (&row, view), (BY_CENTRE, action))?;
    }
    review::follow(tx, context, now_ms, (&row, view))?;
    Ok(true)
}
