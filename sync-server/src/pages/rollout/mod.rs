//! `/rollout`: how a catalogue version goes to the terminals, ring after ring; what was done with it; what was
//! withdrawn. The page asks for itself every few seconds where scripts run, and is the same without them.
mod standing;
mod step;

pub use step::{rollout_step, take_rollout_step};

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use domain::catalogue::{Catalogue, Entry};
use domain::ids::ItemCode;
use domain::text::Language;
use serde::Deserialize;

use standing::{Current, Show, current};

use super::frame::{Frame, Here, frame, sample};
use super::view::{self, Badge};
use super::{Page, in_address, read_page};
use crate::centre::Centre;
use crate::error::ServiceError;
use crate::services::rollout::{self, Rollout, State as Standing, Withdrawal, board};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

pub(super) const W: Words = Words(Language::ZhCn);

/// What stands in the URL; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Filters {
    #[serde(default)]
    id: String,
    #[serde(default)]
    show: String,
}

#[derive(Template)]
#[template(path = "rollout.html")]
struct RolloutPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    own_address: String,
    current: Option<Current>,
    withdrawn: Vec<WithdrawnView>,
    /// Departments with the items and bundles that can be taken away: code and official name.
    items: Vec<(String, Vec<(String, String)>)>,
    earlier: Vec<EarlierView>,
}

struct WithdrawnView {
    item: String,
    name: String,
    reason: String,
    since: String,
}

struct EarlierView {
    href: String,
    title: String,
    badge: Badge,
    at: String,
    current: bool,
}

/// The page.
pub async fn rollout(
    State(app): State<App>,
    caller: Caller,
    filters: Result<UrlQuery<Filters>, QueryRejection>,
) -> Page {
    let filters = in_address(filters)?;
    read_page(app, move |tx, app, now_ms| draw(tx, &app.centre, &filters, (&caller, now_ms))).await
}

fn draw(
    tx: &mut Tx<'_>,
    centre: &Centre,
    filters: &Filters,
    (caller, now_ms): (&Caller, i64),
) -> Result<RolloutPage, ServiceError> {
    let latest = rollout::latest(tx)?;
    let chosen = match filters.id.parse() {
        Ok(id) => rollout::by_id(tx, id)?,
        Err(_) => latest.clone(),
    };
    let newest = centre.context().shelf.newest(tx)?;
    let catalogue = newest.as_deref().map(|v| &v.catalogue);
    let withdrawn = rollout::withdrawn(tx)?;
    let current = match &chosen {
        Some(chosen) => Some(current(tx, chosen, latest.as_ref(), (&filters.show, now_ms))?),
        None => None,
    };
    Ok(RolloutPage {
        w: W,
        frame: frame(tx, caller, now_ms, Here::Rollout)?,
        sample: catalogue.and_then(sample),
        own_address: address(chosen.as_ref(), latest.as_ref(), &filters.show),
        withdrawn: withdrawn
            .iter()
            .map(|w| WithdrawnView {
                item: w.item.item.to_string(),
                name: official_name(catalogue, &w.item.item),
                reason: w.item.reason.clone(),
                since: view::time(w.item.since_ms, now_ms),
            })
            .collect(),
        items: catalogue.map(|c| offered(c, &withdrawn)).unwrap_or_default(),
        earlier: earlier(tx, chosen.as_ref(), latest.as_ref(), now_ms)?,
        current,
    })
}

/// What can be taken away, department by department. Whoever acts in an emergency must not mistake one for another:
/// the official name stands here, also of a sensitive item.
fn offered(catalogue: &Catalogue, withdrawn: &[Withdrawal]) -> Vec<(String, Vec<(String, String)>)> {
    let mut groups: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for entry in catalogue.entries().filter(|e| !withdrawn.iter().any(|w| w.item.item == *e.code())) {
        let department = match entry {
            Entry::Item(item) => item.department.to_string(),
            Entry::Bundle(_) => W.t("bundles.title").to_owned(),
        };
        let line = format!("{} · {}", official_name(Some(catalogue), entry.code()), entry.code());
        groups.entry(department).or_default().push((entry.code().to_string(), line));
    }
    groups.into_iter().collect()
}

fn official_name(catalogue: Option<&Catalogue>, code: &ItemCode) -> String {
    match catalogue.and_then(|c| c.entry(code)) {
        Some(Entry::Item(item)) => item.name.get(W.0).to_owned(),
        Some(Entry::Bundle(bundle)) => bundle.name.get(W.0).to_owned(),
        None => code.to_string(),
    }
}

fn address(chosen: Option<&Rollout>, latest: Option<&Rollout>, show: &str) -> String {
    let mut parts = Vec::new();
    if let Some(chosen) = chosen.filter(|c| Some(c.id) != latest.map(|l| l.id)) {
        parts.push(format!("id={}", chosen.id));
    }
    if let Some(tab) = Show::from_name(show) {
        parts.push(format!("show={}", tab.name()));
    }
    if parts.is_empty() { "/rollout".into() } else { format!("/rollout?{}", parts.join("&")) }
}

fn earlier(
    tx: &mut Tx<'_>,
    chosen: Option<&Rollout>,
    latest: Option<&Rollout>,
    now_ms: i64,
) -> Result<Vec<EarlierView>, ServiceError> {
    let Some(latest) = latest else { return Ok(Vec::new()) };
    let view = |rollout: &Rollout| EarlierView {
        href: if rollout.id == latest.id { "/rollout".into() } else { format!("/rollout?id={}", rollout.id) },
        title: title(rollout),
        badge: state_badge(rollout),
        at: view::time(rollout.began_ms, now_ms),
        current: chosen.is_some_and(|c| c.id == rollout.id),
    };
    let before = board::earlier(tx, latest.id)?;
    Ok(std::iter::once(latest).chain(&before).map(view).collect())
}

/// `v38` and what it is.
pub(super) fn title(rollout: &Rollout) -> String {
    W.fill("rollout.of_version", &[("v", &rollout.version.to_string())])
}

pub(super) fn state_badge(rollout: &Rollout) -> Badge {
    let glyph = match rollout.course.state {
        Standing::Running => "run",
        Standing::Paused => "off",
        Standing::Halted => "bad",
        Standing::Done => "ok",
        Standing::RolledBack => "undo",
    };
    Badge { glyph, word: W.of("rollout_state", rollout.course.state.as_str()) }
}
