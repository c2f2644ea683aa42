//! `/api/v1/partner/…`: what another region's centre says, and what this one takes from elsewhere.
//!
//! Each message is signed by its centre and each answer by this one; whether a proxy in between can be trusted does not
//! matter. Without a register of partners there is nothing at these addresses.
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Request;
use domain::envelope::SignedDocument;
use domain::ids::ItemCode;
use domain::wire::v1::{PartnerAnswer, PartnerRequest};
use operator::findings::with_causes;

use super::{Answer, answer, blocking, read_json};
use crate::error::{ProblemCode, ServiceError};
use crate::partners::Register;
use crate::services::handoff::{self, Own};
use crate::shell::App;
use crate::shell::problem::Refusal;

/// The register; one that cannot be read is told to operators, and to nobody else.
///
/// # Errors
/// [`ServiceError`] `not-found` without a register.
pub fn register(app: &App) -> Result<Register, ServiceError> {
    let read = app.partners.read().map_err(|e| ServiceError::Inconsistent(with_causes(&e)))?;
    let register = read.ok_or_else(|| ServiceError::from(ProblemCode::NotFound))?;
    let own = app.centre.context().keys.receipt.public();
    register.of(&own).map_err(|e| ServiceError::Inconsistent(with_causes(&e)))
}

/// Take a message of another region
///
/// A message about a handoff: JSON, signed over `jinban/partner-message/1` by the centre of the region that it names as
/// `from`, at most 240 KiB. Messages of one handoff come in the order of their `seq`; the answer is a receipt, signed over
/// `jinban/partner-receipt/1`, with the SHA-256 of the message and one of `taken`, `duplicate`, `early` (the place of the
/// next is `expected`) or `conflict`. Whoever has no such receipt sends the same bytes again. What is personal lies sealed
/// to a key of this centre.
#[utoipa::path(
    post, path = "/api/v1/partner/messages", operation_id = "send_partner_message", tag = "partners",
    request_body = PartnerRequest,
    responses((status = 200, description = "What became of it.", body = PartnerAnswer)),
)]
pub async fn messages(State(app): State<App>, request: Request<Body>) -> Answer<PartnerAnswer> {
    let request: PartnerRequest = read_json(request).await?;
    answer(
        blocking(move || {
            let (register, centre, now_ms) = (register(&app)?, app.centre.clone(), app.centre.now_ms());
            // Before the only writer is asked: a stranger's bytes cost nobody else's time.
            let own = Own { context: centre.context(), register: &register };
            let judged = handoff::judge(own, request.message)?;
            let here = centre.clone();
            app.centre.write(move |tx| {
                let own = Own { context: here.context(), register: &register };
                handoff::take(tx, own, now_ms, &judged)
            })
        })
        .await,
    )
}

/// List what is taken from other regions
///
/// Codes and names of the items that people of this region may apply for elsewhere, with the catalogue version: a document
/// signed over `jinban/partner-items/1`. Open to everybody; it names nobody.
#[utoipa::path(
    get, path = "/api/v1/partner/items", operation_id = "list_partner_items", tag = "partners",
    responses((status = 200, description = "The list.", body = SignedDocument)),
)]
pub async fn items(State(app): State<App>) -> Answer<SignedDocument> {
    answer(
        blocking(move || {
            let register = register(&app)?;
            let own = Own { context: app.centre.context(), register: &register };
            app.centre.read(|tx| handoff::items_here(tx, own))
        })
        .await,
    )
}

/// Read an item with its form
///
/// An item as this region has it now, with form, guide and time limits, and the catalogue version: a document signed over
/// `jinban/partner-form/1`. A handoff names this version. Open to everybody; it names nobody.
#[utoipa::path(
    get, path = "/api/v1/partner/items/{code}", operation_id = "read_partner_item", tag = "partners",
    responses((status = 200, description = "The item.", body = SignedDocument)),
)]
pub async fn item(
    State(app): State<App>,
    code: Result<Path<String>, PathRejection>,
) -> Result<Json<SignedDocument>, Refusal> {
    let code: Option<ItemCode> = code.ok().and_then(|Path(code)| code.parse().ok());
    answer(
        blocking(move || {
            let register = register(&app)?;
            let code = code.ok_or(ProblemCode::NotFound)?;
            let own = Own { context: app.centre.context(), register: &register };
            app.centre.read(|tx| handoff::form_here(tx, own, &code))
        })
        .await,
    )
}
