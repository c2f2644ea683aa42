//! What the editor's page shows: parts, fields with their inputs, mistakes and findings, the draft's state, the preview.
use askama::Template;
use domain::catalogue::Catalogue;
use domain::item::Item;
use domain::text::Language;

use super::findings::Findings;
use super::parts::{CERTAINTIES, Field, Kind, MOST_ROWS, PARTS, Part, SOURCES, UNITS};
use super::typed::{Mistake, Typed, row_count};
use super::{Bench, Query};
use crate::error::ServiceError;
use crate::pages::draft_state::{self, StateView};
use crate::pages::frame::{Frame, Here, frame, sample};
use crate::pages::guide_preview::GuidePreview;
use crate::services::editing::{Draft, DraftState, candidate};
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::store::Tx;
use crate::words::Words;

/// Words of the console.
pub(in crate::pages) const W: Words = Words(Language::ZhCn);

/// A text with more characters than these gets a line of its own.
const LONG: usize = 60;

/// What was typed, and what is to be said about it.
pub(super) struct Shown {
    pub(super) typed: Typed,
    pub(super) mistakes: Vec<Mistake>,
    /// What is shown is not kept yet.
    pub(super) unsaved: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "item_editor.html")]
pub(super) struct EditorPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    code: String,
    title: String,
    department: String,
    part: &'static str,
    parts: Vec<PartTab>,
    fields: Vec<FieldView>,
    mistakes: Vec<(String, String)>,
    findings: Vec<(String, String)>,
    unsaved: bool,
    saved: bool,
    version: u64,
    state: Option<StateView>,
    can_ready: bool,
    outdated: bool,
    preview: GuidePreview,
    lang: String,
    size: String,
    departments: Vec<String>,
}

struct PartTab {
    name: &'static str,
    word: String,
    current: bool,
    errors: usize,
}

struct FieldView {
    path: &'static str,
    label: String,
    hint: Option<String>,
    cells: Vec<Cell>,
    ticks: Vec<Tick>,
    is_list: bool,
    rows: Vec<Vec<Cell>>,
    can_add: bool,
    json: Option<String>,
    /// What must be mended.
    errors: Vec<String>,
    /// What looks wrong.
    hints: Vec<String>,
    /// Its texts are long: one below the other.
    tall: bool,
}

struct Cell {
    name: String,
    value: String,
    label: String,
    /// What may be chosen; a text if there is nothing.
    options: Vec<Choice>,
    list: &'static str,
}

struct Choice {
    value: &'static str,
    word: String,
    chosen: bool,
}

struct Tick {
    name: String,
    word: String,
    on: bool,
}

impl EditorPage {
    pub(super) fn draw(
        tx: &mut Tx<'_>,
        (app, caller): (&App, &Caller),
        mut bench: Bench,
        (part, query): (&'static Part, &Query),
        shown: Shown,
    ) -> Result<Self, ServiceError> {
        let now_ms = app.centre.now_ms();
        let item: Item = serde_json::from_value(bench.content.clone())
            .map_err(|e| ServiceError::Inconsistent(format!("a stored draft cannot be read: {e}")))?;
        let findings = bench.judge(&item.code.clone(), &item);
        let draft = bench.draft.as_ref();
        let outdated = draft.map_or(Ok(false), |draft| candidate::is_outdated(tx, draft))?;
        let state = draft.map(|draft| draft_state::view(tx, draft, now_ms)).transpose()?;
        let departments = bench.catalogue.items.values().map(|i| i.department.to_string());
        let departments: std::collections::BTreeSet<_> = departments.collect();
        Ok(Self {
            w: W,
            frame: frame(tx, caller, now_ms, Here::Items)?,
            sample: sample(&bench.catalogue),
            code: item.code.to_string(),
            title: item.short_name.zh.clone(),
            department: item.department.to_string(),
            part: part.name,
            parts: tabs(part, &findings),
            fields: part.fields.iter().map(|f| field_view(f, &shown, &findings, &bench.catalogue)).collect(),
            mistakes: shown
                .mistakes
                .iter()
                .map(|m| (format!("#{}", m.path), labelled(m.path, &m.text)))
                .collect(),
            findings: listed(&item, &findings),
            unsaved: shown.unsaved,
            saved: !query.saved.is_empty() && !shown.unsaved,
            version: bench.seen(),
            can_ready: can_ready(draft, &findings),
            state,
            outdated,
            preview: query.preview(&item, &bench.catalogue, now_ms),
            lang: query.lang.chars().take(5).collect(),
            size: query.size.chars().take(5).collect(),
            departments: departments.into_iter().take(200).collect(),
        })
    }
}

fn can_ready(draft: Option<&Draft>, findings: &Findings) -> bool {
    draft.is_some_and(|draft| draft.state == DraftState::Editing) && findings.errors.is_empty()
}

fn tabs(here: &Part, findings: &Findings) -> Vec<PartTab> {
    let tab = |part: &'static Part| PartTab {
        name: part.name,
        word: W.of("item_part", part.name),
        current: part == here,
        errors: findings.errors.iter().filter(|f| f.owner.is_some_and(|(p, _)| p == part)).count(),
    };
    PARTS.iter().map(tab).collect()
}

/// Findings with the address of their field.
fn listed(item: &Item, findings: &Findings) -> Vec<(String, String)> {
    let line = |finding: &super::findings::Finding| match finding.owner {
        Some((part, field)) => (
            format!("/catalogue/items/{}/draft?part={}#{}", item.code, part.name, field.path),
            labelled(field.path, &finding.text),
        ),
        None => (String::new(), finding.text.clone()),
    };
    findings.errors.iter().take(20).map(line).collect()
}

fn labelled(path: &str, text: &str) -> String {
    if path.is_empty() { text.to_owned() } else { format!("{}：{text}", field_label(path)) }
}

/// The label of a field.
pub(in crate::pages) fn field_label(path: &str) -> String {
    W.of("item_field", &path.replace('.', "_"))
}

fn field_view(field: &Field, shown: &Shown, findings: &Findings, catalogue: &Catalogue) -> FieldView {
    let typed = &shown.typed;
    let label = field_label(field.path);
    let mut errors: Vec<String> = Vec::new();
    let mistakes = shown.mistakes.iter().filter(|m| m.path == field.path).map(|m| m.text.clone());
    let [found, hints] = if shown.unsaved { Default::default() } else { findings.at(field.path) };
    for text in mistakes.chain(found) {
        if !errors.contains(&text) {
            errors.push(text);
        }
    }
    let rows = (0..row_count(typed, field.path)).filter(|_| field.kind.is_list());
    let rows: Vec<Vec<Cell>> = rows.map(|at| row_cells(field, typed, at)).collect();
    let hint = W.of("item_hint", &field.path.replace('.', "_"));
    FieldView {
        path: field.path,
        cells: cells(field, typed, &label),
        ticks: ticks(field, typed, catalogue),
        is_list: field.kind.is_list(),
        can_add: field.kind.is_list() && rows.len() < MOST_ROWS,
        rows,
        json: matches!(field.kind, Kind::Json { .. }).then(|| text_of(typed, field.path)),
        errors,
        hints,
        tall: matches!(field.kind, Kind::Words(most) if most > LONG),
        hint: (!hint.starts_with("item_hint.")).then_some(hint),
        label,
    }
}

fn text_of(typed: &Typed, name: &str) -> String {
    typed.get(name).cloned().unwrap_or_default()
}

fn cell(typed: &Typed, name: String, label: String, choices: Option<(&str, &[&'static str])>) -> Cell {
    let value = text_of(typed, &name);
    let options = match choices {
        Some((group, values)) => values.iter().map(|v| choice(group, v, &value)).collect(),
        None => Vec::new(),
    };
    let list = if name == "department" { "departments" } else { "" };
    Cell { name, value, label, options, list }
}

fn choice(group: &str, value: &'static str, chosen: &str) -> Choice {
    Choice { value, word: W.of("choice", &format!("{group}.{value}")), chosen: value == chosen }
}

fn cells(field: &Field, typed: &Typed, label: &str) -> Vec<Cell> {
    let path = field.path;
    let named = |key: &str| format!("{label}（{}）", W.of("column", key));
    match field.kind {
        Kind::Line(_) | Kind::Number(..) | Kind::Yuan => {
            vec![cell(typed, path.to_owned(), label.to_owned(), None)]
        }
        Kind::Words(_) | Kind::OptionalWords(_) => {
            ["zh", "en"].map(|key| cell(typed, format!("{path}.{key}"), named(key), None)).into()
        }
        Kind::Period => vec![
            cell(typed, format!("{path}.value"), named("value"), None),
            cell(typed, format!("{path}.unit"), named("unit"), Some(("unit", UNITS))),
        ],
        Kind::Choice(group, values) => {
            vec![cell(typed, path.to_owned(), label.to_owned(), Some((group, values)))]
        }
        _ => Vec::new(),
    }
}

fn row_cells(field: &Field, typed: &Typed, at: usize) -> Vec<Cell> {
    let choices = |column: &str| match column {
        "source" => Some(("source", SOURCES)),
        "certainty" => Some(("certainty", CERTAINTIES)),
        _ => None,
    };
    let one = |column: &&'static str| {
        let label = format!("{} {}", W.of("column", column), at + 1);
        cell(typed, format!("{}.{at}.{column}", field.path), label, choices(column))
    };
    field.kind.columns().iter().map(one).collect()
}

fn ticks(field: &Field, typed: &Typed, catalogue: &Catalogue) -> Vec<Tick> {
    let tick = |name: String, word: String| Tick { on: typed.contains_key(&name), name, word };
    match field.kind {
        Kind::Flag => vec![tick(field.path.to_owned(), W.t("edit.yes").to_owned())],
        Kind::Set(group, values) => values
            .iter()
            .map(|v| tick(format!("{}.{v}", field.path), W.of("choice", &format!("{group}.{v}"))))
            .collect(),
        Kind::LifeEvents => catalogue
            .life_events
            .iter()
            .map(|event| tick(format!("{}.{}", field.path, event.id), event.name.zh.clone()))
            .collect(),
        _ => Vec::new(),
    }
}
