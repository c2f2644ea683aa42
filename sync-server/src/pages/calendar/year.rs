//! Twelve months of a year as tables: what each day is, in colour and in a word.
use domain::catalogue::{Calendar, DayKind, YearCertainty};
use domain::date::CivilDate;
use domain::deadline::works_on;

use super::proposal::Proposal;
use crate::words::Words;

/// A month.
pub struct Month {
    /// Its name.
    pub name: String,
    /// Weeks from Monday to Sunday; days of other months are absent.
    pub weeks: Vec<[Option<Day>; 7]>,
    /// Working days of it.
    pub working: usize,
}

/// A day.
#[derive(Clone)]
pub struct Day {
    /// Its number in the month.
    pub number: i8,
    /// The whole date.
    pub date: String,
    /// Class of its colours.
    pub class: String,
    /// One sign beside the number: a holiday, a make-up day.
    pub sign: String,
    /// All of it in words.
    pub words: String,
}

/// What days are looked at with.
pub struct Look<'a> {
    /// Words of the page.
    pub w: Words,
    /// The calendar with all changes.
    pub calendar: &'a Calendar,
    /// The changes.
    pub proposal: &'a Proposal,
    /// Today.
    pub today: CivilDate,
    /// The day that was chosen.
    pub chosen: Option<CivilDate>,
}

/// The months of a year.
pub fn months(look: &Look<'_>, year: i16) -> Vec<Month> {
    (1..=12).filter_map(|month| self::month(look, year, month)).collect()
}

fn month(look: &Look<'_>, year: i16, month: i8) -> Option<Month> {
    let first = CivilDate::new(year, month, 1)?;
    let mut weeks: Vec<[Option<Day>; 7]> = Vec::new();
    let mut working = 0;
    let mut date = first;
    while date.parts().1 == month {
        let weekday = usize::try_from(date.weekday() - 1).unwrap_or(0);
        if weekday == 0 || weeks.is_empty() {
            weeks.push(Default::default());
        }
        if let Some(slot) = weeks.last_mut().and_then(|week| week.get_mut(weekday)) {
            *slot = Some(day(look, date));
        }
        working += usize::from(works_on(date, look.calendar));
        date = date.plus_days(1);
    }
    let name = look.w.fill("calendar.month", &[("n", &month.to_string())]);
    Some(Month { name, weeks, working })
}

fn day(look: &Look<'_>, date: CivilDate) -> Day {
    let kind = kind(look.calendar, date);
    let mut class = kind.to_owned();
    let marks = [
        (look.proposal.touches(date), " changed"),
        (date == look.today, " today"),
        (Some(date) == look.chosen, " chosen"),
    ];
    marks.iter().filter(|(holds, _)| *holds).for_each(|(_, mark)| class.push_str(mark));
    let mut words = format!("{date} {}", look.w.of("calendar_day", kind));
    if look.proposal.touches(date) {
        words.push_str(look.w.t("calendar.changed"));
    }
    Day {
        number: date.parts().2,
        date: date.to_string(),
        class,
        sign: match kind {
            "holiday" | "workday" | "fixed" => look.w.of("calendar_sign", kind),
            _ => String::new(),
        },
        words,
    }
}

/// What a day is: key of its words and class of its colours.
pub fn kind(calendar: &Calendar, date: CivilDate) -> &'static str {
    match calendar.days.get(&date) {
        Some(DayKind::Holiday) => "holiday",
        Some(DayKind::Workday) => "workday",
        None if date.weekday() > 5 => "weekend",
        None if !works_on(date, calendar) => "fixed",
        None => "plain",
    }
}

/// How sure a year is: key of its words.
pub fn certainty(calendar: &Calendar, year: i16) -> &'static str {
    match calendar.certainty(year) {
        Some(YearCertainty::Published) => "published",
        Some(YearCertainty::Expected) => "expected",
        None => "unknown",
    }
}
