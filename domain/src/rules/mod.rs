//! 自动审批规则: what a machine may decide by itself, and everything that it hands to a person.
//!
//! A [`RuleSet`] is data with a version: facts that it asks for, and rules over them. [`RuleSet::decide`] gives a
//! [`Decision`] with its whole trace; the same version and the same [`Facts`] give the same bytes. [`replay`] tells
//! what another version would have decided. [`company_name`] judges names of companies.
//!
//! | word | 中文 | |
//! |---|---|---|
//! | [`Truth`] | 真、假、未知 | what a condition comes to |
//! | [`Declaration`], [`Facts`], [`Evidence`] | 事实, 证据 | what may be asked, what is known, what a source said |
//! | [`Condition`], [`Rule`], [`Effect`] | 条件, 规则 | |
//! | [`Outcome`] | 准予, 转人工, 待事实 | there is no refusal: a person refuses |
//!
//! Refuses loops, clocks, sources and refusals. Why: `docs/decisions/022-automatic-approval.md`.
mod check;
pub mod company_name;
mod condition;
mod decide;
mod decision;
mod fact;
mod facts;
mod flaw;
mod reach;
mod replay;
mod set;
#[cfg(test)]
mod tests;
mod truth;
mod world;

pub use check::MAX_RULE_ERRORS;
pub use condition::{Condition, ConditionKind, ConditionTrace, MAX_CONDITION_LEVELS, MAX_CONDITION_PARTS};
pub use decision::{
    Decision, Did, Needed, Outcome, OutcomeKind, Reason, RuleTrace, SeenFact, SeenState, SeenValue,
};
pub use fact::{ApplicantFact, Declaration, FactType, FactValue, Finding, Origin, Why};
pub use facts::{Evidence, Facts, MAX_RECORDED, Sources, TooManyFacts};
pub use flaw::{Flaw, RuleError};
pub use replay::{
    ChangedCase, MAX_NAMED_CASES, Moved, ReplayReport, RuleDifference, RuleSide, first_difference, replay,
};
pub use set::{
    Effect, EffectKind, MAX_CONDITIONS, MAX_FACTS, MAX_RULE_SET_BYTES, MAX_RULES, Rule, RuleSet, RuleSetFile,
    SetRef,
};
pub use truth::Truth;
