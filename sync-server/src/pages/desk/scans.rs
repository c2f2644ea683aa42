//! All pictures of a submission, or of one supplement, as one PDF: what is printed or kept is one file and not twenty.
//!
//! `/desk/{number}/scans/{round}` is behind the same check as each page, and each page that goes into it leaves the audit
//! row of a look. Refuses to leave out a page that cannot be opened without saying so, and what is too large for one
//! file: then the pages are had one by one. One is made at a time.
use std::sync::{Mutex, TryLockError};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};

use super::files::{FileView, handed_out};
use super::{W, number};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::Page;
use crate::services::attachments::{self, MOST_BOUND, PDF_TYPE};
use crate::services::content;
use crate::services::sessions::Caller;
use crate::shell::App;

/// A PDF that can be had.
pub struct ScansView {
    /// Where.
    pub address: String,
    /// What is in it.
    pub name: String,
}

/// A large one takes seconds and some hundred MiB.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What can be had as one file: each round that has two pictures or more, and not too many bytes.
pub fn list(shown: &str, files: &[FileView]) -> Vec<ScansView> {
    let fits = |round: u16| {
        let here = || files.iter().filter(|f| f.place.round == round && f.picture && f.address.is_some());
        let bytes = here().map(|file| file.length).fold(0, u64::saturating_add);
        here().count() > 1 && usize::try_from(bytes).is_ok_and(|bytes| bytes <= MOST_BOUND)
    };
    let mut rounds: Vec<_> = files.iter().map(|file| file.place.round).collect();
    rounds.dedup();
    rounds.retain(|round| fits(*round));
    let view = |round| ScansView {
        address: format!("/desk/{shown}/scans/{round}"),
        name: match round {
            0 => W.t("desk.scans").to_owned(),
            round => W.number("desk.scans_added", round),
        },
    };
    rounds.into_iter().map(view).collect()
}

/// The pictures of one round.
pub async fn scans(
    State(app): State<App>,
    caller: Caller,
    place: Result<Path<(String, String)>, PathRejection>,
) -> Page {
    let round = |text: &str| text.parse::<u16>().ok().filter(|round| round.to_string() == text);
    let place = place.ok().and_then(|Path((text, last))| Some((number(&text).ok()?, round(&last)?)));
    let Some((shown, round)) = place else { return Err(ServiceError::from(ProblemCode::NotFound).into()) };
    let asked = shown.clone();
    let bytes = blocking(move || {
        let (centre, context) = (&app.centre, app.centre.context());
        let case = centre.read(|tx| content::find(tx, context, &asked, &caller))?;
        let _turn = match ONE_AT_A_TIME.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(ProblemCode::Busy.into()),
            turn => turn,
        };
        let (mut files, mut seen, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        for found in case.attachments(&context.keys, round)? {
            let sealed = app.uploads.blobs().read(&found.blob.digest)?;
            let opened = attachments::open(&found, &context.keys, &sealed);
            let file = opened.map_err(|error| named(found.blob.page, error))?;
            if file.media_type != PDF_TYPE {
                bytes = bytes.saturating_add(file.bytes.len());
                if bytes > MOST_BOUND {
                    return Err(ProblemCode::TooLarge.into());
                }
                files.push(file);
                seen.push(found);
            }
        }
        let bytes = attachments::bind(files)?;
        let (now_ms, by) = (centre.now_ms(), caller.account.clone());
        centre.write(move |tx| {
            Ok(seen.iter().try_for_each(|found| attachments::note_seen(tx, now_ms, &by, found))?)
        })?;
        Ok(bytes)
    })
    .await?;
    Ok(handed_out("attachment", &format!("{shown}-scans-{round}.pdf"), (PDF_TYPE, bytes)))
}

/// The same refusal, with the page that it is about.
fn named(page: u16, error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Refused { code, detail } => {
            let why = detail.unwrap_or_default();
            ServiceError::refused(code, format!("page {page}: {why}"))
        }
        other => other,
    }
}
