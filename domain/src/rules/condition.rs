//! 条件: when a rule holds.
//!
//! A tree of `all`, `any` and `not` over single comparisons. A comparison is an expression of the catalogue
//! ([`crate::expr`]); the connectives stand outside of it, so that the trace shows each comparison by itself.
//!
//! Refuses to ask whether something is known. Such a condition would turn round when an answer comes late, and with it
//! a decision that somebody was already told.
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::truth::Truth;
use crate::expr::{Expr, Known, Val};

/// The most levels of a condition.
pub const MAX_CONDITION_LEVELS: usize = 8;
/// The most parts of one `all` or `any`.
pub const MAX_CONDITION_PARTS: usize = 40;

/// A condition as the catalogue carries it: an object with exactly one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// `{"all": [C, …]}`: false if one is false, else unknown if one is unknown.
    All(Vec<Condition>),
    /// `{"any": [C, …]}`: true if one is true, else unknown if one is unknown.
    Any(Vec<Condition>),
    /// `{"not": C}`.
    Not(Box<Condition>),
    /// `{"is": EXPR}`: one comparison, without `and`, `or` and `not`.
    Is(Expr),
    /// `{"contains": [TEXT, TEXT]}`: the second text stands somewhere in the first. An empty text stands nowhere.
    Contains(Box<[Expr; 2]>),
}

/// Which kind of condition something is, without its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKind {
    /// [`Condition::All`].
    All,
    /// [`Condition::Any`].
    Any,
    /// [`Condition::Not`].
    Not,
    /// [`Condition::Is`].
    Is,
    /// [`Condition::Contains`].
    Contains,
}

/// What came of a condition, part by part. It names facts and has no values, so it may be kept where content may not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionTrace {
    /// What it is.
    pub kind: ConditionKind,
    /// What came of it.
    pub truth: Truth,
    /// The facts that a comparison saw, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// Its parts, in their order. All of them were looked at, also behind one that settled the whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ConditionTrace>,
}

impl Condition {
    /// Its kind.
    pub fn kind(&self) -> ConditionKind {
        match self {
            Self::All(_) => ConditionKind::All,
            Self::Any(_) => ConditionKind::Any,
            Self::Not(_) => ConditionKind::Not,
            Self::Is(_) => ConditionKind::Is,
            Self::Contains(_) => ConditionKind::Contains,
        }
    }

    /// Conditions that it is made of.
    pub fn parts(&self) -> &[Condition] {
        match self {
            Self::All(parts) | Self::Any(parts) => parts,
            Self::Not(part) => std::slice::from_ref(part),
            Self::Is(_) | Self::Contains(_) => &[],
        }
    }

    /// Expressions that it compares itself, not those of its parts.
    pub fn expressions(&self) -> &[Expr] {
        match self {
            Self::Is(expr) => std::slice::from_ref(expr),
            Self::Contains(texts) => texts.as_slice(),
            Self::All(_) | Self::Any(_) | Self::Not(_) => &[],
        }
    }

    /// How many conditions it is, itself and its parts.
    pub fn size(&self) -> usize {
        1 + self.parts().iter().map(Self::size).sum::<usize>()
    }

    /// Names of the facts that stand in it, at any depth.
    pub fn facts(&self) -> BTreeSet<&str> {
        let mut names: BTreeSet<&str> = self.expressions().iter().flat_map(fact_names).collect();
        self.parts().iter().for_each(|part| names.extend(part.facts()));
        names
    }

    /// What comes of it. Looks at each part exactly once.
    pub(super) fn judge(&self, known: &dyn Known) -> ConditionTrace {
        let parts: Vec<ConditionTrace> = self.parts().iter().map(|part| part.judge(known)).collect();
        let truths = parts.iter().map(|part| part.truth);
        let truth = match self {
            Self::All(_) => truths.fold(Truth::True, Truth::and),
            Self::Any(_) => truths.fold(Truth::False, Truth::or),
            Self::Not(_) => truths.fold(Truth::False, Truth::or).negated(),
            Self::Is(expr) => Truth::of(match expr.eval(known) {
                Some(Val::Bool(truth)) => Some(truth),
                _ => None,
            }),
            Self::Contains(texts) => Truth::of(contains(texts, known)),
        };
        let facts: BTreeSet<&str> = self.expressions().iter().flat_map(fact_names).collect();
        ConditionTrace {
            kind: self.kind(),
            truth,
            facts: facts.into_iter().map(str::to_owned).collect(),
            parts,
        }
    }
}

impl ConditionTrace {
    /// How many conditions stand in it, itself and its parts.
    pub fn size(&self) -> usize {
        1 + self.parts.iter().map(Self::size).sum::<usize>()
    }

    /// Facts of the comparisons that leave it unknown. What is false or true already needs nothing.
    pub(super) fn undecided_facts(&self) -> BTreeSet<&str> {
        if self.truth != Truth::Unknown {
            return BTreeSet::new();
        }
        let mut names: BTreeSet<&str> = self.facts.iter().map(String::as_str).collect();
        self.parts.iter().for_each(|part| names.extend(part.undecided_facts()));
        names
    }
}

fn contains(texts: &[Expr; 2], known: &dyn Known) -> Option<bool> {
    let [whole, part] = texts;
    match (whole.eval(known)?, part.eval(known)?) {
        (Val::Text(whole), Val::Text(part)) => Some(!part.is_empty() && whole.contains(part.as_ref())),
        _ => None,
    }
}

/// Names of the facts that an expression reads.
pub(super) fn fact_names(expr: &Expr) -> BTreeSet<&str> {
    let mut names = match expr {
        Expr::Field(name) | Expr::OneOf { field: name, .. } => BTreeSet::from([name.as_str()]),
        _ => BTreeSet::new(),
    };
    expr.parts().iter().for_each(|part| names.extend(fact_names(part)));
    names
}
