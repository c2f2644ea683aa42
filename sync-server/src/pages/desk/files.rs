//! The attachments of a case at the desk: pictures beside the answers, everything else as a file to be kept.
//!
//! `/desk/{number}/attachments/{page}` is behind the same check of the unit as the case, and each look leaves an audit
//! row before the file leaves. Pictures were written anew, so that nothing in them runs; still they are sandboxed.
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};

use super::gathered::Gathered;
use super::{W, number};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::Page;
use crate::pages::attachment::{answer, hand_out, page_of};
use crate::services::blobs::Blob;
use crate::services::content::{self, Scope};
use crate::services::sessions::Caller;
use crate::shell::App;

/// What a form calls a file that is no picture.
const PDF: &str = "application/pdf";

/// A page or photo in the list beside the answers.
pub struct FileView {
    /// Its page.
    pub page: u16,
    /// What it is.
    pub name: String,
    /// Where it can be had; none if it is not here.
    pub address: Option<String>,
    /// It can be shown in the page.
    pub picture: bool,
    /// What is to be said of it.
    pub note: String,
}

/// The files that the caller may see.
pub fn list(of: &Gathered) -> Vec<FileView> {
    of.blobs.iter().filter_map(|blob| one(of, blob)).collect()
}

fn one(of: &Gathered, blob: &Blob) -> Option<FileView> {
    let field = of.content.names(&blob.digest);
    if of.found.scope != Scope::All && field.is_none() {
        return None;
    }
    let label = match field {
        Some(field) => field.label.get(W.0).to_owned(),
        None if blob.kind == "photo" => W.t("case.attachment_photo").to_owned(),
        None => W.t("case.attachment_page").to_owned(),
    };
    let here = blob.arrived_at_ms.is_some();
    let note = match (here, blob.given_up) {
        (true, _) => W.fill("case.kilobytes", &[("n", &blob.length.div_ceil(1024).to_string())]),
        (false, true) => W.t("case.attachment_given_up").to_owned(),
        (false, false) => W.t("case.attachment_awaited").to_owned(),
    };
    let kind = field.and_then(|field| field.value.as_ref()).and_then(|value| kind_of(value, blob));
    Some(FileView {
        page: blob.page,
        name: W.fill("desk.file", &[("n", &blob.page.to_string()), ("what", &label)]),
        address: here.then(|| format!("/desk/{}/attachments/{}", of.found.row.number, blob.page)),
        picture: kind.as_deref() != Some(PDF),
        note,
    })
}

/// The media type that an answer gives a file.
fn kind_of(value: &serde_json::Value, blob: &Blob) -> Option<String> {
    let digest = blob.digest.to_string();
    let list = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    let file = list.iter().find(|f| f.get("hash").and_then(|h| h.as_str()) == Some(digest.as_str()))?;
    file.get("kind").and_then(|kind| kind.as_str()).map(str::to_owned)
}

/// One attachment.
pub async fn attachment(
    State(app): State<App>,
    caller: Caller,
    place: Result<Path<(String, String)>, PathRejection>,
) -> Page {
    let place = place.ok().and_then(|Path((text, page))| Some((number(&text).ok()?, page_of(&page)?)));
    let Some((shown, page)) = place else { return Err(ServiceError::from(ProblemCode::NotFound).into()) };
    let asked = shown.clone();
    let file = blocking(move || {
        let context = app.centre.context();
        let found = app
            .centre
            .read(|tx| content::find(tx, context, &asked, &caller)?.attachment(tx, &context.keys, page))?;
        hand_out(&app, &caller, found)
    })
    .await?;
    let how = if file.media_type == PDF { "attachment" } else { "inline" };
    Ok(answer((&shown, page), file, how))
}
