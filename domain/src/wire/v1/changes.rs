//! `GET /api/v1/changes?after=cursor&wait=50`: what is new for one station.
use serde::{Deserialize, Serialize};

use super::{Contact, SeriesNews};
use crate::case::CaseState;
use crate::envelope::{Digest, SignedDocument};
use crate::ids::{CaseNo, EnvelopeId};

/// Query of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChangesQuery {
    /// The last cursor seen; 0 at first.
    #[serde(default)]
    pub after: u64,
    /// Seconds that the caller would wait for news; the server may answer sooner.
    #[serde(default)]
    pub wait: u32,
    /// Number of the newest order that the caller has; without it the answer brings no order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// Its cursor.
    pub cursor: u64,
    /// What it is.
    pub news: ChangeNews,
}

/// The kinds of news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangeNews {
    /// A case of this station changed its state.
    Case(CaseNews),
    /// A catalogue version was published.
    Catalogue {
        /// Its version.
        version: u64,
        /// Digest of its text.
        digest: Digest,
    },
    /// A kind that this version does not know: skipped, the cursor moves on.
    #[serde(other)]
    Unknown,
}

/// News of one case; no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaseNews {
    /// The submission.
    pub envelope_id: EnvelopeId,
    /// Its number.
    pub number: CaseNo,
    /// The state it is in.
    pub state: CaseState,
    /// Version of the case, counting its actions.
    pub version: u64,
    /// When it changed, milliseconds since 1970.
    pub at_ms: i64,
}

/// Answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangesResponse {
    /// News after the cursor, oldest first, at most 200.
    pub changes: Vec<Change>,
    /// The cursor to ask with next.
    pub cursor: u64,
    /// More is waiting.
    pub more: bool,
    /// How far the server saw this terminal's series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesNews>,
    /// An [`Order`](super::Order) as JSON, signed by the centre, if there is a newer one than the caller said it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<SignedDocument>,
    /// What every response carries.
    pub contact: Contact,
}
