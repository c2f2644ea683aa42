//! Reads for programs beside the sync protocol: a station's own cases, page by page and one by one.
//!
//! Refuses personal data: what stands here could be read aloud in the bank's hall.
use serde::{Deserialize, Serialize};

use super::Contact;
use crate::case::CaseState;
use crate::ids::{CaseNo, EnvelopeId, ItemCode, StationId, TerminalId};

/// Cases on a page when the caller names no limit.
pub const DEFAULT_PAGE: u32 = 50;
/// Cases on a page, at most.
pub const MAX_PAGE: u32 = 200;

/// Query of `GET /api/v1/cases`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasesQuery {
    /// The last cursor seen; 0 at first.
    pub after: u64,
    /// Cases on the page, 1 to [`MAX_PAGE`].
    pub limit: u32,
}

/// One case of the caller's station, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaseResource {
    /// The submission; the case's identity.
    pub envelope_id: EnvelopeId,
    /// Its number: a label, not an identity.
    pub number: CaseNo,
    /// The number on the slip, if the centre had to give another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slip_number: Option<CaseNo>,
    /// Where it stands.
    pub state: CaseState,
    /// Short reason of the present state, such as `phone:pattern`; a field and a rule, never a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many actions made it; the entity tag is made from it.
    pub version: u64,
    /// The centre's own order; what the cursor counts.
    pub server_seq: u64,
    /// Item or bundle, if the envelope named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemCode>,
    /// Catalogue version of the form, if the envelope named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_version: Option<u64>,
    /// Where it was handed in.
    pub station: StationId,
    /// On which terminal.
    pub terminal: TerminalId,
    /// When the centre took it, RFC 3339 with the offset of China.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub received_at: String,
    /// When it last changed, RFC 3339 with the offset of China.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub changed_at: String,
}

/// Answer to `GET /api/v1/cases`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaseList {
    /// Cases after the cursor in the centre's order, oldest first, at most as many as the limit says.
    pub cases: Vec<CaseResource>,
    /// The cursor to ask with next.
    pub cursor: u64,
    /// More is there now; the header `Link` names the next page.
    pub more: bool,
    /// What every response carries.
    pub contact: Contact,
}
