//! Words and signs by which names are judged, as data; checked when they are loaded.
//!
//! Refuses to hold any word itself.
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::signs::Signs;
use crate::item::LegalBasis;
use crate::text::Text;

/// The most bytes of each of the two files.
const MAX_BYTES: usize = 1 << 20;
/// The most words of one list, and lists of one kind.
const MAX_WORDS: usize = 5_000;
/// The most characters of a word.
const MAX_WORD_CHARS: usize = 30;

/// A rule about names. Its source stands in [`NameWordsFile::sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameRule {
    /// 规范汉字: signs that are no standard characters.
    StandardCharacters,
    /// A name has a region, unless the company works across provinces.
    Region,
    /// 字号 has two characters or more.
    ShopLength,
    /// 字号 is no name of a region.
    ShopIsRegion,
    /// 字号 is no word for a trade.
    ShopIsTrade,
    /// The form of organisation is named.
    Form,
    /// The trade is named, unless the company works in several.
    Trade,
    /// A word that may not stand; each list of words has a source of its own.
    Forbidden,
    /// Length of the whole.
    Length,
    /// Same: the whole text.
    SameText,
    /// Same: the same parts in another order.
    SameParts,
    /// Same: 字号 and trade, whatever region and form.
    SameShopAndTrade,
    /// Same: 字号, and one of the two names no trade.
    SameShopWithoutTrade,
    /// Alike: the same 字号, another word for the same trade.
    AlikeTrade,
    /// Alike: 字号 sounds the same, in the same trade.
    AlikeSound,
    /// Alike: one 字号 is part of the other, in the same trade.
    AlikePart,
    /// Alike: 字号 looks the same, in the same trade.
    AlikeShape,
}

impl NameRule {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::StandardCharacters,
        Self::Region,
        Self::ShopLength,
        Self::ShopIsRegion,
        Self::ShopIsTrade,
        Self::Form,
        Self::Trade,
        Self::Forbidden,
        Self::Length,
        Self::SameText,
        Self::SameParts,
        Self::SameShopAndTrade,
        Self::SameShopWithoutTrade,
        Self::AlikeTrade,
        Self::AlikeSound,
        Self::AlikePart,
        Self::AlikeShape,
    ];
}

/// Names of one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionWords {
    /// Six-digit code.
    pub code: String,
    /// What it is called, long and short.
    pub words: Vec<String>,
}

/// Words for one trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradeClass {
    /// Its name; words of one class mean the same.
    pub class: String,
    /// Words.
    pub words: Vec<String>,
    /// They name no trade of the national classification, such as 实业: as if no trade were named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub general: bool,
}

/// Where a word may not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Anywhere in the name.
    Anywhere,
    /// At the beginning of the name, or of what follows its region.
    Start,
}

/// Words that may not stand in a name without a person's eyes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForbiddenWords {
    /// Name of the list.
    pub id: String,
    /// Where they may not stand.
    pub place: Place,
    /// Words.
    pub words: Vec<String>,
    /// What forbids them.
    pub source: LegalBasis,
}

/// The words as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameWordsFile {
    /// Rises with each change.
    pub version: u64,
    /// `sample` until the authority's own words replace it.
    pub data_label: String,
    /// Notice that goes with the label.
    pub notice: Text,
    /// Regions whose names may stand in a name here.
    pub regions: Vec<RegionWords>,
    /// 组织形式.
    pub forms: Vec<String>,
    /// 行业或者经营特点.
    pub trades: Vec<TradeClass>,
    /// 禁限用字词.
    pub forbidden: Vec<ForbiddenWords>,
    /// What each rule rests on.
    pub sources: BTreeMap<NameRule, LegalBasis>,
}

/// Signs as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameSigns {
    /// A standard character, and the other ways to write it (traditional, compatibility).
    pub same: BTreeMap<char, String>,
    /// Characters that look alike, a group in each text.
    pub alike: Vec<String>,
    /// Characters by how they are read: pinyin without tones.
    pub readings: BTreeMap<String, String>,
}

/// A mistake in words or signs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {reason}")]
pub struct NameWordsError {
    /// Where.
    pub at: String,
    /// What is wrong.
    pub reason: String,
}

/// Words and signs that were checked, ready for use.
#[derive(Clone)]
pub struct NameWords {
    file: NameWordsFile,
    pub(super) signs: Signs,
    pub(super) regions: BTreeMap<String, String>,
    pub(super) forms: BTreeSet<String>,
    /// Class of each trade word, and whether it is a general one.
    pub(super) trades: BTreeMap<String, (String, bool)>,
    pub(super) forbidden: Vec<(String, Place, String)>,
}

impl std::fmt::Debug for NameWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NameWords(version {})", self.file.version)
    }
}

impl NameWords {
    /// Reads and checks words and signs out of their JSON texts.
    ///
    /// # Errors
    /// The first mistake.
    pub fn parse(words: &[u8], signs: &[u8]) -> Result<Self, NameWordsError> {
        Self::new(read("words", words)?, &read("signs", signs)?)
    }

    /// Checks words and signs.
    ///
    /// # Errors
    /// The first mistake.
    pub fn new(file: NameWordsFile, signs: &NameSigns) -> Result<Self, NameWordsError> {
        let good_label = ["sample", "official"].contains(&file.data_label.as_str());
        expect(file.version >= 1 && good_label, "words", "a version, and `sample` or `official`")?;
        for rule in NameRule::ALL {
            expect(file.sources.contains_key(&rule), "sources", &format!("nothing for {rule:?}"))?;
        }
        let signs = Signs::new(signs)?;
        let mut loaded = Self {
            signs,
            regions: BTreeMap::new(),
            forms: BTreeSet::new(),
            trades: BTreeMap::new(),
            forbidden: Vec::new(),
            file,
        };
        loaded.load()?;
        Ok(loaded)
    }

    /// What a rule rests on.
    pub fn source(&self, rule: NameRule) -> Option<&LegalBasis> {
        self.file.sources.get(&rule)
    }

    /// The list of forbidden words with this name, with what forbids them.
    pub fn forbidden_list(&self, id: &str) -> Option<&ForbiddenWords> {
        self.file.forbidden.iter().find(|list| list.id == id)
    }

    /// Version, label and notice stand in it.
    pub fn file(&self) -> &NameWordsFile {
        &self.file
    }

    /// Words as they are compared: each in its one way to be written.
    fn load(&mut self) -> Result<(), NameWordsError> {
        for list in [self.file.regions.len(), self.file.trades.len(), self.file.forbidden.len()] {
            expect(list <= MAX_WORDS, "words", "too many lists")?;
        }
        for region in &self.file.regions {
            let good = region.code.len() == 6 && region.code.bytes().all(|b| b.is_ascii_digit());
            expect(good, "regions", "a code has six digits")?;
            for word in folded(&self.signs, "regions", &region.words)? {
                expect(
                    self.regions.insert(word, region.code.clone()).is_none(),
                    "regions",
                    "a word stands twice",
                )?;
            }
        }
        self.forms = folded(&self.signs, "forms", &self.file.forms)?.into_iter().collect();
        expect(!self.forms.is_empty(), "forms", "at least one")?;
        for trade in &self.file.trades {
            expect(!trade.class.trim().is_empty(), "trades", "a class has a name")?;
            for word in folded(&self.signs, "trades", &trade.words)? {
                let class = (trade.class.clone(), trade.general);
                let twice = self.trades.insert(word, class).is_some();
                expect(!twice, "trades", "a word stands twice")?;
            }
        }
        for list in &self.file.forbidden {
            for word in folded(&self.signs, "forbidden", &list.words)? {
                self.forbidden.push((word, list.place, list.id.clone()));
            }
        }
        Ok(())
    }
}

fn folded(signs: &Signs, at: &str, words: &[String]) -> Result<Vec<String>, NameWordsError> {
    expect((1..=MAX_WORDS).contains(&words.len()), at, "1 to 5000 words")?;
    words
        .iter()
        .map(|word| {
            let plain = signs.fold(word);
            let fits = !plain.is_empty() && word.chars().take(MAX_WORD_CHARS + 1).count() <= MAX_WORD_CHARS;
            expect(fits, at, "a word has 1 to 30 characters")?;
            Ok(plain)
        })
        .collect()
}

fn read<T: serde::de::DeserializeOwned>(what: &str, json: &[u8]) -> Result<T, NameWordsError> {
    expect(json.len() <= MAX_BYTES, what, "at most 1 MiB")?;
    let mut reader = serde_json::Deserializer::from_slice(json);
    let wrong =
        |at: String, reason: String| NameWordsError { at, reason: reason.chars().take(300).collect() };
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| wrong(format!("{what}.{}", error.path()), error.inner().to_string()))?;
    reader.end().map_err(|error| wrong(what.to_owned(), error.to_string()))?;
    Ok(value)
}

pub(super) fn expect(good: bool, at: &str, reason: &str) -> Result<(), NameWordsError> {
    if good { Ok(()) } else { Err(NameWordsError { at: at.to_owned(), reason: reason.to_owned() }) }
}
