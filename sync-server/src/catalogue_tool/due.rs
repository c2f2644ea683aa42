//! `calendar due`: the last day of a time, by the calendar of a catalogue, and when a station is open then.
use anyhow::Context as _;
use domain::catalogue::{Calendar, Station, YearCertainty};
use domain::date::CivilDate;
use domain::deadline::{Due, working_days_after};
use domain::text::Language;
use operator::exit::Exit;
use serde::Serialize;

use super::arguments::{DueArgs, Unit};
use super::source::{Place, Source};
use crate::answer::{say, say_json};
use crate::words::Words;

/// How far an open day of a station is looked for.
const MAX_DAYS_AHEAD: i64 = 60;
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The answer.
#[derive(Debug, PartialEq, Serialize)]
struct Answer {
    from: CivilDate,
    days: u32,
    unit: &'static str,
    due: CivilDate,
    /// Monday = 1 to Sunday = 7.
    weekday: i8,
    working_day: bool,
    /// Counted with a year that is not announced.
    expected: bool,
    catalogue_version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    station: Option<Hours>,
}

/// When a station is open.
#[derive(Debug, PartialEq, Serialize)]
struct Hours {
    id: String,
    /// On the due day; empty if it is closed.
    open: String,
    /// The first day with hours from the due day on.
    next_open: Option<CivilDate>,
    /// Its hours.
    next_hours: String,
}

pub(super) fn run(args: &DueArgs, place: Place<'_>) -> anyhow::Result<Exit> {
    let source = args.catalogue.clone().unwrap_or_else(|| Source::Path(place.assets.join("catalogue")));
    let catalogue = source.catalogue(place)?;
    let station = match &args.station {
        None => None,
        Some(id) => Some(
            catalogue
                .stations
                .get(id)
                .with_context(|| format!("the catalogue {source} has no station {id}"))?,
        ),
    };
    let calendar = &catalogue.calendar;
    let due = due(args.from, args.days, args.unit, calendar);
    let answer = Answer {
        from: args.from,
        days: args.days,
        unit: match args.unit {
            Unit::WorkingDay => "working_day",
            Unit::NaturalDay => "natural_day",
            Unit::Half => "half",
        },
        due: due.date,
        weekday: due.date.weekday(),
        working_day: is_working_day(due.date, calendar),
        expected: due.expected,
        catalogue_version: catalogue.version,
        station: station.map(|station| hours(station, due.date, calendar)),
    };
    if args.json {
        return say_json(&answer);
    }
    say(&written(&answer))
}

fn due(from: CivilDate, days: u32, unit: Unit, calendar: &Calendar) -> Due {
    match unit {
        Unit::WorkingDay => working_days_after(from, days, calendar),
        Unit::Half => working_days_after(from, days.div_ceil(2), calendar),
        Unit::NaturalDay => {
            let date = from.plus_days(i64::from(days));
            // The day is sure; whether it is a working day is not.
            let expected = calendar.certainty(date.parts().0) != Some(YearCertainty::Published);
            Due { date, expected }
        }
    }
}

fn is_working_day(date: CivilDate, calendar: &Calendar) -> bool {
    working_days_after(date.plus_days(-1), 1, calendar).date == date
}

fn hours(station: &Station, due: CivilDate, calendar: &Calendar) -> Hours {
    let text = |date: CivilDate| {
        let spans = station.hours(date, calendar);
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        spans
            .iter()
            .map(|(from, until)| format!("{}-{}", clock(*from), clock(*until)))
            .collect::<Vec<_>>()
            .join(",")
    };
    let mut ahead = (0..=MAX_DAYS_AHEAD).map(|days| due.plus_days(days));
    let next_open = ahead.find(|date| !text(*date).is_empty());
    Hours {
        id: station.id.to_string(),
        open: text(due),
        next_open,
        next_hours: next_open.map(text).unwrap_or_default(),
    }
}

fn written(answer: &Answer) -> String {
    let weekday = usize::try_from(answer.weekday - 1).ok().and_then(|at| WEEKDAYS.get(at)).unwrap_or(&"");
    let kind = if answer.working_day { "working day" } else { "no working day" };
    let mut text = format!("{} {weekday}, {kind}", answer.due);
    if answer.expected {
        let mark = Words(Language::ZhCn).t("due.expected");
        text.push_str(&format!(", {mark} (expected: a year of it is not announced)"));
    }
    if let Some(Hours { id, open, next_open, next_hours }) = &answer.station {
        let said = match next_open {
            _ if !open.is_empty() => format!("open {open}"),
            Some(date) => format!("closed; next open {date} {next_hours}"),
            None => format!("closed for {MAX_DAYS_AHEAD} days from then"),
        };
        text.push_str(&format!("\n{id} {said}"));
    }
    text + "\n"
}
