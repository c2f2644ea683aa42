//! How a time or a share is said: in whole numbers and tenths, never rounded to something that sounds better.
use domain::item::Period;

use super::W;
use crate::services::statistics::facts;

/// Seconds of an office day.
const OFFICE_DAY_S: i64 = 9 * 3_600;

/// By which clock a time was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Every minute counts, at night as well.
    Exact,
    /// Office hours of working days.
    Office,
}

impl Clock {
    /// The clock of what is promised; office hours where nothing is.
    pub fn of(promised: Option<Period>) -> Self {
        if facts::clock(promised) == facts::EXACT { Self::Exact } else { Self::Office }
    }

    /// The clock by which something was counted; nothing of what is not decided.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            facts::EXACT => Some(Self::Exact),
            facts::OFFICE => Some(Self::Office),
            _ => None,
        }
    }

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => facts::EXACT,
            Self::Office => facts::OFFICE,
        }
    }
}

/// A number of tenths: `1.9`, `20`.
pub fn tenths(n: i64) -> String {
    if n % 10 == 0 { (n / 10).to_string() } else { format!("{}.{}", n / 10, n % 10) }
}

/// A part of a whole in tenths of its unit, rounded to the nearest.
fn in_tenths(seconds: i64, unit_s: i64) -> i64 {
    (seconds * 10 + unit_s / 2) / unit_s
}

/// A time as a number and the word of its unit.
pub fn time(seconds: i64, clock: Clock) -> (String, String) {
    let word = |key: &str| W.of("statistics_unit", key);
    let minutes = |seconds: i64| {
        let n = in_tenths(seconds, 60);
        (if n < 100 { tenths(n) } else { ((n + 5) / 10).to_string() }, word("minutes"))
    };
    match clock {
        Clock::Exact if seconds < 2 * 3_600 => minutes(seconds),
        Clock::Exact if seconds < 48 * 3_600 => (tenths(in_tenths(seconds, 3_600)), word("hours")),
        Clock::Exact => (tenths(in_tenths(seconds, 24 * 3_600)), word("days")),
        Clock::Office if seconds < 2 * 3_600 => minutes(seconds),
        Clock::Office => (tenths(in_tenths(seconds, OFFICE_DAY_S)), word("working_days")),
    }
}

/// As [`time`], in one text.
pub fn spoken(seconds: i64, clock: Clock) -> String {
    let (number, unit) = time(seconds, clock);
    format!("{number} {unit}")
}

/// From one time to another one, the unit once where it is the same.
pub fn range((from, to): (i64, i64), clock: Clock) -> (String, String) {
    let (a, b) = (time(from, clock), time(to, clock));
    if a.1 == b.1 { (format!("{}–{}", a.0, b.0), a.1) } else { (format!("{} {}–{}", a.0, a.1, b.0), b.1) }
}

/// A share with one decimal; none of nothing.
pub fn share(part: u64, whole: u64) -> Option<String> {
    (whole > 0).then(|| {
        let permille = (part * 1_000 + whole / 2) / whole;
        format!("{}.{}%", permille / 10, permille % 10)
    })
}

/// A count with a comma at each thousand.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_shares_and_counts_are_said_as_they_are() {
        let number = |seconds, clock| time(seconds, clock).0;
        let table = [
            (112, Clock::Exact, "1.9"),
            (1_200, Clock::Exact, "20"),
            (1_260, Clock::Office, "21"),
            (4 * 3_600 + 1_800, Clock::Office, "0.5"),
            (OFFICE_DAY_S * 20, Clock::Office, "20"),
            (9_000, Clock::Exact, "2.5"),
            (86_400 * 3, Clock::Exact, "3"),
        ];
        for (seconds, clock, words) in table {
            assert_eq!(number(seconds, clock), words, "{seconds}");
        }
        assert_eq!(share(9, 2_842).as_deref(), Some("0.3%"));
        assert_eq!(share(999, 1_000).as_deref(), Some("99.9%"));
        assert_eq!((share(0, 0), share(3, 3).as_deref()), (None, Some("100.0%")));
        assert_eq!([0, 999, 1_000, 2_842, 1_234_567].map(count), ["0", "999", "1,000", "2,842", "1,234,567"]);
    }
}
