//! Situation questions: what they name must be there, and each must change something.
use std::collections::{BTreeMap, BTreeSet};

use super::graph;
use crate::catalogue::check_item::text;
use crate::catalogue::parse::Report;
use crate::catalogue::{Catalogue, Entry, Rule};
use crate::form::{UiField, Widget};
use crate::situation::{Alternative, Ending, Question, same_name};

/// The most questions of an item or bundle, and options of a question.
const MAX_QUESTIONS: usize = 8;
const MAX_OPTIONS: usize = 12;

pub(super) fn check(entry: Entry<'_>, catalogue: &Catalogue, report: &mut Report) {
    let situations = entry.situations();
    let fields = named(entry);
    report.expect(situations.questions.len() <= MAX_QUESTIONS, "situations.questions", "at most 8 questions");
    narrowing(&situations.presets, "situations.presets", &fields, report);
    let mut ids = BTreeSet::new();
    for (at, question) in situations.questions.iter().enumerate() {
        let field = format!("situations.questions[{at}]");
        let new = !question.id.is_empty() && ids.insert(question.id.as_str());
        report.expect(new, &format!("{field}.id"), "must be unique and not empty");
        words(question, &field, report);
        for (at, key) in question.replaces_fields.iter().enumerate() {
            known(key, &format!("{field}.replaces_fields[{at}]"), &fields, report);
        }
        for (at, option) in question.options.iter().enumerate() {
            let field = format!("{field}.options[{at}]");
            names(option, &field, &fields, report);
            materials(option, &field, entry, catalogue, report);
            ending(option.ends_with.as_ref(), &field, entry, catalogue, report);
        }
        effect(question, &field, matches!(entry, Entry::Bundle(_)), report);
    }
    if let Some(said) = &situations.if_nothing_left {
        text(said, "situations.if_nothing_left", 60, report);
    }
    emptied(entry, report);
}

pub(super) fn check_common(catalogue: &Catalogue, report: &mut Report) {
    report.at("situations.json", "-");
    if let Some(question) = &catalogue.situations.agent {
        words(question, "agent", report);
        for (at, option) in question.options.iter().enumerate() {
            let field = format!("agent.options[{at}]");
            for (at, name) in option.adds_materials.iter().enumerate() {
                let field = format!("{field}.adds_materials[{at}]");
                report.expect(is_material(name, catalogue), &field, "stands in no list of materials");
            }
            let bare = option.adds_fields.is_empty() && option.ends_with.is_none();
            report.expect(bare, &field, "a common option adds materials only");
        }
    }
    if let Some(said) = &catalogue.situations.not_proxy {
        text(&said.text, "not_proxy.text", 40, report);
        text(&said.way, "not_proxy.way", 80, report);
    }
    for (name, extra) in &catalogue.situations.materials {
        report.expect(
            (1..=60).contains(&name.chars().count()),
            &format!("materials.{name}"),
            "1 to 60 characters",
        );
        report.expect(
            extra.en.chars().count() <= 300,
            &format!("materials.{name}.en"),
            "at most 300 characters",
        );
    }
}

/// What a question may name of a form: fields, and the keys of repeat groups.
struct Named<'a> {
    fields: BTreeMap<&'a str, &'a UiField>,
    rows: BTreeSet<&'a str>,
}

fn named(entry: Entry<'_>) -> Named<'_> {
    let form = entry.form();
    let rows = form.groups().filter_map(|group| group.repeat.as_ref()).map(|repeat| repeat.key.as_str());
    Named { fields: form.fields().map(|field| (field.key.as_str(), field)).collect(), rows: rows.collect() }
}

/// Words of a question and its options.
fn words(question: &Question, field: &str, report: &mut Report) {
    text(&question.text, &format!("{field}.text"), 40, report);
    let count = question.options.len();
    report.expect((2..=MAX_OPTIONS).contains(&count), &format!("{field}.options"), "2 to 12 options");
    let mut ids = BTreeSet::new();
    for (at, option) in question.options.iter().enumerate() {
        let field = format!("{field}.options[{at}]");
        let new = !option.id.is_empty() && ids.insert(option.id.as_str());
        report.expect(new, &format!("{field}.id"), "must be unique and not empty");
        text(&option.text, &format!("{field}.text"), 40, report);
    }
    let ends =
        !question.options.is_empty() && question.options.iter().all(|option| option.ends_with.is_some());
    report.expect(!ends, &format!("{field}.options"), "every option ends the matter");
}

fn known(key: &str, field: &str, fields: &Named<'_>, report: &mut Report) {
    if !fields.fields.contains_key(key) && !fields.rows.contains(key) {
        report.wrong(field, format!("the form has no field `{key}`, nor such a repeat group"));
    }
}

/// Fields and repeat groups that an option adds or drops, and fields that it narrows, are on the form.
fn names(option: &Alternative, field: &str, fields: &Named<'_>, report: &mut Report) {
    for (name, keys) in [("adds_fields", &option.adds_fields), ("drops_fields", &option.drops_fields)] {
        for (at, key) in keys.iter().enumerate() {
            known(key, &format!("{field}.{name}[{at}]"), fields, report);
        }
    }
    if let Some(key) = option.adds_fields.iter().find(|key| option.drops_fields.contains(key)) {
        report.wrong(field, format!("adds and drops the field `{key}`"));
    }
    narrowing(&option.narrows_fields, &format!("{field}.narrows_fields"), fields, report);
}

/// What is left of a field are options of it, or whole numbers.
fn narrowing(narrowed: &BTreeMap<String, Vec<String>>, path: &str, fields: &Named<'_>, report: &mut Report) {
    for (key, values) in narrowed {
        let path = format!("{path}.{key}");
        let Some(field) = fields.fields.get(key.as_str()) else {
            report.wrong(&path, format!("the form has no field `{key}`"));
            continue;
        };
        report.expect(!values.is_empty(), &path, "leaves nothing");
        for value in values {
            let is_option = match field.widget {
                Widget::Number => value.parse::<i64>().is_ok(),
                _ => field.choices.iter().any(|choice| choice.value == *value),
            };
            if !is_option {
                report.wrong(&path, format!("`{key}` has no option `{value}`"));
            }
        }
    }
}

fn materials(
    option: &Alternative,
    field: &str,
    entry: Entry<'_>,
    catalogue: &Catalogue,
    report: &mut Report,
) {
    for (at, name) in option.adds_materials.iter().enumerate() {
        let own = entry.materials().iter().any(|material| same_name(&material.name.zh, name));
        if !own && !is_material(name, catalogue) {
            let reason = format!("`{name}` stands in no list of materials");
            report.wrong(&format!("{field}.adds_materials[{at}]"), reason);
        }
    }
}

/// A material that questions share, or that some item or bundle lists.
fn is_material(name: &str, catalogue: &Catalogue) -> bool {
    let shared = catalogue.situations.materials.keys().any(|zh| same_name(zh, name));
    let mut listed = catalogue.entries().flat_map(|entry| entry.materials());
    shared || listed.any(|material| same_name(&material.name.zh, name))
}

fn ending(
    ending: Option<&Ending>,
    field: &str,
    entry: Entry<'_>,
    catalogue: &Catalogue,
    report: &mut Report,
) {
    let Some(ending) = ending else { return };
    text(&ending.message, &format!("{field}.ends_with.message"), 40, report);
    text(&ending.way, &format!("{field}.ends_with.way"), 60, report);
    if let Some(go) = &ending.go {
        let known = catalogue.entry(go).is_some() && go != entry.code();
        report.expect(known, &format!("{field}.ends_with.go"), "must be another item or bundle");
    }
}

/// An option that ends the matter adds nothing, and a question is asked for something.
fn effect(question: &Question, field: &str, bundle: bool, report: &mut Report) {
    for (at, option) in question.options.iter().enumerate() {
        let adds = !option.adds_materials.is_empty() || !option.adds_fields.is_empty();
        let field = format!("{field}.options[{at}]");
        report.expect(!(adds && option.ends_with.is_some()), &field, "ends the matter and adds something");
        let switches = !option.nodes_on.is_empty() || !option.nodes_off.is_empty();
        report.expect(bundle || !switches, &field, "only a bundle has steps to switch");
    }
    let idle = |option: &Alternative| {
        let fields = option.adds_fields.is_empty()
            && option.drops_fields.is_empty()
            && option.narrows_fields.is_empty();
        fields && option.adds_materials.is_empty() && option.nodes_on.is_empty() && option.ends_with.is_none()
    };
    if question.options.iter().all(idle) && question.replaces_fields.is_empty() {
        report.warn(Rule::ChangesNothing, field, "no answer changes anything");
    }
}

/// No combination of answers leaves a field without an option, or adds a field that another answer drops.
fn emptied(entry: Entry<'_>, report: &mut Report) {
    let situations = entry.situations();
    let Some(all) = graph::answers(&situations.questions) else { return };
    let mut told = BTreeSet::new();
    for answers in all {
        let mut left: BTreeMap<&str, BTreeSet<&String>> =
            situations.presets.iter().map(|(key, values)| (key.as_str(), values.iter().collect())).collect();
        let is_chosen = |question: &Question, option: &Alternative| {
            answers.get(&question.id).is_some_and(|ids| ids.contains(&option.id))
        };
        let mut all: Vec<(&Question, &Alternative)> = Vec::new();
        for question in &situations.questions {
            let options = question.options.iter().filter(|option| is_chosen(question, option));
            all.extend(options.map(|option| (question, option)));
        }
        for (question, option) in all.iter().filter(|(question, _)| !question.multi) {
            for (key, values) in &option.narrows_fields {
                let values: BTreeSet<&String> = values.iter().collect();
                let both = match left.get(key.as_str()) {
                    Some(before) => before.intersection(&values).copied().collect(),
                    None => values,
                };
                if both.is_empty() && told.insert((question.id.clone(), key.clone())) {
                    report.wrong(
                        "situations.questions",
                        format!("`{key}` has no option left with {answers:?}"),
                    );
                }
                left.insert(key, both);
            }
        }
        let dropped = |key: &String| all.iter().any(|(_, option)| option.drops_fields.contains(key));
        for (question, option) in &all {
            for key in option.adds_fields.iter().filter(|key| dropped(key)) {
                if told.insert((question.id.clone(), key.clone())) {
                    let reason = format!("`{key}` is added and dropped with {answers:?}");
                    report.wrong("situations.questions", reason);
                }
            }
        }
    }
}
