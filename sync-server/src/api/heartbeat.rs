//! `POST /api/v1/heartbeat`: reads the body, asks the centre, answers.
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use domain::wire::v1::{HeartbeatRequest, HeartbeatResponse};

use super::{Answer, answer, blocking, read_json};
use crate::centre::heartbeat_in;
use crate::shell::App;
use crate::shell::device_gate::CertifiedTerminal;

/// Say how a terminal is
///
/// A heartbeat signed by the device in; the order for this terminal out, if there is a newer one than it has. The
/// signature is Ed25519 over `SHA-256("jinban/heartbeat/1" || u32 big-endian length of the body || body)`, the body
/// being the exact bytes of a `Heartbeat` as JSON. Its `number` rises: one that comes again or too late changes nothing
/// and is answered like any other. An order is signed the same way under `jinban/order/1` with the receipt key.
#[utoipa::path(
    post, path = "/api/v1/heartbeat", operation_id = "heartbeat", tag = "terminals",
    request_body = HeartbeatRequest,
    responses((status = 200, description = "It was heard.", body = HeartbeatResponse)),
)]
pub async fn heartbeat(
    State(app): State<App>,
    certified: CertifiedTerminal,
    request: Request<Body>,
) -> Answer<HeartbeatResponse> {
    let request: HeartbeatRequest = read_json(request).await?;
    certified.agree(&heartbeat_in(&request.heartbeat)?.terminal)?;
    let centre = app.centre.clone();
    answer(blocking(move || centre.take_heartbeat(&request)).await)
}
