//! The shape of a half-year of invented cases: how many of what, when they come in, how long they take.
//!
//! Numbers and names lie in `assets/sample/half-year.toml`. Pure: the same seed gives the same. Refuses to know stores.
use domain::catalogue::{Calendar, Catalogue, DayKind, Entry};
use domain::date::{CHINA_OFFSET_HOURS, CivilDate};
use domain::deadline::works_on;
use domain::ids::ItemCode;
use domain::item::{Period, PeriodUnit};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use serde::Deserialize;

const TEXT: &str = include_str!("../../../assets/sample/half-year.toml");
/// Days of a half-year.
pub const DAYS: i64 = 183;
pub(super) const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Minutes of a working day in the office.
const OFFICE_DAY: f64 = 540.0;

/// What the file says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    pub(super) surnames: Vec<String>,
    pub(super) given: Vec<String>,
    /// What people write where words are needed.
    pub(super) reason: String,
    desk_hours: Vec<u32>,
    online_hours: Vec<u32>,
    weekdays: Vec<u32>,
    flow: Vec<FlowRow>,
    others: Others,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowRow {
    code: ItemCode,
    cases: u32,
    minutes: f64,
    accept: f64,
    #[serde(default)]
    before_minutes: Option<f64>,
    #[serde(default)]
    settled_days: i64,
    spread: f64,
    supplemented: u32,
    refused: u32,
    returned: u32,
    withdrawn: u32,
    late: u32,
    #[serde(default)]
    online: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Others {
    bundle_cases: (u32, u32),
    item_cases: (u32, u32),
    share: f64,
    spread: f64,
    supplemented: u32,
    refused: u32,
    returned: u32,
    withdrawn: u32,
    late: u32,
}

/// How the cases of one item or bundle go.
#[derive(Debug, Clone)]
pub struct Flow {
    row: FlowRow,
    /// Time goes on at night.
    pub(super) exact: bool,
}

/// What becomes of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes through.
    Plain,
    /// Something is missing, and comes.
    Supplemented,
    /// The first department that decides refuses.
    Refused,
    /// It does not fit its form.
    Returned,
    /// The applicant takes it back.
    Withdrawn,
}

/// A case that comes in.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Which flow.
    pub flow: usize,
}

/// How long the parts of one case take, in milliseconds of its own clock.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Until it is accepted.
    pub accept_ms: i64,
    /// From then until it is decided.
    pub decide_ms: i64,
}

/// Reads the file.
///
/// # Errors
/// If it is none; a test reads it.
pub fn shape() -> Result<Shape, toml::de::Error> {
    toml::from_str(TEXT)
}

/// A number below another one; 0 below 0.
pub fn below(rng: &mut ChaCha20Rng, bound: u32) -> u32 {
    if bound == 0 { 0 } else { rng.next_u32() % bound }
}

/// True in so many of a thousand times.
fn permille(rng: &mut ChaCha20Rng, n: u32) -> bool {
    below(rng, 1_000) < n
}

/// The place that a weighted draw falls on.
fn drawn(rng: &mut ChaCha20Rng, weights: &[u32]) -> usize {
    let mut left = below(rng, weights.iter().sum());
    weights
        .iter()
        .position(|weight| {
            let hit = left < *weight;
            left = left.saturating_sub(*weight);
            hit
        })
        .unwrap_or(0)
}

/// Roughly normal, with mean 0 and deviation 1.
fn normal(rng: &mut ChaCha20Rng) -> f64 {
    (0..12).map(|_| f64::from(below(rng, 10_000)) / 10_000.0).sum::<f64>() - 6.0
}

impl Shape {
    /// The flows of a catalogue: those that the file names, then all others. `percent` of the cases, at least one each.
    pub fn flows(&self, catalogue: &Catalogue, percent: u32, rng: &mut ChaCha20Rng) -> Vec<Flow> {
        let scaled = |cases: u32| (cases * percent / 100).max(1);
        let entries = catalogue.bundles.values().map(Entry::Bundle);
        let entries = entries.chain(catalogue.items.values().map(Entry::Item));
        let named: Vec<&ItemCode> = self.flow.iter().map(|row| &row.code).collect();
        let mut flows: Vec<Flow> = Vec::new();
        for entry in entries {
            let (promised, range) = match entry {
                Entry::Bundle(bundle) => (bundle.promised, self.others.bundle_cases),
                Entry::Item(item) => (item.promised, self.others.item_cases),
            };
            let cases = range.0 + below(rng, range.1.saturating_sub(range.0));
            let row = match self.flow.iter().find(|row| row.code == *entry.code()) {
                Some(row) => row.clone(),
                None => self.other(entry.code().clone(), cases, promised),
            };
            let exact = promised.unit == PeriodUnit::Minute;
            flows.push(Flow { row: FlowRow { cases: scaled(row.cases), ..row }, exact });
        }
        // What the file is about comes first, whatever the catalogue's order.
        flows.sort_by_key(|flow| !named.contains(&&flow.row.code));
        flows
    }

    fn other(&self, code: ItemCode, cases: u32, promised: Period) -> FlowRow {
        let of = &self.others;
        let promised = f64::from(promised.tenths) / 10.0
            * if promised.unit == PeriodUnit::Minute { 1.0 } else { OFFICE_DAY };
        let minutes = if promised > 0.0 { promised * of.share } else { 70.0 };
        FlowRow {
            code,
            cases,
            minutes,
            accept: (minutes * 0.15).min(120.0),
            before_minutes: None,
            settled_days: 0,
            spread: of.spread,
            supplemented: of.supplemented,
            refused: of.refused,
            returned: of.returned,
            withdrawn: of.withdrawn,
            late: of.late,
            online: false,
        }
    }

    /// All that comes in during the half-year that ends with a day, in order.
    pub fn arrivals(
        &self,
        flows: &[Flow],
        (last, calendar): (CivilDate, &Calendar),
        rng: &mut ChaCha20Rng,
    ) -> Vec<Arrival> {
        let first = last.plus_days(1 - DAYS);
        let days: Vec<u32> = (0..DAYS).map(|n| self.weight(first.plus_days(n), calendar)).collect();
        let mut arrivals = Vec::new();
        for (flow, of) in flows.iter().enumerate() {
            for _ in 0..of.row.cases {
                let day = i64::try_from(drawn(rng, &days)).unwrap_or(0);
                let date = first.plus_days(day);
                let hours = if of.row.online { &self.online_hours } else { &self.desk_hours };
                let free = !of.row.online && !works_on(date, calendar);
                // On Saturdays windows are open from nine to twelve.
                let hours: Vec<u32> = (0..24)
                    .map(|hour| {
                        if free && !(9..12).contains(&hour) {
                            0
                        } else {
                            hours.get(hour).copied().unwrap_or(0)
                        }
                    })
                    .collect();
                let hour = i64::try_from(drawn(rng, &hours)).unwrap_or(9);
                let of_hour = i64::from(below(rng, 3_600_000));
                arrivals.push(Arrival { at_ms: midnight_ms(date) + hour * HOUR_MS + of_hour, flow });
            }
        }
        arrivals.sort_by_key(|arrival| (arrival.at_ms, arrival.flow));
        arrivals
    }

    fn weight(&self, date: CivilDate, calendar: &Calendar) -> u32 {
        let of = |n: usize| self.weekdays.get(n).copied().unwrap_or(1);
        // Each month a few more or fewer: people put things off in summer and before holidays.
        let season = [94, 70, 112, 108, 100, 104, 92, 96, 114, 90, 106, 98];
        let month = usize::try_from(date.parts().1).unwrap_or(1).saturating_sub(1);
        let day = match calendar.days.get(&date) {
            Some(DayKind::Holiday) => of(6),
            Some(DayKind::Workday) => of(0),
            _ => of(usize::try_from(date.weekday()).unwrap_or(1).saturating_sub(1)),
        };
        day * season.get(month).copied().unwrap_or(100)
    }
}

/// When a day begins in China, milliseconds since 1970.
pub fn midnight_ms(date: CivilDate) -> i64 {
    CivilDate::in_china(0).days_to(date) * DAY_MS - i64::from(CHINA_OFFSET_HOURS) * HOUR_MS
}

impl Flow {
    /// Its item or bundle.
    pub fn code(&self) -> &ItemCode {
        &self.row.code
    }

    /// What becomes of one of its cases.
    pub fn fate(&self, rng: &mut ChaCha20Rng) -> Fate {
        let row = &self.row;
        let table = [
            (row.supplemented, Fate::Supplemented),
            (row.refused, Fate::Refused),
            (row.returned, Fate::Returned),
            (row.withdrawn, Fate::Withdrawn),
        ];
        table.into_iter().find(|(n, _)| permille(rng, *n)).map_or(Fate::Plain, |(_, fate)| fate)
    }

    /// How long one of its cases takes that came in so many days after the first one.
    pub fn pace(&self, day: i64, rng: &mut ChaCha20Rng) -> Pace {
        let row = &self.row;
        let factor = (row.spread * normal(rng)).exp();
        let mut accept = row.accept;
        if let Some(before) = row.before_minutes.filter(|_| day < row.settled_days) {
            // What came down is the waiting before anybody looked.
            let left = 1.0 - (day as f64) / (row.settled_days as f64);
            accept += (before - row.minutes) * left;
        }
        let late = if permille(rng, row.late) { 2.6 } else { 1.0 };
        let ms = |minutes: f64| (minutes * MINUTE_MS as f64) as i64;
        Pace { accept_ms: ms(accept * factor), decide_ms: ms((row.minutes - row.accept) * factor * late) }
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng as _;

    use super::*;

    #[test]
    fn the_file_is_read_and_the_same_seed_gives_the_same() {
        let shape = shape().expect("the file");
        assert_eq!((shape.desk_hours.len(), shape.online_hours.len(), shape.weekdays.len()), (24, 24, 7));
        let calendar = Calendar::default();
        let last = "2026-11-23".parse().expect("a date");
        let of = |seed| {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let row = shape.flow[0].clone();
            shape.arrivals(&[Flow { row, exact: true }], (last, &calendar), &mut rng)
        };
        let (one, again, other) = (of(1), of(1), of(2));
        assert_eq!(one.len(), 2_842);
        let times = |of: &[Arrival]| of.iter().map(|a| a.at_ms).collect::<Vec<_>>();
        assert_eq!(times(&one), times(&again));
        assert_ne!(times(&one), times(&other));
        let first = midnight_ms(last.plus_days(1 - DAYS));
        assert!(one.iter().all(|a| (first..midnight_ms(last.plus_days(1))).contains(&a.at_ms)));
    }

    #[test]
    fn times_lie_around_what_the_file_says() {
        let shape = shape().expect("the file");
        let flow = Flow { row: shape.flow[0].clone(), exact: true };
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let mut minutes = |day| {
            let mut all: Vec<i64> = (0..501)
                .map(|_| {
                    let pace = flow.pace(day, &mut rng);
                    (pace.accept_ms + pace.decide_ms) / MINUTE_MS
                })
                .collect();
            all.sort_unstable();
            all[250]
        };
        let (before, after) = (minutes(0), minutes(100));
        assert!((58..=78).contains(&before) && (17..=21).contains(&after), "{before} {after}");
    }
}
