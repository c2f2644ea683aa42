//! `POST /api/v1/carriers/{carrier}/events`: what a carrier tells of a parcel, signed with the shared secret.
//!
//! Not part of the described API: carriers are no terminals. The call is described in `docs/api/README.md`. An unknown carrier
//! and a wrong signature are answered alike.
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request};
use serde::Serialize;

use super::{Answer, answer, blocking, strict};
use crate::carriers::signature;
use crate::error::{ProblemCode, ServiceError};
use crate::services::parcels::{self, Message};
use crate::shell::App;
use crate::shell::problem::Refusal;

/// Bytes of a message, at most.
const MAX_BYTES: usize = 8 << 10;

/// What became of a message.
#[derive(Debug, Serialize)]
pub struct Heard {
    /// `taken`, `known` (it came before), `of_before` (the parcel was made again since) or `late` (it says nothing new).
    pub outcome: &'static str,
}

/// Takes a message; the same one again is answered `known`.
pub async fn heard(
    State(app): State<App>,
    carrier: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    request: Request<Body>,
) -> Answer<Heard> {
    let body = axum::body::to_bytes(request.into_body(), MAX_BYTES).await;
    let body = body.map_err(|_| Refusal::from(ServiceError::from(ProblemCode::TooLarge)))?;
    let carrier = carrier.map(|Path(code)| code).unwrap_or_default();
    let header = headers.get(signature::HEADER).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    answer(
        blocking(move || {
            let now_ms = app.centre.now_ms();
            let secret = app.carriers.secret(&carrier).ok_or(ProblemCode::SignatureInvalid)?;
            if !signature::holds(&secret, &header, now_ms, &body) {
                return Err(ProblemCode::SignatureInvalid.into());
            }
            let message: Message = strict::read(&body).map_err(|_| {
                ServiceError::refused(ProblemCode::MalformedRequest, "not what this call takes")
            })?;
            let own = app.centre.clone();
            let outcome = app.centre.write(move |tx| {
                let now = (own.now_ms(), &mut own.random() as &mut dyn rand_core::CryptoRng);
                parcels::hear(tx, own.context(), now, (&carrier, &message))
            })?;
            Ok(Heard { outcome: outcome.as_str() })
        })
        .await,
    )
}
