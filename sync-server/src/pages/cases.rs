//! `/cases`: the list, its filters in the URL, its pages by cursor.
use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use domain::case::CaseState;
use domain::catalogue::Catalogue;
use domain::ids::ItemCode;
use domain::text::Language;
use serde::Deserialize;

use super::form::searched;
use super::frame::{Frame, Here, frame, sample};
use super::view::{self, Badge, Tab};
use super::{Page, read_page};
use crate::error::{ProblemCode, ServiceError};
use crate::services::catalogue::Volume;
use crate::services::sessions::Caller;
use crate::services::work_list::{self, Query, TextQuery};
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

/// What stands in the URL; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Filters {
    #[serde(default)]
    state: String,
    #[serde(default)]
    station: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    before: String,
}

/// The list.
pub async fn cases(
    State(app): State<App>,
    caller: Caller,
    filters: Result<UrlQuery<Filters>, QueryRejection>,
) -> Page {
    let Ok(UrlQuery(filters)) = filters else {
        return Err(ServiceError::from(ProblemCode::MalformedRequest).into());
    };
    read_page(app, move |tx, app, now_ms| {
        let newest = app.centre.context().shelf.newest(tx)?;
        draw(tx, newest, &filters, (&caller, now_ms))
    })
    .await
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    w: Words,
    frame: Frame,
    tabs: Vec<Tab>,
    stations: Vec<Choice>,
    states: Vec<Choice>,
    text: String,
    rows: Vec<RowView>,
    count: String,
    filtered: bool,
    older: Option<String>,
    first: Option<String>,
    own_address: String,
    sample: Option<String>,
}

struct Choice {
    value: String,
    word: String,
    chosen: bool,
}

struct RowView {
    number: String,
    item: String,
    badge: Badge,
    age: String,
    station: String,
    district: String,
    received: String,
    terminal: String,
    next: String,
}

fn draw(
    tx: &mut Tx<'_>,
    newest: Option<Arc<Volume>>,
    filters: &Filters,
    (caller, now_ms): (&Caller, i64),
) -> Result<CasesPage, ServiceError> {
    let w = Words(Language::ZhCn);
    let catalogue = newest.as_deref().map(|v| &v.catalogue);
    let text = searched(&filters.q);
    let query = Query {
        state: CaseState::from_name(&filters.state),
        station: filters.station.parse().ok(),
        text: meaning(&text, catalogue),
        before: filters.before.parse().ok(),
    };
    let found = work_list::page(tx, &query)?;
    let counts = work_list::counts(tx, &query)?;
    let stations = work_list::stations(tx)?;
    let link = Link { text: &text, station: query.station.as_ref().map(|s| s.as_str()) };
    let total: u64 = match query.state {
        None => counts.iter().map(|(_, n)| n).sum(),
        Some(state) => counts.iter().filter(|(s, _)| *s == state).map(|(_, n)| n).sum(),
    };
    let rows = found.cases.iter().map(|case| {
        let station = stations.iter().find(|(id, ..)| *id == case.station);
        RowView {
            number: case.number.to_string(),
            item: item_name(catalogue, case.item.as_ref()),
            badge: view::badge(w, case.state),
            age: view::span(w, now_ms - case.changed_at_ms),
            station: station.map_or_else(|| case.station.to_string(), |(_, name, _)| name.clone()),
            district: station.map(|(.., district)| district.clone()).unwrap_or_default(),
            received: view::time(case.received_at_ms, now_ms),
            terminal: case.terminal.to_string(),
            next: w.of("next", case.state.as_str()),
        }
    });
    let mut frame = frame(tx, caller, now_ms, Here::Cases(&query))?;
    frame.search = frame.search.map(|_| text.clone());
    Ok(CasesPage {
        rows: rows.collect(),
        tabs: tabs(w, &query, &counts, &link),
        stations: station_choices(w, &stations, &query),
        states: state_choices(w, query.state),
        count: w.fill("cases.count", &[("n", &total.to_string())]),
        filtered: query != Query::default(),
        older: found.next_before.map(|b| link.to(query.state, Some(b))),
        first: query.before.map(|_| link.to(query.state, None)),
        own_address: link.to(query.state, query.before),
        sample: catalogue.and_then(sample),
        text,
        frame,
        w,
    })
}

/// The name of an item as lists show it: neutral for sensitive ones.
pub(in crate::pages) fn item_name(catalogue: Option<&Catalogue>, code: Option<&ItemCode>) -> String {
    let Some(code) = code else { return "—".into() };
    let title = catalogue.and_then(|c| c.entry(code)).map(|e| e.title().get(Language::ZhCn).to_owned());
    title.unwrap_or_else(|| code.to_string())
}

/// What a typed text means: a number, some of its digits, or items.
fn meaning(text: &str, catalogue: Option<&Catalogue>) -> Option<TextQuery> {
    if text.is_empty() {
        return None;
    }
    if let Ok(number) = text.parse() {
        return Some(TextQuery::Number(number));
    }
    let bare = text.to_ascii_uppercase().replace([' ', '-'], "");
    let digits = bare.strip_prefix("XN").unwrap_or(&bare);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(TextQuery::Digits(digits.to_owned()));
    }
    let wanted = text.to_lowercase();
    let fits = |texts: &[&str]| texts.iter().any(|t| t.to_lowercase().contains(&wanted));
    let items = catalogue.map(|c| {
        let items = c.items.values().filter(|i| {
            let names = [i.code.as_str(), &i.name.zh, &i.name.en, &i.short_name.zh, &i.short_name.en];
            fits(&names) || i.pinyin_initials.to_lowercase().starts_with(&wanted)
        });
        let bundles = c.bundles.values().filter(|b| {
            let names = [b.code.as_str(), &b.name.zh, &b.name.en, &b.short_name.zh, &b.short_name.en];
            fits(&names) || b.pinyin_initials.to_lowercase().starts_with(&wanted)
        });
        items.map(|i| i.code.clone()).chain(bundles.map(|b| b.code.clone())).collect()
    });
    Some(TextQuery::Items(items.unwrap_or_default()))
}

/// Addresses of the list with the present text and station.
struct Link<'a> {
    text: &'a str,
    station: Option<&'a str>,
}

impl Link<'_> {
    fn to(&self, state: Option<CaseState>, before: Option<u64>) -> String {
        let mut parts = Vec::new();
        if let Some(state) = state {
            parts.push(format!("state={}", state.as_str()));
        }
        if let Some(station) = self.station {
            parts.push(format!("station={}", view::in_query(station)));
        }
        if !self.text.is_empty() {
            parts.push(format!("q={}", view::in_query(self.text)));
        }
        if let Some(before) = before {
            parts.push(format!("before={before}"));
        }
        if parts.is_empty() { "/cases".into() } else { format!("/cases?{}", parts.join("&")) }
    }
}

fn tabs(w: Words, query: &Query, counts: &[(CaseState, u64)], link: &Link<'_>) -> Vec<Tab> {
    let all = Tab {
        href: link.to(None, None),
        word: w.t("cases.all").to_owned(),
        count: counts.iter().map(|(_, n)| n).sum(),
        alarming: false,
        current: query.state.is_none(),
    };
    let each = counts.iter().map(|(state, count)| Tab {
        href: link.to(Some(*state), None),
        word: w.of("state", state.as_str()),
        count: *count,
        alarming: *state == CaseState::Quarantined && *count > 0,
        current: query.state == Some(*state),
    });
    std::iter::once(all).chain(each).collect()
}

fn state_choices(w: Words, chosen: Option<CaseState>) -> Vec<Choice> {
    let any = Choice { value: String::new(), word: w.t("cases.any").to_owned(), chosen: chosen.is_none() };
    let each = CaseState::ALL.into_iter().map(|s| Choice {
        value: s.as_str().to_owned(),
        word: w.of("state", s.as_str()),
        chosen: chosen == Some(s),
    });
    std::iter::once(any).chain(each).collect()
}

fn station_choices(
    w: Words,
    stations: &[(domain::ids::StationId, String, String)],
    query: &Query,
) -> Vec<Choice> {
    let any =
        Choice { value: String::new(), word: w.t("cases.any").to_owned(), chosen: query.station.is_none() };
    let each = stations.iter().map(|(id, name, district)| Choice {
        value: id.to_string(),
        word: format!("{name}（{district}）"),
        chosen: query.station.as_ref() == Some(id),
    });
    std::iter::once(any).chain(each).collect()
}
