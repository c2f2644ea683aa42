//! 属地: what the home region does with what came. Accepting opens a case through the one intake, under the id of the
//! handoff, so that there is never a second one; what it ends with is told as "decided" and nothing else.
use domain::envelope::DataKey;
use domain::handoff::Step;
use domain::ids::{CaseNo, EnvelopeId};
use domain::wire::v1::{PartnerContent, PartnerSaid};
use rand_core::CryptoRng;

use super::{Own, Row, act, content, inbox, rows};
use crate::error::{ProblemCode, ServiceError};
use crate::services::window;
use crate::store::{StoreError, Tx};

/// Cases of one look, at most.
const STRETCH: u64 = 50;

/// 受理: opens the case, or finds the one that was opened.
///
/// # Errors
/// [`ServiceError`]: `case-changed` if somebody did something else meanwhile, `not-found` if the form is of a version that
/// this centre does not have, or as intake.
pub fn accept<R: CryptoRng>(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    (now_ms, rng): (i64, &mut R),
    (row, seen): (&mut Row, u64),
    actor: &str,
) -> Result<CaseNo, ServiceError> {
    if let Some(number) = row.handoff.number.clone() {
        return Ok(number);
    }
    if row.handoff.version != seen {
        return Err(ProblemCode::CaseChanged.into());
    }
    let volume = own.context.shelf.get(tx, row.form_version)?.ok_or(ProblemCode::NotFound)?;
    if !volume.catalogue.items.contains_key(&row.item) {
        return Err(ProblemCode::NotFound.into());
    }
    let Some(PartnerContent::Submission { submission }) = inbox::told(tx, own, row)? else {
        return Err(ServiceError::Inconsistent(format!("handoff {}: nothing was brought", row.id)));
    };
    let key = DataKey::random(window::suite(tx, own.context, now_ms)?, rng);
    let filled = window::Filled::brought(row.id, key, (&row.item, row.form_version), &submission)?;
    let number = window::take_in(tx, own.context, (now_ms, rng), &filled)?;
    let said = PartnerSaid::Accepted { number: number.clone() };
    let message = EnvelopeId::new(now_ms, rng);
    let step = Step::Accepted { number: number.clone() };
    act(tx, own, (now_ms, rng), (row, seen), (actor, step, Some((message, said))))?;
    // The case has it now.
    content::wipe(tx, &row.id)?;
    Ok(number)
}

/// Handoffs whose case has ended and whose other side was not told yet.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn decided_ones(tx: &mut Tx<'_>) -> Result<Vec<EnvelopeId>, StoreError> {
    let sql = "SELECT h.id FROM handoff h JOIN case_ c ON c.envelope_id = h.id WHERE h.side = 'home'
               AND h.state = 'accepted' AND c.state IN ('completed', 'returned') ORDER BY h.id LIMIT $1";
    tx.query(sql, &[STRETCH.into()])?.iter().map(|row| row.parsed(0)).collect()
}

/// 决定: tells the other side that there is a decision.
///
/// # Errors
/// [`ServiceError`] if the store fails, or the partner is no partner any more.
pub fn tell_decided<R: CryptoRng>(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    (now_ms, rng): (i64, &mut R),
    id: &EnvelopeId,
) -> Result<(), ServiceError> {
    let mut row = rows::find(tx, id)?;
    let seen = row.handoff.version;
    let message = EnvelopeId::new(now_ms, rng);
    act(
        tx,
        own,
        (now_ms, rng),
        (&mut row, seen),
        ("centre", Step::Decided, Some((message, PartnerSaid::Decided))),
    )
}
