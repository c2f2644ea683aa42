//! A catalogue as one JSON text, and its assembly from parts: what is read from files and what is read from a
//! document must fit together alike.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::canonical::{sorted, to_value};
use super::parse::{MAX_TOTAL_BYTES, RawList, Report};
use super::{
    Calendar, Catalogue, CatalogueDocument, CatalogueError, LifeEvent, Phrases, Policies, Region, Station,
    StationMessage, check, check_item,
};
use crate::bundle::Bundle;
use crate::envelope::Digest;
use crate::ids::ItemCode;
use crate::item::Item;
use crate::situation::CommonSituations;
use crate::text::Text;

/// Name of the document in errors.
const NAME: &str = "catalogue document";

/// The document as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u64,
    data_label: String,
    notice: Text,
    home_items: Vec<ItemCode>,
    items: RawList,
    bundles: RawList,
    stations: RawList,
    calendar: Calendar,
    life_events: Vec<LifeEvent>,
    phrases: Phrases,
    regions: BTreeMap<String, Region>,
    situations: Option<CommonSituations>,
    #[serde(default)]
    policies: Policies,
    #[serde(default)]
    messages: RawList,
}

/// The document as it is written.
#[derive(Serialize)]
struct Written<'a> {
    version: u64,
    data_label: &'a str,
    notice: &'a Text,
    home_items: &'a [ItemCode],
    items: Vec<&'a Item>,
    bundles: Vec<&'a Bundle>,
    stations: Vec<&'a Station>,
    calendar: &'a Calendar,
    life_events: &'a [LifeEvent],
    phrases: &'a Phrases,
    regions: &'a BTreeMap<String, Region>,
    situations: &'a CommonSituations,
    policies: &'a Policies,
    messages: &'a [StationMessage],
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
    pub calendar: Calendar,
    pub life_events: Vec<LifeEvent>,
    pub phrases: Phrases,
    pub regions: BTreeMap<String, Region>,
    pub situations: CommonSituations,
    pub policies: Policies,
    pub messages: Vec<StationMessage>,
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
            policies: self.policies,
            messages: self.messages,
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
    let document = Written {
        version: catalogue.version,
        data_label: &catalogue.data_label,
        notice: &catalogue.notice,
        home_items: &catalogue.home_items,
        items: catalogue.items.values().collect(),
        bundles: catalogue.bundles.values().collect(),
        stations: catalogue.stations.values().collect(),
        calendar: &catalogue.calendar,
        life_events: &catalogue.life_events,
        phrases: &catalogue.phrases,
        regions: &catalogue.regions,
        situations: &catalogue.situations,
        policies: &catalogue.policies,
        messages: &catalogue.messages,
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
        situations: document.situations.unwrap_or_default(),
        policies: document.policies,
        messages: report.entries(NAME, "id", &document.messages),
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
