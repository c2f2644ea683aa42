//! The style sheet, the icons, htmx, the charts and the scripts of desk, window and figures, built in; changed only with the
//! program, so browsers may keep them for an hour.
//! And the bank's picture, which its tag tells apart from another one.
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::Page;
use crate::bank_mark::BankMark;
use crate::error::{ProblemCode, ServiceError};
use crate::shell::App;
use crate::shell::etag::is_known;

const STYLE: &str = "jinban.css";
const FILES: [(&str, &str, &str); 8] = [
    (STYLE, "text/css; charset=utf-8", include_str!("../../static/jinban.css")),
    ("icons.svg", "image/svg+xml", include_str!("../../static/icons.svg")),
    ("htmx.js", "text/javascript; charset=utf-8", include_str!("../../static/htmx.js")),
    ("desk.js", "text/javascript; charset=utf-8", include_str!("../../static/desk.js")),
    ("window.js", "text/javascript; charset=utf-8", include_str!("../../static/window.js")),
    ("charts.js", "text/javascript; charset=utf-8", include_str!("../../static/charts.js")),
    ("statistics.js", "text/javascript; charset=utf-8", include_str!("../../static/statistics.js")),
    ("mark.svg", "image/svg+xml", include_str!("../../static/mark.svg")),
];
/// The bank's picture.
const BANK: &str = "bank-mark";
const AN_HOUR: &str = "public, max-age=3600";

/// `/static/{name}`
pub async fn static_file(
    State(app): State<App>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Page {
    let name = name.map(|Path(n)| n).unwrap_or_default();
    let missing = || ServiceError::from(ProblemCode::NotFound);
    if name == BANK {
        return Ok(bank_mark(app.mark.as_deref().ok_or_else(missing)?, &headers));
    }
    let (_, media_type, content) = FILES.into_iter().find(|(n, ..)| *n == name).ok_or_else(missing)?;
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, AN_HOUR)];
    let Some(mark) = app.mark.as_deref().filter(|_| name == STYLE) else {
        return Ok((headers, content).into_response());
    };
    Ok((headers, format!("{content}{}", mark.style)).into_response())
}

fn bank_mark(mark: &BankMark, headers: &HeaderMap) -> Response {
    let lasting = [(header::ETAG, mark.tag.clone()), (header::CACHE_CONTROL, AN_HOUR.to_owned())];
    if is_known(headers, &mark.tag) {
        return (StatusCode::NOT_MODIFIED, lasting).into_response();
    }
    (lasting, [(header::CONTENT_TYPE, mark.media_type())], mark.bytes().to_vec()).into_response()
}
