//! What people do with terminals: take one out of service, take it in again, replace it; each with its reason.
//!
//! A step holds from the next request of the terminal on, because each call looks its terminal up. Refuses a step that
//! changes nothing, so that two people who do the same see it.
use domain::ids::TerminalId;
use rand_core::CryptoRng;

use super::enrol::{self, EnrolCode, For};
use super::rollout::Reason;
use super::{audit, series, terminals};
use crate::error::{ProblemCode, ServiceError};
use crate::store::{StoreError, Tx};

/// What can be done with a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Out of service: it was lost, broken or opened.
    Block,
    /// In service again; forks of its series are over with that.
    Unblock,
    /// Out of service, and a code for the one that takes its place.
    Replace,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Block, Self::Unblock, Self::Replace];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::Replace => "replace",
        }
    }

    /// Whether it can be taken with a terminal that may send, or may not.
    pub fn fits(self, active: bool) -> bool {
        active == (self != Self::Unblock) || self == Self::Replace
    }
}

/// A step was not taken.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Somebody else was faster.
    #[error("the terminal is as the step would leave it")]
    Already,
    /// The terminal is unknown, or the store failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for StepError {
    fn from(e: StoreError) -> Self {
        Self::Service(e.into())
    }
}

/// Takes a step; gives the code for the terminal that takes the place of a replaced one.
///
/// # Errors
/// [`StepError`]
pub fn take<R: CryptoRng + ?Sized>(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (actor, step): (&str, Step),
    (terminal, reason): (&TerminalId, &Reason),
    rng: &mut R,
) -> Result<Option<EnrolCode>, StepError> {
    let known = terminals::by_id(tx, terminal)?.ok_or(ServiceError::from(ProblemCode::NotFound))?;
    if !step.fits(known.active) {
        return Err(StepError::Already);
    }
    let status = if step == Step::Unblock { "active" } else { "blocked" };
    tx.execute("UPDATE terminal SET status = $2 WHERE id = $1", &[terminal.as_str().into(), status.into()])?;
    if step == Step::Unblock {
        series::end_forks(tx, terminal)?;
    }
    note(tx, now_ms, (actor, step.as_str()), (terminal, reason.as_str()))?;
    let event = format!("terminal.{}", step.as_str());
    let event = audit::Event { actor, event: &event, subject: terminal.as_str(), object_digest: "" };
    audit::append(tx, now_ms, event)?;
    if step != Step::Replace {
        return Ok(None);
    }
    let whom = For { station: &known.station, replaces: Some(terminal), actor };
    Ok(Some(enrol::make_code_for(tx, now_ms, &whom, rng)?))
}

/// Notes a step in the history of a terminal. The chain tells of people's steps; enrolment tells of itself.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn note(
    tx: &mut Tx<'_>,
    now_ms: i64,
    (actor, step): (&str, &str),
    (terminal, reason): (&TerminalId, &str),
) -> Result<(), StoreError> {
    let id = tx.next_in("terminal_step", "id")?;
    tx.execute(
        "INSERT INTO terminal_step (id, terminal, at_ms, actor, step, reason) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            id.into(),
            terminal.as_str().into(),
            now_ms.into(),
            actor.into(),
            step.into(),
            reason.into(),
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_fits_where_it_changes_something() {
        let fits = |active| Step::ALL.map(|step| step.fits(active));
        assert_eq!(fits(true), [true, false, true]);
        assert_eq!(fits(false), [false, true, true], "one that is out of service can still be replaced");
    }
}
