//! Items as a table for people with a spreadsheet: what the list shows, with a few columns more.
use domain::item::Item;

use crate::csv_file::{self, QuoteStyle};

/// Columns, by their names in the item's JSON.
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
    "fee_fen",
    "synonyms",
];

/// The file.
pub(super) fn items_csv(items: &[&Item]) -> Vec<u8> {
    let headings = COLUMNS.map(str::to_owned).to_vec();
    let rows = items.iter().map(|item| row(item).to_vec());
    csv_file::table(QuoteStyle::Necessary, std::iter::once(headings).chain(rows))
}

fn row(item: &Item) -> [String; 14] {
    let value = serde_json::to_value(item).unwrap_or_default();
    let plain = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let period = |key: &str| format!("{}/10 {}", value[key]["tenths"], plain_at(&value[key], "unit"));
    [
        item.code.to_string(),
        item.revision.to_string(),
        item.name.zh.clone(),
        item.short_name.zh.clone(),
        item.department.to_string(),
        item.theme.clone(),
        plain("category"),
        period("promised"),
        period("legal"),
        plain("days_source"),
        plain("offline_mode"),
        plain("cross_region"),
        item.guide.fee_fen.to_string(),
        item.synonyms.join("; "),
    ]
}

fn plain_at(value: &serde_json::Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
