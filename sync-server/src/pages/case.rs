//! `/cases/{number}`: one case with its marks, its history and the facts of its delivery.
use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use domain::case::{Action, CaseState, CaseView, QuarantineReason, VisitKind, fold};
use domain::catalogue::Catalogue;
use domain::form::FormSpec;
use domain::ids::CaseNo;
use domain::situation::{self, Question};
use domain::text::{Language, Text};

use super::cases::item_name;
use super::desk::{history, step_called};
use super::frame::{Frame, Here, frame, sample};
use super::view::{self, Badge, MarkTimes, MarkView};
use super::{Page, read_page};
use crate::auth::policy::{self, Verdict};
use crate::error::{ProblemCode, ServiceError};
use crate::services::Context;
use crate::services::blobs::{self, Blob};
use crate::services::case_story::{self, Story, Told};
use crate::services::cases::{self, CaseRow};
use crate::services::content;
use crate::services::envelopes::{self, StoredEnvelope};
use crate::services::sessions::Caller;
use crate::services::window::PLACE;
use crate::services::work_list::{self, Query};
use crate::shell::App;
use crate::store::{StoreError, Tx};
use crate::words::Words;

/// One case.
pub async fn case(
    State(app): State<App>,
    caller: Caller,
    number: Result<Path<String>, PathRejection>,
) -> Page {
    let number: Option<CaseNo> = number.ok().and_then(|Path(n)| n.parse().ok());
    let Some(number) = number else { return Err(ServiceError::from(ProblemCode::NotFound).into()) };
    read_page(app, move |tx, app, now_ms| draw(tx, app.centre.context(), &number, (&caller, now_ms))).await
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    w: Words,
    frame: Frame,
    number: String,
    groups: Vec<String>,
    item: String,
    badge: Badge,
    age: String,
    next: String,
    reason: Option<String>,
    version: String,
    marks: Vec<MarkView>,
    attachments: Vec<Attachment>,
    /// Where the caller, who has a part in it, works at it.
    desk: Option<String>,
    facts: Vec<Fact>,
    history: Vec<Step>,
    others: Vec<String>,
    slip_address: String,
    sample: Option<String>,
}

/// A page or photo of the case.
struct Attachment {
    page: u16,
    kind: String,
    size: String,
    state: String,
}

fn attachment(w: Words, case: &CaseRow, blob: &Blob) -> Attachment {
    let known = ["page", "photo"].contains(&blob.kind.as_str());
    let opened = blob.arrived_at_ms.is_some() && case.state != CaseState::Received;
    let state = match blob.arrived_at_ms {
        None if blob.given_up => "case.attachment_given_up",
        None => "case.attachment_awaited",
        Some(_) if !opened => "case.attachment_sealed",
        Some(_) => "case.attachment_here",
    };
    Attachment {
        page: blob.page,
        kind: w.t(if known { KINDS[usize::from(blob.kind == "photo")] } else { KINDS[2] }).to_owned(),
        size: w.fill("case.kilobytes", &[("n", &blob.length.div_ceil(1024).to_string())]),
        state: w.t(state).to_owned(),
    }
}

/// Whether the caller has a part in a case that was opened: only then can its content be seen, at the desk.
fn has_part(caller: &Caller, view: Option<&CaseView>, catalogue: Option<&Catalogue>) -> bool {
    let view = view.filter(|view| view.state != CaseState::Received);
    let part = view.zip(caller.unit.as_ref()).and_then(|(view, unit)| content::scope(view, unit, catalogue));
    part.is_some() && policy::DECIDE_CASES.judge(Some(caller.roles)) == Verdict::Go
}

/// What a case is now; none if its actions make no case.
fn folded(story: &Story) -> Option<CaseView> {
    fold(story.told.iter().map(|told| &told.recorded)).ok()
}

/// Words of the kinds of attachments; the last one for kinds of a later version.
const KINDS: [&str; 3] = ["case.attachment_page", "case.attachment_photo", "case.attachment_other"];

struct Fact {
    name: &'static str,
    value: String,
    code: bool,
}

struct Step {
    glyph: &'static str,
    word: String,
    time: String,
    notes: Vec<String>,
}

fn draw(
    tx: &mut Tx<'_>,
    context: &Context,
    number: &CaseNo,
    (caller, now_ms): (&Caller, i64),
) -> Result<CasePage, ServiceError> {
    let w = Words(Language::ZhCn);
    let mut found = cases::by_number(tx, number)?.into_iter();
    let case = found.next().ok_or(ProblemCode::NotFound)?;
    let others = found.map(|c| c.number.to_string()).collect();
    // The case's own version of the catalogue: what the citizen saw; the newest one if that is not at the centre.
    let own = context.shelf.get(tx, case.catalogue_version)?;
    let volume = if own.is_some() { own } else { context.shelf.newest(tx)? };
    let catalogue = volume.as_deref().map(|v| &v.catalogue);
    let envelope =
        envelopes::find(tx, &case.envelope_id)?.ok_or(StoreError::Stored { what: "envelope of a case" })?;
    let item = item_name(catalogue, case.item.as_ref());
    let station = work_list::stations(tx)?.into_iter().find(|(id, ..)| *id == case.station);
    let elsewhere = || {
        if case.station.as_str() == PLACE { w.t("window.place").to_owned() } else { case.station.to_string() }
    };
    let station = station.map_or_else(elsewhere, |(id, name, _)| format!("{name} · {id}"));
    let times = MarkTimes {
        saved_ms: envelope.device_time_ms,
        delivered_ms: envelope.accepted_at_ms,
        accepted_ms: case.accepted_at_ms,
        changed_ms: case.changed_at_ms,
    };
    let story = case_story::without_texts(tx, &case.envelope_id)?;
    let view = folded(&story);
    let attached = blobs::of_envelope(tx, &case.envelope_id)?;
    let count = (attached.iter().filter(|b| b.arrived_at_ms.is_some()).count(), attached.len());
    let waits = case.state == CaseState::Received && attached.iter().any(Blob::is_awaited);
    let entry = case.item.as_ref().and_then(|code| catalogue.and_then(|c| c.entry(code)));
    let questions = catalogue.zip(entry).map(|(c, entry)| situation::questions(c, entry)).unwrap_or_default();
    let named = |id: &str| {
        view.as_ref()
            .map_or_else(|| id.to_owned(), |view| step_called(catalogue, case.item.as_ref(), view, id))
    };
    let fields = Fields { w, form: entry.map(|e| e.form()), questions };
    Ok(CasePage {
        number: case.number.to_string(),
        groups: case.number.groups().iter().map(|g| (*g).to_owned()).collect(),
        badge: view::badge(w, case.state),
        age: view::span(w, now_ms - case.changed_at_ms),
        next: w.of("next", if waits { "awaited" } else { case.state.as_str() }),
        reason: reason(&fields, &case.reason),
        version: w.fill("case.version", &[("n", &case.version.to_string())]),
        marks: view::awaiting(w, view::marks(w, case.state, times, now_ms), count),
        attachments: attached.iter().map(|blob| attachment(w, &case, blob)).collect(),
        desk: has_part(caller, view.as_ref(), catalogue).then(|| format!("/desk/{}", case.number)),
        facts: facts(
            &Names { w, item: &item, station, now_ms },
            (&case, &envelope),
            view.as_ref().and_then(|view| view.answerable.as_ref()).map(|a| (story.name(&a.clerk), a.kind)),
        ),
        history: story.told.iter().rev().map(|told| step(&fields, (&story, told), named, now_ms)).collect(),
        others,
        slip_address: format!("/slips/{}?d={}", case.number, envelope.digest.short()),
        sample: catalogue.and_then(sample),
        frame: frame(tx, caller, now_ms, Here::Cases(&Query::default()))?,
        item,
        w,
    })
}

/// Words that the facts are put into.
struct Names<'a> {
    w: Words,
    item: &'a str,
    station: String,
    now_ms: i64,
}

fn facts(
    names: &Names<'_>,
    (case, envelope): (&CaseRow, &StoredEnvelope),
    answerable: Option<(&str, VisitKind)>,
) -> Vec<Fact> {
    let Names { w, item, station, now_ms } = names;
    let (w, now_ms) = (*w, *now_ms);
    let plain = |name, value: String| Fact { name: w.t(name), value, code: false };
    let code = |name, value: String| Fact { name: w.t(name), value, code: true };
    let item_code = case.item.as_ref().map_or_else(String::new, |c| format!(" · {c}"));
    let mut facts = vec![
        plain("case.item", format!("{item}{item_code}")),
        plain("case.catalogue", format!("v{}", case.catalogue_version)),
        plain("case.station", station.clone()),
        plain("case.terminal", case.terminal.to_string()),
        plain("case.device_time", view::time(envelope.device_time_ms, now_ms)),
        plain("case.accepted_at", view::time(envelope.accepted_at_ms, now_ms)),
        plain("case.server_seq", case.server_seq.to_string()),
        plain("case.place", envelope.seq.to_string()),
        plain("case.size", w.fill("case.bytes", &[("n", &envelope.sealed_bytes.to_string())])),
        code("case.digest", envelope.digest.to_string()),
        code("case.envelope", case.envelope_id.to_string()),
        code("case.lineage", envelope.lineage.to_string()),
    ];
    if let Some((clerk, kind)) = answerable {
        let kind = w.of("visit_kind", kind.as_str());
        facts.insert(2, plain("case.answerable", format!("{clerk} · {kind}")));
    }
    if let Some(slip) = &case.slip_number {
        facts.insert(0, code("case.slip_number", slip.to_string()));
    }
    facts
}

/// Names fields of the case's form and its situation questions for people.
struct Fields<'a> {
    w: Words,
    form: Option<&'a FormSpec>,
    questions: Vec<&'a Question>,
}

impl Fields<'_> {
    /// A field and what is wrong with it.
    fn error(&self, key: &str, kind: &str) -> String {
        let kind = self.w.of("field_error", kind);
        self.w.fill("action.field", &[("field", &self.name(key)), ("kind", &kind)])
    }

    fn name(&self, key: &str) -> String {
        let label = match key {
            "-" => return self.w.t("action.not_in_form").to_owned(),
            "applicant.id_number" => self.w.t("action.applicant_id_number"),
            "applicant.name" => self.w.t("action.applicant_name"),
            _ => match self.label(key) {
                Some(label) => label.get(self.w.0),
                None => return key.to_owned(),
            },
        };
        self.w.fill("action.field_name", &[("label", label), ("key", key)])
    }

    /// The label of a field, or the words of a situation question.
    fn label(&self, key: &str) -> Option<&Text> {
        match key.strip_prefix(situation::PATH_PREFIX) {
            Some(id) => {
                self.questions.iter().find(|question| question.id == id).map(|question| &question.text)
            }
            None => self.form.and_then(|form| form.label(key)),
        }
    }
}

fn step(
    fields: &Fields<'_>,
    (story, told): (&Story, &Told),
    named: impl Fn(&str) -> String,
    now_ms: i64,
) -> Step {
    let (w, action) = (fields.w, &told.recorded.action);
    let mut notes = match action {
        Action::Received { number, slip_number: Some(slip) } => {
            vec![w.fill("action.corrected", &[("slip", slip.as_str()), ("number", number.as_str())])]
        }
        Action::Returned { reasons } => reasons.iter().map(|r| fields.error(&r.field, &r.kind)).collect(),
        Action::Quarantined { reason } => vec![w.of("quarantine", reason.as_str())],
        Action::Answerable { visit, .. } => vec![w.of("visit_kind", visit.as_str())],
        _ => vec![],
    };
    notes.dedup();
    let by = w.fill("case.by", &[("actor", &history::who(story, told))]);
    let word = w.of("action", action.name());
    Step {
        glyph: history::glyph(action),
        word: match action.step() {
            Some(step) => w.fill("desk.of_step", &[("what", &word), ("step", &named(step))]),
            None => word,
        },
        time: format!("{} · {by}", view::time(told.recorded.at_ms, now_ms)),
        notes,
    }
}

/// The short reason of the projection in words.
fn reason(fields: &Fields<'_>, short: &str) -> Option<String> {
    if short.is_empty() {
        return None;
    }
    if let Some((field, kind)) = short.split_once(':') {
        return Some(fields.error(field, kind));
    }
    let known = serde_json::from_value::<QuarantineReason>(short.into()).is_ok();
    Some(if known { fields.w.of("quarantine", short) } else { short.to_owned() })
}
