//! 事实: what a rule set may ask for, where it comes from, and what is known of it.
//!
//! *Not known* is a value of its own and has a reason. A source that is down has not said no.
//!
//! Refuses to print values: a fact is personal data.
use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::date::CivilDate;
use crate::expr::{Expr, Literal, MAX_TEXT_CHARS, Type, Val};
use crate::text::Text;

/// Type of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactType {
    /// True or false.
    Bool,
    /// A whole number; money in fen.
    Int,
    /// A text.
    Text,
    /// A civil date; of a month its first day.
    Date,
}

impl FactType {
    /// The same type as expressions have it.
    pub fn in_expressions(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Text => Type::Text,
            Self::Date => Type::Date,
        }
    }
}

/// A fact that a rule set uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Its name in conditions: small letters, digits, `.`, `-`, `_`.
    pub id: String,
    /// Type of its value.
    #[serde(rename = "type")]
    pub kind: FactType,
    /// What people call it.
    pub label: Text,
    /// Where it comes from.
    pub from: Origin,
    /// The only texts that it can be; none means any. Another one is no usable answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// Where a fact comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Origin {
    /// An answer of the form.
    Form {
        /// Path of the answer, such as `biz_capital`.
        field: String,
        /// A part of an answer that has some, such as the `region` of an address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<String>,
        /// What stands for no answer. A form that was handed in says nothing more, so this is an answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        absent: Option<Literal>,
    },
    /// How many rows a repeat group of the form has.
    Rows(String),
    /// What is known of the person who applies.
    Applicant(ApplicantFact),
    /// What a data source said.
    Source {
        /// Its name.
        source: String,
        /// Which of its values.
        value: String,
        /// After how many days an answer is too old; none means that it does not age.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_age_days: Option<u16>,
    },
    /// Worked out from other facts.
    Derived(Expr),
}

/// What is known of the person who applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicantFact {
    /// Name, as text.
    Name,
    /// ID number, as text.
    IdNumber,
    /// Birthday, as date.
    Birth,
    /// Sex, as number: 1 male, 2 female (ISO 5218).
    Sex,
    /// The region that a resident's ID number names, perhaps a retired one, as text.
    Region,
    /// Whether the identity was `read` from a card by its security module, or `typed`.
    Identity,
}

impl ApplicantFact {
    /// Type of the fact.
    pub fn kind(self) -> FactType {
        match self {
            Self::Name | Self::IdNumber | Self::Region | Self::Identity => FactType::Text,
            Self::Birth => FactType::Date,
            Self::Sex => FactType::Int,
        }
    }
}

/// A value of a fact. `Debug` tells its type only; a text is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactValue {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// A date.
    Date(CivilDate),
}

/// What is known of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// This.
    Known(FactValue),
    /// Nothing, and why.
    Unknown(Why),
}

/// Why a fact is not known. None of them means no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Nobody asked yet.
    NotAsked,
    /// The form or the card does not say it.
    NotAnswered,
    /// The source did not answer, or not in time.
    SourceDown,
    /// The citizen did not agree that the source is asked.
    NoConsent,
    /// The answer has another type, is too long, comes from a day that is not yet, or is none of those expected.
    Unusable,
    /// The answer is older than the rule set allows.
    TooOld,
    /// It is worked out from other facts, and those do not suffice.
    NotDerivable,
}

impl FactValue {
    /// Type of the value.
    pub fn kind(&self) -> FactType {
        match self {
            Self::Bool(_) => FactType::Bool,
            Self::Int(_) => FactType::Int,
            Self::Text(_) => FactType::Text,
            Self::Date(_) => FactType::Date,
        }
    }

    /// The value as expressions see it.
    pub(super) fn as_val(&self) -> Val<'_> {
        match self {
            Self::Bool(truth) => Val::Bool(*truth),
            Self::Int(number) => Val::Int(*number),
            Self::Text(text) => Val::Text(text.as_str().into()),
            Self::Date(date) => Val::Date(*date),
        }
    }

    /// The value that an expression gave.
    pub(super) fn of_val(val: Val<'_>) -> Self {
        match val {
            Val::Bool(truth) => Self::Bool(truth),
            Val::Int(number) => Self::Int(number),
            Val::Text(text) => Self::Text(text.into_owned()),
            Val::Date(date) => Self::Date(date),
        }
    }

    /// The value that a literal of the rule set stands for.
    pub(super) fn of_literal(literal: &Literal) -> Self {
        match literal {
            Literal::Bool(truth) => Self::Bool(*truth),
            Literal::Int(number) => Self::Int(*number),
            Literal::Text(text) => Self::Text(text.clone()),
        }
    }

    /// The value for the eyes of somebody who may see it.
    pub fn reveal(&self) -> String {
        match self {
            Self::Bool(truth) => truth.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Date(date) => date.to_string(),
        }
    }
}

impl Drop for FactValue {
    /// A text is wiped, wherever the value was.
    fn drop(&mut self) {
        if let Self::Text(text) = self {
            text.zeroize();
        }
    }
}

impl fmt::Debug for FactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FactValue({:?})", self.kind())
    }
}

impl Finding {
    /// The value, if it is known.
    pub fn value(&self) -> Option<&FactValue> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Why it is not known, if it is not.
    pub fn why(&self) -> Option<Why> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(why) => Some(*why),
        }
    }
}

impl Declaration {
    /// The finding as this fact can have it: a value that does not fit is no usable answer.
    pub(super) fn fitting(&self, finding: &Finding) -> Finding {
        match finding {
            Finding::Known(value) if self.fits(value) => finding.clone(),
            Finding::Known(_) => Finding::Unknown(Why::Unusable),
            Finding::Unknown(why) => Finding::Unknown(*why),
        }
    }

    pub(super) fn fits(&self, value: &FactValue) -> bool {
        let in_bounds = match value {
            FactValue::Text(text) => {
                let expected = self.values.is_empty() || self.values.contains(text);
                expected && text.chars().take(MAX_TEXT_CHARS + 1).count() <= MAX_TEXT_CHARS
            }
            _ => true,
        };
        value.kind() == self.kind && in_bounds
    }

    /// What it is worked out from, if it is.
    pub(super) fn derived(&self) -> Option<&Expr> {
        match &self.from {
            Origin::Derived(expr) => Some(expr),
            _ => None,
        }
    }
}
