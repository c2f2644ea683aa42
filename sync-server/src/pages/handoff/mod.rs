//! 异地代收转办: at a window the form of another region and what became of it; at a desk what came from elsewhere.
//!
//! A clerk sees the own handoffs only, a unit those that it decides. Both see the same course, both clocks and both units'
//! phones; a decision is shown as made, never with what it says.
mod deed;
mod form;
mod incoming;
mod one;
mod start;

pub use deed::deed as handoff_deed;
pub use form::{form as handoff_form, refill as handoff_refill, turn as handoff_turn};
pub use incoming::{deed as incoming_deed, inbox as incoming, one as incoming_one};
pub use one::{list as handoffs, one as handoff};
pub use start::{items as handoff_items, regions as handoff_regions};

use domain::catalogue::Calendar;
use domain::handoff::{Clocks, HandoffState, Side, TRANSFER, Times};
use domain::ids::EnvelopeId;
use domain::text::Language;

use super::frame::sample;
use super::view::{self, Badge};
use crate::api::partner::register;
use crate::error::{ProblemCode, ServiceError};
use crate::partners::Register;
use crate::services::handoff::{self, Row};
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

const W: Words = Words(Language::ZhCn);

/// Who answers on one side.
#[derive(Clone)]
struct Unit {
    name: String,
    phone: String,
}

/// What both pages show of a handoff.
struct Course {
    id: String,
    title: String,
    state: Badge,
    next: String,
    mode: String,
    version: String,
    seen: u64,
    accepting: Unit,
    home: Unit,
    transfer: String,
    legal: String,
    number: Option<String>,
    steps: Vec<(String, String, String)>,
    /// What waits for the other centre, in words.
    waits: Option<String>,
}

fn id_in(text: Option<String>) -> Result<EnvelopeId, ServiceError> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| ProblemCode::NotFound.into())
}

/// The register; a centre without one has no such pages.
fn partners(app: &App) -> Result<Register, ServiceError> {
    register(app)
}

/// The notice of sample data of the newest catalogue.
fn sample_of(tx: &mut Tx<'_>, app: &App) -> Result<Option<String>, ServiceError> {
    let newest = app.centre.context().shelf.newest(tx)?;
    Ok(newest.as_deref().and_then(|volume| sample(&volume.catalogue)))
}

/// The register, if one was set up.
fn set_up(app: &App) -> Result<Option<Register>, ServiceError> {
    match register(app) {
        Ok(register) => Ok(Some(register)),
        Err(ServiceError::Refused { code: ProblemCode::NotFound, .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

fn badge(state: HandoffState) -> Badge {
    let glyph = match state {
        HandoffState::Returned => "warn",
        HandoffState::NotOurs => "bad",
        HandoffState::ResultReceived | HandoffState::Archived | HandoffState::Decided => "ok",
        HandoffState::Received | HandoffState::FormChecked | HandoffState::IdentityChecked => "wait",
        _ => "run",
    };
    Badge { word: W.of("handoff_state", state.as_str()), glyph }
}

/// The units of a handoff: this centre's and the partner's, whichever side they are.
fn units(register: &Register, row: &Row) -> (Unit, Unit) {
    let own = Unit { name: register.own.name.clone(), phone: register.own.phone.clone() };
    let other = register.partner(&row.partner).map_or_else(
        || Unit { name: row.partner.to_string(), phone: "—".to_owned() },
        |partner| Unit { name: partner.name.clone(), phone: partner.phone.clone() },
    );
    match row.side {
        Side::Accepting => (own, other),
        Side::Home => (other, own),
    }
}

fn times(register: &Register, row: &Row, (now_ms, calendar): (i64, &Calendar)) -> Times {
    let transfer = register.partner(&row.partner).map_or(TRANSFER, |partner| partner.transfer());
    Clocks { transfer, legal: row.legal }.of(&row.handoff, now_ms, calendar)
}

/// A clock in words: when it ends, whether it stands or is over.
fn clock_words(times: &Times, legal: bool) -> String {
    let (deadline, permille, over) = if legal {
        let Some(deadline) = times.legal else { return W.t("handoff.legal_not_yet").to_owned() };
        (deadline, times.legal_permille, false)
    } else {
        (times.transfer, times.transfer_permille, times.transferred)
    };
    let key = match (over, deadline.standing, permille > 1_000) {
        (true, _, false) => "handoff.clock_done",
        (true, _, true) => "handoff.clock_done_late",
        (false, true, _) => "handoff.clock_stands",
        (false, false, true) => "handoff.clock_over",
        (false, false, false) => "handoff.clock_runs",
    };
    W.fill(key, &[("date", &deadline.date.to_string())])
}

fn course(
    tx: &mut Tx<'_>,
    app: &App,
    (register, row): (&Register, &Row),
    now_ms: i64,
) -> Result<Course, ServiceError> {
    let newest = app.centre.context().shelf.newest(tx)?.ok_or(ProblemCode::NotFound)?;
    let times = times(register, row, (now_ms, &newest.catalogue.calendar));
    let (accepting, home) = units(register, row);
    let steps = handoff::steps(tx, &row.id)?;
    let side = |side: Side| if side == Side::Accepting { accepting.name.clone() } else { home.name.clone() };
    let steps = steps.iter().rev().map(|(who, step, at_ms, _)| {
        (W.of("handoff_state", step.leads_to().as_str()), side(*who), view::time(*at_ms, now_ms))
    });
    let (waiting, tries) = handoff::waits_for(tx, &row.id)?;
    let key = if tries > 0 { "handoff.waits_silent" } else { "handoff.waits" };
    Ok(Course {
        id: row.id.to_string(),
        title: row.title.clone(),
        state: badge(row.state()),
        next: W.of("handoff_next", &format!("{}.{}", row.side.as_str(), row.state().as_str())),
        mode: W.of("handoff_mode", row.handoff.mode.as_str()),
        version: format!("v{}", row.form_version),
        seen: row.handoff.version,
        transfer: clock_words(&times, false),
        legal: clock_words(&times, true),
        number: row.handoff.number.as_ref().map(ToString::to_string),
        steps: steps.collect(),
        waits: (waiting > 0).then(|| W.number(key, waiting)),
        accepting,
        home,
    })
}
