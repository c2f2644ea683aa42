//! `GET /api/v1/certificates/revoked`: the signed list of certificates that are no longer good.
//!
//! Not signed by the caller: it is meant for everybody and verified by whoever reads it.
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use domain::envelope::{Digest, SignedDocument};

use super::blocking;
use super::reads::tagged;
use crate::services::results;
use crate::shell::App;
use crate::shell::etag::is_known;
use crate::shell::problem::Refusal;

/// What anybody may keep, and must ask for anew each time.
const ASK_AGAIN: &str = "public, no-cache";

/// List revoked certificates
///
/// Numbers of certificates that are no longer good, with the day since when: a document signed with the receipt key over
/// `jinban/revoked-certificates/1`. It names nobody, says no reason, and has a day after which nobody relies on it. Its
/// bytes stay the same all day until one more is revoked: ask again with `If-None-Match`. Open to everybody.
#[utoipa::path(
    get, path = "/api/v1/certificates/revoked", operation_id = "list_revoked_certificates", tag = "reads",
    responses((status = 200, description = "The list.", body = SignedDocument)),
)]
pub async fn revoked(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refusal> {
    let list = blocking(move || {
        let (centre, now_ms) = (&app.centre, app.centre.now_ms());
        centre.read(|tx| results::revoked_list(tx, centre.context(), now_ms))
    })
    .await?;
    let tag = format!("\"{}\"", Digest::of(&list.body.0));
    let response = if is_known(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Json(list).into_response()
    };
    Ok(tagged(response, &tag, ASK_AGAIN))
}
