//! `GET /api/v1/changes?after=cursor&wait=seconds`: news of a station, at once or as soon as there is some.
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use domain::envelope::{Bytes, Signature};
use domain::ids::TerminalId;
use domain::wire::v1::{ChangesQuery, ChangesResponse, SIGNATURE_HEADER, TERMINAL_HEADER};

use super::{Answer, answer, blocking};
use crate::error::{ProblemCode, ServiceError};
use crate::shell::App;

/// A caller waits at most this long.
const MAX_WAIT: Duration = Duration::from_secs(25);
/// What a caller is told when too many wait, in milliseconds.
const RETRY_AFTER_MS: u64 = 15_000;

/// News after a cursor.
pub async fn changes(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    query: Result<Query<ChangesQuery>, QueryRejection>,
) -> Answer<ChangesResponse> {
    let Ok(Query(query)) = query else {
        return Err(ServiceError::refused(ProblemCode::MalformedRequest, "the query cannot be read").into());
    };
    let (terminal, signature) = credentials(&headers)?;
    let path = uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let centre = app.centre.clone();
    let (station, series) = blocking(move || {
        let station = centre.station_of(&terminal, &path, &signature)?;
        Ok((station, centre.series_of(&terminal)?))
    })
    .await?;
    // Registered before the store is read: news between reading and waiting are not missed.
    let mut waiter = app.bells.waiter(&station);
    let read = async || {
        let (centre, station) = (app.centre.clone(), station.clone());
        blocking(move || centre.changes(&station, query.after)).await
    };
    let mut news = read().await?;
    news.series.clone_from(&series);
    if !news.changes.is_empty() || query.wait == 0 {
        return answer(Ok(news));
    }
    let wait = Duration::from_secs(u64::from(query.wait)).min(MAX_WAIT);
    if waiter.wait(wait).await {
        news = read().await?;
        news.series = series;
    } else {
        news.contact.retry_after_ms = Some(RETRY_AFTER_MS);
    }
    answer(Ok(news))
}

fn credentials(headers: &HeaderMap) -> Result<(TerminalId, Signature), ServiceError> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let terminal = text(TERMINAL_HEADER).and_then(|t| t.parse().ok()).ok_or(ProblemCode::TerminalUnknown)?;
    let quoted = text(SIGNATURE_HEADER).map(|s| serde_json::Value::String(s.to_owned()));
    let signature: Option<Bytes> = quoted.and_then(|s| serde_json::from_value(s).ok());
    Ok((terminal, Signature(signature.ok_or(ProblemCode::SignatureInvalid)?)))
}
