//! From JSON bytes to typed parts of a catalogue; every mistake is told with file, item and field.
//!
//! Bounded: a file, a document and the list of mistakes each have a greatest size. Refuses to repair anything.
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{CatalogueError, Rule, Warning};

/// The most bytes of one file.
pub const MAX_FILE_BYTES: usize = 4 << 20;
/// The most bytes of a whole catalogue: 5,000 items of 10 KiB each, and as much again.
pub const MAX_TOTAL_BYTES: usize = 96 << 20;
/// The most mistakes that are collected; further ones are counted.
const MAX_ERRORS: usize = 1_000;
/// The most warnings that are collected; further ones are counted.
const MAX_WARNINGS: usize = 5_000;

/// A list whose entries are read one by one, so that one bad entry does not hide the others.
pub(super) type RawList = Vec<Box<RawValue>>;

/// Mistakes found so far, and where we are looking.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) errors: Vec<CatalogueError>,
    pub(super) warnings: Vec<Warning>,
    /// Mistakes and warnings that were only counted.
    pub(super) uncollected: usize,
    file: String,
    item: String,
    /// Everything stands in one document of this name.
    document: Option<&'static str>,
}

impl Report {
    /// A report about one document instead of files.
    pub(super) fn of_document(name: &'static str) -> Self {
        Self { document: Some(name), ..Self::default() }
    }

    /// From now on mistakes belong to this file and item (`-` for none).
    pub(super) fn at(&mut self, file: &str, item: &str) {
        self.file = self.document.unwrap_or(file).to_owned();
        self.item = item.to_owned();
    }

    /// A mistake in a field (`-` for none).
    pub(super) fn wrong(&mut self, field: &str, reason: impl Into<String>) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(CatalogueError {
                file: self.file.clone(),
                item: self.item.clone(),
                field: field.to_owned(),
                reason: reason.into(),
            });
        } else {
            self.uncollected += 1;
        }
    }

    /// Something that is allowed and yet looks wrong.
    pub(super) fn warn(&mut self, rule: Rule, field: &str, reason: impl Into<String>) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(Warning {
                rule,
                file: self.file.clone(),
                item: self.item.clone(),
                field: field.to_owned(),
                reason: reason.into(),
            });
        } else {
            self.uncollected += 1;
        }
    }

    /// A mistake unless `good`.
    pub(super) fn expect(&mut self, good: bool, field: &str, reason: &str) {
        if !good {
            self.wrong(field, reason);
        }
    }

    /// The value if nothing was wrong.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Vec<CatalogueError>> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.errors),
        }
    }

    /// A typed value from JSON text.
    pub(super) fn parse<T: DeserializeOwned>(&mut self, bytes: &[u8], max_bytes: usize) -> Option<T> {
        if bytes.len() > max_bytes {
            self.wrong("-", format!("{} bytes; at most {max_bytes}", bytes.len()));
            return None;
        }
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let value = match serde_path_to_error::deserialize(&mut json) {
            Ok(value) => value,
            Err(error) => {
                self.wrong_path(&error.path().to_string(), &error.inner().to_string());
                return None;
            }
        };
        match json.end() {
            Ok(()) => Some(value),
            Err(error) => {
                self.wrong("-", format!("something follows the JSON text: {error}"));
                None
            }
        }
    }

    /// Typed entries of a list; each is told by the text of its field `name`.
    pub(super) fn entries<T: DeserializeOwned>(&mut self, file: &str, name: &str, list: &RawList) -> Vec<T> {
        let mut entries = Vec::new();
        for (at, raw) in list.iter().enumerate() {
            let mut json = serde_json::Deserializer::from_str(raw.get());
            match serde_path_to_error::deserialize(&mut json) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    let value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
                    let known = value.get(name).and_then(Value::as_str).map(cut);
                    self.at(file, &known.unwrap_or_else(|| format!("[{at}]")));
                    self.wrong_path(&error.path().to_string(), &error.inner().to_string());
                }
            }
        }
        entries
    }

    /// A serde error; a missing or unknown field is named as the field itself.
    fn wrong_path(&mut self, path: &str, reason: &str) {
        let names_field = ["missing field `", "unknown field `"];
        let field = names_field.iter().find_map(|words| reason.strip_prefix(words)?.split('`').next());
        let path = if path == "." { "" } else { path };
        let full = match field {
            Some(field) if path.is_empty() => field.to_owned(),
            Some(field) if path.ends_with(field) => path.to_owned(),
            Some(field) => format!("{path}.{field}"),
            None if path.is_empty() => "-".to_owned(),
            None => path.to_owned(),
        };
        self.wrong(&full, reason.chars().take(300).collect::<String>());
    }
}

/// A name from outside, short enough for an error.
fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}
