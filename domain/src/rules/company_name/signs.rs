//! One way to write each sign: what only looks different is the same, and what only looks the same is told apart.
//!
//! Refuses to change what is registered: folded texts are for comparing and never shown.
use std::collections::{BTreeMap, BTreeSet};

use super::words::{NameSigns, NameWordsError, expect};

/// The most signs of all tables together.
const MAX_SIGNS: usize = 60_000;

/// Tables of signs.
#[derive(Clone)]
pub(in crate::rules) struct Signs {
    same: BTreeMap<char, char>,
    alike: BTreeMap<char, char>,
    readings: BTreeMap<char, BTreeSet<u16>>,
}

impl Signs {
    pub(super) fn new(data: &NameSigns) -> Result<Self, NameWordsError> {
        let texts = data.same.values().chain(&data.alike).chain(data.readings.values());
        let count: usize = texts.map(|text| text.chars().take(MAX_SIGNS + 1).count()).sum();
        expect(count <= MAX_SIGNS, "signs", "too many signs")?;
        let mut signs = Self { same: BTreeMap::new(), alike: BTreeMap::new(), readings: BTreeMap::new() };
        for (standard, others) in &data.same {
            for other in others.chars() {
                let twice = signs.same.insert(other, *standard).is_some();
                expect(!twice, "same", &format!("{other} stands twice"))?;
            }
        }
        // Otherwise a text that was folded would fold further.
        let chain = data.same.keys().find(|standard| signs.same.contains_key(standard));
        expect(chain.is_none(), "same", &format!("{chain:?} is written in another way itself"))?;
        for group in &data.alike {
            let group = signs.fold(group);
            let first = group.chars().next();
            for sign in group.chars() {
                let twice = first.and_then(|first| signs.alike.insert(sign, first)).is_some();
                expect(!twice, "alike", &format!("{sign} stands twice"))?;
            }
        }
        for (number, (reading, list)) in data.readings.iter().enumerate() {
            let good = reading.bytes().all(|b| b.is_ascii_lowercase()) && !reading.is_empty();
            expect(good, "readings", "pinyin in small letters")?;
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            for sign in list.chars() {
                signs.readings.entry(sign).or_default().insert(number);
            }
        }
        Ok(signs)
    }

    /// Full width to half, capital letters to small ones, other ways to write a character to the standard one; without
    /// spaces, punctuation and hidden signs.
    pub(super) fn fold(&self, text: &str) -> String {
        text.chars().filter_map(|sign| self.folded(sign)).flat_map(char::to_lowercase).collect()
    }

    /// The same with `(` and `)` left, in which the name of a region may stand.
    pub(super) fn fold_with_brackets(&self, text: &str) -> String {
        let bracket = |sign: char| Some(half_width(sign)).filter(|half| matches!(half, '(' | ')'));
        let fold = |sign: char| bracket(sign).or_else(|| self.folded(sign));
        text.chars().filter_map(fold).flat_map(char::to_lowercase).collect()
    }

    fn folded(&self, sign: char) -> Option<char> {
        let half = half_width(sign);
        let standard = self.same.get(&half).copied().unwrap_or(half);
        standard.is_alphanumeric().then_some(standard)
    }

    /// Whether a text holds a sign that is another way to write a standard one.
    pub(super) fn has_variant(&self, text: &str) -> bool {
        text.chars().any(|sign| self.same.contains_key(&sign))
    }

    /// Whether two folded texts look alike: sign by sign the same or of one group.
    pub(super) fn look_alike(&self, one: &str, other: &str) -> bool {
        let first = |sign: char| self.alike.get(&sign).copied().unwrap_or(sign);
        one != other && one.chars().map(first).eq(other.chars().map(first))
    }

    /// Whether two folded texts sound alike: sign by sign the same, or with a reading in common.
    pub(super) fn sound_alike(&self, one: &str, other: &str) -> bool {
        let same_sound = |a: char, b: char| {
            let common = |a: &BTreeSet<u16>, b: &BTreeSet<u16>| !a.is_disjoint(b);
            a == b || self.readings.get(&a).zip(self.readings.get(&b)).is_some_and(|(a, b)| common(a, b))
        };
        one != other
            && one.chars().count() == other.chars().count()
            && one.chars().zip(other.chars()).all(|(a, b)| same_sound(a, b))
    }
}

/// ASCII signs of double width, and the ideographic space.
fn half_width(sign: char) -> char {
    match sign {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(sign) - 0xfee0).unwrap_or(sign),
        '\u{3000}' => ' ',
        other => other,
    }
}

/// A Chinese character.
pub(super) fn is_han(sign: char) -> bool {
    matches!(sign, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{323af}' | '\u{3007}')
}
