//! `GET /api/v1/changes?after=cursor&wait=seconds`: news of a station, at once or as soon as there is some.
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use domain::wire::v1::{ChangesQuery, ChangesResponse};
use tokio::time::Instant;

use super::parameters::{Parameters, signer};
use super::{Answer, MAX_CURSOR, answer, blocking};
use crate::shell::{App, Woken};

/// A caller waits at most this long.
const MAX_WAIT: Duration = Duration::from_secs(25);
/// What a caller is told when too many wait, in milliseconds.
const RETRY_AFTER_MS: u64 = 15_000;

/// Hear what is new
///
/// News for the caller's station after a cursor, at most 200, oldest first. With `wait` the answer comes as soon as
/// there is some, or after that many seconds (25 at most) with none; when too many callers wait it comes at once, with
/// `retry_after_ms` in the contact. A cursor from the future (the centre was restored) is brought back. A caller that
/// says in `order` which order it has gets a newer one with the news, or as soon as there is one.
#[utoipa::path(
    get, path = "/api/v1/changes", operation_id = "changes", tag = "terminals",
    responses((status = 200, description = "What is new.", body = ChangesResponse)),
    security(("terminal" = [], "signature" = [])),
)]
pub async fn changes(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Answer<ChangesResponse> {
    let parameters = Parameters::read(&uri)?;
    let after = parameters.number("after", 0, 0..=MAX_CURSOR)?;
    let wait = parameters.number("wait", 0, 0..=u64::from(u32::MAX))?;
    let query = ChangesQuery { after, order: parameters.optional("order", 0..=MAX_CURSOR)?, wait: 0 };
    let (terminal, station) = signer(&app, &uri, &headers).await?;
    // Registered before the store is read: news between reading and waiting are not missed.
    let mut waiter = app.bells.waiter(&station);
    let read = async || {
        let (centre, terminal, station) = (app.centre.clone(), terminal.clone(), station.clone());
        blocking(move || centre.changes((&terminal, &station), query)).await
    };
    let until = Instant::now() + Duration::from_secs(wait).min(MAX_WAIT);
    loop {
        let mut news = read().await?;
        if !news.changes.is_empty() || news.order.is_some() || wait == 0 {
            return answer(Ok(news));
        }
        match waiter.wait(until).await {
            Woken::News => {}
            Woken::Over => return answer(Ok(news)),
            Woken::NoPlace => {
                news.contact.retry_after_ms = Some(RETRY_AFTER_MS);
                return answer(Ok(news));
            }
        }
    }
}
