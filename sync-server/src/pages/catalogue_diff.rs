//! What differs between two catalogues, item by item and field by field, in words for people.
use domain::catalogue::{Catalogue, Change, Entry, EntryDifference, Kind, diff};
use domain::item::Period;
use serde_json::Value;

use super::guide_preview::period;
use super::item_editor::{W, field_label, owner_path, value_words};

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
        let part = owner.filter(|path| field.path != *path);
        let whole = part.and_then(|path| lengths(entry, sides, path));
        let label = owner.map(field_label).unwrap_or_default();
        if whole.is_some() && views.iter().any(|view| view.label == label) {
            continue;
        }
        let say = |value: &Option<Value>| {
            value.as_ref().map(|v| shown(&value_words(&field.path, v))).unwrap_or_default()
        };
        let said_whole = whole.is_some();
        let [old, new] = match whole {
            Some(lengths) => lengths,
            None => [say(&field.old), say(&field.new)],
        };
        // What the label says already is not said again in the words of the file.
        let path = if said_whole || owner == Some(field.path.as_str()) { "" } else { &field.path };
        views.push(FieldView { label, path: shown(path), old, new });
    }
    views
}

/// A length of time on both sides in words; nothing if the field is none.
fn lengths(entry: &EntryDifference, sides: [&Catalogue; 2], path: &str) -> Option<[String; 2]> {
    let code = entry.code.parse().ok()?;
    let length = |side: &Catalogue| match (side.entry(&code)?, path) {
        (Entry::Item(item), "promised") => Some(item.promised),
        (Entry::Item(item), "legal") => Some(item.legal),
        (Entry::Bundle(bundle), "promised") => Some(bundle.promised),
        _ => None,
    };
    let found: [Option<Period>; 2] = sides.map(length);
    let said = |length: Option<Period>| length.map(|length| period(W, length)).unwrap_or_default();
    found.iter().any(Option::is_some).then(|| found.map(said))
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
