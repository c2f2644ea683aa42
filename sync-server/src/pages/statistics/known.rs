//! What the newest catalogue says of an item or bundle: its name, its promise, what it saves.
use std::collections::BTreeSet;

use domain::bundle::{Bundle, DoneBy};
use domain::catalogue::{Catalogue, Entry};
use domain::ids::ItemCode;
use domain::item::Period;

use super::W;
use super::address::NO_ITEM;
use crate::pages::cases::item_name;

/// What a bundle says of before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saves {
    /// Visits before and after.
    pub visits: (u64, u64),
    materials: (u64, u64),
}

impl Saves {
    /// What the catalogue says of a bundle; nothing of an item.
    pub fn of(catalogue: Option<&Catalogue>, code: &str) -> Option<Self> {
        let bundle = bundle(catalogue, code)?;
        let number = |name: &str| bundle.figures.get(name).and_then(serde_json::Value::as_u64);
        Some(Self {
            visits: (number("visits_before")?, number("visits_after")?),
            materials: (number("materials_before")?, number("materials_after")?),
        })
    }

    /// Visits and materials that so many cases saved.
    pub fn times(self, cases: u64) -> (u64, u64) {
        let saved = |(before, after): (u64, u64)| before.saturating_sub(after) * cases;
        (saved(self.visits), saved(self.materials))
    }
}

/// A bundle by its code.
pub fn bundle<'a>(catalogue: Option<&'a Catalogue>, code: &str) -> Option<&'a Bundle> {
    let code: ItemCode = code.parse().ok()?;
    catalogue?.bundles.get(&code)
}

/// The name of an item or bundle; of no code that none was named.
pub fn title(catalogue: Option<&Catalogue>, code: &str) -> String {
    if code.is_empty() {
        return W.t("statistics.no_item").to_owned();
    }
    item_name(catalogue, code.parse().ok().as_ref())
}

/// Codes and names, bundles first, at last what names none.
pub fn item_names(catalogue: Option<&Catalogue>) -> Vec<(String, String)> {
    let Some(catalogue) = catalogue else { return Vec::new() };
    let bundles = catalogue.bundles.keys();
    let codes = bundles.chain(catalogue.items.keys());
    let names = codes.map(|code| (code.to_string(), item_name(Some(catalogue), Some(code))));
    names.chain([(NO_ITEM.to_owned(), title(Some(catalogue), ""))]).collect()
}

/// What is promised for an item or bundle.
pub fn promised(catalogue: Option<&Catalogue>, code: &str) -> Option<Period> {
    let code: ItemCode = code.parse().ok()?;
    Some(match catalogue?.entry(&code)? {
        Entry::Item(item) => item.promised,
        Entry::Bundle(bundle) => bundle.promised,
    })
}

/// Units that have a step of a bundle, or an item.
pub fn units(catalogue: Option<&Catalogue>) -> Vec<(String, String)> {
    let Some(catalogue) = catalogue else { return Vec::new() };
    let items = catalogue.items.values().map(|item| &item.department);
    let steps = catalogue.bundles.values().flat_map(|bundle| &bundle.steps);
    let steps =
        steps.filter(|step| step.by.unwrap_or_else(|| step.kind.usually_done_by()) == DoneBy::Department);
    let units: BTreeSet<_> =
        items.chain(steps.map(|step| &step.department)).map(ToString::to_string).collect();
    units.into_iter().map(|unit| (unit.clone(), unit)).collect()
}
