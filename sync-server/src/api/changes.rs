//! `GET /api/v1/changes?after=cursor&wait=seconds`: news of a station, at once or as soon as there is some.
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use domain::wire::v1::ChangesResponse;

use super::parameters::{Parameters, signer};
use super::{Answer, MAX_CURSOR, answer, blocking};
use crate::shell::App;

/// A caller waits at most this long.
const MAX_WAIT: Duration = Duration::from_secs(25);
/// What a caller is told when too many wait, in milliseconds.
const RETRY_AFTER_MS: u64 = 15_000;

/// Hear what is new
///
/// News for the caller's station after a cursor, at most 200, oldest first. With `wait` the answer comes as soon as
/// there is some, or after that many seconds (25 at most) with none; when too many callers wait it comes at once, with
/// `retry_after_ms` in the contact. A cursor from the future (the centre was restored) is brought back.
#[utoipa::path(
    get, path = "/api/v1/changes", operation_id = "changes", tag = "terminals",
    responses((status = 200, description = "What is new.", body = ChangesResponse)),
    security(("terminal" = [], "signature" = [])),
)]
pub async fn changes(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Answer<ChangesResponse> {
    let query = Parameters::read(&uri)?;
    let after = query.number("after", 0, 0..=MAX_CURSOR)?;
    let wait = query.number("wait", 0, 0..=u64::from(u32::MAX))?;
    let (terminal, station) = signer(&app, &uri, &headers).await?;
    let centre = app.centre.clone();
    let series = blocking(move || centre.series_of(&terminal)).await?;
    // Registered before the store is read: news between reading and waiting are not missed.
    let mut waiter = app.bells.waiter(&station);
    let read = async || {
        let (centre, station) = (app.centre.clone(), station.clone());
        blocking(move || centre.changes(&station, after)).await
    };
    let mut news = read().await?;
    news.series.clone_from(&series);
    if !news.changes.is_empty() || wait == 0 {
        return answer(Ok(news));
    }
    if waiter.wait(Duration::from_secs(wait).min(MAX_WAIT)).await {
        news = read().await?;
        news.series = series;
    } else {
        news.contact.retry_after_ms = Some(RETRY_AFTER_MS);
    }
    answer(Ok(news))
}
