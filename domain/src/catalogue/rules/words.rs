//! Every text of a catalogue: signs that are not seen, endless texts, missing English, names too long for a tile.
use serde::Serialize;
use serde_json::{Map, Value};

use crate::catalogue::canonical::to_value;
use crate::catalogue::parse::Report;
use crate::catalogue::{Catalogue, Entry, Rule};
use crate::text::is_hidden;

/// The most characters of any text.
const MAX_CHARS: usize = 2_000;
/// Widest Chinese name on a tile, in halves of a character's width: what fits on two lines of the smallest lettering
/// on a tile of the home page, and on one line of the other pages. A test draws it.
pub const TILE_NAME_HALVES: usize = 24;
/// Longest English name there, in letters.
pub const TILE_NAME_LETTERS: usize = 32;

pub(super) fn check_entry(entry: Entry<'_>, report: &mut Report) {
    match entry {
        Entry::Item(item) => walk_part(item, report),
        Entry::Bundle(bundle) => walk_part(bundle, report),
    }
    tile("short_name", entry.short_name(), report);
    if let Some(title) = entry.neutral_title() {
        tile("neutral_title", title, report);
    }
}

pub(super) fn check_rest(catalogue: &Catalogue, report: &mut Report) {
    report.at("catalogue.json", "-");
    walk("notice", &to_value(&catalogue.notice), report);
    for station in catalogue.stations.values() {
        report.at("stations.json", station.id.as_str());
        walk_part(station, report);
    }
    for event in &catalogue.life_events {
        report.at("life_events.json", &event.id);
        walk_part(event, report);
        tile("name", &event.name, report);
    }
    for message in &catalogue.messages {
        report.at("messages.json", &message.id);
        walk_part(message, report);
    }
    let rest = [
        ("phrases.json", to_value(&catalogue.phrases)),
        ("regions.json", to_value(&catalogue.regions)),
        ("situations.json", to_value(&catalogue.situations)),
        ("policies.json", to_value(&catalogue.policies)),
    ];
    for (file, value) in &rest {
        report.at(file, "-");
        walk("", value, report);
    }
}

fn walk_part<T: Serialize>(part: &T, report: &mut Report) {
    walk("", &to_value(part), report);
}

/// Looks at each text below a value.
fn walk(name: &str, value: &Value, report: &mut Report) {
    let mut path = if name.is_empty() { Vec::new() } else { vec![Part::Key(name)] };
    look(&mut path, value, report);
}

/// A part of a path; the path is written only where something is wrong.
#[derive(Clone, Copy)]
enum Part<'a> {
    Key(&'a str),
    At(usize),
}

fn look<'a>(path: &mut Vec<Part<'a>>, value: &'a Value, report: &mut Report) {
    match value {
        Value::String(text) => sign(path, text, report),
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                path.push(Part::At(at));
                look(path, value, report);
                path.pop();
            }
        }
        Value::Object(map) => {
            translation(path, map, report);
            for (key, value) in map {
                path.push(Part::Key(key));
                sign(path, key, report);
                look(path, value, report);
                path.pop();
            }
        }
        _ => {}
    }
}

/// A path as it is told; a hidden sign in it is not repeated.
fn written(path: &[Part<'_>]) -> String {
    let mut text = String::new();
    for part in path {
        match part {
            Part::Key(key) if text.is_empty() => text.push_str(key),
            Part::Key(key) => text.push_str(&format!(".{key}")),
            Part::At(at) => text.push_str(&format!("[{at}]")),
        }
    }
    text.chars().filter(|sign| !is_hidden(*sign)).take(200).collect()
}

fn sign(path: &[Part<'_>], text: &str, report: &mut Report) {
    // No text has more characters than bytes.
    let chars = if text.len() > MAX_CHARS { text.chars().count() } else { 0 };
    if chars > MAX_CHARS {
        report.wrong(&written(path), format!("{chars} characters; at most {MAX_CHARS}"));
    }
    if let Some(sign) = text.chars().find(|sign| is_hidden(*sign)) {
        report.wrong(&written(path), format!("holds the hidden sign U+{:04X}", u32::from(sign)));
    }
}

/// A text in Chinese has its English.
fn translation(path: &[Part<'_>], map: &Map<String, Value>, report: &mut Report) {
    let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::trim);
    if let (Some(zh), Some("")) = (text("zh"), text("en"))
        && !zh.is_empty()
    {
        report.warn(Rule::MissingTranslation, &written(path), "there is no English");
    }
}

fn tile(field: &str, name: &crate::text::Text, report: &mut Report) {
    let halves: usize = name.zh.chars().map(|sign| if sign.is_ascii() { 1 } else { 2 }).sum();
    let english = name.en.chars().count();
    if halves > TILE_NAME_HALVES {
        report.warn(
            Rule::TooLongForButton,
            &format!("{field}.zh"),
            format!("at most {} characters", TILE_NAME_HALVES / 2),
        );
    }
    if english > TILE_NAME_LETTERS {
        report.warn(
            Rule::TooLongForButton,
            &format!("{field}.en"),
            format!("at most {TILE_NAME_LETTERS} letters"),
        );
    }
}
