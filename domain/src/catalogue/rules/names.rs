//! Names and what people say lead to one place, in characters and as they sound. Equal initials are legal.
use std::collections::{BTreeMap, BTreeSet};

use super::at;
use crate::catalogue::check::folded;
use crate::catalogue::parse::Report;
use crate::catalogue::{Catalogue, Entry, Rule};
use crate::ids::ItemCode;

pub(super) fn check(catalogue: &Catalogue, report: &mut Report) {
    full_names(catalogue, report);
    sounds(catalogue, report);
}

/// A synonym is not the official name of another item, and stands once.
fn full_names(catalogue: &Catalogue, report: &mut Report) {
    let mut owners: BTreeMap<String, &ItemCode> = BTreeMap::new();
    for entry in catalogue.entries() {
        at(entry, report);
        if let Some(owner) = owners.insert(folded(&entry.name().zh), entry.code()) {
            report.wrong("name", format!("`{}` is the name of `{owner}` already", entry.name().zh));
        }
    }
    for entry in catalogue.entries() {
        at(entry, report);
        let mut own = BTreeSet::new();
        for (index, word) in entry.synonyms().iter().enumerate() {
            let field = format!("synonyms[{index}]");
            let name = folded(word);
            match owners.get(&name) {
                Some(owner) if *owner != entry.code() => {
                    report.wrong(&field, format!("`{word}` is the official name of `{owner}`"));
                }
                _ => {}
            }
            report.expect(own.insert(name), &field, "stands twice");
        }
    }
}

/// Two names of different items that are spelled alike in letters lead whoever types letters to both.
fn sounds(catalogue: &Catalogue, report: &mut Report) {
    let mut owners: BTreeMap<String, (&ItemCode, &str)> = BTreeMap::new();
    for entry in catalogue.entries() {
        let (short, reading) = (entry.short_name().zh.as_str(), entry.short_pinyin());
        sounds_like(entry, (short, reading), "short_name", &mut owners, report);
        for (index, (word, reading)) in entry.synonyms().iter().zip(entry.synonym_pinyin()).enumerate() {
            sounds_like(entry, (word, reading), &format!("synonyms[{index}]"), &mut owners, report);
        }
    }
}

fn sounds_like<'a>(
    entry: Entry<'a>,
    (word, reading): (&'a str, &str),
    field: &str,
    owners: &mut BTreeMap<String, (&'a ItemCode, &'a str)>,
    report: &mut Report,
) {
    let letters = reading.replace(' ', "");
    if letters.is_empty() {
        return;
    }
    match owners.get(&letters) {
        Some((owner, other)) if *owner != entry.code() && folded(other) != folded(word) => {
            at(entry, report);
            report.warn(Rule::SoundsAlike, field, format!("`{word}` sounds like `{other}` of `{owner}`"));
        }
        Some(_) => {}
        None => drop(owners.insert(letters, (entry.code(), word))),
    }
}
