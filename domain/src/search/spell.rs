//! One name with its reading, and the ways in which a query can be found in it.
//!
//! Positions are units: the letters, digits and characters of the name without spaces and punctuation.
use std::ops::Range;

/// Queries in letters need this many signs before a typo is forgiven; in characters one less.
const TYPO_LETTERS: usize = 4;

/// A name prepared for search.
#[derive(Debug, Clone, Default)]
pub(super) struct Name {
    units: Vec<Unit>,
}

#[derive(Debug, Clone)]
struct Unit {
    /// The folded sign.
    sign: char,
    /// Its reading; empty if unknown.
    syllable: String,
    /// Which character of the name it is.
    at: usize,
}

/// Letters, digits and characters of a text: small letters, half width, without spaces and punctuation.
pub(super) fn fold(text: &str) -> impl Iterator<Item = char> {
    text.chars().take(400).filter_map(fold_sign)
}

fn fold_sign(sign: char) -> Option<char> {
    let half = match sign {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(sign) - 0xfee0).unwrap_or(sign),
        _ => sign,
    };
    let small = match half {
        'Ü' | 'ü' => 'v',
        other => other.to_lowercase().next().unwrap_or(other),
    };
    small.is_alphanumeric().then_some(small)
}

impl Name {
    /// A name with its pinyin: one syllable for each character, one word for each run of Latin letters or digits.
    /// With a reading of another length the name is found by its characters only.
    pub(super) fn new(text: &str, pinyin: &str) -> Self {
        let mut syllables = pinyin.split(' ').filter(|s| !s.is_empty());
        let mut units: Vec<Unit> = Vec::new();
        let mut complete = true;
        let mut in_word = false;
        for (at, raw) in text.chars().enumerate() {
            let Some(sign) = fold_sign(raw) else {
                in_word = false;
                continue;
            };
            if sign.is_ascii() {
                complete &= in_word || syllables.next().is_some();
                units.push(Unit { sign, syllable: sign.to_string(), at });
            } else {
                let syllable = syllables.next();
                complete &= syllable.is_some();
                units.push(Unit { sign, syllable: syllable.unwrap_or_default().to_owned(), at });
            }
            in_word = sign.is_ascii();
        }
        if !complete || syllables.next().is_some() {
            units.iter_mut().for_each(|unit| unit.syllable.clear());
        }
        Self { units }
    }

    /// All that a query of one sign, or of characters only, can meet: the signs, and the reading's first letter.
    pub(super) fn each_sign(&self, mut tell: impl FnMut(char)) {
        self.units.iter().for_each(|unit| tell(unit.sign));
        self.units.first().and_then(|unit| unit.syllable.chars().next()).into_iter().for_each(tell);
    }

    /// All neighbours in a query of two signs or more: within a syllable, and where one unit follows another.
    pub(super) fn each_pair(&self, mut tell: impl FnMut(char, char)) {
        for unit in &self.units {
            unit.syllable.chars().zip(unit.syllable.chars().skip(1)).for_each(|(a, b)| tell(a, b));
        }
        for (unit, next) in self.units.iter().zip(self.units.iter().skip(1)) {
            for last in std::iter::once(unit.sign).chain(unit.syllable.chars()) {
                tell(last, next.sign);
                next.syllable.chars().next().into_iter().for_each(|first| tell(last, first));
            }
        }
    }

    /// How many letters the reading has.
    pub(super) fn letters(&self) -> usize {
        self.units.iter().map(|unit| unit.syllable.chars().count()).sum()
    }

    /// How many units.
    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    /// The characters of the name that some units are.
    pub(super) fn chars_of(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.units.get(range.start).map_or(0, |unit| unit.at);
        let end =
            range.end.checked_sub(1).and_then(|last| self.units.get(last)).map_or(start, |unit| unit.at + 1);
        start..end.max(start)
    }

    /// The query as it is written.
    pub(super) fn find_chars(&self, query: &[char]) -> Option<Range<usize>> {
        let fits = |window: &[Unit]| window.iter().zip(query).all(|(unit, sign)| unit.sign == *sign);
        let start = self.units.windows(query.len()).position(fits)?;
        Some(start..start + query.len())
    }

    /// Whole syllables, the last may be cut short; also whether it was not.
    pub(super) fn find_pinyin(&self, query: &[char]) -> Option<(Range<usize>, bool)> {
        self.starts(query).find_map(|start| {
            let mut rest = query;
            for (at, unit) in self.units.iter().enumerate().skip(start) {
                let same = common(&unit.syllable, rest);
                let whole = same == unit.syllable.len() && same > 0;
                if same == rest.len() {
                    return Some((start..at + 1, whole));
                }
                if !whole {
                    return None;
                }
                rest = &rest[same..];
            }
            None
        })
    }

    /// First letters of syllables; inside a name from two letters on.
    pub(super) fn find_initials(&self, query: &[char]) -> Option<Range<usize>> {
        let fits = |window: &[Unit]| window.iter().zip(query).all(|(u, sign)| u.syllable.starts_with(*sign));
        let start = self.units.windows(query.len()).position(fits)?;
        (start == 0 || query.len() >= 2).then(|| start..start + query.len())
    }

    /// Each unit by its sign or by any beginning of its syllable (`社保ka`, `shbk`).
    pub(super) fn find_mixed(&self, query: &[char]) -> Option<Range<usize>> {
        if query.len() < 2 || query.len() > 60 {
            return None;
        }
        let done = 1u64 << query.len();
        self.starts(query).find_map(|start| {
            let mut reached = 1u64;
            for (at, unit) in self.units.iter().enumerate().skip(start) {
                let mut next = 0u64;
                for from in (0..query.len()).filter(|from| reached & (1 << from) != 0) {
                    let rest = &query[from..];
                    if rest[0] == unit.sign {
                        next |= 1 << (from + 1);
                    }
                    for taken in 1..=common(&unit.syllable, rest) {
                        next |= 1 << (from + taken);
                    }
                }
                if next & done != 0 {
                    return Some(start..at + 1);
                }
                reached = next;
                if reached == 0 {
                    return None;
                }
            }
            None
        })
    }

    /// All characters of the query in their order, with others between (`养老转移`).
    pub(super) fn find_scattered(&self, query: &[char]) -> Option<Range<usize>> {
        if query.len() < 2 {
            return None;
        }
        let mut wanted = query.iter();
        let mut next = wanted.next();
        let mut start = None;
        for (at, unit) in self.units.iter().enumerate() {
            if next == Some(&unit.sign) {
                start = start.or(Some(at));
                next = wanted.next();
            }
            if next.is_none() {
                return start.map(|start| start..at + 1);
            }
        }
        None
    }

    /// One sign wrong, missing, too many, or two exchanged; in characters, in pinyin, or in all the initials.
    pub(super) fn find_typo(&self, query: &[char]) -> Option<Range<usize>> {
        if !typo_allowed(query) {
            return None;
        }
        let letters = is_letters(query);
        let (mut spelled, mut begins) = (Vec::new(), Vec::with_capacity(self.units.len()));
        for unit in &self.units {
            begins.push(spelled.len());
            if letters {
                spelled.extend(unit.syllable.chars());
            } else {
                spelled.push(unit.sign);
            }
        }
        if let Some(start) = begins.iter().position(|begin| near_beginning(query, &spelled[*begin..])) {
            return Some(start..(start + query.len()).min(self.units.len()));
        }
        if !letters || self.units.len().abs_diff(query.len()) > 1 {
            return None;
        }
        let initials: Vec<char> = self.units.iter().filter_map(|unit| unit.syllable.chars().next()).collect();
        near_beginning(query, &initials).then_some(0..self.units.len())
    }

    /// Units at which a reading of the query can begin.
    fn starts(&self, query: &[char]) -> impl Iterator<Item = usize> {
        let first = query.first().copied();
        let fits = move |unit: &Unit| first.is_some_and(|f| unit.sign == f || unit.syllable.starts_with(f));
        let inner = query.len() >= 2;
        self.units.iter().enumerate().filter(move |(at, u)| fits(u) && (inner || *at == 0)).map(|(at, _)| at)
    }
}

/// The query is spelled in letters, not in characters.
pub(super) fn is_letters(query: &[char]) -> bool {
    query.iter().all(char::is_ascii)
}

/// The query is long enough for a typo to be forgiven.
pub(super) fn typo_allowed(query: &[char]) -> bool {
    query.len() >= if is_letters(query) { TYPO_LETTERS } else { TYPO_LETTERS - 1 }
}

/// How many signs both begin with.
fn common(syllable: &str, query: &[char]) -> usize {
    syllable.chars().zip(query).take_while(|(a, b)| a == *b).count()
}

/// Some beginning of the target is at most one edit away from the query.
fn near_beginning(query: &[char], target: &[char]) -> bool {
    let same = query.iter().zip(target).take_while(|(a, b)| a == b).count();
    let (query, target) = (&query[same..], &target[same..]);
    match (query, target) {
        ([], _) | ([_], _) => true,
        (_, []) => false,
        ([_, q @ ..], [_, t @ ..]) => {
            let exchanged = matches!((query, target), ([a, b, q @ ..], [c, d, t @ ..])
                if a == d && b == c && t.starts_with(q));
            exchanged || t.starts_with(q) || target.starts_with(q) || t.starts_with(query)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn q(text: &str) -> Vec<char> {
        fold(text).collect()
    }

    #[test]
    fn each_way_finds_its_queries() {
        let name = Name::new("社保卡(补)换", "she bao ka bu huan");
        assert_eq!(name.find_chars(&q("卡补")), Some(2..4));
        assert_eq!(name.chars_of(&(2..4)), 2..5);
        assert_eq!(name.find_pinyin(&q("shebaoka")), Some((0..3, true)));
        assert_eq!(name.find_pinyin(&q("baok")), Some((1..3, false)));
        assert_eq!(name.find_pinyin(&q("sebao")), None);
        assert_eq!(name.find_initials(&q("sbkb")), Some(0..4));
        assert_eq!(name.find_initials(&q("b")), None);
        assert_eq!(name.find_mixed(&q("社保k补h")), Some(0..5));
        assert_eq!(name.find_mixed(&q("shbk")), Some(0..3));
        assert_eq!(name.find_scattered(&q("社卡换")), Some(0..5));
        assert_eq!(name.find_scattered(&q("换社")), None);
    }

    #[test]
    fn one_typo_is_forgiven_and_not_two() {
        let name = Name::new("低保申请", "di bao shen qing");
        for good in [
            "dibaoshenqing",
            "dibaosenqing",
            "dibaoshemqing",
            "dbiaoshen",
            "dibaosshen",
            "低保神请",
            "低申请",
        ] {
            assert!(name.find_typo(&q(good)).is_some(), "{good}");
        }
        for bad in ["dxbxoshen", "xyz", "低x神x"] {
            assert!(name.find_typo(&q(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_reading_of_another_length_is_not_used() {
        let name = Name::new("低保申请", "di bao");
        assert_eq!(name.find_pinyin(&q("dibao")), None);
        assert_eq!(name.find_chars(&q("低保")), Some(0..2));
    }

    #[test]
    fn latin_words_are_one_syllable_of_the_reading() {
        let name = Name::new("ETC办理", "etc ban li");
        assert_eq!(name.find_pinyin(&q("etcban")), Some((0..4, true)));
        assert_eq!(name.find_initials(&q("etcbl")), Some(0..5));
    }
}
