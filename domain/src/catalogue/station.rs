//! 网点服务站: a bank branch with a terminal, as the catalogue lists it.
//!
//! Refuses to say whether a station is open now: hours are data, the clock is the caller's.
use serde::{Deserialize, Serialize};

use crate::ids::StationId;
use crate::text::Text;

/// 网点服务站
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    /// Id such as `XN-CCB-CD-01`.
    pub id: StationId,
    /// Number of the station, 1–899: issuer of its first terminal's case numbers.
    pub number: u16,
    /// Bank.
    pub bank: String,
    /// Name of the branch.
    pub name: Text,
    /// District.
    pub district: Text,
    /// GB/T 2260 code.
    pub division_code: String,
    /// Address.
    pub address: Text,
    /// Approximate WGS-84 longitude and latitude in millionths of a degree, sample.
    pub lon_e6: i64,
    /// See `lon_e6`.
    pub lat_e6: i64,
    /// Such as `09:00-17:00`.
    pub weekday_hours: String,
    /// Open at noon.
    pub noon_service: bool,
    /// Such as `09:00-12:00`, or empty.
    pub saturday_hours: String,
    /// Or empty.
    pub sunday_hours: String,
    /// Has a 24-hour zone.
    pub self_service_24h: bool,
    /// fiber, 4g, 4g-weak.
    pub network_profile: String,
    /// Bank employees who help.
    pub helpers_on_duty: u16,
    /// `sample`.
    pub data_label: String,
}
