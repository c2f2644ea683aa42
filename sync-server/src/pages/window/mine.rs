//! `/window/mine`: cases that the clerk opened and stays answerable for, the newest first.
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use serde::Deserialize;

use super::{W, title_of};
use crate::error::ServiceError;
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::view::{self, Badge};
use crate::pages::{Page, in_address, read_page};
use crate::services::sessions::Caller;
use crate::services::window::{self, MINE};
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

/// What stands in the address; what is no place is the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "window_mine.html")]
struct MinePage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    rows: Vec<RowView>,
    first: bool,
    more: Option<String>,
}

struct RowView {
    number: String,
    item: String,
    state: Badge,
    next: String,
    opened: String,
    age: String,
}

/// The list.
pub async fn mine(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let asked = in_address(asked)?;
    read_page(app, move |tx, app, now_ms| draw(tx, app, &asked, (&caller, now_ms))).await
}

fn draw(
    tx: &mut Tx<'_>,
    app: &App,
    asked: &Asked,
    (caller, now_ms): (&Caller, i64),
) -> Result<MinePage, ServiceError> {
    let before = asked.before.parse().ok().filter(|place| *place <= crate::api::MAX_CURSOR);
    let mut found = window::mine(tx, caller.account.as_str(), before.unwrap_or(crate::api::MAX_CURSOR))?;
    let more = found.len() as u64 > MINE;
    found.truncate(MINE as usize);
    let shelf = &app.centre.context().shelf;
    let mut rows = Vec::new();
    for case in &found {
        let volume = shelf.get(tx, case.catalogue_version)?;
        let catalogue = volume.as_deref().map(|volume| &volume.catalogue);
        rows.push(RowView {
            number: case.number.to_string(),
            item: case.item.as_ref().map(|code| title_of(catalogue, code)).unwrap_or_default(),
            state: view::badge(W, case.state),
            next: W.of("next", case.state.as_str()),
            opened: view::time(case.received_at_ms, now_ms),
            age: view::span(W, now_ms - case.changed_at_ms),
        });
    }
    let last = found.last().filter(|_| more);
    let newest = shelf.newest(tx)?;
    Ok(MinePage {
        rows,
        first: before.is_none(),
        more: last.map(|case| format!("/window/mine?before={}", case.server_seq)),
        sample: newest.as_deref().and_then(|volume| sample(&volume.catalogue)),
        frame: frame(tx, caller, now_ms, Here::WindowMine)?,
        w: W,
    })
}
