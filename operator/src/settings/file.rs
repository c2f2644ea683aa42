//! The settings file: TOML, bounded, read to its end so that all of its mistakes are told at once.
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::mistake::quoted;
use super::{Key, Kind, Mistake};

/// Bytes of a settings file, at most.
const MAX_FILE_BYTES: usize = 256 * 1024;
/// Mistakes that are told of one file, at most.
const MAX_MISTAKES: usize = 20;
/// Two names are near if they are at least this alike (Jaro-Winkler, 0 to 1).
const NEAR: f64 = 0.8;

/// A value of a known key, of the key's kind.
pub(super) struct Entry {
    /// Which key.
    pub(super) key: &'static Key,
    /// The value as text.
    pub(super) text: String,
    /// `FILE:LINE`.
    pub(super) place: String,
}

/// Reads a file: the values of known keys, and all mistakes.
pub(super) fn read(path: &Path, keys: &'static [Key]) -> (Vec<Entry>, Vec<Mistake>) {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(said) => {
            return (Vec::new(), vec![Mistake { place: path.display().to_string(), key: None, said }]);
        }
    };
    let (table, errors) = DeTable::parse_recoverable(&text);
    let mut walk = Walk { path, text: &text, keys, entries: Vec::new(), mistakes: Vec::new() };
    for error in errors.iter().take(MAX_MISTAKES) {
        let place = walk.place(error.span());
        let said = error.message().lines().collect::<Vec<_>>().join(", ");
        walk.mistakes.push(Mistake { place, key: None, said: format!("this is no TOML: {said}") });
    }
    // What could be read of a broken file says nothing about its keys.
    if errors.is_empty() {
        walk.table(table.get_ref(), "");
    }
    walk.mistakes.truncate(MAX_MISTAKES);
    (walk.entries, walk.mistakes)
}

fn read_text(path: &Path) -> Result<String, String> {
    let about = std::fs::metadata(path).map_err(|e| format!("cannot be read: {e}"))?;
    if !about.is_file() {
        return Err("a file is expected, this is none".to_owned());
    }
    let file = File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("cannot be read: {e}"))?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(format!("larger than {} KiB, which no settings file is", MAX_FILE_BYTES / 1_024));
    }
    String::from_utf8(bytes).map_err(|e| {
        let good = e.utf8_error().valid_up_to();
        let line = line_of(&e.as_bytes()[..good]);
        format!("text in UTF-8 is expected, line {line} holds something else")
    })
}

fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|b| **b == b'\n').count() + 1
}

struct Walk<'a> {
    path: &'a Path,
    text: &'a str,
    keys: &'static [Key],
    entries: Vec<Entry>,
    mistakes: Vec<Mistake>,
}

impl Walk<'_> {
    fn place(&self, span: Option<Range<usize>>) -> String {
        let start = span.map_or(0, |s| s.start).min(self.text.len());
        format!("{}:{}", self.path.display(), line_of(&self.text.as_bytes()[..start]))
    }

    fn table(&mut self, table: &DeTable<'_>, above: &str) {
        for (name, value) in table {
            let full = format!("{above}{}", name.get_ref());
            let place = self.place(Some(name.span()));
            let inside = format!("{full}.");
            if let Some(key) = self.keys.iter().find(|k| k.name == full) {
                self.value(key, value.get_ref(), place);
            } else if self.keys.iter().any(|k| k.name.starts_with(&inside))
                && let Some(below) = value.get_ref().as_table()
            {
                self.table(below, &inside);
            } else {
                let said = unknown(&full, self.keys);
                self.mistakes.push(Mistake { place, key: Some(full.chars().take(60).collect()), said });
            }
        }
    }

    fn value(&mut self, key: &'static Key, value: &DeValue<'_>, place: String) {
        let text = match (key.kind, value) {
            (Kind::Text, DeValue::String(text)) => Ok(text.clone().into_owned()),
            (Kind::Switch, DeValue::Boolean(on)) => Ok(on.to_string()),
            (Kind::Text, other) => Err(format!("text in quotes ({}), not {}", key.expected, article(other))),
            (Kind::Switch, other) => Err(format!("true or false without quotes, not {}", article(other))),
        };
        match text {
            Ok(text) => self.entries.push(Entry { key, text, place }),
            Err(said) => {
                let said = format!("expected {said}");
                self.mistakes.push(Mistake { place, key: Some(key.name.to_owned()), said });
            }
        }
    }
}

fn article(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// Words for a key that is not known, with the nearest that is.
pub(super) fn unknown(name: &str, keys: &[Key]) -> String {
    let name: String = name.chars().take(60).collect::<String>().to_lowercase();
    let alike = |key: &Key| strsim::jaro_winkler(&name.replace(['-', '.'], "_"), key.name);
    let best = keys.iter().map(|k| (alike(k), k.name)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((how, near)) if how >= NEAR => format!("no such key; did you mean {}?", quoted(near)),
        _ => {
            let all: Vec<&str> = keys.iter().map(|k| k.name).collect();
            format!("no such key; there are {}", all.join(", "))
        }
    }
}
