//! 事项目录: items, bundles, stations and calendar as one versioned whole.
//!
//! The loader takes file names and bytes (it reads no disk), checks everything and names file, item and field in
//! each error. A version, once published, is kept for ever.
//!
//! Refuses to hold numbers of its own: how many items, bundles and stations there are is data.
mod check;
mod check_item;
mod document;
mod load;
mod parse;
mod station;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bundle::Bundle;
use crate::date::CivilDate;
use crate::envelope::Digest;
use crate::ids::{ItemCode, StationId};
use crate::item::Item;
use crate::text::Text;

pub use station::Station;

/// A whole catalogue version. Build it with [`Catalogue::load`] or [`Catalogue::from_document`].
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// Version number, rising.
    pub version: u64,
    /// `sample` until the city's official list replaces it.
    pub data_label: String,
    /// Notice that goes with the label, shown on guide pages and the console.
    pub notice: Text,
    /// Items by code.
    pub items: BTreeMap<ItemCode, Item>,
    /// Bundles by code.
    pub bundles: BTreeMap<ItemCode, Bundle>,
    /// Stations by id.
    pub stations: BTreeMap<StationId, Station>,
    /// Exceptions of the working-day calendar by date.
    pub calendar: BTreeMap<CivilDate, DayKind>,
    /// Life events in screen order.
    pub life_events: Vec<LifeEvent>,
    /// Phrases that mean several things, and things this machine does not do.
    pub phrases: Phrases,
    /// GB/T 2260 regions by six-digit code (current and retired).
    pub regions: BTreeMap<String, Region>,
    /// Items for the home page, most used first (at most 8 shown).
    pub home_items: Vec<ItemCode>,
    /// Questions asked with many items (whose matter is it) and the materials that only questions name: carried
    /// along, used from the catalogue issue on.
    pub situations: serde_json::Value,
}

/// One mistake in a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {item}: {field}: {reason}")]
pub struct CatalogueError {
    /// File name as given to the loader.
    pub file: String,
    /// Code of the item, bundle, station …, or `-`.
    pub item: String,
    /// Field path, or `-`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

/// The whole catalogue as the one JSON text that is stored and travels; its digest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueDocument {
    /// Version.
    pub version: u64,
    /// SHA-256 of `json`.
    pub digest: Digest,
    /// Canonical JSON.
    pub json: String,
}

/// An exception of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// A holiday, also on a weekday.
    Holiday,
    /// A Saturday or Sunday that is a working day (调休).
    Workday,
}

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

impl Catalogue {
    /// Loads and checks a catalogue from its files (name relative to `assets/catalogue`, bytes). Files whose name
    /// ends in `.md` are notes for people and not read.
    ///
    /// # Errors
    /// Every mistake found (at most 200), each with file, item and field.
    pub fn load(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<CatalogueError>> {
        load::load(files)
    }

    /// The one JSON text that is stored and travels: keys sorted, no spaces, so equal catalogues give equal texts.
    pub fn to_document(&self) -> CatalogueDocument {
        document::write(self)
    }

    /// Reads a document back, with the same checks.
    ///
    /// # Errors
    /// Every mistake found (at most 200).
    pub fn from_document(json: &str) -> Result<Self, Vec<CatalogueError>> {
        document::read(json)
    }

    /// Form, titles and guide of an item or bundle, whichever the code names.
    pub fn entry(&self, code: &ItemCode) -> Option<Entry<'_>> {
        self.items.get(code).map(Entry::Item).or_else(|| self.bundles.get(code).map(Entry::Bundle))
    }

    /// `青海省 西宁市 城东区` for a code; the code itself if unknown.
    pub fn region_path(&self, code: &str) -> String {
        let mut names: Vec<&str> = Vec::new();
        let mut at = self.regions.get(code);
        while let Some(region) = at.filter(|_| names.len() < 4) {
            names.push(&region.name);
            at = region.parent.as_ref().and_then(|parent| self.regions.get(parent));
        }
        names.reverse();
        if names.is_empty() { code.to_owned() } else { names.join(" ") }
    }
}

/// An item or a bundle, seen as what both have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entry<'a> {
    /// A single item.
    Item(&'a Item),
    /// A bundle.
    Bundle(&'a Bundle),
}

impl<'a> Entry<'a> {
    /// Stable code.
    pub fn code(self) -> &'a ItemCode {
        match self {
            Self::Item(i) => &i.code,
            Self::Bundle(b) => &b.code,
        }
    }
    /// Title on pages, slips and lists once opened: neutral for sensitive matters.
    pub fn title(self) -> &'a Text {
        match self {
            Self::Item(i) => i.neutral_title.as_ref().filter(|_| i.sensitive).unwrap_or(&i.short_name),
            Self::Bundle(b) => b.neutral_title.as_ref().filter(|_| b.sensitive).unwrap_or(&b.short_name),
        }
    }
    /// Name for tiles and lists, before it is opened.
    pub fn short_name(self) -> &'a Text {
        match self {
            Self::Item(i) => &i.short_name,
            Self::Bundle(b) => &b.short_name,
        }
    }
    /// The form.
    pub fn form(self) -> &'a crate::form::FormSpec {
        match self {
            Self::Item(i) => &i.form,
            Self::Bundle(b) => &b.form,
        }
    }
    /// The guide.
    pub fn guide(self) -> &'a crate::item::Guide {
        match self {
            Self::Item(i) => &i.guide,
            Self::Bundle(b) => &b.guide,
        }
    }
}
