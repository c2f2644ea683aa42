//! `/window/visits`: how many came to the windows by day and by hour, and how long it took; the same as CSV, and each
//! visit as a row of another CSV. No person is shown. Accounts and numbers of cases stand in the second file only, and
//! only for those who may see cases; whoever may not gets the rows of the own visits, without them.
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as UrlQuery, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use domain::date::CivilDate;
use serde::Deserialize;

use super::{W, minutes};
use crate::api::blocking;
use crate::auth::policy::{SEE_CASES, Verdict};
use crate::csv_file::{self, QuoteStyle};
use crate::error::{ProblemCode, ServiceError};
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::{Page, in_address, render};
use crate::services::sessions::Caller;
use crate::services::window::visits::{self, Counted, End, MOST_DAYS, Sum, Sums};
use crate::shell::App;
use crate::words::Words;

/// Days that are shown unless somebody asks for others.
const DAYS: i64 = 7;
const HOUR_MS: i64 = 3_600_000;
/// Hours by which China is ahead of UTC.
const CHINA_HOURS: i64 = 8;

/// What stands in the address; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    /// `hours` or `visits`, for the file.
    #[serde(default)]
    rows: String,
}

/// Days that are counted, both included.
#[derive(Clone, Copy)]
struct Days {
    from: CivilDate,
    to: CivilDate,
}

impl Days {
    /// The days of an address; the last week for what is none.
    fn read(asked: &Asked, now_ms: i64) -> Result<Self, ServiceError> {
        let malformed = |_| ServiceError::from(ProblemCode::MalformedRequest);
        let day = |text: &str, or: CivilDate| match text {
            "" => Ok(or),
            text => text.parse::<CivilDate>().map_err(malformed),
        };
        let to = day(&asked.to, CivilDate::in_china(now_ms))?;
        let from = day(&asked.from, to.plus_days(1 - DAYS))?;
        // Later than MOST_DAYS before the end, so that a page is never of years.
        Ok(Self { from: from.max(to.plus_days(1 - MOST_DAYS)), to })
    }

    fn visits(self, app: &App) -> Result<Vec<Counted>, ServiceError> {
        let (from_ms, until_ms) = (midnight_ms(self.from), midnight_ms(self.to.plus_days(1)));
        app.centre.read(|tx| Ok(visits::between(tx, from_ms, until_ms)?))
    }
}

/// When a day begins in China, milliseconds since 1970.
fn midnight_ms(day: CivilDate) -> i64 {
    let since = CivilDate::in_china(0).days_to(day);
    (since * 24 - CHINA_HOURS) * HOUR_MS
}

#[derive(Template)]
#[template(path = "window_visits.html")]
struct VisitsPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    from: String,
    to: String,
    all: SumView,
    days: Vec<SumView>,
    hours: Vec<SumView>,
    csv: String,
}

struct SumView {
    name: String,
    visits: u64,
    served: u64,
    unserved: u64,
    cases: u64,
    filling: String,
    whole: String,
}

impl SumView {
    fn new(name: String, sum: &Sum) -> Self {
        Self {
            name,
            visits: sum.visits,
            served: sum.served,
            unserved: sum.unserved,
            cases: sum.cases,
            filling: minutes(sum.filling_ms()),
            whole: minutes(sum.whole_ms()),
        }
    }
}

fn hour(day: CivilDate, hour: u8) -> String {
    W.fill(
        "window_visits.hour",
        &[("day", &day.to_string()), ("from", &hour.to_string()), ("to", &(hour + 1).to_string())],
    )
}

/// The page.
pub async fn visits(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let asked = in_address(asked)?;
    let page = blocking(move || {
        let now_ms = app.centre.now_ms();
        let days = Days::read(&asked, now_ms)?;
        let Sums { hours, days: by_day, all } = visits::sums(&days.visits(&app)?);
        let (frame, newest) = app.centre.read(|tx| {
            let newest = app.centre.context().shelf.newest(tx)?;
            Ok::<_, ServiceError>((frame(tx, &caller, now_ms, Here::WindowVisits)?, newest))
        })?;
        Ok::<_, ServiceError>(VisitsPage {
            from: days.from.to_string(),
            to: days.to.to_string(),
            all: SumView::new(W.t("window_visits.all").to_owned(), &all),
            days: by_day.iter().rev().map(|(day, sum)| SumView::new(day.to_string(), sum)).collect(),
            hours: hours.iter().rev().map(|((day, at), sum)| SumView::new(hour(*day, *at), sum)).collect(),
            csv: format!("/window/visits.csv?from={}&to={}&rows=", days.from, days.to),
            sample: newest.as_deref().and_then(|volume| sample(&volume.catalogue)),
            frame,
            w: W,
        })
    })
    .await?;
    render(&page)
}

/// The same as a file.
pub async fn csv(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let asked = in_address(asked)?;
    let (name, bytes) = blocking(move || {
        let days = Days::read(&asked, app.centre.now_ms())?;
        let found = days.visits(&app)?;
        let (what, rows) = match asked.rows.as_str() {
            "visits" => ("visits", each(&for_caller(found, &caller))),
            _ => ("hours", by_hour(&visits::sums(&found))),
        };
        let name = format!("{what}-{}-{}.csv", days.from, days.to);
        Ok::<_, ServiceError>((name, csv_file::table(QuoteStyle::Necessary, rows)))
    })
    .await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, bytes).into_response())
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| W.of("window_csv", name)).collect()
}

fn by_hour(sums: &Sums) -> Vec<Vec<String>> {
    let names = ["day", "hour", "visits", "served", "unserved", "cases", "filling", "whole"];
    let row = |((day, hour), sum): (&(CivilDate, u8), &Sum)| {
        let counts = [sum.visits, sum.served, sum.unserved, sum.cases].map(|n| n.to_string());
        let times = [sum.filling_ms(), sum.whole_ms()].map(number);
        [day.to_string(), hour.to_string()].into_iter().chain(counts).chain(times).collect()
    };
    std::iter::once(head(&names)).chain(sums.hours.iter().map(row)).collect()
}

/// Minutes as a number, empty if there are none: a dash would be a formula.
fn number(ms: Option<i64>) -> String {
    ms.map(|ms| minutes(Some(ms))).unwrap_or_default()
}

/// What somebody may have of each visit: everything with the right to see cases; without it the own visits, and
/// neither account nor numbers.
fn for_caller(mut visits: Vec<Counted>, caller: &Caller) -> Vec<Counted> {
    if SEE_CASES.judge(Some(caller.roles)) == Verdict::Go {
        return visits;
    }
    visits.retain(|counted| counted.visit.clerk == caller.account.as_str());
    for counted in &mut visits {
        counted.visit.clerk.clear();
        counted.numbers.clear();
    }
    visits
}

fn each(visits: &[Counted]) -> Vec<Vec<String>> {
    let names = [
        "opened", "window", "clerk", "kind", "called", "started", "finished", "ended", "numbers", "filling",
        "whole",
    ];
    let row = |Counted { visit, numbers }: &Counted| {
        let at = |ms: Option<i64>| ms.map(second).unwrap_or_default();
        // Times of visits that did not end with a case count nowhere, so nobody can sum them up here either.
        let slip = visit.finished_at_ms.filter(|_| visit.ended == End::Served);
        let spent = |begun: Option<i64>| begun.zip(slip).map(|(b, f)| (f - b).max(0));
        let ended = if visit.ended.as_str().is_empty() { "open" } else { visit.ended.as_str() };
        vec![
            second(visit.opened_at_ms),
            visit.window.clone(),
            visit.clerk.clone(),
            W.of("visit_kind", visit.kind.as_str()),
            at(visit.called_at_ms),
            at(visit.started_at_ms),
            at(visit.finished_at_ms),
            W.of("visit_end", ended),
            numbers.join(" "),
            number(spent(visit.started_at_ms)),
            number(spent(visit.called_at_ms)),
        ]
    };
    std::iter::once(head(&names)).chain(visits.iter().map(row)).collect()
}

/// `2026-11-24 14:05:09`, in China.
fn second(ms: i64) -> String {
    let (hour, minute) = domain::date::china_clock(ms);
    let seconds = ms.div_euclid(1_000).rem_euclid(60);
    format!("{} {hour:02}:{minute:02}:{seconds:02}", CivilDate::in_china(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        for day in ["1970-01-01", "1988-04-17", "2026-11-30", "2028-02-29"] {
            let day: CivilDate = day.parse().expect("a day");
            let at_ms = midnight_ms(day);
            assert_eq!((CivilDate::in_china(at_ms), domain::date::china_clock(at_ms)), (day, (0, 0)));
            assert_eq!(CivilDate::in_china(at_ms - 1), day.plus_days(-1));
        }
    }

    #[test]
    fn nobody_counts_years_at_once() {
        let asked = |from: &str, to: &str| Asked { from: from.into(), to: to.into(), ..Asked::default() };
        let Ok(days) = Days::read(&asked("1999-01-01", "2026-11-30"), 0) else { panic!("days") };
        assert_eq!(days.from.days_to(days.to), MOST_DAYS - 1);
        assert!(Days::read(&asked("2026-13-01", ""), 0).is_err());
    }
}
