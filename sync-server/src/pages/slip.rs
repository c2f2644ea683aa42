//! `/slips/{number}?d=…`: what the QR code of a slip opens on a citizen's phone. The four marks, no personal data.
use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use domain::case::CaseState;
use domain::ids::CaseNo;
use domain::text::Language;
use serde::Deserialize;

use super::view::{self, MarkView};
use super::{Page, render};
use crate::api::blocking;
use crate::error::ServiceError;
use crate::services::Context;
use crate::services::slips::{self, SlipView};
use crate::services::work_list;
use crate::shell::App;
use crate::shell::problem::Drawn;
use crate::store::Tx;
use crate::words::Words;

/// What stands in the URL.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SlipQuery {
    /// The first 16 digits of the digest, as on the slip.
    #[serde(default)]
    d: String,
    #[serde(default)]
    lang: String,
}

/// The page of a slip. An unknown number, a wrong digest and a misspelt number look the same.
pub async fn slip(
    State(app): State<App>,
    number: Result<Path<String>, PathRejection>,
    query: Result<Query<SlipQuery>, QueryRejection>,
) -> Page {
    let query = query.map(|Query(q)| q).unwrap_or_default();
    let w = Words(if query.lang == "en" { Language::En } else { Language::ZhCn });
    let number: Option<CaseNo> = number.ok().and_then(|Path(n)| n.parse().ok());
    let centre = app.centre.clone();
    let page = blocking(move || {
        let now_ms = centre.now_ms();
        let Some(number) = number else { return Ok(None) };
        centre.read(|tx| {
            let found = slips::find(tx, &number, &query.d)?;
            found.map(|view| draw(tx, centre.context(), view, &query, now_ms)).transpose()
        })
    })
    .await?;
    match page {
        Some(page) => render(&page),
        None => {
            let mut response = render(&NotHerePage { w })?;
            *response.status_mut() = StatusCode::NOT_FOUND;
            response.extensions_mut().insert(Drawn);
            Ok(response)
        }
    }
}

#[derive(Template)]
#[template(path = "slip.html")]
struct SlipPage {
    w: Words,
    item: String,
    last_four: String,
    heading: &'static str,
    note: Option<(&'static str, &'static str)>,
    corrected: Option<String>,
    marks: Vec<MarkView>,
    station: String,
    groups: Vec<String>,
    receipt_no: u64,
    receipt_at: String,
    other_language: String,
    sample: bool,
}

#[derive(Template)]
#[template(path = "slip_not_here.html")]
struct NotHerePage {
    w: Words,
}

fn draw(
    tx: &mut Tx<'_>,
    context: &Context,
    slip: SlipView,
    query: &SlipQuery,
    now_ms: i64,
) -> Result<SlipPage, ServiceError> {
    let w = Words(if query.lang == "en" { Language::En } else { Language::ZhCn });
    let volume = context.shelf.newest(tx)?;
    let catalogue = volume.as_deref().map(|v| &v.catalogue);
    let entry = slip.item.as_ref().and_then(|code| catalogue.and_then(|c| c.entry(code)));
    let item = entry.map_or_else(String::new, |e| e.title().get(w.0).to_owned());
    let named = catalogue.and_then(|c| c.stations.get(&slip.station)).map(|s| s.name.get(w.0).to_owned());
    let stored =
        || work_list::stations(tx).ok()?.into_iter().find(|(id, ..)| *id == slip.station).map(|s| s.1);
    let station = named.or_else(stored).unwrap_or_else(|| slip.station.to_string());
    let (heading, note) = match slip.state {
        CaseState::Received | CaseState::Submitted => ("slip.heading_delivered", None),
        CaseState::Accepted => ("slip.heading_accepted", None),
        CaseState::Completed => ("slip.heading_completed", None),
        CaseState::Returned => ("slip.heading_returned", Some(("warn", "slip.returned_note"))),
        CaseState::Quarantined => ("slip.heading_quarantined", Some(("run", "slip.quarantined_note"))),
    };
    let times = (slip.device_time_ms, slip.accepted_at_ms, slip.changed_at_ms);
    let other = if w.0 == Language::En { "" } else { "&lang=en" };
    let corrected =
        slip.slip_number.as_ref().map(|_| w.fill("slip.corrected", &[("number", slip.number.as_str())]));
    Ok(SlipPage {
        item,
        last_four: slip.number.groups()[3].to_owned(),
        heading: w.t(heading),
        note: note.map(|(glyph, key)| (glyph, w.t(key))),
        corrected,
        marks: view::awaiting(w, view::marks(w, slip.state, times, now_ms), slip.pages),
        station,
        groups: slip.number.groups().iter().map(|g| (*g).to_owned()).collect(),
        receipt_no: slip.server_seq,
        receipt_at: view::time(slip.accepted_at_ms, now_ms),
        other_language: format!("/slips/{}?d={}{other}", slip.number, query.d),
        sample: catalogue.is_some_and(|c| c.data_label == "sample"),
        w,
    })
}
