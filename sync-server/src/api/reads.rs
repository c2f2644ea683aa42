//! Reads for programs: a station's cases, page by page and one by one, and the catalogue, each with its entity tag.
//!
//! Signed by an enrolled terminal as `changes` is. Refuses a case of another station like one that is not there.
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use domain::ids::EnvelopeId;
use domain::wire::v1::{CaseList, CaseResource, CasesQuery, DEFAULT_PAGE, MAX_PAGE};

use super::parameters::{Parameters, signer};
use super::{MAX_CURSOR, blocking};
use crate::error::{ProblemCode, ServiceError};
use crate::services::readings;
use crate::shell::App;
use crate::shell::etag::is_known;
use crate::shell::problem::Refusal;

/// What may be kept, and must be asked for anew each time.
const ASK_AGAIN: &str = "private, no-cache";
/// What never changes.
const FOR_EVER: &str = "private, max-age=31536000, immutable";

/// List cases
///
/// The cases of the caller's station in the centre's order, oldest first, a page after a cursor. The header `Link`
/// names the next page while there is one. A case keeps its place: what changed is told by `changes`.
#[utoipa::path(
    get, path = "/api/v1/cases", operation_id = "list_cases", tag = "reads",
    responses((status = 200, description = "A page of cases.", body = CaseList)),
    security(("terminal" = [], "signature" = [])),
)]
pub async fn cases(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    let query = Parameters::read(&uri)?;
    let after = query.number("after", 0, 0..=MAX_CURSOR)?;
    let limit = query.number("limit", DEFAULT_PAGE.into(), 1..=MAX_PAGE.into())?;
    let limit = u32::try_from(limit).unwrap_or(MAX_PAGE);
    let (_, station) = signer(&app, &uri, &headers).await?;
    let centre = app.centre.clone();
    let stretch = blocking(move || {
        Ok(centre.read(|tx| readings::cases_after(tx, &station, CasesQuery { after, limit }))?)
    })
    .await?;
    let next = format!("</api/v1/cases?after={}&limit={limit}>; rel=\"next\"", stretch.cursor);
    let list = CaseList {
        cases: stretch.cases,
        cursor: stretch.cursor,
        more: stretch.more,
        contact: app.centre.contact(),
    };
    let mut response = Json(&list).into_response();
    if let Some(next) = HeaderValue::from_str(&next).ok().filter(|_| list.more) {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

/// Read a case
///
/// One case of the caller's station, with an entity tag made from its version: ask again with `If-None-Match`.
#[utoipa::path(
    get, path = "/api/v1/cases/{envelope_id}", operation_id = "read_case", tag = "reads",
    responses((status = 200, description = "The case as it stands now.", body = CaseResource)),
    security(("terminal" = [], "signature" = [])),
)]
pub async fn case(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    // Only the usual form of a UUID is an address; others would be second addresses of the same case.
    let id = id.ok().filter(|Path(id)| id.len() == 36).and_then(|Path(id)| id.parse::<EnvelopeId>().ok());
    let (_, station) = signer(&app, &uri, &headers).await?;
    let id = id.ok_or_else(|| ServiceError::from(ProblemCode::NotFound))?;
    let centre = app.centre.clone();
    let case = blocking(move || centre.read(|tx| readings::case_of(tx, &station, &id))).await?;
    // Restored from a backup, the centre may count the same versions again: the epoch tells them apart.
    let tag = format!("\"{}-{}\"", app.centre.context().epoch, case.version);
    if is_known(&headers, &tag) {
        return Ok(tagged(StatusCode::NOT_MODIFIED.into_response(), &tag, ASK_AGAIN));
    }
    Ok(tagged(Json(case).into_response(), &tag, ASK_AGAIN))
}

/// Read the newest catalogue
///
/// The catalogue in force, canonical JSON; its entity tag is the SHA-256 of the uncompressed text.
#[utoipa::path(
    get, path = "/api/v1/catalogue", operation_id = "read_catalogue", tag = "reads",
    responses((status = 200, description = "The catalogue.", body = serde_json::Value)),
    security(("terminal" = [], "signature" = [])),
)]
pub async fn catalogue(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, Refusal> {
    signer(&app, &uri, &headers).await?;
    edition(&app, &headers, None).await
}

/// Read a catalogue version
///
/// A version once published never changes and is kept for ever.
#[utoipa::path(
    get, path = "/api/v1/catalogue/{version}", operation_id = "read_catalogue_version", tag = "reads",
    responses((status = 200, description = "The catalogue of this version.", body = serde_json::Value)),
    security(("terminal" = [], "signature" = [])),
)]
pub async fn catalogue_version(
    State(app): State<App>,
    version: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    signer(&app, &uri, &headers).await?;
    let version = version.ok().and_then(|Path(v)| plain_number(&v));
    let version = version.ok_or_else(|| ServiceError::from(ProblemCode::NotFound))?;
    edition(&app, &headers, Some(version)).await
}

async fn edition(app: &App, headers: &HeaderMap, version: Option<u64>) -> Result<Response, Refusal> {
    let lasting = if version.is_some() { FOR_EVER } else { ASK_AGAIN };
    let centre = app.centre.clone();
    let (version, digest) = blocking(move || centre.read(|tx| readings::edition(tx, version))).await?;
    let tag = format!("\"{digest}\"");
    let mut response = if is_known(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let centre = app.centre.clone();
        let text = blocking(move || centre.read(|tx| readings::edition_text(tx, version))).await?;
        ([(header::CONTENT_TYPE, "application/json")], text).into_response()
    };
    if let Ok(own_address) = HeaderValue::from_str(&format!("/api/v1/catalogue/{version}")) {
        response.headers_mut().insert(header::CONTENT_LOCATION, own_address);
    }
    Ok(tagged(response, &tag, lasting))
}

/// An answer with its entity tag, and how long it may be kept.
pub(super) fn tagged(mut response: Response, tag: &str, lasting: &'static str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(lasting));
    response
}

/// A number as it is written in an address: digits without leading zeros.
fn plain_number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok().filter(|n| *n <= MAX_CURSOR)?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_address() {
        assert_eq!(plain_number("12"), Some(12));
        for other in ["", "012", "+1", "-1", "1.0", "1 ", "9223372036854775808", "\u{661}"] {
            assert_eq!(plain_number(other), None, "{other}");
        }
    }
}
