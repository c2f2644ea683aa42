//! 工作日历: which days are holidays or make-up working days, and how sure each year is.
//!
//! Refuses to count: `deadline` does that.
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::parse::Report;
use crate::date::CivilDate;

/// The most days of a calendar.
pub(super) const MAX_DAYS: usize = 5_000;

/// An exception of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// A holiday, also on a weekday.
    Holiday,
    /// A Saturday or Sunday that is a working day (调休).
    Workday,
}

/// How sure the days of a year are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YearCertainty {
    /// As the State Council announced it.
    Published,
    /// Entered before the announcement: what is counted with it is marked 预计.
    Expected,
}

/// Exceptions of the working-day calendar.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Calendar {
    /// How sure each year is. A year that is not named is known if it has a day that is not of January or December,
    /// because the notice of one year may name days of its neighbours.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub years: BTreeMap<i16, YearCertainty>,
    /// The days.
    pub days: BTreeMap<CivilDate, DayKind>,
}

impl Calendar {
    /// A calendar that says nothing of how sure it is.
    pub fn of_days(days: BTreeMap<CivilDate, DayKind>) -> Self {
        Self { years: BTreeMap::new(), days }
    }

    /// How sure a year is; none if nothing is known of it.
    pub fn certainty(&self, year: i16) -> Option<YearCertainty> {
        self.years.get(&year).copied().or_else(|| {
            let first = CivilDate::new(year, 2, 1)?;
            let last = CivilDate::new(year, 11, 30)?;
            self.days.range(first..=last).next().map(|_| YearCertainty::Published)
        })
    }
}

impl<'de> Deserialize<'de> for Calendar {
    /// Years and days, or as before the days alone, by date.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = Calendar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a calendar")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Calendar, A::Error> {
                let mut calendar = Calendar::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "years" => calendar.years = map.next_value()?,
                        "days" => calendar.days = map.next_value()?,
                        date => {
                            let date = date.parse().map_err(A::Error::custom)?;
                            calendar.days.insert(date, map.next_value()?);
                        }
                    }
                }
                Ok(calendar)
            }
        }
        deserializer.deserialize_map(Shapes)
    }
}

pub(super) fn check(calendar: &Calendar, report: &mut Report) {
    report.at("calendar.json", "-");
    let (days, years) = (calendar.days.len(), calendar.years.len());
    report.expect((1..=MAX_DAYS).contains(&days), "-", "must not be empty, and at most 5000 days");
    report.expect(years <= 200, "years", "at most 200");
    for (date, kind) in &calendar.days {
        if *kind == DayKind::Workday && date.weekday() <= 5 {
            report.at("calendar.json", &date.to_string());
            report.wrong("kind", "a make-up working day is a Saturday or Sunday");
        }
    }
}
