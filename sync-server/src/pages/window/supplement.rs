//! `/window/supplement`: which case, of whom; the form of what it waits for begins with it, in a visit like any other. And
//! the page that says that it was handed in.
use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::case::VisitKind;
use domain::envelope::DataKey;
use domain::ids::EnvelopeId;
use domain::situation::SituationAnswers;
use domain::wire::v1::Person;
use serde_json::Map;

use super::begin::wrapped_key;
use super::purpose::Adding;
use super::{W, id_in, newest, since_ms, title_of, visit_line};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form::Fields;
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::sign_in::drawn;
use crate::pages::{Page, render, view};
use crate::services::sessions::Caller;
use crate::services::supplementing::{self, NotAsked};
use crate::services::window::drafts::{self, Content, New, Sealed};
use crate::services::window::{self, LookedUp, Lookup, visits};
use crate::services::{cases, receipt};
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::words::Words;

#[derive(Template)]
#[template(path = "window_supplement.html")]
struct LookupPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    refused: Option<String>,
    visit: Option<String>,
    form: String,
    window: String,
    /// Shown again after a mistake; the ID number is not: it is a person's.
    number: String,
    most_window: usize,
}

/// What came of the form of the lookup.
enum Began {
    At(EnvelopeId),
    Done(EnvelopeId),
    Not(String),
}

/// Asks for the two numbers.
pub async fn look_up(State(app): State<App>, caller: Caller) -> Page {
    let page = blocking(move || {
        let form = EnvelopeId::new(app.centre.now_ms(), &mut app.centre.random()).to_string();
        draw(&app, &caller, (form, String::new(), String::new()), None)
    })
    .await?;
    render(&page)
}

fn draw(
    app: &App,
    caller: &Caller,
    (form, mut window, number): (String, String, String),
    refused: Option<String>,
) -> Result<LookupPage, ServiceError> {
    let (now_ms, clerk) = (app.centre.now_ms(), caller.account.as_str());
    app.centre.read(|tx| {
        let volume = newest(tx, &app.centre)?;
        if window.is_empty() {
            window = visits::last_window(tx, clerk)?.unwrap_or_default();
        }
        Ok(LookupPage {
            visit: visits::open_today(tx, now_ms, clerk)?.as_ref().map(visit_line),
            refused,
            form,
            window,
            number,
            most_window: visits::MAX_WINDOW_CHARS,
            sample: sample(&volume.catalogue),
            frame: frame(tx, caller, now_ms, Here::Window)?,
            w: W,
        })
    })
}

/// Begins the form of what is asked for.
pub async fn begin(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    let fields = fields.only(&["form", "window", "number", "id_number"])?;
    let get = |name: &str| fields.get(name).to_owned();
    let form = id_in(&get("form")).map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
    let (window, number, id_number) = (get("window"), get("number"), get("id_number"));
    let page = blocking(move || {
        let typed = Lookup { number: number.clone(), id_number };
        Ok(match make(&app, &caller, form, (&window, typed))? {
            Began::At(id) => Ok(format!("/window/forms/{id}")),
            Began::Done(id) => Ok(format!("/window/supplements/{id}")),
            Began::Not(why) => Err(draw(&app, &caller, (form.to_string(), window, number), Some(why))?),
        })
    })
    .await?;
    match page {
        Ok(address) => Ok(see_other(&address)),
        Err(page) => drawn(render(&page)?, StatusCode::UNPROCESSABLE_ENTITY, None),
    }
}

/// Minutes that are left of a pause; one has begun at least.
pub(in crate::pages) fn minutes_left(ms: i64) -> i64 {
    (ms.max(1) + 59_999) / 60_000
}

/// Why nothing can be handed in, in words.
pub(in crate::pages) fn refusal(w: Words, why: NotAsked) -> String {
    w.of("supplement_refused", why.as_str())
}

fn make(
    app: &App,
    caller: &Caller,
    id: EnvelopeId,
    (window, typed): (&str, Lookup),
) -> Result<Began, ServiceError> {
    let (centre, now_ms, clerk) =
        (app.centre.clone(), app.centre.now_ms(), caller.account.as_str().to_owned());
    // The same click again leads where the first one led.
    let (own, done, taken, open, volume) = centre.read(|tx| {
        let volume = newest(tx, &centre)?;
        let own = drafts::find(tx, &clerk, &id, since_ms(&volume, now_ms))?.is_some();
        let taken = drafts::is_taken(tx, &id)? || receipt::stored(tx, &id)?.is_some();
        let done = supplementing::handed_in(tx, &id)?.is_some();
        Ok::<_, ServiceError>((own, done, taken, visits::open_today(tx, now_ms, &clerk)?.is_some(), volume))
    })?;
    match (own, done, taken) {
        (true, ..) => return Ok(Began::At(id)),
        (_, true, _) => return Ok(Began::Done(id)),
        (.., true) => return Err(ProblemCode::MalformedRequest.into()),
        _ => {}
    }
    let Some(window) = visits::window_named(window).or_else(|| open.then(String::new)) else {
        return Ok(Began::Not(W.of("window_mistake", "window")));
    };
    let (here, who) = (centre.clone(), clerk.clone());
    let found = centre.write(move |tx| window::look_up(tx, here.context(), (now_ms, &who), &typed))?;
    let case = match found {
        LookedUp::Case(case) => case,
        LookedUp::NoSuch => return Ok(Began::Not(W.t("window_supplement.no_such").to_owned())),
        LookedUp::Wait(ms) => {
            return Ok(Began::Not(W.number("window_supplement.wait", minutes_left(ms))));
        }
    };
    let adding = match Adding::find(&centre, &case)? {
        Ok(adding) => adding,
        Err(why) => return Ok(Began::Not(refusal(W, why))),
    };
    let Some(item) = adding.asked.row.item.clone() else {
        return Ok(Began::Not(refusal(W, NotAsked::Elsewhere)));
    };
    let mut rng = centre.random();
    let suite = centre.read(|tx| Ok::<_, ServiceError>(window::suite(tx, centre.context(), now_ms)?))?;
    let key = DataKey::random(suite, &mut rng);
    let wrapped = wrapped_key(app, (&key, &id, now_ms), &mut rng)?;
    let content = Content {
        // A clerk sees nothing of the case that is not on the card in hand, and the address is not asked for.
        person: Person { address: None, ..adding.sheet.applicant.clone() },
        situation: SituationAnswers::new(),
        answers: Map::new(),
        page: 0,
        files: Vec::new(),
        supplements: Some(case),
    };
    let sealed = Sealed::seal(&key, &id, &content, &mut rng)?;
    let (version, since_ms) = (adding.asked.volume.catalogue.version, since_ms(&volume, now_ms));
    let begun = centre.write(move |tx| {
        let visit =
            visits::open(tx, (now_ms, &mut rng.clone()), &clerk, (&window, VisitKind::Window, false))?;
        let new = New {
            id,
            visit: &visit.id,
            item: &item,
            catalogue_version: version,
            key: &wrapped,
            sealed: &sealed,
        };
        if drafts::is_taken(tx, &id)? {
            return Ok(true);
        }
        let begun = drafts::begin(tx, (now_ms, since_ms), &clerk, &new)?;
        if begun {
            visits::start(tx, now_ms, &visit)?;
        }
        Ok(begun)
    })?;
    Ok(if begun { Began::At(id) } else { Began::Not(W.number("window.too_many_drafts", drafts::MOST)) })
}

#[derive(Template)]
#[template(path = "window_supplement_done.html")]
struct DonePage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    title: String,
    groups: Vec<String>,
    at: String,
    receipt_no: u64,
    pages: u64,
}

/// Says that it was handed in.
pub async fn done(State(app): State<App>, caller: Caller, id: Result<Path<String>, PathRejection>) -> Page {
    let id = id_in(&id.map(|Path(text)| text).unwrap_or_default())?;
    let page = blocking(move || {
        let now_ms = app.centre.now_ms();
        app.centre.read(|tx| {
            let done = supplementing::handed_in(tx, &id)?.ok_or(ProblemCode::NotFound)?;
            let row = cases::by_id(tx, &done.case)?.ok_or(ProblemCode::NotFound)?;
            let volume = app.centre.context().shelf.get(tx, row.catalogue_version)?;
            let catalogue = volume.as_deref().map(|volume| &volume.catalogue);
            Ok::<_, ServiceError>(DonePage {
                title: row.item.as_ref().map(|code| title_of(catalogue, code)).unwrap_or_default(),
                groups: done.number.groups().iter().map(|group| (*group).to_owned()).collect(),
                at: view::time(done.at_ms, now_ms),
                receipt_no: done.server_seq,
                pages: done.pages,
                sample: catalogue.and_then(sample),
                frame: frame(tx, &caller, now_ms, Here::Window)?,
                w: W,
            })
        })
    })
    .await?;
    render(&page)
}
