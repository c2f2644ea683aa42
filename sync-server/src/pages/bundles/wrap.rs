//! Breaks a text into lines by the width of its characters: a Chinese character is two halves wide, a Latin letter one.
//! A browser does not break lines of an SVG.

/// Lines of at most so many halves, each at least one character. Latin words are kept whole if they fit into a line.
pub fn wrapped(text: &str, halves: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut width) = (String::new(), 0);
    for piece in pieces(text) {
        let piece_width: usize = piece.chars().map(width_of).sum();
        if width + piece_width > halves && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            width = 0;
        }
        for sign in piece.chars() {
            if width + width_of(sign) > halves && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                width = 0;
            }
            line.push(sign);
            width += width_of(sign);
        }
    }
    lines.push(line);
    let trimmed = lines.into_iter().map(|line| line.trim().to_owned());
    trimmed.filter(|line| !line.is_empty()).collect()
}

/// Latin words with the blank after them, and single characters of all else; closing signs stay with what they close.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for sign in text.chars() {
        let joins = pieces.last().is_some_and(|last| {
            let end = last.chars().next_back().unwrap_or(' ');
            let closing = "，。、；：？！）》”".contains(sign);
            closing || "（《“".contains(end) || (is_latin(end) && (is_latin(sign) || sign == ' '))
        });
        match pieces.last_mut() {
            Some(last) if joins => last.push(sign),
            _ => pieces.push(sign.to_string()),
        }
    }
    pieces
}

fn is_latin(sign: char) -> bool {
    sign.is_ascii_graphic()
}

fn width_of(sign: char) -> usize {
    if sign.is_ascii() || ('\u{a0}'..'\u{1100}').contains(&sign) { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_nothing_is_lost() {
        let table = [
            ("\u{4e00}".repeat(25), 18),
            ("Medical death certificate check".to_owned(), 18),
            ("x".repeat(50), 18),
            (String::new(), 18),
            ("\u{4e00}".to_owned(), 1),
        ];
        for (text, halves) in table {
            let lines = wrapped(&text, halves);
            let fits = |line: &String| {
                line.chars().map(width_of).sum::<usize>() <= halves || line.chars().count() == 1
            };
            assert!(lines.iter().all(fits), "{lines:?}");
            let bare = |text: &str| text.replace(' ', "");
            assert_eq!(bare(&lines.concat()), bare(&text));
        }
        assert_eq!(wrapped("Medical death certificate", 18), ["Medical death", "certificate"]);
    }
}
