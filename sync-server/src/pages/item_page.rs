//! `/catalogue/items/{code}`: an item as it is published, how the terminal shows it, and every content it had.
use askama::Template;
use axum::extract::State;
use domain::date::CivilDate;
use domain::ids::ItemCode;
use domain::text::Language;

use super::draft_state::{self, StateView};
use super::frame::{Frame, Here, frame, sample};
use super::guide_preview::{GuidePreview, preview};
use super::item_editor::{CodeInPath, W, code_in};
use super::people::name_of;
use super::{Page, render, view};
use crate::api::blocking;
use crate::auth::policy::{self, Verdict};
use crate::error::{ProblemCode, ServiceError};
use crate::services::editing;
use crate::services::item_history::{self, Revision};
use crate::services::rollout::{self, board};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::{StoreError, Tx};
use crate::words::Words;

#[derive(Template)]
#[template(path = "item.html")]
struct ItemPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    code: String,
    title: String,
    department: String,
    version: u64,
    may_edit: bool,
    /// What citizens are told instead, since when: it was taken away in an emergency.
    withdrawn: Option<(String, String)>,
    state: Option<StateView>,
    revisions: Vec<RevisionView>,
    preview: GuidePreview,
}

/// A content that the item had.
pub(super) struct RevisionView {
    pub(super) version: u64,
    pub(super) revision: u64,
    pub(super) when: String,
    pub(super) who: String,
    pub(super) why: String,
    /// What it became from the content before.
    pub(super) difference: Option<String>,
}

/// One item.
pub async fn item(State(app): State<App>, caller: Caller, code: CodeInPath) -> Page {
    let code = code_in(code)?;
    let centre = app.centre.clone();
    let page = blocking(move || {
        let now_ms = centre.now_ms();
        centre.read(|tx| {
            let volume = editing::base(tx, &centre.context().shelf)?;
            let item = volume.catalogue.items.get(&code).ok_or(ProblemCode::NotFound)?;
            let draft = editing::of_item(tx, &code)?;
            let revisions = item_history::of_item(tx, &code)?;
            Ok::<_, ServiceError>(ItemPage {
                w: W,
                frame: frame(tx, &caller, now_ms, Here::Items)?,
                sample: sample(&volume.catalogue),
                code: code.to_string(),
                title: item.short_name.zh.clone(),
                department: item.department.to_string(),
                version: volume.catalogue.version,
                withdrawn: withdrawn(tx, &code, now_ms)?,
                may_edit: policy::EDIT_CATALOGUE.judge(Some(caller.roles)) == Verdict::Go,
                state: draft.map(|draft| draft_state::view(tx, &draft, now_ms)).transpose()?,
                revisions: revision_views(tx, &revisions, now_ms)?,
                preview: preview(
                    (item, &volume.catalogue.regions),
                    (Language::ZhCn, false),
                    CivilDate::in_china(now_ms),
                ),
            })
        })
    })
    .await?;
    render(&page)
}

/// Why and since when an item is taken away from all terminals, if it is.
fn withdrawn(tx: &mut Tx<'_>, code: &ItemCode, now_ms: i64) -> Result<Option<(String, String)>, StoreError> {
    let found = rollout::withdrawn(tx)?.into_iter().find(|w| w.item.item == *code);
    Ok(found.map(|w| (w.item.reason, view::time(w.item.since_ms, now_ms))))
}

fn revision_views(
    tx: &mut Tx<'_>,
    revisions: &[Revision],
    now_ms: i64,
) -> Result<Vec<RevisionView>, StoreError> {
    let mut views = Vec::new();
    for (at, revision) in revisions.iter().enumerate() {
        let before = revisions.get(at + 1).map(|r| r.version);
        let address =
            |from: u64| format!("/catalogue/versions?from={from}&to={}#{}", revision.version, revision.code);
        views.push(revision_view(tx, revision, before.map(address), now_ms)?);
    }
    Ok(views)
}

/// A revision in words.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn revision_view(
    tx: &mut Tx<'_>,
    revision: &Revision,
    difference: Option<String>,
    now_ms: i64,
) -> Result<RevisionView, StoreError> {
    let (who, why) = match &revision.credit {
        Some(credit) => {
            let (editor, checker) = (name_of(tx, &credit.editor)?, name_of(tx, &credit.checker)?);
            (W.fill("history.who", &[("editor", &editor), ("checker", &checker)]), credit.note.clone())
        }
        None => match board::went_back_to(tx, revision.version)? {
            Some(step) => (step.person.unwrap_or_else(|| W.t("rollout.by_command").to_owned()), step.reason),
            None => (W.t("history.from_files").to_owned(), "—".to_owned()),
        },
    };
    Ok(RevisionView {
        version: revision.version,
        revision: revision.revision,
        when: view::time(revision.stored_at_ms, now_ms),
        who,
        why,
        difference,
    })
}
