//! `/accounts/{id}`: one account for an administrator: what its owner is, locking, and a new password.
use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::text::Language;

use super::account_form::{AccountForm, role_fields, roles_in};
use super::accounts::badge;
use super::form::Fields;
use super::frame::{Frame, Here, frame};
use super::own_account::facts;
use super::sign_in::drawn;
use super::view::Badge;
use super::{Page, render};
use crate::api::blocking;
use crate::auth::names::AccountId;
use crate::auth::password::Password;
use crate::auth::sign_in::salt;
use crate::error::{ProblemCode, ServiceError};
use crate::services::accounts::{self, Account};
use crate::services::profile::{Mistake, Profile};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::words::Words;

const W: Words = Words(Language::ZhCn);

type IdInPath = Result<Path<String>, PathRejection>;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    id: String,
    name: String,
    version: u64,
    locked: bool,
    badge: Badge,
    facts: Vec<(&'static str, String)>,
    form: AccountForm,
    note: Option<String>,
}

fn id_in(path: IdInPath) -> Result<AccountId, ServiceError> {
    let id = path.ok().and_then(|Path(id)| id.parse().ok());
    id.ok_or_else(|| ProblemCode::NotFound.into())
}

/// One account.
pub async fn account(State(app): State<App>, caller: Caller, id: IdInPath) -> Page {
    render(&draw(&app, caller, id_in(id)?, None).await?)
}

/// What is to be said beside the account as it is now.
struct Said {
    /// What somebody typed; without it the form shows what is stored.
    typed: Option<AccountForm>,
    mistakes: Vec<Mistake>,
}

async fn draw(
    app: &App,
    caller: Caller,
    id: AccountId,
    said: Option<Said>,
) -> Result<AccountPage, ServiceError> {
    let centre = app.centre.clone();
    blocking(move || {
        let now_ms = centre.now_ms();
        centre.read(|tx| {
            let account = accounts::by_id(tx, &id)?.ok_or(ProblemCode::NotFound)?;
            let said = said.unwrap_or(Said { typed: None, mistakes: Vec::new() });
            let changed = said.mistakes.contains(&Mistake::Changed);
            let mut form = said.typed.unwrap_or_else(|| AccountForm::of_account(&account));
            form.note(&said.mistakes);
            form.offer(tx, centre.context())?;
            Ok(AccountPage {
                w: W,
                frame: frame(tx, &caller, now_ms, Here::Accounts)?,
                sample: None,
                id: account.id.to_string(),
                name: account.name.as_str().to_owned(),
                version: account.version,
                locked: account.locked,
                badge: badge(&account),
                facts: facts(&account, now_ms),
                form,
                note: changed.then(|| W.of("account_error", Mistake::Changed.key())),
            })
        })
    })
    .await
}

/// Changes name, unit and roles.
pub async fn change_account(State(app): State<App>, caller: Caller, id: IdInPath, fields: Fields) -> Page {
    let id = id_in(id)?;
    let form = fields.only(&[&["display", "unit", "version"][..], &role_fields()].concat())?;
    let version =
        form.get("version").parse().map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
    let roles = roles_in(&form);
    let typed = AccountForm::typed(&form, roles);
    let profile = match Profile::read(form.get("display"), form.get("unit"), roles) {
        Ok(profile) => profile,
        Err(mistakes) => return refused(&app, caller, id, Said { typed: Some(typed), mistakes }).await,
    };
    let (centre, by, whose) = (app.centre.clone(), caller.account.clone(), id.clone());
    let changed = blocking(move || {
        let now_ms = centre.now_ms();
        centre.write(move |tx| Ok(accounts::change(tx, now_ms, by.as_str(), (&whose, version), &profile)?))
    })
    .await?;
    settle(&app, caller, id, changed.map(|_| ()), Some(typed)).await
}

/// Locks an account: its sessions end, and nobody signs in with it.
pub async fn lock_account(State(app): State<App>, caller: Caller, id: IdInPath, fields: Fields) -> Page {
    set_locked(app, caller, id_in(id)?, fields, true).await
}

/// Unlocks an account.
pub async fn unlock_account(State(app): State<App>, caller: Caller, id: IdInPath, fields: Fields) -> Page {
    set_locked(app, caller, id_in(id)?, fields, false).await
}

async fn set_locked(app: App, caller: Caller, id: AccountId, fields: Fields, locked: bool) -> Page {
    fields.only(&[])?;
    let (centre, by, whose) = (app.centre.clone(), caller.account.clone(), id.clone());
    let done = blocking(move || {
        let now_ms = centre.now_ms();
        centre.write(move |tx| Ok(accounts::set_locked(tx, now_ms, by.as_str(), &whose, locked)?))
    })
    .await?;
    settle(&app, caller, id, done.map(|_| ()), None).await
}

/// Leads back to the account, or says what cannot be done.
async fn settle(
    app: &App,
    caller: Caller,
    id: AccountId,
    done: Result<(), Mistake>,
    typed: Option<AccountForm>,
) -> Page {
    match done {
        Ok(()) => Ok(see_other(&format!("/accounts/{id}"))),
        Err(Mistake::Unknown) => Err(ServiceError::from(ProblemCode::NotFound).into()),
        // What is stored now is shown; what was typed is shown where it can still be corrected.
        Err(mistake) => {
            let typed = typed.filter(|_| mistake != Mistake::Changed);
            refused(app, caller, id, Said { typed, mistakes: vec![mistake] }).await
        }
    }
}

async fn refused(app: &App, caller: Caller, id: AccountId, said: Said) -> Page {
    let conflict = said.mistakes.iter().any(|m| matches!(m, Mistake::Changed | Mistake::LastAdmin));
    let status = if conflict { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    drawn(render(&draw(app, caller, id, Some(said)).await?)?, status, None)
}

/// Gives an account a new password, which is shown this once and must be changed first.
pub async fn reset_password(State(app): State<App>, caller: Caller, id: IdInPath, fields: Fields) -> Page {
    let id = id_in(id)?;
    fields.only(&[])?;
    let (centre, door, by, whose) =
        (app.centre.clone(), app.door.clone(), caller.account.clone(), id.clone());
    let reset = blocking(move || {
        let password = Password::generate(&mut centre.random());
        let hash = door.hashing.make(&password, &salt(&centre))?;
        let now_ms = centre.now_ms();
        let account = centre.write(move |tx| {
            if accounts::set_password(tx, now_ms, by.as_str(), &whose, (&hash, true))?.is_err() {
                return Err(ProblemCode::NotFound.into());
            }
            Ok(accounts::by_id(tx, &whose)?.ok_or(ProblemCode::NotFound)?)
        })?;
        Ok((account, password))
    })
    .await?;
    shown_once(&app, caller, reset, false).await
}

#[derive(Template)]
#[template(path = "account_secret.html")]
struct SecretPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    title: &'static str,
    id: String,
    name: String,
    display: String,
    password: Password,
}

/// The only page that shows a password: a generated one, once.
pub(super) async fn shown_once(
    app: &App,
    caller: Caller,
    (account, password): (Account, Password),
    new: bool,
) -> Page {
    let centre = app.centre.clone();
    let page = blocking(move || {
        let now_ms = centre.now_ms();
        centre.read(|tx| {
            Ok::<_, ServiceError>(SecretPage {
                w: W,
                frame: frame(tx, &caller, now_ms, Here::Accounts)?,
                sample: None,
                title: W.t(if new { "accounts.made" } else { "accounts.was_reset" }),
                id: account.id.to_string(),
                name: account.name.as_str().to_owned(),
                display: account.display,
                password,
            })
        })
    })
    .await?;
    render(&page)
}
