//! `POST /api/v1/enrol`, `POST /api/v1/envelopes`, `GET /healthz`: read the body, ask the centre, answer.
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use domain::wire::v1::{BatchResponse, EnrolRequest, EnrolResponse, EnvelopeBatch};
use serde_json::{Value, json};

use super::{Answer, answer, blocking, read_json};
use crate::error::ServiceError;
use crate::shell::App;

/// One-time code and public key in, terminal and keys out.
pub async fn enrol(State(app): State<App>, request: Request<Body>) -> Answer<EnrolResponse> {
    let request: EnrolRequest = read_json(request).await?;
    let centre = app.centre.clone();
    answer(blocking(move || centre.enrol(request)).await)
}

/// A batch in, a result for each envelope out. Always 200 for a readable batch: a conflict or refusal is the result
/// of one envelope and carries its own status, so that one bad row never holds up the others. Only when the centre
/// itself is in trouble does the whole batch come again.
pub async fn envelopes(State(app): State<App>, request: Request<Body>) -> Answer<BatchResponse> {
    let batch: EnvelopeBatch = read_json(request).await?;
    let centre = app.centre.clone();
    answer(blocking(move || centre.take_batch(batch)).await)
}

/// The process serves and its store answers; with the contact that every answer carries.
pub async fn healthz(State(app): State<App>) -> Answer<Value> {
    let centre = app.centre.clone();
    let contact = blocking(move || {
        centre.read(|tx| Ok::<_, ServiceError>(tx.query_int("SELECT 1", &[])?))?;
        Ok(centre.context().contact(centre.now_ms()))
    })
    .await?;
    Ok(Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "contact": contact })))
}
