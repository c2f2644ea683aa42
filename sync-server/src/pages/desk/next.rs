//! 下一件: the task of the unit that comes after one in the order of the inbox, for whoever has nothing else to do.
use domain::case::StepState;
use domain::ids::{EnvelopeId, UnitId};

use super::address;
use crate::error::ServiceError;
use crate::services::sessions::Caller;
use crate::services::tasks::{self, Query, Task};
use crate::services::{cases, tasks::NO_DUE};
use crate::store::Tx;

/// The address of the next case that the caller can work at, after a place in the inbox or from its beginning; none if
/// there is no other.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn after(
    tx: &mut Tx<'_>,
    (caller, unit): (&Caller, &UnitId),
    (id, due_ms): (&EnvelopeId, Option<i64>),
) -> Result<Option<String>, ServiceError> {
    let mine = |task: &Task| {
        let free = task.holder.as_deref().is_none_or(|holder| holder == caller.account.as_str());
        let workable = matches!(task.state, StepState::Ready | StepState::Taken);
        task.envelope_id != *id && free && workable
    };
    for place in [Some((due_ms.unwrap_or(NO_DUE), *id)), None] {
        let query = Query { after: place, ..Query::default() };
        let (found, _) = tasks::page(tx, unit, &query)?;
        if let Some(task) = found.into_iter().find(mine) {
            let row = cases::by_id(tx, &task.envelope_id)?;
            return Ok(row.map(|row| address(&row.number, Some(&task.step))));
        }
    }
    Ok(None)
}
