//! What each call takes and answers beside its body: parameters, headers and problem codes.
use crate::error::ProblemCode::{self, *};

/// One call.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Id of its operation.
    pub operation: &'static str,
    /// Its parameters by name, as the components name them.
    pub parameters: &'static [&'static str],
    /// Headers of its good answer beside those of every answer.
    pub headers: &'static [&'static str],
    /// Schema of its good answer, where no type of the code has one.
    pub schema: Option<&'static str>,
    /// Problems that it may answer with, beside those of every call.
    pub codes: &'static [ProblemCode],
    /// Problems that one envelope of a batch may have.
    pub codes_of_one: &'static [ProblemCode],
}

/// Problems of every call.
pub const EVERY_CALL: &[ProblemCode] =
    &[MalformedRequest, RequestTimeout, TooManyRequests, HeadersTooLarge, Internal, Busy];

const PLAIN: Call =
    Call { operation: "", parameters: &[], headers: &[], schema: None, codes: &[], codes_of_one: &[] };
const READ: &[&str] = &["ETag", "Cache-Control"];
const EDITION: &[&str] = &["ETag", "Cache-Control", "Content-Location"];
const SIGNED: &[ProblemCode] =
    &[SignatureInvalid, TerminalUnknown, CertificateNeeded, TerminalBlocked, CertificateMismatch];
const SENT_AND_SIGNED: &[ProblemCode] = &[
    SignatureInvalid,
    TerminalUnknown,
    CertificateNeeded,
    TerminalBlocked,
    CertificateMismatch,
    TooLarge,
    UnsupportedMediaType,
    UnsupportedEncoding,
    StorageFull,
];
const SIGNED_AND_FOUND: &[ProblemCode] =
    &[SignatureInvalid, TerminalUnknown, CertificateNeeded, TerminalBlocked, CertificateMismatch, NotFound];

/// All calls of the terminals' listener.
pub const CALLS: &[Call] = &[
    Call { operation: "health", ..PLAIN },
    Call { operation: "describe", schema: Some("OpenApiDocument"), ..PLAIN },
    Call {
        operation: "enrol",
        codes: &[
            EnrolCodeMalformed,
            PublicKeyMalformed,
            CertificateRequestMalformed,
            EnrolCodeUnknown,
            EnrolCodeExpired,
            TerminalBlocked,
            ReturnNotProven,
            EnrolCodeUsed,
            KeyEnrolledElsewhere,
            TerminalKnown,
            TerminalIdTaken,
            EnrolledOtherwise,
            IssuersExhausted,
            TooLarge,
            UnsupportedMediaType,
            UnsupportedEncoding,
            SealingKeyMissing,
            StorageFull,
        ],
        ..PLAIN
    },
    Call {
        operation: "renew_certificate",
        codes: &[
            CertificateRequestMalformed,
            TerminalUnknown,
            TerminalBlocked,
            TooLarge,
            UnsupportedMediaType,
            UnsupportedEncoding,
            StorageFull,
        ],
        ..PLAIN
    },
    Call {
        operation: "send_envelopes",
        headers: &["Location"],
        codes: &[
            TerminalUnknown,
            CertificateNeeded,
            TooLarge,
            TooManyEnvelopes,
            UnsupportedMediaType,
            UnsupportedEncoding,
            NumbersExhausted,
            StorageFull,
        ],
        codes_of_one: &[
            EnvelopeMalformed,
            DigestMismatch,
            SignatureInvalid,
            TerminalUnknown,
            TerminalBlocked,
            CertificateMismatch,
            EnvelopeConflict,
            EnvelopeTooLarge,
            NumbersExhausted,
            Internal,
            Busy,
            StorageFull,
        ],
        ..PLAIN
    },
    Call { operation: "changes", parameters: &["After", "Wait", "KnownOrder"], codes: SIGNED, ..PLAIN },
    Call { operation: "heartbeat", codes: SENT_AND_SIGNED, ..PLAIN },
    Call { operation: "offer_receipts", codes: SENT_AND_SIGNED, ..PLAIN },
    Call { operation: "list_citizen_cases", codes: SENT_AND_SIGNED, ..PLAIN },
    Call {
        operation: "list_cases",
        parameters: &["After", "Limit"],
        headers: &["Link"],
        codes: SIGNED,
        ..PLAIN
    },
    Call {
        operation: "read_case",
        parameters: &["EnvelopeId", "IfNoneMatch"],
        headers: READ,
        codes: SIGNED_AND_FOUND,
        ..PLAIN
    },
    Call { operation: "list_revoked_certificates", parameters: &["IfNoneMatch"], headers: READ, ..PLAIN },
    Call {
        operation: "send_partner_message",
        codes: &[
            SignatureInvalid,
            PartnerUnknown,
            NotFound,
            PartnerVersion,
            TooLarge,
            UnsupportedMediaType,
            UnsupportedEncoding,
            StorageFull,
        ],
        ..PLAIN
    },
    Call { operation: "list_partner_items", codes: &[NotFound], ..PLAIN },
    Call { operation: "read_partner_item", parameters: &["ItemCode"], codes: &[NotFound], ..PLAIN },
    Call {
        operation: "read_catalogue",
        parameters: &["IfNoneMatch"],
        headers: EDITION,
        schema: Some("CatalogueDocument"),
        codes: SIGNED_AND_FOUND,
        ..PLAIN
    },
    Call {
        operation: "read_catalogue_version",
        parameters: &["CatalogueVersion", "IfNoneMatch"],
        headers: EDITION,
        schema: Some("CatalogueDocument"),
        codes: SIGNED_AND_FOUND,
        ..PLAIN
    },
];
