//! 网点通知: a line that central IT shows on some or all terminals for a time (`messages.json`).
use serde::{Deserialize, Serialize};

use crate::date::CivilDate;
use crate::ids::StationId;
use crate::text::Text;

/// A notice for the people in front of a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationMessage {
    /// Unique and stable.
    pub id: String,
    /// What is said.
    pub text: Text,
    /// The first day.
    pub from: CivilDate,
    /// The last day.
    pub until: CivilDate,
    /// Stations that show it; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stations: Vec<StationId>,
}

impl StationMessage {
    /// Whether a station shows it on a day.
    pub fn is_shown(&self, station: &StationId, today: CivilDate) -> bool {
        (self.from..=self.until).contains(&today)
            && (self.stations.is_empty() || self.stations.contains(station))
    }
}
