//! The guard around every call of both listeners: a request id, a budget of calls, admission, a time limit, no escaped panic,
//! one shape of errors, one log line without personal data.
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::App;
use super::accept::prefers_json;
use super::budget::Standing;
use super::connections::Peer;
use super::problem::{add_headers, error_in, json_response};
use crate::admission::Urgency;
use crate::error::{ProblemCode, ServiceError};
use crate::pages;

/// Time for a whole request, its body and a long poll included.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// Pages load nothing from elsewhere and run no script of their own making.
const PAGE_POLICY: &str = "default-src 'self'; img-src 'self' data:; script-src 'self'; style-src 'self'; \
                           base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The route whose calls have a budget of their own.
const ENROL: &str = "/api/v1/enrol";
/// Admission counts milliseconds from here.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Whose listener it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Programs: errors are problem+json.
    Terminals,
    /// People: errors are pages, except for callers that would rather read JSON.
    People,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Self::Terminals => "terminals",
            Self::People => "people",
        }
    }
}

/// See the module.
pub async fn guard(State((app, side)): State<(App, Side)>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(app.centre.now_ms());
    let method = request.method().clone();
    // The pattern, not the address: an address may hold a number that somebody typed.
    let route = request.extensions().get::<MatchedPath>().map_or("-", |p| p.as_str()).to_owned();
    let as_json = side == Side::Terminals || prefers_json(request.headers());
    let quiet = route == "/healthz" || route.starts_with("/static/");
    let standing = request.extensions().get::<Peer>().map(|Peer(peer)| {
        let enrolment = method == Method::POST && route == ENROL;
        app.callers.count(peer.ip(), enrolment, started)
    });
    let refused_for = standing.as_ref().and_then(|s| s.refused_for_secs);
    let sent_away_ms = urgency(side, &method, &route)
        .filter(|_| refused_for.is_none())
        .and_then(|urgency| sent_away_ms(&app, urgency, started));
    let mut response = if refused_for.is_some() {
        refused(ProblemCode::TooManyRequests.into())
    } else if sent_away_ms.is_some() {
        refused(ProblemCode::Busy.into())
    } else {
        match tokio::time::timeout(REQUEST_TIME, run(request, next)).await {
            Ok(response) => response,
            Err(_) => refused(ProblemCode::RequestTimeout.into()),
        }
    };
    if let Some(error) = error_in(&mut response, as_json) {
        let problem = error.to_problem(Some(id.clone()));
        let allow = response.headers().get(header::ALLOW).cloned();
        response = if as_json {
            json_response(&problem, &app.centre.contact())
        } else {
            pages::error_page(&problem)
        };
        if side == Side::People {
            response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
        }
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    add_headers(&mut response, app.centre.context().epoch, app.centre.now_ms(), &id);
    if let Some(standing) = standing {
        add_budget(response.headers_mut(), &standing);
    }
    if let Some(ms) = sent_away_ms {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
    }
    if side == Side::People {
        let headers = response.headers_mut();
        // A file that is handed out is bound tighter than a page.
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    crate::metrics::request(
        side.word(),
        method.as_str(),
        &route,
        response.status().as_u16(),
        started.elapsed(),
    );
    if !quiet {
        log(&method, &route, &response, started.elapsed(), &id);
    }
    response
}

/// How urgent a call is; none for what is always let in.
fn urgency(side: Side, method: &Method, route: &str) -> Option<Urgency> {
    match route {
        _ if side == Side::People => None,
        "/healthz" => None,
        "/api/v1/heartbeat" => Some(Urgency::Heartbeat),
        _ if method == Method::GET || method == Method::HEAD => Some(Urgency::News),
        _ => Some(Urgency::Submission),
    }
}

/// After how many milliseconds a call is to come again, if it is not let in.
fn sent_away_ms(app: &App, urgency: Urgency, now: Instant) -> Option<u64> {
    let since = now.saturating_duration_since(*BEGINNING).as_millis();
    app.centre.admission()?.admit(urgency, u64::try_from(since).unwrap_or(u64::MAX)).err()
}

/// What the caller may still do, and when, if it may not now.
fn add_budget(headers: &mut HeaderMap, standing: &Standing) {
    for (name, text) in [("ratelimit-policy", &standing.policy), ("ratelimit", &standing.limit)] {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    }
    if let Some(secs) = standing.refused_for_secs {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
}

/// Runs the rest so that a panic in it becomes an answer.
async fn run(request: Request, next: Next) -> Response {
    let mut rest = pin!(next.run(request));
    poll_fn(|context| {
        // After a panic the rest is never polled again.
        catch_unwind(AssertUnwindSafe(|| rest.as_mut().poll(context))).unwrap_or_else(|_| {
            Poll::Ready(refused(ServiceError::Inconsistent("a handler broke off".to_owned())))
        })
    })
    .await
}

fn refused(error: ServiceError) -> Response {
    use axum::response::IntoResponse as _;
    super::problem::Refusal::from(error).into_response()
}

fn request_id(now_ms: i64) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{now_ms:x}-{:x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn log(method: &Method, route: &str, response: &Response, took: Duration, id: &str) {
    let status = response.status().as_u16();
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        http.method = %method,
        http.route = route,
        http.status = status,
        duration_ms,
        request.id = id,
        "{method} {route} {status}"
    );
}
