//! Revoking: by a leader of the unit that issued, with words; or by itself, in the transaction of what takes the grant
//! back. What is revoked stays so.
use domain::case::{Action, CaseView, Outcome, StepState};
use domain::certificate::CertificateNo;
use rand_core::CryptoRng;

use super::{Stored, Why, note, of_case_numbered, sealed};
use crate::auth::role::Role;
use crate::error::{ProblemCode, ServiceError};
use crate::services::cases::{CENTRE, CaseRow};
use crate::services::sessions::Caller;
use crate::services::{Context, case_key, case_text, parcels};
use crate::store::Tx;

/// Whether somebody may revoke a certificate: a leader of the unit that issued it.
///
/// # Errors
/// `role-needed` or `unit-needed`.
fn may(caller: &Caller, stored: &Stored) -> Result<(), ServiceError> {
    if !caller.roles.has(Role::Leader) {
        return Err(ProblemCode::RoleNeeded.into());
    }
    if caller.unit.as_ref() == Some(&stored.issued.unit) {
        Ok(())
    } else {
        Err(ProblemCode::UnitNeeded.into())
    }
}

impl Stored {
    /// Whether this caller may revoke it now: what a page offers.
    pub fn is_revocable_by(&self, caller: &Caller) -> bool {
        self.issued.revoked.is_none() && may(caller, self).is_ok()
    }
}

/// Revokes a certificate of a case for ever; one that is revoked already stays as it is, with its first reason.
///
/// # Errors
/// [`ServiceError`]: `role-needed`, `unit-needed`, `not-found`, `malformed-request` without a reason, `too-large` for a
/// long one, or the store's.
pub fn revoke(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut dyn CryptoRng),
    (caller, row): (&Caller, &CaseRow),
    (number, reason): (&CertificateNo, &str),
) -> Result<(), ServiceError> {
    let stored = of_case_numbered(tx, &row.envelope_id, number)?;
    may(caller, &stored)?;
    let needs_words =
        || ServiceError::refused(ProblemCode::MalformedRequest, "revoking needs a reason in words");
    let reason = case_text::clean(reason)?.ok_or_else(needs_words)?;
    if stored.issued.revoked.is_some() {
        return Ok(());
    }
    let key = case_key::find(tx, &row.envelope_id)?.open(&context.keys)?;
    let (nonce, said) = sealed(&key, rng, reason.as_bytes(), (number, "reason"))?;
    let by = caller.account.as_str();
    write(tx, now_ms, (by, Why::Leader), (&stored, &nonce.0, &said))
}

/// Revokes what an action takes back: certificates of steps that are done again, and all of a case that ends without
/// being granted. `view` is the case after the action.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn take_back(
    tx: &mut Tx<'_>,
    now_ms: i64,
    row: &CaseRow,
    (action, view): (&Action, &CaseView),
) -> Result<(), ServiceError> {
    let why = match action {
        Action::Reopened { .. } => Why::Reopened,
        Action::Completed { outcome: Some(Outcome::Granted | Outcome::PartlyGranted), .. } => return Ok(()),
        Action::Completed { .. } => Why::NotGranted,
        _ => return Ok(()),
    };
    let stands = |step: &str| view.step(step).is_some_and(|step| step.state == StepState::Passed);
    for stored in super::of_case(tx, &row.envelope_id)? {
        let issued = &stored.issued;
        if issued.revoked.is_none() && (why == Why::NotGranted || !stands(&issued.step)) {
            write(tx, now_ms, (CENTRE, why), (&stored, &[], &[]))?;
        }
    }
    Ok(())
}

/// `nonce` and `said` are the sealed words, empty if there are none.
fn write(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (by, why): (&str, Why),
    (stored, nonce, said): (&Stored, &[u8], &[u8]),
) -> Result<(), ServiceError> {
    let issued = &stored.issued;
    tx.execute(
        "UPDATE certificate SET revoked_at_ms = $2, revoked_by = $3, why = $4, said_nonce = $5, said = $6
         WHERE number = $1 AND revoked_at_ms IS NULL",
        &[
            issued.number.as_str().into(),
            now_ms.into(),
            by.into(),
            why.as_str().into(),
            nonce.into(),
            said.into(),
        ],
    )?;
    note(tx, now_ms, (by, "certificate.revoked"), (&issued.number, &issued.envelope_id))?;
    parcels::certificate_revoked(tx, now_ms, (&issued.envelope_id, by))
}
