//! One shape for every error (RFC 9457).
use serde::{Deserialize, Serialize};

/// `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Stable address of the kind of problem: `/problems/{code}`.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// Short title of the kind.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened here; no personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Stable code, such as `envelope-too-large`.
    pub code: String,
    /// Request id, to find the log line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}
