//! `/slips/{number}/supplement?d=…`: 补材料 on the phone of whoever holds the slip: just what the notices ask for, one
//! page, one button. Nothing that was handed in before is shown; no sign-in but number and token.
//!
//! What is kept between two calls travels in the page, but for photos: they are chosen again after a mistake. Refuses
//! what one page cannot ask (rows, regions, a signature): that is brought to a window, all of it, because a supplement
//! ends the turn of whoever asked for some of it.
use askama::Template;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use domain::envelope::{BlobPlace, DataKey, Digest};
use domain::form::{Answers, Facts, FieldError, Form, UiField, Widget};
use domain::ids::{CaseNo, EnvelopeId};
use domain::wire::v1::{BlobEntry, BlobKind};
use serde_json::Value;

use super::form_drawing::{Filled, Sheet};
use super::moment::Begun;
use super::sign_in::drawn;
use super::slip::{SlipQuery, asked, is_sample, not_here};
use super::window::purpose::{Adding, AskedView};
use super::window::{MAX_FILES, Sent, answer_of, file_refused, harmless, minutes_left, supplement_refusal};
use super::{Page, render, view};
use crate::api::blocking;
use crate::auth::lockout;
use crate::error::{ProblemCode, ServiceError};
use crate::services::Context;
use crate::services::sign_in_failures::{self as failures, Counted};
use crate::services::slips::{self, Proof, SlipView};
use crate::services::supplementing::{self, Bringing, HandedIn, NotAsked};
use crate::services::window::suite;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::store::{Tx, WriteError};
use crate::words::Words;

/// Name of the hidden field with the id that the supplement will have.
const FORM: &str = "_form";
/// When to come again while others send, milliseconds.
const BUSY_MS: i64 = 5_000;

#[derive(Template)]
#[template(path = "slip_supplement.html")]
struct SupplementPage {
    w: Words,
    sample: bool,
    last_four: String,
    back: String,
    own: String,
    id: String,
    heading: String,
    until: String,
    asked: Option<AskedView>,
    fields: String,
    faults: Vec<String>,
    done: Option<DoneView>,
}

struct DoneView {
    at: String,
    receipt_no: u64,
    pages: u64,
}

/// Somebody who proved to hold the slip.
struct Holder {
    app: App,
    slip: SlipView,
    token: String,
    w: Words,
    sample: bool,
    now_ms: i64,
}

/// What somebody sent, or what an empty form begins with. Never printed.
struct Filling {
    id: EnvelopeId,
    filled: Filled,
    told: Vec<FieldError>,
    faults: Vec<String>,
}

/// A file as it is sealed. Its answer is a person's.
struct Sealed {
    entry: BlobEntry,
    bytes: Vec<u8>,
}

/// The page: the form, why there is none, or that it was handed in.
pub async fn slip_supplement(
    State(app): State<App>,
    number: Result<Path<String>, PathRejection>,
    query: Result<Query<SlipQuery>, QueryRejection>,
) -> Page {
    let begun = Begun::now();
    let (number, query, w) = asked(number, query);
    let page = blocking(move || {
        let Some(holder) = Holder::find(app, number.as_ref(), (query.d, w))? else { return Ok(None) };
        if let Ok(id) = query.done.parse() {
            let done = holder.app.centre.read(|tx| supplementing::handed_in(tx, &id))?;
            if let Some(done) = done.filter(|done| done.case == holder.slip.envelope_id) {
                return holder.done(&done).map(Some);
            }
        }
        let id = EnvelopeId::new(holder.now_ms, &mut holder.app.centre.random());
        let empty =
            Filling { id, filled: Filled::new(Answers::default()), told: Vec::new(), faults: Vec::new() };
        match holder.adding()? {
            Ok(adding) => holder.draw(&adding, empty).map(Some),
            Err(why) => Ok(Some(holder.told(supplement_refusal(w, why)))),
        }
    })
    .await?;
    match page {
        Some(page) => render(&page),
        None => not_here(begun, w).await,
    }
}

/// What became of a call.
enum Became {
    Nowhere,
    Done(String),
    Not(Box<SupplementPage>),
}

/// Takes what was filled in, and hands it in if all of it is right.
pub async fn send_slip_supplement(
    State(app): State<App>,
    number: Result<Path<String>, PathRejection>,
    query: Result<Query<SlipQuery>, QueryRejection>,
    body: Result<Multipart, MultipartRejection>,
) -> Page {
    let begun = Begun::now();
    let (number, query, w) = asked(number, query);
    // Nobody's megabytes are read who does not hold a slip, or to whom they would be given back.
    let found = blocking(move || {
        let Some(holder) = Holder::find(app, number.as_ref(), (query.d, w))? else { return Ok(None) };
        let shut = holder.shut()?;
        Ok(Some((holder, shut)))
    })
    .await?;
    let Some((holder, shut)) = found else { return not_here(begun, w).await };
    if let Some(page) = shut {
        return drawn(render(&page)?, StatusCode::UNPROCESSABLE_ENTITY, None);
    }
    let Ok(place) = holder.app.phones.clone().try_acquire_owned() else {
        let page = holder.told(w.t("slip_supplement.busy").to_owned());
        return drawn(render(&page)?, StatusCode::SERVICE_UNAVAILABLE, Some(BUSY_MS));
    };
    let body = body.map_err(|_| ServiceError::from(ProblemCode::UnsupportedMediaType))?;
    let sent = Sent::read(body).await?;
    let became = blocking(move || {
        let became = holder.take(&sent);
        drop(place);
        became
    })
    .await?;
    match became {
        Became::Done(address) => Ok(see_other(&address)),
        Became::Not(page) => drawn(render(&*page)?, StatusCode::UNPROCESSABLE_ENTITY, None),
        Became::Nowhere => not_here(begun, w).await,
    }
}

impl Holder {
    fn find(
        app: App,
        number: Option<&CaseNo>,
        (token, w): (String, Words),
    ) -> Result<Option<Self>, ServiceError> {
        let Some(number) = number else { return Ok(None) };
        let (keys, now_ms) = (&app.centre.context().keys, app.centre.now_ms());
        let (found, sample) = app.centre.read(|tx| {
            let found = slips::find(tx, keys, number, Proof::Token(&token))?;
            Ok::<_, ServiceError>((found, is_sample(tx, app.centre.context())?))
        })?;
        Ok(found.map(|slip| Self { slip, token, w, sample, now_ms, app }))
    }

    fn address(&self, rest: &str) -> String {
        let lang = if self.w.0 == domain::text::Language::En { "&lang=en" } else { "" };
        format!("/slips/{}{rest}?d={}{lang}", self.slip.number, self.token.to_ascii_lowercase())
    }

    /// What the case waits for, if a phone can ask all of it.
    fn adding(&self) -> Result<Result<Adding, NotAsked>, ServiceError> {
        let adding = Adding::find(&self.app.centre, &self.slip.envelope_id)?;
        Ok(adding.and_then(|adding| if fits_a_phone(&adding) { Ok(adding) } else { Err(NotAsked::AtWindow) }))
    }

    fn page(&self) -> SupplementPage {
        SupplementPage {
            w: self.w,
            sample: self.sample,
            last_four: self.slip.number.groups()[3].to_owned(),
            back: self.address(""),
            own: self.address("/supplement"),
            id: String::new(),
            heading: String::new(),
            until: String::new(),
            asked: None,
            fields: String::new(),
            faults: Vec::new(),
            done: None,
        }
    }

    fn done(&self, done: &HandedIn) -> Result<SupplementPage, ServiceError> {
        let at = view::time(done.at_ms, self.now_ms);
        let done = DoneView { at, receipt_no: done.server_seq, pages: done.pages };
        Ok(SupplementPage { done: Some(done), ..self.page() })
    }

    /// Why there is no form, in words.
    fn told(&self, why: String) -> SupplementPage {
        SupplementPage { faults: vec![why], ..self.page() }
    }

    fn draw(&self, adding: &Adding, filling: Filling) -> Result<SupplementPage, ServiceError> {
        let w = self.w;
        let Some(form) = &adding.sheet.form else { return Err(ProblemCode::NotFound.into()) };
        let facts = facts(adding);
        let Filling { id, filled, told, faults } = filling;
        let fields = sheet(adding, (form, &facts), (filled, w)).draw_fields(&told);
        let fields =
            fields.map_err(|e| ServiceError::Inconsistent(format!("a form could not be drawn: {e}")))?;
        let asked = adding.view(w, self.now_ms);
        Ok(SupplementPage {
            id: id.to_string(),
            heading: w.fill("slip_supplement.heading", &[("n", &asked.count)]),
            until: w.fill("slip_supplement.until", &[("until", &asked.until)]),
            asked: Some(asked),
            fields,
            faults,
            ..self.page()
        })
    }

    fn counted(&self) -> Counted {
        let (keys, id) = (&self.app.centre.context().keys, self.slip.envelope_id.to_string());
        Counted::new(keys, "supplement-slip", &id, lockout::ADDRESS)
    }

    fn paused(&self, wait_ms: i64) -> SupplementPage {
        self.told(self.w.number("window_supplement.wait", minutes_left(wait_ms)))
    }

    /// Why a body need not be read; nothing if it is. Counts nothing. Where something was handed in before, the same may
    /// have come once more, which only the body says.
    fn shut(&self) -> Result<Option<SupplementPage>, ServiceError> {
        let (counted, now_ms) = (self.counted(), self.now_ms);
        let wait = self.app.centre.read(|tx| failures::wait_ms(tx, now_ms, &counted))?;
        if let Some(wait) = wait {
            return Ok(Some(self.paused(wait)));
        }
        let Err(why) = self.adding()? else { return Ok(None) };
        let case = self.slip.envelope_id;
        let before = self.app.centre.read(|tx| supplementing::was_handed_in(tx, &case))?;
        Ok((!before).then(|| self.told(supplement_refusal(self.w, why))))
    }

    /// Counts the call, so that nobody lets pictures be decoded for ever; says how long to wait.
    fn waits(&self) -> Result<Option<i64>, ServiceError> {
        let (counted, now_ms) = (self.counted(), self.now_ms);
        self.app.centre.write(move |tx| {
            let wait = failures::wait_ms(tx, now_ms, &counted)?;
            if wait.is_none() {
                failures::count(tx, now_ms, &counted)?;
            }
            Ok(wait)
        })
    }

    fn take(&self, sent: &Sent) -> Result<Became, ServiceError> {
        let id: EnvelopeId =
            sent.get(FORM).parse().map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
        if let Some(before) = self.before(&id)? {
            return Ok(before);
        }
        if let Some(wait) = self.waits()? {
            return Ok(Became::Not(Box::new(self.paused(wait))));
        }
        let adding = match self.adding()? {
            Ok(adding) => adding,
            Err(why) => {
                // Another click with the same may have been first meanwhile.
                let page = || Became::Not(Box::new(self.told(supplement_refusal(self.w, why))));
                return Ok(self.before(&id)?.unwrap_or_else(page));
            }
        };
        match self.hand_in(&adding, id, sent)? {
            Ok(()) => Ok(self.led(&id)),
            Err(filling) => Ok(Became::Not(Box::new(self.draw(&adding, filling)?))),
        }
    }

    fn led(&self, id: &EnvelopeId) -> Became {
        Became::Done(format!("{}&done={id}", self.address("/supplement")))
    }

    /// Where somebody is led who sends once more what was handed in before.
    fn before(&self, id: &EnvelopeId) -> Result<Option<Became>, ServiceError> {
        let before = self.app.centre.read(|tx| supplementing::handed_in(tx, id))?;
        let own = |before: HandedIn| before.case == self.slip.envelope_id;
        Ok(before.map(|before| if own(before) { self.led(id) } else { Became::Nowhere }))
    }

    /// Hands in what came, or gives it back with what is wrong with it.
    fn hand_in(
        &self,
        adding: &Adding,
        id: EnvelopeId,
        sent: &Sent,
    ) -> Result<Result<(), Filling>, ServiceError> {
        let (w, centre) = (self.w, &self.app.centre);
        let form = adding.sheet.form.as_ref().ok_or(ProblemCode::NotFound)?;
        let mut filled = Filled::read(form, &adding.asked.volume.catalogue.regions, &sent.pairs)
            .map_err(|e| ServiceError::refused(ProblemCode::MalformedRequest, e.to_string()))?;
        // What names a file without being one is nobody's file.
        for field in file_fields(form) {
            filled.give(&field.key, Value::Null);
        }
        let facts = facts(adding);
        let mut drawing = sheet(adding, (form, &facts), (filled.clone(), w));
        let key = DataKey::random(
            centre.read(|tx| Ok::<_, ServiceError>(suite(tx, centre.context(), self.now_ms)?))?,
            &mut centre.random(),
        );
        let (files, mut faults) = self.seal((id, &key), &mut drawing, &sent.files)?;
        let (_, told) = drawing.judged();
        let named = adding.sheet.named(&drawing.effective());
        if told.is_empty() && faults.is_empty() {
            faults = adding.mistakes(w, &adding.sheet.errors(&named));
        }
        let not = |told, mut faults: Vec<String>| {
            if !sent.files.is_empty() {
                faults.push(w.t("supplement.choose_again").to_owned());
            }
            Ok(Err(Filling { id, filled, told, faults }))
        };
        if !told.is_empty() || !faults.is_empty() {
            return not(told, faults);
        }
        let entries = files.iter().map(|file| file.entry.clone()).collect();
        let content = (adding.sheet.applicant.clone(), named);
        let bringing = Bringing::new((id, key), self.slip.envelope_id, content, entries)?;
        let digests: Vec<Digest> = files.iter().map(|file| file.entry.digest).collect();
        for file in files {
            self.app.uploads.blobs().keep(&file.entry.digest, file.bytes)?;
        }
        let (own, now_ms, rng) = (centre.clone(), self.now_ms, centre.random());
        let kept = centre.write(move |tx| {
            let first = supplementing::handed_in(tx, &id)?.is_none();
            let at = (now_ms, &mut rng.clone());
            let done = supplementing::hand_in(tx, own.context(), at, ("slip", &bringing))?;
            Ok::<_, ServiceError>(done.map(|_| first))
        });
        if is_nobodys(&kept) {
            digests.iter().try_for_each(|digest| self.app.uploads.blobs().remove(digest))?;
        }
        match kept? {
            Ok(_) => {
                centre.ring_stored();
                Ok(Ok(()))
            }
            Err(why) => not(Vec::new(), vec![supplement_refusal(w, why)]),
        }
    }

    /// Cleans and seals the files of a call, and gives their answers to their fields; says of each that is not taken why.
    fn seal(
        &self,
        (id, key): (EnvelopeId, &DataKey),
        drawing: &mut Sheet<'_>,
        files: &[(String, axum::body::Bytes)],
    ) -> Result<(Vec<Sealed>, Vec<String>), ServiceError> {
        let (mut sealed, mut faults) = (Vec::new(), Vec::new());
        for (page, (path, bytes)) in (1_u16..).zip(files) {
            let (plan, _) = drawing.judged();
            let field = plan.pages.iter().flat_map(|page| &page.fields).find(|field| field.key == *path);
            let Some((field, limits)) = field.and_then(|field| Some((field, field.files.as_deref()?))) else {
                continue;
            };
            let photo = field.widget == Widget::Photo;
            let list = field.value.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
            let taken =
                if list.len() as u64 >= limits.max { Err("many") } else { harmless(bytes, limits, photo) };
            let (plain, kind) = match taken {
                Ok(taken) => taken,
                Err(why) => {
                    faults.push(file_refused(self.w, field, why));
                    continue;
                }
            };
            let place = BlobPlace { envelope: id, page };
            let blob = key.seal_blob(place, &plain, &mut self.app.centre.random());
            let blob = blob.map_err(|e| ServiceError::Inconsistent(format!("supplement {id}: {e}")))?;
            give(drawing, path, (photo, list), answer_of(&blob.digest, (plain.len(), kind), limits));
            let kind = if photo { BlobKind::Photo } else { BlobKind::Page };
            let entry = BlobEntry { digest: blob.digest, length: blob.bytes.len() as u64, kind, page };
            sealed.push(Sealed { entry, bytes: blob.bytes });
        }
        Ok((sealed, faults))
    }
}

/// Whether it is certain that no bytes of a call belong to anything: another click was first, or nothing was handed in.
/// Where nobody knows, they stay; if nothing was handed in after all, nobody has a key to them.
fn is_nobodys(kept: &Result<Result<bool, NotAsked>, ServiceError>) -> bool {
    match kept {
        Ok(Ok(first)) => !first,
        Ok(Err(_)) => true,
        Err(error) => matches!(
            error,
            ServiceError::Refused { .. } | ServiceError::Write(WriteError::Full | WriteError::BrokeOff)
        ),
    }
}

/// The fields that take files.
fn file_fields(form: &Form) -> impl Iterator<Item = &UiField> {
    form.spec().fields().filter(|field| matches!(field.widget, Widget::Photo | Widget::Attachment))
}

fn give(drawing: &mut Sheet<'_>, path: &str, (photo, mut list): (bool, Vec<Value>), answer: Value) {
    if photo {
        return drawing.filled.give(path, answer);
    }
    list.push(answer);
    drawing.filled.give(path, Value::Array(list));
}

fn facts(adding: &Adding) -> Facts {
    Facts { captures: true, ..adding.sheet.facts.clone() }
}

fn sheet<'a>(
    adding: &'a Adding,
    (form, facts): (&'a Form, &'a Facts),
    (filled, w): (Filled, Words),
) -> Sheet<'a> {
    Sheet {
        form,
        facts,
        regions: &adding.asked.volume.catalogue.regions,
        filled,
        page: 0,
        language: w.0,
        action: "",
        before: String::new(),
        live: true,
    }
}

/// Whether one page can ask all that is asked for.
fn fits_a_phone(adding: &Adding) -> bool {
    let simple = |widget| !matches!(widget, Widget::Region | Widget::Address | Widget::Signature);
    let form = adding.sheet.form.as_ref();
    adding.sheet.elsewhere.is_empty()
        && form.is_some_and(|form| {
            let groups = || form.spec().groups();
            groups().all(|group| group.repeat.is_none())
                && form.spec().fields().all(|f| simple(f.widget))
                && file_fields(form).count() <= MAX_FILES
        })
}

/// Whether a case waits for something that can be added on a phone.
///
/// # Errors
/// As [`Adding::open`].
pub(super) fn can_be_added(
    tx: &mut Tx<'_>,
    context: &Context,
    case: &EnvelopeId,
) -> Result<bool, ServiceError> {
    let Ok(asked) = supplementing::find(tx, context, case)? else { return Ok(false) };
    Ok(Adding::open(context, asked)?.is_ok_and(|adding| fits_a_phone(&adding)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_only_where_it_is_certain_that_nothing_was_committed() {
        let table = [
            (Ok(Ok(true)), false),
            (Ok(Ok(false)), true),
            (Ok(Err(NotAsked::UnderWay)), true),
            (Err(ProblemCode::MalformedRequest.into()), true),
            (Err(WriteError::Full.into()), true),
            (Err(WriteError::BrokeOff.into()), true),
            (Err(WriteError::Unavailable.into()), false),
            (Err(WriteError::NotCommitted.into()), false),
            (Err(ServiceError::Inconsistent(String::new())), false),
        ];
        for (kept, gone) in table {
            assert_eq!(is_nobodys(&kept), gone, "{kept:?}");
        }
    }
}
