//! 异地代收转办 at this centre: what was taken in for another region, and what came from one. Each step is written down once,
//! in the transaction of the message that tells the other side of it or brought it.
//!
//! Refuses to know HTTP and pages. Where a step does not follow nothing is written.
mod check;
mod content;
mod forms;
mod home;
mod inbox;
mod keeping;
mod outbox;
mod rows;

use domain::handoff::{Handoff, Side, Step};
use domain::ids::{EnvelopeId, ItemCode};
use domain::item::{Period, PeriodUnit};
use domain::wire::v1::PartnerSaid;
use rand_core::CryptoRng;

pub use check::{misfits, with_item};
pub use content::{Content, NewContent, keep_content, open_content, wipe};
pub use forms::{Heard, form_here, heard, heard_items, items_here, keep_heard};
pub use home::{Unfit, accept, decided_ones, tell_decided, unfit};
pub use inbox::{Judged, judge, take, told, told_if_it_opens};
pub use keeping::{KEPT_AFTER_MS, abandoned, ask_again, drop_abandoned, kept_too_long, put_away};
pub use outbox::{Due, answered, due, seal_for, waits_for};
pub use rows::{MOST, Row, coming, find, steps, taken_in, waiting_at_home};

use super::{Context, audit};
use crate::error::{ProblemCode, ServiceError};
use crate::partners::{Partner, Register};
use crate::store::{StoreError, Tx, Value};

/// Who is answering for a centre while a message goes out.
#[derive(Clone, Copy)]
pub struct Own<'a> {
    /// Keys and catalogues.
    pub context: &'a Context,
    /// Who the others are.
    pub register: &'a Register,
}

impl Own<'_> {
    /// The partner of a handoff.
    ///
    /// # Errors
    /// [`ServiceError`] `partner-unknown` if the register does not have it any more.
    pub fn partner(&self, row: &Row) -> Result<&Partner, ServiceError> {
        self.register.partner(&row.partner).ok_or_else(|| ProblemCode::PartnerUnknown.into())
    }
}

/// A new handoff.
pub struct New<'a> {
    /// Its id, made when the form began.
    pub id: EnvelopeId,
    /// Which side this centre is.
    pub side: Side,
    /// The other region.
    pub partner: &'a domain::handoff::Adcode,
    /// Which item of the home region.
    pub item: &'a ItemCode,
    /// Its name.
    pub title: &'a str,
    /// Who decides it; empty if that is not known.
    pub unit: &'a str,
    /// Who took it in, if it was here.
    pub clerk: &'a str,
    /// What the law gives.
    pub legal: Period,
    /// Catalogue version of the form.
    pub form_version: u64,
}

/// Writes a handoff with its first step.
///
/// # Errors
/// [`StoreError`] if the store fails, or the id is taken.
pub fn begin(
    tx: &mut Tx<'_>,
    (now_ms, actor): (i64, &str),
    new: &New<'_>,
    (at_ms, step, message): (i64, &Step, Option<&EnvelopeId>),
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO handoff (id, side, partner, item, title, unit, clerk, legal_tenths, legal_unit, form_version, state,
             version, received_at_ms, changed_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12)",
        &[
            new.id.to_string().into(),
            new.side.as_str().into(),
            new.partner.as_str().into(),
            new.item.as_str().into(),
            new.title.into(),
            new.unit.into(),
            new.clerk.into(),
            i64::from(new.legal.tenths).into(),
            unit_name(new.legal.unit).into(),
            new.form_version.into(),
            step.leads_to().as_str().into(),
            at_ms.into(),
        ],
    )?;
    write_step(tx, now_ms, (&new.id, 1), (Side::Accepting, step, at_ms), (actor, message))
}

/// Takes a step that follows, and writes it down.
fn add(
    tx: &mut Tx<'_>,
    now_ms: i64,
    row: &mut Row,
    (side, step, at_ms): (Side, &Step, i64),
    (actor, message): (&str, Option<&EnvelopeId>),
) -> Result<(), ServiceError> {
    row.handoff.take(side, step, at_ms).map_err(|_| ServiceError::from(ProblemCode::CaseChanged))?;
    let Handoff { state, version, changed_at_ms, form_version, .. } = &row.handoff;
    let changed = tx.execute(
        "UPDATE handoff SET state = $2, version = $3, changed_at_ms = $4, form_version = $5
         WHERE id = $1 AND version = $6",
        &[
            row.id.to_string().into(),
            state.as_str().into(),
            (*version).into(),
            (*changed_at_ms).into(),
            (*form_version).max(row.form_version).into(),
            (*version - 1).into(),
        ],
    )?;
    if changed == 0 {
        return Err(ProblemCode::CaseChanged.into());
    }
    Ok(write_step(tx, now_ms, (&row.id, *version), (side, step, *changed_at_ms), (actor, message))?)
}

/// A step of this centre, by somebody who saw version `seen`; the other side is told of it where that is due. The same
/// click once more changes nothing.
///
/// # Errors
/// [`ServiceError`] `case-changed` if it does not follow from what that person saw, or the store's.
pub fn act<R: CryptoRng>(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    (now_ms, rng): (i64, &mut R),
    (row, seen): (&mut Row, u64),
    (actor, step, said): (&str, Step, Option<(EnvelopeId, PartnerSaid)>),
) -> Result<(), ServiceError> {
    if row.handoff.version == seen + 1 && row.handoff.state == step.leads_to() {
        return Ok(());
    }
    if row.handoff.version != seen {
        return Err(ProblemCode::CaseChanged.into());
    }
    let told = match said {
        Some((id, said)) => Some(outbox::put(tx, own, (now_ms, rng), row, (id, said))?),
        None => None,
    };
    add(tx, now_ms, row, (row.side, &step, now_ms), (actor, told.as_ref()))
}

fn write_step(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (id, version): (&EnvelopeId, u64),
    (side, step, at_ms): (Side, &Step, i64),
    (actor, message): (&str, Option<&EnvelopeId>),
) -> Result<(), StoreError> {
    let text = serde_json::to_string(step).unwrap_or_default();
    tx.execute(
        "INSERT INTO handoff_step (handoff, version, side, at_ms, actor, step, message)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            id.to_string().into(),
            version.into(),
            side.as_str().into(),
            at_ms.into(),
            actor.into(),
            text.into(),
            Value::from(message.map(ToString::to_string)),
        ],
    )?;
    let event = audit::Event { actor, event: event_of(step), subject: &id.to_string(), object_digest: "" };
    audit::append(tx, now_ms, event)
}

fn event_of(step: &Step) -> &'static str {
    match step {
        Step::Received { .. } => "handoff.received",
        Step::FormChecked => "handoff.form-checked",
        Step::IdentityChecked => "handoff.identity-checked",
        Step::Sent { .. } => "handoff.sent",
        Step::SignedFor => "handoff.signed-for",
        Step::Accepted { .. } => "handoff.accepted",
        Step::Returned => "handoff.returned",
        Step::NotOurs => "handoff.not-ours",
        Step::Decided => "handoff.decided",
        Step::ResultSent { .. } => "handoff.result-sent",
        Step::ResultReceived => "handoff.result-received",
        Step::Archived => "handoff.archived",
    }
}

fn unit_name(unit: PeriodUnit) -> &'static str {
    match unit {
        PeriodUnit::Minute => "minute",
        PeriodUnit::WorkingDay => "working_day",
        PeriodUnit::NaturalDay => "natural_day",
    }
}

fn unit_named(name: &str) -> Option<PeriodUnit> {
    [PeriodUnit::Minute, PeriodUnit::WorkingDay, PeriodUnit::NaturalDay]
        .into_iter()
        .find(|unit| unit_name(*unit) == name)
}
