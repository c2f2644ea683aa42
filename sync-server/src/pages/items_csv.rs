//! Items as a table for people with a spreadsheet: what the list shows, with a few columns more, in the words of the
//! pages. Programs and departments take `catalogue export --csv`.
use domain::item::Item;

use super::guide_preview::period;
use super::item_editor::{W, field_label, value_words};
use crate::csv_file::{self, QuoteStyle};

/// Columns, by the paths of their fields.
const COLUMNS: [&str; 14] = [
    "code",
    "revision",
    "name",
    "short_name",
    "department",
    "theme",
    "category",
    "promised",
    "legal",
    "days_source",
    "offline_mode",
    "cross_region",
    "guide.fee_fen",
    "synonyms",
];

/// The file.
pub(super) fn items_csv(items: &[&Item]) -> Vec<u8> {
    let head = |path: &str| match path {
        "code" | "revision" => W.of("items_csv", path),
        path => field_label(path),
    };
    let rows = items.iter().map(|item| row(item));
    csv_file::table(QuoteStyle::Necessary, std::iter::once(COLUMNS.map(head).to_vec()).chain(rows))
}

fn row(item: &Item) -> Vec<String> {
    let value = serde_json::to_value(item).unwrap_or_default();
    let cell = |path: &str| match path {
        "name" => item.name.zh.clone(),
        "short_name" => item.short_name.zh.clone(),
        "promised" => period(W, item.promised),
        "legal" => period(W, item.legal),
        path => value_words(path, path.split('.').fold(&value, |value, key| &value[key])),
    };
    COLUMNS.map(cell).to_vec()
}
