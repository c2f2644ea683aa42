//! `/catalogue/items`: every item of the newest catalogue once, searched and filtered by the address, 25 a page, and
//! the same as CSV.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use domain::catalogue::Catalogue;
use domain::ids::ItemCode;
use domain::item::Item;
use serde::Deserialize;

use super::form::searched;
use super::frame::{Frame, Here, frame, sample};
use super::guide_preview::period;
use super::item_editor::W;
use super::view::{self, Badge};
use super::{Page, draft_state, in_address, items_csv as csv, read_page};
use crate::api::blocking;
use crate::error::ServiceError;
use crate::services::catalogue::Volume;
use crate::services::editing::{self, Draft, DraftState};
use crate::services::rollout;
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

/// Items on a page.
const PAGE: usize = 25;

/// What stands in the URL; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Filters {
    #[serde(default)]
    q: String,
    #[serde(default)]
    department: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
}

#[derive(Template)]
#[template(path = "items.html")]
struct ItemsPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    version: u64,
    text: String,
    tabs: Vec<Tab>,
    departments: Vec<Choice>,
    events: Vec<Choice>,
    state: String,
    rows: Vec<RowView>,
    filtered: bool,
    count: String,
    previous: Option<String>,
    next: Option<String>,
    own_address: String,
    csv: String,
}

struct Tab {
    href: String,
    word: String,
    count: usize,
    current: bool,
}

struct Choice {
    value: String,
    word: String,
    chosen: bool,
}

struct RowView {
    code: String,
    name: String,
    department: String,
    promised: String,
    legal: String,
    offline: String,
    region: String,
    badge: Badge,
    note: String,
}

/// The list.
pub async fn items(
    State(app): State<App>,
    caller: Caller,
    filters: Result<UrlQuery<Filters>, QueryRejection>,
) -> Page {
    let filters = in_address(filters)?;
    read_page(app, move |tx, app, now_ms| List::read(tx, app, filters)?.draw(tx, &caller, now_ms)).await
}

/// What the list shows as a CSV file: all that the filters leave, not only a page.
pub async fn items_csv(State(app): State<App>, filters: Result<UrlQuery<Filters>, QueryRejection>) -> Page {
    let filters = in_address(filters)?;
    let centre = app.centre.clone();
    let (bytes, version) = blocking(move || {
        centre.read(|tx| {
            let list = List::read(tx, &app, filters)?;
            let version = list.volume.catalogue.version;
            Ok::<_, ServiceError>((csv::items_csv(&list.found(list.state())), version))
        })
    })
    .await?;
    let name = format!("attachment; filename=\"items-v{version}.csv\"");
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, bytes).into_response())
}

/// The items with their drafts, and what is asked for.
struct List {
    volume: Arc<Volume>,
    drafts: BTreeMap<ItemCode, Draft>,
    /// What was taken away from all terminals, and why.
    withdrawn: BTreeMap<ItemCode, String>,
    filters: Filters,
    text: String,
}

impl List {
    fn read(tx: &mut Tx<'_>, app: &App, filters: Filters) -> Result<Self, ServiceError> {
        let volume = editing::base(tx, &app.centre.context().shelf)?;
        let drafts = editing::all(tx)?.into_iter().map(|draft| (draft.code.clone(), draft)).collect();
        let withdrawn = rollout::withdrawn(tx)?.into_iter().map(|w| (w.item.item, w.item.reason)).collect();
        let text = searched(&filters.q);
        Ok(Self { volume, drafts, withdrawn, filters, text })
    }

    fn state(&self) -> Option<&str> {
        let known =
            |name: &str| ["unchanged", "taken_away"].contains(&name) || name.parse::<DraftState>().is_ok();
        Some(self.filters.state.as_str()).filter(|name| known(name))
    }

    /// Items that fit text, department and life event, and this state.
    fn found(&self, state: Option<&str>) -> Vec<&Item> {
        let Filters { department, event, .. } = &self.filters;
        let fits = |item: &&Item| {
            (department.is_empty() || item.department.as_str() == department)
                && (event.is_empty() || item.guide.life_events.contains(event))
                && state.is_none_or(|state| self.state_of(&item.code) == state)
                && says(item, &self.text.to_lowercase())
        };
        self.volume.catalogue.items.values().filter(fits).collect()
    }

    fn state_of(&self, code: &ItemCode) -> &'static str {
        match self.drafts.get(code) {
            _ if self.withdrawn.contains_key(code) => "taken_away",
            Some(draft) => draft.state.as_str(),
            None => "unchanged",
        }
    }

    fn draw(self, tx: &mut Tx<'_>, caller: &Caller, now_ms: i64) -> Result<ItemsPage, ServiceError> {
        let catalogue = &self.volume.catalogue;
        let found = self.found(self.state());
        let pages = found.len().div_ceil(PAGE).max(1);
        let page = self.filters.page.parse::<usize>().unwrap_or(1).clamp(1, pages);
        let first = (page - 1) * PAGE;
        let shown = found.iter().skip(first).take(PAGE);
        let numbers = [
            ("from", (first + 1).min(found.len()).to_string()),
            ("to", (first + PAGE).min(found.len()).to_string()),
            ("n", found.len().to_string()),
        ];
        let numbers = numbers.each_ref().map(|(name, n)| (*name, n.as_str()));
        Ok(ItemsPage {
            w: W,
            frame: frame(tx, caller, now_ms, Here::Items)?,
            sample: sample(catalogue),
            version: catalogue.version,
            tabs: self.tabs(),
            departments: self.departments(catalogue),
            events: self.events(catalogue),
            state: self.state().unwrap_or_default().to_owned(),
            rows: shown.map(|item| self.row(item, now_ms)).collect(),
            filtered: self.address(None, 1) != "/catalogue/items",
            count: if found.is_empty() { String::new() } else { W.fill("items.count", &numbers) },
            previous: (page > 1).then(|| self.address(self.state(), page - 1)),
            next: (page < pages).then(|| self.address(self.state(), page + 1)),
            own_address: view::readable(&self.address(self.state(), page)),
            csv: self.address(self.state(), 1).replacen("items", "items.csv", 1),
            text: self.text,
        })
    }

    fn tabs(&self) -> Vec<Tab> {
        let states =
            [None, Some("unchanged"), Some("editing"), Some("ready"), Some("approved"), Some("taken_away")];
        let tab = |state: Option<&'static str>| Tab {
            href: self.address(state, 1),
            word: W.of("draft_state", state.unwrap_or("all")),
            count: self.found(state).len(),
            current: self.state() == state,
        };
        states.into_iter().map(tab).collect()
    }

    fn departments(&self, catalogue: &Catalogue) -> Vec<Choice> {
        let names: BTreeSet<&str> = catalogue.items.values().map(|item| item.department.as_str()).collect();
        let choices = names.into_iter().map(|name| (name.to_owned(), name.to_owned()));
        with_any(choices, &self.filters.department)
    }

    fn events(&self, catalogue: &Catalogue) -> Vec<Choice> {
        let choices = catalogue.life_events.iter().map(|event| (event.id.clone(), event.name.zh.clone()));
        with_any(choices, &self.filters.event)
    }

    fn row(&self, item: &Item, now_ms: i64) -> RowView {
        let (draft, taken) = (self.drafts.get(&item.code), self.withdrawn.get(&item.code));
        let serde_name = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let named = |group: &str, value: serde_json::Result<serde_json::Value>| {
            W.of("choice", &format!("{group}.{}", serde_name(value.unwrap_or_default())))
        };
        RowView {
            code: item.code.to_string(),
            name: item.name.zh.clone(),
            department: item.department.to_string(),
            promised: period(W, item.promised),
            legal: period(W, item.legal),
            offline: named("offline", serde_json::to_value(item.offline_mode)),
            region: named("region", serde_json::to_value(item.cross_region)),
            badge: match (draft, &item.withdrawn) {
                _ if taken.is_some() => {
                    Badge { glyph: "off", word: W.t("draft_state.taken_away").to_owned() }
                }
                (Some(draft), _) => draft_state::badge(draft.state),
                (None, Some(_)) => Badge { glyph: "off", word: W.t("draft_state.withdrawn").to_owned() },
                (None, None) => Badge { glyph: "ok", word: W.t("draft_state.unchanged").to_owned() },
            },
            note: match draft {
                _ if taken.is_some() => taken.cloned().unwrap_or_default(),
                Some(draft) => view::span(W, now_ms - draft.changed_at_ms),
                None => W.fill("items.revision", &[("n", &item.revision.to_string())]),
            },
        }
    }

    fn address(&self, state: Option<&str>, page: usize) -> String {
        let Filters { department, event, .. } = &self.filters;
        let texts = [("q", self.text.as_str()), ("department", department), ("event", event)];
        let state = ("state", state.unwrap_or_default());
        let page = if page > 1 { page.to_string() } else { String::new() };
        let all = texts.into_iter().chain([state, ("page", page.as_str())]);
        let parts: Vec<_> = all
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", view::in_query(value)))
            .collect();
        if parts.is_empty() {
            "/catalogue/items".into()
        } else {
            format!("/catalogue/items?{}", parts.join("&"))
        }
    }
}

fn with_any(choices: impl Iterator<Item = (String, String)>, chosen: &str) -> Vec<Choice> {
    let any = Choice { value: String::new(), word: W.t("cases.any").to_owned(), chosen: chosen.is_empty() };
    let each = choices.map(|(value, word)| Choice { chosen: value == chosen, value, word });
    std::iter::once(any).chain(each).collect()
}

/// Whether an item is meant by a text in small letters: code, names, what people say, and initials.
fn says(item: &Item, text: &str) -> bool {
    let names = [item.code.as_str(), &item.name.zh, &item.name.en, &item.short_name.zh, &item.short_name.en];
    let said = names.into_iter().chain(item.synonyms.iter().map(String::as_str));
    text.is_empty()
        || said.into_iter().any(|name| name.to_lowercase().contains(text))
        || item.pinyin_initials.starts_with(text)
}
