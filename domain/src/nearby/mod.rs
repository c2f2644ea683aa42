//! 附近网点: how far other stations are on foot, which of them can do an item, and which of them are open.
//!
//! Distances are great circles on a sphere: between branches of one city the error is far below a minute of walking.
//! Refuses to know streets and clocks: where one stands and what time it is come in.
mod opening;
#[cfg(test)]
mod tests;

use crate::catalogue::{Catalogue, Entry, Offer, Station};
use crate::ids::StationId;

pub use opening::{Moment, Opening, Opens, opening, opens};

/// Mean radius of the Earth in metres (IUGG, R1).
const EARTH_RADIUS_M: f64 = 6_371_008.8;
/// How much longer the way on foot is than the great circle: streets have corners.
const DETOUR: f64 = 1.3;
/// Walking speed of an older person in metres a second.
const WALKING_M_PER_SEC: f64 = 1.2;

/// A place on the Earth in millionths of a degree, WGS-84. Any number is taken: a latitude beyond the pole counts as
/// the pole, a longitude goes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Longitude, east positive.
    pub lon_e6: i64,
    /// Latitude, north positive.
    pub lat_e6: i64,
}

impl Place {
    /// Where a station is.
    pub fn of(station: &Station) -> Self {
        Self { lon_e6: station.lon_e6, lat_e6: station.lat_e6 }
    }

    /// Longitude from -π to π and latitude from -π/2 to π/2.
    fn radians(self) -> (f64, f64) {
        const TURN: i64 = 360_000_000;
        const POLE: i64 = 90_000_000;
        let lon = (self.lon_e6.rem_euclid(TURN) + TURN / 2) % TURN - TURN / 2;
        let radians = |e6: i64| (e6 as f64 / 1e6).to_radians();
        (radians(lon), radians(self.lat_e6.clamp(-POLE, POLE)))
    }

    /// Metres on the great circle to another place, to the millimetre: finite, never negative, the same both ways.
    pub fn metres_to(self, other: Self) -> f64 {
        let ((lon, lat), (other_lon, other_lat)) = (self.radians(), other.radians());
        let half = |a: f64, b: f64| ((b - a) / 2.0).sin().powi(2);
        let chord = half(lat, other_lat) + lat.cos() * other_lat.cos() * half(lon, other_lon);
        let metres = 2.0 * EARTH_RADIUS_M * chord.clamp(0.0, 1.0).sqrt().asin();
        (metres * 1e3).round() / 1e3
    }

    /// Metres to the east and to the north of here, on a flat map that is right near here.
    pub fn east_north_of(self, here: Self) -> (f64, f64) {
        let ((lon, lat), (here_lon, here_lat)) = (self.radians(), here.radians());
        let turn = std::f64::consts::TAU;
        let east = (lon - here_lon + turn / 2.0).rem_euclid(turn) - turn / 2.0;
        (east * here_lat.cos() * EARTH_RADIUS_M, (lat - here_lat) * EARTH_RADIUS_M)
    }
}

/// Minutes on foot for a distance as the crow flies, rounded up.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a walk round the Earth has 400,000 minutes
pub fn walking_minutes(metres: f64) -> u32 {
    (metres.max(0.0) * DETOUR / WALKING_M_PER_SEC / 60.0).ceil() as u32
}

/// How far one gets on foot in these minutes, in metres as the crow flies.
pub fn metres_in(minutes: u32) -> f64 {
    f64::from(minutes) * 60.0 * WALKING_M_PER_SEC / DETOUR
}

/// A way on foot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Walk {
    /// As the crow flies.
    pub metres: f64,
    /// On foot.
    pub minutes: u32,
}

/// Another station.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Which.
    pub id: StationId,
    /// The way there; none where it is not known where one stands.
    pub walk: Option<Walk>,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'c> {
    /// Only stations that can do this item or bundle.
    pub entry: Option<Entry<'c>>,
    /// Only stations that are open at this moment: for `entry`, if there is one.
    pub open_at: Option<Moment>,
}

/// Whether a matter can be brought to an end or handed in at a station: 自助, 协助 (where somebody is there to help)
/// or 收件.
pub fn can_do(station: &Station, entry: Entry<'_>) -> bool {
    match station.offer(entry) {
        Offer::SelfService | Offer::Intake => true,
        Offer::Assisted => station.helpers_on_duty > 0,
        Offer::Advice | Offer::None => false,
    }
}

/// Whether the 24-hour zone of a station is enough: for a matter that one does alone, or for none in particular.
pub fn alone(station: &Station, entry: Option<Entry<'_>>) -> bool {
    entry.is_none_or(|entry| station.offer(entry) == Offer::SelfService)
}

/// All stations but the one where one stands, that are as wished: the nearest first, and in the order of their ids
/// where they are equally far or nobody knows.
pub fn near(catalogue: &Catalogue, here: Option<&Station>, wish: Wish<'_>) -> Vec<Near> {
    let from = here.map(Place::of);
    let wanted = |station: &&Station| {
        here.is_none_or(|here| here.id != station.id)
            && wish.entry.is_none_or(|entry| can_do(station, entry))
            && wish.open_at.is_none_or(|moment| {
                opening(station, alone(station, wish.entry), moment, &catalogue.calendar).is_open()
            })
    };
    let mut found: Vec<Near> = catalogue
        .stations
        .values()
        .filter(wanted)
        .map(|station| {
            let metres = from.map(|from| from.metres_to(Place::of(station)));
            let walk = metres.map(|metres| Walk { metres, minutes: walking_minutes(metres) });
            Near { id: station.id.clone(), walk }
        })
        .collect();
    let metres = |near: &Near| near.walk.map_or(0.0, |walk| walk.metres);
    found.sort_by(|a, b| metres(a).total_cmp(&metres(b)));
    found
}
