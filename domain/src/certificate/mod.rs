//! 证照: what somebody has in hand whose step of a case was granted, as data that anybody can check without a network.
//!
//! | module | what it holds |
//! |---|---|
//! | this one | the certificate and its signed JSON |
//! | [`number`] | its number, and the token that opens its page for the public |
//! | [`list`] | the signed list of those that are revoked |
//! | [`judge()`] | whether a file is genuine and in force |
//!
//! The signature is that of receipts: the centre's receipt key over the exact bytes (`envelope::sign`). Refuses to say a
//! negative outcome: there is no field for one, and what was not granted has no certificate.
pub mod judge;
pub mod list;
pub mod number;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use judge::{Judged, ListFault, NotGenuine, Verdict, judge};
pub use list::RevocationList;
pub use number::{CertificateNo, CertificateToken};

use crate::applicant::{mask_id_public, mask_name};
use crate::catalogue::canonical;
use crate::date::CivilDate;
use crate::envelope::{DeviceKey, SignedDocument, SignedKind, sign_document};
use crate::ids::{CaseNo, ItemCode, UnitId};

/// Bytes of the file of a certificate that are read, at most: far more than one ever has.
pub const MAX_CERTIFICATE_BYTES: usize = 256 * 1024;

/// Whose certificate it is. Never printed by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name exactly as in the submission.
    pub name: String,
    /// Number of the identity card.
    pub id_number: String,
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Holder(..)")
    }
}

impl Holder {
    /// The name as the public sees it: surname and stars.
    pub fn masked_name(&self) -> String {
        mask_name(&self.name)
    }

    /// The number as the public sees it: 4 + 2.
    pub fn masked_id_number(&self) -> String {
        mask_id_public(&self.id_number)
    }
}

/// A certificate. What is signed is its canonical JSON: keys in order, no spaces. Fields are only added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its number.
    pub number: CertificateNo,
    /// What it is, such as 食品经营许可.
    pub title: String,
    /// Whose it is.
    pub holder: Holder,
    /// The unit that issued it.
    pub unit: UnitId,
    /// The item or bundle.
    pub item: ItemCode,
    /// The step of the case that granted it.
    pub step: String,
    /// The case.
    pub case: CaseNo,
    /// First day on which it is good.
    pub valid_from: CivilDate,
    /// Last day on which it is good; none is 长期.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<CivilDate>,
    /// When it was issued, milliseconds since 1970.
    pub issued_at_ms: i64,
    /// What opens its page for the public. Random: it follows from nothing that somebody could guess.
    pub token: CertificateToken,
    /// It was issued over sample data (示例) and proves nothing to anybody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sample: bool,
}

impl Certificate {
    /// Signs it with the centre's receipt key.
    pub fn sign(&self, key: &DeviceKey) -> SignedDocument {
        sign_document(SignedKind::Certificate, canonical_json(self), key)
    }

    /// The address that its QR code leads to: its page for the public.
    pub fn address(&self, people_url: &str) -> String {
        format!("{people_url}/certificates/{}?t={}", self.number, self.token.as_str())
    }
}

fn canonical_json<T: Serialize>(thing: &T) -> Vec<u8> {
    canonical::sorted(canonical::to_value(thing)).to_string().into_bytes()
}
