//! Sample cases of bundles: each has a name of its own, answers what is asked, and comes to the steps that it expects.
use std::collections::BTreeSet;

use crate::bundle::{Bundle, SampleCase};
use crate::catalogue::parse::Report;
use crate::catalogue::{Catalogue, Entry, check_item};
use crate::situation::resolve;

/// The most sample cases of one bundle.
const MAX_CASES: usize = 12;

pub(super) fn check(bundle: &Bundle, catalogue: &Catalogue, report: &mut Report) {
    let cases = &bundle.sample_cases;
    report.expect(cases.len() <= MAX_CASES, "sample_cases", "at most 12");
    let mut seen = BTreeSet::new();
    for (at, case) in cases.iter().enumerate().take(MAX_CASES) {
        let field = format!("sample_cases[{at}]");
        report.expect(!case.id.trim().is_empty(), &format!("{field}.id"), "must not be empty");
        report.expect(seen.insert(&case.id), &format!("{field}.id"), "stands twice");
        check_item::text(&case.name, &format!("{field}.name"), 60, report);
        run(case, (bundle, catalogue), &field, report);
    }
}

/// What its answers come to.
fn run(case: &SampleCase, (bundle, catalogue): (&Bundle, &Catalogue), field: &str, report: &mut Report) {
    let resolution = resolve(catalogue, Entry::Bundle(bundle), &case.answers);
    for id in &resolution.refused {
        report
            .wrong(&format!("{field}.answers"), format!("`{id}` is no question here, or has no such option"));
    }
    if let Some(next) = resolution.next {
        report.wrong(&format!("{field}.answers"), format!("`{}` is not answered", next.id));
    }
    if resolution.refused.is_empty() && !case.holds(&resolution) {
        let outcome = SampleCase::outcome(&resolution).join(", ");
        let reason = format!("comes to the steps {outcome}; {} are expected", case.steps.join(", "));
        report.wrong(&format!("{field}.steps"), reason);
    }
}
