//! `POST /api/v1/offers`: reads the body, asks the centre, answers.
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use domain::wire::v1::{OfferRequest, OfferResponse};

use super::{Answer, answer, blocking, read_json};
use crate::centre::offer_in;
use crate::shell::App;
use crate::shell::device_gate::CertifiedTerminal;

/// Offer receipts to a restored centre
///
/// A terminal that sees another server epoch shows the receipts that it has, at most 200 at once; the answer names those
/// whose envelopes the centre does not have, and the terminal sends again what it still has of them. What nobody has any
/// more is written down as lost. The offer is signed over `SHA-256("jinban/offer/1" || u32 big-endian length of the body
/// || body)`, the body being the exact bytes of an `Offer` as JSON. It may be repeated.
#[utoipa::path(
    post, path = "/api/v1/offers", operation_id = "offer_receipts", tag = "terminals",
    request_body = OfferRequest,
    responses((status = 200, description = "What the centre does not have.", body = OfferResponse)),
)]
pub async fn offers(
    State(app): State<App>,
    certified: CertifiedTerminal,
    request: Request<Body>,
) -> Answer<OfferResponse> {
    let request: OfferRequest = read_json(request).await?;
    certified.agree(&offer_in(&request.offer)?.terminal)?;
    let centre = app.centre.clone();
    answer(blocking(move || centre.take_offer(&request)).await)
}
