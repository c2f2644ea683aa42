//! 部门办件台: the inbox of a unit, one case with its content, and what may be done to it now.
//!
//! Pages show what `services` let the caller see, offer what `review` lets the caller do, and say everything in words.
//! Refuses whoever has no unit, with words about whom to ask. Values that are masked are shown in full by a call of
//! their own only.
mod answers;
mod approval;
mod certificates;
mod deeds;
mod files;
mod gathered;
pub(super) mod history;
mod inbox;
mod lanes;
mod next;
mod reveal;
mod review;
mod scans;
mod send;
mod time;

use askama::Template;
use domain::case::{CaseView, StepState};
use domain::catalogue::Catalogue;
use domain::ids::{CaseNo, ItemCode};
use domain::text::Language;

pub use certificates::{pdf as desk_certificate, revoke as desk_revoke, signed as desk_certificate_file};
pub use files::attachment as desk_attachment;
pub(super) use files::handed_out;
pub use inbox::inbox as desk;
pub use reveal::reveal as desk_reveal;
pub use review::review as desk_case;
pub use scans::scans as desk_scans;
pub use send::send as desk_deed;

use super::called;
use super::frame::{Frame, Here, frame};
use super::view::Badge;
use super::{Page, render};
use crate::api::blocking;
use crate::auth::role::Role;
use crate::error::{ProblemCode, ServiceError};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::words::Words;

const W: Words = Words(Language::ZhCn);

/// The state of a step as a badge.
fn state_badge(state: StepState) -> Badge {
    let glyph = match state {
        StepState::Waiting | StepState::Ready => "wait",
        StepState::Taken => "run",
        StepState::Consulting => "warn",
        StepState::Supplement | StepState::Skipped | StepState::Blocked => "off",
        StepState::Passed => "ok",
        StepState::Refused => "bad",
    };
    Badge { glyph, word: W.of("step_state", state.as_str()) }
}

/// The name of a step, by its id.
pub(super) fn step_called(
    catalogue: Option<&Catalogue>,
    item: Option<&ItemCode>,
    view: &CaseView,
    id: &str,
) -> String {
    view.plan.step(id).map_or_else(|| id.to_owned(), |planned| called::step(W, (catalogue, item), planned))
}

/// The address of a case at the desk, at a step.
fn address(number: &CaseNo, step: Option<&str>) -> String {
    match step {
        Some(step) => format!("/desk/{number}?step={}", super::in_query(step)),
        None => format!("/desk/{number}"),
    }
}

/// The number that an address names.
fn number(text: &str) -> Result<CaseNo, ServiceError> {
    text.parse().map_err(|_| ProblemCode::NotFound.into())
}

#[derive(Template)]
#[template(path = "desk_no_unit.html")]
struct NoUnitPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    who: String,
}

/// What somebody sees whose account names no unit.
pub(super) async fn no_unit(app: App, caller: Caller) -> Page {
    let page = blocking(move || {
        let now_ms = app.centre.now_ms();
        let frame = app.centre.read(|tx| frame(tx, &caller, now_ms, Here::Desk))?;
        let who = W.of("role", Role::Admin.as_str());
        Ok::<_, ServiceError>(NoUnitPage { w: W, frame, sample: None, who })
    })
    .await?;
    render(&page)
}
