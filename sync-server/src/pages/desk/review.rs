//! `/desk/{number}`: one case with the answers and attachments side by side, its steps, what happened, and what the
//! caller may do now.
use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery, State};
use rand_core::Rng as _;
use serde::Deserialize;

use super::answers::{self, PageView, RowView};
use super::approval::{self, ApprovalView, LookView};
use super::certificates::{self, CertificateView};
use super::deeds::{self, DeedView, Kind};
use super::files::{self, FileView};
use super::gathered::{Gathered, gather};
use super::history::{self, Entry};
use super::lanes::{self, Lane};
use super::scans::{self, ScansView};
use super::send::{Mistake, Strip, Typed};
use super::time::{self, DueBadge};
use super::{W, no_unit, number, state_badge};
use crate::api::blocking;
use crate::centre::Centre;
use crate::error::ServiceError;
use crate::pages::cases::item_name;
use crate::pages::frame::Frame;
use crate::pages::payments::{self, BillView};
use crate::pages::view::{self, Badge};
use crate::pages::{Page, in_address, render};
use crate::services::case_text::MAX_CHARS;
use crate::services::content::Scope;
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::words::Words;

/// What stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    step: String,
    #[serde(default)]
    done: String,
    #[serde(default)]
    was: String,
}

/// Why a deed was not done.
pub enum Trouble {
    /// What was typed is wrong.
    Mistakes(Vec<Mistake>),
    /// Somebody else was quicker: what they did.
    Changed(Vec<String>),
    /// A period of the law runs until the end of this day.
    TooEarly(String),
}

#[derive(Template)]
#[template(path = "desk_case.html")]
pub struct ReviewPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    number: String,
    item: String,
    step_name: String,
    state: Option<Badge>,
    due: DueBadge,
    facts: String,
    version: String,
    catalogue: String,
    rounds: Option<String>,
    applicant: Vec<RowView>,
    scope: String,
    pages: Vec<PageView>,
    materials: Vec<RowView>,
    files: Vec<FileView>,
    scans: Vec<ScansView>,
    certificates: Vec<CertificateView>,
    bills: Vec<BillView>,
    approvals: Vec<ApprovalView>,
    looks: Vec<LookView>,
    lanes: Vec<Lane>,
    history: Vec<Entry>,
    deeds: Vec<DeedView>,
    returns: bool,
    return_words: &'static str,
    leader_only: bool,
    most_chars: usize,
    next: Option<String>,
    strip: Option<Strip>,
    mistakes: Vec<Mistake>,
    changed: Option<Vec<String>>,
    early: Option<String>,
    action: String,
}

impl ReviewPage {
    /// What is wrong with a field.
    fn wrong(&self, name: &str, field: &str) -> Option<&str> {
        let id = format!("{name}-{field}");
        self.mistakes.iter().find(|mistake| mistake.field == id).map(|mistake| mistake.text.as_str())
    }
}

/// The page.
pub async fn review(
    State(app): State<App>,
    caller: Caller,
    named: Result<Path<String>, PathRejection>,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let case = number(&named.map(|Path(text)| text).unwrap_or_default())?;
    let asked = in_address(asked)?;
    if caller.unit.is_none() {
        return no_unit(app, caller).await;
    }
    let page = blocking(move || {
        let (centre, now_ms) = (&app.centre, app.centre.now_ms());
        let of = centre.read(|tx| gather(tx, centre.context(), &case, (&caller, now_ms)))?;
        let strip = Strip::read(&asked.done, &asked.was);
        page(centre, of, &asked.step, (None, None), strip)
    })
    .await?;
    render(&page)
}

/// The page of what was gathered. That somebody sees it is noted before it is drawn.
///
/// # Errors
/// [`ServiceError`] if that cannot be noted.
pub fn page(
    centre: &Centre,
    of: Gathered,
    asked: &str,
    (typed, trouble): (Option<Typed>, Option<Trouble>),
    strip: Option<Strip>,
) -> Result<ReviewPage, ServiceError> {
    let mut bytes = [0; 12];
    centre.random().fill_bytes(&mut bytes);
    let click: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (look, now_ms, by) = (of.found.look(), of.now_ms, of.caller.account.clone());
    centre.write(move |tx| Ok(look.note_seen(tx, now_ms, &by)?))?;
    draw(of, asked, &click, (typed.as_ref(), trouble), strip)
}

fn draw(
    of: Gathered,
    asked: &str,
    click: &str,
    (typed, trouble): (Option<&Typed>, Option<Trouble>),
    strip: Option<Strip>,
) -> Result<ReviewPage, ServiceError> {
    let (row, view) = (&of.found.row, of.view());
    let step = of.step(asked);
    let deeds = deeds::offered(&of, step, click, typed);
    let returns = deeds.iter().any(|deed| deed.name == Kind::Return.name());
    let returned = step.map_or(0, |step| step.rounds);
    let (mut mistakes, mut changed, mut early) = (Vec::new(), None, None);
    match trouble {
        Some(Trouble::Mistakes(found)) => mistakes = found,
        Some(Trouble::Changed(news)) => changed = Some(news),
        Some(Trouble::TooEarly(date)) => early = Some(W.fill("desk.too_early", &[("date", &date)])),
        None => {}
    }
    let workable = step.is_some_and(|step| step.state.is_workable() && of.view().books(&of.unit, step));
    let files = files::list(&of);
    Ok(ReviewPage {
        w: W,
        number: row.number.to_string(),
        item: item_name(of.catalogue(), row.item.as_ref()),
        step_name: step.map(|step| of.step_name(&step.id)).unwrap_or_default(),
        state: step.map(|step| state_badge(step.state)),
        due: time::badge(of.running.as_ref(), view.accepted_at_ms.is_some(), of.now_ms),
        facts: facts(&of),
        version: W.fill("case.version", &[("n", &view.version.to_string())]),
        catalogue: W.number("desk.catalogue", row.catalogue_version),
        rounds: (returned > 0).then(|| W.number("desk.rounds", returned)),
        applicant: answers::applicant(&of),
        scope: match of.found.scope {
            Scope::All => W.t("desk.sees_all").to_owned(),
            Scope::Keys(_) => W.number("desk.sees_part", of.content.hidden),
        },
        pages: answers::pages(&of, returns, typed),
        materials: answers::materials(&of, returns, typed),
        scans: scans::list(&row.number.to_string(), &files),
        files,
        certificates: certificates::list(&of)?,
        bills: of.bills.iter().map(|paying| payments::bill(W, paying, of.now_ms)).collect(),
        approvals: approval::list(&of),
        looks: approval::looks(&of),
        lanes: lanes::lanes(&of, step.map(|step| step.id.as_str())),
        history: history::all(&of),
        leader_only: workable && returned > 0 && !returns,
        returns,
        return_words: W.t("desk.return_n"),
        most_chars: MAX_CHARS,
        deeds,
        strip,
        mistakes,
        changed,
        early,
        action: format!("/desk/{}", row.number),
        next: of.next,
        sample: of.sample,
        frame: of.frame,
    })
}

/// Promise, beginning and place in one line.
fn facts(of: &Gathered) -> String {
    let time = |ms| view::time(ms, of.now_ms);
    let promised = of.promised.map(|period| W.fill("desk.promised", &[("time", &view::period(W, period))]));
    let accepted = of.view().accepted_at_ms.map(|ms| W.fill("desk.accepted", &[("time", &time(ms))]));
    let received =
        W.fill("desk.received", &[("time", &time(of.view().received_at_ms)), ("place", &of.station)]);
    promised.into_iter().chain(accepted).chain([received]).collect::<Vec<_>>().join(" · ")
}
