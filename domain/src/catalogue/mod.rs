//! 事项目录: items, bundles, stations and calendar as one versioned whole.
//!
//! The loader takes file names and bytes (it reads no disk), checks everything and names file, item and field in
//! each error. A version, once published, is kept for ever.
//!
//! Refuses to hold numbers of its own: how many items, bundles and stations there are is data.
mod calendar;
pub(crate) mod canonical;
mod check;
mod check_item;
mod check_steps;
mod difference;
mod document;
mod entry;
mod examine;
mod load;
mod message;
mod parse;
mod parts;
mod policies;
pub mod regions;
mod review;
mod revision;
mod rules;
mod station;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bundle::Bundle;
use crate::envelope::Digest;
use crate::ids::{ItemCode, StationId};
use crate::item::Item;
use crate::situation::CommonSituations;
use crate::text::Text;

pub use calendar::{Calendar, DayKind, YearCertainty};
pub use difference::{Change, Counts, Difference, EntryDifference, FieldDifference, Kind, diff};
pub use entry::Entry;
pub use load::MAX_FILES;
pub use message::StationMessage;
pub use parse::{MAX_FILE_BYTES, MAX_TOTAL_BYTES};
pub use parts::{LifeEvent, NotHere, Phrases, Region, SharedPhrase};
pub use policies::{
    AllTerminals, ApprovalPolicy, IdlePolicy, LimitPolicy, Policies, RectificationPolicy, RetentionPolicy,
    Ring, RingSize, StaleAction, StalePolicy,
};
pub use review::{Allowed, Review, Rule, Warning};
pub use rules::{TILE_NAME_HALVES, TILE_NAME_LETTERS, answers, step_faults};
pub use station::{Offer, Station};

/// A whole catalogue version. Build it with [`Catalogue::load`] or [`Catalogue::from_document`].
#[derive(Clone, PartialEq)]
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
    /// The working-day calendar.
    pub calendar: Calendar,
    /// Life events in screen order.
    pub life_events: Vec<LifeEvent>,
    /// Phrases that mean several things, and things this machine does not do.
    pub phrases: Phrases,
    /// GB/T 2260 regions by six-digit code (current and retired).
    pub regions: BTreeMap<String, Region>,
    /// Items for the home page, most used first (at most 8 shown); a station may have its own before them.
    pub home_items: Vec<ItemCode>,
    /// Questions asked with many items (whose matter is it) and the materials that only questions name.
    pub situations: CommonSituations,
    /// Times, limits and shares.
    pub policies: Policies,
    /// Notices of stations.
    pub messages: Vec<StationMessage>,
}

/// One mistake in a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
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

impl std::fmt::Debug for Catalogue {
    /// The version only: a whole catalogue would drown what it stands in.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Catalogue(version {})", self.version)
    }
}

impl Catalogue {
    /// Whether it is invented data, of which everything that leaves the system says so.
    pub fn is_sample(&self) -> bool {
        self.data_label == "sample"
    }

    /// Loads and checks a catalogue from its files (name relative to `assets/catalogue`, bytes). Files whose name
    /// ends in `.md` are notes for people and not read.
    ///
    /// # Errors
    /// Every mistake found (at most 1,000), each with file, item and field.
    pub fn load(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<CatalogueError>> {
        load::load(files)
    }

    /// Checks a catalogue's files as [`Catalogue::load`] does, and tells also what is allowed and yet looks wrong.
    /// `further` warnings of tools outside are told with the others; the files' own `allow.json` names those that
    /// are meant.
    pub fn review(files: &BTreeMap<String, Vec<u8>>, further: Vec<Warning>) -> Review {
        review::review(files, further)
    }

    /// The one JSON text that is stored and travels: keys sorted, no spaces, so equal catalogues give equal texts.
    pub fn to_document(&self) -> CatalogueDocument {
        document::write(self)
    }

    /// Reads a document back. It was checked when it was published: what it holds must fit together, but rules that
    /// came later do not make it unreadable.
    ///
    /// # Errors
    /// Every mistake found (at most 1,000).
    pub fn from_document(json: &str) -> Result<Self, Vec<CatalogueError>> {
        document::read(json)
    }

    /// All items, then all bundles, by code.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.items.values().map(Entry::Item).chain(self.bundles.values().map(Entry::Bundle))
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
