//! `/window/start/{code}`: who stands there, by the number on the card. The form begins with it, and so does its visit.
use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery, State};
use axum::http::StatusCode;
use domain::applicant::{
    IdNumberError, IdNumberKind, IdentitySource, birth_of_id_number, id_number_kind, sex_of_id_number,
};
use domain::case::VisitKind;
use domain::catalogue::Entry;
use domain::date::CivilDate;
use domain::envelope::DataKey;
use domain::ids::{EnvelopeId, ItemCode};
use domain::item::MaterialSource;
use domain::situation::SituationAnswers;
use domain::wire::v1::Person;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::Map;

use super::{W, code_in, department, id_in, newest, refusal, visit_line};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form::Fields;
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::sign_in::drawn;
use crate::pages::{Page, in_address, render};
use crate::services::sessions::Caller;
use crate::services::window;
use crate::services::window::drafts::{self, Content, New, Sealed};
use crate::services::window::visits::{self, Visit};
use crate::services::{case_key, receipt, rollout};
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::store::Tx;
use crate::words::Words;

/// The longest name and the longest address, in characters.
const MAX_NAME_CHARS: usize = 60;
const MAX_ADDRESS_CHARS: usize = 120;
/// Fields of the form.
const FIELDS: [&str; 7] = ["form", "with", "window", "kind", "number", "name", "address"];

/// What stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    with: String,
}

#[derive(Template)]
#[template(path = "window_person.html")]
struct PersonPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    title: String,
    code: String,
    department: String,
    one_line: String,
    materials: Vec<(String, String)>,
    refused: Option<String>,
    /// The visit that goes on; none if the form opens one.
    visit: Option<String>,
    kinds: Vec<(&'static str, String, bool)>,
    typed: Typed,
    mistakes: Vec<(&'static str, String)>,
    most_name: usize,
    most_address: usize,
    most_window: usize,
}

/// What came, or what an empty form begins with. Never printed: it is a person's.
#[derive(Clone, Default)]
struct Typed {
    form: String,
    with: String,
    window: String,
    kind: String,
    number: String,
    name: String,
    address: String,
}

impl PersonPage {
    fn mistake(&self, field: &str) -> Option<&String> {
        self.mistakes.iter().find(|(name, _)| *name == field).map(|(_, words)| words)
    }
}

/// Asks who stands there.
pub async fn person(
    State(app): State<App>,
    caller: Caller,
    code: Result<Path<String>, PathRejection>,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let code = code_in(&code.map(|Path(text)| text).unwrap_or_default())?;
    let asked = in_address(asked)?;
    let page = blocking(move || {
        let form = EnvelopeId::new(app.centre.now_ms(), &mut app.centre.random()).to_string();
        let kind = VisitKind::Window.as_str().to_owned();
        let typed = Typed { form, with: asked.with, kind, ..Typed::default() };
        draw(&app, &caller, &code, (typed, Vec::new(), None))
    })
    .await?;
    render(&page)
}

fn draw(
    app: &App,
    caller: &Caller,
    code: &ItemCode,
    (mut typed, mistakes, refused): (Typed, Vec<(&'static str, String)>, Option<String>),
) -> Result<PersonPage, ServiceError> {
    let (now_ms, clerk) = (app.centre.now_ms(), caller.account.as_str());
    app.centre.read(|tx| {
        let volume = newest(tx, &app.centre)?;
        let catalogue = &volume.catalogue;
        let entry = catalogue.entry(code).ok_or(ProblemCode::NotFound)?;
        let withdrawn = rollout::withdrawn(tx)?;
        let may = window::can_begin((catalogue, &withdrawn), code, None, CivilDate::in_china(now_ms));
        let visit = at_hand(tx, now_ms, clerk, &typed.with)?;
        if typed.window.is_empty() {
            typed.window = visits::last_window(tx, clerk)?.unwrap_or_default();
        }
        let kinds = VisitKind::ALL.iter();
        let kinds = kinds.map(|k| (k.as_str(), W.of("visit_kind", k.as_str()), k.as_str() == typed.kind));
        Ok(PersonPage {
            title: entry.title().get(W.0).to_owned(),
            code: code.to_string(),
            department: department(entry),
            one_line: entry.guide().one_line.get(W.0).to_owned(),
            materials: materials(entry),
            refused: refused.or_else(|| may.err().as_ref().map(refusal)),
            visit: visit.as_ref().map(visit_line),
            kinds: kinds.collect(),
            typed,
            mistakes,
            most_name: MAX_NAME_CHARS,
            most_address: MAX_ADDRESS_CHARS,
            most_window: visits::MAX_WINDOW_CHARS,
            sample: sample(catalogue),
            frame: frame(tx, caller, now_ms, Here::Window)?,
            w: W,
        })
    })
}

/// The visit that a form is begun in: the open one, or an ended one that goes on.
fn at_hand(tx: &mut Tx<'_>, now_ms: i64, clerk: &str, with: &str) -> Result<Option<Visit>, ServiceError> {
    match visits::open_today(tx, now_ms, clerk)? {
        Some(visit) => Ok(Some(visit)),
        None if !with.is_empty() => visits::going_on(tx, now_ms, clerk, with),
        None => Ok(None),
    }
}

/// What the person should have at hand, and where it comes from.
fn materials(entry: Entry<'_>) -> Vec<(String, String)> {
    let word = |source| match source {
        MaterialSource::Card => "card",
        MaterialSource::Shared => "shared",
        MaterialSource::Bring => "bring",
        MaterialSource::Sign => "sign",
        MaterialSource::Promise => "promise",
    };
    let one = |m: &domain::item::Material| {
        (m.name.get(W.0).to_owned(), W.of("choice", &format!("source.{}", word(m.source))))
    };
    entry.materials().iter().map(one).collect()
}

/// What the number, the name and the address make, or what is wrong with them.
pub(in crate::pages) fn person_of(
    (number, name, address): (&str, &str, &str),
    today: CivilDate,
) -> Result<(Person, IdNumberKind), Vec<(&'static str, String)>> {
    let mut wrong = Vec::new();
    let number: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    let number = number.to_ascii_uppercase();
    let kind = id_number_kind(&number, Some(today));
    if let Err(error) = &kind {
        let key = match error {
            IdNumberError::Length(_) => "id_length",
            IdNumberError::Character => "id_character",
            IdNumberError::Birthday => "id_birthday",
            IdNumberError::CheckDigit => "id_check",
        };
        wrong.push(("number", W.of("window_mistake", key)));
    }
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned();
    let (name, address) = (clean(name), clean(address));
    if name.is_empty() {
        wrong.push(("name", W.of("window_mistake", "name")));
    }
    if name.chars().nth(MAX_NAME_CHARS).is_some() {
        wrong.push(("name", W.of("window_mistake", "name_long")));
    }
    if address.chars().nth(MAX_ADDRESS_CHARS).is_some() {
        wrong.push(("address", W.of("window_mistake", "address_long")));
    }
    match kind {
        Ok(kind) if wrong.is_empty() => {
            let person = Person {
                source: IdentitySource::Typed,
                sex: Some(sex_of_id_number(&number)).filter(|sex| *sex != 0),
                birth: birth_of_id_number(&number),
                address: Some(address).filter(|address| !address.is_empty()),
                name,
                id_number: number,
            };
            Ok((person, kind))
        }
        _ => Err(wrong),
    }
}

/// What became of it.
enum Began {
    At(String),
    Not(Box<PersonPage>),
}

/// Begins the form.
pub async fn begin(
    State(app): State<App>,
    caller: Caller,
    code: Result<Path<String>, PathRejection>,
    fields: Fields,
) -> Page {
    let code = code_in(&code.map(|Path(text)| text).unwrap_or_default())?;
    let fields = fields.only(&FIELDS)?;
    let get = |name: &str| fields.get(name).to_owned();
    let typed = Typed {
        form: get("form"),
        with: get("with"),
        window: get("window"),
        kind: get("kind"),
        number: get("number"),
        name: get("name"),
        address: get("address"),
    };
    match blocking(move || make(&app, &caller, &code, typed)).await? {
        Began::At(address) => Ok(see_other(&address)),
        Began::Not(page) => drawn(render(&*page)?, StatusCode::UNPROCESSABLE_ENTITY, None),
    }
}

/// Whether what has this id is the clerk's own; nothing if nothing has it. The same click again leads where the first one
/// led; an id of somebody else leads nowhere.
fn is_own(
    tx: &mut Tx<'_>,
    (clerk, id): (&str, &EnvelopeId),
    since_ms: i64,
) -> Result<Option<bool>, ServiceError> {
    if !drafts::is_taken(tx, id)? && receipt::stored(tx, id)?.is_none() {
        return Ok(None);
    }
    let own = drafts::find(tx, clerk, id, since_ms)?.is_some() || window::made_of(tx, clerk, id)?.is_some();
    Ok(Some(own))
}

/// A data key for a draft, as it is stored.
pub(super) fn wrapped_key(
    app: &App,
    (key, id, now_ms): (&DataKey, &EnvelopeId, i64),
    rng: &mut dyn CryptoRng,
) -> Result<case_key::Wrapped, ServiceError> {
    let wrong = |what: String| ServiceError::Inconsistent(format!("draft {id}: {what}"));
    let wrapped = case_key::wrap(key, (id, now_ms), &app.centre.context().keys, rng);
    let wrapped = wrapped.map_err(|e| wrong(operator::findings::with_causes(&e)))?;
    wrapped.ok_or_else(|| wrong("its key cannot be wrapped".to_owned()))
}

fn make(app: &App, caller: &Caller, code: &ItemCode, typed: Typed) -> Result<Began, ServiceError> {
    let (centre, now_ms, clerk) = (&app.centre, app.centre.now_ms(), caller.account.as_str().to_owned());
    let id = id_in(&typed.form).map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
    let at = Began::At(format!("/window/forms/{id}"));
    let today = CivilDate::in_china(now_ms);
    let (volume, withdrawn, suite, open, known) = centre.read(|tx| {
        let volume = newest(tx, centre)?;
        let known = is_own(tx, (&clerk, &id), super::since_ms(&volume, now_ms))?;
        let open = at_hand(tx, now_ms, &clerk, &typed.with)?.is_some();
        let suite = window::suite(tx, centre.context(), now_ms)?;
        Ok::<_, ServiceError>((volume, rollout::withdrawn(tx)?, suite, open, known))
    })?;
    match known {
        Some(true) => return Ok(at),
        Some(false) => return Err(ProblemCode::MalformedRequest.into()),
        None => {}
    }
    let not = |mistakes, refused| {
        Ok(Began::Not(Box::new(draw(app, caller, code, (typed.clone(), mistakes, refused))?)))
    };
    let mut found = person_of((&typed.number, &typed.name, &typed.address), today);
    let window = visits::window_named(&typed.window);
    if !open && window.is_none() {
        let mut wrong = found.err().unwrap_or_default();
        wrong.push(("window", W.of("window_mistake", "window")));
        found = Err(wrong);
    }
    let (person, kind) = match found {
        Ok(found) => found,
        Err(wrong) => return not(wrong, None),
    };
    let visit_kind = VisitKind::from_name(&typed.kind).ok_or(ProblemCode::MalformedRequest)?;
    if let Err(why) = window::can_begin((&volume.catalogue, &withdrawn), code, Some(kind), today) {
        return not(Vec::new(), Some(refusal(&why)));
    }
    let mut rng = centre.random();
    let key = DataKey::random(suite, &mut rng);
    let wrapped = wrapped_key(app, (&key, &id, now_ms), &mut rng)?;
    let (situation, answers) = (SituationAnswers::new(), Map::new());
    let content = Content { person, situation, answers, page: 0, files: Vec::new(), supplements: None };
    let sealed = Sealed::seal(&key, &id, &content, &mut rng)?;
    let (code, with, version) = (code.clone(), typed.with.clone(), volume.catalogue.version);
    let (window, clerk_id, since_ms) = (window.unwrap_or_default(), clerk, super::since_ms(&volume, now_ms));
    let begun = centre.write(move |tx| {
        visits::forget_old(tx, now_ms, &clerk_id)?;
        let visit = match at_hand(tx, now_ms, &clerk_id, &with)? {
            Some(visit) => visit,
            None => visits::open(tx, (now_ms, &mut rng.clone()), &clerk_id, (&window, visit_kind, false))?,
        };
        let new = New {
            id,
            visit: &visit.id,
            item: &code,
            catalogue_version: version,
            key: &wrapped,
            sealed: &sealed,
        };
        if drafts::is_taken(tx, &id)? {
            return Ok(true);
        }
        let begun = drafts::begin(tx, (now_ms, since_ms), &clerk_id, &new)?;
        if begun {
            visits::start(tx, now_ms, &visit)?;
        }
        Ok(begun)
    })?;
    if begun { Ok(at) } else { not(Vec::new(), Some(W.number("window.too_many_drafts", drafts::MOST))) }
}
