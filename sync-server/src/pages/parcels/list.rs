//! `/parcels`: parcels of the caller's unit by what is to be done, what waits longest first; the same as CSV.
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use domain::ids::UnitId;
use serde::Deserialize;

use super::{W, badge};
use crate::api::blocking;
use crate::csv_file::{self, QuoteStyle};
use crate::error::{ProblemCode, ServiceError};
use crate::pages::cases::item_name;
use crate::pages::desk::no_unit;
use crate::pages::form::searched;
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::progress::carrier_name;
use crate::pages::view::{self, Badge, Tab};
use crate::pages::{Page, in_address, in_query, read_page};
use crate::services::Context;
use crate::services::parcels::{self, LISTS, Listed, PAGE, Place, Query};
use crate::services::sessions::Caller;
use crate::services::tally::Tally;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

/// Rows of a file, at most.
const MAX_ROWS: u64 = 5_000;

/// What stands in the address; what is not known is the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    list: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

impl Asked {
    /// What is asked for: a text is looked for in all lists, and without anything it is what is to be packed.
    fn query(&self, limit: u64) -> Query {
        let text = searched(&self.q);
        let known = LISTS.into_iter().find(|list| *list == self.list);
        let list = known.or(text.is_empty().then_some(LISTS[0])).unwrap_or_default().to_owned();
        Query { list, text, after: place(&self.after), limit }
    }
}

/// A place in the list, as it stands in an address.
fn place(text: &str) -> Option<Place> {
    let (at_ms, number) = text.split_once('.')?;
    Some((at_ms.parse().ok()?, number.parse().ok()?))
}

fn address(query: &Query) -> String {
    if query.text.is_empty() {
        format!("/parcels?list={}", query.list)
    } else {
        format!("/parcels?list={}&q={}", query.list, in_query(&query.text))
    }
}

#[derive(Template)]
#[template(path = "parcels.html")]
struct ParcelsPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    unit: String,
    tabs: Vec<Tab>,
    list: String,
    text: String,
    csv: String,
    rows: Vec<RowView>,
    first: Option<String>,
    more: Option<String>,
}

struct RowView {
    number: String,
    case: String,
    item: String,
    state: Badge,
    recalled: bool,
    carrier: String,
    tracking: String,
    since: String,
}

/// The list.
pub async fn parcels(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let asked = in_address(asked)?;
    let Some(unit) = caller.unit.clone() else { return no_unit(app, caller).await };
    read_page(app, move |tx, app, now_ms| draw(tx, app.centre.context(), &asked, (&caller, &unit, now_ms)))
        .await
}

fn draw(
    tx: &mut Tx<'_>,
    context: &Context,
    asked: &Asked,
    (caller, unit, now_ms): (&Caller, &UnitId, i64),
) -> Result<ParcelsPage, ServiceError> {
    let query = asked.query(PAGE);
    let (found, next) = parcels::page(tx, unit, &query)?;
    let counts = parcels::counts(tx, unit)?;
    let tab = |(list, count): (&str, u64)| Tab {
        href: format!("/parcels?list={list}"),
        word: W.of("parcel_list", list),
        count: Tally::new(count),
        alarming: list == "needs" && count > 0,
        current: list == query.list && query.text.is_empty(),
    };
    let newest = context.shelf.newest(tx)?;
    let here = address(&query);
    Ok(ParcelsPage {
        w: W,
        sample: newest.as_deref().and_then(|v| sample(&v.catalogue)),
        unit: unit.to_string(),
        tabs: LISTS.into_iter().zip(counts).map(tab).collect(),
        rows: found.iter().map(|listed| row(tx, context, listed, now_ms)).collect::<Result<_, _>>()?,
        csv: here.replacen("/parcels?", "/parcels.csv?", 1),
        first: query.after.as_ref().map(|_| here.clone()),
        more: next.map(|(at_ms, number)| format!("{here}&after={at_ms}.{number}")),
        list: query.list,
        text: query.text,
        frame: frame(tx, caller, now_ms, Here::Parcels)?,
    })
}

fn row(tx: &mut Tx<'_>, context: &Context, listed: &Listed, now_ms: i64) -> Result<RowView, ServiceError> {
    let stored = &listed.stored;
    let volume = context.shelf.get(tx, listed.catalogue_version)?;
    Ok(RowView {
        number: stored.number.to_string(),
        case: listed.case.to_string(),
        item: item_name(volume.as_deref().map(|v| &v.catalogue), listed.item.as_ref()),
        state: badge(&stored.parcel),
        recalled: stored.parcel.recalled,
        carrier: carrier_name(W, &stored.parcel.carrier),
        tracking: stored.tracking.clone(),
        since: view::span(W, now_ms - stored.parcel.changed_at_ms),
    })
}

/// The same as a file.
pub async fn parcels_csv(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let asked = in_address(asked)?;
    let bytes = blocking(move || {
        let unit = caller.unit.as_ref().ok_or(ProblemCode::UnitNeeded)?;
        let context = app.centre.context();
        app.centre.read(|tx| {
            let (found, _) = parcels::page(tx, unit, &asked.query(MAX_ROWS))?;
            let names =
                ["number", "case", "item", "state", "carrier", "tracking", "seal", "round", "changed"];
            let mut rows = vec![names.map(|name| W.of("parcel_csv", name)).to_vec()];
            for listed in &found {
                let parcel = &listed.stored.parcel;
                let view = row(tx, context, listed, parcel.changed_at_ms)?;
                rows.push(vec![
                    view.number,
                    view.case,
                    view.item,
                    view.state.word,
                    view.carrier,
                    view.tracking,
                    parcel.seal.clone(),
                    parcel.round.to_string(),
                    format!(
                        "{} {}",
                        domain::date::CivilDate::in_china(parcel.changed_at_ms),
                        view::time(parcel.changed_at_ms, parcel.changed_at_ms)
                            .rsplit(' ')
                            .next()
                            .unwrap_or_default()
                    ),
                ]);
            }
            Ok::<_, ServiceError>(csv_file::table(QuoteStyle::Necessary, rows))
        })
    })
    .await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"parcels.csv\""),
    ];
    Ok((headers, bytes).into_response())
}
