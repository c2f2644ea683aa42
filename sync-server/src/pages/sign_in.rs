//! `/sign-in` and `/sign-out`, where `/` leads, and the page for those who may not.
use askama::Template;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::text::Language;
use serde::Deserialize;

use super::form::Fields;
use super::frame::role_words;
use super::{Page, render, view};
use crate::api::blocking;
use crate::auth::password::Password;
use crate::auth::policy::{self, Permit, Verdict};
use crate::auth::sign_in::{self, Attempt, Outcome};
use crate::auth::token::Token;
use crate::error::ServiceError;
use crate::services::accounts;
use crate::services::sessions::Caller;
use crate::shell::gate::{RemoteAddress, local, see_other, uses_tls};
use crate::shell::problem::Drawn;
use crate::shell::{App, cookie};
use crate::words::Words;

const W: Words = Words(Language::ZhCn);
/// The longest name that is shown again after a wrong try, in characters.
const MAX_SHOWN_CHARS: usize = 64;

/// What stands in the URL.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Way {
    /// Where the caller wanted to go.
    #[serde(default)]
    pub to: String,
    /// The caller has just signed out.
    #[serde(default)]
    out: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    w: Words,
    to: String,
    name: String,
    error: Option<String>,
    note: Option<&'static str>,
    /// There is no account at all yet.
    first: bool,
}

/// The form.
pub async fn sign_in_form(State(app): State<App>, way: Result<Query<Way>, QueryRejection>) -> Page {
    let way = way.map(|Query(way)| way).unwrap_or_default();
    let centre = app.centre.clone();
    let (all, _) = blocking(move || Ok(centre.read(accounts::count)?)).await?;
    render(&SignInPage {
        w: W,
        to: local(&way.to).unwrap_or_default().to_owned(),
        name: String::new(),
        error: None,
        note: (!way.out.is_empty()).then(|| W.t("sign_in.signed_out")),
        first: all == 0,
    })
}

/// Signs in. The browser gets a new token whatever it had before.
pub async fn sign_in(
    State(app): State<App>,
    Extension(RemoteAddress(address)): Extension<RemoteAddress>,
    headers: HeaderMap,
    fields: Fields,
) -> Page {
    let form = fields.only(&["name", "password", "to"])?;
    let (name, password) = (form.get("name").to_owned(), Password::typed(form.get("password")));
    let to = local(form.get("to")).unwrap_or_default().to_owned();
    drop(form);
    let tls = uses_tls(&app);
    let shown: String = name.trim().chars().take(MAX_SHOWN_CHARS).collect();
    let attempt = Attempt { name, password, address, earlier: cookie::session_in(&headers, tls) };
    let (centre, door) = (app.centre.clone(), app.door.clone());
    let outcome = blocking(move || sign_in::sign_in(&centre, &door.hashing, attempt)).await?;
    let (status, error, wait_ms) = match outcome {
        Outcome::In { token, must_change } => {
            let next = match (must_change, to.as_str()) {
                (true, "") => "/account/password".to_owned(),
                (true, to) => format!("/account/password?to={}", view::in_query(to)),
                (false, "") => "/".to_owned(),
                (false, to) => to.to_owned(),
            };
            return with_token(see_other(&next), &token, tls);
        }
        Outcome::Wrong => (StatusCode::UNAUTHORIZED, W.t("sign_in.wrong").to_owned(), None),
        Outcome::Locked => (StatusCode::UNAUTHORIZED, W.t("sign_in.locked").to_owned(), None),
        Outcome::Wait(ms) => (StatusCode::TOO_MANY_REQUESTS, pause(ms), Some(ms)),
    };
    let page = SignInPage { w: W, to, name: shown, error: Some(error), note: None, first: false };
    drawn(render(&page)?, status, wait_ms)
}

/// Ends the session.
pub async fn sign_out(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    fields.only(&[])?;
    let centre = app.centre.clone();
    blocking(move || sign_in::sign_out(&centre, caller)).await?;
    let mut response = see_other("/sign-in?out=1");
    if let Some(gone) = cookie::clear(uses_tls(&app)) {
        response.headers_mut().insert(header::SET_COOKIE, gone);
    }
    Ok(response)
}

/// `/` leads to the first page that the caller may open.
pub async fn home(caller: Caller) -> Response {
    let may = |permit: &Permit| permit.judge(Some(caller.roles)) == Verdict::Go;
    see_other(match () {
        () if may(&policy::DECIDE_CASES) && caller.unit.is_some() => "/desk",
        () if may(&policy::WINDOW) => "/window",
        () if may(&policy::SEE_CASES) => "/cases",
        () if may(&policy::CHECK_CATALOGUE) => "/catalogue/changes",
        () if may(&policy::PUBLISH) => "/rollout",
        () if may(&policy::SEE_CATALOGUE) => "/catalogue/items",
        () if may(&policy::MANAGE_ACCOUNTS) => "/accounts",
        () => "/account",
    })
}

#[derive(Template)]
#[template(path = "not_yours.html")]
struct NotYoursPage {
    w: Words,
    what: String,
    who: Vec<String>,
    own: String,
}

/// What somebody sees who is signed in and may not: what it is, who may, what to do.
pub fn not_yours(permit: &Permit, caller: &Caller) -> Response {
    let page = NotYoursPage {
        w: W,
        what: W.of("permit", permit.name),
        who: permit.roles().iter().map(|role| W.of("role", role.as_str())).collect(),
        own: role_words(W, caller.roles),
    };
    let drawn = render(&page).and_then(|response| drawn(response, StatusCode::FORBIDDEN, None));
    drawn.unwrap_or_else(|refusal| refusal.into_response())
}

/// Gives an answer its status although it has its own page; and the time to wait, if there is one.
pub(super) fn drawn(mut response: Response, status: StatusCode, wait_ms: Option<i64>) -> Page {
    *response.status_mut() = status;
    response.extensions_mut().insert(Drawn);
    if let Some(ms) = wait_ms {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds(ms)));
    }
    Ok(response)
}

/// Gives the browser its token.
pub(super) fn with_token(mut response: Response, token: &Token, tls: bool) -> Page {
    let cookie = cookie::set(token, tls)
        .ok_or_else(|| ServiceError::Inconsistent("a token that does not fit a cookie".into()))?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// How long to wait, in words.
pub(super) fn pause(ms: i64) -> String {
    match seconds(ms) {
        secs @ ..=99 => W.fill("sign_in.wait_seconds", &[("n", &secs.to_string())]),
        secs => W.fill("sign_in.wait_minutes", &[("n", &secs.div_ceil(60).to_string())]),
    }
}

/// Whole seconds, rounded up: whoever comes back then need not wait again.
fn seconds(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0).div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_told_in_words_that_are_true() {
        assert_eq!((seconds(1), seconds(15_000), seconds(15_001), seconds(-5)), (1, 15, 16, 1));
        assert!(pause(15_000).contains("15 秒") && pause(240_000).contains("4 分"), "{}", pause(240_000));
        assert!(pause(121_000).contains("3 分"), "never too early: {}", pause(121_000));
    }
}
