//! `/rollout/{step}`: what somebody is about to do, why, and what follows from it; then it is done. No step without
//! a reason, none from the overview at once.
use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery, State};
use axum::http::StatusCode;
use domain::ids::ItemCode;
use domain::wire::v1::MAX_REASON_CHARS;
use serde::Deserialize;

use super::{W, title};
use crate::api::blocking;
use crate::centre::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::cases::item_name;
use crate::pages::form::Fields;
use crate::pages::frame::{Frame, Here, frame};
use crate::pages::sign_in::drawn;
use crate::pages::{Page, in_address, render};
use crate::services::rollout::{self, Reason, Step, StepError, WithdrawError};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::store::Tx;
use crate::words::Words;

/// What can be done, by the last part of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Step(Step),
    Withdraw,
    Restore,
}

impl Doing {
    fn read(path: Result<Path<String>, PathRejection>) -> Result<Self, ServiceError> {
        let name = path.map(|Path(name)| name).unwrap_or_default();
        let steps = [Step::Pause, Step::GoOn, Step::Halt, Step::RollBack];
        match (steps.into_iter().find(|step| step.as_str() == name), name.as_str()) {
            (Some(step), _) => Ok(Self::Step(step)),
            (None, "withdraw") => Ok(Self::Withdraw),
            (None, "restore") => Ok(Self::Restore),
            (None, _) => Err(ProblemCode::NotFound.into()),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Step(step) => step.as_str(),
            Self::Withdraw => "withdraw",
            Self::Restore => "restore",
        }
    }
}

/// What stands in the URL of the second page.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Chosen {
    #[serde(default)]
    item: String,
}

#[derive(Template)]
#[template(path = "rollout_step.html")]
struct StepPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    address: String,
    title: String,
    about: String,
    what: String,
    button: String,
    hint: String,
    most: usize,
    needs_reason: bool,
    hidden: Vec<(&'static str, String)>,
    reason: String,
    error: Option<String>,
    refused: Option<String>,
}

/// What was typed, and what is wrong with it.
#[derive(Debug, Clone, Default)]
struct Typed {
    item: String,
    reason: String,
    error: Option<String>,
    refused: Option<String>,
}

/// The page that asks why and says what follows.
pub async fn rollout_step(
    State(app): State<App>,
    caller: Caller,
    step: Result<Path<String>, PathRejection>,
    chosen: Result<UrlQuery<Chosen>, QueryRejection>,
) -> Page {
    let doing = Doing::read(step)?;
    let chosen = in_address(chosen)?;
    let typed = Typed { item: chosen.item, ..Typed::default() };
    render(&asked(&app, caller, doing, typed).await?)
}

/// Does it, and leads back to the overview.
pub async fn take_rollout_step(
    State(app): State<App>,
    caller: Caller,
    step: Result<Path<String>, PathRejection>,
    fields: Fields,
) -> Page {
    let doing = Doing::read(step)?;
    let form = fields.only(&["id", "seen", "item", "reason"])?;
    let (item, reason) = (form.get("item").to_owned(), form.get("reason").to_owned());
    let seen = (form.get("id").parse().unwrap_or(0), form.get("seen").parse().unwrap_or(0));
    let given = Reason::typed(&reason);
    let typed = Typed { item: item.clone(), reason, ..Typed::default() };
    let reason = match (given, doing) {
        (Some(reason), _) => Some(reason),
        (None, Doing::Restore) => None,
        (None, _) => {
            let typed = Typed { error: Some(W.t("rollout_ask.reason_missing").to_owned()), ..typed };
            return refused(&app, caller, (doing, typed), StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let (centre, by) = (app.centre.clone(), caller.account.to_string());
    match blocking(move || take(&centre, &by, doing, (&item, seen, reason))).await? {
        Ok(()) => Ok(see_other("/rollout")),
        Err(why) => {
            let typed = Typed { refused: Some(why), ..typed };
            refused(&app, caller, (doing, typed), StatusCode::CONFLICT).await
        }
    }
}

/// Takes the step; the inner error is for people.
fn take(
    centre: &Centre,
    by: &str,
    doing: Doing,
    (item, seen, reason): (&str, (u64, i64), Option<Reason>),
) -> Result<Result<(), String>, ServiceError> {
    let now_ms = centre.now_ms();
    let by = by.to_owned();
    let done = match (doing, item.parse::<ItemCode>(), reason) {
        (Doing::Step(step), _, Some(reason)) => {
            centre.write(move |tx| in_words(rollout::take_step(tx, now_ms, (&by, step), seen, &reason)))?
        }
        (Doing::Withdraw, Ok(item), Some(reason)) => {
            let newest = centre.read(|tx| centre.context().shelf.newest(tx))?;
            let known = newest.is_some_and(|volume| volume.catalogue.entry(&item).is_some());
            centre.write(move |tx| {
                withdrawal_in_words(rollout::withdraw(tx, now_ms, &by, (&item, known), &reason))
            })?
        }
        (Doing::Restore, Ok(item), _) => {
            centre.write(move |tx| withdrawal_in_words(rollout::restore(tx, now_ms, &by, &item)))?
        }
        _ => Err(W.t("rollout_ask.no_item").to_owned()),
    };
    if done.is_ok() {
        centre.ring_all();
    }
    Ok(done)
}

fn in_words(done: Result<(), StepError>) -> Result<Result<(), String>, ServiceError> {
    let key = match done {
        Ok(()) => return Ok(Ok(())),
        Err(StepError::Service(e)) => return Err(e),
        Err(StepError::Unknown) => "rollout_ask.unknown",
        Err(StepError::Changed) => "rollout_ask.changed",
        Err(StepError::NoWayBack { .. }) => "rollout_ask.no_way_back",
        Err(StepError::UnderWay { .. }) => "rollout_ask.under_way",
    };
    Ok(Err(W.t(key).to_owned()))
}

fn withdrawal_in_words(done: Result<(), WithdrawError>) -> Result<Result<(), String>, ServiceError> {
    let key = match done {
        Ok(()) => return Ok(Ok(())),
        Err(WithdrawError::Store(e)) => return Err(e.into()),
        Err(WithdrawError::Unknown(_)) => "rollout_ask.no_item",
        Err(WithdrawError::Already(_)) => "rollout_ask.already",
        Err(WithdrawError::Not(_)) => "rollout_ask.not_withdrawn",
        Err(WithdrawError::Long) => "rollout_ask.reason_long",
        Err(WithdrawError::Full) => "rollout_ask.full",
    };
    Ok(Err(W.t(key).to_owned()))
}

async fn refused(app: &App, caller: Caller, (doing, typed): (Doing, Typed), status: StatusCode) -> Page {
    let page = asked(app, caller, doing, typed).await?;
    drawn(render(&page)?, status, None)
}

async fn asked(app: &App, caller: Caller, doing: Doing, typed: Typed) -> Result<StepPage, ServiceError> {
    let centre = app.centre.clone();
    blocking(move || centre.read(|tx| draw(tx, &centre, &caller, (doing, typed)))).await
}

fn draw(
    tx: &mut Tx<'_>,
    centre: &Centre,
    caller: &Caller,
    (doing, typed): (Doing, Typed),
) -> Result<StepPage, ServiceError> {
    let name = doing.name();
    let (subject, about, hidden, refused) = match doing {
        Doing::Step(step) => {
            let rollout = rollout::latest(tx)?.ok_or(ProblemCode::NotFound)?;
            let may = rollout.course.may(step, rollout.way_back.is_some());
            let key = if step == Step::RollBack && rollout.way_back.is_none() {
                "rollout_ask.no_way_back"
            } else {
                "rollout_ask.changed"
            };
            let hidden = vec![("id", rollout.id.to_string()), ("seen", rollout.changed_ms.to_string())];
            (title(&rollout), String::new(), hidden, (!may).then(|| W.t(key).to_owned()))
        }
        Doing::Withdraw | Doing::Restore => {
            let newest = centre.context().shelf.newest(tx)?;
            let code: Option<ItemCode> = typed.item.parse().ok();
            let code = code.filter(|code| {
                newest.as_deref().is_some_and(|volume| volume.catalogue.entry(code).is_some())
                    || doing == Doing::Restore
            });
            let refused = code.is_none().then(|| W.t("rollout_ask.no_item").to_owned());
            let title = item_name(newest.as_deref().map(|v| &v.catalogue), code.as_ref());
            let code = code.map(|code| code.to_string()).unwrap_or_default();
            (title, code.clone(), vec![("item", code)], refused)
        }
    };
    Ok(StepPage {
        w: W,
        frame: frame(tx, caller, centre.now_ms(), Here::Rollout)?,
        sample: None,
        address: format!("/rollout/{name}"),
        title: subject,
        about,
        what: W.of("rollout_ask", &format!("{name}_what")),
        button: W.of("rollout_do", name),
        hint: W.of("rollout_ask", if doing == Doing::Withdraw { "for_citizens" } else { "for_history" }),
        most: if doing == Doing::Withdraw { MAX_REASON_CHARS } else { 200 },
        needs_reason: doing != Doing::Restore,
        hidden,
        reason: typed.reason,
        error: typed.error,
        refused: typed.refused.or(refused),
    })
}
