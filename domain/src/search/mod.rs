//! Search over the catalogue: characters, full pinyin, initials, a mixture of these, what people say, one typo.
//!
//! Pure and prepared once: a search allocates little and reads no file. Refuses to guess beyond one wrong sign.
//! Best first: the exact short name, then its beginning, synonyms, a part of a name, pinyin, initials, typos.
mod spell;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Catalogue, Entry};
use crate::ids::ItemCode;
use spell::{Name, fold};

/// The most characters of a query that are looked at.
pub const MAX_QUERY_CHARS: usize = 40;
/// The most hits.
pub const MAX_HITS: usize = 50;
/// With at least this many better hits, those by a typo are left out.
const ENOUGH_HITS: usize = 8;

/// Prepared strings of one catalogue version; build once, search on every key.
#[derive(Debug, Clone, Default)]
pub struct SearchIndex {
    rows: Vec<Row>,
    shared: Vec<Phrase>,
    not_here: Vec<Phrase>,
}

/// An item or bundle with all its names.
#[derive(Debug, Clone)]
struct Row {
    code: ItemCode,
    names: Vec<(Kind, Name)>,
}

#[derive(Debug, Clone)]
struct Phrase {
    key: String,
    name: Name,
    codes: Vec<ItemCode>,
}

/// What kind of name it is; a better kind ranks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Short,
    Synonym,
    Full,
}

/// How a query matched; a better way ranks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Exact,
    Prefix,
    Part,
    PinyinExact,
    PinyinPrefix,
    PinyinPart,
    InitialsExact,
    InitialsPrefix,
    InitialsPart,
    Mixed,
    Scattered,
    Typo,
}

/// One hit, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Item or bundle.
    pub code: ItemCode,
    /// Character range of the short name that matched, for underlining.
    pub matched: Option<std::ops::Range<usize>>,
}

/// What a query found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Hits, at most 50; what a shared phrase may mean comes first.
    pub hits: Vec<Hit>,
    /// The query is a phrase that means several things: the key in `phrases.shared`.
    pub shared: Option<String>,
    /// The query names something that this machine does not do: the key in `phrases.not_here`.
    pub not_here: Option<String>,
}

impl SearchIndex {
    /// Prepares a catalogue.
    pub fn new(catalogue: &Catalogue) -> Self {
        let row = |entry: Entry<'_>| Row {
            code: entry.code().clone(),
            names: names(
                [&entry.short_name().zh, entry.short_pinyin(), &entry.name().zh, entry.pinyin()],
                entry.synonyms(),
                entry.synonym_pinyin(),
            ),
        };
        let phrase = |key: &String, pinyin: &str, codes: &[ItemCode]| Phrase {
            key: key.clone(),
            name: Name::new(key, pinyin),
            codes: codes.to_vec(),
        };
        let phrases = &catalogue.phrases;
        Self {
            rows: catalogue.entries().map(row).collect(),
            shared: phrases.shared.iter().map(|(key, p)| phrase(key, &p.pinyin, &p.codes)).collect(),
            not_here: phrases.not_here.iter().map(|(key, p)| phrase(key, &p.pinyin, &p.codes)).collect(),
        }
    }

    /// Searches; an empty query finds nothing; the query is cut at 40 characters.
    pub fn search(&self, query: &str) -> Found {
        let query: Vec<char> = fold(query).take(MAX_QUERY_CHARS).collect();
        if query.is_empty() {
            return Found::default();
        }
        let mut ranked: Vec<(Rank, Hit)> = self.rows.iter().filter_map(|row| best(row, &query)).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let sure = ranked.iter().filter(|(rank, _)| rank.way < Way::Typo).count();
        if sure >= ENOUGH_HITS {
            ranked.truncate(sure);
        }
        let shared = find(&self.shared, &query);
        let not_here = find(&self.not_here, &query);
        let offered = [shared, not_here].into_iter().flatten().flat_map(|phrase| &phrase.codes);
        Found {
            hits: merge(offered, ranked.into_iter().map(|(_, hit)| hit)),
            shared: shared.map(|phrase| phrase.key.clone()),
            not_here: not_here.map(|phrase| phrase.key.clone()),
        }
    }
}

/// Order of hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    way: Way,
    kind: Kind,
    at: usize,
    chars: usize,
}

fn names(own: [&str; 4], synonyms: &[String], readings: &[String]) -> Vec<(Kind, Name)> {
    let [short, short_pinyin, full, full_pinyin] = own;
    let mut names =
        vec![(Kind::Short, Name::new(short, short_pinyin)), (Kind::Full, Name::new(full, full_pinyin))];
    for (at, word) in synonyms.iter().enumerate() {
        names.push((Kind::Synonym, Name::new(word, readings.get(at).map_or("", String::as_str))));
    }
    names
}

/// The best way in which a row matches.
fn best(row: &Row, query: &[char]) -> Option<(Rank, Hit)> {
    let mut best: Option<Rank> = None;
    let mut shown: Option<(Rank, std::ops::Range<usize>)> = None;
    for (kind, name) in &row.names {
        let Some((way, range)) = way_of(name, query) else { continue };
        let rank = Rank { way, kind: *kind, at: range.start, chars: name.len() };
        if *kind == Kind::Short && way < Way::Scattered {
            shown = Some((rank, name.chars_of(&range)));
        }
        if best.is_none_or(|old| rank < old) {
            best = Some(rank);
        }
    }
    let rank = best?;
    Some((rank, Hit { code: row.code.clone(), matched: shown.map(|(_, range)| range) }))
}

fn way_of(name: &Name, query: &[char]) -> Option<(Way, std::ops::Range<usize>)> {
    let graded = |range: std::ops::Range<usize>, ways: [Way; 3]| {
        let way = match (range.start, range.end == name.len()) {
            (0, true) => ways[0],
            (0, false) => ways[1],
            _ => ways[2],
        };
        (way, range)
    };
    if let Some(range) = name.find_chars(query) {
        return Some(graded(range, [Way::Exact, Way::Prefix, Way::Part]));
    }
    if query.iter().any(char::is_ascii_alphabetic) {
        if let Some((range, whole)) = name.find_pinyin(query) {
            let exact = if whole { Way::PinyinExact } else { Way::PinyinPrefix };
            return Some(graded(range, [exact, Way::PinyinPrefix, Way::PinyinPart]));
        }
        if let Some(range) = name.find_initials(query) {
            return Some(graded(range, [Way::InitialsExact, Way::InitialsPrefix, Way::InitialsPart]));
        }
        if let Some(range) = name.find_mixed(query) {
            return Some((Way::Mixed, range));
        }
    } else if let Some(range) = name.find_scattered(query) {
        return Some((Way::Scattered, range));
    }
    name.find_typo(query).map(|range| (Way::Typo, range))
}

/// The phrase that the query is, in characters, pinyin or initials.
fn find<'a>(phrases: &'a [Phrase], query: &[char]) -> Option<&'a Phrase> {
    let exact = [Way::Exact, Way::PinyinExact, Way::InitialsExact];
    let mut by_way: BTreeMap<Way, &Phrase> = BTreeMap::new();
    for phrase in phrases {
        if let Some((way, _)) = way_of(&phrase.name, query).filter(|(way, _)| exact.contains(way)) {
            by_way.entry(way).or_insert(phrase);
        }
    }
    by_way.into_values().next()
}

/// Offered codes first, then the hits; each once.
fn merge<'a>(offered: impl Iterator<Item = &'a ItemCode>, hits: impl Iterator<Item = Hit>) -> Vec<Hit> {
    let hits: Vec<Hit> = hits.collect();
    let mut seen = BTreeSet::new();
    let mut merged = Vec::new();
    for code in offered {
        let matched = hits.iter().find(|hit| hit.code == *code).and_then(|hit| hit.matched.clone());
        if seen.insert(code.clone()) {
            merged.push(Hit { code: code.clone(), matched });
        }
    }
    merged.extend(hits.into_iter().filter(|hit| !seen.contains(&hit.code)));
    merged.truncate(MAX_HITS);
    merged
}
