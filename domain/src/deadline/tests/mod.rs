//! What the tests of 时限 share: a calendar, instants written as people read them, clocks.
mod clock;
mod days;
mod pauses;
mod properties;

use super::*;
use crate::catalogue::DayKind;
use crate::date::CivilDate;

const DAY_MS: i64 = 86_400_000;

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
    let days =
        holidays.iter().flat_map(|(from, n)| (0..*n).map(|i| (date(from).plus_days(i), DayKind::Holiday)));
    Calendar::of_days(days.chain(workdays.iter().map(|d| (date(d), DayKind::Workday))).collect())
}

/// An instant in China, `2026-11-23 10:00`; 24:00 is the last millisecond of the day.
fn at(text: &str) -> i64 {
    let (day, time) = text.split_once(' ').expect("day and time");
    let (hour, minute) = time.split_once(':').expect("hour and minute");
    let minutes = hour.parse::<i64>().expect("hour") * 60 + minute.parse::<i64>().expect("minute");
    let midnight = date("1970-01-01").days_to(date(day)) * DAY_MS - 8 * 3_600_000;
    midnight + minutes * 60_000 - i64::from(time == "24:00")
}

/// `2026-11-23 10:00`; with seconds, if there are some.
fn written(ms: i64) -> String {
    let local = ms + 8 * 3_600_000;
    let (day, of_day) = (CivilDate::in_china(ms), local.rem_euclid(DAY_MS));
    let (minutes, rest) = (of_day / 60_000, of_day % 60_000);
    match rest {
        59_999 if minutes == 24 * 60 - 1 => format!("{day} 24:00"),
        0 => format!("{day} {:02}:{:02}", minutes / 60, minutes % 60),
        _ => format!("{day} {:02}:{:02} + {rest} ms", minutes / 60, minutes % 60),
    }
}

/// A pause; `-` has not ended.
fn pause(from: &str, until: &str) -> Pause {
    Pause { from_ms: at(from), until_ms: (until != "-").then(|| at(until)) }
}

fn days(n: u32) -> Period {
    Period { tenths: n * 10, unit: PeriodUnit::WorkingDay }
}

/// In tenths of a working day.
fn tenths(tenths: u32) -> Period {
    Period { tenths, unit: PeriodUnit::WorkingDay }
}

fn minutes(n: u32) -> Period {
    Period { tenths: n * 10, unit: PeriodUnit::Minute }
}

fn natural(n: u32) -> Period {
    Period { tenths: n * 10, unit: PeriodUnit::NaturalDay }
}

/// When a clock with these pauses ends, as it looks at `now`.
fn ends_as_of(period: Period, started: &str, pauses: &[Pause], now: i64) -> Deadline {
    let clock = Clock { period, started_ms: at(started), pauses };
    clock.deadline(now, &calendar(), OfficeHours::default())
}

/// When a clock with these pauses ends, long after all of them.
fn ends(period: Period, started: &str, pauses: &[Pause]) -> String {
    written(ends_as_of(period, started, pauses, at("2026-12-31 12:00")).at_ms)
}
