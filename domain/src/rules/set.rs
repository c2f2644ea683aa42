//! 规则集: the rules by which the matters of one item or bundle are decided, as data with a version.
//!
//! A [`RuleSet`] is checked: there is no other way to one than [`RuleSet::new`]. A published version never changes and
//! is kept for ever, as catalogue versions are; its digest names it.
use std::fmt;

use serde::{Deserialize, Serialize};

use super::check::{self, Checked};
use super::condition::Condition;
use super::fact::Declaration;
use super::flaw::RuleError;
use crate::envelope::Digest;
use crate::ids::ItemCode;
use crate::item::LegalBasis;
use crate::text::Text;

/// The most bytes of a rule set, as it is read and as canonical JSON.
pub const MAX_RULE_SET_BYTES: usize = 256 << 10;
/// The most facts of a rule set.
pub const MAX_FACTS: usize = 200;
/// The most rules of a rule set.
pub const MAX_RULES: usize = 200;
/// The most conditions of a rule set, all rules together.
pub const MAX_CONDITIONS: usize = 2_000;

/// A rule set as the catalogue carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSetFile {
    /// The item or bundle whose matters it decides.
    pub entry: ItemCode,
    /// The step that it decides: of a bundle one of its steps, of an item the only one.
    pub step: String,
    /// Rises with each change that is published.
    pub version: u64,
    /// `sample` until the department's own rules replace it.
    pub data_label: String,
    /// Notice that goes with the label.
    pub notice: Text,
    /// What people call it.
    pub name: Text,
    /// Facts that the rules use, and no others: nobody is asked for what no rule needs.
    pub facts: Vec<Declaration>,
    /// Rules, in the order in which their reasons are told. All of them are always looked at.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable name.
    pub id: String,
    /// What people call it.
    pub name: Text,
    /// What it stands on, with the article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<LegalBasis>,
    /// When it holds.
    pub when: Condition,
    /// What it does when it holds.
    pub then: Effect,
}

/// What a rule does. There is no effect that refuses: a person does that (see decision 022).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// A ground to approve.
    Approve,
    /// 转人工: a person has to look at it.
    Manual {
        /// What the person is told.
        reason: Text,
    },
    /// 拟不予: a person has to look at it, and the rule speaks for a refusal. Needs a legal basis.
    ProposeRefusal {
        /// What the person is told.
        reason: Text,
    },
    /// These facts must be known before anything is approved, whatever they are.
    Need {
        /// Names of facts.
        facts: Vec<String>,
    },
}

/// Which kind of effect a rule has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// [`Effect::Approve`].
    Approve,
    /// [`Effect::Manual`].
    Manual,
    /// [`Effect::ProposeRefusal`].
    ProposeRefusal,
    /// [`Effect::Need`].
    Need,
}

/// What names one version of a rule set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetRef {
    /// The item or bundle.
    pub entry: ItemCode,
    /// The step.
    pub step: String,
    /// Version.
    pub version: u64,
    /// SHA-256 of the canonical JSON.
    pub digest: Digest,
}

/// A rule set that was checked.
#[derive(Clone, PartialEq, Eq)]
pub struct RuleSet {
    file: RuleSetFile,
    digest: Digest,
    /// Places of the facts that are worked out, each behind those that it is worked out from.
    order: Vec<usize>,
}

impl RuleSet {
    /// Checks a rule set.
    ///
    /// # Errors
    /// Every mistake found, at most [`super::MAX_RULE_ERRORS`], each with its place.
    pub fn new(file: RuleSetFile) -> Result<Self, Vec<RuleError>> {
        let json = canonical(&file);
        if json.len() > MAX_RULE_SET_BYTES {
            return Err(vec![check::too_long()]);
        }
        let Checked { order } = check::check(&file)?;
        let digest = Digest::of(json.as_bytes());
        Ok(Self { file, digest, order })
    }

    /// Reads and checks a rule set out of its JSON text.
    ///
    /// # Errors
    /// Every mistake found; of a text that is none the first one, with its path.
    pub fn parse(json: &[u8]) -> Result<Self, Vec<RuleError>> {
        Self::new(check::read(json)?)
    }

    /// The canonical JSON text: keys sorted, no spaces. Its digest names the version.
    pub fn to_json(&self) -> String {
        canonical(&self.file)
    }

    /// What names this version.
    pub fn reference(&self) -> SetRef {
        SetRef {
            entry: self.file.entry.clone(),
            step: self.file.step.clone(),
            version: self.file.version,
            digest: self.digest,
        }
    }

    /// What it says of itself and holds.
    pub fn file(&self) -> &RuleSetFile {
        &self.file
    }

    /// Facts that it declares.
    pub fn facts(&self) -> &[Declaration] {
        &self.file.facts
    }

    /// Rules in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.file.rules
    }

    /// The fact with this name.
    pub fn fact(&self, id: &str) -> Option<&Declaration> {
        self.file.facts.iter().find(|fact| fact.id == id)
    }

    /// The rule with this name.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.file.rules.iter().find(|rule| rule.id == id)
    }

    /// A rule set that nobody checked, for tests of what the check would keep out.
    #[cfg(test)]
    pub(super) fn unchecked(file: RuleSetFile) -> Self {
        let digest = Digest::of(canonical(&file).as_bytes());
        let order = check::order(&file.facts, &mut check::Report::default());
        Self { file, digest, order }
    }

    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }
}

impl fmt::Debug for RuleSet {
    /// What names it: a whole set would drown what it stands in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RuleSet({} {} v{} {})",
            self.file.entry,
            self.file.step,
            self.file.version,
            self.digest.short()
        )
    }
}

impl Effect {
    /// Its kind.
    pub fn kind(&self) -> EffectKind {
        match self {
            Self::Approve => EffectKind::Approve,
            Self::Manual { .. } => EffectKind::Manual,
            Self::ProposeRefusal { .. } => EffectKind::ProposeRefusal,
            Self::Need { .. } => EffectKind::Need,
        }
    }

    /// What the person is told who has to look at it.
    pub fn reason(&self) -> Option<&Text> {
        match self {
            Self::Manual { reason } | Self::ProposeRefusal { reason } => Some(reason),
            Self::Approve | Self::Need { .. } => None,
        }
    }
}

impl EffectKind {
    /// Whether it speaks against an approval without a person.
    pub fn objects(self) -> bool {
        matches!(self, Self::Manual | Self::ProposeRefusal)
    }
}

/// JSON with keys sorted at every depth and no spaces, so that equal things give equal bytes.
pub(super) fn canonical<T: Serialize>(part: &T) -> String {
    // Cannot fail: every map key is a string, and no type here refuses to be serialised.
    let mut value = serde_json::to_value(part).unwrap_or_default();
    value.sort_all_objects();
    value.to_string()
}
