//! Answers by field key: personal data, so redacted in `Debug` and wiped when dropped.
//!
//! A path names one answer: the key of a field, or `children[2].name` for a field in a row of a repeat group (rows
//! count from 0). Keys have no brackets, so the two cannot be mixed up.
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most rows of a repeat group.
pub const MAX_ROWS: usize = 50;

/// Answers of one form, shaped as its JSON Schema says.
///
/// Shapes by widget: text, phone, bank-card, enum, date (`YYYY-MM-DD`, month fields `YYYY-MM`) and region
/// (six-digit code) are strings; number is an integer (money in fen); address is `{region, detail}`;
/// signature is `{strokes: [[[x, y, ms], …], …], width, height}` with integers; photo is a file, attachment a list of
/// them, each `{hash, bytes, kind}` (older forms: the hash alone); a repeat group is a list of objects.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers {
    map: Map<String, Value>,
    /// Keys whose answer is a default that nobody has touched: it follows what it was made from.
    #[serde(skip)]
    defaults: BTreeSet<String>,
}

impl PartialEq for Answers {
    fn eq(&self, other: &Self) -> bool {
        self.map == other.map
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answers({} fields)", self.map.len())
    }
}

/// A path taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path<'p> {
    Field(&'p str),
    InRow { rows: &'p str, row: usize, key: &'p str },
}

impl<'p> Path<'p> {
    fn read(path: &'p str) -> Option<Self> {
        let Some((rows, rest)) = path.split_once('[') else { return Some(Self::Field(path)) };
        let (row, key) = rest.split_once("].")?;
        let row = row.parse().ok().filter(|row| *row < MAX_ROWS)?;
        (!rows.is_empty() && !key.is_empty()).then_some(Self::InRow { rows, row, key })
    }
}

/// The path of a field in a row.
pub(super) fn in_row(rows: &str, row: usize, key: &str) -> String {
    format!("{rows}[{row}].{key}")
}

impl Answers {
    /// Answers from a JSON object.
    pub fn from_map(map: Map<String, Value>) -> Self {
        Self::kept(map, BTreeSet::new())
    }

    /// Answers as they were when somebody kept them, with the keys that [`Answers::untouched`] named then.
    pub fn kept(map: Map<String, Value>, untouched: BTreeSet<String>) -> Self {
        Self { map, defaults: untouched }
    }

    /// Keys whose answer is a default that nobody has touched: who keeps the answers for later keeps these as well.
    pub fn untouched(&self) -> &BTreeSet<String> {
        &self.defaults
    }

    /// The answer to a field, by its path.
    pub fn get(&self, path: &str) -> Option<&Value> {
        match Path::read(path)? {
            Path::Field(key) => self.map.get(key),
            Path::InRow { rows, row, key } => self.map.get(rows)?.get(row)?.get(key),
        }
    }

    /// The answer as text, empty if there is none or it is not a string.
    pub fn text(&self, path: &str) -> &str {
        self.get(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// Sets an answer by its path; the old one is wiped. Rows that are missing are added; a path that names no answer
    /// changes nothing.
    pub fn set(&mut self, path: &str, value: Value) {
        self.defaults.remove(path);
        let mut old = match Path::read(path) {
            Some(Path::Field(key)) => self.map.insert(key.to_owned(), value),
            Some(Path::InRow { rows, row, key }) => {
                self.pad_rows(rows, row + 1);
                let row = self.map.get_mut(rows).and_then(|list| list.get_mut(row));
                row.and_then(Value::as_object_mut).and_then(|row| row.insert(key.to_owned(), value))
            }
            None => None,
        };
        old.as_mut().into_iter().for_each(wipe);
    }

    /// Empties an answer by its path; it is wiped. A default does not come back by itself afterwards.
    pub fn clear(&mut self, path: &str) {
        if self.get(path).is_some() {
            self.set(path, Value::Null);
        }
    }

    /// Takes the answer to a field or repeat group away as if it had never been given; it is wiped. A default may come
    /// again.
    pub fn forget(&mut self, key: &str) {
        self.defaults.remove(key);
        self.map.remove(key).as_mut().into_iter().for_each(wipe);
    }

    /// Sets a default: an answer that follows what it was made from until somebody sets another.
    pub(super) fn set_default(&mut self, key: &str, value: Value) {
        self.set(key, value);
        self.defaults.insert(key.to_owned());
    }

    /// Takes a default away that cannot be made any more.
    pub(super) fn drop_default(&mut self, key: &str) {
        if self.defaults.contains(key) {
            self.forget(key);
        }
    }

    /// Whether the answer is an untouched default.
    pub(super) fn is_default(&self, key: &str) -> bool {
        self.defaults.contains(key)
    }

    /// The rows of a repeat group; none if the answer is no list.
    pub fn rows(&self, key: &str) -> &[Value] {
        self.map.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Adds empty rows until there are `count`, and makes an object of each row.
    pub(super) fn pad_rows(&mut self, key: &str, count: usize) {
        let list = self.map.entry(key.to_owned()).or_insert(Value::Null);
        if !list.is_array() {
            wipe(list);
            *list = Value::Array(Vec::new());
        }
        let Value::Array(rows) = list else { return };
        while rows.len() < count.min(MAX_ROWS) {
            rows.push(Value::Object(Map::new()));
        }
        for row in rows.iter_mut().filter(|row| !row.is_object()) {
            wipe(row);
            *row = Value::Object(Map::new());
        }
    }

    /// Takes a row away; the later ones move up.
    pub(super) fn remove_row(&mut self, key: &str, row: usize) {
        if let Some(Value::Array(rows)) = self.map.get_mut(key)
            && row < rows.len()
        {
            wipe(&mut rows.remove(row));
        }
    }

    /// All answers.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.map
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.map.values_mut().for_each(wipe);
    }
}

/// Overwrites every text of a value.
pub(super) fn wipe(value: &mut Value) {
    use zeroize::Zeroize as _;
    match value {
        Value::String(s) => s.zeroize(),
        Value::Array(a) => a.iter_mut().for_each(wipe),
        Value::Object(o) => o.values_mut().for_each(wipe),
        Value::Number(_) | Value::Bool(_) => *value = Value::Null,
        Value::Null => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_in_rows_are_named_by_their_path() {
        let mut answers = Answers::default();
        answers.set("a", json!(1));
        answers.set("rows[1].x", json!("b"));
        assert_eq!(answers.as_map().get("rows"), Some(&json!([{}, {"x": "b"}])));
        assert_eq!((answers.get("a"), answers.text("rows[1].x")), (Some(&json!(1)), "b"));
        answers.clear("rows[1].x");
        answers.remove_row("rows", 0);
        assert_eq!(answers.as_map().get("rows"), Some(&json!([{"x": null}])));
        for path in ["rows[1].x", "rows[0].y", "rows[x].x", "rows[0]", "rows[0]x", "rows[-1].x", "[0].x", ""]
        {
            assert_eq!(answers.get(path), None, "{path}");
        }
        let before = answers.clone();
        for path in ["rows[50].x", "rows[9999999999999999999999].x", "rows[0].", "rows["] {
            answers.set(path, json!("x"));
            assert_eq!(answers, before, "{path}");
        }
    }

    #[test]
    fn a_forgotten_answer_was_never_given_and_a_cleared_one_stays_empty() {
        let mut answers = Answers::default();
        answers.set("a", json!("x"));
        answers.set_default("b", json!("y"));
        answers.set("c", json!("z"));
        answers.forget("a");
        answers.forget("b");
        answers.clear("c");
        assert_eq!(answers.as_map().get("a"), None);
        assert!(!answers.is_default("b") && answers.get("b").is_none());
        assert_eq!(answers.get("c"), Some(&json!(null)));
    }

    #[test]
    fn what_stands_in_the_place_of_rows_gives_way() {
        let mut answers = Answers::default();
        answers.set("rows", json!("no list"));
        answers.set("rows[0].x", json!(1));
        assert_eq!(answers.as_map().get("rows"), Some(&json!([{"x": 1}])));
        answers.set("rows", json!([7, {"x": 2}]));
        answers.set("rows[0].x", json!(1));
        assert_eq!(answers.as_map().get("rows"), Some(&json!([{"x": 1}, {"x": 2}])));
    }
}
