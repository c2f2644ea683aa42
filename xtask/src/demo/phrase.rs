//! Words with gaps: what an element may be called when part of its name is filled in while the program runs.
//!
//! Refuses regular expressions: a gap is anything, the rest is exact.
use std::fmt;

/// Pieces with a gap between each two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase(Vec<String>);

impl Phrase {
    /// Exactly these words.
    pub fn exact(words: &str) -> Self {
        Self(vec![words.to_owned()])
    }

    /// Words with `{name}` where something is filled in.
    pub fn template(words: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = words;
        while let Some((before, after)) = rest.split_once('{') {
            pieces.push(before.to_owned());
            rest = after.split_once('}').map_or("", |(_, after)| after);
        }
        pieces.push(rest.to_owned());
        Self(pieces)
    }

    /// Anything that begins with these words.
    pub fn starting(words: &str) -> Self {
        Self(vec![words.to_owned(), String::new()])
    }

    /// True if the words are these.
    pub fn matches(&self, words: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|only| only == words);
        };
        let Some(mut rest) = words.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            let Some((_, after)) = rest.split_once(piece.as_str()) else { return false };
            rest = after;
        }
        rest.ends_with(last.as_str())
    }

    /// What stands in the only gap.
    pub fn gap<'w>(&self, words: &'w str) -> Option<&'w str> {
        match self.0.as_slice() {
            [before, after] => words.strip_prefix(before.as_str())?.strip_suffix(after.as_str()),
            _ => None,
        }
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("…"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_take_anything_and_the_rest_is_exact() {
        let table = [
            (Phrase::exact("a"), "a", true),
            (Phrase::exact("a"), "ab", false),
            (Phrase::exact(""), "", true),
            (Phrase::template("no {n} of {m}!"), "no 7 of 12!", true),
            (Phrase::template("no {n} of {m}!"), "no 7!", false),
            (Phrase::template("{n} left"), "3 left", true),
            (Phrase::template("{n} left"), "3 left over", false),
            (Phrase::template("exact"), "exact", true),
            (Phrase::starting("go"), "go on", true),
            (Phrase::starting("go"), "let go", false),
        ];
        for (phrase, words, matches) in table {
            assert_eq!(phrase.matches(words), matches, "{phrase} / {words}");
        }
    }

    #[test]
    fn a_gap_is_read_back() {
        let phrase = Phrase::template("number {number}.");
        assert_eq!(phrase.gap("number XN1."), Some("XN1"));
        assert_eq!(phrase.gap("number XN1"), None);
        assert_eq!(Phrase::exact("a").gap("a"), None);
    }
}
