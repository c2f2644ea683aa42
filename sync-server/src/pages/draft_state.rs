//! The state of a draft in words: badge, who, since when, and what comes next.
use super::item_editor::W;
use super::people::name_of;
use super::view::{self, Badge};
use crate::services::editing::{Draft, DraftState};
use crate::store::{StoreError, Tx};

/// A draft's state as it is drawn.
pub(super) struct StateView {
    pub(super) badge: Badge,
    /// Who and since when.
    pub(super) line: String,
    /// Why it is made.
    pub(super) note: String,
    /// Why it came back.
    pub(super) reason: String,
}

/// The badge of a state.
pub(super) fn badge(state: DraftState) -> Badge {
    let glyph = match state {
        DraftState::Editing => "run",
        DraftState::Ready => "wait",
        DraftState::Approved => "ok",
    };
    Badge { glyph, word: W.of("draft_state", state.as_str()) }
}

/// The state of a draft.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn view(tx: &mut Tx<'_>, draft: &Draft, now_ms: i64) -> Result<StateView, StoreError> {
    let who = name_of(tx, &draft.editor)?;
    let line = W.fill(
        "edit.changed_by",
        &[
            ("who", &who),
            ("when", &view::time(draft.changed_at_ms, now_ms)),
            ("base", &draft.base_version.to_string()),
        ],
    );
    Ok(StateView { badge: badge(draft.state), line, note: draft.note.clone(), reason: draft.reason.clone() })
}
