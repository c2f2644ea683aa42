//! What the doctor says of pages and photos that do not come.
use operator::findings::{Finding, span};

use crate::services::blobs;
use crate::store::{StoreError, Tx};

/// Attachments follow their text within minutes; a case that waits longer than this is told, in milliseconds: a day.
const LONG_MS: i64 = 24 * 3_600 * 1_000;
const SUBJECT: &str = "attachments";

/// Looks for cases that wait long for attachments: terminals erase nothing of what came after the first of them.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub(super) fn examine(tx: &mut Tx<'_>, now_ms: i64) -> Result<Finding, StoreError> {
    let waiting = blobs::waiting(tx, now_ms.saturating_sub(LONG_MS))?;
    let Some(oldest) = waiting.first() else {
        return Ok(Finding::ok(SUBJECT, "nothing waits for any longer than a day"));
    };
    let age = span(now_ms.saturating_sub(oldest.received_at_ms));
    let found = format!(
        "{} envelopes wait for attachments, the {} {} of {} for {age}; nothing behind it becomes durable",
        waiting.len(),
        oldest.kind,
        oldest.number.as_ref().map_or_else(|| oldest.envelope_id.to_string(), ToString::to_string),
        oldest.terminal
    );
    let remedy =
        "see `terminal status` there; what is damaged is given up by `sync-server attachments give-up`";
    Ok(Finding::warn(SUBJECT, found, remedy))
}
