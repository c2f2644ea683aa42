//! `/accounts`: the list with its filters in the URL, and making an account.
use askama::Template;
use axum::extract::Query as UrlQuery;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use domain::text::Language;
use serde::Deserialize;

use super::account::shown_once;
use super::account_form::{AccountForm, role_fields, roles_in};
use super::form::{Fields, searched};
use super::frame::{Frame, Here, frame, role_words};
use super::sign_in::drawn;
use super::view::{self, Badge};
use super::{Page, in_address, read_page, render};
use crate::api::blocking;
use crate::auth::names::SignInName;
use crate::auth::password::Password;
use crate::auth::role::Role;
use crate::auth::sign_in::salt;
use crate::error::ServiceError;
use crate::services::accounts::{self, Account, Filter};
use crate::services::profile::{Mistake, Profile};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

const W: Words = Words(Language::ZhCn);

/// What stands in the URL; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Filters {
    #[serde(default)]
    q: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    text: String,
    roles: Vec<Choice>,
    states: Vec<Choice>,
    rows: Vec<RowView>,
    filtered: bool,
    next: Option<String>,
    first: Option<String>,
    own_address: String,
}

struct Choice {
    value: &'static str,
    word: String,
    chosen: bool,
}

struct RowView {
    id: String,
    name: String,
    display: String,
    unit: String,
    roles: String,
    badge: Badge,
    signed_in: String,
}

/// The list.
pub async fn accounts(
    State(app): State<App>,
    caller: Caller,
    filters: Result<UrlQuery<Filters>, QueryRejection>,
) -> Page {
    let filters = in_address(filters)?;
    read_page(app, move |tx, _, now_ms| draw(tx, &filters, (&caller, now_ms))).await
}

fn draw(
    tx: &mut Tx<'_>,
    filters: &Filters,
    (caller, now_ms): (&Caller, i64),
) -> Result<AccountsPage, ServiceError> {
    let text = searched(&filters.q);
    let filter = Filter {
        text: (!text.is_empty()).then(|| text.clone()),
        role: Role::from_name(&filters.role),
        locked: match filters.state.as_str() {
            "locked" => Some(true),
            "active" => Some(false),
            _ => None,
        },
        after: filters.after.parse::<u64>().unwrap_or(0).min(crate::api::MAX_CURSOR),
    };
    let (found, next) = accounts::list(tx, &filter)?;
    Ok(AccountsPage {
        w: W,
        frame: frame(tx, caller, now_ms, Here::Accounts)?,
        sample: None,
        roles: role_choices(filter.role),
        states: state_choices(filter.locked),
        rows: found.iter().map(|account| row(account, now_ms)).collect(),
        filtered: filter != Filter::default(),
        next: next.map(|after| link(&text, &filter, after)),
        first: (filter.after > 0).then(|| link(&text, &filter, 0)),
        own_address: link(&text, &filter, filter.after),
        text,
    })
}

fn row(account: &Account, now_ms: i64) -> RowView {
    RowView {
        id: account.id.to_string(),
        name: account.name.as_str().to_owned(),
        display: account.display.clone(),
        unit: account.unit.as_ref().map_or_else(|| "—".to_owned(), ToString::to_string),
        roles: role_words(W, account.roles),
        badge: badge(account),
        signed_in: account
            .signed_in_at_ms
            .map_or_else(|| W.t("accounts.never").to_owned(), |ms| view::time(ms, now_ms)),
    }
}

/// How an account stands.
pub(super) fn badge(account: &Account) -> Badge {
    let (glyph, key) = match (account.locked, account.must_change) {
        (true, _) => ("off", "locked"),
        (false, true) => ("wait", "first"),
        (false, false) => ("ok", "active"),
    };
    Badge { glyph, word: W.of("accounts_state", key) }
}

fn link(text: &str, filter: &Filter, after: u64) -> String {
    let locked = filter.locked.map(|locked| if locked { "locked" } else { "active" });
    let parts = [
        ("q", (!text.is_empty()).then(|| view::in_query(text))),
        ("role", filter.role.map(|role| role.as_str().to_owned())),
        ("state", locked.map(str::to_owned)),
        ("after", (after > 0).then(|| after.to_string())),
    ];
    let parts: Vec<_> = parts.into_iter().filter_map(|(n, v)| Some(format!("{n}={}", v?))).collect();
    if parts.is_empty() { "/accounts".into() } else { format!("/accounts?{}", parts.join("&")) }
}

fn role_choices(chosen: Option<Role>) -> Vec<Choice> {
    let any = Choice { value: "", word: W.t("cases.any").to_owned(), chosen: chosen.is_none() };
    let each = Role::ALL.iter().map(|role| Choice {
        value: role.as_str(),
        word: W.of("role", role.as_str()),
        chosen: chosen == Some(*role),
    });
    std::iter::once(any).chain(each).collect()
}

fn state_choices(locked: Option<bool>) -> Vec<Choice> {
    let choices = [
        ("", "cases.any", None),
        ("active", "accounts_state.active", Some(false)),
        ("locked", "accounts_state.locked", Some(true)),
    ];
    let view = |(value, key, means)| Choice { value, word: W.t(key).to_owned(), chosen: locked == means };
    choices.into_iter().map(view).collect()
}

#[derive(Template)]
#[template(path = "account_new.html")]
struct NewAccountPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    form: AccountForm,
}

/// The form for a new account.
pub async fn new_account(State(app): State<App>, caller: Caller) -> Page {
    let form = AccountForm::default();
    render(&new_page(&app, caller, form).await?)
}

async fn new_page(app: &App, caller: Caller, mut form: AccountForm) -> Result<NewAccountPage, ServiceError> {
    let centre = app.centre.clone();
    blocking(move || {
        let now_ms = centre.now_ms();
        centre.read(|tx| {
            form.offer(tx, centre.context())?;
            Ok(NewAccountPage {
                w: W,
                frame: frame(tx, &caller, now_ms, Here::Accounts)?,
                sample: None,
                form,
            })
        })
    })
    .await
}

/// Makes an account with a generated password, which is shown this once.
pub async fn add_account(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    let form = fields.only(&[&["name", "display", "unit"][..], &role_fields()].concat())?;
    let (name, roles) = (form.get("name").parse::<SignInName>(), roles_in(&form));
    let profile = Profile::read(form.get("display"), form.get("unit"), roles);
    let typed = AccountForm::typed(&form, roles);
    let mistakes: Vec<_> = name.as_ref().err().map(|e| Mistake::Name(*e)).into_iter().collect();
    let (Ok(name), Ok(profile)) = (name, &profile) else {
        let mistakes = [mistakes, profile.err().unwrap_or_default()].concat();
        return refused(&app, caller, typed, &mistakes).await;
    };
    let (centre, door, profile, by) =
        (app.centre.clone(), app.door.clone(), profile.clone(), caller.account.clone());
    let made = blocking(move || {
        let password = Password::generate(&mut centre.random());
        let hash = door.hashing.make(&password, &salt(&centre))?;
        let now_ms = centre.now_ms();
        let made =
            centre.write(move |tx| Ok(accounts::add(tx, now_ms, by.as_str(), (&name, &profile), &hash)?))?;
        Ok(made.map(|account| (account, password)))
    })
    .await?;
    match made {
        Ok((account, password)) => shown_once(&app, caller, (account, password), true).await,
        Err(mistake) => refused(&app, caller, typed, &[mistake]).await,
    }
}

async fn refused(app: &App, caller: Caller, mut form: AccountForm, mistakes: &[Mistake]) -> Page {
    form.note(mistakes);
    drawn(render(&new_page(app, caller, form).await?)?, StatusCode::UNPROCESSABLE_ENTITY, None)
}
