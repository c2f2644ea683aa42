//! `/window/slips/{number}`: the slip of a case that the clerk opened, to be read aloud, copied, scanned and printed. No
//! name and no ID number stands on it. Seen again later, it says how far the case has come.
use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use documents::{DocumentError, Fact, Paper};
use domain::catalogue::Entry;
use domain::date::{CivilDate, china_clock};
use domain::document::slip_code::{SlipFacts, slip_code};
use domain::ids::{CaseNo, TerminalId};
use domain::item::Period;

use super::{W, minutes, title_of, visit_line};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::desk::handed_out;
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::qr::{self, QrView};
use crate::pages::view::{self, Badge, MarkTimes, MarkView};
use crate::pages::{Page, in_query, render};
use crate::services::attachments::PDF_TYPE;
use crate::services::cases::{self, CaseRow};
use crate::services::sessions::Caller;
use crate::services::window::visits::{self, Visit};
use crate::services::window::{self, PLACE};
use crate::services::{accounts, receipt};
use crate::shell::App;
use crate::words::Words;

/// What the guide says where the promised time belongs.
const PROMISED: &str = "{promised}";

#[derive(Template)]
#[template(path = "window_slip.html")]
struct SlipPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    number: String,
    groups: Vec<String>,
    title: String,
    badge: Badge,
    next: String,
    marks: Vec<MarkView>,
    after: String,
    clerk: String,
    visit: String,
    filling: String,
    whole: String,
    qr: Option<QrView>,
    again: Option<String>,
}

/// What a slip is made of.
struct Slip {
    row: CaseRow,
    visit: Visit,
    clerk: String,
    title: String,
    after: String,
    code: String,
    sample: Option<String>,
}

fn read(app: &App, caller: &Caller, number: &CaseNo) -> Result<Slip, ServiceError> {
    let (centre, clerk) = (&app.centre, caller.account.as_str());
    let context = centre.context();
    centre.read(|tx| {
        let mine = window::mine_numbered(tx, clerk, number)?;
        let row = cases::by_id(tx, &mine.envelope_id)?.ok_or(ProblemCode::NotFound)?;
        let visit = visits::of_clerk(tx, clerk, &mine.visit)?;
        let stored = receipt::stored(tx, &mine.envelope_id)?.ok_or(ProblemCode::NotFound)?;
        let volume = context.shelf.get(tx, mine.catalogue_version)?;
        let catalogue = volume.as_deref().map(|volume| &volume.catalogue);
        let account = accounts::by_id(tx, &caller.account)?;
        let entry = mine.item.as_ref().and_then(|code| catalogue.and_then(|c| c.entry(code)));
        let terminal: TerminalId =
            PLACE.parse().map_err(|_| ServiceError::Inconsistent("the window has no id".into()))?;
        let facts = SlipFacts {
            people_url: &context.people_url,
            number: &row.number,
            digest: &stored.digest,
            terminal: &terminal,
            made_at_ms: row.received_at_ms,
        };
        Ok(Slip {
            title: mine.item.as_ref().map(|code| title_of(catalogue, code)).unwrap_or_default(),
            after: entry.map(after).unwrap_or_default(),
            clerk: account.map(|account| account.display).unwrap_or_default(),
            code: slip_code(&facts, &context.keys.receipt),
            sample: catalogue.and_then(sample),
            visit,
            row,
        })
    })
}

/// What happens next, and when.
fn after(entry: Entry<'_>) -> String {
    let promised: Option<Period> = match entry {
        Entry::Item(item) => Some(item.promised),
        Entry::Bundle(_) => None,
    };
    let words = entry.guide().after.get(W.0);
    promised.map_or_else(|| words.to_owned(), |promised| words.replace(PROMISED, &view::period(W, promised)))
}

fn named(number: Result<Path<String>, PathRejection>) -> Result<CaseNo, ServiceError> {
    let number = number.ok().and_then(|Path(text)| text.parse().ok());
    number.ok_or_else(|| ProblemCode::NotFound.into())
}

/// The page.
pub async fn slip(
    State(app): State<App>,
    caller: Caller,
    number: Result<Path<String>, PathRejection>,
) -> Page {
    let number = named(number)?;
    let page = blocking(move || {
        let now_ms = app.centre.now_ms();
        let slip = read(&app, &caller, &number)?;
        let clerk = caller.account.as_str();
        let (frame, open) = app.centre.read(|tx| {
            Ok::<_, ServiceError>((
                frame(tx, &caller, now_ms, Here::WindowMine)?,
                visits::open_today(tx, now_ms, clerk)?,
            ))
        })?;
        Ok::<_, ServiceError>(draw(slip, (frame, open.is_none()), now_ms))
    })
    .await?;
    render(&page)
}

fn draw(slip: Slip, (frame, free): (Frame, bool), now_ms: i64) -> SlipPage {
    let Slip { row, visit, clerk, title, after, code, sample } = slip;
    let times = MarkTimes {
        saved_ms: row.received_at_ms,
        delivered_ms: row.received_at_ms,
        accepted_ms: row.accepted_at_ms,
        changed_ms: row.changed_at_ms,
    };
    // At a window nothing is on its way: what was saved was delivered.
    let marks = view::marks(W, row.state, times, now_ms).into_iter().skip(1).collect();
    let until = |begun: Option<i64>| {
        let spent = begun.zip(visit.finished_at_ms).map(|(begun, finished)| (finished - begun).max(0));
        minutes(spent)
    };
    SlipPage {
        number: row.number.to_string(),
        groups: row.number.groups().iter().map(|g| (*g).to_owned()).collect(),
        badge: view::badge(W, row.state),
        next: W.of("next", row.state.as_str()),
        marks,
        filling: until(visit.started_at_ms),
        whole: until(visit.called_at_ms),
        again: (free && visits::may_go_on(&visit, now_ms))
            .then(|| format!("/window?with={}", in_query(&visit.id))),
        visit: visit_line(&visit),
        qr: qr::draw(&code),
        title,
        after,
        clerk,
        sample,
        frame,
        w: W,
    }
}

/// The slip as an A4 page.
pub async fn pdf(
    State(app): State<App>,
    caller: Caller,
    number: Result<Path<String>, PathRejection>,
) -> Page {
    let number = named(number)?;
    let name = format!("{number}.pdf");
    let bytes = blocking(move || {
        let slip = read(&app, &caller, &number)?;
        let typeface = app.typefaces.get();
        let typeface =
            typeface.map_err(|e| ServiceError::Inconsistent(operator::findings::with_causes(&e)))?;
        let made = documents::acknowledgement(&paper(&slip, app.centre.now_ms()), &typeface);
        made.map_err(|error| match error {
            DocumentError::TooLong | DocumentError::Code => {
                ServiceError::refused(ProblemCode::TooLarge, "the slip does not fit on a page")
            }
            other => ServiceError::Inconsistent(operator::findings::with_causes(&other)),
        })
    })
    .await?;
    Ok(handed_out("inline", &name, (PDF_TYPE, bytes)))
}

/// What stands on the page.
fn paper(slip: &Slip, now_ms: i64) -> Paper {
    let fact = |key: &str, words: String| Fact { caption: W.t(key).to_owned(), words };
    let mut next = vec![slip.after.clone(), W.t("window_slip.no_second_trip").to_owned()];
    next.push(W.t("window_slip.ask").to_owned());
    next.retain(|words| !words.is_empty());
    Paper {
        title: W.t("window_slip.title").to_owned(),
        sample: slip.sample.as_ref().map(|_| W.t("window_slip.sample").to_owned()),
        number_caption: W.t("case.number").to_owned(),
        number: slip.row.number.groups().map(str::to_owned).to_vec(),
        number_note: None,
        item: slip.title.clone(),
        facts: vec![
            fact("window_slip.delivered", moment(slip.row.received_at_ms)),
            fact("window_slip.place", visit_line(&slip.visit)),
            fact("window_slip.clerk", slip.clerk.clone()),
        ],
        next,
        code: slip.code.clone(),
        code_notes: vec![W.t("window_slip.scan").to_owned(), W.t("window_slip.no_personal_data").to_owned()],
        foot: W.fill("window_slip.printed_at", &[("time", &moment(now_ms))]),
        language: W.tag().to_owned(),
    }
}

/// `2026-11-24 14:05`, in China.
fn moment(ms: i64) -> String {
    let (hour, minute) = china_clock(ms);
    format!("{} {hour:02}:{minute:02}", CivilDate::in_china(ms))
}
