//! `/catalogue/items/{code}/form`: tries the form of an item or bundle of any version, or of the draft that an editor
//! saved. Nothing is kept and nothing is sent to a department; the answers travel in the page and nowhere else.
use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Path, Query, Request, State};
use domain::catalogue::{Catalogue, Entry};
use domain::date::CivilDate;
use domain::form::{Facts, Form, FormError};
use domain::ids::ItemCode;
use domain::situation::resolve;
use domain::text::Language;

use super::form::Fields;
use super::form_drawing::{DO, Deed, Filled, PAGE, Sheet};
use super::frame::{Frame, Here, frame, sample};
use super::item_editor::rule_words;
use super::{Page, in_address, in_query, render, situation_form};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::services::catalogue::Volume;
use crate::services::editing;
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

/// Bytes of a filled-in form as it travels, at most: signatures and lists of files are part of it.
pub const MAX_TRIAL_BYTES: usize = 256 * 1024;
/// Name of the field with the sample person.
const WHO: &str = "_who";
/// Stands in an address instead of a version.
const DRAFT: &str = "draft";

/// Sample people whose card is on the reader: what rules about the card see. Their region is nobody's.
const PEOPLE: [(&str, &str); 3] =
    [("adult", "639900198804011022"), ("elder", "639900194403152010"), ("child", "639900201506013016")];

#[derive(Template)]
#[template(path = "form_trial.html")]
struct TrialPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    title: String,
    code: String,
    version: String,
    /// What is tried is a draft.
    draft: bool,
    fields: usize,
    department: String,
    bundle: bool,
    drawn: String,
    own: String,
    other: String,
    other_word: &'static str,
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "form_trial_who.html")]
struct Who {
    w: Words,
    people: Vec<(&'static str, String, bool)>,
    situation: String,
}

/// An empty form.
pub async fn form_trial(
    State(app): State<App>,
    caller: Caller,
    code: Result<Path<String>, PathRejection>,
    query: Result<Query<BTreeMap<String, String>>, QueryRejection>,
) -> Page {
    let wanted = Wanted::read(code, query)?;
    let page = wanted.query.get("page").and_then(|page| page.parse::<usize>().ok()).unwrap_or(1);
    let pairs = vec![(PAGE.to_owned(), page.saturating_sub(1).to_string())];
    show(&app, caller, wanted, pairs).await
}

/// The same form after a change.
pub async fn try_form(
    State(app): State<App>,
    caller: Caller,
    code: Result<Path<String>, PathRejection>,
    query: Result<Query<BTreeMap<String, String>>, QueryRejection>,
    mut request: Request,
) -> Page {
    let wanted = Wanted::read(code, query)?;
    DefaultBodyLimit::max(MAX_TRIAL_BYTES).apply(&mut request);
    let fields = Fields::from_request(request, &()).await?;
    show(&app, caller, wanted, fields.into_pairs()).await
}

/// What the address asks for.
struct Wanted {
    code: ItemCode,
    query: BTreeMap<String, String>,
}

impl Wanted {
    fn read(
        code: Result<Path<String>, PathRejection>,
        query: Result<Query<BTreeMap<String, String>>, QueryRejection>,
    ) -> Result<Self, ServiceError> {
        let code = code.ok().and_then(|Path(code)| code.parse().ok()).ok_or(ProblemCode::NotFound)?;
        let query = in_address(query)?;
        Ok(Self { code, query })
    }

    fn language(&self) -> Language {
        match self.query.get("lang").map(String::as_str) {
            Some("en") => Language::En,
            _ => Language::ZhCn,
        }
    }

    /// The draft is asked for, not what was stored as a version.
    fn draft(&self) -> bool {
        self.query.get("version").is_some_and(|version| version == DRAFT)
    }

    fn version(&self) -> Result<Option<u64>, ServiceError> {
        let version = self.query.get("version").filter(|version| !version.is_empty());
        let number = |text: &String| text.parse::<u64>().ok().filter(|n| *n <= crate::api::MAX_CURSOR);
        version.map(|text| number(text).ok_or_else(|| ProblemCode::NotFound.into())).transpose()
    }

    /// The catalogue that the form stands in: with the draft in its place, if that is asked for.
    fn volume(&self, tx: &mut Tx<'_>, app: &App) -> Result<Arc<Volume>, ServiceError> {
        let shelf = &app.centre.context().shelf;
        if self.draft() {
            let draft = editing::of_item(tx, &self.code)?.and_then(|draft| draft.item());
            let mut catalogue = editing::base(tx, shelf)?.catalogue.clone();
            catalogue.items.insert(self.code.clone(), draft.ok_or(ProblemCode::NotFound)?);
            return Ok(Arc::new(Volume::new(catalogue)));
        }
        let volume = match self.version()? {
            Some(version) => shelf.get(tx, version)?,
            None => shelf.newest(tx)?,
        };
        Ok(volume.ok_or(ProblemCode::NotFound)?)
    }
}

async fn show(app: &App, caller: Caller, wanted: Wanted, pairs: Vec<(String, String)>) -> Page {
    let app = app.clone();
    let page = blocking(move || {
        let now_ms = app.centre.now_ms();
        let (volume, frame) = app.centre.read(|tx| {
            let volume = wanted.volume(tx, &app)?;
            let entry = volume.catalogue.entry(&wanted.code).ok_or(ProblemCode::NotFound)?;
            let here = if matches!(entry, Entry::Item(_)) { Here::Items } else { Here::Bundles };
            let frame = frame(tx, &caller, now_ms, here)?;
            Ok::<_, ServiceError>((volume, frame))
        })?;
        let catalogue = &volume.catalogue;
        let trial = match form_of(&volume, &wanted)? {
            Ok(form) => fill_in(catalogue, &form, (&wanted, &pairs), now_ms)?,
            Err(fault) => Trial { fault: Some(fault), ..Trial::default() },
        };
        page_of(catalogue, &wanted, trial, frame)
    })
    .await?;
    render(&page)
}

/// The form, or the rule of forms that a draft breaks: editors save what is not finished.
fn form_of(volume: &Volume, wanted: &Wanted) -> Result<Result<Arc<Form>, String>, ServiceError> {
    if !wanted.draft() {
        return Ok(Ok(volume.form(&wanted.code)?.ok_or(ProblemCode::NotFound)?));
    }
    let entry = volume.catalogue.entry(&wanted.code).ok_or(ProblemCode::NotFound)?;
    let broken = |e: FormError| rule_words(&format!("form.{}", e.field), &e.reason);
    Ok(Form::compile(entry.form()).map(Arc::new).map_err(broken))
}

/// A form as it is tried.
#[derive(Default)]
struct Trial {
    /// It as HTML.
    drawn: String,
    /// Fields that it has.
    fields: usize,
    /// Why it is not drawn, or not as the situation wants it.
    fault: Option<String>,
}

fn fill_in(
    catalogue: &Catalogue,
    form: &Form,
    (wanted, pairs): (&Wanted, &[(String, String)]),
    now_ms: i64,
) -> Result<Trial, ServiceError> {
    let entry = catalogue.entry(&wanted.code).ok_or(ProblemCode::NotFound)?;
    let language = wanted.language();
    let w = Words(language);
    let value = |name: &str| pairs.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let situation = situation_form::read(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let resolution = resolve(catalogue, entry, &situation);
    let adjusted = form.adjusted(&resolution.adjustments);
    let fault =
        adjusted.as_ref().err().map(|e| format!("{}{e}", Words(Language::ZhCn).t("form_trial.fault")));
    let form = adjusted.unwrap_or_else(|_| form.clone());
    let facts = facts(w, value(WHO), CivilDate::in_china(now_ms));
    let action = address(wanted, catalogue.version, language);
    let drawn = |e: askama::Error| ServiceError::Inconsistent(format!("a form could not be drawn: {e}"));
    let filled = Filled::read(&form, &catalogue.regions, pairs)
        .map_err(|e| ServiceError::refused(ProblemCode::MalformedRequest, e.to_string()))?;
    let mut sheet = Sheet {
        form: &form,
        facts: &facts,
        regions: &catalogue.regions,
        filled,
        page: value(PAGE).parse().unwrap_or(0),
        language,
        action: &action,
        before: String::new(),
        live: false,
    };
    sheet.act(Deed::read(value(DO)));
    // On later pages the questions are folded away.
    let shown = (language, sheet.page == 0);
    let situation =
        situation_form::draw((catalogue, entry), &situation, &resolution, shown).map_err(drawn)?;
    sheet.before = Who { w, people: people(w, value(WHO)), situation }.render().map_err(drawn)?;
    Ok(Trial { drawn: sheet.draw().map_err(drawn)?, fields: form.spec().fields().count(), fault })
}

fn page_of(
    catalogue: &Catalogue,
    wanted: &Wanted,
    trial: Trial,
    frame: Frame,
) -> Result<TrialPage, ServiceError> {
    let entry = catalogue.entry(&wanted.code).ok_or(ProblemCode::NotFound)?;
    let w = Words(Language::ZhCn);
    let language = wanted.language();
    let other = if language == Language::En { Language::ZhCn } else { Language::En };
    Ok(TrialPage {
        frame,
        sample: sample(catalogue),
        title: entry.title().get(Language::ZhCn).to_owned(),
        code: wanted.code.to_string(),
        version: if wanted.draft() {
            w.t("form_trial.draft").to_owned()
        } else {
            format!("v{}", catalogue.version)
        },
        draft: wanted.draft(),
        fields: trial.fields,
        department: match entry {
            Entry::Item(item) => item.department.to_string(),
            Entry::Bundle(bundle) => bundle.lead_department.to_string(),
        },
        bundle: matches!(entry, Entry::Bundle(_)),
        drawn: trial.drawn,
        own: address(wanted, catalogue.version, language),
        other: address(wanted, catalogue.version, other),
        other_word: if other == Language::En { "form_trial.in_english" } else { "form_trial.in_chinese" },
        fault: trial.fault,
        w,
    })
}

fn address(wanted: &Wanted, version: u64, language: Language) -> String {
    let lang = if language == Language::En { "&lang=en" } else { "" };
    let version = if wanted.draft() { DRAFT.to_owned() } else { version.to_string() };
    format!("/catalogue/items/{}/form?version={version}{lang}", in_query(wanted.code.as_str()))
}

fn people(w: Words, chosen: &str) -> Vec<(&'static str, String, bool)> {
    let known = PEOPLE.iter().any(|(name, _)| *name == chosen);
    let is = |name: &str, at: usize| if known || chosen == "none" { name == chosen } else { at == 0 };
    let none = ("none", w.of("form_trial_who", "none"), chosen == "none");
    let people = PEOPLE.iter().enumerate();
    people.map(|(at, (name, _))| (*name, w.of("form_trial_who", name), is(name, at))).chain([none]).collect()
}

/// What is known of the sample person.
fn facts(w: Words, who: &str, today: CivilDate) -> Facts {
    let captures = Facts { captures: true, ..Facts::on(today) };
    if who == "none" {
        return captures;
    }
    let known = PEOPLE.iter().find(|(name, _)| *name == who).or(PEOPLE.first());
    Facts {
        name: Some(w.t("form_trial.person").to_owned()),
        id_number: known.map(|(_, number)| (*number).to_owned()),
        card_address: Some(w.t("form_trial.card_address").to_owned()),
        ..captures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_people_have_sound_numbers_of_the_region_of_nobody() {
        for (name, number) in PEOPLE {
            assert!(domain::applicant::check_id_number(number, None).is_ok(), "{name}");
            assert!(number.starts_with("639900"));
        }
    }
}
