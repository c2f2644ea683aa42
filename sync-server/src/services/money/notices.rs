//! 短信通知: the one place from which a citizen is told of money.
//!
//! Whoever sends messages joins them here; until then the page of the slip is how the citizen hears of it.
use domain::ids::EnvelopeId;

use crate::error::ServiceError;
use crate::store::Tx;

/// What a citizen is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// Something is to be paid.
    ToPay {
        /// Number of the bill.
        bill: &'a str,
    },
    /// All of it was paid.
    Paid {
        /// Number of the bill.
        bill: &'a str,
    },
    /// Money goes back.
    GoesBack {
        /// Number of the bill.
        bill: &'a str,
    },
}

/// Tells the applicant of a case, in the transaction of what is told.
///
/// # Errors
/// [`ServiceError`] if the message cannot be written down.
pub fn tell(
    _tx: &mut Tx<'_>,
    _now_ms: i64,
    _case: &EnvelopeId,
    _notice: Notice<'_>,
) -> Result<(), ServiceError> {
    Ok(())
}
