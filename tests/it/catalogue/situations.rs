//! Situation questions of the sample: every combination of answers leaves a graph, materials and a form that fit.
use std::collections::BTreeSet;

use domain::catalogue::{Catalogue, Entry};
use domain::situation::{Question, Resolution, SituationAnswers, questions, resolve};

use super::{code, entries, sample};

/// Every way to answer questions with one option each, without those that end the matter.
fn combinations(asked: &[&Question]) -> Vec<SituationAnswers> {
    let mut all = vec![SituationAnswers::new()];
    for question in asked {
        let options = question.options.iter().filter(|option| option.ends_with.is_none());
        let ids: Vec<&String> = options.map(|option| &option.id).collect();
        let with = |answers: &SituationAnswers, id: &String| {
            let mut answers = answers.clone();
            answers.insert(question.id.clone(), BTreeSet::from([id.clone()]));
            answers
        };
        all = all.iter().flat_map(|answers| ids.iter().map(|id| with(answers, id))).collect();
    }
    all
}

/// All ids on which a step that is on waits through steps that are off, worked out from scratch.
fn effective(bundle: &domain::bundle::Bundle, id: &str, on: &BTreeSet<&str>) -> BTreeSet<String> {
    let step = bundle.steps.iter().find(|step| step.id == id).expect("a step of the bundle");
    let depends = step.depends.iter().flat_map(|other| match on.contains(other.as_str()) {
        true => BTreeSet::from([other.clone()]),
        false => effective(bundle, other, on),
    });
    depends.collect()
}

fn fits(catalogue: &Catalogue, entry: Entry<'_>, resolution: &Resolution<'_>, answers: &SituationAnswers) {
    let said = format!("{}: {answers:?}", entry.code());
    assert!(
        resolution.ended.is_none() && resolution.next.is_none() && resolution.refused.is_empty(),
        "{said}"
    );
    let names: Vec<&str> = resolution.materials.iter().map(|m| m.name.zh.as_str()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a material twice: {said}");
    for material in &resolution.materials {
        assert!(!material.name.en.is_empty(), "{}: {said}", material.name.zh);
    }
    let changes = &resolution.adjustments;
    assert!(changes.adds_fields.is_disjoint(&changes.drops_fields), "{said}");
    let fields: Vec<_> =
        entry.form().pages.iter().flat_map(|p| &p.groups).flat_map(|group| &group.fields).collect();
    for key in changes.adds_fields.iter().chain(&changes.drops_fields) {
        assert!(fields.iter().any(|field| field.key == *key), "{key}: {said}");
    }
    for (key, left) in changes.narrows_fields.iter().chain(&changes.presets) {
        let field = fields.iter().find(|field| field.key == *key).expect("a field of the form");
        let known = |value: &String| {
            field.choices.is_empty() || field.choices.iter().any(|choice| choice.value == *value)
        };
        assert!(!left.is_empty() && left.iter().all(known), "{key}: {said}");
    }
    let Entry::Bundle(bundle) = entry else { return assert!(resolution.steps.is_empty(), "{said}") };
    let on: BTreeSet<&str> = resolution.steps.iter().map(|step| step.step.id.as_str()).collect();
    assert_eq!(
        resolution.steps.first().map(|s| s.step.id.as_str()),
        Some(bundle.steps[0].id.as_str()),
        "{said}"
    );
    assert_eq!(resolution.nothing_left.is_some(), on.len() < 2, "{said}");
    for step in &resolution.steps {
        let depends: BTreeSet<String> = step.depends.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(depends, effective(bundle, &step.step.id, &on), "{}: {said}", step.step.id);
        assert!(step.depends.iter().all(|id| on.contains(id)), "{said}");
    }
    assert!(resolution.steps.iter().skip(1).all(|step| !step.depends.is_empty()), "{said}");
    let decided: BTreeSet<&String> = bundle.situations.questions.iter().flat_map(|q| &q.controls).collect();
    let always = bundle.steps.iter().filter(|step| !decided.contains(&step.id));
    assert!(always.into_iter().all(|step| on.contains(step.id.as_str())), "{said}");
    assert!(catalogue.bundles.contains_key(&bundle.code));
}

#[test]
fn every_combination_of_answers_fits() {
    let catalogue = sample();
    let (mut combined, mut nothing, mut asked_in) = (0, 0, 0);
    for entry in entries(&catalogue) {
        let asked = questions(&catalogue, entry);
        asked_in += usize::from(!asked.is_empty());
        for answers in combinations(&asked) {
            let resolution = resolve(&catalogue, entry, &answers);
            fits(&catalogue, entry, &resolution, &answers);
            if matches!(entry, Entry::Bundle(_)) {
                combined += 1;
                nothing += usize::from(resolution.nothing_left.is_some());
            }
        }
    }
    assert!(combined > 300 && nothing > 0 && asked_in > 80, "{combined} {nothing} {asked_in}");
}

#[test]
fn several_options_switch_the_union_of_their_steps() {
    let catalogue = sample();
    let entry = catalogue.entry(&code("one.utilities")).expect("exists");
    let ids = ["water", "power", "gas", "net"];
    for set in 1..16_u32 {
        let chosen = ids.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0);
        let chosen: BTreeSet<String> = chosen.map(|(_, id)| (*id).to_owned()).collect();
        let answers: SituationAnswers =
            [("which".to_owned(), chosen), ("dig".to_owned(), BTreeSet::from(["no".to_owned()]))].into();
        fits(&catalogue, entry, &resolve(&catalogue, entry, &answers), &answers);
    }
}

#[test]
fn what_a_question_decided_is_not_asked_again() {
    let catalogue = sample();
    let resolved = |item: &str, given: &[(&str, &str)]| {
        let answers: SituationAnswers = given
            .iter()
            .map(|(question, option)| ((*question).to_owned(), BTreeSet::from([(*option).to_owned()])))
            .collect();
        let entry = catalogue.entry(&code(item)).expect("exists");
        let changes = resolve(&catalogue, entry, &answers).adjustments;
        (changes.narrows_fields.into_iter().collect::<Vec<_>>(), changes.drops_fields)
    };
    let (_, dropped) = resolved("one.newborn", &[("mail", "pick"), ("bill", "no")]);
    assert_eq!(dropped.into_iter().collect::<Vec<_>>(), ["bank_card", "mail_addr"]);
    let (_, dropped) = resolved("one.sscard", &[("card", "yes")]);
    assert!(dropped.contains("id_photo") && dropped.contains("card_bank"));
    let marriage = catalogue.entry(&code("one.marriage")).expect("exists");
    let changes = resolve(&catalogue, marriage, &SituationAnswers::new()).adjustments;
    assert_eq!(changes.presets["marry_kind"], ["结婚登记"]);
}
