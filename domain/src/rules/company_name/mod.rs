//! 企业名称: what a company's name is made of, whether it may stand, and whether it is taken.
//!
//! Sources (titles and articles only; which of them a verdict rests on comes with the data, marked as far as it was
//! checked): 企业名称登记管理规定 (国务院令第734号) art. 5 to 12 for how a name is built and what it may not say,
//! art. 17 for when it is taken, art. 18 for how long one is kept; 企业名称登记管理规定实施办法 (市场监管总局令第82号)
//! for their details; 企业名称相同相近比对规则 (工商企注字〔2017〕133号) art. 3 and 4 for *same* and *alike*.
//!
//! All words and signs are data ([`NameWords`]). Refuses to search a register: names that may collide come in, those
//! of one registration authority. Refuses to turn anybody down: what is not free, or has a fault, goes to a person.
mod compare;
mod parts;
mod signs;
#[cfg(test)]
mod tests;
mod words;

pub use compare::{Hit, MAX_HITS, NameJudgement, NameVerdict, Taken};
pub use parts::{MAX_NAME_CHARS, NameFault, NameKey, NameParts, Proposal};
pub use words::{
    ForbiddenWords, NameRule, NameSigns, NameWords, NameWordsError, NameWordsFile, Place, RegionWords,
    TradeClass,
};
