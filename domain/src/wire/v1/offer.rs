//! `POST /api/v1/offers`: what a terminal has receipts of, shown to a centre that was restored from a backup; and the
//! signed ends of the audit chain that terminals keep.
//!
//! An offer travels as a [`SignedDocument`], signed by the device under a label of its own.
use serde::{Deserialize, Serialize};

use super::Contact;
use crate::date::CivilDate;
use crate::envelope::{Digest, SignedDocument};
use crate::ids::{EnvelopeId, ServerEpoch, TerminalId};

/// Receipts in one offer, at most.
pub const MAX_OFFERED: usize = 200;

/// Body of the call: an [`Offer`] as JSON, signed by the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfferRequest {
    /// The offer with the device's signature.
    pub offer: SignedDocument,
}

/// Receipts that a terminal has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Who it is.
    pub terminal: TerminalId,
    /// At most 200 of them, oldest first.
    pub receipts: Vec<OfferedReceipt>,
}

/// One receipt, and whether its content can be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedReceipt {
    /// The receipt as the centre signed it.
    pub receipt: SignedDocument,
    /// The terminal still has the sealed content.
    pub kept: bool,
}

/// Answer to an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfferResponse {
    /// Which of the offered envelopes the centre does not have. The terminal sends again what it still has of them.
    pub lacking: Vec<EnvelopeId>,
    /// What every response carries.
    pub contact: Contact,
}

/// The end of the centre's audit chain on a day. It travels as a [`SignedDocument`] signed with the receipt key, and
/// terminals keep it: rows before it can be neither cut off nor written anew without being noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Epoch of the centre.
    pub epoch: ServerEpoch,
    /// The day in China.
    pub day: CivilDate,
    /// The last row of the chain.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// When it was signed, milliseconds since 1970.
    pub signed_at_ms: i64,
}
