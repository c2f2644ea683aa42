//! What differs between two catalogues, item by item and field by field, in words for people.
use domain::catalogue::{Catalogue, Change, Entry, EntryDifference, Kind, diff};
use domain::item::Period;
use serde_json::Value;

use super::guide_preview::period;
use super::item_editor::{W, field_label, is_period, owner_path, value_words};

/// The most fields that a page shows.
const MOST_FIELDS: usize = 2_000;
/// The most characters of a value.
const MOST_CHARS: usize = 600;

/// Something that differs.
pub(super) struct EntryView {
    pub(super) code: String,
    pub(super) kind: String,
    pub(super) title: String,
    /// Class and sign of the change.
    pub(super) sign: &'static str,
    pub(super) word: String,
    pub(super) revisions: String,
    pub(super) fields: Vec<FieldView>,
}

/// A field that differs.
pub(super) struct FieldView {
    pub(super) label: String,
    pub(super) path: String,
    pub(super) old: String,
    pub(super) new: String,
}

/// What differs, and how many fields that are not shown.
pub(super) fn entries(from: &Catalogue, to: &Catalogue) -> (Vec<EntryView>, usize) {
    let difference = diff(from, to);
    let (mut left, mut hidden) = (MOST_FIELDS, 0);
    let views = difference
        .entries
        .iter()
        .map(|entry| {
            let mut view = entry_view(entry, [from, to]);
            hidden += view.fields.len().saturating_sub(left);
            view.fields.truncate(left);
            left -= view.fields.len();
            view
        })
        .collect();
    (views, hidden)
}

fn entry_view(entry: &EntryDifference, sides: [&Catalogue; 2]) -> EntryView {
    let (sign, word) = match entry.change {
        Change::Added => ("ok", "added"),
        Change::Removed => ("bad", "removed"),
        Change::Changed => ("run", "changed"),
    };
    let revisions = match entry.revisions {
        Some([Some(old), Some(new)]) if old != new => {
            W.fill("diff.revisions", &[("old", &old.to_string()), ("new", &new.to_string())])
        }
        _ => String::new(),
    };
    EntryView {
        code: shown(&entry.code),
        kind: W.of("diff_kind", &entry.kind.to_string()),
        title: entry.title.as_ref().map(|t| shown(&t.zh)).unwrap_or_default(),
        sign,
        word: W.of("diff", word),
        revisions,
        fields: fields(entry, sides),
    }
}

/// Each field once: a length of time is one, though number and unit stand apart in the item.
fn fields(entry: &EntryDifference, sides: [&Catalogue; 2]) -> Vec<FieldView> {
    let mut views: Vec<FieldView> = Vec::new();
    for field in &entry.fields {
        let owner =
            matches!(entry.kind, Kind::Item | Kind::Bundle).then(|| owner_path(&field.path)).flatten();
        let whole = owner.filter(|path| is_period(path) && field.path != *path);
        let label = owner.map(field_label).unwrap_or_default();
        if whole.is_some() && views.iter().any(|view| view.label == label) {
            continue;
        }
        let say = |value: &Option<Value>| {
            value.as_ref().map(|v| shown(&value_words(&field.path, v))).unwrap_or_default()
        };
        let [old, new] = match whole {
            Some(path) => sides.map(|side| length(side, &entry.code, path)),
            None => [say(&field.old), say(&field.new)],
        };
        // What the label says already is not said again in the words of the file.
        let path = if whole.is_some() || owner == Some(field.path.as_str()) { "" } else { &field.path };
        views.push(FieldView { label, path: shown(path), old, new });
    }
    views
}

/// A length of time of an item, in words.
fn length(catalogue: &Catalogue, code: &str, path: &str) -> String {
    let entry = code.parse().ok().and_then(|code| catalogue.entry(&code));
    let Some(Entry::Item(item)) = entry else { return String::new() };
    let value = serde_json::to_value(item).unwrap_or_default();
    let found = path.split('.').fold(&value, |value, key| &value[key]);
    serde_json::from_value::<Period>(found.clone()).map(|p| period(W, p)).unwrap_or_default()
}

/// A text cut to what a page takes, with its hidden signs told.
fn shown(text: &str) -> String {
    let mut line = String::new();
    for (at, sign) in text.chars().enumerate() {
        if at == MOST_CHARS {
            line.push('…');
            break;
        }
        if domain::text::is_hidden(sign) {
            line.push_str(&format!("<U+{:04X}>", u32::from(sign)));
        } else {
            line.push(sign);
        }
    }
    line
}
