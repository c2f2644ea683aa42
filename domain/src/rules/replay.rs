//! 回放: what another version of a rule set would have decided, over facts as they were recorded.
//!
//! A new version is published only after somebody has read this report. Refuses to decide anything anew: it compares.
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::decision::{Decision, Did, Outcome, OutcomeKind, RuleTrace};
use super::facts::Facts;
use super::set::{EffectKind, RuleSet, SetRef};
use super::truth::Truth;

/// The most cases that a report names; further ones are counted.
pub const MAX_NAMED_CASES: usize = 10_000;

/// What two versions make of the same cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayReport {
    /// The version in force.
    pub old: SetRef,
    /// The version that may follow it.
    pub new: SetRef,
    /// How many cases were replayed.
    pub cases: u64,
    /// How many come out the same, with the same reasons.
    pub same: u64,
    /// How many come out the same for other reasons.
    pub other_reasons: u64,
    /// How many come out otherwise, by the outcome before and after.
    pub moved: Vec<Moved>,
    /// Cases that come out otherwise, in the order in which they came.
    pub changed: Vec<ChangedCase>,
    /// How many of those are not named, because there are too many.
    pub unnamed: u64,
}

/// How many cases move from one outcome to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// By the old version.
    pub from: OutcomeKind,
    /// By the new one.
    pub to: OutcomeKind,
    /// How many.
    pub cases: u64,
}

/// A case that comes out otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedCase {
    /// The caller's name for the case; no personal data.
    pub case: String,
    /// By the old version.
    pub from: Outcome,
    /// By the new one.
    pub to: Outcome,
    /// The first rule that does something else.
    pub first: Option<RuleDifference>,
}

/// A rule that does something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDifference {
    /// Its name.
    pub rule: String,
    /// What it did, `None` where the old version has no such rule.
    pub before: Option<RuleSide>,
    /// What it does, `None` where the new version has no such rule.
    pub after: Option<RuleSide>,
}

/// What a rule did in one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSide {
    /// What it does when it holds.
    pub effect: EffectKind,
    /// Whether it held.
    pub truth: Truth,
    /// What it did to the outcome.
    pub did: Did,
}

/// Runs two versions over recorded facts.
pub fn replay<'f>(
    old: &RuleSet,
    new: &RuleSet,
    cases: impl IntoIterator<Item = (String, &'f Facts)>,
) -> ReplayReport {
    let mut report = ReplayReport {
        old: old.reference(),
        new: new.reference(),
        cases: 0,
        same: 0,
        other_reasons: 0,
        moved: Vec::new(),
        changed: Vec::new(),
        unnamed: 0,
    };
    let mut moved: BTreeMap<(OutcomeKind, OutcomeKind), u64> = BTreeMap::new();
    for (case, facts) in cases {
        let (before, after) = (old.decide(facts), new.decide(facts));
        report.cases += 1;
        let (from, to) = (before.outcome.kind(), after.outcome.kind());
        if before.outcome == after.outcome {
            report.same += 1;
        } else if from == to {
            report.other_reasons += 1;
        } else {
            *moved.entry((from, to)).or_default() += 1;
            report.name(case, before, after);
        }
    }
    report.moved = moved.into_iter().map(|((from, to), cases)| Moved { from, to, cases }).collect();
    report
}

impl ReplayReport {
    /// How many cases come out otherwise.
    pub fn decided_otherwise(&self) -> u64 {
        self.moved.iter().map(|moved| moved.cases).sum()
    }

    fn name(&mut self, case: String, before: Decision, after: Decision) {
        if self.changed.len() < MAX_NAMED_CASES {
            let first = first_difference(&before, &after);
            self.changed.push(ChangedCase { case, from: before.outcome, to: after.outcome, first });
        } else {
            self.unnamed += 1;
        }
    }
}

/// The first rule that does something else, in the order of the new version, those that it no longer has behind it.
/// A rule of only one version differs if it did anything.
pub fn first_difference(before: &Decision, after: &Decision) -> Option<RuleDifference> {
    let by_name = |decision: &Decision| -> BTreeMap<String, RuleSide> {
        decision.rules.iter().map(|rule| (rule.rule.clone(), side(rule))).collect()
    };
    let (old, new) = (by_name(before), by_name(after));
    let mut names: Vec<&String> = after.rules.iter().map(|rule| &rule.rule).collect();
    let known: BTreeSet<&String> = names.iter().copied().collect();
    names.extend(before.rules.iter().map(|rule| &rule.rule).filter(|name| !known.contains(name)));
    let acts = |side: Option<&RuleSide>| side.copied().filter(|side| side.did != Did::Nothing);
    let differs = |name: &&String| acts(old.get(*name)) != acts(new.get(*name));
    names.into_iter().find(differs).map(|name| RuleDifference {
        rule: name.clone(),
        before: old.get(name).copied(),
        after: new.get(name).copied(),
    })
}

fn side(rule: &RuleTrace) -> RuleSide {
    RuleSide { effect: rule.effect, truth: rule.truth, did: rule.did }
}
