//! Enrolment, and what every response of the server carries.
use serde::{Deserialize, Serialize};

use crate::envelope::{Bytes, PublicKey, SealingPublicKey, SignedDocument, Suite};
use crate::ids::{CounterState, Issuer, KeyId, Lineage, ServerEpoch, StationId, TerminalId};

/// `POST /api/v1/enrol`: a one-time code and the device's public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolRequest {
    /// The one-time code, as typed: 12 letters and digits (no U; I, L and O are read as 1, 1 and 0), with spaces and
    /// hyphens where people put them.
    #[cfg_attr(
        feature = "openapi",
        schema(pattern = "^[ -]*(?:[0-9A-TV-Za-tv-z][ -]*){12}$", min_length = 12, max_length = 60)
    )]
    pub code: String,
    /// The device's Ed25519 public key.
    pub public_key: PublicKey,
    /// Version of the terminal's software; the centre keeps its first 60 characters.
    #[serde(default)]
    pub software: String,
    /// A certificate request (PKCS#10 in DER) of the same key, signed by it. Without it the answer carries no
    /// certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<Bytes>,
    /// What the device is enrolled as already, if it is. The centre answers for this terminal or refuses, without using
    /// the code: a device that has rows of one terminal must not become another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<TerminalId>,
    /// A [`Returning`] as JSON, signed by the device key: from a terminal that was enrolled here before, in case that
    /// the centre was restored from a backup that does not know it. The centre takes it back as the same terminal, or
    /// answers `terminal-known` if it knows the device; the code is not used then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returning: Option<SignedDocument>,
}

/// Who a terminal was before its centre forgot it, as it says itself. The certificate proves terminal and key: the
/// centre's own authority signed it, whether it has ended or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returning {
    /// The one-time code of the same request, so that what was signed once serves for no other.
    pub code: String,
    /// The terminal.
    pub terminal: TerminalId,
    /// Where it stands; the code must be for this station.
    pub station: StationId,
    /// Issuer of its case numbers.
    pub issuer: Issuer,
    /// Its last certificate (X.509 in DER).
    pub certificate: Bytes,
}

/// A certificate of a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Certified {
    /// The terminal's certificate (X.509 in DER).
    pub certificate: Bytes,
    /// The certificate of the centre's authority that signed it (X.509 in DER): the only one that the terminal trusts
    /// from now on.
    pub authority: Bytes,
    /// When it was issued, milliseconds since 1970.
    pub issued_at_ms: i64,
    /// Its last moment, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// `POST /api/v1/certificate`: another certificate for the key with which a terminal was enrolled. Needs no
/// certificate, so that a terminal whose own has expired finds its way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateRequest {
    /// Who asks.
    pub terminal: TerminalId,
    /// A certificate request (PKCS#10 in DER), signed by the device key.
    pub csr: Bytes,
}

/// Answer to a [`CertificateRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateResponse {
    /// The certificate.
    pub certified: Certified,
    /// What every response carries.
    pub contact: Contact,
}

/// A key that signs receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptKey {
    /// Its id.
    pub id: KeyId,
    /// The key.
    pub key: PublicKey,
}

/// The key to which data keys are wrapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealingKeyEntry {
    /// Its id.
    pub id: KeyId,
    /// For which suite.
    pub suite: Suite,
    /// The key.
    pub key: SealingPublicKey,
}

/// Answer to an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolResponse {
    /// The terminal's id.
    pub terminal: TerminalId,
    /// The station where it stands.
    pub station: StationId,
    /// Issuer of its case numbers.
    pub issuer: Issuer,
    /// The last number of this issuer that the server knows.
    pub last_counter: CounterState,
    /// Keys that may sign receipts.
    pub receipt_keys: Vec<ReceiptKey>,
    /// Where to wrap data keys to in suite 1, for terminals that know no list.
    pub sealing_key: SealingKeyEntry,
    /// Address of the people's listener, for QR codes on slips, without a trailing slash.
    pub people_url: String,
    /// The terminal's certificate, if it asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certified: Option<Certified>,
    /// An [`Order`](super::Order) as JSON, signed by the centre, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<SignedDocument>,
    /// A [`SealingKeyList`](super::SealingKeyList) as JSON, signed by the centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing_keys: Option<SignedDocument>,
    /// What every response carries.
    pub contact: Contact,
}

/// How far the server saw a terminal's series. A terminal whose own series of this lineage is shorter was restored
/// from an older state: it starts a new lineage, so that no place in a series is ever used twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesNews {
    /// The series.
    pub lineage: Lineage,
    /// The highest place that the server has of it.
    pub highest_seq: u64,
}

/// What every response of the server carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contact {
    /// Changes when the server was restored from a backup.
    pub server_epoch: ServerEpoch,
    /// The server's clock, milliseconds since 1970.
    pub server_time_ms: i64,
    /// Server sequence up to which rows are in a verified backup; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durable_upto: Option<u64>,
    /// The next contact should be spread over this span.
    pub spread_ms: u64,
    /// Wait at least this long, when the server asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}
