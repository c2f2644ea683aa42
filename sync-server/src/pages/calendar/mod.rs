//! `/catalogue/calendar`: the working-day calendar year by year, and what a change of it would do to open cases before
//! it goes into a new version of the catalogue. Changes stand in the address; nothing is written here.
mod proposal;
mod year;

use askama::Template;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use domain::catalogue::{Calendar, Catalogue};
use domain::date::CivilDate;
use domain::text::Language;

use super::bundles::said;
use super::cases::item_name;
use super::frame::{Frame, Here, frame, sample};
use super::{Page, in_address, in_query, render};
use crate::api::blocking;
use crate::auth::policy::{self, Verdict};
use crate::csv_file::{self, QuoteStyle};
use crate::error::{ProblemCode, ServiceError};
use crate::services::open_deadlines::{Effect, Moved, moved};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::words::Words;
use proposal::{Becomes, Proposal, Refused, file, word};
use year::{Look, Month, certainty, kind, months};

const W: Words = Words(Language::ZhCn);
/// Cases that the page lists.
const LISTED: usize = 100;
/// Cases that a file lists, at most.
const IN_FILE: usize = 50_000;

type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

#[derive(Template)]
#[template(path = "calendar.html")]
struct CalendarPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    year: i16,
    before: String,
    after: String,
    certainty: &'static str,
    certainty_word: String,
    working: usize,
    months: Vec<Month>,
    chosen: Option<Chosen>,
    base: String,
    changes: Vec<ChangeView>,
    kept: Vec<String>,
    refused: Vec<String>,
    effect: Option<EffectView>,
}

/// The day that was chosen.
struct Chosen {
    date: String,
    is: String,
    weekend: bool,
}

/// One change of the proposal.
struct ChangeView {
    about: String,
    was: String,
    becomes: String,
    without: String,
}

/// What the changes do.
struct EffectView {
    effect: Effect,
    /// Whoever may not see cases is told only how many there are.
    listed: bool,
    rows: Vec<RowView>,
    query: String,
}

struct RowView {
    number: String,
    item: String,
    basis: String,
    old: String,
    new: String,
}

/// What an address asks for.
struct Asked {
    year: Option<i16>,
    day: Option<CivilDate>,
    proposal: Proposal,
}

impl Asked {
    fn read(pairs: Pairs) -> Result<Self, ServiceError> {
        let pairs = in_address(pairs)?;
        let value = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let changes = pairs.iter().filter(|(name, _)| name == "change").map(|(_, value)| value.as_str());
        Ok(Self {
            year: value("year")
                .and_then(|year| year.parse().ok())
                .filter(|year| (2000..=2199).contains(year)),
            day: value("day").and_then(|day| day.parse().ok()),
            proposal: Proposal::read(changes),
        })
    }
}

/// The page.
pub async fn calendar(State(app): State<App>, caller: Caller, pairs: Pairs) -> Page {
    let asked = Asked::read(pairs)?;
    let centre = app.centre.clone();
    let page = blocking(move || {
        let now_ms = centre.now_ms();
        centre.read(|tx| {
            let shelf = &centre.context().shelf;
            let volume = shelf.newest(tx)?.ok_or(ProblemCode::NotFound)?;
            let old = &volume.catalogue.calendar;
            let new = asked.proposal.applied(old);
            let effect = match asked.proposal.is_empty() {
                true => None,
                false => Some(moved(tx, shelf, (old, &new), LISTED)?),
            };
            let frame = frame(tx, &caller, now_ms, Here::Calendar)?;
            let listed = policy::SEE_CASES.judge(Some(caller.roles)) == Verdict::Go;
            let effect = effect.map(|effect| view(&volume.catalogue, &asked.proposal, effect, listed));
            let today = CivilDate::in_china(now_ms);
            Ok::<_, ServiceError>(draw(&volume.catalogue, &asked, (effect, &new), (frame, today)))
        })
    })
    .await?;
    render(&page)
}

fn draw(
    catalogue: &Catalogue,
    asked: &Asked,
    (effect, new): (Option<EffectView>, &Calendar),
    (frame, today): (Frame, CivilDate),
) -> CalendarPage {
    let proposal = &asked.proposal;
    let year = asked.year.or(asked.day.map(|day| day.parts().0)).unwrap_or(today.parts().0);
    let look = Look { w: W, calendar: new, proposal, today, chosen: asked.day };
    let months = months(&look, year);
    CalendarPage {
        w: W,
        frame,
        sample: sample(catalogue),
        year,
        before: address(year - 1, proposal),
        after: address(year + 1, proposal),
        certainty: certainty(new, year),
        certainty_word: W.of("calendar_year", certainty(new, year)),
        working: months.iter().map(|month| month.working).sum(),
        months,
        chosen: asked.day.map(|day| Chosen {
            date: day.to_string(),
            is: W.of("calendar_day", kind(new, day)),
            weekend: day.weekday() > 5,
        }),
        base: address(year, proposal),
        changes: proposal.changes().map(|becomes| change(catalogue, proposal, becomes, year)).collect(),
        kept: proposal.texts().collect(),
        refused: proposal.refused.iter().map(|refused| refusal(*refused)).collect(),
        effect,
    }
}

fn view(catalogue: &Catalogue, proposal: &Proposal, effect: Effect, listed: bool) -> EffectView {
    let rows = effect.rows.iter().filter(|_| listed).map(|moved| row(catalogue, moved)).collect();
    EffectView { rows, listed, query: query(proposal), effect }
}

fn change(catalogue: &Catalogue, proposal: &Proposal, becomes: Becomes, year: i16) -> ChangeView {
    let old = &catalogue.calendar;
    let (about, was, group) = match becomes {
        Becomes::Day(day, _) => (day.to_string(), W.of("calendar_day", kind(old, day)), "calendar_day"),
        Becomes::Year(year, _) => {
            (year.to_string(), W.of("calendar_year", certainty(old, year)), "calendar_year")
        }
    };
    // An ordinary day of the week's end is free.
    let becomes = match becomes {
        Becomes::Day(day, None) if day.weekday() > 5 => "weekend",
        other => word(other),
    };
    let without = address(year, &proposal.without(&format!("{about}:")));
    ChangeView { was, becomes: W.of(group, becomes), without, about }
}

fn refusal(refused: Refused) -> String {
    match refused {
        Refused::Unreadable => W.t("calendar.unreadable").to_owned(),
        Refused::NotOnWeekend(day) => W.fill("calendar.not_weekend", &[("day", &day.to_string())]),
        Refused::TooMany => W.t("calendar.too_many").to_owned(),
    }
}

fn row(catalogue: &Catalogue, moved: &Moved) -> RowView {
    RowView {
        number: moved.number.to_string(),
        item: item_name(Some(catalogue), Some(&moved.item)),
        basis: W.of("calendar_basis", if moved.accepted { "accepted" } else { "received" }),
        old: said(moved.old),
        new: said(moved.new),
    }
}

fn query(proposal: &Proposal) -> String {
    proposal.texts().map(|text| format!("&change={}", in_query(&text))).collect()
}

fn address(year: i16, proposal: &Proposal) -> String {
    format!("/catalogue/calendar?year={year}{}", query(proposal))
}

/// All cases that move, as a table for spreadsheets.
pub async fn moved_cases(State(app): State<App>, _: Caller, pairs: Pairs) -> Page {
    let asked = Asked::read(pairs)?;
    let centre = app.centre.clone();
    let table = blocking(move || {
        centre.read(|tx| {
            let shelf = &centre.context().shelf;
            let volume = shelf.newest(tx)?.ok_or(ProblemCode::NotFound)?;
            let old = &volume.catalogue.calendar;
            let effect = moved(tx, shelf, (old, &asked.proposal.applied(old)), IN_FILE)?;
            Ok::<_, ServiceError>(csv(&volume.catalogue, &effect))
        })
    })
    .await?;
    Ok(download("moved-cases.csv", "text/csv; charset=utf-8", table))
}

/// The changed calendar as the file of a catalogue's folder.
pub async fn changed_calendar(State(app): State<App>, _: Caller, pairs: Pairs) -> Page {
    let asked = Asked::read(pairs)?;
    let centre = app.centre.clone();
    let text = blocking(move || {
        let volume = centre.read(|tx| centre.context().shelf.newest(tx))?.ok_or(ProblemCode::NotFound)?;
        file(&asked.proposal.applied(&volume.catalogue.calendar))
            .map_err(|e| ServiceError::Inconsistent(format!("a calendar could not be written: {e}")))
    })
    .await?;
    Ok(download("calendar.json", "application/json", text))
}

fn download(name: &str, media_type: &'static str, content: impl Into<Body>) -> axum::response::Response {
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, content.into()).into_response()
}

/// Every cell is quoted.
fn csv(catalogue: &Catalogue, effect: &Effect) -> Vec<u8> {
    let heads = ["number", "code", "item", "basis", "old", "old_sure", "new", "new_sure"];
    let heads = heads.map(|head| W.of("calendar_csv", head)).to_vec();
    let sure = |expected: bool| W.of("calendar_year", if expected { "expected" } else { "published" });
    let rows = effect.rows.iter().map(|moved| {
        let view = row(catalogue, moved);
        vec![
            view.number,
            moved.item.to_string(),
            view.item,
            view.basis,
            moved.old.date.to_string(),
            sure(moved.old.expected),
            moved.new.date.to_string(),
            sure(moved.new.expected),
        ]
    });
    csv_file::table(QuoteStyle::Always, std::iter::once(heads).chain(rows))
}
