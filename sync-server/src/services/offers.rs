//! What a terminal has receipts of, held against what the centre has: after a restore this finds what was lost.
//!
//! Refuses receipts that the centre did not sign: nobody makes up a loss.
use domain::envelope::{KeyRing, SignedKind, verify_document};
use domain::ids::{EnvelopeId, TerminalId};
use domain::wire::v1::{OfferedReceipt, ReceiptBody};

use super::{audit, intake, receipt};
use crate::error::{ProblemCode, ServiceError};
use crate::store::{Tx, Value};

/// Which of the offered envelopes the centre does not have. Those that nobody has any more are written down as lost,
/// with an alarm: the citizen has a number, and has to hear of it.
///
/// # Errors
/// [`ServiceError`]: a receipt that is none or not of this centre, or the store's.
pub fn take(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (terminal, keys): (&TerminalId, &KeyRing),
    offered: &[OfferedReceipt],
) -> Result<Vec<EnvelopeId>, ServiceError> {
    let mut lacking = Vec::new();
    for OfferedReceipt { receipt: document, kept } in offered {
        let body = verify_document(SignedKind::Receipt, document, keys).map_err(|_| {
            ServiceError::refused(ProblemCode::MalformedRequest, "a receipt is not of this centre")
        })?;
        let body: ReceiptBody = serde_json::from_slice(body)
            .map_err(|_| ServiceError::refused(ProblemCode::MalformedRequest, "a receipt cannot be read"))?;
        if receipt::stored(tx, &body.envelope_id)?.is_some() {
            continue;
        }
        if let Some(number) = &body.number {
            // Nobody else shall get it.
            intake::note_used(tx, number)?;
        }
        if !kept {
            note_lost(tx, now_ms, terminal, &body)?;
        }
        lacking.push(body.envelope_id);
    }
    Ok(lacking)
}

fn note_lost(
    tx: &mut Tx<'_>,
    now_ms: i64,
    terminal: &TerminalId,
    body: &ReceiptBody,
) -> Result<(), ServiceError> {
    let id = body.envelope_id.to_string();
    let new = tx.execute(
        "INSERT INTO lost_submission (envelope_id, number, terminal, accepted_at_ms, told_at_ms)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (envelope_id) DO NOTHING",
        &[
            id.clone().into(),
            Value::from(body.number.as_ref().map(domain::ids::CaseNo::as_str)),
            terminal.as_str().into(),
            body.accepted_at_ms.into(),
            now_ms.into(),
        ],
    )?;
    if new > 0 {
        audit::raise_alarm(tx, now_ms, "submission.lost", &id, Some(&body.digest))?;
    }
    Ok(())
}
