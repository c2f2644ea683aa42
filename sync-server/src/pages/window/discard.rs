//! `POST /window/forms/{id}/discard`: a form that is not handed in goes with its key and its pages.
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};

use super::id_in;
use crate::api::blocking;
use crate::error::ServiceError;
use crate::pages::Page;
use crate::pages::form::Fields;
use crate::services::audit;
use crate::services::sessions::Caller;
use crate::services::window::drafts;
use crate::shell::App;
use crate::shell::gate::see_other;

/// Throws it away; one that is gone already is thrown away. Its visit goes on until the clerk ends it.
pub async fn discard(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    fields: Fields,
) -> Page {
    let id = id_in(&id.map(|Path(text)| text).unwrap_or_default())?;
    fields.only(&[])?;
    blocking(move || {
        let (now_ms, clerk) = (app.centre.now_ms(), caller.account);
        let pages = app.centre.write(move |tx| {
            let pages = drafts::take_away(tx, clerk.as_str(), &id)?;
            if pages.is_some() {
                let (actor, subject) = (clerk.as_str(), id.to_string());
                let event = "window-draft.discarded";
                audit::append(
                    tx,
                    now_ms,
                    audit::Event { actor, event, subject: &subject, object_digest: "" },
                )?;
            }
            Ok(pages.unwrap_or_default())
        })?;
        for digest in &pages {
            app.uploads.blobs().remove(digest)?;
        }
        Ok::<_, ServiceError>(())
    })
    .await?;
    Ok(see_other("/window"))
}
