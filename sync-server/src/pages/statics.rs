//! The style sheet, the icons and htmx, built in; changed only with the program, so browsers may keep them for an hour.
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header;
use axum::response::IntoResponse as _;

use super::Page;
use crate::error::{ProblemCode, ServiceError};

const FILES: [(&str, &str, &str); 4] = [
    ("jinban.css", "text/css; charset=utf-8", include_str!("../../static/jinban.css")),
    ("icons.svg", "image/svg+xml", include_str!("../../static/icons.svg")),
    ("htmx.js", "text/javascript; charset=utf-8", include_str!("../../static/htmx.js")),
    ("mark.svg", "image/svg+xml", include_str!("../../static/mark.svg")),
];

/// `/static/{name}`
pub async fn static_file(name: Result<Path<String>, PathRejection>) -> Page {
    let name = name.map(|Path(n)| n).unwrap_or_default();
    let (_, media_type, content) = FILES
        .into_iter()
        .find(|(n, ..)| *n == name)
        .ok_or_else(|| ServiceError::from(ProblemCode::NotFound))?;
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "public, max-age=3600")];
    Ok((headers, content).into_response())
}
