//! Rules of what may be published, beyond what must fit together for a version to be read at all.
//!
//! They apply to files, not to documents: a version that was published under older rules stays readable for ever.
mod duties;
mod graph;
mod names;
mod questions;
mod sample_cases;
mod words;

pub use graph::answers;
pub use words::{TILE_NAME_HALVES, TILE_NAME_LETTERS};

use super::parse::Report;
use super::{Catalogue, CatalogueError, Entry, Offer, Rule, check_item, check_steps};
use crate::bundle::Bundle;
use crate::ids::ItemCode;
use crate::item::Item;

pub(super) fn check(catalogue: &Catalogue, report: &mut Report) {
    for entry in catalogue.entries() {
        check_entry(entry, catalogue, report);
    }
    questions::check_common(catalogue, report);
    check_names(catalogue, report);
    stations(catalogue, report);
    policies(catalogue, report);
    report.at("catalogue.json", "-");
    home(&catalogue.home_items, catalogue, report);
    words::check_rest(catalogue, report);
}

/// The rules of one item or bundle.
pub(super) fn check_entry(entry: Entry<'_>, catalogue: &Catalogue, report: &mut Report) {
    at(entry, report);
    if let Entry::Item(item) = entry {
        periods(item, report);
    }
    if let Entry::Bundle(bundle) = entry {
        graph::check(bundle, catalogue, report);
        duties::check(bundle, report);
        sample_cases::check(bundle, catalogue, report);
    }
    questions::check(entry, catalogue, report);
    withdrawal(entry, catalogue, report);
    words::check_entry(entry, report);
}

/// Names and what people say lead to one place.
pub(super) fn check_names(catalogue: &Catalogue, report: &mut Report) {
    names::check(catalogue, report);
}

/// What is wrong with the steps of a bundle: circles, steps that nothing leads to under some answers, steps that nobody
/// of the bundle does. The bundle need not be part of the catalogue, so that one can be looked at before it is
/// published.
pub fn step_faults(catalogue: &Catalogue, bundle: &Bundle) -> Vec<CatalogueError> {
    let mut report = Report::default();
    at(Entry::Bundle(bundle), &mut report);
    check_item::steps(bundle, &mut report);
    check_steps::check(bundle, &mut report);
    if report.errors.is_empty() {
        graph::check(bundle, catalogue, &mut report);
        duties::check(bundle, &mut report);
    }
    report.errors
}

fn at(entry: Entry<'_>, report: &mut Report) {
    report.at(&entry.file(), entry.code().as_str());
}

/// The promise is within the law.
fn periods(item: &Item, report: &mut Report) {
    let good = !item.promised.is_longer_than(item.legal);
    report.expect(good, "promised", "the promised time is longer than the legal one");
}

fn withdrawal(entry: Entry<'_>, catalogue: &Catalogue, report: &mut Report) {
    let Some(instead) = entry.withdrawn().and_then(|withdrawn| withdrawn.instead.as_ref()) else { return };
    match catalogue.entry(instead) {
        None => report.wrong("withdrawn.instead", format!("there is no item or bundle `{instead}`")),
        Some(other) => report.expect(
            other.withdrawn().is_none(),
            "withdrawn.instead",
            "what is offered instead is withdrawn itself",
        ),
    }
}

fn stations(catalogue: &Catalogue, report: &mut Report) {
    for (id, station) in &catalogue.stations {
        report.at("stations.json", id.as_str());
        for code in station.offers.keys().filter(|code| catalogue.entry(code).is_none()) {
            report.wrong(&format!("offers.{code}"), format!("there is no item or bundle `{code}`"));
        }
        home(&station.home_items, catalogue, report);
        for (at, code) in station.home_items.iter().enumerate() {
            if station.offers.get(code) == Some(&Offer::None) {
                report.wrong(&format!("home_items[{at}]"), format!("the station does not offer `{code}`"));
            }
        }
    }
}

fn policies(catalogue: &Catalogue, report: &mut Report) {
    report.at("policies.json", "-");
    for code in catalogue.policies.stale.items.keys().filter(|code| catalogue.entry(code).is_none()) {
        report.wrong(&format!("stale.items.{code}"), format!("there is no item or bundle `{code}`"));
    }
}

/// Items of a home page that nobody may start any more.
fn home(home: &[ItemCode], catalogue: &Catalogue, report: &mut Report) {
    for (at, code) in home.iter().enumerate() {
        if catalogue.entry(code).is_some_and(|entry| entry.withdrawn().is_some()) {
            report.warn(Rule::StillOffered, &format!("home_items[{at}]"), format!("`{code}` is withdrawn"));
        }
    }
}
