//! How an error travels inside the shell: a response whose extension holds the problem. The guard around each
//! listener writes it out, as problem+json for programs and as a page for people.
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::ids::ServerEpoch;
use domain::wire::v1::{Contact, PROBLEM_MEDIA_TYPE, Problem};

use crate::error::{ProblemCode, ServiceError};

/// Seconds after which a busy centre is asked again.
const RETRY_AFTER_SECS: &str = "5";

/// An error on its way out of a handler.
#[derive(Debug)]
pub struct Refusal(Box<ServiceError>);

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        Self(Box::new(error))
    }
}

/// The error inside a response, until the guard has written it out.
#[derive(Clone)]
pub struct Pending(pub std::sync::Arc<ServiceError>);

/// Marks a response whose error status has its own page already.
#[derive(Debug, Clone, Copy)]
pub struct Drawn;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Pending(std::sync::Arc::new(*self.0)));
        response
    }
}

/// The error in a response: a handler's own, or the framework's plain one by its status. A page that a handler drew for
/// an error stays, except for a caller that would rather read JSON than be told what is not there or not allowed.
pub fn error_in(response: &mut Response, as_json: bool) -> Option<std::sync::Arc<ServiceError>> {
    if let Some(Pending(error)) = response.extensions_mut().remove::<Pending>() {
        return Some(error);
    }
    let status = response.status();
    let drawn = response.extensions_mut().remove::<Drawn>().is_some();
    if drawn && !(as_json && matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)) {
        return None;
    }
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let code = match status.as_u16() {
        403 => ProblemCode::RoleNeeded,
        404 => ProblemCode::NotFound,
        405 => ProblemCode::MethodNotAllowed,
        408 => ProblemCode::RequestTimeout,
        413 => ProblemCode::TooLarge,
        415 => ProblemCode::UnsupportedMediaType,
        429 => ProblemCode::TooManyRequests,
        431 => ProblemCode::HeadersTooLarge,
        400..=499 => ProblemCode::MalformedRequest,
        _ => return Some(std::sync::Arc::new(ServiceError::Inconsistent(format!("status {status}")))),
    };
    Some(std::sync::Arc::new(code.into()))
}

/// A problem as JSON, with the contact that every answer to a terminal carries.
pub fn json_response(problem: &Problem, contact: &Contact) -> Response {
    let mut value = serde_json::to_value(problem).unwrap_or_default();
    if let (Some(object), Ok(contact)) = (value.as_object_mut(), serde_json::to_value(contact)) {
        object.insert("contact".into(), contact);
    }
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status_of(problem);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
    response
}

/// The HTTP status of a problem.
pub fn status_of(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Headers that every answer carries.
pub fn add_headers(response: &mut Response, epoch: ServerEpoch, now_ms: i64, request_id: &str) {
    let status = response.status();
    let headers = response.headers_mut();
    let texts = [
        ("jinban-server-epoch", epoch.to_string()),
        ("jinban-server-time-ms", now_ms.to_string()),
        ("jinban-request-id", request_id.to_owned()),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECS));
    }
}
