//! JSON for terminals and other programs. Handlers take the request apart, call the centre on a blocking thread and put the answer
//! together; what a call does lies in the services.
mod body;
// Public for what the macros of the handlers leave beside them.
pub mod calls;
pub mod carriers;
pub mod certificates;
pub mod changes;
pub mod citizen;
pub mod heartbeat;
pub mod offers;
mod parameters;
pub mod partner;
pub mod payments;
pub mod reads;
mod receive;
mod strict;
pub mod tuf;
pub mod uploads;

pub use body::{MAX_BODY_BYTES, read_json};

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::ServiceError;
use crate::shell::problem::Refusal;

/// The highest cursor: what the store's whole numbers hold.
pub const MAX_CURSOR: u64 = i64::MAX as u64;

/// A call's answer: JSON, or a problem.
pub type Answer<T> = Result<Json<T>, Refusal>;

/// Runs blocking work off the async threads.
///
/// # Errors
/// The error of the work; a panic in it is an internal error.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => Err(ServiceError::Inconsistent(format!("a call broke off: {e}"))),
    }
}

fn answer<T: Serialize>(result: Result<T, ServiceError>) -> Answer<T> {
    result.map(Json).map_err(Refusal::from)
}

/// What is at no address.
pub async fn not_found() -> Response {
    Refusal::from(ServiceError::from(crate::error::ProblemCode::NotFound)).into_response()
}

/// What an address does not take.
pub async fn method_not_allowed() -> Response {
    Refusal::from(ServiceError::from(crate::error::ProblemCode::MethodNotAllowed)).into_response()
}
