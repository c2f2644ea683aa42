//! Whether a station is open, until when, and when it opens again: by its hours, holidays, make-up days and the
//! 24-hour zone. Refuses to look at a clock.
use crate::catalogue::{Calendar, Station};
use crate::date::{CivilDate, china_clock};

/// How many days are looked at for the next opening: longer than any holiday.
const MAX_DAYS_AHEAD: i64 = 31;

/// A day and a minute of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Day in China.
    pub date: CivilDate,
    /// Minutes since midnight.
    pub minute: u16,
}

impl Moment {
    /// The moment in China at an instant in milliseconds since 1970.
    pub fn in_china(now_ms: i64) -> Self {
        let (hour, minute) = china_clock(now_ms);
        let part = |value: i8| u16::try_from(value).unwrap_or(0);
        Self { date: CivilDate::in_china(now_ms), minute: part(hour) * 60 + part(minute) }
    }
}

/// When a counter opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opens {
    /// Days from today: 0 is today.
    pub days: i64,
    /// The day.
    pub date: CivilDate,
    /// Minutes since midnight.
    pub minute: u16,
}

/// How a station stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Its counter is open.
    Open {
        /// Until this minute of the day.
        until: u16,
    },
    /// Its counter is closed; the 24-hour zone with the terminal is not.
    SelfService,
    /// Closed.
    Closed {
        /// When the counter opens again, if that is within a month.
        opens: Option<Opens>,
    },
}

impl Opening {
    /// Somebody who goes there now gets in.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed { .. })
    }
}

/// How a station stands at a moment; `zone`: its 24-hour zone, if it has one, is enough.
pub fn opening(station: &Station, zone: bool, moment: Moment, calendar: &Calendar) -> Opening {
    let today = station.hours(moment.date, calendar);
    let now = today.iter().find(|(from, until)| (*from..*until).contains(&moment.minute));
    match now {
        Some((_, until)) => Opening::Open { until: *until },
        None if zone && station.self_service_24h => Opening::SelfService,
        None => Opening::Closed { opens: opens(station, moment, calendar) },
    }
}

/// When the counter opens next after a moment.
pub fn opens(station: &Station, moment: Moment, calendar: &Calendar) -> Option<Opens> {
    (0..=MAX_DAYS_AHEAD).find_map(|days| {
        let date = moment.date.plus_days(days);
        let later = |from: &u16| days > 0 || *from > moment.minute;
        let minute = station.hours(date, calendar).into_iter().map(|(from, _)| from).find(later)?;
        Some(Opens { days, date, minute })
    })
}
