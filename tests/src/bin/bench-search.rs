//! `search`: one query over the sample catalogue and over 3,000 items, beside a plain substring scan over prepared strings.
//!
//! The 3,000 items are the sample catalogue's, repeated with names made longer by those of other items.
use std::hint::black_box;

use anyhow::Result;
use domain::catalogue::Catalogue;
use domain::item::Item;
use domain::search::SearchIndex;
use sync_server::startup::load_catalogue;
use tests::bench::enlarged::{enlarged, two_characters};
use tests::bench::row::Row;
use tests::bench::stats::{in_turns, median, micros_a_call};
use tests::binaries::repository;

/// Items of the large catalogue.
const MANY: usize = 3_000;
/// Queries of each kind.
const QUERIES: usize = 40;

/// One way of asking, and the strings that a plain scan would look through for it.
struct Kind {
    name: &'static str,
    query: fn(&Item) -> String,
    prepared: fn(&Item) -> String,
}

const KINDS: [Kind; 4] = [
    Kind { name: "characters", query: two_characters, prepared: names },
    Kind { name: "initials", query: initials, prepared: all_initials },
    Kind { name: "pinyin", query: pinyin, prepared: all_pinyin },
    Kind { name: "typo", query: one_wrong_letter, prepared: all_pinyin },
];

fn main() -> Result<()> {
    let rounds = if std::env::args().any(|a| a == "--quick") { 3 } else { 9 };
    let sample = load_catalogue(&repository().join("assets/catalogue"))?;
    measure(&sample, rounds, "")?;
    measure(&enlarged(sample, MANY)?, rounds, "_3000")
}

fn measure(catalogue: &Catalogue, rounds: usize, suffix: &str) -> Result<()> {
    let index = SearchIndex::new(catalogue);
    let items: Vec<&Item> = catalogue.items.values().collect();
    for kind in &KINDS {
        let step = (items.len() / QUERIES).max(1);
        let queries: Vec<String> =
            items.iter().step_by(step).take(QUERIES).map(|i| (kind.query)(i)).collect();
        let found = queries.iter().filter(|q| !index.search(q).hits.is_empty()).count();
        anyhow::ensure!(found == queries.len(), "{}: {found} of {} found", kind.name, queries.len());
        let prepared: Vec<String> = items.iter().map(|i| (kind.prepared)(i)).collect();
        let real = |_| Ok(each(&queries, |q| index.search(q).hits.len()));
        let floor = |_| Ok(each(&queries, |q| prepared.iter().filter(|p| p.contains(q)).count()));
        let (real, floor) = in_turns(rounds, real, floor)?;
        let name = format!("search.{}{suffix}", kind.name);
        Row::beside(&name, median(&real), "us", median(&floor)).tell()?;
    }
    Ok(())
}

/// Microseconds of one query, over all of them.
fn each(queries: &[String], search: impl Fn(&str) -> usize) -> f64 {
    let all = micros_a_call(3, || {
        for query in queries {
            black_box(search(black_box(query)));
        }
    });
    #[allow(clippy::cast_precision_loss)] // some tens
    let count = queries.len() as f64;
    all / count
}

fn initials(item: &Item) -> String {
    item.short_pinyin.split(' ').filter_map(|s| s.chars().next()).collect()
}

fn pinyin(item: &Item) -> String {
    item.short_pinyin.replace(' ', "")
}

/// The pinyin with its last letter but one replaced by one that no syllable ends with.
fn one_wrong_letter(item: &Item) -> String {
    let mut letters: Vec<char> = pinyin(item).chars().collect();
    let at = letters.len().saturating_sub(2);
    letters[at] = 'v';
    letters.into_iter().collect()
}

fn names(item: &Item) -> String {
    format!("{}|{}|{}", item.short_name.zh, item.name.zh, item.synonyms.join("|"))
}

fn all_initials(item: &Item) -> String {
    let of = |pinyin: &str| pinyin.split(' ').filter_map(|s| s.chars().next()).collect::<String>();
    let synonyms: Vec<String> = item.synonym_pinyin.iter().map(|s| of(s)).collect();
    format!("{}|{}|{}", of(&item.short_pinyin), of(&item.pinyin), synonyms.join("|"))
}

fn all_pinyin(item: &Item) -> String {
    format!("{}|{}|{}", item.short_pinyin, item.pinyin, item.synonym_pinyin.join("|")).replace(' ', "")
}
