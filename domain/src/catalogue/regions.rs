//! The tree of regions for the picker: provinces, cities, districts, in the order in which they are shown.
//!
//! The terminal's picker and the lists of a page read the same. Refuses to know where it is drawn. Copes with cities without counties and counties directly under a province.
use std::collections::BTreeMap;

use super::Region;

/// One region that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// It has parts of its own: choosing it opens them, otherwise it is the answer.
    pub opens: bool,
}

/// Current regions directly under `parent` (`None`: the provinces), by code.
///
/// The province and city of `home` (the code of the station's district) come first in their lists.
pub fn offers(regions: &BTreeMap<String, Region>, parent: Option<&str>, home: Option<&str>) -> Vec<Offer> {
    let home_path = home.map(|code| path(regions, code)).unwrap_or_default();
    let mut offers: Vec<Offer> = regions
        .iter()
        .filter(|(_, region)| region.current && region.parent.as_deref() == parent)
        .map(|(code, region)| Offer {
            code: code.clone(),
            name: region.name.clone(),
            opens: opens(regions, code),
        })
        .collect();
    // Stable: the rest stays in the order of the codes. Districts keep the order that people know.
    offers.sort_by_key(|offer| !(offer.opens && home_path.contains(&offer.code)));
    offers
}

/// A region has current parts of its own.
pub fn opens(regions: &BTreeMap<String, Region>, code: &str) -> bool {
    let prefix = code.trim_end_matches('0');
    let from = prefix.get(..2).unwrap_or(prefix).to_owned();
    regions
        .range(from.clone()..)
        .take_while(|(other, _)| other.starts_with(&from))
        .any(|(_, region)| region.current && region.parent.as_deref() == Some(code))
}

/// Codes from the province down to `code`, at most four; empty if it is unknown.
pub fn path(regions: &BTreeMap<String, Region>, code: &str) -> Vec<String> {
    let mut path = Vec::new();
    let mut at = regions.get_key_value(code);
    while let Some((code, region)) = at.filter(|_| path.len() < 4) {
        path.push(code.clone());
        at = region.parent.as_ref().and_then(|parent| regions.get_key_value(parent));
    }
    path.reverse();
    path
}

/// The names from the province down to `code`, with blanks between them; the code itself if it is unknown.
pub fn named(regions: &BTreeMap<String, Region>, code: &str) -> String {
    let path = path(regions, code);
    let names = path.iter().filter_map(|code| regions.get(code)).map(|region| region.name.as_str());
    let names = names.collect::<Vec<_>>().join(" ");
    if names.is_empty() { code.to_owned() } else { names }
}

/// The list that is open when the picker opens: the one in which `value` stands, or the city of `home`.
pub fn start(regions: &BTreeMap<String, Region>, value: Option<&str>, home: Option<&str>) -> Option<String> {
    let parent = |code: &str| {
        let region = regions.get(code)?;
        if region.current { region.parent.clone() } else { None }
    };
    value.and_then(parent).or_else(|| home.and_then(parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> BTreeMap<String, Region> {
        let row = |code: &str, name: &str, parent: Option<&str>, current: bool| {
            (code.to_owned(), Region { name: name.to_owned(), parent: parent.map(str::to_owned), current })
        };
        BTreeMap::from([
            row("110000", "甲市", None, true),
            row("110101", "甲一区", Some("110000"), true),
            row("460000", "乙省", None, true),
            row("460400", "乙城", Some("460000"), true),
            row("469001", "乙县", Some("460000"), true),
            row("630000", "丙省", None, true),
            row("630100", "丙城", Some("630000"), true),
            row("630102", "丙一区", Some("630100"), true),
            row("630122", "旧县", Some("630100"), false),
            row("632100", "旧地区", Some("630000"), false),
            row("632121", "旧县二", Some("632100"), false),
            row("710000", "丁省", None, true),
        ])
    }

    fn codes(offers: &[Offer]) -> Vec<(&str, bool)> {
        offers.iter().map(|o| (o.code.as_str(), o.opens)).collect()
    }

    #[test]
    fn the_home_province_comes_first_and_leaves_are_answers() {
        let tree = tree();
        let provinces = offers(&tree, None, Some("630102"));
        assert_eq!(
            codes(&provinces),
            [("630000", true), ("110000", true), ("460000", true), ("710000", false)]
        );
        assert_eq!(codes(&offers(&tree, Some("460000"), None)), [("460400", false), ("469001", false)]);
        assert_eq!(codes(&offers(&tree, Some("110000"), None)), [("110101", false)]);
        assert_eq!(
            codes(&offers(&tree, Some("630100"), None)),
            [("630102", false)],
            "retired ones are not offered"
        );
        assert_eq!(codes(&offers(&tree, Some("630000"), None)), [("630100", true)]);
    }

    #[test]
    fn it_opens_where_the_answer_stands_or_at_home() {
        let tree = tree();
        let table = [
            (None, Some("630102"), Some("630100")),
            (Some("469001"), Some("630102"), Some("460000")),
            (Some("630122"), Some("630102"), Some("630100")),
            (Some("999999"), Some("630102"), Some("630100")),
            (Some("110000"), None, None),
            (None, None, None),
        ];
        for (value, home, list) in table {
            assert_eq!(start(&tree, value, home).as_deref(), list, "{value:?}");
        }
        assert_eq!(path(&tree, "630102"), ["630000", "630100", "630102"]);
        assert_eq!(path(&tree, "1"), Vec::<String>::new());
    }

    #[test]
    fn a_ring_of_parents_ends() {
        let ring =
            |parent: &str| Region { name: "x".to_owned(), parent: Some(parent.to_owned()), current: true };
        let tree =
            BTreeMap::from([("100000".to_owned(), ring("200000")), ("200000".to_owned(), ring("100000"))]);
        assert_eq!(path(&tree, "100000").len(), 4);
    }
}
