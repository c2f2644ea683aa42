//! 属地: what the home region does with what came. Accepting opens a case through the one intake, under the id of the
//! handoff, so that there is never a second one; what it ends with is told as "decided" and nothing else.
use domain::date::CivilDate;
use domain::envelope::DataKey;
use domain::handoff::Step;
use domain::ids::{CaseNo, EnvelopeId};
use domain::text::Language;
use domain::wire::v1::{PartnerContent, PartnerSaid, Submission};
use rand_core::CryptoRng;

use super::{Own, Row, act, check, content, forms, inbox, rows};
use crate::error::{ProblemCode, ServiceError};
use crate::services::catalogue::Volume;
use crate::services::window;
use crate::store::{StoreError, Tx};

/// Cases of one look, at most.
const STRETCH: u64 = 50;

/// Why something that came cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// This centre does not have the version of the form.
    Version,
    /// The item is not taken from elsewhere: not in that version, or not any more.
    NotTaken,
    /// Answers that the form does not take, by their labels.
    Answers(Vec<String>),
}

/// Whether what came can be accepted, by the version that it names and by what is taken from elsewhere now.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn unfit(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    row: &Row,
    (submission, language, now_ms): (&Submission, Language, i64),
) -> Result<Option<Unfit>, ServiceError> {
    let named = own.context.shelf.get(tx, row.form_version)?;
    let Some(named) = named.filter(|volume| volume.catalogue.items.contains_key(&row.item)) else {
        return Ok(Some(Unfit::Version));
    };
    let newest = own.context.shelf.newest(tx)?;
    let taken = |volume: &Volume| volume.catalogue.items.get(&row.item).is_some_and(forms::is_handed_over);
    if !taken(&named) || !newest.is_some_and(|newest| taken(&newest)) {
        return Ok(Some(Unfit::NotTaken));
    }
    let wrong = check::misfits(&named, &row.item, submission, (CivilDate::in_china(now_ms), language));
    Ok((!wrong.is_empty()).then_some(Unfit::Answers(wrong)))
}

/// 受理: opens the case, or finds the one that was opened.
///
/// # Errors
/// [`ServiceError`]: `case-changed` if somebody did something else meanwhile or it does not fit and can only be returned,
/// `unit-needed` if the item is another unit's, `not-found` if the form is of a version that this centre does not have, or
/// as intake.
pub fn accept<R: CryptoRng>(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    (now_ms, rng): (i64, &mut R),
    (row, seen): (&mut Row, u64),
    (actor, unit): (&str, &str),
) -> Result<CaseNo, ServiceError> {
    if row.unit != unit {
        return Err(ProblemCode::UnitNeeded.into());
    }
    if let Some(number) = row.handoff.number.clone() {
        return Ok(number);
    }
    if row.handoff.version != seen {
        return Err(ProblemCode::CaseChanged.into());
    }
    let Some(PartnerContent::Submission { submission }) = inbox::told(tx, own, row)? else {
        return Err(ServiceError::Inconsistent(format!("handoff {}: nothing was brought", row.id)));
    };
    match unfit(tx, own, row, (&submission, Language::ZhCn, now_ms))? {
        None => {}
        Some(Unfit::Version) => return Err(ProblemCode::NotFound.into()),
        Some(Unfit::NotTaken | Unfit::Answers(_)) => return Err(ProblemCode::CaseChanged.into()),
    }
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
