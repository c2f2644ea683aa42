//! `/notifications`: messages to citizens, how far each has come, and sending again what did not arrive.
//!
//! Shows case numbers and states: no phone number and no text, which nobody keeps.
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State as AppState};
use domain::ids::{CaseNo, EnvelopeId};
use domain::text::Language;
use serde::Deserialize;

use super::form::Fields;
use super::frame::{Frame, Here, frame};
use super::view::{self, Badge, Tab};
use super::{Page, in_address, read_page};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::services::audit;
use crate::services::notifications::{self, Notification, Place, State};
use crate::services::sessions::Caller;
use crate::services::tally::Tally;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::store::Tx;
use crate::words::Words;

const W: Words = Words(Language::ZhCn);
const ADDRESS: &str = "/notifications";

/// What stands in the URL; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Filters {
    #[serde(default)]
    state: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "notifications.html")]
struct NotificationsPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    tabs: Vec<Tab>,
    rows: Vec<RowView>,
    filtered: bool,
    state: &'static str,
    next: Option<String>,
    first: Option<String>,
}

struct RowView {
    number: String,
    kind: String,
    badge: Badge,
    since: String,
    queued: String,
    tries: u64,
    note: String,
    /// The case and the action, where it can be sent again.
    again: Option<(String, u64)>,
}

/// The list.
pub async fn notifications(
    AppState(app): AppState<App>,
    caller: Caller,
    filters: Result<UrlQuery<Filters>, QueryRejection>,
) -> Page {
    let filters = in_address(filters)?;
    read_page(app, move |tx, _, now_ms| draw(tx, &filters, (&caller, now_ms))).await
}

/// Sends a message again.
pub async fn send_again(AppState(app): AppState<App>, caller: Caller, fields: Fields) -> Page {
    let form = fields.only(&["case", "version", "state"])?;
    let malformed = || ServiceError::from(ProblemCode::MalformedRequest);
    let id: EnvelopeId = form.get("case").parse().map_err(|_| malformed())?;
    let version: u64 = form.get("version").parse().map_err(|_| malformed())?;
    let back = address(State::from_name(form.get("state")), None);
    let centre = app.centre.clone();
    blocking(move || {
        let now_ms = centre.now_ms();
        centre.write(move |tx| {
            if !notifications::again(tx, now_ms, (&id, version))? {
                return Err(ProblemCode::CaseChanged.into());
            }
            let (actor, subject) = (caller.account.to_string(), id.to_string());
            let event = audit::Event {
                actor: &actor,
                event: "notification.again",
                subject: &subject,
                object_digest: "",
            };
            Ok::<_, ServiceError>(audit::append(tx, now_ms, event)?)
        })
    })
    .await?;
    Ok(see_other(&back))
}

fn draw(
    tx: &mut Tx<'_>,
    filters: &Filters,
    (caller, now_ms): (&Caller, i64),
) -> Result<NotificationsPage, ServiceError> {
    let only = State::from_name(&filters.state);
    let after = place(&filters.after);
    let (found, last) = notifications::list(tx, only, after.as_ref())?;
    Ok(NotificationsPage {
        w: W,
        frame: frame(tx, caller, now_ms, Here::Notifications)?,
        sample: None,
        tabs: tabs(&notifications::counts(tx, now_ms)?, only),
        rows: found.iter().map(|(of, number)| row(of, number, now_ms)).collect(),
        filtered: only.is_some() || after.is_some(),
        state: only.map_or("", State::as_str),
        next: last.map(|last| address(only, Some(&last))),
        first: after.map(|_| address(only, None)),
    })
}

fn tabs(counts: &[(State, u64)], only: Option<State>) -> Vec<Tab> {
    let all = Tab {
        href: ADDRESS.to_owned(),
        word: W.t("notifications.all").to_owned(),
        count: Tally::new(counts.iter().map(|(_, n)| n).sum()),
        alarming: false,
        current: only.is_none(),
    };
    let of = |state: &State| Tab {
        href: address(Some(*state), None),
        word: W.of("notification_state", state.as_str()),
        count: Tally::new(counts.iter().find(|(other, _)| other == state).map_or(0, |(_, n)| *n)),
        alarming: *state == State::Failed,
        current: only == Some(*state),
    };
    std::iter::once(all).chain(State::ALL.iter().map(of)).collect()
}

fn row(of: &Notification, number: &CaseNo, now_ms: i64) -> RowView {
    let waits = of.next_ms.filter(|_| of.state == State::Queued && !of.reason.is_empty());
    let reason = if of.reason.is_empty() { String::new() } else { why(&of.reason) };
    let note = match waits {
        Some(next_ms) => {
            let time = view::time(next_ms, now_ms);
            W.fill("notifications.tried_again", &[("why", &reason), ("time", &time)])
        }
        None => reason,
    };
    let again = matches!(of.state, State::Failed | State::Expired);
    RowView {
        number: number.to_string(),
        kind: W.of("notification_kind", of.kind.as_str()),
        badge: badge(of.state),
        since: view::span(W, now_ms - of.changed_at_ms),
        queued: view::time(of.queued_at_ms, now_ms),
        tries: of.tries,
        note,
        again: again.then(|| (of.envelope_id.to_string(), of.version)),
    }
}

/// Why, in words; a gateway's own word stays what it is.
fn why(reason: &str) -> String {
    const KNOWN: [&str; 9] =
        ["no_number", "sample", "erased", "unreadable", "refused", "busy", "down", "unknown", "no_gateway"];
    if KNOWN.contains(&reason) { W.of("notification_reason", reason) } else { reason.to_owned() }
}

/// The state of a message as a badge.
pub(super) fn badge(state: State) -> Badge {
    let glyph = match state {
        State::Queued => "wait",
        State::Sending | State::Sent => "run",
        State::Delivered => "ok",
        State::Overtaken | State::Unreachable => "off",
        State::Expired => "warn",
        State::Failed => "bad",
    };
    Badge { glyph, word: W.of("notification_state", state.as_str()) }
}

fn place(text: &str) -> Option<Place> {
    let mut parts = text.split('.');
    let place = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(place)
}

fn address(only: Option<State>, after: Option<&Place>) -> String {
    let state = only.map(|state| format!("state={}", state.as_str()));
    let after = after.map(|(at_ms, id, version)| format!("after={at_ms}.{id}.{version}"));
    let parts: Vec<String> = state.into_iter().chain(after).collect();
    if parts.is_empty() { ADDRESS.to_owned() } else { format!("{ADDRESS}?{}", parts.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written_and_nothing_else_is_one() {
        let id: EnvelopeId = "019ad0c0-0000-7000-8000-000000000001".parse().expect("an id");
        let at = (1_795_541_400_000, id, 7);
        let written = address(Some(State::Failed), Some(&at));
        assert_eq!(place(written.rsplit('=').next().expect("a place")), Some(at));
        for other in ["", "1", "1.2.3", "1.019ad0c0-0000-7000-8000-000000000001", "a.b.c.d", "........"] {
            assert_eq!(place(other), None, "{other}");
        }
    }
}
