//! `/window/pick-up`: whoever sits at a window types a number and the ID number of the person standing there, sees what waits
//! for them, and hands it over, once. The ID number travels in the body only.
use askama::Template;
use axum::extract::State;
use domain::applicant::mask_name;

use super::{W, click};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form::{Fields, searched};
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::people::name_of;
use crate::pages::{Page, render, view};
use crate::services::parcels::{self, Found, Seen, Waits};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

#[derive(Template)]
#[template(path = "window_pick_up.html")]
struct PickUpPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    number: String,
    id_number: String,
    /// Nothing was found, or why nothing came of it.
    told: Option<Note>,
    found: Option<FoundView>,
}

/// Glyph and words of what is said above the form.
type Note = (&'static str, String);

struct FoundView {
    name: String,
    case: String,
    contents: Vec<String>,
    click: String,
    seen: u64,
}

/// What somebody typed. Never printed.
#[derive(Default)]
struct Typed {
    number: String,
    id_number: String,
}

impl Typed {
    fn read(fields: &Fields) -> Self {
        Self { number: searched(fields.get("number")), id_number: searched(fields.get("id_number")) }
    }
}

/// The empty form.
pub async fn pick_up_form(State(app): State<App>, caller: Caller) -> Page {
    let page = blocking(move || {
        let now_ms = app.centre.now_ms();
        app.centre.read(|tx| page(tx, &app, (&caller, now_ms), (Typed::default(), None, None)))
    });
    render(&page.await?)
}

/// What waits for somebody.
pub async fn pick_up(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    let typed = Typed::read(&fields.only(&["number", "id_number"])?);
    render(&blocking(move || looked(&app, &caller, typed, None)).await?)
}

/// Hands it over, and says so; or says who did it before.
pub async fn pick_up_hand(State(app): State<App>, caller: Caller, fields: Fields) -> Page {
    let fields = fields.only(&["number", "id_number", "seen", "click"])?;
    let typed = Typed::read(&fields);
    let version =
        fields.get("seen").parse().map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
    let clicked = fields.get("click").to_owned();
    let page = blocking(move || {
        let (own, who) = (app.centre.clone(), caller.clone());
        let (number, id_number) = (typed.number.clone(), typed.id_number.clone());
        let done = app.centre.write(move |tx| {
            let seen = Seen { click: &clicked, version };
            parcels::hand_over(tx, own.context(), own.now_ms(), (&who, &number, &id_number), seen)
        });
        let told = match done {
            Ok(stored) => {
                let words = W.fill("pick_up.done", &[("number", stored.number.as_str())]);
                return app.centre.read(|tx| {
                    let now_ms = app.centre.now_ms();
                    page(tx, &app, (&caller, now_ms), (Typed::default(), Some(("ok", words)), None))
                });
            }
            Err(ServiceError::Refused { code: ProblemCode::CaseChanged | ProblemCode::NotFound, .. }) => None,
            Err(other) => return Err(other),
        };
        looked(&app, &caller, typed, told)
    });
    render(&page.await?)
}

/// What was found; that somebody saw it is noted before it is shown.
fn looked(app: &App, caller: &Caller, typed: Typed, told: Option<Note>) -> Result<PickUpPage, ServiceError> {
    let (centre, now_ms) = (&app.centre, app.centre.now_ms());
    let (stored, page) = centre.read(|tx| {
        let found = parcels::find(tx, centre.context(), (&typed.number, &typed.id_number))?;
        let stored = found.as_ref().map(|found| found.stored.clone());
        let (said, view) = match found {
            None => (Some(("warn", W.t("pick_up.none").to_owned())), None),
            Some(found) => spoken(tx, app, found, now_ms)?,
        };
        let page = page(tx, app, (caller, now_ms), (typed, told.or(said), view))?;
        Ok::<_, ServiceError>((stored, page))
    })?;
    if let Some(stored) = stored {
        let by = caller.account.to_string();
        centre.write(move |tx| Ok(parcels::note_seen(tx, now_ms, &by, &stored)?))?;
    }
    Ok(page)
}

/// What is said of what was found, and what can be handed over.
fn spoken(
    tx: &mut Tx<'_>,
    app: &App,
    found: Found,
    now_ms: i64,
) -> Result<(Option<Note>, Option<FoundView>), ServiceError> {
    match &found.waits {
        Waits::Yes if found.contents.is_empty() => {
            Ok((Some(("warn", W.t("pick_up.nothing").to_owned())), None))
        }
        Waits::Yes => {
            let view = FoundView {
                name: found.name.as_deref().map(mask_name).unwrap_or_default(),
                case: found.case.groups().join(" "),
                contents: found.contents,
                click: click(&app.centre),
                seen: found.stored.parcel.version,
            };
            Ok((None, Some(view)))
        }
        Waits::Before(at_ms, by) => {
            let who = match by.parse() {
                Ok(id) => name_of(tx, &id)?,
                Err(_) => by.clone(),
            };
            let values = [("time", view::time(*at_ms, now_ms)), ("who", who)];
            let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
            Ok((Some(("bad", W.fill("pick_up.before", &values))), None))
        }
        Waits::Elsewhere(state) => {
            let state = W.of("parcel_state", state.as_str());
            Ok((Some(("warn", W.fill("pick_up.elsewhere", &[("state", &state)]))), None))
        }
    }
}

fn page(
    tx: &mut Tx<'_>,
    app: &App,
    (caller, now_ms): (&Caller, i64),
    (typed, told, found): (Typed, Option<Note>, Option<FoundView>),
) -> Result<PickUpPage, ServiceError> {
    let newest = app.centre.context().shelf.newest(tx)?;
    Ok(PickUpPage {
        w: W,
        sample: newest.as_deref().and_then(|volume| sample(&volume.catalogue)),
        number: typed.number,
        id_number: typed.id_number,
        told,
        found,
        frame: frame(tx, caller, now_ms, Here::PickUp)?,
    })
}
