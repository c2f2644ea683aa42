//! A catalogue that was put together in memory, checked by every rule of what may be published.
//!
//! The same rules as for files; what only files have, such as allowances, is not known here.
use super::check_item::{check_item, file_of};
use super::parse::Report;
use super::{Catalogue, Entry, Review, check, rules};
use crate::ids::ItemCode;

impl Catalogue {
    /// Checks the whole.
    pub fn examine(&self) -> Review {
        let mut report = Report::default();
        check::check(self, &mut report);
        rules::check(self, &mut report);
        review(report)
    }

    /// Checks one item against the rest, which is taken as good: mistakes in the item, and names that it shares with
    /// others, whoever gets the blame. Warnings are those of the item alone.
    pub fn examine_item(&self, code: &ItemCode) -> Review {
        let mut report = Report::default();
        if let Some(item) = self.items.get(code) {
            report.at(&file_of("items", code), code.as_str());
            check_item(item, self, &mut report);
            rules::check_entry(Entry::Item(item), self, &mut report);
        }
        check::check_names(self, &mut report);
        rules::check_names(self, &mut report);
        let mut review = review(report);
        review.warnings.retain(|warning| warning.item == code.as_str());
        review
    }
}

fn review(report: Report) -> Review {
    let Report { errors, warnings, uncollected, .. } = report;
    Review { catalogue: None, errors, warnings, allowed: Vec::new(), uncollected }
}
