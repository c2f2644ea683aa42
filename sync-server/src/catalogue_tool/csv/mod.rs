//! 事项表 and 字段表: the catalogue's items and the fields of its forms as two tables that departments edit in a
//! spreadsheet, and the way back.
//!
//! Written by [`crate::csv_file`]. Pure: bytes in, bytes out. An import changes what
//! stands in the tables and nothing else: who is not named keeps what is there, nothing is added or taken away.
mod apply;
mod cell;
mod change;
mod columns;
mod table;

use domain::catalogue::Catalogue;
use serde_json::{Value, json};

pub use apply::{Import, Refused, apply};
pub use table::{MAX_BYTES, TableError};

use crate::csv_file::{self, QuoteStyle};
use crate::words::Words;
use columns::{Column, FIELDS, ITEMS};

/// Name of the table of items.
pub const ITEMS_FILE: &str = "items.csv";
/// Name of the table of fields.
pub const FIELDS_FILE: &str = "fields.csv";

/// `items.csv`: one row for each item.
pub fn items_csv(catalogue: &Catalogue) -> Vec<u8> {
    // Cannot fail: an item is made of texts, numbers and lists.
    let rows = catalogue.items.values().map(|item| serde_json::to_value(item).unwrap_or_default());
    write(ITEMS, rows)
}

/// `fields.csv`: one row for each field of the form of an item or bundle.
pub fn fields_csv(catalogue: &Catalogue) -> Vec<u8> {
    let mut rows = Vec::new();
    for entry in catalogue.entries() {
        for page in &entry.form().pages {
            for field in page.groups.iter().flat_map(|group| &group.fields) {
                let mut row = serde_json::to_value(field).unwrap_or_default();
                row["code"] = json!(entry.code());
                row["page"] = json!(page.title.zh);
                rows.push(row);
            }
        }
    }
    write(FIELDS, rows.into_iter())
}

fn write(columns: &[Column], rows: impl Iterator<Item = Value>) -> Vec<u8> {
    let headings = columns.iter().map(heading).collect();
    let cells = |row: Value| columns.iter().map(|column| columns::cell(&row, column)).collect();
    csv_file::table(QuoteStyle::Necessary, std::iter::once(headings).chain(rows.map(cells)))
}

/// A column's words and its name; only the name counts when the table is read.
fn heading(column: &Column) -> String {
    let words = Words(domain::text::Language::ZhCn).of("csv_column", column.key);
    format!("{words} {}", column.key)
}
