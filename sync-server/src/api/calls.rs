//! `POST /api/v1/enrol`, `POST /api/v1/certificate`, `POST /api/v1/envelopes`, `GET /healthz`, `GET /openapi.json`: read the body, ask the
//! centre, answer.
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, header};
use axum::response::{IntoResponse as _, Response};
use domain::wire::v1::{
    BatchResponse, CertificateRequest, CertificateResponse, Contact, EnrolRequest, EnrolResponse,
    EnvelopeBatch, Outcome, ReceiptBody,
};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Answer, answer, blocking, read_json};
use crate::centre::{ANSWER_TIME, Centre};
use crate::error::ServiceError;
use crate::shell::App;
use crate::shell::device_gate::CertifiedTerminal;
use crate::shell::problem::Refusal;

/// Enrol a device
///
/// A one-time code and the device's public key in; the terminal's id, its station and the centre's keys out. The same
/// device may ask again with its code and hears the same, so that a lost answer costs nothing. With `csr` the answer
/// brings a certificate, which every other call of a terminal must show. Always 200: there is no address under which an
/// enrolment could be read.
#[utoipa::path(
    post, path = "/api/v1/enrol", operation_id = "enrol", tag = "terminals",
    request_body = EnrolRequest,
    responses((status = 200, description = "The device is a terminal.", body = EnrolResponse)),
)]
pub async fn enrol(State(app): State<App>, request: Request<Body>) -> Answer<EnrolResponse> {
    let request: EnrolRequest = read_json(request).await?;
    let centre = app.centre.clone();
    answer(blocking(move || centre.enrol(request)).await)
}

/// Renew a certificate
///
/// A certificate request signed by the device key in, a certificate out: before the one in use ends, or afterwards,
/// since this call needs none. The signature of the request is the proof; whoever sends one that was seen elsewhere gets
/// a certificate for a key that they do not have.
#[utoipa::path(
    post, path = "/api/v1/certificate", operation_id = "renew_certificate", tag = "terminals",
    request_body = CertificateRequest,
    responses((status = 200, description = "The certificate.", body = CertificateResponse)),
)]
pub async fn certificate(State(app): State<App>, request: Request<Body>) -> Answer<CertificateResponse> {
    let request: CertificateRequest = read_json(request).await?;
    let centre = app.centre.clone();
    answer(blocking(move || centre.renew_certificate(request)).await)
}

/// Send envelopes
///
/// A batch in, a result for each envelope out. Always 200 for a readable batch: a conflict or refusal is the result
/// of one envelope and carries its own problem, so that one bad row never holds up the others. Only when the centre
/// itself is in trouble does the whole batch come again. Envelopes carry their own signature. An envelope's id makes
/// the send repeatable: the same bytes again are answered with `duplicate` and the same receipt.
#[utoipa::path(
    post, path = "/api/v1/envelopes", operation_id = "send_envelopes", tag = "terminals",
    request_body = EnvelopeBatch,
    responses((status = 200, description = "What became of each envelope, in order.", body = BatchResponse)),
)]
pub async fn envelopes(
    State(app): State<App>,
    certified: CertifiedTerminal,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    let batch: EnvelopeBatch = read_json(request).await?;
    let results = take(app.centre, &certified, batch).await?;
    let location = new_case(&results);
    let mut response = Json(results).into_response();
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Checks a batch, here or on a blocking thread, and waits for its COMMIT without holding a thread.
async fn take(
    centre: Arc<Centre>,
    certified: &CertifiedTerminal,
    batch: EnvelopeBatch,
) -> Result<BatchResponse, ServiceError> {
    let checked = match centre.check_quickly(batch)? {
        Ok(checked) => checked,
        Err(batch) => {
            let centre = centre.clone();
            blocking(move || centre.check_batch(batch)).await?
        }
    };
    let (done, all_done) = oneshot::channel();
    let checked = checked.only_where(|terminal| certified.agree(terminal));
    let queued = centre.queue_batch(checked, move || {
        // A caller that went away hears nothing.
        let _ = done.send(());
    });
    let _ = timeout(ANSWER_TIME, all_done).await;
    centre.answer_batch(queued)
}

/// Where the new case is, if the batch made exactly one. A case has a number; other envelopes have none.
fn new_case(results: &BatchResponse) -> Option<HeaderValue> {
    let accepted = results.results.iter().filter(|r| r.outcome == Outcome::Accepted);
    let bodies = accepted.filter_map(|r| serde_json::from_slice(&r.receipt.as_ref()?.body.0).ok());
    let mut cases = bodies.filter(|b: &ReceiptBody| b.number.is_some());
    let case = cases.next().filter(|_| cases.next().is_none())?;
    HeaderValue::from_str(&format!("/api/v1/cases/{}", case.envelope_id)).ok()
}

/// Answer of a server that serves.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
    /// Version of the server.
    version: &'static str,
    /// What every response carries.
    contact: Contact,
}

/// See whether the server serves
///
/// The process serves and its store answers.
#[utoipa::path(
    get, path = "/healthz", operation_id = "health", tag = "server",
    responses((status = 200, description = "It does.", body = Health)),
)]
pub async fn healthz(State(app): State<App>) -> Answer<Health> {
    let centre = app.centre.clone();
    let contact = blocking(move || {
        centre.read(|tx| Ok::<_, ServiceError>(tx.query_int("SELECT 1", &[])?))?;
        Ok(centre.contact())
    })
    .await?;
    Ok(Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION"), contact }))
}

/// Read this description
///
/// OpenAPI 3.1; the same that `sync-server openapi` prints.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "describe", tag = "server",
    responses((status = 200, description = "The description of the API.", body = serde_json::Value)),
)]
pub async fn describe() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], crate::openapi::document()).into_response()
}
