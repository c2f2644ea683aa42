//! `/catalogue/changes`: every draft with what it changes, old and new side by side; checkers approve them, send them
//! back, and make the next version of them, which waits here for its signature.
use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use domain::catalogue::Catalogue;
use serde::Deserialize;

use super::catalogue_diff::{EntryView, entries};
use super::draft_state::{self, StateView};
use super::form::Fields;
use super::frame::{Frame, Here, frame, sample};
use super::item_editor::{W, rule_words};
use super::people::name_of;
use super::{Page, read_page, view};
use crate::api::blocking;
use crate::auth::policy::{self, Verdict};
use crate::error::{ProblemCode, ServiceError};
use crate::services::catalogue::Volume;
use crate::services::editing::candidate::{self, Candidate};
use crate::services::editing::{self, Draft, DraftState, EditError};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::store::{StoreError, Tx};
use crate::words::Words;

/// Warnings of a version that are shown.
const MOST_WARNINGS: usize = 50;

/// What stands in the URL.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Query {
    /// Why something was not done: a key of `edit_error`.
    #[serde(default)]
    said: String,
}

#[derive(Template)]
#[template(path = "changes.html")]
struct ChangesPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    base: u64,
    said: Option<String>,
    drafts: Vec<DraftView>,
    /// How many there are, in words.
    count: String,
    approved: usize,
    /// What was approved is not in the version that waits.
    can_make: bool,
    may_check: bool,
    candidate: Option<CandidateView>,
}

struct DraftView {
    code: String,
    title: String,
    version: u64,
    state: StateView,
    checker: Option<String>,
    entry: Option<EntryView>,
    outdated: bool,
    /// A checker approved it.
    approved: bool,
    /// The caller may approve it.
    can_approve: bool,
    /// The caller may send it back.
    can_return: bool,
    /// The caller made it and must not check it.
    own: bool,
}

struct CandidateView {
    version: u64,
    base: u64,
    digest: String,
    by: String,
    drafts: Vec<String>,
    warnings: Vec<String>,
    /// Something was approved that is not in it, or another version was published since.
    behind: bool,
}

/// The page.
pub async fn changes(
    State(app): State<App>,
    caller: Caller,
    query: Result<UrlQuery<Query>, QueryRejection>,
) -> Page {
    let said = query.map(|UrlQuery(query)| query.said).unwrap_or_default();
    read_page(app, move |tx, app, now_ms| draw(tx, app, (&caller, now_ms), &said)).await
}

fn draw(
    tx: &mut Tx<'_>,
    app: &App,
    (caller, now_ms): (&Caller, i64),
    said: &str,
) -> Result<ChangesPage, ServiceError> {
    let volume = newest(tx, app)?;
    let drafts = editing::all(tx)?;
    let mut changed = differences(&volume.catalogue, &drafts);
    let may_check = policy::CHECK_CATALOGUE.judge(Some(caller.roles)) == Verdict::Go;
    let count = |state| drafts.iter().filter(|draft| draft.state == state).count();
    let (ready, approved) = (count(DraftState::Ready), count(DraftState::Approved));
    let mut views = Vec::new();
    for draft in &drafts {
        let own = draft.makers.contains(&caller.account);
        let checks = may_check && !own;
        views.push(DraftView {
            code: draft.code.to_string(),
            title: draft.item().map(|item| item.short_name.zh).unwrap_or_default(),
            version: draft.version,
            state: draft_state::view(tx, draft, now_ms)?,
            checker: draft.checker.as_ref().map(|id| name_of(tx, id)).transpose()?,
            entry: changed.remove(draft.code.as_str()),
            outdated: candidate::is_outdated(tx, draft)?,
            approved: draft.state == DraftState::Approved,
            can_approve: checks && draft.state == DraftState::Ready,
            can_return: checks && draft.state != DraftState::Editing,
            own: own && may_check,
        });
    }
    let known =
        ["changed", "unknown", "own_work", "wrong_state", "note", "nothing_approved", "outdated", "unfit"];
    let numbers = [("n", drafts.len()), ("ready", ready), ("approved", approved)];
    let numbers = numbers.map(|(name, n)| (name, n.to_string()));
    let numbers = numbers.each_ref().map(|(name, n)| (*name, n.as_str()));
    let fit = approved > 0 && !views.iter().any(|view| view.outdated && view.approved);
    let candidate = candidate_view(tx, &volume.catalogue, &drafts, now_ms)?;
    Ok(ChangesPage {
        w: W,
        frame: frame(tx, caller, now_ms, Here::Changes)?,
        sample: sample(&volume.catalogue),
        base: volume.catalogue.version,
        said: known.contains(&said).then(|| W.of("edit_error", said)),
        can_make: may_check && fit && candidate.as_ref().is_none_or(|made| made.behind),
        candidate,
        count: W.fill("changes.count", &numbers),
        drafts: views,
        approved,
        may_check,
    })
}

fn newest(tx: &mut Tx<'_>, app: &App) -> Result<Arc<Volume>, ServiceError> {
    editing::base(tx, &app.centre.context().shelf)
}

/// What each draft changes in the newest version.
fn differences(base: &Catalogue, drafts: &[Draft]) -> BTreeMap<String, EntryView> {
    if drafts.is_empty() {
        return BTreeMap::new();
    }
    let mut changed = base.clone();
    for item in drafts.iter().filter_map(Draft::item) {
        changed.items.insert(item.code.clone(), item);
    }
    entries(base, &changed).0.into_iter().map(|entry| (entry.code.clone(), entry)).collect()
}

fn candidate_view(
    tx: &mut Tx<'_>,
    base: &Catalogue,
    drafts: &[Draft],
    now_ms: i64,
) -> Result<Option<CandidateView>, ServiceError> {
    let Some(candidate) = candidate::open(tx)? else { return Ok(None) };
    let by = W.fill(
        "candidate.by",
        &[("who", &name_of(tx, &candidate.made_by)?), ("when", &view::time(candidate.made_at_ms, now_ms))],
    );
    let document = candidate::document(tx, candidate.version)?.unwrap_or_default();
    let warnings =
        Catalogue::from_document(&document).map(|made| new_warnings(base, &made)).unwrap_or_default();
    Ok(Some(CandidateView {
        version: candidate.version,
        base: candidate.base_version,
        digest: candidate.digest.clone(),
        by,
        drafts: candidate.drafts.iter().map(|d| format!("{} · {}", d.code, d.note)).collect(),
        warnings,
        behind: is_behind(&candidate, base, drafts),
    }))
}

fn is_behind(candidate: &Candidate, base: &Catalogue, drafts: &[Draft]) -> bool {
    let approved = drafts.iter().filter(|draft| draft.state == DraftState::Approved);
    let inside =
        |draft: &Draft| candidate.drafts.iter().any(|d| d.code == draft.code && d.version == draft.version);
    let (all, count) = (approved.clone().all(inside), approved.count());
    candidate.base_version != base.version || !all || count != candidate.drafts.len()
}

/// Warnings that the version before does not have.
fn new_warnings(base: &Catalogue, made: &Catalogue) -> Vec<String> {
    let before = base.examine().warnings;
    let new = made.examine().warnings.into_iter().filter(|warning| !before.contains(warning));
    new.take(MOST_WARNINGS).map(|w| format!("{} · {}", w.item, rule_words(&w.field, &w.reason))).collect()
}

/// Makes the next version of everything that is approved.
pub async fn make_candidate(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    fields.only(&[])?;
    let made = blocking(move || {
        let centre = app.centre.clone();
        let assembled = centre.read(|tx| {
            let volume = newest(tx, &app)?;
            if waits_already(tx, &volume.catalogue)? {
                return Ok(None);
            }
            let made = candidate::assemble(tx, &volume.catalogue)?;
            let made = made.map(|(next, drafts)| (volume.catalogue.version, next, drafts));
            Ok::<_, ServiceError>(Some(made))
        })?;
        let (base, next, drafts) = match assembled {
            None => return Ok(Ok(())),
            Some(Ok(assembled)) => assembled,
            Some(Err(error)) => return Ok(Err(error)),
        };
        if !next.examine().errors.is_empty() {
            return Ok(Err(EditError::Unfit));
        }
        let (now_ms, document) = (centre.now_ms(), next.to_document());
        centre.write(move |tx| {
            // Somebody may have changed a draft, or made a version, since it was put together.
            if still_approved(tx, &drafts)? && candidate::is_free(tx, document.version)? {
                candidate::keep(tx, now_ms, &caller.account, (base, &document), &drafts)?;
                return Ok(Ok(()));
            }
            Ok(Err(EditError::Changed))
        })
    })
    .await?;
    Ok(back(made.err()))
}

/// Whether the version that waits holds all that is approved: a signer may have it already, so its number stays.
fn waits_already(tx: &mut Tx<'_>, base: &Catalogue) -> Result<bool, StoreError> {
    let Some(candidate) = candidate::open(tx)? else { return Ok(false) };
    Ok(!is_behind(&candidate, base, &editing::all(tx)?))
}

fn still_approved(tx: &mut Tx<'_>, drafts: &[Draft]) -> Result<bool, StoreError> {
    let mut now = editing::all(tx)?;
    now.retain(|draft| draft.state == DraftState::Approved);
    Ok(now == drafts)
}

/// Drops the version that waits.
pub async fn drop_candidate(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    fields.only(&[])?;
    blocking(move || {
        let now_ms = app.centre.now_ms();
        app.centre.write(move |tx| Ok(candidate::drop_open(tx, now_ms, &caller.account)?))
    })
    .await?;
    Ok(back(None))
}

/// The document of the version that waits, for the machine of the signer.
pub async fn candidate_file(State(app): State<App>) -> Page {
    let (candidate, document) = blocking(move || {
        app.centre.read(|tx| {
            let candidate = candidate::open(tx)?.ok_or(ProblemCode::NotFound)?;
            let document = candidate::document(tx, candidate.version)?.ok_or(ProblemCode::NotFound)?;
            Ok::<_, ServiceError>((candidate, document))
        })
    })
    .await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"catalogue-v{}.json\"", candidate.version),
        ),
        (header::ETAG, format!("\"{}\"", candidate.digest)),
    ];
    Ok((headers, document).into_response())
}

/// Back to the page, with why something was not done.
pub(super) fn back(error: Option<EditError>) -> axum::response::Response {
    match error {
        None => see_other("/catalogue/changes"),
        Some(error) => see_other(&format!("/catalogue/changes?said={}", error.key())),
    }
}
