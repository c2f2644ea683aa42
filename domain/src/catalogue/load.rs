//! A catalogue from its files: `catalogue.json`, `items/CODE.json`, `bundles/CODE.json` and the shared lists.
//!
//! Reads no disk: names and bytes come in. A file that nobody asks for is a mistake, not a spare.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{Head, Parts};
use super::parse::{MAX_FILE_BYTES, MAX_TOTAL_BYTES, Report};
use super::{Catalogue, CatalogueError, DayKind, LifeEvent, Phrases, Region, Station};
use crate::bundle::Bundle;
use crate::date::CivilDate;
use crate::ids::ItemCode;
use crate::item::Item;

/// The most files of a catalogue.
const MAX_FILES: usize = 2_000;

/// An entry of `calendar.json`; the festival is for people who read the file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CalendarDay {
    date: CivilDate,
    kind: DayKind,
    #[serde(default)]
    festival: String,
}

pub(super) fn load(files: &BTreeMap<String, Vec<u8>>) -> Result<Catalogue, Vec<CatalogueError>> {
    let mut report = Report::default();
    report.at("-", "-");
    let total: usize = files.values().map(Vec::len).sum();
    if files.len() > MAX_FILES || total > MAX_TOTAL_BYTES {
        report.wrong(
            "-",
            format!("{} files of {total} bytes; at most {MAX_FILES} and {MAX_TOTAL_BYTES}", files.len()),
        );
        return report.finish(None);
    }
    for name in files.keys().filter(|name| !is_known(name)) {
        report.at(name, "-");
        report.wrong("-", "no part of a catalogue; notes for people end in .md");
    }
    let head: Option<Head> = whole(files, "catalogue.json", &mut report);
    let calendar = calendar(files, &mut report);
    let parts = Parts {
        items: folder::<Item>(files, "items/", &mut report, |item| &item.code),
        bundles: folder::<Bundle>(files, "bundles/", &mut report, |bundle| &bundle.code),
        stations: list::<Station>(files, "stations.json", "id", &mut report),
        calendar,
        life_events: list::<LifeEvent>(files, "life_events.json", "id", &mut report),
        phrases: whole::<Phrases>(files, "phrases.json", &mut report).unwrap_or_default(),
        regions: whole::<BTreeMap<String, Region>>(files, "regions.json", &mut report).unwrap_or_default(),
        situations: whole::<Value>(files, "situations.json", &mut report).unwrap_or_default(),
    };
    let catalogue = head.and_then(|head| parts.assemble(head, &mut report));
    report.finish(catalogue)
}

fn is_known(name: &str) -> bool {
    const SINGLE: [&str; 7] = [
        "catalogue.json",
        "stations.json",
        "calendar.json",
        "life_events.json",
        "phrases.json",
        "regions.json",
        "situations.json",
    ];
    name.ends_with(".md") || SINGLE.contains(&name) || entry_code(name).is_some()
}

/// The code in `items/CODE.json` or `bundles/CODE.json`.
fn entry_code(name: &str) -> Option<&str> {
    let file = name.strip_prefix("items/").or_else(|| name.strip_prefix("bundles/"))?;
    file.strip_suffix(".json").filter(|code| !code.contains('/'))
}

fn whole<T: serde::de::DeserializeOwned>(
    files: &BTreeMap<String, Vec<u8>>,
    name: &str,
    report: &mut Report,
) -> Option<T> {
    report.at(name, "-");
    match files.get(name) {
        Some(bytes) => report.parse(bytes, MAX_FILE_BYTES),
        None => {
            report.wrong("-", "the file is missing");
            None
        }
    }
}

fn list<T: serde::de::DeserializeOwned>(
    files: &BTreeMap<String, Vec<u8>>,
    name: &str,
    key: &str,
    report: &mut Report,
) -> Vec<T> {
    let values: Vec<Value> = whole(files, name, report).unwrap_or_default();
    report.entries(name, key, &values)
}

fn folder<T: serde::de::DeserializeOwned>(
    files: &BTreeMap<String, Vec<u8>>,
    prefix: &str,
    report: &mut Report,
    code_of: fn(&T) -> &ItemCode,
) -> Vec<T> {
    let mut entries = Vec::new();
    for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with(prefix)) {
        let Some(code) = entry_code(name) else { continue };
        report.at(name, code);
        let Some(entry) = report.parse::<T>(bytes, MAX_FILE_BYTES) else { continue };
        if code_of(&entry).as_str() != code {
            report.wrong("code", format!("`{}` does not fit the file name", code_of(&entry)));
        }
        entries.push(entry);
    }
    entries
}

fn calendar(files: &BTreeMap<String, Vec<u8>>, report: &mut Report) -> BTreeMap<CivilDate, DayKind> {
    let mut calendar = BTreeMap::new();
    for day in list::<CalendarDay>(files, "calendar.json", "date", report) {
        report.at("calendar.json", &day.date.to_string());
        if day.festival.chars().count() > 20 {
            report.wrong("festival", "at most 20 characters");
        }
        if calendar.insert(day.date, day.kind).is_some() {
            report.wrong("date", "the day stands twice");
        }
    }
    calendar
}
