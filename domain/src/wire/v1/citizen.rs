//! `POST /api/v1/citizen/cases`: a citizen who stands at a terminal, with the card just read, asks for the own cases.
//!
//! What comes back could be read aloud beside the terminal: no name, no answer, and never with what a case ended. What
//! an office wrote for the citizen (一次性告知) is theirs to read.
use serde::{Deserialize, Serialize};

use super::{Contact, Person};
use crate::case::{CaseState, Want};
use crate::envelope::SignedDocument;
use crate::ids::{CaseNo, EnvelopeId, ItemCode, TerminalId};

/// Cases in one answer, at most: the newest.
pub const MAX_CITIZEN_CASES: usize = 50;

/// Body of the call: a [`CitizenQuery`] as JSON, signed by the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CitizenRequest {
    /// The query with the device's signature.
    pub query: SignedDocument,
}

/// Who asks, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitizenQuery {
    /// The terminal.
    pub terminal: TerminalId,
    /// The person on the card that was just read; what was typed is not enough.
    pub applicant: Person,
}

/// The answer: the cases of the person, newest first, [`MAX_CITIZEN_CASES`] at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CitizenResponse {
    /// The cases.
    #[cfg_attr(feature = "openapi", schema(max_items = 50))]
    pub cases: Vec<CitizenCase>,
    /// What every response carries.
    pub contact: Contact,
}

/// One case, as its citizen may see it on a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CitizenCase {
    /// The submission: what a supplement or a withdrawal refers to.
    pub envelope_id: EnvelopeId,
    /// Its number.
    pub number: CaseNo,
    /// Item or bundle, if the envelope named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemCode>,
    /// Catalogue version of the form, if the envelope named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_version: Option<u64>,
    /// Where it stands.
    pub state: CaseState,
    /// When the centre took it, milliseconds since 1970.
    pub received_at_ms: i64,
    /// When it last changed, milliseconds since 1970.
    pub changed_at_ms: i64,
    /// The last moment of the office's present time, milliseconds since 1970; none where no time of the office runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at_ms: Option<i64>,
    /// The calendar does not know all the days until then (预计).
    #[serde(default)]
    pub expected: bool,
    /// What the citizen is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<SupplementRequest>,
    /// It can still be taken back.
    #[serde(default)]
    pub withdrawable: bool,
}

/// 补正通知: what is missing, all at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SupplementRequest {
    /// Until when, milliseconds since 1970.
    pub due_at_ms: i64,
    /// What is missing, and what is wrong with it.
    pub wants: Vec<Want>,
    /// What the offices wrote for the citizen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}
