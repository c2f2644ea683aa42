//! One error, one answer: the codes of all problems, and how a service's error becomes `application/problem+json`.
//!
//! Words for people lie in `assets/text/pages`, under `problem.{code}`; details carry no personal data.
use domain::wire::v1::Problem;

use crate::store::{StoreError, WriteError};

macro_rules! problem_codes {
    ($($variant:ident $code:literal $status:literal $doc:literal,)*) => {
        /// Kinds of problems. Codes are stable: other programs and the pages at `/problems/{code}` rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemCode {
            $(#[doc = $doc] $variant,)*
        }

        impl ProblemCode {
            /// All kinds.
            pub const ALL: &[ProblemCode] = &[$(Self::$variant),*];

            /// The stable code.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
        }
    };
}

problem_codes! {
    MalformedRequest "malformed-request" 400 "The request is not what the call takes.",
    EnvelopeMalformed "envelope-malformed" 400 "The header of an envelope is not readable.",
    DigestMismatch "digest-mismatch" 400 "The digest does not cover the bytes that came.",
    EnrolCodeMalformed "enrol-code-malformed" 400 "The enrolment code cannot be one.",
    PublicKeyMalformed "public-key-malformed" 400 "The public key is not an Ed25519 key.",
    CertificateRequestMalformed "certificate-request-malformed" 400 "The certificate request is not readable, or not for the device's key.",
    SignatureInvalid "signature-invalid" 401 "The device's signature does not hold.",
    TerminalUnknown "terminal-unknown" 401 "No such terminal is enrolled.",
    PartnerUnknown "partner-unknown" 401 "Whoever signed is no partner of this centre, or means another one.",
    EnrolCodeUnknown "enrol-code-unknown" 401 "No such enrolment code was given out.",
    EnrolCodeExpired "enrol-code-expired" 401 "The enrolment code is too old.",
    CertificateNeeded "certificate-needed" 401 "The connection shows no certificate of an enrolled terminal.",
    SignInNeeded "sign-in-needed" 401 "Nobody is signed in.",
    RoleNeeded "role-needed" 403 "Whoever is signed in has none of the roles that may do this.",
    UnitNeeded "unit-needed" 403 "The step belongs to another unit than that of whoever is signed in.",
    CrossSite "cross-site" 403 "A call that changes something came from another site.",
    TerminalBlocked "terminal-blocked" 403 "The terminal was taken out of service.",
    CertificateMismatch "certificate-mismatch" 403 "What was sent is signed by another terminal than the connection's certificate names.",
    ReturnNotProven "return-not-proven" 403 "What a returning terminal shows does not prove who it was here.",
    NotFound "not-found" 404 "There is nothing at this address.",
    MethodNotAllowed "method-not-allowed" 405 "The address does not take this method.",
    RequestTimeout "request-timeout" 408 "The request did not arrive in time.",
    EnrolCodeUsed "enrol-code-used" 409 "The enrolment code was used by another device.",
    KeyEnrolledElsewhere "key-enrolled-elsewhere" 409 "The device is enrolled at another station.",
    TerminalKnown "terminal-known" 409 "The device is enrolled as it is, and need not return.",
    TerminalIdTaken "terminal-id-taken" 409 "The id of a returning terminal belongs to another device now.",
    EnrolledOtherwise "enrolled-otherwise" 409 "The device is enrolled here under another id than the one that it names.",
    EnvelopeConflict "envelope-conflict" 409 "The same envelope id came with another digest.",
    CaseChanged "case-changed" 409 "The case changed meanwhile.",
    TooEarly "too-early" 409 "A period of the law is not over yet.",
    UploadOffset "upload-offset" 409 "The bytes do not follow those that are there.",
    IssuersExhausted "issuers-exhausted" 409 "The centre has enrolled 899 terminals, as many as a case number can tell apart.",
    UploadGone "upload-gone" 410 "The upload was not finished in its time.",
    TusVersion "tus-version" 412 "The call does not speak the version of tus that the server does.",
    NumbersExhausted "numbers-exhausted" 503 "No case number is left for today.",
    TooLarge "too-large" 413 "The request is larger than the call takes.",
    TooManyEnvelopes "too-many-envelopes" 413 "The batch has more envelopes than the call takes.",
    EnvelopeTooLarge "envelope-too-large" 413 "Header or content of an envelope is too large.",
    UnsupportedMediaType "unsupported-media-type" 415 "The body is not of the media type that the call takes.",
    UnsupportedEncoding "unsupported-encoding" 415 "The body is encoded in a way that the call does not take.",
    BlobMismatch "blob-mismatch" 422 "The bytes of a whole upload are not those that the envelope names.",
    PartnerVersion "partner-version" 422 "The message is of a version that this program does not read.",
    UploadLocked "upload-locked" 423 "Another call adds to the upload now.",
    TooManyRequests "too-many-requests" 429 "The caller made more calls than its budget has.",
    HeadersTooLarge "headers-too-large" 431 "The head of the request is too large or has too many lines.",
    ChecksumMismatch "checksum-mismatch" 460 "The bytes of a call do not have their checksum.",
    Internal "internal" 500 "The centre failed.",
    Busy "busy" 503 "The centre cannot take more now.",
    SealingKeyMissing "sealing-key-missing" 503 "The file of the key to which terminals would seal is not there.",
    StorageFull "storage-full" 503 "The disk of the centre is full.",
}

impl ProblemCode {
    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.as_str() == code)
    }

    /// The problem as it travels.
    pub fn problem(self, detail: Option<String>, instance: Option<String>) -> Problem {
        Problem {
            type_uri: format!("/problems/{}", self.as_str()),
            title: crate::words::english(&format!("problem.{}.title", self.as_str())),
            status: self.status(),
            detail,
            code: self.as_str().to_owned(),
            instance,
        }
    }
}

/// A service did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// What was asked is not possible: the caller hears why.
    #[error("{}{}", .code.as_str(), .detail.as_deref().map(|d| format!(": {d}")).unwrap_or_default())]
    Refused {
        /// The kind.
        code: ProblemCode,
        /// What exactly, without personal data.
        detail: Option<String>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The group of the write was not committed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The centre's own data or keys do not fit together.
    #[error("{0}")]
    Inconsistent(String),
}

impl From<ProblemCode> for ServiceError {
    fn from(code: ProblemCode) -> Self {
        Self::Refused { code, detail: None }
    }
}

impl ServiceError {
    /// A refusal with a detail.
    pub fn refused(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self::Refused { code, detail: Some(detail.into()) }
    }

    /// Whether the centre is in trouble (5xx), which says nothing about what was asked.
    pub fn is_trouble(&self) -> bool {
        match self {
            Self::Refused { code, .. } => code.status() >= 500,
            Self::Store(_) | Self::Write(_) | Self::Inconsistent(_) => true,
        }
    }

    /// The kind of problem that the caller sees. What went wrong inside is logged here, once, and not told.
    pub fn to_problem(&self, instance: Option<String>) -> Problem {
        let (code, detail) = match self {
            Self::Refused { code, detail } => (*code, detail.clone()),
            Self::Store(
                StoreError::Busy | StoreError::Unreachable(_) | StoreError::Open(_) | StoreError::Moved,
            )
            | Self::Write(WriteError::Unavailable) => (ProblemCode::Busy, None),
            Self::Store(StoreError::Full) | Self::Write(WriteError::Full) => (ProblemCode::StorageFull, None),
            Self::Write(WriteError::NotCommitted) => (ProblemCode::Busy, None),
            Self::Store(_) | Self::Write(_) | Self::Inconsistent(_) => (ProblemCode::Internal, None),
        };
        if code.status() >= 500 {
            tracing::error!(
                error = self as &dyn std::error::Error,
                request.id = instance.as_deref().unwrap_or("-"),
                "a request was not served"
            );
        }
        code.problem(detail, instance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_slug_with_its_words() {
        for code in ProblemCode::ALL {
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{code:?}");
            assert_eq!(ProblemCode::from_code(code.as_str()), Some(*code));
            assert!((400..600).contains(&code.status()), "{code:?}");
            assert!(!code.problem(None, None).title.is_empty(), "{code:?}");
        }
    }

    #[test]
    fn what_goes_wrong_inside_is_not_told() {
        let inside = ServiceError::Inconsistent("secret detail".into());
        let problem = inside.to_problem(Some("r-1".into()));
        assert_eq!((problem.status, problem.detail), (500, None));
    }
}
