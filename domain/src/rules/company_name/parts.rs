//! A name taken apart: region, 字号, trade, form of organisation; and what is wrong with it.
//!
//! Taking apart is a guess by words: a wizard that asks for the parts does better, and may give them itself. Refuses to
//! say that a name is free.
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::signs::is_han;
use super::words::{NameRule, NameWords, Place};

/// The most characters of a name.
pub const MAX_NAME_CHARS: usize = 60;
/// The fewest characters of 字号.
const MIN_SHOP_CHARS: usize = 2;
/// The most lists of forbidden words that are told of one name.
const MAX_TOLD: usize = 20;

/// Parts of a name, folded for comparing. A name may hold that of a person, so `Debug` does not tell it.
#[derive(Clone, PartialEq, Eq)]
pub struct NameParts {
    /// The whole, without brackets.
    pub(super) whole: String,
    /// 行政区划, empty if there is none.
    pub(super) region: String,
    /// 字号.
    pub(super) shop: String,
    /// 行业或者经营特点, empty if there is none.
    pub(super) trade: String,
    /// 组织形式, empty if there is none.
    pub(super) form: String,
    /// Classes of the trade's words, without general ones.
    pub(super) classes: BTreeSet<String>,
}

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameFault {
    /// Which rule it does not keep.
    pub rule: NameRule,
    /// The list of forbidden words, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
}

/// A name that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its parts.
    pub parts: NameParts,
    /// What is wrong with it, in the order of [`NameRule`].
    pub faults: Vec<NameFault>,
}

/// What must be unique at one registration authority: its code, 字号 and trade, folded. A unique index over it settles
/// who was first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey {
    text: String,
    shop_end: usize,
}

impl NameWords {
    /// Takes a name apart and looks what is wrong with it. Total: of a text that is no name the faults say so.
    pub fn propose(&self, name: &str) -> Proposal {
        let short: String = name.chars().take(MAX_NAME_CHARS).collect();
        let parts = self.split(&short);
        let mut faults = BTreeSet::new();
        let mut fault = |wrong: bool, rule: NameRule| {
            if wrong {
                faults.insert(NameFault { rule, list: None });
            }
        };
        fault(name.chars().nth(MAX_NAME_CHARS).is_some(), NameRule::Length);
        fault(self.signs.has_variant(&short), NameRule::StandardCharacters);
        fault(!parts.shop.chars().all(is_han), NameRule::StandardCharacters);
        fault(parts.region.is_empty(), NameRule::Region);
        fault(parts.form.is_empty(), NameRule::Form);
        fault(parts.classes.is_empty(), NameRule::Trade);
        fault(parts.shop.chars().count() < MIN_SHOP_CHARS, NameRule::ShopLength);
        fault(self.regions.contains_key(&parts.shop), NameRule::ShopIsRegion);
        fault(self.trades.contains_key(&parts.shop), NameRule::ShopIsTrade);
        for list in self.forbidden_in(&parts) {
            faults.insert(NameFault { rule: NameRule::Forbidden, list: Some(list.to_owned()) });
        }
        Proposal { parts, faults: faults.into_iter().take(MAX_TOLD).collect() }
    }

    /// The parts that a wizard asked for one by one, or a register has.
    pub fn of_parts(&self, region: &str, shop: &str, trade: &str, form: &str) -> NameParts {
        let fold = |text: &str| self.signs.fold(text).chars().take(MAX_NAME_CHARS).collect::<String>();
        let [region, shop, trade, form] = [region, shop, trade, form].map(fold);
        let classes = self.classes(&trade);
        NameParts { whole: format!("{region}{shop}{trade}{form}"), region, shop, trade, form, classes }
    }

    fn split(&self, name: &str) -> NameParts {
        let text = self.signs.fold_with_brackets(name);
        let whole: String = text.replace(['(', ')'], "");
        let form = longest(self.forms.iter().filter(|form| whole.ends_with(form.as_str())));
        let (region, rest) = self.without_region(without_end(&text, form.chars().count()));
        let rest: String = rest.replace(['(', ')'], "");
        let (shop, trade) = self.shop_and_trade(&rest);
        let classes = self.classes(trade);
        NameParts { whole, region, shop: shop.to_owned(), trade: trade.to_owned(), form, classes }
    }

    /// The name of a region at the beginning, or in brackets.
    fn without_region(&self, text: &str) -> (String, String) {
        let first = longest(self.regions.keys().filter(|word| text.starts_with(word.as_str())));
        if !first.is_empty() {
            let rest = text.strip_prefix(first.as_str()).unwrap_or_default().to_owned();
            return (first, rest);
        }
        let bracketed = self.regions.keys().find(|word| text.contains(&format!("({word})")));
        match bracketed {
            Some(word) => (word.clone(), text.replacen(&format!("({word})"), "", 1)),
            None => (String::new(), text.to_owned()),
        }
    }

    /// Words for trades are taken from the end, the longest first, as long as two characters are left.
    fn shop_and_trade<'t>(&self, text: &'t str) -> (&'t str, &'t str) {
        let mut at = text.len();
        while let Some(shop) = text.get(..at) {
            let fits = |word: &&String| {
                shop.strip_suffix(word.as_str())
                    .is_some_and(|left| left.chars().nth(MIN_SHOP_CHARS - 1).is_some())
            };
            let word = longest(self.trades.keys().filter(fits));
            if word.is_empty() {
                break;
            }
            at -= word.len();
        }
        text.split_at_checked(at).unwrap_or((text, ""))
    }

    fn classes(&self, trade: &str) -> BTreeSet<String> {
        let mut classes = BTreeSet::new();
        let mut rest = trade;
        while !rest.is_empty() {
            let word = longest(self.trades.keys().filter(|word| rest.ends_with(word.as_str())));
            if word.is_empty() {
                // A trade that no word is known for is a class of its own.
                classes.insert(format!("={rest}"));
                break;
            }
            if let Some((class, false)) = self.trades.get(&word) {
                classes.insert(class.clone());
            }
            rest = rest.strip_suffix(word.as_str()).unwrap_or_default();
        }
        classes
    }

    fn forbidden_in(&self, parts: &NameParts) -> BTreeSet<&str> {
        let after_region = format!("{}{}{}", parts.shop, parts.trade, parts.form);
        let stands = |word: &str, place: Place| match place {
            Place::Anywhere => parts.whole.contains(word),
            Place::Start => parts.whole.starts_with(word) || after_region.starts_with(word),
        };
        let found = self.forbidden.iter().filter(|(word, place, _)| stands(word, *place));
        found.map(|(_, _, list)| list.as_str()).collect()
    }
}

impl NameParts {
    /// What must be unique at an authority, named by its region code.
    pub fn key(&self, authority: &str) -> NameKey {
        let shop = format!("{authority}|{}", self.shop);
        NameKey { shop_end: shop.len(), text: format!("{shop}|{}", self.trade) }
    }

    /// 行政区划, 字号, 行业, 组织形式, folded; what is not there is empty.
    pub fn folded(&self) -> [&str; 4] {
        [&self.region, &self.shop, &self.trade, &self.form]
    }

    /// Whether it names a trade of the national classification.
    pub fn names_trade(&self) -> bool {
        !self.classes.is_empty()
    }
}

impl NameKey {
    /// For a unique index.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Authority and 字号, for an index that finds all that may collide, also those that name no trade.
    pub fn shop(&self) -> &str {
        self.text.get(..self.shop_end).unwrap_or_default()
    }
}

impl fmt::Debug for NameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameKey(..)")
    }
}

impl fmt::Debug for NameParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameParts({} characters)", self.whole.chars().count())
    }
}

/// A text without its last characters; brackets count as none.
fn without_end(text: &str, count: usize) -> &str {
    let mut kept = text;
    for _ in 0..count {
        kept = kept.trim_end_matches(['(', ')']);
        let last = kept.chars().next_back().map_or(0, char::len_utf8);
        kept = kept.get(..kept.len() - last).unwrap_or_default();
    }
    kept
}

fn longest<'w>(words: impl Iterator<Item = &'w String>) -> String {
    words.max_by_key(|word| word.len()).cloned().unwrap_or_default()
}
