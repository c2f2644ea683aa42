//! Rules that could never do anything, found before a rule set is published.
//!
//! Facts with few values (true or false, one of some texts) are tried in all ways while the others stay unknown. What
//! is false then is false for ever, because nothing that becomes known turns a falsehood round. So whatever is told
//! here is so; not everything that is so is told: the tries have a limit, and dates and numbers are not tried.
use std::cell::Cell;
use std::collections::BTreeSet;

use super::check::{Report, rule_place};
use super::condition::{Condition, fact_names};
use super::fact::{Declaration, FactType, FactValue, Finding, Why};
use super::flaw::Flaw;
use super::set::{EffectKind, Rule, RuleSetFile};
use super::truth::Truth;
use super::world::World;
use crate::expr::Expr;

/// The most ways that facts of one or two rules are tried together.
const MAX_WAYS: usize = 512;
/// The most that all tries of a rule set may cost: each costs as many as the set has facts.
const MAX_COST: usize = 200_000;

pub(super) fn check(file: &RuleSetFile, order: &[usize], report: &mut Report) {
    let tries = Tries { file, order, left: Cell::new(MAX_COST) };
    for (at, rule) in file.rules.iter().enumerate() {
        let place = &rule_place(rule);
        let twin = |other: &&Rule| other.when == rule.when && other.then == rule.then;
        if let Some(other) = file.rules.iter().take(at).find(twin) {
            report.wrong(place, Flaw::SameAs(other.id.clone()));
        }
        if tries.constant(&rule.when) == Some(Truth::True) && rule.then.kind() != EffectKind::Need {
            report.wrong(place, Flaw::AlwaysHolds);
        }
        if tries.always(&[&rule.when], &|truths| truths.iter().all(|truth| *truth == Truth::False)) {
            report.wrong(place, Flaw::NeverHolds);
        }
    }
    let of = |wanted: fn(EffectKind) -> bool| file.rules.iter().filter(move |rule| wanted(rule.then.kind()));
    let mut approving = of(|kind| kind == EffectKind::Approve).peekable();
    if approving.peek().is_none() {
        report.wrong("rules", Flaw::NothingApproves);
    }
    for rule in approving {
        let shadows = |objection: &&Rule| {
            tries.always(&[&rule.when, &objection.when], &|truths| {
                matches!(truths, [Truth::False, _] | [_, Truth::True])
            })
        };
        if let Some(objection) = of(EffectKind::objects).find(shadows) {
            report.wrong(&rule_place(rule), Flaw::Shadowed(objection.id.clone()));
        }
    }
}

struct Tries<'f> {
    file: &'f RuleSetFile,
    order: &'f [usize],
    left: Cell<usize>,
}

/// A fact with the few values that it can have.
type Choice<'f> = (&'f str, Vec<FactValue>);

impl Tries<'_> {
    /// The truth of a condition that nothing changes.
    fn constant(&self, condition: &Condition) -> Option<Truth> {
        self.judge(&[condition], &[]).into_iter().next().filter(|truth| *truth != Truth::Unknown)
    }

    /// Whether this is so of the conditions in each way that the facts with few values can be. `false` also where it
    /// would take too long to find out.
    fn always(&self, conditions: &[&Condition], so: &dyn Fn(&[Truth]) -> bool) -> bool {
        let choices = self.choices(conditions);
        let ways = choices.iter().try_fold(1_usize, |ways, (_, values)| {
            ways.checked_mul(values.len()).filter(|ways| *ways <= MAX_WAYS)
        });
        let Some(ways) = ways else { return false };
        (0..ways).all(|way| {
            let Some(left) = self.left.get().checked_sub(self.file.facts.len().max(1)) else { return false };
            self.left.set(left);
            let chosen = chosen(&choices, way);
            let truths = self.judge(conditions, &chosen);
            so(&truths) || (self.is_constant(conditions) && truths.iter().all(|t| *t != Truth::True))
        })
    }

    /// No fact and no day stands in the conditions: what is unknown then stays so.
    fn is_constant(&self, conditions: &[&Condition]) -> bool {
        conditions.len() == 1 && conditions.iter().all(|c| c.facts().is_empty() && !mentions_today(c))
    }

    fn judge(&self, conditions: &[&Condition], chosen: &[(&str, &FactValue)]) -> Vec<Truth> {
        let find = |fact: &Declaration| match chosen.iter().find(|(id, _)| *id == fact.id) {
            Some((_, value)) => Finding::Known((*value).clone()),
            None => Finding::Unknown(Why::NotAsked),
        };
        let world = World::new(&self.file.facts, self.order, None, &find);
        conditions.iter().map(|condition| condition.judge(&world).truth).collect()
    }

    /// Facts with few values that stand in the conditions, also behind derived ones.
    fn choices(&self, conditions: &[&Condition]) -> Vec<Choice<'_>> {
        let mut names: BTreeSet<&str> = conditions.iter().flat_map(|c| c.facts()).collect();
        // A derived fact may be derived from another one: the order has each behind its parts, so it is walked back.
        for fact in self.order.iter().rev().filter_map(|at| self.file.facts.get(*at)) {
            if let (true, Some(expr)) = (names.contains(fact.id.as_str()), fact.derived()) {
                names.extend(fact_names(expr));
            }
        }
        let stands = |fact: &&Declaration| fact.derived().is_none() && names.contains(fact.id.as_str());
        self.file
            .facts
            .iter()
            .filter(stands)
            .filter_map(|fact| Some((fact.id.as_str(), few(fact)?)))
            .collect()
    }
}

/// The values of a fact that has few.
fn few(fact: &Declaration) -> Option<Vec<FactValue>> {
    match fact.kind {
        FactType::Bool => Some(vec![FactValue::Bool(false), FactValue::Bool(true)]),
        FactType::Text if !fact.values.is_empty() => {
            Some(fact.values.iter().map(|text| FactValue::Text(text.clone())).collect())
        }
        _ => None,
    }
}

/// The values of the facts in one way, counted like digits.
fn chosen<'c>(choices: &'c [Choice<'_>], mut way: usize) -> Vec<(&'c str, &'c FactValue)> {
    let mut chosen = Vec::new();
    for (fact, values) in choices {
        let count = values.len().max(1);
        if let Some(value) = values.get(way % count) {
            chosen.push((*fact, value));
        }
        way /= count;
    }
    chosen
}

fn mentions_today(condition: &Condition) -> bool {
    fn in_expr(expr: &Expr) -> bool {
        matches!(expr, Expr::Today | Expr::Age(_)) || expr.parts().iter().any(in_expr)
    }
    condition.expressions().iter().any(in_expr) || condition.parts().iter().any(mentions_today)
}
