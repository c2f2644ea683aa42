//! Civil dates as strings `YYYY-MM-DD`: a birth date or a period is never an instant.
//!
//! China had summer time from 1986 to 1991, so some midnights do not exist there; a civil date has no midnight.
//! Source: `lessons` row 23 of the design notes. Refuses to know what day it is today: callers pass it in.
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Offset of China Standard Time from UTC, in hours.
pub const CHINA_OFFSET_HOURS: i8 = 8;

/// A day of the calendar without time or zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate(jiff::civil::Date);

/// The text is not a date of the form `YYYY-MM-DD`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a date of the form YYYY-MM-DD")]
pub struct DateError;

impl CivilDate {
    /// A date from its parts; `None` if there is no such day or the year is outside 1900–2999.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        if !(1900..3000).contains(&year) {
            return None;
        }
        jiff::civil::Date::new(year, month, day).ok().map(Self)
    }

    /// The civil date in China at an instant in milliseconds since 1970.
    pub fn in_china(now_ms: i64) -> Self {
        Self(china_datetime(now_ms).date())
    }

    /// Year, month, day.
    pub fn parts(self) -> (i16, i8, i8) {
        (self.0.year(), self.0.month(), self.0.day())
    }

    /// The date this many days later (earlier if negative), clamped to the years that jiff knows.
    pub fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().days(days.clamp(-400_000, 400_000))))
    }

    /// Days from this day to another, negative if it lies before.
    pub fn days_to(self, other: Self) -> i64 {
        i64::from((other.0 - self.0).get_days())
    }

    /// Full years from this day to another, negative if it lies before. A year is full on the same day of the same
    /// month; after a 29 February it is full on 1 March of a year that has none.
    pub fn full_years_to(self, other: Self) -> i64 {
        if other < self {
            return -other.full_years_to(self);
        }
        let ((year, month, day), (later, other_month, other_day)) = (self.parts(), other.parts());
        let unfinished = (other_month, other_day) < (month, day);
        i64::from(later) - i64::from(year) - i64::from(unfinished)
    }

    /// Day of the week, Monday = 1 to Sunday = 7 (ISO 8601).
    pub fn weekday(self) -> i8 {
        self.0.weekday().to_monday_one_offset()
    }

    /// The form used in a case number: `yyMMdd`.
    pub fn yymmdd(self) -> String {
        let (y, m, d) = self.parts();
        format!("{:02}{m:02}{d:02}", y % 100)
    }
}

/// Hour and minute in China at an instant in milliseconds since 1970.
pub fn china_clock(now_ms: i64) -> (i8, i8) {
    let t = china_datetime(now_ms);
    (t.hour(), t.minute())
}

fn china_datetime(now_ms: i64) -> jiff::civil::DateTime {
    let t = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    jiff::tz::TimeZone::fixed(jiff::tz::offset(CHINA_OFFSET_HOURS)).to_datetime(t)
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = self.parts();
        write!(f, "{y:04}-{m:02}-{d:02}")
    }
}

impl FromStr for CivilDate {
    type Err = DateError;
    fn from_str(s: &str) -> Result<Self, DateError> {
        let b = s.as_bytes();
        let shape = b.len() == 10
            && b.iter()
                .enumerate()
                .all(|(i, c)| if i == 4 || i == 7 { *c == b'-' } else { c.is_ascii_digit() });
        if !shape {
            return Err(DateError);
        }
        let n = |r: std::ops::Range<usize>| s[r].parse::<i16>().unwrap_or(-1);
        Self::new(n(0..4), n(5..7) as i8, n(8..10) as i8).ok_or(DateError)
    }
}

impl Serialize for CivilDate {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CivilDate {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_parsed_strictly() {
        let table = [
            ("2026-11-24", true),
            ("1988-04-10", true),
            ("2026-02-29", false),
            ("2024-02-29", true),
            ("2026-1-1", false),
            ("", false),
            ("2026-13-01", false),
            ("0999-01-01", false),
            ("२०२६-११-२", false),
        ];
        for (text, good) in table {
            assert_eq!(text.parse::<CivilDate>().is_ok(), good, "{text}");
        }
    }

    #[test]
    fn days_and_years_between_two_days() {
        let table = [
            ("1990-05-20", "2026-05-19", 13_148, 35),
            ("1990-05-20", "2026-05-20", 13_149, 36),
            ("2004-02-29", "2025-02-28", 7_670, 20),
            ("2004-02-29", "2025-03-01", 7_671, 21),
            ("2026-11-28", "2026-11-28", 0, 0),
            ("2026-11-28", "2025-11-29", -364, 0),
            ("2026-11-28", "2025-11-28", -365, -1),
            ("1900-01-01", "2999-12-31", 401_766, 1_099),
        ];
        for (from, to, days, years) in table {
            let [from, to] = [from, to].map(|text| text.parse::<CivilDate>().expect("a date"));
            assert_eq!((from.days_to(to), from.full_years_to(to)), (days, years), "{from} {to}");
        }
    }

    #[test]
    fn an_instant_late_in_the_utc_day_is_tomorrow_in_china() {
        // 2026-11-24T17:30:00Z
        let ms = 1_795_541_400_000;
        assert_eq!(CivilDate::in_china(ms).to_string(), "2026-11-25");
        assert_eq!(china_clock(ms), (1, 30));
    }
}
