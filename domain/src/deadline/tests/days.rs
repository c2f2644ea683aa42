//! Last days held against vectors worked out by hand, and years that nobody has announced.
use super::*;
use crate::catalogue::YearCertainty;

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
