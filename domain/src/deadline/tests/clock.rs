//! Clocks without pauses: each kind of period by a table, what is used and left of it, marks, the five days of a notice.
use super::*;
use crate::catalogue::YearCertainty;

#[test]
fn working_days_end_with_the_last_day_at_midnight() {
    let table = [
        ("2026-11-23 00:00", 1, "2026-11-24 24:00"),
        ("2026-11-23 10:00", 1, "2026-11-24 24:00"),
        ("2026-11-23 24:00", 1, "2026-11-24 24:00"),
        ("2026-11-27 10:00", 1, "2026-11-30 24:00"),
        ("2026-11-28 10:00", 1, "2026-11-30 24:00"),
        ("2026-11-28 10:00", 5, "2026-12-04 24:00"),
        // A make-up Saturday counts, and the festival behind it does not.
        ("2026-02-13 10:00", 1, "2026-02-14 24:00"),
        ("2026-02-14 10:00", 1, "2026-02-24 24:00"),
        ("2026-09-30 10:00", 3, "2026-10-10 24:00"),
        // A Saturday with extended hours is none: the calendar does not name it.
        ("2026-11-20 10:00", 1, "2026-11-23 24:00"),
    ];
    for (from, n, wanted) in table {
        assert_eq!(ends(days(n), from, &[]), wanted, "{n} from {from}");
    }
}

#[test]
fn seventy_percent_are_found_to_the_moment() {
    let table = [
        (days(5), "2026-11-24 10:00", "2026-11-30 13:30"),
        (days(10), "2026-11-23 10:00", "2026-12-02 18:00"),
        (minutes(20), "2026-11-24 10:00", "2026-11-24 10:14"),
        (natural(10), "2026-11-24 10:00", "2026-12-02 00:00"),
        // At once: all of it is used from the start.
        (days(0), "2026-11-24 10:00", "2026-11-24 10:00"),
    ];
    for (period, from, wanted) in table {
        let clock = Clock { period, started_ms: at(from), pauses: &[] };
        let soon = clock.soon_ms(at(from), &calendar(), OfficeHours::default());
        assert_eq!(written(soon), wanted, "{period:?} from {from}");
    }
    let clock = Clock { period: days(5), started_ms: at("2026-11-24 10:00"), pauses: &[] };
    for from in ["2026-11-30 13:31", "2026-12-20 10:00"] {
        let soon = clock.soon_ms(at(from), &calendar(), OfficeHours::default());
        assert_eq!(written(soon), from, "it is by then");
    }
}

#[test]
fn half_days_end_at_noon_or_with_the_office() {
    let table = [
        ("2026-11-23 10:00", 5, "2026-11-23 18:00"),
        ("2026-11-23 09:00", 5, "2026-11-23 18:00"),
        ("2026-11-23 11:59", 5, "2026-11-23 18:00"),
        ("2026-11-23 12:00", 5, "2026-11-24 12:00"),
        ("2026-11-23 15:00", 5, "2026-11-24 12:00"),
        ("2026-11-27 15:00", 5, "2026-11-30 12:00"),
        // Nobody is there: as in the half day before.
        ("2026-11-23 18:00", 5, "2026-11-24 12:00"),
        ("2026-11-23 23:30", 5, "2026-11-24 12:00"),
        ("2026-11-24 08:59", 5, "2026-11-24 12:00"),
        ("2026-11-28 10:00", 5, "2026-11-30 12:00"),
        ("2026-11-29 20:00", 5, "2026-11-30 12:00"),
        ("2026-02-13 15:00", 5, "2026-02-14 12:00"),
        ("2026-02-14 15:00", 5, "2026-02-24 12:00"),
        // Other parts of a day are rounded up to halves.
        ("2026-11-23 10:00", 1, "2026-11-23 18:00"),
        ("2026-11-23 10:00", 6, "2026-11-24 12:00"),
        ("2026-11-23 10:00", 15, "2026-11-24 18:00"),
        ("2026-11-23 15:00", 15, "2026-11-25 12:00"),
        ("2026-11-23 15:00", 12, "2026-11-25 12:00"),
    ];
    for (from, n, wanted) in table {
        assert_eq!(ends(tenths(n), from, &[]), wanted, "{n} tenths from {from}");
    }
}

#[test]
fn half_days_follow_the_hours_of_the_office() {
    let hours = OfficeHours::new(8 * 60 + 30, 12 * 60 + 30, 17 * 60 + 30).expect("hours");
    let table = [
        ("2026-11-23 08:29", "2026-11-23 12:30"),
        ("2026-11-23 08:30", "2026-11-23 17:30"),
        ("2026-11-23 12:29", "2026-11-23 17:30"),
        ("2026-11-23 12:30", "2026-11-24 12:30"),
    ];
    for (from, wanted) in table {
        let clock = Clock { period: tenths(5), started_ms: at(from), pauses: &[] };
        assert_eq!(written(clock.deadline(at(from), &calendar(), hours).at_ms), wanted, "{from}");
    }
    for (begin, noon, end) in [(720, 540, 1080), (540, 540, 1080), (540, 720, 720), (540, 720, 1440)] {
        assert_eq!(OfficeHours::new(begin, noon, end), None, "{begin} {noon} {end}");
    }
    assert_eq!(OfficeHours::new(540, 720, 1080), Some(OfficeHours::default()));
}

#[test]
fn minutes_are_exact_and_natural_days_end_at_midnight() {
    let table = [
        (minutes(2), "2026-11-28 23:59", "2026-11-29 00:01"),
        (minutes(20), "2026-11-23 17:50", "2026-11-23 18:10"),
        (Period { tenths: 5, unit: PeriodUnit::Minute }, "2026-11-23 10:00", "2026-11-23 10:00 + 30000 ms"),
        (natural(1), "2026-11-27 10:00", "2026-11-28 24:00"),
        (natural(20), "2026-11-23 00:00", "2026-12-13 24:00"),
        (Period { tenths: 15, unit: PeriodUnit::NaturalDay }, "2026-11-27 10:00", "2026-11-29 24:00"),
    ];
    for (period, from, wanted) in table {
        assert_eq!(ends(period, from, &[]), wanted, "{period:?} from {from}");
    }
}

#[test]
fn at_once_is_the_same_day() {
    for unit in [PeriodUnit::Minute, PeriodUnit::WorkingDay, PeriodUnit::NaturalDay] {
        let period = Period { tenths: 0, unit };
        assert_eq!(ends(period, "2026-11-23 10:00", &[]), "2026-11-23 24:00", "{unit:?}");
        let of_saturday =
            if unit == PeriodUnit::WorkingDay { "2026-11-30 24:00" } else { "2026-11-28 24:00" };
        assert_eq!(ends(period, "2026-11-28 10:00", &[]), of_saturday, "{unit:?}");
        assert_eq!(
            ends_as_of(period, "2026-11-23 10:00", &[], 0).date,
            due(date("2026-11-23"), period, &calendar()).date
        );
        let clock = Clock { period, started_ms: at("2026-11-27 10:00"), pauses: &[] };
        let used = |now: &str| clock.used_permille(at(now), &calendar(), OfficeHours::default());
        let wanted = [0, 1000, 1000, 1001];
        let seen = ["2026-11-27 09:59", "2026-11-27 10:00", "2026-11-27 24:00", "2026-11-28 00:00"].map(used);
        assert_eq!(seen, wanted, "{unit:?}");
    }
}

#[test]
fn years_that_nobody_announced_mark_the_end() {
    let mut expected = calendar();
    expected.years.insert(2027, YearCertainty::Expected);
    expected.days.insert(date("2027-01-04"), DayKind::Holiday);
    let mut published = expected.clone();
    published.years.insert(2027, YearCertainty::Published);
    published.days.insert(date("2027-01-01"), DayKind::Holiday);
    let table = [
        (days(2), calendar(), "2027-01-04 24:00", true),
        (days(2), expected.clone(), "2027-01-05 24:00", true),
        (days(2), published.clone(), "2027-01-05 24:00", false),
        (days(1), calendar(), "2026-12-31 24:00", false),
        (tenths(15), calendar(), "2026-12-31 18:00", false),
        (tenths(25), calendar(), "2027-01-04 18:00", true),
        (tenths(25), expected, "2027-01-05 18:00", true),
        (tenths(25), published, "2027-01-05 18:00", false),
        (natural(5), calendar(), "2027-01-04 24:00", false),
        (minutes(5_000), calendar(), "2027-01-02 21:20", false),
    ];
    for (period, calendar, wanted, expected) in table {
        let clock = Clock { period, started_ms: at("2026-12-30 10:00"), pauses: &[] };
        let end = clock.deadline(0, &calendar, OfficeHours::default());
        assert_eq!((written(end.at_ms).as_str(), end.expected), (wanted, expected), "{period:?}");
        assert_eq!(end.date, CivilDate::in_china(end.at_ms));
    }
}

#[test]
fn the_share_grows_with_the_hours_of_the_office() {
    let two_days = |now: &str, wanted: u32, urgency: Urgency| {
        (days(2), "2026-11-26 10:00", now.to_owned(), wanted, urgency)
    };
    let half = |now: &str, wanted: u32, urgency: Urgency| {
        (tenths(5), "2026-11-27 15:00", now.to_owned(), wanted, urgency)
    };
    let quick = |now: &str, wanted: u32, urgency: Urgency| {
        (minutes(20), "2026-11-27 15:00", now.to_owned(), wanted, urgency)
    };
    let table = [
        two_days("2026-11-26 09:00", 0, Urgency::Plain),
        two_days("2026-11-26 17:00", 0, Urgency::Plain),
        two_days("2026-11-27 09:00", 0, Urgency::Plain),
        two_days("2026-11-27 13:30", 250, Urgency::Plain),
        two_days("2026-11-27 20:00", 500, Urgency::Plain),
        two_days("2026-11-29 12:00", 500, Urgency::Plain),
        two_days("2026-11-30 12:30", 694, Urgency::Plain),
        two_days("2026-11-30 12:36", 700, Urgency::Soon),
        two_days("2026-11-30 24:00", 1000, Urgency::Soon),
        two_days("2026-12-01 00:00", 1001, Urgency::Over),
        two_days("2026-12-01 18:00", 1500, Urgency::Over),
        half("2026-11-29 15:00", 0, Urgency::Plain),
        half("2026-11-30 11:06", 700, Urgency::Soon),
        half("2026-11-30 12:00", 1000, Urgency::Soon),
        half("2026-11-30 12:01", 1002, Urgency::Over),
        quick("2026-11-27 15:13", 650, Urgency::Plain),
        quick("2026-11-27 15:14", 700, Urgency::Soon),
        quick("2026-11-27 15:20", 1000, Urgency::Soon),
        quick("2026-11-27 15:40", 2000, Urgency::Over),
    ];
    for (period, from, now, wanted, urgency) in table {
        let clock = Clock { period, started_ms: at(from), pauses: &[] };
        let used = clock.used_permille(at(&now), &calendar(), OfficeHours::default());
        assert_eq!((used, Urgency::of(used, false)), (wanted, urgency), "{period:?} at {now}");
    }
}

#[test]
fn marks_have_their_thresholds() {
    let table = [
        (0, false, Urgency::Plain),
        (699, false, Urgency::Plain),
        (700, false, Urgency::Soon),
        (1000, false, Urgency::Soon),
        (1001, false, Urgency::Over),
        (u32::MAX, false, Urgency::Over),
        (0, true, Urgency::Standing),
        (1000, true, Urgency::Standing),
        (1001, true, Urgency::Over),
    ];
    for (used, standing, wanted) in table {
        assert_eq!(Urgency::of(used, standing), wanted, "{used} {standing}");
    }
}

#[test]
fn what_is_left_has_words() {
    let hm = |hours, minutes| TimeLeft::HoursMinutes { hours, minutes };
    let over = |days, hours, minutes| TimeLeft::Over { days, hours, minutes };
    let table = [
        (days(3), "2026-11-23 10:00", "2026-11-20 10:00", TimeLeft::WorkingDays(3)),
        (days(3), "2026-11-23 10:00", "2026-11-23 10:00", TimeLeft::WorkingDays(3)),
        (days(3), "2026-11-25 10:00", "2026-11-28 10:00", TimeLeft::WorkingDays(1)),
        (days(3), "2026-11-23 10:00", "2026-11-25 24:00", TimeLeft::WorkingDays(1)),
        (days(3), "2026-11-23 10:00", "2026-11-26 00:00", hm(24, 0)),
        (days(3), "2026-11-23 10:00", "2026-11-26 21:50", hm(2, 10)),
        (days(3), "2026-11-23 10:00", "2026-11-26 24:00", hm(0, 0)),
        (days(3), "2026-11-23 10:00", "2026-11-27 00:00", over(0, 0, 0)),
        (days(3), "2026-11-23 10:00", "2026-11-28 02:05", over(1, 2, 5)),
        (tenths(15), "2026-11-27 15:00", "2026-11-27 15:00", TimeLeft::HalfDays(3)),
        (tenths(15), "2026-11-27 15:00", "2026-11-29 15:00", TimeLeft::HalfDays(3)),
        (tenths(15), "2026-11-27 15:00", "2026-11-30 15:00", TimeLeft::HalfDays(1)),
        (tenths(15), "2026-11-27 15:00", "2026-12-01 09:50", hm(2, 10)),
        (tenths(15), "2026-11-27 15:00", "2026-12-01 12:59", over(0, 0, 59)),
        (natural(3), "2026-11-27 15:00", "2026-11-28 15:00", TimeLeft::NaturalDays(2)),
        (natural(3), "2026-11-27 15:00", "2026-11-30 23:00", hm(1, 0)),
        (minutes(5_000), "2026-11-23 10:00", "2026-11-23 10:00", hm(83, 20)),
        (minutes(20), "2026-11-23 10:00", "2026-11-23 10:15", hm(0, 5)),
        (minutes(20), "2026-11-23 10:00", "2026-11-23 10:21", over(0, 0, 1)),
    ];
    for (period, from, now, wanted) in table {
        let clock = Clock { period, started_ms: at(from), pauses: &[] };
        let left = clock.left(at(now), &calendar(), OfficeHours::default());
        assert_eq!(left, wanted, "{period:?} from {from} at {now}");
    }
    let clock = Clock { period: minutes(20), started_ms: at("2026-11-23 10:00"), pauses: &[] };
    let left = clock.left(at("2026-11-23 10:15") + 1, &calendar(), OfficeHours::default());
    assert_eq!(left, hm(0, 5), "a begun minute is a whole one");
}

#[test]
fn a_notice_is_due_within_five_working_days() {
    let table = [
        ("2026-11-23 10:00", "2026-11-30 24:00", false),
        ("2026-02-12 16:00", "2026-02-26 24:00", false),
        ("2026-12-28 10:00", "2027-01-05 24:00", true),
    ];
    for (received, wanted, expected) in table {
        let end = deemed_accepted_on(at(received), &calendar());
        assert_eq!((written(end.at_ms).as_str(), end.expected), (wanted, expected), "{received}");
        assert!(!end.standing);
    }
}

#[test]
fn the_longest_of_two_is_the_later_and_as_unsure_as_either() {
    let end = |day: &str, expected, standing| Deadline {
        at_ms: at(day),
        date: date(&day[..10]),
        expected,
        standing,
    };
    let (soon, late) = ("2026-11-24 24:00", "2026-11-25 24:00");
    let table = [
        (end(soon, false, false), end(late, false, false), end(late, false, false)),
        (end(soon, true, false), end(late, false, false), end(late, true, false)),
        (end(soon, false, true), end(late, false, false), end(late, false, false)),
        (end(soon, false, false), end(late, false, true), end(late, false, true)),
        (end(late, false, true), end(late, true, false), end(late, true, true)),
    ];
    for (a, b, wanted) in table {
        assert_eq!((longest(a, b), longest(b, a)), (wanted, wanted));
    }
}

#[test]
fn used_time_is_counted_by_the_clock_of_the_promise() {
    let used = |period, from: &str, until: &str, pauses: &[Pause]| {
        let clock = Clock { period, started_ms: at(from), pauses };
        clock.used_ms(at(until), &calendar(), OfficeHours::default()) / 60_000
    };
    // 2026-11-23 is a Monday.
    let table = [
        (minutes(20), "2026-11-23 10:00", "2026-11-23 10:19", 19),
        (minutes(20), "2026-11-23 23:50", "2026-11-24 00:10", 20),
        (natural(3), "2026-11-21 10:00", "2026-11-22 10:00", 24 * 60),
        (tenths(5), "2026-11-23 10:00", "2026-11-23 14:30", 270),
        (days(1), "2026-11-23 17:00", "2026-11-24 10:00", 120),
        (days(1), "2026-11-20 17:00", "2026-11-23 10:00", 120),
        (days(1), "2026-11-21 10:00", "2026-11-23 09:30", 30),
        (days(1), "2026-11-22 10:00", "2026-11-22 12:00", 0),
        (days(1), "2026-11-23 10:00", "2026-11-23 09:00", 0),
    ];
    for (period, from, until, wanted) in table {
        assert_eq!(used(period, from, until, &[]), wanted, "{from} {until}");
    }
    // Over the National Day holiday: an hour before it, two days behind it, and an hour of the make-up Saturday.
    assert_eq!(used(days(1), "2026-09-30 17:00", "2026-10-10 10:00", &[]), 60 + 2 * 540 + 60);
    let paid = [pause("2026-11-23 11:00", "2026-11-23 12:00")];
    assert_eq!(used(minutes(20), "2026-11-23 10:00", "2026-11-23 13:00", &paid), 120);
    assert_eq!(used(days(1), "2026-11-23 10:00", "2026-11-23 13:00", &paid), 120);
    let night = [pause("2026-11-23 17:00", "2026-11-24 10:00")];
    assert_eq!(
        used(days(1), "2026-11-23 16:00", "2026-11-24 11:00", &night),
        120,
        "an hour before, one after"
    );
}
