//! `POST /api/v1/heartbeat`: how a terminal is, and what the centre orders it to run.
//!
//! Both travel as [`SignedDocument`]s: the heartbeat signed by the device, the order by
//! the centre's receipt key, each under its own label. An order can only choose among catalogue versions that the city
//! signed, and take offers away: it never adds anything.
use serde::{Deserialize, Serialize};

use super::Contact;
use crate::envelope::SignedDocument;
use crate::ids::{ItemCode, TerminalId};

/// Activations that failed, in one heartbeat, at most: the newest versions.
pub const MAX_FAILURES: usize = 8;
/// Devices in one heartbeat, at most.
pub const MAX_DEVICES: usize = 16;
/// Characters of a device's name, at most.
pub const MAX_DEVICE_CHARS: usize = 32;
/// Items that an order withdraws, at most.
pub const MAX_WITHDRAWN: usize = 200;
/// Characters of the reason of a withdrawal, at most.
pub const MAX_REASON_CHARS: usize = 120;

/// Body of the call: a [`Heartbeat`] as JSON, signed by the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeartbeatRequest {
    /// The heartbeat with the device's signature.
    pub heartbeat: SignedDocument,
}

/// How a terminal is; no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Who it is.
    pub terminal: TerminalId,
    /// Rises with every heartbeat, so that an old one that comes again changes nothing.
    pub number: u64,
    /// The catalogue version in force; 0 if there is none.
    pub catalogue: u64,
    /// Versions that could not be put into force and are newer than the one in force; at most 8.
    #[serde(default)]
    pub failures: Vec<ActivationFailure>,
    /// Number of the newest order that it verified; 0 if it has none.
    #[serde(default)]
    pub order: u64,
    /// Number of the newest list of sealing keys that it verified; 0 if it has none.
    #[serde(default)]
    pub sealing_keys: u64,
    /// Version of its program.
    #[serde(default)]
    pub program: String,
    /// Submissions that wait to be sent.
    #[serde(default)]
    pub queued: u64,
    /// When the oldest of them was saved, milliseconds since 1970 by the terminal's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_ms: Option<i64>,
    /// Submissions that are not sent by themselves any more (隔离, 冲突).
    #[serde(default)]
    pub parked: u64,
    /// Bytes that are free on the disk of its store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_free: Option<u64>,
    /// Share of that disk that is taken, percent. From 70 on somebody has to look, from 95 on only text is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_percent: Option<u8>,
    /// Damaged stores that lie aside on this machine; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<u64>,
    /// The centre's clock minus its own, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_ms: Option<i64>,
    /// How its devices are; at most 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceReport>,
}

/// How a device of a terminal is, and what it went through since the terminal started; no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// Which: `card_reader`, `receipt_printer`, `page_printer`, `scanner`, `camera`, or one that came later.
    pub device: String,
    /// What is wrong with it; absent if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<DeviceTrouble>,
    /// For how long it has been so, seconds.
    #[serde(default)]
    pub for_secs: u64,
    /// Works that were done: cards read, slips printed, pages scanned.
    #[serde(default)]
    pub done: u64,
    /// Works that failed.
    #[serde(default)]
    pub failed: u64,
    /// How often it came out of a trouble.
    #[serde(default)]
    pub recovered: u64,
}

/// What is wrong with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceTrouble {
    /// It is not there.
    NotFound,
    /// Its service does not run.
    ServiceOff,
    /// It does not answer.
    Silent,
    /// Another program has it.
    Busy,
    /// Its cover is open.
    CoverOpen,
    /// Paper is jammed in it.
    Jammed,
    /// It has no paper.
    NoPaper,
    /// Its paper will end soon; it works.
    PaperLow,
    /// Printed paper was left in it; it works.
    Unclaimed,
    /// One of several of its kind does not work; another one does. Centres of earlier versions take it for
    /// [`DeviceTrouble::Other`].
    OneLost,
    /// It cannot do what it is for.
    Unsupported,
    /// It is out of order.
    OutOfOrder,
    /// Anything else.
    #[serde(other)]
    Other,
}

/// A catalogue version could not be put into force; the one before goes on serving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationFailure {
    /// The version.
    pub version: u64,
    /// Why.
    pub kind: FailureKind,
    /// How often it was tried so far.
    #[serde(default)]
    pub tries: u32,
}

/// Why a version could not be put into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// This program does not understand it.
    NotUnderstood,
    /// What came is not what the signed list names.
    Damaged,
    /// It does not know the station where the terminal stands.
    StationMissing,
    /// It offers nothing at the station where the terminal stands.
    NothingOffered,
    /// There is no room for it.
    DiskFull,
    /// Anything else.
    #[serde(other)]
    Other,
}

impl FailureKind {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotUnderstood => "not_understood",
            Self::Damaged => "damaged",
            Self::StationMissing => "station_missing",
            Self::NothingOffered => "nothing_offered",
            Self::DiskFull => "disk_full",
            Self::Other => "other",
        }
    }
}

/// Answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeartbeatResponse {
    /// An [`Order`] as JSON, signed by the centre; absent while there is none that the terminal does not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<SignedDocument>,
    /// A [`SealingKeyList`](super::SealingKeyList) as JSON, signed by the centre; absent if the terminal has the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing_keys: Option<SignedDocument>,
    /// The newest end of the audit chain, an [`AuditHead`](super::AuditHead) as JSON, signed by the centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_head: Option<SignedDocument>,
    /// What every response carries.
    pub contact: Contact,
}

/// What the centre orders a terminal; the newest number counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Whom it is for.
    pub terminal: TerminalId,
    /// Rises with every change of what is ordered to anybody.
    pub number: u64,
    /// When it was signed, milliseconds since 1970.
    pub issued_ms: i64,
    /// The catalogue version to run: the newest listed one up to it. Never leads below the one in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// Items and bundles that nobody may begin, whatever the catalogue says; at most 200.
    #[serde(default)]
    pub withdrawn: Vec<WithdrawnItem>,
}

/// An item that was withdrawn in an emergency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawnItem {
    /// The item or bundle.
    pub item: ItemCode,
    /// Why, in the words that citizens read.
    pub reason: String,
    /// Since when, milliseconds since 1970 by the centre's clock.
    pub since_ms: i64,
}
