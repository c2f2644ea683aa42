//! 时限: working days by the calendar that central IT publishes; unknown years are marked 预计 (expected).
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

/// A stretch in which a clock stands still (补正, 缴费).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Since when, milliseconds since 1970.
    pub from_ms: i64,
    /// Until when; none while it stands.
    pub until_ms: Option<i64>,
}

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
    let mut year = from.parts().0;
    let mut certainty = calendar.certainty(year);
    while left > 0 {
        due.date = due.date.plus_days(1);
        let this_year = due.date.parts().0;
        if this_year != year {
            year = this_year;
            certainty = calendar.certainty(year);
        }
        due.expected |= certainty != Some(YearCertainty::Published);
        if is_working_day(due.date, certainty, calendar) {
            left -= 1;
        }
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
    is_working_day(date, calendar.certainty(date.parts().0), calendar)
}

fn is_working_day(date: CivilDate, certainty: Option<YearCertainty>, calendar: &Calendar) -> bool {
    match calendar.days.get(&date) {
        Some(kind) => *kind == DayKind::Workday,
        None => {
            let (_, month, day) = date.parts();
            let announced = certainty == Some(YearCertainty::Published);
            let fixed = !announced && FIXED_HOLIDAYS.contains(&(month, day));
            date.weekday() <= 5 && !fixed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> CivilDate {
        text.parse().expect("a date")
    }

    /// The holidays and make-up days that the vectors below touch, as ranges and days.
    fn calendar() -> Calendar {
        let holidays = [
            ("2023-04-29", 5),
            ("2024-02-10", 8),
            ("2025-10-01", 8),
            ("2026-01-01", 3),
            ("2026-02-15", 9),
            ("2026-04-04", 3),
            ("2026-05-01", 5),
            ("2026-06-19", 3),
            ("2026-09-25", 3),
            ("2026-10-01", 7),
        ];
        let workdays = [
            "2023-04-23",
            "2024-02-04",
            "2024-02-18",
            "2025-09-28",
            "2025-10-11",
            "2026-01-04",
            "2026-02-14",
            "2026-02-28",
            "2026-05-09",
            "2026-09-20",
            "2026-10-10",
        ];
        let days = holidays
            .iter()
            .flat_map(|(from, n)| (0..*n).map(|i| (date(from).plus_days(i), DayKind::Holiday)));
        Calendar::of_days(days.chain(workdays.iter().map(|d| (date(d), DayKind::Workday))).collect())
    }

    #[test]
    fn golden_vectors() {
        let table = [
            ("2026-02-12", 5, "2026-02-26"),
            ("2026-02-13", 1, "2026-02-14"),
            ("2026-02-14", 1, "2026-02-24"),
            ("2026-04-30", 3, "2026-05-08"),
            ("2026-05-08", 1, "2026-05-09"),
            ("2026-09-18", 5, "2026-09-24"),
            ("2026-09-30", 3, "2026-10-10"),
            ("2026-06-18", 1, "2026-06-22"),
            ("2026-01-02", 1, "2026-01-04"),
            ("2026-09-17", 15, "2026-10-14"),
            ("2026-12-01", 20, "2026-12-29"),
            ("2025-09-28", 1, "2025-09-29"),
            ("2025-09-30", 5, "2025-10-14"),
            ("2024-02-08", 3, "2024-02-19"),
            ("2023-04-21", 3, "2023-04-25"),
        ];
        for (from, days, wanted) in table {
            let due = working_days_after(date(from), days, &calendar());
            assert_eq!((due.date, due.expected), (date(wanted), false), "{from} + {days}");
        }
    }

    #[test]
    fn an_unknown_year_is_an_expectation_without_its_fixed_holidays() {
        let due = working_days_after(date("2026-12-30"), 2, &calendar());
        assert_eq!(due, Due { date: date("2027-01-04"), expected: true });
        let due = working_days_after(date("2026-11-24"), 1, &Calendar::default());
        assert_eq!(due, Due { date: date("2026-11-25"), expected: true });
    }

    #[test]
    fn a_year_entered_before_its_announcement_is_an_expectation_with_its_own_days() {
        let mut calendar = calendar();
        calendar.years.insert(2027, YearCertainty::Expected);
        calendar.days.insert(date("2027-01-04"), DayKind::Holiday);
        let due = working_days_after(date("2026-12-30"), 2, &calendar);
        assert_eq!(due, Due { date: date("2027-01-05"), expected: true });
        calendar.years.insert(2027, YearCertainty::Published);
        calendar.days.insert(date("2027-01-01"), DayKind::Holiday);
        let due = working_days_after(date("2026-12-30"), 2, &calendar);
        assert_eq!(due, Due { date: date("2027-01-05"), expected: false });
    }

    #[test]
    fn a_promise_ends_on_a_day() {
        let table = [
            (PeriodUnit::WorkingDay, 50, "2026-12-29", "2027-01-06", true),
            (PeriodUnit::WorkingDay, 5, "2026-11-24", "2026-11-25", false),
            (PeriodUnit::WorkingDay, 0, "2026-11-24", "2026-11-24", false),
            (PeriodUnit::NaturalDay, 100, "2026-11-24", "2026-12-04", false),
            (PeriodUnit::Minute, 200, "2026-11-24", "2026-11-24", false),
        ];
        for (unit, tenths, from, wanted, expected) in table {
            let due = due(date(from), Period { tenths, unit }, &calendar());
            assert_eq!(due, Due { date: date(wanted), expected }, "{tenths} {unit:?} from {from}");
        }
        assert!(!works_on(date("2027-05-01"), &calendar()) && works_on(date("2026-02-14"), &calendar()));
    }

    #[test]
    fn extremes_end() {
        assert_eq!(working_days_after(date("2026-11-21"), 0, &calendar()).date, date("2026-11-21"));
        assert!(working_days_after(date("2026-11-24"), u32::MAX, &calendar()).expected);
        let none = (0..9_000).map(|i| (date("2026-01-01").plus_days(i), DayKind::Holiday)).collect();
        let none = Calendar::of_days(none);
        assert!(working_days_after(date("2026-01-01"), 3, &none).date > date("2050-01-01"));
    }
}
