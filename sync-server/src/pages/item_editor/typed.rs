//! What somebody typed into a part of an item, between the item's JSON and the inputs of a page.
//!
//! `spread` takes an item apart into inputs; `gather` puts inputs into an item and tells every mistake at once. What was
//! typed stays as it was, mistakes included. Bounded: so many rows, so many characters.
use std::collections::BTreeMap;

use domain::form::FormSpec;
use domain::item::Withdrawal;
use domain::situation::Situations;
use domain::text::{Language, is_hidden};
use serde_json::{Map, Value, json};

use super::parts::{Field, Kind, MOST_ROWS, Part};
use crate::words::Words;

const W: Words = Words(Language::ZhCn);

/// Inputs by their names.
pub type Typed = BTreeMap<String, String>;

/// Something that is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The field's path.
    pub path: &'static str,
    /// What is wrong, in words.
    pub text: String,
}

/// The value at a path such as `guide.one_line`.
pub fn value_at<'a>(item: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(item, |value, key| value.get(key).unwrap_or(&Value::Null))
}

/// Puts a value to a path; nothing takes the key away.
pub fn put(item: &mut Value, path: &str, value: Option<Value>) {
    let (parents, key) = path.rsplit_once('.').map_or(("", path), |(parents, key)| (parents, key));
    let mut at = item;
    for parent in parents.split('.').filter(|p| !p.is_empty()) {
        let Some(next) = at.get_mut(parent) else { return };
        at = next;
    }
    let Some(map) = at.as_object_mut() else { return };
    match value {
        Some(value) => drop(map.insert(key.to_owned(), value)),
        None => drop(map.shift_remove(key)),
    }
}

/// An item's part as inputs.
pub fn spread(part: &Part, item: &Value) -> Typed {
    let mut typed = Typed::new();
    for field in part.fields {
        spread_field(field, value_at(item, field.path), &mut typed);
    }
    typed
}

fn spread_field(field: &Field, value: &Value, typed: &mut Typed) {
    let path = field.path;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut set = |name: String, value: String| drop(typed.insert(name, value));
    match field.kind {
        Kind::Line(_) | Kind::Choice(..) => set(path.to_owned(), text(value)),
        Kind::Words(_) | Kind::OptionalWords(_) => {
            for key in ["zh", "en"] {
                set(format!("{path}.{key}"), text(&value[key]));
            }
        }
        Kind::Number(..) => set(path.to_owned(), value.as_i64().unwrap_or_default().to_string()),
        Kind::Yuan => set(path.to_owned(), yuan(value.as_i64().unwrap_or_default())),
        Kind::Period => {
            set(format!("{path}.value"), tenths(value["tenths"].as_u64().unwrap_or_default()));
            set(format!("{path}.unit"), text(&value["unit"]));
        }
        Kind::Set(..) | Kind::LifeEvents => {
            for member in value.as_array().into_iter().flatten() {
                set(format!("{path}.{}", text(member)), "on".to_owned());
            }
        }
        Kind::Flag if value.as_bool() == Some(true) => set(path.to_owned(), "on".to_owned()),
        Kind::Flag => {}
        Kind::Json { .. } => set(path.to_owned(), pretty(value)),
        Kind::WordRows(_) | Kind::LineRows(_) | Kind::Materials | Kind::Basis => {
            let rows = value.as_array().map(Vec::as_slice).unwrap_or_default();
            set(format!("{path}.rows"), rows.len().to_string());
            for (at, row) in rows.iter().enumerate() {
                for column in field.kind.columns() {
                    set(format!("{path}.{at}.{column}"), text(cell(row, column)));
                }
            }
        }
    }
}

fn cell<'a>(row: &'a Value, column: &str) -> &'a Value {
    match (column, row) {
        ("text", row) => row,
        ("zh" | "en", row) if row.get("name").is_some() => &row["name"][column],
        (column, row) => &row[column],
    }
}

/// JSON as the page shows it.
pub fn pretty(value: &Value) -> String {
    if value.is_null() { String::new() } else { serde_json::to_string_pretty(value).unwrap_or_default() }
}

/// `12.5` for 1250 fen.
pub fn yuan(fen: i64) -> String {
    if fen % 100 == 0 { (fen / 100).to_string() } else { format!("{}.{:02}", fen / 100, fen.rem_euclid(100)) }
}

/// `5` or `0.5` for tenths.
pub fn tenths(tenths: u64) -> String {
    if tenths.is_multiple_of(10) {
        (tenths / 10).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// How many rows of a list were typed.
pub fn row_count(typed: &Typed, path: &str) -> usize {
    typed.get(&format!("{path}.rows")).and_then(|n| n.parse().ok()).unwrap_or(0).min(MOST_ROWS)
}

/// Puts what was typed into an item; gives every mistake.
pub fn gather(part: &Part, typed: &Typed, item: &mut Value) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for field in part.fields {
        let mut reader = Reader { field, typed, mistakes: &mut mistakes };
        match reader.read() {
            Some(value) => put(item, field.path, Some(value)),
            None => put(item, field.path, None),
        }
    }
    mistakes
}

struct Reader<'a> {
    field: &'static Field,
    typed: &'a Typed,
    mistakes: &'a mut Vec<Mistake>,
}

impl Reader<'_> {
    fn read(&mut self) -> Option<Value> {
        match self.field.kind {
            Kind::Line(most) => Some(self.line("", most).into()),
            Kind::Words(most) => Some(self.words("", most, true)),
            Kind::OptionalWords(most) => {
                let words = self.words("", most, false);
                let empty = words["zh"].as_str() == Some("") && words["en"].as_str() == Some("");
                (!empty).then_some(words)
            }
            Kind::Number(from, to) => Some(self.number(from, to)),
            Kind::Yuan => Some(self.yuan()),
            Kind::Period => Some(self.period()),
            Kind::Choice(_, values) => Some(self.choice("", values)),
            Kind::Set(_, values) => Some(self.set(|name| values.contains(&name))),
            Kind::LifeEvents => Some(self.set(|_| true)),
            Kind::Flag => Some(self.typed.contains_key(self.field.path).into()),
            Kind::Json { optional } => self.json(optional),
            Kind::WordRows(most) => {
                Some(self.rows(|reader, at| reader.words(&format!(".{at}"), most, true)))
            }
            Kind::LineRows(most) => {
                Some(self.rows(|reader, at| reader.line(&format!(".{at}.text"), most).into()))
            }
            Kind::Materials => Some(self.rows(|reader, at| {
                let name = reader.words(&format!(".{at}"), 60, true);
                json!({ "name": name, "source": reader.choice(&format!(".{at}.source"), super::parts::SOURCES) })
            })),
            Kind::Basis => Some(self.rows(|reader, at| {
                let name = reader.line(&format!(".{at}.name"), 100);
                let certainty = reader.choice(&format!(".{at}.certainty"), super::parts::CERTAINTIES);
                json!({ "name": name, "certainty": certainty })
            })),
        }
    }

    fn input(&self, suffix: &str) -> &str {
        self.typed.get(&format!("{}{suffix}", self.field.path)).map_or("", |text| text.trim())
    }

    fn wrong(&mut self, key: &str, values: &[(&str, &str)]) {
        let text = W.fill(&format!("edit_mistake.{key}"), values);
        self.mistakes.push(Mistake { path: self.field.path, text });
    }

    /// A text without hidden signs and not too long.
    fn text(&mut self, suffix: &str, most: usize) -> String {
        let text = self.input(suffix).to_owned();
        let chars = text.chars().count();
        if let Some(sign) = text.chars().find(|sign| is_hidden(*sign)) {
            self.wrong("hidden", &[("sign", &format!("U+{:04X}", u32::from(sign)))]);
        }
        if chars > most {
            self.wrong("too_long", &[("most", &most.to_string()), ("chars", &chars.to_string())]);
        }
        text
    }

    fn line(&mut self, suffix: &str, most: usize) -> String {
        self.text(suffix, most)
    }

    fn words(&mut self, suffix: &str, most: usize, required: bool) -> Value {
        let zh = self.text(&format!("{suffix}.zh"), most);
        let en = self.text(&format!("{suffix}.en"), 5 * most);
        if zh.is_empty() && (required || !en.is_empty()) {
            self.wrong("no_chinese", &[]);
        }
        json!({ "zh": zh, "en": en })
    }

    fn number(&mut self, from: i64, to: i64) -> Value {
        let number = self.input("").parse::<i64>().ok().filter(|n| (from..=to).contains(n));
        if number.is_none() {
            self.wrong("number", &[("from", &from.to_string()), ("to", &to.to_string())]);
        }
        number.unwrap_or(from).into()
    }

    fn yuan(&mut self) -> Value {
        let fen =
            decimal(self.input(""), 2).and_then(|n| i64::try_from(n).ok()).filter(|n| *n <= 100_000_000);
        if fen.is_none() {
            self.wrong("yuan", &[]);
        }
        fen.unwrap_or(0).into()
    }

    fn period(&mut self) -> Value {
        let tenths = decimal(self.input(".value"), 1).filter(|n| *n <= 100_000);
        if tenths.is_none() {
            self.wrong("period", &[]);
        }
        json!({ "tenths": tenths.unwrap_or(0), "unit": self.choice(".unit", super::parts::UNITS) })
    }

    fn choice(&mut self, suffix: &str, values: &[&str]) -> Value {
        let chosen = values.iter().find(|value| **value == self.input(suffix)).copied();
        if chosen.is_none() {
            self.wrong("choice", &[]);
        }
        chosen.or(values.first().copied()).unwrap_or_default().into()
    }

    fn set(&mut self, known: impl Fn(&str) -> bool) -> Value {
        let prefix = format!("{}.", self.field.path);
        let names = self.typed.keys().filter_map(|name| name.strip_prefix(&prefix));
        let chosen: Vec<Value> = names.filter(|name| known(name)).map(Value::from).collect();
        if chosen.is_empty() {
            self.wrong("set", &[]);
        }
        chosen.into()
    }

    /// Rows that have anything in their texts.
    fn rows(&mut self, row: impl Fn(&mut Self, usize) -> Value) -> Value {
        let path = self.field.path;
        let mut rows = Vec::new();
        for at in 0..row_count(self.typed, path) {
            let texts = ["zh", "en", "text", "name"];
            if texts.iter().any(|column| !self.input(&format!(".{at}.{column}")).is_empty()) {
                rows.push(row(self, at));
            }
        }
        rows.into()
    }

    fn json(&mut self, optional: bool) -> Option<Value> {
        let text = self.input("").to_owned();
        if text.is_empty() && optional {
            return None;
        }
        let shape = match self.field.path {
            "form" => serde_json::from_str::<FormSpec>(&text).map(|_| ()),
            "situations" => serde_json::from_str::<Situations>(&text).map(|_| ()),
            _ => serde_json::from_str::<Withdrawal>(&text).map(|_| ()),
        };
        if let Err(error) = shape {
            let reason = error.to_string();
            let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
            let reason: String = reason.chars().filter(|c| !is_hidden(*c)).take(160).collect();
            let (line, column) = (error.line().to_string(), error.column().to_string());
            self.wrong("json", &[("line", &line), ("column", &column), ("reason", &reason)]);
        }
        Some(serde_json::from_str(&text).unwrap_or(Value::Object(Map::new())))
    }
}

/// A number with at most so many digits behind the point, times ten to their count.
fn decimal(text: &str, digits: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let good = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || part.len() > digits || !good(whole) || !good(part) {
        return None;
    }
    format!("{whole}{part:0<digits$}").parse().ok()
}

/// What somebody wants done with the rows of a list, by the name of the button.
pub fn rearrange(part: &Part, typed: &mut Typed, button: &str) -> bool {
    let mut words = button.split(':');
    let (Some(action), Some(path)) = (words.next(), words.next()) else { return false };
    let at = words.next().and_then(|n| n.parse::<usize>().ok());
    let Some(field) = part.fields.iter().find(|field| field.path == path && field.kind.is_list()) else {
        return false;
    };
    let mut rows: Vec<Vec<String>> = (0..row_count(typed, path)).map(|at| row(field, typed, at)).collect();
    match (action, at) {
        ("add", None) if rows.len() < MOST_ROWS => rows.push(vec![String::new(); field.kind.columns().len()]),
        ("remove", Some(at)) if at < rows.len() => drop(rows.remove(at)),
        ("up", Some(at)) if at > 0 && at < rows.len() => rows.swap(at, at - 1),
        ("down", Some(at)) if at + 1 < rows.len() => rows.swap(at, at + 1),
        _ => return false,
    }
    typed.retain(|name, _| name.strip_prefix(path).is_none_or(|rest| !rest.starts_with('.')));
    typed.insert(format!("{path}.rows"), rows.len().to_string());
    for (at, row) in rows.into_iter().enumerate() {
        for (column, text) in field.kind.columns().iter().zip(row) {
            typed.insert(format!("{path}.{at}.{column}"), text);
        }
    }
    true
}

fn row(field: &Field, typed: &Typed, at: usize) -> Vec<String> {
    let name = |column: &&str| format!("{}.{at}.{column}", field.path);
    field.kind.columns().iter().map(|c| typed.get(&name(c)).cloned().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests;
