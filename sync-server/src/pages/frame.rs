//! The frame of console pages: top bar, navigation, foot. Every number is a link to what makes it.
use domain::case::CaseState;

use super::view;
use crate::error::ServiceError;
use crate::services::catalogue::newest_version;
use crate::services::work_list::{self, Query};
use crate::store::Tx;
use crate::words::Words;

/// What every console page shows around its content.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Time in China.
    pub clock: String,
    /// Version of the program.
    pub version: &'static str,
    /// Newest catalogue version, or a dash.
    pub catalogue: String,
    /// Alarms so far.
    pub alarms: i64,
    /// What stands in the search field.
    pub search: String,
    /// Entries of the navigation.
    pub nav: Vec<NavEntry>,
}

/// A link of the navigation.
#[derive(Debug, Clone)]
pub struct NavEntry {
    /// Where it leads.
    pub href: String,
    /// Name of its icon.
    pub icon: &'static str,
    /// Its words.
    pub word: String,
    /// How many cases wait there.
    pub count: Option<u64>,
    /// The count is shown as a fault.
    pub alarming: bool,
    /// This is the page.
    pub current: bool,
}

/// Reads what the frame shows.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn frame(tx: &mut Tx<'_>, words: Words, now_ms: i64, here: &Query) -> Result<Frame, ServiceError> {
    let counts = work_list::counts(tx, &Query::default())?;
    let count = |state| counts.iter().find(|(s, _)| *s == state).map(|(_, n)| *n);
    let entry = |state: CaseState, icon, key| NavEntry {
        href: format!("/cases?state={}", state.as_str()),
        icon,
        word: words.of("nav", key),
        count: count(state),
        alarming: state == CaseState::Quarantined && count(state) > Some(0),
        current: here.state == Some(state),
    };
    let all = NavEntry {
        href: "/cases".into(),
        icon: "inbox",
        word: words.of("nav", "all"),
        count: Some(counts.iter().map(|(_, n)| n).sum()),
        alarming: false,
        current: here.state.is_none(),
    };
    Ok(Frame {
        clock: view::time(now_ms, now_ms),
        version: env!("CARGO_PKG_VERSION"),
        catalogue: newest_version(tx)?.map_or_else(|| "—".into(), |v| format!("v{v}")),
        alarms: tx.query_int("SELECT COUNT(*) FROM alarm", &[])?,
        search: String::new(),
        nav: vec![
            all,
            entry(CaseState::Submitted, "wait", "submitted"),
            entry(CaseState::Returned, "undo", "returned"),
            entry(CaseState::Quarantined, "list", "quarantined"),
        ],
    })
}
