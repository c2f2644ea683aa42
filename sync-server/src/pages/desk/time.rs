//! How long there still is, as a badge: glyph, words, and the absolute moment below.
use domain::deadline::{TimeLeft, Urgency};

use super::W;
use crate::pages::view;
use crate::services::time_left::Running;

/// The time of a case as lists and heads show it.
pub struct DueBadge {
    /// Name of the glyph and class of the colour.
    pub glyph: &'static str,
    /// How long.
    pub word: String,
    /// Until when, or what is waited for.
    pub below: String,
}

/// The badge of a running time; a dash where none runs. `accepted`: the case is accepted, so that its own time runs and
/// not that of the notice.
pub fn badge(running: Option<&Running>, accepted: bool, now_ms: i64) -> DueBadge {
    let Some(running) = running else {
        let (word, below) = (W.t("desk_time.none").to_owned(), W.t("desk_time.none_why").to_owned());
        return DueBadge { glyph: "off", word, below };
    };
    let until = moment(running.end.at_ms, now_ms);
    let until = match (running.end.expected, accepted) {
        (true, _) => W.fill("desk_time.expected", &[("time", &until)]),
        (false, false) => W.fill("desk_time.notice", &[("time", &until)]),
        (false, true) => until,
    };
    let waits = match running.supplement_due_ms {
        Some(due_ms) => W.fill("desk_time.supplement", &[("time", &moment(due_ms, now_ms))]),
        None => W.t("desk_time.pays").to_owned(),
    };
    match running.urgency {
        Urgency::Standing => {
            DueBadge { glyph: "off", word: W.t("desk_time.standing").to_owned(), below: waits }
        }
        Urgency::Over => {
            let below = if running.end.standing {
                waits
            } else {
                W.fill("desk_time.was_due", &[("time", &moment(running.end.at_ms, now_ms))])
            };
            DueBadge { glyph: "bad", word: words(running.left), below }
        }
        Urgency::Soon => DueBadge { glyph: "warn", word: words(running.left), below: until },
        Urgency::Plain => DueBadge { glyph: "wait", word: words(running.left), below: until },
    }
}

fn words(left: TimeLeft) -> String {
    let n = |value: u32| value.to_string();
    match left {
        TimeLeft::WorkingDays(days) => W.number("desk_time.working_days", days),
        TimeLeft::NaturalDays(days) => W.number("desk_time.natural_days", days),
        TimeLeft::HalfDays(halves) => W.number("desk_time.half_days", halves),
        TimeLeft::HoursMinutes { hours: 0, minutes } => W.number("desk_time.minutes", minutes),
        TimeLeft::HoursMinutes { hours, minutes } => {
            W.fill("desk_time.hours", &[("h", &n(hours)), ("m", &n(minutes))])
        }
        TimeLeft::Over { days: 0, hours: 0, minutes } => W.number("desk_time.over_minutes", minutes),
        TimeLeft::Over { days: 0, hours, minutes } => {
            W.fill("desk_time.over_hours", &[("h", &n(hours)), ("m", &n(minutes))])
        }
        TimeLeft::Over { days, hours, .. } => {
            W.fill("desk_time.over_days", &[("d", &n(days)), ("h", &n(hours))])
        }
    }
}

/// A last moment: the end of a day is 24:00, as the law writes it; a day that is today is called so.
pub fn moment(at_ms: i64, now_ms: i64) -> String {
    view::last_moment(W, at_ms, now_ms)
}

#[cfg(test)]
mod tests {
    use domain::date::CivilDate;
    use domain::deadline::Deadline;

    use super::*;

    const NOW: i64 = 1_795_541_400_000; // 2026-11-25 01:30 in China
    const DAY: i64 = 86_400_000;

    fn running(urgency: Urgency, left: TimeLeft) -> Running {
        let at_ms = NOW + 3_600_000;
        let end = Deadline { at_ms, date: CivilDate::in_china(at_ms), expected: false, standing: false };
        Running { urgency, left, end, supplement_due_ms: None }
    }

    #[test]
    fn each_urgency_has_its_own_sign_and_words() {
        let soon = running(Urgency::Soon, TimeLeft::HoursMinutes { hours: 1, minutes: 0 });
        let badge_of = |running: &Running| {
            let badge = badge(Some(running), true, NOW);
            (badge.glyph, badge.word, badge.below)
        };
        assert_eq!(badge_of(&soon), ("warn", "剩 1 时 0 分".into(), "今天 02:30".into()));
        let over = Running {
            urgency: Urgency::Over,
            left: TimeLeft::Over { days: 0, hours: 1, minutes: 20 },
            ..soon
        };
        assert_eq!(badge_of(&over), ("bad", "超 1 时 20 分".into(), "应于 今天 02:30".into()));
        let plain = Running { urgency: Urgency::Plain, left: TimeLeft::WorkingDays(2), ..soon };
        assert_eq!(badge_of(&plain).0, "wait");
        let standing = Running { urgency: Urgency::Standing, supplement_due_ms: Some(NOW + 5 * DAY), ..soon };
        assert_eq!(badge_of(&standing), ("off", "已暂停".into(), "等补正，限 11-30 01:30".into()));
        let pays = Running { supplement_due_ms: None, ..standing };
        assert_eq!(badge_of(&pays).2, "等缴费");
        assert_eq!(badge(None, true, NOW).glyph, "off");
    }

    #[test]
    fn an_expected_end_says_so_and_the_end_of_a_day_is_24() {
        let mut plain = running(Urgency::Plain, TimeLeft::NaturalDays(3));
        // 2026-11-27 23:59:59.999 in China.
        plain.end.at_ms = NOW + 3 * DAY - 90 * 60_000 - 1;
        assert_eq!(badge(Some(&plain), true, NOW).below, "11-27 24:00");
        plain.end.expected = true;
        assert_eq!(badge(Some(&plain), true, NOW).below, "预计 11-27 24:00");
        plain.end.expected = false;
        assert_eq!(badge(Some(&plain), false, NOW).below, "11-27 24:00 前受理或一次告知");
    }
}
