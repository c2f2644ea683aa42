//! 统一窗口: a clerk's page with the visit that is open, the form of whoever stands there, the slip, and what the clerk
//! opened before; and how many came to the windows by hour.
//!
//! A page shows a clerk nothing but that clerk's own forms and cases: anybody else's is not there. Refuses to write words
//! about a person anywhere but into the sealed form.
mod begin;
mod discard;
mod files;
mod form;
mod home;
mod mine;
pub(in crate::pages) mod purpose;
mod sent;
mod slip;
mod submit;
mod supplement;
mod visits;

pub(super) use begin::person_of;
pub use begin::{begin as window_begin, person as window_person};
pub use discard::discard as window_discard;
pub(in crate::pages) use files::{answer_of, file_refused, harmless};
pub use form::{form as window_form, turn as window_turn};
pub use home::{call as window_call, end as window_end, home as window};
pub use mine::mine as window_mine;
pub use sent::MAX_WINDOW_FORM_BYTES;
pub(in crate::pages) use sent::{MAX_FILES, Sent};
pub use slip::{pdf as window_slip_pdf, slip as window_slip};
pub use supplement::{
    begin as window_supplement_begin, done as window_supplement_done, look_up as window_supplement,
};
pub(in crate::pages) use supplement::{minutes_left, refusal as supplement_refusal};
pub use visits::{csv as window_visits_csv, visits as window_visits};

use std::sync::Arc;

use domain::catalogue::{Catalogue, Entry};
use domain::ids::{EnvelopeId, ItemCode};
use domain::text::Language;

use crate::centre::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::services::catalogue::Volume;
use crate::services::window::drafts::{self, Draft};
use crate::services::window::{Unavailable, visits::Visit};
use crate::store::Tx;
use crate::words::Words;

const W: Words = Words(Language::ZhCn);

/// The newest catalogue.
fn newest(tx: &mut Tx<'_>, centre: &Centre) -> Result<Arc<Volume>, ServiceError> {
    Ok(centre.context().shelf.newest(tx)?.ok_or(ProblemCode::NotFound)?)
}

/// Drafts that were kept before this moment are over.
fn since_ms(newest: &Volume, now_ms: i64) -> i64 {
    drafts::over_before(now_ms, newest.catalogue.policies.draft_hours)
}

/// A clerk's draft, with the catalogue of its form.
fn draft_of(
    tx: &mut Tx<'_>,
    centre: &Centre,
    (clerk, id): (&str, &EnvelopeId),
    now_ms: i64,
) -> Result<Option<(Draft, Arc<Volume>)>, ServiceError> {
    let newest = newest(tx, centre)?;
    let Some(draft) = drafts::find(tx, clerk, id, since_ms(&newest, now_ms))? else { return Ok(None) };
    let own = centre.context().shelf.get(tx, draft.catalogue_version)?;
    let own = own.ok_or_else(|| ServiceError::Inconsistent(format!("draft {id}: its catalogue is gone")))?;
    Ok(Some((draft, own)))
}

fn id_in(text: &str) -> Result<EnvelopeId, ServiceError> {
    text.parse().map_err(|_| ProblemCode::NotFound.into())
}

fn code_in(text: &str) -> Result<ItemCode, ServiceError> {
    text.parse().map_err(|_| ProblemCode::NotFound.into())
}

/// The title of an item or bundle, or its code.
fn title_of(catalogue: Option<&Catalogue>, code: &ItemCode) -> String {
    let entry = catalogue.and_then(|catalogue| catalogue.entry(code));
    entry.map_or_else(|| code.to_string(), |entry| entry.title().get(W.0).to_owned())
}

/// Who decides an item, or leads a bundle.
fn department(entry: Entry<'_>) -> String {
    match entry {
        Entry::Item(item) => item.department.to_string(),
        Entry::Bundle(bundle) => bundle.lead_department.to_string(),
    }
}

/// Why something is not done here, in words.
fn refusal(why: &Unavailable) -> String {
    let words = W.of("window_unavailable", why.name());
    match why {
        Unavailable::Withdrawn(reason) => words.replace("{reason}", reason.get(W.0)),
        _ => words,
    }
}

/// A visit in one line.
fn visit_line(visit: &Visit) -> String {
    let kind = W.of("visit_kind", visit.kind.as_str());
    W.fill("window.visit_line", &[("window", &visit.window), ("kind", &kind)])
}

/// Minutes of a length of time with one decimal, or a dash.
fn minutes(ms: Option<i64>) -> String {
    let tenths = |ms: i64| (ms + 3_000) / 6_000;
    ms.map_or_else(|| "—".to_owned(), |ms| format!("{}.{}", tenths(ms) / 10, tenths(ms) % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_have_one_decimal() {
        let table = [
            (None, "—"),
            (Some(0), "0.0"),
            (Some(90_000), "1.5"),
            (Some(1_197_000), "20.0"),
            (Some(2_999), "0.0"),
        ];
        for (ms, words) in table {
            assert_eq!(minutes(ms), words);
        }
    }
}
