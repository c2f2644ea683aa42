//! `/terminals/{id}`: one terminal: what it last said that it holds, what of its series never came, since when nothing
//! is known, and what was done with it.
use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use domain::ids::TerminalId;

use super::devices::{self, DeviceRow};
use super::{W, ago, badge, certificate};
use crate::error::{ProblemCode, ServiceError};
use crate::pages::frame::{Frame, Here, frame};
use crate::pages::view::{self, Badge};
use crate::pages::{Page, read_page};
use crate::services::sessions::Caller;
use crate::services::standing::{self, Heard, MAX_STRETCHES, SeriesStanding, Standing, StepTaken};
use crate::services::terminal_steps::Step;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

#[derive(Template)]
#[template(path = "terminal.html")]
struct TerminalPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    id: String,
    station: String,
    badge: Badge,
    note: Option<(&'static str, String)>,
    actions: Vec<(String, String, bool)>,
    facts: Vec<(String, String)>,
    held: Vec<(String, String)>,
    devices: Vec<DeviceRow>,
    series: Vec<SeriesView>,
    steps: Vec<StepView>,
}

struct SeriesView {
    lineage: String,
    badge: Badge,
    seen: String,
    missing: String,
}

struct StepView {
    glyph: &'static str,
    word: String,
    about: String,
}

/// The page.
pub async fn terminal(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Page {
    let id = id_in(id)?;
    read_page(app, move |tx, _, now_ms| draw(tx, &id, (&caller, now_ms))).await
}

/// The terminal that the address names.
pub(super) fn id_in(id: Result<Path<String>, PathRejection>) -> Result<TerminalId, ServiceError> {
    id.ok().and_then(|Path(id)| id.parse().ok()).ok_or_else(|| ProblemCode::NotFound.into())
}

fn draw(
    tx: &mut Tx<'_>,
    id: &TerminalId,
    (caller, now_ms): (&Caller, i64),
) -> Result<TerminalPage, ServiceError> {
    let found = standing::of(tx, id)?.ok_or(ProblemCode::NotFound)?;
    let series = standing::series(tx, id)?;
    Ok(TerminalPage {
        w: W,
        frame: frame(tx, caller, now_ms, Here::Terminals)?,
        sample: None,
        id: found.terminal.to_string(),
        station: format!("{} · {}", found.station_name, found.station),
        badge: badge(&found, now_ms),
        note: note(&found, now_ms),
        actions: actions(&found),
        facts: facts(&found, now_ms),
        held: held(found.heard.as_ref(), now_ms),
        devices: devices::rows(found.heard.as_ref()),
        series: series.iter().map(series_view).collect(),
        steps: standing::steps(tx, id)?.iter().map(|step| step_view(step, now_ms)).collect(),
    })
}

/// What somebody must know first.
fn note(found: &Standing, now_ms: i64) -> Option<(&'static str, String)> {
    if found.forked {
        return Some(("bad", W.t("terminals.forked_note").to_owned()));
    }
    let silent = found.is_silent(now_ms) && (found.heard.is_some() || found.sent_ms.is_some());
    let since = [("at", view::time(found.known_ms(), now_ms))];
    let since: Vec<(&str, &str)> = since.iter().map(|(n, v)| (*n, v.as_str())).collect();
    silent.then(|| ("warn", W.fill("terminals.silent_note", &since)))
}

/// Links to the steps that fit; what is done most is the main one.
fn actions(found: &Standing) -> Vec<(String, String, bool)> {
    let fitting = Step::ALL.into_iter().filter(|step| step.fits(found.active));
    let link = |step: Step| {
        let name = step.as_str();
        (format!("/terminals/{}/{name}", found.terminal), W.of("terminals_do", name), step == Step::Block)
    };
    fitting.map(link).collect()
}

fn facts(found: &Standing, now_ms: i64) -> Vec<(String, String)> {
    let at = |ms: Option<i64>| ms.map_or_else(|| "—".to_owned(), |ms| view::time(ms, now_ms));
    vec![
        (W.t("terminals.heard").to_owned(), ago(found, now_ms)),
        (W.t("terminals.known_since").to_owned(), at(Some(found.known_ms()))),
        (W.t("terminals.sent").to_owned(), at(found.sent_ms)),
        (W.t("terminals.certificate").to_owned(), certificate(found, now_ms)),
        (W.t("terminals.enrolled").to_owned(), at(Some(found.enrolled_at_ms))),
    ]
}

/// What the last heartbeat said that it held.
fn held(heard: Option<&Heard>, now_ms: i64) -> Vec<(String, String)> {
    let Some(heard) = heard else { return Vec::new() };
    let mut all = vec![
        ("said_at", view::time(heard.at_ms, now_ms)),
        ("queued", heard.queued.to_string()),
        ("oldest", heard.oldest_ms.map_or_else(|| "—".to_owned(), |ms| view::time(ms, now_ms))),
        ("parked", heard.parked.to_string()),
        ("catalogue", format!("v{}", heard.catalogue)),
        ("program", heard.program.clone()),
    ];
    if let Some(free) = heard.disk_free {
        all.push(("disk", format!("{} MiB", free / (1024 * 1024))));
    }
    if let Some(offset) = heard.clock_offset_ms {
        all.push(("clock", format!("{} s", offset / 1_000)));
    }
    all.into_iter().map(|(key, value)| (W.of("terminals_held", key), value)).collect()
}

fn series_view(series: &SeriesStanding) -> SeriesView {
    let (glyph, key) = match series.state.as_str() {
        "active" => ("run", "active"),
        "forked" => ("bad", "forked"),
        _ => ("off", "superseded"),
    };
    let stretch =
        |(from, to): &(u64, u64)| if from == to { from.to_string() } else { format!("{from}–{to}") };
    let mut missing = series.missing.iter().map(stretch).collect::<Vec<_>>().join("、");
    if series.missing.len() as u64 >= MAX_STRETCHES {
        missing.push_str(" …");
    }
    let numbers = [("seen", series.seen.to_string()), ("highest", series.highest.to_string())];
    let numbers: Vec<(&str, &str)> = numbers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    SeriesView {
        lineage: series.lineage.get(..8).unwrap_or(&series.lineage).to_owned(),
        badge: Badge { glyph, word: W.of("terminals_series", key) },
        seen: W.fill("terminals.seen", &numbers),
        missing: if missing.is_empty() { W.t("terminals.nothing_missing").to_owned() } else { missing },
    }
}

fn step_view(step: &StepTaken, now_ms: i64) -> StepView {
    let glyph = match step.step.as_str() {
        "block" | "replace" => "off",
        _ => "ok",
    };
    let reason = if step.reason.is_empty() { String::new() } else { format!(" · {}", step.reason) };
    StepView {
        glyph,
        word: W.of("terminals_done", &step.step),
        about: format!("{} · {}{reason}", view::time(step.at_ms, now_ms), step.actor),
    }
}
