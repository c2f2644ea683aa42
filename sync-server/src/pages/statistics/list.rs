//! `/statistics/cases`: the cases behind a figure. Numbers, items and times; what a case holds is seen elsewhere, by whoever
//! may.
use std::collections::BTreeMap;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use domain::catalogue::Catalogue;

use super::address::Asked;
use super::known::{promised, title};
use super::said::{Clock, spoken};
use super::{W, stations};
use crate::error::ServiceError;
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::{Page, in_address, read_page, view};
use crate::services::sessions::Caller;
use crate::services::statistics::facts::OPEN;
use crate::services::statistics::list::{self, Counted, Of, PAGE, Place};
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

#[derive(Template)]
#[template(path = "statistics_cases.html")]
struct CasesPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    title: String,
    sub: String,
    back: String,
    rows: Vec<RowView>,
    first: Option<String>,
    older: Option<String>,
}

struct RowView {
    number: String,
    item: String,
    state: String,
    glyph: &'static str,
    used: String,
    wall: String,
    rounds: u64,
    overdue: bool,
    station: String,
    received: String,
}

/// The list.
pub async fn statistics_cases(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let asked = in_address(asked)?;
    read_page(app, move |tx, app, now_ms| {
        let newest = app.centre.context().shelf.newest(tx)?;
        draw(tx, newest.as_deref().map(|volume| &volume.catalogue), &asked, (&caller, now_ms))
    })
    .await
}

/// Which of the cases are asked for; all, if that cannot be read.
pub(super) fn of(asked: &Asked) -> Of {
    let seconds = asked.over.parse().unwrap_or(0);
    Of::from_name(&asked.of, seconds).unwrap_or(Of::All)
}

/// A place in the list as it stands in an address.
fn place(text: &str) -> Option<Place> {
    let (day, id) = text.split_once('.')?;
    Some((day.parse().ok()?, id.parse().ok()?))
}

fn draw(
    tx: &mut Tx<'_>,
    catalogue: Option<&Catalogue>,
    asked: &Asked,
    (caller, now_ms): (&Caller, i64),
) -> Result<CasesPage, ServiceError> {
    let here = asked.understood(caller, now_ms)?;
    let of = of(asked);
    let before = place(&asked.before);
    let (cases, next) = list::page(tx, &here.filter, of, (before, PAGE))?;
    let names = stations(tx)?;
    let filter = &here.filter;
    let (item, station) = (here.item(), filter.station.as_ref().map(|id| id.as_str()));
    let mut own = here.list(of.name(), None);
    if let Of::Slower(seconds) = of {
        own.push_str(&format!("&over={seconds}"));
    }
    let what = item.map_or_else(|| W.t("statistics.all").to_owned(), |code| title(catalogue, code));
    let (from, to) = (filter.from.to_string(), filter.to.to_string());
    Ok(CasesPage {
        w: W,
        sample: catalogue.and_then(sample),
        title: W.of("statistics_of", of.name()),
        sub: W.fill("statistics.list_sub", &[("what", &what), ("from", &from), ("to", &to)]),
        back: here.figures(item, station),
        rows: cases.iter().map(|case| row(case, (catalogue, &names), now_ms)).collect(),
        first: before.map(|_| own.clone()),
        older: next.map(|(day, id)| format!("{own}&before={day}.{id}")),
        frame: frame(tx, caller, now_ms, Here::Statistics)?,
    })
}

fn row(
    case: &Counted,
    (catalogue, names): (Option<&Catalogue>, &BTreeMap<String, String>),
    now_ms: i64,
) -> RowView {
    let clock = Clock::named(&case.clock).unwrap_or_else(|| Clock::of(promised(catalogue, &case.item)));
    let said = |seconds: Option<i64>, clock| seconds.map_or_else(|| "—".into(), |s| spoken(s, clock));
    RowView {
        number: case.number.to_string(),
        item: title(catalogue, &case.item),
        state: W.of("statistics_state", &case.state),
        glyph: match case.state.as_str() {
            OPEN => "run",
            "granted" | "decided" | "completed" | "partly_granted" => "ok",
            "refused" => "bad",
            _ => "off",
        },
        used: said(case.used_s, clock),
        wall: said(case.wall_s, Clock::Exact),
        rounds: case.rounds,
        overdue: case.overdue,
        station: names.get(&case.station).cloned().unwrap_or_else(|| case.station.clone()),
        received: view::time(case.received_at_ms, now_ms),
    }
}
