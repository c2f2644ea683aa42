//! `/account`: one's own account, its sessions, and its password.
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use domain::text::Language;

use super::form::Fields;
use super::frame::{Frame, Here, frame, role_words};
use super::sign_in::{Way, drawn, pause, with_token};
use super::{Page, read_page, render, view};
use crate::api::blocking;
use crate::auth::password::{MAX_CHARS, MIN_CHARS, Password, PasswordMistake};
use crate::auth::sign_in::{self, Change};
use crate::error::{ProblemCode, ServiceError};
use crate::services::accounts::{self, Account};
use crate::services::sessions::{self, Caller};
use crate::shell::App;
use crate::shell::gate::{local, see_other, uses_tls};
use crate::store::Tx;
use crate::words::Words;

const W: Words = Words(Language::ZhCn);

#[derive(Template)]
#[template(path = "own_account.html")]
struct OwnAccountPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    display: String,
    facts: Vec<(&'static str, String)>,
    sessions: Vec<SessionView>,
}

struct SessionView {
    since: String,
    seen: String,
}

/// One's own account.
pub async fn own_account(State(app): State<App>, caller: Caller) -> Page {
    read_page(app, move |tx, _, now_ms| draw(tx, &caller, now_ms)).await
}

fn draw(tx: &mut Tx<'_>, caller: &Caller, now_ms: i64) -> Result<OwnAccountPage, ServiceError> {
    let account = accounts::by_id(tx, &caller.account)?.ok_or(ProblemCode::NotFound)?;
    let sessions = sessions::of_account(tx, now_ms, &caller.account)?;
    let views = sessions.iter().map(|(since, seen)| SessionView {
        since: view::time(*since, now_ms),
        seen: view::span(W, now_ms - seen),
    });
    Ok(OwnAccountPage {
        w: W,
        frame: frame(tx, caller, now_ms, Here::OwnAccount)?,
        sample: None,
        sessions: views.collect(),
        facts: facts(&account, now_ms),
        display: account.display,
    })
}

/// What a page says about an account.
pub(super) fn facts(account: &Account, now_ms: i64) -> Vec<(&'static str, String)> {
    let signed_in =
        account.signed_in_at_ms.map_or_else(|| W.t("accounts.never").to_owned(), |ms| view::time(ms, now_ms));
    vec![
        (W.t("accounts.name"), account.name.as_str().to_owned()),
        (W.t("accounts.id"), account.id.to_string()),
        (W.t("accounts.unit"), account.unit.as_ref().map_or_else(|| "—".to_owned(), ToString::to_string)),
        (W.t("accounts.roles"), role_words(W, account.roles)),
        (W.t("accounts.created"), view::time(account.created_at_ms, now_ms)),
        (W.t("accounts.password_set"), view::time(account.password_at_ms, now_ms)),
        (W.t("accounts.signed_in"), signed_in),
    ]
}

/// Ends all other sessions of the caller.
pub async fn end_other_sessions(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    fields.only(&[])?;
    let centre = app.centre.clone();
    let end =
        move || centre.write(move |tx| Ok(sessions::end_all(tx, &caller.account, Some(&caller.session))?));
    blocking(end).await?;
    Ok(see_other("/account"))
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    w: Words,
    to: String,
    must: bool,
    hint: String,
    /// The field that has to be corrected, and why.
    error: Option<(&'static str, String)>,
}

impl PasswordPage {
    fn of(&self, field: &str) -> Option<&str> {
        self.error.as_ref().filter(|(name, _)| *name == field).map(|(_, text)| text.as_str())
    }
}

fn password_page(caller: &Caller, to: &str, error: Option<(&'static str, String)>) -> PasswordPage {
    let numbers = [("min", MIN_CHARS.to_string()), ("max", MAX_CHARS.to_string())];
    let numbers = numbers.each_ref().map(|(name, n)| (*name, n.as_str()));
    let hint = W.fill("account.password_hint", &numbers);
    PasswordPage { w: W, to: to.to_owned(), must: caller.must_change, hint, error }
}

/// The form for another password.
pub async fn password_form(caller: Caller, way: Result<Query<Way>, QueryRejection>) -> Page {
    let way = way.map(|Query(way)| way).unwrap_or_default();
    render(&password_page(&caller, local(&way.to).unwrap_or_default(), None))
}

/// Changes the password; all sessions end, and this browser gets a new one.
pub async fn change_password(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    let form = fields.only(&["old", "new", "again", "to"])?;
    let [old, new, again] = ["old", "new", "again"].map(|name| Password::typed(form.get(name)));
    let to = local(form.get("to")).unwrap_or_default().to_owned();
    drop(form);
    let (centre, door, who) = (app.centre.clone(), app.door.clone(), caller.clone());
    let change = move || {
        if new != again {
            return Ok(Change::Unfit(PasswordMistake::NotRepeated));
        }
        sign_in::change_password(&centre, &door.hashing, &who, (&old, &new))
    };
    let (field, text, status, wait_ms) = match blocking(change).await? {
        Change::Done(token) => {
            let next = if to.is_empty() { "/" } else { &to };
            return with_token(see_other(next), &token, uses_tls(&app));
        }
        Change::Wrong => ("old", W.t("account.old_wrong").to_owned(), StatusCode::UNPROCESSABLE_ENTITY, None),
        Change::Wait(ms) => ("old", pause(ms), StatusCode::TOO_MANY_REQUESTS, Some(ms)),
        Change::Unfit(mistake) => {
            let field = if mistake == PasswordMistake::NotRepeated { "again" } else { "new" };
            (field, W.of("account_error", mistake.key()), StatusCode::UNPROCESSABLE_ENTITY, None)
        }
    };
    drawn(render(&password_page(&caller, &to, Some((field, text))))?, status, wait_ms)
}
