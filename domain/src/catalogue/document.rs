//! A catalogue as one JSON text, and its assembly from parts: both ways in end in the same checks.
//!
//! Canonical: keys sorted at every depth, no spaces, so that equal catalogues have equal digests.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::parse::{MAX_TOTAL_BYTES, Report};
use super::{
    Catalogue, CatalogueDocument, CatalogueError, DayKind, LifeEvent, Phrases, Region, Station, check,
    check_item,
};
use crate::bundle::Bundle;
use crate::date::CivilDate;
use crate::envelope::Digest;
use crate::ids::ItemCode;
use crate::item::Item;
use crate::text::Text;

/// Name of the document in errors.
const NAME: &str = "catalogue document";

/// The document; lists of entries stay raw at first, so that one bad entry does not hide the others.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u64,
    data_label: String,
    notice: Text,
    home_items: Vec<ItemCode>,
    items: Vec<Value>,
    bundles: Vec<Value>,
    stations: Vec<Value>,
    calendar: BTreeMap<CivilDate, DayKind>,
    life_events: Vec<LifeEvent>,
    phrases: Phrases,
    regions: BTreeMap<String, Region>,
    situations: Value,
}

/// `catalogue.json`: what is said of the catalogue as a whole.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    version: u64,
    data_label: String,
    notice: Text,
    home_items: Vec<ItemCode>,
}

/// Parts of a catalogue as they were read, not checked against each other yet.
#[derive(Default)]
pub(super) struct Parts {
    pub items: Vec<Item>,
    pub bundles: Vec<Bundle>,
    pub stations: Vec<Station>,
    pub calendar: BTreeMap<CivilDate, DayKind>,
    pub life_events: Vec<LifeEvent>,
    pub phrases: Phrases,
    pub regions: BTreeMap<String, Region>,
    pub situations: Value,
}

impl Parts {
    /// Puts the parts together and checks them; mistakes go to the report.
    pub(super) fn assemble(self, head: Head, report: &mut Report) -> Option<Catalogue> {
        let mut catalogue = Catalogue {
            version: head.version,
            data_label: head.data_label,
            notice: head.notice,
            items: BTreeMap::new(),
            bundles: BTreeMap::new(),
            stations: BTreeMap::new(),
            calendar: self.calendar,
            life_events: self.life_events,
            phrases: self.phrases,
            regions: self.regions,
            home_items: head.home_items,
            situations: self.situations,
        };
        for item in self.items {
            report.at(&check_item::file_of("items", &item.code), item.code.as_str());
            if let Some(old) = catalogue.items.insert(item.code.clone(), item) {
                report.wrong("code", format!("`{}` stands twice", old.code));
            }
        }
        for bundle in self.bundles {
            report.at(&check_item::file_of("bundles", &bundle.code), bundle.code.as_str());
            if let Some(old) = catalogue.bundles.insert(bundle.code.clone(), bundle) {
                report.wrong("code", format!("`{}` stands twice", old.code));
            }
        }
        for station in self.stations {
            report.at("stations.json", station.id.as_str());
            if let Some(old) = catalogue.stations.insert(station.id.clone(), station) {
                report.wrong("id", format!("`{}` stands twice", old.id));
            }
        }
        check::check(&catalogue, report);
        Some(catalogue)
    }
}

pub(super) fn write(catalogue: &Catalogue) -> CatalogueDocument {
    let document = Document {
        version: catalogue.version,
        data_label: catalogue.data_label.clone(),
        notice: catalogue.notice.clone(),
        home_items: catalogue.home_items.clone(),
        items: catalogue.items.values().map(to_value).collect(),
        bundles: catalogue.bundles.values().map(to_value).collect(),
        stations: catalogue.stations.values().map(to_value).collect(),
        calendar: catalogue.calendar.clone(),
        life_events: catalogue.life_events.clone(),
        phrases: catalogue.phrases.clone(),
        regions: catalogue.regions.clone(),
        situations: catalogue.situations.clone(),
    };
    let json = sorted(to_value(&document)).to_string();
    CatalogueDocument { version: catalogue.version, digest: Digest::of(json.as_bytes()), json }
}

pub(super) fn read(json: &str) -> Result<Catalogue, Vec<CatalogueError>> {
    let mut report = Report::of_document(NAME);
    report.at(NAME, "-");
    let Some(document) = report.parse::<Document>(json.as_bytes(), MAX_TOTAL_BYTES) else {
        return report.finish(None);
    };
    let parts = Parts {
        items: report.entries(NAME, "code", &document.items),
        bundles: report.entries(NAME, "code", &document.bundles),
        stations: report.entries(NAME, "id", &document.stations),
        calendar: document.calendar,
        life_events: document.life_events,
        phrases: document.phrases,
        regions: document.regions,
        situations: document.situations,
    };
    let head = Head {
        version: document.version,
        data_label: document.data_label,
        notice: document.notice,
        home_items: document.home_items,
    };
    let catalogue = parts.assemble(head, &mut report);
    report.finish(catalogue)
}

fn to_value<T: Serialize>(part: &T) -> Value {
    // Cannot fail: every map key is a string or a date written as one, and no type refuses to be serialised.
    serde_json::to_value(part).unwrap_or_default()
}

/// Keys in order at every depth.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<String, Value> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            Value::Object(map.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        other => other,
    }
}
