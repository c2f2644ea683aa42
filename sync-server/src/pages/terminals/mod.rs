//! `/terminals`: every terminal with how it stands and when it was heard; codes for new ones.
mod devices;
mod one;
mod step;

pub use one::terminal;
pub use step::{take_terminal_step, terminal_step};

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use domain::enrolment::typed;
use domain::ids::{StationId, TerminalId};
use domain::text::Language;
use serde::Deserialize;

use super::form::{Fields, searched};
use super::frame::{Frame, Here, frame};
use super::qr::{self, QrView};
use super::view::{self, Badge};
use super::{Page, in_address, read_page};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::services::enrol::{self, EnrolCode, For};
use crate::services::sessions::Caller;
use crate::services::standing::{self, Filter, Standing};
use crate::services::work_list;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

pub(super) const W: Words = Words(Language::ZhCn);

/// What stands in the URL; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Filters {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "terminals.html")]
struct TerminalsPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    text: String,
    states: Vec<(&'static str, String, bool)>,
    rows: Vec<RowView>,
    filtered: bool,
    next: Option<String>,
    first: Option<String>,
    stations: Vec<(String, String)>,
    fingerprint: String,
}

struct RowView {
    id: String,
    station: String,
    station_id: String,
    badge: Badge,
    heard: String,
    holds: String,
    missing: String,
    certificate: String,
}

/// The list.
pub async fn terminals(
    State(app): State<App>,
    caller: Caller,
    filters: Result<UrlQuery<Filters>, QueryRejection>,
) -> Page {
    let filters = in_address(filters)?;
    read_page(app, move |tx, app, now_ms| draw(tx, app, &filters, (&caller, now_ms))).await
}

fn draw(
    tx: &mut Tx<'_>,
    app: &App,
    filters: &Filters,
    (caller, now_ms): (&Caller, i64),
) -> Result<TerminalsPage, ServiceError> {
    let text = searched(&filters.q);
    let filter = Filter {
        text: text.clone(),
        active: match filters.state.as_str() {
            "active" => Some(true),
            "blocked" => Some(false),
            _ => None,
        },
        after: filters.after.parse::<TerminalId>().ok(),
    };
    let (found, next) = standing::list(tx, &filter)?;
    let states = [
        ("", "cases.any", None),
        ("active", "terminals.active", Some(true)),
        ("blocked", "terminals.blocked", Some(false)),
    ];
    let station =
        |(id, name, district): (StationId, String, String)| (id.to_string(), format!("{name} · {district}"));
    Ok(TerminalsPage {
        w: W,
        frame: frame(tx, caller, now_ms, Here::Terminals)?,
        sample: None,
        states: states.map(|(value, key, means)| (value, W.t(key).to_owned(), filter.active == means)).into(),
        rows: found.iter().map(|standing| row(standing, now_ms)).collect(),
        filtered: filter != Filter::default(),
        next: next.map(|after| link(&text, filter.active, Some(&after))),
        first: filter.after.as_ref().map(|_| link(&text, filter.active, None)),
        stations: work_list::stations(tx)?.into_iter().map(station).collect(),
        fingerprint: app.centre.context().keys.authority.fingerprint().to_string(),
        text,
    })
}

fn row(standing: &Standing, now_ms: i64) -> RowView {
    let holds = standing.heard.as_ref().map_or_else(
        || "—".to_owned(),
        |h| {
            W.fill(
                "terminals.holds_short",
                &[("queued", &h.queued.to_string()), ("parked", &h.parked.to_string())],
            )
        },
    );
    RowView {
        id: standing.terminal.to_string(),
        station: standing.station_name.clone(),
        station_id: standing.station.to_string(),
        badge: badge(standing, now_ms),
        heard: ago(standing, now_ms),
        holds,
        missing: if standing.missing == 0 { "—".to_owned() } else { standing.missing.to_string() },
        certificate: certificate(standing, now_ms),
    }
}

/// How a terminal stands, in one word.
pub(super) fn badge(standing: &Standing, now_ms: i64) -> Badge {
    let (glyph, key) = match standing {
        s if !s.active => ("off", "blocked"),
        s if s.forked => ("bad", "forked"),
        s if s.heard.is_none() && s.sent_ms.is_none() => ("wait", "never"),
        s if s.is_silent(now_ms) => ("warn", "silent"),
        s if s.heard.as_ref().is_some_and(|h| h.parked > 0) => ("warn", "parked"),
        s if s.heard.as_ref().is_some_and(|h| h.broken().next().is_some()) => ("warn", "device"),
        _ => ("ok", "well"),
    };
    Badge { glyph, word: W.of("terminals_state", key) }
}

/// How long ago something was heard.
pub(super) fn ago(standing: &Standing, now_ms: i64) -> String {
    if standing.heard.is_none() && standing.sent_ms.is_none() {
        return W.t("terminals.never_heard").to_owned();
    }
    let since_ms = now_ms.saturating_sub(standing.known_ms());
    let span = view::span(W, since_ms);
    if since_ms < 60_000 { span } else { W.fill("terminals.ago", &[("span", &span)]) }
}

/// Until when the certificate is good.
pub(super) fn certificate(standing: &Standing, now_ms: i64) -> String {
    match standing.certificate_until_ms {
        None => W.t("terminals.no_certificate").to_owned(),
        Some(until) if until < now_ms => W.t("terminals.certificate_ended").to_owned(),
        Some(until) => W.fill("terminals.certificate_until", &[("at", &view::time(until, now_ms))]),
    }
}

fn link(text: &str, active: Option<bool>, after: Option<&TerminalId>) -> String {
    let state = active.map(|active| if active { "active" } else { "blocked" }.to_owned());
    let parts = [
        ("q", (!text.is_empty()).then(|| view::in_query(text))),
        ("state", state),
        ("after", after.map(|id| view::in_query(id.as_str()))),
    ];
    let parts: Vec<_> = parts.into_iter().filter_map(|(n, v)| Some(format!("{n}={}", v?))).collect();
    if parts.is_empty() { "/terminals".into() } else { format!("/terminals?{}", parts.join("&")) }
}

#[derive(Template)]
#[template(path = "terminal_code.html")]
struct CodePage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    station: String,
    replaces: Option<String>,
    typed: String,
    /// The same to be scanned.
    qr: Option<QrView>,
    until: String,
}

/// Makes a code for a new terminal of a station, which is shown this once.
pub async fn new_terminal(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    let form = fields.only(&["station"])?;
    let station: StationId =
        form.get("station").parse().map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
    let (centre, by, at) = (app.centre.clone(), caller.account.to_string(), station.clone());
    let code = blocking(move || {
        let now_ms = centre.now_ms();
        let rng = centre.random();
        centre.write(move |tx| {
            let whom = For { station: &at, replaces: None, actor: &by };
            enrol::make_code_for(tx, now_ms, &whom, &mut rng.clone())
        })
    })
    .await?;
    shown_once(&app, caller, (code, station), None).await
}

/// The only page that shows a code.
pub(super) async fn shown_once(
    app: &App,
    caller: Caller,
    (code, station): (EnrolCode, StationId),
    replaces: Option<TerminalId>,
) -> Page {
    read_page(app.clone(), move |tx, app, now_ms| {
        let typed = typed(&code.code, app.centre.context().keys.authority.fingerprint());
        Ok(CodePage {
            w: W,
            frame: frame(tx, &caller, now_ms, Here::Terminals)?,
            sample: None,
            station: station.to_string(),
            replaces: replaces.map(|id| id.to_string()),
            qr: qr::draw(&typed),
            typed,
            until: view::time(code.expires_at_ms, now_ms),
        })
    })
    .await
}
