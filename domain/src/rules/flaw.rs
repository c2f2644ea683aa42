//! What can be wrong with a rule set.
use super::condition::MAX_CONDITION_PARTS;
use super::fact::FactType;
use crate::expr::{ExprError, Type};

/// One mistake in a rule set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {flaw}")]
pub struct RuleError {
    /// Where: a path such as `facts.applicant.age` or `rules.capital.0` (the first part of its condition).
    pub at: String,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The JSON text is none, or not that of a rule set.
    #[error("{0}")]
    Unreadable(String),
    /// Too many of something, or none where some must be.
    #[error("at most {most} {what}, and where they are listed at least one")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// Versions begin with 1.
    #[error("must be 1 or more")]
    Version,
    /// The label is none.
    #[error("must be `sample` or `official`")]
    Label,
    /// The name is empty, too long, or has signs that it may not have.
    #[error("is no name: small letters, digits, `.`, `-`, `_`, at most 60")]
    Id,
    /// Another one has the same name.
    #[error("stands twice")]
    Twice,
    /// Words for people are missing, too long, or hide something.
    #[error("Chinese words are needed, at most {0} characters, no hidden signs")]
    Words(usize),
    /// `values` where they do not belong, too many, twice, or empty.
    #[error("`values` are 1 to 100 different texts, for a fact that is a text")]
    Values,
    /// What stands for no answer does not fit the fact.
    #[error("`absent` does not fit the type or the values of the fact")]
    Absent,
    /// The fact has another type there.
    #[error("is {0:?} where it comes from")]
    Kind(FactType),
    /// The expression has another type than is declared.
    #[error("is declared as {declared} and is worked out as {is}")]
    Derived {
        /// As declared.
        declared: Type,
        /// As worked out.
        is: Type,
    },
    /// A condition compares something of the wrong type.
    #[error("wants {wanted} and got {is}")]
    Comparison {
        /// What fits.
        wanted: Type,
        /// What is there.
        is: Type,
    },
    /// No such fact is declared.
    #[error("there is no fact `{0}`")]
    UnknownFact(String),
    /// The expression cannot stand.
    #[error("{0}")]
    Expression(ExprError),
    /// `and`, `or` or `not` inside of a comparison.
    #[error("write `all`, `any` and `not` around comparisons, so that the trace shows each")]
    Connective,
    /// An operator of forms.
    #[error("`{0}` has no place in a rule: declare a fact")]
    Foreign(&'static str),
    /// No part, or too many.
    #[error("`all` and `any` have 1 to {MAX_CONDITION_PARTS} parts")]
    Parts,
    /// Facts are derived from each other.
    #[error("is derived from itself: {}", .0.join(" <- "))]
    Ring(Vec<String>),
    /// No rule uses the fact.
    #[error("no rule uses it: nobody is asked for what is not needed")]
    Unused,
    /// A proposal to refuse without a basis.
    #[error("a refusal is proposed only with a legal basis")]
    NoBasis,
    /// Nothing that becomes known could make the rule hold.
    #[error("never holds")]
    NeverHolds,
    /// The rule holds whatever is known.
    #[error("always holds, also when nothing is known")]
    AlwaysHolds,
    /// The rule approves only where another one objects.
    #[error("approves nothing: whenever it holds, `{0}` objects")]
    Shadowed(String),
    /// Another rule says the same.
    #[error("says the same as `{0}`")]
    SameAs(String),
    /// No rule approves.
    #[error("no rule approves anything")]
    NothingApproves,
}
