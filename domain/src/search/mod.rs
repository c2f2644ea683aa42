//! Search over the catalogue: characters, full pinyin, initials, a mixture of these, what people say, one typo.
//!
//! Pure and prepared once: a search allocates little and reads no file. Refuses to guess beyond one wrong sign.
//! Tables tell which names can match ([`SearchIndex::bytes`]); only these are looked at.
//! Best first: the exact short name, then its beginning, synonyms, a part of a name, pinyin, initials, typos.
mod narrow;
mod spell;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::catalogue::Catalogue;
use crate::ids::ItemCode;
use narrow::Tables;
use spell::{Name, fold, typo_allowed};

/// The most characters of a query that are looked at.
pub const MAX_QUERY_CHARS: usize = 40;
/// The most hits.
pub const MAX_HITS: usize = 50;
/// With at least this many better hits, those by a typo are left out.
const ENOUGH_HITS: usize = 8;

/// Prepared strings of one catalogue version; build once, search on every key.
#[derive(Debug, Clone, Default)]
pub struct SearchIndex {
    /// Items, then bundles.
    codes: Vec<ItemCode>,
    /// The names of all codes, those of one code together.
    names: Vec<Row>,
    /// Which names can match; none: every name is looked at.
    tables: Option<Tables>,
    shared: Vec<Phrase>,
    not_here: Vec<Phrase>,
}

/// One name of an item or bundle.
#[derive(Debug, Clone)]
struct Row {
    /// Which of the codes.
    owner: usize,
    kind: Kind,
    name: Name,
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
    pub matched: Option<Range<usize>>,
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
        let (mut codes, mut rows) = (Vec::new(), Vec::new());
        for entry in catalogue.entries() {
            let owner = codes.len();
            let own: [&str; 4] =
                [&entry.short_name().zh, entry.short_pinyin(), &entry.name().zh, entry.pinyin()];
            let names = names(own, entry.synonyms(), entry.synonym_pinyin());
            rows.extend(names.into_iter().map(|(kind, name)| Row { owner, kind, name }));
            codes.push(entry.code().clone());
        }
        let phrase = |key: &String, pinyin: &str, codes: &[ItemCode]| Phrase {
            key: key.clone(),
            name: Name::new(key, pinyin),
            codes: codes.to_vec(),
        };
        let phrases = &catalogue.phrases;
        Self {
            codes,
            tables: Some(Tables::new(rows.iter().map(|row| &row.name))),
            names: rows,
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
        let mut ranked = self.sure(&query);
        if ranked.len() < ENOUGH_HITS && typo_allowed(&query) {
            ranked.extend(self.typos(&query, &ranked));
        }
        ranked.sort_by_key(|ranked| ranked.rank);
        let shared = find(&self.shared, &query);
        let not_here = find(&self.not_here, &query);
        let offered = [shared, not_here].into_iter().flatten().flat_map(|phrase| &phrase.codes);
        Found {
            hits: self.merge(offered, &ranked),
            shared: shared.map(|phrase| phrase.key.clone()),
            not_here: not_here.map(|phrase| phrase.key.clone()),
        }
    }

    /// The same without its tables: looks at every name. What the tables leave out is held against it.
    #[must_use]
    pub fn without_tables(self) -> Self {
        Self { tables: None, ..self }
    }

    /// Memory of the tables in bytes: 192 for each name, in steps of 64 names.
    pub fn bytes(&self) -> usize {
        self.tables.as_ref().map_or(0, Tables::bytes)
    }

    /// Each code that matches without a typo, by the best of its names, in the order of codes.
    fn sure(&self, query: &[char]) -> Vec<Ranked> {
        let mut ranked: Vec<Ranked> = Vec::new();
        for row in self.rows(|tables| tables.sure(query)) {
            let Some((way, range)) = way_of(&row.name, query) else { continue };
            let matched =
                (row.kind == Kind::Short && way < Way::Scattered).then(|| row.name.chars_of(&range));
            keep_better(&mut ranked, Ranked { rank: row.rank(way, &range), owner: row.owner, matched });
        }
        ranked
    }

    /// Each code that matches by a typo only; `sure` has those that need none.
    fn typos(&self, query: &[char], sure: &[Ranked]) -> Vec<Ranked> {
        let mut ranked: Vec<Ranked> = Vec::new();
        for row in self.rows(|tables| tables.typo(query)) {
            if sure.iter().any(|better| better.owner == row.owner) {
                continue;
            }
            let Some(range) = row.name.find_typo(query) else { continue };
            let rank = row.rank(Way::Typo, &range);
            keep_better(&mut ranked, Ranked { rank, owner: row.owner, matched: None });
        }
        ranked
    }

    /// The names to look at.
    fn rows(&self, narrow: impl Fn(&Tables) -> Vec<usize>) -> impl Iterator<Item = &Row> {
        let places = self.tables.as_ref().map_or_else(|| (0..self.names.len()).collect(), narrow);
        places.into_iter().filter_map(|place| self.names.get(place))
    }

    /// Offered codes first, then the hits; each once.
    fn merge<'a>(&self, offered: impl Iterator<Item = &'a ItemCode>, ranked: &[Ranked]) -> Vec<Hit> {
        let hits = ranked.iter().filter_map(|r| Some((self.codes.get(r.owner)?, &r.matched)));
        let mut seen = BTreeSet::new();
        let mut merged = Vec::new();
        for code in offered {
            let matched = hits.clone().find(|(hit, _)| *hit == code).and_then(|(_, matched)| matched.clone());
            if seen.insert(code) {
                merged.push(Hit { code: code.clone(), matched });
            }
        }
        let others = hits.filter(|(code, _)| !seen.contains(code));
        merged.extend(others.take(MAX_HITS).map(|(code, m)| Hit { code: code.clone(), matched: m.clone() }));
        merged.truncate(MAX_HITS);
        merged
    }
}

/// A code that matches.
#[derive(Debug)]
struct Ranked {
    rank: Rank,
    owner: usize,
    matched: Option<Range<usize>>,
}

impl Row {
    fn rank(&self, way: Way, range: &Range<usize>) -> Rank {
        Rank { way, kind: self.kind, at: range.start, chars: self.name.len() }
    }
}

/// Adds a code, or betters the last one if it is the same; the short name's range stays.
fn keep_better(ranked: &mut Vec<Ranked>, new: Ranked) {
    match ranked.last_mut() {
        Some(last) if last.owner == new.owner => {
            last.rank = last.rank.min(new.rank);
            last.matched = last.matched.take().or(new.matched);
        }
        _ => ranked.push(new),
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

/// The best way in which a name matches without a typo.
fn way_of(name: &Name, query: &[char]) -> Option<(Way, Range<usize>)> {
    let graded = |range: Range<usize>, ways: [Way; 3]| {
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
    None
}

/// The phrase that the query is, in characters, pinyin or initials.
fn find<'a>(phrases: &'a [Phrase], query: &[char]) -> Option<&'a Phrase> {
    let exact = [Way::Exact, Way::PinyinExact, Way::InitialsExact];
    let mut by_way: BTreeMap<Way, &Phrase> = BTreeMap::new();
    let whole = |name: &Name| name.len() == query.len() || name.letters() == query.len();
    for phrase in phrases.iter().filter(|phrase| whole(&phrase.name)) {
        if let Some((way, _)) = way_of(&phrase.name, query).filter(|(way, _)| exact.contains(way)) {
            by_way.entry(way).or_insert(phrase);
        }
    }
    by_way.into_values().next()
}
