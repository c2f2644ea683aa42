//! What somebody may see who holds a slip: the number and the beginning of the digest, both printed on it.
//!
//! Refuses to tell an unknown number from a wrong digest: numbers can be counted through, digests cannot.
use domain::case::CaseState;
use domain::ids::{CaseNo, ItemCode, StationId};

use super::{blobs, cases, receipt};
use crate::store::{StoreError, Tx};

/// Digits of the digest on a slip.
const DIGEST_DIGITS: usize = 16;

/// A submission as its slip's page shows it: no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipView {
    /// Its number at the centre.
    pub number: CaseNo,
    /// The number on the slip, if it is another one (更正).
    pub slip_number: Option<CaseNo>,
    /// Item or bundle.
    pub item: Option<ItemCode>,
    /// Where it was handed in.
    pub station: StationId,
    /// Where the case stands.
    pub state: CaseState,
    /// What the device's clock said when the slip was made, milliseconds since 1970.
    pub device_time_ms: i64,
    /// When the centre stored it, milliseconds since 1970.
    pub accepted_at_ms: i64,
    /// Text and all pages are there.
    pub complete: bool,
    /// How many pages are there, of how many.
    pub pages: (usize, usize),
    /// The centre's own order, as on the receipt.
    pub server_seq: u64,
    /// When the case last changed, milliseconds since 1970.
    pub changed_at_ms: i64,
}

/// The submission of a slip; none if the centre does not have it (yet), or the digest is another one.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn find(tx: &mut Tx<'_>, number: &CaseNo, digest_short: &str) -> Result<Option<SlipView>, StoreError> {
    let shape = digest_short.len() == DIGEST_DIGITS && digest_short.bytes().all(|b| b.is_ascii_hexdigit());
    if !shape {
        return Ok(None);
    }
    for case in cases::by_number(tx, number)? {
        let Some(stored) = receipt::stored(tx, &case.envelope_id)? else { continue };
        if stored.digest.short() != digest_short.to_ascii_lowercase() {
            continue;
        }
        let sql = "SELECT device_time_ms FROM envelope WHERE envelope_id = $1";
        let device_time_ms = tx.query_int(sql, &[case.envelope_id.to_string().into()])?;
        return Ok(Some(SlipView {
            number: case.number,
            slip_number: case.slip_number,
            item: case.item,
            station: case.station,
            state: case.state,
            device_time_ms,
            accepted_at_ms: stored.accepted_at_ms,
            complete: stored.complete,
            pages: blobs::count(tx, &case.envelope_id)?,
            server_seq: stored.server_seq,
            changed_at_ms: case.changed_at_ms,
        }));
    }
    Ok(None)
}
