//! `/window`: the visit that is open, what the person wants, and forms that wait to be gone on with.
use std::collections::BTreeSet;

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery, State};
use domain::applicant::mask_name;
use domain::case::VisitKind;
use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use domain::ids::ItemCode;
use domain::search::SearchIndex;
use serde::Deserialize;

use super::{W, department, newest, refusal, since_ms, title_of, visit_line};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form::{Fields, searched};
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::{Page, in_address, in_query, read_page, view};
use crate::services::rollout::{self, Withdrawal};
use crate::services::sessions::Caller;
use crate::services::window::visits::{self, End, Visit};
use crate::services::window::{self, drafts};
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::store::Tx;
use crate::words::Words;

/// Items that are shown for a search, at most.
const MOST_FOUND: usize = 20;

/// What stands in the address; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    /// An ended visit that goes on: one more matter of the same person.
    #[serde(default)]
    with: String,
    #[serde(default)]
    wrong: String,
}

#[derive(Template)]
#[template(path = "window.html")]
struct HomePage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    visit: Option<VisitView>,
    window: String,
    kinds: Vec<(&'static str, String)>,
    reasons: Vec<(&'static str, String)>,
    wrong: Option<String>,
    text: String,
    with: String,
    going_on: Option<String>,
    found: Vec<Offer>,
    drafts: Vec<DraftView>,
    drafts_note: String,
}

struct VisitView {
    id: String,
    line: String,
    times: String,
}

/// Something that can be begun, or why not.
struct Offer {
    code: String,
    title: String,
    department: String,
    href: Option<String>,
    why: String,
}

struct DraftView {
    href: String,
    title: String,
    /// It opens; what does not can only be thrown away.
    opens: bool,
    person: String,
    times: String,
}

/// The page.
pub async fn home(
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
) -> Result<HomePage, ServiceError> {
    let clerk = caller.account.as_str();
    let volume = newest(tx, &app.centre)?;
    let catalogue = &volume.catalogue;
    let open = visits::open_today(tx, now_ms, clerk)?;
    let with = match open {
        None if !asked.with.is_empty() => visits::going_on(tx, now_ms, clerk, &asked.with)?,
        _ => None,
    };
    let text = searched(&asked.q);
    let mine = window::mine(tx, clerk, i64::MAX as u64)?;
    let used = mine.iter().filter_map(|case| case.item.clone());
    let withdrawn = rollout::withdrawn(tx)?;
    let found = offers(catalogue, &withdrawn, (&text, used), (now_ms, with.as_ref()));
    let window = visits::last_window(tx, clerk)?;
    let mut waiting = Vec::new();
    for draft in drafts::of_clerk(tx, clerk, since_ms(&volume, now_ms))? {
        // One that does not open takes the page away from nobody: it can be thrown away.
        let (person, adds) = match draft.open(&app.centre.context().keys) {
            Ok((_, content)) => (mask_name(&content.person.name), content.supplements.is_some()),
            Err(e) => {
                tracing::warn!(error = &e as &dyn std::error::Error, "a draft does not open");
                (String::new(), false)
            }
        };
        let title = title_of(Some(catalogue), &draft.item);
        let [begun, saved] = [draft.begun_at_ms, draft.saved_at_ms].map(|ms| view::time(ms, now_ms));
        waiting.push(DraftView {
            href: format!("/window/forms/{}", draft.id),
            title: if adds { W.fill("window_supplement.draft", &[("title", &title)]) } else { title },
            opens: !person.is_empty(),
            person,
            times: W.fill("window.draft_times", &[("begun", &begun), ("saved", &saved)]),
        });
    }
    Ok(HomePage {
        visit: open.as_ref().map(|visit| visit_view(visit, now_ms)),
        window: window.unwrap_or_default(),
        kinds: VisitKind::ALL.iter().map(|k| (k.as_str(), W.of("visit_kind", k.as_str()))).collect(),
        reasons: End::REASONS.iter().map(|e| (e.as_str(), W.of("visit_end", e.as_str()))).collect(),
        wrong: (asked.wrong == "window").then(|| W.t("window.wrong_window").to_owned()),
        going_on: with.as_ref().map(|visit| W.fill("window.going_on", &[("visit", &visit_line(visit))])),
        with: with.map(|visit| visit.id).unwrap_or_default(),
        found,
        drafts: waiting,
        drafts_note: W.number("window.drafts_note", catalogue.policies.draft_hours),
        text,
        sample: sample(catalogue),
        frame: frame(tx, caller, now_ms, Here::Window)?,
        w: W,
    })
}

fn visit_view(visit: &Visit, now_ms: i64) -> VisitView {
    let since = |at_ms: i64| (view::time(at_ms, now_ms), view::span(W, now_ms - at_ms));
    let called = visit.called_at_ms.map(since);
    let started = visit.started_at_ms.map(since);
    let line = |key: &str, (at, span): (String, String)| W.fill(key, &[("time", &at), ("span", &span)]);
    let times = called.map(|times| line("window.called", times)).into_iter();
    let times = times.chain(started.map(|times| line("window.started", times)));
    VisitView { id: visit.id.clone(), line: visit_line(visit), times: times.collect::<Vec<_>>().join(" · ") }
}

/// What a search finds; without one, what the clerk opened lately.
fn offers(
    catalogue: &Catalogue,
    withdrawn: &[Withdrawal],
    (text, used): (&str, impl Iterator<Item = ItemCode>),
    (now_ms, with): (i64, Option<&Visit>),
) -> Vec<Offer> {
    let codes: Vec<ItemCode> = if text.is_empty() {
        let mut seen = BTreeSet::new();
        used.filter(|code| seen.insert(code.clone())).take(MOST_FOUND).collect()
    } else if let Some(code) = text.parse().ok().filter(|code| catalogue.entry(code).is_some()) {
        vec![code]
    } else {
        {
            let hits = SearchIndex::new(catalogue).search(text).hits;
            hits.into_iter().map(|hit| hit.code).take(MOST_FOUND).collect()
        }
    };
    let today = CivilDate::in_china(now_ms);
    let with = with.map_or_else(String::new, |visit| format!("?with={}", in_query(&visit.id)));
    let offer = |code: &ItemCode| {
        let entry = catalogue.entry(code)?;
        let may = window::can_begin((catalogue, withdrawn), code, None, today);
        Some(Offer {
            code: code.to_string(),
            title: entry.title().get(W.0).to_owned(),
            department: department(entry),
            href: may.is_ok().then(|| format!("/window/start/{}{with}", in_query(code.as_str()))),
            why: may.err().as_ref().map(refusal).unwrap_or_default(),
        })
    };
    codes.iter().filter_map(offer).collect()
}

/// 叫号: the next person is called.
pub async fn call(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    let fields = fields.only(&["window", "kind"])?;
    let kind =
        VisitKind::from_name(fields.get("kind")).ok_or(ServiceError::from(ProblemCode::MalformedRequest))?;
    let Some(window) = visits::window_named(fields.get("window")) else {
        return Ok(see_other("/window?wrong=window"));
    };
    blocking(move || {
        let (now_ms, mut rng, clerk) = (app.centre.now_ms(), app.centre.random(), caller.account);
        app.centre
            .write(move |tx| Ok(visits::open(tx, (now_ms, &mut rng), clerk.as_str(), (&window, kind, true))?))
    })
    .await?;
    Ok(see_other("/window"))
}

/// Ends a visit in which nothing was handed in; one in which something was is served.
pub async fn end(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    fields: Fields,
) -> Page {
    let Ok(Path(id)) = id else { return Err(ServiceError::from(ProblemCode::NotFound).into()) };
    let fields = fields.only(&["reason"])?;
    let reason =
        End::reason(fields.get("reason")).ok_or(ServiceError::from(ProblemCode::MalformedRequest))?;
    blocking(move || {
        let (now_ms, clerk) = (app.centre.now_ms(), caller.account);
        app.centre.write(move |tx| {
            let visit = visits::of_clerk(tx, clerk.as_str(), &id)?;
            let served = visits::cases_of(tx, &visit.id)? > 0 && reason != End::Forgotten;
            Ok(visits::finish(tx, now_ms, &visit, if served { End::Served } else { reason })?)
        })
    })
    .await?;
    Ok(see_other("/window"))
}
