//! Answers by field key: personal data, so redacted in `Debug` and wiped when dropped.
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Answers of one form, shaped as its JSON Schema says.
///
/// Shapes by widget: text, phone, bank-card, enum, date (`YYYY-MM-DD`, month fields `YYYY-MM`) and region
/// (six-digit code) are strings; number is an integer (money in fen); address is `{region, detail}`;
/// signature is `{strokes: [[[x, y, ms], …], …], width, height}` with integers.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(Map<String, Value>);

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answers({} fields)", self.0.len())
    }
}

impl Answers {
    /// Answers from a JSON object.
    pub fn from_map(map: Map<String, Value>) -> Self {
        Self(map)
    }
    /// The answer to a field.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }
    /// The answer as text, empty if there is none or it is not a string.
    pub fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }
    /// Sets an answer; the old one is wiped.
    pub fn set(&mut self, key: &str, value: Value) {
        if let Some(mut old) = self.0.insert(key.to_owned(), value) {
            wipe(&mut old);
        }
    }
    /// Removes an answer; it is wiped.
    pub fn clear(&mut self, key: &str) {
        if let Some(mut old) = self.0.remove(key) {
            wipe(&mut old);
        }
    }
    /// All answers.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
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
