//! The smaller parts of a catalogue: life events, phrases that people say, regions.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::ItemCode;
use crate::text::Text;

/// A category of the "by life event" page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifeEvent {
    /// Key used by items.
    pub id: String,
    /// Its name.
    pub name: Text,
    /// Icon name.
    pub icon: String,
}

/// Phrases people say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrases {
    /// A phrase that means several things: a chooser is shown.
    pub shared: BTreeMap<String, SharedPhrase>,
    /// A phrase for something that this machine does not do.
    pub not_here: BTreeMap<String, NotHere>,
}

/// See [`Phrases::shared`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedPhrase {
    /// What it may mean.
    pub codes: Vec<ItemCode>,
    /// The question.
    pub ask: Text,
    /// A note, may be empty.
    #[serde(default)]
    pub note: Text,
    /// Full pinyin of the phrase, syllables separated by spaces.
    #[serde(default)]
    pub pinyin: String,
}

/// See [`Phrases::not_here`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotHere {
    /// What to do instead.
    pub say: Text,
    /// Items that may help, may be empty.
    #[serde(default)]
    pub codes: Vec<ItemCode>,
    /// Full pinyin of the phrase, syllables separated by spaces.
    #[serde(default)]
    pub pinyin: String,
}

/// A region of GB/T 2260.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its own name, such as 城东区.
    pub name: String,
    /// Code of the level above; none for provinces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Still valid; retired codes stay readable and are never rejected.
    #[serde(default = "yes")]
    pub current: bool,
}

fn yes() -> bool {
    true
}
