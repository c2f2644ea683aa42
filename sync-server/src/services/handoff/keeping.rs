//! How long handoffs are kept, and how a side that was restored from a backup gets back what it forgot.
//!
//! What was brought stays at the accepting side for some days after the acceptance; handoffs with which nobody goes on are
//! emptied and archived. Each part looks at a bounded number, again and again.
use domain::handoff::{ABANDONED_MS, Step};
use domain::ids::EnvelopeId;

use super::{add, content, rows};
use crate::error::ServiceError;
use crate::services::cases::CENTRE;
use crate::store::{StoreError, Tx};

/// So long the accepting side keeps what was brought after the home region accepted it, in milliseconds: seven days.
pub const KEPT_AFTER_MS: i64 = 7 * 24 * 3_600 * 1_000;
/// Handoffs of one look, at most.
const STRETCH: u64 = 50;

/// Sends the newest message of each handoff that is not over once more. Whoever has it answers that; whoever was restored
/// from a backup and forgot it asks for those before. Those whose content is gone cannot be sent again.
///
/// # Errors
/// [`StoreError`] if the store fails; so do all below.
pub fn ask_again(tx: &mut Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE partner_message SET state = 'waiting', tries = 0, next_ms = $1
         WHERE direction = 'out' AND state = 'confirmed' AND document <> ''
           AND seq = (SELECT MAX(p.seq) FROM partner_message p
               WHERE p.handoff = partner_message.handoff AND p.direction = 'out')
           AND handoff IN (SELECT id FROM handoff WHERE state NOT IN ('not_ours', 'result_received', 'archived'))",
        &[now_ms.into()],
    )?;
    Ok(())
}

/// Handoffs whose content lies here although their home region accepted them more than [`KEPT_AFTER_MS`] ago.
pub fn kept_too_long(tx: &mut Tx<'_>, now_ms: i64) -> Result<Vec<EnvelopeId>, StoreError> {
    let sql = "SELECT h.id FROM handoff h WHERE h.side = 'accepting' AND h.sealed IS NOT NULL
               AND h.state IN ('accepted', 'decided', 'result_sent', 'result_received')
               AND EXISTS (SELECT 1 FROM handoff_step s WHERE s.handoff = h.id AND s.at_ms <= $1
                   AND s.step LIKE '%accepted%')
               ORDER BY h.id LIMIT $2";
    let before_ms = now_ms.saturating_sub(KEPT_AFTER_MS);
    tx.query(sql, &[before_ms.into(), STRETCH.into()])?.iter().map(|row| row.parsed(0)).collect()
}

/// Takes away what one of them holds of a person.
pub fn put_away(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<(), StoreError> {
    content::wipe(tx, id)
}

/// Handoffs with which nobody went on for [`ABANDONED_MS`].
pub fn abandoned(tx: &mut Tx<'_>, now_ms: i64) -> Result<Vec<EnvelopeId>, StoreError> {
    let sql = "SELECT id FROM handoff WHERE state NOT IN ('accepted', 'decided', 'archived') AND changed_at_ms <= $1
               ORDER BY id LIMIT $2";
    let before_ms = now_ms.saturating_sub(ABANDONED_MS);
    tx.query(sql, &[before_ms.into(), STRETCH.into()])?.iter().map(|row| row.parsed(0)).collect()
}

/// Archives one of them, and takes away all that it holds of a person: what waits for the other side is not sent any more.
///
/// # Errors
/// [`ServiceError`] `case-changed` if somebody went on with it meanwhile, or the store's.
pub fn drop_abandoned(tx: &mut Tx<'_>, now_ms: i64, id: &EnvelopeId) -> Result<(), ServiceError> {
    let mut row = rows::find(tx, id)?;
    let side = row.side;
    add(tx, now_ms, &mut row, (side, &Step::Archived, now_ms), (CENTRE, None))?;
    let sql = "UPDATE partner_message SET state = 'dropped', document = '' WHERE handoff = $1 AND state = 'waiting'";
    tx.execute(sql, &[id.to_string().into()])?;
    Ok(content::wipe(tx, id)?)
}
