//! How long something takes and what happens afterwards, in words: the same on the screens and on paper.
use domain::catalogue::Entry;
use domain::item::{Period, PeriodUnit};
use domain::text::Language;

use crate::words::Words;

/// `5 个工作日`, `当场`.
pub fn period(words: &Words, language: Language, period: Period) -> String {
    if period.tenths == 0 {
        return words.get(language, "period.at_once").to_owned();
    }
    let one = period.tenths == 10;
    let key = match period.unit {
        PeriodUnit::Minute if one => "period.one_minute",
        PeriodUnit::Minute => "period.minutes",
        PeriodUnit::WorkingDay if one => "period.one_working_day",
        PeriodUnit::WorkingDay => "period.working_days",
        PeriodUnit::NaturalDay if one => "period.one_natural_day",
        PeriodUnit::NaturalDay => "period.natural_days",
    };
    words.fill(language, key, &[("count", &tenths(period.tenths))])
}

/// What happens afterwards, with the promised time in its words: `受理后 1 个工作日内`.
pub fn after(words: &Words, language: Language, entry: Entry<'_>) -> String {
    let promised = match entry {
        Entry::Item(item) => item.promised,
        Entry::Bundle(bundle) => bundle.promised,
    };
    let said = entry.guide().after.get(language);
    let time = period(words, language, promised);
    // Between a Chinese word and a digit stands a thin gap, as everywhere else.
    let spaced = said.split_once("{promised}").is_some_and(|(before, _)| !before.ends_with([' ', '(']));
    let gap = if spaced && time.starts_with(|c: char| c.is_ascii_digit()) { " " } else { "" };
    said.replace("{promised}", &format!("{gap}{time}"))
}

fn tenths(value: u32) -> String {
    if value.is_multiple_of(10) { (value / 10).to_string() } else { format!("{}.{}", value / 10, value % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_are_written_short() {
        assert_eq!((tenths(50), tenths(5), tenths(235)), ("5".into(), "0.5".into(), "23.5".into()));
    }
}
