//! What visits came to: how many, and how long it took, by hour, by day, and all together.
//!
//! Refuses the times of visits that did not end with a case.
use std::collections::BTreeMap;

use domain::date::{CivilDate, china_clock};

use super::visits::{Counted, End};

/// What visits came to: of an hour, a day, or all together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// Visits.
    pub visits: u64,
    /// Those in which a form was handed in.
    pub served: u64,
    /// Those that ended otherwise.
    pub unserved: u64,
    /// Cases that were opened.
    pub cases: u64,
    /// Milliseconds from the first form to the last slip, of each visit that was served.
    filling: Vec<i64>,
    /// Milliseconds from the call to the last slip, of each visit that was served and called.
    whole: Vec<i64>,
}

impl Sum {
    /// One visit more.
    fn add(&mut self, counted: &Counted) {
        let Counted { visit, numbers } = counted;
        self.visits += 1;
        self.cases += numbers.len() as u64;
        match visit.ended {
            End::Open => {}
            End::Served => self.served += 1,
            _ => self.unserved += 1,
        }
        let Some(finished) = visit.finished_at_ms.filter(|_| visit.ended == End::Served) else { return };
        let since = |begun: Option<i64>| begun.map(|begun| (finished - begun).max(0));
        self.filling.extend(since(visit.started_at_ms));
        self.whole.extend(since(visit.called_at_ms));
    }

    /// The median of the times from the first form to the last slip, in milliseconds.
    pub fn filling_ms(&self) -> Option<i64> {
        median(&self.filling)
    }

    /// The median of the times from the call to the last slip, in milliseconds.
    pub fn whole_ms(&self) -> Option<i64> {
        median(&self.whole)
    }
}

/// The middle one, or what lies between the two in the middle.
fn median(times: &[i64]) -> Option<i64> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let upper = *times.get(times.len() / 2)?;
    if times.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *times.get(times.len() / 2 - 1)?;
    Some(lower + (upper - lower) / 2)
}

/// Sums of visits by day and hour in China, by day, and of all.
#[derive(Debug, Default)]
pub struct Sums {
    /// By day and hour.
    pub hours: BTreeMap<(CivilDate, u8), Sum>,
    /// By day.
    pub days: BTreeMap<CivilDate, Sum>,
    /// All.
    pub all: Sum,
}

/// Sums visits by the hour in which they were opened.
pub fn sums(visits: &[Counted]) -> Sums {
    let mut sums = Sums::default();
    for counted in visits {
        let at_ms = counted.visit.opened_at_ms;
        let (day, (hour, _)) = (CivilDate::in_china(at_ms), china_clock(at_ms));
        let hour = u8::try_from(hour).unwrap_or_default();
        sums.hours.entry((day, hour)).or_default().add(counted);
        sums.days.entry(day).or_default().add(counted);
        sums.all.add(counted);
    }
    sums
}

#[cfg(test)]
mod tests {
    use domain::case::VisitKind;

    use super::*;
    use crate::services::window::visits::Visit;

    /// 2026-11-24 09:00 in China.
    const NINE: i64 = 1_795_482_000_000;
    const MINUTE: i64 = 60_000;

    fn visit(opened: i64, called: Option<i64>, times: Option<(i64, i64)>, ended: End) -> Counted {
        let at = |minutes: i64| NINE + minutes * MINUTE;
        let visit = Visit {
            id: opened.to_string(),
            window: "3".into(),
            clerk: "A-0001".into(),
            kind: VisitKind::Window,
            opened_at_ms: at(opened),
            called_at_ms: called.map(at),
            started_at_ms: times.map(|(started, _)| at(started)),
            finished_at_ms: times.map(|(_, finished)| at(finished)),
            ended,
        };
        Counted { visit, numbers: if ended == End::Served { vec!["n".into()] } else { Vec::new() } }
    }

    #[test]
    fn visits_are_summed_by_the_hour_of_china_and_only_those_served_count_their_times() {
        let all = [
            visit(0, Some(0), Some((5, 20)), End::Served),
            visit(10, None, Some((10, 20)), End::Served),
            visit(59, Some(59), Some((60, 500)), End::Left),
            visit(60, Some(60), Some((62, 100)), End::Served),
            visit(61, Some(61), Some((62, 900)), End::Forgotten),
            visit(24 * 60, Some(24 * 60), None, End::Open),
        ];
        let sums = sums(&all);
        let hours: Vec<_> = sums.hours.iter().map(|((d, h), sum)| (d.to_string(), *h, sum.visits)).collect();
        let of = |day: &str, hour, visits| (day.to_owned(), hour, visits);
        assert_eq!(hours, [of("2026-11-24", 9, 3), of("2026-11-24", 10, 2), of("2026-11-25", 9, 1)]);
        let all = &sums.all;
        assert_eq!((all.visits, all.served, all.unserved, all.cases), (6, 3, 2, 3));
        assert_eq!(all.filling_ms(), Some(15 * MINUTE), "of 10, 15 and 38");
        assert_eq!(all.whole_ms(), Some(30 * MINUTE), "of 20 and 40");
        assert_eq!(sums.days.len(), 2);
        let open = &sums.hours[&("2026-11-25".parse().expect("a day"), 9)];
        assert_eq!((open.filling_ms(), open.whole_ms(), open.unserved), (None, None, 0));
    }

    #[test]
    fn a_clock_that_went_back_makes_no_negative_time() {
        let sums = sums(&[visit(0, Some(0), Some((5, -20)), End::Served)]);
        assert_eq!((sums.all.filling_ms(), sums.all.whole_ms()), (Some(0), Some(0)));
    }
}
