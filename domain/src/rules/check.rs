//! Whether a rule set can stand: names, types, bounds, rings, and rules that could never do anything.
//!
//! All mistakes are told, each with its place. Refuses to repair anything, and to judge whether the rules are right.
use std::collections::{BTreeMap, BTreeSet};

use super::condition::{Condition, MAX_CONDITION_LEVELS, MAX_CONDITION_PARTS, fact_names};
use super::fact::{Declaration, FactType, FactValue, Origin};
use super::flaw::{Flaw, RuleError};
use super::reach;
use super::set::{
    Effect, EffectKind, MAX_CONDITIONS, MAX_FACTS, MAX_RULE_SET_BYTES, MAX_RULES, Rule, RuleSetFile,
};
use crate::expr::{Expr, ExprError, MAX_TEXT_CHARS, Many, Named, Scope, Type};
use crate::text::{Text, is_hidden};

/// The most mistakes of one rule set that are told.
pub const MAX_RULE_ERRORS: usize = 100;
/// The most signs of a name of a fact or rule.
const MAX_ID: usize = 60;
/// The most texts that a fact may be one of.
const MAX_VALUES: usize = 100;
/// The most facts that one rule needs.
const MAX_NEEDED: usize = 40;
/// The most characters of a name, and of a reason or notice.
const MAX_NAME_CHARS: usize = 60;
const MAX_REASON_CHARS: usize = 300;

/// What the check found out on its way.
pub(super) struct Checked {
    /// Places of the derived facts, each behind those that it is derived from.
    pub order: Vec<usize>,
}

/// A rule set out of its JSON text.
pub(super) fn read(json: &[u8]) -> Result<RuleSetFile, Vec<RuleError>> {
    let wrong = |at: String, flaw| Err(vec![RuleError { at, flaw }]);
    if json.len() > MAX_RULE_SET_BYTES {
        return Err(vec![too_long()]);
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let file = match serde_path_to_error::deserialize(&mut reader) {
        Ok(file) => file,
        Err(error) => {
            let reason: String = error.inner().to_string().chars().take(300).collect();
            return wrong(error.path().to_string(), Flaw::Unreadable(reason));
        }
    };
    match reader.end() {
        Ok(()) => Ok(file),
        Err(_) => wrong("-".to_owned(), Flaw::Unreadable("something follows the rule set".to_owned())),
    }
}

/// More than [`MAX_RULE_SET_BYTES`].
pub(super) fn too_long() -> RuleError {
    RuleError { at: "-".to_owned(), flaw: Flaw::TooMany { what: "bytes", most: MAX_RULE_SET_BYTES } }
}

pub(super) fn check(file: &RuleSetFile) -> Result<Checked, Vec<RuleError>> {
    let mut report = Report::default();
    check_head(file, &mut report);
    let conditions: usize = file.rules.iter().map(|rule| rule.when.size()).sum();
    for (what, count, most) in [
        ("facts", file.facts.len(), MAX_FACTS),
        ("rules", file.rules.len(), MAX_RULES),
        ("conditions", conditions, MAX_CONDITIONS),
    ] {
        report.expect(count <= most, what, Flaw::TooMany { what, most });
    }
    // What is too large is not looked at any further.
    report.done()?;
    let names = Names::new(&file.facts, &mut report);
    for fact in &file.facts {
        check_fact(fact, &names, &mut report);
    }
    let mut ids = BTreeSet::new();
    for rule in &file.rules {
        report.expect(ids.insert(&rule.id), &rule_place(rule), Flaw::Twice);
        check_rule(rule, &names, &mut report);
    }
    check_use(file, &mut report);
    let order = order(&file.facts, &mut report);
    report.done()?;
    reach::check(file, &order, &mut report);
    report.done()?;
    Ok(Checked { order })
}

/// Mistakes found so far.
#[derive(Default)]
pub(super) struct Report(Vec<RuleError>);

impl Report {
    pub(super) fn wrong(&mut self, at: &str, flaw: Flaw) {
        if self.0.len() < MAX_RULE_ERRORS {
            self.0.push(RuleError { at: at.to_owned(), flaw });
        }
    }

    fn expect(&mut self, good: bool, at: &str, flaw: Flaw) {
        if !good {
            self.wrong(at, flaw);
        }
    }

    fn text(&mut self, text: &Text, at: &str, most: usize) {
        for words in [&text.zh, &text.en] {
            let fits = words.chars().take(most + 1).count() <= most && !words.chars().any(is_hidden);
            self.expect(fits, at, Flaw::Words(most));
        }
        self.expect(!text.zh.trim().is_empty(), at, Flaw::Words(most));
    }

    fn done(&mut self) -> Result<(), Vec<RuleError>> {
        if self.0.is_empty() { Ok(()) } else { Err(std::mem::take(&mut self.0)) }
    }
}

/// Declared facts by name: the scope of expressions.
struct Names<'f>(BTreeMap<&'f str, &'f Declaration>);

impl<'f> Names<'f> {
    fn new(facts: &'f [Declaration], report: &mut Report) -> Self {
        let mut names = BTreeMap::new();
        for fact in facts {
            let twice = names.insert(fact.id.as_str(), fact).is_some();
            report.expect(!twice, &fact_place(fact), Flaw::Twice);
        }
        Self(names)
    }
}

impl Scope for Names<'_> {
    fn find(&self, name: &str) -> Option<Named> {
        self.0.get(name).map(|fact| Named::Value(fact.kind.in_expressions()))
    }

    fn offers(&self, name: &str, text: &str) -> bool {
        self.0.get(name).is_none_or(|fact| fact.values.is_empty() || fact.values.iter().any(|v| v == text))
    }
}

fn check_head(file: &RuleSetFile, report: &mut Report) {
    report.expect(file.version >= 1, "version", Flaw::Version);
    report.expect(is_id(&file.step), "step", Flaw::Id);
    report.expect(["sample", "official"].contains(&file.data_label.as_str()), "data_label", Flaw::Label);
    report.text(&file.name, "name", MAX_NAME_CHARS);
    report.text(&file.notice, "notice", MAX_REASON_CHARS);
}

fn check_fact(fact: &Declaration, names: &Names<'_>, report: &mut Report) {
    let at = &fact_place(fact);
    report.expect(is_id(&fact.id), at, Flaw::Id);
    report.text(&fact.label, at, MAX_NAME_CHARS);
    let listed = fact.kind == FactType::Text || fact.values.is_empty();
    report.expect(listed && fact.values.len() <= MAX_VALUES, at, Flaw::Values);
    let distinct: BTreeSet<&String> = fact.values.iter().collect();
    let texts = fact.values.iter().all(|text| is_short(text, MAX_TEXT_CHARS) && !text.is_empty());
    report.expect(distinct.len() == fact.values.len() && texts, at, Flaw::Values);
    match &fact.from {
        Origin::Form { field, part, absent } => {
            let named = [Some(field), part.as_ref()].into_iter().flatten().all(|name| is_name(name));
            report.expect(named, at, Flaw::Id);
            let fits = absent.as_ref().is_none_or(|literal| fact.fits(&FactValue::of_literal(literal)));
            report.expect(fits, at, Flaw::Absent);
        }
        Origin::Rows(group) => {
            report.expect(is_name(group), at, Flaw::Id);
            report.expect(fact.kind == FactType::Int, at, Flaw::Kind(FactType::Int));
        }
        Origin::Applicant(said) => report.expect(said.kind() == fact.kind, at, Flaw::Kind(said.kind())),
        Origin::Source { source, value, .. } => {
            report.expect(is_name(source) && is_name(value), at, Flaw::Id);
        }
        Origin::Derived(expr) => check_derived(expr, fact, names, report),
    }
}

fn check_derived(expr: &Expr, fact: &Declaration, names: &Names<'_>, report: &mut Report) {
    let at = &fact_place(fact);
    match expr.check(names) {
        Ok(kind) if kind == fact.kind.in_expressions() => {}
        Ok(kind) => report.wrong(at, Flaw::Derived { declared: fact.kind.in_expressions(), is: kind }),
        Err(error) => report.wrong(at, flaw_of(error)),
    }
    if let Some(operator) = foreign(expr) {
        report.wrong(at, Flaw::Foreign(operator));
    }
}

fn check_rule(rule: &Rule, names: &Names<'_>, report: &mut Report) {
    let at = &rule_place(rule);
    report.expect(is_id(&rule.id), at, Flaw::Id);
    report.text(&rule.name, at, MAX_NAME_CHARS);
    if let Some(reason) = rule.then.reason() {
        report.text(reason, at, MAX_REASON_CHARS);
    }
    if let Some(basis) = &rule.basis {
        let fits = !basis.name.trim().is_empty() && is_short(&basis.name, MAX_REASON_CHARS);
        report.expect(fits, at, Flaw::Words(MAX_REASON_CHARS));
    }
    let refuses = rule.then.kind() == EffectKind::ProposeRefusal;
    report.expect(!refuses || rule.basis.is_some(), at, Flaw::NoBasis);
    if let Effect::Need { facts } = &rule.then {
        report.expect(
            (1..=MAX_NEEDED).contains(&facts.len()),
            at,
            Flaw::TooMany { what: "needed facts", most: MAX_NEEDED },
        );
        for fact in facts {
            report.expect(names.0.contains_key(fact.as_str()), at, Flaw::UnknownFact(cut(fact)));
        }
    }
    check_condition(&rule.when, names, at, MAX_CONDITION_LEVELS, report);
}

fn check_condition(condition: &Condition, names: &Names<'_>, at: &str, levels: usize, report: &mut Report) {
    let Some(below) = levels.checked_sub(1) else {
        return report.wrong(at, Flaw::TooMany { what: "levels", most: MAX_CONDITION_LEVELS });
    };
    for (place, part) in condition.parts().iter().enumerate() {
        check_condition(part, names, &format!("{at}.{place}"), below, report);
    }
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            let fits = (1..=MAX_CONDITION_PARTS).contains(&parts.len());
            report.expect(fits, at, Flaw::Parts);
        }
        Condition::Not(_) => {}
        Condition::Is(expr) => check_comparison(expr, names, Type::Bool, at, report),
        Condition::Contains(texts) => {
            texts.iter().for_each(|text| check_comparison(text, names, Type::Text, at, report));
        }
    }
}

fn check_comparison(expr: &Expr, names: &Names<'_>, wanted: Type, at: &str, report: &mut Report) {
    match expr.check(names) {
        Ok(kind) => report.expect(kind == wanted, at, Flaw::Comparison { wanted, is: kind }),
        Err(error) => report.wrong(at, flaw_of(error)),
    }
    if connects(expr) {
        report.wrong(at, Flaw::Connective);
    }
    if let Some(operator) = foreign(expr) {
        report.wrong(at, Flaw::Foreign(operator));
    }
}

/// Whether `and`, `or` or `not` stands in an expression, where the trace would not show its parts.
fn connects(expr: &Expr) -> bool {
    matches!(expr, Expr::Not(_) | Expr::Many(Many::And | Many::Or, _)) || expr.parts().iter().any(connects)
}

/// An operator of forms that has no place in a rule: the card is a fact like others, and whether something is answered
/// or how many rows are shown would turn round when more becomes known.
fn foreign(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Card(_) => Some("card"),
        Expr::Answered(_) => Some("answered"),
        Expr::Count(_) => Some("count"),
        _ => expr.parts().iter().find_map(foreign),
    }
}

/// Every fact is used: nobody is asked for what no rule needs.
fn check_use(file: &RuleSetFile, report: &mut Report) {
    let mut used: BTreeSet<&str> = file.rules.iter().flat_map(|rule| rule.when.facts()).collect();
    used.extend(file.facts.iter().filter_map(Declaration::derived).flat_map(fact_names));
    for rule in &file.rules {
        if let Effect::Need { facts } = &rule.then {
            used.extend(facts.iter().map(String::as_str));
        }
    }
    for fact in file.facts.iter().filter(|fact| !used.contains(fact.id.as_str())) {
        report.wrong(&fact_place(fact), Flaw::Unused);
    }
}

/// Derived facts, each behind what it is derived from; a ring is told as such.
pub(super) fn order(facts: &[Declaration], report: &mut Report) -> Vec<usize> {
    let derived: BTreeMap<&str, (usize, BTreeSet<&str>)> = facts
        .iter()
        .enumerate()
        .filter_map(|(at, fact)| Some((fact.id.as_str(), (at, fact_names(fact.derived()?)))))
        .collect();
    let mut placed: BTreeSet<&str> = BTreeSet::new();
    let mut order = Vec::new();
    loop {
        let waits_for = |from: &BTreeSet<&str>| {
            from.iter().any(|name| derived.contains_key(name) && !placed.contains(name))
        };
        let ready = |(name, (_, from)): &(&&str, &(usize, BTreeSet<&str>))| {
            !placed.contains(**name) && !waits_for(from)
        };
        let Some((name, (at, _))) = derived.iter().find(ready) else { break };
        order.push(*at);
        placed.insert(name);
    }
    if let Some(start) = derived.keys().find(|name| !placed.contains(**name)) {
        // Whoever is not placed waits for another one of them, so this walk comes back to itself.
        let mut ring: Vec<&str> = vec![start];
        while let Some(next) = ring.last().and_then(|last| derived.get(last)).and_then(|(_, from)| {
            from.iter().find(|name| derived.contains_key(*name) && !placed.contains(*name))
        }) {
            if let Some(begin) = ring.iter().position(|name| name == next) {
                let names = ring[begin..].iter().map(|name| cut(name)).collect();
                report.wrong(&format!("facts.{}", cut(next)), Flaw::Ring(names));
                break;
            }
            ring.push(next);
        }
    }
    order
}

fn flaw_of(error: ExprError) -> Flaw {
    match error {
        ExprError::UnknownName(name) => Flaw::UnknownFact(name),
        other => Flaw::Expression(other),
    }
}

pub(super) fn rule_place(rule: &Rule) -> String {
    format!("rules.{}", cut(&rule.id))
}

fn fact_place(fact: &Declaration) -> String {
    format!("facts.{}", cut(&fact.id))
}

/// A name from outside, short enough for an error.
fn cut(name: &str) -> String {
    crate::text::visible(name, MAX_ID)
}

fn is_short(text: &str, most: usize) -> bool {
    text.chars().take(most + 1).count() <= most && !text.chars().any(is_hidden)
}

fn is_id(id: &str) -> bool {
    let sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    (1..=MAX_ID).contains(&id.len())
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.bytes().all(sign)
}

/// A name of something outside, such as a field of a form.
fn is_name(name: &str) -> bool {
    (1..=MAX_ID).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
}
