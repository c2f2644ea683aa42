//! HTML for people: sign-in, accounts, the console of the centre, the catalogue, the page behind a slip's QR code, and what a problem
//! means.
//!
//! Pages of cases show no name and no ID number at all, but for those of the desk, which mask them. No inline script or style. Who may open what stands in
//! `auth/policy.rs`; passwords travel in clear without TLS, so this listener binds to loopback only.
mod account;
mod account_form;
mod accounts;
pub mod bundles;
mod calendar;
mod called;
mod case;
mod cases;
mod catalogue_diff;
mod certificate;
mod changes;
mod desk;
mod draft_state;
mod draft_steps;
mod error;
mod form;
pub mod form_drawing;
mod form_trial;
mod frame;
mod guide_preview;
mod handoff;
mod history;
mod item_editor;
mod item_page;
mod items;
mod items_csv;
mod moment;
mod notifications;
mod own_account;
mod parcels;
mod payments;
mod people;
mod progress;
mod qr;
mod rollout;
mod sign_in;
pub mod situation_form;
mod slip;
mod slip_supplement;
mod statics;
mod statistics;
mod terminals;
mod verify;
mod view;
mod window;

pub use account::{account, change_account, lock_account, reset_password, unlock_account};
pub use accounts::{accounts, add_account, new_account};
pub use bundles::{bundle, bundles};
pub use calendar::{calendar, changed_calendar, moved_cases};
pub use case::case;
pub use cases::cases;
pub use certificate::certificate;
pub use changes::{candidate_file, changes, drop_candidate, make_candidate};
pub use desk::{
    desk, desk_attachment, desk_case, desk_certificate, desk_certificate_file, desk_deed, desk_reveal,
    desk_revoke, desk_scans,
};
pub use draft_steps::{approve_draft, discard_draft, ready_draft, return_draft};
pub use error::{error_page, problem};
pub use form::MAX_FORM_BYTES;
pub use form_trial::{MAX_TRIAL_BYTES, form_trial, try_form};
pub use handoff::{
    handoff, handoff_deed, handoff_form, handoff_items, handoff_refill, handoff_regions, handoff_turn,
    handoffs, incoming, incoming_deed, incoming_one,
};
pub use history::versions;
pub use item_editor::{MAX_ITEM_FORM_BYTES, edit_item, preview_item, renew_draft, save_item};
pub use item_page::item;
pub use items::{items, items_csv};
pub use notifications::{notifications, send_again};
pub use own_account::{change_password, end_other_sessions, own_account, password_form};
pub use parcels::{
    parcel, parcel_deed, parcel_paper, parcels, parcels_csv, pick_up, pick_up_form, pick_up_hand,
};
pub use payments::{give_back_stray, payments, payments_csv, retry_refunds};
pub use rollout::{rollout, rollout_step, take_rollout_step};
pub use sign_in::{home, not_yours, sign_in, sign_in_form, sign_out};
pub use slip::{slip, slip_receipt};
pub use slip_supplement::{send_slip_supplement, slip_supplement};
pub use statics::static_file;
pub use statistics::{
    statistics, statistics_cases, statistics_cases_csv, statistics_items_csv, statistics_xlsx,
};
pub use terminals::{new_terminal, take_terminal_step, terminal, terminal_step, terminals};
pub use verify::{verify, verify_form};
pub use view::in_query;
pub use window::{
    MAX_WINDOW_FORM_BYTES, window, window_begin, window_call, window_discard, window_end, window_form,
    window_mine, window_person, window_slip, window_slip_pdf, window_supplement, window_supplement_begin,
    window_supplement_done, window_turn, window_visits, window_visits_csv,
};

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{Html, IntoResponse, Response};

use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::shell::App;
use crate::shell::problem::Refusal;
use crate::store::Tx;

/// A page, or a problem that becomes a page.
pub type Page = Result<Response, Refusal>;

/// What stands in the address after the question mark.
fn in_address<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ServiceError> {
    query.map(|Query(value)| value).map_err(|_| ProblemCode::MalformedRequest.into())
}

/// A page of what one reading transaction finds, at this moment.
async fn read_page<T: Template + Send + 'static>(
    app: App,
    draw: impl FnOnce(&mut Tx<'_>, &App, i64) -> Result<T, ServiceError> + Send + 'static,
) -> Page {
    let page = blocking(move || {
        let now_ms = app.centre.now_ms();
        app.centre.read(|tx| draw(tx, &app, now_ms))
    })
    .await?;
    render(&page)
}

fn render(template: &impl Template) -> Page {
    match template.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(e) => Err(ServiceError::Inconsistent(format!("a page could not be drawn: {e}")).into()),
    }
}
