//! What differs between two catalogues, item by item and field by field, in words for people.
use domain::catalogue::{Catalogue, Change, EntryDifference, Kind, diff};

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
            let mut view = entry_view(entry);
            hidden += view.fields.len().saturating_sub(left);
            view.fields.truncate(left);
            left -= view.fields.len();
            view
        })
        .collect();
    (views, hidden)
}

fn entry_view(entry: &EntryDifference) -> EntryView {
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
        fields: entry
            .fields
            .iter()
            .map(|field| FieldView {
                label: match entry.kind {
                    Kind::Item | Kind::Bundle => owner_path(&field.path).map(field_label).unwrap_or_default(),
                    _ => String::new(),
                },
                path: shown(&field.path),
                old: field.old.as_ref().map(|v| shown(&value_words(&field.path, v))).unwrap_or_default(),
                new: field.new.as_ref().map(|v| shown(&value_words(&field.path, v))).unwrap_or_default(),
            })
            .collect(),
    }
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
