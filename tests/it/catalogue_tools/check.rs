//! `catalogue check`: everything at once, each with its place, and an end however bad the folder is.
use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Desk, lines};
use crate::catalogue::limits::enlarged;

const FLEX: &str = "c/items/hrss.flex-enroll.json";

#[test]
fn the_sample_is_sound_and_what_is_meant_is_counted() -> Result<()> {
    let desk = Desk::new()?;
    let said = desk.does("catalogue check c")?;
    let last = said.lines().last().context("a summary")?;
    assert!(
        last.starts_with("version 2: 95 items, 21 bundles, 49 stations; 0 errors, 0 warnings, "),
        "{last}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    let allowed: usize =
        last.rsplit(", ").next().and_then(|w| w.split(' ').next()).context("a count")?.parse()?;
    let all = desk.does("catalogue check c --all")?;
    assert!(allowed > 0 && lines(&all, "allowed ").len() == allowed, "{all}");
    let answer: Value = serde_json::from_str(&desk.does("catalogue check c --json")?)?;
    assert_eq!((&answer["sound"], &answer["summary"]), (&json!(true), &json!(last)));
    assert_eq!(answer["allowed"].as_array().map(Vec::len), Some(allowed));
    Ok(())
}

#[test]
fn every_mistake_is_told_at_once_with_file_item_and_field() -> Result<()> {
    let desk = Desk::new()?;
    desk.edit(FLEX, |item| {
        item["promised"] = json!({"tenths": 900, "unit": "working_day"});
        item["legal"] = json!({"tenths": 100, "unit": "working_day"});
    })?;
    desk.edit("c/items/nhsa.remote-temp.json", |item| {
        let words = item["synonyms"].as_array_mut().into_iter().flatten().next();
        words.into_iter().for_each(|word| *word = json!("无犯罪证明"));
    })?;
    desk.edit("c/items/psb.id-loss.json", |item| {
        item["form"]["pages"][0]["groups"][0]["fields"][0]["label"]["zh"] = json!("长".repeat(10_000));
    })?;
    desk.edit("c/items/mca.marriage-book.json", |item| {
        item["guide"]["after"]["zh"] = json!("受理后\u{202e}办结\u{7}");
        item["name"]["en"] = json!("");
    })?;
    desk.edit("c/bundles/one.utilities.json", |bundle| {
        let last = bundle["steps"].as_array().map_or(0, Vec::len) - 1;
        let id = bundle["steps"][last]["id"].clone();
        bundle["steps"][1]["depends"] = json!([id]);
    })?;
    let half = desk.read("c/items/tax.clear-cert.json")?;
    desk.write("c/items/tax.clear-cert.json", &half[..half.len() / 2])?;
    desk.write("c/items/huge.one.json", &vec![b' '; 5 << 20])?;
    desk.write("c/notes.txt", b"?")?;
    desk.write("c/.git/config", b"?")?;
    desk.write("c/items/deep/a.json", b"{}")?;
    let said = desk.refuses("catalogue check c")?;
    for wanted in [
        "items/hrss.flex-enroll.json: hrss.flex-enroll: promised",
        "items/psb.no-crime.json: psb.no-crime: synonyms[0]: ",
        "items/psb.id-loss.json: psb.id-loss: form.",
        "items/mca.marriage-book.json: mca.marriage-book: guide.after.zh: holds the hidden sign U+202E",
        "items/tax.clear-cert.json: tax.clear-cert: ",
        "items/huge.one.json: -: -: 5242880 bytes; at most 4194304",
        "notes.txt: -: -: ",
        ".git: -: -: a folder that is no part of a catalogue",
        "items/deep: -: -: a folder that is no part of a catalogue",
    ] {
        assert!(lines(&said, "error ").iter().any(|line| line[6..].starts_with(wanted)), "{wanted}: {said}");
    }
    let cycle = "bundles/one.utilities.json: one.utilities: steps[1].depends: a cycle: ";
    assert!(said.contains(cycle), "{said}");
    assert!(
        said.contains("warning items/mca.marriage-book.json: mca.marriage-book: name: there is no English"),
        "{said}"
    );
    assert!(!said.chars().any(|c| c == '\u{202e}' || c == '\u{7}'), "a sign is repeated: {said:?}");
    let errors = lines(&said, "error ").len();
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains(&format!("{errors} errors, ")), "{last}: {errors}");
    let (code, answer, _) = desk.says("catalogue check c --json")?;
    let answer: Value = serde_json::from_str(&answer)?;
    assert_eq!((code, &answer["sound"]), (1, &json!(false)));
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(errors));
    Ok(())
}

#[test]
fn a_folder_that_is_none_or_empty_is_told_and_nothing_waits_for_a_pipe() -> Result<()> {
    let desk = Desk::new()?;
    std::fs::create_dir(desk.path().join("empty"))?;
    let said = desk.refuses("catalogue check empty")?;
    for file in ["catalogue.json", "stations.json", "calendar.json", "regions.json"] {
        assert!(said.contains(&format!("error {file}: -: -: the file is missing")), "{said}");
    }
    assert!(desk.refuses("catalogue check nowhere")?.contains("nowhere"));
    assert_eq!(desk.says("catalogue check version:one")?.0, 2);
    let made = std::process::Command::new("mkfifo").arg(desk.path().join("c/items/pipe.json")).status()?;
    assert!(made.success());
    std::os::unix::fs::symlink("round", desk.path().join("c/round"))?;
    let said = desk.refuses("catalogue check c")?;
    assert!(said.contains("error items/pipe.json: -: -: no file"), "{said}");
    assert!(said.contains("error round: -: -: "), "{said}");
    assert_eq!(lines(&said, "error ").len(), 2, "{said}");
    Ok(())
}

#[test]
fn what_lacks_readings_is_told_and_they_are_made() -> Result<()> {
    let desk = Desk::new()?;
    let whole = desk.does("catalogue build c --out whole.json")?;
    desk.edit(FLEX, |item| {
        for field in ["pinyin", "pinyin_initials", "short_pinyin"] {
            item[field] = json!("");
        }
        item["synonym_pinyin"] = json!([]);
    })?;
    let said = desk.does("catalogue check c")?;
    assert!(said.contains("note 1 files lack readings") && said.contains("hrss.flex-enroll"), "{said}");
    assert_eq!(desk.does("catalogue build c --out made.json")?, whole);
    assert_eq!(desk.read("made.json")?, desk.read("whole.json")?);
    Ok(())
}

#[test]
fn five_thousand_items_and_the_largest_form_are_checked() -> Result<()> {
    let desk = Desk(tempfile::tempdir()?);
    desk.put("c", &enlarged(5_000))?;
    desk.edit(FLEX, |item| {
        let fields = |count: usize| -> (serde_json::Map<String, Value>, Vec<Value>) {
            let property = json!({"type": "string", "maxLength": 20});
            let label = json!({"zh": "字段", "en": "Field"});
            let keys = || (0..count).map(|n| format!("field_{n}"));
            let asked = keys().map(|key| json!({"key": key, "widget": "text", "label": label})).collect();
            (keys().map(|key| (key, property.clone())).collect(), asked)
        };
        let (properties, asked) = fields(200);
        item["form"] = json!({
            "schema": {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
                "properties": properties, "additionalProperties": false},
            "pages": [{"title": {"zh": "很多", "en": "Many"}, "groups": [{"fields": asked}]}],
        });
        item["situations"] = json!(null);
    })?;
    let said = desk.does("catalogue check c --json")?;
    let answer: Value = serde_json::from_str(&said)?;
    let summary = answer["summary"].as_str().unwrap_or_default();
    assert!(summary.starts_with("version 2: 5000 items, ") && summary.contains("0 errors"), "{summary}");
    let said = desk.does("catalogue export c --csv --to tables")?;
    assert!(said.contains("2 files"), "{said}");
    let said = desk.does("catalogue import tables --base c")?;
    assert!(said.contains("version 2 -> 2: 0 added, 0 removed, 0 changed in 0 fields"), "{said}");
    Ok(())
}
