//! What conditions see: declared facts with what is known of each, those that are worked out, and perhaps the day.
//!
//! Refuses a fact that is not declared, and a value that its declaration does not allow.
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::condition::fact_names;
use super::fact::{Declaration, FactValue, Finding, Why};
use crate::date::CivilDate;
use crate::expr::{CardFact, Known, Val};

/// All facts of a rule set, as they are known once.
pub(super) struct World<'s> {
    today: Option<CivilDate>,
    findings: BTreeMap<&'s str, Finding>,
    derived: BTreeMap<&'s str, BTreeSet<&'s str>>,
}

impl<'s> World<'s> {
    /// `order` are the places of the derived facts, each behind what it is derived from; `find` tells what is known of
    /// the others.
    pub(super) fn new(
        facts: &'s [Declaration],
        order: &[usize],
        today: Option<CivilDate>,
        find: &dyn Fn(&Declaration) -> Finding,
    ) -> Self {
        let mut world = Self { today, findings: BTreeMap::new(), derived: BTreeMap::new() };
        for fact in facts.iter().filter(|fact| fact.derived().is_none()) {
            world.findings.insert(&fact.id, fact.fitting(&find(fact)));
        }
        for fact in order.iter().filter_map(|at| facts.get(*at)) {
            let Some(expr) = fact.derived() else { continue };
            let value = expr.eval(&world).map(FactValue::of_val);
            let finding = value.map_or(Finding::Unknown(Why::NotDerivable), Finding::Known);
            world.findings.insert(&fact.id, fact.fitting(&finding));
            world.derived.insert(&fact.id, fact_names(expr));
        }
        world
    }

    /// What is known of a fact.
    pub(super) fn finding(&self, fact: &str) -> &Finding {
        const NOT_ASKED: &Finding = &Finding::Unknown(Why::NotAsked);
        self.findings.get(fact).unwrap_or(NOT_ASKED)
    }

    /// Of these facts, and of those that they are derived from, the ones that somebody could still find out.
    pub(super) fn missing(&self, facts: &BTreeSet<&str>) -> BTreeSet<&'s str> {
        let mut missing = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<&str> = facts.iter().copied().collect();
        while let Some(name) = waiting.pop() {
            let Some((name, finding)) = self.findings.get_key_value(name) else { continue };
            if !seen.insert(*name) || finding.value().is_some() {
                continue;
            }
            match self.derived.get(name) {
                Some(from) => waiting.extend(from.iter().copied()),
                None => {
                    missing.insert(*name);
                }
            }
        }
        missing
    }
}

impl Known for World<'_> {
    fn value(&self, field: &str) -> Option<Val<'_>> {
        self.findings.get(field)?.value().map(FactValue::as_val)
    }

    fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        Some(match self.findings.get(field)?.value()? {
            FactValue::Text(text) => Cow::Borrowed(text),
            other => Cow::Owned(other.reveal()),
        })
    }

    fn answered(&self, _name: &str) -> bool {
        false
    }

    fn count(&self, _name: &str) -> i64 {
        0
    }

    fn card(&self, _fact: CardFact) -> Option<Val<'_>> {
        None
    }

    fn today(&self) -> Option<CivilDate> {
        self.today
    }
}
