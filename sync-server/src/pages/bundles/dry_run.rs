//! What a bundle comes to with sample answers: which steps, in which order and beside each other, with which materials
//! and questions, and until when.
use std::collections::BTreeMap;

use domain::bundle::Bundle;
use domain::catalogue::{Catalogue, Entry};
use domain::date::CivilDate;
use domain::deadline::{Due, due};
use domain::form::{Answers, Facts, Form, Layout};
use domain::item::MaterialSource;
use domain::situation::{ActiveStep, Resolution, questions};

use super::{W, class};
use crate::pages::view;

/// See the module.
pub struct DryRun {
    /// Steps to be done, in order.
    pub steps: Vec<StepView>,
    /// Names of the steps that are not.
    pub off: Vec<String>,
    /// Name and source of each material.
    pub materials: Vec<(String, String)>,
    /// Label and whether it must be answered, of each field of the form that is asked at first.
    pub fields: Vec<(String, bool)>,
    /// The form cannot be adjusted so.
    pub fault: Option<String>,
    /// The last day of the whole.
    pub due: String,
    /// How many times steps stand one after another.
    pub rounds: usize,
    /// How many departments have a part.
    pub departments: usize,
    /// Questions that are not answered yet.
    pub open_questions: usize,
}

/// A step to be done.
pub struct StepView {
    /// In which round, from 1.
    pub round: usize,
    /// It shares its round with others.
    pub beside: bool,
    /// Its name.
    pub name: String,
    /// Who does it.
    pub department: String,
    /// Class and word of its kind.
    pub kind: (&'static str, String),
    /// Names of what must be done before.
    pub after: String,
    /// The last day, and by which promise.
    pub due: (String, String),
}

/// Runs a bundle with what its questions were answered.
pub fn dry_run(
    (catalogue, bundle): (&Catalogue, &Bundle),
    form: &Form,
    resolution: &Resolution<'_>,
    (from, today): (CivilDate, CivilDate),
) -> DryRun {
    let whole = due(from, bundle.promised, &catalogue.calendar);
    let rounds = rounds(&resolution.steps);
    let name = |id: &str| {
        let step = bundle.steps.iter().find(|step| step.id == id);
        step.map_or_else(|| id.to_owned(), |step| step.name.get(W.0).to_owned())
    };
    let in_round = |round: usize| rounds.values().filter(|other| **other == round).count();
    let mut steps: Vec<StepView> = resolution
        .steps
        .iter()
        .map(|on| {
            let round = rounds.get(on.step.id.as_str()).copied().unwrap_or(1);
            StepView {
                round,
                beside: in_round(round) > 1,
                name: on.step.name.get(W.0).to_owned(),
                department: on.step.department.to_string(),
                kind: (class(on.step.kind), W.of("step_kind", class(on.step.kind))),
                after: on.depends.iter().map(|id| name(id)).collect::<Vec<_>>().join("、"),
                due: step_due(catalogue, on, from)
                    .unwrap_or_else(|| (said(whole), W.t("bundles.with_whole").to_owned())),
            }
        })
        .collect();
    steps.sort_by_key(|step| step.round);
    let on = |id: &str| resolution.steps.iter().any(|on| on.step.id == id);
    let mut departments: Vec<&str> = steps.iter().map(|step| step.department.as_str()).collect();
    departments.sort_unstable();
    departments.dedup();
    let answered = form.adjusted(&resolution.adjustments);
    DryRun {
        departments: departments.len(),
        rounds: rounds.values().max().copied().unwrap_or(0),
        off: bundle.steps.iter().filter(|step| !on(&step.id)).map(|step| name(&step.id)).collect(),
        materials: materials(resolution),
        fault: answered.as_ref().err().map(ToString::to_string),
        fields: answered.map(|form| fields(&form, today)).unwrap_or_default(),
        due: said(whole),
        open_questions: open(catalogue, bundle, resolution),
        steps,
    }
}

/// The round of each step: one after the last of what it waits for.
fn rounds<'a>(steps: &[ActiveStep<'a>]) -> BTreeMap<&'a str, usize> {
    let mut rounds: BTreeMap<&str, usize> = BTreeMap::new();
    for on in steps {
        let before = on.depends.iter().filter_map(|id| rounds.get(id)).max();
        let round = before.map_or(1, |before| before + 1);
        rounds.insert(on.step.id.as_str(), round);
    }
    rounds
}

/// The last day of a step that is for one item, by that item's own promise.
fn step_due(catalogue: &Catalogue, on: &ActiveStep<'_>, from: CivilDate) -> Option<(String, String)> {
    let item = catalogue.items.get(on.step.item.as_ref()?)?;
    let day = said(due(from, item.promised, &catalogue.calendar));
    Some((day, W.fill("bundles.own_promise", &[("time", &view::period(W, item.promised))])))
}

/// A last day, marked where the calendar does not know all days before it.
pub fn said(due: Due) -> String {
    let day = due.date.to_string();
    if due.expected { W.fill("calendar.expected_day", &[("day", &day)]) } else { day }
}

fn materials(resolution: &Resolution<'_>) -> Vec<(String, String)> {
    let source = |source: MaterialSource| match source {
        MaterialSource::Card => "card",
        MaterialSource::Shared => "shared",
        MaterialSource::Bring => "bring",
        MaterialSource::Sign => "sign",
        MaterialSource::Promise => "promise",
    };
    let view =
        |m: &domain::item::Material| (m.name.get(W.0).to_owned(), W.of("material_source", source(m.source)));
    resolution.materials.iter().map(view).collect()
}

/// Fields that are asked before anything is answered.
fn fields(form: &Form, today: CivilDate) -> Vec<(String, bool)> {
    let facts = Facts { captures: true, ..Facts::on(today) };
    let mut answers = Answers::default();
    form.prefill(&mut answers, &facts);
    let plan = form.plan(&answers, &facts, Layout::Grouped);
    let fields = plan.pages.iter().flat_map(|page| &page.fields);
    fields.map(|field| (field.label.get(W.0).to_owned(), field.required)).collect()
}

fn open(catalogue: &Catalogue, bundle: &Bundle, resolution: &Resolution<'_>) -> usize {
    let all = questions(catalogue, Entry::Bundle(bundle));
    let from = resolution.next.and_then(|next| all.iter().position(|question| question.id == next.id));
    from.map_or(0, |from| all.len() - from)
}
