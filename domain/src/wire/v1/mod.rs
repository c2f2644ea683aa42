//! Wire version 1: JSON, zstd in both directions, every type that crosses the network and nothing else.
//!
//! The header of an envelope travels as base64 of the exact bytes that were signed and is verified as received;
//! it is never serialised again. Snapshot-tested in `tests/it`.
mod changes;
mod citizen;
mod envelope;
mod follow_up;
mod heartbeat;
mod keys;
mod offer;
mod partner;
mod problem;
mod reads;
#[cfg(feature = "openapi")]
mod schema;
mod terminal;
pub mod tuf;
pub mod uploads;

pub use changes::{CaseNews, Change, ChangeNews, ChangesQuery, ChangesResponse};
pub use citizen::{
    CitizenCase, CitizenQuery, CitizenRequest, CitizenResponse, MAX_CITIZEN_CASES, SupplementRequest,
};
pub use envelope::{
    BatchResponse, BlobEntry, BlobKind, EnvelopeBatch, EnvelopeHeader, EnvelopeKind, EnvelopeResult,
    EnvelopeUpload, Outcome, Person, ReceiptBody, SlipBody, Submission,
};
pub use follow_up::{Supplement, Withdrawal};
pub use heartbeat::{
    ActivationFailure, DeviceReport, DeviceTrouble, FailureKind, Heartbeat, HeartbeatRequest,
    HeartbeatResponse, MAX_DEVICE_CHARS, MAX_DEVICES, MAX_FAILURES, MAX_REASON_CHARS, MAX_WITHDRAWN, Order,
    WithdrawnItem,
};
pub use keys::SealingKeyList;
pub use offer::{AuditHead, MAX_OFFERED, Offer, OfferRequest, OfferResponse, OfferedReceipt};
pub use partner::{
    MAX_PARTNER_FORM_BYTES, MAX_PARTNER_ITEMS, MAX_PARTNER_MESSAGE_BYTES, MAX_PARTNER_SEQ, MAX_PARTNER_WORDS,
    PARTNER_VERSION, PartnerAnswer, PartnerContent, PartnerForm, PartnerItem, PartnerItems, PartnerMessage,
    PartnerMistake, PartnerOutcome, PartnerReceipt, PartnerRequest, PartnerSaid, PartnerSealed, SealedFor,
};
pub use problem::Problem;
pub use reads::{CaseList, CaseResource, CasesQuery, DEFAULT_PAGE, MAX_PAGE};
pub use terminal::{
    CertificateRequest, CertificateResponse, Certified, Contact, EnrolRequest, EnrolResponse, ReceiptKey,
    Returning, SealingKeyEntry, SeriesNews,
};

/// Envelopes in one batch, at most.
pub const MAX_BATCH: usize = 50;
/// Bytes of one batch before compression, at most.
pub const MAX_BATCH_BYTES: usize = 512 * 1024;
/// Media type of a problem answer (RFC 9457).
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";
/// Request header with the terminal's id, on calls that carry no envelope.
pub const TERMINAL_HEADER: &str = "jinban-terminal";
/// Request header with the base64 device signature over [`crate::envelope::request_digest`].
pub const SIGNATURE_HEADER: &str = "jinban-signature";
