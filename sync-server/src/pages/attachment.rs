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
use crate::services::attachments::{self, Found, Harmless};
use crate::services::sessions::Caller;
use crate::shell::App;

/// What a browser may do with the file: keep it.
const SANDBOX: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

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
        let found = app.centre.read(|tx| attachments::find(tx, &asked, page))?;
        hand_out(&app, &caller, found)
    })
    .await?;
    Ok(answer((&shown, page), file, "attachment"))
}

/// The file that was found, made harmless. That somebody sees it is noted before it leaves.
///
/// # Errors
/// [`ServiceError`] if it is not there or does not open, is of no kind that is handed out, or that cannot be noted.
pub(super) fn hand_out(app: &App, caller: &Caller, found: Found) -> Result<Harmless, ServiceError> {
    let centre = &app.centre;
    let sealed = app.uploads.blobs().read(&found.blob.digest)?;
    let file = attachments::open(&found, &centre.context().keys, &sealed)?;
    let (now_ms, by) = (centre.now_ms(), caller.account.clone());
    centre.write(move |tx| Ok(attachments::note_seen(tx, now_ms, &by, &found)?))?;
    Ok(file)
}

/// The file as it leaves: sandboxed, and as a browser shall take it (`inline` or `attachment`).
pub(super) fn answer((number, page): (&CaseNo, u16), file: Harmless, how: &str) -> Response {
    let Harmless { bytes, media_type, ending } = file;
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("{how}; filename=\"{number}-{page}.{ending}\"")),
        (header::CONTENT_SECURITY_POLICY, SANDBOX.to_owned()),
    ];
    (headers, bytes).into_response()
}

/// A page as it is written in an address: digits without leading zeros.
pub(super) fn page_of(text: &str) -> Option<u16> {
    let page: u16 = text.parse().ok().filter(|page| *page > 0)?;
    (page.to_string() == text).then_some(page)
}
