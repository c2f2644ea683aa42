//! `/slips/{number}?d=…`: what the QR code of a slip opens on a citizen's phone. The four marks, no personal data; and
//! the centre's receipt as a file.
use askama::Template;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use domain::case::CaseState;
use domain::ids::CaseNo;
use domain::text::Language;
use serde::Deserialize;

use super::moment::Begun;
use super::progress::{self as drawing, Line, PayView, Reader, Turn, Whereabouts};
use super::sign_in::drawn;
use super::slip_supplement::can_be_added;
use super::view::{self, MarkTimes};
use super::{Page, render};
use crate::api::blocking;
use crate::error::ServiceError;
use crate::services::Context;
use crate::services::meta;
use crate::services::progress;
use crate::services::receipt;
use crate::services::slips::{self, Proof, SlipView};
use crate::services::window::PLACE;
use crate::services::work_list;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

/// What stands in the URL.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SlipQuery {
    /// The first 16 digits of the digest, as on the slip.
    #[serde(default)]
    pub(super) d: String,
    #[serde(default)]
    lang: String,
    /// The supplement that was handed in just now.
    #[serde(default)]
    pub(super) done: String,
}

/// The page of a slip. An unknown number, a wrong digest and a misspelt number look the same, at the same moment.
pub async fn slip(
    State(app): State<App>,
    number: Result<Path<String>, PathRejection>,
    query: Result<Query<SlipQuery>, QueryRejection>,
) -> Page {
    let begun = Begun::now();
    let (number, query, w) = asked(number, query);
    let centre = app.centre.clone();
    let page = blocking(move || {
        let now_ms = centre.now_ms();
        let Some(number) = number else { return Ok(None) };
        centre.read(|tx| {
            let found = slips::find(tx, &centre.context().keys, &number, Proof::Token(&query.d))?;
            found
                .map(|view| draw(tx, centre.context(), view, Shown { w, token: Some(&query.d), now_ms }))
                .transpose()
        })
    })
    .await?;
    match page {
        Some(page) => render(&page),
        None => not_here(begun, w).await,
    }
}

/// The centre's receipt as a file, which `sync-server verify-slip` checks without the centre.
pub async fn slip_receipt(
    State(app): State<App>,
    number: Result<Path<String>, PathRejection>,
    query: Result<Query<SlipQuery>, QueryRejection>,
) -> Page {
    let begun = Begun::now();
    let (number, query, w) = asked(number, query);
    let centre = app.centre.clone();
    let document = blocking(move || {
        let keys = &centre.context().keys;
        let Some(number) = number else { return Ok(None) };
        let found = centre.read(|tx| slips::find(tx, keys, &number, Proof::Token(&query.d)))?;
        found.map(|found| Ok((receipt::sign(&found.receipt, keys)?, found.number))).transpose()
    })
    .await?;
    let Some((document, number)) = document else { return not_here(begun, w).await };
    let name = format!("attachment; filename=\"{number}-receipt.json\"");
    Ok(([(header::CONTENT_DISPOSITION, name)], Json(document)).into_response())
}

/// What stands in the address, as far as it can be read.
pub(super) fn asked(
    number: Result<Path<String>, PathRejection>,
    query: Result<Query<SlipQuery>, QueryRejection>,
) -> (Option<CaseNo>, SlipQuery, Words) {
    let query = query.map(|Query(q)| q).unwrap_or_default();
    let w = Words(if query.lang == "en" { Language::En } else { Language::ZhCn });
    (number.ok().and_then(|Path(n)| n.parse().ok()), query, w)
}

/// The answer to whatever finds nothing.
pub(super) async fn not_here(begun: Begun, w: Words) -> Page {
    begun.until_refused().await;
    drawn(render(&NotHerePage { w })?, StatusCode::NOT_FOUND, None)
}

#[derive(Template)]
#[template(path = "slip.html")]
pub(super) struct SlipPage {
    w: Words,
    item: String,
    last_four: String,
    heading: &'static str,
    note: Option<(&'static str, &'static str)>,
    turn: Option<Turn>,
    result: Option<Whereabouts>,
    /// What is to be paid, was paid and goes back: for whoever has the token.
    bills: Vec<PayView>,
    corrected: Option<String>,
    lines: Vec<Line>,
    station: String,
    groups: Vec<String>,
    receipt_no: u64,
    receipt_at: String,
    /// The same page in the other language, and the receipt as a file: for whoever has the token.
    links: Option<Links>,
    sample: bool,
}

struct Links {
    other_language: String,
    receipt: String,
    /// Where what is missing can be added, if it can be.
    supplement: Option<String>,
}

/// Whether what is shown is of sample data: the newest catalogue is one, or the store was filled with invented cases.
pub(super) fn is_sample(tx: &mut Tx<'_>, context: &Context) -> Result<bool, ServiceError> {
    let newest = context.shelf.newest(tx)?;
    Ok(newest.is_some_and(|volume| volume.catalogue.is_sample()) || meta::sample_data(tx)?.is_some())
}

/// For whom a page is drawn.
pub(super) struct Shown<'a> {
    /// In which language.
    pub w: Words,
    /// The token, if that is what somebody brought.
    pub token: Option<&'a str>,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

#[derive(Template)]
#[template(path = "slip_not_here.html")]
struct NotHerePage {
    w: Words,
}

/// A slip as whoever proved to hold it sees it.
pub(super) fn draw(
    tx: &mut Tx<'_>,
    context: &Context,
    slip: SlipView,
    shown: Shown<'_>,
) -> Result<SlipPage, ServiceError> {
    let Shown { w, token, now_ms } = shown;
    let volume = context.shelf.newest(tx)?;
    let catalogue = volume.as_deref().map(|v| &v.catalogue);
    let entry = slip.item.as_ref().and_then(|code| catalogue.and_then(|c| c.entry(code)));
    let item = entry.map_or_else(String::new, |e| e.title().get(w.0).to_owned());
    let named = catalogue.and_then(|c| c.stations.get(&slip.station)).map(|s| s.name.get(w.0).to_owned());
    let stored =
        || work_list::stations(tx).ok()?.into_iter().find(|(id, ..)| *id == slip.station).map(|s| s.1);
    let window = || (slip.station.as_str() == PLACE).then(|| w.t("window.place").to_owned());
    let station = named.or_else(stored).or_else(window).unwrap_or_else(|| slip.station.to_string());
    let (heading, note) = match slip.state {
        CaseState::Received | CaseState::Submitted => ("slip.heading_delivered", None),
        CaseState::Accepted => ("slip.heading_accepted", None),
        CaseState::Completed => ("slip.heading_completed", None),
        CaseState::Returned => ("slip.heading_returned", Some(("warn", "slip.returned_note"))),
        CaseState::Quarantined => ("slip.heading_quarantined", Some(("run", "slip.quarantined_note"))),
    };
    let times = MarkTimes {
        saved_ms: slip.device_time_ms,
        delivered_ms: slip.receipt.accepted_at_ms,
        accepted_ms: slip.accepted_at_ms,
        changed_ms: slip.changed_at_ms,
    };
    let marks = view::awaiting(w, view::marks(w, slip.state, times, now_ms), slip.pages);
    let progress = progress::of(tx, context, &slip.envelope_id, token.is_some())?;
    let reader = Reader { w, item: slip.item.as_ref(), has_token: token.is_some(), now_ms };
    let asks = token.is_some() && progress.as_ref().is_some_and(|progress| progress.request.is_some());
    let adds = asks && can_be_added(tx, context, &slip.envelope_id)?;
    let sample = is_sample(tx, context)?;
    let (own, other) = if w.0 == Language::En { ("&lang=en", "") } else { ("", "&lang=en") };
    let corrected =
        slip.slip_number.as_ref().map(|_| w.fill("slip.corrected", &[("number", slip.number.as_str())]));
    Ok(SlipPage {
        item,
        last_four: slip.number.groups()[3].to_owned(),
        heading: w.t(heading),
        note: note.map(|(glyph, key)| (glyph, w.t(key))),
        corrected,
        lines: drawing::lines(marks, progress.as_ref(), reader),
        bills: progress.as_ref().map(|progress| drawing::bills(progress, reader)).unwrap_or_default(),
        turn: progress.as_ref().and_then(|progress| drawing::turn(progress, reader)),
        result: progress.as_ref().and_then(|progress| drawing::result(progress, reader)),
        station,
        groups: slip.number.groups().iter().map(|g| (*g).to_owned()).collect(),
        receipt_no: slip.receipt.server_seq,
        receipt_at: view::time(slip.receipt.accepted_at_ms, now_ms),
        links: token.map(|token| Links {
            other_language: format!("/slips/{}?d={token}{other}", slip.number),
            receipt: format!("/slips/{}/receipt?d={token}", slip.number),
            supplement: adds.then(|| format!("/slips/{}/supplement?d={token}{own}", slip.number)),
        }),
        sample,
        w,
    })
}
