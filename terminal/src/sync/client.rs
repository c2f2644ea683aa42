//! Requests and answers of wire v1 as bytes; says what an answer means without acting on it.
use base64::Engine as _;
use domain::envelope::{DeviceKey, SignedDocument, request_digest};
use domain::ids::TerminalId;
use domain::wire::v1::{
    ChangesQuery, EnvelopeBatch, EnvelopeUpload, HeartbeatRequest, OfferRequest, PROBLEM_MEDIA_TYPE, Problem,
    SIGNATURE_HEADER, TERMINAL_HEADER,
};
use serde::de::DeserializeOwned;

use super::transport::{Method, Request, Response, TransportError};

/// What an answer means for the sender.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer<T> {
    /// 200 with the expected JSON.
    Good(T),
    /// Try again later: the link or the server, never the content. Text for the log and the staff page.
    Later {
        /// What happened.
        why: String,
        /// Seconds that the server asks to wait.
        retry_after_secs: Option<u32>,
        /// Whether the server itself answered (else the link is down).
        reached: bool,
    },
    /// 401 or 403: this terminal is not let in. Rows stay queued, staff are told.
    NotLetIn(String),
    /// 400, 409, 410, 413, 415, 422: the content as sent cannot be taken.
    Malformed(String),
}

/// `POST /api/v1/envelopes`.
pub(super) fn batch_request(uploads: Vec<EnvelopeUpload>) -> Request {
    let body = serde_json::to_vec(&EnvelopeBatch { envelopes: uploads }).unwrap_or_default();
    Request {
        method: Method::Post,
        path_and_query: "/api/v1/envelopes".to_owned(),
        headers: Vec::new(),
        body: Some(body),
    }
}

/// `GET /api/v1/changes`, signed by the device.
pub(super) fn changes_request(query: ChangesQuery, terminal: &TerminalId, key: &DeviceKey) -> Request {
    let order = query.order.map(|number| format!("&order={number}")).unwrap_or_default();
    let path_and_query = format!("/api/v1/changes?after={}&wait={}{order}", query.after, query.wait);
    let signature = signature(key, "GET", &path_and_query);
    Request {
        method: Method::Get,
        path_and_query,
        headers: vec![(TERMINAL_HEADER, terminal.to_string()), (SIGNATURE_HEADER, signature)],
        body: None,
    }
}

/// The signature of a call without an envelope, as it stands in its header.
pub(super) fn signature(key: &DeviceKey, method: &str, path_and_query: &str) -> String {
    let signature = key.sign(&request_digest(method, path_and_query));
    base64::engine::general_purpose::STANDARD.encode(&signature.0.0)
}

/// `POST /api/v1/heartbeat`.
pub(super) fn heartbeat_request(heartbeat: SignedDocument) -> Request {
    Request {
        method: Method::Post,
        path_and_query: "/api/v1/heartbeat".to_owned(),
        headers: Vec::new(),
        body: Some(serde_json::to_vec(&HeartbeatRequest { heartbeat }).unwrap_or_default()),
    }
}

/// `POST /api/v1/offers`.
pub(super) fn offer_request(offer: SignedDocument) -> Request {
    Request {
        method: Method::Post,
        path_and_query: "/api/v1/offers".to_owned(),
        headers: Vec::new(),
        body: Some(serde_json::to_vec(&OfferRequest { offer }).unwrap_or_default()),
    }
}

/// Reads an answer.
pub(super) fn read_answer<T: DeserializeOwned>(answer: Result<Response, TransportError>) -> Answer<T> {
    let response = match answer {
        Ok(r) => r,
        Err(e) => return Answer::Later { why: e.to_string(), retry_after_secs: None, reached: false },
    };
    let problem = problem_text(&response);
    let later =
        |why: String, reached| Answer::Later { why, retry_after_secs: response.retry_after_secs, reached };
    match response.status {
        200 if response.content_type == "application/json" => match serde_json::from_slice(&response.body) {
            Ok(value) => Answer::Good(value),
            Err(_) => later("the answer is not what was asked for".to_owned(), false),
        },
        // A captive portal says 200 and shows a page, or redirects: the link is not there.
        200..=399 => later(format!("status {} from something else than the server", response.status), false),
        408 | 425 | 429 | 500..=599 => later(problem, response.content_type == PROBLEM_MEDIA_TYPE),
        401 | 403 if response.content_type == PROBLEM_MEDIA_TYPE => Answer::NotLetIn(problem),
        400 | 409 | 410 | 413 | 415 | 422 if response.content_type == PROBLEM_MEDIA_TYPE => {
            Answer::Malformed(problem)
        }
        _ => later(problem, false),
    }
}

/// Code and status of a problem, for logs and parked rows; the status alone if it is none.
fn problem_text(response: &Response) -> String {
    match serde_json::from_slice::<Problem>(&response.body) {
        Ok(p) if response.content_type == PROBLEM_MEDIA_TYPE => {
            let code: String =
                p.code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect();
            format!("{} {code}", response.status)
        }
        _ => format!("status {}", response.status),
    }
}

#[cfg(test)]
mod tests {
    use domain::wire::v1::ChangesResponse;

    use super::*;

    fn response(status: u16, content_type: &str, body: &str) -> Result<Response, TransportError> {
        Ok(Response {
            status,
            content_type: content_type.to_owned(),
            retry_after_secs: Some(7),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn every_kind_of_answer_has_one_meaning() {
        let problem = r#"{"type":"/problems/x","title":"t","status":400,"code":"x"}"#;
        type Means = fn(&Answer<ChangesResponse>) -> bool;
        let table: [(_, Means); 12] = [
            (Err(TransportError::TimedOut), |a| matches!(a, Answer::Later { reached: false, .. })),
            (response(200, "text/html", "<html>"), |a| matches!(a, Answer::Later { reached: false, .. })),
            (response(200, "application/json", "{}"), |a| matches!(a, Answer::Later { reached: false, .. })),
            (response(302, "text/html", ""), |a| matches!(a, Answer::Later { reached: false, .. })),
            (response(400, "text/html", "no"), |a| matches!(a, Answer::Later { .. })),
            (response(400, PROBLEM_MEDIA_TYPE, problem), |a| *a == Answer::Malformed("400 x".to_owned())),
            (response(413, PROBLEM_MEDIA_TYPE, problem), |a| matches!(a, Answer::Malformed(_))),
            (response(401, PROBLEM_MEDIA_TYPE, problem), |a| matches!(a, Answer::NotLetIn(_))),
            (response(403, "text/html", "portal"), |a| matches!(a, Answer::Later { .. })),
            (response(404, PROBLEM_MEDIA_TYPE, problem), |a| matches!(a, Answer::Later { .. })),
            (response(429, PROBLEM_MEDIA_TYPE, problem), |a| {
                matches!(a, Answer::Later { retry_after_secs: Some(7), reached: true, .. })
            }),
            (response(503, "text/plain", "busy"), |a| matches!(a, Answer::Later { reached: false, .. })),
        ];
        for (n, (answer, expected)) in table.into_iter().enumerate() {
            let read = read_answer(answer);
            assert!(expected(&read), "row {n}: {read:?}");
        }
    }
}
