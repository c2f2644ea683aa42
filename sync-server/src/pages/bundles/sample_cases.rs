//! The sample cases of a bundle: each is run at once, and can be pressed to see all that it comes to.
use domain::bundle::{Bundle, SampleCase};
use domain::catalogue::{Catalogue, Entry};
use domain::date::CivilDate;
use domain::situation::{SituationAnswers, resolve};

use super::W;
use crate::pages::{in_query, situation_form};

/// A sample case as the page shows it.
pub struct SampleView {
    /// Its name.
    pub name: String,
    /// The page with its answers, from the same day.
    pub address: String,
    /// It is the one that is shown.
    pub shown: bool,
    /// It comes to what it expects.
    pub holds: bool,
    /// What it comes to: how many steps, or that the matter ends.
    pub outcome: String,
    /// Names of the steps that are missing, and of those that are too many; empty if it holds.
    pub missing: String,
    /// See `missing`.
    pub surplus: String,
}

/// All sample cases of a bundle; `answers` and `from` are those of the page.
pub fn views(
    (catalogue, bundle): (&Catalogue, &Bundle),
    answers: &SituationAnswers,
    from: CivilDate,
) -> Vec<SampleView> {
    let names = |ids: Vec<&str>| {
        let named = ids.into_iter().map(|id| {
            let step = bundle.steps.iter().find(|step| step.id == id);
            step.map_or(id, |step| step.name.get(W.0))
        });
        named.collect::<Vec<_>>().join("、")
    };
    let view = |case: &SampleCase| {
        let resolution = resolve(catalogue, Entry::Bundle(bundle), &case.answers);
        let outcome = SampleCase::outcome(&resolution);
        let expected: Vec<&str> = case.steps.iter().map(String::as_str).collect();
        let without = |of: &[&str], those: &[&str]| {
            names(of.iter().copied().filter(|id| !those.contains(id)).collect())
        };
        SampleView {
            name: case.name.get(W.0).to_owned(),
            address: address(bundle, case, from),
            shown: case.answers == *answers,
            holds: case.holds(&resolution),
            missing: without(&expected, &outcome),
            surplus: without(&outcome, &expected),
            outcome: match outcome.len() {
                0 => W.t("bundles.sample_ends").to_owned(),
                n => W.fill("bundles.sample_steps", &[("n", &n.to_string())]),
            },
        }
    };
    bundle.sample_cases.iter().map(view).collect()
}

fn address(bundle: &Bundle, case: &SampleCase, from: CivilDate) -> String {
    let answers = situation_form::in_address(&case.answers);
    format!("/catalogue/bundles/{}?from={from}{answers}", in_query(bundle.code.as_str()))
}
