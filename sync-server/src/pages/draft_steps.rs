//! The steps of a draft: to the checkers, approved, sent back, discarded.
use axum::extract::State;

use super::Page;
use super::changes::back;
use super::form::Fields;
use super::item_editor::{CodeInPath, broken_rules, code_in};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::services::editing::{self, EditError, Outcome, Request};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::store::Tx;

/// What a step's form sent.
struct Step {
    request: Request,
    text: String,
}

fn read(caller: &Caller, code: CodeInPath, fields: Fields, text: &str) -> Result<Step, ServiceError> {
    let code = code_in(code)?;
    let form = fields.only(&["version", text])?;
    let seen = form.get("version").parse().map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
    let text = form.get(text).to_owned();
    Ok(Step { request: Request { by: caller.account.clone(), code, seen }, text })
}

async fn done<T: Send + 'static>(
    app: App,
    step: Step,
    act: impl Fn(&mut Tx<'_>, i64, &Step) -> Outcome<T> + Send + 'static,
) -> Result<Option<EditError>, ServiceError> {
    blocking(move || {
        let now_ms = app.centre.now_ms();
        app.centre.write(move |tx| Ok(act(tx, now_ms, &step)?.err()))
    })
    .await
}

/// Hands a draft to the checkers, if it breaks no rule.
pub async fn ready_draft(State(app): State<App>, caller: Caller, code: CodeInPath, fields: Fields) -> Page {
    let step = read(&caller, code, fields, "note")?;
    let (centre, looked, code) = (app.centre.clone(), app.clone(), step.request.code.clone());
    let broken = blocking(move || {
        centre.read(|tx| match editing::of_item(tx, &code)? {
            Some(draft) => broken_rules(tx, &looked, &draft),
            None => Ok(0),
        })
    })
    .await?;
    if broken > 0 {
        return Ok(back(Some(EditError::Unfit)));
    }
    Ok(back(done(app, step, |tx, now_ms, s| editing::mark_ready(tx, now_ms, &s.request, &s.text)).await?))
}

/// Approves a draft.
pub async fn approve_draft(State(app): State<App>, caller: Caller, code: CodeInPath, fields: Fields) -> Page {
    let step = read(&caller, code, fields, "version")?;
    Ok(back(done(app, step, |tx, now_ms, s| editing::approve(tx, now_ms, &s.request)).await?))
}

/// Sends a draft back with a reason.
pub async fn return_draft(State(app): State<App>, caller: Caller, code: CodeInPath, fields: Fields) -> Page {
    let step = read(&caller, code, fields, "reason")?;
    Ok(back(done(app, step, |tx, now_ms, s| editing::send_back(tx, now_ms, &s.request, &s.text)).await?))
}

/// Takes a draft away.
pub async fn discard_draft(State(app): State<App>, caller: Caller, code: CodeInPath, fields: Fields) -> Page {
    let step = read(&caller, code, fields, "version")?;
    let item = format!("/catalogue/items/{}", step.request.code);
    match done(app, step, |tx, now_ms, s| editing::discard(tx, now_ms, &s.request)).await? {
        None => Ok(see_other(&item)),
        error => Ok(back(error)),
    }
}
