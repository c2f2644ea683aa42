//! How pages put states, times and spans into words.
use domain::case::{CaseState, Mark};
use domain::item::{Period, PeriodUnit};

pub use crate::moments::{last_moment, time};
use crate::services::tally::Tally;
use crate::words::Words;

/// A state as a badge: glyph, colour and word.
#[derive(Debug, Clone)]
pub struct Badge {
    /// Class of the colour and name of the glyph.
    pub glyph: &'static str,
    /// The word.
    pub word: String,
}

/// A saved query of a list.
pub struct Tab {
    /// Its address.
    pub href: String,
    /// Its word.
    pub word: String,
    /// How many rows it has.
    pub count: Tally,
    /// They are a fault.
    pub alarming: bool,
    /// The page shows it.
    pub current: bool,
}

/// One of the four marks.
#[derive(Debug, Clone)]
pub struct MarkView {
    /// The case has come so far.
    pub done: bool,
    /// Its word.
    pub word: String,
    /// When, or that it has not come yet.
    pub note: String,
}

/// The badge of a state.
pub fn badge(words: Words, state: CaseState) -> Badge {
    let glyph = match state {
        CaseState::Received | CaseState::Accepted => "run",
        CaseState::Submitted => "wait",
        CaseState::Returned => "warn",
        CaseState::Quarantined => "bad",
        CaseState::Completed => "ok",
    };
    Badge { glyph, word: words.of("state", state.as_str()) }
}

/// When a case came to its marks, milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct MarkTimes {
    /// Saved on the terminal, by its own clock.
    pub saved_ms: i64,
    /// Delivered.
    pub delivered_ms: i64,
    /// Accepted; none if that is not known.
    pub accepted_ms: Option<i64>,
    /// The last change.
    pub changed_ms: i64,
}

/// The four marks of a case.
pub fn marks(words: Words, state: CaseState, times: MarkTimes, now_ms: i64) -> Vec<MarkView> {
    Mark::ALL
        .into_iter()
        .map(|mark| {
            let done = mark <= state.mark();
            let (name, at_ms) = match mark {
                Mark::Saved => ("saved", Some(times.saved_ms)),
                Mark::Delivered => ("delivered", Some(times.delivered_ms)),
                Mark::Accepted => ("accepted", times.accepted_ms),
                Mark::Completed => ("completed", Some(times.changed_ms)),
            };
            let note = match at_ms.filter(|_| done) {
                Some(at_ms) if mark == Mark::Saved => {
                    format!("{} · {}", time(at_ms, now_ms), words.t("mark.device_clock"))
                }
                Some(at_ms) => time(at_ms, now_ms),
                None => words.t(if done { "mark.done" } else { "mark.open" }).to_owned(),
            };
            MarkView { done, word: words.of("mark", name), note }
        })
        .collect()
}

/// The same marks for a case of which pages are still on their way: its text alone is not delivered.
pub fn awaiting(words: Words, mut marks: Vec<MarkView>, (here, all): (usize, usize)) -> Vec<MarkView> {
    if let Some(delivered) = marks.get_mut(1).filter(|_| here < all) {
        let values = [("here", &*here.to_string()), ("all", &*all.to_string())];
        let note = words.fill("mark.awaiting_note", &values);
        *delivered = MarkView { done: false, word: words.t("mark.awaiting").to_owned(), note };
    }
    marks
}

/// An address as people read it: nothing is escaped that need not be.
pub fn readable(address: &str) -> String {
    percent_encoding::percent_decode_str(address).decode_utf8_lossy().into_owned()
}

/// A span in words: `2 h 10 min`.
pub fn span(words: Words, ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    let (hours, days) = (minutes / 60, minutes / 1_440);
    let n = |v: i64| v.to_string();
    match (days, hours, minutes) {
        (0, 0, 0) => words.t("span.now").to_owned(),
        (0, 0, m) => words.fill("span.minutes", &[("n", &n(m))]),
        (0, h, m) if m % 60 == 0 => words.fill("span.whole_hours", &[("h", &n(h))]),
        (0, h, m) => words.fill("span.hours", &[("h", &n(h)), ("m", &n(m % 60))]),
        (d, h, _) if h % 24 == 0 => words.fill("span.whole_days", &[("d", &n(d))]),
        (d, h, _) => words.fill("span.days", &[("d", &n(d)), ("h", &n(h % 24))]),
    }
}

/// A promised time in words: `5 working days`, `20 minutes`, `at once`.
pub fn period(words: Words, period: Period) -> String {
    let unit = match period.unit {
        PeriodUnit::Minute => "minutes",
        PeriodUnit::WorkingDay => "working_days",
        PeriodUnit::NaturalDay => "natural_days",
    };
    let (whole, tenth) = (period.tenths / 10, period.tenths % 10);
    let number = if tenth == 0 { whole.to_string() } else { format!("{whole}.{tenth}") };
    match (period.tenths, period.unit) {
        (0, _) => words.t("period.at_once").to_owned(),
        (5, PeriodUnit::WorkingDay) => words.t("period.half_day").to_owned(),
        (60.., PeriodUnit::Minute) if period.tenths.is_multiple_of(600) => {
            words.fill("period.hours", &[("n", &(period.tenths / 600).to_string())])
        }
        _ => words.fill(&format!("period.{unit}"), &[("n", &number)]),
    }
}

/// Percent-encodes what is not safe in a query's value.
pub fn in_query(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use domain::text::Language;

    use super::*;

    const NOW: i64 = 1_795_541_400_000; // 2026-11-25 01:30 in China

    #[test]
    fn times_and_spans_are_short() {
        assert_eq!(time(NOW, NOW), "11-25 01:30");
        assert_eq!(time(NOW - 400 * 86_400_000, NOW), "2025-10-21 01:30");
        let en = Words(Language::En);
        let table = [(-5, "just now"), (59_999, "just now"), (60_000, "1 min"), (7_800_000, "2 h 10 min")];
        for (ms, text) in table {
            assert_eq!(span(en, ms), text);
        }
        assert_eq!(span(en, 3 * 86_400_000 + 7_200_000), "3 d 2 h");
    }

    #[test]
    fn promised_times_are_said_in_their_unit() {
        let en = Words(Language::En);
        let table = [
            (0, PeriodUnit::WorkingDay, "at once"),
            (5, PeriodUnit::WorkingDay, "half a working day"),
            (25, PeriodUnit::WorkingDay, "2.5 working days"),
            (100, PeriodUnit::NaturalDay, "10 days"),
            (200, PeriodUnit::Minute, "20 min"),
            (14_400, PeriodUnit::Minute, "24 h"),
        ];
        for (tenths, unit, words) in table {
            assert_eq!(period(en, Period { tenths, unit }), words);
        }
    }

    #[test]
    fn marks_go_as_far_as_the_state() {
        let en = Words(Language::En);
        let times = MarkTimes { saved_ms: NOW, delivered_ms: NOW, accepted_ms: Some(NOW), changed_ms: NOW };
        let done = |state| marks(en, state, times, NOW).iter().filter(|m| m.done).count();
        assert_eq!(CaseState::ALL.map(done), [2, 2, 2, 2, 3, 4]);
    }

    #[test]
    fn what_departments_do_afterwards_does_not_move_the_mark_of_acceptance() {
        let en = Words(Language::En);
        let times = MarkTimes {
            saved_ms: NOW,
            delivered_ms: NOW,
            accepted_ms: Some(NOW),
            changed_ms: NOW + 3_600_000,
        };
        let notes =
            |state, times| marks(en, state, times, NOW).into_iter().map(|m| m.note).collect::<Vec<_>>();
        for state in [CaseState::Accepted, CaseState::Completed] {
            assert_eq!(notes(state, times)[2], time(NOW, NOW), "{state:?}");
        }
        let unknown = MarkTimes { accepted_ms: None, ..times };
        assert_eq!(notes(CaseState::Completed, unknown)[2], en.t("mark.done"));
    }

    #[test]
    fn odd_signs_are_encoded() {
        assert_eq!(in_query("a b&c=办"), "a%20b%26c%3D%E5%8A%9E");
    }
}
