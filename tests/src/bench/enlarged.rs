//! The sample catalogue with more items: its own, repeated with names made longer by those of other items.
use anyhow::{Context as _, Result};
use domain::catalogue::Catalogue;
use domain::item::Item;

/// Most letters of an item's own code, so that a number fits behind it.
const CODE_LETTERS: usize = 34;

/// The same catalogue with so many items.
///
/// # Errors
/// If a code cannot be made.
pub fn enlarged(mut catalogue: Catalogue, many: usize) -> Result<Catalogue> {
    let originals: Vec<Item> = catalogue.items.values().cloned().collect();
    for number in 0.. {
        if catalogue.items.len() >= many {
            break;
        }
        let other = &originals[(number * 7 + number / originals.len() + 1) % originals.len()];
        let mut item = originals[number % originals.len()].clone();
        let short: String = item.code.as_str().chars().take(CODE_LETTERS).collect();
        item.code = format!("{}-{number}", short.trim_end_matches('-')).parse().context("a code")?;
        item.short_name.zh.push_str(&two_characters(other));
        let syllables: Vec<&str> = other.short_pinyin.split(' ').take(2).collect();
        item.short_pinyin = format!("{} {}", item.short_pinyin, syllables.join(" "));
        number_names(&mut item, number);
        catalogue.items.insert(item.code.clone(), item);
    }
    Ok(catalogue)
}

/// A catalogue in which two items have one name is not read: each name and each synonym ends with a number.
fn number_names(item: &mut Item, number: usize) {
    item.short_name.zh.push_str(&number.to_string());
    item.short_pinyin.push_str(&format!(" {number}"));
    item.synonyms.iter_mut().for_each(|word| word.push_str(&number.to_string()));
    item.synonym_pinyin.iter_mut().for_each(|reading| reading.push_str(&format!(" {number}")));
}

/// The first two characters of an item's short name.
pub fn two_characters(item: &Item) -> String {
    item.short_name.zh.chars().take(2).collect()
}
