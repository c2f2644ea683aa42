//! 补正 at a window: finding the case of whoever stands there, and handing in what it waits for with the end of its draft.
//!
//! The case number is not enough: the number on the person's card must be that of the submission. Wrong pairs are told
//! apart by nobody, and counted under the clerk.
use domain::envelope::Digest;
use domain::ids::{CaseNo, EnvelopeId};
use rand_core::CryptoRng;

use super::{drafts, visits};
use crate::auth::lockout;
use crate::error::{ProblemCode, ServiceError};
use crate::services::sign_in_failures::{self as failures, Counted};
use crate::services::supplementing::{self, Bringing, HandedIn, NotAsked};
use crate::services::{Context, cases, person_key, slips};
use crate::store::Tx;

/// What a clerk typed.
#[derive(Clone)]
pub struct Lookup {
    /// The case number.
    pub number: String,
    /// The ID number of whoever stands there.
    pub id_number: String,
}

/// What looking gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookedUp {
    /// The case of that person.
    Case(EnvelopeId),
    /// No case has both numbers.
    NoSuch,
    /// Too many wrong pairs: the clerk has to wait, in milliseconds.
    Wait(i64),
}

/// Looks after the case that has both numbers.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn look_up(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, clerk): (i64, &str),
    typed: &Lookup,
) -> Result<LookedUp, ServiceError> {
    let keys = &context.keys;
    let counted = Counted::new(keys, "supplement-clerk", clerk, lockout::ADDRESS);
    if let Some(wait_ms) = failures::wait_ms(tx, now_ms, &counted)? {
        return Ok(LookedUp::Wait(wait_ms));
    }
    let hmac = person_key::of_id_number(keys, &slips::plain(&typed.id_number));
    let number: Option<CaseNo> = slips::plain(&typed.number).to_ascii_uppercase().parse().ok();
    let named = number.map_or(Ok(Vec::new()), |number| cases::by_number(tx, &number))?;
    for case in named {
        if person_key::is_of(tx, (person_key::ID_NUMBER, &hmac), &case.envelope_id)? {
            return Ok(LookedUp::Case(case.envelope_id));
        }
    }
    failures::count(tx, now_ms, &counted)?;
    Ok(LookedUp::NoSuch)
}

/// Hands in what a draft became, or finds what it became before; gives with it the pages that are nobody's now.
///
/// # Errors
/// [`ServiceError`]: `not-found` if the draft was thrown away, or as [`supplementing::hand_in`]; nothing was written then.
pub fn hand_in_supplement<R: CryptoRng>(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut R),
    (clerk, visit): (&str, &str),
    of: &Bringing,
) -> Result<Result<(HandedIn, Vec<Digest>), NotAsked>, ServiceError> {
    if !drafts::is_taken(tx, &of.id)? {
        let before = supplementing::handed_in(tx, &of.id)?.ok_or(ProblemCode::NotFound)?;
        return Ok(Ok((before, Vec::new())));
    }
    let done = match supplementing::hand_in(tx, context, (now_ms, rng), (clerk, of))? {
        Ok(done) => done,
        Err(why) => return Ok(Err(why)),
    };
    let mut left_over = drafts::take_away(tx, clerk, &of.id)?.ok_or(ProblemCode::NotFound)?;
    left_over.retain(|digest| of.blobs.iter().all(|blob| blob.digest != *digest));
    let visit = visits::of_form(tx, now_ms, clerk, visit)?;
    visits::served(tx, now_ms, &visit)?;
    Ok(Ok((done, left_over)))
}
