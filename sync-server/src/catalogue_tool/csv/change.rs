//! One row of a table into the JSON of an item or of a form's field. A cell that says what is there already changes
//! nothing, so a table that was only opened and saved changes no file.
use domain::form::FormSpec;
use serde_json::{Map, Value, json};

use super::columns::{Column, FIELDS, ITEMS, Kind, at, cell, tenths};
use super::table::{Mistakes, Row};
use crate::catalogue_tool::format::usual_form;

/// Applies a row of `items.csv`. Readings of names that changed are forgotten, so that they are made anew.
pub(super) fn change_item(entry: &mut Value, row: &Row, mistakes: &mut Mistakes<'_>) {
    let before = entry.clone();
    change(entry, ITEMS, row, mistakes);
    forget_readings(&before, entry);
}

/// Applies a row of `fields.csv`; says whether there is such a field. The schema follows: choices, and what is required.
pub(super) fn change_field(entry: &mut Value, key: &str, row: &Row, mistakes: &mut Mistakes<'_>) -> bool {
    let Some(form) = entry.get_mut("form") else { return false };
    let Some(place) = place_of(form, key) else { return false };
    let page = form.pointer(&place.page).and_then(Value::as_str).unwrap_or_default();
    if row.cells.iter().any(|(column, text)| column.key == "page" && text != page) {
        mistakes.tell(row.number, "page", stays(page));
    }
    let Some(field) = form.pointer_mut(&place.field) else { return false };
    let before = field.clone();
    change(field, FIELDS, row, mistakes);
    let field = field.clone();
    if field.get("choices") != before.get("choices") && at(&field, "widget") == Some(&json!("enum")) {
        let values: Vec<&Value> = choices(&field).filter_map(|choice| choice.get("value")).collect();
        let values = json!(values);
        if let Some(property) = form.pointer_mut(&place.property).and_then(Value::as_object_mut) {
            property.insert("enum".to_owned(), values);
        }
    }
    if field.get("required") != before.get("required") {
        align(form);
    }
    true
}

/// Whether a form has a field of this key.
pub(super) fn has_field(entry: &Value, key: &str) -> bool {
    entry.get("form").is_some_and(|form| place_of(form, key).is_some())
}

/// JSON pointers in a form.
struct Place {
    field: String,
    /// Chinese title of the page.
    page: String,
    /// Its property in the schema.
    property: String,
}

fn place_of(form: &Value, key: &str) -> Option<Place> {
    for (p, page) in list(form, "pages").enumerate() {
        for (g, group) in list(page, "groups").enumerate() {
            let found = list(group, "fields").position(|field| field.get("key") == Some(&json!(key)));
            let Some(f) = found else { continue };
            let row = group.pointer("/repeat/key").and_then(Value::as_str);
            let above = row.map_or_else(String::new, |row| format!("{row}/items/properties/"));
            return Some(Place {
                field: format!("/pages/{p}/groups/{g}/fields/{f}"),
                page: format!("/pages/{p}/title/zh"),
                property: format!("/schema/properties/{above}{key}"),
            });
        }
    }
    None
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn choices(field: &Value) -> impl Iterator<Item = &Value> {
    list(field, "choices")
}

/// `required` and conditions of the schema as the pages demand them.
fn align(form: &mut Value) {
    // A form that cannot be read is told by the checks that follow.
    let Ok(mut spec) = serde_json::from_value::<FormSpec>(form.clone()) else { return };
    spec.align_schema();
    if let Some(schema) = form.get_mut("schema") {
        *schema = spec.schema;
    }
    usual_form(form);
}

fn change(entry: &mut Value, known: &'static [Column], row: &Row, mistakes: &mut Mistakes<'_>) {
    for (column, text) in &row.cells {
        if cell(entry, column) != *text
            && let Err(reason) = set(entry, column, text)
        {
            mistakes.tell(row.number, column.key, reason);
        }
    }
    for (list, members) in lists_of(known, row) {
        if members.iter().all(|(column, text)| cell(entry, column) == *text) {
            continue;
        }
        match parts(&members) {
            Ok(parts) => put(entry, list, Value::Array(parts)),
            Err(found) => found.into_iter().for_each(|(key, reason)| mistakes.tell(row.number, key, reason)),
        }
    }
    for column in known.iter().filter(|column| column.kind == Kind::Optional) {
        let root = column.root();
        let beside = known.iter().filter(|other| other.kind == Kind::Optional && other.root() == root);
        if beside.into_iter().all(|other| cell(entry, other).is_empty()) {
            remove(entry, root);
        }
    }
}

/// A column and its text.
type Member<'a> = (&'static Column, &'a str);

/// Cells that say something of each entry of a list, by list, in the order of the known columns.
fn lists_of<'a>(known: &'static [Column], row: &'a Row) -> Vec<(&'static str, Vec<Member<'a>>)> {
    let mut lists: Vec<(&'static str, Vec<Member<'a>>)> = Vec::new();
    for column in known.iter().filter(|column| column.kind == Kind::Members) {
        let Some((_, text)) = row.cells.iter().find(|(other, _)| other.key == column.key) else { continue };
        let (list, _) = column.member();
        match lists.last_mut().filter(|(last, _)| *last == list) {
            Some((_, members)) => members.push((column, text)),
            None => lists.push((list, vec![(column, text)])),
        }
    }
    lists
}

fn stays(text: &str) -> String {
    format!("is shown for orientation and cannot be changed here: `{text}` stays")
}

fn set(entry: &mut Value, column: &Column, text: &str) -> Result<(), String> {
    let value = match column.kind {
        Kind::Name | Kind::Members => return Ok(()),
        Kind::Shown if at(entry, column.path).is_none() => return Ok(()),
        Kind::Shown => return Err(stays(&cell(entry, column))),
        Kind::Line | Kind::Optional => {
            if text.contains('\n') {
                return Err("one line only".to_owned());
            }
            (column.fits)(text)?;
            if text.is_empty() && column.kind == Kind::Optional && !column.path.ends_with(".en") {
                remove(entry, column.path);
                return Ok(());
            }
            json!(text)
        }
        Kind::Flag => match text.trim().to_ascii_lowercase().as_str() {
            "true" => json!(true),
            "false" => json!(false),
            _ => return Err("must be `true` or `false`".to_owned()),
        },
        Kind::Whole => json!(text.trim().parse::<u32>().map_err(|_| "must be a whole number".to_owned())?),
        Kind::Tenths => {
            json!(tenths(text.trim()).ok_or_else(|| "must be a number such as 5 or 0.5".to_owned())?)
        }
        Kind::Lines => {
            let lines = lines(text);
            lines.iter().enumerate().try_for_each(|(at, line)| fitting(column, at, line))?;
            json!(lines)
        }
    };
    put(entry, column.path, value);
    Ok(())
}

/// The lines of a cell, without empty ones at its end.
fn lines(text: &str) -> Vec<&str> {
    let text = text.trim_end_matches('\n');
    if text.is_empty() { Vec::new() } else { text.split('\n').collect() }
}

fn fitting(column: &Column, at: usize, line: &str) -> Result<(), String> {
    (column.fits)(line).map_err(|reason| format!("line {}: {reason}", at + 1))
}

/// Objects of a list from columns that say something of each; the first column says how many there are.
fn parts(members: &[Member<'_>]) -> Result<Vec<Value>, Vec<(&'static str, String)>> {
    let Some((first, text)) = members.first() else { return Ok(Vec::new()) };
    let mut parts = vec![Value::Object(Map::new()); lines(text).len()];
    let mut wrong = Vec::new();
    for (column, text) in members {
        let lines = lines(text);
        if let Some(at) = (parts.len()..lines.len()).find(|at| !lines[*at].is_empty()) {
            wrong.push((column.key, format!("line {} has no line in `{}`", at + 1, first.key)));
        }
        for (at, part) in parts.iter_mut().enumerate() {
            let line = lines.get(at).copied().unwrap_or_default();
            match fitting(column, at, line) {
                Ok(()) => put(part, column.member().1, json!(line)),
                Err(reason) => wrong.push((column.key, reason)),
            }
        }
    }
    if wrong.is_empty() { Ok(parts) } else { Err(wrong) }
}

/// Sets a value; parts on the way that are missing are made.
fn put(value: &mut Value, path: &str, new: Value) {
    let (name, below) = path.split_once('.').map_or((path, None), |(name, below)| (name, Some(below)));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Some(map) = value.as_object_mut() else { return };
    let part = map.entry(name).or_insert(Value::Null);
    match below {
        Some(below) => put(part, below, new),
        None => *part = new,
    }
}

fn remove(value: &mut Value, path: &str) {
    let (above, name) = path.rsplit_once('.').unwrap_or(("", path));
    let map = if above.is_empty() {
        Some(value)
    } else {
        value.pointer_mut(&format!("/{}", above.replace('.', "/")))
    };
    if let Some(map) = map.and_then(Value::as_object_mut) {
        map.shift_remove(name);
    }
}

fn forget_readings(before: &Value, entry: &mut Value) {
    for (name, readings) in
        [("name.zh", &["pinyin", "pinyin_initials"][..]), ("short_name.zh", &["short_pinyin"])]
    {
        if at(before, name) != at(entry, name) {
            readings.iter().for_each(|reading| put(entry, reading, json!("")));
        }
    }
    if at(before, "synonyms") == at(entry, "synonyms") {
        return;
    }
    let old: Vec<(&Value, &Value)> = list(before, "synonyms").zip(list(before, "synonym_pinyin")).collect();
    let kept: Vec<Value> = list(entry, "synonyms")
        .map(|word| {
            old.iter().find(|(known, _)| *known == word).map_or(json!(""), |(_, reading)| (*reading).clone())
        })
        .collect();
    put(entry, "synonym_pinyin", json!(kept));
}
