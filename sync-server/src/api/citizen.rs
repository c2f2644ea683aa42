//! `POST /api/v1/citizen/cases`: reads the body, asks the centre, answers.
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use domain::wire::v1::{CitizenRequest, CitizenResponse};

use super::{Answer, answer, blocking, read_json};
use crate::centre::query_in;
use crate::shell::App;
use crate::shell::device_gate::CertifiedTerminal;

/// List the cases of the citizen at the terminal
///
/// With the card just read: ID number and name must both be those of the submission. The newest 50 cases, with what the
/// citizen is asked for; never with what a case ended, and no answer. The query is signed over
/// `SHA-256("jinban/citizen/1" || u32 big-endian length of the body || body)`, the body being the exact bytes of a
/// `CitizenQuery` as JSON. Each look is written down.
#[utoipa::path(
    post, path = "/api/v1/citizen/cases", operation_id = "list_citizen_cases", tag = "terminals",
    request_body = CitizenRequest,
    responses((status = 200, description = "The person's cases.", body = CitizenResponse)),
)]
pub async fn citizen_cases(
    State(app): State<App>,
    certified: CertifiedTerminal,
    request: Request<Body>,
) -> Answer<CitizenResponse> {
    let request: CitizenRequest = read_json(request).await?;
    certified.agree(&query_in(&request.query)?.terminal)?;
    let centre = app.centre.clone();
    answer(blocking(move || centre.cases_of_citizen(&request)).await)
}
