//! Where a line may end: after any Chinese sign and after a space; never before closing punctuation, never after an
//! opening bracket, never inside a number or a Latin word.
//!
//! Refuses the whole of Unicode line breaking: these are the rules that Chinese slips with numbers need.

/// A text in pieces that are never broken, in order; joined they are the text.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, sign) in text.char_indices() {
        if before.is_some_and(|before| may_break(before, sign)) {
            pieces.push(&text[start..at]);
            start = at;
        }
        before = Some(sign);
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

fn may_break(before: char, after: char) -> bool {
    if is_closing(after) || is_opening(before) || after == ' ' {
        return false;
    }
    before == ' ' || is_wide(before) || is_wide(after)
}

/// Chinese signs and everything that is as wide.
fn is_wide(sign: char) -> bool {
    sign >= '\u{2e80}'
}

/// Punctuation that stands at the end of what it belongs to.
fn is_closing(sign: char) -> bool {
    matches!(
        sign,
        '\u{3001}'
            | '\u{3002}'
            | '\u{ff0c}'
            | '\u{ff1b}'
            | '\u{ff1a}'
            | '\u{ff01}'
            | '\u{ff1f}'
            | '\u{ff09}'
            | '\u{300b}'
            | '\u{3009}'
            | '\u{300d}'
            | '\u{201d}'
            | '\u{2019}'
            | '\u{b7}'
            | ','
            | '.'
            | ';'
            | ':'
            | '!'
            | '?'
            | ')'
            | '%'
    )
}

/// Punctuation that stands before what it belongs to.
fn is_opening(sign: char) -> bool {
    matches!(sign, '\u{ff08}' | '\u{300a}' | '\u{3008}' | '\u{300c}' | '\u{201c}' | '\u{2018}' | '(')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_only_where_they_may() {
        let table: [(&str, &[&str]); 6] = [
            ("办件编号", &["办", "件", "编", "号"]),
            ("好，走。", &["好，", "走。"]),
            ("有事打 12345 问", &["有", "事", "打 ", "12345 ", "问"]),
            ("（样例）", &["（样", "例）"]),
            ("two words", &["two ", "words"]),
            ("", &[]),
        ];
        for (text, wanted) in table {
            assert_eq!(pieces(text), wanted, "{text}");
        }
    }
}
