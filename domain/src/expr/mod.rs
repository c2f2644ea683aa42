//! 算式: one small type for rules and computed values of forms. The grammar, operator by operator, stands in
//! `docs/forms.md`; it is JSON, each object with exactly one operator.
//!
//! **Types.** `bool`, whole number (`int`), `text`, `date`; each expression has one, found by [`Expr::check`] when
//! the form is compiled. A field may name only what stands before it, so there are no cycles.
//!
//! **Three values.** Evaluation is total: it gives a value or *unknown* (`None`), never an error. Unknown are a field
//! that is not answered, not shown, or answered with something of another type; a fact that is not known; a number
//! that does not fit into 64 bits; a text that grows too long; an age before birth. What comes of it:
//!
//! | operator | with unknown parts |
//! |---|---|
//! | `and` | false if any part is false, else unknown |
//! | `or` | true if any part is true, else unknown |
//! | `not`, comparisons, `in`, `one_of`, sums, dates, `concat`, `age` | unknown |
//! | `if` | unknown if the condition is; else only the chosen branch counts |
//! | `answered`, `count` | never unknown for a name that the form has |
//!
//! A rule holds only if it is *true* ([`Expr::holds`]): what is unknown shows and demands nothing.
//!
//! Refuses loops, recursion, floating point, and anything that could take long: depth and size have a limit.
mod check;
mod eval;
mod json;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use check::{ExprError, Named, Scope};
pub use eval::{Known, Val};

use crate::date::CivilDate;

/// The most levels of one expression.
pub const MAX_DEPTH: usize = 16;
/// The most operators, references and literals of one expression.
pub const MAX_SIZE: usize = 200;
/// The most parts of one operator, and values of one list.
pub const MAX_PARTS: usize = 40;
/// The most characters of a text that `concat` makes.
pub const MAX_TEXT_CHARS: usize = 1_000;

/// An expression as the catalogue carries it.
#[derive(Clone, PartialEq, Eq)]
pub enum Expr {
    /// `{"field": KEY}`: the answer to a field.
    Field(String),
    /// `{"field": KEY, "one_of": [TEXT, …]}`: the answer, as text, is one of these. The oldest kind of rule.
    OneOf {
        /// Key of the field.
        field: String,
        /// Texts, one of which must be the answer.
        one_of: Vec<String>,
    },
    /// `{"answered": KEY}`: the field is shown and answered; the repeat group is shown and has a row.
    Answered(String),
    /// `{"count": KEY}`: rows of a repeat group.
    Count(String),
    /// `{"card": FACT}`: what the applicant's card says.
    Card(CardFact),
    /// `{"today": true}`.
    Today,
    /// `{"value": LITERAL}`.
    Value(Literal),
    /// `{"date": "YYYY-MM-DD"}`.
    Date(CivilDate),
    /// `{"in": EXPR, "list": [LITERAL, …]}`.
    In(Box<Expr>, Vec<Literal>),
    /// `{"not": EXPR}`.
    Not(Box<Expr>),
    /// `{"age": EXPR}`: full years today, from the birthday in an ID number.
    Age(Box<Expr>),
    /// An operator of any number of parts.
    Many(Many, Vec<Expr>),
    /// An operator of two parts.
    Two(Two, Box<[Expr; 2]>),
    /// `{"if": EXPR, "then": EXPR, "else": EXPR}`.
    If(Box<[Expr; 3]>),
}

impl std::fmt::Debug for Expr {
    /// The JSON form: an expression is data of the catalogue, never of a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

/// A value that stands in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Literal {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; money in fen, as it is stored.
    Int(i64),
    /// A text.
    Text(String),
}

/// What the applicant's card says, as far as it travels with a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardFact {
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
}

/// Operators of one part or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Many {
    /// All are true.
    And,
    /// One is true.
    Or,
    /// Sum of numbers.
    Sum,
    /// Product of numbers.
    Product,
    /// Texts, numbers and dates one after another.
    Concat,
}

/// Operators of two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Two {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less, or earlier.
    Lt,
    /// Less or equal.
    Le,
    /// Greater, or later.
    Gt,
    /// Greater or equal.
    Ge,
    /// The first number without the second.
    Difference,
    /// Full years from the first date to the second, negative if it lies before it.
    Years,
    /// Days from the first date to the second.
    Days,
}

/// Type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A text.
    Text,
    /// A civil date; of a month its first day.
    Date,
}

impl Many {
    /// Operators with their names in JSON.
    pub(crate) const NAMES: [(&'static str, Self); 5] = [
        ("and", Self::And),
        ("or", Self::Or),
        ("sum", Self::Sum),
        ("product", Self::Product),
        ("concat", Self::Concat),
    ];

    /// Name in JSON.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }
}

impl Two {
    /// Operators with their names in JSON.
    pub(crate) const NAMES: [(&'static str, Self); 9] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("lt", Self::Lt),
        ("le", Self::Le),
        ("gt", Self::Gt),
        ("ge", Self::Ge),
        ("difference", Self::Difference),
        ("years", Self::Years),
        ("days", Self::Days),
    ];

    /// Name in JSON.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }
}

impl Literal {
    /// Type of the value.
    pub fn kind(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Text(_) => Type::Text,
        }
    }
}

impl CardFact {
    /// Type of the fact.
    pub fn kind(self) -> Type {
        match self {
            Self::Name | Self::IdNumber | Self::Region => Type::Text,
            Self::Birth => Type::Date,
            Self::Sex => Type::Int,
        }
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Text => "text",
            Self::Date => "date",
        })
    }
}

impl Expr {
    /// The direct parts.
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::In(part, _) | Self::Not(part) | Self::Age(part) => std::slice::from_ref(part),
            Self::Many(_, parts) => parts,
            Self::Two(_, parts) => parts.as_slice(),
            Self::If(parts) => parts.as_slice(),
            _ => &[],
        }
    }

    /// Whether it depends on one of these fields or repeat groups.
    pub fn names_any(&self, keys: &[String]) -> bool {
        let named = match self {
            Self::Field(key) | Self::OneOf { field: key, .. } | Self::Answered(key) | Self::Count(key) => {
                keys.contains(key)
            }
            _ => false,
        };
        named || self.parts().iter().any(|part| part.names_any(keys))
    }

    /// Calls for each text that stands in the expression and that people may see.
    pub fn each_text(&self, see: &mut dyn FnMut(&str)) {
        match self {
            Self::Value(Literal::Text(text)) => see(text),
            Self::OneOf { one_of, .. } => one_of.iter().for_each(|text| see(text)),
            Self::In(_, list) => {
                for literal in list {
                    if let Literal::Text(text) = literal {
                        see(text);
                    }
                }
            }
            _ => {}
        }
        self.parts().iter().for_each(|part| part.each_text(see));
    }
}
