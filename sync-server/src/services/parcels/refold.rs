//! Holds the rows of a case's parcels against their events; for `sync-server verify`.
use domain::ids::EnvelopeId;
use domain::parcel::{Happened, Parcel};

use super::{PROJECTED, events, of_case, projection};
use crate::store::{StoreError, Tx, Value};

/// What differs: the place, what is stored (none: the events make no parcel), and what follows from the events.
pub type Difference = (String, Option<Value>, Value);

/// Where the parcels of a case are not what their events say.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn differences(tx: &mut Tx<'_>, id: &EnvelopeId) -> Result<Vec<Difference>, StoreError> {
    let mut found = Vec::new();
    for stored in of_case(tx, id)? {
        let number = &stored.number;
        let folded = match events(tx, number) {
            Ok(events) => {
                let all: Vec<Happened> = events.into_iter().map(|event| event.happened).collect();
                Parcel::of(&all).map_err(|e| e.to_string())
            }
            Err(e @ StoreError::Stored { .. }) => Err(e.to_string()),
            Err(e) => return Err(e),
        };
        let parcel = match folded {
            Ok(parcel) => parcel,
            Err(why) => {
                found.push((format!("parcel_event of {number}"), None, why.into()));
                continue;
            }
        };
        let sql = format!("SELECT {} FROM parcel WHERE number = $1", PROJECTED.join(", "));
        let row = tx.query_first(&sql, &[number.as_str().into()])?.unwrap_or(crate::store::Row(Vec::new()));
        for (n, folded) in projection(&parcel).into_iter().enumerate() {
            let stored = row.0.get(n);
            if stored != Some(&folded) {
                found.push((format!("parcel {number}.{}", PROJECTED[n]), stored.cloned(), folded));
            }
        }
    }
    Ok(found)
}
