//! Folding of names, so that the same name typed in two ways compares equal. Never used to change a stored name.

/// A name for comparison only: one dot for all dots, half width for full width, no spaces at the ends, one space
/// for several, small letters.
pub fn fold_name(name: &str) -> String {
    let folded: String = name.chars().map(fold_sign).collect();
    let words: Vec<&str> = folded.split_whitespace().collect();
    words.join(" ").replace(" ·", "·").replace("· ", "·")
}

fn fold_sign(sign: char) -> char {
    match sign {
        '•' | '．' | '・' | '‧' | '∙' | '⋅' => '·',
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(sign) - 0xfee0).unwrap_or(sign).to_ascii_lowercase()
        }
        _ => sign.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_in_two_ways_is_equal() {
        for (a, b) in [
            ("扎西·多吉", "扎西•多吉"),
            ("扎西·多吉", "扎西．多吉"),
            ("扎西·多吉", "扎西 ・ 多吉　"),
            ("ＡＬＩＭ", "alim"),
            ("王小明  ", "王小明"),
        ] {
            assert_eq!(fold_name(a), fold_name(b));
        }
        assert_ne!(fold_name("王小明"), fold_name("王小朋"));
        assert_eq!(fold_name("𠅤㼆"), "𠅤㼆");
    }
}
