//! Working days by the calendar that central IT publishes; unknown years are marked 预计 (expected).
//!
//! Refuses to guess festivals of the lunar calendar: a year without data has only its fixed statutory days, and
//! the result says that it is an expectation.
use crate::catalogue::{Calendar, DayKind, YearCertainty};
use crate::date::CivilDate;
use crate::item::{Period, PeriodUnit};

/// The most working days that are counted; more are cut to this.
pub const MAX_WORKING_DAYS: u32 = 2_000;

/// Fixed statutory holidays (month, day) used for years that the calendar does not know: New Year, Labour Day
/// (two days since 2025), National Day (State Council Decree 795).
const FIXED_HOLIDAYS: [(i8, i8); 6] = [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)];

/// A due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The last day.
    pub date: CivilDate,
    /// The calendar does not know all the days in between: shown as 预计.
    pub expected: bool,
}

/// The day that lies `days` working days after `from` (the day of acceptance itself does not count).
pub fn working_days_after(from: CivilDate, days: u32, calendar: &Calendar) -> Due {
    let mut due = Due { date: from, expected: false };
    let mut left = days.min(MAX_WORKING_DAYS);
    let mut known = Days::new(calendar);
    while left > 0 {
        due.date = due.date.plus_days(1);
        let day = known.look(due.date);
        due.expected |= !day.announced;
        left -= u32::from(day.works);
    }
    due
}

/// The last day of a promised time that begins on `from`: working days by the calendar, natural days one after another,
/// minutes on the same day. A part of a day counts as a whole one.
pub fn due(from: CivilDate, period: Period, calendar: &Calendar) -> Due {
    let days = period.tenths.div_ceil(10);
    match period.unit {
        PeriodUnit::WorkingDay => working_days_after(from, days, calendar),
        PeriodUnit::NaturalDay => Due { date: from.plus_days(i64::from(days)), expected: false },
        PeriodUnit::Minute => Due { date: from, expected: false },
    }
}

/// Whether a day is a working day, as far as the calendar says; a year that it does not know has its fixed holidays.
pub fn works_on(date: CivilDate, calendar: &Calendar) -> bool {
    Days::new(calendar).look(date).works
}

/// What the calendar says of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    /// It is a working day.
    pub(super) works: bool,
    /// Its year is known as the State Council announced it.
    pub(super) announced: bool,
}

/// Reads one day after another; looks up how sure a year is once, not for each of its days.
pub(super) struct Days<'a> {
    calendar: &'a Calendar,
    year: Option<(i16, Option<YearCertainty>)>,
}

impl<'a> Days<'a> {
    pub(super) fn new(calendar: &'a Calendar) -> Self {
        Self { calendar, year: None }
    }

    pub(super) fn look(&mut self, date: CivilDate) -> Day {
        let (year, month, day) = date.parts();
        let certainty = match self.year {
            Some((known, certainty)) if known == year => certainty,
            _ => self.calendar.certainty(year),
        };
        self.year = Some((year, certainty));
        let announced = certainty == Some(YearCertainty::Published);
        let works = match self.calendar.days.get(&date) {
            Some(kind) => *kind == DayKind::Workday,
            None => date.weekday() <= 5 && (announced || !FIXED_HOLIDAYS.contains(&(month, day))),
        };
        Day { works, announced }
    }
}
