//! Checks of one item or bundle by itself and against the rest of its catalogue.
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::parse::Report;
use super::{Catalogue, LifeEvent, check_steps};
use crate::bundle::{Bundle, Step};
use crate::form::{Form, FormSpec};
use crate::ids::ItemCode;
use crate::item::{Guide, Item, Material, Period, Withdrawal};
use crate::text::Text;

/// The most steps, members, materials or synonyms of one entry.
const MAX_PARTS: usize = 60;
/// The longest promised or legal time, in tenths of its unit.
const MAX_TENTHS: u32 = 100_000;

/// File in which an item or bundle stands.
pub(super) fn file_of(folder: &str, code: &ItemCode) -> String {
    format!("{folder}/{code}.json")
}

pub(super) fn check_item(item: &Item, catalogue: &Catalogue, report: &mut Report) {
    text(&item.name, "name", 60, report);
    text(&item.short_name, "short_name", 20, report);
    pinyin(&item.pinyin, "pinyin", report);
    pinyin(&item.short_pinyin, "short_pinyin", report);
    initials(&item.pinyin_initials, &item.pinyin, report);
    synonyms(&item.synonyms, &item.synonym_pinyin, report);
    neutral(item.sensitive, item.neutral_title.as_ref(), report);
    report.expect(!item.audience.is_empty(), "audience", "at least one");
    report.expect(!item.accepted_cards.is_empty(), "accepted_cards", "at least one");
    materials(&item.materials, report);
    period(item.promised, "promised", report);
    period(item.legal, "legal", report);
    report.expect(!item.theme.trim().is_empty(), "theme", "must not be empty");
    report.expect(item.revision >= 1, "revision", "must be 1 or more");
    for (at, basis) in item.legal_basis.iter().enumerate() {
        let good = (1..=100).contains(&basis.name.trim().chars().count());
        report.expect(good, &format!("legal_basis[{at}].name"), "1 to 100 characters");
    }
    withdrawn(item.withdrawn.as_ref(), report);
    guide(&item.guide, &catalogue.life_events, report);
    form(&item.form, report);
}

pub(super) fn check_bundle(bundle: &Bundle, catalogue: &Catalogue, report: &mut Report) {
    text(&bundle.name, "name", 60, report);
    text(&bundle.short_name, "short_name", 20, report);
    pinyin(&bundle.pinyin, "pinyin", report);
    pinyin(&bundle.short_pinyin, "short_pinyin", report);
    initials(&bundle.pinyin_initials, &bundle.pinyin, report);
    synonyms(&bundle.synonyms, &bundle.synonym_pinyin, report);
    neutral(bundle.sensitive, bundle.neutral_title.as_ref(), report);
    report.expect(
        bundle.departments.contains(&bundle.lead_department),
        "lead_department",
        "must be one of departments",
    );
    report.expect(!bundle.members.is_empty(), "members", "at least one");
    for (at, member) in bundle.members.iter().enumerate() {
        if !catalogue.items.contains_key(member) {
            report.wrong(&format!("members[{at}]"), format!("there is no item `{member}`"));
        }
    }
    steps(bundle, report);
    check_steps::check(bundle, report);
    materials(&bundle.materials, report);
    period(bundle.promised, "promised", report);
    report.expect(bundle.revision >= 1, "revision", "must be 1 or more");
    withdrawn(bundle.withdrawn.as_ref(), report);
    guide(&bundle.guide, &catalogue.life_events, report);
    form(&bundle.form, report);
}

/// Each step stands after what it depends on, so the graph has no cycle; one that has is told with its steps.
pub(super) fn steps(bundle: &Bundle, report: &mut Report) {
    report.expect((1..=MAX_PARTS).contains(&bundle.steps.len()), "steps", "1 to 60 steps");
    let all: BTreeSet<&str> = bundle.steps.iter().map(|step| step.id.as_str()).collect();
    let mut before: BTreeSet<&str> = BTreeSet::new();
    for (at, step) in bundle.steps.iter().enumerate() {
        let field = format!("steps[{at}]");
        text(&step.name, &format!("{field}.name"), 40, report);
        for other in &step.depends {
            let depends = format!("{field}.depends");
            if !all.contains(other.as_str()) {
                report.wrong(&depends, format!("there is no step `{other}`"));
            } else if !before.contains(other.as_str()) {
                let reason = match cycle(&bundle.steps, &step.id, other) {
                    Some(path) => format!("a cycle: {}", path.join(" -> ")),
                    None => format!("`{other}` must stand before it"),
                };
                report.wrong(&depends, reason);
            }
        }
        if at > 0 && step.depends.is_empty() {
            let reason = "unreachable: only the first step depends on nothing";
            report.wrong(&format!("{field}.depends"), reason);
        }
        if step.id.is_empty() || !before.insert(&step.id) {
            report.wrong(&format!("{field}.id"), "must be unique and not empty");
        }
    }
}

/// The shortest way by dependencies from a step over another one back to itself.
fn cycle<'a>(steps: &'a [Step], start: &'a str, over: &'a str) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::from([(over, start)]);
    let mut waiting = VecDeque::from([over]);
    while let Some(at) = waiting.pop_front() {
        if at == start {
            let mut path = vec![start];
            let mut back = *came_from.get(start).unwrap_or(&start);
            while back != start && path.len() <= steps.len() {
                path.push(back);
                back = came_from.get(back).copied().unwrap_or(start);
            }
            path.push(start);
            path.reverse();
            return Some(path);
        }
        let depends = steps.iter().filter(|step| step.id == at).flat_map(|step| &step.depends);
        for next in depends.map(String::as_str) {
            if !came_from.contains_key(next) {
                came_from.insert(next, at);
                waiting.push_back(next);
            }
        }
    }
    None
}

/// Not empty, not too long, no control characters.
pub(super) fn text(text: &Text, field: &str, max_chars: usize, report: &mut Report) {
    let bad = |t: &str| t.chars().any(char::is_control);
    if text.zh.trim().is_empty() {
        report.wrong(&format!("{field}.zh"), "must not be empty");
    } else if text.zh.chars().count() > max_chars || text.en.chars().count() > 5 * max_chars {
        report.wrong(field, format!("at most {max_chars} characters (English: {})", 5 * max_chars));
    } else if bad(&text.zh) || bad(&text.en) {
        report.wrong(field, "holds a control character");
    }
}

fn texts(list: &[Text], field: &str, max_chars: usize, report: &mut Report) {
    report.expect(list.len() <= 10, field, "at most 10 lines");
    for (at, line) in list.iter().enumerate() {
        text(line, &format!("{field}[{at}]"), max_chars, report);
    }
}

/// Syllables of small letters, separated by single spaces.
pub(super) fn pinyin(text: &str, field: &str, report: &mut Report) {
    let good = !text.is_empty() && text.split(' ').all(is_syllable);
    report.expect(good, field, "must be syllables of a-z separated by single spaces");
}

fn is_syllable(syllable: &str) -> bool {
    !syllable.is_empty()
        && syllable.len() <= 12
        && syllable.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn initials(text: &str, pinyin: &str, report: &mut Report) {
    let wanted: String = pinyin.split(' ').filter_map(|syllable| syllable.chars().next()).collect();
    if text != wanted {
        report.wrong("pinyin_initials", format!("`{text}` does not fit the pinyin: `{wanted}`"));
    }
}

fn synonyms(synonyms: &[String], readings: &[String], report: &mut Report) {
    report.expect(synonyms.len() <= MAX_PARTS, "synonyms", "at most 60");
    for (at, word) in synonyms.iter().enumerate() {
        let good =
            !word.trim().is_empty() && word.chars().count() <= 20 && !word.chars().any(char::is_control);
        report.expect(good, &format!("synonyms[{at}]"), "1 to 20 characters");
    }
    if !readings.is_empty() && readings.len() != synonyms.len() {
        report.wrong("synonym_pinyin", "one reading for each synonym, or none");
    }
    for (at, reading) in readings.iter().enumerate() {
        pinyin(reading, &format!("synonym_pinyin[{at}]"), report);
    }
}

fn neutral(sensitive: bool, title: Option<&Text>, report: &mut Report) {
    match title {
        Some(title) => text(title, "neutral_title", 20, report),
        None => {
            report.expect(!sensitive, "neutral_title", "a sensitive matter needs a title that names no cause")
        }
    }
}

fn withdrawn(withdrawn: Option<&Withdrawal>, report: &mut Report) {
    if let Some(withdrawn) = withdrawn {
        text(&withdrawn.reason, "withdrawn.reason", 80, report);
    }
}

fn materials(materials: &[Material], report: &mut Report) {
    report.expect(materials.len() <= MAX_PARTS, "materials", "at most 60");
    for (at, material) in materials.iter().enumerate() {
        text(&material.name, &format!("materials[{at}].name"), 60, report);
    }
}

fn period(period: Period, field: &str, report: &mut Report) {
    report.expect(period.tenths <= MAX_TENTHS, field, "too long");
}

fn guide(guide: &Guide, life_events: &[LifeEvent], report: &mut Report) {
    report.expect(!guide.icon.trim().is_empty(), "guide.icon", "must not be empty");
    report.expect(!guide.life_events.is_empty(), "guide.life_events", "at least one");
    for (at, id) in guide.life_events.iter().enumerate() {
        if !life_events.iter().any(|event| event.id == *id) {
            report.wrong(&format!("guide.life_events[{at}]"), format!("there is no life event `{id}`"));
        }
    }
    text(&guide.one_line, "guide.one_line", 40, report);
    report.expect(
        !guide.who.is_empty() && !guide.how.is_empty(),
        "guide",
        "`who` and `how` need a line each",
    );
    texts(&guide.who, "guide.who", 60, report);
    texts(&guide.how, "guide.how", 60, report);
    texts(&guide.common_mistakes, "guide.common_mistakes", 80, report);
    text(&guide.after, "guide.after", 160, report);
    text(&guide.offline_note, "guide.offline_note", 120, report);
    if let Some(note) = &guide.fee_note {
        text(note, "guide.fee_note", 60, report);
    }
    report.expect((1..=120).contains(&guide.minutes), "guide.minutes", "1 to 120");
    report.expect((0..=100_000_000).contains(&guide.fee_fen), "guide.fee_fen", "0 to 100000000 fen");
}

fn form(spec: &FormSpec, report: &mut Report) {
    if let Err(error) = Form::compile(spec) {
        let field = if error.field == "-" { "form".to_owned() } else { format!("form.{}", error.field) };
        report.wrong(&field, error.reason);
    }
}
