//! `/statistics`: the figures of cases with their drill-down, and the same as files. `docs/statistics.md` defines each.
//!
//! A leader sees cases in which the own unit has a part, central IT sees all. Numbers, items and times only: nothing of a
//! person is read. Complete as tables without a script; `statistics.js` draws the same tables as charts.
mod address;
mod export;
mod figures;
mod known;
mod list;
mod said;

pub use export::{statistics_cases_csv, statistics_items_csv, statistics_xlsx};
pub use list::statistics_cases;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use domain::catalogue::Catalogue;
use domain::text::Language;

use self::address::{Asked, Choice, NO_ITEM, choices};
use self::figures::{LineView, Point, Tile};
use super::frame::{Frame, Here, frame, sample};
use super::{Page, in_address, read_page};
use crate::error::ServiceError;
use crate::services::meta;
use crate::services::sessions::Caller;
use crate::services::statistics::figures::{self as counted, By};
use crate::services::window::PLACE;
use crate::services::work_list;
use crate::shell::App;
use crate::store::{StoreError, Tx};
use crate::words::Words;

pub(super) const W: Words = Words(Language::ZhCn);
/// Colours and type of charts, for the script.
const THEME: &str = include_str!("../../../../assets/charts/theme.json");

#[derive(Template)]
#[template(path = "statistics.html")]
struct StatisticsPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    title: String,
    sub: String,
    scope: String,
    from: String,
    to: String,
    items: Vec<Choice>,
    stations: Vec<Choice>,
    units: Vec<Choice>,
    filtered: bool,
    nothing_yet: bool,
    nothing_here: bool,
    invented: bool,
    tiles: Vec<Tile>,
    excluded: String,
    excluded_href: Option<String>,
    one: bool,
    course: Vec<Point>,
    before: Option<String>,
    before_word: String,
    unit_word: String,
    hours: Vec<(String, u64)>,
    lines: Vec<LineView>,
    lines_word: String,
    files: Vec<(String, String)>,
    theme: &'static str,
}

/// The figures.
pub async fn statistics(
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

fn draw(
    tx: &mut Tx<'_>,
    catalogue: Option<&Catalogue>,
    asked: &Asked,
    (caller, now_ms): (&Caller, i64),
) -> Result<StatisticsPage, ServiceError> {
    let here = asked.understood(caller, now_ms)?;
    let filter = &here.filter;
    let one = here.item().is_some();
    let names = stations(tx)?;
    let by_item = counted::lines(tx, filter, By::Item)?;
    let by_station = if one { counted::lines(tx, filter, By::Station)? } else { BTreeMap::new() };
    let wall = counted::wall(tx, filter)?;
    let course = counted::course(tx, filter)?;
    let hours = counted::hours(tx, filter)?;
    let units = if here.all_units { known::units(catalogue) } else { Vec::new() };
    let invented = meta::sample_data(tx)?.is_some();
    let whole = figures::whole(&by_item);
    let facts = figures::Seen { here: &here, catalogue, stations: &names, line: &whole };
    let title =
        here.item().map_or_else(|| W.t("statistics.all").to_owned(), |code| known::title(catalogue, code));
    let n = said::count(whole.counts.all);
    let (from, to) = (filter.from.to_string(), filter.to.to_string());
    Ok(StatisticsPage {
        sub: W.fill("statistics.sub", &[("n", &n), ("from", &from), ("to", &to)]),
        scope: match (&filter.unit, here.all_units) {
            (None, _) => W.t("statistics.scope_all").to_owned(),
            (Some(unit), _) => W.fill("statistics.scope_unit", &[("unit", unit.as_str())]),
        },
        items: choices(
            known::item_names(catalogue),
            here.item().map(|code| if code.is_empty() { NO_ITEM } else { code }),
        ),
        stations: choices(
            names.iter().map(|(id, name)| (id.clone(), name.clone())).collect(),
            filter.station.as_ref().map(|id| id.as_str()),
        ),
        units: choices(units, filter.unit.as_ref().map(|unit| unit.as_str())),
        filtered: here.narrowed(),
        nothing_yet: whole.counts.all == 0 && !here.narrowed(),
        nothing_here: whole.counts.all == 0 && here.narrowed(),
        invented,
        tiles: facts.tiles(&whole, &wall),
        excluded: figures::excluded(&whole.counts),
        excluded_href: (!whole.counts.excluded.is_empty()).then(|| here.list("excluded", None)),
        one,
        before: facts.before().filter(|_| one),
        before_word: facts.before_word().unwrap_or_default(),
        unit_word: facts.unit_word(),
        course: facts.course(&course),
        hours: (0..24).filter_map(|hour| hours.get(&hour).map(|n| (format!("{hour:02}"), *n))).collect(),
        lines: if one { facts.lines(&by_station, By::Station) } else { facts.lines(&by_item, By::Item) },
        lines_word: W.of("statistics", if one { "by_station" } else { "by_item" }),
        files: here.files(),
        theme: THEME,
        sample: catalogue.and_then(sample),
        frame: frame(tx, caller, now_ms, Here::Statistics)?,
        title,
        from,
        to,
        w: W,
    })
}

/// Names of stations by their ids, and of the window, which is none.
fn stations(tx: &mut Tx<'_>) -> Result<BTreeMap<String, String>, StoreError> {
    let known = work_list::stations(tx)?.into_iter().map(|(id, name, _)| (id.to_string(), name));
    let mut names: BTreeMap<String, String> = known.collect();
    names.entry(PLACE.to_owned()).or_insert_with(|| W.t("window.place").to_owned());
    Ok(names)
}
