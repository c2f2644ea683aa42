//! Which names a query can match at all: sets of names by the signs and by the pairs of signs in them.
//!
//! A set tells too many names (several pairs share a set), never too few; the exact matching comes after.
use std::collections::VecDeque;

use super::spell::{Name, is_letters};

/// Sets of pairs: one for each two small letters, the others shared.
const PAIRS: usize = 1024;
/// Two small letters.
const LETTER_PAIRS: usize = 26 * 26;
/// Sets of signs.
const SIGNS: usize = 512;
/// Names in one word of a set.
const WORD: usize = 64;

/// The sets of one catalogue version: 192 bytes for each name, in whole words of 64 names.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    names: usize,
    /// By sign: names that have it, or whose reading begins with it.
    signs: Vec<u64>,
    /// By pair: names in whose characters, reading, initials or a mixture these signs can be neighbours.
    pairs: Vec<u64>,
}

impl Tables {
    /// Prepares names; a name is known by its place among them.
    pub(super) fn new<'a>(names: impl ExactSizeIterator<Item = &'a Name>) -> Self {
        let count = names.len();
        let words = count.div_ceil(WORD);
        let mut tables = Self { names: count, signs: vec![0; SIGNS * words], pairs: vec![0; PAIRS * words] };
        for (at, name) in names.enumerate() {
            let (word, bit) = (at / WORD, 1u64 << (at % WORD));
            name.each_sign(|sign| tables.signs[set_of_sign(sign) * words + word] |= bit);
            name.each_pair(|a, b| tables.pairs[set_of_pair(a, b) * words + word] |= bit);
        }
        tables
    }

    /// Memory of the sets in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.signs[..]) + size_of_val(&self.pairs[..])
    }

    /// Names that may match without a typo, in their order.
    pub(super) fn sure(&self, query: &[char]) -> Vec<usize> {
        let lettered = query.len() >= 2 && query.iter().any(char::is_ascii_alphabetic);
        let sets = if lettered { self.pairs_of(query) } else { self.signs_of(query) };
        self.gather(|word| sets.iter().fold(!0, |all, set| all & set[word]))
    }

    /// Names that may match with one typo, in their order.
    pub(super) fn typo(&self, query: &[char]) -> Vec<usize> {
        if is_letters(query) { self.letters_with_typo(query) } else { self.signs_with_typo(query) }
    }

    /// At most one sign of the query is not in the name.
    fn signs_with_typo(&self, query: &[char]) -> Vec<usize> {
        let sets = self.signs_of(query);
        self.gather(|word| {
            let (mut all, mut but_one) = (!0u64, !0u64);
            for set in &sets {
                but_one = (but_one & set[word]) | all;
                all &= set[word];
            }
            but_one
        })
    }

    /// Before the first wrong letter and after it all pairs are there; exchanged letters have their own pairs.
    fn letters_with_typo(&self, query: &[char]) -> Vec<usize> {
        let sets = self.pairs_of(query);
        let exchanged: Vec<Vec<&[u64]>> =
            (1..query.len()).map(|second| self.pairs_of(&around_exchange(query, second))).collect();
        let mut after: VecDeque<u64> = VecDeque::with_capacity(query.len() + 2);
        self.gather(|word| {
            // after[at]: names that have all pairs from this one on
            after.clear();
            after.extend([!0, !0]);
            for set in sets.iter().rev() {
                after.push_front(set[word] & after[0]);
            }
            let (mut before, mut near) = (!0u64, 0u64);
            for wrong in 0..query.len() {
                if let Some(set) = wrong.checked_sub(2).map(|pair| sets[pair]) {
                    before &= set[word];
                }
                near |= before & after[wrong + 1];
                if let Some(own) = exchanged.get(wrong) {
                    let own = own.iter().fold(before, |all, set| all & set[word]);
                    near |= own & after.get(wrong + 2).copied().unwrap_or(!0);
                }
            }
            near
        })
    }

    fn signs_of(&self, query: &[char]) -> Vec<&[u64]> {
        query.iter().map(|sign| self.set(&self.signs, set_of_sign(*sign))).collect()
    }

    fn pairs_of(&self, query: &[char]) -> Vec<&[u64]> {
        query.windows(2).map(|pair| self.set(&self.pairs, set_of_pair(pair[0], pair[1]))).collect()
    }

    fn set<'a>(&self, sets: &'a [u64], number: usize) -> &'a [u64] {
        let words = self.names.div_ceil(WORD);
        &sets[number * words..(number + 1) * words]
    }

    /// The names whose bits are set, word for word.
    fn gather(&self, mut bits: impl FnMut(usize) -> u64) -> Vec<usize> {
        let mut names = Vec::new();
        for word in 0..self.names.div_ceil(WORD) {
            let mut left = bits(word);
            while left != 0 {
                names.push(word * WORD + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
        names.truncate(names.partition_point(|name| *name < self.names));
        names
    }
}

/// The letters around two that are exchanged, as they would be right: with one neighbour at either side.
fn around_exchange(query: &[char], second: usize) -> Vec<char> {
    let mut around = query[second.saturating_sub(2)..(second + 2).min(query.len())].to_vec();
    let first = usize::from(second >= 2);
    around.swap(first, first + 1);
    around
}

fn set_of_sign(sign: char) -> usize {
    spread(u32::from(sign)) % SIGNS
}

fn set_of_pair(first: char, second: char) -> usize {
    let letter = |sign: char| sign.is_ascii_lowercase().then(|| sign as usize - 'a' as usize);
    match (letter(first), letter(second)) {
        (Some(first), Some(second)) => first * 26 + second,
        _ => {
            LETTER_PAIRS
                + spread(u32::from(first).wrapping_mul(31) ^ u32::from(second)) % (PAIRS - LETTER_PAIRS)
        }
    }
}

/// Neighbouring numbers far apart (Knuth's multiplicative hashing).
fn spread(number: u32) -> usize {
    (number.wrapping_mul(2_654_435_769) >> 16) as usize
}
