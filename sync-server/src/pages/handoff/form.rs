//! `/handoffs/start/{region}/{code}`: the form of the home region, in the version that it has now, for whoever stands here.
//!
//! The page carries what is typed; nothing is kept before the last button, and then it is sealed. Scans and originals are
//! not taken for other regions yet: a form that cannot do without says so at its check.
use askama::Template;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::catalogue::Entry;
use domain::date::CivilDate;
use domain::form::{Answers, Facts, Form};
use domain::handoff::{Adcode, HandoffState, Mode, Side, Step};
use domain::ids::{EnvelopeId, ItemCode};
use domain::situation::{SituationAnswers, misfits, questions, resolve};
use domain::text::Language;
use domain::wire::v1::{Person, Submission};

use super::{W, id_in, partners};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form_drawing::{DO, Deed, Filled, PAGE, Sheet};
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::sign_in::drawn;
use crate::pages::window::{Sent, person_of};
use crate::pages::{Page, render, situation_form};
use crate::partners::{Partner, Register, Silence, form_of};
use crate::services::catalogue::Volume;
use crate::services::handoff::{self, Heard, New, NewContent};
use crate::services::sessions::Caller;
use crate::services::submission_form::facts;
use crate::services::window::visits;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::words::Words;

/// The deed of the button at the check.
const SUBMIT: &str = "submit";
/// Names of what is asked beside the form.
const WHO: [&str; 4] = ["_id", "_who.number", "_who.name", "_who.address"];

#[derive(Template)]
#[template(path = "handoff_form.html")]
struct FormPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    title: String,
    region: String,
    phone: String,
    version: String,
    department: String,
    legal: String,
    heard: Option<String>,
    drawn: String,
}

#[derive(Template)]
#[template(path = "handoff_who.html")]
struct Who {
    w: Words,
    faults: Vec<String>,
    id: String,
    number: String,
    name: String,
    address: String,
    situation: String,
}

enum Became {
    At(String),
    Drawn(StatusCode, Box<FormPage>),
}

fn answer(became: Became) -> Page {
    match became {
        Became::At(address) => Ok(see_other(&address)),
        Became::Drawn(StatusCode::OK, page) => render(&*page),
        Became::Drawn(status, page) => drawn(render(&*page)?, status, None),
    }
}

type Place = Result<Path<(String, String)>, PathRejection>;

fn place_in(place: Place) -> Result<(Adcode, ItemCode), ServiceError> {
    let Ok(Path((region, code))) = place else { return Err(ProblemCode::NotFound.into()) };
    match (region.parse(), code.parse()) {
        (Ok(region), Ok(code)) => Ok((region, code)),
        _ => Err(ProblemCode::NotFound.into()),
    }
}

/// An empty form.
pub async fn form(State(app): State<App>, caller: Caller, place: Place) -> Page {
    let place = place_in(place)?;
    let became = blocking(move || {
        let gone = format!("/handoffs/start/{}?told=not_taken", place.0);
        let Some(desk) = Desk::asked(&app, &caller, place)? else { return Ok(Became::At(gone)) };
        let id = EnvelopeId::new(desk.now_ms, &mut app.centre.random()).to_string();
        let page = desk.page(vec![("_id".to_owned(), id)], None)?;
        Ok(Became::Drawn(StatusCode::OK, Box::new(page)))
    })
    .await?;
    answer(became)
}

/// What was filled in, once more: after a return, or because the home region changed its rules.
pub async fn refill(State(app): State<App>, caller: Caller, id: Result<Path<String>, PathRejection>) -> Page {
    let id = id_in(id.ok().map(|Path(id)| id))?;
    let became = blocking(move || {
        let centre = &app.centre;
        let (row, content) = centre.read(|tx| {
            let row = handoff::find(tx, &id)?;
            if row.side != Side::Accepting || row.clerk != caller.account.as_str() {
                return Err(ProblemCode::NotFound.into());
            }
            Ok::<_, ServiceError>((row, handoff::open_content(tx, &id, &centre.context().keys)?))
        })?;
        let Some(desk) = Desk::asked(&app, &caller, (row.partner.clone(), row.item.clone()))? else {
            return Ok(Became::At(format!("/handoffs/one/{id}?told=not_taken")));
        };
        let person = &content.applicant;
        let who = [row.id.to_string(), person.id_number.clone(), person.name.clone()];
        let mut pairs: Vec<_> = WHO.iter().map(|name| (*name).to_owned()).zip(who).collect();
        pairs.push((WHO[3].to_owned(), person.address.clone().unwrap_or_default()));
        let filled = Filled::new(Answers::from_map(content.answers.clone()));
        let page = desk.page(pairs, Some((filled, content.situation.unwrap_or_default())))?;
        Ok(Became::Drawn(StatusCode::OK, Box::new(page)))
    })
    .await?;
    answer(became)
}

/// The form after a change, a page or the last button.
pub async fn turn(
    State(app): State<App>,
    caller: Caller,
    place: Place,
    body: Result<Multipart, MultipartRejection>,
) -> Page {
    let place = place_in(place)?;
    let body = body.map_err(|_| ServiceError::from(ProblemCode::UnsupportedMediaType))?;
    let sent = Sent::read(body).await?;
    answer(blocking(move || Desk::known(&app, &caller, place)?.turned(&sent)).await?)
}

/// A form of another region on a clerk's desk.
struct Desk<'a> {
    app: &'a App,
    caller: &'a Caller,
    register: Register,
    partner: Partner,
    heard: Heard,
    volume: Volume,
    code: ItemCode,
    now_ms: i64,
    /// The region did not answer just now.
    silent: bool,
}

impl<'a> Desk<'a> {
    /// With the form as its region has it now, or as it was heard of last while the region is silent; none if the region
    /// says that it does not take this any more.
    fn asked(
        app: &'a App,
        caller: &'a Caller,
        (region, code): (Adcode, ItemCode),
    ) -> Result<Option<Self>, ServiceError> {
        let now_ms = app.centre.now_ms();
        let partner = partners(app)?.partner(&region).cloned().ok_or(ProblemCode::NotFound)?;
        let silent = match form_of(&partner, &code) {
            Ok(form) => {
                let kept = Heard::now(form, now_ms)?;
                app.centre.write(move |tx| handoff::keep_heard(tx, &kept))?;
                false
            }
            Err(Silence::NotTaken) => return Ok(None),
            Err(_) => true,
        };
        let desk = Self::known(app, caller, (region, code))?;
        Ok(Some(Self { silent, ..desk }))
    }

    /// With the form as it was heard of last: each turn of a page must not wait for another region.
    fn known(
        app: &'a App,
        caller: &'a Caller,
        (region, code): (Adcode, ItemCode),
    ) -> Result<Self, ServiceError> {
        let (register, now_ms, silent) = (partners(app)?, app.centre.now_ms(), false);
        let partner = register.partner(&region).cloned().ok_or(ProblemCode::NotFound)?;
        let kept = app.centre.read(|tx| handoff::heard(tx, &region, &code))?;
        let heard = kept.ok_or(ProblemCode::NotFound)?;
        let base =
            app.centre.read(|tx| app.centre.context().shelf.newest(tx))?.ok_or(ProblemCode::NotFound)?;
        let volume = handoff::with_item(&base, &heard.form.item);
        Ok(Self { app, caller, register, partner, heard, volume, code, now_ms, silent })
    }

    fn today(&self) -> CivilDate {
        CivilDate::in_china(self.now_ms)
    }

    fn entry(&self) -> Result<Entry<'_>, ServiceError> {
        Ok(self.volume.catalogue.entry(&self.code).ok_or(ProblemCode::NotFound)?)
    }

    fn form(&self, situation: &SituationAnswers) -> Result<Form, ServiceError> {
        let plain = self.volume.form(&self.code)?.ok_or(ProblemCode::NotFound)?;
        let adjusted = plain.adjusted(&resolve(&self.volume.catalogue, self.entry()?, situation).adjustments);
        Ok(adjusted.unwrap_or_else(|_| (*plain).clone()))
    }

    fn facts(&self, person: Option<&Person>) -> Facts {
        let known = person.map_or_else(|| Facts::on(self.today()), |person| facts(person, self.today()));
        Facts { captures: true, ..known }
    }

    /// A page that nothing was done at yet.
    fn page(
        &self,
        pairs: Vec<(String, String)>,
        filled: Option<(Filled, SituationAnswers)>,
    ) -> Result<FormPage, ServiceError> {
        let sent = Sent { pairs, files: Vec::new() };
        let (filled, situation) =
            filled.unwrap_or_else(|| (Filled::new(Answers::default()), SituationAnswers::new()));
        let person = self.person(&sent).ok();
        self.draw(&sent, (filled, &situation, person.as_ref()), (0, Deed::read(""), Vec::new()))
    }

    fn person(&self, sent: &Sent) -> Result<Person, Vec<String>> {
        let typed = (sent.get(WHO[1]), sent.get(WHO[2]), sent.get(WHO[3]));
        let wrong = |wrong: Vec<(&'static str, String)>| wrong.into_iter().map(|(_, words)| words).collect();
        person_of(typed, self.today()).map(|(person, _)| person).map_err(wrong)
    }

    fn turned(&self, sent: &Sent) -> Result<Became, ServiceError> {
        let situation = situation_form::read(sent.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        let form = self.form(&situation)?;
        let filled = Filled::read(&form, &self.volume.catalogue.regions, &sent.pairs)
            .map_err(|e| ServiceError::refused(ProblemCode::MalformedRequest, e.to_string()))?;
        let person = self.person(sent);
        let wants_submit = sent.get(DO) == SUBMIT;
        let at = sent.get(PAGE).parse().unwrap_or(0);
        if !wants_submit {
            let deed = Deed::read(sent.get(DO));
            let faults = match (&person, &deed) {
                (Err(wrong), Deed::Next) => wrong.clone(),
                _ => Vec::new(),
            };
            let page = self.draw(sent, (filled, &situation, person.as_ref().ok()), (at, deed, faults))?;
            return Ok(Became::Drawn(StatusCode::OK, Box::new(page)));
        }
        let id = sent.get(WHO[0]).parse().map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
        match self.submission(&form, (&filled, &situation), person) {
            Ok(submission) => self.keep(id, &submission),
            Err((person, faults)) => {
                let deed = Deed::read("");
                let page =
                    self.draw(sent, (filled, &situation, person.as_ref()), (usize::MAX, deed, faults))?;
                Ok(Became::Drawn(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page)))
            }
        }
    }

    /// What would be handed over, or what is wrong with it in words; mistakes of answers stand in the summary.
    fn submission(
        &self,
        form: &Form,
        (filled, situation): (&Filled, &SituationAnswers),
        person: Result<Person, Vec<String>>,
    ) -> Result<Submission, (Option<Person>, Vec<String>)> {
        let person = person.map_err(|faults| (None, faults))?;
        let Ok(entry) = self.entry() else { return Err((Some(person), Vec::new())) };
        if !misfits(&self.volume.catalogue, entry, situation).is_empty() {
            return Err((Some(person), vec![W.t("window.situation_first").to_owned()]));
        }
        let facts = self.facts(Some(&person));
        let sheet = self.sheet(form, &facts, (filled.clone(), 0), (String::new(), ""));
        if !sheet.judged().1.is_empty() {
            return Err((Some(person), Vec::new()));
        }
        let asked = !questions(&self.volume.catalogue, entry).is_empty();
        let answers = sheet.effective().as_map().clone();
        Ok(Submission { applicant: person, answers, situation: asked.then(|| situation.clone()) })
    }

    /// Takes it in, or keeps it in the place of what was filled in before.
    fn keep(&self, id: EnvelopeId, submission: &Submission) -> Result<Became, ServiceError> {
        let (centre, now_ms, clerk) =
            (&self.app.centre, self.now_ms, self.caller.account.as_str().to_owned());
        let keys = &centre.context().keys;
        let content = NewContent::seal((&id, now_ms), submission, keys, &mut centre.random())?;
        let (item, version) = (self.heard.form.item.clone(), self.heard.form.catalogue_version);
        let partner = self.partner.adcode.clone();
        let kept = centre.write(move |tx| {
            match handoff::find(tx, &id) {
                Ok(row) => {
                    let own = row.side == Side::Accepting
                        && (row.clerk.as_str(), &row.partner, &row.item) == (&*clerk, &partner, &item.code);
                    if !own {
                        return Err(ProblemCode::MalformedRequest.into());
                    }
                    // A page of before changes nothing any more once it was handed over.
                    let open = matches!(row.state(), HandoffState::Received | HandoffState::Returned);
                    if open {
                        handoff::keep_content(tx, &content, version)?;
                    }
                    Ok(open)
                }
                Err(ServiceError::Refused { code: ProblemCode::NotFound, .. }) => {
                    let new = New {
                        id,
                        side: Side::Accepting,
                        partner: &partner,
                        item: &item.code,
                        title: item.name.get(Language::ZhCn),
                        unit: item.department.as_str(),
                        clerk: &clerk,
                        legal: item.legal,
                        form_version: version,
                    };
                    let step = Step::Received { mode: Mode::HandIn };
                    handoff::begin(tx, (now_ms, &clerk), &new, (now_ms, &step, None))?;
                    handoff::keep_content(tx, &content, version)?;
                    if let Some(visit) = visits::open_today(tx, now_ms, &clerk)? {
                        visits::served(tx, now_ms, &visit)?;
                    }
                    Ok(true)
                }
                Err(e) => Err(e),
            }
        })?;
        Ok(Became::At(format!("/handoffs/one/{id}{}", if kept { "" } else { "?told=stale" })))
    }

    fn sheet<'s>(
        &'s self,
        form: &'s Form,
        facts: &'s Facts,
        (filled, page): (Filled, usize),
        (before, action): (String, &'s str),
    ) -> Sheet<'s> {
        let regions = &self.volume.catalogue.regions;
        Sheet { form, facts, regions, filled, page, language: W.0, action, before, live: true }
    }

    fn draw(
        &self,
        sent: &Sent,
        (filled, situation, person): (Filled, &SituationAnswers, Option<&Person>),
        (at, deed, faults): (usize, Deed, Vec<String>),
    ) -> Result<FormPage, ServiceError> {
        let drawn = |e: askama::Error| ServiceError::Inconsistent(format!("a form could not be drawn: {e}"));
        let (catalogue, entry, form) = (&self.volume.catalogue, self.entry()?, self.form(situation)?);
        let (facts, resolution) = (self.facts(person), resolve(catalogue, entry, situation));
        let action = format!("/handoffs/start/{}/{}", self.partner.adcode, self.code);
        let mut sheet = self.sheet(&form, &facts, (filled, at), (String::new(), &action));
        if faults.is_empty() {
            sheet.act(deed);
        }
        let first = sheet.page == 0;
        let questions =
            situation_form::draw((catalogue, entry), situation, &resolution, (W.0, first)).map_err(drawn)?;
        let who = Who {
            w: W,
            faults,
            id: sent.get(WHO[0]).to_owned(),
            number: sent.get(WHO[1]).to_owned(),
            name: sent.get(WHO[2]).to_owned(),
            address: sent.get(WHO[3]).to_owned(),
            situation: questions,
        };
        sheet.before = who.render().map_err(drawn)?;
        let frame = self.app.centre.read(|tx| frame(tx, self.caller, self.now_ms, Here::Handoffs))?;
        let item = &self.heard.form.item;
        let heard = crate::pages::view::time(self.heard.heard_at_ms, self.now_ms);
        Ok(FormPage {
            title: item.name.get(W.0).to_owned(),
            region: self.partner.name.clone(),
            phone: self.partner.phone.clone(),
            version: format!("v{}", self.heard.form.catalogue_version),
            department: item.department.to_string(),
            legal: crate::pages::view::period(W, item.legal),
            heard: self.silent.then(|| {
                W.fill("handoff.silent_form", &[("time", &heard), ("own", &self.register.own.phone)])
            }),
            drawn: sheet.draw().map_err(drawn)?,
            sample: sample(catalogue),
            frame,
            w: W,
        })
    }
}
