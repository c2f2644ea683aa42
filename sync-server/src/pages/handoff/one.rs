//! `/handoffs`: what the clerk took in for other regions, and how far each has come.
use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery, State};
use domain::applicant::{mask_id_staff, mask_name};
use domain::handoff::{HandoffState, Side};
use domain::wire::v1::{PartnerContent, Submission};
use serde::Deserialize;

use super::{Course, W, badge, clock_words, course, id_in, partners, sample_of, set_up, times, units};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::view::{self, Badge};
use crate::pages::{Page, in_address, render};
use crate::partners::Register;
use crate::services::handoff::{self, Own, Row};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

#[derive(Template)]
#[template(path = "handoffs.html")]
struct ListPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    rows: Vec<RowView>,
    /// No register of other regions was set up.
    unset: bool,
}

/// A line of a list.
pub(super) struct RowView {
    pub(super) href: String,
    pub(super) title: String,
    pub(super) region: String,
    pub(super) phone: String,
    pub(super) state: Badge,
    pub(super) transfer: String,
    pub(super) legal: String,
    pub(super) received: String,
}

/// The list.
pub async fn list(State(app): State<App>, caller: Caller) -> Page {
    let page = blocking(move || {
        let now_ms = app.centre.now_ms();
        let Some(register) = set_up(&app)? else {
            return app.centre.read(|tx| {
                let frame = frame(tx, &caller, now_ms, Here::Handoffs)?;
                Ok(ListPage { w: W, frame, sample: None, rows: Vec::new(), unset: true })
            });
        };
        app.centre.read(|tx| {
            let newest = app.centre.context().shelf.newest(tx)?.ok_or(ProblemCode::NotFound)?;
            let rows = handoff::taken_in(tx, caller.account.as_str())?;
            let rows = rows.iter().map(|row| {
                let times = times(&register, row, (now_ms, &newest.catalogue.calendar));
                let (_, home) = units(&register, row);
                RowView {
                    href: format!("/handoffs/one/{}", row.id),
                    title: row.title.clone(),
                    region: home.name,
                    phone: home.phone,
                    state: badge(row.state()),
                    transfer: clock_words(&times, false),
                    legal: clock_words(&times, true),
                    received: view::time(row.handoff.received_at_ms, now_ms),
                }
            });
            Ok::<_, ServiceError>(ListPage {
                w: W,
                unset: false,
                rows: rows.collect(),
                sample: sample(&newest.catalogue),
                frame: frame(tx, &caller, now_ms, Here::Handoffs)?,
            })
        })
    })
    .await?;
    render(&page)
}

/// What stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    told: String,
}

#[derive(Template)]
#[template(path = "handoff.html")]
struct OnePage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    course: Course,
    phones: String,
    person: Option<String>,
    /// What the home region wrote.
    words: Option<String>,
    /// What of it cannot be opened, in words.
    closed: Option<&'static str>,
    /// What is told once, after a deed.
    told: Option<(&'static str, String)>,
    may_hand_over: bool,
    may_refill: bool,
    may_receive: bool,
    may_archive: bool,
}

/// One handoff.
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let (id, asked) = (id_in(id.ok().map(|Path(id)| id))?, in_address(asked)?);
    let page = blocking(move || {
        let (register, now_ms, context) = (partners(&app)?, app.centre.now_ms(), app.centre.context());
        app.centre.read(|tx| {
            let row = handoff::find(tx, &id)?;
            if row.side != Side::Accepting || row.clerk != caller.account.as_str() {
                return Err(ProblemCode::NotFound.into());
            }
            let state = row.state();
            let (brought, lost) = brought(tx, &app, &row)?;
            let person = brought.map(|content| {
                let person = &content.applicant;
                format!("{} · {}", mask_name(&person.name), mask_id_staff(&person.id_number))
            });
            let tells = matches!(state, HandoffState::Returned | HandoffState::NotOurs);
            let (words, shut) = if tells {
                match handoff::told_if_it_opens(tx, Own { context, register: &register }, &row)? {
                    (Some(PartnerContent::Words { words }), _) => (Some(words), false),
                    (_, shut) => (None, shut),
                }
            } else {
                (None, false)
            };
            let closed = match (lost, shut) {
                (true, _) => Some(W.t("handoff.closed_here")),
                (false, true) => Some(W.t("handoff.closed_words")),
                (false, false) => None,
            };
            Ok::<_, ServiceError>(OnePage {
                w: W,
                sample: sample_of(tx, &app)?,
                phones: phones(&register, &row),
                person,
                words,
                closed,
                told: told(&asked.told),
                may_hand_over: !lost && matches!(state, HandoffState::Received | HandoffState::Returned),
                may_refill: !lost && matches!(state, HandoffState::Received | HandoffState::Returned),
                may_receive: state == HandoffState::ResultSent,
                may_archive: matches!(state, HandoffState::ResultReceived | HandoffState::NotOurs),
                course: course(tx, &app, (&register, &row), now_ms)?,
                frame: frame(tx, &caller, now_ms, Here::Handoffs)?,
            })
        })
    })
    .await?;
    render(&page)
}

/// What was brought, while it is needed, and whether it is needed and cannot be opened.
fn brought(tx: &mut Tx<'_>, app: &App, row: &Row) -> Result<(Option<Submission>, bool), ServiceError> {
    if !row.state().needs_content() {
        return Ok((None, false));
    }
    match handoff::open_content(tx, &row.id, &app.centre.context().keys) {
        Ok(content) => Ok((Some(content), false)),
        Err(e @ (ServiceError::Store(_) | ServiceError::Write(_))) => Err(e),
        Err(e) => {
            tracing::warn!(handoff = %row.id, "what was taken in cannot be read: {e}");
            Ok((None, true))
        }
    }
}

/// The box that says which phones were told.
fn phones(register: &Register, row: &Row) -> String {
    let (own, home) = units(register, row);
    W.fill("handoff.tick_phones", &[("own", &own.phone), ("home", &home.phone)])
}

/// What is told after a deed; an address that somebody made up tells nothing.
fn told(name: &str) -> Option<(&'static str, String)> {
    let look = match name {
        "renewed" | "refill" | "ticks" | "stale" | "not_taken" => "warn",
        "sent" | "received" => "ok",
        _ => return None,
    };
    Some((look, W.of("handoff_told", name)))
}
