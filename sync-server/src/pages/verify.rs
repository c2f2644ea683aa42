//! `/verify`: whether a slip is genuine and where its case stands, by its number and the token or the end of the phone
//! number. Open to everybody; a wrong answer, an unknown number and a pause after many tries look the same, and are
//! answered at the same moment.
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use domain::text::Language;

use super::form::Fields;
use super::moment::Begun;
use super::sign_in::drawn;
use super::slip::{Shown, draw};
use super::{Page, render};
use crate::api::blocking;
use crate::services::slips::{self, Asked, Proof};
use crate::shell::App;
use crate::shell::gate::RemoteAddress;
use crate::words::Words;

const W: Words = Words(Language::ZhCn);
/// The longest number that is shown again after a wrong try, in characters.
const MAX_SHOWN_CHARS: usize = 24;

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage {
    w: Words,
    number: String,
    /// Something was typed, and it finds nothing.
    nothing: bool,
}

/// The form.
pub async fn verify_form() -> Page {
    render(&VerifyPage { w: W, number: String::new(), nothing: false })
}

/// What was found: the page of the slip, or the form with words that say no more than that.
pub async fn verify(
    State(app): State<App>,
    Extension(RemoteAddress(address)): Extension<RemoteAddress>,
    fields: Fields,
) -> Page {
    let begun = Begun::now();
    let form = fields.only(&["number", "proof"])?;
    let (number, proof) = (form.get("number").to_owned(), form.get("proof").to_owned());
    let shown: String = number.trim().chars().take(MAX_SHOWN_CHARS).collect();
    let centre = app.centre.clone();
    let page = blocking(move || {
        let now_ms = centre.now_ms();
        let asked = Asked { number, proof, address: address.map(|a| a.to_string()) };
        let token = match Proof::of(&slips::plain(&asked.proof)) {
            Proof::Token(token) => Some(token.to_owned()),
            Proof::PhoneEnd(_) => None,
        };
        let own = centre.clone();
        let found = centre.write(move |tx| slips::ask(tx, now_ms, &own.context().keys, &asked))?;
        let Some(found) = found else { return Ok(None) };
        let shown = Shown { w: W, token: token.as_deref(), now_ms };
        centre.read(|tx| draw(tx, centre.context(), found, shown)).map(Some)
    })
    .await?;
    match page {
        Some(page) => render(&page),
        None => {
            begun.until_refused().await;
            let page = VerifyPage { w: W, number: shown, nothing: true };
            drawn(render(&page)?, StatusCode::NOT_FOUND, None)
        }
    }
}
