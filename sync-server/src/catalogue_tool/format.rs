//! A catalogue as the files of its folder, the inverse of `Catalogue::load`.
//!
//! A version does not know everything that a folder says: which festival a day belongs to, the words of
//! `readings.json`, the reasons of `allow.json`, notes for people, and the order of keys where it means nothing.
//! Members of a form's schema are written in the order that people know; phrases, materials that only questions name
//! and the items of a policy in the order of their characters.
use domain::catalogue::{Catalogue, Station};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::folder::Files;
use crate::readings::{WORDS, written};

/// Files that a folder may have and no version knows.
pub(super) const COMPANIONS: [&str; 2] = [WORDS, "allow.json"];

/// Members of a schema in the order in which they are written: keywords, then parts of addresses, signatures and
/// files, then limits of dates. Others follow as they stand.
const KEYWORDS: [&str; 26] = [
    "$schema",
    "if",
    "then",
    "type",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "properties",
    "items",
    "required",
    "additionalProperties",
    "region",
    "detail",
    "strokes",
    "width",
    "height",
    "hash",
    "bytes",
    "kind",
    "min",
    "max",
    "notBefore",
    "after",
];

/// Members of a bundle's figures, likewise.
const FIGURES: [&str; 12] = [
    "materials_before",
    "materials_after",
    "visits_before",
    "visits_after",
    "time_unit",
    "time_before_tenths",
    "time_after_tenths",
    "source",
    "visits_saved",
    "visits_saved_source",
    "visits_saved_text",
    "zh",
];

/// All files of a catalogue.
pub fn files(catalogue: &Catalogue) -> Files {
    let mut files = Files::new();
    let mut put = |name: &str, bytes: Vec<u8>| drop(files.insert(name.to_owned(), bytes));
    for (code, item) in &catalogue.items {
        put(&format!("items/{code}.json"), written(&entry(item)));
    }
    for (code, bundle) in &catalogue.bundles {
        put(&format!("bundles/{code}.json"), written(&entry(bundle)));
    }
    let Catalogue { version, data_label, notice, home_items, .. } = catalogue;
    let head =
        json!({"version": version, "data_label": data_label, "notice": notice, "home_items": home_items});
    put("catalogue.json", written(&head));
    put("stations.json", written(&value(&stations(catalogue))));
    put("calendar.json", calendar(catalogue));
    put("life_events.json", written(&value(&catalogue.life_events)));
    put("phrases.json", written(&value(&catalogue.phrases)));
    put("regions.json", regions(catalogue));
    put("situations.json", written(&value(&catalogue.situations)));
    put("policies.json", written(&value(&catalogue.policies)));
    put("messages.json", written(&value(&catalogue.messages)));
    files
}

/// Stations by their number, as people list them.
fn stations(catalogue: &Catalogue) -> Vec<&Station> {
    let mut stations: Vec<&Station> = catalogue.stations.values().collect();
    stations.sort_by_key(|station| station.number);
    stations
}

fn value(part: &(impl Serialize + ?Sized)) -> Value {
    // Cannot fail: every map key is a string or a date written as one, and no type refuses to be serialised.
    serde_json::to_value(part).unwrap_or_default()
}

fn entry(part: &impl Serialize) -> Value {
    let mut entry = value(part);
    if let Some(figures) = entry.get_mut("figures") {
        order(figures, &FIGURES);
    }
    if let Some(form) = entry.get_mut("form") {
        usual_form(form);
    }
    if let Some(guide) = entry.get_mut("guide").and_then(Value::as_object_mut) {
        let note = guide.shift_remove_entry("fee_note");
        guide.extend(note);
    }
    entry
}

/// Writes a form's schema in the usual order, and leaves out what goes without saying.
pub(super) fn usual_form(form: &mut Value) {
    let mut fields: Vec<String> = Vec::new();
    let pages = form.get_mut("pages").and_then(Value::as_array_mut).into_iter().flatten();
    for group in pages.flat_map(|page| page.get_mut("groups")).flat_map(Value::as_array_mut).flatten() {
        let repeat = group.pointer("/repeat/key").and_then(Value::as_str).map(str::to_owned);
        fields.extend(repeat);
        for field in group.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
            fields.extend(field.get("key").and_then(Value::as_str).map(str::to_owned));
            if let Some(map) = field.as_object_mut().filter(|map| map.get("required") == Some(&json!(false)))
            {
                map.shift_remove("required");
            }
        }
    }
    if let Some(schema) = form.get_mut("schema") {
        order(schema, &KEYWORDS);
        in_form_order(schema, &fields);
    }
}

/// Properties stand as their fields do.
fn in_form_order(schema: &mut Value, fields: &[String]) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for property in properties.values_mut().filter_map(Value::as_object_mut) {
        match property.get_mut("items") {
            // A list of files says first what a file is.
            Some(file) if file.get("type") == Some(&json!("string")) => {
                *property = ordered(std::mem::take(property), &["type", "items"]);
            }
            Some(row) => in_form_order(row, fields),
            None => {}
        }
    }
    let names: Vec<&str> = fields.iter().map(String::as_str).collect();
    *properties = ordered(std::mem::take(properties), &names);
}

/// Orders keys at every depth.
fn order(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(|below| order(below, names));
            *map = ordered(std::mem::take(map), names);
        }
        Value::Array(list) => list.iter_mut().for_each(|below| order(below, names)),
        _ => {}
    }
}

/// The members that are named, in that order, then the others as they stood.
fn ordered(mut map: Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let mut sorted = Map::new();
    for name in names {
        sorted.extend(map.shift_remove_entry(*name));
    }
    sorted.extend(map);
    sorted
}

/// One day a line, as people edit it.
fn calendar(catalogue: &Catalogue) -> Vec<u8> {
    let years: Vec<String> = catalogue
        .calendar
        .years
        .iter()
        .map(|(year, certainty)| format!("\"{year}\": {}", value(certainty)))
        .collect();
    let days: Vec<String> = catalogue
        .calendar
        .days
        .iter()
        .map(|(date, kind)| format!("{{\"date\": \"{date}\", \"kind\": {}}}", value(kind)))
        .collect();
    let years =
        if years.is_empty() { String::new() } else { format!("\"years\": {{{}}},\n", years.join(", ")) };
    format!("{{{years}\"days\": [\n{}\n]}}\n", days.join(",\n")).into_bytes()
}

/// One region a line.
fn regions(catalogue: &Catalogue) -> Vec<u8> {
    let lines: Vec<String> = catalogue
        .regions
        .iter()
        .map(|(code, region)| {
            let mut line = format!("{}: {{\"name\": {}", json!(code), json!(region.name));
            if let Some(parent) = &region.parent {
                line.push_str(&format!(", \"parent\": {}", json!(parent)));
            }
            line.push_str(if region.current { "}" } else { ", \"current\": false}" });
            line
        })
        .collect();
    format!("{{\n{}\n}}\n", lines.join(",\n")).into_bytes()
}
