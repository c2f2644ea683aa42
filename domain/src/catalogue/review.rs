//! The check of a catalogue as people read it: every mistake, every warning that nobody has explained, and the
//! warnings that `allow.json` explains.
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::parse::{MAX_FILE_BYTES, Report};
use super::{Catalogue, CatalogueError, load};

/// The file with the warnings that are meant; it is no part of a version.
pub(super) const ALLOWANCES: &str = "allow.json";
/// The most entries of that file.
const MAX_ALLOWANCES: usize = 500;

/// Kind of a warning; its name stands in `allow.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The English is empty.
    MissingTranslation,
    /// A name does not fit a tile.
    TooLongForButton,
    /// A name sounds like the name of another item.
    SoundsAlike,
    /// A member of a bundle that none of its steps is for.
    MemberWithoutStep,
    /// A bundle that does not say what each of its steps needs.
    StepsSeeAll,
    /// An option or question that changes nothing.
    ChangesNothing,
    /// A withdrawn item on the home page or in a bundle.
    StillOffered,
    /// The stored reading is not the one that is generated.
    OtherReading,
    /// An entry of `allow.json` for which there is no warning any more.
    NothingToAllow,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Something that is allowed and yet looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Its kind.
    pub rule: Rule,
    /// File name as given to the loader.
    pub file: String,
    /// Code of the item, bundle, station …, or `-`.
    pub item: String,
    /// Field path, or `-`.
    pub field: String,
    /// What looks wrong.
    pub reason: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}: {} ({})", self.file, self.item, self.field, self.reason, self.rule)
    }
}

/// A warning that is meant, with the reason that `allow.json` gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// The warning.
    pub warning: Warning,
    /// Why it may stay.
    pub because: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Review {
    /// The catalogue, if it could be put together at all; it may be used only if there are no errors.
    #[serde(skip)]
    pub catalogue: Option<Catalogue>,
    /// What must be mended before it can be published.
    pub errors: Vec<CatalogueError>,
    /// What looks wrong and is not explained.
    pub warnings: Vec<Warning>,
    /// What looks wrong and is meant.
    pub allowed: Vec<Allowed>,
    /// Further errors and warnings that were counted only.
    pub uncollected: usize,
}

impl Review {
    /// Whether it may be published without a second look.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty() && self.warnings.is_empty()
    }

    /// The counts in one line.
    pub fn summary(&self) -> String {
        let counts = |catalogue: &Catalogue| {
            let Catalogue { version, items, bundles, stations, .. } = catalogue;
            let (items, bundles, stations) = (items.len(), bundles.len(), stations.len());
            format!("version {version}: {items} items, {bundles} bundles, {stations} stations; ")
        };
        let head = self.catalogue.as_ref().map_or_else(String::new, counts);
        let (errors, warnings, allowed) = (self.errors.len(), self.warnings.len(), self.allowed.len());
        let more = match self.uncollected {
            0 => String::new(),
            more => format!(", {more} more not shown"),
        };
        format!("{head}{errors} errors, {warnings} warnings, {allowed} allowed{more}")
    }
}

/// An entry of `allow.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowance {
    rule: Rule,
    item: String,
    /// Any field of the item if absent.
    #[serde(default)]
    field: Option<String>,
    reason: String,
}

impl Allowance {
    fn covers(&self, warning: &Warning) -> bool {
        self.rule == warning.rule
            && self.item == warning.item
            && self.field.as_ref().is_none_or(|field| *field == warning.field)
    }
}

pub(super) fn review(files: &BTreeMap<String, Vec<u8>>, further: Vec<Warning>) -> Review {
    let mut report = Report::default();
    let catalogue = load::read(files, &mut report);
    let allowances = allowances(files, &mut report);
    let mut found = std::mem::take(&mut report.warnings);
    found.extend(further);
    let mut allowed = Vec::new();
    let mut used = vec![false; allowances.len()];
    for warning in found {
        match allowances.iter().position(|allowance| allowance.covers(&warning)) {
            Some(at) => {
                used[at] = true;
                allowed.push(Allowed { warning, because: allowances[at].reason.clone() });
            }
            None => report.warnings.push(warning),
        }
    }
    for (allowance, _) in allowances.iter().zip(&used).filter(|(_, used)| !**used) {
        report.at(ALLOWANCES, &allowance.item);
        let field = allowance.field.as_deref().unwrap_or("-");
        report.warn(Rule::NothingToAllow, field, format!("there is no warning `{}`", allowance.rule));
    }
    let Report { errors, warnings, uncollected, .. } = report;
    Review { catalogue, errors, warnings, allowed, uncollected }
}

fn allowances(files: &BTreeMap<String, Vec<u8>>, report: &mut Report) -> Vec<Allowance> {
    let Some(bytes) = files.get(ALLOWANCES) else { return Vec::new() };
    report.at(ALLOWANCES, "-");
    let allowances: Vec<Allowance> = report.parse(bytes, MAX_FILE_BYTES).unwrap_or_default();
    report.expect(allowances.len() <= MAX_ALLOWANCES, "-", "at most 500 entries");
    for allowance in &allowances {
        report.at(ALLOWANCES, &allowance.item);
        report.expect(allowance.reason.trim().chars().count() >= 5, "reason", "must say why");
    }
    allowances
}
