//! Checks of a whole catalogue: references between its parts, unique names and numbers, lists, calendar, regions.
use std::collections::{BTreeMap, BTreeSet};

use super::check_item::{check_bundle, check_item, file_of, text};
use super::parse::Report;
use super::station::spans;
use super::{Catalogue, Station, calendar, policies};
use crate::ids::ItemCode;

/// The most entries of any list of a catalogue.
const MAX_ENTRIES: usize = 5_000;
/// The most items of a home page.
const MAX_HOME_ITEMS: usize = 16;
/// The most notices of stations.
const MAX_MESSAGES: usize = 500;

pub(super) fn check(catalogue: &Catalogue, report: &mut Report) {
    check_head(catalogue, report);
    for (code, item) in &catalogue.items {
        report.at(&file_of("items", code), code.as_str());
        check_item(item, catalogue, report);
    }
    for (code, bundle) in &catalogue.bundles {
        report.at(&file_of("bundles", code), code.as_str());
        report.expect(!catalogue.items.contains_key(code), "code", "an item has the same code");
        check_bundle(bundle, catalogue, report);
    }
    check_names(catalogue, report);
    check_stations(catalogue, report);
    calendar::check(&catalogue.calendar, report);
    check_messages(catalogue, report);
    report.at("policies.json", "-");
    policies::check(&catalogue.policies, report);
    check_life_events(catalogue, report);
    check_phrases(catalogue, report);
    check_regions(catalogue, report);
}

fn check_head(catalogue: &Catalogue, report: &mut Report) {
    report.at("catalogue.json", "-");
    report.expect(catalogue.version >= 1, "version", "must be 1 or more");
    let labels = ["sample", "official"];
    report.expect(
        labels.contains(&catalogue.data_label.as_str()),
        "data_label",
        "must be `sample` or `official`",
    );
    text(&catalogue.notice, "notice", 120, report);
    report.expect(!catalogue.home_items.is_empty(), "home_items", "must not be empty");
    check_home(&catalogue.home_items, catalogue, report);
    for (name, count) in [("items", catalogue.items.len()), ("bundles", catalogue.bundles.len())] {
        report.expect((1..=MAX_ENTRIES).contains(&count), name, "must not be empty, and at most 5000");
    }
}

/// Items of a home page, the catalogue's or a station's.
fn check_home(home: &[ItemCode], catalogue: &Catalogue, report: &mut Report) {
    report.expect(home.len() <= MAX_HOME_ITEMS, "home_items", "at most 16 items");
    let mut seen = BTreeSet::new();
    for (at, code) in home.iter().enumerate().take(MAX_HOME_ITEMS) {
        known(catalogue, code, &format!("home_items[{at}]"), report);
        report.expect(seen.insert(code), &format!("home_items[{at}]"), "stands twice");
    }
}

fn known(catalogue: &Catalogue, code: &ItemCode, field: &str, report: &mut Report) {
    if catalogue.entry(code).is_none() {
        report.wrong(field, format!("there is no item or bundle `{code}`"));
    }
}

/// Short names, and what people say, lead to one place. Short names go first, so that the synonym gets the blame.
pub(super) fn check_names(catalogue: &Catalogue, report: &mut Report) {
    let items = catalogue.items.values().map(|i| (&i.code, "items", &i.short_name.zh, &i.synonyms));
    let bundles = catalogue.bundles.values().map(|b| (&b.code, "bundles", &b.short_name.zh, &b.synonyms));
    let entries: Vec<_> = items.chain(bundles).collect();
    let mut owners: BTreeMap<String, &ItemCode> = BTreeMap::new();
    for (code, folder, short_name, _) in &entries {
        report.at(&file_of(folder, code), code.as_str());
        if let Some(owner) = owners.insert(folded(short_name), code) {
            report.wrong("short_name", format!("`{short_name}` is the name of `{owner}` already"));
        }
    }
    let phrases = &catalogue.phrases;
    for (code, folder, _, synonyms) in &entries {
        report.at(&file_of(folder, code), code.as_str());
        for (at, word) in synonyms.iter().enumerate() {
            let name = folded(word);
            let field = format!("synonyms[{at}]");
            if phrases.shared.contains_key(&name) || phrases.not_here.contains_key(&name) {
                report.wrong(&field, format!("`{word}` stands in phrases.json as well"));
            }
            match owners.insert(name, code) {
                Some(owner) if owner != *code => {
                    report.wrong(&field, format!("`{word}` leads to `{owner}` already"))
                }
                _ => {}
            }
        }
    }
}

/// A name without spaces, in small letters.
pub(super) fn folded(name: &str) -> String {
    name.split_whitespace().collect::<String>().to_lowercase()
}

fn check_stations(catalogue: &Catalogue, report: &mut Report) {
    report.at("stations.json", "-");
    let count = catalogue.stations.len();
    report.expect((1..=MAX_ENTRIES).contains(&count), "-", "must not be empty, and at most 5000");
    let mut numbers = BTreeSet::new();
    for (id, station) in &catalogue.stations {
        report.at("stations.json", id.as_str());
        report.expect(numbers.insert(station.number), "number", "another station has the same number");
        report.expect(id.as_str() != "WINDOW", "id", "is the id under which windows send");
        check_station(station, catalogue, report);
    }
}

fn check_station(station: &Station, catalogue: &Catalogue, report: &mut Report) {
    report.expect((1..=899).contains(&station.number), "number", "1 to 899");
    report.expect(!station.bank.trim().is_empty(), "bank", "must not be empty");
    text(&station.name, "name", 60, report);
    text(&station.district, "district", 30, report);
    text(&station.address, "address", 100, report);
    let current = catalogue.regions.get(&station.division_code).is_some_and(|region| region.current);
    report.expect(current, "division_code", "is no current region of regions.json");
    report.expect((-180_000_000..=180_000_000).contains(&station.lon_e6), "lon_e6", "is no longitude");
    report.expect((-90_000_000..=90_000_000).contains(&station.lat_e6), "lat_e6", "is no latitude");
    report.expect(
        spans(&station.weekday_hours).is_some(),
        "weekday_hours",
        "such as 09:00-12:00,14:00-17:00",
    );
    for (field, hours) in
        [("saturday_hours", &station.saturday_hours), ("sunday_hours", &station.sunday_hours)]
    {
        report.expect(hours.is_empty() || spans(hours).is_some(), field, "such as 09:00-12:00, or empty");
    }
    let networks = ["fiber", "4g", "4g-weak"];
    report.expect(
        networks.contains(&station.network_profile.as_str()),
        "network_profile",
        "fiber, 4g or 4g-weak",
    );
    let labels = ["sample", "official"];
    report.expect(
        labels.contains(&station.data_label.as_str()),
        "data_label",
        "must be `sample` or `official`",
    );
    check_home(&station.home_items, catalogue, report);
}

fn check_messages(catalogue: &Catalogue, report: &mut Report) {
    report.at("messages.json", "-");
    report.expect(catalogue.messages.len() <= MAX_MESSAGES, "-", "at most 500");
    let mut seen = BTreeSet::new();
    for message in &catalogue.messages {
        report.at("messages.json", &message.id);
        let good = (1..=40).contains(&message.id.chars().count()) && seen.insert(&message.id);
        report.expect(good, "id", "must be unique, 1 to 40 characters");
        text(&message.text, "text", 80, report);
        report.expect(message.from <= message.until, "until", "is before `from`");
        for (at, id) in message.stations.iter().enumerate() {
            if !catalogue.stations.contains_key(id) {
                report.wrong(&format!("stations[{at}]"), format!("there is no station `{id}`"));
            }
        }
    }
}

fn check_life_events(catalogue: &Catalogue, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for event in &catalogue.life_events {
        report.at("life_events.json", &event.id);
        report.expect(!event.id.is_empty() && seen.insert(&event.id), "id", "must be unique and not empty");
        report.expect(!event.icon.trim().is_empty(), "icon", "must not be empty");
        text(&event.name, "name", 20, report);
    }
}

fn check_phrases(catalogue: &Catalogue, report: &mut Report) {
    let phrase = |key: &str| (1..=20).contains(&key.chars().count());
    for (key, shared) in &catalogue.phrases.shared {
        report.at("phrases.json", key);
        report.expect(phrase(key), "-", "a phrase has 1 to 20 characters");
        text(&shared.ask, "shared.ask", 40, report);
        report.expect((1..=8).contains(&shared.codes.len()), "shared.codes", "1 to 8 codes");
        for (at, code) in shared.codes.iter().enumerate() {
            known(catalogue, code, &format!("shared.codes[{at}]"), report);
        }
        let twice = catalogue.phrases.not_here.contains_key(key);
        report.expect(!twice, "-", "the phrase is both shared and not here");
    }
    for (key, not_here) in &catalogue.phrases.not_here {
        report.at("phrases.json", key);
        report.expect(phrase(key), "-", "a phrase has 1 to 20 characters");
        text(&not_here.say, "not_here.say", 120, report);
        for (at, code) in not_here.codes.iter().enumerate() {
            known(catalogue, code, &format!("not_here.codes[{at}]"), report);
        }
    }
}

fn check_regions(catalogue: &Catalogue, report: &mut Report) {
    report.at("regions.json", "-");
    report.expect(
        !catalogue.regions.is_empty() && catalogue.regions.len() <= 10_000,
        "-",
        "1 to 10000 regions",
    );
    for (code, region) in &catalogue.regions {
        report.at("regions.json", code);
        let good = code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit());
        report.expect(good, "-", "a code has six digits");
        report.expect(!region.name.trim().is_empty(), "name", "must not be empty");
        match &region.parent {
            // Two digits name the province and two more the city, so no chain of parents can be a circle.
            Some(parent) if level(parent) >= level(code) => report.wrong("parent", "must be a level above"),
            Some(parent) if !catalogue.regions.contains_key(parent) => {
                report.wrong("parent", format!("there is no region `{parent}`"));
            }
            None if level(code) > 1 => report.wrong("parent", "only a province has none"),
            _ => {}
        }
    }
}

/// 1 province, 2 city, 3 county.
fn level(code: &str) -> u8 {
    match code {
        code if code.ends_with("0000") => 1,
        code if code.ends_with("00") => 2,
        _ => 3,
    }
}
