//! The figures and their cases as files: CSV and XLSX. The columns are the same whatever a form's version asks: no answer
//! stands in them, and names of columns never change (`docs/statistics.md`).
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use domain::catalogue::Catalogue;
use domain::item::PeriodUnit;

use super::address::{Asked, Understood};
use super::known::{Saves, promised, title};
use super::said::Clock;
use super::{W, list, stations};
use crate::api::blocking;
use crate::csv_file::{self, QuoteStyle};
use crate::error::{ProblemCode, ServiceError};
use crate::pages::{Page, in_address, view};
use crate::services::meta;
use crate::services::sessions::Caller;
use crate::services::statistics::Filter;
use crate::services::statistics::figures::{self, By, Line};
use crate::services::statistics::list::{Counted, Of, page};
use crate::shell::App;
use crate::store::Tx;
use crate::xlsx_file::{self, Cell, Sheet};

/// Cases of a file, at most: it is read whole.
const MOST: usize = 50_000;
/// Cases that are read at once.
const TOGETHER: u64 = 5_000;

/// Columns of the table of items. Names are only added.
const ITEM_COLUMNS: [&str; 27] = [
    "item_code",
    "item_name",
    "kind",
    "cases",
    "decided",
    "open",
    "excluded",
    "first_time",
    "supplemented",
    "supplement_rounds",
    "overdue",
    "clock",
    "promised_tenths",
    "promised_unit",
    "median_s",
    "d1_s",
    "d2_s",
    "d3_s",
    "d4_s",
    "d5_s",
    "d6_s",
    "d7_s",
    "d8_s",
    "d9_s",
    "visits_saved",
    "materials_saved",
    "sample",
];
/// Columns of the table of cases. Names are only added.
const CASE_COLUMNS: [&str; 13] = [
    "number",
    "item_code",
    "item_name",
    "station",
    "station_name",
    "received_at",
    "state",
    "clock",
    "used_s",
    "wall_s",
    "supplement_rounds",
    "overdue",
    "sample",
];

/// Whether a file is being made.
static MAKING: AtomicBool = AtomicBool::new(false);

/// That this file is made, and no other one meanwhile: each is whole in memory.
struct Turn(());

impl Turn {
    /// # Errors
    /// `busy` if another file is being made.
    fn take() -> Result<Self, ServiceError> {
        if MAKING.swap(true, Ordering::AcqRel) {
            return Err(ServiceError::refused(ProblemCode::Busy, "another file of figures is being made"));
        }
        Ok(Self(()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        MAKING.store(false, Ordering::Release);
    }
}

/// What a file is made of.
struct Tables {
    /// Given back when the file is made.
    turn: Turn,
    items: Vec<Vec<Cell>>,
    cases: Vec<Vec<Cell>>,
    about: Vec<Vec<Cell>>,
    name: String,
}

/// Items and bundles, a line each.
pub async fn statistics_items_csv(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let tables = read(app, caller, in_address(asked)?, false).await?;
    let file = csv(&format!("items-{}", tables.name), &ITEM_COLUMNS, &tables.items);
    drop(tables.turn);
    Ok(file)
}

/// Cases, a line each.
pub async fn statistics_cases_csv(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let tables = read(app, caller, in_address(asked)?, true).await?;
    let file = csv(&format!("cases-{}", tables.name), &CASE_COLUMNS, &tables.cases);
    drop(tables.turn);
    Ok(file)
}

/// Both as sheets, and one that says what they are.
pub async fn statistics_xlsx(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let tables = read(app, caller, in_address(asked)?, true).await?;
    let file = format!("attachment; filename=\"statistics-{}.xlsx\"", tables.name);
    let bytes = blocking(move || {
        let sheets = [
            Sheet { name: "about", columns: &["", ""], rows: &tables.about },
            Sheet { name: "items", columns: &ITEM_COLUMNS, rows: &tables.items },
            Sheet { name: "cases", columns: &CASE_COLUMNS, rows: &tables.cases },
        ];
        let bytes = xlsx_file::workbook(&sheets)
            .map_err(|e| ServiceError::Inconsistent(format!("a workbook could not be written: {e}")));
        drop(tables.turn);
        bytes
    })
    .await?;
    let headers =
        [(header::CONTENT_TYPE, xlsx_file::MEDIA_TYPE.to_owned()), (header::CONTENT_DISPOSITION, file)];
    Ok((headers, bytes).into_response())
}

fn csv(name: &str, columns: &[&str], rows: &[Vec<Cell>]) -> axum::response::Response {
    let head = columns.iter().map(|name| (*name).to_owned()).collect();
    let rows = rows.iter().map(|row| row.iter().map(Cell::to_text).collect());
    let bytes = csv_file::table(QuoteStyle::Necessary, std::iter::once(head).chain(rows));
    let file = format!("attachment; filename=\"{name}.csv\"");
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, file)];
    (headers, bytes).into_response()
}

async fn read(app: App, caller: Caller, asked: Asked, with_cases: bool) -> Result<Tables, ServiceError> {
    blocking(move || {
        let now_ms = app.centre.now_ms();
        let here = asked.understood(&caller, now_ms)?;
        let turn = Turn::take()?;
        app.centre.read(|tx| {
            let newest = app.centre.context().shelf.newest(tx)?;
            let catalogue = newest.as_deref().map(|volume| &volume.catalogue);
            tables(tx, catalogue, (&here, &asked), (turn, with_cases))
        })
    })
    .await
}

fn tables(
    tx: &mut Tx<'_>,
    catalogue: Option<&Catalogue>,
    (here, asked): (&Understood, &Asked),
    (turn, with_cases): (Turn, bool),
) -> Result<Tables, ServiceError> {
    let filter = &here.filter;
    let invented = meta::sample_data(tx)?.is_some();
    let lines = figures::lines(tx, filter, By::Item)?;
    let names = stations(tx)?;
    let (mut cases, mut before, mut cut, mut more) = (Vec::new(), None, false, with_cases);
    while more {
        let (found, next) = page(tx, filter, list::of(asked), (before, TOGETHER))?;
        cases.extend(found.iter().map(|counted| case(counted, (catalogue, &names), invented)));
        before = next;
        cut = next.is_some() && cases.len() >= MOST;
        more = next.is_some() && !cut;
    }
    let unit =
        filter.unit.as_ref().map_or_else(|| W.t("statistics.scope_all").to_owned(), ToString::to_string);
    let mut about = vec![
        (W.of("statistics", "file_about"), W.of("statistics", "file_definitions")),
        (W.of("statistics", "from"), filter.from.to_string()),
        (W.of("statistics", "to"), filter.to.to_string()),
        (W.of("statistics", "unit"), unit),
    ];
    about.extend(narrowed(here, catalogue, (&names, list::of(asked))));
    if invented {
        about.push((W.of("site", "sample"), W.of("statistics", "invented")));
    }
    if cut {
        about.push((W.of("statistics", "file_cut"), W.number("statistics.file_cut_at", MOST)));
    }
    Ok(Tables {
        items: lines.iter().map(|(code, line)| item((code, line), catalogue, invented)).collect(),
        about: about.into_iter().map(|(a, b)| vec![Cell::Text(a), Cell::Text(b)]).collect(),
        cases,
        name: name(filter, cut),
        turn,
    })
}

/// What stands in the name of a file: a part of the cases must not pass for all of them.
fn name(filter: &Filter, cut: bool) -> String {
    format!("{}-{}{}", filter.from, filter.to, if cut { "-cut" } else { "" })
}

/// By what the file is narrowed, in words.
fn narrowed(
    here: &Understood,
    catalogue: Option<&Catalogue>,
    (names, of): (&BTreeMap<String, String>, Of),
) -> Vec<(String, String)> {
    let item = here.item().map(|code| format!("{} {code}", title(catalogue, code)));
    let station = here.filter.station.as_ref().map(|id| {
        let name = names.get(id.as_str()).map(String::as_str).unwrap_or_default();
        format!("{name} {id}")
    });
    let list = match of {
        Of::All => None,
        Of::Slower(seconds) => Some(format!("{} (used_s > {seconds})", W.of("statistics_of", of.name()))),
        _ => Some(W.of("statistics_of", of.name())),
    };
    let each = [("item", item), ("station", station), ("file_list", list)];
    each.into_iter().filter_map(|(word, value)| Some((W.of("statistics", word), value?))).collect()
}

/// `yes` in each row of a file with invented cases: rows are copied without their sheet.
fn mark(invented: bool) -> Cell {
    Cell::Text(if invented { "yes" } else { "" }.to_owned())
}

fn item((code, line): (&str, &Line), catalogue: Option<&Catalogue>, invented: bool) -> Vec<Cell> {
    let promise = promised(catalogue, code);
    // The one by which times were counted; where there are none yet, that of the promise.
    let clocks: Vec<_> = line.clocks.iter().map(String::as_str).collect();
    let clock = if clocks.is_empty() { Clock::of(promise).name().to_owned() } else { clocks.join("+") };
    let saves = Saves::of(catalogue, code);
    let saved = saves.map(|saves| saves.times(line.counts.decided));
    let counts = &line.counts;
    let number = |n: u64| Cell::Number(i64::try_from(n).unwrap_or(i64::MAX));
    let or_none = |n: Option<i64>| n.map_or(Cell::Empty, Cell::Number);
    let unit = promise.map(|period| match period.unit {
        PeriodUnit::Minute => "minute",
        PeriodUnit::WorkingDay => "working_day",
        PeriodUnit::NaturalDay => "natural_day",
    });
    let mut row = vec![
        Cell::Text(code.to_owned()),
        Cell::Text(title(catalogue, code)),
        Cell::Text(if saves.is_some() { "bundle" } else { "item" }.to_owned()),
        number(counts.all),
        number(counts.decided),
        number(counts.open),
        number(counts.excluded.values().sum()),
        number(counts.first_time),
        number(counts.supplemented),
        number(counts.rounds),
        number(counts.overdue),
        Cell::Text(clock),
        promise.map_or(Cell::Empty, |period| Cell::Number(i64::from(period.tenths))),
        unit.map_or(Cell::Empty, |unit| Cell::Text(unit.to_owned())),
        or_none(line.used.median()),
    ];
    let deciles = line.used.deciles();
    row.extend((0..9).map(|n| or_none(deciles.and_then(|deciles| deciles.get(n).copied()))));
    row.push(saved.map_or(Cell::Empty, |(visits, _)| number(visits)));
    row.push(saved.map_or(Cell::Empty, |(_, materials)| number(materials)));
    row.push(mark(invented));
    row
}

fn case(
    counted: &Counted,
    (catalogue, names): (Option<&Catalogue>, &BTreeMap<String, String>),
    invented: bool,
) -> Vec<Cell> {
    let number = |n: Option<i64>| n.map_or(Cell::Empty, Cell::Number);
    // The one by which it was counted; of what is not decided the one by which it will be.
    let promised = || Clock::of(promised(catalogue, &counted.item)).name();
    let clock = if counted.clock.is_empty() { promised() } else { counted.clock.as_str() };
    vec![
        Cell::Text(counted.number.to_string()),
        Cell::Text(counted.item.clone()),
        Cell::Text(title(catalogue, &counted.item)),
        Cell::Text(counted.station.clone()),
        Cell::Text(names.get(&counted.station).cloned().unwrap_or_default()),
        // With its year, whatever the present one is.
        Cell::Text(view::time(counted.received_at_ms, 0)),
        Cell::Text(counted.state.clone()),
        Cell::Text(clock.to_owned()),
        number(counted.used_s),
        number(counted.wall_s),
        Cell::Number(i64::try_from(counted.rounds).unwrap_or(i64::MAX)),
        Cell::Number(i64::from(counted.overdue)),
        mark(invented),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_does_not_pass_for_the_whole() {
        let day = |text: &str| -> domain::date::CivilDate { text.parse().expect("a date") };
        let (from, to) = (day("2026-11-01"), day("2026-11-20"));
        let filter = Filter { from, to, unit: None, item: None, no_item: false, station: None };
        assert_eq!(name(&filter, false), "2026-11-01-2026-11-20");
        assert_eq!(name(&filter, true), "2026-11-01-2026-11-20-cut");
    }

    #[test]
    fn one_file_is_made_at_a_time() {
        let turn = Turn::take().expect("the first");
        let second = Turn::take();
        assert!(matches!(second, Err(ServiceError::Refused { code: ProblemCode::Busy, .. })));
        drop(turn);
        assert!(Turn::take().is_ok());
    }
}
