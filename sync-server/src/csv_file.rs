//! Tables for spreadsheets: RFC 4180, UTF-8 with a byte order mark, lines end with CR LF.
//!
//! A spreadsheet runs what begins with `=`, `+`, `-`, `@` or a control character (also in full width), with the rights
//! of whoever opens the file (OWASP, "CSV Injection"). Such a cell gets a `'` before it, and so does one that begins
//! with `'`, so that reading takes away exactly what writing put there.
pub use csv::QuoteStyle;

/// Marks the text as UTF-8 for spreadsheets.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A table of these rows, the headings first; every row has as many cells.
pub fn table(quotes: QuoteStyle, rows: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
    let mut bytes = BYTE_ORDER_MARK.as_bytes().to_vec();
    {
        let mut builder = csv::WriterBuilder::new();
        let mut writer =
            builder.terminator(csv::Terminator::CRLF).quote_style(quotes).from_writer(&mut bytes);
        // Cannot fail: memory takes all bytes, and every row has as many cells as there are columns.
        for row in rows {
            drop(writer.write_record(row.iter().map(|cell| defused(cell))));
        }
        drop(writer.flush());
    }
    bytes
}

/// A text as it is written into a cell.
pub fn defused(text: &str) -> String {
    match text.chars().next() {
        Some(sign) if starts_formula(sign) || sign == '\'' => format!("'{text}"),
        _ => text.to_owned(),
    }
}

/// Whether a spreadsheet takes what begins with this sign for a formula.
pub fn starts_formula(sign: char) -> bool {
    matches!(
        sign,
        '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formula_is_left() {
        let row = ["=1+1", "a,\"b\"\n", "＝1", "plain"].map(str::to_owned).to_vec();
        let text = |quotes| String::from_utf8(table(quotes, [row.clone()])).expect("UTF-8");
        assert_eq!(text(QuoteStyle::Necessary), "\u{feff}'=1+1,\"a,\"\"b\"\"\n\",'＝1,plain\r\n");
        assert_eq!(text(QuoteStyle::Always), "\u{feff}\"'=1+1\",\"a,\"\"b\"\"\n\",\"'＝1\",\"plain\"\r\n");
    }
}
