//! 决定与依据: the outcome, and everything that led to it.
//!
//! A decision holds names and truths, never a value of a person: it may stand in a case's actions and on consoles. The
//! values are recorded apart and sealed ([`super::Facts`]).
use serde::{Deserialize, Serialize};

use super::condition::ConditionTrace;
use super::fact::{Declaration, Finding, Why};
use super::set::{EffectKind, SetRef, canonical};
use super::truth::Truth;
use crate::date::CivilDate;
use crate::envelope::Digest;

/// What a rule set says of a case, with its trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// By which version.
    pub set: SetRef,
    /// On which day.
    pub today: CivilDate,
    /// With what outcome.
    pub outcome: Outcome,
    /// Every declared fact, and whether it was known.
    pub facts: Vec<SeenFact>,
    /// Every rule, in the order of the rule set.
    pub rules: Vec<RuleTrace>,
}

/// What comes of it. There is no refusal: that is for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// 准予.
    Approve {
        /// Names of the rules that approve.
        by: Vec<String>,
    },
    /// 转人工: a person decides.
    Manual {
        /// Why; at least one.
        reasons: Vec<Reason>,
    },
    /// It cannot be decided yet.
    NeedsFacts {
        /// Which facts are missing, by name; at least one.
        facts: Vec<Needed>,
    },
}

/// Which kind of outcome it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// [`Outcome::Approve`].
    Approve,
    /// [`Outcome::Manual`], and no rule speaks for a refusal.
    Manual,
    /// [`Outcome::Manual`], and a rule speaks for a refusal.
    ManualRefusalProposed,
    /// [`Outcome::NeedsFacts`].
    NeedsFacts,
}

/// Why a person has to look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// This rule says so.
    Rule(String),
    /// This rule says so, and speaks for a refusal.
    ProposesRefusal(String),
    /// All facts of this rule are known, and yet it cannot be decided.
    Undecidable(String),
    /// No rule approves.
    NothingApproves,
    /// These facts were waited for, and did not come.
    FactsMissing(Vec<Needed>),
}

/// A fact that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needed {
    /// Its name.
    pub fact: String,
    /// Why it is missing.
    pub why: Why,
}

/// Whether a fact was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenFact {
    /// Its name.
    pub fact: String,
    /// Whether it was known.
    pub state: SeenState,
}

/// Known, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenState {
    /// It had a value.
    Known,
    /// It had none.
    Unknown(Why),
}

/// What came of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTrace {
    /// Its name.
    pub rule: String,
    /// What it does when it holds.
    pub effect: EffectKind,
    /// Whether it holds.
    pub truth: Truth,
    /// What it did to the outcome.
    pub did: Did,
    /// Its condition, part by part.
    pub condition: ConditionTrace,
}

/// What a rule did to the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// Nothing.
    Nothing,
    /// It approved.
    Approved,
    /// It sent the case to a person.
    Objected,
    /// It waits for facts.
    Waited,
}

/// A value that a rule saw. `Debug` tells its type only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenValue<'s> {
    /// Which fact.
    pub fact: &'s Declaration,
    /// What was known of it, as the rules saw it.
    pub finding: Finding,
}

impl Decision {
    /// Canonical JSON: the same rule set and the same facts give the same bytes.
    pub fn to_json(&self) -> String {
        canonical(self)
    }

    /// SHA-256 of the canonical JSON.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().as_bytes())
    }
}

impl Outcome {
    /// Its kind.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Approve { .. } => OutcomeKind::Approve,
            Self::NeedsFacts { .. } => OutcomeKind::NeedsFacts,
            Self::Manual { reasons } => {
                let refusal = reasons.iter().any(|reason| matches!(reason, Reason::ProposesRefusal(_)));
                if refusal { OutcomeKind::ManualRefusalProposed } else { OutcomeKind::Manual }
            }
        }
    }

    /// The outcome when nobody waits any longer for what is missing: a person decides.
    #[must_use]
    pub fn without_waiting(self) -> Self {
        match self {
            Self::NeedsFacts { facts } => Self::Manual { reasons: vec![Reason::FactsMissing(facts)] },
            decided => decided,
        }
    }

    /// Whether it stands, whatever else becomes known.
    pub fn is_decided(&self) -> bool {
        !matches!(self, Self::NeedsFacts { .. })
    }
}
