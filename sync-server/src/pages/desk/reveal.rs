//! `POST /desk/{number}/reveal`: one masked value in full, for a moment. It leaves an audit row before it leaves; the
//! script shows it for five seconds in its place, and without a script it is a page of its own.
use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};

use super::answers::in_full;
use super::gathered::gather;
use super::{W, number};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form::Fields;
use crate::pages::frame::Frame;
use crate::pages::{Page, render};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::words::Words;

#[derive(Template)]
#[template(path = "desk_revealed.html")]
struct RevealedPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    number: String,
    label: String,
    value: String,
    back: String,
}

/// Shows it.
pub async fn reveal(
    State(app): State<App>,
    caller: Caller,
    named: Result<Path<String>, PathRejection>,
    fields: Fields,
) -> Page {
    let case = number(&named.map(|Path(text)| text).unwrap_or_default())?;
    let form = fields.only(&["field", "step"])?;
    let (key, step) = (form.get("field").to_owned(), form.get("step").to_owned());
    let page = blocking(move || {
        let (centre, now_ms) = (&app.centre, app.centre.now_ms());
        let of = centre.read(|tx| gather(tx, centre.context(), &case, (&caller, now_ms)))?;
        let (label, value) = in_full(&of, &key).ok_or(ProblemCode::NotFound)?;
        let (look, by) = (of.found.look(), caller.account.clone());
        centre.write(move |tx| Ok(look.note_revealed(tx, now_ms, &by, &key)?))?;
        Ok::<_, ServiceError>(RevealedPage {
            w: W,
            frame: of.frame,
            sample: of.sample,
            number: case.to_string(),
            label,
            value,
            back: super::address(&case, Some(&step)),
        })
    })
    .await?;
    render(&page)
}
