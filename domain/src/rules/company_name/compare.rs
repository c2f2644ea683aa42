//! Whether a name is free: same as one that is taken, alike one, or neither, with the rule that says so.
//!
//! Refuses to weigh: each verdict is one rule, the strongest one of each pair is told.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::parts::{NameFault, NameParts, Proposal};
use super::words::{NameRule, NameWords};
use crate::rules::FactValue;

/// The most names that a judgement tells; further ones are counted.
pub const MAX_HITS: usize = 50;

/// Whether a name can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameVerdict {
    /// 可用.
    Free,
    /// 相近: a person looks at it.
    Alike,
    /// 相同.
    Same,
}

/// A name that is registered, kept for somebody, or was given up less than a year ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The register's own name for the entry.
    pub id: String,
    /// Its parts.
    pub parts: NameParts,
    /// 有投资关系: whoever asks holds shares in it or it in them. Then only the same text is the same.
    pub related: bool,
}

/// One name that is in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hit {
    /// The register's name for the entry.
    pub taken: String,
    /// Which rule says so.
    pub rule: NameRule,
    /// What it says.
    pub verdict: NameVerdict,
}

/// What comes of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameJudgement {
    /// The strongest of all verdicts.
    pub verdict: NameVerdict,
    /// Names that are in the way: the same ones first, then in the order of the register.
    pub hits: Vec<Hit>,
    /// How many more there are.
    pub more: u64,
    /// What is wrong with the name itself.
    pub faults: Vec<NameFault>,
}

impl NameWords {
    /// Judges a name against those that are taken at one registration authority.
    pub fn judge<'t>(
        &self,
        proposal: &Proposal,
        taken: impl IntoIterator<Item = &'t Taken>,
    ) -> NameJudgement {
        let mut hits = BTreeMap::from([(NameVerdict::Same, Vec::new()), (NameVerdict::Alike, Vec::new())]);
        let mut found = 0_u64;
        for other in taken {
            let Some(rule) = self.collision(&proposal.parts, other) else { continue };
            found += 1;
            let verdict = rule.verdict();
            let list = hits.entry(verdict).or_default();
            if list.len() < MAX_HITS {
                list.push(Hit { taken: other.id.clone(), rule, verdict });
            }
        }
        let mut hits: Vec<Hit> = hits.into_values().rev().flatten().collect();
        hits.truncate(MAX_HITS);
        let verdict = hits.first().map_or(NameVerdict::Free, |hit| hit.verdict);
        let told = u64::try_from(hits.len()).unwrap_or(u64::MAX);
        let faults = proposal.faults.clone();
        NameJudgement { verdict, hits, more: found.saturating_sub(told), faults }
    }

    /// The strongest rule by which two names collide.
    pub fn collision(&self, wanted: &NameParts, taken: &Taken) -> Option<NameRule> {
        let (one, other) = (wanted, &taken.parts);
        let same_shop = one.shop == other.shop;
        if one.whole == other.whole {
            return Some(NameRule::SameText);
        }
        if one.folded() == other.folded() {
            return Some(NameRule::SameParts);
        }
        if taken.related {
            return None;
        }
        // Whoever has the same key is the same, also where no 字号 is left of a name: a unique index says so, too.
        if same_shop && one.trade == other.trade {
            return Some(NameRule::SameShopAndTrade);
        }
        if one.shop.is_empty() || other.shop.is_empty() {
            return None;
        }
        let (named, other_named) = (one.names_trade(), other.names_trade());
        if same_shop && !(named && other_named) {
            return Some(NameRule::SameShopWithoutTrade);
        }
        let same_trade = one.classes.intersection(&other.classes).next().is_some() || !(named || other_named);
        if !same_trade {
            return None;
        }
        let part = |one: &str, other: &str| one.contains(other) || other.contains(one);
        let table = [
            (same_shop, NameRule::AlikeTrade),
            (self.signs.sound_alike(&one.shop, &other.shop), NameRule::AlikeSound),
            (part(&one.shop, &other.shop), NameRule::AlikePart),
            (self.signs.look_alike(&one.shop, &other.shop), NameRule::AlikeShape),
        ];
        table.into_iter().find(|(so, _)| *so).map(|(_, rule)| rule)
    }
}

impl NameRule {
    /// What a rule about two names says of them; of a rule about one name alone that it is free.
    pub fn verdict(self) -> NameVerdict {
        match self {
            Self::SameText | Self::SameParts | Self::SameShopAndTrade | Self::SameShopWithoutTrade => {
                NameVerdict::Same
            }
            Self::AlikeTrade | Self::AlikeSound | Self::AlikePart | Self::AlikeShape => NameVerdict::Alike,
            _ => NameVerdict::Free,
        }
    }
}

impl NameJudgement {
    /// The judgement as evidence for a rule set: `verdict` (`free`, `alike`, `same`), `faults` (how many) and
    /// `forbidden` (whether a forbidden word stands in it).
    pub fn as_evidence(&self) -> BTreeMap<String, FactValue> {
        let verdict = match self.verdict {
            NameVerdict::Free => "free",
            NameVerdict::Alike => "alike",
            NameVerdict::Same => "same",
        };
        let faults = i64::try_from(self.faults.len()).unwrap_or(i64::MAX);
        let forbidden = self.faults.iter().any(|fault| fault.rule == NameRule::Forbidden);
        BTreeMap::from([
            ("verdict".to_owned(), FactValue::Text(verdict.to_owned())),
            ("faults".to_owned(), FactValue::Int(faults)),
            ("forbidden".to_owned(), FactValue::Bool(forbidden)),
        ])
    }
}
