//! `/terminals/{id}/{step}`: what somebody is about to do with a terminal, why, and what follows from it; then it is
//! done. No step without a reason, none from the overview at once.
use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::ids::TerminalId;
use domain::wire::v1::MAX_REASON_CHARS;

use super::{W, badge, shown_once};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form::Fields;
use crate::pages::frame::{Frame, Here, frame};
use crate::pages::sign_in::drawn;
use crate::pages::view::Badge;
use crate::pages::{Page, render};
use crate::services::rollout::Reason;
use crate::services::sessions::Caller;
use crate::services::standing;
use crate::services::terminal_steps::{self, Step, StepError};
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::words::Words;

#[derive(Template)]
#[template(path = "terminal_step.html")]
struct StepPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    id: String,
    station: String,
    badge: Badge,
    step: &'static str,
    what: String,
    button: String,
    most: usize,
    reason: String,
    error: Option<&'static str>,
    refused: bool,
}

/// The terminal and the step that the address names.
type Named = Result<Path<(String, String)>, PathRejection>;

/// What was typed, and what is wrong with it.
#[derive(Default)]
struct Typed {
    reason: String,
    error: Option<&'static str>,
    already: bool,
}

/// The page that asks why and says what follows.
pub async fn terminal_step(State(app): State<App>, caller: Caller, named: Named) -> Page {
    let named = read(named)?;
    render(&asked(&app, caller, named, Typed::default()).await?)
}

/// Does it, and leads back to the terminal, or shows the code of the one that takes its place.
pub async fn take_terminal_step(
    State(app): State<App>,
    caller: Caller,
    named: Named,
    fields: Fields,
) -> Page {
    let (id, step) = read(named)?;
    let form = fields.only(&["reason"])?;
    let reason = form.get("reason").to_owned();
    let Some(given) = Reason::typed(&reason) else {
        let typed = Typed { reason, error: Some(W.t("rollout_ask.reason_missing")), ..Typed::default() };
        let page = asked(&app, caller, (id, step), typed).await?;
        return drawn(render(&page)?, StatusCode::UNPROCESSABLE_ENTITY, None);
    };
    let (centre, by, terminal) = (app.centre.clone(), caller.account.to_string(), id.clone());
    let taken = blocking(move || {
        let (now_ms, rng) = (centre.now_ms(), centre.random());
        centre.write(move |tx| {
            let rng = &mut rng.clone();
            match terminal_steps::take(tx, now_ms, (&by, step), (&terminal, &given), rng) {
                Ok(code) => {
                    Ok(Some((code, standing::of(tx, &terminal)?.ok_or(ProblemCode::NotFound)?.station)))
                }
                Err(StepError::Already) => Ok(None),
                Err(StepError::Service(e)) => Err(e),
            }
        })
    })
    .await?;
    match taken {
        Some((None, _)) => Ok(see_other(&format!("/terminals/{id}"))),
        Some((Some(code), station)) => shown_once(&app, caller, (code, station), Some(id)).await,
        None => {
            let typed = Typed { reason, already: true, ..Typed::default() };
            let page = asked(&app, caller, (id, step), typed).await?;
            drawn(render(&page)?, StatusCode::CONFLICT, None)
        }
    }
}

fn read(named: Named) -> Result<(TerminalId, Step), ServiceError> {
    let named = named.ok().and_then(|Path((id, step))| {
        let step = Step::ALL.into_iter().find(|s| s.as_str() == step)?;
        Some((id.parse().ok()?, step))
    });
    named.ok_or_else(|| ProblemCode::NotFound.into())
}

async fn asked(
    app: &App,
    caller: Caller,
    (id, step): (TerminalId, Step),
    typed: Typed,
) -> Result<StepPage, ServiceError> {
    let centre = app.centre.clone();
    blocking(move || {
        let now_ms = centre.now_ms();
        centre.read(|tx| {
            let found = standing::of(tx, &id)?.ok_or(ProblemCode::NotFound)?;
            let name = step.as_str();
            Ok(StepPage {
                w: W,
                frame: frame(tx, &caller, now_ms, Here::Terminals)?,
                sample: None,
                id: found.terminal.to_string(),
                station: format!("{} · {}", found.station_name, found.station),
                badge: badge(&found, now_ms),
                step: name,
                what: W.of("terminals_ask", name),
                button: W.of("terminals_do", name),
                most: MAX_REASON_CHARS,
                reason: typed.reason,
                error: typed.error,
                refused: typed.already || !step.fits(found.active),
            })
        })
    })
    .await
}
