//! A catalogue from its files: `catalogue.json`, `items/CODE.json`, `bundles/CODE.json` and the shared lists.
//!
//! Reads no disk: names and bytes come in. A file that nobody asks for is a mistake, not a spare.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check_item::pinyin;
use super::document::{Head, Parts};
use super::parse::{MAX_FILE_BYTES, MAX_TOTAL_BYTES, RawList, Report};
use super::review::ALLOWANCES;
use super::{
    Calendar, Catalogue, CatalogueError, DayKind, LifeEvent, Phrases, Policies, Region, Station,
    StationMessage, YearCertainty, rules,
};
use crate::bundle::Bundle;
use crate::date::CivilDate;
use crate::ids::ItemCode;
use crate::item::Item;
use crate::situation::CommonSituations;

/// The most files of a catalogue.
pub const MAX_FILES: usize = 12_000;

/// The file with the readings of words.
const READINGS: &str = "readings.json";
/// The most words in it.
const MAX_READINGS: usize = 5_000;

/// An entry of `calendar.json`; the festival is for people who read the file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CalendarDay {
    date: CivilDate,
    kind: DayKind,
    #[serde(default)]
    festival: String,
}

/// `calendar.json`: how sure the years are, and the days; before, it was the list of days alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarFile {
    #[serde(default)]
    years: BTreeMap<i16, YearCertainty>,
    days: RawList,
}

pub(super) fn load(files: &BTreeMap<String, Vec<u8>>) -> Result<Catalogue, Vec<CatalogueError>> {
    let mut report = Report::default();
    let catalogue = read(files, &mut report);
    report.finish(catalogue)
}

/// Reads the files and applies all rules; what is wrong goes to the report.
pub(super) fn read(files: &BTreeMap<String, Vec<u8>>, report: &mut Report) -> Option<Catalogue> {
    report.at("-", "-");
    let total: usize = files.values().map(Vec::len).sum();
    if files.len() > MAX_FILES || total > MAX_TOTAL_BYTES {
        report.wrong(
            "-",
            format!("{} files of {total} bytes; at most {MAX_FILES} and {MAX_TOTAL_BYTES}", files.len()),
        );
        return None;
    }
    for name in files.keys().filter(|name| !is_known(name)) {
        report.at(name, "-");
        report.wrong("-", "no part of a catalogue; notes for people end in .md");
    }
    let head: Option<Head> = whole(files, "catalogue.json", report);
    let calendar = calendar(files, report);
    let parts = Parts {
        items: folder::<Item>(files, "items/", report, |item| &item.code),
        bundles: folder::<Bundle>(files, "bundles/", report, |bundle| &bundle.code),
        stations: list::<Station>(files, "stations.json", "id", report),
        calendar,
        life_events: list::<LifeEvent>(files, "life_events.json", "id", report),
        phrases: whole::<Phrases>(files, "phrases.json", report).unwrap_or_default(),
        regions: whole::<BTreeMap<String, Region>>(files, "regions.json", report).unwrap_or_default(),
        situations: whole::<CommonSituations>(files, "situations.json", report).unwrap_or_default(),
        policies: optional::<Policies>(files, "policies.json", report).unwrap_or_default(),
        messages: messages(files, report),
    };
    readings(files, report);
    let catalogue = parts.assemble(head?, report);
    if let Some(catalogue) = &catalogue {
        rules::check(catalogue, report);
    }
    catalogue
}

fn is_known(name: &str) -> bool {
    const SINGLE: [&str; 11] = [
        "catalogue.json",
        "stations.json",
        "calendar.json",
        "life_events.json",
        "phrases.json",
        "regions.json",
        "situations.json",
        "policies.json",
        "messages.json",
        READINGS,
        ALLOWANCES,
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

/// A file that a catalogue of an older shape does not have.
fn optional<T: serde::de::DeserializeOwned>(
    files: &BTreeMap<String, Vec<u8>>,
    name: &str,
    report: &mut Report,
) -> Option<T> {
    files.contains_key(name).then(|| whole(files, name, report)).flatten()
}

fn messages(files: &BTreeMap<String, Vec<u8>>, report: &mut Report) -> Vec<StationMessage> {
    let name = "messages.json";
    let values: RawList = optional(files, name, report).unwrap_or_default();
    report.entries(name, "id", &values)
}

/// Words with another reading than their characters have: for the tool that makes readings, no part of a version.
fn readings(files: &BTreeMap<String, Vec<u8>>, report: &mut Report) {
    let words: BTreeMap<String, String> = optional(files, READINGS, report).unwrap_or_default();
    report.expect(words.len() <= MAX_READINGS, "-", "at most 5000 words");
    for (word, reading) in &words {
        report.at(READINGS, word);
        pinyin(reading, "-", report);
    }
}

fn list<T: serde::de::DeserializeOwned>(
    files: &BTreeMap<String, Vec<u8>>,
    name: &str,
    key: &str,
    report: &mut Report,
) -> Vec<T> {
    let values: RawList = whole(files, name, report).unwrap_or_default();
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

fn calendar(files: &BTreeMap<String, Vec<u8>>, report: &mut Report) -> Calendar {
    let name = "calendar.json";
    let first = files.get(name).and_then(|bytes| bytes.iter().find(|byte| !byte.is_ascii_whitespace()));
    let file = if first == Some(&b'[') {
        whole(files, name, report).map(|days| CalendarFile { years: BTreeMap::new(), days })
    } else {
        whole::<CalendarFile>(files, name, report)
    };
    let Some(file) = file else { return Calendar::default() };
    let mut calendar = Calendar { years: file.years, days: BTreeMap::new() };
    for day in report.entries::<CalendarDay>(name, "date", &file.days) {
        report.at(name, &day.date.to_string());
        if day.festival.chars().count() > 20 {
            report.wrong("festival", "at most 20 characters");
        }
        if calendar.days.insert(day.date, day.kind).is_some() {
            report.wrong("date", "the day stands twice");
        }
    }
    calendar
}
