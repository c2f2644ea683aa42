//! A table as it was read: strict RFC 4180, every mistake told with its row as a spreadsheet counts it.
//!
//! The crate `csv` takes anything for a table, also half of one; so quotes are counted before it reads.
use std::collections::BTreeSet;
use std::fmt;

use domain::text::visible;
use serde::Serialize;

use super::cell;
use super::columns::{Column, FIELDS, ITEMS, Kind};

/// The most bytes of a table.
pub const MAX_BYTES: usize = 64 << 20;
/// The most mistakes that are told.
pub(super) const MAX_ERRORS: usize = 1_000;

/// A mistake in a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableError {
    /// Name of the table's file.
    pub file: String,
    /// Row as a spreadsheet counts it, the headings being row 1; 0 if the file as a whole is meant.
    pub row: usize,
    /// Name of the column, or `-`.
    pub column: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, row, column, reason } = self;
        write!(f, "{}: row {row}: {column}: {}", visible(file, 100), visible(reason, 400))
    }
}

/// Mistakes found so far in one table.
#[derive(Debug)]
pub(super) struct Mistakes<'a> {
    pub file: &'a str,
    pub found: Vec<TableError>,
    /// Further ones that were only counted.
    pub uncollected: usize,
}

impl<'a> Mistakes<'a> {
    pub(super) fn of(file: &'a str) -> Self {
        Self { file, found: Vec::new(), uncollected: 0 }
    }

    pub(super) fn tell(&mut self, row: usize, column: &str, reason: impl Into<String>) {
        if self.found.len() >= MAX_ERRORS {
            self.uncollected += 1;
            return;
        }
        let (file, column) = (self.file.to_owned(), visible(column, 60));
        self.found.push(TableError { file, row, column, reason: reason.into() });
    }
}

/// Rows below known columns.
#[derive(Debug)]
pub(super) struct Table {
    /// All columns that such a table can have.
    pub known: &'static [Column],
    pub rows: Vec<Row>,
}

/// One row: its number in a spreadsheet, and its cells beside their columns.
#[derive(Debug)]
pub(super) struct Row {
    pub number: usize,
    pub cells: Vec<(&'static Column, String)>,
}

impl Row {
    /// The text of a column; empty if the table has no such column.
    pub(super) fn get(&self, key: &str) -> &str {
        self.cells.iter().find(|(column, _)| column.key == key).map_or("", |(_, text)| text.as_str())
    }
}

/// Reads a table; none if it cannot be told apart into rows and columns.
pub(super) fn read(bytes: &[u8], mistakes: &mut Mistakes<'_>) -> Option<Table> {
    if bytes.len() > MAX_BYTES {
        mistakes.tell(0, "-", format!("{} bytes; at most {MAX_BYTES}", bytes.len()));
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(e) => {
            let before = &bytes[..e.valid_up_to()];
            let row = 1 + before.iter().filter(|b| **b == b'\n').count();
            mistakes.tell(row, "-", "is no UTF-8 text: save it as `CSV UTF-8`");
            return None;
        }
    };
    let numbers = match row_numbers(text) {
        Ok(numbers) => numbers,
        Err((row, reason)) => {
            mistakes.tell(row, "-", reason);
            return None;
        }
    };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = reader.records().zip(numbers);
    let (known, headings) = match records.next() {
        Some((Ok(record), row)) => headings(&record, row, mistakes)?,
        _ => {
            mistakes.tell(0, "-", "is empty: the first row names the columns");
            return None;
        }
    };
    let mut rows = Vec::new();
    for (record, number) in records {
        match record {
            Ok(record) => rows.extend(row(&record, number, &headings, mistakes)),
            Err(e) => mistakes.tell(number, "-", e.to_string()),
        }
    }
    Some(Table { known, rows })
}

/// Number of the row at which each record begins; empty lines are no records.
fn row_numbers(text: &str) -> Result<Vec<usize>, (usize, &'static str)> {
    enum At {
        Start,
        Plain,
        Quoted,
        /// After a quote inside a quoted cell: its end, or the first of two.
        Quote,
    }
    let mut numbers = Vec::new();
    let (mut row, mut at, mut cells_begun, mut last) = (1, At::Start, false, '\n');
    for sign in text.chars() {
        let ends = matches!(sign, '\n' | '\r');
        if !cells_begun && !ends {
            numbers.push(row);
            cells_begun = true;
        }
        at = match (at, sign) {
            (At::Start | At::Quote, ',') | (At::Plain, ',') => At::Start,
            (At::Start, '"') | (At::Quote, '"') => At::Quoted,
            (At::Quoted, '"') => At::Quote,
            (At::Quoted, _) => At::Quoted,
            (At::Start | At::Plain | At::Quote, _) if ends => At::Start,
            (At::Plain, '"') => {
                return Err((
                    row,
                    "a quote in the middle of a cell: quote the whole cell, and double the quote",
                ));
            }
            (At::Start | At::Plain, _) => At::Plain,
            (At::Quote, _) => return Err((row, "something follows the closing quote of a cell")),
        };
        if ends && !matches!(at, At::Quoted) {
            // The two signs of one line end count once.
            if !(sign == '\n' && last == '\r') {
                row += 1;
            }
            cells_begun = false;
        }
        last = sign;
    }
    match at {
        At::Quoted => {
            Err((numbers.last().copied().unwrap_or(row), "a quoted cell has no end: the file is cut off"))
        }
        _ => Ok(numbers),
    }
}

type Headings = Vec<Option<&'static Column>>;

fn headings(
    record: &csv::StringRecord,
    row: usize,
    mistakes: &mut Mistakes<'_>,
) -> Option<(&'static [Column], Headings)> {
    let names: Vec<&str> = record.iter().map(|cell| cell.split_whitespace().last().unwrap_or("")).collect();
    let known = if names.contains(&"key") { FIELDS } else { ITEMS };
    let before = mistakes.found.len();
    let mut seen = BTreeSet::new();
    let mut found = Headings::new();
    for name in &names {
        let column = known.iter().find(|column| column.key == *name);
        if column.is_none() && !name.is_empty() {
            mistakes.tell(row, name, "there is no such column: keep the first row as it was exported");
        }
        if column.is_some() && !seen.insert(*name) {
            mistakes.tell(row, name, "the column stands twice");
        }
        found.push(column);
    }
    for column in known {
        let list = column.member().0;
        let beside = |other: &&Column| other.kind == Kind::Members && other.member().0 == list;
        let needed = match column.kind {
            Kind::Name => true,
            Kind::Members => known.iter().filter(beside).any(|other| seen.contains(other.key)),
            _ => false,
        };
        if needed && !seen.contains(column.key) {
            mistakes.tell(row, column.key, "the column is missing");
        }
    }
    (mistakes.found.len() == before).then_some((known, found))
}

fn row(
    record: &csv::StringRecord,
    number: usize,
    headings: &Headings,
    mistakes: &mut Mistakes<'_>,
) -> Option<Row> {
    if record.iter().all(str::is_empty) {
        return None;
    }
    if record.len() != headings.len() {
        let reason = format!("{} cells, but {} columns", record.len(), headings.len());
        mistakes.tell(number, "-", reason);
        return None;
    }
    let (mut cells, mut named) = (Vec::new(), true);
    for (cell, column) in record.iter().zip(headings) {
        let Some(column) = column else {
            if !cell.is_empty() {
                mistakes.tell(number, "-", "a cell stands below no column's name");
            }
            continue;
        };
        match cell::text(cell) {
            Ok(text) => cells.push((*column, text)),
            Err(reason) => {
                mistakes.tell(number, column.key, reason);
                named &= column.kind != Kind::Name;
            }
        }
    }
    // A row without its names is told once.
    named.then_some(Row { number, cells })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<(usize, String)> {
        let mut mistakes = Mistakes::of("x.csv");
        read(text.as_bytes(), &mut mistakes);
        mistakes.found.into_iter().map(|e| (e.row, e.column)).collect()
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_counts_them() {
        for (text, wanted) in [
            ("a\nb\n", Ok(vec![1, 2])),
            ("a\r\nb\r\n\r\nc", Ok(vec![1, 2, 4])),
            ("a\rb", Ok(vec![1, 2])),
            ("\"a\nb\",c\nd", Ok(vec![1, 2])),
            ("\"a\"\"b\"\n\"\"\n", Ok(vec![1, 2])),
            ("\n\n", Ok(vec![])),
            ("a\nb\"c\n", Err(2)),
            ("a\n\"b\"c\n", Err(2)),
            ("a\nb,\"c\nd\n", Err(2)),
        ] {
            assert_eq!(row_numbers(text).map_err(|(row, _)| row), wanted, "{text:?}");
        }
    }

    #[test]
    fn every_mistake_is_told_with_row_and_column() {
        let told = |row: usize, column: &str| (row, column.to_owned());
        for (text, wanted) in [
            ("", vec![told(0, "-")]),
            ("code,theme\na,b,c\nd\ne,f\n", vec![told(2, "-"), told(3, "-")]),
            ("code,colour,theme,theme\n", vec![told(1, "colour"), told(1, "theme")]),
            ("theme\na\n", vec![told(1, "code")]),
            ("key,label.zh\na,b\n", vec![told(1, "code")]),
            ("code,guide.who.zh\n", vec![told(1, "guide.who.en")]),
            ("code,theme\na,=1\n\nb,\u{202e}\n", vec![told(2, "theme"), told(4, "theme")]),
            ("code,theme,\na,b,\nc,d,e\n", vec![told(3, "-")]),
            ("\u{feff}words code,theme\n,\na,b\n", vec![]),
        ] {
            assert_eq!(errors(text), wanted, "{text:?}");
        }
        let mut mistakes = Mistakes::of("x.csv");
        assert!(read(b"code\n\xff\n", &mut mistakes).is_none());
        assert_eq!(mistakes.found[0].row, 2);
    }

    #[test]
    fn further_mistakes_are_counted() {
        let mut mistakes = Mistakes::of("x.csv");
        read(("code,theme\n".to_owned() + &"a,=1\n".repeat(1_500)).as_bytes(), &mut mistakes);
        assert_eq!((mistakes.found.len(), mistakes.uncollected), (1_000, 500));
    }
}
