//! `POST /payments/notify`: what the payment gateway calls when somebody paid. It calls again until it is answered with
//! success, which it is only after the COMMIT; so nothing that it says is lost, and each payment counts once.
//!
//! Refuses whatever is not signed with the shared key within a few minutes of our clock, and reads nothing of it.
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use operator::findings::with_causes;
use serde_json::json;

use super::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::gateway::sign::{Doubt, believe};
use crate::gateway::{GatewaySettings, Told};
use crate::jobs::payments::{NOTIFY, arrival};
use crate::services::money::{self, Taken, Way};
use crate::shell::App;
use crate::shell::problem::Drawn;

/// The most bytes of a call.
const MAX_BYTES: usize = 16 << 10;

/// Takes a call-back.
pub async fn notify(State(app): State<App>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BYTES).await else {
        return fail(StatusCode::PAYLOAD_TOO_LARGE, "the call is too long, or was cut");
    };
    let taken = blocking(move || Ok(take(&app, &parts.headers, &body))).await;
    taken.unwrap_or_else(|_: ServiceError| fail(StatusCode::SERVICE_UNAVAILABLE, "call again"))
}

/// The gateway calls again for everything but success.
fn fail(status: StatusCode, why: &str) -> Response {
    let mut response = (status, Json(json!({ "code": "FAIL", "message": why }))).into_response();
    // In the gateway's form, not in that of our problems.
    response.extensions_mut().insert(Drawn);
    response
}

fn take(app: &App, headers: &HeaderMap, body: &[u8]) -> Response {
    let settings = match GatewaySettings::read(&app.gateway) {
        Ok(Some(settings)) => settings,
        Ok(None) => return fail(StatusCode::SERVICE_UNAVAILABLE, "no gateway is set up"),
        Err(e) => {
            tracing::error!("a call-back cannot be checked: {}", with_causes(&e));
            return fail(StatusCode::SERVICE_UNAVAILABLE, "call again");
        }
    };
    let field = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let now_ms = app.centre.now_ms();
    if let Err(doubt) = believe(&settings.key, &format!("POST {NOTIFY}"), field, (now_ms, body)) {
        tracing::warn!("a call-back about a payment is not believed: {doubt}");
        let status = if doubt == Doubt::Old { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED };
        return fail(status, &doubt.to_string());
    }
    let Ok(told) = serde_json::from_slice::<Told>(body) else {
        tracing::error!("a signed call-back about a payment makes no sense");
        return fail(StatusCode::BAD_REQUEST, "that is no payment");
    };
    let (centre, arrival) = (app.centre.clone(), arrival(told, Way::Call));
    let taken = app.centre.write(move |tx| money::take(tx, centre.context(), centre.now_ms(), &arrival));
    match taken {
        Ok(Taken::Differs) => {
            tracing::error!("a payment is told in two ways; see the alarms");
            fail(StatusCode::CONFLICT, "that transaction was told otherwise before")
        }
        Ok(_) => Json(json!({ "code": "SUCCESS", "message": "" })).into_response(),
        Err(ServiceError::Refused { code: ProblemCode::MalformedRequest, detail }) => {
            let why = detail.unwrap_or_default();
            tracing::error!("a signed call-back about a payment is none: {why}");
            fail(StatusCode::BAD_REQUEST, "that is no payment")
        }
        Err(e) => {
            tracing::error!(
                error = &e as &dyn std::error::Error,
                "a payment could not be taken; it comes again"
            );
            fail(StatusCode::SERVICE_UNAVAILABLE, "call again")
        }
    }
}
