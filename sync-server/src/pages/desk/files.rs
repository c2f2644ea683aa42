//! The attachments of a case at the desk: pictures beside the answers, everything else as a file to be kept.
//!
//! `/desk/{number}/attachments/{page}` is behind the same check of the unit as the case, and each look leaves an audit
//! row before the file leaves. Pictures were written anew, so that nothing in them runs; still they are sandboxed.
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use domain::ids::CaseNo;

use super::gathered::Gathered;
use super::history::wanted;
use super::{W, number};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::{Page, view};
use crate::services::attachments::{self, Harmless, PDF_TYPE};
use crate::services::blobs::Blob;
use crate::services::content::{self, FilePlace, Scope};
use crate::services::sessions::Caller;
use crate::shell::App;

/// What a browser may do with a file: show or keep it, and nothing that it says.
const SANDBOX: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// A page or photo in the list beside the answers.
pub struct FileView {
    /// Where it stands.
    pub place: FilePlace,
    /// What it is.
    pub name: String,
    /// Where it can be had; none if it is not here.
    pub address: Option<String>,
    /// It can be shown in the page.
    pub picture: bool,
    /// Its length, sealed, in bytes.
    pub length: u64,
    /// What is to be said of it.
    pub note: String,
}

/// The files that the caller may see: those of the newest supplement first, for they are what is looked for.
pub fn list(of: &Gathered) -> Vec<FileView> {
    let added = of.found.supplements.iter().rev().flat_map(|supplement| {
        let (round, at_ms) = (supplement.round, Some(supplement.at_ms));
        supplement.blobs.iter().filter_map(move |blob| one(of, round, blob, at_ms))
    });
    added.chain(of.found.blobs.iter().filter_map(|blob| one(of, 0, blob, None))).collect()
}

fn one(of: &Gathered, round: u16, blob: &Blob, added_ms: Option<i64>) -> Option<FileView> {
    let field = of.content.names(&blob.digest);
    let material = of.content.material(&blob.digest);
    if of.found.scope != Scope::All && field.is_none() && material.is_none() {
        return None;
    }
    let label = match (field, material) {
        (Some(field), _) => field.label.get(W.0).to_owned(),
        (None, Some(key)) => wanted(of, key),
        (None, None) if blob.kind == "photo" => W.t("case.attachment_photo").to_owned(),
        (None, None) => W.t("case.attachment_page").to_owned(),
    };
    let here = blob.arrived_at_ms.is_some();
    let mut note = match (here, blob.given_up) {
        (true, _) => W.fill("case.kilobytes", &[("n", &blob.length.div_ceil(1024).to_string())]),
        (false, true) => W.t("case.attachment_given_up").to_owned(),
        (false, false) => W.t("case.attachment_awaited").to_owned(),
    };
    if let Some(at_ms) = added_ms {
        let added = W.fill("desk.supplemented", &[("time", &view::time(at_ms, of.now_ms))]);
        note = format!("{added} · {note}");
    }
    let value = field.and_then(|field| field.value.as_ref());
    let value = value.or_else(|| material.and_then(|key| of.content.materials.get(key)));
    let kind = value.and_then(|value| kind_of(value, blob));
    let place = FilePlace { round, page: blob.page };
    Some(FileView {
        place,
        name: W.fill("desk.file", &[("n", &blob.page.to_string()), ("what", &label)]),
        address: here.then(|| format!("/desk/{}/attachments/{place}", of.found.row.number)),
        picture: kind.as_deref() != Some(PDF_TYPE),
        length: blob.length,
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
    let place = place.ok().and_then(|Path((text, place))| Some((number(&text).ok()?, place.parse().ok()?)));
    let Some((shown, place)) = place else { return Err(ServiceError::from(ProblemCode::NotFound).into()) };
    let asked = shown.clone();
    let file = blocking(move || {
        let (centre, context) = (&app.centre, app.centre.context());
        let found = centre.read(|tx| content::find(tx, context, &asked, &caller))?;
        let found = found.attachment(&context.keys, place)?;
        let sealed = app.uploads.blobs().read(&found.blob.digest)?;
        let file = attachments::open(&found, &context.keys, &sealed)?;
        let (now_ms, by) = (centre.now_ms(), caller.account.clone());
        centre.write(move |tx| Ok(attachments::note_seen(tx, now_ms, &by, &found)?))?;
        Ok(file)
    })
    .await?;
    Ok(answer(&shown, place, file))
}

fn answer(number: &CaseNo, place: FilePlace, file: Harmless) -> Response {
    let Harmless { bytes, media_type, ending } = file;
    let how = if media_type == PDF_TYPE { "attachment" } else { "inline" };
    handed_out(how, &format!("{number}-{place}.{ending}"), (media_type, bytes))
}

/// A file of a case, to be shown (`inline`) or kept (`attachment`) under this name, in which nothing runs.
pub(in crate::pages) fn handed_out(
    how: &str,
    name: &str,
    (media_type, bytes): (&'static str, Vec<u8>),
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("{how}; filename=\"{name}\"")),
        (header::CONTENT_SECURITY_POLICY, SANDBOX.to_owned()),
    ];
    (headers, bytes).into_response()
}
