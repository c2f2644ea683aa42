//! Workbooks for spreadsheets (XLSX). A text is written as a text whatever it begins with: no cell of ours is ever a
//! formula or a link.
use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// What such a file is.
pub const MEDIA_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing is known.
    Empty,
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

impl Cell {
    /// As it stands in a file without types.
    pub fn to_text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Number(n) => n.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// A sheet: its headings, then its rows.
pub struct Sheet<'a> {
    /// Its name, at most 31 characters.
    pub name: &'static str,
    /// Headings.
    pub columns: &'a [&'a str],
    /// Rows, as wide as the headings.
    pub rows: &'a [Vec<Cell>],
}

/// The file.
///
/// # Errors
/// [`XlsxError`] if there are more rows than a sheet holds, or a text is longer than a cell.
pub fn workbook(sheets: &[Sheet<'_>]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    for sheet in sheets {
        let page = workbook.add_worksheet();
        page.set_name(sheet.name)?;
        page.set_freeze_panes(1, 0)?;
        for (column, name) in (0..).zip(sheet.columns) {
            page.write_string_with_format(0, column, *name, &bold)?;
            page.set_column_width(column, 16)?;
        }
        for (line, row) in (1..).zip(sheet.rows) {
            for (column, cell) in (0..).zip(row) {
                match cell {
                    Cell::Empty => {}
                    // A spreadsheet's numbers are exact up to 2^53; ours are far below.
                    Cell::Number(n) => drop(page.write_number(line, column, *n as f64)?),
                    Cell::Text(text) => drop(page.write_string(line, column, text.as_str())?),
                }
            }
        }
    }
    workbook.save_to_buffer()
}
