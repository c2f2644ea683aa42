//! Differences of two versions, and the revisions of what changed.
use serde_json::json;

use super::super::*;
use super::frozen;
use crate::ids::ItemCode;

fn code(text: &str) -> ItemCode {
    text.parse().expect("a code")
}

/// The version after the frozen one: a promise, a step and a field changed, an item came and one went.
fn changed() -> Catalogue {
    let mut catalogue = frozen();
    let item = catalogue.items.get_mut(&code("psb.no-crime")).expect("there");
    item.promised.tenths = 20;
    item.guide.how[1].zh = "先选用途".to_owned();
    item.form.pages[0].groups[0].fields[0].label.en = "Purpose of it".to_owned();
    let mut new = item.clone();
    new.code = code("psb.new");
    catalogue.items.insert(new.code.clone(), new);
    catalogue.items.remove(&code("util.bill-pay"));
    let bundle = catalogue.bundles.get_mut(&code("one.utilities")).expect("there");
    bundle.steps[2].depends.push("s1".to_owned());
    catalogue.policies.draft_hours = 48;
    catalogue.calendar.days.insert("2026-12-31".parse().expect("a date"), DayKind::Holiday);
    catalogue
}

#[test]
fn nothing_differs_from_itself() {
    let difference = diff(&frozen(), &frozen());
    assert_eq!((difference.counts, difference.entries.len()), (Counts::default(), 0));
}

#[test]
fn a_difference_is_told_by_item_and_field() {
    let old = frozen();
    let new = changed().succeeding(&old);
    let difference = diff(&old, &new);
    let counts = Counts { added: 2, removed: 1, changed: 3, fields: 5, revisions: 4 };
    assert_eq!(difference.counts, counts, "{difference}");
    let said = difference.to_string();
    for line in [
        "~ item psb.no-crime 无犯罪记录证明 (revision 1 -> 2)",
        "    promised.tenths: 10 -> 20",
        "    guide.how[1].zh: \"选用途\" -> \"先选用途\"",
        "    form.pages[0].groups[0].fields[purpose].label.en: \"Purpose\" -> \"Purpose of it\"",
        "+ item psb.new 无犯罪记录证明 (revision 1)",
        "- item util.bill-pay",
        "~ bundle one.utilities",
        "    steps[s3].depends: [\"s2\"] -> [\"s2\",\"s1\"]",
        "~ policies -",
        "    draft_hours: 24 -> 48",
        "+ day 2026-12-31",
        "version 1 -> 2: 2 added, 1 removed, 3 changed in 5 fields, 4 new revisions",
    ] {
        assert!(said.lines().any(|other| other.starts_with(line)), "{line}\n{said}");
    }
    let machine = serde_json::to_value(&difference).expect("JSON");
    let entry = &machine["entries"][0];
    assert_eq!((&entry["kind"], &entry["change"]), (&json!("item"), &json!("changed")));
    assert_eq!(entry["revisions"], json!([1, 2]));
    let field = entry["fields"].as_array().expect("fields").iter().find(|f| f["path"] == "promised.tenths");
    assert_eq!(field, Some(&json!({"path": "promised.tenths", "old": 10, "new": 20})));
}

#[test]
fn only_what_changed_has_a_new_revision() {
    let old = frozen();
    let new = changed().succeeding(&old);
    assert_eq!(new.version, 2);
    let revisions: Vec<(String, u64)> =
        new.entries().filter(|e| e.revision() > 1).map(|e| (e.code().to_string(), e.revision())).collect();
    assert_eq!(revisions, [("psb.no-crime".to_owned(), 2), ("one.utilities".to_owned(), 2)]);
    let third = new.clone().succeeding(&new);
    assert_eq!((third.version, third.items == new.items), (3, true));
    let back = old.clone().succeeding(&third);
    assert_eq!(back.items[&code("psb.no-crime")].revision, 3, "going back is a change as well");
}

#[test]
fn a_change_whose_revision_did_not_rise_is_told() {
    let difference = diff(&frozen(), &changed());
    let kept: Vec<&str> =
        difference.entries.iter().filter(|e| e.revision_kept).map(|e| e.code.as_str()).collect();
    assert_eq!(kept, ["psb.no-crime", "one.utilities"]);
    assert!(difference.to_string().contains("(its revision must rise)"));
}

#[test]
fn hidden_signs_and_endless_texts_are_told_on_one_line() {
    let (old, mut new) = (frozen(), frozen());
    let item = new.items.get_mut(&code("psb.no-crime")).expect("there");
    item.name.zh = format!("\u{202e}\n{}", "长".repeat(10_000));
    let said = diff(&old, &new).to_string();
    let line = said.lines().find(|line| line.contains("name.zh")).expect("a line");
    assert!(line.contains("<U+202E>") && line.contains('…') && line.chars().count() < 250, "{line}");
}

#[test]
fn parts_of_a_list_that_change_places_are_told_as_an_order() {
    let (old, mut new) = (frozen(), frozen());
    let bundle = new.bundles.get_mut(&code("one.utilities")).expect("there");
    bundle.steps.swap(2, 3);
    let difference = diff(&old, &new);
    let paths: Vec<&str> = difference.entries[0].fields.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["steps[order]"]);
}
