//! Moments in words, in China's time: for pages and messages.
use domain::date::{CivilDate, china_clock};

use crate::words::Words;

/// `11-23 16:30` in China; with the year if it is another one than now.
pub fn time(at_ms: i64, now_ms: i64) -> String {
    let date = CivilDate::in_china(at_ms);
    let (hour, minute) = china_clock(at_ms);
    let text = date.to_string();
    let same_year = date.parts().0 == CivilDate::in_china(now_ms).parts().0;
    let day = if same_year { text.get(5..).unwrap_or_default() } else { text.as_str() };
    format!("{day} {hour:02}:{minute:02}")
}

/// A last moment: the end of a day is 24:00, as the law writes it; a day that is today is called so.
pub fn last_moment(words: Words, at_ms: i64, now_ms: i64) -> String {
    let text = time(at_ms, now_ms);
    let text = if text.ends_with(" 23:59") { text.replace(" 23:59", " 24:00") } else { text };
    let today = CivilDate::in_china(at_ms) == CivilDate::in_china(now_ms);
    match text.rsplit_once(' ').filter(|_| today) {
        Some((_, clock)) => words.fill("desk_time.today", &[("time", clock)]),
        None => text,
    }
}
