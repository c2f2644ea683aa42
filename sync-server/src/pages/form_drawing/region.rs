//! Lists of regions, one below the other: province, city, district, as far as something is chosen.
use std::collections::BTreeMap;

use domain::catalogue::{Region, regions};

use super::place::MAX_LEVELS;
use crate::words::Words;

/// One list.
#[derive(Debug, Clone)]
pub struct Level {
    /// Name and id of the input, by its number from 1.
    pub number: usize,
    /// What it lists.
    pub label: String,
    /// Code, name, chosen.
    pub options: Vec<(String, String, bool)>,
}

/// The lists that are to be shown for an answer, or for a list that was opened.
pub fn levels(w: Words, tree: &BTreeMap<String, Region>, value: &str, open: Option<&String>) -> Vec<Level> {
    let current = tree.get(value).is_some_and(|region| region.current);
    let kept = (!value.is_empty() && !current).then_some(value);
    let path = match (kept, current, open) {
        (None, true, _) => regions::path(tree, value),
        (None, false, Some(open)) => regions::path(tree, open),
        _ => Vec::new(),
    };
    let mut levels = Vec::new();
    let mut parent: Option<&str> = None;
    for number in 1..=MAX_LEVELS {
        let chosen = path.get(number - 1).map(String::as_str);
        let mut options: Vec<(String, String, bool)> = regions::offers(tree, parent, None)
            .into_iter()
            .map(|offer| (offer.code.clone(), offer.name, chosen == Some(offer.code.as_str())))
            .collect();
        if options.is_empty() {
            break;
        }
        if let Some(kept) = kept.filter(|_| number == 1) {
            let name = tree.get(kept).map_or(kept, |region| region.name.as_str());
            let word = w.fill("drawing.retired_region", &[("name", name)]);
            options.insert(0, (kept.to_owned(), word, true));
        }
        levels.push(Level { number, label: w.of("drawing_region", &number.to_string()), options });
        parent = chosen;
        if chosen.is_none() {
            break;
        }
    }
    levels
}
