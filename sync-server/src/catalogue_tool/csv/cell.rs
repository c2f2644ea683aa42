//! One cell of a table as it is read: the inverse of what [`crate::csv_file`] does to keep a spreadsheet from taking a
//! text for a formula. A formula that somebody typed is refused.
use domain::text::is_hidden;

use crate::csv_file::starts_formula;

/// The most characters of a cell: 200 choices of 1,000 characters.
pub(super) const MAX_CHARS: usize = 250_000;

/// The text of a cell.
///
/// # Errors
/// Why it is taken for no text.
pub(super) fn text(cell: &str) -> Result<String, String> {
    let chars = cell.chars().count();
    if chars > MAX_CHARS {
        return Err(format!("{chars} characters; at most {MAX_CHARS}"));
    }
    let mut signs = cell.chars();
    let text = match (signs.next(), signs.next()) {
        (Some('\''), Some(next)) if starts_formula(next) || next == '\'' => &cell[1..],
        (Some(first), _) if starts_formula(first) => {
            return Err(format!(
                "begins with `{}`, which a spreadsheet takes for a formula: put ' before it if it is meant",
                domain::text::visible(&first.to_string(), 1)
            ));
        }
        _ => cell,
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    match text.chars().find(|sign| *sign != '\n' && is_hidden(*sign)) {
        None => Ok(text),
        Some(sign) => Err(format!(
            "holds the sign U+{:04X}, which is not seen or turns the direction of text",
            u32::from(sign)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv_file::defused;

    #[test]
    fn what_is_defused_reads_back_to_itself() {
        for text_of in [
            "",
            "灵活就业",
            "=1+1",
            "'=1+1",
            "''",
            "'",
            "-5",
            "+86",
            "@x",
            "'a",
            "＝cmd|' /C calc'!A0",
            "a\nb",
            "\"a\",b",
        ] {
            let cell = defused(text_of);
            assert!(!cell.starts_with(['=', '+', '-', '@', '\u{ff1d}']), "{cell}");
            assert_eq!(text(&cell).as_deref(), Ok(text_of), "{cell}");
        }
    }

    #[test]
    fn formulas_and_hidden_signs_are_refused() {
        for bad in ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "＝1", "a\u{0}b", "a\u{202e}b", "a\tb"] {
            assert!(text(bad).is_err(), "{bad:?}");
        }
        assert!(text(&"长".repeat(MAX_CHARS)).is_ok());
        assert!(text(&"长".repeat(MAX_CHARS + 1)).is_err());
        assert_eq!(text("a\r\nb").as_deref(), Ok("a\nb"));
        assert_eq!(text("'plain").as_deref(), Ok("'plain"));
    }
}
