//! Graphs of all bundles of the sample, whole and with steps switched off.
use domain::catalogue::step_faults;
use domain::situation::SituationAnswers;
use sync_server::pages::bundles::{BOX_WIDTH, Boxed, Graph, duties, layout, nodes, views};

use crate::catalogue::sample;

fn apart(one: &Boxed, other: &Boxed) -> bool {
    one.x + BOX_WIDTH <= other.x
        || other.x + BOX_WIDTH <= one.x
        || one.y + one.height <= other.y
        || other.y + other.height <= one.y
}

fn sound(graph: &Graph, said: &str) {
    let find = |id: &str| graph.boxes.iter().find(|b| b.id == id).expect("a box");
    for (at, one) in graph.boxes.iter().enumerate() {
        assert!(one.x >= 0 && one.x + BOX_WIDTH <= graph.width, "{said}: {one:?}");
        assert!(one.y >= 0 && one.y + one.height <= graph.height, "{said}: {one:?}");
        assert!(graph.boxes[at + 1..].iter().all(|other| apart(one, other)), "{said}: {one:?}");
        for (y, of_name, text) in &one.lines {
            assert!((1..one.height).contains(y), "{said}: {text}");
            let size = if *of_name { 13.0 } else { 12.0 };
            let width: f64 = text.chars().map(|c| if c.is_ascii() { 0.62 } else { 1.0 }).sum();
            assert!(width * size <= f64::from(BOX_WIDTH - 20), "{said}: {text} is cut");
        }
    }
    for edge in &graph.edges {
        let (from, to) = (find(&edge.from), find(&edge.to));
        assert_eq!(edge.points.first(), Some(&(from.x + BOX_WIDTH, from.y + from.height / 2)), "{said}");
        assert_eq!(edge.points.last(), Some(&(to.x, to.y + to.height / 2)), "{said}");
        assert!(edge.points.windows(2).all(|pair| pair[0].0 < pair[1].0), "{said}: lines go to the right");
    }
}

#[test]
fn no_boxes_touch_no_text_is_cut_and_each_line_ends_at_its_boxes() {
    let catalogue = sample();
    for bundle in catalogue.bundles.values() {
        let said = bundle.code.as_str();
        let all: Vec<&str> = bundle.steps.iter().map(|step| step.id.as_str()).collect();
        for active in [&all[..], &all[..1]] {
            let graph = layout(&nodes(bundle, active));
            sound(&graph, said);
            assert_eq!(graph.boxes.len(), bundle.steps.len(), "{said}");
            let lines: usize = bundle.steps.iter().map(|step| step.depends.len()).sum();
            assert_eq!(graph.edges.len(), lines, "{said}");
            for (step, boxed) in bundle.steps.iter().zip(&graph.boxes) {
                let told: String = boxed.lines.iter().map(|(_, _, text)| text.as_str()).collect();
                assert!(
                    told.contains(&step.name.zh.replace(' ', "")) || told.contains(&step.name.zh),
                    "{said}"
                );
            }
        }
        assert_eq!(step_faults(&catalogue, bundle), Vec::new(), "{said}");
    }
}

#[test]
fn circles_and_loose_steps_are_told_and_drawn_all_the_same() {
    let catalogue = sample();
    let mut bundle = catalogue.bundles.values().find(|b| b.steps.len() > 4).expect("a bundle").clone();
    let last = bundle.steps[4].id.clone();
    bundle.steps[1].depends.push(last);
    let faults = step_faults(&catalogue, &bundle);
    assert!(faults.iter().any(|e| e.field == "steps[1].depends"), "{faults:?}");
    bundle.steps[2].depends = vec!["s99".to_owned()];
    bundle.steps[3].depends.clear();
    let reasons: Vec<String> = step_faults(&catalogue, &bundle).into_iter().map(|e| e.reason).collect();
    assert!(reasons.iter().any(|reason| reason.contains("no step `s99`")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.starts_with("unreachable")), "{reasons:?}");
    let all: Vec<String> = bundle.steps.iter().map(|step| step.id.clone()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    sound(&layout(&nodes(&bundle, &all)), "with a circle");
}

#[test]
fn each_bundle_has_sample_cases_and_one_that_comes_out_otherwise_says_how() {
    let catalogue = sample();
    let day = "2026-12-01".parse().expect("a date");
    for bundle in catalogue.bundles.values() {
        let views = views((&catalogue, bundle), &SituationAnswers::new(), day);
        assert!(views.len() > 1 && views.iter().all(|view| view.holds && !view.shown), "{}", bundle.code);
    }
    let mut bundle =
        catalogue.bundles.values().find(|b| b.sample_cases[0].steps.len() > 4).expect("one").clone();
    let answers = bundle.sample_cases[0].answers.clone();
    bundle.sample_cases[0].steps.remove(1);
    bundle.sample_cases[0].steps.push("s99".to_owned());
    let view = views((&catalogue, &bundle), &answers, day).remove(0);
    let surplus = bundle.steps[1].name.zh.clone();
    assert_eq!(
        (view.holds, view.shown, view.missing, view.surplus),
        (false, true, "s99".to_owned(), surplus)
    );
}

#[test]
fn it_is_said_of_each_step_who_does_it_what_a_refusal_does_and_what_is_seen() {
    let catalogue = sample();
    for bundle in catalogue.bundles.values() {
        let duties = duties(bundle);
        assert_eq!(duties.len(), bundle.steps.len(), "{}", bundle.code);
        for (step, duty) in bundle.steps.iter().zip(&duties) {
            let said = format!("{} {}", bundle.code, step.id);
            assert!(!duty.by[0].contains("bundles_by") && !duty.fail.contains("bundles_fail"), "{said}");
            assert_eq!(duty.by.len(), if step.levels > 1 { 2 } else { 1 }, "{said}");
            // Labels, and no keys.
            let words = [&duty.fields, &duty.materials].into_iter().chain(&duty.waits);
            assert!(words.clone().all(|words| !words.contains('_') && !words.is_empty()), "{said}");
            let waits = [step.when.is_some(), step.statutory.is_some(), !bundle.reopens(&step.id).is_empty()];
            assert_eq!(duty.waits.len(), waits.into_iter().filter(|wait| *wait).count(), "{said}");
        }
    }
    let close =
        catalogue.bundles.values().find(|bundle| bundle.code.as_str() == "one.ent-close").expect("one");
    let notice = duties(close).into_iter().find(|duty| duty.name.contains("公示")).expect("a notice");
    assert!(notice.waits.iter().any(|wait| wait.contains("法定期限 20 天")), "{:?}", notice.waits);
    assert_eq!((notice.fail.as_str(), notice.by.join("")), ("整件不予", "部门".to_owned()));
    let before = domain::bundle::Bundle {
        steps: close
            .steps
            .iter()
            .map(|step| domain::bundle::Step {
                by: None,
                fail: None,
                fields: None,
                materials: None,
                ..step.clone()
            })
            .collect(),
        reopened_by: std::collections::BTreeMap::new(),
        steps_certainty: None,
        desk_only: Vec::new(),
        ..close.clone()
    };
    assert!(duties(&before).is_empty(), "nothing was said of it");
}
