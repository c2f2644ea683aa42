//! What differs between two versions, by item and field, for people before they publish and for programs.
//!
//! Refuses to judge: that is a person's part.
mod fields;
mod written;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use super::canonical::to_value;
use super::{Catalogue, Entry};
use crate::text::Text;

/// The most fields that are told; further ones are counted.
const MAX_FIELDS: usize = 20_000;

/// What differs between two versions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Number of the one version.
    pub from_version: u64,
    /// Number of the other.
    pub to_version: u64,
    /// How much differs.
    pub counts: Counts,
    /// What differs, by kind and code.
    pub entries: Vec<EntryDifference>,
}

/// How much differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Things that only the other version has.
    pub added: usize,
    /// Things that only the one version has.
    pub removed: usize,
    /// Things that both have and that differ.
    pub changed: usize,
    /// Fields of what changed.
    pub fields: usize,
    /// Items and bundles whose revision is another.
    pub revisions: usize,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EntryDifference {
    /// What it is.
    pub kind: Kind,
    /// Its code, id, date or name; `-` where there is only one.
    pub code: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    /// How it differs.
    pub change: Change,
    /// Revisions of an item or bundle in the one and the other version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revisions: Option<[Option<u64>; 2]>,
    /// It changed and its revision did not rise: it was not made by `succeeding`.
    #[serde(skip_serializing_if = "is_false")]
    pub revision_kept: bool,
    /// Its fields that differ, in their order; none of what was added or removed.
    pub fields: Vec<FieldDifference>,
}

/// Kind of thing that can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Kind {
    Catalogue,
    Item,
    Bundle,
    Station,
    Message,
    Day,
    Year,
    Policies,
    Situations,
    LifeEvent,
    SharedPhrase,
    PhraseNotHere,
    Region,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// How a thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Change {
    Added,
    Removed,
    Changed,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldDifference {
    /// Such as `guide.how[1].zh`, or `steps[s3].depends` where parts of a list have names.
    pub path: String,
    /// What it was; absent if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What it is; absent if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What differs between one version and another.
pub fn diff(from: &Catalogue, to: &Catalogue) -> Difference {
    let mut found = Found::default();
    found.single(Kind::Catalogue, &head(from), &head(to));
    found.maps(Kind::Item, &from.items, &to.items);
    found.maps(Kind::Bundle, &from.bundles, &to.bundles);
    found.maps(Kind::Station, &from.stations, &to.stations);
    let by_id = |catalogue: &Catalogue| -> BTreeMap<String, _> {
        catalogue.messages.iter().map(|message| (message.id.clone(), message.clone())).collect()
    };
    found.maps(Kind::Message, &by_id(from), &by_id(to));
    found.maps(Kind::Day, &from.calendar.days, &to.calendar.days);
    found.maps(Kind::Year, &from.calendar.years, &to.calendar.years);
    found.single(Kind::Policies, &from.policies, &to.policies);
    found.single(Kind::Situations, &from.situations, &to.situations);
    let by_id = |catalogue: &Catalogue| -> BTreeMap<String, _> {
        catalogue.life_events.iter().map(|event| (event.id.clone(), event.clone())).collect()
    };
    found.maps(Kind::LifeEvent, &by_id(from), &by_id(to));
    found.maps(Kind::SharedPhrase, &from.phrases.shared, &to.phrases.shared);
    found.maps(Kind::PhraseNotHere, &from.phrases.not_here, &to.phrases.not_here);
    found.maps(Kind::Region, &from.regions, &to.regions);
    found.revisions(from, to);
    let Found { counts, entries, .. } = found;
    Difference { from_version: from.version, to_version: to.version, counts, entries }
}

/// What is said of a catalogue as a whole, without its number.
fn head(catalogue: &Catalogue) -> Value {
    let events: Vec<&str> = catalogue.life_events.iter().map(|event| event.id.as_str()).collect();
    json!({
        "data_label": catalogue.data_label,
        "notice": catalogue.notice,
        "home_items": catalogue.home_items,
        "order_of_life_events": events,
    })
}

#[derive(Default)]
struct Found {
    counts: Counts,
    entries: Vec<EntryDifference>,
    /// Fields that are told.
    told: usize,
}

impl Found {
    fn single<T: Serialize + PartialEq>(&mut self, kind: Kind, old: &T, new: &T) {
        if old != new {
            self.changed(kind, "-".to_owned(), &to_value(old), &to_value(new));
        }
    }

    fn maps<K: Ord + ToString, T: Serialize + PartialEq>(
        &mut self,
        kind: Kind,
        from: &BTreeMap<K, T>,
        to: &BTreeMap<K, T>,
    ) {
        for (key, old) in from {
            match to.get(key) {
                None => self.push(kind, key.to_string(), Change::Removed, Vec::new()),
                Some(new) if new == old => {}
                Some(new) => self.changed(kind, key.to_string(), &to_value(old), &to_value(new)),
            }
        }
        for key in to.keys().filter(|key| !from.contains_key(key)) {
            self.push(kind, key.to_string(), Change::Added, Vec::new());
        }
    }

    fn changed(&mut self, kind: Kind, code: String, old: &Value, new: &Value) {
        let mut fields = fields::between(old, new);
        // The revision tells that something changed; it is no change itself.
        if matches!(kind, Kind::Item | Kind::Bundle) {
            fields.retain(|field| field.path != "revision");
        }
        self.counts.fields += fields.len();
        fields.truncate(MAX_FIELDS.saturating_sub(self.told));
        self.told += fields.len();
        self.push(kind, code, Change::Changed, fields);
    }

    fn push(&mut self, kind: Kind, code: String, change: Change, fields: Vec<FieldDifference>) {
        match change {
            Change::Added => self.counts.added += 1,
            Change::Removed => self.counts.removed += 1,
            Change::Changed => self.counts.changed += 1,
        }
        let (title, revisions, revision_kept) = (None, None, false);
        self.entries.push(EntryDifference { kind, code, title, change, revisions, revision_kept, fields });
    }

    /// Titles and revisions of items and bundles.
    fn revisions(&mut self, from: &Catalogue, to: &Catalogue) {
        for entry in self.entries.iter_mut().filter(|e| matches!(e.kind, Kind::Item | Kind::Bundle)) {
            let Ok(code) = entry.code.parse() else { continue };
            let (old, new) = (from.entry(&code), to.entry(&code));
            entry.title = new.or(old).map(|entry| entry.short_name().clone());
            let revisions = [old.map(Entry::revision), new.map(Entry::revision)];
            entry.revision_kept = entry.change == Change::Changed
                && !entry.fields.is_empty()
                && revisions[1].unwrap_or(0) <= revisions[0].unwrap_or(0);
            self.counts.revisions += usize::from(revisions[0] != revisions[1]);
            entry.revisions = Some(revisions);
        }
    }
}
