//! `/catalogue/versions`: every version with who, when and why, and what differs between any two.
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use serde::Deserialize;

use super::catalogue_diff::{EntryView, entries};
use super::frame::{Frame, Here, frame, sample};
use super::item_editor::W;
use super::item_page::{RevisionView, revision_view};
use super::rollout::state_badge;
use super::view::{self, Badge};
use super::{Page, in_address, read_page};
use crate::error::{ProblemCode, ServiceError};
use crate::services::item_history::{self, Version};
use crate::services::rollout::{self, Rollout, board};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::{StoreError, Tx};
use crate::words::Words;

/// New contents of a version that are named; the difference tells the others.
const MOST_NAMED: usize = 12;

/// What stands in the URL; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Query {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

#[derive(Template)]
#[template(path = "versions.html")]
struct VersionsPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    versions: Vec<VersionView>,
    from: u64,
    to: u64,
    entries: Option<Vec<EntryView>>,
    hidden: usize,
}

struct VersionView {
    version: u64,
    /// Whether terminals run it, or what became of it.
    standing: Option<Badge>,
    when: String,
    digest: String,
    count: usize,
    named: Vec<(String, RevisionView)>,
    /// What it became from the version before.
    difference: Option<String>,
}

/// The page.
pub async fn versions(
    State(app): State<App>,
    caller: Caller,
    query: Result<UrlQuery<Query>, QueryRejection>,
) -> Page {
    let query = in_address(query)?;
    read_page(app, move |tx, app, now_ms| draw(tx, app, (&caller, now_ms), &query)).await
}

fn draw(
    tx: &mut Tx<'_>,
    app: &App,
    (caller, now_ms): (&Caller, i64),
    query: &Query,
) -> Result<VersionsPage, ServiceError> {
    let shelf = &app.centre.context().shelf;
    let versions = item_history::versions(tx)?;
    let asked = (query.from.parse::<u64>().ok(), query.to.parse::<u64>().ok());
    let newest = versions.first().map_or(0, |v| v.version);
    let before = versions.get(1).map_or(newest, |v| v.version);
    let compared = match asked {
        (Some(from), Some(to)) => {
            let one = shelf.get(tx, from)?.ok_or(ProblemCode::NotFound)?;
            let other = shelf.get(tx, to)?.ok_or(ProblemCode::NotFound)?;
            Some(entries(&one.catalogue, &other.catalogue))
        }
        _ => None,
    };
    let rollouts = board::all(tx)?;
    let views = versions.iter().enumerate().map(|(at, version)| {
        let standing = standing(&rollouts, version.version);
        let before = versions.get(at + 1).map(|v| v.version);
        Ok(VersionView { standing, ..version_view(tx, version, before, now_ms)? })
    });
    let views = views.collect::<Result<_, StoreError>>()?;
    let (entries, hidden) = compared.map_or((None, 0), |(entries, hidden)| (Some(entries), hidden));
    Ok(VersionsPage {
        w: W,
        frame: frame(tx, caller, now_ms, Here::Versions)?,
        sample: shelf.newest(tx)?.as_deref().and_then(|v| sample(&v.catalogue)),
        versions: views,
        from: asked.0.unwrap_or(before),
        to: asked.1.unwrap_or(newest),
        entries,
        hidden,
    })
}

fn version_view(
    tx: &mut Tx<'_>,
    version: &Version,
    before: Option<u64>,
    now_ms: i64,
) -> Result<VersionView, StoreError> {
    let mut named = Vec::new();
    for revision in version.revisions.iter().filter(|r| r.credit.is_some()).take(MOST_NAMED) {
        named.push((revision.code.to_string(), revision_view(tx, revision, None, now_ms)?));
    }
    Ok(VersionView {
        version: version.version,
        standing: None,
        when: view::time(version.stored_at_ms, now_ms),
        digest: version.digest.chars().take(16).collect(),
        count: version.revisions.len(),
        named,
        difference: before.map(|before| format!("/catalogue/versions?from={before}&to={}", version.version)),
    })
}

/// What rollouts say of a version: in force, on its way, gone back from, or signed beforehand as a way back.
fn standing(rollouts: &[Rollout], version: u64) -> Option<Badge> {
    let latest = rollouts.first()?;
    if version == latest.settled() {
        return Some(Badge { glyph: "ok", word: W.t("history.in_force").to_owned() });
    }
    if let Some(own) = rollouts.iter().find(|r| r.version == version) {
        return (own.course.state != rollout::State::Done).then(|| state_badge(own));
    }
    let spare = rollouts.iter().find(|r| r.way_back == Some(version) && r.back_in_force().is_none())?;
    let word = W.fill("history.spare", &[("before", &spare.before.to_string())]);
    Some(Badge { glyph: "off", word })
}
