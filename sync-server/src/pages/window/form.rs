//! `/window/forms/{id}`: the form of whoever stands there. What is filled in is kept sealed with each call, so that a
//! sign-out or a power cut loses nothing; the page carries it too, and what it shows is what is handed in.
use std::sync::Arc;

use askama::Template;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::applicant::{mask_id_staff, mask_name};
use domain::catalogue::Entry;
use domain::date::CivilDate;
use domain::envelope::DataKey;
use domain::form::{Answers, Facts, Form};
use domain::ids::{CaseNo, EnvelopeId};
use domain::situation::{SituationAnswers, misfits, resolve};
use serde_json::{Map, Value};

use super::files::{Given, Taking};
use super::purpose::{AskedView, Purpose};
use super::sent::Sent;
use super::{W, department, draft_of, id_in, supplement_refusal, visit_line};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form_drawing::{DO, Deed, Filled, PAGE, Sheet};
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::sign_in::drawn;
use crate::pages::{Page, render, situation_form, view};
use crate::services::catalogue::Volume;
use crate::services::sessions::Caller;
use crate::services::submission_form::facts;
use crate::services::supplementing::{self, NotAsked};
use crate::services::window::drafts::{self, Content, Draft, KeptFile, Sealed};
use crate::services::window::{self, visits};
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::words::Words;

/// The deed of the button at the check.
const SUBMIT: &str = "submit";
/// How often a call tries to keep what it has, at most, while others keep theirs.
const TRIES: usize = 8;

#[derive(Template)]
#[template(path = "window_form.html")]
pub(super) struct FormPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    title: String,
    code: String,
    version: String,
    department: String,
    person: String,
    number: String,
    address: Option<String>,
    visit: String,
    kept: String,
    materials: Vec<String>,
    /// What the case waits for, if this adds to one.
    asked: Option<AskedView>,
    drawn: String,
    own: String,
}

/// What is told above the form; part of it, so that a script that draws the form anew draws it too.
#[derive(Template)]
#[template(path = "window_faults.html")]
struct Faults {
    faults: Vec<String>,
}

/// What became of a call.
pub(super) enum Became {
    Drawn(StatusCode, Box<FormPage>),
    /// It was handed in, now or before.
    Case(CaseNo),
    /// It was handed in and added to a case, now or before.
    Supplement(EnvelopeId),
}

fn answer(became: Became) -> Page {
    match became {
        Became::Case(number) => Ok(see_other(&format!("/window/slips/{number}"))),
        Became::Supplement(id) => Ok(see_other(&format!("/window/supplements/{id}"))),
        Became::Drawn(StatusCode::OK, page) => render(&*page),
        Became::Drawn(status, page) => drawn(render(&*page)?, status, None),
    }
}

/// The form as it was kept last.
pub async fn form(State(app): State<App>, caller: Caller, id: Result<Path<String>, PathRejection>) -> Page {
    let id = id_in(&id.map(|Path(text)| text).unwrap_or_default())?;
    let became = blocking(move || {
        let Some(desk) = Desk::find(&app, &caller, id)? else { return handed_in(&app, &caller, &id) };
        if let Purpose::Over(why) = desk.purpose {
            return desk.over(why);
        }
        let (content, situation) = (&desk.content, desk.content.situation.clone());
        let (form, _) = desk.form(&situation)?;
        let filled = Filled::new(Answers::from_map(content.answers.clone()));
        let page = desk.page(content.page, (&form, filled), &situation, Vec::new())?;
        Ok(Became::Drawn(StatusCode::OK, Box::new(page)))
    })
    .await?;
    answer(became)
}

/// The form after a change, a page or the last button.
pub async fn turn(
    State(app): State<App>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    body: Result<Multipart, MultipartRejection>,
) -> Page {
    let id = id_in(&id.map(|Path(text)| text).unwrap_or_default())?;
    let body = body.map_err(|_| ServiceError::from(ProblemCode::UnsupportedMediaType))?;
    let sent = Sent::read(body).await?;
    answer(blocking(move || turned(&app, &caller, id, &sent)).await?)
}

/// Where a form led that is a draft no more.
fn handed_in(app: &App, caller: &Caller, id: &EnvelopeId) -> Result<Became, ServiceError> {
    let (number, supplement) = app.centre.read(|tx| {
        let number = window::made_of(tx, caller.account.as_str(), id)?;
        Ok::<_, ServiceError>((number, supplementing::handed_in(tx, id)?))
    })?;
    match (number, supplement) {
        (Some(number), _) => Ok(Became::Case(number)),
        (None, Some(_)) => Ok(Became::Supplement(*id)),
        (None, None) => Err(ProblemCode::NotFound.into()),
    }
}

fn turned(app: &App, caller: &Caller, id: EnvelopeId, sent: &Sent) -> Result<Became, ServiceError> {
    let Some(mut desk) = Desk::find(app, caller, id)? else { return handed_in(app, caller, &id) };
    if let Purpose::Over(why) = desk.purpose {
        return desk.over(why);
    }
    let situation = situation_form::read(sent.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    let (form, mut faults) = desk.form(&situation)?;
    let filled = Filled::read(&form, &desk.volume.catalogue.regions, &sent.pairs)
        .map_err(|e| ServiceError::refused(ProblemCode::MalformedRequest, e.to_string()))?;
    let as_sent = filled.answers().as_map().clone();
    let (facts, mut kept) = (desk.facts(), std::mem::take(&mut desk.content.files));
    let mut sheet = Sheet {
        form: &form,
        facts: &facts,
        regions: &desk.volume.catalogue.regions,
        filled,
        page: sent.get(PAGE).parse().unwrap_or(0),
        language: W.0,
        action: "",
        before: String::new(),
        live: true,
    };
    let taking = Taking { app, clerk: &desk.clerk, id, key: &desk.key };
    let taken = taking.take(&mut sheet, &mut kept, &sent.files)?;
    let wants_submit = sent.get(DO) == SUBMIT;
    // The questions come first: what they lead to is not known before they are answered.
    let deed = Deed::read(sent.get(DO));
    let too_early = !faults.is_empty() && matches!(deed, Deed::Next | Deed::Page(_));
    match deed {
        Deed::Sample(_) => {}
        _ if too_early => sheet.page = 0,
        deed => sheet.act(deed),
    }
    if !too_early {
        faults.clear();
    }
    faults.extend(taken.faults.iter().cloned());
    let (filled, page, answers) = (sheet.filled.clone(), sheet.page, sheet.filled.answers().as_map().clone());
    let (plan, errors) = sheet.judged();
    let fields = plan.pages.iter().flat_map(|page| &page.fields).filter(|field| field.files.is_some());
    let files = fields.filter_map(|field| field.value.clone()).filter(|value| !value.is_null()).collect();
    let complete = super::submit::Complete { effective: sheet.effective(), errors, files };
    desk.content = Content { situation: situation.clone(), answers, page, files: kept, ..desk.content };
    let mut tries = 0..TRIES;
    while !desk.save()? {
        // Another call kept this form since it was read here.
        let Some(newer) = Desk::find(app, caller, id)? else { return handed_in(app, caller, &id) };
        if tries.next().is_none() || !desk.goes_on_from(&newer.content, &as_sent) {
            return newer.overtook(&taken.given);
        }
        if sent.get(DO).is_empty() {
            desk.content.page = newer.content.page;
        }
        desk.add_files(newer.content.files);
        desk.draft = newer.draft;
    }
    if wants_submit {
        match super::submit::submit(&desk, complete, &situation)? {
            Ok(became) => return Ok(became),
            Err(why) => {
                faults.extend(why);
                let page = desk.page(usize::MAX, (&form, filled), &situation, faults)?;
                return Ok(Became::Drawn(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page)));
            }
        }
    }
    let status = if taken.faults.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(Became::Drawn(status, Box::new(desk.page(page, (&form, filled), &situation, faults)?)))
}

/// A draft on a clerk's desk, opened.
pub(super) struct Desk<'a> {
    pub(super) app: &'a App,
    caller: &'a Caller,
    pub(super) clerk: String,
    pub(super) draft: Draft,
    pub(super) volume: Arc<Volume>,
    pub(super) key: DataKey,
    pub(super) content: Content,
    pub(super) purpose: Purpose,
    pub(super) now_ms: i64,
}

impl<'a> Desk<'a> {
    fn find(app: &'a App, caller: &'a Caller, id: EnvelopeId) -> Result<Option<Self>, ServiceError> {
        let (now_ms, clerk) = (app.centre.now_ms(), caller.account.as_str().to_owned());
        let found = app.centre.read(|tx| draft_of(tx, &app.centre, (&clerk, &id), now_ms))?;
        let Some((draft, volume)) = found else { return Ok(None) };
        let (key, content) = draft.open(&app.centre.context().keys)?;
        let purpose = Purpose::of(&app.centre, content.supplements.as_ref())?;
        Ok(Some(Self { app, caller, clerk, draft, volume, key, content, purpose, now_ms }))
    }

    pub(super) fn entry(&self) -> Result<Entry<'_>, ServiceError> {
        Ok(self.volume.catalogue.entry(&self.draft.item).ok_or(ProblemCode::NotFound)?)
    }

    /// What is known of the person, on the day on which the form is filled.
    pub(super) fn facts(&self) -> Facts {
        if let Purpose::Supplement(adding) = &self.purpose {
            // Nothing of the case is shown, and a button that copies the address of its card would show that.
            return Facts { captures: true, card_address: None, ..adding.sheet.facts.clone() };
        }
        Facts { captures: true, ..facts(&self.content.person, CivilDate::in_china(self.now_ms)) }
    }

    /// The form for a situation, and what is wrong with the answers to its questions.
    fn form(&self, situation: &SituationAnswers) -> Result<(Form, Vec<String>), ServiceError> {
        if let Purpose::Supplement(adding) = &self.purpose {
            let form = adding.sheet.form.clone().ok_or(ProblemCode::NotFound)?;
            return Ok((form, Vec::new()));
        }
        let plain = self.volume.form(&self.draft.item)?.ok_or(ProblemCode::NotFound)?;
        let (catalogue, entry) = (&self.volume.catalogue, self.entry()?);
        let wrong = misfits(catalogue, entry, situation);
        let adjusted = plain.adjusted(&resolve(catalogue, entry, situation).adjustments);
        let faults =
            if wrong.is_empty() { Vec::new() } else { vec![W.t("window.situation_first").to_owned()] };
        Ok((adjusted.unwrap_or_else(|_| (*plain).clone()), faults))
    }

    /// Whether what another call kept is what this one was sent from, or what it came to as well: then nothing is lost
    /// if this one is kept after it. A change and the button that is pressed right after it are such calls.
    fn goes_on_from(&self, newer: &Content, as_sent: &Map<String, Value>) -> bool {
        newer.situation == self.content.situation
            && (newer.answers == *as_sent || newer.answers == self.content.answers)
    }

    fn add_files(&mut self, files: Vec<KeptFile>) {
        for file in files {
            if self.content.files.iter().all(|own| own.page != file.page) {
                self.content.files.push(file);
            }
        }
    }

    /// What another call kept, with the files of a call that was sent from an older form. What else that one sent is
    /// older than what is shown, and is not kept: whoever sent it is told, and looks.
    fn overtook(mut self, given: &[Given]) -> Result<Became, ServiceError> {
        let (app, caller, id) = (self.app, self.caller, self.draft.id);
        for _ in 0..TRIES {
            let (situation, at) = (self.content.situation.clone(), self.content.page);
            let (form, _) = self.form(&situation)?;
            let mut filled = Filled::new(Answers::from_map(self.content.answers.clone()));
            if !given.is_empty() {
                let facts = self.facts();
                let mut sheet = Sheet {
                    form: &form,
                    facts: &facts,
                    regions: &self.volume.catalogue.regions,
                    filled,
                    page: at,
                    language: W.0,
                    action: "",
                    before: String::new(),
                    live: true,
                };
                given.iter().for_each(|one| one.put(&mut sheet, &self.content.files));
                filled = sheet.filled;
                self.content.answers = filled.answers().as_map().clone();
                self.add_files(given.iter().map(|one| one.file.clone()).collect());
                if !self.save()? {
                    let Some(newer) = Self::find(app, caller, id)? else {
                        return handed_in(app, caller, &id);
                    };
                    self = newer;
                    continue;
                }
            }
            let told = vec![W.t("window.overtaken").to_owned()];
            let page = self.page(at, (&form, filled), &situation, told)?;
            return Ok(Became::Drawn(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page)));
        }
        Err(ServiceError::Inconsistent(format!("draft {id}: others kept it all the time")))
    }

    /// Keeps what is filled in now; false if another call kept it since it was read, and then nothing was written.
    fn save(&mut self) -> Result<bool, ServiceError> {
        let id = self.draft.id;
        let sealed = Sealed::seal(&self.key, &id, &self.content, &mut self.app.centre.random())?;
        let (now_ms, clerk, as_read) = (self.now_ms, self.clerk.clone(), self.draft.nonce());
        let kept = self
            .app
            .centre
            .write(move |tx| Ok(drafts::save(tx, now_ms, (&clerk, &id, as_read), &sealed)?))?;
        if kept {
            self.draft.saved_at_ms = now_ms;
        }
        Ok(kept)
    }

    fn page(
        &self,
        at: usize,
        (form, filled): (&Form, Filled),
        situation: &SituationAnswers,
        faults: Vec<String>,
    ) -> Result<FormPage, ServiceError> {
        let drawn = |e: askama::Error| ServiceError::Inconsistent(format!("a form could not be drawn: {e}"));
        let (catalogue, entry, facts) = (&self.volume.catalogue, self.entry()?, self.facts());
        let resolution = resolve(catalogue, entry, situation);
        let own = format!("/window/forms/{}", self.draft.id);
        let mut sheet = Sheet {
            form,
            facts: &facts,
            regions: &catalogue.regions,
            filled,
            page: at,
            language: W.0,
            action: &own,
            before: String::new(),
            live: true,
        };
        let shown = (W.0, at == 0);
        let questions = match self.purpose {
            Purpose::Case => situation_form::draw((catalogue, entry), situation, &resolution, shown),
            _ => Ok(String::new()),
        };
        sheet.before = Faults { faults }.render().map_err(drawn)? + &questions.map_err(drawn)?;
        let sheet = sheet.draw().map_err(drawn)?;
        let materials = resolution.materials.iter().map(|m| m.name.get(W.0).to_owned()).collect();
        self.around(sheet, if matches!(self.purpose, Purpose::Case) { materials } else { Vec::new() })
    }

    /// That nothing is waited for any more; the draft can be thrown away. Or where it led, if another click with it was
    /// first.
    fn over(&self, why: NotAsked) -> Result<Became, ServiceError> {
        let id = self.draft.id;
        if self.app.centre.read(|tx| supplementing::handed_in(tx, &id))?.is_some() {
            return Ok(Became::Supplement(id));
        }
        let told = Faults { faults: vec![supplement_refusal(W, why)] }.render();
        let told = told.map_err(|e| ServiceError::Inconsistent(format!("a page could not be drawn: {e}")))?;
        let page = self.around(told, Vec::new())?;
        Ok(Became::Drawn(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page)))
    }

    /// The page around a drawn form.
    fn around(&self, drawn: String, materials: Vec<String>) -> Result<FormPage, ServiceError> {
        let (catalogue, entry) = (&self.volume.catalogue, self.entry()?);
        let person = &self.content.person;
        let (frame, visit) = self.app.centre.read(|tx| {
            let visit = visits::of_clerk(tx, &self.clerk, &self.draft.visit)?;
            Ok::<_, ServiceError>((frame(tx, self.caller, self.now_ms, Here::Window)?, visit))
        })?;
        let kept = view::time(self.draft.saved_at_ms, self.now_ms);
        Ok(FormPage {
            title: entry.title().get(W.0).to_owned(),
            code: self.draft.item.to_string(),
            version: format!("v{}", catalogue.version),
            department: department(entry),
            person: mask_name(&person.name),
            number: mask_id_staff(&person.id_number),
            address: person.address.clone(),
            visit: visit_line(&visit),
            kept: W
                .fill("window.kept", &[("time", &kept), ("n", &catalogue.policies.draft_hours.to_string())]),
            materials,
            asked: match &self.purpose {
                Purpose::Supplement(adding) => Some(adding.view(W, self.now_ms)),
                _ => None,
            },
            drawn,
            own: format!("/window/forms/{}", self.draft.id),
            sample: sample(catalogue),
            frame,
            w: W,
        })
    }
}
