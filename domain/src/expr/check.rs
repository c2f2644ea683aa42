//! Static check of an expression: types, size, and references to what stands before it.
//!
//! Refuses to evaluate anything; an expression that passes cannot fail later, it can only be unknown.
use super::{Expr, Literal, MAX_DEPTH, MAX_PARTS, MAX_SIZE, MAX_TEXT_CHARS, Many, Two, Type};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A field with a value of this type.
    Value(Type),
    /// A field whose answer is no single value (address, signature, file): only `answered` may name it.
    Opaque,
    /// A repeat group: only `answered` and `count` may name it.
    Rows,
}

/// The names that an expression may use: those that stand before it.
pub trait Scope {
    /// What a name stands for; `None` if nothing before has it.
    fn find(&self, name: &str) -> Option<Named>;
    /// Whether the field can ever have this text as its answer: false only for a choice that it does not offer.
    fn offers(&self, name: &str, text: &str) -> bool;
}

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// More levels than [`MAX_DEPTH`].
    #[error("an expression has at most {MAX_DEPTH} levels")]
    TooDeep,
    /// More parts than [`MAX_SIZE`].
    #[error("an expression has at most {MAX_SIZE} parts")]
    TooLarge,
    /// The name is unknown, or stands later.
    #[error("its rule names `{0}`, which is no field before it")]
    UnknownName(String),
    /// The name stands for something else.
    #[error("`{name}` cannot be used with `{operator}`")]
    WrongName {
        /// The name.
        name: String,
        /// What it was used with.
        operator: &'static str,
    },
    /// A part has the wrong type.
    #[error("`{operator}` wants {wanted} and got {got}")]
    WrongType {
        /// The operator.
        operator: &'static str,
        /// Type or types that fit.
        wanted: &'static str,
        /// Type of the part.
        got: Type,
    },
    /// Two parts must have the same type.
    #[error("`{operator}` got {first} and {second}")]
    TwoTypes {
        /// The operator.
        operator: &'static str,
        /// Type of the first part.
        first: Type,
        /// Type of the other part.
        second: Type,
    },
    /// The operator has too few or too many parts or values.
    #[error("`{0}` wants 1 to {MAX_PARTS} parts")]
    Parts(&'static str),
    /// The field never has this answer.
    #[error("`{field}` has no choice `{value}`")]
    NoChoice {
        /// Key of the field.
        field: String,
        /// The value that is no choice.
        value: String,
    },
    /// A literal is longer than a text may be.
    #[error("a text has at most {MAX_TEXT_CHARS} characters")]
    LongText,
}

impl Expr {
    /// Checks the whole and gives its type.
    ///
    /// # Errors
    /// [`ExprError`], the first thing that is wrong.
    pub fn check(&self, scope: &dyn Scope) -> Result<Type, ExprError> {
        Checker { scope, left: MAX_SIZE }.type_of(self, MAX_DEPTH)
    }

    /// Checks a rule: an expression that is true or false.
    ///
    /// # Errors
    /// [`ExprError`], also if it is no `bool`.
    pub fn check_rule(&self, scope: &dyn Scope) -> Result<(), ExprError> {
        wanted("rule", self.check(scope)?, Type::Bool, "bool")
    }
}

struct Checker<'s> {
    scope: &'s dyn Scope,
    left: usize,
}

impl Checker<'_> {
    fn type_of(&mut self, expr: &Expr, levels: usize) -> Result<Type, ExprError> {
        let below = levels.checked_sub(1).ok_or(ExprError::TooDeep)?;
        self.left = self.left.checked_sub(1).ok_or(ExprError::TooLarge)?;
        Ok(match expr {
            Expr::Field(key) => self.value("field", key)?,
            Expr::OneOf { field, one_of } => {
                self.value("one_of", field)?;
                self.list("one_of", one_of.len())?;
                one_of.iter().try_for_each(|text| self.text(Some(field), text))?;
                Type::Bool
            }
            Expr::Answered(key) => self.name(key).map(|_| Type::Bool)?,
            Expr::Count(key) => match self.name(key)? {
                Named::Rows => Type::Int,
                _ => return Err(ExprError::WrongName { name: key.clone(), operator: "count" }),
            },
            Expr::Card(fact) => fact.kind(),
            Expr::Today | Expr::Date(_) => Type::Date,
            Expr::Value(literal) => self.literal(None, literal)?,
            Expr::In(part, list) => self.in_list(part, list, below)?,
            Expr::Not(part) => {
                wanted("not", self.type_of(part, below)?, Type::Bool, "bool")?;
                Type::Bool
            }
            Expr::Age(part) => {
                wanted("age", self.type_of(part, below)?, Type::Text, "text")?;
                Type::Int
            }
            Expr::Many(op, parts) => self.many(*op, parts, below)?,
            Expr::Two(op, parts) => self.two(*op, parts, below)?,
            Expr::If(parts) => {
                let [when, then, other] = parts.as_ref();
                wanted("if", self.type_of(when, below)?, Type::Bool, "bool")?;
                let first = self.type_of(then, below)?;
                same("else", first, self.type_of(other, below)?)?
            }
        })
    }

    fn name(&self, key: &str) -> Result<Named, ExprError> {
        self.scope.find(key).ok_or_else(|| ExprError::UnknownName(key.chars().take(80).collect()))
    }

    fn value(&self, operator: &'static str, key: &str) -> Result<Type, ExprError> {
        match self.name(key)? {
            Named::Value(kind) => Ok(kind),
            _ => Err(ExprError::WrongName { name: key.to_owned(), operator }),
        }
    }

    fn list(&mut self, operator: &'static str, len: usize) -> Result<(), ExprError> {
        if !(1..=MAX_PARTS).contains(&len) {
            return Err(ExprError::Parts(operator));
        }
        self.left = self.left.checked_sub(len).ok_or(ExprError::TooLarge)?;
        Ok(())
    }

    /// A text that is compared with the answer to a field, if there is one.
    fn text(&self, field: Option<&str>, text: &str) -> Result<(), ExprError> {
        if text.chars().take(MAX_TEXT_CHARS + 1).count() > MAX_TEXT_CHARS {
            return Err(ExprError::LongText);
        }
        match field.filter(|field| !self.scope.offers(field, text)) {
            Some(field) => {
                Err(ExprError::NoChoice { field: field.to_owned(), value: text.chars().take(80).collect() })
            }
            None => Ok(()),
        }
    }

    fn literal(&self, field: Option<&str>, literal: &Literal) -> Result<Type, ExprError> {
        if let Literal::Text(text) = literal {
            self.text(field, text)?;
        }
        Ok(literal.kind())
    }

    fn in_list(&mut self, part: &Expr, list: &[Literal], below: usize) -> Result<Type, ExprError> {
        let kind = self.type_of(part, below)?;
        self.list("in", list.len())?;
        for literal in list {
            same("in", kind, self.literal(field_of(part), literal)?)?;
        }
        Ok(Type::Bool)
    }

    fn many(&mut self, op: Many, parts: &[Expr], below: usize) -> Result<Type, ExprError> {
        if !(1..=MAX_PARTS).contains(&parts.len()) {
            return Err(ExprError::Parts(op.name()));
        }
        for part in parts {
            let kind = self.type_of(part, below)?;
            match op {
                Many::And | Many::Or => wanted(op.name(), kind, Type::Bool, "bool")?,
                Many::Sum | Many::Product => wanted(op.name(), kind, Type::Int, "int")?,
                Many::Concat if kind == Type::Bool => {
                    return Err(wrong_type(op.name(), "text, int or date", kind));
                }
                Many::Concat => {}
            }
        }
        Ok(match op {
            Many::And | Many::Or => Type::Bool,
            Many::Sum | Many::Product => Type::Int,
            Many::Concat => Type::Text,
        })
    }

    fn two(&mut self, op: Two, parts: &[Expr; 2], below: usize) -> Result<Type, ExprError> {
        let [first, second] = parts;
        let kind = self.type_of(first, below)?;
        let kind = same(op.name(), kind, self.type_of(second, below)?)?;
        match op {
            Two::Eq | Two::Ne => {
                for (field, other) in [(first, second), (second, first)] {
                    if let (Some(field), Expr::Value(literal)) = (field_of(field), other) {
                        self.literal(Some(field), literal)?;
                    }
                }
                Ok(Type::Bool)
            }
            Two::Lt | Two::Le | Two::Gt | Two::Ge if matches!(kind, Type::Int | Type::Date) => Ok(Type::Bool),
            Two::Lt | Two::Le | Two::Gt | Two::Ge => Err(wrong_type(op.name(), "int or date", kind)),
            Two::Difference => wanted(op.name(), kind, Type::Int, "int").map(|()| Type::Int),
            Two::Years | Two::Days => wanted(op.name(), kind, Type::Date, "date").map(|()| Type::Int),
        }
    }
}

fn field_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Field(key) => Some(key),
        _ => None,
    }
}

fn wanted(operator: &'static str, got: Type, want: Type, name: &'static str) -> Result<(), ExprError> {
    if got == want { Ok(()) } else { Err(wrong_type(operator, name, got)) }
}

fn wrong_type(operator: &'static str, wanted: &'static str, got: Type) -> ExprError {
    ExprError::WrongType { operator, wanted, got }
}

fn same(operator: &'static str, first: Type, second: Type) -> Result<Type, ExprError> {
    if first == second { Ok(first) } else { Err(ExprError::TwoTypes { operator, first, second }) }
}
