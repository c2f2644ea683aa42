//! `/handoffs/incoming`: what came from other regions for the caller's unit: signed for, accepted, returned, or not ours.
use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery, State};
use domain::applicant::{mask_id_staff, mask_name};
use domain::handoff::{HandoffState, ResultWay, Side, Step};
use domain::ids::EnvelopeId;
use domain::wire::v1::{MAX_PARTNER_WORDS, PartnerContent, PartnerSaid};
use serde::Deserialize;

use super::one::RowView;
use super::{Course, W, badge, clock_words, course, id_in, partners, sample_of, set_up, times, units};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form::Fields;
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::{Page, in_address, render, view};
use crate::partners::Register;
use crate::services::handoff::{self, Own, Row, Unfit};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::store::Tx;
use crate::words::Words;

#[derive(Template)]
#[template(path = "handoffs_incoming.html")]
struct InboxPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    rows: Vec<RowView>,
    /// No register of other regions was set up.
    unset: bool,
}

/// What came for the caller's unit.
pub async fn inbox(State(app): State<App>, caller: Caller) -> Page {
    let page = blocking(move || {
        let now_ms = app.centre.now_ms();
        let Some(register) = set_up(&app)? else {
            return app.centre.read(|tx| {
                let frame = frame(tx, &caller, now_ms, Here::Incoming)?;
                Ok(InboxPage { w: W, frame, sample: None, rows: Vec::new(), unset: true })
            });
        };
        let unit = caller.unit.clone().ok_or(ProblemCode::UnitNeeded)?;
        app.centre.read(|tx| {
            let newest = app.centre.context().shelf.newest(tx)?.ok_or(ProblemCode::NotFound)?;
            let rows = handoff::coming(tx, unit.as_str())?;
            let rows = rows.iter().map(|row| {
                let times = times(&register, row, (now_ms, &newest.catalogue.calendar));
                let (accepting, _) = units(&register, row);
                RowView {
                    href: format!("/handoffs/incoming/{}", row.id),
                    title: row.title.clone(),
                    region: accepting.name,
                    phone: accepting.phone,
                    state: badge(row.state()),
                    transfer: clock_words(&times, false),
                    legal: clock_words(&times, true),
                    received: view::time(row.handoff.received_at_ms, now_ms),
                }
            });
            Ok::<_, ServiceError>(InboxPage {
                w: W,
                unset: false,
                rows: rows.collect(),
                sample: sample(&newest.catalogue),
                frame: frame(tx, &caller, now_ms, Here::Incoming)?,
            })
        })
    })
    .await?;
    render(&page)
}

/// What stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    wrong: String,
}

#[derive(Template)]
#[template(path = "handoff_incoming.html")]
struct OnePage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    course: Course,
    person: Option<String>,
    /// Whether the answers fit the form, in words, and how it looks.
    fits: Option<(&'static str, String)>,
    wrong: bool,
    may_sign: bool,
    may_judge: bool,
    may_accept: bool,
    may_refuse: bool,
    may_send: bool,
    may_archive: bool,
    ways: Vec<(&'static str, String)>,
    most: usize,
}

fn of_unit(tx: &mut Tx<'_>, caller: &Caller, id: &EnvelopeId) -> Result<Row, ServiceError> {
    let row = handoff::find(tx, id)?;
    let unit = caller.unit.as_ref().ok_or(ProblemCode::UnitNeeded)?;
    let own = row.side == Side::Home && (row.unit.is_empty() || row.unit == unit.as_str());
    if own { Ok(row) } else { Err(ProblemCode::NotFound.into()) }
}

/// One of them.
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let (id, asked) = (id_in(id.ok().map(|Path(id)| id))?, in_address(asked)?);
    let page = blocking(move || {
        let (register, now_ms) = (partners(&app)?, app.centre.now_ms());
        app.centre.read(|tx| {
            let row = of_unit(tx, &caller, &id)?;
            let state = row.state();
            let (person, fits) = look(tx, &app, (&register, &row), now_ms)?;
            let may_judge = state == HandoffState::SignedFor;
            Ok::<_, ServiceError>(OnePage {
                w: W,
                sample: sample_of(tx, &app)?,
                may_sign: state == HandoffState::Sent,
                may_judge,
                may_accept: may_judge && fits.as_ref().is_some_and(|(look, _)| *look == "ok"),
                may_refuse: matches!(state, HandoffState::Sent | HandoffState::SignedFor),
                may_send: state == HandoffState::Decided,
                may_archive: matches!(state, HandoffState::NotOurs | HandoffState::ResultReceived),
                ways: ResultWay::ALL.iter().map(|w| (w.as_str(), W.of("handoff_way", w.as_str()))).collect(),
                wrong: asked.wrong == "words",
                most: MAX_PARTNER_WORDS,
                person,
                fits,
                course: course(tx, &app, (&register, &row), now_ms)?,
                frame: frame(tx, &caller, now_ms, Here::Incoming)?,
            })
        })
    })
    .await?;
    render(&page)
}

type Looked = (Option<String>, Option<(&'static str, String)>);

/// Who applies, masked, and whether the answers fit; only once it was signed for, and before the case has it.
fn look(
    tx: &mut Tx<'_>,
    app: &App,
    (register, row): (&Register, &Row),
    now_ms: i64,
) -> Result<Looked, ServiceError> {
    if row.state() != HandoffState::SignedFor {
        return Ok((None, None));
    }
    let context = app.centre.context();
    let own = Own { context, register };
    // What does not open, or is no application, can be returned and nothing else.
    let (told, _) = handoff::told_if_it_opens(tx, own, row)?;
    let Some(PartnerContent::Submission { submission }) = told else {
        return Ok((None, Some(("warn", W.t("handoff.closed").to_owned()))));
    };
    let person = &submission.applicant;
    let shown = format!("{} · {}", mask_name(&person.name), mask_id_staff(&person.id_number));
    let fits = match handoff::unfit(tx, own, row, (&submission, W.0, now_ms))? {
        None if row.unit.is_empty() => ("warn", W.t("handoff.unit_unknown").to_owned()),
        None => ("ok", W.t("handoff.fits").to_owned()),
        Some(Unfit::Version) => ("warn", W.t("handoff.version_unknown").to_owned()),
        Some(Unfit::NotTaken) => ("warn", W.t("handoff.not_taken").to_owned()),
        Some(Unfit::Answers(wrong)) => ("warn", W.fill("handoff.fits_not", &[("labels", &wrong.join("、"))])),
    };
    Ok((Some(shown), Some(fits)))
}

/// What the unit does with it.
pub async fn deed(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    fields: Fields,
) -> Page {
    let id = id_in(id.ok().map(|Path(id)| id))?;
    let fields = fields.only(&["deed", "seen", "words", "way"])?;
    let malformed = || ServiceError::from(ProblemCode::MalformedRequest);
    let seen: u64 = fields.get("seen").parse().map_err(|_| malformed())?;
    let words: String = fields.get("words").chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let words = words.trim().to_owned();
    let name = fields.get("deed").to_owned();
    let way = ResultWay::from_name(fields.get("way"));
    let writes = matches!(name.as_str(), "return" | "not_ours");
    if writes && (words.is_empty() || words.chars().count() > MAX_PARTNER_WORDS) {
        return Ok(see_other(&format!("/handoffs/incoming/{id}?wrong=words")));
    }
    blocking(move || {
        let (register, now_ms, rng) = (partners(&app)?, app.centre.now_ms(), app.centre.random());
        let (here, opens) = (app.centre.clone(), name == "accept");
        app.centre.write(move |tx| {
            let own = Own { context: here.context(), register: &register };
            let (mut row, mut rng) = (of_unit(tx, &caller, &id)?, rng.clone());
            let actor = caller.account.as_str();
            if name == "accept" {
                let unit = caller.unit.as_ref().ok_or(ProblemCode::UnitNeeded)?;
                let whose = (actor, unit.as_str());
                return handoff::accept(tx, own, (now_ms, &mut rng), (&mut row, seen), whose).map(|_| ());
            }
            if name == "archive" {
                let step = (actor, Step::Archived, None);
                handoff::act(tx, own, (now_ms, &mut rng), (&mut row, seen), step)?;
                return Ok(handoff::wipe(tx, &id)?);
            }
            let message = EnvelopeId::new(now_ms, &mut rng);
            let mut seal = || {
                let content = PartnerContent::Words { words: words.clone() };
                handoff::seal_for(own, (&row, message), &content, &mut rng)
            };
            let said = match (name.as_str(), way) {
                ("sign_for", _) => PartnerSaid::SignedFor,
                ("return", _) => PartnerSaid::Returned { sealed: seal()? },
                ("not_ours", _) => PartnerSaid::NotOurs { sealed: seal()? },
                ("send_result", Some(way)) => PartnerSaid::ResultSent { way },
                _ => return Err(ProblemCode::MalformedRequest.into()),
            };
            let step = said.step();
            let told = Some((message, said));
            handoff::act(tx, own, (now_ms, &mut rng), (&mut row, seen), (actor, step, told))
        })?;
        if opens {
            app.centre.ring_stored();
        }
        Ok(())
    })
    .await?;
    Ok(see_other(&format!("/handoffs/incoming/{id}")))
}
