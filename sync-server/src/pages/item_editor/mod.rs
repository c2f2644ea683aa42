//! `/catalogue/items/{code}/draft`: the editor of an item, part by part, with a preview of what the terminal shows.
//!
//! Works without scripts; with them the preview follows what is typed. Every mistake is told at once beside its field,
//! and what was typed stays. Whoever saves second sees both contents side by side and chooses field by field.
mod conflict;
mod findings;
pub(super) mod parts;
mod renewed;
pub(super) mod typed;
mod view;
mod written;

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery, State};
use axum::http::StatusCode;
use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use domain::ids::ItemCode;
use domain::item::Item;
use domain::text::Language;
use serde::Deserialize;
use serde_json::Value;

use self::findings::Findings;
use self::parts::{Part, part_named};
pub use self::renewed::renew_draft;
use self::typed::{Mistake, Typed, gather, pretty, rearrange, spread};
use self::view::{EditorPage, Shown};
pub(in crate::pages) use self::view::{W, field_label};
pub(in crate::pages) use self::written::value_words;
use super::form::Fields;
use super::guide_preview::{GuidePreview, preview};
use super::sign_in::drawn;
use super::{Page, in_address, in_query, render};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::readings::reading;
use crate::services::editing::{self, Draft, EditError, Request};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::shell::gate::see_other;
use crate::store::Tx;

/// Bytes of a part as it travels, at most: a form with 200 fields has less than half.
pub const MAX_ITEM_FORM_BYTES: usize = 2 << 20;

/// The code in an address.
pub(super) type CodeInPath = Result<Path<String>, PathRejection>;

/// What stands in the URL; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Query {
    #[serde(default)]
    part: String,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    size: String,
    #[serde(default)]
    saved: String,
}

/// The path of the field that a path lies in, such as `guide.who` for `guide.who[1].zh`.
pub(super) fn owner_path(path: &str) -> Option<&'static str> {
    parts::owner_of(path).map(|(_, field)| field.path)
}

/// What a rule says about a field, in the words of the console.
pub(super) fn rule_words(field: &str, reason: &str) -> String {
    match owner_path(field) {
        Some(path) => format!("{}：{}", field_label(path), findings::said(field, reason)),
        None => findings::said(field, reason),
    }
}

/// Reads the code in an address.
///
/// # Errors
/// [`ServiceError`]: `not-found` if it is none.
pub(super) fn code_in(path: CodeInPath) -> Result<ItemCode, ServiceError> {
    path.ok().and_then(|Path(code)| code.parse().ok()).ok_or_else(|| ProblemCode::NotFound.into())
}

/// An item as it is worked on: the newest catalogue, its published content and its draft.
struct Bench {
    catalogue: Catalogue,
    version: u64,
    draft: Option<Draft>,
    /// The content of the draft, or else what is published.
    content: Value,
}

impl Bench {
    fn set_up(tx: &mut Tx<'_>, app: &App, code: &ItemCode) -> Result<Self, ServiceError> {
        let volume = editing::base(tx, &app.centre.context().shelf)?;
        let published = volume.catalogue.items.get(code).ok_or(ProblemCode::NotFound)?;
        let draft = editing::of_item(tx, code)?;
        let published = || serde_json::to_value(published).unwrap_or_default();
        let content = draft.as_ref().and_then(|d| serde_json::from_str(&d.content).ok());
        Ok(Self {
            catalogue: volume.catalogue.clone(),
            version: volume.catalogue.version,
            draft,
            content: content.unwrap_or_else(published),
        })
    }

    fn seen(&self) -> u64 {
        self.draft.as_ref().map_or(0, |draft| draft.version)
    }

    /// The version that the content was made from.
    fn made_from(&self) -> u64 {
        self.draft.as_ref().map_or(self.version, |draft| draft.base_version)
    }

    /// What the rules say of a content.
    fn judge(&mut self, code: &ItemCode, item: &Item) -> Findings {
        self.catalogue.items.insert(code.clone(), item.clone());
        let form = pretty(&serde_json::to_value(&item.form).unwrap_or_default());
        Findings::of(self.catalogue.examine_item(code), code, &form)
    }
}

/// The rules that an item breaks; empty for one that may be published.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub(super) fn broken_rules(tx: &mut Tx<'_>, app: &App, draft: &Draft) -> Result<usize, ServiceError> {
    let mut bench = Bench::set_up(tx, app, &draft.code)?;
    Ok(draft.item().map_or(1, |item| bench.judge(&draft.code, &item).errors.len()))
}

/// The editor.
pub async fn edit_item(
    State(app): State<App>,
    caller: Caller,
    code: CodeInPath,
    query: Result<UrlQuery<Query>, QueryRejection>,
) -> Page {
    let code = code_in(code)?;
    let query = in_address(query)?;
    let part = part_named(&query.part);
    let page = blocking(move || {
        let centre = app.centre.clone();
        centre.read(|tx| {
            let bench = Bench::set_up(tx, &app, &code)?;
            let typed = spread(part, &bench.content);
            let shown = Shown { typed, mistakes: Vec::new(), unsaved: false };
            EditorPage::draw(tx, (&app, &caller), bench, (part, &query), shown)
        })
    })
    .await?;
    render(&page)
}

/// What a part's form sent.
struct Sent {
    part: &'static Part,
    typed: Typed,
    seen: u64,
    button: String,
    query: Query,
    /// Fields of which the stored content is taken.
    theirs: Vec<String>,
}

impl Sent {
    fn read(fields: Fields) -> Result<Self, ServiceError> {
        let mut typed = Typed::new();
        for (name, value) in fields.into_pairs() {
            if typed.insert(name, value).is_some() {
                let detail = "a field that stands twice";
                return Err(ServiceError::refused(ProblemCode::MalformedRequest, detail));
            }
        }
        let mut take = |name: &str| typed.remove(name).unwrap_or_default();
        let (part, seen, button) = (part_named(&take("part")), take("version"), take("do"));
        let query = Query {
            part: part.name.to_owned(),
            lang: take("lang"),
            size: take("size"),
            saved: String::new(),
        };
        let seen = seen.parse().map_err(|_| ServiceError::from(ProblemCode::MalformedRequest))?;
        let theirs = typed.iter().filter(|(_, side)| *side == "theirs");
        let theirs = theirs.filter_map(|(name, _)| name.strip_prefix("take.").map(str::to_owned)).collect();
        typed.retain(|name, _| !name.starts_with("take."));
        let known = |name: &str| part.fields.iter().any(|f| is_of(f.path, name));
        if typed.keys().any(|name| !known(name)) {
            let detail = "a field that this form does not have";
            return Err(ServiceError::refused(ProblemCode::MalformedRequest, detail));
        }
        let mut sent = Self { part, typed, seen, button, query, theirs };
        if let Some((lang, size)) = sent.button.strip_prefix("look ").and_then(|look| look.split_once(' ')) {
            sent.query.lang = lang.chars().take(5).collect();
            sent.query.size = size.chars().take(6).collect();
        }
        Ok(sent)
    }

    /// The part to go to: what was typed in this one is saved on the way.
    fn next(&self) -> Option<&'static Part> {
        self.button.strip_prefix("go ").map(part_named)
    }

    /// Only the preview is to be drawn in another way; what was typed stays typed.
    fn looks(&self) -> bool {
        self.button.starts_with("look ")
    }
}

/// Whether an input belongs to the field at a path.
pub(super) fn is_of(path: &str, name: &str) -> bool {
    name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What came of a form.
enum Outcome {
    Saved,
    /// There was nothing to save.
    AsItWas,
    /// Drawn again, with this status.
    Again(Box<EditorPage>, StatusCode),
    Conflict(Box<conflict::ConflictPage>),
}

/// Saves a part, or does something with the rows of a list.
pub async fn save_item(State(app): State<App>, caller: Caller, code: CodeInPath, fields: Fields) -> Page {
    let code = code_in(code)?;
    let sent = Sent::read(fields)?;
    let next = sent.next().unwrap_or(sent.part).name;
    let Query { lang, size, .. } = sent.query.clone();
    let view = format!("&lang={}&size={}", in_query(&lang), in_query(&size));
    let back = format!("/catalogue/items/{code}/draft?part={next}{view}");
    match blocking(move || save(&app, &caller, code, sent)).await? {
        Outcome::Saved => Ok(see_other(&format!("{back}&saved=1"))),
        Outcome::AsItWas => Ok(see_other(&back)),
        Outcome::Again(page, status) => drawn(render(page.as_ref())?, status, None),
        Outcome::Conflict(page) => drawn(render(page.as_ref())?, StatusCode::CONFLICT, None),
    }
}

fn save(app: &App, caller: &Caller, code: ItemCode, mut sent: Sent) -> Result<Outcome, ServiceError> {
    let centre = &app.centre;
    let bench = centre.read(|tx| Bench::set_up(tx, app, &code))?;
    if sent.looks() || rearrange(sent.part, &mut sent.typed, &sent.button) {
        return again(app, caller, bench, sent, Vec::new());
    }
    if bench.seen() != sent.seen {
        return conflict(app, caller, &code, sent);
    }
    let stored = spread(sent.part, &bench.content);
    for path in &sent.theirs {
        sent.typed.retain(|name, _| !is_of(path, name));
        sent.typed.extend(stored.iter().filter(|(n, _)| is_of(path, n)).map(|(n, v)| (n.clone(), v.clone())));
    }
    let mut content = bench.content.clone();
    let mistakes = gather(sent.part, &sent.typed, &mut content);
    read_names(&bench.content, &mut content);
    let item = serde_json::from_value::<Item>(content);
    let item = match item {
        Ok(item) if mistakes.is_empty() => item,
        Ok(_) => return again(app, caller, bench, sent, mistakes),
        Err(error) => {
            let unreadable = Mistake { path: sent.part.fields[0].path, text: error.to_string() };
            let mistakes = if mistakes.is_empty() { vec![unreadable] } else { mistakes };
            return again(app, caller, bench, sent, mistakes);
        }
    };
    let same = serde_json::to_value(&item).unwrap_or_default() == bench.content;
    if same && (bench.draft.is_none() || sent.next().is_some()) {
        return Ok(if sent.next().is_some() { Outcome::AsItWas } else { Outcome::Saved });
    }
    let request = Request { by: caller.account.clone(), code: code.clone(), seen: sent.seen };
    let (now_ms, version) = (centre.now_ms(), bench.made_from());
    match centre.write(move |tx| Ok(editing::save(tx, now_ms, &request, (version, &item))?))? {
        Ok(_) => Ok(Outcome::Saved),
        Err(EditError::Changed) => conflict(app, caller, &code, sent),
        Err(error) => {
            let text = W.of("edit_error", error.key());
            again(app, caller, bench, sent, vec![Mistake { path: "", text }])
        }
    }
}

fn again(
    app: &App,
    caller: &Caller,
    bench: Bench,
    sent: Sent,
    mistakes: Vec<Mistake>,
) -> Result<Outcome, ServiceError> {
    let status = if mistakes.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let unsaved = !sent.looks() || sent.typed != spread(sent.part, &bench.content);
    let shown = Shown { typed: sent.typed, mistakes, unsaved };
    let page =
        app.centre.read(|tx| EditorPage::draw(tx, (app, caller), bench, (sent.part, &sent.query), shown))?;
    Ok(Outcome::Again(Box::new(page), status))
}

fn conflict(app: &App, caller: &Caller, code: &ItemCode, sent: Sent) -> Result<Outcome, ServiceError> {
    let page = app.centre.read(|tx| {
        let bench = Bench::set_up(tx, app, code)?;
        conflict::draw(tx, (app, caller), (&bench, code), (sent.part, &sent.typed))
    })?;
    Ok(Outcome::Conflict(Box::new(page)))
}

/// Makes readings anew where names changed and nobody typed another reading.
fn read_names(before: &Value, content: &mut Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let none = std::collections::BTreeMap::new();
    for (name, field) in [("name", "pinyin"), ("short_name", "short_pinyin")] {
        let zh = text(&content[name]["zh"]);
        let renamed = zh != text(&before[name]["zh"]) && content[field] == before[field];
        if renamed || text(&content[field]).is_empty() {
            content[field] = reading(&zh, &none).into();
        }
    }
    let initials: String = text(&content["pinyin"]).split(' ').filter_map(|s| s.chars().next()).collect();
    content["pinyin_initials"] = initials.into();
    if content["synonyms"] != before["synonyms"] {
        let known: Vec<_> = pairs(before);
        let of = |word: &Value| {
            let kept = known.iter().find(|(old, _)| *old == text(word)).map(|(_, reading)| reading.clone());
            Value::from(kept.unwrap_or_else(|| reading(&text(word), &none)))
        };
        let made: Vec<Value> = content["synonyms"].as_array().into_iter().flatten().map(of).collect();
        content["synonym_pinyin"] = made.into();
    }
}

/// Synonyms with their readings.
fn pairs(item: &Value) -> Vec<(String, String)> {
    let list = |key: &str| item[key].as_array().cloned().unwrap_or_default();
    let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
    list("synonyms").into_iter().map(text).zip(list("synonym_pinyin").into_iter().map(text)).collect()
}

#[derive(Template)]
#[template(path = "guide_preview.html")]
struct PreviewPart {
    preview: GuidePreview,
}

/// The preview alone, of what is typed now; nothing is kept. What cannot be read yet is shown as it was.
pub async fn preview_item(State(app): State<App>, code: CodeInPath, fields: Fields) -> Page {
    let code = code_in(code)?;
    let sent = Sent::read(fields)?;
    let part = blocking(move || {
        let bench = app.centre.read(|tx| Bench::set_up(tx, &app, &code))?;
        let mut content = bench.content.clone();
        gather(sent.part, &sent.typed, &mut content);
        let read = |value: &Value| serde_json::from_value::<Item>(value.clone()).ok();
        let item = read(&content).or_else(|| read(&bench.content)).ok_or(ProblemCode::NotFound)?;
        Ok(PreviewPart { preview: sent.query.preview(&item, &bench.catalogue, app.centre.now_ms()) })
    })
    .await?;
    render(&part)
}

impl Query {
    fn preview(&self, item: &Item, catalogue: &Catalogue, now_ms: i64) -> GuidePreview {
        let language = if self.lang == "en" { Language::En } else { Language::ZhCn };
        let look = (language, self.size == "large");
        preview((item, &catalogue.regions), look, CivilDate::in_china(now_ms))
    }
}
