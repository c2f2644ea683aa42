//! A difference as people read it: one line for each thing, one below it for each field.
use std::fmt;

use serde_json::Value;

use super::{Change, Difference, EntryDifference, FieldDifference};
use crate::text::visible;

/// The most characters of a value.
const MAX_CHARS: usize = 80;

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            writeln!(f, "{entry}")?;
        }
        let counts = self.counts;
        write!(
            f,
            "version {} -> {}: {} added, {} removed, {} changed in {} fields, {} new revisions",
            self.from_version,
            self.to_version,
            counts.added,
            counts.removed,
            counts.changed,
            counts.fields,
            counts.revisions
        )
    }
}

impl fmt::Display for EntryDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.change {
            Change::Added => '+',
            Change::Removed => '-',
            Change::Changed => '~',
        };
        write!(f, "{sign} {} {}", self.kind, shown(&self.code))?;
        if let Some(title) = &self.title {
            write!(f, " {}", shown(&title.zh))?;
        }
        match self.revisions {
            Some([Some(old), Some(new)]) => write!(f, " (revision {old} -> {new})")?,
            Some([Some(one), None] | [None, Some(one)]) => write!(f, " (revision {one})")?,
            _ => {}
        }
        if self.revision_kept {
            f.write_str(" (its revision must rise)")?;
        }
        for field in &self.fields {
            write!(f, "\n    {field}")?;
        }
        Ok(())
    }
}

impl fmt::Display for FieldDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "(none)".to_owned(), written);
        write!(f, "{}: {} -> {}", shown(&self.path), value(&self.old), value(&self.new))
    }
}

fn written(value: &Value) -> String {
    shown(&value.to_string())
}

fn shown(text: &str) -> String {
    visible(text, MAX_CHARS)
}
