//! What the answers to situation questions mean: materials, adjustments of the form, steps that are to be done.
//!
//! Total: any answers give a result, and answers that name nothing are told, not obeyed.
use std::collections::{BTreeMap, BTreeSet};

use super::{Adjustments, Alternative, Ending, OWN_AGENT_IDS, Question, SituationAnswers, same_name};
use crate::bundle::{Step, stages};
use crate::catalogue::{Catalogue, Entry};
use crate::item::{Material, MaterialSource};
use crate::text::Text;

/// What a person's answers make of an item or bundle.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resolution<'a> {
    /// Materials that are needed, those of the item's list first.
    pub materials: Vec<Material>,
    /// What changes in the form.
    pub adjustments: Adjustments,
    /// Bundles: the steps to be done, in order, with dependencies among themselves. Items have none.
    pub steps: Vec<ActiveStep<'a>>,
    /// The matter ends here: the first answer that says so.
    pub ended: Option<&'a Ending>,
    /// Bundles: nothing is left to be done but accepting; this is said and nothing is filed.
    pub nothing_left: Option<&'a Text>,
    /// The next question to ask; none if all are answered or the matter ended.
    pub next: Option<&'a Question>,
    /// Ids of questions whose answer names no option, or several where one may be chosen, and of unknown questions.
    pub refused: Vec<String>,
}

/// A step that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveStep<'a> {
    /// The step.
    pub step: &'a Step,
    /// Steps to be done that must be finished before. A step that is off counts as done: what depends on it
    /// inherits its dependencies.
    pub depends: Vec<&'a str>,
}

impl<'a> Resolution<'a> {
    /// The steps by when they can begin: each stage waits for steps of the stages before it only, and its steps go
    /// side by side.
    pub fn stages(&self) -> Vec<Vec<&ActiveStep<'a>>> {
        stages(
            self.steps.iter().map(|active| (active.step.id.as_str(), active.depends.iter().copied(), active)),
        )
    }
}

/// The questions of an item or bundle in the order in which they are asked: whose matter it is comes first, where
/// somebody else may apply and the item does not ask that itself.
pub fn questions<'a>(catalogue: &'a Catalogue, entry: Entry<'a>) -> Vec<&'a Question> {
    let own = &entry.situations().questions;
    let asks_itself = own.iter().any(|question| OWN_AGENT_IDS.contains(&question.id.as_str()));
    let common = match entry {
        Entry::Item(item) if item.proxy_allowed && !asks_itself => catalogue.situations.agent.as_ref(),
        _ => None,
    };
    common.into_iter().chain(own).collect()
}

/// What the answers mean.
///
/// A material of the item's list, or a field of its form, that some option names is needed only if such an option is
/// chosen. A question that is not answered yet chooses nothing and leaves its steps on; one that allows several and
/// is answered with none switches its steps off.
pub fn resolve<'a>(catalogue: &'a Catalogue, entry: Entry<'a>, answers: &SituationAnswers) -> Resolution<'a> {
    let asked = questions(catalogue, entry);
    let mut resolution = Resolution::default();
    let mut chosen: Vec<(&Question, Vec<&Alternative>)> = Vec::new();
    for question in &asked {
        let Some(options) = choose(question, answers, &mut resolution.refused) else {
            if resolution.ended.is_none() {
                resolution.next = resolution.next.or(Some(question));
            }
            continue;
        };
        resolution.ended =
            resolution.ended.or_else(|| options.iter().find_map(|option| option.ends_with.as_ref()));
        chosen.push((question, options));
    }
    let known = |id: &&String| !asked.iter().any(|question| question.id == **id);
    resolution.refused.extend(answers.keys().filter(known).cloned());
    if resolution.ended.is_some() {
        resolution.next = None;
    }
    resolution.materials = materials(catalogue, entry, &asked, &chosen);
    resolution.adjustments = adjustments(entry, &asked, &chosen);
    if let Entry::Bundle(bundle) = entry {
        resolution.steps = active(&bundle.steps, &switched_off(&chosen));
        let left = bundle.situations.if_nothing_left.as_ref();
        resolution.nothing_left = left.filter(|_| resolution.steps.len() < 2);
    }
    resolution
}

/// The chosen options of a question; `None` if it is not answered, or badly.
fn choose<'a>(
    question: &'a Question,
    answers: &SituationAnswers,
    refused: &mut Vec<String>,
) -> Option<Vec<&'a Alternative>> {
    let ids = question.answer(answers)?;
    let options: Vec<&Alternative> = ids.iter().filter_map(|id| question.option(id)).collect();
    if options.len() != ids.len() || (options.len() > 1 && !question.multi) {
        refused.push(question.id.clone());
        return None;
    }
    Some(options)
}

fn materials(
    catalogue: &Catalogue,
    entry: Entry<'_>,
    asked: &[&Question],
    chosen: &[(&Question, Vec<&Alternative>)],
) -> Vec<Material> {
    let named = |name: &str, option: &Alternative| option.adds_materials.iter().any(|m| same_name(m, name));
    let conditional = |m: &Material| asked.iter().flat_map(|q| &q.options).any(|o| named(&m.name.zh, o));
    let options: Vec<&Alternative> = chosen.iter().flat_map(|(_, options)| options).copied().collect();
    let wanted = |m: &Material| !conditional(m) || options.iter().any(|o| named(&m.name.zh, o));
    let mut materials: Vec<Material> = entry.materials().iter().filter(|m| wanted(m)).cloned().collect();
    for name in options.iter().flat_map(|option| &option.adds_materials) {
        if !materials.iter().any(|m| same_name(&m.name.zh, name)) {
            materials.push(material(catalogue, name));
        }
    }
    materials
}

/// A material that the item's list does not have: of the shared ones, else of another item's list, else something to
/// bring.
fn material(catalogue: &Catalogue, name: &str) -> Material {
    if let Some((zh, extra)) = catalogue.situations.materials.iter().find(|(zh, _)| same_name(zh, name)) {
        return Material { name: Text::new(zh.clone(), extra.en.clone()), source: extra.source };
    }
    let mut others = catalogue.entries().flat_map(|entry| entry.materials());
    let other = others.find(|material| same_name(&material.name.zh, name));
    other.cloned().unwrap_or(Material { name: Text::new(name, ""), source: MaterialSource::Bring })
}

fn adjustments(
    entry: Entry<'_>,
    asked: &[&Question],
    chosen: &[(&Question, Vec<&Alternative>)],
) -> Adjustments {
    let form = entry.form();
    let fields = form.fields().map(|field| field.key.as_str());
    let rows = form.groups().filter_map(|group| group.repeat.as_ref()).map(|repeat| repeat.key.as_str());
    let keys: BTreeSet<&str> = fields.chain(rows).collect();
    let on_form = |key: &&String| keys.contains(key.as_str());
    let mut changes = Adjustments::default();
    for (key, values) in &entry.situations().presets {
        narrow(&mut changes.presets, key, values);
    }
    for (question, options) in chosen {
        if !options.is_empty() {
            changes.drops_fields.extend(question.replaces_fields.iter().filter(on_form).cloned());
        }
        for option in options {
            changes.adds_fields.extend(option.adds_fields.iter().filter(on_form).cloned());
            changes.drops_fields.extend(option.drops_fields.iter().filter(on_form).cloned());
        }
        narrow_by(question, options, &mut changes.narrows_fields);
    }
    let conditional = asked.iter().flat_map(|question| &question.options).flat_map(|o| &o.adds_fields);
    for key in conditional.filter(on_form) {
        if !changes.adds_fields.contains(key) {
            changes.drops_fields.insert(key.clone());
        }
    }
    // A field that one answer wants and another has no need of is not asked: it stands for nothing then.
    changes.adds_fields.retain(|key| !changes.drops_fields.contains(key));
    changes
}

/// Options of one question widen each other, then the question narrows what others left.
fn narrow_by(question: &Question, options: &[&Alternative], narrowed: &mut BTreeMap<String, Vec<String>>) {
    let mut union: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    for (key, values) in options.iter().flat_map(|option| &option.narrows_fields) {
        let allowed = union.entry(key).or_default();
        for value in values {
            if !allowed.contains(value) {
                allowed.push(value.clone());
            }
        }
    }
    for (key, values) in union {
        // One chosen option that leaves the field free leaves it free for all.
        let free = question.multi && options.iter().any(|option| !option.narrows_fields.contains_key(key));
        if !free {
            narrow(narrowed, key, &values);
        }
    }
}

/// Leaves the values that are allowed so far and by these; the newer ones where that would leave none, which the
/// checks of a catalogue rule out.
fn narrow(narrowed: &mut BTreeMap<String, Vec<String>>, key: &str, values: &[String]) {
    let common: Vec<String> = match narrowed.get(key) {
        Some(before) => before.iter().filter(|value| values.contains(value)).cloned().collect(),
        None => values.to_vec(),
    };
    let left = if common.is_empty() { values.to_vec() } else { common };
    narrowed.insert(key.to_owned(), left);
}

/// Ids of the steps that answered questions control and no chosen option has on.
fn switched_off<'a>(chosen: &[(&'a Question, Vec<&'a Alternative>)]) -> BTreeSet<&'a str> {
    let mut off = BTreeSet::new();
    for (question, options) in chosen {
        let on: BTreeSet<&String> = options.iter().flat_map(|option| &option.nodes_on).collect();
        off.extend(question.controls.iter().filter(|id| !on.contains(id)).map(String::as_str));
    }
    off
}

/// The steps that are on, each with the dependencies that it has or inherits.
///
/// Steps stand in an order in which each comes after what it depends on, so one pass is enough and a circle, which
/// the checks rule out, inherits nothing.
fn active<'a>(steps: &'a [Step], off: &BTreeSet<&str>) -> Vec<ActiveStep<'a>> {
    let mut inherited: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    let mut on = Vec::new();
    for step in steps {
        let mut depends: Vec<&str> = Vec::new();
        for other in &step.depends {
            let known = match inherited.get(other.as_str()) {
                Some(inherited) => inherited.clone(),
                None => vec![other.as_str()],
            };
            for id in known {
                if !depends.contains(&id) {
                    depends.push(id);
                }
            }
        }
        if off.contains(step.id.as_str()) {
            inherited.insert(&step.id, depends);
        } else {
            on.push(ActiveStep { step, depends });
        }
    }
    on
}
