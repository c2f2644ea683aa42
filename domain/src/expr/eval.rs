//! Evaluation: total, with *unknown* as its third value; see the table in [`super`].
//!
//! Refuses to keep anything: values are borrowed from the answers where they can be.
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use super::{CardFact, Expr, Literal, MAX_TEXT_CHARS, Many, Two};
use crate::applicant::birth_of_id_number;
use crate::date::CivilDate;

/// A value. It may be an answer, so `Debug` tells its type only.
#[derive(Clone, PartialEq, Eq)]
pub enum Val<'a> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(Cow<'a, str>),
    /// A date.
    Date(CivilDate),
}

impl fmt::Debug for Val<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool(_) => "Val(bool)",
            Self::Int(_) => "Val(int)",
            Self::Text(_) => "Val(text)",
            Self::Date(_) => "Val(date)",
        })
    }
}

/// What is known when an expression is evaluated.
pub trait Known {
    /// The answer to a field that is shown; `None` if there is none of its type.
    fn value(&self, field: &str) -> Option<Val<'_>>;
    /// The same answer as it is stored, as text.
    fn text(&self, field: &str) -> Option<Cow<'_, str>>;
    /// Whether a field is shown and answered, or a repeat group is shown and has a row.
    fn answered(&self, name: &str) -> bool;
    /// Rows of a repeat group; 0 if it is not shown.
    fn count(&self, name: &str) -> i64;
    /// What the card says.
    fn card(&self, fact: CardFact) -> Option<Val<'_>>;
    /// The day on which the form is filled in.
    fn today(&self) -> Option<CivilDate>;
}

impl Expr {
    /// The value; `None` is *unknown*.
    pub fn eval<'a>(&'a self, known: &'a dyn Known) -> Option<Val<'a>> {
        match self {
            Self::Field(key) => known.value(key),
            Self::OneOf { field, one_of } => {
                let text = known.text(field)?;
                Some(Val::Bool(one_of.iter().any(|value| *value == text)))
            }
            Self::Answered(name) => Some(Val::Bool(known.answered(name))),
            Self::Count(name) => Some(Val::Int(known.count(name))),
            Self::Card(fact) => known.card(*fact),
            Self::Today => known.today().map(Val::Date),
            Self::Value(literal) => Some(literal.val()),
            Self::Date(date) => Some(Val::Date(*date)),
            Self::In(part, list) => {
                let value = part.eval(known)?;
                Some(Val::Bool(list.iter().any(|literal| literal.val() == value)))
            }
            Self::Not(part) => part.truth(known).map(|truth| Val::Bool(!truth)),
            Self::Age(part) => age(&part.eval(known)?, known.today()?),
            Self::Many(op, parts) => many(*op, parts, known),
            Self::Two(op, parts) => {
                let [first, second] = parts.as_ref();
                two(*op, &first.eval(known)?, &second.eval(known)?)
            }
            Self::If(parts) => {
                let [when, then, other] = parts.as_ref();
                if when.truth(known)? { then.eval(known) } else { other.eval(known) }
            }
        }
    }

    /// Whether a rule holds: it is true, neither false nor unknown.
    pub fn holds(&self, known: &dyn Known) -> bool {
        self.truth(known) == Some(true)
    }

    fn truth(&self, known: &dyn Known) -> Option<bool> {
        match self.eval(known)? {
            Val::Bool(truth) => Some(truth),
            _ => None,
        }
    }
}

impl Literal {
    fn val(&self) -> Val<'_> {
        match self {
            Self::Bool(truth) => Val::Bool(*truth),
            Self::Int(number) => Val::Int(*number),
            Self::Text(text) => Val::Text(Cow::Borrowed(text)),
        }
    }
}

fn many<'a>(op: Many, parts: &'a [Expr], known: &'a dyn Known) -> Option<Val<'a>> {
    match op {
        Many::And => all(parts, known, false).map(Val::Bool),
        Many::Or => all(parts, known, true).map(|none| Val::Bool(!none)),
        Many::Sum => fold(parts, known, i64::checked_add).map(Val::Int),
        Many::Product => fold(parts, known, i64::checked_mul).map(Val::Int),
        Many::Concat => concat(parts, known).map(|text| Val::Text(Cow::Owned(text))),
    }
}

/// `Some(false)` if one part has the value that settles it, else unknown if one is unknown, else `Some(true)`.
fn all(parts: &[Expr], known: &dyn Known, settling: bool) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match part.truth(known) {
            Some(truth) if truth == settling => return Some(false),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(true)
}

fn fold(parts: &[Expr], known: &dyn Known, op: fn(i64, i64) -> Option<i64>) -> Option<i64> {
    let mut numbers = parts.iter().map(|part| match part.eval(known) {
        Some(Val::Int(number)) => Some(number),
        _ => None,
    });
    let first = numbers.next()??;
    numbers.try_fold(first, |sum, number| op(sum, number?))
}

fn concat(parts: &[Expr], known: &dyn Known) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part.eval(known)? {
            Val::Text(more) => text.push_str(&more),
            Val::Int(number) => text.push_str(&number.to_string()),
            Val::Date(date) => text.push_str(&date.to_string()),
            Val::Bool(_) => return None,
        }
        if text.chars().count() > MAX_TEXT_CHARS {
            return None;
        }
    }
    Some(text)
}

fn two(op: Two, first: &Val<'_>, second: &Val<'_>) -> Option<Val<'static>> {
    let ordering = order(first, second);
    let is = |wanted: fn(Ordering) -> bool| ordering.map(|o| Val::Bool(wanted(o)));
    match op {
        Two::Eq => Some(Val::Bool(first == second)),
        Two::Ne => Some(Val::Bool(first != second)),
        Two::Lt => is(Ordering::is_lt),
        Two::Le => is(Ordering::is_le),
        Two::Gt => is(Ordering::is_gt),
        Two::Ge => is(Ordering::is_ge),
        Two::Difference => match (first, second) {
            (Val::Int(a), Val::Int(b)) => a.checked_sub(*b).map(Val::Int),
            _ => None,
        },
        Two::Years | Two::Days => match (first, second) {
            (Val::Date(from), Val::Date(to)) if op == Two::Years => Some(Val::Int(from.full_years_to(*to))),
            (Val::Date(from), Val::Date(to)) => Some(Val::Int(from.days_to(*to))),
            _ => None,
        },
    }
}

fn order(first: &Val<'_>, second: &Val<'_>) -> Option<Ordering> {
    match (first, second) {
        (Val::Int(a), Val::Int(b)) => Some(a.cmp(b)),
        (Val::Date(a), Val::Date(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Full years; unknown for a text that is no ID number with a birthday, and before birth.
fn age(number: &Val<'_>, today: CivilDate) -> Option<Val<'static>> {
    let Val::Text(number) = number else { return None };
    let birth = birth_of_id_number(number)?;
    (birth <= today).then(|| Val::Int(birth.full_years_to(today)))
}
