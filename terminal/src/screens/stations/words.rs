//! Stations in words: open until when, the hours of today and of the week, how far and in which direction.
//!
//! Refuses to work anything out: `domain::nearby` does.
use std::f64::consts::{FRAC_PI_4, TAU};

use domain::catalogue::Station;
use domain::nearby::{Opening, Opens, Place, Walk};

use crate::widgets::{Badge, Cx};

/// From here on a distance is said in kilometres.
const KILOMETRE_M: f64 = 1_000.0;
/// Words of the eight directions, from east against the clock.
const DIRECTIONS: [&str; 8] = ["e", "ne", "n", "nw", "w", "sw", "s", "se"];
/// From so many days on a weekday alone would not be clear.
const WEEK: i64 = 7;
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// `09:00` of minutes since midnight.
pub fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// The badge of how a station stands.
pub fn badge_of(opening: Opening) -> Badge {
    match opening {
        Opening::Open { .. } => Badge::Open,
        Opening::SelfService => Badge::AllDay,
        Opening::Closed { .. } => Badge::Closed,
    }
}

/// `开到 17:00`, `24 小时自助`, `明天 09:00 开门`.
pub fn state(cx: &Cx<'_>, opening: Opening) -> String {
    match opening {
        Opening::Open { until } => cx.tf("stations.open_until", &[("time", &clock(until))]),
        Opening::SelfService => cx.t("badge.all_day").to_owned(),
        Opening::Closed { opens: Some(opens) } => opens_again(cx, opens),
        Opening::Closed { opens: None } => cx.t("stations.closed_long").to_owned(),
    }
}

/// `14:00 开门`, `明天 09:00 开门`, `周一 09:00 开门`.
pub fn opens_again(cx: &Cx<'_>, opens: Opens) -> String {
    let time = clock(opens.minute);
    match opens.days {
        0 => cx.tf("stations.opens_today", &[("time", &time)]),
        1 => cx.tf("stations.opens_tomorrow", &[("time", &time)]),
        _ => cx.tf("stations.opens_on", &[("day", &day(cx, opens)), ("time", &time)]),
    }
}

/// `周一` within a week, else `12 月 1 日`.
fn day(cx: &Cx<'_>, opens: Opens) -> String {
    if opens.days < WEEK {
        let place = usize::try_from(opens.date.weekday() - 1).unwrap_or(0);
        return cx.tf(&format!("stations.weekday.{}", WEEKDAYS[place % WEEKDAYS.len()]), &[]);
    }
    let (_, month, day) = opens.date.parts();
    cx.tf("stations.date", &[("month", &month.to_string()), ("day", &day.to_string())])
}

/// The hours of today: `今天 09:00–12:00、14:00–17:00`, or that it is closed.
pub fn today(cx: &Cx<'_>, station: &Station) -> String {
    let spans = station.hours(cx.model.today(), &cx.model.catalogue.calendar);
    if spans.is_empty() {
        return cx.t("stations.today_closed").to_owned();
    }
    let spans: Vec<String> =
        spans.iter().map(|(from, until)| format!("{}–{}", clock(*from), clock(*until))).collect();
    let hours = spans.join(cx.t("guide.separator"));
    let key = if station.noon_service { "stations.today_noon" } else { "stations.today" };
    cx.tf(key, &[("hours", &hours)])
}

/// The hours of a usual week in one line.
pub fn week(cx: &Cx<'_>, station: &Station) -> String {
    let days = [
        ("stations.weekdays", &station.weekday_hours),
        ("stations.weekday.sat", &station.saturday_hours),
        ("stations.weekday.sun", &station.sunday_hours),
    ];
    let parts: Vec<String> = days
        .iter()
        .map(|(key, hours)| {
            let hours = if hours.is_empty() { cx.t("stations.rest") } else { hours.as_str() };
            format!("{} {}", cx.t(key), hours.replace('-', "–").replace(',', cx.t("guide.separator")))
        })
        .collect();
    parts.join(cx.t("stations.between_days"))
}

/// `走路约 8 分钟`; nothing where it is not known where this terminal stands.
pub fn walk(cx: &Cx<'_>, walk: Option<Walk>) -> String {
    walk.map(|walk| cx.tf("stations.walk", &[("minutes", &walk.minutes.to_string())])).unwrap_or_default()
}

/// `往东北约 570 米`
pub fn way(cx: &Cx<'_>, here: &Station, there: &Station) -> String {
    let (here, there) = (Place::of(here), Place::of(there));
    let metres = distance(cx, here.metres_to(there));
    let (east, north) = there.east_north_of(here);
    let direction = cx.tf(&format!("stations.direction.{}", direction(east, north)), &[]);
    cx.tf("stations.way", &[("direction", &direction), ("metres", &metres)])
}

/// `570 米`, `1.2 公里`
pub fn distance(cx: &Cx<'_>, metres: f64) -> String {
    if metres < KILOMETRE_M {
        return cx.tf("stations.metres", &[("metres", &format!("{:.0}", (metres / 10.0).round() * 10.0))]);
    }
    let kilometres = metres / KILOMETRE_M;
    let count = if kilometres < 10.0 { format!("{kilometres:.1}") } else { format!("{kilometres:.0}") };
    cx.tf("stations.kilometres", &[("kilometres", count.trim_end_matches(".0"))])
}

/// One of eight directions.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // eight parts of a turn
fn direction(east: f64, north: f64) -> &'static str {
    let part = (north.atan2(east).rem_euclid(TAU) / FRAC_PI_4).round() as usize;
    DIRECTIONS[part % DIRECTIONS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_go_round() {
        let table = [
            ((1.0, 0.0), "e"),
            ((1.0, 1.0), "ne"),
            ((0.0, 3.0), "n"),
            ((-2.0, 2.0), "nw"),
            ((-1.0, 0.0), "w"),
            ((-1.0, -1.0), "sw"),
            ((0.0, -1.0), "s"),
            ((1.0, -0.9), "se"),
            ((1.0, -0.1), "e"),
            ((0.0, 0.0), "e"),
        ];
        for ((east, north), name) in table {
            assert_eq!(direction(east, north), name, "{east} {north}");
        }
    }

    #[test]
    fn a_minute_of_the_day_reads_as_a_clock() {
        assert_eq!((clock(0), clock(545), clock(1_440)), ("00:00".into(), "09:05".into(), "24:00".into()));
    }
}
