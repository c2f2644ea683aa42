//! 自动审批: what a rule set says of the facts of one case.
//!
//! Every rule and every condition is looked at exactly once, whatever the others said, so the reasons are complete
//! and the work is bounded by the size of the rule set. Nothing but the rule set and the facts goes in: the same gives
//! the same, byte by byte.
//!
//! Refuses to refuse: what speaks for a refusal goes to a person.
use std::collections::BTreeSet;

use super::decision::{Decision, Did, Needed, Outcome, Reason, RuleTrace, SeenFact, SeenState, SeenValue};
use super::fact::Finding;
use super::facts::Facts;
use super::set::{Effect, Rule, RuleSet};
use super::truth::Truth;
use super::world::World;

impl RuleSet {
    /// Decides.
    ///
    /// | what is known | outcome |
    /// |---|---|
    /// | a rule that objects holds, or nothing can approve any more | a person |
    /// | a rule that objects or needs something is undecided, or no rule approves yet | needs facts |
    /// | a rule approves, every objection is known not to hold, everything needed is known | approved |
    ///
    /// What is undecided though all its facts are known (a number beyond 64 bits, an age before birth) goes to a person.
    /// Once decided, further facts never change the outcome's kind: they can only add reasons.
    pub fn decide(&self, facts: &Facts) -> Decision {
        let world = self.world(facts);
        let mut tally = Tally { world: &world, reasons: Vec::new(), needed: BTreeSet::new(), by: Vec::new() };
        let mut open = BTreeSet::new();
        let rules = self.rules().iter().map(|rule| tally.look_at(rule, &mut open)).collect();
        let Tally { mut reasons, mut needed, by, .. } = tally;
        if by.is_empty() && open.is_empty() {
            reasons.push(Reason::NothingApproves);
        } else if by.is_empty() {
            needed.extend(open);
        }
        let outcome = if !reasons.is_empty() {
            Outcome::Manual { reasons }
        } else if !needed.is_empty() {
            Outcome::NeedsFacts { facts: needed.iter().map(|fact| needed_fact(&world, fact)).collect() }
        } else {
            Outcome::Approve { by }
        };
        Decision { set: self.reference(), today: facts.today(), outcome, facts: self.seen(&world), rules }
    }

    /// The values that the rules saw, derived ones too, for a person who may see them. They are not part of the
    /// decision and are never stored with it: they follow from the recorded facts.
    pub fn values(&self, facts: &Facts) -> Vec<SeenValue<'_>> {
        let world = self.world(facts);
        let seen = |fact| SeenValue { fact, finding: world.finding(&fact.id).clone() };
        self.facts().iter().map(seen).collect()
    }

    /// Whether a decision is the one that these facts give by this version: what was stored is verified so.
    pub fn confirms(&self, decision: &Decision, facts: &Facts) -> bool {
        decision.set == self.reference() && self.decide(facts) == *decision
    }

    fn world(&self, facts: &Facts) -> World<'_> {
        let find = |fact: &super::fact::Declaration| facts.finding(&fact.id).clone();
        World::new(self.facts(), self.order(), Some(facts.today()), &find)
    }

    fn seen(&self, world: &World<'_>) -> Vec<SeenFact> {
        let state = |finding: &Finding| finding.why().map_or(SeenState::Known, SeenState::Unknown);
        let seen = |id: &String| SeenFact { fact: id.clone(), state: state(world.finding(id)) };
        self.facts().iter().map(|fact| seen(&fact.id)).collect()
    }
}

/// What the rules said so far.
struct Tally<'w, 's> {
    world: &'w World<'s>,
    reasons: Vec<Reason>,
    needed: BTreeSet<&'s str>,
    by: Vec<String>,
}

impl<'s> Tally<'_, 's> {
    /// Looks at one rule. `open` gathers what grounds to approve wait for.
    fn look_at(&mut self, rule: &Rule, open: &mut BTreeSet<&'s str>) -> RuleTrace {
        let condition = rule.when.judge(self.world);
        let missing = self.world.missing(&condition.undecided_facts());
        let id = || rule.id.clone();
        let did = match (&rule.then, condition.truth) {
            (Effect::Approve | Effect::Manual { .. } | Effect::ProposeRefusal { .. }, Truth::False) => {
                Did::Nothing
            }
            (Effect::Approve, Truth::True) => {
                self.by.push(id());
                Did::Approved
            }
            (Effect::Approve, Truth::Unknown) if missing.is_empty() => Did::Nothing,
            (Effect::Approve, Truth::Unknown) => {
                open.extend(missing);
                Did::Waited
            }
            (Effect::Manual { .. }, Truth::True) => self.object(Reason::Rule(id())),
            (Effect::ProposeRefusal { .. }, Truth::True) => self.object(Reason::ProposesRefusal(id())),
            (Effect::Manual { .. } | Effect::ProposeRefusal { .. }, Truth::Unknown) => {
                self.wait_for(missing, rule)
            }
            (Effect::Need { facts }, truth) => self.need(facts, truth, missing, rule),
        };
        RuleTrace { rule: id(), effect: rule.then.kind(), truth: condition.truth, did, condition }
    }

    fn object(&mut self, reason: Reason) -> Did {
        self.reasons.push(reason);
        Did::Objected
    }

    /// A rule that cannot be decided: it waits, or a person looks where nothing is left to wait for.
    fn wait_for(&mut self, missing: BTreeSet<&'s str>, rule: &Rule) -> Did {
        if missing.is_empty() {
            return self.object(Reason::Undecidable(rule.id.clone()));
        }
        self.needed.extend(missing);
        Did::Waited
    }

    fn need(&mut self, facts: &[String], truth: Truth, for_rule: BTreeSet<&'s str>, rule: &Rule) -> Did {
        let unknown: BTreeSet<&str> = facts
            .iter()
            .map(String::as_str)
            .filter(|fact| self.world.finding(fact).value().is_none())
            .collect();
        if truth == Truth::False || unknown.is_empty() {
            return Did::Nothing;
        }
        // While nobody knows whether the rule holds, that is found out first.
        let first = if truth == Truth::Unknown { for_rule } else { BTreeSet::new() };
        let missing = if first.is_empty() { self.world.missing(&unknown) } else { first };
        self.wait_for(missing, rule)
    }
}

fn needed_fact(world: &World<'_>, fact: &str) -> Needed {
    let why = world.finding(fact).why().unwrap_or(super::fact::Why::NotAsked);
    Needed { fact: fact.to_owned(), why }
}
