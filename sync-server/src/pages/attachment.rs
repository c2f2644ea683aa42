//! `/cases/{number}/attachments/{page}`: one page or photo of a case, as a file to be kept, never as a page of ours.
//!
//! Behind the same permit as the case; each look leaves an audit row before the file leaves. The file is sandboxed:
//! nothing in it may run or load anything.
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use domain::ids::CaseNo;

use super::Page;
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::services::attachments::{self, Harmless};
use crate::services::sessions::Caller;
use crate::shell::App;

/// What a browser may do with the file: keep it.
pub(super) const SANDBOX: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// One attachment.
pub async fn attachment(
    State(app): State<App>,
    caller: Caller,
    place: Result<Path<(String, String)>, PathRejection>,
) -> Page {
    let place =
        place.ok().and_then(|Path((number, page))| Some((number.parse::<CaseNo>().ok()?, page_of(&page)?)));
    let Some((shown, page)) = place else { return Err(ServiceError::from(ProblemCode::NotFound).into()) };
    let asked = shown.clone();
    let file = blocking(move || {
        let centre = &app.centre;
        let found = centre.read(|tx| attachments::find(tx, &asked, page))?;
        let sealed = app.uploads.blobs().read(&found.blob.digest)?;
        let file = attachments::open(&found, &centre.context().keys, &sealed)?;
        let (now_ms, by) = (centre.now_ms(), caller.account.clone());
        centre.write(move |tx| Ok(attachments::note_seen(tx, now_ms, &by, &found)?))?;
        Ok(file)
    })
    .await?;
    Ok(answer(&shown, page, file))
}

fn answer(number: &CaseNo, page: u16, file: Harmless) -> Response {
    let Harmless { bytes, media_type, ending } = file;
    let name = format!("attachment; filename=\"{number}-{page}.{ending}\"");
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_SECURITY_POLICY, SANDBOX.to_owned()),
    ];
    (headers, bytes).into_response()
}

/// A page as it is written in an address: digits without leading zeros.
pub(super) fn page_of(text: &str) -> Option<u16> {
    let page: u16 = text.parse().ok().filter(|page| *page > 0)?;
    (page.to_string() == text).then_some(page)
}
