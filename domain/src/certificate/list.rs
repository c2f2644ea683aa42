//! 吊销名单: the numbers that are no longer good, signed by the centre, with a day after which nobody relies on it.
//!
//! Names nobody and says no reason.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::canonical_json;
use super::number::CertificateNo;
use crate::date::CivilDate;
use crate::envelope::{DeviceKey, SignedDocument, SignedKind, sign_document};

/// Days that somebody without a network relies on a list.
pub const LIST_DAYS: i64 = 14;
/// Numbers of one list, at most.
pub const MAX_REVOKED: usize = 100_000;
/// Bytes of the file of a list that are read, at most.
pub const MAX_LIST_BYTES: usize = 16 * 1024 * 1024;

/// The list. What is signed is its canonical JSON, so that the same list has the same bytes all day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationList {
    /// How many were ever revoked: it rises with each.
    pub version: u64,
    /// The day on which it was made, in China.
    pub date: CivilDate,
    /// The last day on which somebody relies on it.
    pub good_until: CivilDate,
    /// What is revoked, and since which day.
    pub revoked: BTreeMap<CertificateNo, CivilDate>,
}

/// There are more than [`MAX_REVOKED`]: a list that leaves some out is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} certificates are revoked, a list has {MAX_REVOKED} at most")]
pub struct ListTooLong(pub usize);

impl RevocationList {
    /// The list of a day.
    ///
    /// # Errors
    /// [`ListTooLong`].
    pub fn new(
        version: u64,
        date: CivilDate,
        revoked: BTreeMap<CertificateNo, CivilDate>,
    ) -> Result<Self, ListTooLong> {
        if revoked.len() > MAX_REVOKED {
            return Err(ListTooLong(revoked.len()));
        }
        Ok(Self { version, date, good_until: date.plus_days(LIST_DAYS), revoked })
    }

    /// Signs it with the centre's receipt key.
    pub fn sign(&self, key: &DeviceKey) -> SignedDocument {
        sign_document(SignedKind::RevokedCertificates, canonical_json(self), key)
    }
}
