//! Search over the sample catalogue: what a citizen types leads to the item on the first page.
use std::collections::BTreeSet;

use domain::catalogue::{Catalogue, Entry};
use domain::ids::ItemCode;
use domain::search::SearchIndex;

use super::{code, entries, sample};

/// Where among the hits a code stands.
fn place(index: &SearchIndex, query: &str, wanted: &ItemCode) -> Option<usize> {
    index.search(query).hits.iter().position(|hit| hit.code == *wanted)
}

#[test]
fn everything_is_found_on_the_first_page() {
    let catalogue = sample();
    let index = SearchIndex::new(&catalogue);
    let mut missed = Vec::new();
    for entry in entries(&catalogue) {
        let (short_pinyin, pinyin) = match entry {
            Entry::Item(i) => (&i.short_pinyin, &i.pinyin),
            Entry::Bundle(b) => (&b.short_pinyin, &b.pinyin),
        };
        let initials: String = short_pinyin.split(' ').filter_map(|s| s.chars().next()).collect();
        let first = |query: &str| place(&index, query, entry.code()) == Some(0);
        let page = |query: &str| place(&index, query, entry.code()).is_some_and(|at| at < 8);
        let short = &entry.short_name().zh;
        for (query, good) in [
            (short.clone(), first(short)),
            (short_pinyin.replace(' ', ""), page(&short_pinyin.replace(' ', ""))),
            (pinyin.replace(' ', ""), page(&pinyin.replace(' ', ""))),
            (initials.clone(), page(&initials)),
        ] {
            if !good {
                missed.push(format!("{} by {query}", entry.code()));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn what_people_say_leads_to_its_item() {
    let catalogue = sample();
    let index = SearchIndex::new(&catalogue);
    for item in catalogue.items.values() {
        for (word, reading) in item.synonyms.iter().zip(&item.synonym_pinyin) {
            assert!(place(&index, word, &item.code).is_some_and(|at| at < 3), "{word}");
            let letters = reading.replace(' ', "");
            assert!(place(&index, &letters, &item.code).is_some_and(|at| at < 8), "{letters}");
        }
    }
    for (query, wanted) in [
        ("lhjycb", "hrss.flex-enroll"),
        ("LHJY", "hrss.flex-enroll"),
        ("灵活就业", "hrss.flex-enroll"),
        ("linghuojiuye", "hrss.flex-enroll"),
        ("骑手交社保", "hrss.flex-enroll"),
        ("ylrz", "hrss.pension-qualification"),
        ("養老", "hrss.pension-qualification"),
        ("yanglaojinrenzheng", "hrss.pension-qualification"),
        ("yanglaojingrenzheng", "hrss.pension-qualification"),
        ("社保ka补", "hrss.sscard-reissue"),
        ("养老 转移", "hrss.transfer-enterprise"),
        ("无犯罪纪录证明", "psb.no-crime"),
    ] {
        let at = place(&index, query, &code(wanted));
        let expected = query != "養老";
        assert_eq!(at.is_some_and(|at| at < 8), expected, "{query}: {at:?}");
    }
}

#[test]
fn phrases_with_several_meanings_and_foreign_matters_are_told() {
    let catalogue = sample();
    let index = SearchIndex::new(&catalogue);
    for (query, shared) in
        [("打流水", "打流水"), ("dls", "打流水"), ("jiaoshebao", "交社保"), (" 老 年 证 ", "老年证")]
    {
        let found = index.search(query);
        assert_eq!(found.shared.as_deref(), Some(shared), "{query}");
        let codes: Vec<&ItemCode> = found.hits.iter().map(|hit| &hit.code).collect();
        let wanted: Vec<&ItemCode> = catalogue.phrases.shared[shared].codes.iter().collect();
        assert_eq!(codes[..wanted.len()], wanted, "{query}");
    }
    assert_eq!(index.search("办护照").not_here.as_deref(), Some("办护照"));
    assert_eq!(index.search("灵活就业参保").shared, None);
}

#[test]
fn odd_queries_find_nothing_or_little_and_never_fail() {
    let index = SearchIndex::new(&sample());
    for query in ["", "   ", "（）", "𠅤𬀩", "\0\u{7f}", "zzzzzzzz", &"社".repeat(10_000), "' OR 1=1 --"]
    {
        assert!(index.search(query).hits.len() <= 8, "{query}");
    }
    assert!(index.search("社").hits.len() <= 50);
    assert_eq!(index.search("灵活就业参保").hits[0].matched, Some(0..6));
    assert_eq!(index.search("shebao").hits[0].matched.clone().map(|r| r.len()), Some(2));
}

/// Of all queries every so many-th is asked; a prime, so that all kinds of them are.
const EVERY: usize = 211;

#[test]
fn tables_leave_nothing_out_and_change_no_order() {
    let catalogue = sample();
    let index = SearchIndex::new(&catalogue);
    let plain = index.clone().without_tables();
    let queries = queries(&catalogue);
    assert!(queries.len() > 50_000, "{}", queries.len());
    for query in queries.iter().step_by(EVERY) {
        assert_eq!(index.search(query), plain.search(query), "{query}");
    }
    assert_eq!(plain.bytes(), 0);
    assert!((1..=256 * 1024).contains(&index.bytes()), "{}", index.bytes());
}

/// Every part of every name, of its initials and of its pinyin, each name half in pinyin, and one typo in each.
fn queries(catalogue: &Catalogue) -> BTreeSet<String> {
    let mut queries = BTreeSet::new();
    for (name, reading) in named(catalogue) {
        let characters: Vec<char> = name.chars().collect();
        let syllables: Vec<&str> = reading.split(' ').collect();
        let initials: Vec<char> = syllables.iter().filter_map(|s| s.chars().next()).collect();
        let letters: Vec<char> = reading.chars().filter(|sign| *sign != ' ').collect();
        for (spelled, wrong) in [(&characters, '社'), (&initials, 'v'), (&letters, 'v')] {
            for from in 0..spelled.len() {
                queries.extend((from + 1..=spelled.len()).map(|to| String::from_iter(&spelled[from..to])));
            }
            queries.extend(typos(spelled, wrong));
        }
        for half in 1..characters.len().min(syllables.len()) {
            let mixed = String::from_iter(&characters[..half]) + &syllables[half..].concat();
            queries.extend(typos(&mixed.chars().collect::<Vec<_>>(), 'v'));
            queries.insert(mixed);
            queries.insert(characters.iter().step_by(half).collect());
        }
    }
    queries
}

/// All names and phrases with their pinyin.
fn named(catalogue: &Catalogue) -> Vec<(&str, &str)> {
    let mut named: Vec<(&str, &str)> = Vec::new();
    for entry in entries(catalogue) {
        let (short_pinyin, name, pinyin, synonyms, readings) = match entry {
            Entry::Item(i) => (&i.short_pinyin, &i.name.zh, &i.pinyin, &i.synonyms, &i.synonym_pinyin),
            Entry::Bundle(b) => (&b.short_pinyin, &b.name.zh, &b.pinyin, &b.synonyms, &b.synonym_pinyin),
        };
        named.extend([(&*entry.short_name().zh, &**short_pinyin), (&**name, &**pinyin)]);
        named.extend(synonyms.iter().zip(readings).map(|(word, reading)| (&**word, &**reading)));
    }
    named.extend(catalogue.phrases.shared.iter().map(|(key, phrase)| (&**key, &*phrase.pinyin)));
    named.extend(catalogue.phrases.not_here.iter().map(|(key, phrase)| (&**key, &*phrase.pinyin)));
    named
}

/// At every place one sign wrong, too many or missing, or two exchanged.
fn typos(right: &[char], wrong: char) -> Vec<String> {
    let mut typos = Vec::new();
    for at in 0..right.len() {
        let (before, after) = (String::from_iter(&right[..at]), String::from_iter(&right[at + 1..]));
        typos.push(format!("{before}{wrong}{after}"));
        typos.push(format!("{before}{wrong}{}{after}", right[at]));
        typos.push(format!("{before}{after}"));
        if let Some(next) = right.get(at + 1) {
            typos.push(format!("{before}{next}{}{}", right[at], String::from_iter(&right[at + 2..])));
        }
    }
    typos
}
